import { html } from "vendor/preact";
import { t } from "../i18n.js";

/** State = colour + shape + word. @type {Record<string, [string, string]>} */
const SHAPES = {
  available: ["ok", "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z"],
  offered: ["accent", "M8 1.5 14.5 8 8 14.5 1.5 8z"],
  busy: ["busy", "M3 3h10v10H3z"],
  full: ["busy", "M2 2h12v12H2zM3.6 3.6v8.8h8.8V3.6zM5 5h6v6H5z"],
  wrapping: ["busy", "M2 2h12v12H2zM8 3.6v8.8h4.4V3.6z"],
  away: ["warn", "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 3.6a4.4 4.4 0 0 1 0 8.8z"],
  offline: ["off", "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 3.7a4.3 4.3 0 1 1 0 8.6a4.3 4.3 0 1 1 0-8.6z"],
  not_responding: ["bad", "M8 2 15 14H1z"],
  lost: ["bad", "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8 14 12.6 12.6 14 8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z"],
};

/** One word for three axes; what hinders work most wins. @param {{ presence: string, connectivity?: string, status?: string }} person */
export function stateOf({ presence, connectivity, status }) {
  if (presence === "offline") return "offline";
  if (connectivity === "lost") return "lost";
  if (status === "not_responding") return "not_responding";
  if (status === "offered" || status === "full" || status === "wrapping") return status;
  if (presence === "away") return "away";
  return status === "busy" ? "busy" : "available";
}

/** @param {{ state: string }} props */
export function StateMark({ state }) {
  const [tone, path] = SHAPES[state] ?? SHAPES.offline;
  return html`<svg class=${`mark tone-${tone}`} viewBox="0 0 16 16" width="10" height="10" aria-hidden="true"><path fill-rule="evenodd" d=${path} /></svg>`;
}

/** @param {{ person: { presence: string, connectivity?: string, status?: string, reason?: string | null }, reason?: string }} props */
export function PersonState({ person, reason }) {
  const state = stateOf(person);
  return html`<span class="state"><${StateMark} state=${state} /><span>${state === "away" && reason ? reason : t(`state.${state}`)}</span></span>`;
}

/** Sixty minutes without an axis; `top` is shared by the column. @param {{ values: number[], top: number, label: string }} props */
export function Sparkline({ values, top, label }) {
  const width = 120;
  const height = 24;
  const step = width / Math.max(1, values.length - 1);
  const y = (/** @type {number} */ value) => height - 2 - (value / Math.max(1, top)) * (height - 4);
  const line = values.map((value, i) => `${i ? "L" : "M"}${(i * step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return html`<svg class="spark" viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} role="img" aria-label=${label}>
    <path class="spark-fill" d=${`${line}L${width} ${height}L0 ${height}z`} /><path class="spark-line" d=${line} />
    ${values.length > 0 && html`<circle cx=${width - 1.5} cy=${y(values[values.length - 1])} r="1.5" />`}
  </svg>`;
}
