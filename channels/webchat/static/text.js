/** Words, links, times and sizes. Whatever came from outside stays text. */

/** Chinese follows an address without a space: its characters end it. */
const LINK = /\bhttps?:\/\/[^\s<>"'“”\u3000-\u9fff\uff00-\uffef]+/gi;

/**
 * Cuts a text into plain pieces and web links; only http and https ever become links.
 * @param {string} text
 * @returns {{ text: string, href?: string }[]}
 */
export function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = trimmed(match[0]);
    const href = safe(shown);
    if (!href) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** Punctuation behind an address belongs to the sentence, a closing bracket too unless it was opened. @param {string} address */
function trimmed(address) {
  let end = address.replace(/[.,;:!?*_~]+$/, "");
  while (end.endsWith(")") && end.split(")").length > end.split("(").length) end = end.slice(0, -1).replace(/[.,;:!?]+$/, "");
  return end;
}

/** @param {string} address */
function safe(address) {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : "";
  } catch {
    return "";
  }
}

/** @param {string} lang @param {number} at */
export function clockTime(lang, at) {
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" }).format(at);
}

/** @param {string} lang @param {import("./strings.js").Say} say @param {number} at @param {number} [now] */
export function dayName(lang, say, at, now = Date.now()) {
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return say("today");
  if (days === 1) return say("yesterday");
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { weekday: "long", day: "numeric", month: "long" }).format(at);
}

/** @param {string} lang @param {number} at */
export function opening(lang, at) {
  const soon = at - Date.now() < 6 * 86_400_000;
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
    weekday: "long", hour: "2-digit", minute: "2-digit", ...(!soon && { day: "numeric", month: "long" }),
  }).format(at);
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 9_950_000 ? 1 : 0).replace(/\.0$/, "")} MB`;
}

/** One or two letters for a face. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  if (!words.length) return "?";
  if (/[\u3400-\u9fff]/.test(name)) return words[0].slice(0, 1);
  return (words[0][0] + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase();
}
