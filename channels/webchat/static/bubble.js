/** One message. Text nodes only; links are made of http(s) addresses and open outside. */
import { html, useState } from "/vendor/preact.js";
import { reason } from "./form_screen.js";
import { Icon } from "./icons.js";
import { clockTime, initials, pieces, size } from "./text.js";

/** @typedef {import("./types").Message} Message @typedef {import("./types").Pending} Pending @typedef {import("./types").FileRow} FileRow */
const PICTURE = /^image\/(png|jpe?g|gif|webp)$/;

/**
 * @param {{ row: Message | Pending, state: "sending" | "delayed" | "failed" | "sent" | "read" | null, starts: boolean, ends: boolean, names: boolean,
 *   sync: import("./sync.js").Sync, lang: string, say: import("./strings.js").Say }} props
 */
export function Bubble({ row, state, starts, ends, names, sync, lang, say }) {
  const from = "from" in row ? row.from : "visitor";
  if (from === "system") return html`<p class="system">${"code" in row && row.code === "visitor_left" ? say("youLeft") : row.text}</p>`;
  const own = from === "visitor";
  const name = ("name" in row && row.name) || say("agent");
  const files = row.files ?? [];
  const classes = `row ${own ? "own" : "agent"}${starts ? " start" : ""}${ends ? " end" : ""}${state ? ` ${state}` : ""}`;
  return html`<div class=${classes}>
    ${!own && html`<span class=${ends ? "face" : "face none"} aria-hidden="true">${initials(name)}</span>`}
    <div class="said">
      ${starts && (own ? html`<span class="hush">${say("you")}</span>` : html`<p class=${names ? "name" : "hush"}>${name}</p>`)}
      ${row.text && html`<p class="bubble" dir="auto">${pieces(row.text).map((piece) => (piece.href ? html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow">${piece.text}</a>` : piece.text))}</p>`}
      ${files.map((file) => html`<${Attachment} key=${file.id} file=${file} row=${row} sync=${sync} say=${say} />`)}
      ${state === "failed" ? html`<${Failed} row=${/** @type {Pending} */ (row)} sync=${sync} say=${say} />`
        : (ends || state) && html`<p class="meta"><time datetime=${new Date(row.at).toISOString()}>${clockTime(lang, row.at)}</time>${state && html`<${State} state=${state} say=${say} />`}</p>`}
    </div>
  </div>`;
}

/** @param {{ state: "sending" | "delayed" | "sent" | "read", say: import("./strings.js").Say }} props */
function State({ state, say }) {
  const icon = state === "read" ? "checks" : state === "sent" ? "check" : "clock";
  return html`<span class="state"><${Icon} name=${icon} size=${14} />${say(state)}</span>`;
}

/** @param {{ row: Pending, sync: import("./sync.js").Sync, say: import("./strings.js").Say }} props */
function Failed({ row, sync, say }) {
  const gone = row.error === "closed" || row.error === "not_found";
  return html`<div class="failure">
    <p><${Icon} name="alert" size=${14} />${say("failed")}: ${say(reason(row.error))}</p>
    ${!gone && html`<button type="button" onClick=${() => sync.retry(row.client_id)}><${Icon} name="again" size=${14} />${say("retry")}</button>`}
    <button type="button" onClick=${() => sync.discard(row.client_id)}><${Icon} name="trash" size=${14} />${say("discard")}</button>
  </div>`;
}

/** A picture or a file. Its address lives 10 minutes: one that has died is asked for again. @param {{ file: FileRow, row: Message | Pending, sync: import("./sync.js").Sync, say: import("./strings.js").Say }} props */
function Attachment({ file, row, sync, say }) {
  const [broken, setBroken] = useState("");
  const n = "n" in row ? row.n : 0;
  const failed = () => {
    // Once per address: a picture that cannot be shown at all stays a file.
    if (n && !broken) sync.resumer.refresh(n);
    setBroken(file.url);
  };
  const fetchFresh = async (/** @type {MouseEvent} */ event) => {
    const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
    if (!n || link.dataset.fresh) return;
    event.preventDefault();
    await sync.resumer.refresh(n);
    link.dataset.fresh = "1";
    link.click();
    delete link.dataset.fresh;
  };
  const href = file.url.startsWith("/") || file.url.startsWith(location.origin + "/") ? file.url : undefined;
  const open = { href, download: file.name, onClick: fetchFresh };
  if (PICTURE.test(file.type) && broken !== file.url && href) {
    return html`<a class="picture" ...${open}><img src=${href} alt=${say("image", { name: file.name })} onError=${failed} decoding="async" /></a>`;
  }
  return html`<a class="file" ...${open}>
    <span aria-hidden="true"><${Icon} name="file" /></span><span class="label"><b>${file.name}</b><small>${size(file.size)}</small></span></a>`;
}
