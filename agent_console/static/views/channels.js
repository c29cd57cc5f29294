import { html } from "vendor/preact";
import { ticking } from "../clock.js";
import { fullTime, roughly, t } from "../i18n.js";
import { hubSettings, kindOf } from "../store.js";
import { Icon } from "../ui/parts.js";

/** What a person calls a way in and out: its kind, and which one where there are several. @param {string} id @param {string} kind */
export function channelName(id, kind) {
  const alike = (hubSettings()?.channels ?? []).filter((one) => one.kind === kind);
  const word = t(`channel.${kind}`);
  return alike.length > 1 ? `${word} · ${alike.find((one) => one.id === id)?.address || id}` : word;
}

/** How each way in and out stands: whether its provider is there, since when, and why not. @param {{ rows: import("../attention.js").ChannelState[] }} props */
export function ChannelStates({ rows }) {
  const now = ticking();
  const sorted = rows.toSorted((a, b) => Number(a.is_up) - Number(b.is_up) || a.id.localeCompare(b.id));
  return html`<section class="card channels"><h2>${t("channels")} <span>${rows.length}</span></h2><ul class="channel-list">${sorted.map((one) => html`<li key=${one.id}><span class="attention-icon"><${Icon} name=${kindOf(one.channel_kind).icon ?? "inbox"} /></span>
    <span class="channel-main"><b title=${one.id}>${channelName(one.id, one.channel_kind)}</b>${!one.is_up && one.problem && html`<small dir="auto">${one.problem}</small>`}</span>
    <span class=${`channel-state tone-${one.is_up ? "ok" : "bad"}`} title=${fullTime(one.since)}><${Icon} name=${one.is_up ? "plug" : "unplug"} size=${12} />${t(one.is_up ? "channel.up" : "channel.down", { time: roughly(now - one.since) })}</span></li>`)}</ul></section>`;
}
