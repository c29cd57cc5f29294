import { html, useEffect } from "vendor/preact";
import { resumeWork } from "../actions.js";
import { alertState, testSound } from "../alerts.js";
import { ticking } from "../clock.js";
import { clockTime, roughly, t } from "../i18n.js";
import { connectionState, myself, queueName, setConnection } from "../store.js";
import { announce } from "../ui/live.js";
import { Button, Icon, IconButton } from "../ui/parts.js";


export function Banners() {
  return html`<div class="banners"><${ConnectionBanner} /><${NotResponding} /><${Returned} /><${SoundOff} /></div>`;
}

/** @param {{ tone: string, icon: string, children?: unknown, action?: unknown }} props */
const Banner = ({ tone, icon, children, action }) => html`<div class=${`banner ${tone}`} role="region" aria-label=${t("notice")}><${Icon} name=${icon} /><p>${children}</p>${action}</div>`;

function ConnectionBanner() {
  const { state, heardAt, behind } = connectionState();
  const down = state === "silent" || state === "offline";
  useEffect(() => {
    if (down) announce(t("connection.lost"), { now: true });
    return () => void (down && announce(t("connection.back")));
  }, [down]);
  if (state === "gap" && behind > 1) return html`<${Banner} tone="info" icon="refresh-cw">${t("status.behind", { n: behind })}<//>`;
  if (!down) return null;
  void ticking();
  const ago = roughly(Date.now() - heardAt);
  return state === "silent"
    ? html`<${Banner} tone="warn" icon="wifi-off">${t("connection.reconnecting", { ago })}<//>`
    : html`<${Banner} tone="bad" icon="wifi-off">${t("connection.offline", { at: clockTime(heardAt) })}<//>`;
}

function NotResponding() {
  const me = myself();
  if (me?.status !== "not_responding") return null;
  return html`<${Banner} tone="bad" icon="triangle-alert" action=${html`<${Button} kind="primary" small onClick=${resumeWork}>${t("back.button")}<//>`}>${t("back.text", { n: me.misses })}<//>`;
}

function Returned() {
  const { returned } = connectionState();
  if (!returned.length) return null;
  const text = returned.map(({ queue, count }) => t("connection.returned", { n: count, queue: queueName(queue) })).join(" ");
  return html`<${Banner} tone="info" icon="info" action=${html`<${IconButton} icon="x" label=${t("close")} onClick=${() => setConnection({ returned: [] })} />`}>${text}<//>`;
}

function SoundOff() {
  if (!alertState.value.blocked) return null;
  return html`<${Banner} tone="warn" icon="volume-x" action=${html`<${Button} small onClick=${testSound}>${t("sound.on")}<//>`}>${t("sound.off")}<//>`;
}
