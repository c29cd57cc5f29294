/** What can be done with a call by a key or from the palette. */
import { canDial, endConsult, hangUp, hold, isMuted, isTalking, legOf, myCall, openDialPad, pauseRecording, putThrough, threeWay, toggleMute } from "./calls.js";
import { t } from "./i18n.js";
import { lines, openCall } from "./phone.js";

/** @returns {import("./types").Command[]} */
export function ofCalls() {
  if (!lines().length) return [];
  const row = myCall();
  const section = t("section.call");
  const none = row ? undefined : t("unavailable.no_call");
  const silent = row && !isTalking(row) ? t("unavailable.connecting") : none;
  const guest = row && legOf(row, "guest");
  const consults = guest ? undefined : (silent ?? t("unavailable.no_guest"));
  const arrived = guest && !guest.in_room ? t("unavailable.connecting") : consults;
  const held = row?.state === "held";
  return [
    { id: "mute", label: t(row && isMuted(row) ? "call.unmute" : "call.mute"), section, keys: "M", icon: row && isMuted(row) ? "mic" : "mic-off", unavailable: silent, run: () => row && void toggleMute(row) },
    { id: "hold", label: t(held ? "call.resume" : "call.hold"), section, keys: "H", icon: held ? "play" : "pause", unavailable: guest ? t("unavailable.guest") : silent, run: () => row && void hold(row) },
    { id: "keypad", label: t("call.keypad"), section, keys: "D", icon: "grip", unavailable: openCall() ? silent : t("unavailable.no_call"), run: () => void document.dispatchEvent(new Event("call-keypad")) },
    { id: "put_through", label: t("call.put_through"), section, icon: "phone-forwarded", unavailable: arrived, run: () => row && void putThrough(row) },
    { id: "three_way", label: t("call.three_way"), section, icon: "users", unavailable: row?.state === "consulting" ? arrived : (silent ?? t("unavailable.no_guest")), run: () => row && void threeWay(row) },
    { id: "end_consult", label: t("call.back"), section, icon: "undo-2", unavailable: consults, run: () => row && void endConsult(row) },
    { id: "recording", label: t(row?.call?.paused ? "call.record" : "call.pause_recording"), section, icon: "disc", unavailable: row?.call?.records ? silent : (none ?? t("unavailable.unrecorded")), run: () => row && void pauseRecording(row) },
    { id: "hangup", label: t("call.end"), section, keys: "Shift+X", icon: "phone-off", unavailable: none, run: () => row && void hangUp(row) },
    { id: "dial", label: t("dial.title"), section, keys: "D", icon: "phone-outgoing", unavailable: row ? t("dial.busy") : canDial() ? undefined : t("phone.not_ready"), run: () => openDialPad() },
  ];
}
