import { html, useLayoutEffect, useMemo, useRef, useState } from "vendor/preact";
import { openInteraction } from "../actions.js";
import { query } from "../api.js";
import { commands } from "../commands.js";
import { t } from "../i18n.js";
import { closeLayer, go, keep, readKept } from "../screen.js";
import { queueName } from "../store.js";
import { Icon } from "../ui/parts.js";
import { composing, Dialog } from "../ui/layers.js";
import { myWork } from "../work.js";
import { useGet } from "./customers.js";
import { KeyNames } from "./keys.js";

/** @typedef {import("../types").Command} Command */
const USES = "console.palette";
const HALF_LIFE_MS = 7 * 86_400_000;

/** How well a command answers what was typed; 0 is not at all. @param {Command} one @param {string} find */
export function rank(one, find) {
  if (!find) return 1;
  const label = one.label.toLowerCase();
  const keys = (one.keys ?? "").toLowerCase().replaceAll(" ", "");
  if (keys === find || one.alias === find || one.id === find) return 5;
  if (label.startsWith(find)) return 4;
  if (label.split(/[\s,:]+/).some((word) => word.startsWith(find)) || (/\p{Script=Han}/u.test(find) && label.includes(find))) return 3;
  let at = 0;
  for (const letter of label) if (letter === find[at]) at += 1;
  return at === find.length && find.length > 1 ? 1 : 0;
}

/** Used often and lately counts more; half of it is forgotten in a week. @param {string} id */
function frecency(id) {
  const used = (readKept(USES) ?? {})[id];
  return used ? used.n * 0.5 ** ((Date.now() - used.at) / HALF_LIFE_MS) : 0;
}

/** @param {string} id */
function used(id) {
  const all = readKept(USES) ?? {};
  keep(USES, { ...all, [id]: { n: frecency(id) + 1, at: Date.now() } });
}

/** @param {string} find @param {Command[]} remote @returns {Command[]} */
function found(find, remote) {
  /** @type {Command[]} */
  const mine = myWork.value.map((row) => ({ id: `go-${row.id}`, label: row.customer_name, hint: `${queueName(row.queue)} · ${row.preview}`, section: t("section.mine"), icon: row.icon || "message-square", run: () => openInteraction(row.id) }));
  const scored = [...commands(), ...mine].map((one) => ({ one, score: rank(one, find) * (1 + frecency(one.id) / 10) })).filter(({ score }) => score > 0);
  const local = find ? scored.toSorted((a, b) => Number(Boolean(a.one.unavailable)) - Number(Boolean(b.one.unavailable)) || b.score - a.score).map(({ one }) => one) : scored.map(({ one }) => one).filter((one) => !one.unavailable);
  const order = [...new Set(local.map((one) => one.section))];
  return [...local.toSorted((a, b) => order.indexOf(a.section) - order.indexOf(b.section)), ...remote];
}

export function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const find = text.trim().toLowerCase();
  const { answer } = useGet(find.length > 1 || /\p{Script=Han}/u.test(find) ? `/customers${query({ q: find, limit: 6 })}` : null, 120);
  const remote = useMemo(() => (answer?.customers ?? []).map((/** @type {any} */ one) => ({ id: `customer-${one.id}`, label: one.name, hint: one.company ?? one.addresses?.[0]?.value, section: t("nav.customers"), icon: "user", run: () => go("customers", one.id) })), [answer]);
  const all = found(find, remote);
  if (find) all.push({ id: "search-all", label: t("palette.search", { find: text.trim() }), section: t("nav.search"), icon: "search", run: () => go("search", text.trim()) });
  const here = Math.min(at, all.length - 1);
  useLayoutEffect(() => setAt(0), [find]);
  useLayoutEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [here, find]);
  const choose = (/** @type {Command | undefined} */ one) => {
    if (!one || one.unavailable) return;
    used(one.id);
    closeLayer();
    queueMicrotask(() => one.run());
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (composing(e)) return;
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + 8, PageUp: here - 8 }[e.key];
    if (to !== undefined) setAt(Math.max(0, Math.min(all.length - 1, to)));
    else if (e.key === "Enter") choose(all[here]);
    else return;
    e.preventDefault();
  };
  return html`<${Dialog} title=${t("palette.title")} onClose=${closeLayer} class="palette" bare>
    <label class="palette-field"><${Icon} name="search" size=${20} /><input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-activedescendant=${all[here] ? `palette-${here}` : undefined}
      aria-label=${t("palette.title")} placeholder=${t("palette.placeholder")} value=${text} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLInputElement} */ (e.target).value)} onKeyDown=${onKey} autofocus autocomplete="off" spellcheck=${false} /></label>
    <ul id="palette-list" class="palette-list" role="listbox" aria-label=${t("palette.title")} ref=${list} tabindex="-1">
      ${all.map((one, i) => [
        (i === 0 || all[i - 1].section !== one.section) && html`<li key=${`s${i}`} class="palette-section" role="presentation">${one.section}</li>`,
        html`<li key=${one.id} id=${`palette-${i}`} role="option" aria-selected=${i === here} aria-disabled=${Boolean(one.unavailable)} onClick=${() => choose(one)} onMouseMove=${() => i !== here && setAt(i)}>
          <${Icon} name=${one.icon ?? "chevron-right"} /><span class="palette-label">${one.label}</span><span class="palette-hint">${one.unavailable ?? one.hint ?? ""}</span>${one.keys && html`<${KeyNames} keys=${one.keys} />`}</li>`,
      ])}
    </ul>
  <//>`;
}
