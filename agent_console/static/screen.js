/** What this person looks at and prefers in this browser: the route, open layers, drafts, toasts, preferences. */
import { computed, effect, signal } from "vendor/preact";

/** @typedef {{ page: "work" | "customers" | "search" | "floor" | "flows" | "attention" | "wallboard", id: string, sub: string }} Route */

const PAGES = ["work", "customers", "search", "floor", "flows", "attention", "wallboard"];

/** @returns {Route} */
function readRoute() {
  const [page, id = "", sub = ""] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { page: /** @type {Route["page"]} */ (PAGES.includes(page) ? page : "work"), id, sub };
}

const current = signal(readRoute());
addEventListener("hashchange", follow);

/** Show what the address says; its event comes later than its change. */
function follow() {
  const next = readRoute();
  const { page, id, sub } = current.peek();
  if (next.page !== page || next.id !== id || next.sub !== sub) current.value = next;
}

export const route = () => current.value;
/** The interaction in the conversation column. */
export const selected = computed(() => (current.value.page === "work" ? current.value.id : ""));

/** @param {Route["page"]} page @param {string} [id] @param {string} [sub] */
export const address = (page, id = "", sub = "") => `#/${[page, id, sub].filter(Boolean).map(encodeURIComponent).join("/")}`;

/** @param {Route["page"]} page @param {string} [id] @param {string} [sub] */
export function go(page, id = "", sub = "") {
  const wanted = address(page, id, sub);
  if (location.hash === wanted) return;
  location.hash = wanted;
  follow();
}

/** The topmost open layer; one at a time. @type {import("vendor/preact").Signal<string>} */
const layer = signal("");
/** @type {HTMLElement | null} */
let opener = null;
export const openLayer = () => layer.value;

/** @param {string} name */
export function showLayer(name) {
  if (!layer.peek()) opener = /** @type {HTMLElement | null} */ (document.activeElement);
  layer.value = name;
}

/** Close it; the focus goes back to what opened it. */
export function closeLayer() {
  if (!layer.peek()) return;
  layer.value = "";
  const back = opener;
  opener = null;
  queueMicrotask(() => back?.isConnected && back.focus());
}

/** Phone-sized: which of the panes of the page is seen. @type {import("vendor/preact").Signal<"list" | "conversation" | "customer">} */
const pane = signal(/** @type {"list" | "conversation" | "customer"} */ ("list"));
export const shownPane = () => pane.value;
/** @param {"list" | "conversation" | "customer"} name */
export function showPane(name) {
  pane.value = name;
}

/** The customer drawer of middle-sized windows. */
const drawer = signal(false);
export const customerDrawer = () => drawer.value;
/** @param {boolean} open */
export function showCustomerDrawer(open) {
  drawer.value = open;
}

/** What the composer writes now. @type {import("vendor/preact").Signal<"reply" | "note">} */
const mode = signal(/** @type {"reply" | "note"} */ ("reply"));
export const composerMode = () => mode.value;
/** @param {"reply" | "note"} name */
export function setComposerMode(name) {
  mode.value = name;
}

const shownToasts = signal(/** @type {import("./types").Toast[]} */ ([]));
let toastId = 0;
export const toasts = () => shownToasts.value;
/** @param {string} text @param {"ok" | "bad" | "info"} [kind] @param {import("./types").Toast["action"]} [action] */
export function toast(text, kind = "info", action) {
  const id = ++toastId;
  shownToasts.value = [...shownToasts.peek().filter((one) => one.text !== text).slice(-2), { id, text, kind, action }];
  setTimeout(() => dismissToast(id), action || kind === "bad" ? 10_000 : 4000);
}
/** @param {number} id */
export function dismissToast(id) {
  shownToasts.value = shownToasts.peek().filter((one) => one.id !== id);
}

/** @typedef {{ theme: "auto" | "light" | "dark", sound: boolean, keys: boolean, compact: boolean, list: number, customer: number, microphone: string, speaker: string, ringer: string }} Preferences */
const PREFERENCES = "console.preferences";
/** @type {Preferences} */
const usual = { theme: /** @type {Preferences["theme"]} */ (document.documentElement.dataset.theme || "auto"), sound: true, keys: true, compact: false, list: 0, customer: 0, microphone: "", speaker: "", ringer: "" };
const chosen = signal(/** @type {Preferences} */ ({ ...usual, ...readKept(PREFERENCES) }));
export const preferences = () => chosen.value;
/** @param {Partial<Preferences>} change */
export function prefer(change) {
  chosen.value = { ...chosen.peek(), ...change };
  keep(PREFERENCES, chosen.peek());
}
effect(() => {
  document.documentElement.dataset.theme = chosen.value.theme;
  document.documentElement.classList.toggle("compact", chosen.value.compact);
});

/** @param {string} key @returns {any} */
export function readKept(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}
/** @param {string} key @param {unknown} value */
export function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the choice holds for this page only.
  }
}
