import { signal } from "vendor/preact";
import { offsetOf, withTrip } from "./trips.js";

/** The last ten round trips. @type {import("./trips.js").Trip[]} */
let trips = [];
const origin = Date.now() - performance.now();
const tick = signal(0);

/** Our own monotonic clock as an instant; a changed wall clock does not move it. */
const local = () => origin + performance.now();

/** The hub's time in milliseconds. */
export const serverNow = () => local() + offsetOf(trips);

/** The hub's time, once a second: read it in a component and the component ticks. */
export function ticking() {
  return tick.value && serverNow();
}

/** @param {number} sentAt performance.now() when asked @param {number} answered the hub's time in the answer */
export function heardTime(sentAt, answered) {
  const trip = performance.now() - sentAt;
  trips = withTrip(trips, { trip, offset: answered - (origin + sentAt + trip / 2) });
}

/** After sleep the old round trips say nothing. */
export const forgetTime = () => void (trips = trips.slice(-1));

function beat() {
  tick.value += 1;
}
tick.value = 1;
setInterval(beat, 1000);
document.addEventListener("visibilitychange", () => document.hidden || beat());
