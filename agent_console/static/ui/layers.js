import { html, useLayoutEffect, useRef, useState } from "vendor/preact";
import { t } from "../i18n.js";
import { Icon, IconButton } from "./parts.js";

/** Does this key belong to an input method that is composing? Safari ends the composition before its Enter. @param {KeyboardEvent} e */
export const composing = (e) => e.isComposing || e.keyCode === 229;

/** @param {{ title: string, onClose: () => void, children?: unknown, class?: string, bare?: boolean, label?: string }} props */
export function Dialog({ title, onClose, children, class: more = "", bare }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    box.current?.showModal();
  }, []);
  return html`<dialog ref=${box} class=${`dialog ${more}`} aria-label=${title} onCancel=${(/** @type {Event} */ e) => (e.preventDefault(), onClose())}
    onMouseDown=${(/** @type {MouseEvent} */ e) => e.target === box.current && onClose()}>
    <div class="dialog-body" tabindex="-1" autofocus=${!bare}>
      ${!bare && html`<header class="dialog-head"><h2>${title}</h2><${IconButton} icon="x" label=${t("close")} tip="left" onClick=${onClose} /></header>`}
      ${children}
    </div>
  </dialog>`;
}

/**
 * A button and the menu it opens: arrows, Home, End, letters, Escape.
 * @typedef {{ id?: string, label: unknown, icon?: string, mark?: unknown, hint?: string, checked?: boolean, run?: () => void, heading?: boolean, divider?: boolean, bad?: boolean, word?: string }} MenuItem
 * @param {{ trigger: unknown, label: string, items: MenuItem[], class?: string, align?: "start" | "end", up?: boolean, open?: boolean, onOpen?: (open: boolean) => void, disabled?: boolean }} props
 */
export function Menu({ trigger, label, items, class: more = "", align = "end", up, open: wanted, onOpen, disabled }) {
  const [own, setOwn] = useState(false);
  const open = wanted ?? own;
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const setOpen = (/** @type {boolean} */ next, back = false) => {
    (onOpen ?? setOwn)(next);
    if (!next && back) /** @type {HTMLElement | null} */ (box.current?.querySelector("button"))?.focus();
  };
  const options = () => /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll("[role^=menuitem]") ?? [])]);
  useLayoutEffect(() => {
    if (!open) return;
    (options().find((one) => one.getAttribute("aria-checked") === "true") ?? options()[0])?.focus();
    const outside = (/** @type {Event} */ e) => box.current?.contains(/** @type {Node} */ (e.target)) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (!open || composing(e)) return;
    const all = options();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    else if (e.key === "Escape") setOpen(false, true);
    else if (e.key === "Tab") return setOpen(false);
    else if (e.key.length === 1 && e.key !== " ") all.find((one, i) => i > at && one.textContent?.trim().toLowerCase().startsWith(e.key.toLowerCase()))?.focus();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return html`<div class=${`menu-box ${more}`} ref=${box} onKeyDown=${onKey}>
    <button type="button" class="menu-trigger" aria-haspopup="menu" aria-expanded=${open} aria-label=${label} disabled=${disabled} onClick=${() => setOpen(!open)}>${trigger}</button>
    ${open && html`<div class=${`menu ${align} ${up ? "up" : ""}`} role="menu" aria-label=${label}>${items.map((item, i) => menuRow(item, i, () => (setOpen(false, true), item.run?.())))}</div>`}
  </div>`;
}

/** @param {MenuItem} item @param {number} i @param {() => void} choose */
function menuRow(item, i, choose) {
  if (item.divider) return html`<div key=${i} class="menu-line" role="separator"></div>`;
  if (item.heading) return html`<div key=${i} class="menu-heading" role="presentation">${item.label}</div>`;
  const kind = item.checked === undefined ? "menuitem" : "menuitemradio";
  return html`<button type="button" key=${item.id ?? i} role=${kind} aria-checked=${item.checked === undefined ? undefined : String(item.checked)} class=${item.bad ? "bad" : ""} tabindex="-1" onClick=${choose}>
    ${item.mark ?? (item.icon ? html`<${Icon} name=${item.icon} />` : html`<span class="menu-gap"></span>`)}<span class="menu-label">${item.label}</span>
    ${item.hint && html`<span class="menu-hint">${item.hint}</span>`}${item.checked && html`<${Icon} name="check" />`}
  </button>`;
}

/** A splitter between two columns: drag, or arrow keys. @param {{ label: string, value: number, min: number, max: number, sign: 1 | -1, onChange: (width: number) => void }} props */
export function Splitter({ label, value, min, max, sign, onChange }) {
  const clamp = (/** @type {number} */ width) => Math.round(Math.min(max, Math.max(min, width)));
  const onDown = (/** @type {PointerEvent} */ e) => {
    const line = /** @type {HTMLElement} */ (e.currentTarget);
    const from = e.clientX;
    line.setPointerCapture(e.pointerId);
    line.onpointermove = (move) => onChange(clamp(value + sign * (move.clientX - from)));
    line.onpointerup = () => (line.onpointermove = line.onpointerup = null);
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[e.key];
    if (!step) return;
    e.preventDefault();
    onChange(clamp(value + sign * step));
  };
  return html`<div class="splitter" role="separator" tabindex="0" aria-orientation="vertical" aria-label=${label} aria-valuenow=${value} aria-valuemin=${min} aria-valuemax=${max} onPointerDown=${onDown} onKeyDown=${onKey}></div>`;
}
