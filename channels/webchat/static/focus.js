/** Where the focus goes when a screen takes the place of another. */
import { useEffect } from "/vendor/preact.js";

/** On a finger's screen the composer would bring up the keyboard unasked: there the log comes first. */
const FIRST = matchMedia("(pointer: coarse)").matches ? "h2[data-first], .log" : "[data-first]";

/** @returns {HTMLElement | null} where somebody begins who comes to the screen shown now */
export function firstPlace() {
  return document.querySelector(FIRST);
}

/** Whoever was in what just went away goes on in what is here now; nobody else is called in. */
export function useFollow() {
  useEffect(() => {
    if (document.hasFocus() && document.activeElement === document.body) firstPlace()?.focus({ preventScroll: true });
  }, []);
}
