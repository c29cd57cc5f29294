import { useRef, useState } from "vendor/preact";

/**
 * Whether what a person asked for is under way. Asked again meanwhile, by a second click or Enter, nothing happens.
 * @returns {[boolean, (run: () => unknown) => Promise<void>]}
 */
export function useBusy() {
  const [busy, setBusy] = useState(false);
  const now = useRef(false);
  const run = async (/** @type {() => unknown} */ what) => {
    if (now.current) return;
    now.current = true;
    try {
      const under = what();
      if (!(under instanceof Promise)) return;
      setBusy(true);
      await under;
    } finally {
      now.current = false;
      setBusy(false);
    }
  };
  return [busy, run];
}
