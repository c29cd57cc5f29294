import { html, useEffect, useState } from "vendor/preact";
import { openInteraction } from "../actions.js";
import { attention, loadAttention, settleArrival } from "../attention.js";
import { ticking } from "../clock.js";
import { explain, fileSize, fullTime, shortDay, t } from "../i18n.js";
import { toast } from "../screen.js";
import { agents, hubSettings, kindOf } from "../store.js";
import { Button, Chip, Empty, Icon, Skeleton } from "../ui/parts.js";
import { ChannelStates, channelName } from "./channels.js";
import { Promised } from "./promises.js";

/** What a person has to look at: arrivals that could not be read, letters that did not go, promises that were not kept, channels that do not work. */
export function AttentionPage() {
  useEffect(() => void loadAttention(), []);
  const all = attention();
  const calm = all && !all.arrivals.length && !all.letters.length && !all.promises.length && all.channels.every((one) => one.is_up);
  return html`<div class="floor"><div class="scroll floor-scroll" data-region="list" tabindex="-1" aria-label=${t("nav.attention")}><div class="floor-inner attention">
    <header class="floor-head"><h1>${t("nav.attention")}</h1></header>
    ${!all && html`<${Skeleton} kind="rows" rows=${4} />`}
    ${calm && html`<section class="card"><${Empty} icon="circle-check" title=${t("attention.none")} text=${t("attention.none.text")} /></section>`}
    ${all && all.arrivals.length > 0 && html`<section class="card"><h2>${t("attention.arrivals")} <span>${all.arrivals.length}</span></h2><p class="card-hint">${t("attention.arrivals.text")}</p><ul class="attention-list">${all.arrivals.map((one) => html`<${Arrival} key=${one.id} one=${one} />`)}</ul></section>`}
    ${all && all.letters.length > 0 && html`<section class="card"><h2>${t("attention.letters")} <span>${all.letters.length}</span></h2><ul class="attention-list">${all.letters.map((one) => html`<${Letter} key=${`${one.interaction}:${one.n}`} one=${one} />`)}</ul></section>`}
    ${all && all.promises.length > 0 && html`<section class="card"><h2>${t("attention.promises")} <span>${all.promises.length}</span></h2><ul class="promises attention-promises">${all.promises.map(({ promise, customer_name }) => html`<${Promised} key=${promise.id} one=${promise} name=${customer_name} now=${ticking()} onEnd=${loadAttention} />`)}</ul></section>`}
    ${all && all.channels.length > 0 && html`<${ChannelStates} rows=${all.channels} />`}
  </div></div></div>`;
}

/** @param {{ one: import("../attention.js").ArrivalShape }} props */
function Arrival({ one }) {
  const [busy, setBusy] = useState("");
  const [sure, setSure] = useState(false);
  const channel = (hubSettings()?.channels ?? []).find((each) => each.id === one.channel);
  const kind = kindOf(channel?.kind);
  const letters = kind.has_envelopes;
  const act = async (/** @type {"read-again" | "dismiss"} */ what) => {
    setBusy(what);
    const answer = await settleArrival(one.id, what);
    setBusy("");
    toast(answer.ok ? t(`attention.${what}.done`) : explain(answer), answer.ok ? "ok" : "bad");
  };
  return html`<li class="attention-row"><span class="attention-icon"><${Icon} name=${letters ? "mail-x" : (kind.icon ?? "inbox")} /></span>
    <div class="attention-main"><p class="attention-title"><b title=${one.channel}>${channel ? channelName(channel.id, channel.kind) : one.channel}</b><time title=${fullTime(one.at)}>${shortDay(one.at, ticking())}</time></p><p class="attention-problem" dir="auto">${one.problem}</p><p class="quiet">${fileSize(one.size)} · ${t("attention.attempts", { n: one.attempts })}</p></div>
    <div class="attention-actions">${sure
      ? html`<span class="quiet">${t("attention.dismiss.sure")}</span><${Button} small kind="ghost" onClick=${() => setSure(false)}>${t("cancel")}<//><${Button} small kind="bad" busy=${busy === "dismiss"} onClick=${() => act("dismiss")}>${t("attention.dismiss")}<//>`
      : html`<a class="button ghost small" href=${`/api/v1/arrivals/${encodeURIComponent(one.id)}/raw`} download><${Icon} name="download" /><span>${t("attention.raw")}</span></a>
        <${Button} small kind="ghost" onClick=${() => setSure(true)}>${t("attention.dismiss")}<//>${one.may_read_again && html`<${Button} small icon="refresh-cw" busy=${busy === "read-again"} onClick=${() => act("read-again")}>${t("attention.read-again")}<//>`}`}</div></li>`;
}

/** @param {{ one: import("../attention.js").TroubledLetter }} props */
function Letter({ one }) {
  const bad = one.state === "failed";
  return html`<li class="attention-row"><span class="attention-icon"><${Icon} name=${kindOf(one.channel_kind).icon ?? "inbox"} /></span>
    <div class="attention-main"><p class="attention-title"><b>${one.customer_name}</b><${Chip} tone=${bad ? "bad" : "warn"} icon=${bad ? "triangle-alert" : "circle-help"}>${t(`letter.is.${one.state}`)}<//><time title=${fullTime(one.at)}>${shortDay(one.at, ticking())}</time></p>
      <p>${one.subject || t("interaction.untitled")}</p><p class="attention-problem" dir="auto">${one.status && html`<code>${one.status}</code> `}${one.problem}</p><p class="quiet">${one.agent ? t("with", { name: agents.get(one.agent)?.name ?? one.agent }) : t("attention.nobody")}</p></div>
    <div class="attention-actions"><${Button} small icon="eye" onClick=${() => openInteraction(one.interaction)}>${t("drawer.open")}<//></div></li>`;
}
