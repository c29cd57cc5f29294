/** What a person can do, as asked of the hub. Views call these and nothing else. */
import { batch, signal } from "vendor/preact";
import { get, post, remove } from "./api.js";
import { serverNow } from "./clock.js";
import { ask, connect, disconnect, say, whenBack } from "./connection.js";
import { keep, letGo, loadConversation, shownAsMine } from "./conversations.js";
import { forgetLetters } from "./drafts.js";
import { explain, t } from "./i18n.js";
import { forgetPaths } from "./paths.js";
import { allPending, dropPending, forgetPending, setPending } from "./outbox.js";
import { closeLayer, go, selected, setComposerMode, showPane, toast } from "./screen.js";
import { noteOwnChoice } from "./presence.js";
import * as store from "./store.js";
import { draftOf, forgetDrafts, keepDrafts, setDraft } from "./written.js";

/** Ask, and say what went wrong if it did. @param {string} event @param {object} [data] */
async function must(event, data) {
  const answer = await ask(event, data);
  if (!answer.ok) toast(explain(answer), "bad");
  return answer;
}

/** @returns {Promise<void>} */
export async function start() {
  const answer = /** @type {any} */ (await get("/session"));
  store.setSession({ signedIn: answer.ok, demo: Boolean(answer.demo), company: answer.company ?? "" });
  if (answer.ok) await enter(answer.me);
}

/** The company's words, in the language shown. */
export async function loadSettings() {
  const answer = /** @type {any} */ (await get("/settings"));
  if (answer.ok) store.setSettings(answer);
  return answer;
}

/** Whose unsent words are kept here, though their sign-in has ended. */
let writer = "";

/** @param {import("./types").MeRow | undefined} me */
async function enter(me) {
  if (writer && me?.agent_id !== writer) forgetWritten();
  writer = "";
  // Who steers the floor begins there, unless the address says otherwise.
  if (me && me.role !== "agent" && !location.hash) go("floor");
  const answer = await loadSettings();
  if (answer.error !== "unauthorized") connect({ refused: () => void signedOut(true) });
}

function forgetWritten() {
  forgetDrafts();
  forgetLetters();
  forgetPending();
}

/** @param {string} email @param {string} password */
export const signIn = (email, password) => afterSignIn(post("/session", { email, password }));
/** @param {string} role */
export const demoSignIn = (role) => afterSignIn(post("/demo/session", { role }));

/** @param {Promise<any>} asked */
async function afterSignIn(asked) {
  const answer = await asked;
  if (answer.ok) {
    store.setSession({ signedIn: true });
    await enter(answer.me);
  }
  return answer;
}

export async function signOut() {
  const answer = await remove("/session");
  // Whoever walks away now has to know that the next person at this desk is still them.
  if (!answer.ok && answer.error !== "unauthorized") return void toast(t("signout.failed"), "bad");
  await signedOut();
}

/** @param {boolean} [ended] not by the person: what they were writing waits here until they are back */
export async function signedOut(ended = false) {
  disconnect();
  writer = (ended && store.myself()?.agent_id) || writer;
  batch(() => {
    store.forgetAll();
    if (!ended) forgetWritten();
    forgetPaths();
    store.setSession({ signedIn: false, ended });
  });
  closeLayer();
  const answer = /** @type {any} */ (await get("/session"));
  if (!answer.ok) store.setSession({ demo: Boolean(answer.demo), company: answer.company ?? store.sessionState().company });
}

/** @param {string} id */
export function openInteraction(id) {
  setComposerMode("reply");
  go("work", id);
  showPane("conversation");
}

/** What is being accepted, until it is shown as ours. @type {Promise<void> | null} */
let accepting = null;
const acceptedNow = signal("");
/** @param {string} offer */
export const isAccepting = (offer) => acceptedNow.value === offer;
let pressedAt = -Infinity;
/** The second half of a double press is no answer to the next offer. */
const DOUBLE_MS = 400;

/** Keys pressed while an offer is being accepted are meant for what it brings. @param {() => unknown} run */
export const onceAccepted = (run) => (accepting ? void accepting.then(run) : run());

/** @param {import("./types").OfferRow} offer */
export async function accept(offer) {
  if (accepting || store.isAnswered(offer.id) || performance.now() - pressedAt < DOUBLE_MS) return;
  pressedAt = performance.now();
  acceptedNow.value = offer.id;
  accepting = take(offer);
  await accepting;
  accepting = null;
  acceptedNow.value = "";
}

/** @param {import("./types").OfferRow} offer */
async function take(offer) {
  store.markAnswered(offer.id);
  keep(offer.interaction);
  const answer = /** @type {any} */ (await ask("accept", { offer: offer.id }));
  if (answer.ok || (answer.error === "offer_gone" && store.isMine(offer.interaction))) {
    batch(() => {
      store.dropOffer(offer.id);
      openInteraction(answer.interaction ?? offer.interaction);
    });
    return shownAsMine(offer.interaction);
  }
  letGo(offer.interaction);
  if (answer.error !== "offer_gone") return store.markAnswered(offer.id, false), toast(explain(answer), "bad");
  store.dropOffer(offer.id);
  store.setGone({ offer, reason: answer.by ? "taken" : "withdrawn", by: answer.by ?? null, at: performance.now() });
}

/** @param {import("./types").OfferRow} offer @param {string} reason */
export async function decline(offer, reason) {
  store.markAnswered(offer.id);
  const answer = await must("reject", { offer: offer.id, reason });
  if (answer.ok || answer.error === "offer_gone") store.dropOffer(offer.id);
  else store.markAnswered(offer.id, false);
}

/** @param {import("./types").Presence} presence @param {string} [reason] */
export function setPresence(presence, reason) {
  noteOwnChoice();
  return must("presence", { presence, reason });
}
export const resumeWork = () => (noteOwnChoice(), must("resume_work"));

/**
 * @param {string} interaction
 * @param {{ text: string, files: import("./types").FileRow[], choices: import("./types").Choice[], seen: number }} message
 */
export function send(interaction, { text, files, choices, seen }) {
  /** @type {import("./types").Pending} */
  const one = { client_id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, interaction, text, files, choices, seen, at: serverNow(), state: "sending" };
  return deliver(one);
}

/** What the hub reads of one message at all; how much it takes is the company's own limit. */
const LONGEST = 20_000;

/** @param {import("./types").Pending} one @param {boolean} [anyway] */
export async function deliver(one, anyway = false) {
  setPending({ ...one, state: "sending" });
  const { client_id, interaction, text, choices, seen } = one;
  const answer = /** @type {any} */ (await ask("send", { interaction, client_id, text, files: one.files.map((file) => file.id), choices, seen_n: seen, anyway }));
  if (answer.ok) {
    const me = store.myself();
    store.addMessages(interaction, [{ id: `${interaction}:${answer.n}`, interaction, n: answer.n, at: answer.at, from: "agent", author: me?.agent_id, name: me?.name, text, files: one.files, choices, client_id, delivery: "sent" }]);
    dropPending(client_id);
  } else if (answer.error === "stale") {
    // The text goes back to the field it was written in; files and choices wait with the refused message.
    store.addMessages(interaction, answer.newer ?? []);
    setPending({ ...one, state: "stale" });
    const since = draftOf(interaction, "reply");
    setDraft(interaction, "reply", since ? `${text}\n${since}` : text);
  } else if (answer.error !== "unavailable") {
    const isLong = answer.error === "too_large" || (answer.error === "bad_request" && text.length > LONGEST);
    setPending({ ...one, state: "failed", error: isLong ? t("send.too_long") : explain(answer) });
  }
  return answer;
}

/**
 * Send a wording agreed with the provider. The same `client_id` again is the same message.
 * @param {string} interaction @param {{ client_id: string, id: string, values: string[], text: string }} one
 */
export async function sendTemplate(interaction, { client_id, id, values, text }) {
  const seen_n = store.conversation(interaction)?.messages.at(-1)?.n ?? 0;
  const answer = /** @type {any} */ (await must("send", { interaction, client_id, seen_n, anyway: true, template: { id, values } }));
  if (!answer.ok) return answer;
  const me = store.myself();
  store.addMessages(interaction, [{ id: `${interaction}:${answer.n}`, interaction, n: answer.n, at: answer.at, from: "agent", author: me?.agent_id, name: me?.name, text, files: [], choices: [], client_id, delivery: "sent" }]);
  return answer;
}

/** What had no answer when the line went is said again; the hub knows the client's id and stores it once. */
whenBack((anew) => {
  for (const one of allPending()) if (one.state === "sending") void deliver(one);
  keepDrafts();
  if (!anew) return;
  const open = selected.peek();
  if (open && store.conversation(open)) void loadConversation(open);
  if (!store.hubSettings()) void loadSettings();
});

/** The same `id` again is the same note. @param {string} interaction @param {string} text @param {string} id */
export const saveNote = (interaction, text, id) => must("note", { interaction, text, client_id: id });
/** @param {string} interaction @param {boolean} typing */
export const sayTyping = (interaction, typing) => say("typing", { interaction, typing });
/** @param {string} interaction @param {number} n */
export const saySeen = (interaction, n) => void ask("seen", { interaction, n });

/** @param {string} interaction @param {{ queue?: string, agent?: string }} to @param {string} note */
export const transfer = (interaction, to, note) => must("transfer", { interaction, ...to, note });
/** @param {string} interaction */
export async function park(interaction) {
  const answer = await must("park", { interaction });
  if (answer.ok) toast(t("park.done"), "ok", { label: t("undo"), run: () => void unpark(interaction) });
}
/** @param {string} interaction */
export const unpark = (interaction) => must("unpark", { interaction });
/** @param {string} interaction */
export const wrapUp = (interaction) => must("wrap_up", { interaction });
/** @param {string} interaction */
export const extendWrapUp = (interaction) => must("extend_wrap_up", { interaction });
/** @param {string} interaction @param {string} disposition @param {string} note */
export const complete = (interaction, disposition, note) => must("complete", { interaction, disposition, ...(note ? { note } : {}) });
/** @param {string} interaction */
export async function pull(interaction) {
  const answer = await must("pull", { interaction });
  if (answer.ok) openInteraction(interaction);
}
/** @param {string} interaction @param {{ queue?: string, agent?: string }} to */
export const assign = (interaction, to) => must("assign", { interaction, ...to });
/** @param {string} agent @param {import("./types").Presence} presence @param {string} reason */
export const forcePresence = (agent, presence, reason) => must("force_presence", { agent, presence, reason });
/** @param {string} interaction @param {string} reason */
export const forceClose = (interaction, reason) => must("force_close", { interaction, reason });
