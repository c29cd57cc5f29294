/** The conversation: place in line, log, suggested answers, composer, and what comes after the end. */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { Composer } from "./composer.js";
import { useFollow } from "./focus.js";
import { download } from "./header.js";
import { Icon } from "./icons.js";
import { LogView } from "./log_view.js";

/** @param {import("./app.js").Parts} parts */
export function ConversationScreen(parts) {
  const { sync, view, say, announcer } = parts;
  const { thread } = view;
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    const ask = () => setAsked(true);
    document.addEventListener("end-question", ask);
    return () => document.removeEventListener("end-question", ask);
  }, []);
  useFollow();
  useSpoken(parts);
  const ended = thread?.state === "ended";
  const last = view.messages[view.messages.length - 1];
  const choices = !ended && last && last.from === "agent" && !view.pending.length ? last.choices : [];
  const pick = (/** @type {import("./types").Choice} */ choice) => {
    sync.say({ kind: "message", text: choice.label, choice: choice.id });
    announcer.say(`${say("sending")}: ${choice.label}`);
  };
  return html`<main class="screen talk">
    ${(view.starting || thread?.state === "waiting") && html`<${Line} thread=${thread} say=${say} />`}
    <${LogView} ...${parts} />
    ${choices.length > 0 && html`<div class="chips answers" role="group" aria-label=${say("suggestions")}>
      ${choices.map((choice) => html`<button type="button" class="chip" key=${choice.id} onClick=${() => pick(choice)}>${choice.label}</button>`)}
    </div>`}
    ${ended ? html`<${Ended} ...${parts} />`
      : asked ? html`<${EndQuestion} ...${parts} onKeep=${() => setAsked(false)} />`
        : html`<${Composer} ...${parts} />`}
  </main>`;
}

/** The place in line; of a message left while closed, that it is here. @param {{ thread: import("./types").Thread | null, say: import("./strings.js").Say }} props */
function Line({ thread, say }) {
  if (thread?.message_left) return html`<div class="queue"><${Icon} name="check" size=${20} /><div><p class="place">${say("left")}</p><p>${say("leftHint")}</p></div></div>`;
  const position = thread?.position ?? null;
  const wait = thread?.wait_s ?? null;
  const place = position === null ? say("connecting") : position <= 1 ? say("next") : say("position", { n: position, before: position - 1 });
  const about = wait === null ? "" : wait < 60 ? say("soon") : say("about", { n: Math.round(wait / 60) });
  return html`<div class="queue">
    <span class="pulse" aria-hidden="true"><i /><i /><i /></span>
    <div><p class="place">${place}${about && html`<span>${about}</span>`}</p><p>${say("keepPlace")}</p></div>
  </div>`;
}

/** @param {import("./app.js").Parts & { onKeep: () => void }} props */
function EndQuestion({ sync, say, onKeep }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.querySelector("button")?.focus(), []);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onKeep();
  };
  return html`<div class="foot ask" ref=${box} role="group" aria-labelledby="end-q" onKeyDown=${key}>
    <p id="end-q"><strong>${say("endQuestion")}</strong> ${say("endHint")}</p>
    <div class="buttons">
      <button type="button" class="secondary" onClick=${onKeep}>${say("keep")}</button>
      <button type="button" class="primary bad" onClick=${() => sync.say({ kind: "end" })}>${say("end")}</button>
    </div>
  </div>`;
}

/** @param {import("./app.js").Parts} parts */
function Ended({ sync, say, notice }) {
  const first = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => {
    // The composer just went away: whoever was in it goes on here.
    if (document.hasFocus() && document.activeElement === document.body) first.current?.focus();
  }, []);
  return html`<div class="foot over">
    <p class="done"><span aria-hidden="true"><${Icon} name="check" size=${16} /></span><strong>${say("endedTitle")}</strong></p>
    ${notice.value && html`<p class="refused" role="alert">${notice.value}</p>`}
    <div class="buttons">
      <button type="button" class="secondary" title=${say("transcript")} onClick=${() => download(sync, say, notice)}><${Icon} name="download" size=${16} />${say("transcriptShort")}</button>
      <button type="button" class="primary" ref=${first} data-first onClick=${() => sync.dismiss()}>${say("startNew")}</button>
    </div>
  </div>`;
}

/** Speaks what arrives while the chat is open: agents' messages, system lines, refused messages. @param {import("./app.js").Parts} parts */
function useSpoken({ view, say, announcer, reading }) {
  const upTo = useRef(view.messages.length ? view.messages[view.messages.length - 1].n : -1);
  const refused = useRef(0);
  useEffect(() => {
    const fresh = view.messages.filter((message) => message.n > upTo.current && message.from !== "visitor");
    const first = upTo.current === -1 && !view.starting;
    if (view.messages.length) upTo.current = Math.max(upTo.current, view.messages[view.messages.length - 1].n);
    if (reading && !first) {
      for (const message of fresh) {
        const files = message.files.map((file) => file.name).join(", ");
        announcer.say(message.from === "agent" ? `${message.name ?? say("agent")}: ${message.text || files}` : message.text);
      }
    }
    const failed = view.pending.filter((entry) => entry.state === "failed").length;
    if (failed > refused.current) announcer.say(say("failed"));
    refused.current = failed;
  }, [view, reading]);
}
