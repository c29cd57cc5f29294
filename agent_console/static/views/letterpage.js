import { html, useState } from "vendor/preact";
import { t } from "../i18n.js";
import { Button, Icon, IconButton } from "../ui/parts.js";
import { Dialog } from "../ui/layers.js";

/** Where the hub serves a letter as it was sent, made safe. @param {import("../types").MessageRow} row @param {boolean} pictures */
const pageOf = (row, pictures) => `/api/v1/interactions/${encodeURIComponent(row.interaction)}/letters/page?n=${row.n}${pictures ? "&pictures=true" : ""}`;

/** The letter as it was sent: a page of its own that can run nothing, keep nothing and, unless asked, load nothing. @param {{ row: import("../types").MessageRow, onClose: () => void }} props */
export function LetterPage({ row }) {
  const [pictures, setPictures] = useState(false);
  const [large, setLarge] = useState(false);
  const frame = html`<iframe class="letter-frame" key=${`${row.id}${pictures}`} title=${t("letter.page.title", { name: row.name ?? "" })} src=${pageOf(row, pictures)} sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" loading="lazy"></iframe>`;
  const bar = html`<div class="letter-page-bar">${pictures ? html`<span class="quiet">${t("letter.pictures.shown")}</span>` : html`<span class="quiet"><${Icon} name="image" size=${12} /> ${t("letter.pictures.hidden")}</span><${Button} small onClick=${() => setPictures(true)}>${t("letter.pictures.show")}<//>`}
    ${!large && html`<${IconButton} icon="maximize-2" label=${t("letter.page.large")} tip="left" onClick=${() => setLarge(true)} />`}</div>`;
  return html`<div class="letter-page">${bar}${!large && frame}</div>
    ${large && html`<${Dialog} title=${t("letter.page")} class="letter-large" onClose=${() => setLarge(false)}>${bar}${frame}<//>`}`;
}
