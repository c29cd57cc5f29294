/** The chat inside the iframe: builds the parts, ties them together, draws. */
import { io } from "/vendor/socket.io.js";
import { batch, html, render, signal } from "/vendor/preact.js";
import { App } from "./app.js";
import { Announcer } from "./announcer.js";
import { openBridge } from "./bridge.js";
import { openBus, openEnv, openStore } from "./browser.js";
import { firstPlace } from "./focus.js";
import { languageOf, speaker } from "./strings.js";
import { Sync } from "./sync.js";
import { applyTheme } from "./theme.js";
import { Uploads } from "./uploads.js";
import { viewOf } from "./view.js";

const root = /** @type {HTMLElement} */ (document.getElementById("chat"));
const site = root.dataset.site ?? "";
const look = new URLSearchParams(location.hash.slice(1));
const store = openStore(site);
const lang = signal(languageOf(store.get("lang") ?? new URLSearchParams(location.search).get("lang") ?? navigator.language));

/** Shown by the page: what is drawn may count as seen. Alone in a tab it always is. */
const shown = signal(window.parent === window);
const visible = signal(document.visibilityState === "visible");

const sync = new Sync({
  site,
  lang: lang.value,
  store,
  bus: openBus(site),
  env: openEnv(site),
  connect: (auth) => /** @type {any} */ (io("/chat", { path: "/chat/socket.io/", transports: ["websocket"], auth, reconnection: false, forceNew: true, timeout: 10_000 })),
  draw: (next) => {
    view.value = next;
    tellPage(next);
  },
  tell: (name) => bridge.tell("event", { name }),
});
const view = signal(viewOf(sync));
const announcer = new Announcer(/** @type {HTMLElement} */ (document.getElementById("spoken")));
/** A short line above the composer about what just went wrong. */
const notice = signal("");
const uploads = new Uploads(
  () => ({ token: sync.credentials.token, interaction: view.value.thread?.interaction ?? null }),
  (file) => { notice.value = speaker(lang.value)("f_failed", { name: file.name }); },
);

const bridge = openBridge((type, body) => {
  if (type === "shown") {
    shown.value = true;
    sync.wake();
    if (body.focus) focusFirst();
  } else if (type === "hidden") shown.value = false;
  else if (type === "identify") sync.identify(String(body.jwt));
});

let unread = -1;
let live = "";
/** @param {import("./types").View} next */
function tellPage(next) {
  if (next.unread !== unread) bridge.tell("unread", { count: unread = next.unread });
  const state = String(next.starting || (next.thread !== null && next.thread.state !== "ended"));
  if (next.loaded && state !== live) bridge.tell("live", { live: (live = state) === "true" });
}

function focusFirst() {
  const target = firstPlace();
  if (target) target.focus({ preventScroll: true });
  else if (!view.value.loaded) view.subscribe(once(() => requestAnimationFrame(focusFirst)));
}

/** Runs when the first answer of the hub has come. @param {() => void} work @returns {(next: import("./types").View) => void} */
function once(work) {
  let done = false;
  return (next) => {
    if (done || !next.loaded) return;
    done = true;
    work();
  };
}

function dress() {
  applyTheme(look.get("theme") ?? "auto", look.get("accent") || view.value.site?.accent || "");
  const say = speaker(lang.value);
  const name = view.value.site ? `${view.value.site.name}, ${say("chat")}` : say("chat");
  if (document.title !== name) bridge.tell("label", { label: document.title = name });
  document.documentElement.lang = lang.value;
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
view.subscribe(dress);
lang.subscribe((chosen) => {
  dress();
  sync.speak(chosen);
});

for (const event of ["online", "pageshow", "focus"]) window.addEventListener(event, () => sync.wake());
document.addEventListener("visibilitychange", () => {
  visible.value = document.visibilityState === "visible";
  if (visible.value) sync.wake();
});
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing && event.keyCode !== 229) bridge.tell("close");
});
/** Timers of a sleeping machine stand still; a jump of the clock is its awakening. */
let beat = Date.now();
setInterval(() => {
  if (Date.now() - beat > 15_000) sync.wake();
  beat = Date.now();
}, 5000);

render(html`<${App} ...${{ sync, view, lang, shown, visible, uploads, notice, announcer, store, bridge }} />`, root);
batch(() => sync.start());
bridge.tell("ready");
