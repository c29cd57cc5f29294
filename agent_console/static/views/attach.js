import { html, useState } from "vendor/preact";
import { upload } from "../api.js";
import { explain, fileSize, t } from "../i18n.js";
import { toast } from "../screen.js";
import { Button, Icon, IconButton } from "../ui/parts.js";

/** @typedef {{ key: number, name: string, size: number, row?: import("../types").FileRow }} Chosen */
let keys = 0;

/** Files chosen, dropped or pasted go up at once; the message carries their ids. @param {string} interaction */
export function useFiles(interaction) {
  const [files, setFiles] = useState(/** @type {Chosen[]} */ ([]));
  const drop = (/** @type {number} */ key) => setFiles((all) => all.filter((one) => one.key !== key));
  /** @param {Iterable<File>} chosen */
  const add = (chosen) => {
    for (const file of chosen) {
      const key = ++keys;
      setFiles((all) => [...all, { key, name: file.name, size: file.size }]);
      void upload(interaction, file).then((answer) => {
        if (answer.ok) return setFiles((all) => all.map((one) => (one.key === key ? { ...one, row: answer.file } : one)));
        drop(key);
        toast(t("attach.failed", { name: file.name, why: explain(answer) }), "bad");
      });
    }
  };
  const pick = () => {
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
    input.onchange = () => add(input.files ?? []);
    input.click();
  };
  return {
    files, drop, pick,
    busy: files.some((one) => !one.row),
    done: files.flatMap((one) => one.row ?? []),
    clear: () => setFiles([]),
    onDrop: (/** @type {DragEvent} */ e) => (e.preventDefault(), add(e.dataTransfer?.files ?? [])),
    onPaste: (/** @type {ClipboardEvent} */ e) => e.clipboardData?.files.length && (e.preventDefault(), add(e.clipboardData.files)),
  };
}

/** @param {{ files: ReturnType<typeof useFiles>, held: import("../types").FileRow[], onDrop?: (id: string) => void }} props */
export function Chosen({ files, held, onDrop }) {
  if (!files.files.length && !held.length) return null;
  return html`<ul class="chosen" aria-label=${t("attach.chosen")}>
    ${held.map((file) => html`<li key=${file.id}><${Icon} name="file" /><span>${file.name}</span><small>${fileSize(file.size)}</small>${onDrop && html`<${IconButton} icon="x" size=${12} label=${t("attach.remove", { name: file.name })} onClick=${() => onDrop(file.id)} />`}</li>`)}
    ${files.files.map((one) => html`<li key=${one.key} class=${one.row ? "" : "loading"}><${Icon} name=${one.row ? "file" : "loader-circle"} class=${one.row ? "" : "turning"} /><span>${one.name}</span><small>${fileSize(one.size)}</small>
      <${IconButton} icon="x" size=${12} label=${t("attach.remove", { name: one.name })} onClick=${() => files.drop(one.key)} /></li>`)}</ul>`;
}

/** Up to six buttons the customer may answer with. @param {{ choices: string[], onChange: (choices: string[] | null) => void }} props */
export function ChoiceEditor({ choices, onChange }) {
  const set = (/** @type {number} */ at, /** @type {string} */ label) => onChange(choices.map((one, i) => (i === at ? label : one)));
  return html`<fieldset class="choice-editor"><legend>${t("choices.offer")}</legend>
    ${choices.map((label, i) => html`<input key=${i} type="text" maxlength="40" value=${label} aria-label=${t("choices.n", { n: i + 1 })} placeholder=${t("choices.n", { n: i + 1 })} onInput=${(/** @type {Event} */ e) => set(i, /** @type {HTMLInputElement} */ (e.target).value)} />`)}
    ${choices.length < 6 && html`<${Button} small kind="ghost" icon="plus" onClick=${() => onChange([...choices, ""])}>${t("choices.add")}<//>`}
    <${IconButton} icon="x" label=${t("choices.none")} tip="above" onClick=${() => onChange(null)} /></fieldset>`;
}
