import { html } from "vendor/preact";
import { serverNow, ticking } from "../clock.js";
import { duration, roughly, t } from "../i18n.js";
import { queues } from "../store.js";
import { Icon } from "../ui/parts.js";

/** @param {number} late ms */
const lateText = (late) => (late < 60_000 ? `+${Math.ceil(late / 1000)} s` : late < 3_600_000 ? `+${Math.floor(late / 60_000)} m` : `+${Math.floor(late / 3_600_000)} h`);

/** How long until the answer is due: quiet, then amber with a clock, then red with a triangle. @param {{ due: number, span: number }} props */
function Deadline({ due, span }) {
  void ticking();
  const left = due - serverNow();
  if (left <= 0) return html`<span class="deadline late"><${Icon} name="triangle-alert" size=${12} /><span><span class="visually-hidden">${t("deadline.late")} </span>${lateText(-left)}</span></span>`;
  if (left < span / 4) return html`<span class="deadline soon"><${Icon} name="clock" size=${12} /><span>${duration(left)}</span></span>`;
  return html`<span class="deadline"><span class="visually-hidden">${t("deadline.left")} </span>${left > 3_600_000 ? roughly(left) : duration(left)}</span>`;
}

/** Counts down to a server instant; not read out every second. @param {{ until: number, label: string, warn?: number }} props */
function Countdown({ until, label, warn = 20 }) {
  void ticking();
  const left = Math.max(0, until - serverNow());
  return html`<span role="timer" aria-live="off" aria-label=${`${label} ${duration(left)}`} class=${`deadline ${left < warn * 1000 ? "soon" : ""}`}>${duration(left)}</span>`;
}

/** Counts up from an instant. @param {{ since: number, rough?: boolean }} props */
export function Elapsed({ since, rough }) {
  void ticking();
  // An agent who was never here has no instant.
  if (!since) return null;
  const ms = serverNow() - since;
  return html`<span class="elapsed">${rough ? roughly(ms) : duration(ms)}</span>`;
}

/** The one figure of a row that matters in its state. @param {{ row: import("../types").InteractionRow }} props */
export function RowTime({ row }) {
  if (row.state === "wrapping" && row.wrap_up_ends_at) return html`<${Countdown} until=${row.wrap_up_ends_at} label=${t("wrap.left")} />`;
  if (row.waits_for === "agent" && row.answer_due_at) return html`<${Deadline} due=${row.answer_due_at} span=${(queues.get(row.queue)?.target_s ?? 60) * 1000} />`;
  return row.last_at ? html`<${Elapsed} since=${row.last_at} rough />` : null;
}
