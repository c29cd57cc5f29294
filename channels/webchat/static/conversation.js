/** What this tab knows of the visitor's conversation. Pure state: no network, no clock. */
import { Log } from "./log.js";

/** @typedef {import("./types").Thread} Thread */

export class Conversation {
  constructor() {
    this.log = new Log();
    /** @type {Thread | null} */
    this.thread = null;
    /** The highest number that was before the visitor's eyes, and the highest the hub was told. */
    this.seen = 0;
    this.seenTold = 0;
    /** @type {string | null} who is typing */
    this.typist = null;
  }

  get interaction() {
    return this.log.interaction;
  }

  get isOpen() {
    return this.thread !== null && this.thread.state !== "ended";
  }

  /** The hub has messages that are not here. */
  get isBehind() {
    return this.thread !== null && (this.log.hasGap || this.log.last < this.thread.last_n);
  }

  /** What to ask the hub for after a (re)connect. */
  resumeFrom() {
    const { interaction, last } = this.log;
    if (!interaction) return {};
    return last ? { interaction, after: last } : { interaction };
  }

  forget() {
    this.thread = null;
    this.turnTo(null);
  }

  /** Follows another conversation, of which nothing is held yet. @param {string | null} interaction */
  turnTo(interaction) {
    this.log.reset(interaction);
    this.seen = this.seenTold = 0;
    this.typist = null;
  }

  /** @param {Thread} thread */
  take(thread) {
    if (thread.interaction !== this.interaction) this.turnTo(thread.interaction);
    const before = this.thread && this.thread.interaction === thread.interaction ? this.thread : null;
    this.thread = before
      ? { ...thread, seen_by_agent: Math.max(before.seen_by_agent, thread.seen_by_agent), last_n: Math.max(before.last_n, thread.last_n) }
      : thread;
    this.seenTold = Math.max(this.seenTold, thread.seen_by_visitor);
    this.seen = Math.max(this.seen, thread.seen_by_visitor);
    if (thread.state !== "active") this.typist = null;
  }

  /** @param {import("./types").Message} message */
  add(message) {
    this.log.add(message);
    if (message.from === "agent") this.typist = null;
    if (this.thread && message.n > this.thread.last_n) this.thread = { ...this.thread, last_n: message.n };
  }

  /** @param {number} n */
  agentRead(n) {
    if (this.thread) this.thread = { ...this.thread, seen_by_agent: Math.max(this.thread.seen_by_agent, n) };
  }

  get unread() {
    return this.log.all().filter((message) => message.from === "agent" && message.n > this.seen).length;
  }
}
