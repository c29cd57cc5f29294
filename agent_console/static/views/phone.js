import { html } from "vendor/preact";
import { hangUp, isMuted, listenIn, isTalking, myCall, takeOver, toggleMute, watchedBy } from "../calls.js";
import { openInteraction } from "../actions.js";
import { isChecked, isPhoneHere } from "../devices.js";
import { t } from "../i18n.js";
import { answerCall, hangUpPhone, lines, openCall, phoneState, rejectCall, ringing } from "../phone.js";
import { route, selected, showLayer } from "../screen.js";
import { Button, Icon, IconButton } from "../ui/parts.js";
import { CallClock, stateWord } from "./call.js";

/** @typedef {import("../types").InteractionRow} Row */

/** A call that comes without an offer: a colleague asks for advice. */
export function Ringing() {
  const [call] = ringing();
  if (!call) return null;
  return html`<aside class="ringing" role="alertdialog" aria-label=${t("ringing.title")}><span class="call-icon"><${Icon} name="phone-incoming" size=${20} /></span>
    <div class="call-who"><b>${t("ringing.title")}</b><span>${call.from}</span></div>
    <${Button} kind="primary" icon="phone" onClick=${() => answerCall(call)}>${t("offer.accept.voice")}<//><${IconButton} icon="phone-off" label=${t("offer.decline")} tip="left" onClick=${() => rejectCall(call)} /></aside>`;
}

/** The call one is in stays at hand on every page. */
export function CallBar() {
  const row = myCall();
  const open = openCall();
  const { page } = route();
  if (row && page === "work" && selected.value === row.id) return null;
  // A guest, or a supervisor who listens: the call is a colleague's.
  if (!row) return open ? html`<section class="call-bar" aria-label=${t("call.bar")}><${Icon} name="phone-call" /><b>${t("call.bar.guest")}</b><span class="call-gap"></span><${Button} small kind="bad" icon="phone-off" onClick=${hangUpPhone}>${t("call.leave")}<//></section>` : null;
  const muted = isMuted(row);
  return html`<section class="call-bar" aria-label=${t("call.bar")}><${Icon} name="phone-call" /><b>${row.customer_name}</b><span class="call-bar-state">${stateWord(row)}</span><${CallClock} row=${row} /><span class="call-gap"></span>
    <${IconButton} icon=${muted ? "mic-off" : "mic"} label=${t(muted ? "call.unmute" : "call.mute")} keys="M" aria-pressed=${muted} disabled=${row.state === "connecting"} onClick=${() => toggleMute(row)} />
    <${Button} small onClick=${() => openInteraction(row.id)}>${t("call.go")}<//><${Button} small kind="bad" icon="phone-off" onClick=${() => hangUp(row)}>${t("call.end")}<//></section>`;
}

/** For a supervisor on the floor. @param {{ row: Row }} props */
export function ListenIn({ row }) {
  if (!isTalking(row)) return null;
  const mine = watchedBy(row);
  const choice = (/** @type {"monitor" | "whisper" | "barge"} */ how, /** @type {string} */ icon) => html`<${Button} icon=${icon} aria-pressed=${mine?.listening === how} kind=${mine?.listening === how ? "primary" : "plain"} onClick=${() => listenIn(row, how)}>${t(`listen.${how}`)}<//>`;
  return html`<section class="panel listen"><h3>${t("listen.title")}</h3><div class="listen-keys" role="group" aria-label=${t("listen.title")}>${choice("monitor", "ear")}${choice("whisper", "headphones")}${choice("barge", "megaphone")}</div>
    <p class="quiet" role="status">${mine ? t(mine.in_room ? `listening.${mine.listening}.text` : "listen.joining") : t("listen.text")}</p>
    ${mine && html`<div class="listen-keys"><${Button} icon="log-in" disabled=${!mine.in_room} onClick=${() => takeOver(row)}>${t("listen.take_over")}<//><${Button} icon="log-out" onClick=${() => listenIn(row, "no")}>${t("listen.leave")}<//></div>`}</section>`;
}

/** In the status line: may somebody reach me by phone? */
export function PhoneStatus() {
  if (!lines().length) return null;
  const { status, own } = phoneState();
  return html`<span class=${`phone-status ${status}`}><${Icon} name=${status === "lost" ? "phone-off" : "phone"} size=${12} />${t(`phone.short.${status}`, { number: own })}</span>`;
}

/** For the start of a shift: is the telephone there, and does it work? @param {{ check: (good: boolean, text: string, action: unknown) => unknown }} props */
export function PhoneCheck({ check }) {
  if (!lines().length) return null;
  const { status, own, why, microphone } = phoneState();
  const works = isChecked() && microphone !== "denied";
  return html`${check(status === "ready" || status === "own", `${t(`phone.${status}`, { number: own })} ${status === "lost" ? why : ""}`, null)}
    ${isPhoneHere() && check(works, t(works ? "shift.phone.ok" : microphone === "denied" ? "microphone.denied" : "shift.phone"), html`<${Button} small icon="headphones" onClick=${() => showLayer("devices")}>${t("devices.check")}<//>`)}`;
}
