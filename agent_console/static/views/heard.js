import { html, useLayoutEffect, useRef, useState } from "vendor/preact";
import { t } from "../i18n.js";
import { heard, isTyped, openCall, sayWords } from "../phone.js";
import { Button } from "../ui/parts.js";

/** Where the telephone is one of words: what is heard is read, what is said is typed. @param {{ name: string }} props */
export function Heard({ name }) {
  const [text, setText] = useState("");
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const sounds = heard();
  useLayoutEffect(() => void (box.current && (box.current.scrollTop = box.current.scrollHeight)), [sounds.length]);
  if (!openCall() || !isTyped()) return null;
  const say = (/** @type {Event} */ e) => {
    e.preventDefault();
    if (text.trim()) sayWords(text.trim());
    setText("");
  };
  return html`<div class="heard"><div class="heard-lines" ref=${box} role="log" aria-label=${t("heard.title")} tabindex="0">
      ${sounds.map((one) => html`<p key=${one.key} class=${one.mine ? "mine" : ""} lang=${one.language || undefined}><b>${one.mine ? t("you") : t("heard.line")}</b> ${one.text}</p>`)}
      ${!sounds.length && html`<p class="quiet">${t("heard.nothing", { name })}</p>`}</div>
    <form onSubmit=${say}><input value=${text} maxlength="500" aria-label=${t("heard.say")} placeholder=${t("heard.say")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLInputElement} */ (e.target).value)} /><${Button} small type="submit" disabled=${!text.trim()}>${t("heard.say.go")}<//></form></div>`;
}
