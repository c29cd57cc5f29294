/** My interactions, grouped and ordered as the list shows them. */
import { computed } from "vendor/preact";
import { interactions, myself, queues } from "./store.js";

/** @typedef {import("./types").InteractionRow} Row */
/** @typedef {"live" | "agent" | "customer" | "parked" | "queued"} GroupName */
/** @typedef {{ name: GroupName, rows: Row[] }} Group */

const LIVE_CALL = ["connecting", "active", "held", "consulting"];
const ENDED = ["closed", "abandoned", "resolved", "cancelled", "rejected", "flowed_out", "callback_booked"];

/** @param {string} state */
export const isEnded = (state) => ENDED.includes(state);
/** May somebody still write to the customer in it? @param {Row} row */
export const isWritable = (row) => ["active", "held", "consulting", "parked"].includes(row.state);

/** @param {Row} row @returns {GroupName} */
function groupOf(row) {
  if (row.state === "wrapping" || (row.channel_kind === "voice" && LIVE_CALL.includes(row.state))) return "live";
  if (row.state === "parked") return "parked";
  return row.waits_for === "agent" ? "agent" : "customer";
}

/** @type {Record<GroupName, (row: Row) => number>} */
const ORDER = {
  live: (row) => row.wrap_up_ends_at ?? row.created_at,
  agent: (row) => row.answer_due_at ?? Infinity,
  customer: (row) => -(row.last_at ?? 0),
  parked: (row) => row.call?.due_at ?? row.answer_due_at ?? Infinity,
  queued: (row) => row.queued_at ?? row.created_at,
};

export const myWork = computed(() => {
  const me = myself()?.agent_id;
  return interactions.all().filter((row) => row.agent === me && me && !isEnded(row.state) && row.state !== "queued" && row.state !== "offered");
});

/** What waits in my queues and may be taken without being offered. */
const takeable = computed(() => {
  const mine = new Set(myself()?.queues ?? []);
  return interactions.all().filter((row) => row.state === "queued" && mine.has(row.queue) && queues.get(row.queue)?.pull_allowed);
});

/** @type {import("vendor/preact").ReadonlySignal<Group[]>} */
export const myGroups = computed(() => {
  /** @type {Record<GroupName, Row[]>} */
  const groups = { live: [], agent: [], customer: [], parked: [], queued: takeable.value };
  for (const row of myWork.value) groups[groupOf(row)].push(row);
  return /** @type {GroupName[]} */ (Object.keys(groups)).map((name) => ({
    name, rows: groups[name].toSorted((a, b) => ORDER[name](a) - ORDER[name](b) || (a.id < b.id ? -1 : 1)),
  })).filter((group) => group.rows.length);
});

export const unreadCount = computed(() => myWork.value.filter((row) => row.unread > 0).length);

/**
 * The order that was on the screen, with what came added and what went taken out; `moved` is how many would stand elsewhere.
 * @param {{ name: GroupName, ids: string[] }[]} held @param {Group[]} wanted
 * @returns {{ groups: Group[], moved: number }}
 */
export function steady(held, wanted) {
  const rows = new Map(wanted.flatMap((group) => group.rows.map((row) => [row.id, { row, group: group.name }])));
  const known = new Set(held.flatMap((group) => group.ids));
  const names = [...new Set([...held.map((group) => group.name), ...wanted.map((group) => group.name)])];
  const groups = names.map((name) => ({
    name,
    rows: [
      ...(held.find((group) => group.name === name)?.ids ?? []).flatMap((id) => rows.get(id)?.row ?? []),
      ...(wanted.find((group) => group.name === name)?.rows ?? []).filter((row) => !known.has(row.id)),
    ],
  })).filter((group) => group.rows.length);
  const place = (/** @type {Group[]} */ list) => new Map(list.flatMap((group) => group.rows.map((row, at) => [row.id, `${group.name}${at}`])));
  const now = place(groups);
  const then = place(wanted);
  return { groups, moved: [...then].filter(([id, at]) => now.get(id) !== at).length };
}
