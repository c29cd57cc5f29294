/**
 * The conversation of one visitor, kept in step with the hub. Nothing is lost: what the visitor says
 * stays in the outbox until the hub has acknowledged it. Nothing is doubled: messages are known by
 * number and by the client's own id. Order is kept. After every (re)connect first `resume`, then the outbox.
 * No DOM, clock or network of its own: tests/browser/widget_sync.test.mjs plays all three.
 */
import { Conversation } from "./conversation.js";
import { Credentials } from "./credentials.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { Resumer } from "./resumer.js";
import { Sender } from "./sender.js";
import { viewOf } from "./view.js";

/** @typedef {import("./types").Entry} Entry */

const TYPING_SHOWN_MS = 6000;
const TYPING_SAID_MS = 3000;

export class Sync {
  /**
   * @param {object} wiring
   * @param {string} wiring.site
   * @param {string} wiring.lang
   * @param {import("./types").Connect} wiring.connect
   * @param {import("./types").Store} wiring.store
   * @param {import("./types").Bus} wiring.bus
   * @param {import("./types").Env} wiring.env
   * @param {(view: import("./types").View) => void} wiring.draw
   * @param {(event: string) => void} [wiring.tell] what the customer's site may want to know
   */
  constructor({ site, lang, connect, store, bus, env, draw, tell = () => {} }) {
    this.lang = lang;
    this.store = store;
    this.bus = bus;
    this.env = env;
    this.draw = draw;
    this.conversation = new Conversation();
    this.outbox = new Outbox(store, env);
    /** @type {import("./types").Site | null} */
    this.site = null;
    /** @type {import("./types").View["visitor"]} */
    this.visitor = { known: false, name: null };
    this.loaded = false;
    this.typedAt = -Infinity;
    /** @type {Record<string, unknown>} */
    this.timers = {};
    this.credentials = new Credentials({
      store,
      // With the token itself: storage reaches other tabs later than this message does.
      changed: (token) => bus.post({ kind: "token", token }),
      expired: () => this.conversation.forget(),
      identityRefused: () => tell("identity_refused"),
    });
    const { conversation, outbox } = this;
    const [unauthorized, changed] = [() => this.credentials.drop(), () => this.#changed()];
    const link = this.link = new Link({
      connect, env, unauthorized, changed,
      auth: () => ({ site, lang: this.lang, ...this.credentials.auth }),
      connected: () => this.resumer.connected(),
      heard: (event, body) => this.#heard(event, body),
    });
    this.resumer = new Resumer({ link, conversation, env, unauthorized, changed, took: (answer) => this.#took(answer) });
    this.sender = new Sender({
      link, conversation, env, outbox, unauthorized,
      keepToken: (token) => this.credentials.keep(token),
      resume: () => this.resumer.run(),
      changed: () => this.#outboxChanged(),
    });
    bus.listen((news) => this.#news(news));
  }

  start() {
    this.link.start();
  }

  stop() {
    for (const part of [this.link, this.sender, this.resumer]) part.stop();
    for (const timer of Object.values(this.timers)) this.env.cancel(timer);
  }

  /** Network back, tab visible again, machine awake: find out at once what the connection is worth. */
  wake() {
    if (this.link.connected) this.resumer.run(4000);
    else this.link.wake();
  }

  /** @param {string} jwt */
  identify(jwt) {
    this.credentials.identity = jwt;
    this.link.redial();
  }

  /** @param {string} lang */
  speak(lang) {
    if (lang === this.lang) return;
    this.lang = lang;
    this.link.redial();
  }

  /** Says something to the hub, now or as soon as it can be reached. @param {Omit<Entry, "client_id" | "at" | "interaction" | "after">} body */
  say(body) {
    this.outbox.add(body.kind === "message" || body.kind === "end" ? { ...body, ...this.#where() } : body);
    this.typedAt = -Infinity;
    this.#outboxChanged();
    this.sender.flush();
  }

  /** Puts the ended conversation away; the next screen is the beginning. */
  dismiss() {
    this.store.set("dismissed", this.conversation.interaction);
    this.#outboxChanged();
  }

  /** @param {string} client_id */
  retry(client_id) {
    const entry = this.outbox.get(client_id);
    if (!entry) return;
    this.outbox.save({ ...entry, error: undefined });
    this.#outboxChanged();
    this.sender.flush();
  }

  /** @param {string} client_id */
  discard(client_id) {
    this.sender.settled(client_id);
    this.outbox.orphan();
    this.#outboxChanged();
  }

  /** @param {boolean} typing */
  typing(typing) {
    const { thread } = this.conversation;
    const now = this.env.now();
    if (!thread || thread.state !== "active") return;
    if (typing ? now - this.typedAt < TYPING_SAID_MS : this.typedAt === -Infinity) return;
    this.typedAt = typing ? now : -Infinity;
    this.link.tell("typing", { interaction: thread.interaction, typing });
  }

  /** The visitor has had messages up to `n` before their eyes. @param {number} n */
  see(n) {
    const { interaction, seen } = this.conversation;
    if (!interaction || n <= seen) return;
    this.conversation.seen = n;
    this.bus.post({ kind: "seen", interaction, n });
    this.#tellSeen();
    this.#changed();
  }

  /** @param {import("./types").Answer} answer to `resume` */
  #took(answer) {
    this.loaded = true;
    this.site = answer.site ?? this.site;
    this.visitor = answer.visitor ?? this.visitor;
    const isRenewed = this.credentials.renew(answer.token);
    for (const message of answer.messages ?? []) this.#settle(message);
    // Who was told a new token says it at once: with that, every line opened with the old one ends.
    if (isRenewed) return this.link.redial();
    this.#tellSeen();
    // The connection becomes live in the same breath; the outbox follows it.
    this.env.later(() => this.sender.flush(), 0);
  }

  /** @param {string} event @param {any} body */
  #heard(event, body) {
    const { conversation } = this;
    if (event === "resync") return this.resumer.run();
    if (!body || body.interaction !== conversation.interaction) return this.#elsewhere(event, body);
    if (event === "message") {
      conversation.add(body);
      this.#settle(body);
    } else if (event === "thread") conversation.take(body);
    else if (event === "seen") conversation.agentRead(body.n);
    else if (event === "typing") this.#typist(body.typing ? body.name || "" : null);
    if (conversation.isBehind) this.resumer.run();
    this.#changed();
  }

  /** News of another conversation: another tab has begun it. Follow, unless ours still runs. @param {string} event @param {any} body */
  #elsewhere(event, body) {
    if (!body || (event !== "message" && event !== "thread")) return;
    if (this.conversation.isOpen || body.state === "ended" || body.interaction === this.store.get("dismissed")) return;
    this.conversation.turnTo(body.interaction);
    this.resumer.run();
  }

  /** @param {string | null} name */
  #typist(name) {
    this.conversation.typist = name;
    this.env.cancel(this.timers.typing);
    if (name === null) return;
    this.#later("typing", TYPING_SHOWN_MS, () => {
      this.conversation.typist = null;
      this.#changed();
    });
  }

  /** A message of ours came back: it needs no answer any more. @param {import("./types").Message} message */
  #settle(message) {
    const entry = message.client_id ? this.outbox.get(message.client_id) : null;
    if (!entry) return;
    if (entry.kind !== "message") {
      // The answer to a start brings the token too; while there is none the entry has to be said again.
      if (!this.credentials.token) return;
      this.outbox.begun(entry.client_id, message.interaction);
    }
    this.sender.settled(entry.client_id);
    this.bus.post({ kind: "outbox" });
  }

  #tellSeen() {
    const { interaction, seen, seenTold } = this.conversation;
    if (!interaction || seen <= seenTold) return;
    if (this.link.tell("seen", { interaction, n: seen })) this.conversation.seenTold = seen;
    else if (this.link.connected) this.#later("seen", 2000, () => this.#tellSeen());
  }

  /** @param {import("./types").News} news */
  #news(news) {
    if (news.kind === "token" && this.credentials.adopt(news.token)) this.link.redial();
    if (news.kind === "seen" && news.interaction === this.conversation.interaction) {
      this.conversation.seen = this.conversation.seenTold = Math.max(this.conversation.seen, news.n);
    }
    this.#changed();
    this.sender.flush();
  }

  /** Where a message goes: to the conversation just being started, or to the one that is open. */
  #where() {
    const start = this.outbox.all().filter((entry) => entry.kind === "start" && !entry.error).pop();
    if (start) return { after: start.client_id };
    return this.conversation.interaction ? { interaction: this.conversation.interaction } : {};
  }

  #outboxChanged() {
    this.bus.post({ kind: "outbox" });
    this.#changed();
  }

  /** @param {string} name @param {number} ms @param {() => void} work */
  #later(name, ms, work) {
    this.env.cancel(this.timers[name]);
    this.timers[name] = this.env.later(work, ms);
  }

  #changed() {
    this.draw(viewOf(this));
  }
}
