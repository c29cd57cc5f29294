import { html, useEffect, useRef, useState } from "vendor/preact";
import { notes, playOn } from "../alerts.js";
import { EXCUSES, HEARD, conclude, devicesFor, isChecked, listDevices, meter, useDevice } from "../devices.js";
import { t } from "../i18n.js";
import { ownPhones, phoneState } from "../phone.js";
import { closeLayer, preferences } from "../screen.js";
import { myself } from "../store.js";
import { Dialog, Menu } from "../ui/layers.js";
import { Button, Icon } from "../ui/parts.js";

/** @typedef {"open" | "busy" | "good" | "bad"} Result @typedef {{ result: Result, set: (result: Result) => void }} Step */
/** @typedef {import("../devices.js").Use} Use */

const MARKS = { open: "circle-help", busy: "loader-circle", good: "circle-check", bad: "triangle-alert" };
/** So many letters are as loud as it gets. */
const LOUD = 16;

/** Before calls come: does the telephone reach the hub's carrier, is one heard, does one hear? */
export function DeviceCheck() {
  const [line, setLine] = useState(/** @type {Result} */ ("busy"));
  const [voice, setVoice] = useState(/** @type {Result} */ ("open"));
  const [sound, setSound] = useState(/** @type {Result} */ ("open"));
  const wants = myself()?.presence !== "available";
  const works = [line, voice, sound].every((one) => one === "good");
  const excuses = EXCUSES.map((id) => ({ id, label: t(`excuse.${id}`), run: () => conclude(id, wants) }));
  return html`<${Dialog} title=${t("devices.title")} onClose=${closeLayer} class="devices">
    <div class="dialog-scroll"><p class="quiet">${t("devices.text")}</p>
      <ol class="checks"><${LineStep} result=${line} set=${setLine} /><${VoiceStep} result=${voice} set=${setVoice} /><${SoundStep} result=${sound} set=${setSound} /></ol></div>
    <footer class="devices-foot">
      ${!works && (wants || !isChecked()) && html`<${Menu} up align="start" label=${t(wants ? "devices.skip" : "devices.leave")} items=${[{ heading: true, label: t("devices.excuse") }, ...excuses]}
        trigger=${html`<span class="button ghost">${t(wants ? "devices.skip" : "devices.leave")}<${Icon} name="chevron-down" size=${12} /></span>`} />`}
      <${Button} kind="primary" disabled=${!works} onClick=${() => conclude("", wants)}>${t(wants ? "shift.go" : "devices.done")}<//></footer>
  <//>`;
}

/** @param {{ result: Result, title: string, text: string, children?: unknown, more?: unknown }} props */
const Row = ({ result, title, text, children, more }) => html`<li class=${`check ${result}`}><${Icon} name=${MARKS[result]} size=${20} class=${result === "busy" ? "turning" : ""} label=${t(`check.${result}`)} />
  <div class="check-main"><b>${title}</b><p role="status">${text}</p>${more}</div>${children && html`<div class="check-act">${children}</div>`}</li>`;

/** @param {Step} props */
function LineStep({ result, set }) {
  const { status, why } = phoneState();
  const [told, setTold] = useState("");
  const ask = async () => {
    set("busy");
    try {
      const times = await Promise.all(ownPhones().map((phone) => phone.reach()));
      if (!times.length) throw new Error("unregistered");
      setTold(t("check.line.good", { ms: Math.max(...times) }));
      set("good");
    } catch (error) {
      const name = error instanceof Error ? error.message : "";
      setTold(t(`check.line.${name}`) === `check.line.${name}` ? t("check.line.unregistered") : t(`check.line.${name}`));
      set("bad");
    }
  };
  useEffect(() => {
    if (status !== "connecting") void ask();
  }, [status]);
  const text = result === "busy" ? t("check.line.busy") : result === "bad" && status === "lost" ? `${t("phone.lost")} ${why}` : told;
  return html`<${Row} result=${result} title=${t("check.line")} text=${text}>${result === "bad" && html`<${Button} small icon="refresh-cw" onClick=${ask}>${t("check.again")}<//>`}<//>`;
}

/** A voice: through the microphone, or typed where the telephone is spoken to so. @param {Step} props */
function VoiceStep(props) {
  return phoneState().speaks || !ownPhones().some((phone) => phone.echo) ? html`<${SpokenStep} ...${props} />` : html`<${TypedStep} ...${props} />`;
}

/** @param {{ level: number }} props */
const Meter = ({ level }) => html`<div class="meter" role="meter" aria-label=${t("check.level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(level * 100)}><i style=${{ width: `${Math.round(level * 100)}%` }}></i></div>`;

/** @param {Step} props */
function SpokenStep({ result, set }) {
  const { microphone } = preferences();
  const [level, setLevel] = useState(0);
  const [wrong, setWrong] = useState("");
  const [asked, setAsked] = useState(phoneState().microphone === "granted");
  useEffect(() => {
    if (!asked) return;
    let stop = () => {};
    let gone = false;
    meter(microphone, (now) => {
      setLevel(now);
      if (now > HEARD) set("good");
    }).then((end) => (gone ? end() : ((stop = end), void listDevices())), (error) => {
      setAsked(false);
      setWrong(error.name === "NotAllowedError" ? t("microphone.denied") : t("check.voice.none"));
      set("bad");
    });
    setWrong("");
    set("busy");
    return () => ((gone = true), stop());
  }, [asked, microphone]);
  const text = wrong || t(result === "good" ? "check.voice.good" : asked ? "check.voice.speak" : "check.voice.ask");
  return html`<${Row} result=${result} title=${t("check.voice")} text=${text} more=${html`${asked && html`<${Meter} level=${level} />`}<${Choice} use="microphone" />`}>
    ${!asked && html`<${Button} small icon="mic" onClick=${() => setAsked(true)}>${t("check.voice.allow")}<//>`}<//>`;
}

/** @param {Step} props */
function TypedStep({ result, set }) {
  const [text, setText] = useState("");
  const [back, setBack] = useState("");
  const submit = async (/** @type {Event} */ e) => {
    e.preventDefault();
    const said = text.trim();
    if (!said) return;
    try {
      setBack((await Promise.all(ownPhones().map((phone) => phone.echo?.(said) ?? said)))[0]);
      setText("");
      set("good");
    } catch {
      set("bad");
    }
  };
  const told = result === "good" ? t("check.typed.good", { text: back }) : t(result === "bad" ? "check.typed.bad" : "check.typed");
  return html`<${Row} result=${result} title=${t("check.voice")} text=${told} more=${html`<${Meter} level=${Math.min(1, text.length / LOUD)} />
    <form class="check-say" onSubmit=${submit}><input value=${text} maxlength="120" autocomplete="off" aria-label=${t("heard.say")} placeholder=${t("heard.say")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLInputElement} */ (e.target).value)} /><${Button} small type="submit" icon="mic" disabled=${!text.trim()}>${t("heard.say.go")}<//></form>`} />`;
}

/** @param {Step} props */
function SoundStep({ result, set }) {
  const [rang, setRang] = useState(false);
  const audio = useRef(/** @type {AudioContext | null} */ (null));
  useEffect(() => () => void audio.current?.close(), []);
  const ring = async () => {
    audio.current ??= new AudioContext();
    const { ringer, speaker } = preferences();
    for (const device of new Set([ringer, ...(phoneState().speaks ? [speaker] : [])])) {
      await playOn(audio.current, device);
      notes(audio.current);
    }
    setRang(true);
    if (result !== "good") set("open");
  };
  const text = t(result === "good" ? "check.sound.good" : result === "bad" ? "check.sound.bad" : rang ? "check.sound.heard" : "check.sound.play");
  const asks = rang && result === "open";
  return html`<${Row} result=${result} title=${t("check.sound")} text=${text} more=${html`${phoneState().speaks && html`<${Choice} use="speaker" />`}<${Choice} use="ringer" />`}>
    ${asks && html`<${Button} small icon="check" onClick=${() => set("good")}>${t("check.yes")}<//><${Button} small icon="x" onClick=${() => set("bad")}>${t("check.no")}<//>`}
    ${!asks && html`<${Button} small icon="volume-2" onClick=${ring}>${t(rang ? "check.again" : "check.ring")}<//>`}<//>`;
}

/** Which device, where there is a choice and it has names. @param {{ use: Use }} props */
function Choice({ use }) {
  const devices = devicesFor(use);
  const chosen = preferences()[use];
  if (devices.length < 2 && !chosen) return null;
  return html`<label class="check-choice"><span>${t(`devices.${use}`)}</span><select value=${chosen} onChange=${(/** @type {Event} */ e) => useDevice(use, /** @type {HTMLSelectElement} */ (e.target).value)}>
    <option value="" selected=${!chosen}>${t("devices.usual")}</option>${devices.map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === chosen}>${one.name}</option>`)}
    ${chosen && !devices.some((one) => one.id === chosen) && html`<option value=${chosen} selected>${t("devices.missing")}</option>`}</select></label>`;
}
