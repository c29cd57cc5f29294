import { html } from "vendor/preact";
import { serverNow, ticking } from "../clock.js";
import { duration, t } from "../i18n.js";
import { nextOf, reasonWord } from "../presence.js";
import { go, route } from "../screen.js";
import { agents, connectionState, interactions, myself, queueName, queues } from "../store.js";
import { Avatar, Button, Chip, Empty, Icon } from "../ui/parts.js";
import { PersonState, Sparkline, StateMark, stateOf } from "../ui/status.js";
import { WindowList } from "../ui/window.js";
import { attention } from "../attention.js";
import { ChannelStates } from "./channels.js";
import { Elapsed } from "./deadline.js";
import { FloorDrawer } from "./drawer.js";

/** @typedef {import("../types").QueueRow} QueueRow @typedef {import("../types").AgentRow} AgentRow */

/** "61 %", or a dash where nothing was offered; what is below its target is not rounded up to it. @param {number | null | undefined} share @param {number} target */
export const percent = (share, target = 0) => (share === null || share === undefined ? "-" : `${share < target ? Math.floor(share * 100) : Math.round(share * 100)} %`);
/** @param {QueueRow} one @param {number} now */
export const oldest = (one, now) => (one.oldest_at && one.waiting ? now - one.oldest_at : 0);
/** Worst first: over target, then the longest wait. @param {number} now */
export const worstFirst = (now) => (/** @type {QueueRow} */ a, /** @type {QueueRow} */ b) => oldest(b, now) / b.target_s - oldest(a, now) / a.target_s || b.waiting - a.waiting || a.name.localeCompare(b.name);

/** As the hub counts who is free in a queue. @param {AgentRow} one */
const hasRoom = (one) => one.presence === "available" && one.connectivity === "connected" && one.status !== "not_responding" && !one.next_presence && one.held < one.capacity;

/** The supervisor's page: queues, people, who waits. */
export function Floor() {
  const now = ticking();
  const { id, sub } = route();
  const waiting = interactions.all().filter((row) => row.state === "queued" || row.state === "offered");
  const rows = queues.all().sort(worstFirst(now));
  // A long queue's rows are its first ones only; its figure, which may be half a second older than they are, counts all.
  const isLong = rows.some((one) => one.unlisted > 0);
  const all = isLong ? rows.reduce((sum, one) => sum + one.waiting, 0) : waiting.length;
  const people = agents.all();
  const channels = attention()?.channels ?? [];
  // What is broken stands above those who wait for it, what works below them.
  const isDown = channels.some((one) => !one.is_up);
  const free = people.filter(hasRoom).length;
  return html`<div class="floor" data-drawer=${id ? "open" : "shut"}><div class="scroll floor-scroll" data-region="list" tabindex="-1" aria-label=${t("nav.floor")}><div class="floor-inner">
    <header class="floor-head"><h1>${t("nav.floor")}</h1><p class="floor-age"><${Age} /></p>
      <ul class="floor-sums"><li><b>${all}</b> ${t("floor.waiting")}</li><li><b>${rows.reduce((sum, one) => sum + one.serving, 0)}</b> ${t("floor.serving")}</li><li><b>${free}</b> ${t("floor.free")}</li><li title=${t("floor.violations.hint")}><b>${myself()?.violations ?? 0}</b> ${t("floor.violations")}</li></ul>
      <${Button} icon="tv" onClick=${() => go("wallboard")}>${t("wallboard")}<//></header>
    <${Alarms} rows=${rows} now=${now} />
    <section class="card"><h2>${t("queues")}</h2><${QueueTable} rows=${rows} now=${now} /></section>
    ${isDown && html`<${ChannelStates} rows=${channels} />`}
    <div class="floor-two">
      <section class="card"><h2>${t("floor.waiting.title")} <span>${all}</span></h2>${isLong && html`<p class="card-hint">${t("floor.waiting.first", { n: waiting.length })}</p>`}<${WaitingTable} rows=${waiting} here=${id === "interaction" ? sub : ""} /></section>
      <section class="card"><h2>${t("floor.agents")} <span>${people.length}</span></h2><${AgentTable} rows=${people} here=${id === "agent" ? sub : ""} /></section>
    </div>
    ${!isDown && channels.length > 0 && html`<${ChannelStates} rows=${channels} />`}
  </div></div>
  ${id && sub && html`<${FloorDrawer} key=${sub} kind=${id} id=${sub} />`}</div>`;
}

/** How old the figures are, in words, so that a frozen board is seen as frozen. */
function Age() {
  const { state } = connectionState();
  return html`<span class=${`connection ${state}`}><i aria-hidden="true"></i>${t(state === "live" ? "floor.live" : `status.${state}`, { n: connectionState().behind })}</span>`;
}

/** @param {{ rows: QueueRow[], now: number }} props */
function Alarms({ rows, now }) {
  const nobody = rows.filter((one) => one.waiting > 0 && one.available === 0 && oldest(one, now) > one.target_s * 1000);
  if (!nobody.length) return null;
  return html`<div class="alarms">${nobody.map((one) => html`<p key=${one.id}><${Icon} name="triangle-alert" />${t("floor.alarm", { queue: one.name, n: one.waiting, time: duration(oldest(one, now)) })}</p>`)}</div>`;
}

/** @param {{ rows: QueueRow[], now: number }} props */
function QueueTable({ rows, now }) {
  const top = Math.max(1, ...rows.flatMap((one) => one.history));
  if (!rows.length) return html`<${Empty} icon="inbox" title=${t("floor.queues.none")} />`;
  return html`<div class="table-scroll"><table class="queue-table"><thead><tr><th scope="col">${t("col.queue")}</th><th scope="col">${t("col.waiting")}</th><th scope="col">${t("col.longest")}</th><th scope="col" title=${rows[0].service_level_variant}>${t("col.sl")}</th>
    <th scope="col" class="wide-only">${t("col.asa")}</th><th scope="col">${t("col.serving")}</th><th scope="col">${t("col.free")}</th><th scope="col">${t("col.away")}</th><th scope="col" class="wide-only">${t("col.abandoned")}</th><th scope="col" class="wide-only spark-col">${t("col.hour")}</th></tr></thead>
    <tbody>${rows.map((one) => html`<${QueueLine} key=${one.id} one=${one} now=${now} top=${top} />`)}</tbody></table></div>`;
}

/** @param {{ one: QueueRow, now: number, top: number }} props */
function QueueLine({ one, now, top }) {
  const wait = oldest(one, now);
  const over = wait > one.target_s * 1000;
  const below = one.service_level !== null && one.service_level !== undefined && one.service_level < one.target_share;
  const cell = (/** @type {string} */ label, /** @type {unknown} */ value, more = "") => html`<td class=${more} data-label=${label}>${value}</td>`;
  return html`<tr><th scope="row"><i class="queue-dot" style=${{ background: one.color ?? "var(--text3)" }} aria-hidden="true"></i>${one.name}${!one.open && html` <${Chip}>${t("closed.now")}<//>`}</th>
    ${cell(t("col.waiting"), one.waiting, `figure ${one.waiting ? "strong" : ""}`)}
    ${cell(t("col.longest"), one.waiting ? html`<span class=${over ? "over" : ""}>${over && html`<${Icon} name="triangle-alert" size=${12} label=${t("over.target")} />`}${duration(wait)}</span>` : "-", "figure")}
    ${cell(t("col.sl"), html`<span class=${below ? "over" : ""}>${below && html`<${Icon} name="triangle-alert" size=${12} label=${t("below.target")} />`}${percent(one.service_level, one.target_share)}</span>${one.service_level !== null && one.service_level !== undefined && html` <small>${t("of.target", { share: Math.round(one.target_share * 100) })}</small>`}`, "figure")}
    ${cell(t("col.asa"), one.asa_s === null || one.asa_s === undefined ? "-" : duration(one.asa_s * 1000), "figure wide-only")}
    ${cell(t("col.serving"), one.serving, "figure")}${cell(t("col.free"), one.available, `figure ${one.waiting && !one.available ? "over" : ""}`)}${cell(t("col.away"), one.away, "figure")}
    ${cell(t("col.abandoned"), `${one.abandoned} / ${one.offered}`, "figure wide-only")}
    <td class="wide-only spark-col"><${Sparkline} values=${one.history} top=${top} label=${t("spark.label", { queue: one.name, top: Math.max(0, ...one.history) })} /></td></tr>`;
}

/** @param {{ rows: import("../types").InteractionRow[], here: string }} props */
function WaitingTable({ rows, here }) {
  if (!rows.length) return html`<${Empty} icon="check" title=${t("floor.nobody")} />`;
  const sorted = rows.toSorted((a, b) => (a.queued_at ?? a.created_at) - (b.queued_at ?? b.created_at));
  return html`<${WindowList} rows=${sorted} height=${56} label=${t("floor.waiting.title")} id=${(/** @type {any} */ row) => row.id} row=${(/** @type {import("../types").InteractionRow} */ row, /** @type {number} */ _at, /** @type {object} */ place) => {
    const late = row.answer_due_at ? row.answer_due_at < serverNow() : false;
    return html`<div role="listitem" key=${row.id} ...${place}><button type="button" class="floor-row" data-row aria-current=${here === row.id ? "true" : undefined} onClick=${() => go("floor", "interaction", row.id)}><${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} />
      <span class="row-main"><b>${row.customer_name}</b><small>${queueName(row.queue)}${row.language ? ` · ${t(`language.${row.language}`)}` : ""}${row.state === "offered" ? ` · ${t("istate.offered")}` : ""}</small></span>
      <span class=${`figure ${late ? "over" : ""}`}>${late && html`<${Icon} name="triangle-alert" size=${12} label=${t("over.target")} />`}<${Elapsed} since=${row.queued_at ?? row.created_at} /></span></button></div>`;
  }} />`;
}

const ORDER = ["not_responding", "lost", "available", "offered", "busy", "full", "wrapping", "away", "offline"];

/** @param {{ rows: AgentRow[], here: string }} props */
function AgentTable({ rows, here }) {
  const sorted = rows.toSorted((a, b) => ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b)) || a.name.localeCompare(b.name));
  return html`<${WindowList} rows=${sorted} height=${56} label=${t("floor.agents")} id=${(/** @type {any} */ row) => row.id} row=${(/** @type {AgentRow} */ one, /** @type {number} */ _at, /** @type {object} */ place) => html`<div role="listitem" key=${one.id} ...${place}><${AgentLine} one=${one} here=${here === one.id} /></div>`} />`;
}

/** @param {{ one: AgentRow, here: boolean }} props */
function AgentLine({ one, here }) {
  const next = nextOf(one.next_presence);
  return html`<button type="button" class="floor-row" data-row aria-current=${here ? "true" : undefined} onClick=${() => go("floor", "agent", one.id)}><${Avatar} name=${one.name} size="s" />
    <span class="row-main"><b>${one.name}</b><small>${one.queues.map(queueName).join(", ")}</small></span>
    <span class="agent-state"><${PersonState} person=${one} reason=${reasonWord(one.reason)} /><small>${one.connectivity === "grace" ? html`<${StateMark} state="lost" /> ${t("grace")}` : next ? t("presence.then", { next: next.reason ? reasonWord(next.reason) : t(`state.${next.presence}`) }) : html`${one.presence === "available" && one.reason && html`<${Icon} name="phone-off" size=${12} class="unchecked" label=${reasonWord(one.reason)} />`}<${Elapsed} since=${one.since_at} rough />`}</small></span>
    <span class="load" title=${t("status.units", { held: one.held, capacity: one.capacity })}><i style=${{ width: `${Math.min(100, (one.held / Math.max(1, one.capacity)) * 100)}%` }}></i></span><span class="figure load-figure">${one.held}/${one.capacity}</span></button>`;
}
