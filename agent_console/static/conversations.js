/** The conversations this browser holds: loaded when they are opened, and those offered to me while I decide. */
import { effect } from "vendor/preact";
import { ask } from "./connection.js";
import { restoreDraft } from "./drafts.js";
import { explain } from "./i18n.js";
import { forgetPath, loadPath } from "./paths.js";
import { selected } from "./screen.js";
import * as store from "./store.js";
import { takeKept } from "./written.js";

/** Load an interaction into the conversation column's cache. @param {string} id @param {boolean} [ahead] before anybody looks @returns {Promise<string>} an error's text, or nothing */
export async function loadConversation(id, ahead = false) {
  const held = store.conversation(id);
  const answer = /** @type {any} */ (await ask("open", { interaction: id, after_n: held?.messages.at(-1)?.n }));
  if (!answer.ok) {
    // Not for this person any more: what stood here is not theirs to act on.
    if (["not_found", "forbidden"].includes(answer.error)) store.forgetConversation(id);
    return explain(answer);
  }
  const messages = held && !answer.earlier ? [...new Map([...held.messages, ...answer.messages].map((row) => [row.id, row])).values()] : answer.messages;
  const theirs = messages.filter((/** @type {import("./types").MessageRow} */ row) => row.from === "customer");
  store.setConversation({
    id, interaction: answer.interaction, customer: answer.customer, messages, notes: answer.notes ?? [], segments: answer.segments ?? [],
    history: answer.history ?? { items: [] }, letters: numbered(held?.letters, answer.letters), outgoing: numbered(held?.outgoing, answer.outgoing), earlier: Boolean(held ? held.earlier || answer.earlier : answer.earlier), ahead,
    // What was loaded ahead has been read since: the line above what was new stays where it was.
    unreadFrom: (answer.interaction.unread && theirs.at(-answer.interaction.unread)?.n) || (held?.ahead && held.unreadFrom) || null,
  });
  if (answer.letter_draft) restoreDraft(id, answer.letter_draft);
  for (const kind of /** @type {("reply" | "note")[]} */ (store.kindOf(answer.interaction.channel_kind).has_envelopes ? ["note"] : ["reply", "note"])) takeKept(id, kind, answer.draft?.[kind] ?? "");
  return "";
}

/** @template {{ n: number }} R @param {Record<number, R> | undefined} held @param {R[] | undefined} rows @returns {Record<number, R>} */
const numbered = (held, rows) => ({ ...held, ...Object.fromEntries((rows ?? []).map((row) => [row.n, row])) });

/** @param {string} id */
export const leaveConversation = (id) => void ask("leave_view", { interaction: id });

/** @param {string} id */
export async function loadEarlier(id) {
  const first = store.conversation(id)?.messages[0];
  const answer = /** @type {any} */ (await ask("earlier", { interaction: id, before_n: first?.n ?? 0 }));
  if (answer.ok) store.addMessages(id, answer.messages, [], Boolean(answer.earlier));
}

const SHOWN_WITHIN_MS = 2000;

/** Resolves once the conversation column shows it as ours; or after a while, should the hub never say so. @param {string} id @returns {Promise<void>} */
export async function shownAsMine(id) {
  /** @type {Array<() => void>} */
  const ends = [];
  await new Promise((/** @type {(value?: undefined) => void} */ done) => {
    const timer = setTimeout(done, SHOWN_WITHIN_MS);
    ends.push(() => clearTimeout(timer));
    ends.push(effect(() => {
      const row = store.conversation(id)?.interaction;
      if (row && row.state !== "offered" && row.agent === store.myself()?.agent_id) done();
    }));
  });
  for (const end of ends) end();
}

/** Offers beyond these are loaded when they come to the front: nobody answers four at once. */
const AHEAD = 3;
/** Interactions loaded because they are offered to me. @type {Set<string>} */
const offered = new Set();
/** Of those, the ones I have accepted, whatever the hub will say. @type {Set<string>} */
const kept = new Set();

/** Accepted: it stays, for it will be opened as soon as the hub agrees. @param {string} id */
export const keep = (id) => void kept.add(id);
/** The hub did not agree. @param {string} id */
export const letGo = (id) => void kept.delete(id);

/**
 * Load what is offered to me while I decide, so that accepting shows customer, history and path from memory.
 * The hub answers by the same scope as ever: who may not read it until they have it loads it when they do.
 */
export function watchOffers() {
  effect(() => {
    const now = store.myOffers.value.slice(0, AHEAD).map((offer) => offer.interaction);
    queueMicrotask(() => follow(now));
  });
}

/** @param {string[]} now */
function follow(now) {
  for (const id of [...offered].filter((one) => !now.includes(one))) {
    offered.delete(id);
    if (kept.delete(id) || selected.peek() === id) continue;
    leaveConversation(id);
    store.forgetConversation(id);
    forgetPath(id);
  }
  for (const id of now.filter((one) => !offered.has(one))) {
    offered.add(id);
    void loadPath(id);
    if (selected.peek() !== id) void loadConversation(id, true);
  }
}
