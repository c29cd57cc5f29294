/** Which screen it is: loading, the form before a chat, the conversation, or a message left while closed. */
import { html, useEffect, useMemo, useRef, useState } from "/vendor/preact.js";
import { ConversationScreen } from "./conversation_screen.js";
import { Header } from "./header.js";
import { FormScreen } from "./form_screen.js";
import { Icon } from "./icons.js";
import { speaker } from "./strings.js";

/**
 * @typedef {object} Parts what every screen may use
 * @property {import("./sync.js").Sync} sync
 * @property {import("./types").View} view
 * @property {import("./strings.js").Lang} lang
 * @property {import("./strings.js").Say} say
 * @property {boolean} reading the chat is before the visitor's eyes
 * @property {import("./uploads.js").Uploads} uploads
 * @property {{ value: string }} notice
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./types").Store} store
 */

/** @param {any} props signals and services of frame.js */
export function App({ sync, view, lang, shown, visible, uploads, notice, announcer, store, bridge }) {
  const now = /** @type {import("./types").View} */ (view.value);
  const chosen = lang.value;
  const say = useMemo(() => speaker(chosen), [chosen]);
  /** @type {Parts} */
  const parts = { sync, view: now, lang: chosen, say, reading: shown.value && visible.value, uploads, notice, announcer, store };
  const turn = () => {
    lang.value = chosen === "en" ? "zh" : "en";
    store.set("lang", lang.value);
  };
  return html`
    <${Header} ...${parts} onLanguage=${turn} onMinimise=${bridge.isFramed ? () => bridge.tell("close") : null} />
    <${LinkLine} ...${parts} />
    <${Screen} ...${parts} />`;
}

/** @param {Parts} parts */
function Screen(parts) {
  const { view } = parts;
  const talk = useRef({ interaction: /** @type {string | null} */ (null), key: 0 });
  const interaction = view.thread?.interaction ?? null;
  // A conversation that the hub has just named is the one being written in: only another one begins anew.
  if (talk.current.interaction !== null && interaction !== talk.current.interaction) talk.current.key += 1;
  talk.current.interaction = interaction;
  if (view.thread || view.starting) return html`<${ConversationScreen} key=${talk.current.key} ...${parts} />`;
  if (!view.loaded || !view.site) return html`<${Loading} ...${parts} />`;
  return html`<${FormScreen} key=${String(view.site.open)} ...${parts} site=${view.site} />`;
}

/** @param {Parts} parts */
function Loading({ say, view }) {
  const late = useLater(200);
  const lost = useLater(5000) && view.link !== "live";
  return html`<main class="screen loading" aria-busy="true">
    ${late && html`<div class="bone wide" /><div class="bone" /><div class="bone own" /><div class="bone" />`}
    ${lost && html`<p class="centre" role="status">${say(view.link === "refused" ? "refused" : "unreachable")}</p>`}
  </main>`;
}

/** Says that the line is down once it has been for 3 seconds; spoken once. @param {Parts} parts */
function LinkLine({ view, say, announcer }) {
  const down = view.lostSince !== null && view.loaded;
  const shown = useLater(3000, down);
  const word = view.link === "restarting" ? "restarting" : view.link === "refused" ? "refused" : navigator.onLine ? "reconnecting" : "offline";
  useEffect(() => {
    if (!shown) return;
    announcer.say(say(word));
    return () => announcer.say(say("back"));
  }, [shown]);
  if (!shown) return null;
  return html`<section class="line" aria-label=${say("connection")}><${Icon} name="offline" size=${16} /><p>${say(word)}</p></section>`;
}

/** True once `condition` has been true for so long. @param {number} ms @param {boolean} [condition] */
function useLater(ms, condition = true) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!condition) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [condition, ms]);
  return late && condition;
}
