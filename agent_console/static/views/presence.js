import { html } from "vendor/preact";
import { resumeWork, setPresence, signOut } from "../actions.js";
import { goAvailable, isPhoneHere } from "../devices.js";
import { language, t, worded } from "../i18n.js";
import { nextOf, presenceWord, reasonWord } from "../presence.js";
import { closeLayer, openLayer, prefer, preferences, showLayer } from "../screen.js";
import { hubSettings, myself } from "../store.js";
import { Avatar, Icon } from "../ui/parts.js";
import { Menu } from "../ui/layers.js";
import { StateMark, stateOf } from "../ui/status.js";
import { chooseLanguage } from "./signin.js";

export function PresenceMenu() {
  const me = myself();
  if (!me) return null;
  const next = nextOf(me.next_presence, me.reason);
  const reasons = hubSettings()?.away_reasons ?? [];
  const state = stateOf(me);
  const busy = ["busy", "full", "wrapping", "offered"].includes(me.status);
  const choose = (/** @type {import("../types").Presence} */ presence, /** @type {string} */ reason = "") => () => void setPresence(presence, reason || undefined);
  const chosen = (/** @type {string} */ presence, /** @type {string} */ reason = "") => me.presence === presence && (presence !== "away" || (me.reason ?? "") === reason);
  const items = [
    { heading: true, label: busy ? t("presence.later") : t("presence.now") },
    { id: "available", label: t("state.available"), mark: html`<${StateMark} state="available" />`, checked: chosen("available"), run: () => void (me.status === "not_responding" ? resumeWork() : goAvailable()) },
    ...(reasons.length ? reasons : [{ id: "", label: t("state.away") }]).map((one) => ({
      id: `away-${one.id}`, label: one.id ? reasonWord(one.id) : worded(one.label), mark: html`<${StateMark} state="away" />`, checked: chosen("away", one.id), run: choose("away", one.id),
    })),
    { id: "offline", label: t("state.offline"), mark: html`<${StateMark} state="offline" />`, checked: chosen("offline"), run: choose("offline") },
  ];
  const word = state === "away" ? presenceWord(me) : t(`state.${state}`);
  const trigger = html`<span class=${`presence ${state}`}><${StateMark} state=${state} /><span>${word}</span>${next && html`<span class="presence-next">${t("presence.then", { next: presenceWord(next) })}</span>`}<${Icon} name="chevron-down" size=${12} /></span>`;
  return html`<div data-wide><${Menu} trigger=${trigger} label=${t("presence.label", { now: word, next: next ? t("presence.then", { next: presenceWord(next) }) : "" })} items=${items}
    open=${openLayer() === "presence"} onOpen=${(/** @type {boolean} */ open) => (open ? showLayer("presence") : openLayer() === "presence" && closeLayer())} /></div>`;
}

export function UserMenu() {
  const me = myself();
  if (!me) return null;
  const theme = preferences().theme;
  const items = [
    { heading: true, label: html`<b>${me.name}</b><br />${me.email}` },
    ...(/** @type {const} */ ([["auto", "monitor"], ["light", "sun"], ["dark", "moon"]])).map(([id, icon]) => ({ id, icon, label: t(`theme.${id}`), checked: theme === id, run: () => prefer({ theme: id }) })),
    { divider: true, label: "" },
    { id: "zh", icon: "languages", label: language() === "zh" ? "English" : "中文", run: () => void chooseLanguage(language() === "zh" ? "en" : "zh") },
    { id: "standing", icon: "info", label: t("standing.title"), run: () => showLayer("standing") },
    ...(isPhoneHere() ? [{ id: "devices", icon: "headphones", label: t("devices.title"), run: () => showLayer("devices") }] : []),
    { id: "preferences", icon: "settings", label: t("preferences.title"), run: () => showLayer("preferences") },
    { id: "keys", icon: "keyboard", label: t("keys.title"), run: () => showLayer("keys") },
    { divider: true, label: "" },
    { id: "out", icon: "log-out", label: t("signout"), run: () => void signOut() },
  ];
  return html`<${Menu} class="user-menu" trigger=${html`<${Avatar} name=${me.name} />`} label=${t("user.menu", { name: me.name })} items=${items} />`;
}
