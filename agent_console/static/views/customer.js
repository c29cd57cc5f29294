import { html, useEffect, useState } from "vendor/preact";
import { post } from "../api.js";
import { openDialPad } from "../calls.js";
import { canBegin } from "../commands.js";
import { beginNew, sendTranscript } from "../letters.js";
import { loadPath } from "../paths.js";
import { lines } from "../phone.js";
import { ticking } from "../clock.js";
import { dayName, explain, fullTime, shortDay, t } from "../i18n.js";
import { address, selected, showCustomerDrawer, showPane, toast } from "../screen.js";
import { conversation, hubSettings, interactions, setCustomer } from "../store.js";
import { useBusy } from "../ui/busy.js";
import { Avatar, Button, Chip, Icon, IconButton, Skeleton } from "../ui/parts.js";
import { Duplicates, Merged } from "./duplicates.js";
import { Tier } from "./tier.js";
import { linked, writer } from "./message.js";
import { Path } from "./path.js";
import { ProfileForm } from "./profile.js";
import { Promises } from "./promises.js";
import { TimelineView } from "./timeline.js";
import { Why } from "./why.js";

/** @typedef {import("../types").Customer} Customer */

/** Beside the conversation. @param {{ interaction: string }} props */
export function CustomerColumn({ interaction }) {
  const held = conversation(interaction);
  // Beside the conversation, not after it; once that is there, its path looks for itself.
  useEffect(() => {
    if (!conversation(interaction)) void loadPath(interaction);
  }, [interaction]);
  return html`<aside class="customer" data-region="customer" tabindex="-1" aria-label=${t("region.customer")}>
    <${IconButton} class="back" icon="arrow-left" label=${t("back")} onClick=${() => (showPane("conversation"), showCustomerDrawer(false))} />
    ${held ? html`<${CustomerView} customer=${held.customer} history=${held.history} current=${interaction} onChange=${setCustomer} />` : html`<${Skeleton} kind="profile" rows=${6} />`}
  </aside>`;
}

/** @param {{ customer: Customer, history?: import("../types").Timeline, current?: string, onChange: (customer: Customer) => void }} props */
export function CustomerView({ customer, history, current, onChange }) {
  const [editing, setEditing] = useState(false);
  return html`<div class="scroll customer-scroll">
    ${editing
      ? html`<${ProfileForm} customer=${customer} onDone=${(/** @type {Customer | null} */ next) => (next && onChange(next), setEditing(false))} />`
      : html`<${Profile} customer=${customer} onEdit=${() => setEditing(true)} />`}
    <${Duplicates} customer=${customer} onChange=${onChange} />
    <${OpenElsewhere} customer=${customer} current=${current} />
    ${current && html`<${Path} key=${`path ${current}`} id=${current} state=${interactions.get(current)?.state ?? ""} />`}
    <${Promises} customer=${customer} current=${current} onChange=${onChange} />
    <${Notes} customer=${customer} onChange=${onChange} />
    <${Merged} customer=${customer} onChange=${onChange} />
    ${current && html`<${Why} key=${current} id=${current} />`}
    <${TimelineView} key=${customer.id} customer=${customer.id} name=${customer.name} first=${history} current=${current} />
  </div>`;
}

const KIND_ICONS = /** @type {Record<string, string>} */ ({ email: "at-sign", phone: "phone", chat: "message-square", site: "globe", sms: "smartphone" });

/** What a form asks for everywhere; typed by anybody, so it counts less than an address. */
const TYPED = ["email", "phone"];

/** The kinds of address that letters go to, and calls. */
const ADDRESSED = "email";
const CALLED = "phone";

/** How to reach a customer, in a word. @param {Customer} customer */
export function contactOf({ addresses, fields }) {
  return addresses?.find((one) => one.kind !== "chat")?.value || TYPED.map((kind) => fields?.[kind]).find(Boolean) || t("addresses.none");
}

/** "today", where the name of a day does not begin the line. @param {string} day */
const midSentence = (day) => ([t("day.today"), t("day.yesterday")].includes(day) ? day.toLowerCase() : day);

/** @param {string} id */
const kindOfChannel = (id) => hubSettings()?.channels?.find((one) => one.id === id)?.kind ?? "sms";

/** @param {{ customer: Customer, onEdit: () => void }} props */
function Profile({ customer, onEdit }) {
  const { totals } = customer;
  const held = conversation(selected.value);
  const now = ticking();
  const fact = (/** @type {string} */ icon, /** @type {string} */ label, /** @type {unknown} */ value) => html`<div key=${label + String(value)}><dt><${Icon} name=${icon} label=${label} /></dt><dd>${value}</dd></div>`;
  // A chat visitor's id says nothing to a person; that they chat is in the history.
  const known = customer.addresses.filter((one) => one.kind !== "chat");
  const fields = Object.entries(customer.fields ?? {});
  const typed = fields.filter(([name, value]) => TYPED.includes(name) && value && !known.some((one) => one.value === value));
  const addresses = [...known, ...typed.map(([kind, value]) => ({ kind, value, verified: false }))];
  return html`<section class="profile">
    <header><${Avatar} name=${customer.name} size="l" /><div><h2>${customer.name}${customer.tier && html` <${Tier} tier=${customer.tier} />`}</h2>${customer.company && html`<p>${customer.company}</p>`}</div>
      <${IconButton} icon="pencil" label=${t("profile.edit")} tip="left" onClick=${onEdit} /></header>
    <dl class="facts">
      ${addresses.map((one) => fact(KIND_ICONS[one.kind] ?? "at-sign", t(`address.${one.kind}`), html`<span class="value">${one.value}</span>${one.verified ? html`<span class="verified" title=${t("verified")}><${Icon} name="check" size=${12} label=${t("verified")} /></span>` : html` <span class="unverified">${t("unverified")}</span>`}${one.kind === ADDRESSED && canBegin() && html`<${IconButton} icon="mail-plus" class="fact-write" label=${t("letter.new.to", { name: one.value })} tip="left" onClick=${() => beginNew({ id: customer.id, name: customer.name, address: one.value })} />`}${one.kind === ADDRESSED && canBegin() && held?.customer.id === customer.id && html`<${IconButton} icon="forward" class="fact-write" label=${t("transcript.to", { address: one.value })} tip="left" onClick=${() => void sendTranscript(held.interaction.id, { address: one.value, name: customer.name })} />`}${one.kind === CALLED && lines().length > 0 && html`<${IconButton} icon="phone-outgoing" class="fact-write" label=${t("dial.to", { number: one.value })} tip="left" onClick=${() => openDialPad(one.value, customer.id)} />`}`))}
      ${!addresses.length && fact("at-sign", t("addresses"), html`<span class="quiet">${t("addresses.none")}</span>`)}
      ${customer.language && fact("languages", t("profile.language"), t(`language.${customer.language}`))}
      ${fields.filter(([name]) => !TYPED.includes(name)).map(([name, value]) => html`<div key=${name} class="extra"><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
    ${customer.opt_outs.length > 0 && html`<ul class="opt-outs">${customer.opt_outs.map((one) => html`<li key=${one.channel + one.address} title=${fullTime(one.at)}><${Icon} name="triangle-alert" size=${12} />${t("texting.profile", { kind: t(`channel.${kindOfChannel(one.channel)}`), address: one.address, word: one.word || "STOP" })}</li>`)}</ul>`}
    ${customer.tags.length > 0 && html`<ul class="tags" aria-label=${t("tags")}>${customer.tags.map((tag) => html`<li key=${tag}>${tag}</li>`)}</ul>`}
    <p class="totals">${t("totals", { n: totals.interactions })}${totals.first_at ? ` · ${t("totals.since", { day: midSentence(dayName(totals.first_at, now)) })}` : ""}</p>
  </section>`;
}

/** @param {{ customer: Customer, current?: string }} props */
function OpenElsewhere({ customer, current }) {
  const open = customer.open.filter((id) => id !== current).flatMap((id) => interactions.get(id) ?? []).filter((row) => !["closed", "abandoned"].includes(row.state));
  if (!open.length) return null;
  return html`<section class="panel"><h3>${t("open.elsewhere")}</h3>${open.map((row) => html`<a key=${row.id} class="open-row" href=${address("work", row.id)}><${Icon} name=${row.icon || "message-square"} /><span>${row.preview || row.subject || t(`channel.${row.channel_kind}`)}</span><${Chip}>${t(`istate.${row.state}`)}<//></a>`)}</section>`;
}

/** @param {{ customer: Customer, onChange: (customer: Customer) => void }} props */
function Notes({ customer, onChange }) {
  const [writing, setWriting] = useState(false);
  const [text, setText] = useState("");
  const now = ticking();
  const [busy, run] = useBusy();
  const save = (/** @type {Event} */ e) => {
    e.preventDefault();
    if (text.trim()) void run(store);
  };
  const store = async () => {
    const answer = /** @type {any} */ (await post(`/customers/${encodeURIComponent(customer.id)}/notes`, { text: text.trim() }));
    if (!answer.ok) return toast(explain(answer), "bad");
    if (answer.note) onChange({ ...customer, notes: [...customer.notes.filter((one) => one.id !== answer.note.id), answer.note] });
    setText("");
    setWriting(false);
  };
  return html`<section class="panel"><h3>${t("notes")} ${!writing && html`<${IconButton} icon="plus" label=${t("notes.add")} tip="left" onClick=${() => setWriting(true)} />`}</h3>
    ${writing && html`<form class="note-form" onSubmit=${save}><textarea rows="3" value=${text} aria-label=${t("notes.add")} placeholder=${t("note.placeholder")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLTextAreaElement} */ (e.target).value)} ref=${(/** @type {HTMLElement | null} */ el) => el && !text && el.focus()}></textarea>
      <div><${Button} small kind="ghost" onClick=${() => setWriting(false)}>${t("cancel")}<//><${Button} small kind="warn" type="submit" busy=${busy} disabled=${!text.trim()}>${t("note.save")}<//></div></form>`}
    ${customer.notes.toSorted((a, b) => b.at - a.at).map((one) => html`<article key=${one.id} class="note small"><div dir="auto">${linked(one.text)}</div><p class="note-by"><span>${writer(one)}</span><time>${shortDay(one.at, now)}</time></p></article>`)}
    ${!customer.notes.length && !writing && html`<p class="quiet">${t("notes.none")}</p>`}
  </section>`;
}
