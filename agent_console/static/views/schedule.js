import { html, useState } from "vendor/preact";
import { serverNow } from "../clock.js";
import { t } from "../i18n.js";
import { instant } from "../letters.js";
import { Button, Field, Icon } from "../ui/parts.js";
import { Dialog, Menu } from "../ui/layers.js";

const HOUR_MS = 3_600_000;
const FURTHEST_MS = 366 * 24 * HOUR_MS;

/** When letters are usually wanted to go: later today, tomorrow morning, Monday morning. @param {number} now @returns {{ id: string, at: number }[]} */
export function occasions(now) {
  const day = (/** @type {number} */ days, /** @type {number} */ hour) => {
    const then = new Date(now);
    then.setDate(then.getDate() + days);
    return then.setHours(hour, 0, 0, 0);
  };
  const later = Math.ceil((now + 2 * HOUR_MS) / (HOUR_MS / 2)) * (HOUR_MS / 2);
  const monday = (8 - new Date(now).getDay()) % 7 || 7;
  return [
    ...(later < day(0, 20) ? [{ id: "later", at: later }] : []),
    { id: "tomorrow", at: day(1, 8) },
    ...(monday > 1 ? [{ id: "monday", at: day(monday, 8) }] : []),
  ];
}

/**
 * The send button, and beside it every other way to send.
 * @param {{ word: string, kind: string, disabled: boolean, busy: boolean, then: boolean, onSend: (how: { then?: "" | "park" | "wrap_up", sendAt?: number }) => void }} props
 */
export function SendButton({ word, kind, disabled, busy, then, onSend }) {
  const [picking, setPicking] = useState(false);
  const now = serverNow();
  const after = then ? [
    { id: "park", label: t("letter.send.park"), icon: "circle-pause", run: () => onSend({ then: "park" }) },
    { id: "finish", label: t("letter.send.finish"), icon: "circle-check", run: () => onSend({ then: "wrap_up" }) },
    { divider: true, label: "" },
  ] : [];
  const times = occasions(now).map(({ id, at }) => ({ id, label: t(`letter.at.${id}`), hint: instant(at), icon: "calendar-clock", run: () => onSend({ sendAt: at }) }));
  return html`<span class="send-split"><${Button} kind=${kind} class="send" keys="Control+Enter" disabled=${disabled} busy=${busy} onClick=${() => onSend({})} icon="send">${word}<//>
    <${Menu} up align="end" label=${t("letter.send.ways")} disabled=${disabled} trigger=${html`<span class=${`button ${disabled ? "off" : kind} send-more`}><${Icon} name="chevron-down" size=${12} /></span>`}
      items=${[...after, { heading: true, label: t("letter.later") }, ...times, { id: "pick", label: t("letter.at.pick"), icon: "pencil", run: () => setPicking(true) }]} /></span>
    ${picking && html`<${PickTime} onClose=${() => setPicking(false)} onPick=${(/** @type {number} */ at) => (setPicking(false), onSend({ sendAt: at }))} />`}`;
}

/** "2026-11-27T08:00" of this machine's zone. @param {number} at */
export const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** Pick an instant; the words are a letter's where nothing else is said. @param {{ onClose: () => void, onPick: (at: number) => void, title?: string, when?: string, word?: string }} props */
export function PickTime({ onClose, onPick, title = t("letter.at.pick"), when = t("letter.at.when"), word = t("letter.schedule") }) {
  const [value, setValue] = useState(local(occasions(serverNow()).find((one) => one.id === "tomorrow")?.at ?? serverNow()));
  const [error, setError] = useState("");
  const submit = (/** @type {Event} */ e) => {
    e.preventDefault();
    const at = new Date(value).getTime();
    if (!(at > serverNow())) return setError(t("letter.at.past"));
    if (at > serverNow() + FURTHEST_MS) return setError(t("letter.at.far"));
    onPick(at);
  };
  return html`<${Dialog} title=${title} onClose=${onClose} class="pick-time"><form class="dialog-scroll" onSubmit=${submit}>
    <${Field} id="send-at" label=${when} error=${error} hint=${t("letter.at.zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}><input id="send-at" type="datetime-local" value=${value} min=${local(serverNow())} onInput=${(/** @type {Event} */ e) => (setValue(/** @type {HTMLInputElement} */ (e.target).value), setError(""))} aria-describedby="send-at-hint" /><//>
    <div class="form-end"><${Button} kind="ghost" onClick=${onClose}>${t("cancel")}<//><${Button} kind="primary" type="submit" icon="calendar-clock">${word}<//></div></form><//>`;
}
