import { html, useRef, useState } from "vendor/preact";
import { get } from "../api.js";
import { fileSize, t } from "../i18n.js";
import { addMessages } from "../store.js";
import { Icon } from "../ui/parts.js";

/** @typedef {import("../types").FileRow} File */

/** Can it be listened to here? @param {File} file */
export const isSound = (file) => /^audio\/(mpeg|wav|x-wav|ogg|mp4)$/.test(file.type);

/** A recording or a message left, played by the browser; never by itself. A link that has died is asked for anew once. @param {{ file: File, row: import("../types").MessageRow }} props */
export function Recording({ file, row }) {
  const [failed, setFailed] = useState(false);
  const tried = useRef(false);
  const again = async () => {
    if (tried.current) return setFailed(true);
    tried.current = true;
    const answer = /** @type {any} */ (await get(`/interactions/${encodeURIComponent(row.interaction)}/messages?before_n=${row.n + 1}&limit=1`));
    if (answer.ok) addMessages(row.interaction, answer.messages);
    else setFailed(true);
  };
  return html`<div class="recording"><audio controls preload="none" src=${file.url} aria-label=${t("recording.play", { name: file.name })} onError=${again}></audio>
    <a href=${file.url} download=${file.name} rel="noopener"><${Icon} name="download" size=${12} label=${t("file.download")} /> ${fileSize(file.size)}</a>${failed && html`<span class="field-error">${t("recording.failed")}</span>`}</div>`;
}
