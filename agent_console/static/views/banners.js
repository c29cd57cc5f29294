import { html, useEffect } from "vendor/preact";
import { resumeWork } from "../actions.js";
import { alertState, testSound } from "../alerts.js";
import { serverNow, ticking } from "../clock.js";
import { clockTime, roughly, t } from "../i18n.js";
import { connectionState, myself, queueName, setConnection } from "../store.js";
import { announce } from "../ui/live.js";
import { Button, Icon, IconButton } from "../ui/parts.js";

/** The most urgent notice, in the top bar where it moves nothing. */
export function banner() {
  const { state, behind, returned } = connectionState();
  const me = myself();
  if (state === "silent" || state === "offline") return html`<${Lost} />`;
  if (state === "gap" && behind > 1) return html`<${Banner} tone="info" icon="refresh-cw">${t("status.behind", { n: behind })}<//>`;
  if (me?.status === "not_responding") return html`<${Banner} tone="bad" icon="triangle-alert" action=${html`<${Button} kind="primary" small onClick=${resumeWork}>${t("back.button")}<//>`}>${t("back.text", { n: me.misses })}<//>`;
  if (returned.length) return html`<${Returned} returned=${returned} />`;
  if (alertState.value.blocked) return html`<${Banner} tone="warn" icon="volume-x" action=${html`<${Button} small onClick=${testSound}>${t("sound.on")}<//>`}>${t("sound.off")}<//>`;
  return null;
}

/** @param {{ tone: string, icon: string, children?: unknown, action?: unknown }} props */
const Banner = ({ tone, icon, children, action }) => html`<section class=${`banner ${tone}`} aria-label=${t("notice")}><${Icon} name=${icon} /><p>${children}</p>${action}</section>`;

function Lost() {
  const { state, heardAt } = connectionState();
  useEffect(() => {
    announce(t("connection.lost"), { now: true });
    return () => announce(t("connection.back"));
  }, []);
  void ticking();
  const silent = performance.now() - heardAt;
  return state === "silent"
    ? html`<${Banner} tone="warn" icon="wifi-off">${t("connection.reconnecting", { ago: roughly(silent) })}<//>`
    : html`<${Banner} tone="bad" icon="wifi-off">${t("connection.offline", { at: clockTime(serverNow() - silent) })}<//>`;
}

/** @param {{ returned: { queue: string, count: number }[] }} props */
function Returned({ returned }) {
  const text = returned.map(({ queue, count }) => t("connection.returned", { n: count, queue: queueName(queue) })).join(" ");
  useEffect(() => announce(text), []);
  return html`<${Banner} tone="info" icon="info" action=${html`<${IconButton} icon="x" label=${t("close")} tip="left" onClick=${() => setConnection({ returned: [] })} />`}>${text}<//>`;
}
