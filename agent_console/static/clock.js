import { signal } from "vendor/preact";

/** Offset of the hub's clock from ours, from the round trip with the least delay among the last ten. */
/** @type {{ offset: number, trip: number }[]} */
const trips = [];
const origin = Date.now() - performance.now();
const tick = signal(0);

/** Our own monotonic clock as an instant; a changed wall clock does not move it. */
const local = () => origin + performance.now();

/** The hub's time in milliseconds. */
export function serverNow() {
  const best = trips.reduce((a, b) => (b.trip < a.trip ? b : a), trips[0] ?? { offset: 0, trip: 0 });
  return local() + best.offset;
}

/** The hub's time, once a second: read it in a component and the component ticks. */
export function ticking() {
  return tick.value && serverNow();
}

/** @param {number} sentAt performance.now() when asked @param {number} answered the hub's time in the answer */
export function heardTime(sentAt, answered) {
  const trip = performance.now() - sentAt;
  trips.push({ trip, offset: answered - (origin + sentAt + trip / 2) });
  if (trips.length > 10) trips.shift();
}

/** After sleep the old round trips say nothing. */
export const forgetTime = () => trips.splice(0, Math.max(0, trips.length - 1));

function beat() {
  tick.value += 1;
}
tick.value = 1;
setInterval(beat, 1000);
document.addEventListener("visibilitychange", () => document.hidden || beat());
