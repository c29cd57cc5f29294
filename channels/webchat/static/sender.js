/**
 * Empties the outbox: one entry at a time, in the order of the clicks, by one tab at a time. An entry
 * leaves the outbox only when the hub has acknowledged it; an unanswered one is said again with the same
 * client_id, which the hub stores once. (Two tabs sending one entry would do no harm, only work.)
 */

/** @typedef {import("./types").Entry} Entry @typedef {import("./types").Answer} Answer */

/** Answers that say "not now": keep and try again. Anything else is "never like this". */
const LATER = ["rate_limited", "unavailable", "internal", "full"];
const RETRY_MAX_MS = 30_000;

export class Sender {
  /**
   * @param {object} wiring
   * @param {import("./link.js").Link} wiring.link
   * @param {import("./outbox.js").Outbox} wiring.outbox
   * @param {import("./conversation.js").Conversation} wiring.conversation
   * @param {import("./types").Env} wiring.env
   * @param {(token: string) => void} wiring.keepToken
   * @param {() => boolean} wiring.unauthorized
   * @param {() => void} wiring.resume
   * @param {() => void} wiring.changed
   */
  constructor(wiring) {
    this.wiring = wiring;
    this.link = wiring.link;
    this.outbox = wiring.outbox;
    this.conversation = wiring.conversation;
    this.env = wiring.env;
    this.running = false;
    this.again = false;
    this.tries = 0;
    this.holdUntil = 0;
    /** @type {Set<string>} entries the hub asked us to say later */
    this.delayed = new Set();
    /** @type {unknown} */
    this.timer = null;
  }

  stop() {
    this.env.cancel(this.timer);
  }

  flush() {
    if (this.running) {
      this.again = true;
      return;
    }
    if (!this.#mayRun() || !this.outbox.next()) return;
    this.running = true;
    this.again = false;
    this.env.alone(() => this.#drain()).catch(() => {}).then(() => {
      this.running = false;
      if (this.again) this.flush();
    });
  }

  /** @param {string} client_id */
  settled(client_id) {
    this.delayed.delete(client_id);
    this.outbox.remove(client_id);
  }

  #mayRun() {
    return this.link.state === "live" && this.env.now() >= this.holdUntil;
  }

  async #drain() {
    for (let entry = this.outbox.next(); entry && this.#mayRun(); entry = this.outbox.next()) {
      const answer = await this.link.ask(entry.kind, this.#wire(entry));
      // The message itself coming back, or another tab, may have settled it; the token is still news.
      if (!this.outbox.get(entry.client_id) && !answer.token) continue;
      const goesOn = answer.ok ? this.#acknowledged(entry, answer) : this.#refused(entry, answer);
      this.wiring.changed();
      if (!goesOn) break;
    }
  }

  /** @param {Entry} entry */
  #wire(entry) {
    const { kind, at: _at, after: _after, error: _error, files, ...body } = entry;
    const interaction = this.outbox.interactionOf(entry);
    if (kind === "end") return { interaction };
    return { ...body, ...(interaction && { interaction }), ...(files && { files: files.map((file) => file.id) }) };
  }

  /** @param {Entry} entry @param {Answer} answer */
  #acknowledged(entry, answer) {
    this.tries = 0;
    if (answer.token) this.wiring.keepToken(answer.token);
    if (answer.thread) this.#placed(entry, answer);
    const { interaction, log } = this.conversation;
    if (entry.kind === "message" && interaction && this.outbox.interactionOf(entry) === interaction) {
      const { client_id, text = "", files = [] } = entry;
      this.conversation.add({ interaction, n: answer.n, at: answer.at, from: "visitor", text, files, choices: [], client_id });
      if (log.hasGap) this.wiring.resume();
    }
    this.settled(entry.client_id);
    return true;
  }

  /** @param {Entry} entry @param {Answer} answer to `start`, `leave_message` or `end` */
  #placed(entry, answer) {
    if (entry.kind !== "end") this.outbox.begun(entry.client_id, answer.thread.interaction);
    this.conversation.take(answer.thread);
    if (answer.messages) this.conversation.log.merge(answer.messages, false);
    if (this.conversation.isBehind) this.wiring.resume();
  }

  /** True when the next entry may be tried. @param {Entry} entry @param {Answer} answer */
  #refused(entry, answer) {
    const error = answer.error ?? "internal";
    if (error === "unanswered") return this.#unanswered();
    if (LATER.includes(error)) {
      this.delayed.add(entry.client_id);
      this.#hold(Number(answer.retry_in_ms) || 0);
      return false;
    }
    if (error === "unauthorized" && this.wiring.unauthorized()) {
      this.link.redial();
      return false;
    }
    this.#never(entry, error);
    return true;
  }

  #unanswered() {
    if (this.link.state !== "live") return false;
    this.tries += 1;
    if (this.tries < 2) return true;
    this.tries = 0;
    this.link.redial();
    return false;
  }

  /** @param {number} least_ms */
  #hold(least_ms) {
    this.tries += 1;
    const pause = Math.max(least_ms, Math.min(RETRY_MAX_MS, 1500 * 2 ** Math.min(this.tries, 5)));
    this.holdUntil = this.env.now() + pause;
    this.env.cancel(this.timer);
    this.timer = this.env.later(() => this.flush(), pause);
  }

  /** @param {Entry} entry @param {string} error */
  #never(entry, error) {
    this.delayed.delete(entry.client_id);
    if (entry.kind === "end") this.outbox.remove(entry.client_id);
    else if (error === "conflict" && entry.kind === "start") this.#startedElsewhere(entry);
    else this.outbox.save({ ...entry, error: error === "unauthorized" ? "closed" : error });
    this.outbox.orphan();
    if (["closed", "not_found", "conflict"].includes(error)) this.wiring.resume();
  }

  /** A conversation runs already (another tab was faster): what was said belongs there. @param {Entry} entry */
  #startedElsewhere(entry) {
    const { interaction, isOpen } = this.conversation;
    if (!interaction || !isOpen) return this.outbox.save({ ...entry, error: "conflict" });
    this.outbox.begun(entry.client_id, interaction);
    const { form: _, ...rest } = entry;
    if (entry.text) this.outbox.save({ ...rest, kind: "message", interaction });
    else this.outbox.remove(entry.client_id);
  }
}
