import { html, useRef, useState } from "vendor/preact";
import { t } from "../i18n.js";
import { Icon } from "../ui/parts.js";
import { composing } from "../ui/layers.js";

/** @typedef {import("../types").Party} Party */

const SHAPE = /^[^\s@<>,;:"()]+@[^\s@<>,;:"()]+\.[^\s@<>,;:"().]+$/u;
/** Could a letter go there? The hub looks again. @param {Party} party */
export const isAddress = ({ address }) => SHAPE.test(address) && address.length <= 254;

/** "Li Wei <li@example.com>, ola@example.com" as people paste it. @param {string} text @returns {Party[]} */
export function parties(text) {
  const parts = text.match(/(?:"[^"]*"|<[^>]*>|[^,;\n，；、])+/gu) ?? [];
  return parts.map((part) => part.trim()).filter(Boolean).map((part) => {
    const named = /^"?(.*?)"?\s*<([^>]*)>$/u.exec(part);
    return named ? { name: named[1].trim(), address: named[2].trim() } : { name: "", address: part };
  });
}

/**
 * A line of people: typed, pasted or chosen; what cannot be an address stays to be seen and corrected.
 * @param {{ id: string, label: string, value: Party[], known: Party[], onChange: (value: Party[]) => void, children?: unknown }} props
 */
export function Recipients({ id, label, value, known, onChange, children }) {
  const [text, setText] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const commit = (/** @type {string} */ typed) => {
    const news = parties(typed).filter((one) => !value.some((held) => held.address.toLowerCase() === one.address.toLowerCase()));
    if (news.length) onChange([...value, ...news]);
    setText("");
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (composing(e)) return;
    if (e.key === "Backspace" && !text && value.length) {
      // The last one back into the field: corrected, not retyped.
      const last = value[value.length - 1];
      onChange(value.slice(0, -1));
      setText(isAddress(last) ? "" : last.address);
    } else if (["Enter", ",", ";", "，", "；"].includes(e.key) && !e.ctrlKey && !e.metaKey && text.trim()) commit(text);
    else return;
    e.preventDefault();
  };
  const onInput = (/** @type {Event} */ e) => {
    const typed = /** @type {HTMLInputElement} */ (e.target).value;
    // A choice from the list comes whole.
    if (known.some((one) => typed === written(one)) || /[,;\n，；]\s*$/u.test(typed)) commit(typed);
    else setText(typed);
  };
  const wrong = value.filter((one) => !isAddress(one));
  return html`<div class="recipients"><label for=${id}>${label}</label><div class="recipient-field">
    ${value.map((one, i) => html`<span key=${one.address} class=${`recipient ${isAddress(one) ? "" : "wrong"}`} title=${one.address}>${!isAddress(one) && html`<${Icon} name="triangle-alert" size=${12} />`}<span>${one.name || one.address}</span>
      <button type="button" aria-label=${t("recipient.remove", { name: one.name || one.address })} onClick=${() => (onChange(value.filter((_, at) => at !== i)), field.current?.focus())}><${Icon} name="x" size=${12} /></button></span>`)}
    <input id=${id} ref=${field} type="text" inputmode="email" autocomplete="off" spellcheck=${false} value=${text} list=${`${id}-known`} aria-invalid=${wrong.length > 0 || undefined} aria-describedby=${wrong.length ? `${id}-wrong` : undefined}
      onInput=${onInput} onKeyDown=${onKey} onBlur=${() => commit(text)} onPaste=${(/** @type {ClipboardEvent} */ e) => /[,;@\n]/.test(e.clipboardData?.getData("text") ?? "") && (e.preventDefault(), commit(text + e.clipboardData?.getData("text")))} />
    <datalist id=${`${id}-known`}>${known.filter((one) => !value.some((held) => held.address === one.address)).map((one) => html`<option key=${one.address} value=${written(one)}></option>`)}</datalist></div>
    ${children}
    ${wrong.length > 0 && html`<p class="field-error" id=${`${id}-wrong`}><${Icon} name="triangle-alert" size=${12} />${t("recipient.wrong", { address: wrong[0].address })}</p>`}</div>`;
}

/** @param {Party} party */
const written = ({ name, address }) => (name && name !== address ? `${name} <${address}>` : address);
