import { html, useEffect } from "vendor/preact";
import { serverNow, ticking } from "../clock.js";
import { clockSeconds, duration, t } from "../i18n.js";
import { go } from "../screen.js";
import { agents, connectionState, queues } from "../store.js";
import { Icon, IconButton } from "../ui/parts.js";
import { StateMark, stateOf } from "../ui/status.js";
import { oldest, percent, worstFirst } from "./floor.js";

const STALE_MS = 5000;

/** Keeps the screen on while the board is shown. */
function useWakeLock() {
  useEffect(() => {
    /** @type {any} */
    let lock = null;
    const hold = () => document.hidden || void /** @type {any} */ (navigator).wakeLock?.request("screen").then((/** @type {any} */ got) => (lock = got)).catch(() => {});
    hold();
    document.addEventListener("visibilitychange", hold);
    return () => (document.removeEventListener("visibilitychange", hold), lock?.release());
  }, []);
}

/** For a screen on the wall: few figures, no names, no ranking. */
export function Wallboard() {
  useWakeLock();
  const now = ticking();
  const { state, heardAt } = connectionState();
  const silent = performance.now() - heardAt;
  const stale = (state === "silent" || state === "offline") && silent > STALE_MS;
  const states = agents.all().map(stateOf);
  const count = (/** @type {string[]} */ ...of) => states.filter((one) => of.includes(one)).length;
  // Two pixels an hour, so that no picture burns in.
  const shift = Math.floor(now / 3_600_000) % 8;
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ e) => e.key === "Escape" && go("floor");
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const people = /** @type {[string, string, number][]} */ ([["available", t("floor.free"), count("available")], ["busy", t("wall.busy"), count("busy", "full", "offered")], ["wrapping", t("wall.wrapping"), count("wrapping")], ["away", t("wall.away"), count("away")]]);
  const shown = queues.all().sort(worstFirst(now));
  // Up to four beside one another; more are smaller, so that all of them are on the screen.
  const rows = Math.min(3, Math.ceil(shown.length / 4));
  const room = { "--columns": Math.ceil(shown.length / rows), "--share": [1, 1, 0.72, 0.48][rows] };
  return html`<main class=${`wall ${stale ? "stale" : ""}`} id="main" tabindex="-1" style=${{ transform: `translate(${shift}px, ${shift}px)` }}>
    <header><h1>${t("wallboard")}</h1><${IconButton} icon="x" size=${20} label=${t("wall.leave")} keys="Esc" tip="left" onClick=${() => go("floor")} /><time>${clockSeconds(now)}</time></header>
    ${stale && html`<p class="wall-stale"><${Icon} name="wifi-off" size=${20} />${t("wall.stale", { at: clockSeconds(serverNow() - silent) })}</p>`}
    <div class="wall-queues" style=${room}>${shown.map((one) => html`<${WallQueue} key=${one.id} one=${one} now=${now} />`)}</div>
    <footer>${people.map(([mark, word, n]) => html`<span key=${mark}><${StateMark} state=${mark} /><b>${n}</b> ${word}</span>`)}</footer>
  </main>`;
}

/** @param {{ one: import("../types").QueueRow, now: number }} props */
function WallQueue({ one, now }) {
  const wait = oldest(one, now);
  const over = wait > one.target_s * 1000;
  const below = one.service_level !== null && one.service_level !== undefined && one.service_level < one.target_share;
  const sign = html`<${Icon} name="triangle-alert" size=${24} />`;
  return html`<section class=${over ? "alarm" : ""}><h2>${one.name}</h2>
    <p class="wall-big"><b>${one.waiting}</b><span>${t("floor.waiting")}</span></p>
    <p class=${over ? "over" : ""}><b>${one.waiting ? duration(wait) : "-"}</b> <span>${over && sign}${over ? t("wall.over") : t("wall.longest")}</span></p>
    <p class=${below ? "over" : ""}><b>${percent(one.service_level, one.target_share)}</b> <span>${below && sign}${one.offered ? t("of.target", { share: Math.round(one.target_share * 100) }) : t("wall.none")}</span></p></section>`;
}
