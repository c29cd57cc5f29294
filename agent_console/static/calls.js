/** What a person can do with calls, as asked of the hub; and what of a call's row is worth knowing. */
import { effect, signal } from "vendor/preact";
import { openInteraction, wrapUp } from "./actions.js";
import { post } from "./api.js";
import { serverNow } from "./clock.js";
import { explain, t } from "./i18n.js";
import { expectCall, lines, mutePhone, openCall, phoneState } from "./phone.js";
import { closeLayer, showLayer, toast } from "./screen.js";
import { conversation, interactions, myself } from "./store.js";

/** @typedef {import("./types").InteractionRow} Row @typedef {import("./types").LegRow} Leg */

const LIVE = ["connecting", "active", "held", "consulting"];
const TALKING = ["active", "held", "consulting"];

/** A call with somebody on the line, or about to be. @param {Row | null | undefined} row */
export const isCall = (row) => Boolean(row?.call && row.call.direction !== "message" && LIVE.includes(row.state));
/** @param {Row | null | undefined} row */
export const isTalking = (row) => Boolean(row?.call && row.call.direction !== "message" && TALKING.includes(row.state));
/** @param {Row} row @returns {Leg[]} */
export const liveLegs = (row) => (row.call?.legs ?? []).filter((leg) => leg.state !== "ended");
/** @param {Row} row @param {Leg["role"]} role */
export const legOf = (row, role) => liveLegs(row).find((leg) => leg.role === role);
/** Owed to somebody, and its time has not come. @param {Row | null | undefined} row */
export const isPlanned = (row) => Boolean(row?.call?.due_at && row.state === "parked");
/** The call I am in. */
export const myCall = () => interactions.all().find((row) => row.agent === myself()?.agent_id && isCall(row));
/** My line in a call that I watch. @param {Row} row */
export const watchedBy = (row) => liveLegs(row).find((leg) => leg.role === "supervisor" && leg.agent === myself()?.agent_id && !leg.ending);

/** Am I heard by nobody? By the telephone's word, else by the hub's. @param {Row} row */
export const isMuted = (row) => openCall()?.muted ?? legOf(row, "agent")?.muted ?? false;

/** What the hub has decided and the carrier not yet done. @param {Row} row */
export function isUnconfirmed(row) {
  const customer = legOf(row, "customer");
  if (!customer || row.state === "connecting") return false;
  return customer.held !== ["held", "consulting"].includes(row.state);
}

/** When the state that a call is in began: seen here, or told when it was opened. @type {Map<string, { state: string, at: number | null }>} */
const since = new Map();

/** @param {Row} row */
export function stateSince(row) {
  const seen = since.get(row.id)?.at;
  const segment = conversation(row.id)?.segments.find((one) => !one.ended_at);
  return seen ?? segment?.started_at ?? row.call?.answered_at ?? row.created_at;
}

export function watchCalls() {
  openGiven();
  effect(() => {
    const rows = interactions.all().filter(isCall);
    for (const row of rows) {
      const known = since.get(row.id);
      if (known?.state !== row.state) since.set(row.id, { state: row.state, at: known ? serverNow() : null });
    }
    const live = new Set(rows.map((row) => row.id));
    for (const id of since.keys()) if (!live.has(id)) since.delete(id);
  });
}

/** Which call was mine; undefined before the rows are here. @type {string | undefined} */
let mineBefore;

/** A call that somebody has put through to me, or given me, is opened as one that I accept is. */
function openGiven() {
  effect(() => {
    const row = myself() ? myCall() : undefined;
    const before = mineBefore;
    mineBefore = myself() ? (row?.id ?? "") : undefined;
    if (row && before !== undefined && row.id !== before && isTalking(row)) queueMicrotask(() => openInteraction(row.id));
  });
}

/** Requests under way, by "interaction what". */
const busy = signal(/** @type {string[]} */ ([]));
/** @param {string} id @param {string} what */
export const isBusy = (id, what) => busy.value.includes(`${id} ${what}`);

/** Ask, and say what went wrong if it did. @param {string} id @param {string} what @param {object} [body] @returns {Promise<any>} */
async function ask(id, what, body = {}) {
  const key = `${id} ${what}`;
  if (busy.peek().includes(key)) return { ok: false };
  busy.value = [...busy.peek(), key];
  const answer = /** @type {any} */ (await post(`/interactions/${encodeURIComponent(id)}/call/${what}`, body));
  busy.value = busy.peek().filter((one) => one !== key);
  if (!answer.ok) toast(explain(answer), "bad");
  return answer;
}

/** @param {Row} row */
export const hold = (row) => ask(row.id, row.state === "held" ? "resume" : "hold");
/** Talk to the one who holds. @param {Row} row */
export const swap = (row) => ask(row.id, "swap");
/** A consultation becomes a conversation of three. @param {Row} row */
export const threeWay = (row) => ask(row.id, "resume");
/** @param {Row} row */
export const putThrough = (row) => ask(row.id, "put-through");
/** @param {Row} row */
export const endConsult = (row) => ask(row.id, "end-consult");
/** @param {Row} row */
export const pauseRecording = (row) => ask(row.id, "recording", { paused: !row.call?.paused });
/** @param {string} id @param {{ number?: string, agent?: string, blind?: boolean }} to */
export const consult = (id, to) => ask(id, "consult", to);

/** The telephone is mute at once; the hub makes it last. @param {Row} row */
export function toggleMute(row) {
  const muted = !isMuted(row);
  mutePhone(muted);
  return ask(row.id, "mute", { muted });
}

/** @param {Row} row */
export const hangUp = (row) => wrapUp(row.id);

/** @param {Row} row @param {"monitor" | "whisper" | "barge" | "no"} how */
export function listenIn(row, how) {
  if (how !== "no" && !watchedBy(row)) expectCall();
  return ask(row.id, "listen", { how });
}

/** @param {Row} row */
export async function takeOver(row) {
  const answer = await ask(row.id, "take-over");
  if (answer.ok) openInteraction(row.id);
}

/** Whom the dial pad is about to call. */
const target = signal({ number: "", customer: "" });
export const dialTarget = () => target.value;

/** @param {string} [number] @param {string} [customer] */
export function openDialPad(number = "", customer = "") {
  target.value = { number, customer };
  showLayer("dial");
}

/** May this person call anybody? */
export const canDial = () => lines().length > 0 && !["none", "lost", "connecting"].includes(phoneState().status);

/** The words for why something about a call was refused. @param {any} answer */
const refusal = (answer) => (t(`error.${answer.error}`) === `error.${answer.error}` || answer.error === "bad_request" || answer.error === "conflict" ? answer.message || explain(answer) : explain(answer));

/** Plan a call, or move the one that is planned. @param {{ channel: string, number: string, customer: string, due_at: number, own: boolean }} what */
export async function planCall({ customer, ...what }) {
  const answer = /** @type {any} */ (await post("/callbacks", { ...what, ...(customer ? { customer } : {}) }));
  return answer.ok ? "" : refusal(answer);
}

/** @param {Row} row */
export function beginPlanned(row) {
  expectCall();
  return ask(row.id, "begin");
}
/** @param {Row} row */
export const giveUpPlanned = (row) => ask(row.id, "give-up");

/** @param {string} channel @param {string} number @param {string} customer @param {string} client_id @param {string} shown the number of ours that they see */
export async function dial(channel, number, customer, client_id, shown) {
  expectCall();
  const answer = /** @type {any} */ (await post("/calls", { channel, number, client_id, shown, ...(customer ? { customer } : {}) }));
  if (!answer.ok) return refusal(answer);
  closeLayer();
  openInteraction(answer.interaction.id);
  return "";
}
