import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { openInteraction } from "../actions.js";
import { query } from "../api.js";
import { ticking } from "../clock.js";
import { explain, shortDay, t } from "../i18n.js";
import { address, go, route } from "../screen.js";
import { queueName } from "../store.js";
import { Avatar, Empty, Hits, Icon, Marked } from "../ui/parts.js";
import { contactOf } from "./customer.js";
import { useGet } from "./customers.js";

/** Customers and messages, in any language. */
export function Search() {
  const [find, setFind] = useState(route().id);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const wanted = find.trim();
  const { answer, loading } = useGet(wanted ? `/search${query({ q: wanted, limit: 50 })}` : null);
  useLayoutEffect(() => field.current?.focus(), []);
  useEffect(() => history.replaceState(null, "", address("search", wanted)), [wanted]);
  const people = answer?.customers ?? [];
  const messages = answer?.messages ?? [];
  const notes = answer?.notes ?? [];
  const nothing = answer?.ok && !people.length && !messages.length && !notes.length && !loading;
  return html`<section class="search-page scroll" data-region="list" tabindex="-1" aria-label=${t("nav.search")}><div class="search-inner">
    <h1 class="visually-hidden">${t("nav.search")}</h1>
    <label class="search-field"><${Icon} name=${loading ? "loader-circle" : "search"} size=${20} class=${loading ? "turning" : ""} /><input ref=${field} data-search type="search" value=${find} placeholder=${t("search.placeholder")} aria-label=${t("search.placeholder")} onInput=${(/** @type {Event} */ e) => setFind(/** @type {HTMLInputElement} */ (e.target).value)} /></label>
    ${!wanted && html`<${Empty} icon="search" title=${t("search.empty")} text=${t("search.empty.text")} />`}
    ${answer && !answer.ok && html`<${Empty} icon="wifi-off" title=${explain(answer)} />`}
    ${nothing && html`<${Empty} icon="search" title=${t("search.nothing", { find: wanted })} text=${t("search.nothing.text")} />`}
    ${people.length > 0 && html`<section class="results"><h2>${t("nav.customers")} <span>${people.length}</span></h2><ul class="result-people">${people.map((/** @type {any} */ one) => html`<li key=${one.id}><button type="button" onClick=${() => go("customers", one.id)}><${Avatar} name=${one.name} /><span><b><${Marked} text=${one.name} find=${wanted} /></b><small>${one.company || contactOf(one)}</small></span></button></li>`)}</ul></section>`}
    ${messages.length > 0 && html`<section class="results"><h2>${t("messages")} <span>${messages.length}</span></h2><ul class="result-messages">${messages.map((/** @type {any} */ one) => html`<${Hit} key=${one.id ?? `${one.interaction}:${one.n}`} one=${one} find=${wanted} />`)}</ul></section>`}
    ${notes.length > 0 && html`<section class="results"><h2>${t("notes")} <span>${notes.length}</span></h2><ul class="result-messages">${notes.map((/** @type {any} */ one) => html`<${Hit} key=${one.note} one=${one} find=${wanted} note />`)}</ul></section>`}
  </div></section>`;
}

/** A message or a note that was found. @param {{ one: any, find: string, note?: boolean }} props */
function Hit({ one, find, note }) {
  const now = ticking();
  const open = () => (one.interaction ? openInteraction(one.interaction) : go("customers", one.customer));
  return html`<li><button type="button" onClick=${open}><span class="hit-head">${note && html`<${Icon} name="sticky-note" size=${12} />`}<b>${one.customer_name ?? ""}</b>${one.queue && html`<span>${queueName(one.queue)}</span>`}${one.author_name && html`<span>${t("note.by", { name: one.author_name })}</span>`}<time>${shortDay(one.at, now)}</time></span>
    <span class="hit-text" dir="auto">${one.marks ? html`<${Hits} text=${one.snippet} marks=${one.marks} />` : html`<${Marked} text=${one.snippet ?? one.text ?? ""} find=${find} />`}</span></button></li>`;
}
