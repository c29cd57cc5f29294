/** Where the visitor writes: grows with the text, keeps the draft, takes files by button, paste and drag. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "/vendor/preact.js";
import { Icon } from "./icons.js";
import { size } from "./text.js";
import { refusal } from "./uploads.js";

const LONGEST = 4000;
const WARN_AT = 200;

/** @param {import("./app.js").Parts} props */
export function Composer({ sync, view, say, uploads, notice, announcer, store }) {
  const [text, setText] = useState(() => String(store.get("draft") ?? ""));
  const [dragged, setDragged] = useState(false);
  const [waiting, setWaiting] = useState(false);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const list = uploads.list.value;
  const policy = view.site?.files ?? { max_bytes: 0, types: [] };
  const mayAttach = (view.thread !== null || view.starting) && policy.max_bytes > 0;
  const over = text.length - LONGEST;
  const ready = over <= 0 && (text.trim() !== "" || list.some((upload) => upload.state !== "failed"));

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 132)}px`;
  }, [text]);
  useEffect(() => {
    const timer = setTimeout(() => (text ? store.set("draft", text) : store.remove("draft")), 300);
    return () => clearTimeout(timer);
  }, [text]);
  const interaction = view.hasToken ? view.thread?.interaction : undefined;
  useEffect(() => {
    if (interaction) uploads.follow(interaction);
  }, [interaction]);
  // What went wrong in this conversation is no news in the next.
  useEffect(() => () => { notice.value = ""; }, []);
  useEffect(() => {
    if (waiting && !uploads.isBusy) send();
  }, [waiting, list]);

  const refuse = (/** @type {string} */ why) => {
    notice.value = why;
    announcer.say(why);
  };
  const attach = (/** @type {Iterable<File>} */ files) => {
    notice.value = "";
    for (const file of files) {
      const why = refusal(file, policy, say);
      if (why) refuse(why);
      else uploads.add(file);
    }
  };
  const send = () => {
    if (!ready) return setWaiting(false);
    if (uploads.isBusy) return setWaiting(true);
    setWaiting(false);
    const files = uploads.take();
    const said = text.trim();
    if (!said && !files.length) return;
    sync.say({ kind: "message", text: said, ...(files.length && { files }) });
    setText("");
    store.remove("draft");
    notice.value = "";
    field.current?.focus();
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    // Enter that ends a composition (Chinese, Japanese) is not a send; Safari tells only by 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (matchMedia("(pointer: coarse)").matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    send();
  };
  const typed = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLTextAreaElement} */ (event.target);
    setText(value);
    sync.typing(value.trim() !== "");
  };
  const pasted = (/** @type {ClipboardEvent} */ event) => {
    const files = event.clipboardData?.files;
    if (!mayAttach || !files?.length) return;
    event.preventDefault();
    attach(files);
  };
  useDrop(mayAttach, setDragged, attach);

  return html`<form class="foot composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
    ${dragged && html`<div class="drop"><${Icon} name="clip" size=${24} />${say("drop")}</div>`}
    ${notice.value && html`<p class="refused"><${Icon} name="alert" size=${16} /><span>${notice.value}</span></p>`}
    ${list.length > 0 && html`<ul class="uploads" aria-label=${say("files")}>${list.map((upload) => html`<${UploadRow} key=${upload.key} ...${{ upload, uploads, say }} />`)}</ul>`}
    <div class="write">
      <input type="file" multiple hidden ref=${picker} accept=${policy.types.join(",")} onChange=${() => { attach(picker.current?.files ?? []); if (picker.current) picker.current.value = ""; }} />
      <button type="button" class="round" disabled=${!mayAttach} aria-label=${say("attach")} title=${say("attach")} onClick=${() => picker.current?.click()}><${Icon} name="clip" /></button>
      <textarea ref=${field} rows="1" data-first dir="auto" aria-label=${say("write")} placeholder=${say("write")} value=${text} enterkeyhint="send"
        aria-invalid=${over > 0 ? "true" : null} aria-describedby=${over > -WARN_AT ? "left" : null} onInput=${typed} onKeyDown=${key} onPaste=${pasted} onBlur=${() => sync.typing(false)} />
      <button type="submit" class="round send" disabled=${!ready} aria-label=${say("send")} title=${say("send")}><${Icon} name="send" /></button>
    </div>
    ${over > -WARN_AT && html`<p id="left" class=${over > 0 ? "count error" : "count"}>${over > 0 ? say("tooLong", { n: over }) : say("left_n", { n: -over })}</p>`}
  </form>`;
}

/** @param {boolean} on @param {(over: boolean) => void} over @param {(files: FileList) => void} attach */
function useDrop(on, over, attach) {
  useEffect(() => {
    const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    const hover = (/** @type {DragEvent} */ event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      over(on);
    };
    const leave = (/** @type {DragEvent} */ event) => { if (!event.relatedTarget) over(false); };
    const drop = (/** @type {DragEvent} */ event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      over(false);
      if (on && event.dataTransfer) attach(event.dataTransfer.files);
    };
    document.addEventListener("dragover", hover);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", hover);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, [on]);
}

/** @param {{ upload: import("./uploads.js").Upload, uploads: import("./uploads.js").Uploads, say: import("./strings.js").Say }} props */
function UploadRow({ upload, uploads, say }) {
  const { name } = upload.file;
  const percent = Math.round(upload.progress * 100);
  return html`<li class=${upload.state}>
    <${Icon} name=${upload.state === "failed" ? "alert" : upload.state === "done" ? "check" : "file"} size=${16} />
    <span class="label"><b>${name}</b><small>${upload.state === "failed" ? say("failed") : upload.state === "done" ? size(upload.file.size) : say("uploading", { n: percent })}</small></span>
    ${upload.state === "uploading" && html`<progress max="100" value=${percent} aria-label=${name} />`}
    ${upload.state === "failed" && html`<button type="button" class="small" aria-label=${say("retryUpload", { name })} onClick=${() => uploads.retry(upload.key)}><${Icon} name="again" size=${16} /></button>`}
    <button type="button" class="small" aria-label=${say("remove", { name })} onClick=${() => uploads.remove(upload.key)}><${Icon} name="x" size=${16} /></button>
  </li>`;
}
