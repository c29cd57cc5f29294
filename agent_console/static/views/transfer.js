import { html, useEffect, useRef, useState } from "vendor/preact";
import { transfer } from "../actions.js";
import { consult, isTalking } from "../calls.js";
import { t } from "../i18n.js";
import { reasonWord } from "../presence.js";
import { showCustomerDrawer, showPane, toast } from "../screen.js";
import { agents, hubSettings, interactions, myself, queueName, queues } from "../store.js";
import { Avatar, Button, Chip, Icon, IconButton } from "../ui/parts.js";
import { useBusy } from "../ui/busy.js";
import { PersonState, stateOf } from "../ui/status.js";
import { draftOf, setDraft } from "../written.js";

/** What somebody typed may be a telephone number. */
const NUMBER = /^\+?[\d\s().-]{5,40}$/;
/** @typedef {{ kind: "queue" | "agent" | "number", id: string, name: string }} Target */

/** People who can take it now first, then those away; never oneself, never who is gone. @param {string} find */
function peopleFor(find) {
  const me = myself()?.agent_id;
  const rank = (/** @type {import("../types").AgentRow} */ one) => ["available", "busy", "offered", "wrapping", "full", "away", "not_responding", "lost", "offline"].indexOf(stateOf(one));
  return agents.all().filter((one) => one.id !== me && one.name.toLowerCase().includes(find)).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/**
 * What whoever takes it from the queue must be able to do, beyond what the queue asks; untouched, as before.
 * @param {{ skills: Record<string, number>, onChange: (skills: Record<string, number>) => void }} props
 */
function SkillNeeds({ skills, onChange }) {
  const known = hubSettings()?.skills ?? [];
  const left = known.filter((skill) => !(skill in skills));
  const without = (/** @type {string} */ skill) => Object.fromEntries(Object.entries(skills).filter(([name]) => name !== skill));
  const value = (/** @type {Event} */ e) => /** @type {HTMLSelectElement} */ (e.target).value;
  if (!known.length) return null;
  return html`<fieldset class="field skill-needs"><legend>${t("transfer.skills")}</legend>
    ${Object.entries(skills).map(([skill, level]) => html`<div class="skill-need" key=${skill}><span>${skill}</span>
      <select aria-label=${t("transfer.skills.level", { skill })} value=${String(level)} onChange=${(/** @type {Event} */ e) => onChange({ ...skills, [skill]: Number(value(e)) })}>${[1, 2, 3, 4, 5].map((n) => html`<option key=${n} value=${String(n)}>${t("transfer.skills.least", { n })}</option>`)}</select>
      <${IconButton} icon="x" label=${t("transfer.skills.remove", { skill })} tip="left" onClick=${() => onChange(without(skill))} /></div>`)}
    ${!!left.length && html`<select aria-label=${t("transfer.skills.add")} value="" onChange=${(/** @type {Event} */ e) => value(e) && onChange({ ...skills, [value(e)]: 3 })}><option value="">${t("transfer.skills.add")}</option>${left.map((skill) => html`<option key=${skill} value=${skill}>${skill}</option>`)}</select>`}
  </fieldset>`;
}

/** Side panel: to a queue or a person, with a word for who takes over. @param {{ id: string, onClose: () => void }} props */
export function Transfer({ id, onClose }) {
  const [find, setFind] = useState("");
  const [to, setTo] = useState(/** @type {Target | null} */ (null));
  const note = draftOf(id, "transfer");
  const [skills, setSkills] = useState(/** @type {Record<string, number>} */ ({}));
  const [error, setError] = useState("");
  const [busy, run] = useBusy();
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => field.current?.focus(), []);
  const wanted = find.trim().toLowerCase();
  const close = () => (onClose(), showPane("conversation"), showCustomerDrawer(false));
  const isCall = isTalking(interactions.get(id));
  /** Ring them: the customer holds, and is put through at once if `blind`. @param {boolean} blind */
  const ring = (blind) => to && run(async () => {
    const answer = await consult(id, { ...(to.kind === "agent" ? { agent: to.id } : { number: to.id }), blind });
    if (answer.ok) close();
  });
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (!to) return;
    if (to.kind === "number") return ring(true);
    if (to.kind === "agent" && !note.trim()) {
      setError(t("transfer.note.needed"));
      document.getElementById("transfer-note")?.focus();
      return;
    }
    void run(async () => {
      const needs = Object.keys(skills).length ? { needs: { skills } } : {};
      const answer = await transfer(id, to.kind === "queue" ? { queue: to.id, ...needs } : { agent: to.id }, note.trim());
      if (!answer.ok) return;
      setDraft(id, "transfer", "");
      toast(t("transfer.done", { name: to.name }), "ok");
      close();
    });
  };
  const option = (/** @type {Target} */ target, /** @type {unknown} */ inner, off = false) => html`<button type="button" key=${target.id} role="radio" class="target" aria-checked=${to?.id === target.id} disabled=${off} onClick=${() => setTo(target)}>${inner}</button>`;
  return html`<aside class="customer side" data-region="customer" aria-label=${t("transfer")} tabindex="-1" onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Escape" && !e.isComposing && (e.stopPropagation(), close())}>
    <header class="side-head"><h2>${t("transfer")}</h2><${IconButton} icon="x" label=${t("close")} keys="Esc" tip="left" onClick=${close} /></header>
    <form class="transfer" onSubmit=${submit}>
      <label class="find"><${Icon} name="search" /><input ref=${field} type="search" value=${find} placeholder=${t(isCall ? "transfer.find.call" : "transfer.find")} aria-label=${t(isCall ? "transfer.find.call" : "transfer.find")} onInput=${(/** @type {Event} */ e) => setFind(/** @type {HTMLInputElement} */ (e.target).value)} /></label>
      <div class="scroll targets" role="radiogroup" aria-label=${t("transfer.to")}>
        ${isCall && NUMBER.test(find.trim()) && html`<h3>${t("transfer.number")}</h3>${option({ kind: "number", id: find.trim(), name: find.trim() }, html`<span class="target-icon"><${Icon} name="phone-outgoing" /></span><span class="target-main"><b>${find.trim()}</b><small>${t("transfer.number.text")}</small></span>`)}`}
        <h3>${t("queues")}</h3>
        ${queues.all().filter((one) => one.name.toLowerCase().includes(wanted)).map((one) => option({ kind: "queue", id: one.id, name: one.name }, html`<span class="target-icon"><${Icon} name="users" /></span>
          <span class="target-main"><b>${one.name}</b><small>${one.open ? t("transfer.queue", { waiting: one.waiting, free: one.available }) : t("closed.now")}</small></span>${!one.available && one.open && html`<${Chip} tone="warn">${t("transfer.nobody")}<//>`}`))}
        <h3>${t("people")}</h3>
        ${peopleFor(wanted).map((one) => option({ kind: "agent", id: one.id, name: one.name }, html`<${Avatar} name=${one.name} size="s" /><span class="target-main"><b>${one.name}</b><small><${PersonState} person=${one} reason=${reasonWord(one.reason)} /> · ${one.queues.map(queueName).join(", ")}</small></span>
          <span class="target-load" title=${t("units.free")}>${t("transfer.free", { n: Math.max(0, one.capacity - one.held) })}</span>`, one.presence === "offline" || one.connectivity === "lost"))}
      </div>
      ${to?.kind === "queue" && html`<${SkillNeeds} skills=${skills} onChange=${setSkills} />`}
      <div class="field"><label for="transfer-note">${to?.kind === "agent" ? t("transfer.note.person") : t("transfer.note")}</label>
        <textarea id="transfer-note" rows="3" value=${note} placeholder=${t("transfer.note.hint")} aria-describedby=${error ? "transfer-error" : undefined} onInput=${(/** @type {Event} */ e) => (setDraft(id, "transfer", /** @type {HTMLTextAreaElement} */ (e.target).value), setError(""))}></textarea>
        ${error && html`<p class="field-error" id="transfer-error"><${Icon} name="triangle-alert" size=${12} /> ${error}</p>`}</div>
      ${isCall && html`<${Button} class="wide" icon="phone-outgoing" disabled=${!to || to.kind === "queue"} busy=${busy} onClick=${() => ring(false)}>${t("transfer.consult")}<//>`}
      <${Button} kind="primary" type="submit" class="wide" disabled=${!to} busy=${busy}>${to ? t("transfer.now.to", { name: to.name }) : t("transfer.now")}<//>
    </form>
  </aside>`;
}
