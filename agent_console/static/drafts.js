/** Letters being written, by interaction; a new one, that belongs to none yet, under "new". */
import { signal } from "vendor/preact";

/** @typedef {import("./types").LetterDraft} LetterDraft */

const drafts = signal(/** @type {Record<string, LetterDraft>} */ ({}));
export const NEW = "new";

/** @param {string} key */
export const letterDraft = (key) => drafts.value[key];

/** @returns {LetterDraft} */
export const blank = () => ({ mode: "reply", answers_n: null, to: [], cc: [], bcc: [], subject: "", text: "", files: [], signature: "", quoted: "", client_id: newId() });

/** One id for one letter, however often it is tried. */
const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

/** @param {string} key @param {Partial<LetterDraft>} change */
export function changeDraft(key, change) {
  drafts.value = { ...drafts.peek(), [key]: { ...(drafts.peek()[key] ?? blank()), ...change } };
}

/** @param {string} key */
export function dropDraft(key) {
  const { [key]: _, ...rest } = drafts.peek();
  drafts.value = rest;
}

/** What the hub has kept counts where nothing is being written here. @param {string} key @param {Partial<LetterDraft>} kept */
export function restoreDraft(key, kept) {
  const held = drafts.peek()[key];
  if (!held?.text.trim() && !held?.files.length) changeDraft(key, { ...kept, signature: held?.signature ?? "", quoted: held?.quoted ?? "" });
}

/** Is there something in it that a person typed? @param {LetterDraft | undefined} draft */
export const isBegun = (draft) => Boolean(draft && (draft.text.trim() || draft.files.length));

export const forgetLetters = () => void (drafts.value = {});

/** What was attached, and what came now. @param {import("./types").FileRow[]} held @param {import("./types").FileRow[]} news */
export const merged = (held, news) => [...held, ...news.filter((one) => !held.some((other) => other.id === one.id))];
