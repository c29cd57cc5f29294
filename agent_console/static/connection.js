/** The only module that knows the socket. Frames go to the store, once per animation frame. */
import { io } from "vendor/socket.io";
import { forgetTime, heardTime } from "./clock.js";
import { applyFrame, connectionState, setConnection, setTyping, stopTyping, takeSnapshot } from "./store.js";

const SILENT_MS = 3000;
const OFFLINE_MS = 30_000;
const PROBE_MS = 5000;
const ANSWER_MS = 8000;

/** @type {import("socket.io-client").Socket | null} */
let socket = null;
/** The journal's number up to which our rows are true. */
let held = 0;
let syncing = false;
let heardAt = performance.now();
let probeSent = 0;
/** Frames that came while a sync was under way. @type {import("./types").Frame[]} */
let waiting = [];
/** @type {import("./types").Put} */
let put = {};
/** @type {import("./types").Drop} */
let drop = {};
let flushing = 0;
/** Was the line cut, or our rows given up, since they were last true? */
let anew = true;
/** @type {Set<(anew: boolean) => void>} */
const onBack = new Set();
/** @type {() => void} */
let onRefused = () => {};

/** @param {{ refused: () => void }} handlers */
export function connect(handlers) {
  if (socket) return;
  onRefused = handlers.refused;
  heardAt = performance.now();
  setConnection({ state: "connecting", behind: 0, returned: [] });
  socket = io("/console", { path: "/console/socket.io/", transports: ["websocket"], reconnectionDelay: 500, reconnectionDelayMax: 5000 });
  socket.on("connect", () => void ((anew = true), sync()));
  socket.on("connect_error", (error) => error.message === "unauthorized" && onRefused());
  socket.on("disconnect", (reason) => {
    syncing = false;
    watch();
    // The hub closed this connection itself: the client library does not come back on its own then.
    if (reason === "io server disconnect") setTimeout(() => socket?.connect(), 1000);
  });
  socket.onAny(heard);
  socket.io.on("ping", () => (heard(), watch()));
  socket.on("frame", takeFrame);
  socket.on("typing", ({ interaction, name, typing }) => (typing ? setTyping(interaction, name) : stopTyping(interaction)));
  socket.on("resync", () => void sync());
}

export function disconnect() {
  socket?.removeAllListeners();
  socket?.disconnect();
  socket = null;
  held = 0;
  waiting = [];
}

/** Run after each time the rows are known to be true; `anew` if they were not before. @param {(anew: boolean) => void} run */
export function whenBack(run) {
  onBack.add(run);
}

export const isConnected = () => socket?.connected ?? false;

/**
 * Ask the hub; an answer always comes, also when the line is down.
 * @template T
 * @param {string} event @param {object} [data]
 * @returns {Promise<import("./types").Answer<T>>}
 */
export async function ask(event, data = {}) {
  if (!socket?.connected) return { ok: false, error: "unavailable", message: "" };
  try {
    const answer = await socket.timeout(ANSWER_MS).emitWithAck(event, data);
    heard();
    return answer;
  } catch {
    watch();
    return { ok: false, error: "unavailable", message: "" };
  }
}

/** Say something that needs no answer and may be lost. @param {string} event @param {object} data */
export function say(event, data) {
  if (socket?.connected) socket.volatile.emit(event, data);
}

function heard() {
  heardAt = performance.now();
}

/** Ask for what is missing since `held`, or for everything. */
async function sync() {
  if (syncing) return;
  syncing = true;
  const sentAt = performance.now();
  const answer = await ask("sync", held ? { seq: held } : {});
  syncing = false;
  if (!answer.ok) {
    if (socket?.connected) setTimeout(sync, 1000);
    return;
  }
  take(/** @type {any} */ (answer), sentAt);
}

/** @param {{ seq: number, behind: number, now: number, mode: string, put: import("./types").Put, drop: import("./types").Drop }} answer @param {number} sentAt */
function take(answer, sentAt) {
  heardTime(sentAt, answer.now);
  flush();
  if (answer.mode === "snapshot") takeSnapshot(answer.put);
  else if (answer.behind) applyFrame(answer.put ?? {}, answer.drop ?? {});
  held = answer.mode === "snapshot" ? answer.seq : Math.max(held, answer.seq);
  const late = waiting;
  waiting = [];
  setConnection({ state: "live", behind: 0 });
  for (const frame of late) takeFrame(frame);
  const wasAnew = anew || answer.mode === "snapshot";
  anew = false;
  for (const run of onBack) run(wasAnew);
}

/** @param {import("./types").Frame} frame */
function takeFrame(frame) {
  if (syncing) return void waiting.push(frame);
  if (!held || frame.seq < held) return;
  if (frame.prev > held) {
    setConnection({ state: "gap", behind: frame.seq - held });
    return void sync();
  }
  held = frame.seq;
  collect(frame);
  if (document.hidden) flush();
  else flushing ||= requestAnimationFrame(flush);
}

/** The last row per id wins; a row dropped after it was put is gone, and the other way round. @param {import("./types").Frame} frame */
function collect(frame) {
  for (const [table, rows] of Object.entries(frame.put ?? {})) {
    const name = /** @type {keyof import("./types").Tables} */ (table);
    Object.assign((put[name] ??= /** @type {any} */ ({})), rows);
    if (drop[name]) drop[name] = drop[name].filter((id) => !(id in rows));
  }
  for (const [table, ids] of Object.entries(frame.drop ?? {})) {
    const name = /** @type {keyof import("./types").Tables} */ (table);
    (drop[name] ??= []).push(...ids);
    for (const id of ids) delete (/** @type {Record<string, unknown>} */ (put[name] ?? {})[id]);
  }
}

function flush() {
  cancelAnimationFrame(flushing);
  flushing = 0;
  const rows = put;
  const gone = drop;
  put = {};
  drop = {};
  if (Object.keys(rows).length || Object.keys(gone).length) applyFrame(rows, gone);
}

/** How long since the hub was heard, and what that means. */
function watch() {
  if (!socket) return;
  const now = performance.now();
  const silent = socket.connected && probeSent <= heardAt ? 0 : now - heardAt;
  const state = connectionState();
  if (!socket.connected || silent > SILENT_MS) {
    const next = silent > OFFLINE_MS ? "offline" : silent > SILENT_MS ? "silent" : state.state;
    if (next !== state.state) setConnection({ state: state.state === "connecting" && next === "silent" ? "connecting" : next, heardAt });
  } else if (state.state === "silent" || state.state === "offline") void sync();
}

/** A cheap round trip when nothing else was heard: it measures the clock and finds a dead line. */
async function probe() {
  if (!socket?.connected || syncing || !held || performance.now() - heardAt < PROBE_MS - 500) return;
  probeSent = performance.now();
  const sentAt = probeSent;
  const answer = await ask("sync", { seq: held });
  if (answer.ok && !syncing) take(/** @type {any} */ (answer), sentAt);
}

setInterval(() => document.hidden || void probe(), PROBE_MS);
setInterval(watch, 1000);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  forgetTime();
  flush();
  watch();
});
addEventListener("online", () => socket?.connected || socket?.connect());
addEventListener("offline", watch);
