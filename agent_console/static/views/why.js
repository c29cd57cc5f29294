import { html, useState } from "vendor/preact";
import { get } from "../api.js";
import { clockSeconds, has, t } from "../i18n.js";
import { Button, Icon } from "../ui/parts.js";

/**
 * @typedef {{ code: string, fact: string }} Refused
 * @typedef {{ agent: string, name: string, may_take: boolean, rank: number | null, refusals: Refused[] }} Considered
 * @typedef {{ at: number, considered: Considered[] }} Standing
 * @typedef {{ seq: number, at: number, agent: string, name: string, rule: string, standing: Standing | null }} Offered
 * @typedef {{ seq: number, at: number, outcome: string, way_out: string, figures: Record<string, string | number>, standing: Standing | null }} Left
 * @typedef {{ now: Standing | null, offers: Offered[], left: Left[] }} Routing
 */

/** Who was looked at, and why it went to whom it went to. Asked for only when somebody wants to know. @param {{ id: string }} props */
export function Why({ id }) {
  const [routing, setRouting] = useState(/** @type {Routing | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const ask = async () => {
    setBusy(true);
    const answer = await get(`/interactions/${id}/routing`);
    setBusy(false);
    setFailed(!answer.ok);
    if (answer.ok) setRouting(/** @type {{ routing: Routing }} */ (/** @type {unknown} */ (answer)).routing);
  };
  if (!routing) return html`<section class="panel why"><h3>${t("why.title")}</h3>
    <${Button} class="wide" icon="info" busy=${busy} onClick=${ask}>${t("why.ask")}<//>${failed && html`<p class="quiet" role="alert">${t("why.failed")}</p>`}</section>`;
  return html`<section class="panel why" aria-live="polite"><h3>${t("why.title")}</h3>
    ${routing.now && html`<div class="why-step"><h4>${t("why.now")}</h4><${People} standing=${routing.now} /></div>`}
    ${[...routing.left].reverse().map((left) => html`<div class="why-step" key=${left.seq}><h4><time>${clockSeconds(left.at)}</time> ${t(`why.left.${left.outcome}`)}</h4>
      ${left.figures.cause && has(`why.cause.${left.figures.cause}`) && html`<p class="quiet">${t(`why.cause.${left.figures.cause}`)}</p>`}
      ${left.standing && html`<${People} standing=${left.standing} />`}</div>`)}
    ${[...routing.offers].reverse().map((offer) => html`<div class="why-step" key=${offer.seq}><h4><time>${clockSeconds(offer.at)}</time> ${t("why.offered", { name: offer.name })}</h4>
      ${offer.rule && has(`rule.${offer.rule}`) && html`<p class="quiet">${t(`rule.${offer.rule}`)}</p>`}
      ${offer.standing && html`<${People} standing=${offer.standing} but=${offer.agent} />`}</div>`)}
    ${!routing.now && !routing.offers.length && !routing.left.length && html`<p class="quiet">${t("why.nothing")}</p>`}</section>`;
}

/** @param {{ standing: Standing, but?: string }} props */
function People({ standing, but }) {
  return html`<ul class="why-people">${standing.considered.filter((one) => one.agent !== but).map((one) => html`<li key=${one.agent}><${Icon} name=${one.may_take || other(one) ? "check" : "x"} size=${12} /><b>${one.name}</b>
    <span>${one.may_take || other(one) ? t("why.could") : one.refusals.filter(counts).map(refusal).join(", ")}</span></li>`)}</ul>`;
}

/** Offered to somebody else is no reason of this person's own. @param {Refused} one */
const counts = (one) => one.code !== "offered_elsewhere";
/** @param {Considered} one */
const other = (one) => one.refusals.length > 0 && !one.refusals.some(counts);
/** @param {Refused} one */
export const refusal = (one) => (has(`refusal.${one.code}`) ? t(`refusal.${one.code}`, { fact: one.fact }) : `${one.code} ${one.fact}`);
