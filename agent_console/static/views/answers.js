import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { t, worded } from "../i18n.js";
import { hubSettings, myself, queueName } from "../store.js";
import { composing } from "../ui/layers.js";

/** `/` at the start of a line opens the answers; `、` is what that key gives in a Chinese input method. @param {string} text @param {number} caret */
export function answersAt(text, caret) {
  const start = text.lastIndexOf("\n", caret - 1) + 1;
  const found = /^[/、]([^\s/、]*)$/u.exec(text.slice(start, caret));
  return found ? { find: found[1], from: start } : null;
}

/** @typedef {{ id: string, shortcut: string, title: string, text: string, language: string | undefined }} Answer */

/** The company's answers for this queue, in the customer's language, best match first. @param {string} find @param {import("../types").InteractionRow} row @returns {Answer[]} */
function matchingAnswers(find, row) {
  const wanted = find.toLowerCase();
  const all = (hubSettings()?.canned_replies ?? []).filter((one) => !one.queues?.length || one.queues.includes(row.queue))
    .map((one) => ({ one, id: one.id, shortcut: one.shortcut, title: worded(one.title), text: worded(one.text, "", row.language ?? null), language: typeof one.text === "string" ? one.languages?.[0] : (row.language ?? undefined) }));
  const rank = (/** @type {typeof all[0]} */ each) =>
    (each.shortcut.toLowerCase().startsWith(wanted) ? 0 : each.title.toLowerCase().includes(wanted) ? 1 : each.text.toLowerCase().includes(wanted) ? 2 : 9) + (typeof each.one.text !== "string" || !row.language || !each.one.languages?.length || each.one.languages.includes(row.language) ? 0 : 4);
  return all.map((each) => ({ each, rank: rank(each) })).filter((each) => each.rank < 9).sort((a, b) => a.rank - b.rank).map(({ each }) => each);
}

/** `{{name}}` and its kin filled in; an unknown one stays to be seen. @param {string} text @param {import("../types").InteractionRow} row */
function filled(text, row) {
  /** @type {Record<string, string>} */
  const values = { name: row.customer_name, customer: row.customer_name, agent: myself()?.name ?? "", queue: queueName(row.queue), company: hubSettings()?.company ?? "" };
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name) => values[name] ?? whole);
}

/** @param {{ find: string, row: import("../types").InteractionRow, onChoose: (text: string) => void, onClose: () => void, field: { current: HTMLTextAreaElement | null } }} props */
export function Answers({ find, row, onChoose, onClose, field }) {
  const found = matchingAnswers(find, row);
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const here = Math.min(at, found.length - 1);
  useEffect(() => setAt(0), [find]);
  useLayoutEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [here]);
  // In place with the list and gone with it: a quick Enter must meet neither too early nor too late.
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ e) => {
      if (composing(e)) return;
      if (e.key === "ArrowDown") setAt((n) => Math.min(n + 1, found.length - 1));
      else if (e.key === "ArrowUp") setAt((n) => Math.max(0, n - 1));
      else if ((e.key === "Enter" || e.key === "Tab") && found[here]) onChoose(filled(found[here].text, row));
      else if (e.key === "Escape") onClose();
      else return;
      e.preventDefault();
      e.stopPropagation();
    };
    const area = field.current;
    area?.focus();
    area?.setAttribute("aria-activedescendant", found[here] ? `answer-${found[here].id}` : "");
    area?.addEventListener("keydown", onKey, true);
    return () => (area?.removeEventListener("keydown", onKey, true), area?.removeAttribute("aria-activedescendant"));
  });
  return html`<div class="answers"><p class="answers-head">${t("answers")}<span>${t("answers.keys")}</span></p>
    <ul role="listbox" ref=${list} aria-label=${t("answers")} tabindex="-1">${found.map((one, i) => html`<li key=${one.id} id=${`answer-${one.id}`} role="option" aria-selected=${i === here}
      onMouseDown=${(/** @type {Event} */ e) => (e.preventDefault(), onChoose(filled(one.text, row)))} onMouseMove=${() => setAt(i)}>
      <span class="answer-title">${one.title}<kbd>/${one.shortcut}</kbd></span><span class="answer-text" lang=${one.language}>${filled(one.text, row)}</span></li>`)}</ul>
    ${!found.length && html`<p class="answers-none">${t("answers.none")}</p>`}</div>`;
}
