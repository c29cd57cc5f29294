import { html, useEffect, useRef, useState } from "vendor/preact";
import { changeDraft, isBegun, letterDraft, merged } from "../drafts.js";
import { t } from "../i18n.js";
import { beginLetter, completeDraft, sendLetter } from "../letters.js";
import { composerMode, setComposerMode } from "../screen.js";
import { connectionState, conversation, myself } from "../store.js";
import { Icon, IconButton } from "../ui/parts.js";
import { isNowhere } from "../ui/focus.js";
import { Chosen, useFiles } from "./attach.js";
import { NoteComposer } from "./composer.js";
import { nameOf } from "./letter.js";
import { LetterForm, missing, useKept } from "./letterform.js";
import { SendButton } from "./schedule.js";

const MODES = /** @type {const} */ ([["reply", "reply", "R"], ["reply_all", "reply-all", "A"], ["forward", "forward", "F"]]);

/** Did anything arrive since this letter was begun, from whomever? @param {string} id @param {boolean} empty */
function useNewer(id, empty) {
  const messages = conversation(id)?.messages ?? [];
  const last = messages.at(-1)?.n ?? 0;
  const [seen, setSeen] = useState(last);
  const me = myself()?.agent_id;
  useEffect(() => {
    if (empty) setSeen(last);
  }, [empty, last]);
  const newer = empty ? [] : messages.filter((row) => row.n > seen && row.from !== "system" && !(row.from === "agent" && row.author === me));
  return { newer: newer.at(-1), seen: newer.length ? seen : last };
}

/** @param {{ row: import("../types").InteractionRow }} props */
export function LetterComposer({ row }) {
  return composerMode() === "note" ? html`<${NoteComposer} row=${row} tabs=${html`<${Modes} row=${row} />`} />` : html`<${Writing} key=${row.id} row=${row} />`;
}

/** @param {{ row: import("../types").InteractionRow }} props */
function Modes({ row }) {
  const note = composerMode() === "note";
  const mode = letterDraft(row.id)?.mode ?? "reply";
  return html`${MODES.map(([id, icon, key]) => html`<button type="button" key=${id} aria-pressed=${!note && mode === id} aria-keyshortcuts=${key} onClick=${() => (setComposerMode("reply"), void beginLetter(row.id, id))}><${Icon} name=${icon} size=${12} /><span>${t(`mode.${id}`)}</span></button>`)}
    <button type="button" aria-pressed=${note} aria-keyshortcuts="N" onClick=${() => setComposerMode("note")}><${Icon} name="sticky-note" size=${12} /><span>${t("note")}</span></button>`;
}

/** @param {{ row: import("../types").InteractionRow }} props */
function Writing({ row }) {
  const { id } = row;
  const draft = letterDraft(id);
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState("");
  const { saved, save } = useKept(id);
  const files = useFiles(id);
  const guard = useNewer(id, !isBegun(draft));
  const [stale, setStale] = useState(false);
  const answers = useRef(/** @type {(() => void) | null} */ (null));
  const held = conversation(id);
  useEffect(() => {
    void completeDraft(id);
    // A letter is read first: the keys scroll it, and R, A, F answer it.
    requestAnimationFrame(() => isNowhere() && /** @type {HTMLElement | null} */ (document.querySelector(".log"))?.focus());
  }, [id]);
  useEffect(() => void (files.done.length && changeDraft(id, { files: merged(letterDraft(id)?.files ?? [], files.done) })), [files.done.length]);
  if (!draft || !held) return html`<footer class="composer"><div class="composer-box composer-loading"></div></footer>`;
  const warned = Boolean(guard.newer) || stale;
  const about = draft.answers_n === null ? undefined : held.letters[draft.answers_n];
  const send = async (/** @type {{ then?: "" | "park" | "wrap_up", sendAt?: number }} */ how) => {
    const why = missing(draft);
    setTried(why);
    if (why || busy || files.busy) return void (why && setOpen(true));
    setBusy(true);
    const answer = await sendLetter(id, { ...how, seen: guard.seen, anyway: warned });
    setBusy(false);
    setStale(!answer.ok && answer.error === "stale");
    if (!answer.ok) return;
    files.clear();
    void beginLetter(id, "reply");
  };
  const known = people(held);
  const offline = ["silent", "offline"].includes(connectionState().state);
  const state = tried || (offline ? t("letter.offline") : saved && isBegun(draft) ? t("draft.saved") : "");
  return html`<footer class="composer letter-composer" onDragOver=${(/** @type {Event} */ e) => e.preventDefault()} onDrop=${files.onDrop}>
    ${warned && html`<p class="guard" role="alert"><${Icon} name="triangle-alert" />${t(guard.newer?.from === "agent" ? "guard" : "guard.letter", { name: guard.newer?.name || t("colleague") })}</p>`}
    ${draft.passed_over && draft.passed_over.length > 0 && html`<p class="guard" role="note"><${Icon} name="shield-alert" />${t("letter.passed_over", { name: draft.passed_over.map(nameOf).join(", ") })}</p>`}
    ${about?.must_not_answer && isBegun(draft) && draft.mode !== "forward" && html`<p class="guard" role="note"><${Icon} name="bot" />${t("guard.machine")}</p>`}
    <div class="composer-box"><div class="composer-tabs" role="group" aria-label=${t("composer.mode")}><${Modes} row=${row} /></div>
      <${LetterForm} id=${id} row=${row} known=${known} open=${open || draft.mode === "forward"} onOpen=${() => setOpen(true)} onSend=${() => void send({})} onSave=${() => isBegun(draft) && void save()} onPaste=${files.onPaste} answers=${answers} />
      <${Chosen} files=${{ ...files, files: files.files.filter((one) => !one.row) }} held=${draft.files} onDrop=${(/** @type {string} */ file) => changeDraft(id, { files: draft.files.filter((one) => one.id !== file) })} />
      <div class="composer-tools"><${IconButton} icon="zap" label=${t("answers")} keys="/" tip="above" onClick=${() => answers.current?.()} /><${IconButton} icon="paperclip" label=${t("attach")} tip="above" onClick=${files.pick} />
        <span class=${`composer-state ${tried ? "bad-text" : ""}`} role=${tried ? "alert" : undefined}>${state}</span>
        <${SendButton} word=${warned ? t("send.anyway") : t("letter.send")} kind=${warned ? "warn" : "primary"} disabled=${offline || files.busy} busy=${busy} then onSend=${send} /></div></div>
  </footer>`;
}

/** Whoever stands on an envelope here, and the customer's own addresses. @param {import("../types").Conversation} held @returns {import("../types").Party[]} */
function people(held) {
  const all = Object.values(held.letters).flatMap((one) => [...(one.sender ? [one.sender] : []), ...one.to, ...one.cc]);
  const own = held.customer.addresses.filter((one) => one.value.includes("@")).map((one) => ({ address: one.value, name: held.customer.name }));
  return [...new Map([...all, ...own].map((one) => [one.address.toLowerCase(), one])).values()];
}
