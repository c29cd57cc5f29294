import { html, useLayoutEffect, useRef, useState } from "vendor/preact";
import { patch } from "../api.js";
import { explain, t } from "../i18n.js";
import { hubSettings } from "../store.js";
import { Button, Field, Icon, IconButton } from "../ui/parts.js";
import { composing } from "../ui/layers.js";
import { tierWord } from "./tier.js";

/** @typedef {import("../types").Customer} Customer */
/** @typedef {{ kind: string, value: string }} Address */
/** The kinds of address that a person can type; the others come from browsers and signed identities. */
const TYPED = ["email", "phone"];
const USUAL_TIERS = ["silver", "gold", "platinum"];

/** @param {{ customer: Customer, onDone: (next: Customer | null) => void }} props */
export function ProfileForm({ customer, onDone }) {
  const [tags, setTags] = useState(customer.tags);
  const [fields, setFields] = useState(Object.entries(customer.fields ?? {}));
  const held = customer.addresses.filter(({ kind }) => TYPED.includes(kind));
  const [addresses, setAddresses] = useState(/** @type {Address[]} */ (held));
  const [error, setError] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (e.target));
    const word = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    setFailed("");
    setError(word("name") ? "" : t("profile.name.needed"));
    if (!word("name")) return;
    setBusy(true);
    const wanted = addresses.filter(({ value }) => value.trim());
    const change = { name: word("name"), company: word("company"), language: word("language"), tier: word("tier"), tags, fields: Object.fromEntries(fields.filter(([name]) => name.trim())), addresses_in: without(wanted, held), addresses_out: without(held, wanted) };
    const answer = /** @type {any} */ (await patch(`/customers/${encodeURIComponent(customer.id)}`, change));
    setBusy(false);
    if (answer.ok) onDone(answer.customer);
    else setFailed(explain(answer));
  };
  const setAddress = (/** @type {number} */ at, /** @type {Partial<Address>} */ news) => setAddresses(addresses.map((one, i) => (i === at ? { ...one, ...news } : one)));
  const setField = (/** @type {number} */ at, /** @type {0 | 1} */ part, /** @type {string} */ text) => setFields(fields.map((one, i) => (i !== at ? one : part ? [one[0], text] : [text, one[1]])));
  const value = (/** @type {Event} */ e) => /** @type {HTMLInputElement} */ (e.target).value;
  const known = ["", ...(hubSettings()?.tiers?.map((one) => one.id) ?? USUAL_TIERS)];
  const tiers = customer.tier && !known.includes(customer.tier) ? [...known, customer.tier] : known;
  return html`<form class="profile-form" ref=${form} onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Escape" && !composing(e) && (e.stopPropagation(), onDone(null))}>
    <h2>${t("profile.edit")}</h2>
    <${Field} label=${t("profile.name")} id="profile-name" error=${error}><input id="profile-name" name="name" defaultValue=${customer.name} maxlength="200" aria-describedby=${error ? "profile-name-error" : undefined} /><//>
    <${Field} label=${t("profile.company")} id="profile-company"><input id="profile-company" name="company" defaultValue=${customer.company ?? ""} maxlength="200" /><//>
    <div class="two"><${Field} label=${t("profile.language")} id="profile-language"><select id="profile-language" name="language">
        <option value="" selected=${!customer.language}>-</option>${(hubSettings()?.languages ?? ["en", "zh"]).map((one) => html`<option key=${one} value=${one} selected=${customer.language === one}>${t(`language.${one}`)}</option>`)}</select><//>
      <${Field} label=${t("profile.tier")} id="profile-tier"><select id="profile-tier" name="tier">${tiers.map((one) => html`<option key=${one} value=${one} selected=${(customer.tier ?? "") === one}>${one ? tierWord(one) : "-"}</option>`)}</select><//></div>
    <fieldset class="extra-fields addresses"><legend>${t("addresses")}</legend>
      ${addresses.map(({ kind, value: text }, i) => html`<div key=${i}><select aria-label=${t("address.kind")} value=${kind} onChange=${(/** @type {Event} */ e) => setAddress(i, { kind: value(e) })}>${TYPED.map((one) => html`<option key=${one} value=${one} selected=${one === kind}>${t(`address.${one}`)}</option>`)}</select>
        <input aria-label=${t(`address.${kind}`)} inputmode=${kind === "email" ? "email" : "tel"} dir="ltr" value=${text} maxlength="254" onInput=${(/** @type {Event} */ e) => setAddress(i, { value: value(e) })} /><${IconButton} icon="x" label=${t("delete")} tip="left" onClick=${() => setAddresses(addresses.filter((_, at) => at !== i))} /></div>`)}
      <${Button} small kind="ghost" icon="plus" onClick=${() => setAddresses([...addresses, { kind: "email", value: "" }])}>${t("address.add")}<//></fieldset>
    <${TagField} tags=${tags} onChange=${setTags} />
    <fieldset class="extra-fields"><legend>${t("profile.fields")}</legend>
      ${fields.map(([name, text], i) => html`<div key=${i}><input aria-label=${t("profile.field.name")} placeholder=${t("profile.field.name")} value=${name} maxlength="60" onInput=${(/** @type {Event} */ e) => setField(i, 0, value(e))} />
        <input aria-label=${t("profile.field.value")} placeholder=${t("profile.field.value")} value=${text} maxlength="500" onInput=${(/** @type {Event} */ e) => setField(i, 1, value(e))} /><${IconButton} icon="x" label=${t("delete")} tip="left" onClick=${() => setFields(fields.filter((_, at) => at !== i))} /></div>`)}
      <${Button} small kind="ghost" icon="plus" onClick=${() => setFields([...fields, ["", ""]])}>${t("profile.field.add")}<//></fieldset>
    ${failed && html`<p class="field-error" role="alert"><${Icon} name="triangle-alert" size=${12} /> ${failed}</p>`}
    <div class="form-end"><${Button} kind="ghost" onClick=${() => onDone(null)}>${t("cancel")}<//><${Button} kind="primary" type="submit" busy=${busy}>${t("save")}<//></div>
  </form>`;
}

/** Those of the addresses that the others lack. @param {Address[]} addresses @param {Address[]} others */
function without(addresses, others) {
  const known = new Set(others.map(({ kind, value }) => `${kind} ${value}`));
  return addresses.filter(({ kind, value }) => !known.has(`${kind} ${value}`)).map(({ kind, value }) => ({ kind, value: value.trim() }));
}

/** @param {{ tags: string[], onChange: (tags: string[]) => void }} props */
function TagField({ tags, onChange }) {
  const [text, setText] = useState("");
  const add = () => {
    const next = text.trim();
    if (next && !tags.includes(next)) onChange([...tags, next]);
    setText("");
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (composing(e)) return;
    if ((e.key === "Enter" && text.trim()) || e.key === ",") (e.preventDefault(), add());
    else if (e.key === "Backspace" && !text) onChange(tags.slice(0, -1));
  };
  return html`<div class="field"><label for="profile-tags">${t("tags")}</label><div class="tag-field">
    ${tags.map((tag) => html`<span key=${tag} class="tag">${tag}<button type="button" aria-label=${t("tags.remove", { tag })} onClick=${() => onChange(tags.filter((one) => one !== tag))}>×</button></span>`)}
    <input id="profile-tags" value=${text} maxlength="40" placeholder=${t("tags.add")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLInputElement} */ (e.target).value)} onKeyDown=${onKey} onBlur=${add} /></div></div>`;
}
