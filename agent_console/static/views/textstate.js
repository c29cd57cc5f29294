import { html } from "vendor/preact";
import { t } from "../i18n.js";
import { Icon } from "../ui/parts.js";
import { LetterState } from "./letterstate.js";

/** How far a text of ours has come by the provider's word, and what a person can do if it has not. @param {{ row: import("../types").MessageRow, letter: import("../types").LetterRow, out: import("../types").OutgoingRow }} props */
export function TextState({ row, letter, out }) {
  if (out.state === "sent" && letter.status === "failed") return html`<span class="delivery bad"><${Icon} name="triangle-alert" size=${12} />${t("text.undelivered", { why: letter.problem })}</span>`;
  if (out.state === "sent") {
    const state = letter.status === "delivered" || letter.status === "read" ? letter.status : "sent";
    return html`<span class=${`delivery ${state}`}><${Icon} name=${state === "sent" ? "check" : "check-check"} size=${12} />${t(`delivery.${state}`)}</span>`;
  }
  if (out.state === "sending" || (out.state === "waiting" && !out.attempts)) return html`<span class="delivery"><${Icon} name="clock" size=${12} />${t("delivery.sending")}</span>`;
  return html`<${LetterState} row=${row} letter=${{ ...letter, status: "", problem: "" }} out=${out} />`;
}
