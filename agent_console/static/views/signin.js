import { html, useState } from "vendor/preact";
import { demoSignIn, loadSettings, signIn } from "../actions.js";
import { explain, language, loadLanguage, t } from "../i18n.js";
import { keep, prefer, preferences } from "../screen.js";
import { sessionState } from "../store.js";
import { Button, Field, Icon, IconButton } from "../ui/parts.js";
import { Brand } from "./brand.js";

/** The next of light, dark, automatic. */
export function ThemeButton() {
  const order = /** @type {const} */ (["auto", "light", "dark"]);
  const now = preferences().theme;
  const icon = { auto: "monitor", light: "sun", dark: "moon" }[now];
  return html`<${IconButton} icon=${icon} label=${t("theme.now", { theme: t(`theme.${now}`) })} tip="left" onClick=${() => prefer({ theme: order[(order.indexOf(now) + 1) % 3] })} />`;
}

/** @param {string} next */
export async function chooseLanguage(next) {
  keep("console.language", next);
  await loadLanguage(next);
  if (sessionState().signedIn) await loadSettings();
}

const ROLES = [["agent", "headphones"], ["agent2", "headphones"], ["supervisor", "layout-dashboard"], ["admin", "settings"]];

export function SignIn() {
  const { demo, company, ended } = sessionState();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState("");
  const [shown, setShown] = useState(false);

  /** @param {string} what @param {() => Promise<any>} run */
  async function enter(what, run) {
    setBusy(what);
    setError("");
    const answer = await run();
    setBusy("");
    if (answer.ok) return;
    setError(answer.error === "unauthorized" || answer.error === "bad_request" ? t("signin.wrong") : explain(answer));
    document.getElementById("signin-email")?.focus();
  }
  const submit = (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    void enter("form", () => signIn(String(form.get("email")), String(form.get("password"))));
  };
  return html`<main class="signin" id="main" tabindex="-1">
    <div class="signin-tools">
      <${Button} kind="ghost" icon="languages" lang=${language() === "zh" ? "en" : "zh-CN"} onClick=${() => chooseLanguage(language() === "zh" ? "en" : "zh")}>${language() === "zh" ? "English" : "中文"}<//>
      <${ThemeButton} />
    </div>
    <section class="signin-card">
      <${Brand} size=${36} />
      <h1>${t("signin.title")}</h1>
      <p class="signin-company">${company ? t("signin.company", { company }) : t("signin.subtitle")}</p>
      ${ended && html`<p class="signin-ended" role="status"><${Icon} name="info" />${t("signin.ended")}</p>`}
      <form onSubmit=${submit}>
        <${Field} label=${t("signin.email")} id="signin-email" error=${error}>
          <input id="signin-email" name="email" type="email" autocomplete="username" required aria-describedby=${error ? "signin-email-error" : undefined} />
        <//>
        <${Field} label=${t("signin.password")} id="signin-password">
          <div class="with-button"><input id="signin-password" name="password" type=${shown ? "text" : "password"} autocomplete="current-password" required />
            <button type="button" class="inside" aria-pressed=${shown} onClick=${() => setShown(!shown)}>${t(shown ? "signin.hide" : "signin.show")}</button></div>
        <//>
        <${Button} kind="primary" type="submit" class="wide" busy=${busy === "form"} disabled=${Boolean(busy)}>${t("signin.go")}<//>
      </form>
      ${demo && html`<div class="signin-demo"><h2><span>${t("signin.demo")}</span></h2>
        <div class="signin-roles">${ROLES.map(([role, icon]) => html`<button type="button" key=${role} disabled=${Boolean(busy)} onClick=${() => enter(role, () => demoSignIn(role))}>
          <${Icon} name=${busy === role ? "loader-circle" : icon} class=${busy === role ? "turning" : ""} /><span>${t(`signin.as.${role}`)}</span></button>`)}</div>
        <p class="hint">${t("signin.demo.hint")} <a href="/demo" target="_blank" rel="noopener">${t("signin.demo.visitor")}</a></p></div>`}
    </section>
  </main>`;
}
