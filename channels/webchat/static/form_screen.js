/** Before the chat: who, about what. While closed: the same, as a message that is answered later, in the same place. */
import { html, useRef, useState } from "/vendor/preact.js";
import { useFollow } from "./focus.js";
import { Icon } from "./icons.js";
import { opening } from "./text.js";

/** @typedef {import("./types").Field} Field */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const LONGEST = 4000;

/** @param {import("./app.js").Parts & { site: import("./types").Site }} props */
export function FormScreen({ sync, view, site, lang, say }) {
  // What could not be sent last time comes back as it was typed.
  const failed = view.pending.filter((entry) => entry.state === "failed");
  const before = failed.find((entry) => entry.form)?.form ?? {};
  const [choice, setChoice] = useState("");
  const [errors, setErrors] = useState(/** @type {Record<string, string>} */ ({}));
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useFollow();
  const fields = withText(site, say);
  const long = fields.find((field) => field.kind === "textarea")?.id ?? "text";
  const [values, setValues] = useState(() => /** @type {Record<string, string>} */ ({ name: view.visitor.name ?? "", ...before, [long]: failed.map((entry) => entry.text).filter(Boolean).join("\n") }));
  const set = (/** @type {string} */ id) => (/** @type {string} */ value) => setValues({ ...values, [id]: value });

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const found = check(fields, values, say);
    if (site.open && !choice && !(values[long] ?? "").trim()) found[long] ??= say("sayWhat");
    setErrors(found);
    const [first] = Object.keys(found);
    if (first) {
      const field = form.current?.querySelector(`#f-${CSS.escape(first)}`);
      return field instanceof HTMLElement && field.focus();
    }
    for (const entry of failed) sync.discard(entry.client_id);
    const told = Object.fromEntries(fields.filter((field) => field.id !== long).map((field) => [field.id, (values[field.id] ?? "").trim()]).filter(([, value]) => value));
    const label = site.quick_replies.find((reply) => reply.id === choice)?.label;
    const text = (values[long] ?? "").trim() || label || "";
    if (site.open) sync.say({ kind: "start", form: told, text, ...(choice && { choice }) });
    else sync.say({ kind: "leave_message", form: told, text });
  };

  return html`<main class="screen before">
    <div class="hero">
      ${site.open ? html`<h2 tabindex="-1" data-first>${site.greeting || say("hello")}</h2>` : html`<h2 tabindex="-1" data-first>${say("closedTitle")}</h2>
        <p>${site.closed_text}</p>
        ${site.opens_at && html`<p class="opens"><${Icon} name="clock" size=${16} />${say("opens", { time: opening(lang, site.opens_at) })}</p>`}`}
    </div>
    <form class="card" ref=${form} noValidate onSubmit=${submit}>
      ${failed.map((entry) => html`<p class="refused" key=${entry.client_id}><${Icon} name="alert" size=${16} /><span>${entry.kind === "message" ? say("unsent") : say(reason(entry.error))}</span></p>`)}
      ${site.open && site.quick_replies.length > 0 && html`<fieldset><legend>${say("topic")}</legend><div class="chips">
        ${site.quick_replies.map((reply) => html`<button type="button" class="chip" key=${reply.id} aria-pressed=${choice === reply.id}
          onClick=${() => setChoice(choice === reply.id ? "" : reply.id)}>${reply.label}</button>`)}
      </div></fieldset>`}
      ${fields.map((field) => html`<${Input} key=${field.id} field=${field} say=${say} value=${values[field.id] ?? ""} error=${errors[field.id]} onValue=${set(field.id)} />`)}
      <button type="submit" class="primary" disabled=${view.leaving}>${site.open ? say("start") : say(view.leaving ? "leaving" : "leave")}</button>
    </form>
  </main>`;
}

/** The site's fields, and one to write in. @param {import("./types").Site} site @param {import("./strings.js").Say} say @returns {Field[]} */
function withText(site, say) {
  if (site.form.some((field) => field.kind === "textarea")) return site.form;
  return [...site.form, { id: "text", label: say("yourMessage"), kind: "textarea", required: !site.open || !site.quick_replies.length }];
}

/** @param {Field[]} fields @param {Record<string, string>} values @param {import("./strings.js").Say} say */
function check(fields, values, say) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const { id, kind, required } of fields) {
    const value = (values[id] ?? "").trim();
    if (!value && required) found[id] = say("required");
    else if (value && kind === "email" && !EMAIL.test(value)) found[id] = say("email");
  }
  return found;
}

/** @param {string | undefined} error @returns {import("./strings.js").Word} */
export function reason(error) {
  const word = `e_${error}`;
  return /** @type {import("./strings.js").Word} */ (["e_too_large", "e_closed", "e_type_refused", "e_rate_limited"].includes(word) ? word : error === "not_found" ? "e_closed" : "e_other");
}

/** @param {{ field: Field, say: import("./strings.js").Say, value: string, error?: string, onValue: (value: string) => void }} props */
function Input({ field, say, value, error, onValue }) {
  const { kind, label, required } = field;
  const id = `f-${field.id}`;
  const common = {
    id, value, required, "aria-invalid": error ? "true" : null, "aria-describedby": error ? `${id}-e` : null, maxLength: kind === "textarea" ? LONGEST : 200,
    onInput: (/** @type {Event} */ event) => onValue(/** @type {HTMLInputElement} */ (event.target).value),
  };
  const options = (field.options ?? []).map((option) => (typeof option === "string" ? { id: option, label: option } : option));
  return html`<div class=${`field ${kind}`}>
    <label for=${id}>${label}${!required && html` <small>${say("optional")}</small>`}</label>
    ${kind === "textarea" ? html`<textarea ...${common} rows="3" placeholder=${say("messageHint")} />`
      : kind === "choice" ? html`<select ...${common}><option value="">${say("choose")}</option>${options.map((option) => html`<option key=${option.id} value=${option.id}>${option.label}</option>`)}</select>`
        : html`<input ...${common} type=${kind === "email" ? "email" : "text"} autocomplete=${kind === "email" ? "email" : field.id === "name" ? "name" : null} dir="auto" />`}
    ${error && html`<p class="error" id="${id}-e"><${Icon} name="alert" size=${16} />${error}</p>`}
  </div>`;
}
