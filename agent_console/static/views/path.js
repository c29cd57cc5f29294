import { html, useEffect, useState } from "vendor/preact";
import { post, remove } from "../api.js";
import { clockTime, has, t } from "../i18n.js";
import { addressOf, loadPath, pathOf, takePath } from "../paths.js";
import { Icon } from "../ui/parts.js";

/** @typedef {import("../paths.js").Passed} Passed */

/** What is worth showing: questions, look-ups, and where it broke off. @param {Passed} one @param {number} place @param {Passed[]} all */
const told = (one, place, all) => ["ask", "look_up", "knowledge", "leave_message", "send"].includes(one.kind) || place === all.length - 1;

/** What the customer did by themselves: nothing of it needs to be asked again; and where one can send them. @param {{ id: string, state: string }} props */
export function Path({ id, state }) {
  const { sessions, offerable } = pathOf(id) ?? { sessions: [], offerable: [] };
  const [busy, setBusy] = useState(false);
  useEffect(() => void loadPath(id), [id, state]);
  /** @param {Promise<import("../types").Answer>} asked */
  const act = async (asked) => {
    setBusy(true);
    await takePath(id, asked);
    setBusy(false);
  };
  const isThere = state === "held" && sessions.length > 0 && !sessions[sessions.length - 1].ended_at;
  if (!sessions.length && !offerable.length) return null;
  return html`<section class="panel path"><h3>${t(sessions.length ? "path.title" : "path.send_title")}</h3>
    ${sessions.map((one, n) => html`<${Session} key=${n} one=${one} />`)}
    ${isThere && html`<button type="button" class="button small" disabled=${busy} onClick=${() => act(remove(addressOf(id)))}>${t("path.take_back")}</button>`}
    ${offerable.length > 0 && html`<label class="field path-send"><span>${t("path.send")}</span><select disabled=${busy} value="" onChange=${(/** @type {Event} */ e) => act(post(addressOf(id), { flow: /** @type {HTMLSelectElement} */ (e.target).value }))}>
      <option value="">${t("path.choose")}</option>${offerable.map((one) => html`<option key=${one.name} value=${one.name}>${one.title}</option>`)}</select></label>`}</section>`;
}

/** @param {{ one: import("../paths.js").Taken }} props */
function Session({ one }) {
  const last = one.steps.at(-1);
  const ending = last && !last.answer && last.outcome === one.reason ? "" : one.reason || one.outcome;
  return html`<div class="path-session"><h4>${one.title}${ending && html` <span class="quiet">${has(`path.${ending}`) ? t(`path.${ending}`) : ending}</span>`}</h4>
    <ol>${one.steps.filter(told).map((step, n) => html`<li key=${n}><time>${clockTime(step.at)}</time><span>${step.kind === "look_up" ? t("path.look_up", { what: step.about }) : step.about}</span>
      ${step.answer ? html`<b dir="auto">${step.answer}</b>` : html`<em>${has(`path.${step.outcome}`) ? t(`path.${step.outcome}`) : step.outcome || t(one.outcome ? "path.unanswered" : "path.open")}</em>`}</li>`)}</ol>
    ${Object.entries(one.results).filter(([, kept]) => Object.keys(kept).length).map(([name, kept]) => html`<dl key=${name} class="path-result" aria-label=${name}>
      ${Object.entries(kept).map(([key, value]) => html`<div key=${key}><dt><${Icon} name="search" size=${12} />${key}</dt><dd>${value}</dd></div>`)}</dl>`)}</div>`;
}
