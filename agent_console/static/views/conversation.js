import { html, useEffect, useRef, useState } from "vendor/preact";
import { assign, openInteraction, park, pull, unpark, wrapUp } from "../actions.js";
import { leaveConversation, loadConversation } from "../conversations.js";
import { isCall, isPlanned, isTalking } from "../calls.js";
import { t } from "../i18n.js";
import { narrow } from "../platform.js";
import { customerDrawer, openLayer, showCustomerDrawer, showLayer, showPane } from "../screen.js";
import { agents, connectionState, conversation, interactions, isSupervisor, kindOf, myself, queueName, queues } from "../store.js";
import { Avatar, Button, Chip, Empty, Icon, IconButton } from "../ui/parts.js";
import { isEnded, isWritable } from "../work.js";
import { CallPanel } from "./call.js";
import { Composer } from "./composer.js";
import { LateOutcome } from "./outcomes.js";
import { LetterComposer } from "./lettercomposer.js";
import { Elapsed } from "./deadline.js";
import { Tier } from "./tier.js";
import { Log } from "./log.js";
import { OfferDock } from "./offer.js";
import { Planned } from "./planned.js";
import { Unsent } from "./unsent.js";
import { WrapUp } from "./wrapup.js";

/** @param {{ id: string }} props */
export function Conversation({ id }) {
  const [error, setError] = useState("");
  const held = conversation(id);
  const load = async () => setError(await loadConversation(id));
  // It left this person's rows: closed at another window of theirs, by the clock, or moved where they see nothing.
  const known = Boolean(interactions.get(id));
  const was = useRef(known);
  useEffect(() => {
    if (was.current && !known) void load();
    was.current = known;
  }, [known]);
  useEffect(() => {
    void load();
    return () => leaveConversation(id);
  }, [id]);
  const live = connectionState().state === "live";
  useEffect(() => void (live && error && load()), [live]);
  return html`<section class="conversation" data-region="conversation" tabindex="-1" aria-label=${t("region.conversation")}>
    ${held ? html`<${Header} row=${held.interaction} />${isCall(held.interaction) && html`<${CallPanel} key=${`call ${id}`} row=${held.interaction} />`}${isPlanned(held.interaction) && html`<${Planned} key=${`planned ${id}`} row=${held.interaction} />`}<${Log} key=${id} held=${held} />${narrow.value && html`<${OfferDock} place="inline" />`}<${Foot} row=${held.interaction} />`
      : error ? html`<${Missing} text=${error} retry=${load} />`
      : html`<div class="skeleton talk" aria-hidden="true"><span></span><span></span><span></span><span></span></div>`}
  </section>`;
}

/** @param {{ text: string, retry: () => void }} props */
const Missing = ({ text, retry }) => html`<${BackButton} /><${Empty} icon="message-square" title=${t("conversation.missing")} text=${text}><${Button} small onClick=${retry}>${t("retry")}<//><//>`;
const BackButton = () => html`<${IconButton} class="back" icon="arrow-left" label=${t("back")} onClick=${() => showPane("list")} />`;

/** @param {{ row: import("../types").InteractionRow }} props */
function Header({ row }) {
  const mine = row.agent === myself()?.agent_id;
  const by = row.agent && !mine ? agents.get(row.agent)?.name : "";
  return html`<header class="talk-head">
    <${BackButton} />
    <button type="button" class="talk-who" onClick=${() => (showPane("customer"), showCustomerDrawer(true))}><${Avatar} name=${row.customer_name} icon=${row.icon || "message-square"} />
      <span class="talk-title"><span class="talk-name"><h2>${row.customer_name}</h2>${row.tier && html`<${Tier} tier=${row.tier} />`}</span>
      <span class="talk-meta">${t(`channel.${row.channel_kind}`)} · ${queueName(row.queue)}${row.subject ? ` · ${row.subject}` : ""} · <${Elapsed} since=${row.created_at} rough />${by ? ` · ${t("with", { name: by })}` : ""}</span></span></button>
    <div class="talk-actions">${mine ? html`<${MyActions} row=${row} />` : html`<${OtherActions} row=${row} />`}
      <${IconButton} icon="panel-right" class="drawer-button" label=${t("customer.show")} keys="I" aria-expanded=${customerDrawer()} onClick=${() => showCustomerDrawer(!customerDrawer())} />
    </div>
  </header>`;
}

/** @param {{ icon: string, label: string, keys: string, kind?: string, onClick: () => void, [more: string]: unknown }} props */
const Act = ({ icon, label, keys, kind = "ghost", ...rest }) => html`<${Button} icon=${icon} kind=${kind} class="act" title=${`${label}  ${keys}`} aria-label=${label} keys=${keys} ...${rest}>${label}<//>`;

/** @param {{ row: import("../types").InteractionRow }} props */
function MyActions({ row }) {
  if (isEnded(row.state) || row.state === "wrapping" || row.state === "transferring") return html`<${Chip} tone=${row.state === "wrapping" ? "busy" : ""}>${t(`istate.${row.state}`)}<//>`;
  // Of a call in progress all that can be done stands in its panel.
  if (isCall(row)) return html`<${Chip} tone="busy">${t(`istate.${row.state}`)}<//>`;
  if (isPlanned(row)) return html`<${Chip}>${t("planned.chip")}<//>`;
  return html`<${Act} icon="arrow-right-left" label=${t("transfer")} keys="T" aria-expanded=${openLayer() === "transfer"} onClick=${() => (showLayer("transfer"), showPane("customer"), showCustomerDrawer(true))} />
    ${row.state === "parked"
      ? html`<${Act} icon="play" label=${t("unpark")} keys="S" onClick=${() => unpark(row.id)} />`
      : html`<${Act} icon="circle-pause" label=${t("park")} keys="S" onClick=${() => park(row.id)} />`}
    <${Act} icon="circle-check" kind="plain" label=${t("wrap.start")} keys="W" onClick=${() => wrapUp(row.id)} />`;
}

/** @param {{ row: import("../types").InteractionRow }} props */
function OtherActions({ row }) {
  const me = myself()?.agent_id;
  const waiting = row.state === "queued";
  return html`<${Chip}>${t(`istate.${row.state}`)}<//>
    ${waiting && queues.get(row.queue)?.pull_allowed ? html`<${Button} small kind="primary" onClick=${() => pull(row.id)}>${t("take")}<//>`
      : isSupervisor.value && !isEnded(row.state) && me ? html`<${Button} small onClick=${() => assign(row.id, { agent: me })}>${t("assign.me")}<//>` : null}`;
}

/** What stands below the log: the composer, the wrap-up, or why there is neither. @param {{ row: import("../types").InteractionRow }} props */
function Foot({ row }) {
  const mine = row.agent === myself()?.agent_id;
  if (mine && row.state === "wrapping") return html`<${WrapUp} row=${row} />`;
  if (mine && row.state === "closed" && !row.disposition) return html`<${LateOutcome} key=${row.id} row=${row} />`;
  if (mine && row.call && (isWritable(row) || isTalking(row))) return html`<${Composer} key=${row.id} row=${row} noteOnly />`;
  if (mine && isWritable(row)) return html`<${kindOf(row.channel_kind).has_envelopes ? LetterComposer : Composer} key=${row.id} row=${row} />`;
  const open = interactions.all().find((other) => other.customer === row.customer && other.id !== row.id && other.agent === myself()?.agent_id && !isEnded(other.state));
  return html`<footer class="readonly"><${Unsent} id=${row.id} /><${Icon} name=${isEnded(row.state) ? "history" : "eye"} /><p>${t(isEnded(row.state) ? "readonly.ended" : row.agent ? "readonly.other" : "readonly.waiting", { name: agents.get(row.agent)?.name ?? "" })}</p>
    ${open && html`<${Button} small onClick=${() => openInteraction(open.id)}>${t("readonly.current")}<//>`}
    ${!isEnded(row.state) && html`<${Composer} key=${row.id} row=${row} noteOnly />`}</footer>`;
}
