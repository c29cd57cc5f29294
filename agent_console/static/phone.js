/** This browser as the agent's telephone: registered while signed in, in one tab of all; what rings, what is up, what is heard. */
import { effect, signal } from "vendor/preact";
import { get } from "./api.js";
import { serverNow } from "./clock.js";
import { explain } from "./i18n.js";
import { openPhone } from "./softphone.js";
import { preferences } from "./screen.js";
import { hubSettings, interactions, myself, sessionState } from "./store.js";

/** @typedef {import("./softphone.js").Phone} Phone @typedef {import("./softphone.js").Pass} Pass @typedef {import("./softphone.js").Sound} Sound */
/** @typedef {"none" | "own" | "elsewhere" | "connecting" | "ready" | "lost"} PhoneStatus */
/** @typedef {{ id: string, from: string, phone: Phone, at: number, open: boolean, muted: boolean, asks: boolean }} PhoneCall */
/** @typedef {{ status: PhoneStatus, own: string, why: string, microphone: "" | PermissionState, speaks: boolean }} PhoneState */

const EXPECT_MS = 30_000;
const SHOWN_SOUNDS = 60;
/** Kinds of sound that have words; the rest is music, tones and who is in the room. */
const SPOKEN = ["say", "voice"];
const RETRY_MS = 5000;
/** A call may come sooner than the row that says why. */
const GRACE_MS = 1500;
const RENEW_MS = 60_000;
const COMING = ["wanted", "dialling", "ringing"];

/** @type {PhoneState} */
const blank = { status: "none", own: "", why: "", microphone: "", speaks: false };
const state = signal(blank);
const calls = signal(/** @type {PhoneCall[]} */ ([]));
const sounds = signal(/** @type {(Sound & { key: string, call: string, mine?: boolean })[]} */ ([]));
/** Until when a call that comes is one this person has asked for. */
const expectedUntil = signal(0);
/** One for each account that this browser registers at. @type {Map<string, Phone>} */
const phones = new Map();
/** The same, and those that are being opened. @type {Map<string, Promise<Phone>>} */
const opening = new Map();
/** @param {Pass} pass */
const keyOf = ({ kind, url, account }) => `${kind} ${url} ${account}`;
let generation = 0;

export const phoneState = () => state.value;
/** @param {Partial<PhoneState>} change */
const change = (change) => (state.value = { ...state.peek(), ...change });
/** The call this browser is in. */
export const openCall = () => calls.value.find((one) => one.open);
/** What rings and nobody here has asked for: a colleague consults. */
export const ringing = () => calls.value.filter((one) => one.asks && !one.open && !expected());
/** What was heard and typed in the open call, where the telephone can be read. */
export const heard = () => sounds.value;
/** The company's own lines. */
export const lines = () => (hubSettings()?.channels ?? []).filter((one) => one.kind === "voice");

/** The next call that comes is answered by itself. */
export function expectCall() {
  expectedUntil.value = serverNow() + EXPECT_MS;
}

/** Is a line of mine on its way by the hub's own rows, or have I just asked for one? */
function expected() {
  if (expectedUntil.value > serverNow()) return true;
  const me = myself()?.agent_id;
  return interactions.all().some((row) => row.call?.legs.some((leg) => leg.agent === me && leg.role !== "guest" && COMING.includes(leg.state)));
}

/** @param {string} id @param {Partial<PhoneCall>} news */
const setCall = (id, news) => (calls.value = calls.peek().map((one) => (one.id === id ? { ...one, ...news } : one)));

/** @param {string} key @returns {import("./softphone.js").Told} */
const told = (key) => ({
  registered: (expiresAt) => (change({ status: "ready", why: "" }), renewAt(expiresAt)),
  unregistered: (why) => change({ status: "lost", why }),
  expiring: renewSoon,
  incoming: ({ id, from }) => {
    const phone = phones.get(key);
    if (phone) calls.value = [...calls.peek().filter((one) => one.id !== id), { id, from, phone, at: serverNow(), open: false, muted: false, asks: false }];
    setTimeout(() => setCall(id, { asks: true }), GRACE_MS);
  },
  opened: (id) => {
    expectedUntil.value = 0;
    sounds.value = [];
    setCall(id, { open: true });
  },
  closed: (id) => (taken.delete(id), (calls.value = calls.peek().filter((one) => one.id !== id))),
  heard: (id, sound) => {
    const key = `${id}:${sound.id}`;
    if (sound.text && SPOKEN.includes(sound.kind)) sounds.value = [...sounds.peek().filter((one) => one.key !== key), { ...sound, key, call: id }].slice(-SHOWN_SOUNDS);
  },
});

let renewal = 0;
/** @param {number} expiresAt */
function renewAt(expiresAt) {
  clearTimeout(renewal);
  renewal = window.setTimeout(() => void renew(), Math.max(RETRY_MS, expiresAt - serverNow() - RENEW_MS));
}

let renewedAt = -Infinity;
/** A pass is over or refused: another one, at once the first time; a carrier that refuses each is not stormed. */
function renewSoon() {
  clearTimeout(renewal);
  renewal = window.setTimeout(() => void renew(), Math.max(0, renewedAt + RETRY_MS - performance.now()));
}

/** Fetch passes and register with each, none waiting for another; what cannot be reached is tried again. */
async function renew() {
  const mine = generation;
  renewedAt = performance.now();
  const answer = /** @type {any} */ (await get("/phone"));
  if (mine !== generation) return;
  if (!answer.ok) {
    change({ status: "lost", why: explain(answer) });
    renewal = window.setTimeout(() => void renew(), RETRY_MS);
    return;
  }
  if (!answer.phones.length) return change({ status: answer.own ? "own" : "none", own: answer.own });
  if (state.peek().status !== "ready") change({ status: "connecting" });
  for (const pass of /** @type {Pass[]} */ (answer.phones)) {
    void register(pass);
    if (pass.needs_microphone) (change({ speaks: true }), void watchMicrophone());
  }
}

/** @param {Pass} pass */
async function register(pass) {
  const key = keyOf(pass);
  const mine = generation;
  const coming = opening.get(key) ?? openPhone(pass, told(key));
  opening.set(key, coming);
  try {
    const phone = await coming;
    if (mine !== generation) return phone.close();
    phones.set(key, phone);
    await phone.register(pass.token, pass.expires_at);
    phone.use(preferences());
  } catch (error) {
    if (mine !== generation) return;
    if (!phones.has(key)) opening.delete(key);
    change({ status: "lost", why: error instanceof Error ? error.message : String(error) });
    renewSoon();
  }
}

async function watchMicrophone() {
  const allowed = await navigator.permissions?.query({ name: /** @type {any} */ ("microphone") }).catch(() => null);
  if (!allowed) return;
  change({ microphone: allowed.state });
  allowed.onchange = () => change({ microphone: allowed.state });
}

/** This browser's telephones, to be checked. */
export const ownPhones = () => [...phones.values()];

function stop() {
  generation += 1;
  clearTimeout(renewal);
  for (const phone of phones.values()) phone.close();
  phones.clear();
  opening.clear();
  calls.value = [];
  taken.clear();
  sounds.value = [];
  state.value = blank;
}

/** One tab of all is the telephone; when it closes, another becomes it. */
export function startPhone() {
  /** @type {(() => void) | null} */
  let release = null;
  let isWanted = false;
  const begin = () => {
    if (!navigator.locks) return void renew();
    change({ status: "elsewhere" });
    void navigator.locks.request("softphone", () => (isWanted ? new Promise((done) => ((release = () => done(undefined)), void renew())) : undefined));
  };
  effect(() => {
    const wanted = sessionState().signedIn && Boolean(myself()?.agent_id) && lines().length > 0;
    if (wanted === isWanted) return;
    isWanted = wanted;
    if (wanted) return queueMicrotask(begin);
    queueMicrotask(stop);
    release?.();
    release = null;
  });
  effect(() => {
    for (const one of calls.value) if (!one.open && expected()) takeOnce(one);
  });
}

/** Calls already answered: rows go on changing until the line is up. @type {Set<string>} */
const taken = new Set();
/** @param {PhoneCall} call */
function takeOnce(call) {
  if (taken.has(call.id)) return;
  taken.add(call.id);
  call.phone.accept(call.id);
}

/** @param {PhoneCall} call */
export const answerCall = (call) => (expectCall(), takeOnce(call));
/** @param {PhoneCall} call */
export const rejectCall = (call) => call.phone.reject(call.id);
export const hangUpPhone = () => openCall()?.phone.hangUp(openCall()?.id ?? "");

/** Nobody hears me from this very moment, whatever the network does. @param {boolean} muted */
export function mutePhone(muted) {
  const call = openCall();
  if (!call) return;
  call.phone.mute(call.id, muted);
  setCall(call.id, { muted });
}

/** @param {string} keys */
export function sendDigits(keys) {
  const call = openCall();
  call?.phone.digits(call.id, keys);
  return Boolean(call);
}

/** Can what is heard be read, and what is said be typed? */
export const isTyped = () => Boolean(openCall()?.phone.say);

/** @param {string} text */
export function sayWords(text) {
  const call = openCall();
  if (!call?.phone.say) return;
  call.phone.say(call.id, text);
  sounds.value = [...sounds.peek(), { id: -1, key: `mine:${performance.now()}`, call: call.id, at: serverNow(), until: null, kind: "say", text, mine: true }].slice(-SHOWN_SOUNDS);
}
