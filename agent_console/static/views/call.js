import { html, useEffect, useState } from "vendor/preact";
import { endConsult, hangUp, hold, isBusy, isMuted, isUnconfirmed, legOf, liveLegs, pauseRecording, putThrough, stateSince, swap, threeWay, toggleMute } from "../calls.js";
import { serverNow, ticking } from "../clock.js";
import { duration, t } from "../i18n.js";
import { openCall, phoneState } from "../phone.js";
import { closeLayer, openLayer, showCustomerDrawer, showLayer, showPane } from "../screen.js";
import { myself } from "../store.js";
import { announce } from "../ui/live.js";
import { Icon } from "../ui/parts.js";
import { Keypad } from "./keypad.js";
import { Heard } from "./heard.js";

/** @typedef {import("../types").InteractionRow} Row */
const SLOW_MS = 3000;
const HOLD_WARN_MS = 60_000;
const HOLD_LATE_MS = 120_000;
const TOLD_MS = 12_000;
const ICONS = /** @type {Record<string, string>} */ ({ connecting: "phone-outgoing", held: "pause", consulting: "users" });

/** @param {Row} row */
export function stateWord(row) {
  if (row.call?.reattach_until_at) return t("call.reattach");
  const guest = legOf(row, "guest");
  if (row.state === "active" && guest) return t(guest.held ? "call.guest_holds" : guest.in_room ? "call.three" : "call.ringing");
  return t(row.state === "connecting" ? (row.call?.direction === "inbound" ? "call.connecting" : "call.calling") : `call.${row.state}`);
}

/** How long it has lasted, or how long it has been connecting. @param {{ row: Row }} props */
export function CallClock({ row }) {
  void ticking();
  return html`<span class="call-clock" role="timer" aria-live="off" aria-label=${t("call.clock")}>${duration(serverNow() - (row.call?.answered_at ?? stateSince(row)))}</span>`;
}

/** @param {{ icon: string, label: string, keys?: string, pressed?: boolean, busy?: boolean, tone?: string, disabled?: boolean, onClick: () => unknown, [more: string]: unknown }} props */
function Key({ icon, label, keys, pressed, busy, tone = "", disabled, onClick, ...rest }) {
  return html`<button type="button" ...${rest} class=${`call-key ${tone} ${pressed ? "on" : ""}`} aria-busy=${busy || undefined} aria-keyshortcuts=${keys} title=${keys ? `${label}  ${keys}` : label} disabled=${disabled} onClick=${() => void onClick()}>
    <${Icon} name=${busy ? "loader-circle" : icon} size=${20} class=${busy ? "turning" : ""} /><span>${label}</span></button>`;
}

/** The call at the top of its conversation: who, how long, who else is on the line, what can be done. @param {{ row: Row }} props */
export function CallPanel({ row }) {
  const call = row.call;
  const mine = row.agent === myself()?.agent_id;
  const [pad, setPad] = useState(false);
  const word = stateWord(row);
  useEffect(() => void (mine && announce(word, { topic: `call ${row.id}` })), [word]);
  useEffect(() => {
    const toggle = () => setPad((open) => !open);
    document.addEventListener("call-keypad", toggle);
    return () => document.removeEventListener("call-keypad", toggle);
  }, []);
  if (!call) return null;
  const name = call.number === row.customer_name ? "" : call.number;
  return html`<section class=${`call-panel ${row.state} ${call.records && call.paused ? "unrecorded" : ""}`} aria-label=${t("call.panel", { name: row.customer_name })}>
    <div class="call-top"><span class="call-icon"><${Icon} name=${ICONS[row.state] ?? "phone-call"} size=${20} /></span>
      <div class="call-who"><b>${word}</b><span>${[name || (call.number ? "" : t("call.withheld")), t("call.via", { line: call.line })].filter(Boolean).join(" · ")}</span></div>
      ${call.records && html`<span class=${`chip ${call.paused ? "bad" : ""}`}><${Icon} name="disc" size=${12} />${t(call.paused ? "call.paused" : "call.recorded")}</span>`}
      <${CallClock} row=${row} /></div>
    <${Legs} row=${row} />
    ${mine && html`<${Keys} row=${row} pad=${pad} onPad=${() => setPad(!pad)} />`}
    ${mine && pad && html`<${Keypad} />`}
    ${mine && html`<${Trouble} row=${row} /><${Heard} name=${row.customer_name} />`}
  </section>`;
}

/** @param {{ row: Row, pad: boolean, onPad: () => void }} props */
function Keys({ row, pad, onPad }) {
  const { state, id, call } = row;
  const guest = legOf(row, "guest");
  const talks = state !== "connecting";
  const muted = isMuted(row);
  const transfer = () => (openLayer() === "transfer" ? closeLayer() : (showLayer("transfer"), showPane("customer"), showCustomerDrawer(true)));
  const busy = (/** @type {string} */ what) => isBusy(id, what);
  return html`<div class="call-keys" role="group" aria-label=${t("call.actions")}>
    <${Key} icon=${muted ? "mic-off" : "mic"} label=${t(muted ? "call.unmute" : "call.mute")} keys="M" pressed=${muted} disabled=${!talks} onClick=${() => toggleMute(row)} />
    ${guest ? html`
      <${Key} icon="phone-forwarded" label=${t("call.put_through")} tone="good" busy=${busy("put-through")} disabled=${!guest.in_room} onClick=${() => putThrough(row)} />
      <${Key} icon="arrow-right-left" label=${t(state === "consulting" ? "call.swap" : "call.swap_back")} busy=${busy("swap")} disabled=${!guest.in_room} onClick=${() => swap(row)} />
      ${(state === "consulting" || guest.held) && html`<${Key} icon="users" label=${t("call.three_way")} busy=${busy("resume")} disabled=${!guest.in_room} onClick=${() => threeWay(row)} />`}
      <${Key} icon="undo-2" label=${t(state === "consulting" ? "call.back" : "call.drop")} busy=${busy("end-consult")} onClick=${() => endConsult(row)} />`
    : html`
      <${Key} icon=${state === "held" ? "play" : "pause"} label=${t(state === "held" ? "call.resume" : "call.hold")} keys="H" pressed=${state === "held"} busy=${busy("hold") || busy("resume")} disabled=${!talks} onClick=${() => hold(row)} />
      <${Key} icon="phone-forwarded" label=${t("call.transfer")} keys="T" disabled=${!talks} aria-expanded=${openLayer() === "transfer"} onClick=${transfer} />`}
    <${Key} icon="grip" label=${t("call.keypad")} keys="D" disabled=${!talks || !openCall()} aria-expanded=${pad} onClick=${onPad} />
    ${call?.records && html`<${Key} icon="disc" label=${t(call.paused ? "call.record" : "call.pause_recording")} pressed=${call.paused} busy=${busy("recording")} disabled=${!talks} onClick=${() => pauseRecording(row)} />`}
    <${Key} icon="phone-off" label=${t("call.end")} keys="Shift+X" tone="end" onClick=${() => hangUp(row)} />
  </div>`;
}

/** Who else is on the line, and why somebody who was rung is not. @param {{ row: Row }} props */
function Legs({ row }) {
  const now = ticking() || serverNow();
  const me = myself()?.agent_id;
  const shown = liveLegs(row).filter((leg) => leg.agent !== me || leg.role !== "agent");
  const gone = (row.call?.legs ?? []).filter((leg) => leg.role === "guest" && leg.state === "ended" && leg.cause !== "hung_up_by_us" && now - leg.since_at < TOLD_MS);
  if (shown.length < 2 && !gone.length && !shown.some((leg) => leg.held)) return null;
  return html`<ul class="call-legs" aria-label=${t("call.legs")}>${[...shown, ...gone].map((leg) => html`<${LegChip} key=${leg.id} leg=${leg} name=${leg.role === "customer" ? row.customer_name : leg.name} since=${leg.role === "customer" && leg.held ? stateSince(row) : leg.since_at} now=${now} />`)}</ul>`;
}

/** @param {{ leg: import("../types").LegRow, name: string, since: number, now: number }} props */
function LegChip({ leg, name, since, now }) {
  const held = leg.held && leg.role !== "agent";
  const ms = now - since;
  const tone = leg.state === "ended" ? "bad" : held && ms > HOLD_LATE_MS ? "bad" : held && ms > HOLD_WARN_MS ? "warn" : "";
  const word = leg.state === "ended" ? t(`cause.${leg.cause}`) : held ? t("call.held") : leg.listening ? t(`listening.${leg.listening}`) : t(`leg.${leg.state}`);
  return html`<li class=${`call-leg ${tone}`}><b>${name}</b><span>${t(`role.${leg.role}`)} · ${word}</span>${leg.state !== "ended" && html`<span class="leg-clock">${duration(ms)}</span>`}${leg.muted && html`<${Icon} name="mic-off" size=${12} label=${t("call.muted")} />`}</li>`;
}

/** What stands in the way, in words: a slow carrier, a lost telephone. @param {{ row: Row }} props */
function Trouble({ row }) {
  const { status, why, own } = phoneState();
  const unconfirmed = isUnconfirmed(row);
  const slow = unconfirmed && (ticking() || serverNow()) - stateSince(row) > SLOW_MS;
  if (slow) return html`<p class="call-note warn" role="status"><${Icon} name="clock" size=${12} />${t("call.unconfirmed")}</p>`;
  if (row.call?.reattach_until_at) return html`<p class="call-note bad" role="status"><${Icon} name="unplug" size=${12} />${t("call.reattach.text")}</p>`;
  if (status === "lost") return html`<p class="call-note bad" role="status"><${Icon} name="triangle-alert" size=${12} />${t("phone.lost")} ${why}</p>`;
  if (row.state === "connecting" && status === "own") return html`<p class="call-note"><${Icon} name="phone" size=${12} />${t("phone.own", { number: own })}</p>`;
  if (row.state === "connecting" && status === "elsewhere") return html`<p class="call-note"><${Icon} name="info" size=${12} />${t("phone.elsewhere")}</p>`;
  return null;
}
