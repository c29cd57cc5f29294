import { html, useEffect, useState } from "vendor/preact";
import { get } from "../api.js";
import { clockSeconds, t } from "../i18n.js";
import { interactions, myself, queueName } from "../store.js";
import { Dialog } from "../ui/layers.js";
import { Button, Icon } from "../ui/parts.js";
import { refusal } from "./why.js";

/**
 * @typedef {{ interaction: string, may_take: boolean, refusals: import("./why.js").Refused[] }} Weighed
 * @typedef {{ at: number, facts: Record<string, string | number>, weighed: Weighed[], changes_at: number | null }} Standing
 */

/** What somebody would get next, and what stands against each that waits. @param {{ id: string, own?: boolean }} props */
export function Standing({ id, own = false }) {
  const [standing, setStanding] = useState(/** @type {Standing | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const ask = async () => {
    setBusy(true);
    const answer = await get(`/agents/${encodeURIComponent(id)}/routing`);
    setBusy(false);
    setProblem(answer.ok ? "" : t(answer.error === "not_found" ? "standing.away" : "why.failed"));
    setStanding(answer.ok ? /** @type {{ routing: Standing }} */ (/** @type {unknown} */ (answer)).routing : null);
  };
  useEffect(() => {
    if (own) void ask();
  }, [id]);
  return html`<div class="standing" aria-live="polite">
    ${problem && html`<p class="quiet" role="alert">${problem}</p>`}
    ${standing && html`<p class="quiet"><time>${clockSeconds(standing.at)}</time> · ${t("status.units", { held: Number(standing.facts.units_taken), capacity: Number(standing.facts.capacity_units) })}${standing.changes_at && html` · ${t("standing.pause", { at: clockSeconds(standing.changes_at) })}`}</p>
      ${!standing.weighed.length && html`<p>${t("standing.nothing")}</p>`}
      <ul class="why-people">${standing.weighed.map((one) => html`<${Row} key=${one.interaction} one=${one} next=${standing.facts.would_get_next === one.interaction} />`)}</ul>`}
    <${Button} class="wide" icon=${standing ? "refresh-cw" : "info"} busy=${busy} onClick=${ask}>${t(standing || problem ? "standing.again" : "standing.ask")}<//></div>`;
}

/** @param {{ one: Weighed, next: boolean }} props */
function Row({ one, next }) {
  const known = interactions.get(one.interaction);
  const verdict = next ? t("standing.next") : one.may_take ? t("standing.behind") : one.refusals.map(refusal).join(", ");
  return html`<li><${Icon} name=${one.may_take ? "check" : "x"} size=${12} /><b>${known ? known.customer_name : t("standing.other")}</b><span>${known && html`${queueName(known.queue)} · `}${verdict}</span></li>`;
}

/** One's own, as a dialog. @param {{ onClose: () => void }} props */
export const OwnStanding = ({ onClose }) => html`<${Dialog} title=${t("standing.title")} onClose=${onClose} class="preferences"><div class="dialog-scroll"><${Standing} id=${myself()?.agent_id ?? ""} own /></div><//>`;
