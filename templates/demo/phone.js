// A telephone in the browser: it speaks the carrier's JSON over a websocket, as a guest with a number of its own.

const data = document.body.dataset;
const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [state, time, now, nowText, heard, callKey, hangUpKey] = ["state", "time", "now", "now-text", "heard", "call", "hang-up"].map(find);
const words = /** @type {HTMLInputElement} */ (find("words"));
const aloud = /** @type {HTMLInputElement} */ (find("aloud"));
const lines = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=line]"));
const inCall = /** @type {NodeListOf<HTMLButtonElement | HTMLInputElement>} */ (document.querySelectorAll("[data-key], .say input, .say button"));
const LINES_KEPT = 200;

// The same number as on the page to text from: who calls and texts is one customer.
const number = localStorage.getItem("demo-number") ?? data.from ?? "";
localStorage.setItem("demo-number", number);
find("own").textContent = number;

/** @type {WebSocket | null} */
let socket = null;
let call = "";
let upAt = 0;
const tune = new Audio();
/** @type {Map<number, Element>} sounds that are shown, by the carrier's number */
const shown = new Map();

/** @param {string | undefined} text @param {string} kind @param {string} [who] */
function write(text, kind, who = "") {
  const row = document.createElement("li");
  row.className = kind;
  if (who) row.append(Object.assign(document.createElement("b"), { textContent: who }));
  row.append(text || "");
  const isAtEnd = heard.scrollHeight - heard.scrollTop - heard.clientHeight < 40;
  heard.append(row);
  while (heard.childElementCount > LINES_KEPT) heard.firstElementChild?.remove();
  if (isAtEnd) heard.scrollTop = heard.scrollHeight;
  return row;
}

/** @param {string | undefined} text what goes on without words; none hides the line */
function playing(text) {
  now.hidden = !text;
  nowText.textContent = text || "";
}

/** @param {string} [url] a file to be heard; none: be still. What is here already plays on. */
function play(url) {
  const path = url && aloud.checked ? new URL(url, location.href).pathname : "";
  if (path === (tune.getAttribute("src") ?? "")) return;
  tune.pause();
  if (!path) return tune.removeAttribute("src");
  tune.src = path;
  tune.volume = 0.5;
  tune.play().catch(() => tune.removeAttribute("src"));
}

/** @param {"idle" | "dialing" | "up" | "over"} phase */
function enter(phase) {
  const isBusy = phase === "dialing" || phase === "up";
  if (!isBusy && (document.activeElement === hangUpKey || document.activeElement === words)) setTimeout(() => callKey.focus());
  state.textContent = data[phase] || "";
  callKey.hidden = isBusy;
  hangUpKey.hidden = !isBusy;
  for (const one of inCall) one.disabled = phase !== "up";
  for (const one of lines) one.disabled = isBusy;
  upAt = phase === "up" ? Date.now() : 0;
  if (!isBusy) {
    playing("");
    play();
    time.textContent = "";
    call = "";
    window.speechSynthesis?.cancel();
  }
}

/** @param {object} said */
function tell(said) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(said));
}

/** Sounds without words that were told of; told again, they have ended. @type {Set<number>} */
const begun = new Set();
let latest = 0;

/** @param {any} sound */
function hear(sound) {
  if (shown.has(sound.id)) return;
  if (begun.has(sound.id)) {
    if (sound.id !== latest) return;
    play();
    return playing("");
  }
  begun.add(sound.id);
  latest = sound.id;
  play(sound.kind === "play" ? sound.url : "");
  if (sound.kind === "say" || sound.kind === "voice") {
    shown.set(sound.id, write(sound.text, "theirs", sound.kind === "say" ? data.them : sound.source.replace(/^client:/, "")));
    playing("");
    speak(sound.text, sound.language);
  } else if (sound.kind === "mix") {
    playing(sound.text ? data.talking : data.silence);
    if (sound.text) write(data.people, "event");
  } else {
    playing(sound.kind === "tone" ? `${data.tone}: ${sound.text}` : sound.kind === "silence" ? data.silence : data.music);
  }
}

/** @param {string} text @param {string} [language] */
function speak(text, language) {
  if (!aloud.checked || !window.speechSynthesis || !text) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = /[\u4e00-\u9fff]/.test(text) ? "zh-CN" : language || "en-US";
  window.speechSynthesis.speak(utterance);
}

/** @param {any} said what the carrier tells */
function take(said) {
  if (said.type === "ringing") call = said.call;
  else if (said.type === "open") enter("up");
  else if (said.type === "heard") hear(said.sound);
  else if (said.type === "closed") end();
  else if (said.type === "error") {
    write(said.message, "event");
    if (!upAt) end();
  }
}

function end() {
  if (!socket) return;
  const closing = socket;
  socket = null;
  closing.close();
  write(data.over, "event");
  enter("over");
}

function dial() {
  const to = [...lines].find((one) => one.checked)?.value;
  heard.replaceChildren();
  shown.clear();
  begun.clear();
  enter("dialing");
  hangUpKey.focus();
  const opened = new WebSocket(new URL(data.softphone || "", location.href.replace(/^http/, "ws")));
  socket = opened;
  opened.addEventListener("open", () => tell({ type: "call", from: number, to }));
  opened.addEventListener("message", (event) => { if (socket === opened) take(JSON.parse(event.data)); });
  opened.addEventListener("close", () => {
    if (socket !== opened) return;
    write(data.lost, "event");
    end();
  });
}

/** @param {string} key */
function press(key) {
  if (!upAt) return;
  tell({ type: "digits", call, keys: key });
  write(`${data.key} ${key}`, "event");
}

callKey.addEventListener("click", dial);
hangUpKey.addEventListener("click", () => {
  tell({ type: "hangup", call });
  end();
});
for (const button of document.querySelectorAll("button[data-key]")) {
  button.addEventListener("click", () => press(button.getAttribute("data-key") || ""));
}
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement && event.target === words;
  if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && /^[0-9*#]$/.test(event.key)) press(event.key);
});
find("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = words.value.trim();
  if (!text || !upAt) return;
  tell({ type: "say", call, text });
  write(text, "mine", data.you);
  words.value = "";
});
aloud.addEventListener("change", () => { if (!aloud.checked) { window.speechSynthesis?.cancel(); play(); } });

setInterval(() => {
  if (!upAt) return;
  const seconds = Math.floor((Date.now() - upAt) / 1000);
  time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}, 500);
