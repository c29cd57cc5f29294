import { html, useEffect, useState } from "vendor/preact";
import { get } from "../api.js";
import { duration, t } from "../i18n.js";
import { go, route } from "../screen.js";
import { Empty, Skeleton } from "../ui/parts.js";
import { Versions } from "./flowtext.js";
import { TryIt } from "./flowtry.js";

/**
 * @typedef {{ step: string, kind: string, about: string, now: number, passed: number, left: number, handed_over: number, median_ms: number | null }} Step
 * @typedef {{ name: string, title: string, version: string, begun: number, open: number, solved: number, handed_over: number, left: number, on_older: number, steps: Step[] }} Figures
 * @typedef {{ figures: Figures, picture: string, versions: import("./flowtext.js").Version[] }} Sheet
 */
const EVERY_MS = 3_000;

/** Ask again and again while the page is looked at. @template T @param {string} path @param {string} key @returns {[T | null, (next: T) => void]} */
function useLive(path, key) {
  const [value, setValue] = useState(/** @type {T | null} */ (null));
  useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      const answer = /** @type {any} */ (await get(path, stop.signal));
      if (answer.ok && !stop.signal.aborted) setValue(answer[key]);
    };
    ask();
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), EVERY_MS);
    return () => (stop.abort(), clearInterval(timer));
  }, [path]);
  return [value, setValue];
}

/** Self-service: what runs, who is where, what is solved without anybody. */
export function Flows() {
  const { id } = route();
  const [flows] = useLive(/** @type {string} */ ("/flows"), "flows");
  const list = /** @type {Figures[] | null} */ (flows);
  return html`<div class="floor"><div class="scroll floor-scroll" data-region="list" tabindex="-1" aria-label=${t("nav.flows")}><div class="floor-inner">
    <header class="floor-head"><h1>${t("nav.flows")}</h1></header>
    <section class="card"><h2>${t("flows.today")}</h2>${!list ? html`<${Skeleton} kind="list" rows=${4} />` : !list.length ? html`<${Empty} icon="git-merge" title=${t("flows.none")} />` : html`<${Table} list=${list} here=${id} />`}</section>
    ${id && html`<${One} key=${id} name=${id} />`}
  </div></div></div>`;
}

/** @param {{ list: Figures[], here: string }} props */
function Table({ list, here }) {
  return html`<div class="table-scroll"><table class="flows-table"><thead><tr><th scope="col">${t("flows.flow")}</th>${["open", "begun", "solved", "handed_over", "left"].map((name) => html`<th scope="col" key=${name}>${t(`flows.${name}`)}</th>`)}</tr></thead>
    <tbody>${list.map((one) => html`<tr key=${one.name} aria-current=${here === one.name ? "true" : undefined}><th scope="row"><button type="button" class="link" onClick=${() => go("flows", one.name)}>${one.title}</button>${one.on_older > 0 && html` <small>${t("flows.older", { n: one.on_older })}</small>`}</th>
      <td><b>${one.open}</b></td><td>${one.begun}</td><td>${one.solved}</td><td>${one.handed_over}</td><td>${one.left}</td></tr>`)}</tbody></table></div>`;
}

/** @param {{ name: string }} props */
function One({ name }) {
  const [found, setSheet] = useLive(`/flows/${encodeURIComponent(name)}`, "flow");
  const sheet = /** @type {Sheet | null} */ (found);
  if (!sheet) return html`<section class="card"><${Skeleton} kind="list" rows=${6} /></section>`;
  return html`<section class="card"><h2>${sheet.figures.title} <span>${sheet.figures.version}</span></h2>
      <div class="flow-picture"><img src=${`data:image/svg+xml;charset=utf-8,${encodeURIComponent(sheet.picture)}`} alt=${t("flows.picture", { name: sheet.figures.title })} /></div></section>
    <section class="card"><h2>${t("flows.steps")}</h2><div class="table-scroll"><table class="flows-table"><thead><tr><th scope="col">${t("flows.step")}</th><th scope="col">${t("flows.now")}</th><th scope="col">${t("flows.passed")}</th><th scope="col">${t("flows.handed_over")}</th><th scope="col">${t("flows.left")}</th><th scope="col">${t("flows.median")}</th></tr></thead>
      <tbody>${sheet.figures.steps.map((one) => html`<tr key=${one.step}><th scope="row">${one.step} <small>${one.about}</small></th><td><b>${one.now || "-"}</b></td><td>${one.passed || "-"}</td><td>${one.handed_over || "-"}</td><td>${one.left || "-"}</td><td>${one.median_ms === null ? "-" : one.median_ms < 1000 ? "<0:01" : duration(one.median_ms)}</td></tr>`)}</tbody></table></div></section>
    <${TryIt} name=${name} version=${sheet.figures.version} />
    <${Versions} name=${name} versions=${sheet.versions} onSheet=${setSheet} />`;
}
