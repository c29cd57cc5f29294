import { html, useLayoutEffect, useRef, useState } from "vendor/preact";

const FROM = 100;
const OVER = 8;

/**
 * A list of rows of one height; from a hundred rows only the visible ones (and the focused one) are in the page.
 * @template T
 * @param {{ rows: T[], height: number, row: (item: T, at: number, more: object) => unknown, id: (item: T) => string, role?: string, label?: string, class?: string, onEnd?: () => void, as?: string }} props
 */
export function WindowList({ rows, height, row, id, role = "list", label, class: more = "", onEnd }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [seen, setSeen] = useState({ from: 0, to: 40 });
  const windowed = rows.length >= FROM;
  const [focused, setFocused] = useState("");
  useLayoutEffect(() => {
    const scroller = box.current?.closest(".scroll");
    if (!scroller) return;
    const measure = () => {
      const offset = (box.current?.getBoundingClientRect().top ?? 0) - scroller.getBoundingClientRect().top;
      const from = Math.max(0, Math.floor(-offset / height) - OVER);
      const to = Math.ceil((scroller.clientHeight - offset) / height) + OVER;
      setSeen((old) => (old.from === from && old.to === to ? old : { from, to }));
      if (to >= rows.length + OVER - 2) onEnd?.();
    };
    measure();
    scroller.addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => (scroller.removeEventListener("scroll", measure), removeEventListener("resize", measure));
  }, [rows.length, height, onEnd]);
  const shown = rows.map((item, at) => ({ item, at })).filter(({ item, at }) => !windowed || (at >= seen.from && at < seen.to) || id(item) === focused);
  return html`<div ref=${box} class=${`window-list ${windowed ? "windowed" : ""} ${more}`} role=${role} aria-label=${label} style=${windowed ? { height: `${rows.length * height}px` } : {}}
    onFocusIn=${(/** @type {FocusEvent} */ e) => setFocused(/** @type {HTMLElement} */ (e.target).closest("[data-id]")?.getAttribute("data-id") ?? "")}>
    ${shown.map(({ item, at }) => row(item, at, { "data-id": id(item), "aria-setsize": rows.length, "aria-posinset": at + 1, style: windowed ? { position: "absolute", top: `${at * height}px`, left: 0, right: 0 } : {} }))}
  </div>`;
}
