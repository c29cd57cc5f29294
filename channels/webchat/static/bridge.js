/**
 * Between the iframe and the page that carries it. The page is spoken to by its exact origin, and only it
 * is listened to; `frame-ancestors` has already decided that it may be there. No token passes here.
 */

/** @returns {string} the embedding page's origin; empty when the chat stands alone in its tab */
function parentOrigin() {
  if (window.parent === window) return "";
  const [nearest] = location.ancestorOrigins ?? [];
  if (nearest) return nearest;
  try {
    return new URL(document.referrer).origin;
  } catch {
    return "";
  }
}

/** @param {(type: string, body: any) => void} heard */
export function openBridge(heard) {
  const origin = parentOrigin();
  window.addEventListener("message", (event) => {
    if (!origin || event.source !== window.parent || event.origin !== origin || !event.data) return;
    if (typeof event.data.switchboard === "string") heard(event.data.switchboard, event.data);
  });
  return {
    isFramed: origin !== "",
    /** @param {string} type @param {Record<string, unknown>} [body] */
    tell(type, body) {
      if (origin) window.parent.postMessage({ switchboard: type, ...body }, origin);
    },
  };
}
