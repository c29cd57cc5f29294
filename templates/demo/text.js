// A telephone that texts: what is written here goes to the company by the carrier inside, and so does what comes back.

const REFRESH_MS = 1500;
const LARGEST = 2 * 1024 * 1024;
const KEPT = "demo-number";
const said = document.body.dataset;
const lang = document.documentElement.lang;
const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [log, empty, problem, own, chosen] = ["log", "empty", "problem", "own", "chosen"].map(find);
const form = /** @type {HTMLFormElement} */ (find("write"));
const words = /** @type {HTMLTextAreaElement} */ (find("words"));
const file = /** @type {HTMLInputElement} */ (find("file"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
const lines = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=line]"));

/** @typedef {{ line: string, text: string, picture: { type: string, content: string } | null }} Written */
/** @typedef {{ id: string, written: Written, state: "sending" | "failed" }} Waiting */
/** @type {Waiting[]} */
let waiting = [];
/** @type {any[]} */
let messages = [];
let drawn = "";

// The same number as on the page to call from: who calls and texts is one customer.
const number = localStorage.getItem(KEPT) ?? `+130355501${String(crypto.getRandomValues(new Uint8Array(1))[0] % 100).padStart(2, "0")}`;
localStorage.setItem(KEPT, number);
own.textContent = number;

const line = () => [...lines].find((one) => one.checked)?.value ?? "";

/** @param {string} tag @param {string} cls @param {string} [content] */
function make(tag, cls, content = "") {
  return Object.assign(document.createElement(tag), { className: cls, textContent: content });
}

/** @param {string} text @param {string[]} pictures addresses @param {Node[]} meta @param {boolean} mine */
function row(text, pictures, meta, mine) {
  const item = make("li", mine ? "mine" : "");
  for (const src of pictures) item.append(Object.assign(new Image(), { src, alt: said.picture }));
  if (text) item.append(make("span", "words", text));
  const below = make("span", "meta");
  below.append(...meta);
  item.append(below);
  return item;
}

/** @param {any} one */
function shown(one) {
  const time = new Date(one.at).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
  const pictures = one.pictures.map((/** @type {string} */ key) => `/demo/text/picture?key=${encodeURIComponent(key)}`);
  return row(one.text, pictures, [document.createTextNode(one.mine ? `${time} · ${said.sent}` : time)], one.mine);
}

/** @param {Waiting} one */
function pending(one) {
  const { text, picture } = one.written;
  const pictures = picture ? [`data:${picture.type};base64,${picture.content}`] : [];
  if (one.state === "sending") return row(text, pictures, [document.createTextNode(said.sending ?? "")], true);
  const again = /** @type {HTMLButtonElement} */ (make("button", "", said.again));
  again.addEventListener("click", () => void send(one));
  const item = row(text, pictures, [document.createTextNode(`${said.failed} · `), again], true);
  item.lastElementChild?.classList.add("bad");
  return item;
}

function draw() {
  const mine = waiting.filter((one) => one.written.line === line());
  const now = JSON.stringify([messages, mine]);
  if (now === drawn) return;
  drawn = now;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.replaceChildren(...messages.map(shown), ...mine.map(pending));
  empty.hidden = messages.length + mine.length > 0;
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

async function refresh() {
  if (document.hidden) return;
  const asked = line();
  try {
    const response = await fetch(`/demo/text/thread?${new URLSearchParams({ number, line: asked, seen: "1" })}`);
    const answer = await response.json();
    if (asked !== line()) return;
    problem.hidden = answer.ok;
    problem.textContent = answer.ok ? "" : answer.message;
    if (answer.ok) messages = answer.messages;
  } catch {
    problem.hidden = false;
    problem.textContent = said.lost ?? "";
  }
  draw();
}

/** @param {Waiting} one */
async function send(one) {
  one.state = "sending";
  if (!waiting.includes(one)) waiting.push(one);
  draw();
  log.scrollTop = log.scrollHeight;
  try {
    const response = await fetch("/demo/text/messages", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ number, ...one.written }) });
    if (!(await response.json()).ok) one.state = "failed";
    else waiting = waiting.filter((other) => other !== one);
  } catch {
    one.state = "failed";
  }
  await refresh();
}

/** @param {File} picked @returns {Promise<{ type: string, content: string }>} */
function encoded(picked) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve({ type: picked.type, content: String(reader.result).split(",")[1] ?? "" });
    reader.readAsDataURL(picked);
  });
}

function changed() {
  const picked = file.files?.[0];
  chosen.hidden = !picked;
  /** @type {HTMLElement} */ (chosen.firstElementChild).textContent = picked?.name ?? "";
  button.disabled = !words.value.trim() && !picked;
  words.style.height = "auto";
  words.style.height = `${Math.min(words.scrollHeight + 2, 132)}px`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = words.value.trim();
  const picked = file.files?.[0];
  if (!text && !picked) return;
  if (picked && picked.size > LARGEST) {
    problem.hidden = false;
    problem.textContent = said.large ?? "";
    return;
  }
  const written = { line: line(), text, picture: picked ? await encoded(picked) : null };
  words.value = file.value = "";
  changed();
  words.focus();
  void send({ id: crypto.randomUUID?.() ?? String(Math.random()), written, state: "sending" });
});
words.addEventListener("input", changed);
file.addEventListener("change", changed);
chosen.querySelector("button")?.addEventListener("click", () => {
  file.value = "";
  changed();
});
words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
for (const one of lines) one.addEventListener("change", () => {
  messages = [];
  drawn = "";
  draw();
  void refresh();
});

void refresh();
setInterval(refresh, REFRESH_MS);
document.addEventListener("visibilitychange", refresh);
