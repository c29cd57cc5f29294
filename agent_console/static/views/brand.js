import { html } from "vendor/preact";

/** The mark: two lines, switched. @param {{ size?: number }} props */
export function Brand({ size = 24 }) {
  return html`<svg class="brand-mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" /><path d="M8 11h5c4 0 4 10 8 10h3M8 21h5c1.400 0 2.300-1.200 3-2.700M18.500 12.500c.700-.900 1.500-1.500 2.500-1.500h3" /></svg>`;
}
