import { html, useEffect, useRef, useState } from "vendor/preact";
import { assign, forceClose, forcePresence, openInteraction } from "../actions.js";
import { t } from "../i18n.js";
import { reasonWord } from "../presence.js";
import { go, toast } from "../screen.js";
import { agents, hubSettings, interactions, queueName, queues } from "../store.js";
import { Avatar, Button, Chip, Empty, Icon, IconButton } from "../ui/parts.js";
import { useBusy } from "../ui/busy.js";
import { PersonState, stateOf } from "../ui/status.js";
import { Elapsed } from "./deadline.js";
import { Tier } from "./tier.js";
import { ListenIn } from "./phone.js";
import { Standing } from "./standing.js";
import { Why } from "./why.js";

/** @param {{ kind: string, id: string }} props */
export function FloorDrawer({ kind, id }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.focus(), [id]);
  const close = () => {
    go("floor");
    /** @type {HTMLElement | null} */ (document.querySelector(`.floor [data-id="${CSS.escape(id)}"] button`))?.focus();
  };
  return html`<aside class="drawer" ref=${box} tabindex="-1" data-region="customer" aria-label=${t("drawer")} onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Escape" && !e.isComposing && (e.stopPropagation(), close())}>
    <header class="side-head"><h2>${t(kind === "agent" ? "drawer.agent" : "drawer.interaction")}</h2><${IconButton} icon="x" label=${t("close")} keys="Esc" tip="left" onClick=${close} /></header>
    <div class="scroll drawer-scroll">${kind === "agent" ? html`<${AgentDrawer} id=${id} />` : html`<${InteractionDrawer} id=${id} />`}</div>
  </aside>`;
}

/** @param {{ id: string }} props */
function AgentDrawer({ id }) {
  const one = agents.get(id);
  if (!one) return html`<${Empty} icon="user" title=${t("gone.row")} />`;
  const work = one.work.flatMap((each) => interactions.get(each) ?? []);
  return html`<section class="drawer-person"><${Avatar} name=${one.name} size="l" /><div><h3>${one.name}</h3><p><${PersonState} person=${one} reason=${reasonWord(one.reason)} /> · <${Elapsed} since=${one.since_at} rough /></p></div></section>
    <dl class="facts axes"><div class="extra"><dt>${t("axis.presence")}</dt><dd>${one.presence === "away" && one.reason ? reasonWord(one.reason) : t(`state.${one.presence}`)}</dd></div>
      ${one.presence === "available" && one.reason && html`<div class="extra"><dt>${t("axis.phone")}</dt><dd>${reasonWord(one.reason)}</dd></div>`}
      <div class="extra"><dt>${t("axis.connectivity")}</dt><dd>${t(`connectivity.${one.connectivity}`)}</dd></div><div class="extra"><dt>${t("axis.status")}</dt><dd>${t(`rstatus.${one.status}`)}</dd></div>
      <div class="extra"><dt>${t("axis.load")}</dt><dd>${t("status.units", { held: one.held, capacity: one.capacity })}</dd></div><div class="extra"><dt>${t("axis.misses")}</dt><dd>${one.misses}</dd></div><div class="extra"><dt>${t("queues")}</dt><dd>${one.queues.map(queueName).join(", ")}</dd></div></dl>
    <${ForcePresence} id=${id} />
    <section class="panel"><h3>${t("drawer.work", { n: work.length })}</h3>${work.map((row) => html`<button type="button" key=${row.id} class="open-row" onClick=${() => go("floor", "interaction", row.id)}><${Icon} name=${row.icon || "message-square"} /><span>${row.customer_name} · ${queueName(row.queue)}</span><${Chip}>${t(`istate.${row.state}`)}<//></button>`)}
      ${!work.length && html`<p class="quiet">${t("drawer.idle")}</p>`}</section>
    <section class="panel why"><h3>${t("standing.of")}</h3><${Standing} key=${id} id=${id} /></section>`;
}

/** @param {{ id: string }} props */
function ForcePresence({ id }) {
  const [presence, setPresence] = useState("away");
  const [reason, setReason] = useState("");
  const [busy, run] = useBusy();
  const submit = (/** @type {Event} */ e) => {
    e.preventDefault();
    void run(async () => {
      const answer = await forcePresence(id, /** @type {any} */ (presence), reason);
      if (answer.ok) toast(t("force.done"), "ok");
    });
  };
  const value = (/** @type {Event} */ e) => /** @type {HTMLSelectElement} */ (e.target).value;
  return html`<form class="panel force" onSubmit=${submit}><h3>${t("force.title")}</h3><div class="two">
    <select aria-label=${t("axis.presence")} value=${presence} onChange=${(/** @type {Event} */ e) => setPresence(value(e))}>${["available", "away", "offline"].map((one) => html`<option key=${one} value=${one} selected=${one === presence}>${t(`state.${one}`)}</option>`)}</select>
    <input list="force-reasons" aria-label=${t("force.reason")} placeholder=${t("force.reason")} value=${reason} onInput=${(/** @type {Event} */ e) => setReason(value(e))} maxlength="100" /></div>
    <datalist id="force-reasons">${(hubSettings()?.away_reasons ?? []).map((one) => html`<option key=${one.id} value=${one.id}>${reasonWord(one.id)}</option>`)}</datalist>
    <${Button} type="submit" class="wide" busy=${busy}>${t("force.go")}<//></form>`;
}

/** @param {{ id: string }} props */
function InteractionDrawer({ id }) {
  const row = interactions.get(id);
  const [closing, setClosing] = useState(false);
  const [reason, setReason] = useState("");
  const [busy, run] = useBusy();
  if (!row) return html`<${Empty} icon="inbox" title=${t("gone.row")} />`;
  const close = (/** @type {Event} */ e) => {
    e.preventDefault();
    void run(async () => {
      const answer = await forceClose(id, reason.trim());
      if (answer.ok) (toast(t("close.done"), "ok"), go("floor"));
    });
  };
  return html`<section class="drawer-person"><${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} size="l" /><div><h3>${row.customer_name}${row.tier && html` <${Tier} tier=${row.tier} />`}</h3><p>${t(`channel.${row.channel_kind}`)} · ${queueName(row.queue)} · ${t(`istate.${row.state}`)}</p></div></section>
    ${row.preview && html`<blockquote class="drawer-quote" dir="auto" lang=${row.language ?? undefined}>${row.preview}</blockquote>`}
    <dl class="facts axes"><div class="extra"><dt>${t("axis.waited")}</dt><dd><${Elapsed} since=${row.queued_at ?? row.created_at} /></dd></div>${row.position && html`<div class="extra"><dt>${t("axis.position")}</dt><dd>${row.position}</dd></div>`}
      <div class="extra"><dt>${t("axis.with")}</dt><dd>${agents.get(row.agent)?.name ?? "-"}</dd></div></dl>
    <${Button} class="wide" icon="eye" onClick=${() => openInteraction(id)}>${t("drawer.open")}<//>
    <${ListenIn} row=${row} />
    <${Why} key=${id} id=${id} />
    <${Assign} row=${row} />
    <section class="panel"><h3>${t("close.title")}</h3>${closing
      ? html`<form class="force" onSubmit=${close}><p class="quiet">${t("close.text")}</p><input value=${reason} aria-label=${t("close.reason")} placeholder=${t("close.reason")} required maxlength="200" onInput=${(/** @type {Event} */ e) => setReason(/** @type {HTMLInputElement} */ (e.target).value)} ref=${(/** @type {HTMLElement | null} */ el) => el && !reason && el.focus()} />
          <div class="form-end"><${Button} kind="ghost" onClick=${() => setClosing(false)}>${t("cancel")}<//><${Button} kind="bad" type="submit" busy=${busy} disabled=${!reason.trim()}>${t("close.go")}<//></div></form>`
      : html`<${Button} class="wide bad-text" onClick=${() => setClosing(true)}>${t("close.start")}<//>`}</section>`;
}

/** @param {{ row: import("../types").InteractionRow }} props */
function Assign({ row }) {
  const [busy, setBusy] = useState("");
  const give = async (/** @type {{ agent?: string, queue?: string }} */ to, /** @type {string} */ name) => {
    setBusy(name);
    const answer = await assign(row.id, to);
    setBusy("");
    if (answer.ok) toast(t("assign.done", { name }), "ok");
  };
  const people = agents.all().filter((one) => one.id !== row.agent && one.presence !== "offline" && one.connectivity !== "lost").sort((a, b) => Number(stateOf(b) === "available") - Number(stateOf(a) === "available") || a.held - b.held || a.name.localeCompare(b.name));
  return html`<section class="panel"><h3>${t("assign.agent")}</h3>${!people.length && html`<p class="quiet">${t("assign.nobody")}</p>`}<div class="assign">${people.map((one, i) => html`<button type="button" key=${one.id} class="target" data-assign=${i === 0 ? "" : undefined} disabled=${Boolean(busy)} onClick=${() => give({ agent: one.id }, one.name)}><${Avatar} name=${one.name} size="s" /><span class="target-main"><b>${one.name}</b><small><${PersonState} person=${one} reason=${reasonWord(one.reason)} /></small></span><span class="target-load">${t("transfer.free", { n: Math.max(0, one.capacity - one.held) })}</span></button>`)}</div>
    <h3>${t("assign.queue")}</h3><div class="assign">${queues.all().filter((one) => one.id !== row.queue || row.agent).map((one) => html`<button type="button" key=${one.id} class="target" disabled=${Boolean(busy)} onClick=${() => give({ queue: one.id }, one.name)}><span class="target-icon"><${Icon} name="users" /></span><span class="target-main"><b>${one.name}</b><small>${t("transfer.queue", { waiting: one.waiting, free: one.available })}</small></span></button>`)}</div></section>`;
}
