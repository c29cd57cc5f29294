/**
 * The one script on the customer's page: a round button, and behind it the chat in an iframe of the
 * hub's own origin. Nothing of the page reaches the chat and nothing of the chat reaches the page but
 * window.Switchboard and the messages below. No dependency, no global style, no eval, no inline CSS or HTML.
 */
(() => {
  "use strict";
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript) ?? document.querySelector("script[data-site][src*='/widget.js']");
  if (!script || "Switchboard" in window) return;

  const { site = "", lang = navigator.language, theme = "auto", accent = "", position } = script.dataset;
  const hub = new URL(script.src).origin;
  const chinese = /^zh/i.test(lang);
  const words = chinese
    ? { open: "打开聊天", close: "关闭聊天", chat: "在线聊天", unread: "条未读消息" }
    : { open: "Open chat", close: "Close chat", chat: "Chat", unread: "unread" };
  const colour = /^#[0-9a-f]{6}$/i.test(accent) ? accent : "#1757c2";
  /** A site that is read from right to left has its corner on the left. */
  const side = position === "left" || position === "right" ? position : getComputedStyle(document.documentElement).direction === "rtl" ? "left" : "right";
  const isLight = lightness(colour) > 0.36;

  const css = `
:host{all:initial}
*{box-sizing:border-box}
aside{direction:ltr;font:600 12px/20px -apple-system,"Segoe UI",Roboto,Arial,sans-serif}
button{all:unset;box-sizing:border-box;position:fixed;z-index:2147483000;bottom:calc(20px + env(safe-area-inset-bottom));${side}:20px;width:56px;height:56px;border-radius:50%;
cursor:pointer;display:grid;place-items:center;box-shadow:0 1px 2px #0003,0 8px 24px #0004;transition:transform .16s ease-out,box-shadow .16s ease-out;-webkit-tap-highlight-color:transparent}
button:hover{transform:scale(1.05)}button:active{transform:scale(.96)}
button:focus-visible{outline:2px solid #fff;outline-offset:-5px;box-shadow:0 0 0 3px #171c26,0 8px 24px #0004}
svg{grid-area:1/1;width:26px;height:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;transition:transform .16s ease-out,opacity .16s ease-out}
.x{opacity:0;transform:rotate(-60deg) scale(.6)}
.open .x{opacity:1;transform:none}.open .b{opacity:0;transform:rotate(60deg) scale(.6)}
b{position:absolute;top:-3px;right:-3px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;border:1px solid #fff;background:#b0211c;color:#fff;text-align:center;font-variant-numeric:tabular-nums}
section{position:fixed;z-index:2147483000;bottom:calc(90px + env(safe-area-inset-bottom));${side}:20px;width:380px;height:600px;max-width:calc(100vw - 40px);max-height:calc(100vh - 110px);
border-radius:16px;overflow:hidden;background:#fff;box-shadow:0 0 0 1px #171c2614,0 12px 48px #0003;transform-origin:bottom ${side};animation:in .2s ease-out}
section.dark{background:#181d26;box-shadow:0 0 0 1px #ffffff1f,0 12px 48px #0008}
[hidden]{display:none!important}
iframe{display:block;width:100%;height:100%;border:0;color-scheme:normal;opacity:0;transition:opacity .16s}
iframe.ready{opacity:1}
@keyframes in{from{opacity:0;transform:translateY(12px) scale(.98)}}
@media(max-width:480px),(max-height:420px){section{inset:0;width:100%;max-width:none;height:100vh;height:100dvh;max-height:none;border-radius:0}.open{display:none}}
@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media(forced-colors:active){button,section{border:2px solid CanvasText}}
@media print{aside{display:none}}`;

  const host = document.createElement("div");
  for (const [name, value] of [["all", "initial"], ["display", "block"]]) {
    host.style.setProperty(name, value, "important");
  }
  const root = host.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(Object.assign(document.createElement("style"), { textContent: css }));
  }

  const corner = document.createElement("aside");
  corner.setAttribute("aria-label", words.chat);
  corner.lang = chinese ? "zh" : "en";
  const panel = document.createElement("section");
  panel.hidden = true;
  panel.id = "panel";
  for (const [name, value] of Object.entries({ role: "dialog", "aria-modal": "false", "aria-label": words.chat, tabindex: "-1" })) panel.setAttribute(name, value);
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.style.background = colour;
  button.style.color = isLight ? "#171c26" : "#fff";
  button.setAttribute("aria-haspopup", "dialog");
  const badge = document.createElement("b");
  badge.hidden = true;
  badge.setAttribute("aria-hidden", "true");
  button.append(icon("b", "M7.9 20A9 9 0 1 0 4 16.1L2 22Z"), icon("x", "m6 9 6 6 6-6"), badge);
  corner.append(panel, button);
  root.append(corner);
  // Beside the body: a transformed body would take fixed elements with it, and some frameworks replace it.
  document.documentElement.append(host);

  /** @type {HTMLIFrameElement | null} */
  let frame = null;
  let isReady = false;
  let isOpen = false;
  let unread = -1;
  let jwt = "";
  /** @type {Record<string, Set<(detail: unknown) => void>>} */
  const listeners = {};
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => theme === "dark" || (theme !== "light" && dark.matches);

  /** @param {string} colour @returns {number} relative luminance */
  function lightness(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  /** @param {string} name @param {string} path */
  function icon(name, path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", name);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  /** What this page remembers; a page without storage forgets. @param {"localStorage" | "sessionStorage"} where @param {string | null} [value] */
  function memory(where, value) {
    const key = `switchboard:${site}`;
    try {
      if (value === undefined) return window[where].getItem(key);
      if (value === null) window[where].removeItem(key);
      else window[where].setItem(key, value);
    } catch { /* Blocked: the chat works, it only does not open by itself on the next page. */ }
    return null;
  }

  /** @param {string} event @param {unknown} [detail] */
  function announce(event, detail) {
    // A listener that throws is the page's own trouble: it is reported there and stops nobody.
    for (const listener of listeners[event] ?? []) queueMicrotask(() => listener(detail));
  }

  /** @param {string} type @param {Record<string, unknown>} [more] */
  function say(type, more) {
    if (isReady) frame?.contentWindow?.postMessage({ switchboard: type, ...more }, hub);
  }

  function load() {
    if (frame) return;
    frame = document.createElement("iframe");
    frame.title = words.chat;
    frame.referrerPolicy = "origin";
    frame.allow = "clipboard-write";
    const look = new URLSearchParams({ theme, accent: accent && colour });
    frame.src = `${hub}/chat/frame?site=${encodeURIComponent(site)}&lang=${encodeURIComponent(lang)}#${look}`;
    panel.append(frame);
  }

  /** @param {boolean} [focus] */
  function open(focus = true) {
    if (isOpen) return;
    load();
    isOpen = true;
    panel.hidden = false;
    panel.classList.toggle("dark", isDark());
    memory("sessionStorage", "open");
    draw();
    say("shown", { focus });
    if (focus) (isReady ? frame : panel)?.focus();
    announce("open");
  }

  function close() {
    if (!isOpen) return;
    const hadFocus = root.activeElement && root.activeElement !== button;
    isOpen = false;
    panel.hidden = true;
    memory("sessionStorage", null);
    draw();
    say("hidden");
    if (hadFocus) button.focus();
    announce("close");
  }

  function draw() {
    const waiting = Math.max(0, unread);
    button.classList.toggle("open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("aria-label", isOpen ? words.close : waiting ? `${words.open}, ${waiting} ${words.unread}` : words.open);
    badge.hidden = isOpen || !waiting;
    badge.textContent = waiting > 9 ? "9+" : String(waiting);
  }

  /** @param {MessageEvent} event */
  function hear(event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== hub || !event.data) return;
    const { switchboard: type, count, live, label, event: name } = event.data;
    if (type === "ready") {
      isReady = true;
      frame.classList.add("ready");
      if (jwt) say("identify", { jwt });
      say(isOpen ? "shown" : "hidden", { focus: root.activeElement === panel });
      if (root.activeElement === panel) frame.focus();
      announce("ready");
    } else if (type === "unread" && count !== unread) {
      unread = count;
      draw();
      announce("unread", count);
    } else if (type === "live") memory("localStorage", live ? "live" : null);
    else if (type === "label") panel.setAttribute("aria-label", frame.title = String(label));
    else if (type === "event") announce(String(name));
    else if (type === "close") close();
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.key === "Escape" && isOpen && root.activeElement) close();
  }

  /** On a phone the keyboard covers the page, not the window: fit what is left of it. */
  function fit() {
    const { height = 0, offsetTop = 0, scale = 1 } = window.visualViewport ?? {};
    const covers = isOpen && scale === 1 && matchMedia("(max-width:480px)").matches && height < window.innerHeight - 60;
    panel.style.height = covers ? `${height}px` : "";
    panel.style.top = covers ? `${offsetTop}px` : "";
  }

  button.addEventListener("click", () => (isOpen ? close() : open()));
  root.addEventListener("keydown", /** @type {EventListener} */ (key));
  window.addEventListener("message", hear);
  window.visualViewport?.addEventListener("resize", fit);

  Object.defineProperty(window, "Switchboard", {
    configurable: true,
    value: Object.freeze({
      /** Says who the visitor is: a JWT signed by the site's own server. @param {string} token */
      identify(token) {
        jwt = String(token);
        say("identify", { jwt });
      },
      open: () => open(),
      close,
      /** Calls `listener` on "ready", "open", "close", "unread" (with the count), "identity_refused". @param {string} event @param {(detail: unknown) => void} listener */
      on(event, listener) {
        const set = (listeners[event] ??= new Set());
        set.add(listener);
        if (event === "unread" && unread >= 0) listener(unread);
        return () => set.delete(listener);
      },
      /** Takes everything away again. */
      destroy() {
        window.removeEventListener("message", hear);
        window.visualViewport?.removeEventListener("resize", fit);
        memory("sessionStorage", null);
        host.remove();
        Reflect.deleteProperty(window, "Switchboard");
      },
    }),
  });

  draw();
  // The visitor had it open on the page before, or a conversation is going on: count what is unread.
  if (memory("sessionStorage") && !matchMedia("(max-width:480px)").matches) open(false);
  else if (memory("localStorage")) load();
})();
