import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { complete, extendWrapUp } from "../actions.js";
import { serverNow, ticking } from "../clock.js";
import { duration, t, worded } from "../i18n.js";
import { go, keep, openLayer, preferences, readKept, selected, showPane } from "../screen.js";
import { hubSettings } from "../store.js";
import { isStray } from "../ui/focus.js";
import { announce } from "../ui/live.js";
import { useBusy } from "../ui/busy.js";
import { Button, Icon } from "../ui/parts.js";
import { composing } from "../ui/layers.js";
import { draftOf, setDraft } from "../written.js";
import { Unsent } from "./unsent.js";

const USED = "console.outcomes";
const WARN_MS = 20_000;

/** The outcomes for a queue, the five this person uses most first. @param {string} queue @returns {import("../types").Disposition[]} */
export function outcomesFor(queue) {
  const used = readKept(USED) ?? {};
  const all = (hubSettings()?.dispositions ?? []).filter((one) => !one.queues?.length || one.queues.includes(queue));
  return all.map((one, at) => ({ one, at })).sort((a, b) => (used[b.one.id] ?? 0) - (used[a.one.id] ?? 0) || a.at - b.at).map(({ one }) => one);
}

/** @param {import("../types").Disposition} one */
export const outcomeWord = (one) => worded(one.label, `outcome.${one.id}`);

/** The customer is gone; what came of it, before the hub's clock closes it. @param {{ row: import("../types").InteractionRow }} props */
export function WrapUp({ row }) {
  void ticking();
  const left = Math.max(0, (row.wrap_up_ends_at ?? serverNow()) - serverNow());
  const [all] = useState(() => outcomesFor(row.queue));
  const [chosen, setChosen] = useState("");
  const [find, setFind] = useState("");
  const note = draftOf(row.id, "wrap_up");
  const [busy, run] = useBusy();
  const warned = left < WARN_MS;
  const done = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => void (warned && announce(t("wrap.warning"))), [warned]);
  const found = find ? all.filter((one) => outcomeWord(one).toLowerCase().includes(find.toLowerCase())) : all.slice(0, 5);
  // Chosen, then Enter: "Done" takes the focus once it can be pressed.
  useLayoutEffect(() => void (chosen && /** @type {HTMLElement | null} */ (done.current?.querySelector("button.primary"))?.focus()), [chosen]);
  const finish = () => (chosen ? run(close) : undefined);
  const close = async () => {
    const answer = await complete(row.id, chosen, note.trim());
    if (!answer.ok) return;
    setDraft(row.id, "wrap_up", "");
    const used = readKept(USED) ?? {};
    keep(USED, { ...used, [chosen]: (used[chosen] ?? 0) + 1 });
    // Who has gone on meanwhile is not called back.
    if (selected.peek() !== row.id) return;
    go("work");
    showPane("list");
  };
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ e) => {
      const field = /** @type {HTMLElement} */ (e.target).closest?.("input, textarea, select, [role=menu]");
      if (field || composing(e) || e.repeat || e.ctrlKey || e.altKey || e.metaKey || isStray() || openLayer() || !preferences().keys) return;
      const one = found[Number(e.key) - 1];
      if (!/^[1-5]$/.test(e.key) || !one) return;
      e.preventDefault();
      setChosen(one.id);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
  return html`<footer class="wrapup" ref=${done} aria-label=${t("wrap.title")}>
    <${Unsent} id=${row.id} />
    <header><h3>${t("wrap.title")}</h3><span class=${`wrap-clock ${warned ? "soon" : ""}`} role="timer" aria-live="off">${warned && html`<${Icon} name="timer" size=${12} />`}${duration(left)}</span>
      <${Button} small onClick=${() => extendWrapUp(row.id)}>${t("wrap.more")}<//><p>${t("wrap.hint")}</p></header>
    <div class="outcomes" role="radiogroup" aria-label=${t("wrap.outcome")}>
      ${found.map((one, i) => html`<button type="button" key=${one.id} role="radio" aria-checked=${chosen === one.id} onClick=${() => setChosen(one.id)}>${i < 5 && html`<kbd aria-hidden="true">${i + 1}</kbd>`}${outcomeWord(one)}</button>`)}
    </div>
    <div class="wrap-row">
      ${all.length > 5 && html`<label class="wrap-find"><${Icon} name="search" /><input type="search" value=${find} placeholder=${t("wrap.find")} aria-label=${t("wrap.find")} onInput=${(/** @type {Event} */ e) => setFind(/** @type {HTMLInputElement} */ (e.target).value)} /></label>`}
      <input type="text" class="wrap-note" value=${note} placeholder=${t("wrap.note")} aria-label=${t("wrap.note")} maxlength="2000" onInput=${(/** @type {Event} */ e) => setDraft(row.id, "wrap_up", /** @type {HTMLInputElement} */ (e.target).value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Enter" && !composing(e) && void finish()} />
      <${Button} kind="primary" icon="check" disabled=${!chosen} busy=${busy} onClick=${finish}>${t("wrap.done")}<//>
    </div>
  </footer>`;
}
