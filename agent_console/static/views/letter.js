import { html, useState } from "vendor/preact";
import { beginLetter } from "../letters.js";
import { shortDay, fullTime, has, t } from "../i18n.js";
import { ticking } from "../clock.js";
import { myself } from "../store.js";
import { write } from "../commands.js";
import { Avatar, Button, Chip, Icon } from "../ui/parts.js";
import { Evidence } from "./evidence.js";
import { LetterState } from "./letterstate.js";
import { LetterPage } from "./letterpage.js";
import { Attachment, linked } from "./message.js";

/** @typedef {import("../types").Party} Party @typedef {import("../types").LetterRow} LetterRow */

/** @param {Party} party */
export const nameOf = ({ name, address }) => name || address;
/** @param {Party} party */
const whole = ({ name, address }) => (name && name !== address ? html`<b>${name}</b> <span class="letter-address">${address}</span>` : html`<b>${address}</b>`);

/**
 * One letter: who to whom, its new words, what was folded away, and what became of it.
 * @param {{ row: import("../types").MessageRow, letter: LetterRow, out?: import("../types").OutgoingRow, subject: string, held: import("../types").Conversation, open: boolean, writable: boolean }} props
 */
export function LetterBlock({ row, letter, out, subject, held, open: first, writable }) {
  const [shown, setShown] = useState(first);
  const [more, setMore] = useState("");
  const ours = row.from === "agent";
  const own = ours && row.author === myself()?.agent_id;
  const sender = letter.sender ?? { name: row.name ?? held.interaction.customer_name, address: "" };
  const name = own ? t("you") : row.name || nameOf(sender);
  const toggle = (/** @type {string} */ what) => setMore(more === what ? "" : what);
  const head = html`<${Avatar} name=${row.name || nameOf(sender)} size="s" />
    <span class="letter-from"><b>${name}</b>${sender.address && sender.address !== name && html` <span class="letter-address">${sender.address}</span>`}</span>
    <time datetime=${new Date(row.at).toISOString()} title=${fullTime(row.at)}>${shortDay(row.at, ticking())}</time>`;
  if (!shown) return html`<article class=${`letter folded ${ours ? "ours" : "theirs"}`} data-n=${row.n}><button type="button" class="letter-head" aria-expanded="false" onClick=${() => setShown(true)}>${head}<span class="letter-glance">${row.text}</span></button><${LetterState} row=${row} letter=${letter} out=${out} quiet /></article>`;
  return html`<article class=${`letter ${ours ? "ours" : "theirs"}`} data-n=${row.n} aria-label=${t("letter.from", { name })}>
    <header class="letter-head">${head}</header>
    <${Recipients} letter=${letter} />
    ${subject && html`<h3 class="letter-subject" dir="auto">${subject}</h3>`}
    <${Badges} letter=${letter} ours=${ours} />
    ${more === "page" ? html`<${LetterPage} row=${row} onClose=${() => setMore("")} />` : html`<div class="letter-text" lang=${ours ? undefined : (held.interaction.language ?? undefined)} dir="auto">${row.text ? linked(row.text) : html`<span class="quiet">${t("letter.wordless")}</span>`}</div>`}
    ${letter.quoted && more !== "page" && html`<button type="button" class="letter-fold" aria-expanded=${more === "quoted"} onClick=${() => toggle("quoted")}><${Icon} name="ellipsis" />${t(more === "quoted" ? "letter.quoted.hide" : "letter.quoted.show")}</button>`}
    ${more === "quoted" && html`<div class="letter-quoted" dir="auto">${linked(letter.quoted)}</div>`}
    ${row.files.length > 0 && html`<div class="files">${row.files.map((file) => html`<${Attachment} key=${file.id} file=${file} />`)}</div>`}
    <footer class="letter-foot">
      ${writable && !ours && html`<${Button} small kind="ghost" icon="reply" onClick=${() => (write("reply"), void beginLetter(held.id, "reply", row.n))}>${t("reply")}<//>`}
      ${letter.has_page && html`<${Button} small kind="ghost" icon=${more === "page" ? "chevron-down" : "mail-open"} aria-expanded=${more === "page"} onClick=${() => toggle("page")}>${t(more === "page" ? "letter.page.hide" : "letter.page")}<//>`}
      ${!ours && html`<${Button} small kind="ghost" icon="circle-help" aria-expanded=${more === "why"} onClick=${() => toggle("why")}>${t("letter.why")}<//>`}
      <${LetterState} row=${row} letter=${letter} out=${out} />
    </footer>
    ${more === "why" && html`<${Evidence} row=${row} letter=${letter} held=${held} />`}
  </article>`;
}

/** "to support@…, 2 more", and everything with a click. @param {{ letter: LetterRow }} props */
function Recipients({ letter }) {
  const [open, setOpen] = useState(false);
  const { to, cc, bcc, reply_to } = letter;
  const others = to.length + cc.length + bcc.length - 1;
  if (others < 0) return null;
  const first = [...to, ...cc, ...bcc][0];
  const line = (/** @type {string} */ key, /** @type {Party[]} */ all) => all.length > 0 && html`<div><dt>${t(`letter.${key}`)}</dt><dd>${all.map((one, i) => html`<span key=${i} class="letter-party">${whole(one)}</span>`)}</dd></div>`;
  return html`<div class="letter-recipients"><button type="button" aria-expanded=${open} onClick=${() => setOpen(!open)}><span>${t("letter.to.line", { name: nameOf(first) })}${others > 0 ? ` ${t("letter.to.more", { n: others })}` : ""}</span><${Icon} name="chevron-down" size=${12} /></button>
    ${open && html`<dl>${line("sender", letter.sender ? [letter.sender] : [])}${line("reply_to", reply_to)}${line("to", to)}${line("cc", cc)}${line("bcc", bcc)}</dl>`}</div>`;
}

const PROOF = /** @type {Record<string, [string, string]>} */ ({ proved: ["ok", "shield-check"], disproved: ["bad", "shield-alert"] });

/** What a person must know before believing or answering it. @param {{ letter: LetterRow, ours: boolean }} props */
function Badges({ letter, ours }) {
  if (ours) return letter.is_automatic ? html`<p class="letter-badges"><${Chip} icon="bot">${t("letter.automatic.ours")}<//></p>` : null;
  const [tone, icon] = PROOF[letter.authenticity] ?? ["", "circle-help"];
  return html`<div class="letter-badges"><${Chip} tone=${tone} icon=${icon} title=${t(`proof.${letter.authenticity}.hint`)}>${t(`proof.${letter.authenticity}`)}<//>
    ${letter.is_automatic && html`<${Chip} tone="warn" icon="bot">${t("letter.automatic")}<//>`}
    ${letter.must_not_answer && html`<${Chip} tone="warn" icon="triangle-alert">${t("letter.no_answer")}<//>`}
    ${letter.authenticity === "disproved" && html`<p class="letter-warning">${t("proof.disproved.hint")}</p>`}
    ${letter.remarks.length > 0 && html`<p class="letter-remarks">${letter.remarks.map(remark).join(" · ")}</p>`}</div>`;
}

/** The hub's remark in the reader's language, else as it is. @param {string} text */
function remark(text) {
  const key = `remark.${text.toLowerCase().replaceAll(" ", "_")}`;
  return has(key) ? t(key) : text;
}
