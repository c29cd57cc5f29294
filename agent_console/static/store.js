/** The hub's rows as this browser holds them. Nothing else writes them. */
import { batch, computed, signal } from "vendor/preact";
import { serverNow } from "./clock.js";
import { dropArrived } from "./outbox.js";
import { Table } from "./table.js";

/** @typedef {import("./types").Tables} Tables */
/** @typedef {import("./types").Conversation} Conversation */

const KEPT_CONVERSATIONS = 20;
const KEPT_MESSAGES = 200;

const me = /** @type {Table<import("./types").MeRow>} */ (new Table());
export const agents = /** @type {Table<import("./types").AgentRow>} */ (new Table());
export const queues = /** @type {Table<import("./types").QueueRow>} */ (new Table());
export const interactions = /** @type {Table<import("./types").InteractionRow>} */ (new Table());
export const offers = /** @type {Table<import("./types").OfferRow>} */ (new Table());
/** @type {Map<string, import("vendor/preact").Signal<Conversation | null>>} */
const conversations = new Map();
const typists = signal(/** @type {Record<string, { name: string, at: number }>} */ ({}));
/** Interactions with a letter of ours that did not go out, or may not have arrived. */
const troubled = signal(/** @type {Record<string, import("./types").OutgoingRow["state"]>} */ ({}));
const gone = signal(/** @type {import("./types").Gone | null} */ (null));
const session = signal(/** @type {import("./types").SessionState} */ ({ known: false, signedIn: false, ended: false, demo: false, company: "" }));
const settings = signal(/** @type {import("./types").Settings | null} */ (null));
const connection = signal(/** @type {import("./types").ConnectionState} */ ({ state: "connecting", behind: 0, heardAt: 0, returned: [] }));
/** Offers this person has answered: that they vanish is no news. @type {Set<string>} */
const answered = new Set();

export const myself = () => me.get("me");
export const sessionState = () => session.value;
export const hubSettings = () => settings.value;
export const connectionState = () => connection.value;
export const goneOffer = () => gone.value;
/** @param {string} interaction */
export const troubleOf = (interaction) => troubled.value[interaction];
/** @param {string} interaction */
export const typistOf = (interaction) => typists.value[interaction];
/** @param {string | null | undefined} id */
export const queueName = (id) => queues.get(id)?.name ?? settings.value?.queues.find((one) => one.id === id)?.name ?? id ?? "";
/** @param {string} id */
export const conversation = (id) => cell(id).value;
export const isSupervisor = computed(() => ["supervisor", "admin"].includes(me.get("me")?.role ?? ""));
/** My offers, most urgent first. */
export const myOffers = computed(() => {
  const id = me.get("me")?.agent_id;
  return offers.all().filter((one) => one.agent === id).sort((a, b) => a.deadline_at - b.deadline_at);
});

/** @param {string} id */
function cell(id) {
  let found = conversations.get(id);
  if (!found) conversations.set(id, (found = signal(/** @type {Conversation | null} */ (null))));
  return found;
}

/** @param {Partial<import("./types").SessionState>} change */
export function setSession(change) {
  session.value = { ...session.value, ...change, known: true };
}

/** @param {import("./types").Settings} value */
export function setSettings(value) {
  settings.value = value;
}

/** @param {Partial<import("./types").ConnectionState>} change */
export function setConnection(change) {
  connection.value = { ...connection.value, ...change };
}

/** What a kind of channel can do; the console knows none by name. @param {string | null | undefined} kind @returns {Partial<import("./types").Kind>} */
export const kindOf = (kind) => settings.value?.kinds?.[kind ?? ""] ?? {};

/** Everything anew; work that left us meanwhile is told once. @param {import("./types").Put} put */
export function takeSnapshot(put) {
  batch(() => {
    const before = me.rows.size ? mine() : [];
    for (const [name, table] of /** @type {[keyof Tables, Table<any>][]} */ (Object.entries({ me, agents, queues, interactions, offers }))) table.replace(put[name]);
    applyMessages(put);
    refreshOpen(Object.keys(put.interactions ?? {}));
    const back = new Map();
    for (const row of before) {
      const now = interactions.rows.get(row.id);
      if (now && !now.agent && now.state === "queued") back.set(now.queue, (back.get(now.queue) ?? 0) + 1);
    }
    if (back.size) setConnection({ returned: [...back].map(([queue, count]) => ({ queue, count })) });
  });
}

/** @param {import("./types").Put} put @param {import("./types").Drop} drop */
export function applyFrame(put, drop) {
  batch(() => {
    for (const id of drop.offers ?? []) noteGone(id, put);
    me.apply(put.me, drop.me);
    agents.apply(put.agents, drop.agents);
    queues.apply(put.queues, drop.queues);
    interactions.apply(put.interactions, drop.interactions);
    offers.apply(put.offers, drop.offers);
    applyMessages(put);
    refreshOpen(Object.keys(put.interactions ?? {}));
  });
}

const mine = () => [...interactions.rows.values()].filter((row) => row.agent === me.rows.get("me")?.agent_id);

/** Has it been accepted, and by me? @param {import("./types").InteractionRow | undefined} row */
const isTaken = (row) => Boolean(row && row.agent === me.rows.get("me")?.agent_id && !["queued", "offered"].includes(row.state));
/** @param {string} interaction */
export const isMine = (interaction) => isTaken(interactions.rows.get(interaction));

/** @param {string} id @param {import("./types").Put} put */
function noteGone(id, put) {
  const offer = offers.rows.get(id);
  if (!offer || offer.agent !== me.rows.get("me")?.agent_id || answered.delete(id)) return;
  const row = put.interactions?.[offer.interaction] ?? interactions.rows.get(offer.interaction);
  // Accepted at another window of mine, or here by an answer that never arrived.
  if (isTaken(row)) return;
  const by = row?.agent && row.agent !== offer.agent ? (agents.rows.get(row.agent)?.name ?? "") : null;
  const left = row && ["abandoned", "closed", "cancelled"].includes(row.state);
  gone.value = { offer, by, at: performance.now(), reason: by !== null ? "taken" : left ? "left" : serverNow() >= offer.deadline_at - 500 ? "missed" : "withdrawn" };
}

/** @param {import("./types").Gone | null} value */
export function setGone(value) {
  gone.value = value;
}

/** @param {string} offer */
export const dropOffer = (offer) => offers.apply(undefined, [offer]);

/** @param {string} offer */
export const isAnswered = (offer) => answered.has(offer);

/** An answer is under way: that the offer goes is no news. @param {string} offer @param {boolean} [underWay] */
export function markAnswered(offer, underWay = true) {
  if (underWay) answered.add(offer);
  else answered.delete(offer);
}

/** @param {import("./types").Put} put */
function applyMessages(put) {
  /** @type {Map<string, { messages: import("./types").MessageRow[], notes: import("./types").NoteRow[] }>} */
  const news = new Map();
  const of = (/** @type {string} */ id) => news.get(id) ?? news.set(id, { messages: [], notes: [] }).get(id);
  for (const row of Object.values(put.letters ?? {})) addLetters(row.interaction, [row], []);
  for (const row of Object.values(put.outgoing ?? {})) (addLetters(row.interaction, [], [row]), noteTrouble(row.interaction, row.state));
  for (const row of Object.values(put.messages ?? {})) of(row.interaction)?.messages.push(row);
  for (const row of Object.values(put.notes ?? {})) if (row.interaction) of(row.interaction)?.notes.push(row);
  for (const [id, { messages, notes }] of news) addMessages(id, messages, notes);
}

/** @param {string[]} ids */
function refreshOpen(ids) {
  for (const id of ids) {
    const held = conversations.get(id);
    const row = interactions.rows.get(id);
    if (held?.value && row) held.value = { ...held.value, interaction: row };
  }
}

/** @template {{ id: string }} R @param {R[]} held @param {R[]} news @param {(row: R) => number} order */
const merged = (held, news, order) => [...new Map([...held, ...news].map((row) => [row.id, row])).values()].sort((a, b) => order(a) - order(b));

/**
 * @param {string} id @param {import("./types").MessageRow[]} messages
 * @param {import("./types").NoteRow[]} [notes] @param {boolean} [earlier] are there older ones still
 */
export function addMessages(id, messages, notes = [], earlier) {
  const held = cell(id).peek();
  if (!held) return;
  const all = merged(held.messages, messages, (row) => row.n);
  const kept = earlier === undefined ? all.slice(-KEPT_MESSAGES) : all;
  cell(id).value = {
    ...held, messages: kept, notes: merged(held.notes, notes, (row) => row.at),
    earlier: earlier ?? (held.earlier || kept.length < all.length),
  };
  dropArrived(new Set(messages.map((row) => row.client_id)));
  if (messages.some((row) => row.from === "customer")) stopTyping(id);
}

/** @template {{ n: number }} R @param {Record<number, R>} held @param {R[]} news */
const byNumber = (held, news) => ({ ...held, ...Object.fromEntries(news.map((row) => [row.n, row])) });

/** Envelopes, and where our own letters stand on their way. @param {string} id @param {import("./types").LetterRow[]} letters @param {import("./types").OutgoingRow[]} outgoing */
export function addLetters(id, letters, outgoing) {
  const held = conversations.get(id)?.peek();
  if (held) cell(id).value = { ...held, letters: byNumber(held.letters, letters), outgoing: byNumber(held.outgoing, outgoing) };
}

const TROUBLES = ["failed", "uncertain"];
/** @param {string} interaction @param {import("./types").OutgoingRow["state"]} state */
export function noteTrouble(interaction, state) {
  const { [interaction]: before, ...rest } = troubled.peek();
  if (TROUBLES.includes(state)) troubled.value = { ...rest, [interaction]: state };
  else if (before) troubled.value = rest;
}

/** @param {Conversation} value */
export function setConversation(value) {
  noteTrouble(value.id, Object.values(value.outgoing).find((row) => TROUBLES.includes(row.state))?.state ?? "sent");
  const held = cell(value.id);
  conversations.delete(value.id);
  conversations.set(value.id, held);
  held.value = value;
  for (const id of [...conversations.keys()].slice(0, Math.max(0, conversations.size - KEPT_CONVERSATIONS))) conversations.delete(id);
}

/** @param {string} id */
export function forgetConversation(id) {
  cell(id).value = null;
  conversations.delete(id);
}

/** The customer's profile changed: every open conversation with them shows it. @param {import("./types").Customer} customer */
export function setCustomer(customer) {
  for (const held of conversations.values()) if (held.peek()?.customer.id === customer.id) held.value = { .../** @type {Conversation} */ (held.peek()), customer };
}

/** @param {string} interaction @param {string} name */
export function setTyping(interaction, name) {
  typists.value = { ...typists.peek(), [interaction]: { name, at: performance.now() } };
}

/** @param {string} interaction */
export function stopTyping(interaction) {
  if (!(interaction in typists.peek())) return;
  const { [interaction]: _, ...rest } = typists.peek();
  typists.value = rest;
}

/** Signed out: nothing of the last person stays. */
export function forgetAll() {
  batch(() => {
    for (const table of [me, agents, queues, interactions, offers]) /** @type {Table<any>} */ (table).replace({});
    for (const held of conversations.values()) held.value = null;
    conversations.clear();
    typists.value = {};
    gone.value = null;
    troubled.value = {};
    answered.clear();
  });
}
