import { html, useEffect } from "vendor/preact";
import { t } from "../i18n.js";
import { target } from "../commands.js";
import { closeLayer, customerDrawer, openLayer, prefer, preferences, selected, showCustomerDrawer, shownPane, showPane } from "../screen.js";
import { Splitter } from "../ui/layers.js";
import { isWritable } from "../work.js";
import { Conversation } from "./conversation.js";
import { CustomerColumn } from "./customer.js";
import { WorkList } from "./list.js";
import { Transfer } from "./transfer.js";
import { Welcome } from "./welcome.js";

/** List, conversation, customer: side by side, or one pane at a time on a phone. */
export function Work() {
  const id = selected.value;
  const { list, customer } = preferences();
  const style = { ...(list && { "--list": `${list}px` }), ...(customer && { "--customer": `${customer}px` }) };
  const moves = openLayer() === "transfer";
  const row = target();
  const isOver = moves && !(row && isWritable(row));
  // What is no longer ours cannot be passed on.
  useEffect(() => void (isOver && (closeLayer(), showPane("conversation"), showCustomerDrawer(false))), [isOver]);
  const side = moves && !isOver ? html`<${Transfer} key=${id} id=${id} onClose=${closeLayer} />` : html`<${CustomerColumn} interaction=${id} />`;
  return html`<div class="work" data-pane=${id ? shownPane() : "list"} data-drawer=${customerDrawer() ? "open" : "shut"} data-open=${Boolean(id)} style=${style}>
    <${WorkList} />
    <${Splitter} label=${t("split.list")} value=${list || 320} min=${240} max=${480} sign=${1} onChange=${(/** @type {number} */ width) => prefer({ list: width })} />
    <div class="column">${id ? html`<${Conversation} key=${id} id=${id} />` : html`<${Welcome} />`}</div>
    ${id && html`<${Splitter} label=${t("split.customer")} value=${customer || 340} min=${280} max=${520} sign=${-1} onChange=${(/** @type {number} */ width) => prefer({ customer: width })} />`}
    ${id && html`<div class="column side-column" key="side">${customerDrawer() && html`<div class="drawer-shade" onClick=${() => showCustomerDrawer(false)}></div>`}${side}</div>`}
  </div>`;
}
