import { html, signal } from "vendor/preact";

/** Two live regions fed by one queue: what is said within a second is one sentence, polite at most every 3 s. */
const polite = signal("");
const assertive = signal("");
/** @type {Map<string, string>} */
const queue = new Map();
let lastSaid = 0;
let timer = 0;

/** @param {string} text @param {{ now?: boolean, topic?: string }} [how] a newer text of the same topic replaces the older one */
export function announce(text, { now = false, topic = text } = {}) {
  if (now) {
    assertive.value = "";
    setTimeout(() => (assertive.value = text), 50);
    return;
  }
  queue.set(topic, text);
  timer ||= window.setTimeout(speak, Math.max(1000, 3000 - (performance.now() - lastSaid)));
}

/** It is over before it was said. @param {string} topic */
export const unsay = (topic) => void queue.delete(topic);

function speak() {
  timer = 0;
  lastSaid = performance.now();
  if (queue.size) polite.value = [...queue.values()].map((text) => (/[.!?。！？]$/.test(text) ? text : `${text}.`)).join(" ");
  queue.clear();
}

export function LiveRegions() {
  return html`<div class="visually-hidden"><div role="status" aria-live="polite">${polite}</div><div role="alert" aria-live="assertive">${assertive}</div></div>`;
}
