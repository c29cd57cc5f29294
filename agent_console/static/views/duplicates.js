import { html, useEffect, useState } from "vendor/preact";
import { get, post } from "../api.js";
import { ticking } from "../clock.js";
import { explain, shortDay, t } from "../i18n.js";
import { toast } from "../screen.js";
import { Avatar, Button, Icon } from "../ui/parts.js";

/** @typedef {import("../types").Customer} Customer */
/** The best few; after a merge the next ones move up. */
const SHOWN = 3;
/** @param {string} id */
const path = (id) => `/customers/${encodeURIComponent(id)}`;

/** The profile after a merge or its undo, as the hub has it now. @param {string} id @param {(customer: Customer) => void} onChange */
async function reload(id, onChange) {
  const answer = /** @type {any} */ (await get(path(id)));
  if (answer.ok) onChange(answer.customer);
}

/** @param {string} merge @param {string} customer @param {(customer: Customer) => void} onChange */
async function undo(merge, customer, onChange) {
  const answer = await post(`/merges/${encodeURIComponent(merge)}/undo`);
  if (!answer.ok) return toast(explain(answer), "bad");
  toast(t("merge.undone"), "ok");
  await reload(customer, onChange);
}

/** What two profiles have in common, `code|value`. @param {string} evidence */
function because(evidence) {
  const [code, ...value] = evidence.split("|");
  return t(`duplicates.${code}`, { value: value.join("|") });
}

/** Profiles that may be the same person, and why. Nothing is merged without a person's word. @param {{ customer: Customer, onChange: (customer: Customer) => void }} props */
export function Duplicates({ customer, onChange }) {
  const [found, setFound] = useState(/** @type {import("../types").Duplicate[]} */ ([]));
  const [busy, setBusy] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    setFound([]);
    void get(`${path(customer.id)}/duplicates`, stop.signal).then((answer) => answer.ok && setFound((/** @type {any} */ (answer).duplicates ?? []).map((/** @type {any} */ one) => ({ ...one, ...one.customer }))));
    return () => stop.abort();
  }, [customer.id, customer.merged.length]);
  const merge = async (/** @type {import("../types").Duplicate} */ one) => {
    setBusy(one.id);
    const answer = /** @type {any} */ (await post(`${path(customer.id)}/merge`, { source: one.id }));
    setBusy("");
    if (!answer.ok) return toast(explain(answer), "bad");
    const id = answer.merge?.id ?? answer.merge;
    setFound((all) => all.filter((other) => other !== one));
    toast(t("merge.done", { name: one.name }), "ok", id ? { label: t("undo"), run: () => void undo(id, customer.id, onChange) } : undefined);
    await reload(customer.id, onChange);
  };
  if (!found.length) return null;
  return html`<section class="panel duplicates"><h3>${t("duplicates", { n: found.length })}</h3>${found.slice(0, SHOWN).map((one) => html`<div key=${one.id} class="duplicate">
    <${Avatar} name=${one.name} size="s" /><div><b>${one.name}</b><p>${one.evidence.map(because).join(t("duplicates.and"))}</p></div>
    <${Button} small icon="git-merge" busy=${busy === one.id} onClick=${() => merge(one)} aria-label=${t("merge.with", { name: one.name })}>${t("merge")}<//></div>`)}</section>`;
}

/** @param {{ customer: Customer, onChange: (customer: Customer) => void }} props */
export function Merged({ customer, onChange }) {
  if (!customer.merged.length) return null;
  const now = ticking();
  return html`<section class="panel"><h3>${t("merged")}</h3>${customer.merged.map((one) => html`<div key=${one.merge} class="merged"><${Icon} name="git-merge" /><span>${one.name} <small>${shortDay(one.at, now)}</small></span>
    <${Button} small kind="ghost" onClick=${() => undo(one.merge, customer.id, onChange)} aria-label=${t("merge.undo", { name: one.name })}>${t("undo")}<//></div>`)}</section>`;
}
