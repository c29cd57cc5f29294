/** Who one is talking to; language, more options, minimise. */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { Icon } from "./icons.js";
import { initials } from "./text.js";

/** @param {import("./app.js").Parts & { onLanguage: () => void, onMinimise: (() => void) | null }} props */
export function Header({ sync, view, lang, say, notice, onLanguage, onMinimise }) {
  const { site, thread } = view;
  const agent = thread && thread.state === "active" ? thread.agent : null;
  const company = site?.name ?? say("chat");
  const name = agent ? agent.name : company;
  return html`<header>
    <span class=${agent ? "face" : "face mark"} aria-hidden="true">${initials(name)}${site?.open && html`<i />`}</span>
    <div class="who">
      <h1>${name}</h1>
      <p>${agent ? company : status(view, say)}</p>
    </div>
    ${(site?.languages.length ?? 2) > 1 && html`<button type="button" class="tool word" lang=${lang === "en" ? "zh" : "en"} aria-label=${say("languageLabel")} onClick=${onLanguage}>${say("language")}</button>`}
    ${thread && html`<${Menu} ...${{ sync, view, say, notice }} />`}
    ${onMinimise && html`<button type="button" class="tool" aria-label=${say("minimise")} title=${say("minimise")} onClick=${onMinimise}><${Icon} name="down" /></button>`}
  </header>`;
}

/** @param {import("./types").View} view @param {import("./strings.js").Say} say */
function status({ site, thread, starting }, say) {
  if (thread?.state === "ended") return say("ended");
  if (starting || (thread?.state === "waiting" && !thread.message_left)) return say("waitingShort");
  return site ? say(site.open ? "online" : "away") : "";
}

/** @param {{ sync: import("./sync.js").Sync, view: import("./types").View, say: import("./strings.js").Say, notice: { value: string } }} props */
function Menu({ sync, view, say, notice }) {
  const [open, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const away = (/** @type {Event} */ event) => box.current?.contains(/** @type {Node} */ (event.target)) || setOpen(false);
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
    };
  }, [open]);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault();
    close();
  };
  const running = view.thread && view.thread.state !== "ended";
  return html`<div class="menu" ref=${box} onKeyDown=${key}>
    <button type="button" class="tool" aria-expanded=${open} aria-label=${say("menu")} title=${say("menu")} onClick=${() => setOpen(!open)}><${Icon} name="more" /></button>
    ${open && html`<ul>
      <li><button type="button" onClick=${() => { close(); download(sync, say, notice); }}><${Icon} name="download" size=${16} />${say("transcript")}</button></li>
      ${running && html`<li><button type="button" class="bad" onClick=${() => { setOpen(false); document.dispatchEvent(new Event("end-question")); }}><${Icon} name="leave" size=${16} />${say("end")}</button></li>`}
    </ul>`}
  </div>`;
}

/** @param {import("./sync.js").Sync} sync @param {import("./strings.js").Say} say @param {{ value: string }} notice */
export async function download(sync, say, notice) {
  const { interaction } = sync.conversation;
  try {
    const answer = await fetch(`/chat/api/transcript?interaction=${encodeURIComponent(interaction ?? "")}`, {
      headers: { Authorization: `Bearer ${sync.credentials.token}`, "X-Hub": "1" },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const address = URL.createObjectURL(await answer.blob());
    const link = Object.assign(document.createElement("a"), { href: address, download: `chat-${interaction}.txt` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch {
    notice.value = say("f_failed", { name: say("transcript") });
  }
}
