import { html, useState } from "vendor/preact";
import { beginPlanned, canDial, giveUpPlanned, isBusy, planCall } from "../calls.js";
import { serverNow, ticking } from "../clock.js";
import { fullTime, t } from "../i18n.js";
import { instant } from "../letters.js";
import { toast } from "../screen.js";
import { myself } from "../store.js";
import { Menu } from "../ui/layers.js";
import { Button, Icon } from "../ui/parts.js";
import { occasions, PickTime } from "./schedule.js";

/**
 * When a call is to be made: the usual times, or one that is picked.
 * @param {{ trigger: unknown, label: string, disabled?: boolean, up?: boolean, align?: "start" | "end", onPick: (at: number) => void }} props
 */
export function PickCallTime({ trigger, label, disabled = false, up = false, align = "end", onPick }) {
  const [picking, setPicking] = useState(false);
  const times = occasions(serverNow()).map(({ id, at }) => ({ id, label: t(`letter.at.${id}`), hint: instant(at), icon: "calendar-clock", run: () => onPick(at) }));
  return html`<${Menu} up=${up} align=${align} label=${label} disabled=${disabled} trigger=${trigger}
      items=${[{ heading: true, label }, ...times, { id: "pick", label: t("letter.at.pick"), icon: "pencil", run: () => setPicking(true) }]} />
    ${picking && html`<${PickTime} title=${t("letter.at.pick")} when=${t("planned.when")} word=${t("planned.plan")} onClose=${() => setPicking(false)} onPick=${(/** @type {number} */ at) => (setPicking(false), onPick(at))} />`}`;
}

/** A call that is planned: for when, and what can be done about it until then. @param {{ row: import("../types").InteractionRow }} props */
export function Planned({ row }) {
  void ticking();
  const call = row.call;
  if (!call?.due_at) return null;
  const mine = row.agent === myself()?.agent_id;
  const move = async (/** @type {number} */ at) => {
    const wrong = await planCall({ channel: row.channel, number: call.number, customer: row.customer, due_at: at, own: true });
    if (wrong) toast(wrong, "bad");
  };
  return html`<section class="call-panel planned" aria-label=${t("planned.title")}>
    <div class="call-top"><span class="call-icon"><${Icon} name="calendar-clock" size=${20} /></span>
      <div class="call-who"><b>${t("planned.at", { at: instant(call.due_at) })}</b><span title=${fullTime(call.due_at)}>${call.number} · ${t("call.via", { line: call.line })}</span></div></div>
    ${mine && html`<div class="planned-keys">
      <${Button} kind="primary" icon="phone-outgoing" disabled=${!canDial()} title=${canDial() ? "" : t("phone.not_ready")} busy=${isBusy(row.id, "begin")} onClick=${() => beginPlanned(row)}>${t("planned.begin")}<//>
      <${PickCallTime} align="start" label=${t("planned.move")} trigger=${html`<span class="button plain"><${Icon} name="calendar-clock" size=${16} /><span>${t("planned.move")}</span></span>`} onPick=${move} />
      <${Button} icon="x" kind="ghost" busy=${isBusy(row.id, "give-up")} onClick=${() => giveUpPlanned(row)}>${t("planned.give_up")}<//></div>`}
  </section>`;
}
