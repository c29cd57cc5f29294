/** What this machine and window are like. */
import { signal } from "vendor/preact";

/** The name of the command key. */
export const modifier = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

const phone = matchMedia("(max-width: 719px)");
/** One pane at a time. */
export const narrow = signal(phone.matches);
phone.addEventListener("change", () => (narrow.value = phone.matches));
