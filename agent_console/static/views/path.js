import { html, useEffect, useState } from "vendor/preact";
import { get, post, remove } from "../api.js";
import { clockTime, has, t } from "../i18n.js";
import { Icon } from "../ui/parts.js";

/**
 * @typedef {{ at: number, step: string, kind: string, about: string, outcome: string, answer: string, tries: number }} Passed
 * @typedef {{ sessions: Taken[], offerable: { name: string, title: string }[] }} Found
 * @typedef {{ flow: string, title: string, ended_at: number | null, outcome: string, reason: string, steps: Passed[], results: Record<string, Record<string, string>> }} Taken
 */

/** What is worth showing: questions, look-ups, and where it broke off. @param {Passed} one @param {number} place @param {Passed[]} all */
const told = (one, place, all) => ["ask", "look_up", "knowledge", "leave_message", "send"].includes(one.kind) || place === all.length - 1;

const pathOf = (/** @type {string} */ id) => get(`/interactions/${id}/self-service`);

/** Asked for before it is shown, beside the conversation; `found` once it is there. @type {{ id: string, asked: ReturnType<typeof pathOf>, found?: Found } | null} */
let ahead = null;

/** Ask for a path that will be shown as soon as its conversation is there. @param {string} id */
export function askAhead(id) {
  const one = (ahead = { id, asked: pathOf(id) });
  one.asked.then((answer) => answer.ok && Object.assign(one, { found: answer }));
}

/** What the customer did by themselves: nothing of it needs to be asked again; and where one can send them. @param {{ id: string, state: string }} props */
export function Path({ id, state }) {
  const [{ sessions, offerable }, setFound] = useState(() => (ahead?.id === id && ahead.found) || /** @type {Found} */ ({ sessions: [], offerable: [] }));
  const [busy, setBusy] = useState(false);
  /** @param {Promise<{ ok: boolean }>} asked @param {() => boolean} isGone */
  const show = (asked, isGone = () => false) => asked.then((answer) => {
    if (!isGone() && answer.ok) setFound(/** @type {Found} */ (/** @type {unknown} */ (answer)));
  });
  useEffect(() => {
    let gone = false;
    show(ahead?.id === id ? ahead.asked : pathOf(id), () => gone);
    ahead = null;
    return () => {
      gone = true;
    };
  }, [id, state]);
  /** @param {Promise<{ ok: boolean }>} asked */
  const act = (asked) => {
    setBusy(true);
    show(asked).finally(() => setBusy(false));
  };
  const isThere = state === "held" && sessions.length > 0 && !sessions[sessions.length - 1].ended_at;
  if (!sessions.length && !offerable.length) return null;
  return html`<section class="panel path"><h3>${t(sessions.length ? "path.title" : "path.send_title")}</h3>
    ${sessions.map((one, n) => html`<${Session} key=${n} one=${one} />`)}
    ${isThere && html`<button type="button" class="button small" disabled=${busy} onClick=${() => act(remove(`/interactions/${id}/self-service`))}>${t("path.take_back")}</button>`}
    ${offerable.length > 0 && html`<label class="field path-send"><span>${t("path.send")}</span><select disabled=${busy} value="" onChange=${(/** @type {Event} */ e) => act(post(`/interactions/${id}/self-service`, { flow: /** @type {HTMLSelectElement} */ (e.target).value }))}>
      <option value="">${t("path.choose")}</option>${offerable.map((one) => html`<option key=${one.name} value=${one.name}>${one.title}</option>`)}</select></label>`}</section>`;
}

/** @param {{ one: Taken }} props */
function Session({ one }) {
  const last = one.steps.at(-1);
  const ending = last && !last.answer && last.outcome === one.reason ? "" : one.reason || one.outcome;
  return html`<div class="path-session"><h4>${one.title}${ending && html` <span class="quiet">${has(`path.${ending}`) ? t(`path.${ending}`) : ending}</span>`}</h4>
    <ol>${one.steps.filter(told).map((step, n) => html`<li key=${n}><time>${clockTime(step.at)}</time><span>${step.about}</span>
      ${step.answer ? html`<b dir="auto">${step.answer}</b>` : html`<em>${has(`path.${step.outcome}`) ? t(`path.${step.outcome}`) : step.outcome || t(one.outcome ? "path.unanswered" : "path.open")}</em>`}</li>`)}</ol>
    ${Object.entries(one.results).filter(([, kept]) => Object.keys(kept).length).map(([name, kept]) => html`<dl key=${name} class="path-result" aria-label=${name}>
      ${Object.entries(kept).map(([key, value]) => html`<div key=${key}><dt><${Icon} name="search" size=${12} />${key}</dt><dd>${value}</dd></div>`)}</dl>`)}</div>`;
}
