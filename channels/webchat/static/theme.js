/** The site's accent, made readable: WCAG contrast is computed, never hoped for. */

/** @param {string} colour @returns {number[]} */
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
/** @param {number[]} rgb */
const hex = (rgb) => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

/** @param {number[]} rgb */
function luminance(rgb) {
  const [r, g, b] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {string} a @param {string} b */
export function contrast(a, b) {
  const [dark, light] = [luminance(channels(a)), luminance(channels(b))].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {string} from @param {string} to @param {number} share */
function mix(from, to, share) {
  const target = channels(to);
  return hex(channels(from).map((part, index) => part + (target[index] - part) * share));
}

/** The same hue, lighter (share > 0) or darker: white stays white, the colour keeps its strength. @param {string} colour @param {number} share -1 to 1 */
function shade(colour, share) {
  const rgb = channels(colour).map((part) => part / 255);
  const [high, low] = [Math.max(...rgb), Math.min(...rgb)];
  const before = (high + low) / 2;
  const after = share > 0 ? before + (1 - before) * share : before * (1 + share);
  const room = (/** @type {number} */ light) => 1 - Math.abs(2 * light - 1);
  const stretch = room(before) ? room(after) / room(before) : 0;
  return hex(rgb.map((part) => 255 * Math.min(1, Math.max(0, after + (part - before) * stretch))));
}

/** The colour itself, or the nearest lighter or darker one that can be read on every ground. @param {string} colour @param {string[]} grounds @param {number} ratio @param {1 | -1} towards */
function readable(colour, grounds, ratio, towards) {
  for (let share = 0; share < 1; share += 0.04) {
    const tried = shade(colour, share * towards);
    if (grounds.every((ground) => contrast(tried, ground) >= ratio)) return tried;
  }
  return towards > 0 ? "#ffffff" : "#000000";
}

/**
 * The accent's four uses: a ground for text (`fill`), the text on it, a text on our grounds, and a soft ground.
 * @param {string} accent `#rrggbb`
 * @param {boolean} isDark
 */
export function palette(accent, isDark) {
  const surface = isDark ? "#181d26" : "#ffffff";
  const soft = mix(surface, accent, isDark ? 0.2 : 0.1);
  const ink = readable(accent, [surface, soft], 4.6, isDark ? 1 : -1);
  const on = contrast(accent, "#ffffff") >= 4.5 ? "#ffffff" : "#0d1219";
  const fill = readable(accent, [on], 4.5, on === "#ffffff" ? -1 : 1);
  return { fill, on, ink, soft };
}

/** @param {string} theme @param {string} accent */
export function applyTheme(theme, accent) {
  const root = document.documentElement;
  const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = isDark ? "dark" : "light";
  const chosen = /^#[0-9a-f]{6}$/i.test(accent) ? accent : isDark ? "#2f6fdb" : "#1757c2";
  for (const [name, value] of Object.entries(palette(chosen, isDark))) root.style.setProperty(`--accent-${name}`, value);
}
