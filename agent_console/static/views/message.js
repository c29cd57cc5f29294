import { html } from "vendor/preact";
import { deliver } from "../actions.js";
import { clockTime, fileSize, fullTime, has, t } from "../i18n.js";
import { dropPending } from "../outbox.js";
import { myself } from "../store.js";
import { Button, Icon, IconButton } from "../ui/parts.js";
import { draftOf, setDraft } from "../written.js";
import { isSound, Recording } from "./recording.js";
import { TextState } from "./textstate.js";

/** @typedef {import("../types").MessageRow} Row */

const LINK = /\bhttps?:\/\/[^\s<>"'）】，。]+[^\s<>"'）】，。.,;:!?)]/gu;

/** Text with its web addresses as links; everything stays text. @param {string} text */
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(from, match.index), html`<a href=${match[0]} target="_blank" rel="noopener noreferrer nofollow">${match[0]}</a>`);
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

/** @param {{ row: Row, first: boolean, last: boolean, seen: number, language?: string | null, letter?: import("../types").LetterRow, out?: import("../types").OutgoingRow }} props */
export function MessageBlock({ row, first, last, seen, language, letter, out }) {
  const agent = row.from === "agent";
  const own = agent && row.author === myself()?.agent_id;
  return html`<article class=${`message ${agent ? "ours" : "theirs"} ${first ? "first" : ""} ${last ? "last" : ""} ${row.delivery === "failed" ? "failed" : ""}`} data-n=${row.n}>
    ${first && html`<p class="message-by"><span>${own ? t("you") : row.name}</span></p>`}
    ${row.text && html`<div class="bubble" lang=${agent ? undefined : (language ?? undefined)} dir="auto">${linked(row.text)}</div>`}
    ${row.files?.length > 0 && html`<div class="files">${row.files.map((file) => (isSound(file) ? html`<${Recording} key=${file.id} file=${file} row=${row} />` : html`<${Attachment} key=${file.id} file=${file} />`))}</div>`}
    ${row.choices?.length > 0 && html`<ul class="choices" aria-label=${t("choices")}>${row.choices.map((choice) => html`<li key=${choice.id}>${choice.label}</li>`)}</ul>`}
    ${out && letter ? html`<p class="message-foot"><time datetime=${new Date(row.at).toISOString()} title=${fullTime(row.at)}>${clockTime(row.at)}</time><${TextState} row=${row} letter=${letter} out=${out} /></p>` : (last || row.delivery === "failed") && html`<p class="message-foot"><time datetime=${new Date(row.at).toISOString()} title=${fullTime(row.at)}>${clockTime(row.at)}</time>${agent && html`<${Delivery} row=${row} seen=${seen} />`}</p>`}
  </article>`;
}

/** @param {{ row: Row, seen: number }} props */
function Delivery({ row, seen }) {
  const state = row.delivery === "failed" ? "failed" : row.n <= seen ? "read" : (row.delivery ?? "sent");
  if (state === "failed") return html`<span class="delivery bad"><${Icon} name="triangle-alert" size=${12} />${t("delivery.failed", { why: row.error ?? "" })}</span>`;
  return html`<span class=${`delivery ${state}`}><${Icon} name=${state === "sent" ? "check" : "check-check"} size=${12} />${t(`delivery.${state}`)}</span>`;
}

/** @param {{ file: import("../types").FileRow }} props */
export function Attachment({ file }) {
  const picture = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
  return html`<a class=${`file ${picture ? "picture" : ""}`} href=${file.url} download=${file.name} rel="noopener">
    ${picture ? html`<img src=${file.url} alt="" loading="lazy" onError=${(/** @type {Event} */ e) => /** @type {HTMLElement} */ (e.target).remove()} />` : html`<span class="file-icon"><${Icon} name="file" /></span>`}
    <span class="file-text"><span class="file-name">${file.name}</span><span class="file-size">${fileSize(file.size)}</span></span><${Icon} name="download" label=${t("file.download")} /></a>`;
}

const NAMED = ["joined", "left"];

/** @param {{ row: Row }} props */
export function SystemLine({ row }) {
  const key = `system.${row.code}`;
  // The hub's text is in the visitor's language; ours is in the agent's, where nothing of the hub's gets lost by it.
  const ours = has(key) && (row.name || !NAMED.includes(row.code ?? ""));
  return html`<p class="system"><span>${ours ? t(key, { name: row.name ?? "" }) : row.text}</span> <time>${clockTime(row.at)}</time></p>${row.files?.length > 0 && html`<div class="system-files">${row.files.map((file) => (isSound(file) ? html`<${Recording} key=${file.id} file=${file} row=${row} />` : html`<${Attachment} key=${file.id} file=${file} />`))}</div>`}`;
}

/** Who wrote a note; where nobody did, what it came from. @param {import("../types").NoteRow} row */
export function writer(row) {
  const key = `note.writer.${row.name}`;
  return !row.author && has(key) ? t(key) : row.name;
}

/** @param {{ row: import("../types").NoteRow }} props */
export function NoteBlock({ row }) {
  return html`<article class="note"><p class="note-by"><${Icon} name="sticky-note" size=${12} /><span>${row.author === myself()?.agent_id ? t("note.mine") : t("note.by", { name: writer(row) })}</span><time title=${fullTime(row.at)}>${clockTime(row.at)}</time></p><div dir="auto">${linked(row.text)}</div></article>`;
}

/** What is on its way, waits, or was refused; refused words can be had back. @param {{ one: import("../types").Pending, seen: number, writable: boolean }} props */
export function PendingBlock({ one, seen, writable }) {
  const again = () => {
    const since = draftOf(one.interaction, "reply");
    setDraft(one.interaction, "reply", since ? `${one.text}\n${since}` : one.text);
    dropPending(one.client_id);
    /** @type {HTMLElement | null} */ (document.querySelector("[data-composer]"))?.focus();
  };
  return html`<article class=${`message ours first last pending ${one.state}`}>
    ${one.text && html`<div class="bubble" dir="auto">${one.text}</div>`}
    ${one.files.length > 0 && html`<div class="files">${one.files.map((file) => html`<${Attachment} key=${file.id} file=${file} />`)}</div>`}
    ${one.state === "sending" && html`<p class="message-foot"><span class="delivery"><${Icon} name="clock" size=${12} />${t("delivery.sending")}</span></p>`}
    ${one.state === "failed" && html`<p class="message-foot"><span class="delivery bad"><${Icon} name="triangle-alert" size=${12} />${t("delivery.failed", { why: one.error ?? "" })}</span>
      ${writable && html`<${Button} small onClick=${() => deliver({ ...one, seen })}>${t("retry")}<//>${one.text && html`<${Button} small kind="ghost" icon="pencil" onClick=${again}>${t("send.edit")}<//>`}`}<${IconButton} icon="trash-2" label=${t("delete")} onClick=${() => dropPending(one.client_id)} /></p>`}
  </article>`;
}
