/** The key table of docs: what works everywhere, and what works outside text fields. */
import { onceAccepted } from "./actions.js";
import { moveRow, nextUnread, otherInteraction, run } from "./commands.js";
import { closeLayer, go, openLayer, preferences, route, showLayer } from "./screen.js";
import { isSupervisor, sessionState } from "./store.js";
import { isStray } from "./ui/focus.js";
import { composing } from "./ui/layers.js";

const FIELDS = "input, textarea, select, [contenteditable=true]";
const PAIR_MS = 1200;
/** One letter outside text fields. @type {Record<string, () => unknown>} */
const LETTERS = {
  j: () => moveRow(1), k: () => moveRow(-1), r: () => run("reply"), n: () => run("note"), a: () => run("reply_all") || run("answers"), f: () => run("forward"), l: () => run("letter"), t: () => run("transfer"), s: () => run("park"),
  w: () => run("wrapup"), u: nextUnread, e: () => isSupervisor.value && /** @type {HTMLElement | null} */ (document.querySelector("[data-assign]"))?.focus(),
  z: () => /** @type {HTMLElement | null} */ (document.querySelector(".toast button:not(.icon-button)"))?.click(),
  m: () => run("mute"), h: () => run("hold"), d: () => run("keypad") || run("dial"), c: () => run("transfer"), p: () => run("presence"), i: () => run("customer"), o: () => run("offer"), "/": search,
};
/** With Shift. @type {Record<string, () => unknown>} */
const SHIFTED = { x: () => run("hangup") };
/** After G. @type {Record<string, () => unknown>} */
const PAGES = { w: () => run("work"), c: () => run("customers"), f: () => run("floor"), l: () => run("flows"), a: () => run("attention") };
let leaderAt = -Infinity;

function search() {
  if (route().page !== "search") return go("search");
  /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"))?.focus();
}

/** Where `e.key` is not one ASCII character (an input method, another script) the place of the key counts. @param {KeyboardEvent} e */
function letterOf(e) {
  if (/^[ -~]$/.test(e.key)) return e.key.toLowerCase();
  if (e.code.startsWith("Key")) return e.code.slice(3).toLowerCase();
  return e.code === "Slash" ? "/" : "";
}

/** The next region of the page; past the last one the browser's own. @param {1 | -1} step */
function region(step) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-region]")].filter((one) => /** @type {HTMLElement} */ (one).getClientRects().length));
  const here = all.findIndex((one) => one.contains(document.activeElement));
  const next = all[here + step];
  if (!next) return false;
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus();
  return true;
}

/** What works also while typing. @param {KeyboardEvent} e */
function everywhere(e) {
  const command = e.ctrlKey || e.metaKey;
  if (command && !e.shiftKey && !e.altKey && letterOf(e) === "k") return openLayer() === "palette" ? closeLayer() : showLayer("palette");
  if (command && !e.altKey && (e.key === "/" || e.code === "Slash")) return openLayer() === "keys" ? closeLayer() : showLayer("keys");
  if (e.altKey && !command && e.key === "Enter") return run("accept");
  if (e.altKey && !command && (e.key === "ArrowDown" || e.key === "ArrowUp")) return otherInteraction(e.key === "ArrowDown" ? 1 : -1);
  if (e.key === "F6") return region(e.shiftKey ? -1 : 1);
  if (e.key === "F8" && !command && !e.shiftKey) return run("mute");
  if (e.key === "Escape") return escape(e);
  return false;
}

/** Close the layer, else leave the field. @param {KeyboardEvent} e */
function escape(e) {
  if (openLayer()) return closeLayer();
  const field = /** @type {HTMLElement} */ (e.target);
  if (!field.matches?.(FIELDS)) return false;
  field.blur();
  /** @type {HTMLElement | null} */ (field.closest("[data-region]"))?.focus();
}

/** @param {KeyboardEvent} e */
function onKey(e) {
  if (e.defaultPrevented || composing(e) || e.repeat || !sessionState().signedIn) return;
  if (everywhere(e) !== false) return e.preventDefault();
  const place = /** @type {HTMLElement} */ (e.target);
  if (e.ctrlKey || e.metaKey || e.altKey || isStray() || !preferences().keys || openLayer() || place.closest?.(`${FIELDS}, dialog, [role=menu]`)) return;
  const letter = letterOf(e);
  const paired = performance.now() - leaderAt < PAIR_MS;
  leaderAt = letter === "g" && !paired ? performance.now() : -Infinity;
  const act = e.shiftKey ? SHIFTED[letter] : paired ? PAGES[letter] : LETTERS[letter];
  if (!act) return;
  e.preventDefault();
  onceAccepted(act);
}

export function listen() {
  document.addEventListener("keydown", onKey);
}

/** Keys beside those of the commands, for the table of keys. */
export const OTHER_KEYS = [
  ["keys.palette", "Ctrl+K"], ["keys.table", "Ctrl+/"], ["keys.send", "Ctrl+Enter"], ["keys.other", "Alt+↑ ↓"], ["keys.region", "F6"], ["keys.escape", "Esc"],
  ["keys.rows", "J  K"], ["keys.unread", "U"], ["keys.undo", "Z"], ["keys.answers", "/"], ["keys.outcomes", "1–5"],
];
