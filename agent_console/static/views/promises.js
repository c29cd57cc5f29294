import { html, useState } from "vendor/preact";
import { post } from "../api.js";
import { serverNow, ticking } from "../clock.js";
import { explain, fullTime, t } from "../i18n.js";
import { instant } from "../letters.js";
import { toast } from "../screen.js";
import { agents, myself, queueName, queues } from "../store.js";
import { Button, Chip, Field, IconButton } from "../ui/parts.js";
import { local, occasions } from "./schedule.js";

/**
 * @typedef {import("../types").Customer} Customer
 * @typedef {import("../types").PromiseRow} PromiseRow
 */

const TONES = /** @type {Record<string, string>} */ ({ kept: "ok", kept_late: "warn", broken: "bad", withdrawn: "", late: "bad" });

/** Who has to keep it, or who made it. @param {string} id `agent:ID`, `queue:ID` or `flow` */
function whose(id) {
  const [kind, name = ""] = id.split(":");
  if (kind === "flow") return t("promises.flow");
  return kind === "queue" ? queueName(name) : name === myself()?.agent_id ? t("you") : (agents.get(name)?.name ?? name);
}

/** What was promised to this customer, soonest first; and a promise more. @param {{ customer: Customer, current?: string, onChange: (customer: Customer) => void }} props */
export function Promises({ customer, current, onChange }) {
  const [writing, setWriting] = useState(false);
  const now = ticking();
  const keep = (/** @type {PromiseRow} */ row) => onChange({ ...customer, promises: [...customer.promises.filter((one) => one.id !== row.id), row] });
  const open = customer.promises.filter((one) => one.state === "open").toSorted((a, b) => a.due_at - b.due_at);
  const over = customer.promises.filter((one) => one.state !== "open").toSorted((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0)).slice(0, 5);
  return html`<section class="panel promises"><h3>${t("promises")} ${!writing && html`<${IconButton} icon="plus" label=${t("promises.add")} tip="left" onClick=${() => setWriting(true)} />`}</h3>
    ${writing && html`<${PromiseForm} customer=${customer.id} current=${current} onDone=${(/** @type {PromiseRow | null} */ row) => (row && keep(row), setWriting(false))} />`}
    ${open.length + over.length > 0 && html`<ul>${[...open, ...over].map((one) => html`<${Promised} key=${one.id} one=${one} now=${now} onEnd=${keep} />`)}</ul>`}
    ${!open.length && !over.length && !writing && html`<p class="quiet">${t("promises.none")}</p>`}
  </section>`;
}

/** One promise; where a customer's `name` is given, it stands above and leads to them. @param {{ one: PromiseRow, name?: string, now: number, onEnd: (row: PromiseRow) => void }} props */
export function Promised({ one, name, now, onEnd }) {
  const [busy, setBusy] = useState(false);
  const late = one.state === "open" && one.due_at <= now;
  const state = late ? "late" : one.state === "kept" && (one.ended_at ?? 0) > one.due_at ? "kept_late" : one.state;
  const end = async (/** @type {string} */ to) => {
    setBusy(true);
    const answer = /** @type {any} */ (await post(`/promises/${encodeURIComponent(one.id)}`, { state: to }));
    setBusy(false);
    if (!answer.ok) return toast(explain(answer), "bad");
    onEnd(answer.promise);
  };
  return html`<li class=${`promise is-${state}`}>${name && html`<p><a class="promise-whom" href=${`#/customers/${encodeURIComponent(one.customer)}`}>${name}</a></p>`}<p class="promise-text" dir="auto">${one.text}</p>
    <p class="promise-facts"><span title=${fullTime(one.due_at)}>${t("promises.until", { time: instant(one.due_at) })} · ${whose(one.owner)}</span>${state !== "open" && html`<${Chip} tone=${TONES[state]}>${t(`promises.${state}`)}<//>`}</p>
    ${["open", "broken"].includes(one.state) && html`<p class="promise-deeds"><${Button} small icon="check" disabled=${busy} onClick=${() => void end("kept")}>${t(one.state === "broken" ? "promises.keep_late" : "promises.keep")}<//><${Button} small kind="ghost" disabled=${busy} onClick=${() => void end("withdrawn")}>${t("promises.withdraw")}<//></p>`}</li>`;
}

/** @param {{ customer: string, current?: string, onDone: (row: PromiseRow | null) => void }} props */
function PromiseForm({ customer, current, onDone }) {
  const [text, setText] = useState("");
  const [due, setDue] = useState(local(occasions(serverNow())[0].at));
  const [queue, setQueue] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [client_id] = useState(() => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`);
  const save = async (/** @type {Event} */ e) => {
    e.preventDefault();
    const due_at = new Date(due).getTime();
    if (!(due_at > serverNow())) return setError(t("letter.at.past"));
    setBusy(true);
    const answer = /** @type {any} */ (await post(`/customers/${encodeURIComponent(customer)}/promises`, { text: text.trim(), due_at, queue, client_id, ...(current ? { interaction: current } : {}) }));
    setBusy(false);
    if (!answer.ok) return toast(explain(answer), "bad");
    onDone(answer.promise);
  };
  return html`<form class="promise-form" onSubmit=${save}>
    <textarea rows="2" maxlength="500" value=${text} aria-label=${t("promises.what")} placeholder=${t("promises.what")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLTextAreaElement} */ (e.target).value)} ref=${(/** @type {HTMLElement | null} */ el) => el && !text && el.focus()}></textarea>
    <${Field} id="promise-due" label=${t("promises.due")} error=${error}><input id="promise-due" type="datetime-local" value=${due} min=${local(serverNow())} onInput=${(/** @type {Event} */ e) => (setDue(/** @type {HTMLInputElement} */ (e.target).value), setError(""))} /><//>
    <${Field} id="promise-owner" label=${t("promises.owner")}><select id="promise-owner" value=${queue} onChange=${(/** @type {Event} */ e) => setQueue(/** @type {HTMLSelectElement} */ (e.target).value)}>
      <option value="">${t("you")}</option>${queues.all().map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}</select><//>
    <div class="promise-deeds"><${Button} small kind="ghost" onClick=${() => onDone(null)}>${t("cancel")}<//><${Button} small kind="primary" type="submit" disabled=${busy || !text.trim()}>${t("promises.save")}<//></div></form>`;
}
