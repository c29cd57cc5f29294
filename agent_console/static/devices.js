/** What this browser hears and speaks with in calls, and whether its owner has found that it works. */
import { effect, signal } from "vendor/preact";
import { setPresence } from "./actions.js";
import { t } from "./i18n.js";
import { ownPhones, phoneState } from "./phone.js";
import { closeLayer, keep, prefer, preferences, readKept, showLayer, toast } from "./screen.js";
import { myself, sessionState } from "./store.js";

/** @typedef {"microphone" | "speaker" | "ringer"} Use @typedef {{ id: string, name: string }} Device */

/** Why somebody goes available without the check; their supervisors are told which. */
export const EXCUSES = ["phone_known", "phone_fault", "phone_later"];
const KEPT = "console.devices";
/** How far speech lifts the meter above nothing, as a share of the loudest. */
export const HEARD = 0.06;
const KINDS = /** @type {const} */ ({ microphone: "audioinput", speaker: "audiooutput", ringer: "audiooutput" });

/** What each person who works at this browser said of it. @type {import("vendor/preact").Signal<Record<string, { at: number, excuse: string }>>} */
const kept = signal(readKept(KEPT) ?? {});
const mine = () => kept.value[myself()?.agent_id ?? ""];

/** Is this browser the telephone whose working nobody but its owner can tell? */
export const isPhoneHere = () => ["connecting", "ready", "lost"].includes(phoneState().status);
/** Did this person find it working, here? */
export const isChecked = () => mine()?.excuse === "";

/** @param {string} excuse empty: everything works */
function keepResult(excuse) {
  kept.value = { ...kept.peek(), [myself()?.agent_id ?? ""]: { at: Date.now(), excuse } };
  keep(KEPT, kept.peek());
}

/** The first time at this browser the telephone is checked before; an excuse given then holds until it is. */
export function goAvailable() {
  if (isPhoneHere() && !mine()) return showLayer("devices");
  return setPresence("available", (isPhoneHere() && mine()?.excuse) || undefined);
}

/** The check is over: `excuse` is why it was not done to its end. @param {string} excuse @param {boolean} wants to be available */
export function conclude(excuse, wants) {
  const me = myself();
  const stands = me?.presence === "available" && (me.reason ?? "") !== excuse;
  keepResult(excuse);
  closeLayer();
  if (wants || stands) void setPresence("available", excuse || undefined);
}

const present = signal(/** @type {MediaDeviceInfo[]} */ ([]));

/** Devices have names only once the microphone may be used. */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  present.value = all.filter((one) => one.label && one.deviceId !== "default" && one.deviceId !== "communications");
}

/** @param {Use} use @returns {Device[]} */
export const devicesFor = (use) => present.value.filter((one) => one.kind === KINDS[use]).map((one) => ({ id: one.deviceId, name: one.label }));

/** @param {Use} use @param {string} id empty: the browser's choice */
export function useDevice(use, id) {
  prefer({ [use]: id });
  applyDevices();
}

function applyDevices() {
  for (const phone of ownPhones()) void phone.use(preferences());
}

/** A headset came or went: back to the chosen one, or on with what is there, which is said. */
async function follow() {
  const before = present.peek();
  await listDevices();
  if (!isPhoneHere()) return;
  applyDevices();
  const { microphone } = preferences();
  const has = (/** @type {MediaDeviceInfo[]} */ list) => list.some((one) => one.deviceId === microphone);
  if (microphone && has(before) && !has(present.peek())) toast(t("devices.gone"), "bad", { label: t("devices.change"), run: () => showLayer("devices") });
}

export function watchDevices() {
  navigator.mediaDevices?.addEventListener("devicechange", () => void follow());
  effect(() => {
    if (sessionState().signedIn && isPhoneHere()) void listDevices();
  });
}

/**
 * Listen to the microphone until stopped; `level` is told from 0 to 1, some thirty times a second.
 * Throws what the browser says: NotAllowedError, NotFoundError.
 * @param {string} id @param {(level: number) => void} level @returns {Promise<() => void>}
 */
export async function meter(id, level) {
  if (!navigator.mediaDevices) throw new DOMException("no microphone outside https", "NotFoundError");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: id ? { deviceId: { ideal: id } } : true });
  const audio = new AudioContext();
  const listener = new AnalyserNode(audio, { fftSize: 1024 });
  audio.createMediaStreamSource(stream).connect(listener);
  const wave = new Float32Array(listener.fftSize);
  const timer = setInterval(() => {
    listener.getFloatTimeDomainData(wave);
    const power = wave.reduce((sum, one) => sum + one * one, 0) / wave.length;
    // As ears have it: -60 dB is silence, -10 dB is loud.
    level(power ? Math.max(0, Math.min(1, (10 * Math.log10(power) + 60) / 50)) : 0);
  }, 33);
  return () => {
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    void audio.close();
  };
}
