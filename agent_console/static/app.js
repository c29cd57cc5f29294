import { html, render } from "vendor/preact";
import { start, signedOut } from "./actions.js";
import { startAlerts } from "./alerts.js";
import { watchCalls } from "./calls.js";
import { whenSignedOut } from "./api.js";
import { watchOffers } from "./conversations.js";
import { language, loadLanguage } from "./i18n.js";
import { listen } from "./keyboard.js";
import { watchDevices } from "./devices.js";
import { startPhone } from "./phone.js";
import { watchPresence } from "./presence.js";
import { readKept } from "./screen.js";
import { sessionState } from "./store.js";
import { watchFocus } from "./ui/focus.js";
import { loadIcons } from "./ui/icons.js";
import { LiveRegions } from "./ui/live.js";
import { Shell } from "./views/shell.js";
import { SignIn } from "./views/signin.js";

function App() {
  const { known, signedIn } = sessionState();
  void language();
  if (!known) return null;
  return html`${signedIn ? html`<${Shell} />` : html`<${SignIn} />`}<${LiveRegions} />`;
}

whenSignedOut(() => void (sessionState().signedIn && signedOut(true)));
loadIcons();
await loadLanguage(readKept("console.language") ?? document.documentElement.lang);
const place = /** @type {HTMLElement} */ (document.getElementById("app"));
watchFocus(place);
listen();
startAlerts();
watchCalls();
watchOffers();
watchPresence();
startPhone();
watchDevices();
render(html`<${App} />`, place);
await start();
place.removeAttribute("aria-busy");
