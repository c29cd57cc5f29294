import { html, useLayoutEffect, useRef, useState } from "vendor/preact";
import { patch } from "../api.js";
import { explain, t } from "../i18n.js";
import { hubSettings } from "../store.js";
import { Button, Field, IconButton } from "../ui/parts.js";
import { composing } from "../ui/layers.js";
import { tierWord } from "./tier.js";

/** @typedef {import("../types").Customer} Customer */
const USUAL_TIERS = ["silver", "gold", "platinum"];

/** @param {{ customer: Customer, onDone: (next: Customer | null) => void }} props */
export function ProfileForm({ customer, onDone }) {
  const [tags, setTags] = useState(customer.tags);
  const [fields, setFields] = useState(Object.entries(customer.fields ?? {}));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (e.target));
    const word = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    if (!word("name")) return setError(t("profile.name.needed"));
    setBusy(true);
    const change = { name: word("name"), company: word("company"), language: word("language"), tier: word("tier"), tags, fields: Object.fromEntries(fields.filter(([name]) => name.trim())) };
    const answer = /** @type {any} */ (await patch(`/customers/${encodeURIComponent(customer.id)}`, change));
    setBusy(false);
    if (answer.ok) onDone(answer.customer ?? { ...customer, ...change });
    else setError(explain(answer));
  };
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
    <${TagField} tags=${tags} onChange=${setTags} />
    <fieldset class="extra-fields"><legend>${t("profile.fields")}</legend>
      ${fields.map(([name, text], i) => html`<div key=${i}><input aria-label=${t("profile.field.name")} placeholder=${t("profile.field.name")} value=${name} maxlength="60" onInput=${(/** @type {Event} */ e) => setField(i, 0, value(e))} />
        <input aria-label=${t("profile.field.value")} placeholder=${t("profile.field.value")} value=${text} maxlength="500" onInput=${(/** @type {Event} */ e) => setField(i, 1, value(e))} /><${IconButton} icon="x" label=${t("delete")} tip="left" onClick=${() => setFields(fields.filter((_, at) => at !== i))} /></div>`)}
      <${Button} small kind="ghost" icon="plus" onClick=${() => setFields([...fields, ["", ""]])}>${t("profile.field.add")}<//></fieldset>
    <div class="form-end"><${Button} kind="ghost" onClick=${() => onDone(null)}>${t("cancel")}<//><${Button} kind="primary" type="submit" busy=${busy}>${t("save")}<//></div>
  </form>`;
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
