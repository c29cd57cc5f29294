import { html } from "vendor/preact";
import { useBusy } from "./busy.js";
import { iconAt } from "./icons.js";

/** A Lucide icon; beside text it is silent, alone it needs `label`. @param {{ name: string, size?: number, label?: string, class?: string }} props */
export function Icon({ name, size = 16, label, class: more = "" }) {
  return html`<svg class=${`icon ${more}`} width=${size} height=${size} aria-hidden=${label ? undefined : "true"} role=${label ? "img" : undefined} aria-label=${label}><use href=${iconAt(name)} /></svg>`;
}

/**
 * What `onClick` promises is waited for: meanwhile the button shows it and takes no second press. `busy` says the same from outside.
 * @param {{ children?: unknown, icon?: string, kind?: "primary" | "plain" | "ghost" | "bad" | "warn", small?: boolean, busy?: boolean, keys?: string, onClick?: (e: MouseEvent) => unknown, [more: string]: unknown }} props
 */
export function Button({ children, icon, kind = "plain", small, busy, keys, onClick, class: more = "", ...rest }) {
  const { waits, press } = usePress(busy, onClick);
  return html`<button type="button" ...${rest} class=${`button ${kind} ${small ? "small" : ""} ${icon ? "" : "bare"} ${more}`} aria-busy=${waits || undefined} aria-keyshortcuts=${keys} onClick=${press}>
    ${(icon || waits) && html`<${Icon} name=${waits ? "loader-circle" : icon} class=${waits ? "turning" : ""} />`}${children && html`<span>${children}</span>`}
  </button>`;
}

/** @param {{ icon: string, label: string, keys?: string, size?: number, class?: string, tip?: string, onClick?: (e: MouseEvent) => unknown, [more: string]: unknown }} props */
export function IconButton({ icon, label, keys, size = 16, onClick, class: more = "", tip = "below", ...rest }) {
  const { waits, press } = usePress(false, onClick);
  return html`<button type="button" ...${rest} class=${`icon-button tip-${tip} ${more}`} aria-label=${label} data-tip=${keys ? `${label}  ${keys}` : label} aria-keyshortcuts=${keys} aria-busy=${waits || undefined} onClick=${press}><${Icon} name=${waits ? "loader-circle" : icon} size=${size} class=${waits ? "turning" : ""} /></button>`;
}

/** @param {boolean | undefined} busy @param {((e: MouseEvent) => unknown) | undefined} onClick */
function usePress(busy, onClick) {
  const [under, run] = useBusy();
  const waits = Boolean(busy) || under;
  // A form's button is pressed by Enter in any of its fields, too.
  const press = (/** @type {MouseEvent} */ e) => (waits ? e.preventDefault() : onClick && void run(() => onClick(e)));
  return { waits, press };
}

const letters = new Intl.Segmenter();
const PICTURE = /\p{Extended_Pictographic}/u;
/** A letter as people see it: an emoji is several characters. @param {string} word */
const firstOf = (word) => letters.segment(word)[Symbol.iterator]().next().value?.segment ?? "";

/** @param {string} name */
function initials(name) {
  const han = name.match(/\p{Script=Han}/gu);
  if (han) return han.slice(han.length > 2 ? -2 : 0).join("");
  if (/^\+\d{4,}$/.test(name)) return name.slice(-2); // a number's end tells it apart
  const words = name.split(/[\s.@_-]+/).filter(Boolean).map(firstOf);
  if (!words.length) return "?";
  return PICTURE.test(words[0]) ? words[0] : (words[0] + (words.length > 1 ? words[words.length - 1] : "")).toUpperCase();
}

/** Calm and without pictures: the name's initials, the channel as a badge. @param {{ name: string, icon?: string, size?: "s" | "m" | "l" }} props */
export function Avatar({ name, icon, size = "m" }) {
  return html`<span class=${`avatar ${size}`} data-initials=${initials(name)} aria-hidden="true">${icon && html`<span class="badge"><${Icon} name=${icon} size=${10} /></span>`}</span>`;
}

/** @param {{ children?: unknown, tone?: string, icon?: string, title?: string }} props */
export function Chip({ children, tone = "", icon, title }) {
  return html`<span class=${`chip ${tone}`} title=${title}>${icon && html`<${Icon} name=${icon} size=${12} />`}${children}</span>`;
}

/** @param {{ children?: unknown }} props */
export const Keys = ({ children }) => html`<kbd aria-hidden="true">${children}</kbd>`;

/** @param {{ icon: string, title: string, text?: string, children?: unknown }} props */
export function Empty({ icon, title, text, children }) {
  return html`<div class="empty"><span class="empty-icon"><${Icon} name=${icon} size=${20} /></span><p class="empty-title">${title}</p>${text && html`<p>${text}</p>`}${children}</div>`;
}

/** Grey bars where text will be; seen only when it takes longer than 200 ms. @param {{ rows?: number, kind?: string }} props */
export function Skeleton({ rows = 3, kind = "lines" }) {
  return html`<div class=${`skeleton ${kind}`} aria-hidden="true">${Array.from({ length: rows }, (_, i) => html`<span key=${i}></span>`)}</div>`;
}

/** @param {{ label: string, children?: unknown, error?: string, hint?: string, id: string }} props */
export function Field({ label, children, error, hint, id }) {
  return html`<div class="field"><label for=${id}>${label}</label>${children}${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="field-error" id=${`${id}-error`}><${Icon} name="triangle-alert" size=${12} /> ${error}</p>`}</div>`;
}

/** Text with the found places marked: pairs of start and end in UTF-16 units. @param {{ text: string, marks: [number, number][] }} props */
export function Hits({ text, marks }) {
  const parts = [];
  let from = 0;
  for (const [start, end] of marks) {
    parts.push(text.slice(from, start), html`<mark>${text.slice(start, end)}</mark>`);
    from = end;
  }
  return html`<span>${[...parts, text.slice(from)]}</span>`;
}

/** The part of the text that was looked for, marked. @param {{ text: string, find: string }} props */
export function Marked({ text, find }) {
  const at = find ? text.toLowerCase().indexOf(find.toLowerCase()) : -1;
  if (at < 0) return html`${text}`;
  const from = at > 60 ? at - 40 : 0;
  return html`${from ? "…" : ""}${text.slice(from, at)}<mark>${text.slice(at, at + find.length)}</mark>${text.slice(at + find.length)}`;
}
