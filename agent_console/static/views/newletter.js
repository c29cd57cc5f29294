import { html, useEffect, useRef, useState } from "vendor/preact";
import { changeDraft, isBegun, letterDraft, merged, NEW } from "../drafts.js";
import { t } from "../i18n.js";
import { sendNew } from "../letters.js";
import { closeLayer, selected } from "../screen.js";
import { conversation, hubSettings, kindOf, myself, queueName } from "../store.js";
import { Dialog } from "../ui/layers.js";
import { IconButton } from "../ui/parts.js";
import { Chosen, useFiles } from "./attach.js";
import { LetterForm, missing, useKept } from "./letterform.js";
import { SendButton } from "./schedule.js";

/** The ways out by which a person may write first. */
export const waysOut = () => (hubSettings()?.channels ?? []).filter((one) => kindOf(one.kind).can_begin && kindOf(one.kind).has_envelopes);

/** A letter that begins something: from which mailbox, for which queue, to whom. */
export function NewLetter() {
  const draft = letterDraft(NEW);
  const ways = waysOut();
  const queues = myself()?.queues ?? [];
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState("");
  const files = useFiles("");
  const { saved, save } = useKept(NEW);
  useEffect(() => void (files.done.length && changeDraft(NEW, { files: merged(letterDraft(NEW)?.files ?? [], files.done) })), [files.done.length]);
  const answers = useRef(/** @type {(() => void) | null} */ (null));
  useEffect(() => {
    const channel = draft?.channel ?? ways[0]?.id;
    changeDraft(NEW, { mode: "new", channel, queue: draft?.queue ?? queues[0] });
    requestAnimationFrame(() => document.getElementById(letterDraft(NEW)?.to.length ? `subject-${NEW}` : `to-${NEW}`)?.focus());
  }, []);
  if (!draft) return null;
  const held = conversation(selected.value);
  const known = held ? held.customer.addresses.filter((one) => one.value.includes("@")).map((one) => ({ address: one.value, name: held.customer.name })) : [];
  const send = async (/** @type {{ sendAt?: number }} */ { sendAt }) => {
    const why = missing(draft) || (draft.subject.trim() ? "" : t("letter.needs.subject"));
    setTried(why);
    if (why || busy) return;
    setBusy(true);
    const answer = await sendNew(sendAt ?? null);
    if (!answer.ok) setBusy(false);
  };
  const choice = (/** @type {string} */ label, /** @type {string | undefined} */ value, /** @type {[string, string][]} */ options, /** @type {(value: string) => void} */ set) => html`<label class="letter-choice-field"><span>${label}</span><select value=${value} onChange=${(/** @type {Event} */ e) => set(/** @type {HTMLSelectElement} */ (e.target).value)}>${options.map(([id, word]) => html`<option key=${id} value=${id} selected=${id === value}>${word}</option>`)}</select></label>`;
  return html`<${Dialog} title=${t("letter.new")} onClose=${closeLayer} class="new-letter"><div class="dialog-scroll">
    <div class="two">${choice(t("letter.channel"), draft.channel, ways.map((one) => [one.id, one.address || one.id]), (channel) => changeDraft(NEW, { channel }))}
      ${choice(t("letter.queue"), draft.queue, queues.map((id) => [id, queueName(id)]), (queue) => changeDraft(NEW, { queue }))}</div>
    <${LetterForm} id=${NEW} row=${null} known=${known} open onOpen=${() => {}} onSend=${() => void send({})} onSave=${() => isBegun(draft) && void save()} onPaste=${files.onPaste} answers=${answers} />
    <${Chosen} files=${{ ...files, files: files.files.filter((one) => !one.row) }} held=${draft.files} onDrop=${(/** @type {string} */ file) => changeDraft(NEW, { files: draft.files.filter((one) => one.id !== file) })} /></div>
    <footer class="letter-foot-bar"><${IconButton} icon="paperclip" label=${t("attach")} tip="above" onClick=${files.pick} /><span class=${`composer-state ${tried ? "bad-text" : ""}`} role=${tried ? "alert" : undefined}>${tried || (saved ? t("draft.saved") : "")}</span><${SendButton} word=${t("letter.send")} kind="primary" disabled=${files.busy} busy=${busy} then=${false} onSend=${send} /></footer><//>`;
}
