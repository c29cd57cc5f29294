/** Catches up with the hub after every (re)connect, and whenever a number is missing. */

/** @typedef {import("./types").Answer} Answer */

export class Resumer {
  /**
   * @param {object} wiring
   * @param {import("./link.js").Link} wiring.link
   * @param {import("./conversation.js").Conversation} wiring.conversation
   * @param {import("./types").Env} wiring.env
   * @param {(answer: Answer) => void} wiring.took the answer, before the conversation counts as live
   * @param {() => boolean} wiring.unauthorized
   * @param {() => void} wiring.changed
   */
  constructor(wiring) {
    this.wiring = wiring;
    this.link = wiring.link;
    this.conversation = wiring.conversation;
    this.env = wiring.env;
    this.asking = false;
    this.again = false;
    this.tries = 0;
    /** @type {unknown} */
    this.timer = null;
  }

  stop() {
    this.env.cancel(this.timer);
  }

  /** A new connection: whatever was asked on the old one is void. */
  connected() {
    this.asking = false;
    this.run();
  }

  /** @param {number} [within_ms] without an answer by then the connection counts as dead */
  async run(within_ms = 8000) {
    if (!this.link.connected) return;
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    this.again = false;
    const { socket } = this.link;
    const from = this.conversation.resumeFrom();
    const answer = await this.link.ask("resume", from, within_ms);
    if (this.link.socket !== socket) return;
    this.asking = false;
    if (answer.ok) this.#caughtUp(answer, from);
    else this.#refused(answer.error ?? "", Boolean(from.interaction));
  }

  /** Puts older messages before those that are held. */
  async earlier() {
    const { interaction, log } = this.conversation;
    if (!interaction || !log.earlier) return;
    const answer = await this.link.ask("earlier", { interaction, before: log.first });
    if (!answer.ok || log.interaction !== interaction) return;
    const older = answer.messages ?? [];
    log.prepend(older, Boolean(answer.earlier) && older.length > 0);
    this.wiring.changed();
  }

  /** Asks again for messages from `n` on: the addresses of their files are fresh then. @param {number} n */
  async refresh(n) {
    const { interaction, log } = this.conversation;
    const answer = await this.link.ask("resume", { interaction, after: n - 1 });
    if (answer.ok && log.interaction === interaction) for (const message of answer.messages ?? []) log.add(message);
    this.wiring.changed();
  }

  /** @param {Answer} answer @param {{ interaction?: string, after?: number }} from */
  #caughtUp(answer, from) {
    const { conversation } = this;
    if (answer.thread) {
      conversation.take(answer.thread);
      conversation.log.merge(answer.messages ?? [], Boolean(answer.earlier));
    } else conversation.forget();
    const progress = conversation.interaction !== from.interaction || conversation.log.last > (from.after ?? 0);
    if (progress || !conversation.isBehind) this.tries = 0;
    this.wiring.took(answer);
    if (conversation.isBehind && !progress) this.#stuck();
    else if (conversation.isBehind || this.again) this.run();
    this.link.live();
    this.wiring.changed();
  }

  /** @param {string} error @param {boolean} named */
  #refused(error, named) {
    if (error === "unanswered") return this.link.redial();
    if (error === "unauthorized" && this.wiring.unauthorized()) return this.link.redial();
    if (named && ["not_found", "forbidden", "bad_request"].includes(error)) this.conversation.forget();
    this.#later();
  }

  /** The hub did not fill a hole that it told us of: ask a few times more, then go on without. */
  #stuck() {
    if (this.tries < 4) return this.#later();
    this.tries = 0;
    this.conversation.log.acceptGap();
  }

  #later() {
    this.tries += 1;
    this.env.cancel(this.timer);
    this.timer = this.env.later(() => this.run(), Math.min(30_000, 250 * 2 ** Math.min(this.tries, 7)));
  }
}
