import { html, useEffect, useState } from "vendor/preact";
import { complete, openInteraction } from "../actions.js";
import { loadConversation } from "../conversations.js";
import { ticking } from "../clock.js";
import { shortDay, t } from "../i18n.js";
import { loadOutcomes, loadTroubles, missingOutcomes } from "../outcomes.js";
import { address, selected } from "../screen.js";
import { hubSettings } from "../store.js";
import { Avatar, Icon } from "../ui/parts.js";
import { myWork } from "../work.js";
import { draftOf, setDraft } from "../written.js";
import { outcomesFor, outcomeWord } from "./wrapup.js";

/** Below the list: closed by the clock, the outcome can still be given. */
export function OutcomesMissing() {
  // A short wrap-up may be over before it was ever shown: whatever leaves the list may have left without an outcome.
  const work = myWork.value.map((row) => `${row.id} ${row.state === "wrapping"}`).join();
  useEffect(() => void loadOutcomes(), [work]);
  const letters = Object.values(hubSettings()?.kinds ?? {}).some((kind) => kind.has_envelopes);
  useEffect(() => void (letters && loadTroubles()), [letters]);
  const rows = missingOutcomes();
  const now = ticking();
  if (!rows.length) return null;
  return html`<section class="group"><h2 id="group-outcome">${t("group.outcome")} <span>${rows.length}</span></h2>
    <div role="list" aria-labelledby="group-outcome">${rows.map((row) => html`<div role="listitem" key=${row.id}><a class="row" data-row data-id=${row.id} href=${address("work", row.id)} aria-current=${selected.value === row.id ? "true" : undefined} onClick=${(/** @type {MouseEvent} */ e) => (e.preventDefault(), openInteraction(row.id))}>
      <${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} /><span class="row-main"><span class="row-name"><b>${row.customer_name}</b></span><span class="row-preview">${row.subject || t("outcome.missing.row")}</span></span>
      <span class="row-side"><span class="elapsed">${shortDay(row.last_at ?? row.created_at, now)}</span></span></a></div>`)}</div></section>`;
}

/** In the place of the composer, until it is given. @param {{ row: import("../types").InteractionRow }} props */
export function LateOutcome({ row }) {
  const [busy, setBusy] = useState("");
  // Perhaps begun in the wrap-up that the clock ended.
  const note = draftOf(row.id, "wrap_up");
  const choose = async (/** @type {string} */ id) => {
    setBusy(id);
    const answer = await complete(row.id, id, note.trim());
    setBusy("");
    if (answer.ok) setDraft(row.id, "wrap_up", "");
    if (answer.ok) await Promise.all([loadOutcomes(), loadConversation(row.id)]);
  };
  return html`<footer class="wrapup late-outcome" aria-label=${t("outcome.missing")}><header><h3>${t("outcome.missing")}</h3><p>${t("outcome.missing.text")}</p></header>
    <div class="outcomes">${outcomesFor(row.queue).map((one) => html`<button type="button" key=${one.id} disabled=${Boolean(busy)} onClick=${() => choose(one.id)}>${busy === one.id && html`<${Icon} name="loader-circle" class="turning" />`}${outcomeWord(one)}</button>`)}</div>
    <div class="wrap-row"><input type="text" class="wrap-note" value=${note} placeholder=${t("wrap.note")} aria-label=${t("wrap.note")} maxlength="2000" onInput=${(/** @type {Event} */ e) => setDraft(row.id, "wrap_up", /** @type {HTMLInputElement} */ (e.target).value)} /></div></footer>`;
}
