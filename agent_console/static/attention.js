/** What waits for a supervisor beside the floor: what could not be read, letters in trouble, promises that were not kept, channels that do not work. */
import { computed, signal } from "vendor/preact";
import { get, post } from "./api.js";
import { hubSettings, isSupervisor } from "./store.js";

const EVERY_MS = 15_000;
/** @typedef {{ id: string, channel: string, at: number, size: number, attempts: number, problem: string, may_read_again: boolean }} ArrivalShape */
/** @typedef {{ interaction: string, n: number, channel: string, channel_kind: string, customer_name: string, subject: string, agent: string | null, at: number, state: "failed" | "uncertain", status: string, problem: string }} TroubledLetter */
/** @typedef {{ promise: import("./types").PromiseRow, customer_name: string }} BrokenPromise */
/** @typedef {{ id: string, channel_kind: string, is_up: boolean, since: number, problem: string }} ChannelState */
/** @typedef {{ arrivals: ArrivalShape[], letters: TroubledLetter[], promises: BrokenPromise[], channels: ChannelState[] }} Attention */

const found = signal(/** @type {Attention | null} */ (null));
export const attention = () => found.value;
/** Is there anything here that could ever need it? */
export const watchesAttention = computed(() => isSupervisor.value && Object.values(hubSettings()?.kinds ?? {}).some((kind) => kind.has_envelopes || kind.can_begin));
export const attentionCount = computed(() => (found.value ? found.value.arrivals.length + found.value.letters.length + found.value.promises.length + found.value.channels.filter((one) => !one.is_up).length : 0));

export async function loadAttention() {
  const answer = /** @type {any} */ (await get("/attention"));
  if (answer.ok) found.value = { arrivals: answer.arrivals, letters: answer.letters, promises: answer.promises, channels: answer.channels };
  return answer;
}

/** Look now and then, while somebody looks at the page. @returns {() => void} stops it */
export function watchAttention() {
  const look = () => void (document.hidden || loadAttention());
  look();
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  return () => (clearInterval(timer), document.removeEventListener("visibilitychange", look));
}

/** @param {string} id @param {"read-again" | "dismiss"} what */
export async function settleArrival(id, what) {
  const answer = await post(`/arrivals/${encodeURIComponent(id)}/${what}`);
  await loadAttention();
  return answer;
}
