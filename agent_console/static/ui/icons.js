/** The icons as part of the page: a picture of what is wrong with the line cannot be fetched over it. */
import { signal } from "vendor/preact";

const SPRITE = "/vendor/icons.svg";
const PREFIX = "icon-";
const inside = signal(false);

/** @param {string | undefined} name */
export const iconAt = (name) => (inside.value ? `#${PREFIX}${name}` : `${SPRITE}#${name}`);

/** Until they are here, each is taken from the file. */
export function loadIcons() {
  const request = new XMLHttpRequest();
  request.open("GET", SPRITE);
  // A document, parsed by the browser: nothing is written into the page as text.
  request.responseType = "document";
  request.overrideMimeType("image/svg+xml");
  request.onload = () => {
    const sprite = request.responseXML?.documentElement;
    if (request.status !== 200 || sprite?.localName !== "svg") return;
    const own = /** @type {SVGElement} */ (/** @type {unknown} */ (document.importNode(sprite, true)));
    for (const one of own.querySelectorAll("symbol")) one.id = PREFIX + one.id;
    own.setAttribute("aria-hidden", "true");
    own.classList.add("sprite");
    document.body.append(own);
    inside.value = true;
  };
  request.send();
}
