import { html } from "vendor/preact";
import { alertState, askNotifications, testSound } from "../alerts.js";
import { goAvailable } from "../devices.js";
import { t } from "../i18n.js";
import { myself } from "../store.js";
import { myWork } from "../work.js";
import { PhoneCheck } from "./phone.js";
import { Button, Empty, Icon } from "../ui/parts.js";

/** Nothing is open: the start of a shift, or a quiet moment. */
export function Welcome() {
  const me = myself();
  const { unlocked, notifications } = alertState.value;
  const off = me?.presence !== "available";
  const check = (/** @type {boolean} */ good, /** @type {string} */ text, /** @type {unknown} */ action) => html`<li class=${good ? "good" : ""}><${Icon} name=${good ? "check" : "info"} /><span>${text}</span>${action}</li>`;
  return html`<section class="conversation welcome" data-region="conversation" tabindex="-1" aria-label=${t("region.conversation")}>
    ${off
      ? html`<div class="shift"><h2>${t("shift.title", { name: me?.name.split(" ")[0] ?? "" })}</h2><p>${t("shift.text")}</p>
          <ul>
            ${check(unlocked, t(unlocked ? "shift.sound.ok" : "shift.sound"), html`<${Button} small icon="volume-2" onClick=${testSound}>${t("sound.test")}<//>`)}
            ${check(notifications === "granted", t(`shift.notifications.${notifications}`), notifications === "default" && html`<${Button} small icon="bell" onClick=${askNotifications}>${t("shift.allow")}<//>`)}
            <${PhoneCheck} check=${check} />
          </ul>
          <${Button} kind="primary" onClick=${() => void goAvailable()}>${t("shift.go")}<//></div>`
      : html`<${Empty} icon="inbox" title=${myWork.value.length ? t("welcome.pick") : t("welcome.available")} text=${myWork.value.length ? t("welcome.pick.text") : t("welcome.available.text")}>
          <${Button} small kind="ghost" icon="volume-2" onClick=${testSound}>${t("sound.test")}<//><//>`}
  </section>`;
}
