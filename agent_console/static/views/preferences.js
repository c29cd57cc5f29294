import { html, useEffect, useLayoutEffect, useRef, useState } from "vendor/preact";
import { alertState, askNotifications, testSound } from "../alerts.js";
import { get, post, remove } from "../api.js";
import { ticking } from "../clock.js";
import { explain, language, shortDay, t } from "../i18n.js";
import { prefer, preferences, toast } from "../screen.js";
import { myself } from "../store.js";
import { Button, Field, Icon } from "../ui/parts.js";
import { Dialog } from "../ui/layers.js";
import { waysOut } from "./newletter.js";
import { chooseLanguage } from "./signin.js";

/** @param {{ label: string, hint?: string, on: boolean, set: (on: boolean) => void }} props */
const Switch = ({ label, hint, on, set }) => html`<label class="switch"><input type="checkbox" checked=${on} onChange=${(/** @type {Event} */ e) => set(/** @type {HTMLInputElement} */ (e.target).checked)} /><span>${label}${hint && html`<small>${hint}</small>`}</span></label>`;

/** @template {string} T @param {{ label: string, options: [T, string][], value: T, set: (value: T) => void }} props */
const Segments = ({ label, options, value, set }) => html`<div class="setting"><span>${label}</span><div class="segments" role="group" aria-label=${label}>${options.map(([id, word]) => html`<button type="button" key=${id} aria-pressed=${value === id} onClick=${() => set(id)}>${word}</button>`)}</div></div>`;

/** @param {{ onClose: () => void }} props */
export function Preferences({ onClose }) {
  const { theme, sound, keys, compact } = preferences();
  const { notifications } = alertState.value;
  return html`<${Dialog} title=${t("preferences.title")} onClose=${onClose} class="preferences">
    <div class="dialog-scroll">
    <section><h3>${t("preferences.look")}</h3>
      <${Segments} label=${t("theme")} value=${theme} set=${(/** @type {any} */ next) => prefer({ theme: next })} options=${["auto", "light", "dark"].map((id) => [id, t(`theme.${id}`)])} />
      <${Segments} label=${t("language")} value=${language()} set=${chooseLanguage} options=${[["en", "English"], ["zh", "中文"]]} />
      <${Switch} label=${t("preferences.compact")} on=${compact} set=${(/** @type {boolean} */ on) => prefer({ compact: on })} /></section>
    <section><h3>${t("preferences.alerts")}</h3>
      <${Switch} label=${t("preferences.sound")} on=${sound} set=${(/** @type {boolean} */ on) => prefer({ sound: on })} />
      <div class="setting"><span>${t("sound.try")}</span><${Button} small icon="volume-2" onClick=${testSound}>${t("sound.test")}<//></div>
      <div class="setting"><span>${t(`shift.notifications.${notifications}`)}</span>${notifications === "default" && html`<${Button} small icon="bell" onClick=${askNotifications}>${t("shift.allow")}<//>`}</div></section>
    <section><h3>${t("keys.title")}</h3><${Switch} label=${t("keys.single")} hint=${t("keys.single.hint")} on=${keys} set=${(/** @type {boolean} */ on) => prefer({ keys: on })} /></section>
    ${waysOut().length > 0 && html`<${Signature} />`}
    <${Account} />
    </div>
  <//>`;
}

/** What stands below one's own letters, kept at the hub. */
function Signature() {
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [kept, setKept] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => void get("/letters/signature").then((/** @type {any} */ answer) => answer.ok && (setText(answer.text), setKept(answer.text))), []);
  if (text === null) return null;
  const save = async () => {
    setBusy(true);
    const answer = /** @type {any} */ (await post("/letters/signature", { text }));
    setBusy(false);
    if (!answer.ok) return toast(explain(answer), "bad");
    setText(answer.text);
    setKept(answer.text);
    toast(t("signature.saved"), "ok");
  };
  return html`<section><h3><label for="own-signature">${t("signature.title")}</label></h3>
    <textarea id="own-signature" class="signature-field" rows="3" maxlength="2000" dir="auto" placeholder=${myself()?.name ?? ""} aria-describedby="signature-hint" value=${text} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLTextAreaElement} */ (e.target).value)}></textarea>
    <div class="setting"><small id="signature-hint" class="quiet">${t("signature.hint")}</small><${Button} small disabled=${text === kept} busy=${busy} onClick=${save}>${t("signature.save")}<//></div></section>`;
}

/** One's own password; with a new one, all other browsers are signed out. @param {{ onChanged: () => void }} props */
function Password({ onChanged }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState(/** @type {{ old?: string, new?: string }} */ ({}));
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const begun = useRef(false);
  // What was pressed is gone: the form's first field takes the focus, and gives it back to the button.
  useLayoutEffect(() => {
    if (begun.current) /** @type {HTMLElement | null | undefined} */ (place.current?.querySelector(asked ? "[name=old]" : "button"))?.focus();
    begun.current = true;
  }, [asked]);
  if (!asked) return html`<section ref=${place}><h3>${t("signin.password")}</h3><div class="setting"><span>${t("password.about")}</span><${Button} small onClick=${() => setAsked(true)}>${t("password.change")}<//></div></section>`;
  const submit = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    setBusy(true);
    const answer = await post("/password", { old: String(form.get("old")), new: String(form.get("new")) });
    setBusy(false);
    if (!answer.ok) return setWrong({ [answer.error === "weak_password" ? "new" : "old"]: explain(answer) });
    toast(t("password.changed"), "ok");
    setAsked(false);
    onChanged();
  };
  const told = (/** @type {"old" | "new"} */ name) => ({ "aria-invalid": Boolean(wrong[name]), "aria-describedby": wrong[name] ? `password-${name}-error` : undefined });
  return html`<section ref=${place}><h3>${t("signin.password")}</h3><form class="password-form" onSubmit=${submit}>
    <input type="email" autocomplete="username" value=${myself()?.email ?? ""} readonly hidden />
    <${Field} label=${t("password.old")} id="password-old" error=${wrong.old}><input id="password-old" name="old" type="password" autocomplete="current-password" required ...${told("old")} /><//>
    <${Field} label=${t("password.new")} hint=${t("password.hint")} id="password-new" error=${wrong.new}><input id="password-new" name="new" type="password" autocomplete="new-password" required minlength="12" maxlength="128" ...${told("new")} /><//>
    <div class="form-end"><${Button} small kind="ghost" onClick=${() => setAsked(false)}>${t("cancel")}<//><${Button} small kind="primary" type="submit" busy=${busy}>${t("password.change")}<//></div></form></section>`;
}

/** One's own password, and where this account is signed in; any of them can be ended. */
function Account() {
  const [sessions, setSessions] = useState(/** @type {any[] | null} */ (null));
  const [hasPassword, setHasPassword] = useState(false);
  const now = ticking();
  const load = async () => {
    const answer = /** @type {any} */ (await get("/sessions"));
    if (answer.ok) (setSessions(answer.sessions ?? []), setHasPassword(answer.has_password));
  };
  useEffect(() => void load(), []);
  const end = async (/** @type {string} */ id) => {
    const answer = await remove(`/sessions/${encodeURIComponent(id)}`);
    if (!answer.ok) toast(explain(answer), "bad");
    await load();
  };
  if (!sessions?.length) return null;
  return html`${hasPassword && html`<${Password} onChanged=${load} />`}<section><h3>${t("sessions")}</h3><ul class="sessions">${sessions.map((one) => html`<li key=${one.id}><${Icon} name="monitor" /><span>${one.agent ?? one.user_agent ?? t("session")}<small>${[one.address, one.current ? t("session.this") : (one.last_at ?? one.seen_at) && t("session.last", { at: shortDay(one.last_at ?? one.seen_at, now) })].filter(Boolean).join(" · ")}</small></span>
    ${!one.current && html`<${Button} small onClick=${() => end(one.id)}>${t("session.end")}<//>`}</li>`)}</ul></section>`;
}
