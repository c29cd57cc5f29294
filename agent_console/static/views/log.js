import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "vendor/preact";
import { saySeen } from "../actions.js";
import { loadEarlier } from "../conversations.js";
import { ticking } from "../clock.js";
import { clockTime, dayName, t } from "../i18n.js";
import { pendingOf } from "../outbox.js";
import { kindOf, myself, typistOf } from "../store.js";
import { Button, Icon } from "../ui/parts.js";
import { announce } from "../ui/live.js";
import { isWritable } from "../work.js";
import { LetterBlock } from "./letter.js";
import { MessageBlock, NoteBlock, PendingBlock, SystemLine } from "./message.js";

/** @typedef {import("../types").Conversation} Held */
/** @typedef {{ kind: "day" | "new" | "message" | "note" | "system", key: string, at: number, row?: any, first?: boolean, last?: boolean }} Entry */

const GAP_MS = 5 * 60_000;
const END_PX = 48;
const TYPING_MS = 6000;

/** Messages and notes in one order, days and the first unread marked, lines of one author kept together. @param {Held} held @returns {Entry[]} */
export function entriesOf({ messages, notes, unreadFrom, earlier }) {
  const from = earlier ? (messages[0]?.at ?? 0) : 0;
  /** @type {{ kind: string, key: string, at: number, row: any }[]} */
  const said = messages.map((row) => ({ kind: row.from === "system" ? "system" : "message", key: row.id, at: row.at, row }));
  // Messages stand by their number, also where a clock was wrong; notes go between them by time.
  const rows = [...said];
  for (const row of notes.filter((one) => one.at >= from)) {
    const after = rows.findIndex((one) => one.at > row.at);
    rows.splice(after < 0 ? rows.length : after, 0, { kind: "note", key: `note ${row.id}`, at: row.at, row });
  }
  /** @type {Entry[]} */
  const entries = [];
  let day = "";
  for (const one of /** @type {Entry[]} */ (rows)) {
    const today = new Date(one.at).toDateString();
    if (today !== day) entries.push({ kind: "day", key: `day ${today}`, at: one.at });
    day = today;
    if (unreadFrom !== null && one.row.n === unreadFrom) entries.push({ kind: "new", key: "new", at: one.at });
    const before = entries[entries.length - 1];
    const joined = one.kind === "message" && before.kind === "message" && before.row.from === one.row.from && before.row.author === one.row.author && one.at - before.at < GAP_MS;
    if (joined) before.last = false;
    entries.push({ ...one, first: !joined, last: true });
  }
  return entries;
}

/** Keeps the end in view while the person is there, and their place while they are not. @param {Held} held @param {number} extra what stands after the messages */
function useScroll(held, extra) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const place = useRef({ atEnd: true, fromEnd: 0, first: /** @type {string | undefined} */ (undefined), started: false });
  const [fresh, setFresh] = useState(0);
  const last = held.messages.at(-1)?.n ?? 0;
  const before = useRef(last);
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
    place.current.atEnd = true;
    setFresh(0);
    see();
  };
  const see = () => {
    const newest = held.messages.at(-1)?.n;
    if (newest && place.current.atEnd && !document.hidden && held.interaction.unread && held.interaction.agent === myself()?.agent_id) saySeen(held.id, newest);
  };
  useLayoutEffect(() => {
    const scroller = box.current;
    if (!scroller) return;
    const { atEnd, fromEnd, first, started } = place.current;
    const divider = scroller.querySelector(".log-new");
    if (!started && divider) scroller.scrollTop = Math.max(0, /** @type {HTMLElement} */ (divider).offsetTop - 80);
    else if (!started && longLetter(scroller)) scroller.scrollTop = longLetter(scroller) - 16;
    else if (atEnd || !started) scroller.scrollTop = scroller.scrollHeight;
    else if (first !== held.messages[0]?.id) scroller.scrollTop = scroller.scrollHeight - fromEnd;
    place.current = { atEnd: scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < END_PX, fromEnd: scroller.scrollHeight - scroller.scrollTop, first: held.messages[0]?.id, started: true };
    if (last > before.current && !place.current.atEnd) setFresh((n) => n + last - before.current);
    before.current = last;
    see();
  }, [held.messages, held.notes, extra]);
  useEffect(() => {
    const scroller = box.current;
    if (!scroller) return;
    // The composer grows, the window shrinks, an image arrives: who was at the end stays there.
    const watch = new ResizeObserver(() => place.current.atEnd && (scroller.scrollTop = scroller.scrollHeight));
    watch.observe(scroller);
    if (scroller.firstElementChild) watch.observe(scroller.firstElementChild);
    document.addEventListener("visibilitychange", see);
    return () => (watch.disconnect(), document.removeEventListener("visibilitychange", see));
  }, [held.id]);
  const onScroll = () => {
    const scroller = box.current;
    if (!scroller) return;
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const atEnd = fromEnd - scroller.clientHeight < END_PX;
    place.current = { ...place.current, atEnd, fromEnd };
    if (atEnd && fresh) setFresh(0);
    if (atEnd) see();
  };
  return { box, onScroll, toEnd, fresh };
}

/** Where the last letter begins, if it is longer than the window: one begins to read at its beginning. @param {HTMLElement} scroller */
function longLetter(scroller) {
  const last = /** @type {HTMLElement | undefined} */ ([...scroller.querySelectorAll(".letter")].at(-1));
  return last && last.offsetHeight > scroller.clientHeight - 32 ? last.offsetTop : 0;
}

/** @param {{ held: Held }} props */
export function Log({ held }) {
  const pending = pendingOf(held.id).filter((one) => one.state !== "stale");
  const typing = useTypist(held.id);
  const { box, onScroll, toEnd, fresh } = useScroll(held, pending.length + (typing ? 1 : 0));
  const [loading, setLoading] = useState(false);
  const entries = useMemo(() => entriesOf(held), [held.messages, held.notes, held.unreadFrom, held.earlier]);
  useSpoken(held);
  const older = async () => {
    if (loading || !held.earlier) return;
    setLoading(true);
    await loadEarlier(held.id);
    setLoading(false);
  };
  const scrolled = () => {
    onScroll();
    if ((box.current?.scrollTop ?? 999) < 120) void older();
  };
  return html`<div class="log-box"><div class="log scroll" ref=${box} onScroll=${scrolled} tabindex="0" role="log" aria-live="off" aria-label=${t("log.label", { name: held.interaction.customer_name })}><div class="log-inner">
      ${held.earlier && html`<div class="log-older"><${Button} small kind="ghost" busy=${loading} onClick=${older}>${t(loading ? "loading" : "log.earlier")}<//></div>`}
      ${entries.map((one) => drawn(one, held))}
      ${pending.map((one) => html`<${PendingBlock} key=${one.client_id} one=${one} seen=${held.messages.at(-1)?.n ?? 0} writable=${isWritable(held.interaction) && held.interaction.agent === myself()?.agent_id} />`)}
      ${typing && html`<div class="typing" key="typing"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>${t("typing", { name: typing })}</div>`}
    </div></div>
    ${fresh > 0 && html`<button type="button" class="pill log-fresh" onClick=${toEnd}><${Icon} name="arrow-down" size=${12} />${t("log.fresh", { n: fresh })}</button>`}</div>`;
}

/** @param {Entry} one @param {Held} held */
function drawn(one, held) {
  if (one.kind === "day") return html`<div key=${one.key} class="log-day"><span>${dayName(one.at, ticking())}</span></div>`;
  if (one.kind === "new") return html`<div key=${one.key} class="log-new"><span>${t("log.new", { at: clockTime(one.at) })}</span></div>`;
  if (one.kind === "system") return html`<${SystemLine} key=${one.key} row=${one.row} />`;
  if (one.kind === "note") return html`<${NoteBlock} key=${one.key} row=${one.row} />`;
  const letter = held.letters[one.row.n];
  if (letter && kindOf(held.interaction.channel_kind).has_envelopes) return html`<${LetterBlock} key=${one.key} row=${one.row} letter=${letter} out=${held.outgoing[one.row.n]} subject=${newSubject(held, one.row.n)} held=${held} open=${isFresh(held, one.row.n)} writable=${isWritable(held.interaction) && held.interaction.agent === myself()?.agent_id} />`;
  return html`<${MessageBlock} key=${one.key} row=${one.row} first=${one.first} last=${one.last} seen=${held.interaction.seen_by_customer} language=${held.interaction.language} letter=${letter} out=${held.outgoing[one.row.n]} />`;
}

/** A letter's subject where it is not that of the letter before, but for marks of answers. @param {Held} held @param {number} n */
function newSubject(held, n) {
  const before = held.messages.findLast((row) => row.n < n && row.from !== "system" && held.letters[row.n]);
  const subject = held.letters[n].subject;
  return before && bare(held.letters[before.n].subject) === bare(subject) ? "" : subject;
}

/** @param {string} subject */
const bare = (subject) => subject.replace(/^(\s*[\p{L}]{1,12}(\[\d+\])?\s*[:：])+/u, "").trim().toLowerCase();

/** Unread ones, the last two and those that want a decision are open; older ones are a line each. @param {Held} held @param {number} n */
function isFresh(held, n) {
  const last = held.messages.filter((row) => row.from !== "system" && held.letters[row.n]).slice(-2);
  return last.some((row) => row.n === n) || ["failed", "uncertain"].includes(held.outgoing[n]?.state) || (held.unreadFrom !== null && n >= held.unreadFrom);
}

/** @param {string} id */
function useTypist(id) {
  const typist = typistOf(id);
  if (!typist) return "";
  void ticking();
  return performance.now() - typist.at < TYPING_MS ? typist.name : "";
}

/** The open conversation's new lines are spoken; the log itself is silent. @param {Held} held */
function useSpoken(held) {
  const spoken = useRef(held.messages.at(-1)?.n ?? 0);
  useEffect(() => {
    const news = held.messages.filter((row) => row.n > spoken.current && row.from === "customer");
    const left = held.messages.find((row) => row.n > spoken.current && row.from === "system" && row.code === "visitor_left");
    spoken.current = held.messages.at(-1)?.n ?? 0;
    if (left) announce(t("system.visitor_left"));
    if (news.length) announce(`${news[0].name ?? held.interaction.customer_name}: ${news.map((row) => row.text || t("file.some")).join(" ")}`);
  }, [held.messages]);
}
