/** Where the keyboard is when what it was in goes away by itself: the customer left, a colleague took over, a button is done. */

const FIELDS = "input, textarea, select, [contenteditable=true]";
/** A person who is typing notices within this time that their words go nowhere, and pauses. */
const PAUSE_MS = 1500;
/** Who puts the focus somewhere themselves has done so by then. */
const RESCUE_MS = 50;

/** What had the focus last. @type {HTMLElement | null} */
let last = null;
let home = "";
/** Where somebody was in the middle of a word, and when they last hit a key. */
let typing = { field: /** @type {HTMLElement | null} */ (null), at: -Infinity };
let stray = false;
let timer = 0;
/** What the focus was given to because it had nowhere else to go. @type {HTMLElement | null} */
let refuge = null;

/** Is the key of this moment one that was meant for a field which is gone? Then it is nobody's command. */
export const isStray = () => stray;

/** Nobody has chosen where the keyboard is: what opens now may take it. */
export const isNowhere = () => document.activeElement === document.body || document.activeElement === refuge;

/** @param {KeyboardEvent} e */
function onKey(e) {
  const place = /** @type {HTMLElement} */ (e.target);
  const words = !e.ctrlKey && !e.metaKey && (e.key.length === 1 || ["Backspace", "Delete", "Process", "Dead"].includes(e.key));
  if (place.matches?.(FIELDS)) {
    // Enter, Tab, Escape: they have left it by their own will.
    typing = { field: words ? place : null, at: e.timeStamp };
    stray = false;
    return;
  }
  stray = Boolean(typing.field && !typing.field.isConnected && (words || e.key === "Enter") && e.timeStamp - typing.at < PAUSE_MS);
  if (stray) typing.at = e.timeStamp;
}

/** @param {FocusEvent} e */
function onFocus(e) {
  last = /** @type {HTMLElement} */ (e.target);
  home = last.closest("[data-region]")?.getAttribute("data-region") ?? home;
}

/** The person clicked beside everything: nothing is lost. @param {FocusEvent} e */
function onBlur(e) {
  const left = /** @type {HTMLElement} */ (e.target);
  queueMicrotask(() => {
    if (left.isConnected && left === last && document.activeElement === document.body) last = null;
  });
}

function rescue() {
  timer = 0;
  if (!last || last.isConnected || document.activeElement !== document.body) return;
  const near = [...document.querySelectorAll(`[data-region="${home}"]`)].find((one) => one.getClientRects().length);
  const next = /** @type {HTMLElement | null} */ (near ?? document.getElementById("main"));
  if (next && !next.hasAttribute("tabindex")) next.tabIndex = -1;
  next?.focus({ preventScroll: true });
  refuge = next;
}

/** Whatever has the focus and is taken away leaves it to the region it stood in, never to the page. @param {HTMLElement} place */
export function watchFocus(place) {
  document.addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("focusin", onFocus);
  document.addEventListener("focusout", onBlur);
  new MutationObserver(() => {
    if (last && !last.isConnected) timer ||= window.setTimeout(rescue, RESCUE_MS);
  }).observe(place, { childList: true, subtree: true });
}
