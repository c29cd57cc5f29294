/** What is being written and not sent, by interaction and mode, and what the hub holds of it. */
import { signal } from "vendor/preact";
import { ask } from "./connection.js";

/** @typedef {"reply" | "note" | "wrap_up" | "transfer"} Mode */
/** The hub keeps these; the others are short, and live as long as the page. @type {Mode[]} */
const KEPT_MODES = ["reply", "note"];
/** Of what the hub was given: enough to know our own words again when an answer of it is late. */
const KNOWN = 20;

const drafts = signal(/** @type {Record<string, string>} */ ({}));
/** What this page gave the hub or got from it, by key; the newest last. @type {Map<string, string[]>} */
const given = new Map();
/** What the hub has said it holds, by key. @type {Map<string, string>} */
const held = new Map();

/** @param {string} interaction @param {Mode} mode */
const keyOf = (interaction, mode) => `${interaction}:${mode}`;
/** @param {string} interaction @param {Mode} mode */
export const draftOf = (interaction, mode) => drafts.value[keyOf(interaction, mode)] ?? "";

/** @param {string} interaction @param {Mode} mode @param {string} text */
export function setDraft(interaction, mode, text) {
  drafts.value = { ...drafts.peek(), [keyOf(interaction, mode)]: text };
}

/** The hub has stored these words as a message or a note: what was written behind them stays. @param {string} interaction @param {Mode} mode @param {string} words */
export function dropWords(interaction, mode, words) {
  const now = drafts.peek()[keyOf(interaction, mode)] ?? "";
  if (now.trimStart().startsWith(words)) setDraft(interaction, mode, now.trimStart().slice(words.length).trimStart());
}

/** @param {string} key @param {string} text */
function know(key, text) {
  given.set(key, [...(given.get(key) ?? []).filter((one) => one !== text), text].slice(-KNOWN));
}

/** Give the hub what it lacks. @param {string} interaction @param {Mode} mode @returns {Promise<boolean>} whether it holds what is written */
export async function keepDraft(interaction, mode) {
  const key = keyOf(interaction, mode);
  const text = drafts.peek()[key] ?? "";
  if (text === (held.get(key) ?? "")) return true;
  know(key, text);
  const answer = await ask("draft", { interaction, mode, text });
  if (answer.ok) held.set(key, text);
  return answer.ok;
}

/** Of all interactions: what could not be given while the line was down. */
export function keepDrafts() {
  for (const key of Object.keys(drafts.peek())) {
    const [interaction, mode] = /** @type {[string, Mode]} */ (key.split(":"));
    if (KEPT_MODES.includes(mode)) void keepDraft(interaction, mode);
  }
}

/**
 * What the hub holds, when a conversation is opened. What this page gave it is older than what stands here;
 * what another device wrote is taken, beside our own words where there are some.
 * @param {string} interaction @param {Mode} mode @param {string} theirs
 */
export function takeKept(interaction, mode, theirs) {
  const key = keyOf(interaction, mode);
  const ours = drafts.peek()[key] ?? "";
  const known = given.get(key) ?? [];
  held.set(key, theirs);
  if (!theirs || known.includes(theirs)) return;
  const untouched = !ours.trim() || ours === known.at(-1);
  know(key, theirs);
  if (!ours.includes(theirs)) setDraft(interaction, mode, untouched ? theirs : `${ours}\n${theirs}`);
}

export function forgetDrafts() {
  drafts.value = {};
  given.clear();
  held.clear();
}
