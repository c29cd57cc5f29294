/** How a text is cut into SMS (3GPP TS 23.038): the console counts as the hub does, before anything is sent. */
const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "\f^{}\\[~]|€";

/** @param {string} text @returns {{ count: number, left: number, unicode: boolean }} segments, and the places left in the last one */
export function segments(text) {
  const all = [...text];
  const unicode = !all.every((one) => BASIC.includes(one) || EXTENDED.includes(one));
  const widths = all.map((one) => (unicode ? one.length : EXTENDED.includes(one) ? 2 : 1));
  const units = widths.reduce((sum, width) => sum + width, 0);
  const [single, joined] = unicode ? [70, 67] : [160, 153];
  if (units <= single) return { count: 1, left: single - units, unicode };
  let count = 1;
  let left = joined;
  for (const width of widths) {
    if (width > left) [count, left] = [count + 1, joined];
    left -= width;
  }
  return { count, left, unicode };
}
