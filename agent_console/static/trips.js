/** What round trips to the hub say about its clock. */

/** @typedef {{ offset: number, trip: number }} Trip how far its clock is ahead of ours, and how long asking took, in ms */

const KEPT = 10;
/** Two good clocks drift apart by no more than this while ten trips are made. */
const DRIFT_MS = 250;

/**
 * The trips with a new one. A trip is wrong by half its length at most, so one that cannot be true together with
 * the new one is from before our clock stood still (a machine that slept) or the hub's was set: it says nothing any more.
 * @param {Trip[]} trips @param {Trip} news @returns {Trip[]}
 */
export const withTrip = (trips, news) => [...trips.filter((one) => Math.abs(one.offset - news.offset) <= (one.trip + news.trip) / 2 + DRIFT_MS), news].slice(-KEPT);

/** By the trip with the least delay. @param {Trip[]} trips */
export const offsetOf = (trips) => trips.reduce((a, b) => (b.trip < a.trip ? b : a), trips[0] ?? { offset: 0, trip: 0 }).offset;
