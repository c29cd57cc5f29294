import { html, useEffect, useState } from "vendor/preact";
import { post } from "../api.js";
import { explain, has, language, t } from "../i18n.js";
import { Button } from "../ui/parts.js";

/**
 * @typedef {{ do: "say" | "choose" | "press" | "silence" | "hang_up", text?: string }} Tried
 * @typedef {{ by: "customer" | "flow" | "note", text: string, choices: { id: string, label: string }[] }} Line
 * @typedef {{ lines: Line[], flow: string, step: string, outcome: string, reason: string }} Trial
 */

/** Meet a flow as a customer does; nothing is stored or sent. @param {{ name: string, version: string }} props */
export function TryIt({ name, version }) {
  const [medium, setMedium] = useState("chat");
  const [spoken, setSpoken] = useState(language().startsWith("zh") ? "zh" : "en");
  const [inputs, setInputs] = useState(/** @type {Tried[]} */ ([]));
  const [trial, setTrial] = useState(/** @type {Trial | null} */ (null));
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  useEffect(() => {
    let gone = false;
    post(`/flows/${encodeURIComponent(name)}/try`, { medium, language: spoken, inputs }).then((/** @type {any} */ answer) => {
      if (gone) return;
      setProblem(answer.ok ? "" : explain(answer));
      if (answer.ok) setTrial(answer.trial);
    });
    return () => {
      gone = true;
    };
  }, [name, version, medium, spoken, inputs]);
  const begin = (/** @type {(value: string) => void} */ set) => (/** @type {Event} */ e) => (setInputs([]), set(/** @type {HTMLSelectElement} */ (e.target).value));
  const add = (/** @type {Tried} */ one) => setInputs([...inputs, one]);
  const say = (/** @type {Event} */ e) => {
    e.preventDefault();
    if (text.trim()) add({ do: medium === "phone" && /^[0-9*#]+$/.test(text.trim()) ? "press" : "say", text: text.trim() });
    setText("");
  };
  const last = trial?.lines[trial.lines.length - 1];
  const ending = trial?.outcome && (has(`path.${trial.reason}`) ? t(`path.${trial.reason}`) : trial.reason || trial.outcome);
  const choice = (/** @type {string} */ label, /** @type {string} */ value, /** @type {string[]} */ options, /** @type {(value: string) => void} */ set) => html`<label class="field"><span>${label}</span><select value=${value} onChange=${begin(set)}>${options.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${t(`flows.in.${one}`)}</option>`)}</select></label>`;
  return html`<section class="card flow-try"><h2>${t("flows.try")} <span>${t("flows.try.hint")}</span></h2>
    <div class="flow-try-ways">${choice(t("flows.try.channel"), medium, ["chat", "phone", "sms", "email"], setMedium)}${choice(t("flows.try.language"), spoken, ["en", "zh"], setSpoken)}</div>
    <div class="flow-try-talk" role="log" aria-label=${t("flows.try")}>${(trial?.lines ?? []).map((one, n) => html`<p key=${n} class=${one.by} dir="auto">${one.text}</p>`)}
      ${ending && html`<p class="note">${ending}</p>`}</div>
    ${problem && html`<p role="alert" class="flow-problem">${problem}</p>`}
    ${!ending && last && last.choices.length > 0 && html`<div class="flow-try-choices">${last.choices.map((one) => html`<${Button} key=${one.id} small onClick=${() => add({ do: "choose", text: one.id })}>${one.label}<//>`)}</div>`}
    <form class="flow-try-say" onSubmit=${say}><input value=${text} disabled=${!!ending} maxlength="2000" aria-label=${t("flows.try.say")} placeholder=${t(medium === "phone" ? "flows.try.say_or_press" : "flows.try.say")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLInputElement} */ (e.target).value)} />
      <${Button} small disabled=${!!ending} onClick=${() => add({ do: "silence" })}>${t("flows.try.silence")}<//><${Button} small disabled=${!inputs.length} onClick=${() => setInputs([])}>${t("flows.try.again")}<//></form></section>`;
}
