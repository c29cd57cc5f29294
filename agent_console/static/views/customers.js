import { html, useEffect, useState } from "vendor/preact";
import { get, query } from "../api.js";
import { explain, t } from "../i18n.js";
import { narrow } from "../platform.js";
import { address, go, route } from "../screen.js";
import { Avatar, Button, Empty, Icon, IconButton, Skeleton } from "../ui/parts.js";
import { WindowList } from "../ui/window.js";
import { contactOf, CustomerView } from "./customer.js";
import { Tier } from "./tier.js";

/** @typedef {import("../types").Customer} Customer */

/** Ask after a short rest; a newer question ends the older one. @param {string | null} path @param {number} [wait] ms @returns {{ answer: any, loading: boolean }} */
export function useGet(path, wait = 150) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [loading, setLoading] = useState(false);
  useEffect(() => {
    if (path === null) return void setAnswer(null);
    const stop = new AbortController();
    setLoading(true);
    const timer = setTimeout(async () => {
      const next = await get(path, stop.signal);
      if (stop.signal.aborted) return;
      setAnswer(next);
      setLoading(false);
    }, wait);
    return () => (clearTimeout(timer), stop.abort());
  }, [path]);
  return { answer, loading };
}

export function Customers() {
  const { id } = route();
  const [find, setFind] = useState("");
  const { answer, loading } = useGet(`/customers${query({ q: find.trim(), limit: 100 })}`);
  const found = /** @type {Customer[]} */ (answer?.customers ?? []);
  return html`<div class="people" data-pane=${id ? "customer" : "list"}>
    <section class="list" data-region="list" aria-label=${t("nav.customers")} tabindex="-1">
      <header class="list-head"><h1>${t("nav.customers")}</h1></header>
      <label class="find"><${Icon} name="search" /><input type="search" data-search value=${find} placeholder=${t("customers.find")} aria-label=${t("customers.find")} onInput=${(/** @type {Event} */ e) => setFind(/** @type {HTMLInputElement} */ (e.target).value)} /></label>
      <div class="scroll list-scroll">
        ${answer && !answer.ok && html`<${Empty} icon="wifi-off" title=${explain(answer)} />`}
        ${answer?.ok && !found.length && !loading && html`<${Empty} icon="users" title=${t(find ? "customers.nothing" : "customers.none")} text=${find ? t("customers.nothing.text") : t("customers.none.text")} />`}
        ${!answer && html`<${Skeleton} kind="rows" rows=${6} />`}
        <${WindowList} rows=${found} height=${64} label=${t("nav.customers")} id=${(/** @type {Customer} */ one) => one.id} row=${(/** @type {Customer} */ one, /** @type {number} */ _at, /** @type {object} */ place) => html`<div key=${one.id} role="listitem" ...${place}>
          <a class="row" data-row href=${address("customers", one.id)} aria-current=${one.id === id ? "true" : undefined}><${Avatar} name=${one.name} />
          <span class="row-main"><span class="row-name"><b>${one.name}</b>${one.tier && html`<${Tier} tier=${one.tier} />`}</span><span class="row-preview">${one.company || (contactOf(one) === one.name ? "" : contactOf(one))}</span></span></a></div>`} />
      </div>
    </section>
    ${id ? html`<${CustomerPage} key=${id} id=${id} />` : html`<section class="customer-page"><${Empty} icon="users" title=${t("customers.pick")} text=${t("customers.pick.text")} /></section>`}
  </div>`;
}

/** @param {{ id: string }} props */
function CustomerPage({ id }) {
  const [customer, setCustomer] = useState(/** @type {Customer | null} */ (null));
  const [error, setError] = useState("");
  const load = async () => {
    const answer = /** @type {any} */ (await get(`/customers/${encodeURIComponent(id)}`));
    setError(answer.ok ? "" : explain(answer));
    if (answer.ok) setCustomer(answer.customer);
  };
  useEffect(() => void load(), [id]);
  return html`<section class="customer-page" data-region="customer" tabindex="-1" aria-label=${t("region.customer")}>
    ${narrow.value && html`<h1 class="visually-hidden">${t("nav.customers")}</h1>`}
    <${IconButton} class="back" icon="arrow-left" label=${t("back")} onClick=${() => go("customers")} />
    ${customer ? html`<${CustomerView} customer=${customer} onChange=${setCustomer} />` : error ? html`<${Empty} icon="users" title=${error}><${Button} small onClick=${load}>${t("retry")}<//><//>` : html`<${Skeleton} kind="profile" rows=${6} />`}
  </section>`;
}
