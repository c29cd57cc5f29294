import { html, useEffect, useRef } from "vendor/preact";
import { t } from "../i18n.js";
import { closeLayer, dismissToast, go, openLayer, route, selected, showLayer, shownPane, showPane, toasts } from "../screen.js";
import { connectionState, isSupervisor, myOffers, myself } from "../store.js";
import { Icon, IconButton, Keys } from "../ui/parts.js";
import { modifier, narrow } from "../platform.js";
import { unreadCount } from "../work.js";
import { attentionCount, watchAttention, watchesAttention } from "../attention.js";
import { AttentionPage } from "./attention.js";
import { banner } from "./banners.js";
import { Brand } from "./brand.js";
import { Customers } from "./customers.js";
import { DeviceCheck } from "./devices.js";
import { Floor } from "./floor.js";
import { Flows } from "./flows.js";
import { KeyTable } from "./keys.js";
import { NewLetter } from "./newletter.js";
import { OfferDock } from "./offer.js";
import { DialPad } from "./keypad.js";
import { Palette } from "./palette.js";
import { CallBar, PhoneStatus, Ringing } from "./phone.js";
import { Preferences } from "./preferences.js";
import { OwnStanding } from "./standing.js";
import { PresenceMenu, UserMenu } from "./presence.js";
import { Search } from "./search.js";
import { Wallboard } from "./wallboard.js";
import { Work } from "./work.js";

const PAGES = { work: Work, customers: Customers, search: Search, floor: Floor, flows: Flows, attention: AttentionPage, wallboard: Wallboard };

export function Shell() {
  const { page } = route();
  const layer = openLayer();
  const watched = watchesAttention.value;
  useEffect(() => (watched ? watchAttention() : undefined), [watched]);
  if (page === "wallboard" && isSupervisor.value) return html`<${Wallboard} />`;
  // One pane at a time: the list, whose title is the page's, may be out of sight.
  const onePane = page === "work" && narrow.value && selected.value && shownPane() !== "list";
  const Page = PAGES[["floor", "flows", "attention"].includes(page) && myself() && !isSupervisor.value ? "work" : page];
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <${TopBar} />
    ${narrow.value && banner()}
    <${CallBar} />
    <div class="shell-body"><${Rail} /><main id="main" tabindex="-1" class="page">${onePane && html`<h1 class="visually-hidden">${t("nav.work")}</h1>`}${myself() ? html`<${Page} key=${page} />` : html`<${Loading} />`}</main></div>
    ${(page !== "work" || (narrow.value && !(selected.value && shownPane() === "conversation"))) && html`<${OfferDock} place="floating" />`}
    <${Ringing} />
    <${StatusLine} />
    <${Toasts} />
    ${layer === "palette" && html`<${Palette} />`}
    ${layer === "keys" && html`<${KeyTable} onClose=${closeLayer} />`}
    ${layer === "dial" && html`<${DialPad} />`}
    ${layer === "devices" && html`<${DeviceCheck} />`}
    ${layer === "letter" && html`<${NewLetter} />`}
    ${layer === "standing" && html`<${OwnStanding} onClose=${closeLayer} />`}
    ${layer === "preferences" && html`<${Preferences} onClose=${closeLayer} />`}
  </div>`;
}

/** The address carries the page, so the skip link moves the focus itself. @param {Event} e */
function skip(e) {
  e.preventDefault();
  document.getElementById("main")?.focus();
}

const Loading = () => html`<div class="page-loading"><div class="skeleton lines" aria-hidden="true"><span></span><span></span><span></span></div><span class="visually-hidden">${t("loading")}</span></div>`;

function TopBar() {
  return html`<header class="topbar" data-region="topbar">
    <a class="brand" href="#/work" aria-label="Switchboard"><${Brand} /><span>Switchboard</span></a>
    ${(!narrow.value && banner()) || html`<button type="button" class="searchbox" aria-label=${narrow.value ? t("palette.open") : undefined} onClick=${() => showLayer("palette")} aria-keyshortcuts="Control+K"><${Icon} name="search" /><span>${t("palette.open")}</span><${Keys}>${modifier} K<//></button>`}
    <div class="topbar-end"><${PresenceMenu} /><${UserMenu} /></div>
  </header>`;
}


function Rail() {
  const { page } = route();
  const unread = unreadCount.value;
  const items = [["work", "inbox", "G W"], ["customers", "users", "G C"], ["search", "search", "/"], ...(isSupervisor.value ? [["floor", "layout-dashboard", "G F"], ["flows", "git-merge", "G L"]] : []), ...(watchesAttention.value ? [["attention", "triangle-alert", "G A"]] : [])];
  const troubles = attentionCount.value;
  const open = (/** @type {string} */ name) => {
    if (name === "work") showPane("list");
    go(/** @type {any} */ (name));
  };
  return html`<nav class="rail" data-region="rail" aria-label=${t("nav")}>
    ${items.map(([name, icon, keys]) => html`<button type="button" key=${name} class="rail-item" aria-current=${page === name ? "page" : undefined} data-tip=${`${t(`nav.${name}`)}  ${keys}`} onClick=${() => open(name)}>
      <${Icon} name=${icon} size=${20} /><span class="rail-label">${t(`nav.${name}`)}</span>
      ${name === "attention" && troubles > 0 && html`<span class="count bad"><span aria-hidden="true">${troubles}</span><span class="visually-hidden">${t("attention.count", { n: troubles })}</span></span>`}
      ${name === "work" && unread > 0 && html`<span class="count"><span aria-hidden="true">${unread}</span><span class="visually-hidden">${t("unread", { n: unread })}</span></span>`}</button>`)}
    <span class="rail-gap"></span>
    <${IconButton} icon="keyboard" size=${20} label=${t("keys.title")} keys=${`${modifier} /`} tip="right" class="rail-item rail-extra" onClick=${() => showLayer("keys")} />
  </nav>`;
}

function StatusLine() {
  const { state, behind } = connectionState();
  const me = myself();
  const live = state === "live";
  const word = state === "gap" ? t("status.behind", { n: behind }) : live ? t("status.live") : t(`status.${state}`);
  return html`<footer class="statusline" data-region="status" tabindex="-1" aria-label=${t("status")}>
    <span class=${`connection ${state}`}><i aria-hidden="true"></i>${word}</span>
    ${me && html`<span>${t("status.units", { held: me.held, capacity: me.capacity })}</span><span>${t("status.handled", { n: me.handled_today })}</span>`}
    <${PhoneStatus} />
    ${myOffers.value.length > 1 && html`<span>${t("status.offers", { n: myOffers.value.length })}</span>`}
  </footer>`;
}

/** On a small screen they stand above what one writes or decides in, never on its buttons. */
function Toasts() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = toasts().length;
  useEffect(() => {
    const foot = [...document.querySelectorAll(".composer, .wrapup")].map((one) => one.getBoundingClientRect()).find((one) => one.height > 0);
    const isSmall = matchMedia("(max-width: 719px)").matches;
    if (box.current) box.current.style.bottom = isSmall && foot ? `${innerHeight - foot.top + 8}px` : "";
  }, [shown]);
  return html`<div class="toasts" ref=${box}>${toasts().map((one) => html`<div key=${one.id} class=${`toast ${one.kind}`} role=${one.kind === "bad" ? "alert" : "status"}>
    <${Icon} name=${one.kind === "bad" ? "triangle-alert" : one.kind === "ok" ? "check" : "info"} /><span>${one.text}</span>
    ${one.action && html`<button type="button" onClick=${() => (one.action?.run(), dismissToast(one.id))}>${one.action.label}</button>`}
    <${IconButton} icon="x" label=${t("close")} onClick=${() => dismissToast(one.id)} />
  </div>`)}</div>`;
}

