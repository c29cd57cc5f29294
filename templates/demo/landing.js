// The way into the demo: one-click sign-in, the visitors' rate, live counts.

const REFRESH_MS = 2000;
const slider = /** @type {HTMLInputElement} */ (document.getElementById("rate"));
const shown = /** @type {HTMLOutputElement} */ (document.getElementById("rate-shown"));
const error = /** @type {HTMLElement} */ (document.querySelector(".error"));

/** @param {string} path @param {object} [body] @returns {Promise<any>} the answer, or null when there is none */
async function ask(path, body) {
  const request = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, request || {});
    const answer = await response.json();
    return answer.ok ? answer : null;
  } catch {
    return null;
  }
}

/** @param {any} answer of GET or POST /demo/visitors */
function show(answer) {
  error.hidden = Boolean(answer);
  if (!answer) return;
  for (const [name, count] of Object.entries(answer.counts)) {
    const cell = document.querySelector(`[data-count="${name}"]`);
    if (cell) cell.textContent = String(count);
  }
  if (document.activeElement === slider) return;
  slider.value = String(Math.round(answer.rate_per_minute));
  shown.value = slider.value;
}

for (const button of document.querySelectorAll("button[data-role]")) {
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    const answer = await ask("/demo/session", { role: button.getAttribute("data-role") });
    button.removeAttribute("aria-busy");
    error.hidden = Boolean(answer);
    if (answer) location.assign("/");
  });
}

slider.addEventListener("input", () => { shown.value = slider.value; });
slider.addEventListener("change", async () => show(await ask("/demo/visitors", { rate_per_minute: Number(slider.value) })));

async function refresh() {
  if (!document.hidden) show(await ask("/demo/visitors"));
  setTimeout(refresh, REFRESH_MS);
}
void refresh();
