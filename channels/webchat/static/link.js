/**
 * One connection to the hub at a time, made anew whenever it is lost. Every attempt is a fresh socket:
 * nothing is buffered below us, so nothing is sent that we do not know of.
 */

/** @typedef {import("./types").Answer} Answer */

const CONNECT_MS = 10_000;
const BACK_OFF_MS = 800;
const BACK_OFF_MAX_MS = 30_000;
/** Connected for this long, the next loss starts again with the shortest pause. */
const STABLE_MS = 10_000;
/** The hub cuts a visitor who sends more than 2 frames a second (burst 10); we stay below. */
const BURST = 7;
const PER_MS = 1.5 / 1000;

/** @type {Answer} */
const UNANSWERED = { ok: false, error: "unanswered" };

export class Link {
  /**
   * @param {object} wiring
   * @param {import("./types").Connect} wiring.connect
   * @param {import("./types").Env} wiring.env
   * @param {() => Record<string, string>} wiring.auth
   * @param {() => void} wiring.connected
   * @param {(event: string, body: any) => void} wiring.heard
   * @param {() => boolean} wiring.unauthorized drops a credential; false when none is left to drop
   * @param {() => void} wiring.changed
   */
  constructor(wiring) {
    this.wiring = wiring;
    this.env = wiring.env;
    /** @type {import("./types").LinkState} */
    this.state = "connecting";
    /** @type {number | null} */
    this.lostSince = this.env.now();
    /** @type {import("./types").Socket | null} */
    this.socket = null;
    this.connected = false;
    this.attempts = 0;
    this.attemptAt = -Infinity;
    this.quietUntil = 0;
    this.stopped = false;
    /** @type {unknown} */
    this.timer = null;
    /** @type {unknown} */
    this.stable = null;
    this.tokens = BURST;
    this.tokensAt = this.env.now();
    /** @type {Set<(answer: Answer) => void>} */
    this.open = new Set();
  }

  start() {
    this.stopped = false;
    this.#attempt();
  }

  stop() {
    this.stopped = true;
    this.#close();
    this.env.cancel(this.timer);
  }

  /** The conversation is in step with the hub: what was said may be sent. */
  live() {
    this.#become("live");
  }

  /** The connection is dead although nobody said so, or has to be made with other credentials. */
  redial() {
    if (this.stopped) return;
    this.#close();
    this.#become("lost");
    this.#attempt();
  }

  /** The network is back, the tab is visible, the machine woke up: do not sit out the pause. */
  wake() {
    const now = this.env.now();
    if (this.stopped || this.socket || now < this.quietUntil || now - this.attemptAt < 1000) return;
    this.#attempt();
  }

  /**
   * Asks the hub; never rejects. Without an answer in time, or when the connection is lost, the answer
   * is `unanswered`: the hub may or may not have done it.
   * @param {string} event
   * @param {unknown} body
   * @param {number} [within_ms]
   * @returns {Promise<Answer>}
   */
  ask(event, body, within_ms = 10_000) {
    const socket = this.socket;
    if (!socket || !this.connected) return Promise.resolve(UNANSWERED);
    return new Promise((resolve) => {
      /** @type {unknown[]} */
      const timers = [];
      const done = (/** @type {Answer} */ answer) => {
        if (!this.open.delete(done)) return;
        for (const timer of timers) this.env.cancel(timer);
        resolve(answer && typeof answer === "object" ? answer : UNANSWERED);
      };
      this.open.add(done);
      const say = () => {
        timers.push(this.env.later(() => done(UNANSWERED), within_ms));
        socket.emit(event, body, done);
      };
      const pause = this.#pause();
      if (pause) timers.push(this.env.later(say, pause));
      else say();
    });
  }

  /**
   * Says what may be lost (typing, seen). False when it was not said.
   * @param {string} event
   * @param {unknown} body
   */
  tell(event, body) {
    this.#refill();
    if (!this.socket || !this.connected || this.tokens < 3) return false;
    this.tokens -= 1;
    this.socket.emit(event, body);
    return true;
  }

  #refill() {
    const now = this.env.now();
    this.tokens = Math.min(BURST, this.tokens + Math.max(0, now - this.tokensAt) * PER_MS);
    this.tokensAt = now;
  }

  #pause() {
    this.#refill();
    this.tokens -= 1;
    return this.tokens >= 0 ? 0 : Math.ceil(-this.tokens / PER_MS);
  }

  #attempt() {
    this.env.cancel(this.timer);
    this.#close();
    this.attemptAt = this.env.now();
    const socket = this.wiring.connect(this.wiring.auth());
    this.socket = socket;
    const ours = (/** @type {(...values: any[]) => void} */ work) => (/** @type {any[]} */ ...values) => {
      if (this.socket === socket) work(...values);
    };
    this.timer = this.env.later(ours(() => this.#lost()), CONNECT_MS);
    socket.on("connect", ours(() => this.#connected()));
    socket.on("disconnect", ours(() => this.#lost()));
    socket.on("connect_error", ours((error) => this.#refused(error)));
    for (const event of ["message", "thread", "typing", "seen", "resync"]) {
      socket.on(event, ours((body) => this.wiring.heard(event, body)));
    }
    socket.on("restart", ours((body) => this.#restarting(Number(body && body.retry_in_ms) || 2000)));
  }

  #connected() {
    this.env.cancel(this.timer);
    this.connected = true;
    this.stable = this.env.later(() => { this.attempts = 0; }, STABLE_MS);
    this.wiring.connected();
  }

  #lost() {
    this.#close();
    this.#become("lost");
    this.#again(0);
  }

  /** @param {any} error */
  #refused(error) {
    const code = String((error && error.data && error.data.error) || (error && error.message) || "");
    this.#close();
    if (code === "unauthorized" && this.wiring.unauthorized()) return this.#attempt();
    const never = ["unauthorized", "forbidden", "not_found", "bad_request"].includes(code);
    const later = ["rate_limited", "full", "unavailable"].includes(code);
    this.#become(never ? "refused" : "lost");
    this.#again(never ? 60_000 : later ? 5_000 : 0);
  }

  /** @param {number} retry_in_ms */
  #restarting(retry_in_ms) {
    this.#close();
    this.#become("restarting");
    this.attempts = 0;
    const pause = retry_in_ms + this.env.random() * Math.max(1000, retry_in_ms / 2);
    this.quietUntil = this.env.now() + retry_in_ms;
    this.timer = this.env.later(() => this.#attempt(), pause);
  }

  /** @param {number} least_ms */
  #again(least_ms) {
    if (this.stopped) return;
    const longest = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** this.attempts);
    this.attempts += 1;
    const pause = Math.max(least_ms, longest / 2) + this.env.random() * Math.max(least_ms, longest / 2);
    this.timer = this.env.later(() => this.#attempt(), pause);
  }

  #close() {
    const socket = this.socket;
    this.socket = null;
    this.connected = false;
    this.env.cancel(this.timer);
    this.env.cancel(this.stable);
    if (socket) socket.disconnect();
    for (const done of [...this.open]) done(UNANSWERED);
  }

  /** @param {import("./types").LinkState} state */
  #become(state) {
    if (state === "live") this.lostSince = null;
    else this.lostSince ??= this.env.now();
    if (this.state === state) return;
    this.state = state;
    this.wiring.changed();
  }
}
