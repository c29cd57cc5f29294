import { html } from "vendor/preact";
import { serverNow, ticking } from "../clock.js";
import { clockTime, t } from "../i18n.js";
import { instant, itArrived, takeBack, tryAgain } from "../letters.js";
import { Button, Icon } from "../ui/parts.js";

/** Until when a waiting letter counts as just sent, and not as sent later. */
const SOON_MS = 120_000;
/** @typedef {{ row: import("../types").MessageRow, letter: import("../types").LetterRow, out?: import("../types").OutgoingRow, quiet?: boolean }} Props */

/** Where a letter of ours stands, what a server said, and what a person can do about it. @param {Props} props */
export function LetterState({ row, letter, out, quiet }) {
  const bounce = letter.problem && cameBack(letter);
  if (quiet) return bounce || trouble(row, out, true);
  return html`${out && html`<span class="letter-state">${standing(row, out)}</span>`}${bounce}${trouble(row, out, false)}`;
}

/** What was reported of it: it came back, is still tried, or its recipient complained. @param {import("../types").LetterRow} letter */
function cameBack({ status, problem }) {
  const [what, icon, tone, code] = status.startsWith("delayed") ? ["letter.late", "timer", "warn", status.slice(8)] : status === "complaint" ? ["letter.complained", "triangle-alert", "", ""] : ["letter.bounced", "mail-x", "", status];
  return html`<div class="letter-trouble ${tone}" role="note"><${Icon} name=${icon} /><p><b>${t(what)}</b> ${code && html`<code>${code}</code>`} <span dir="auto">${problem}</span></p></div>`;
}

/** @param {import("../types").MessageRow} row @param {import("../types").OutgoingRow} out */
function standing(row, out) {
  const back = html`<${Button} small onClick=${() => takeBack(row.interaction, row.n)}>${t(out.due_at - out.created_at > SOON_MS ? "letter.take_back" : "undo")}<//>`;
  if (out.state === "waiting") {
    void ticking();
    const left = out.due_at - serverNow();
    if (out.attempts > 0) return html`<${Icon} name="timer" size=${12} />${t("letter.again_at", { at: instant(out.due_at), n: out.attempts })}`;
    if (out.due_at - out.created_at > SOON_MS) return html`<${Icon} name="calendar-clock" size=${12} />${t("letter.scheduled", { at: instant(out.due_at) })}${back}`;
    return html`<${Icon} name="timer" size=${12} /><span role="timer" aria-live="off">${t("letter.goes_in", { n: Math.max(0, Math.ceil(left / 1000)) })}</span>${left > 0 && back}`;
  }
  if (out.state === "sending") return html`<${Icon} name="loader-circle" size=${12} class="turning" />${t("delivery.sending")}`;
  if (out.state === "sent") return html`<${Icon} name="check" size=${12} />${t("letter.sent.at", { at: clockTime(out.sent_at ?? out.due_at) })}`;
  if (out.state === "cancelled") return html`<${Icon} name="undo-2" size=${12} />${t("letter.cancelled")}`;
  return null;
}

/** @param {import("../types").MessageRow} row @param {import("../types").OutgoingRow | undefined} out @param {boolean} quiet */
function trouble(row, out, quiet) {
  if (!out) return null;
  const words = html`${out.status && html`<code>${out.status}</code> `}<span dir="auto">${out.problem}</span>`;
  if (out.state === "failed") return html`<div class="letter-trouble" role="note"><${Icon} name="triangle-alert" /><p><b>${t("letter.failed")}</b> ${words}</p>${!quiet && html`<${Button} small icon="refresh-cw" onClick=${() => tryAgain(row.interaction, row.n)}>${t("letter.try_again")}<//>`}</div>`;
  if (out.state === "uncertain") return html`<div class="letter-trouble warn" role="note"><${Icon} name="circle-help" /><p><b>${t("letter.uncertain")}</b> ${t("letter.uncertain.text")} ${words}</p>
    ${!quiet && html`<span class="letter-choice"><${Button} small onClick=${() => itArrived(row.interaction, row.n)}>${t("letter.arrived")}<//><${Button} small icon="send" onClick=${() => tryAgain(row.interaction, row.n)}>${t("letter.send_again")}<//></span>`}</div>`;
  const delayed = out.state === "waiting" && out.attempts > 0 && out.problem;
  return html`${delayed && html`<div class="letter-trouble warn" role="note"><${Icon} name="timer" /><p>${t("letter.delayed")} ${words}</p></div>`}
    ${out.refused.length > 0 && html`<ul class="letter-refused" aria-label=${t("letter.refused")}>${out.refused.map((one) => html`<li key=${one.address}><${Icon} name="mail-x" size=${12} /><span><b>${one.address}</b> ${t("letter.refused.by")} ${one.status && html`<code>${one.status}</code> `}<span dir="auto">${one.text}</span></span></li>`)}</ul>`}`;
}
