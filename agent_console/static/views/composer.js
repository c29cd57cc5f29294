import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { deliver, saveNote, sayTyping, send } from "../actions.js";
import { serverNow } from "../clock.js";
import { t } from "../i18n.js";
import { dropPending, pendingOf } from "../outbox.js";
import { composerMode, setComposerMode } from "../screen.js";
import { connectionState, conversation, kindOf, myself } from "../store.js";
import { useBusy } from "../ui/busy.js";
import { Button, Icon, IconButton } from "../ui/parts.js";
import { composing } from "../ui/layers.js";
import { segments } from "../segments.js";
import { draftOf, dropWords, keepDraft, setDraft } from "../written.js";
import { Answers, answersAt } from "./answers.js";
import { ChoiceEditor, Chosen, useFiles } from "./attach.js";
import { TemplatePicker, TextingNotice, useTexting } from "./texting.js";

const SAVE_MS = 500;
const TYPING_MS = 3000;
const touch = matchMedia("(pointer: coarse)");

/** Drafts are saved soon after a key, on leaving the field and when the page is hidden. @param {string} id @param {"reply" | "note"} mode */
function useDraft(id, mode) {
  const text = draftOf(id, mode);
  const [saved, setSaved] = useState("");
  const timer = useRef(0);
  const save = async () => {
    clearTimeout(timer.current);
    const isKept = await keepDraft(id, mode);
    setSaved(isKept && draftOf(id, mode) ? "saved" : "");
  };
  const write = (/** @type {string} */ next) => {
    setDraft(id, mode, next);
    setSaved("");
    clearTimeout(timer.current);
    timer.current = window.setTimeout(save, SAVE_MS);
  };
  useEffect(() => {
    const hidden = () => document.hidden && void save();
    document.addEventListener("visibilitychange", hidden);
    addEventListener("pagehide", save);
    return () => {
      void save();
      document.removeEventListener("visibilitychange", hidden);
      removeEventListener("pagehide", save);
    };
  }, [id, mode]);
  return { text, write, save, saved };
}

/** A note stands in its field until the hub has it; tried again with the same words, it is the same note. @param {string} id @param {() => Promise<void>} save */
function useNote(id, save) {
  const [saving, run] = useBusy();
  const tried = useRef({ words: "", id: "" });
  const keepNote = () => run(async () => {
    const words = draftOf(id, "note").trim();
    if (tried.current.words !== words) tried.current = { words, id: crypto.randomUUID?.() ?? String(Math.random()) };
    const answer = await saveNote(id, words, tried.current.id);
    if (!answer.ok) return;
    tried.current = { words: "", id: "" };
    dropWords(id, "note", words);
    await save();
  });
  return { saving, keepNote };
}

/** Did a colleague write since this text was begun? @param {string} id @param {boolean} empty */
function useGuard(id, empty) {
  const messages = conversation(id)?.messages ?? [];
  const last = messages.at(-1)?.n ?? 0;
  const me = myself()?.agent_id;
  const [seen, setSeen] = useState(last);
  useEffect(() => {
    if (empty) setSeen(last);
  }, [empty, last]);
  const refused = pendingOf(id).find((one) => one.state === "stale");
  const newer = empty && !refused ? [] : messages.filter((row) => row.n > seen && row.from === "agent" && row.author !== me);
  return { seen: newer.length ? seen : last, by: newer.at(-1)?.name ?? "", guarded: newer.length > 0 || Boolean(refused), refused, forget: () => setSeen(last) };
}

/** What a text costs. @param {{ text: string }} props */
function Counted({ text }) {
  const { count, left, unicode } = segments(text.trim());
  return html`<span class="composer-state" title=${t(unicode ? "text.unicode" : "text.plain")}>${t("text.segments", { n: count, left })}</span>`;
}

/** A note on a conversation whose answers are written elsewhere; `tabs` lead there. @param {{ row: import("../types").InteractionRow, tabs: unknown }} props */
export const NoteComposer = ({ row, tabs }) => html`<${Composer} row=${row} noteOnly tabs=${tabs} />`;

/** @param {{ row: import("../types").InteractionRow, noteOnly?: boolean, tabs?: unknown }} props */
export function Composer({ row, noteOnly, tabs }) {
  const mode = noteOnly ? "note" : composerMode();
  const note = mode === "note";
  const { text, write, save, saved } = useDraft(row.id, mode);
  const { saving, keepNote } = useNote(row.id, save);
  const guard = useGuard(row.id, !text.trim());
  const files = useFiles(row.id);
  const { texting, may } = useTexting(row);
  const [picking, setPicking] = useState(false);
  const templates = texting?.templates ?? [];
  const isPicking = !note && templates.length > 0 && (may === "templates" || (may === "all" && picking));
  const [choices, setChoices] = useState(/** @type {string[] | null} */ (null));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [answersOpen, setAnswersOpen] = useState(/** @type {{ find: string, from: number } | null} */ (null));
  const typingAt = useRef(0);
  const offline = ["silent", "offline"].includes(connectionState().state);
  const held = guard.refused?.files ?? [];
  const ready = text.trim() || (!note && (files.done.length > 0 || held.length > 0));

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  }, [text, mode]);
  useEffect(() => {
    if ((!noteOnly || tabs) && !touch.matches) field.current?.focus();
  }, [row.id, mode]);

  const typed = (/** @type {Event} */ e) => {
    const area = /** @type {HTMLTextAreaElement} */ (e.target);
    write(area.value);
    setAnswersOpen(note ? null : answersAt(area.value, area.selectionStart));
    if (note || performance.now() - typingAt.current < TYPING_MS) return;
    typingAt.current = performance.now();
    sayTyping(row.id, true);
  };
  const clear = () => {
    setDraft(row.id, mode, "");
    typingAt.current = 0;
    setAnswersOpen(null);
  };
  const submit = () => {
    if (!ready || files.busy || (!note && may !== "all")) return;
    field.current?.focus();
    if (note) return keepNote();
    const words = text.trim();
    clear();
    const offered = (choices ?? []).map((label) => label.trim()).filter(Boolean).map((label, i) => ({ id: String(i + 1), label }));
    const all = [...held, ...files.done];
    files.clear();
    setChoices(null);
    sayTyping(row.id, false);
    void save();
    guard.forget();
    if (guard.refused) dropPending(guard.refused.client_id);
    if (guard.guarded) void deliver({ client_id: guard.refused?.client_id ?? crypto.randomUUID(), interaction: row.id, text: words, files: all, choices: offered.length ? offered : (guard.refused?.choices ?? []), seen: guard.seen, at: serverNow(), state: "sending" }, true);
    else void send(row.id, { text: words, files: all, choices: offered, seen: guard.seen });
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (composing(e) || answersOpen || e.key !== "Enter" || e.shiftKey || e.altKey) return;
    const forced = e.ctrlKey || e.metaKey;
    if (!forced && touch.matches) return;
    e.preventDefault();
    void submit();
  };
  const insert = (/** @type {string} */ answer) => {
    const at = answersOpen?.from ?? text.length;
    write(text.slice(0, at) + answer + (answersOpen ? text.slice(at + answersOpen.find.length + 1) : ""));
    setAnswersOpen(null);
    field.current?.focus();
  };
  const sendWord = note ? t("note.save") : guard.guarded ? t("send.anyway") : t("send.to", { name: row.customer_name });
  // A second click on "Send", that has nothing more to send, leaves the keys where the next sentence goes.
  const stay = (/** @type {MouseEvent} */ e) => document.activeElement === field.current && !(/** @type {HTMLElement} */ (e.target).closest("textarea, input, select")) && e.preventDefault();
  return html`<footer class=${`composer ${note ? "as-note" : ""}`} onMouseDown=${stay} onDragOver=${(/** @type {Event} */ e) => e.preventDefault()} onDrop=${note ? undefined : files.onDrop}>
    ${guard.guarded && !note && html`<p class="guard" role="alert"><${Icon} name="triangle-alert" />${t("guard", { name: guard.by || t("colleague") })}</p>`}
    ${texting && !note && html`<${TextingNotice} texting=${texting} may=${may} />`}
    ${answersOpen && html`<${Answers} find=${answersOpen.find} row=${row} onChoose=${insert} onClose=${() => (setAnswersOpen(null), field.current?.focus())} field=${field} />`}
    <div class="composer-box">
      <div class="composer-tabs" role="group" aria-label=${t("composer.mode")}>
        ${tabs ?? html`${!noteOnly && html`<button type="button" aria-pressed=${!note} aria-keyshortcuts="R" onClick=${() => setComposerMode("reply")}>${t("reply")}</button>`}
        <button type="button" aria-pressed=${note} aria-keyshortcuts="N" onClick=${() => setComposerMode("note")}>${t("note")}</button>`}
        <span class="composer-to">${note ? t("note.hint") : t("reply.to", { name: row.customer_name, kind: t(`channel.${row.channel_kind}`) })}</span>
      </div>
      ${isPicking && html`<${TemplatePicker} row=${row} templates=${templates} onDone=${may === "all" ? () => setPicking(false) : undefined} />`}
      ${!isPicking && html`<textarea ref=${field} disabled=${!note && may !== "all"} rows="2" data-composer aria-label=${note ? t("note.hint") : t("reply.to", { name: row.customer_name, kind: t(`channel.${row.channel_kind}`) })} placeholder=${note ? t("note.placeholder") : t("reply.placeholder")}
        lang=${note ? undefined : (row.language ?? undefined)} value=${text} onInput=${typed} onKeyDown=${onKey} onBlur=${save} onPaste=${note ? undefined : files.onPaste} autocomplete="off"></textarea>`}
      ${!note && html`<${Chosen} files=${files} held=${held} />`}
      ${!note && choices && html`<${ChoiceEditor} choices=${choices} onChange=${setChoices} />`}
      ${!isPicking && html`<div class="composer-tools">
        ${!note && html`<${IconButton} icon="zap" label=${t("answers")} keys="/" tip="above" onClick=${() => setAnswersOpen(answersOpen ? null : { find: "", from: text.length })} />
          <${IconButton} icon="paperclip" label=${t("attach")} tip="above" onClick=${files.pick} />
          ${kindOf(row.channel_kind).has_choices !== false && html`<${IconButton} icon="list-plus" label=${t("choices.offer")} tip="above" aria-pressed=${Boolean(choices)} onClick=${() => setChoices(choices ? null : ["", ""])} />`}`}
        ${!note && may === "all" && templates.length > 0 && html`<${IconButton} icon="sticky-note" label=${t("texting.templates")} tip="above" onClick=${() => setPicking(true)} />`}
        ${!note && text && kindOf(row.channel_kind).has_segments && html`<${Counted} text=${text} />`}
        <span class="composer-state" aria-live="off">${offline && text ? t("composer.waits") : saved && text ? t("draft.saved") : ""}</span>
        <${Button} kind=${note || guard.guarded ? "warn" : "primary"} class="send" keys="Control+Enter" aria-disabled=${!ready || files.busy || (!note && may !== "all") || undefined} busy=${saving} onClick=${submit} icon=${note ? "sticky-note" : "send"}>${sendWord}<//>
      </div>`}
    </div>
  </footer>`;
}
