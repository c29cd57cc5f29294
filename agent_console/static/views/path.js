import { html, useEffect, useState } from "vendor/preact";
import { get } from "../api.js";
import { clockTime, has, t } from "../i18n.js";
import { Icon } from "../ui/parts.js";

/**
 * @typedef {{ at: number, step: string, kind: string, about: string, outcome: string, answer: string, tries: number }} Passed
 * @typedef {{ flow: string, title: string, outcome: string, reason: string, steps: Passed[], results: Record<string, Record<string, string>> }} Taken
 */

/** What is worth showing: questions, look-ups, and where it broke off. @param {Passed} one @param {number} place @param {Passed[]} all */
const told = (one, place, all) => ["ask", "look_up", "knowledge", "leave_message"].includes(one.kind) || place === all.length - 1;

/** What the customer did by themselves before this: nothing of it needs to be asked again. @param {{ id: string, state: string }} props */
export function Path({ id, state }) {
  const [sessions, setSessions] = useState(/** @type {Taken[]} */ ([]));
  useEffect(() => {
    let gone = false;
    get(`/interactions/${id}/self-service`).then((answer) => {
      if (!gone && answer.ok) setSessions(/** @type {{ sessions: Taken[] }} */ (/** @type {unknown} */ (answer)).sessions);
    });
    return () => {
      gone = true;
    };
  }, [id, state]);
  if (!sessions.length) return null;
  return html`<section class="panel path"><h3>${t("path.title")}</h3>${sessions.map((one, n) => html`<${Session} key=${n} one=${one} />`)}</section>`;
}

/** @param {{ one: Taken }} props */
function Session({ one }) {
  const ending = one.reason || one.outcome;
  return html`<div class="path-session"><h4>${one.title}${ending && html` <span class="quiet">${has(`path.${ending}`) ? t(`path.${ending}`) : ending}</span>`}</h4>
    <ol>${one.steps.filter(told).map((step, n) => html`<li key=${n}><time>${clockTime(step.at)}</time><span>${step.about}</span>
      ${step.answer ? html`<b dir="auto">${step.answer}</b>` : html`<em>${has(`path.${step.outcome}`) ? t(`path.${step.outcome}`) : step.outcome || t(one.outcome ? "path.unanswered" : "path.open")}</em>`}</li>`)}</ol>
    ${Object.entries(one.results).filter(([, kept]) => Object.keys(kept).length).map(([name, kept]) => html`<dl key=${name} class="path-result" aria-label=${name}>
      ${Object.entries(kept).map(([key, value]) => html`<div key=${key}><dt><${Icon} name="search" size=${12} />${key}</dt><dd>${value}</dd></div>`)}</dl>`)}</div>`;
}
