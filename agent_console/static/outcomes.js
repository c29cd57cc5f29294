/** Work of mine that the clock closed before I said what came of it. */
import { signal } from "vendor/preact";
import { get } from "./api.js";
import { noteTrouble } from "./store.js";

/** @type {import("vendor/preact").Signal<import("./types").InteractionRow[]>} */
const found = signal([]);
export const missingOutcomes = () => found.value;

/** Letters in trouble, from before this page was opened. */
export async function loadTroubles() {
  const answer = /** @type {any} */ (await get("/letters/troubled"));
  for (const one of answer.ok ? answer.letters : []) noteTrouble(one.interaction, one.state);
}

export async function loadOutcomes() {
  const answer = /** @type {any} */ (await get("/outcomes/missing"));
  if (answer.ok) found.value = answer.interactions;
}
