/** Everything a person can do with a key or from the palette, in one table. */
import { accept, openInteraction, park, setPresence, signOut, unpark, wrapUp } from "./actions.js";
import { watchesAttention } from "./attention.js";
import { ofCalls } from "./callcommands.js";
import { isCall, isPlanned } from "./calls.js";
import { goAvailable, isPhoneHere } from "./devices.js";
import { t, worded } from "./i18n.js";
import { beginLetter, beginNew, sendTranscript } from "./letters.js";
import { closeLayer, customerDrawer, go, prefer, selected, setComposerMode, showCustomerDrawer, showLayer, showPane } from "./screen.js";
import { conversation, hubSettings, interactions, isSupervisor, kindOf, myOffers, myself } from "./store.js";
import { isWritable, myGroups, myWork } from "./work.js";

/** @typedef {import("./types").Command} Command */

/** The interaction the keys act on: the open one as it is shown, if it is mine. */
export function target() {
  const row = conversation(selected.value)?.interaction ?? interactions.get(selected.value);
  return row && row.agent === myself()?.agent_id ? row : undefined;
}

/** @param {"reply" | "note"} mode */
export function write(mode) {
  setComposerMode(mode);
  showPane("conversation");
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("[data-composer]"))?.focus());
}

/** The next or previous of my interactions, as the list shows them. @param {1 | -1} step */
export function otherInteraction(step) {
  const ids = [...document.querySelectorAll(".list [data-row]")].map((row) => row.getAttribute("data-id") ?? "");
  const all = ids.length ? ids : myGroups.value.flatMap((group) => group.rows.map((row) => row.id));
  if (!all.length) return;
  openInteraction(all[(all.indexOf(selected.value) + step + all.length) % all.length]);
}

/** Move the focus among the rows of the page. @param {1 | -1} step */
export function moveRow(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-row]")].filter((row) => /** @type {HTMLElement} */ (row).offsetParent));
  const here = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const from = here >= 0 ? here : rows.findIndex((row) => row.getAttribute("aria-current"));
  rows[Math.min(rows.length - 1, Math.max(0, from + step))]?.focus();
}

/** @param {string} id @param {"reply" | "reply_all" | "forward"} mode */
const answerAs = (id, mode) => (write("reply"), void beginLetter(id, mode));

const openTransfer = () => (showLayer("transfer"), showPane("customer"), showCustomerDrawer(true));

/** @returns {Command[]} */
function ofInteraction() {
  const row = target();
  const none = row ? undefined : t("unavailable.none");
  const ended = row && !isWritable(row) ? t("unavailable.ended") : none;
  const section = t("section.interaction");
  const letters = Boolean(row && kindOf(row.channel_kind).has_envelopes);
  return [
    { id: "reply", label: t("reply"), section, keys: "R", icon: letters ? "reply" : "message-square", unavailable: row?.call ? t("unavailable.call") : ended, run: () => (letters && row ? answerAs(row.id, "reply") : write("reply")) },
    { id: "note", label: t("note.write"), section, keys: "N", icon: "sticky-note", unavailable: ended, run: () => write("note") },
    ...(letters ? [
      { id: "reply_all", label: t("mode.reply_all"), section, keys: "A", icon: "reply-all", unavailable: ended, run: () => row && answerAs(row.id, "reply_all") },
      { id: "forward", label: t("mode.forward"), section, keys: "F", icon: "forward", unavailable: ended, run: () => row && answerAs(row.id, "forward") },
    ] : []),
    { id: "answers", label: t("answers.insert"), section, keys: letters ? "" : "A", icon: "zap", unavailable: row?.call ? t("unavailable.call") : ended, run: () => (write("reply"), requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(".composer-tools button"))?.click())) },
    { id: "transfer", label: t("transfer"), section, keys: "T", icon: "arrow-right-left", unavailable: ended, run: openTransfer },
    { id: "park", label: t(row?.state === "parked" ? "unpark" : "park"), section, keys: "S", icon: row?.state === "parked" ? "play" : "circle-pause", unavailable: isCall(row) || isPlanned(row) ? t("unavailable.call") : ended, run: () => row && void (row.state === "parked" ? unpark(row.id) : park(row.id)) },
    { id: "wrapup", label: t("wrap.start"), section, keys: "W", icon: "circle-check", unavailable: isPlanned(row) ? t("unavailable.call") : ended, run: () => row && void wrapUp(row.id) },
    { id: "customer", label: t("customer.show"), section, keys: "I", icon: "user", unavailable: selected.value ? undefined : t("unavailable.none"), run: () => (showPane("customer"), showCustomerDrawer(!customerDrawer()), focusRegion("customer")) },
  ];
}

/** Where a transcript of the open conversation may go. @returns {Command[]} */
function ofTranscript() {
  const held = conversation(selected.value);
  if (!held || !canBegin()) return [];
  const { name, addresses } = held.customer;
  return addresses.filter((one) => one.kind === "email").map(({ value }) => ({ id: `transcript-${value}`, label: t("transcript.to", { address: value }), section: t("section.interaction"), keys: "", icon: "forward", run: () => void sendTranscript(held.interaction.id, { address: value, name }) }));
}

/** @returns {Command[]} */
function ofOffer() {
  const offer = myOffers.value[0];
  const section = t("section.offer");
  return [
    { id: "accept", label: offer ? t("offer.accept.named", { name: offer.customer_name }) : t("offer.accept.chat"), section, keys: "Alt+Enter", icon: "check", unavailable: offer ? undefined : t("unavailable.offer"), run: () => offer && void accept(offer) },
    { id: "offer", label: t("offer.show"), section, keys: "O", icon: "bell", unavailable: offer ? undefined : t("unavailable.offer"), run: () => (/** @type {HTMLElement | null} */ (document.querySelector(".offer button")))?.focus() },
  ];
}

/** May a person write a letter first anywhere? */
export const canBegin = () => (hubSettings()?.channels ?? []).some((one) => kindOf(one.kind).can_begin && kindOf(one.kind).has_envelopes);

/** @returns {Command[]} */
function ofPages() {
  const section = t("section.pages");
  const floor = isSupervisor.value ? [
    { id: "floor", label: t("nav.floor"), section, keys: "G F", icon: "layout-dashboard", run: () => go("floor") },
    { id: "flows", label: t("nav.flows"), section, keys: "G L", icon: "git-merge", run: () => go("flows") },
    { id: "wallboard", label: t("wallboard"), section, icon: "tv", run: () => go("wallboard") },
    ...(watchesAttention.value ? [{ id: "attention", label: t("nav.attention"), section, keys: "G A", icon: "triangle-alert", run: () => go("attention") }] : []),
  ] : [];
  return [
    { id: "work", label: t("nav.work"), section, keys: "G W", icon: "inbox", run: () => (showPane("list"), go("work")) },
    { id: "customers", label: t("nav.customers"), section, keys: "G C", icon: "users", run: () => go("customers") },
    { id: "search", label: t("nav.search"), section, keys: "/", icon: "search", run: () => go("search") },
    ...floor,
    ...(canBegin() ? [{ id: "letter", label: t("letter.new"), section, keys: "L", icon: "mail-plus", run: () => beginNew() }] : []),
  ];
}

/** @returns {Command[]} */
function ofMe() {
  const section = t("section.me");
  const away = (hubSettings()?.away_reasons ?? []).map((one) => ({ id: `away-${one.id}`, label: t("presence.away", { reason: worded(one.label, `reason.${one.id}`) }), section, icon: "coffee", run: () => void setPresence("away", one.id) }));
  return [
    { id: "presence", label: t("presence.change"), section, keys: "P", icon: "user-round", run: () => showLayer("presence") },
    { id: "available", label: t("state.available"), section, icon: "check", alias: "presence", run: () => void goAvailable() },
    ...away,
    { id: "offline", label: t("state.offline"), section, icon: "log-out", alias: "presence", run: () => void setPresence("offline") },
    ...(/** @type {const} */ (["light", "dark", "auto"])).map((theme) => ({ id: `theme-${theme}`, label: `${t("theme")}: ${t(`theme.${theme}`)}`, section, icon: { light: "sun", dark: "moon", auto: "monitor" }[theme], run: () => prefer({ theme }) })),
    { id: "standing", label: t("standing.title"), section, icon: "info", run: () => showLayer("standing") },
    ...(isPhoneHere() ? [{ id: "devices", label: t("devices.title"), section, icon: "headphones", run: () => showLayer("devices") }] : []),
    { id: "preferences", label: t("preferences.title"), section, icon: "settings", run: () => showLayer("preferences") },
    { id: "keys", label: t("keys.title"), section, keys: "Ctrl+/", icon: "keyboard", run: () => showLayer("keys") },
    { id: "signout", label: t("signout"), section, icon: "log-out", run: () => void signOut() },
  ];
}

/** @returns {Command[]} */
export function commands() {
  return [...ofOffer(), ...ofCalls(), ...ofInteraction(), ...ofTranscript(), ...ofPages(), ...ofMe()];
}

/** @param {string} id */
export function run(id) {
  const command = commands().find((one) => one.id === id);
  if (!command || command.unavailable) return false;
  if (!["presence", "available", "standing", "devices", "preferences", "keys", "transfer", "letter", "dial", "keypad"].includes(id)) closeLayer();
  command.run();
  return true;
}

/** The next unread of mine. */
export function nextUnread() {
  const unread = myWork.value.filter((row) => row.unread && row.id !== selected.value);
  if (unread.length) openInteraction(unread.sort((a, b) => (a.answer_due_at ?? 0) - (b.answer_due_at ?? 0))[0].id);
}

/** @param {string} name */
function focusRegion(name) {
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`[data-region="${name}"]`))?.focus());
}
