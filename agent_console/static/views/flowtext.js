import { html, useState } from "vendor/preact";
import { post } from "../api.js";
import { explain, fullTime, t } from "../i18n.js";
import { toast } from "../screen.js";
import { myself } from "../store.js";
import { Button } from "../ui/parts.js";

/** @typedef {{ id: string, version: string, published_at: number, author: string, is_published: boolean, text: string }} Version */

/**
 * What differs between two texts, line by line: the longest lines in common stay, by dynamic programming.
 * @param {string} before @param {string} after @returns {[" " | "-" | "+", string][]}
 */
export function lineDiff(before, after) {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  }
  /** @type {[" " | "-" | "+", string][]} */
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push([" ", a[i++]]), j++;
    else if (i < a.length && (j === b.length || common[i + 1][j] >= common[i][j + 1])) found.push(["-", a[i++]]);
    else found.push(["+", b[j++]]);
  }
  return found;
}

/** Every version with what it changed, and the text to be changed. @param {{ name: string, versions: Version[], onSheet: (sheet: any) => void }} props */
export function Versions({ name, versions, onSheet }) {
  const isAdmin = myself()?.role === "admin";
  const back = async (/** @type {Version} */ one) => {
    const answer = /** @type {any} */ (await post(`/flows/${encodeURIComponent(name)}/roll-back`, { version: one.version }));
    if (!answer.ok) return toast(explain(answer), "bad");
    onSheet(answer.flow);
    toast(t("flows.published", { version: one.version }));
  };
  const current = versions.find((one) => one.is_published);
  return html`<section class="card"><h2>${t("flows.versions")}</h2><ul class="flow-versions">${versions.map((one, n) => html`<li key=${one.id}><details><summary>${one.version} <small>${fullTime(one.published_at)}${one.author ? ` · ${one.author}` : ""}${one.is_published ? ` · ${t("flows.current")}` : ""}</small></summary>
      ${versions[n + 1] ? html`<${Diff} before=${versions[n + 1].text} after=${one.text} />` : html`<pre>${one.text}</pre>`}</details>
      ${!one.is_published && isAdmin && html`<${Button} small icon="undo-2" onClick=${() => back(one)}>${t("flows.back")}<//>`}</li>`)}</ul>
    ${isAdmin && current && html`<${Editor} key=${current.id} text=${current.text} onSheet=${onSheet} />`}</section>`;
}

/** What changed, with two lines around it. @param {{ before: string, after: string }} props */
function Diff({ before, after }) {
  const all = lineDiff(before, after);
  const near = (/** @type {number} */ n) => all.slice(Math.max(n - 2, 0), n + 3).some(([mark]) => mark !== " ");
  return html`<pre class="diff">${all.filter((_, n) => near(n)).map(([mark, line], n) => html`<span key=${n} class=${mark === "+" ? "added" : mark === "-" ? "gone" : ""}>${mark} ${line}\n</span>`)}</pre>`;
}

/** @param {{ text: string, onSheet: (sheet: any) => void }} props */
function Editor({ text, onSheet }) {
  const [now, setNow] = useState(text);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const publish = async () => {
    setBusy(true);
    const answer = /** @type {any} */ (await post("/flows", { text: now }));
    setBusy(false);
    // What is wrong with the text is told line by line, and nobody could word it better here.
    setProblem(answer.ok ? "" : answer.error === "bad_request" ? answer.message : explain(answer));
    if (answer.ok) onSheet(answer.flow), toast(t("flows.published", { version: answer.flow.figures.version }));
  };
  return html`<details class="flow-editor"><summary>${t("flows.edit")}</summary>
    <textarea rows="24" spellcheck=${false} aria-label=${t("flows.edit")} value=${now} onInput=${(/** @type {Event} */ e) => setNow(/** @type {HTMLTextAreaElement} */ (e.target).value)}></textarea>
    ${problem && html`<pre role="alert" class="flow-problem">${problem}</pre>`}
    ${now !== text && html`<${Diff} before=${text} after=${now} />`}
    <${Button} small disabled=${busy || now === text} onClick=${publish}>${t("flows.publish")}<//></details>`;
}
