import { html, useEffect, useRef, useState } from "vendor/preact";
import { sendTemplate } from "../actions.js";
import { get } from "../api.js";
import { ticking } from "../clock.js";
import { fullTime, t } from "../i18n.js";
import { conversation, hubSettings, kindOf } from "../store.js";
import { Button, Field, Icon } from "../ui/parts.js";
import { composing } from "../ui/layers.js";

/** @typedef {import("../types").Texting} Texting */
/** @typedef {import("../types").Template} Template */
const GAP = /\{\{(\d{1,2})\}\}/g;
const HOUR_MS = 3_600_000;

/** May this customer be written to? Asked anew whenever they have said something. @param {import("../types").InteractionRow} row @returns {{ texting: Texting | null, may: "all" | "templates" | "none" }} */
export function useTexting(row) {
  const asks = kindOf(row.channel_kind).has_receipts && !kindOf(row.channel_kind).has_envelopes;
  const [texting, setTexting] = useState(/** @type {Texting | null} */ (null));
  const heard = (conversation(row.id)?.messages ?? []).findLast((one) => one.from === "customer")?.n ?? 0;
  useEffect(() => {
    if (!asks) return setTexting(null);
    const gone = new AbortController();
    void get(`/interactions/${encodeURIComponent(row.id)}/texting`, gone.signal).then((answer) => answer.ok && setTexting(/** @type {any} */ (answer).texting));
    return () => gone.abort();
  }, [row.id, asks, heard]);
  const now = ticking();
  const standing = texting?.standing;
  const may = !standing ? "all" : standing.opted_out_at ? "none" : standing.has_window && (standing.until ?? 0) <= now ? "templates" : "all";
  return { texting, may };
}

/** What stands above the field where not everything may be sent. @param {{ texting: Texting, may: string }} props */
export function TextingNotice({ texting, may }) {
  const { standing } = texting;
  const now = ticking();
  if (may === "none") return html`<p class="guard" role="status"><${Icon} name="triangle-alert" />${t("texting.opted_out", { word: standing.opted_out_word || "STOP", at: fullTime(standing.opted_out_at ?? 0) })}</p>`;
  if (may === "templates") return html`<p class="guard" role="status"><${Icon} name="clock" />${t(texting.templates.length ? "texting.over" : "texting.over.none")}</p>`;
  if (!standing.has_window || !standing.until || standing.until - now > 4 * HOUR_MS) return null;
  return html`<p class="guard calm"><${Icon} name="clock" />${t("texting.until", { at: fullTime(standing.until) })}</p>`;
}

/** The numbers of a wording's gaps, in order. @param {Template} one */
const gapsOf = (one) => [...new Set([...one.text.matchAll(GAP)].map((found) => Number(found[1])))].sort((a, b) => a - b);

/** Choose one of the agreed wordings, fill it in, send it. @param {{ row: import("../types").InteractionRow, templates: Template[], onDone?: () => void }} props */
export function TemplatePicker({ row, templates, onDone }) {
  const fitting = templates.toSorted((a, b) => Number(b.language === row.language) - Number(a.language === row.language));
  const [id, setId] = useState(fitting[0]?.id ?? "");
  const [values, setValues] = useState(/** @type {Record<number, string>} */ ({}));
  const [busy, setBusy] = useState(false);
  const client = useRef(crypto.randomUUID?.() ?? String(Math.random()));
  const one = templates.find((each) => each.id === id);
  if (!one) return null;
  const gaps = gapsOf(one);
  const ready = gaps.every((n) => values[n]?.trim());
  const text = one.text.replace(GAP, (gap, n) => values[n]?.trim() || gap);
  const choose = (/** @type {string} */ next) => (setId(next), setValues({}));
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    const answer = await sendTemplate(row.id, { client_id: client.current, id, values: gaps.map((n) => values[n].trim()), text });
    setBusy(false);
    if (!answer.ok) return;
    client.current = crypto.randomUUID?.() ?? String(Math.random());
    setValues({});
    onDone?.();
  };
  return html`<form class="template-picker" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ e) => onDone && e.key === "Escape" && !composing(e) && (e.stopPropagation(), onDone())}>
    <${Field} label=${t("texting.template")} id="template"><select id="template" value=${id} onChange=${(/** @type {Event} */ e) => choose(/** @type {HTMLSelectElement} */ (e.target).value)}>${fitting.map((each) => html`<option key=${each.id} value=${each.id} selected=${each.id === id}>${each.name}${each.language && hubSettings()?.languages.includes(each.language) ? ` · ${t(`language.${each.language}`)}` : ""}</option>`)}</select><//>
    ${gaps.length > 0 && html`<div class="template-gaps">${gaps.map((n) => html`<${Field} key=${`${id} ${n}`} label=${t("texting.gap", { n })} id=${`gap-${n}`}><input id=${`gap-${n}`} value=${values[n] ?? ""} maxlength="500" autocomplete="off" onInput=${(/** @type {Event} */ e) => setValues({ ...values, [n]: /** @type {HTMLInputElement} */ (e.target).value })} /><//>`)}</div>`}
    <p class="template-text" dir="auto" aria-live="polite">${text}</p>
    <div class="form-end">${onDone && html`<${Button} kind="ghost" onClick=${onDone}>${t("cancel")}<//>`}<${Button} kind="primary" type="submit" icon="send" busy=${busy} disabled=${!ready}>${t("texting.send", { name: row.customer_name })}<//></div>
  </form>`;
}
