/** What customers did by themselves, as this browser holds it; loaded beside the conversation, or ahead of it. */
import { signal } from "vendor/preact";
import { get } from "./api.js";

/**
 * @typedef {{ at: number, step: string, kind: string, about: string, outcome: string, answer: string, tries: number }} Passed
 * @typedef {{ flow: string, title: string, ended_at: number | null, outcome: string, reason: string, steps: Passed[], results: Record<string, Record<string, string>> }} Taken
 * @typedef {{ sessions: Taken[], offerable: { name: string, title: string }[] }} Found
 */

const KEPT = 20;
/** By interaction; the one asked for last stands last. @type {Map<string, { found: import("vendor/preact").Signal<Found | null>, asked: number }>} */
const paths = new Map();

/** @param {string} id */
function cell(id) {
  let one = paths.get(id);
  if (!one) paths.set(id, (one = { found: signal(/** @type {Found | null} */ (null)), asked: 0 }));
  return one;
}

/** Null: not known yet. @param {string} id */
export const pathOf = (id) => cell(id).found.value;

/** @param {string} id */
export const loadPath = (id) => takePath(id, get(addressOf(id)));

/** @param {string} id */
export const addressOf = (id) => `/interactions/${encodeURIComponent(id)}/self-service`;

/** Hold what the hub answers, unless it was asked again since. @param {string} id @param {Promise<import("./types").Answer>} asked */
export async function takePath(id, asked) {
  const one = cell(id);
  const turn = (one.asked += 1);
  paths.delete(id);
  paths.set(id, one);
  for (const old of [...paths.keys()].slice(0, Math.max(0, paths.size - KEPT))) paths.delete(old);
  const answer = await asked;
  if (answer.ok && one.asked === turn) one.found.value = /** @type {Found} */ (/** @type {unknown} */ (answer));
}

/** @param {string} id */
export const forgetPath = (id) => void paths.delete(id);
export const forgetPaths = () => paths.clear();
