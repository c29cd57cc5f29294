/** Sound, desktop notification, title, badge: one tab of all open ones rings. */
import { effect, signal } from "vendor/preact";
import { t } from "./i18n.js";
import { preferences } from "./screen.js";
import { ringing } from "./phone.js";
import { goneOffer, myOffers, queueName, sessionState } from "./store.js";
import { announce, unsay } from "./ui/live.js";

/** @type {AudioContext | null} */
let audio = null;
const RING_MS = 2500;
let leads = !navigator.locks;
/** Offers already sounded, with their notification. @type {Map<string, Notification | null>} */
const told = new Map();

/** @typedef {"default" | "granted" | "denied" | "absent"} Allowed */
export const alertState = signal({ unlocked: false, blocked: false, notifications: /** @type {Allowed} */ ("Notification" in window ? Notification.permission : "absent") });
/** @param {Partial<typeof alertState.value>} change */
const change = (change) => (alertState.value = { ...alertState.peek(), ...change });

/** What rings may be another device than the headset. @param {AudioContext} on @param {string} device */
export const playOn = (on, device) => /** @type {any} */ (on).setSinkId?.(device).catch(() => {});

/** Two soft notes; nobody needs more than that for a chat. */
function twoNotes() {
  if (!audio || audio.state !== "running") return change({ blocked: true });
  change({ blocked: false });
  notes(audio);
}

/** @param {AudioContext} audio */
export function notes(audio) {
  const now = audio.currentTime;
  for (const [at, pitch] of [[0, 659.3], [0.16, 880]]) {
    const tone = new OscillatorNode(audio, { frequency: pitch, type: "sine" });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, now + at);
    gain.gain.linearRampToValueAtTime(0.22, now + at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.001, now + at + 0.5);
    tone.connect(gain).connect(audio.destination);
    tone.start(now + at);
    tone.stop(now + at + 0.55);
  }
}

/** A browser plays sound only after the person touched the page. */
async function unlock() {
  if (!audio && !navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  await playOn(audio, preferences().ringer);
  if (audio.state !== "running") await audio.resume().catch(() => {});
  change({ unlocked: audio.state === "running", ...(audio.state === "running" ? { blocked: false } : {}) });
}

export async function testSound() {
  await unlock();
  twoNotes();
}

export async function askNotifications() {
  change({ notifications: await Notification.requestPermission() });
}

/** @param {import("./types").OfferRow} offer */
function tell(offer) {
  const kind = t(`channel.${offer.channel_kind}`);
  announce(t("offer.spoken", { kind, queue: queueName(offer.queue) }), { now: offer.channel_kind === "voice", topic: offer.id });
  if (leads && preferences().sound && offer.channel_kind !== "email") twoNotes();
  told.set(offer.id, leads ? notify(offer, kind) : null);
}

/** No customer text: a notification is read by whoever passes. @param {import("./types").OfferRow} offer @param {string} kind */
function notify(offer, kind) {
  if (alertState.peek().notifications !== "granted" || (!document.hidden && document.hasFocus())) return null;
  try {
    const note = new Notification(t("offer.notification", { kind, queue: queueName(offer.queue) }), { tag: offer.id, requireInteraction: offer.channel_kind === "voice", icon: "/console/static/icon.svg" });
    note.onclick = () => window.focus();
    return note;
  } catch {
    return null;
  }
}

/** @param {import("./types").OfferRow | undefined} first @param {number} count */
function mark(first, count) {
  const name = "Switchboard";
  document.title = first ? `${t(`channel.${first.channel_kind}`)}: ${queueName(first.queue)}` : name;
  document.querySelector("link[rel=icon]")?.setAttribute("href", `/console/static/icon${first ? "-offer" : ""}.svg`);
  const badge = /** @type {any} */ (navigator);
  void (count ? badge.setAppBadge?.(count) : badge.clearAppBadge?.())?.catch?.(() => {});
}

/** Somebody waits at the other end this minute: it rings until it is answered, in the tab that rings. */
function ringOn() {
  let timer = 0;
  effect(() => {
    const rings = sessionState().signedIn && (ringing().length > 0 || myOffers.value.some((offer) => offer.channel_kind === "voice"));
    clearInterval(timer);
    if (rings) timer = window.setInterval(() => leads && preferences().sound && twoNotes(), RING_MS);
  });
}

export function startAlerts() {
  ringOn();
  void navigator.locks?.request("ring", () => new Promise(() => void (leads = true)));
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => alertState.peek().unlocked || void unlock(), { capture: true, passive: true });
  effect(() => {
    if (!sessionState().signedIn) return;
    const offers = myOffers.value;
    const live = new Set(offers.map((offer) => offer.id));
    for (const [id, note] of told) if (!live.has(id)) (note?.close(), told.delete(id), goneOffer()?.offer.id === id || unsay(id));
    for (const offer of offers) if (!told.has(offer.id)) tell(offer);
    mark(offers[0], offers.length);
  });
}
