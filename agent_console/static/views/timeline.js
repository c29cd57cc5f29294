import { html, useCallback, useEffect, useRef, useState } from "vendor/preact";
import { openInteraction } from "../actions.js";
import { get, query } from "../api.js";
import { ticking } from "../clock.js";
import { clockTime, dayName, fullTime, t } from "../i18n.js";
import { instant } from "../letters.js";
import { agents, conversation, hubSettings, interactions, kindOf, queueName } from "../store.js";
import { Button, Icon, Marked } from "../ui/parts.js";
import { WindowList } from "../ui/window.js";
import { outcomeWord } from "./wrapup.js";

/** @typedef {import("../types").TimelineItem} Item */
const KINDS = ["", "interaction", "message", "note"];
const KIND_ICONS = /** @type {Record<string, string>} */ ({ note: "sticky-note", merge: "git-merge", promise: "calendar-clock" });
const ROW = 60;

/** Pages of 30 from the hub; what the person filters, the hub filters. @param {string} customer @param {import("../types").Timeline | undefined} first @param {string} kind @param {string} find */
function useTimeline(customer, first, kind, find) {
  const plain = !kind && !find;
  const [items, setItems] = useState(/** @type {Item[] | null} */ (plain && first ? first.items : null));
  const [before, setBefore] = useState(/** @type {any} */ (first?.before ?? null));
  const [failed, setFailed] = useState(false);
  const busy = useRef(false);
  const started = useRef(false);
  const load = useCallback(async (/** @type {any} */ from, /** @type {Item[]} */ held, /** @type {AbortSignal | undefined} */ stop) => {
    busy.current = true;
    const answer = /** @type {any} */ (await get(`/customers/${encodeURIComponent(customer)}/timeline${query({ before: from, kinds: kind, q: find })}`, stop));
    busy.current = false;
    if (stop?.aborted) return;
    setFailed(!answer.ok);
    if (!answer.ok) return;
    setItems([...held, ...answer.items]);
    setBefore(answer.before ?? null);
  }, [customer, kind, find]);
  useEffect(() => {
    // What came with the conversation is the first page already.
    if (!started.current && plain && first) return void (started.current = true);
    started.current = true;
    const stop = new AbortController();
    const timer = setTimeout(() => void load(null, [], stop.signal), find ? 200 : 0);
    return () => (clearTimeout(timer), stop.abort());
  }, [load]);
  useEffect(() => {
    // The conversation was loaded again: its newest page is newer; what was paged to stays behind it.
    if (!plain || !first) return;
    const last = first.items.at(-1);
    setItems((held) => [...first.items, ...(last && held ? held.slice(1 + held.findIndex((one) => one.kind === last.kind && one.id === last.id)).filter((one) => one.at <= last.at) : [])]);
  }, [first]);
  const more = useCallback(() => void (before && items && !busy.current && load(before, items, undefined)), [before, items, load]);
  return { items, more, failed, again: () => load(null, [], undefined), ended: !before };
}

/** Everything with this customer on every channel, newest first. @param {{ customer: string, name: string, first?: import("../types").Timeline, current?: string }} props */
export function TimelineView({ customer, name, first, current }) {
  const [kind, setKind] = useState("");
  const [find, setFind] = useState("");
  const { items, more, failed, again, ended } = useTimeline(customer, first, kind, find.trim());
  const now = ticking();
  return html`<section class="panel history"><h3>${t("history")}</h3>
    <div class="history-tools"><div class="filter" role="group" aria-label=${t("history.filter")}>${KINDS.map((one) => html`<button type="button" key=${one} aria-pressed=${kind === one} onClick=${() => setKind(one)}>${t(`kind.${one || "all"}`)}</button>`)}</div>
      <label class="find"><${Icon} name="search" /><input type="search" value=${find} placeholder=${t("history.find")} aria-label=${t("history.find")} onInput=${(/** @type {Event} */ e) => setFind(/** @type {HTMLInputElement} */ (e.target).value)} /></label></div>
    ${items && html`<${WindowList} rows=${items} height=${ROW} id=${(/** @type {Item} */ one) => one.kind + one.id} onEnd=${more} label=${t("history")} class="timeline"
      row=${(/** @type {Item} */ one, /** @type {number} */ at, /** @type {object} */ place) => html`<${TimelineRow} key=${one.kind + one.id} one=${one} name=${name} day=${dayName(one.at, now)} same=${at > 0 && dayName(items[at - 1].at, now) === dayName(one.at, now)} here=${one.interaction === current} find=${find.trim()} place=${place} />`} />`}
    ${items && !items.length && ended && html`<p class="quiet">${t(kind || find ? "history.nothing" : "history.none")}</p>`}
    ${!items && !failed && html`<div class="skeleton lines" aria-hidden="true"><span></span><span></span><span></span></div>`}
    ${failed && html`<p class="quiet">${t("history.failed")} <${Button} small onClick=${again}>${t("retry")}<//></p>`}
  </section>`;
}

/** What an item says in two lines. @param {Item} one @param {string} name the customer's @param {string} find */
function told(one, name, find) {
  if (one.kind === "merge") return [t(one.state === "undone" ? "merge.undone" : "merge.done", { name: one.title }), one.agent_name ?? ""];
  if (one.kind === "promise") return [t("promises.made", { state: t(`promises.${one.state}`), time: one.due_at ? instant(one.due_at) : "" }), one.text];
  if (one.kind !== "interaction") return [one.title || one.agent_name || name, one.text];
  const outcome = hubSettings()?.dispositions.find((each) => each.id === one.disposition);
  // The list was fetched once; how an open one stands is known from its row.
  const row = interactions.get(one.interaction ?? "") ?? conversation(one.interaction ?? "")?.interaction;
  const { state, queue } = row ?? one;
  const agent = (row?.agent && agents.get(row.agent)?.name) || one.agent_name;
  const summary = [outcome ? outcomeWord(outcome) : state && t(`istate.${state}`), queue && queueName(queue), agent].filter(Boolean).join(" · ");
  return [one.title || t(`channel.${one.channel_kind}`), find && one.text ? one.text : summary];
}

/** @param {{ one: Item, name: string, day: string, same: boolean, here: boolean, find: string, place: object }} props */
function TimelineRow({ one, name, day, same, here, find, place }) {
  const icon = KIND_ICONS[one.kind] ?? kindOf(one.channel_kind).icon ?? "history";
  const [title, text] = told(one, name, find);
  const inner = html`<span class=${`timeline-icon kind-${one.kind}`}><${Icon} name=${icon} size=${12} /></span>
    <span class="timeline-main"><span class="timeline-title"><b>${title}</b><time title=${fullTime(one.at)}>${same ? "" : `${day} `}${clockTime(one.at)}</time></span>
      <span class="timeline-text"><${Marked} text=${text} find=${find} /></span></span>`;
  return html`<div role="listitem" ...${place}>${one.interaction && !here
    ? html`<button type="button" class="timeline-row" onClick=${() => openInteraction(/** @type {string} */ (one.interaction))}>${inner}</button>`
    : html`<div class=${`timeline-row ${here ? "here" : ""}`}>${inner}</div>`}</div>`;
}
