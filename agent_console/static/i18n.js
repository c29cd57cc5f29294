import { signal } from "vendor/preact";

/** @typedef {string | { one?: string, other: string }} Entry */
/** @type {import("vendor/preact").Signal<Record<string, Entry>>} */
const words = signal({});
/** @type {import("vendor/preact").Signal<"en" | "zh">} */
const current = signal("en");
/** @type {Record<string, Intl.PluralRules>} */
const plurals = { en: new Intl.PluralRules("en"), zh: new Intl.PluralRules("zh") };

/** The language shown; read it in a component and the component follows. */
export const language = () => current.value;

/** @param {string} wanted */
export async function loadLanguage(wanted) {
  const next = wanted.startsWith("zh") ? "zh" : "en";
  const answer = await fetch(new URL(`i18n/${next}.json`, import.meta.url));
  words.value = await answer.json();
  current.value = next;
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
}

/**
 * The text under `key`; `{name}` is replaced, `n` chooses the plural. An unknown key shows itself.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values) {
  const entry = words.value[key];
  if (entry === undefined) return key;
  const text = typeof entry === "string" ? entry : (plurals[current.value].select(Number(values?.n ?? 0)) === "one" && entry.one) || entry.other;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "")) : text;
}

/**
 * The company's own words: one text, or one per language. Without any, ours under `key`.
 * @param {import("./types").Texts | null | undefined} texts @param {string} [key] @param {string | null} [wanted]
 */
export function worded(texts, key = "", wanted = null) {
  if (texts && typeof texts === "object") return texts[wanted ?? current.value] ?? texts[current.value] ?? Object.values(texts)[0] ?? "";
  return texts || (key in words.value ? t(key) : "");
}

/** Is there a text under this key? @param {string} key */
export const has = (key) => key in words.value;

const formats = new Map();
/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const key = current.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(current.value === "zh" ? "zh-CN" : "en-GB", options));
  return formats.get(key);
}

/** 14:02 @param {number} at */
export const clockTime = (at) => format({ hour: "2-digit", minute: "2-digit", hour12: false }).format(at);
/** 14:02:10 @param {number} at */
export const clockSeconds = (at) => format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(at);
/** 12 November 2026, 14:02 @param {number} at */
export const fullTime = (at) => format({ day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(at);

/** Today 14:02, yesterday, else the day. @param {number} at @param {number} now */
export function shortDay(at, now) {
  const day = dayName(at, now);
  return day === t("day.today") ? clockTime(at) : day;
}

/** Today, Yesterday, 12 Nov, 12 Nov 2024. @param {number} at @param {number} now */
export function dayName(at, now) {
  const start = new Date(now).setHours(0, 0, 0, 0);
  if (at >= start && at < start + 86_400_000) return t("day.today");
  if (at < start && at >= start - 86_400_000) return t("day.yesterday");
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(sameYear ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", year: "numeric" }).format(at);
}

/** 0:48, 12:05, 1:02:03; never negative. @param {number} ms */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const tail = String(s % 60).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${tail}` : `${Math.floor(s / 3600)}:${String(Math.floor(s / 60) % 60).padStart(2, "0")}:${tail}`;
}

/** 12 s, 4 min, 3 h, 2 d: about how long. @param {number} ms */
export function roughly(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("time.s", { n: s });
  if (s < 3600) return t("time.min", { n: Math.floor(s / 60) });
  if (s < 86_400) return t("time.h", { n: Math.floor(s / 3600) });
  return t("time.d", { n: Math.floor(s / 86_400) });
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What went wrong, in the reader's language. @param {{ error: string, message?: string }} answer */
export function explain(answer) {
  const key = `error.${answer.error}`;
  const text = t(key);
  return text === key ? answer.message || t("error.internal") : text;
}
