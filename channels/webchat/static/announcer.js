/** One polite live region, fed by one queue: what comes together is said together, at most every 3 seconds. */

const MERGE_MS = 600;
const PAUSE_MS = 3000;

export class Announcer {
  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
    /** @type {string[]} */
    this.waiting = [];
    this.spokenAt = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {string} text */
  say(text) {
    this.waiting.push(text);
    if (this.timer === undefined) this.timer = setTimeout(() => this.#speak(), Math.max(MERGE_MS, this.spokenAt + PAUSE_MS - Date.now()));
  }

  #speak() {
    this.timer = undefined;
    this.spokenAt = Date.now();
    // Of many, the newest matter: the rest can be read in the log.
    this.region.textContent = this.waiting.splice(0).slice(-4).join(". ");
  }
}
