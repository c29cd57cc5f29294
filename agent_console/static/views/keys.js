import { html } from "vendor/preact";
import { commands } from "../commands.js";
import { t } from "../i18n.js";
import { OTHER_KEYS } from "../keyboard.js";
import { prefer, preferences } from "../screen.js";
import { Dialog } from "../ui/layers.js";
import { modifier } from "../platform.js";

/** @param {{ keys: string }} props */
export const KeyNames = ({ keys }) => html`<span class="keynames">${keys.split(" ").filter(Boolean).map((part, i) => html`<kbd key=${i}>${part.replace("Ctrl", modifier).replaceAll("+", " ")}</kbd>`)}</span>`;

/** @param {{ onClose: () => void }} props */
export function KeyTable({ onClose }) {
  /** @type {Map<string, { label: string, keys: string }[]>} */
  const sections = new Map([[t("section.everywhere"), OTHER_KEYS.map(([label, keys]) => ({ label: t(label), keys }))]]);
  for (const one of commands()) if (one.keys) sections.set(one.section, [...(sections.get(one.section) ?? []), { label: one.label, keys: one.keys }]);
  return html`<${Dialog} title=${t("keys.title")} onClose=${onClose} class="keys-dialog">
    <div class="dialog-scroll" tabindex="0" role="region" aria-label=${t("keys.title")}><div class="key-sections">${[...sections].map(([name, rows]) => html`<section key=${name}><h3>${name}</h3><dl>${rows.map((row) => html`<div key=${row.label}><dt>${row.label}</dt><dd><${KeyNames} keys=${row.keys} /></dd></div>`)}</dl></section>`)}</div></div>
    <label class="switch"><input type="checkbox" checked=${preferences().keys} onChange=${(/** @type {Event} */ e) => prefer({ keys: /** @type {HTMLInputElement} */ (e.target).checked })} /><span>${t("keys.single")}</span></label>
  <//>`;
}
