/** REST under /api/v1. Every answer is `{ok}`; a lost line is an answer too. */

/** @template T @typedef {import("./types").Answer<T>} Answer */

/** @type {() => void} */
let signedOut = () => {};
/** @param {() => void} run */
export function whenSignedOut(run) {
  signedOut = run;
}

/**
 * @template T
 * @param {string} method @param {string} path @param {object} [body] @param {AbortSignal} [signal]
 * @returns {Promise<Answer<T>>}
 */
async function call(method, path, body, signal) {
  /** @type {RequestInit} */
  const request = { method, signal, credentials: "same-origin" };
  // The company's own words come in the language of the console; unsafe methods are refused without this type.
  const headers = { "Accept-Language": document.documentElement.lang };
  Object.assign(request, method === "GET" ? { headers } : { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  return answerOf(await fetch(`/api/v1${path}`, request).catch(() => null), path !== "/session");
}

/** @param {Response | null} response @param {boolean} watched @returns {Promise<any>} */
async function answerOf(response, watched) {
  const answer = response && (await response.json().catch(() => null));
  if (!response || !answer) return { ok: false, error: "unavailable", message: "" };
  if (response.status === 401 && watched) signedOut();
  return response.ok ? { ...answer, ok: true } : { error: "internal", message: "", ...answer, ok: false };
}

/** @template T @param {string} path @param {AbortSignal} [signal] @returns {Promise<Answer<T>>} */
export const get = (path, signal) => call("GET", path, undefined, signal);
/** @template T @param {string} path @param {object} [body] @returns {Promise<Answer<T>>} */
export const post = (path, body) => call("POST", path, body);
/** @template T @param {string} path @param {object} body @returns {Promise<Answer<T>>} */
export const patch = (path, body) => call("PATCH", path, body);
/** @template T @param {string} path @returns {Promise<Answer<T>>} */
export const remove = (path) => call("DELETE", path);

/** Without an interaction: for a letter that begins one. @param {string} interaction @param {File} file @returns {Promise<Answer<{ file: import("./types").FileRow }>>} */
export async function upload(interaction, file) {
  const place = interaction ? `interactions/${encodeURIComponent(interaction)}` : "letters";
  const path = `/api/v1/${place}/files?name=${encodeURIComponent(file.name)}`;
  const request = { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream", "X-Hub": "1" } };
  return answerOf(await fetch(path, request).catch(() => null), true);
}

/** @param {Record<string, string | number | undefined | null>} values */
export function query(values) {
  const parts = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return parts.length ? `?${new URLSearchParams(parts.map(([key, value]) => [key, String(value)]))}` : "";
}
