/** What the sync core asks of a browser: storage, other tabs, time, chance. */

/** Longer than another tab's work takes. */
const ALONE_MS = 5_000;

/**
 * The iframe's own storage; without it (blocked by the visitor) the conversation lasts as long as the page.
 * @param {string} site
 * @returns {import("./types").Store}
 */
export function openStore(site) {
  const prefix = `chat:${site}:`;
  /** @type {Map<string, string>} what storage would not take */
  const memory = new Map();
  /** @type {Storage | null} */
  let disk = null;
  try {
    disk = window.localStorage;
    disk.getItem(prefix);
  } catch {
    disk = null;
  }
  return {
    get(key) {
      const text = memory.get(key) ?? disk?.getItem(prefix + key);
      try {
        return text ? JSON.parse(text) : undefined;
      } catch {
        return undefined;
      }
    },
    set(key, value) {
      const text = JSON.stringify(value);
      memory.delete(key);
      try {
        if (!disk) throw new Error("no storage");
        disk.setItem(prefix + key, text);
      } catch {
        memory.set(key, text);
      }
    },
    remove(key) {
      memory.delete(key);
      disk?.removeItem(prefix + key);
    },
    keys(start) {
      const all = disk ? Object.keys(disk).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)) : [];
      return [...new Set([...all, ...memory.keys()])].filter((key) => key.startsWith(start));
    },
  };
}

/** @param {string} site @returns {import("./types").Bus} */
export function openBus(site) {
  const channel = openChannel(`chat:${site}`);
  return {
    post: (news) => channel?.postMessage(news),
    listen(listener) {
      channel?.addEventListener("message", (event) => listener(event.data));
      // Storage may arrive in this tab after the message about it: then the outbox is news again.
      window.addEventListener("storage", (event) => {
        if (event.key?.startsWith(`chat:${site}:out:`)) listener({ kind: "outbox" });
      });
    },
  };
}

/** @param {string} name */
function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    // Not there, or denied with the storage: every tab is alone.
    return null;
  }
}

/** @param {string} site @returns {import("./types").Env} */
export function openEnv(site) {
  return {
    now: () => Date.now(),
    later: (work, ms) => setTimeout(work, ms),
    cancel: (timer) => clearTimeout(timer),
    random: () => Math.random(),
    uuid,
    alone: (work) => alone(`chat:${site}:outbox`, work),
  };
}

/**
 * Runs `work` in one tab at a time where the browser lets us say so. Where it does not (a window that blocks storage of
 * embedded pages denies locks too), or where the tab that holds the lock is asleep, two tabs may work at once.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(name, work) {
  let begun = false;
  const begin = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(ALONE_MS) }, begin);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}

/** crypto.randomUUID exists on secure origins only; a hub tried out over plain http has to work too. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
