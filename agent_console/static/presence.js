/** A presence that this person did not choose here: a supervisor's word, or another window of theirs. */
import { effect } from "vendor/preact";
import { t, worded } from "./i18n.js";
import { toast } from "./screen.js";
import { hubSettings, myself } from "./store.js";

/** What one chose oneself has come back as a row by then. */
const OWN_MS = 10_000;
let choseAt = -Infinity;
export const noteOwnChoice = () => void (choseAt = performance.now());

/** The word for an away reason. @param {string | null | undefined} id */
export function reasonWord(id) {
  if (!id) return "";
  return worded(hubSettings()?.away_reasons.find((one) => one.id === id)?.label, `reason.${id}`) || id;
}

/** @param {{ presence: string, reason?: string | null }} what */
export const presenceWord = ({ presence, reason }) => (presence === "away" && reason ? reasonWord(reason) : t(`state.${presence}`));

/** @param {import("./types").NextPresence | null | undefined} next @param {string | null} [reason] */
export function nextOf(next, reason) {
  if (!next) return null;
  return typeof next === "string" ? { presence: next, reason: reason ?? null } : next;
}

/** Say it, once: whoever writes does not look at the corner of the page. */
export function watchPresence() {
  /** @type {{ id: string, now: string, next: string } | null} */
  let before = null;
  effect(() => {
    const me = myself();
    if (!me) return void (before = null);
    const next = nextOf(me.next_presence, me.reason);
    const seen = { id: me.agent_id, now: presenceWord(me), next: next ? presenceWord(next) : "" };
    const was = before;
    before = seen;
    if (!was || was.id !== seen.id || performance.now() - choseAt < OWN_MS) return;
    if (seen.next && seen.next !== was.next) toast(t("presence.changed.later", { next: seen.next }));
    else if (seen.now !== was.now && seen.now !== was.next) toast(t("presence.changed", { now: seen.now }));
  });
}
