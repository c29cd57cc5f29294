import { html } from "vendor/preact";
import { worded } from "../i18n.js";
import { hubSettings } from "../store.js";

/** @param {string} tier */
export const tierWord = (tier) => worded(hubSettings()?.tiers?.find((one) => one.id === tier)?.label, `tier.${tier}`) || tier;

/** @param {{ tier: string }} props */
export function Tier({ tier }) {
  return html`<span class="tier">${tierWord(tier)}</span>`;
}
