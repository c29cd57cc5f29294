/** What a person can do with letters, as asked of the hub: write, send, take back, decide, move between interactions. */
import { openInteraction } from "./actions.js";
import { loadConversation } from "./conversations.js";
import { get, post, query } from "./api.js";
import { serverNow } from "./clock.js";
import { blank, changeDraft, dropDraft, isBegun, letterDraft, NEW, restoreDraft } from "./drafts.js";
import { clockTime, dayName, explain, t } from "./i18n.js";
import { closeLayer, showLayer, toast } from "./screen.js";
import { conversation } from "./store.js";

/** @typedef {import("./types").LetterDraft} LetterDraft @typedef {import("./types").LetterMode} Mode */

/** @param {string} interaction */
const of = (interaction) => `/interactions/${encodeURIComponent(interaction)}`;

/** Post, and say what went wrong if it did. @param {string} path @param {object} [body] @returns {Promise<any>} */
async function must(path, body = {}) {
  const answer = /** @type {any} */ (await post(path, body));
  if (!answer.ok) toast(explain(answer), "bad");
  return answer;
}

/** The letter that an answer answers: the one asked for, else the last that is not the hub's own. @param {string} interaction @param {number} [n] */
export function answered(interaction, n) {
  const held = conversation(interaction);
  const theirs = held?.messages.filter((row) => held.letters[row.n] && !held.outgoing[row.n]?.is_automatic) ?? [];
  return n ?? theirs.findLast((row) => row.from === "customer")?.n ?? theirs.at(-1)?.n ?? null;
}

/** Begin an answer, or turn the one being written into another kind; its words stay. @param {string} interaction @param {Mode} mode @param {number} [n] */
export async function beginLetter(interaction, mode, n) {
  const held = letterDraft(interaction);
  const about = answered(interaction, n ?? (held?.mode === mode ? undefined : held?.answers_n) ?? undefined);
  changeDraft(interaction, { mode, answers_n: about });
  const answer = /** @type {any} */ (await get(`${of(interaction)}/letters/suggestion${query({ mode, n: about })}`));
  if (!answer.ok) return void toast(explain(answer), "bad");
  // Meanwhile they may have turned it into another kind, or sent it: this answers a question nobody asks any more.
  if (letterDraft(interaction)?.mode !== mode) return;
  const { answers_n, to, cc, subject, signature, quoted, files, passed_over } = answer.suggestion;
  const kept = (letterDraft(interaction)?.files ?? []).filter((one) => !one.passed_on);
  const passed = files.map((/** @type {import("./types").FileRow} */ one) => ({ ...one, passed_on: true }));
  changeDraft(interaction, { mode, answers_n, to, cc, subject, signature, quoted, passed_over, files: [...kept, ...passed] });
}

/** A kept draft comes without what the hub adds: signature and quotation. @param {string} interaction */
export async function completeDraft(interaction) {
  const held = letterDraft(interaction);
  if (!held || !isBegun(held)) return beginLetter(interaction, "reply");
  if (held.signature || held.quoted) return;
  const answer = /** @type {any} */ (await get(`${of(interaction)}/letters/suggestion${query({ mode: held.mode, n: held.answers_n })}`));
  if (answer.ok) changeDraft(interaction, { signature: answer.suggestion.signature, quoted: answer.suggestion.quoted });
}

/** What of a draft goes over the wire. @param {LetterDraft} draft */
const wire = ({ mode, answers_n, to, cc, bcc, subject, text, files }) => ({ mode, answers_n, to, cc, bcc, subject, text, files: files.map((file) => file.id) });

/** Where letters of an interaction, or new ones, are kept and sent. @param {string} key */
const place = (key) => (key === NEW ? "/letters" : `${of(key)}/letters`);

/** @param {string} key */
export async function saveLetterDraft(key) {
  const draft = letterDraft(key);
  return draft ? post(`${place(key)}/draft`, isBegun(draft) ? wire(draft) : {}) : null;
}

/** @typedef {{ then?: "" | "park" | "wrap_up", sendAt?: number | null, seen: number, anyway?: boolean }} How */

/** Hand it to the hub. Where it is refused, nothing of it is lost. @param {string} interaction @param {How} how */
export async function sendLetter(interaction, { then = "", sendAt = null, seen, anyway = false }) {
  const draft = letterDraft(interaction);
  if (!draft) return { ok: false, error: "not_found" };
  const body = { ...wire(draft), client_id: draft.client_id, then, send_at: sendAt, seen_n: seen, anyway };
  const answer = /** @type {any} */ (await post(`${of(interaction)}/letters`, body));
  if (answer.ok) {
    dropDraft(interaction);
    void loadConversation(interaction);
    gone(interaction, answer.n, sendAt);
  } else if (answer.error === "stale") void loadConversation(interaction);
  else toast(explain(answer), "bad");
  return answer;
}

/** @param {string} interaction @param {number} n @param {number | null} sendAt */
function gone(interaction, n, sendAt) {
  const text = sendAt ? t("letter.scheduled", { at: instant(sendAt) }) : t("letter.sent");
  toast(text, "ok", { label: t("undo"), run: () => void takeBack(interaction, n) });
}

/** A letter that begins something. @param {number | null} [sendAt] */
export async function sendNew(sendAt = null) {
  const draft = letterDraft(NEW);
  if (!draft) return { ok: false };
  const { channel, queue, customer, client_id } = draft;
  const { mode: _, answers_n: __, ...letter } = wire(draft);
  const answer = await must("/letters", { ...letter, client_id, channel, queue, customer: customer ?? null, send_at: sendAt });
  if (answer.ok) {
    dropDraft(NEW);
    closeLayer();
    openInteraction(answer.interaction);
    gone(answer.interaction, answer.n, sendAt);
  }
  return answer;
}

/** Open the form for a new letter, to this customer if one is named. @param {{ id?: string, name?: string, address?: string }} [customer] */
export async function beginNew(customer) {
  if (!letterDraft(NEW)) {
    const answer = /** @type {any} */ (await get("/letters/draft"));
    if (answer.ok && answer.draft) restoreDraft(NEW, answer.draft);
  }
  const held = letterDraft(NEW);
  if (!isBegun(held) || customer) changeDraft(NEW, { ...blank(), mode: "new", ...(customer?.address && { to: [{ address: customer.address, name: customer.name ?? "" }] }), customer: customer?.id ?? null });
  showLayer("letter");
}

/** Send everything said so far to an address of the customer's. @param {string} interaction @param {{ address: string, name: string }} to */
export async function sendTranscript(interaction, to) {
  const answer = await must(`${of(interaction)}/letters/transcript`, { to });
  if (answer.ok) toast(t("transcript.sent", { address: to.address }), "ok");
}

/** Not gone yet: it comes back as a draft. @param {string} interaction @param {number} n */
export async function takeBack(interaction, n) {
  const answer = await must(`${of(interaction)}/letters/take-back`, { n });
  if (!answer.ok) return;
  dropDraft(interaction);
  restoreDraft(interaction, answer.draft);
  await loadConversation(interaction);
  toast(t("letter.taken_back"), "ok");
}

/** @param {string} interaction @param {number} n */
export const tryAgain = (interaction, n) => must(`${of(interaction)}/letters/try-again`, { n });
/** Nobody could know whether it arrived; a person does now. @param {string} interaction @param {number} n */
export const itArrived = (interaction, n) => must(`${of(interaction)}/letters/arrived`, { n });

/** This letter and what follows it become an interaction of their own. @param {string} interaction @param {number} n */
export async function split(interaction, n) {
  const answer = await must(`${of(interaction)}/split`, { n });
  if (!answer.ok) return;
  openInteraction(answer.interaction);
  toast(t("split.done"), "ok", undoing(answer.join));
}

/** @param {string} interaction @param {string} target */
export async function join(interaction, target) {
  const answer = await must(`${of(interaction)}/join`, { target });
  if (!answer.ok) return;
  openInteraction(answer.interaction);
  toast(t("join.done"), "ok", undoing(answer.join));
}

/** @param {string | null | undefined} id */
const undoing = (id) => (id ? { label: t("undo"), run: () => void undoJoin(id) } : undefined);

/** @param {string} id */
async function undoJoin(id) {
  const answer = await must(`/joins/${encodeURIComponent(id)}/undo`);
  if (answer.ok) (openInteraction(answer.interaction), toast(t("join.undone"), "ok"));
}

/** Today 18:00, Tomorrow 08:00, 12 Dec 09:30. @param {number} at */
export const instant = (at) => `${dayOf(at)} ${clockTime(at)}`;

/** @param {number} at */
function dayOf(at) {
  const now = serverNow();
  const tomorrow = new Date(now).setHours(24, 0, 0, 0);
  return at >= tomorrow && at < tomorrow + 86_400_000 ? t("day.tomorrow") : at < tomorrow && at >= new Date(now).setHours(0, 0, 0, 0) ? t("day.today") : dayName(at, now);
}
