import { html, useLayoutEffect, useRef, useState } from "vendor/preact";
import { openInteraction, pull } from "../actions.js";
import { isPlanned } from "../calls.js";
import { t } from "../i18n.js";
import { instant } from "../letters.js";
import { narrow } from "../platform.js";
import { isBegun, letterDraft } from "../drafts.js";
import { address, selected } from "../screen.js";
import { kindOf, myself, queueName, troubleOf } from "../store.js";
import { Avatar, Button, Chip, Empty } from "../ui/parts.js";
import { myGroups, steady } from "../work.js";
import { draftOf } from "../written.js";
import { Elapsed, RowTime } from "./deadline.js";
import { OfferDock } from "./offer.js";
import { OutcomesMissing } from "./outcomes.js";
import { Tier } from "./tier.js";

/** @typedef {import("../types").InteractionRow} Row */
/** What waits is offered anyway; a few rows are enough to help out. */
const SHOWN_WAITING = 3;

/** Rows stand still while the pointer is over them or one has the focus. */
function useSteady() {
  const [inside, setInside] = useState(false);
  const [focused, setFocused] = useState(false);
  const wanted = myGroups.value;
  const held = useRef(/** @type {{ name: any, ids: string[] }[]} */ ([]));
  const still = inside || focused;
  const { groups, moved } = still ? steady(held.current, wanted) : { groups: wanted, moved: 0 };
  held.current = groups.map((group) => ({ name: group.name, ids: group.rows.map((row) => row.id) }));
  const settle = () => {
    held.current = wanted.map((group) => ({ name: group.name, ids: group.rows.map((row) => row.id) }));
    setInside(false);
    setFocused(false);
  };
  const handlers = {
    onPointerEnter: (/** @type {PointerEvent} */ e) => e.pointerType === "mouse" && setInside(true),
    onPointerLeave: () => setInside(false),
    onFocusIn: () => setFocused(true),
    onFocusOut: (/** @type {FocusEvent} */ e) => /** @type {HTMLElement} */ (e.currentTarget).contains(/** @type {Node | null} */ (e.relatedTarget)) || setFocused(false),
  };
  return { groups, moved, settle, handlers };
}

/** A removed row passes the focus to the one that took its place. @param {{ current: HTMLElement | null }} box */
function usePassFocus(box) {
  const last = useRef(-1);
  useLayoutEffect(() => {
    const rows = /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll("[data-row]") ?? [])]);
    const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at >= 0) last.current = at;
    else if (last.current >= 0 && document.activeElement === document.body && rows.length) rows[Math.min(last.current, rows.length - 1)].focus();
    else last.current = -1;
  });
}

export function WorkList() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { groups, moved, settle, handlers } = useSteady();
  usePassFocus(box);
  const current = selected.value;
  const [all, setAll] = useState(false);
  const first = groups[0]?.rows[0]?.id;
  const stop = groups.some((group) => group.rows.some((row) => row.id === current)) ? current : first;
  return html`<section class="list" data-region="list" aria-label=${t("list.title")} tabindex="-1">
    <header class="list-head"><h1>${t("list.title")}</h1>${moved > 0 && html`<button type="button" class="pill" onClick=${settle}>${t("list.moved", { n: moved })}</button>`}</header>
    <div class="scroll list-scroll" ref=${box} ...${handlers}>
      ${groups.length === 0 && html`<${Empty} icon="inbox" title=${t("list.empty")} text=${t("list.empty.text")} />`}
      ${groups.map((group) => html`<section key=${group.name} class="group">
        <h2 id=${`group-${group.name}`}>${t(`group.${group.name}`)} <span>${group.rows.length}</span></h2>
        <div role="list" aria-labelledby=${`group-${group.name}`}>${(group.name === "queued" && !all ? group.rows.slice(0, SHOWN_WAITING) : group.rows).map((row, i) => (group.name === "queued"
          ? html`<${WaitingRow} key=${row.id} row=${row} />`
          : html`<${WorkRow} key=${row.id} row=${row} at=${i + 1} of=${group.rows.length} here=${row.id === current} stop=${row.id === stop} />`))}</div>
        ${group.name === "queued" && group.rows.length > SHOWN_WAITING && html`<${Button} small kind="ghost" class="more" onClick=${() => setAll(!all)}>${all ? t("list.fewer") : t("list.all", { n: group.rows.length })}<//>`}
      </section>`)}
      <${OutcomesMissing} />
    </div>
    ${!narrow.value && html`<${OfferDock} />`}
  </section>`;
}

/** @param {{ row: Row, at: number, of: number, here: boolean, stop: boolean }} props */
function WorkRow({ row, at, of, here, stop }) {
  const draft = (draftOf(row.id, "reply") || isBegun(letterDraft(row.id))) && !here;
  const me = myself()?.agent_id;
  const trouble = troubleOf(row.id);
  const letters = kindOf(row.channel_kind).has_envelopes;
  const preview = (isPlanned(row) && t("planned.at", { at: instant(row.call?.due_at ?? 0) })) || row.preview || (letters ? "" : row.subject) || t(`channel.${row.channel_kind}`);
  return html`<div role="listitem" aria-setsize=${of} aria-posinset=${at}><a href=${address("work", row.id)} data-row data-id=${row.id} class=${`row ${row.unread ? "unread" : ""}`} aria-current=${here ? "true" : undefined} tabindex=${stop ? 0 : -1}
    onClick=${(/** @type {MouseEvent} */ e) => (e.preventDefault(), openInteraction(row.id))}>
    <${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} />
    <span class="row-main">
      <span class="row-name"><b>${row.customer_name}</b>${row.tier && html`<${Tier} tier=${row.tier} />`}</span>
      <span class="row-preview" lang=${row.language ?? undefined}>${letters && row.subject && html`<span class="row-subject">${row.subject}</span> `}${draft ? html`<em>${t("draft")}</em> ` : row.last_from === "agent" && row.agent === me ? `${t("you")}: ` : ""}${preview}</span>
    </span>
    <span class="row-side"><${RowTime} row=${row} />${row.unread > 0 && html`<span class="count"><span aria-hidden="true">${row.unread}</span><span class="visually-hidden">${t("unread", { n: row.unread })}</span></span>`}
      ${row.state === "wrapping" ? html`<${Chip} tone="busy">${t("chip.wrap")}<//>` : row.state === "transferring" ? html`<${Chip}>${t("chip.transfer")}<//>` : trouble ? html`<${Chip} tone=${trouble === "failed" ? "bad" : "warn"} icon="triangle-alert">${t(`letter.is.${trouble}`)}<//>` : row.unread ? null : html`<span class="row-queue">${queueName(row.queue)}</span>`}</span>
  </a></div>`;
}

/** Waiting in a queue that lets people take work themselves. @param {{ row: Row }} props */
function WaitingRow({ row }) {
  return html`<div role="listitem" class="row waiting"><${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} />
    <span class="row-main"><span class="row-name"><b>${row.customer_name}</b></span><span class="row-preview">${queueName(row.queue)} · <${Elapsed} since=${row.queued_at ?? row.created_at} /></span></span>
    <${Button} small onClick=${() => pull(row.id)} aria-label=${t("take.from", { name: row.customer_name })}>${t("take")}<//></div>`;
}

