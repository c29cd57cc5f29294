// A customer's letters: one form to begin, a mailbox with its threads below.

const REFRESH_MS = 2500;
const LARGEST_FILE = 5 * 1024 * 1024;
const KEPT = "demo-mail";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const at = (id) => /** @type {T} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (at("letter"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const said = form.dataset;
const [name, address, subject] = ["name", "address", "subject"].map((id) => /** @type {HTMLInputElement} */ (at(id)));
const text = /** @type {HTMLTextAreaElement} */ (at("text"));
const file = /** @type {HTMLInputElement} */ (at("file"));
const to = /** @type {HTMLSelectElement | null} */ (document.getElementById("to"));
const words = at("box").dataset;
const lang = document.documentElement.lang;
let drawn = "";

/** @param {string} tag @param {string} [cls] @param {string} [content] */
function make(tag, cls = "", content = "") {
  const element = document.createElement(tag);
  element.className = cls;
  element.textContent = content;
  return element;
}

/** @param {string} [news] @param {boolean} [isBad] */
function say(news = "", isBad = false) {
  at("said").textContent = news;
  at("said").classList.toggle("bad", isBad);
}

/** @param {object} letter @returns {Promise<boolean>} */
async function send(letter) {
  try {
    const response = await fetch(`/demo/mail/letters?lang=${lang.slice(0, 2)}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(letter),
    });
    const answer = await response.json();
    say(answer.ok ? said.sent : `${said.lost}${answer.detail || answer.error}`, !answer.ok);
    if (answer.ok) void refresh();
    return answer.ok;
  } catch (error) {
    say(`${said.lost}${error}`, true);
    return false;
  }
}

/** @param {File} chosen @returns {Promise<{name: string, type: string, content: string}>} */
function encoded(chosen) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve({ name: chosen.name, type: chosen.type, content: String(reader.result).split(",")[1] || "" });
    reader.readAsDataURL(chosen);
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = file.files?.[0];
  if (chosen && chosen.size > LARGEST_FILE) {
    say(said.large, true);
    return;
  }
  button.disabled = true;
  const letter = { address: address.value, name: name.value, to: to?.value ?? "", subject: subject.value, text: text.value, file: chosen ? await encoded(chosen) : null };
  if (await send(letter)) {
    text.value = subject.value = file.value = "";
  }
  button.disabled = false;
});

/** @param {any} mail */
function shown(mail) {
  const box = make("article", mail.mine ? "mail mine" : "mail");
  const meta = make("p", "meta");
  const who = make("span");
  who.append(make("b", "", mail.mine ? words.you : mail.sender));
  if (mail.is_bounce || mail.is_automatic) who.append(make("span", mail.is_bounce ? "mark" : "", ` · ${mail.is_bounce ? words.bounce : words.auto}`));
  const time = make("time", "", new Date(mail.at).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" }));
  meta.append(who, time);
  box.append(meta, make("div", "words", mail.text));
  if (mail.full) {
    const more = make("details");
    more.append(make("summary", "", words.full), make("div", "words", mail.full));
    box.append(more);
  }
  mail.files.forEach((/** @type {any} */ one, /** @type {number} */ n) => {
    const link = /** @type {HTMLAnchorElement} */ (make("a", "", `${one.name} (${Math.ceil(one.size / 1024)} KB)`));
    link.href = `/demo/mail/file?${new URLSearchParams({ address: address.value, id: mail.id, n: String(n) })}`;
    box.append(link);
  });
  return box;
}

/** @param {string} id the letter that is answered */
function answering(id) {
  const reply = /** @type {HTMLFormElement} */ (make("form"));
  const field = /** @type {HTMLTextAreaElement} */ (make("textarea"));
  field.rows = 3;
  field.required = true;
  field.setAttribute("aria-label", words.answer ?? "");
  const button = /** @type {HTMLButtonElement} */ (make("button", "plain", words.send));
  reply.append(field, button);
  reply.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const sent = await send({ address: address.value, name: name.value, text: field.value, answers: Number(id.split(".")[1]) });
    if (sent) reply.remove();
    button.disabled = false;
  });
  return reply;
}

/** @param {any[]} letters */
function draw(letters) {
  const now = JSON.stringify(letters);
  const isWriting = [...at("threads").querySelectorAll("textarea")].some((one) => one.value);
  if (now === drawn || isWriting) return;
  drawn = now;
  /** @type {Map<string, any[]>} */
  const threads = new Map();
  for (const mail of letters) threads.set(mail.thread, [...(threads.get(mail.thread) || []), mail]);
  const parts = [...threads.values()].reverse().map((mails) => {
    const thread = make("div", "thread");
    thread.append(make("h3", "", mails[0].subject), ...mails.map(shown));
    const last = mails.findLast((mail) => !mail.mine && !mail.is_bounce);
    if (last) thread.append(answering(last.id));
    return thread;
  });
  at("threads").replaceChildren(...parts);
  /** @type {HTMLElement} */ (document.querySelector(".empty")).hidden = parts.length > 0;
}

async function refresh() {
  if (document.hidden || !address.validity.valid) return;
  try {
    const response = await fetch(`/demo/mail/box?${new URLSearchParams({ address: address.value })}`);
    const answer = await response.json();
    if (answer.ok) draw(answer.letters);
  } catch {
    // The hub is away for a moment: the next look tells.
  }
}

function remember() {
  localStorage.setItem(KEPT, JSON.stringify({ name: name.value, address: address.value }));
  void refresh();
}

const kept = JSON.parse(localStorage.getItem(KEPT) || "null");
name.value = kept?.name || (lang.startsWith("zh") ? "李小溪" : "Robin Ash");
address.value = kept?.address || `robin.${crypto.getRandomValues(new Uint16Array(1))[0]}@customer.example`;
for (const field of [name, address]) field.addEventListener("change", remember);
remember();
setInterval(refresh, REFRESH_MS);
