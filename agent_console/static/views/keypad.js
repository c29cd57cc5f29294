import { html, useEffect, useRef, useState } from "vendor/preact";
import { canDial, dial, dialTarget, planCall } from "../calls.js";
import { t } from "../i18n.js";
import { lines, openCall, sendDigits } from "../phone.js";
import { instant } from "../letters.js";
import { closeLayer, toast } from "../screen.js";
import { Dialog } from "../ui/layers.js";
import { Button, Icon, IconButton } from "../ui/parts.js";
import { PickCallTime } from "./planned.js";

const KEYS = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];
const DIGIT = /^[0-9*#]$/;

/** @param {{ onKey: (key: string) => void }} props */
const Pad = ({ onKey }) => html`<div class="keypad-grid">${KEYS.map(([key, letters]) => html`<button type="button" key=${key} onClick=${() => onKey(key)}><b>${key}</b><small aria-hidden="true">${letters}</small></button>`)}</div>`;

/** Tones into the call: for menus of others. The keyboard's digits count too while it is open. */
export function Keypad() {
  const [sent, setSent] = useState("");
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  // On a small screen it opens below what is in sight of the call.
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), []);
  const press = (/** @type {string} */ key) => sendDigits(key) && setSent((before) => (before + key).slice(-24));
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ e) => {
      const field = /** @type {HTMLElement} */ (e.target).closest?.("input, textarea, select, dialog");
      if (field || e.ctrlKey || e.altKey || e.metaKey || e.repeat || !DIGIT.test(e.key)) return;
      e.preventDefault();
      press(e.key);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return html`<div class="keypad" ref=${box} role="group" aria-label=${t("call.keypad")}><output aria-label=${t("keypad.sent")}>${sent || " "}</output><${Pad} onKey=${press} /></div>`;
}

/** What this person chose last to show, until the page is loaded again. */
let lastShown = "";

/** Call a number: typed, pasted, or by the keys. */
export function DialPad() {
  const { number: given, customer } = dialTarget();
  const ways = lines();
  const [number, setNumber] = useState(given);
  const shown = ways.flatMap((line) => (line.numbers.length ? line.numbers : [""]).map((one) => ({ channel: line.id, number: one, key: `${line.id} ${one}` })));
  const [chosen, setChosen] = useState(shown.find((one) => one.key === lastShown)?.key ?? shown[0]?.key ?? "");
  const from = shown.find((one) => one.key === chosen);
  const channel = from?.channel ?? "";
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [own, setOwn] = useState(true);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // The same try again, whatever became of the first answer, calls once.
  const id = useRef(crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`);
  useEffect(() => void requestAnimationFrame(() => field.current?.focus()), []);
  const change = (/** @type {string} */ next) => (setNumber(next), setError(""));
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (!number.trim() || busy) return;
    setBusy(true);
    const wrong = await dial(channel, number.trim(), customer, id.current, from?.number ?? "");
    if (!wrong) return;
    id.current = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    setBusy(false);
    setError(wrong);
    field.current?.focus();
  };
  const later = async (/** @type {number} */ at) => {
    const wrong = await planCall({ channel, number: number.trim(), customer, due_at: at, own });
    if (wrong) return setError(wrong);
    closeLayer();
    toast(t("planned.done", { at: instant(at) }), "ok");
  };
  return html`<${Dialog} title=${t("dial.title")} onClose=${closeLayer} class="dial"><div class="dial-form"><form id="dial-form" onSubmit=${submit}>
    <div class="dial-number"><input ref=${field} type="tel" inputmode="tel" autocomplete="off" maxlength="40" value=${number} aria-label=${t("dial.number")} placeholder=${t("dial.number")} aria-describedby=${error ? "dial-error" : undefined} aria-invalid=${error ? "true" : undefined} onInput=${(/** @type {Event} */ e) => change(/** @type {HTMLInputElement} */ (e.target).value)} />
      <${IconButton} icon="delete" label=${t("dial.back")} tip="left" disabled=${!number} onClick=${() => change(number.slice(0, -1))} /></div>
    ${error && html`<p class="field-error" id="dial-error" role="alert"><${Icon} name="triangle-alert" size=${12} /> ${error}</p>`}
    <${Pad} onKey=${(/** @type {string} */ key) => change(number + key)} />
    ${shown.length > 1 && html`<label class="field"><span>${t("dial.show")}</span><select value=${chosen} onChange=${(/** @type {Event} */ e) => setChosen((lastShown = /** @type {HTMLSelectElement} */ (e.target).value))}>${shown.map((one) => html`<option key=${one.key} value=${one.key} selected=${one.key === chosen}>${one.number || one.channel}${ways.length > 1 && one.number ? ` · ${one.channel}` : ""}</option>`)}</select></label>`}
    ${!canDial() && html`<p class="quiet">${t(openCall() ? "dial.busy" : "phone.not_ready")}</p>`}
    </form>
    <div class="send-split"><${Button} kind="primary" type="submit" form="dial-form" icon="phone" class="send" disabled=${!number.trim() || !canDial()} busy=${busy}>${t("dial.call")}<//>
      <${PickCallTime} up label=${t("planned.later")} disabled=${!number.trim()} trigger=${html`<span class=${`button ${number.trim() ? "primary" : "off"} send-more`}><${Icon} name="calendar-clock" size=${16} /></span>`} onPick=${later} /></div>
    <label class="switch"><input type="checkbox" checked=${own} onChange=${(/** @type {Event} */ e) => setOwn(/** @type {HTMLInputElement} */ (e.target).checked)} /><span>${t("planned.own")}</span></label>
  </div><//>`;
}
