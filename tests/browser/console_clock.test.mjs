// What the console makes of the hub's clock: machines that sleep, clocks that are set, slow lines.
// Run: node --test tests/browser/
import assert from "node:assert/strict";
import { test } from "node:test";
import { offsetOf, withTrip } from "../../agent_console/static/trips.js";

const heard = (...trips) => trips.reduce((all, [offset, trip]) => withTrip(all, { offset, trip }), []);

test("the quickest of the last trips is believed", () => {
  assert.equal(offsetOf(heard([900, 400], [1010, 8], [1100, 300])), 1010);
  assert.equal(offsetOf([]), 0);
});

test("ten trips are kept", () => {
  const all = heard([1000, 1], ...Array.from({ length: 10 }, () => [1020, 90]));
  assert.equal(all.length, 10);
  assert.equal(offsetOf(all), 1020);
});

test("after an hour's sleep the first answer counts, however quick those before it were", () => {
  assert.equal(offsetOf(heard([1000, 4], [1001, 5], [3_601_000, 350])), 3_601_000);
});

test("a slow answer that agrees with a quick one does not replace it", () => {
  assert.equal(offsetOf(heard([1000, 4], [2900, 4000])), 1000);
});
