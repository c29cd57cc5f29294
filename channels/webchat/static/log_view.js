/** The list of what was said: follows the end, keeps its place when older messages come, marks what is new. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "/vendor/preact.js";
import { Bubble } from "./bubble.js";
import { Icon } from "./icons.js";
import { dayName, initials } from "./text.js";

/** @typedef {import("./types").Message} Message @typedef {import("./types").Pending} Pending */
const NEAR_PX = 48;
/** Within this time messages of one person stand together. */
const TOGETHER_MS = 3 * 60_000;

/** @param {import("./app.js").Parts} parts */
export function LogView(parts) {
  const { sync, view, lang, say, reading, announcer } = parts;
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const place = useRef({ first: 0, height: 0, inner: 0, atEnd: true, mine: 0 });
  const [atEnd, setAtEnd] = useState(true);
  const [loading, setLoading] = useState(false);
  /** The line "New" stays where it was when the visitor came back. */
  const newFrom = useRef(0);
  const wasReading = useRef(false);
  if (reading && !wasReading.current) newFrom.current = view.messages.find((message) => message.from === "agent" && message.n > view.seen)?.n ?? 0;
  wasReading.current = reading;
  const { messages, pending } = view;
  const first = messages.length ? messages[0].n : 0;
  const last = messages.length ? messages[messages.length - 1].n : 0;

  useLayoutEffect(() => {
    const log = box.current;
    if (!log) return;
    const was = place.current;
    const mine = pending.length + messages.filter((message) => message.from === "visitor").length;
    if (first < was.first) log.scrollTop += log.scrollHeight - was.height;
    else if (was.atEnd || mine > was.mine) log.scrollTop = log.scrollHeight;
    place.current = { ...was, first, height: log.scrollHeight, inner: log.clientHeight, mine };
  });
  useEffect(() => {
    const log = box.current;
    if (!log) return;
    const watch = new ResizeObserver(() => {
      if (place.current.atEnd) log.scrollTop = log.scrollHeight;
      place.current.height = log.scrollHeight;
      place.current.inner = log.clientHeight;
    });
    watch.observe(log);
    for (const inner of log.children) watch.observe(inner);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (reading && atEnd) sync.see(last);
  }, [reading, atEnd, last]);

  const older = async () => {
    if (loading || !view.earlier) return;
    setLoading(true);
    announcer.say(say("loadingEarlier"));
    await sync.resumer.earlier();
    setLoading(false);
  };
  const scrolled = () => {
    const log = box.current;
    if (!log) return;
    const was = place.current;
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    // Only a person leaves the end; a log that grew or shrank under its place does not.
    if (near || (log.scrollHeight === was.height && log.clientHeight === was.inner)) setAtEnd(was.atEnd = near);
    was.height = log.scrollHeight;
    was.inner = log.clientHeight;
    if (log.scrollTop < 60) older();
  };
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const below = messages.filter((message) => message.from === "agent" && message.n > view.seen).length;

  return html`<div class="logbox">
    <div class="log" role="log" aria-live="off" aria-label=${say("conversation")} tabindex="0" ref=${box} onScroll=${scrolled}>
      <div class="lines">
        ${view.earlier && html`<button type="button" class="older" onClick=${older} disabled=${loading}>${say(loading ? "loadingEarlier" : "earlier")}</button>`}
        ${rows([...messages, ...pending], parts, reading ? newFrom.current : 0)}
        ${view.typing !== null && html`<div class="row agent start typist" key="typist"><span class="face" aria-hidden="true">${initials(view.typing || say("agent"))}</span>
          <span class="dots" role="img" aria-label=${say("isTyping", { name: view.typing || say("someone") })}><i /><i /><i /></span></div>`}
      </div>
    </div>
    ${!atEnd && html`<button type="button" class="below" onClick=${toEnd}><${Icon} name="arrow" size=${16} />${below ? say("newBelow", { n: below }) : say("latest")}</button>`}
  </div>`;

  /** @param {(Message | Pending)[]} all @param {import("./app.js").Parts} parts @param {number} newFrom */
  function rows(all, parts, newFrom) {
    const seenByAgent = view.thread?.seen_by_agent ?? 0;
    const lastOwn = [...messages].reverse().find((message) => message.from === "visitor");
    let named = "";
    return all.flatMap((row, index) => {
      const before = all[index - 1];
      const after = all[index + 1];
      const n = "n" in row ? row.n : 0;
      const starts = !before || who(before) !== who(row) || row.at - before.at > TOGETHER_MS || n === newFrom;
      const ends = !after || who(after) !== who(row) || after.at - row.at > TOGETHER_MS;
      const state = "state" in row ? row.state : row === lastOwn && !pending.length ? (row.n <= seenByAgent ? "read" : "sent") : null;
      const day = !before || new Date(before.at).toDateString() !== new Date(row.at).toDateString();
      const names = starts && "from" in row && row.from === "agent" && row.name !== named;
      if (names) named = row.name ?? "";
      return [
        day && (index > 0 || view.earlier || Date.now() - row.at > 86_400_000 || new Date(row.at).toDateString() !== new Date().toDateString())
          && html`<p class="day" key=${`day${row.at}`}><span>${dayName(lang, say, row.at)}</span></p>`,
        newFrom > 0 && n === newFrom && html`<p class="day new" key="new"><span>${say("newDivider")}</span></p>`,
        html`<${Bubble} key=${row.client_id ?? `n${n}`} row=${row} state=${state} starts=${starts} ends=${ends} names=${names} ...${{ sync: parts.sync, lang, say }} />`,
      ];
    });
  }
}

/** @param {Message | Pending} row */
function who(row) {
  return "from" in row ? `${row.from}${row.name ?? ""}` : "visitor";
}
