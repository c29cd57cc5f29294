/** The messages of one conversation, by number: each once, in order, and aware of what is missing. */

/** @typedef {import("./types").Message} Message */

export class Log {
  constructor() {
    /** @type {string | null} */
    this.interaction = null;
    /** @type {Message[]} without a hole, ascending */
    this.items = [];
    /** @type {Map<number, Message>} beyond a hole; shown, but not yet counted as held */
    this.ahead = new Map();
    this.earlier = false;
  }

  /** The highest number up to which nothing is missing; 0 when nothing is held. */
  get last() {
    return this.items.length ? this.items[this.items.length - 1].n : 0;
  }

  get first() {
    return this.items.length ? this.items[0].n : 0;
  }

  get hasGap() {
    return this.ahead.size > 0;
  }

  /** @returns {Message[]} */
  all() {
    if (!this.ahead.size) return this.items.slice();
    return [...this.items, ...[...this.ahead.values()].sort((a, b) => a.n - b.n)];
  }

  /** @param {string | null} interaction */
  reset(interaction) {
    this.interaction = interaction;
    this.items = [];
    this.ahead.clear();
    this.earlier = false;
  }

  /**
   * Takes one message that was pushed or acknowledged.
   * @param {Message} message
   */
  add(message) {
    if (message.n <= this.last) return this.#replace(message);
    this.ahead.set(message.n, message);
    this.#close();
  }

  /**
   * Takes the answer to `resume`. A first page may start anywhere; after that, an answer that
   * starts beyond a hole and says there is more before it replaces what was held.
   * @param {Message[]} messages
   * @param {boolean} earlier
   */
  merge(messages, earlier) {
    const sorted = messages.slice().sort((a, b) => a.n - b.n);
    const start = sorted.length ? sorted[0].n : 0;
    if (!this.items.length && start) {
      this.items = [sorted[0]];
      this.earlier = earlier || start > 1;
    } else if (start > this.last + 1 && earlier) {
      this.items = [sorted[0]];
      this.earlier = true;
    }
    for (const message of sorted) this.add(message);
    this.#close();
  }

  /**
   * Puts older messages before what is held.
   * @param {Message[]} messages
   * @param {boolean} earlier
   */
  prepend(messages, earlier) {
    const older = messages.filter((message) => message.n < this.first).sort((a, b) => a.n - b.n);
    this.items = [...older, ...this.items];
    this.earlier = earlier;
  }

  /** Accepts a hole that the hub, asked repeatedly, did not fill. */
  acceptGap() {
    const beyond = [...this.ahead.values()].sort((a, b) => a.n - b.n);
    this.ahead.clear();
    this.items.push(...beyond);
  }

  /** @param {Message} message */
  #replace(message) {
    const index = this.items.findIndex((held) => held.n === message.n);
    if (index >= 0) this.items[index] = message;
  }

  #close() {
    for (const n of this.ahead.keys()) if (n <= this.last) this.ahead.delete(n);
    for (let next = this.last + 1; this.ahead.has(next); next += 1) {
      this.items.push(/** @type {Message} */ (this.ahead.get(next)));
      this.ahead.delete(next);
    }
  }
}
