import { html } from "vendor/preact";
import { t } from "../i18n.js";
import { Button, Icon } from "../ui/parts.js";
import { draftOf, keepDraft, setDraft } from "../written.js";

/** What was being written to the customer when the conversation was taken away or ended: it can still be read, copied, dropped. @param {{ id: string }} props */
export function Unsent({ id }) {
  const text = draftOf(id, "reply").trim();
  if (!text) return null;
  const drop = () => (setDraft(id, "reply", ""), keepDraft(id, "reply"));
  return html`<section class="unsent" aria-label=${t("unsent")}><header><h3><${Icon} name="info" size=${12} />${t("unsent")}</h3>
    ${navigator.clipboard && html`<${Button} small kind="ghost" icon="copy" onClick=${() => navigator.clipboard.writeText(text)}>${t("copy")}<//>`}<${Button} small kind="ghost" icon="trash-2" onClick=${drop}>${t("unsent.drop")}<//></header>
    <p class="scroll" dir="auto" tabindex="0">${text}</p></section>`;
}
