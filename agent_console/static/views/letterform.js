import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { t } from "../i18n.js";
import { changeDraft, isBegun, letterDraft } from "../drafts.js";
import { saveLetterDraft } from "../letters.js";
import { Icon, IconButton } from "../ui/parts.js";
import { composing } from "../ui/layers.js";
import { Answers, answersAt } from "./answers.js";
import { nameOf } from "./letter.js";
import { isAddress, Recipients } from "./recipients.js";

/** @typedef {import("../types").Party} Party @typedef {import("../types").LetterDraft} LetterDraft */

const SAVE_MS = 500;

/** Kept at the hub soon after a change, on leaving it and when the page is hidden. @param {string} id */
export function useKept(id) {
  const draft = letterDraft(id);
  const [saved, setSaved] = useState(false);
  const timer = useRef(0);
  const kept = useRef(JSON.stringify(draft ?? null));
  const first = useRef(true);
  const save = async () => {
    clearTimeout(timer.current);
    const now = letterDraft(id);
    const text = JSON.stringify(now ?? null);
    if (!now || text === kept.current) return;
    kept.current = text;
    const answer = await saveLetterDraft(id);
    setSaved(Boolean(answer?.ok && isBegun(now)));
  };
  const written = draft && JSON.stringify([draft.text, draft.to, draft.cc, draft.bcc, draft.subject, draft.files, draft.mode]);
  useEffect(() => {
    if (first.current) return void (first.current = false);
    setSaved(false);
    clearTimeout(timer.current);
    // What the hub suggested is no draft of a person's yet.
    if (draft && (isBegun(draft) || saved)) timer.current = window.setTimeout(save, SAVE_MS);
  }, [written]);
  useEffect(() => {
    const hidden = () => document.hidden && void save();
    document.addEventListener("visibilitychange", hidden);
    addEventListener("pagehide", save);
    return () => {
      if (isBegun(letterDraft(id))) void save();
      document.removeEventListener("visibilitychange", hidden);
      removeEventListener("pagehide", save);
    };
  }, [id]);
  return { saved, save };
}

/** Everybody it goes to. @param {LetterDraft} draft */
const everybody = ({ to, cc, bcc }) => [...to, ...cc, ...bcc];
/** Why it cannot go; empty when it can. @param {LetterDraft} draft */
export function missing(draft) {
  if (!everybody(draft).length) return t("letter.needs.to");
  const wrong = everybody(draft).find((one) => !isAddress(one));
  if (wrong) return t("recipient.wrong", { address: wrong.address });
  return draft.text.trim() || draft.files.length || draft.mode === "forward" ? "" : t("letter.needs.words");
}

/** To whom and about what: one line while it is as suggested, all of it when somebody wants to change it. @param {{ id: string, known: Party[], open: boolean, onOpen: () => void }} props */
function Envelope({ id, known, open, onOpen }) {
  const draft = letterDraft(id);
  const [copies, setCopies] = useState(false);
  if (!draft) return null;
  const all = everybody(draft);
  const change = (/** @type {Partial<LetterDraft>} */ part) => changeDraft(id, part);
  if (!open) return html`<button type="button" class="envelope-line" aria-expanded="false" onClick=${onOpen}><span class="envelope-label">${t("letter.to")}</span><span class="envelope-who">${all.length ? all.map(nameOf).join(", ") : t("letter.to.nobody")}</span>
    <span class="envelope-subject">${draft.subject}</span><${Icon} name="chevron-down" size=${12} /></button>`;
  const showCopies = copies || draft.cc.length > 0 || draft.bcc.length > 0;
  return html`<div class="envelope">
    <${Recipients} id=${`to-${id}`} label=${t("letter.to")} value=${draft.to} known=${known} onChange=${(/** @type {Party[]} */ to) => change({ to })}>
      ${!showCopies && html`<button type="button" class="envelope-more" onClick=${() => setCopies(true)}>${t("letter.copies")}</button>`}<//>
    ${showCopies && html`<${Recipients} id=${`cc-${id}`} label=${t("letter.cc")} value=${draft.cc} known=${known} onChange=${(/** @type {Party[]} */ cc) => change({ cc })} />
      <${Recipients} id=${`bcc-${id}`} label=${t("letter.bcc")} value=${draft.bcc} known=${known} onChange=${(/** @type {Party[]} */ bcc) => change({ bcc })} />`}
    <div class="recipients"><label for=${`subject-${id}`}>${t("letter.subject")}</label><input id=${`subject-${id}`} class="subject-field" type="text" maxlength="500" value=${draft.subject} onInput=${(/** @type {Event} */ e) => change({ subject: /** @type {HTMLInputElement} */ (e.target).value })} /></div>
  </div>`;
}

/**
 * The letter itself: envelope, words, and what the hub puts below them.
 * @param {{ id: string, row: import("../types").InteractionRow | null, known: Party[], open: boolean, onOpen: () => void, onSend: () => void, onSave: () => void, onPaste?: (e: ClipboardEvent) => void, answers: { current: (() => void) | null } }} props
 */
export function LetterForm({ id, row, known, open, onOpen, onSend, onSave, onPaste, answers }) {
  const draft = letterDraft(id);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [answersOpen, setAnswersOpen] = useState(/** @type {{ find: string, from: number } | null} */ (null));
  const [quoted, setQuoted] = useState(false);
  const text = draft?.text ?? "";
  answers.current = () => setAnswersOpen(answersOpen ? null : { find: "", from: text.length });
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, Math.round(innerHeight * 0.34))}px`;
  }, [text]);
  if (!draft) return null;
  const typed = (/** @type {Event} */ e) => {
    const area = /** @type {HTMLTextAreaElement} */ (e.target);
    changeDraft(id, { text: area.value });
    if (row) setAnswersOpen(answersAt(area.value, area.selectionStart));
  };
  const onKey = (/** @type {KeyboardEvent} */ e) => {
    if (composing(e) || answersOpen || e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    onSend();
  };
  const insert = (/** @type {string} */ answer) => {
    const at = answersOpen?.from ?? text.length;
    changeDraft(id, { text: text.slice(0, at) + answer + (answersOpen ? text.slice(at + answersOpen.find.length + 1) : "") });
    setAnswersOpen(null);
    field.current?.focus();
  };
  return html`${answersOpen && row && html`<${Answers} find=${answersOpen.find} row=${row} onChoose=${insert} onClose=${() => (setAnswersOpen(null), field.current?.focus())} field=${field} />`}
    <div class="letter-form" onKeyDown=${onKey} onFocusOut=${onSave}>
      <${Envelope} id=${id} known=${known} open=${open} onOpen=${onOpen} />
      <textarea ref=${field} rows="2" data-composer aria-label=${t("letter.words")} placeholder=${t(draft.mode === "forward" ? "letter.forward.placeholder" : draft.mode === "new" ? "letter.new.placeholder" : "letter.placeholder")} lang=${row?.language ?? undefined} value=${text} onInput=${typed} onPaste=${onPaste} autocomplete="off"></textarea>
      ${(draft.signature || draft.quoted) && html`<div class="letter-below">
        ${draft.signature && html`<p class="letter-signature" dir="auto" aria-label=${t("letter.signature")} role="note">${draft.signature}</p>`}
        ${draft.quoted && html`<${IconButton} icon="ellipsis" class="quoted-toggle" label=${t(quoted ? "letter.quoted.hide" : "letter.quoted.goes")} tip="right" aria-expanded=${quoted} onClick=${() => setQuoted(!quoted)} />`}
        ${quoted && html`<div class="letter-quoted" dir="auto">${draft.quoted}</div>`}</div>`}
    </div>`;
}
