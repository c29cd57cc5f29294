// The widget's sync core against a hub made of nothing: sockets that break, hubs that forget to answer,
// answer twice or die after committing, pushes that never arrive, tabs that are closed and opened, networks
// that go away. Time and chance are ours: a failing seed fails again. Run: node --test tests/browser/
import assert from "node:assert/strict";
import { test } from "node:test";
import { Log } from "../../channels/webchat/static/log.js";
import { Sync } from "../../channels/webchat/static/sync.js";
import { pieces } from "../../channels/webchat/static/text.js";
import { contrast, palette } from "../../channels/webchat/static/theme.js";

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Small, seeded, good enough (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A clock with timers; `run` plays them in order and lets promises settle in between. */
class Clock {
  now = 1_000_000;
  timers = new Map();
  next = 1;

  later = (work, ms) => {
    const id = this.next++;
    this.timers.set(id, { at: this.now + Math.max(0, ms), id, work });
    return id;
  };

  cancel = (id) => this.timers.delete(id);

  async run(ms) {
    const until = this.now + ms;
    for (;;) {
      await tick();
      let due = null;
      for (const timer of this.timers.values()) {
        if (timer.at <= until && (!due || timer.at < due.at || (timer.at === due.at && timer.id < due.id))) due = timer;
      }
      if (!due) break;
      this.timers.delete(due.id);
      this.now = Math.max(this.now, due.at);
      due.work();
    }
    this.now = until;
  }
}

/** The hub: one visitor, threads with numbered messages, a client_id stored once. */
class Hub {
  constructor(clock, random, faults) {
    Object.assign(this, { clock, random, faults });
    this.threads = [];
    this.byClient = new Map();
    this.tokens = new Set();
    this.renewed = new Map();
    this.sockets = new Set();
    this.stored = 0;
    this.handled = 0;
  }

  get current() {
    return this.threads.at(-1) ?? null;
  }

  row(thread) {
    const { messages: _, ...row } = thread;
    return { ...row, last_n: thread.messages.length };
  }

  open() {
    const thread = {
      interaction: `i${this.threads.length + 1}`, state: "active", agent: { name: "Chen" }, position: null, wait_s: null,
      seen_by_agent: 0, seen_by_visitor: 0, ended_at: null, message_left: false, messages: [],
    };
    this.threads.push(thread);
    return thread;
  }

  store(thread, from, text, client_id) {
    const message = { interaction: thread.interaction, n: thread.messages.length + 1, at: this.clock.now, from, text, files: [], choices: [], client_id };
    thread.messages.push(message);
    this.stored += 1;
    this.push("message", message);
    return message;
  }

  push(event, body) {
    for (const socket of this.sockets) {
      if (!socket.token) continue;
      if (this.random() < this.faults.lostPush) continue;
      socket.deliver(event, body);
      if (this.random() < this.faults.doublePush) socket.deliver(event, body);
    }
  }

  agentSays(text) {
    if (this.current && this.current.state !== "ended") this.store(this.current, "agent", text, null);
  }

  handle(socket, event, body) {
    this.handled += 1;
    if (event === "resume") return this.resume(socket, body);
    if (event === "start") return this.start(socket, body);
    const thread = this.threads.find((other) => other.interaction === body.interaction);
    if (!socket.token || !thread) return { ok: false, error: "not_found" };
    if (event === "message") return this.message(thread, body);
    if (event === "earlier") return this.earlier(thread, body);
    if (event === "seen") {
      thread.seen_by_visitor = Math.max(thread.seen_by_visitor, body.n);
      return null;
    }
    if (event === "end") {
      thread.state = "ended";
      this.push("thread", this.row(thread));
      return { ok: true, thread: this.row(thread) };
    }
    return null;
  }

  /** Who is vouched for gets another token, the same however often it is asked; the one before opens nothing more. */
  identify(token, identity) {
    const key = `${token} ${identity}`;
    if (!this.renewed.has(key)) this.renewed.set(key, `${token}-${identity}`);
    this.tokens.delete(token);
    this.tokens.add(this.renewed.get(key));
    return this.renewed.get(key);
  }

  replaced(token) {
    return token && !this.tokens.has(token);
  }

  knows(token, identity) {
    return this.tokens.has(token) || this.renewed.has(`${token} ${identity}`);
  }

  resume(socket, { interaction, after }) {
    const thread = !socket.token ? null : this.threads.find((other) => other.interaction === interaction) ?? this.current;
    const page = {
      ok: true, now: this.clock.now, site: { id: "s", open: true }, visitor: { known: false, name: null },
      ...(socket.token && { token: socket.token }),
    };
    if (!thread) return { ...page, thread: null, messages: [], earlier: false };
    const messages = after === undefined || thread.interaction !== interaction ? thread.messages.slice(-5) : thread.messages.slice(after, after + 7);
    return { ...page, thread: this.row(thread), messages, earlier: messages.length > 0 && messages[0].n > 1 };
  }

  earlier(thread, { before }) {
    const messages = thread.messages.slice(Math.max(0, before - 6), before - 1);
    return { ok: true, messages, earlier: messages.length > 0 && messages[0].n > 1 };
  }

  start(socket, body) {
    let answer = this.byClient.get(body.client_id);
    if (!answer) {
      if (this.current && this.current.state !== "ended") return { ok: false, error: "conflict" };
      const token = socket.token || `v1_${this.tokens.size + 1}`;
      this.tokens.add(token);
      socket.token = token;
      const thread = this.open();
      this.store(thread, "visitor", body.text, body.client_id);
      answer = { token, interaction: thread.interaction };
      this.byClient.set(body.client_id, answer);
    }
    socket.token = answer.token;
    const thread = this.threads.find((other) => other.interaction === answer.interaction);
    return { ok: true, token: answer.token, thread: this.row(thread), messages: thread.messages.slice(0, 5) };
  }

  message(thread, body) {
    const known = this.byClient.get(body.client_id);
    if (known) return { ok: true, ...known };
    if (this.random() < this.faults.later) return { ok: false, error: ["rate_limited", "unavailable", "internal"][Math.floor(this.random() * 3)] };
    if (thread.state === "ended") return { ok: false, error: "closed" };
    const { n, at } = this.store(thread, "visitor", body.text, body.client_id);
    this.byClient.set(body.client_id, { n, at });
    return { ok: true, n, at };
  }

  /** kill -9, or a restart that says so first. */
  die(politely) {
    for (const socket of [...this.sockets]) {
      if (politely) socket.deliver("restart", { reason: "update", retry_in_ms: 700 });
      socket.break();
    }
  }
}

/** One WebSocket: keeps order, may break at any instant; what was under way is lost on both sides. */
class FakeSocket {
  constructor(world, auth) {
    Object.assign(this, { world, token: auth.token ?? "", listeners: {}, broken: false, joined: false });
    this.toHub = this.toTab = world.clock.now;
    const { clock, hub, random, faults } = world;
    clock.later(() => {
      if (this.broken) return;
      if (!world.online || random() < faults.noConnect) return this.fail(new Error("websocket error"));
      if (this.token && !hub.knows(this.token, auth.identity)) return this.fail(new Error("unauthorized"));
      if (this.token && auth.identity) this.token = hub.identify(this.token, auth.identity);
      for (const other of [...hub.sockets]) if (hub.replaced(other.token) && other.token !== this.token) other.break();
      this.joined = true;
      hub.sockets.add(this);
      this.fire("connect");
    }, 5 + random() * 60);
  }

  on(event, listener) { (this.listeners[event] ??= []).push(listener); }
  fire(event, ...values) { for (const listener of this.listeners[event] ?? []) listener(...values); }
  fail(error) { this.broken = true; this.fire("connect_error", error); }

  emit(event, body, answer) {
    const { clock, hub, random, faults } = this.world;
    this.toHub = Math.max(this.toHub, clock.now + 2 + random() * 40);
    const copy = JSON.parse(JSON.stringify(body));
    clock.later(() => {
      if (this.broken || !this.world.online || random() < faults.lostFrame) return;
      const result = hub.handle(this, event, copy);
      if (random() < faults.doubleFrame) hub.handle(this, event, copy);
      if (random() < faults.cut) return this.break();
      if (!answer || !result || random() < faults.lostAck) return;
      this.down(() => answer(JSON.parse(JSON.stringify(result))));
    }, this.toHub - clock.now);
  }

  deliver(event, body) {
    const copy = JSON.parse(JSON.stringify(body));
    this.down(() => this.fire(event, copy));
  }

  down(work) {
    const { clock, random } = this.world;
    this.toTab = Math.max(this.toTab, clock.now + 2 + random() * 40);
    clock.later(() => { if (!this.broken && this.world.online) work(); }, this.toTab - clock.now);
  }

  /** The hub's side is gone; the tab hears of it, or the ping that does not come tells. */
  break() {
    if (this.broken) return;
    this.broken = true;
    this.world.hub.sockets.delete(this);
    if (this.joined) this.world.clock.later(() => this.fire("disconnect", "transport close"), this.world.random() < 0.7 ? 3 : 20_000);
  }

  disconnect() {
    this.broken = true;
    this.world.hub.sockets.delete(this);
  }
}

const CALM = { lostPush: 0, doublePush: 0, lostFrame: 0, doubleFrame: 0, lostAck: 0, cut: 0, noConnect: 0, later: 0 };

/** A browser profile: storage, channel between tabs and lock are shared; tabs come and go. */
class World {
  constructor(seed, faults = CALM, { locks = true } = {}) {
    this.random = chance(seed);
    this.clock = new Clock();
    this.faults = { ...CALM, ...faults };
    this.hub = new Hub(this.clock, this.random, this.faults);
    this.online = true;
    this.tabs = [];
    this.data = new Map();
    this.writtenUntil = 0;
    this.locks = locks;
    this.lock = Promise.resolve();
    this.ids = 0;
  }

  tab() {
    const tab = { local: new Map(this.data), views: 0, view: null, listener: () => {}, closed: false, release: [] };
    const alone = (work) => {
      if (!this.locks) return work();
      const before = this.lock;
      let free = () => {};
      this.lock = new Promise((resolve) => { free = resolve; });
      tab.release.push(free);
      return before.then(() => (tab.closed ? undefined : work())).finally(free);
    };
    tab.sync = new Sync({
      site: "s", lang: "en",
      connect: (auth) => new FakeSocket(this, auth),
      store: {
        get: (key) => (tab.local.has(key) ? JSON.parse(tab.local.get(key)) : undefined),
        set: (key, value) => this.write(tab, (map) => map.set(key, JSON.stringify(value))),
        remove: (key) => this.write(tab, (map) => map.delete(key)),
        keys: (prefix) => [...tab.local.keys()].filter((key) => key.startsWith(prefix)),
      },
      bus: {
        post: (news) => { for (const other of this.tabs) if (other !== tab) this.clock.later(() => { if (!other.closed) other.listener(news); }, 1); },
        listen: (listener) => { tab.listener = listener; },
      },
      env: {
        now: () => this.clock.now,
        later: (work, ms) => this.clock.later(() => { if (!tab.closed) work(); }, ms),
        cancel: this.clock.cancel, random: this.random, uuid: () => `c${++this.ids}`, alone,
      },
      draw: (view) => { tab.view = view; tab.views += 1; check(view); },
    });
    this.tabs.push(tab);
    tab.sync.start();
    return tab;
  }

  /** Storage of real browsers: own writes are there at once, other tabs see them later, even later than messages about them. */
  write(tab, change) {
    change(tab.local);
    change(this.data);
    this.writtenUntil = Math.max(this.writtenUntil, this.clock.now + this.random() * 60);
    for (const other of this.tabs) {
      if (other === tab) continue;
      this.clock.later(() => { change(other.local); if (!other.closed) other.listener({ kind: "outbox" }); }, this.writtenUntil - this.clock.now);
    }
  }

  /** Closed, crashed or reloaded: nothing of it runs any more; the browser frees its lock. */
  close(tab) {
    tab.closed = true;
    tab.sync.stop();
    this.tabs = this.tabs.filter((other) => other !== tab);
    for (const free of tab.release) free();
  }

  get outbox() {
    return [...this.data.keys()].filter((key) => key.startsWith("out:"));
  }
}

/** True of every single thing that is ever drawn. */
function check(view) {
  const numbers = view.messages.map((message) => message.n);
  for (let i = 1; i < numbers.length; i += 1) assert.ok(numbers[i] > numbers[i - 1], `numbers rise: ${numbers}`);
  const clients = [...view.messages, ...view.pending].map((row) => row.client_id).filter(Boolean);
  assert.equal(new Set(clients).size, clients.length, `nothing is shown twice: ${clients}`);
}

const texts = (rows, from) => rows.filter((row) => row.from === from).map((row) => row.text);

async function play(seed, faults, options = {}) {
  const world = new World(seed, faults, options);
  const { clock, hub, random } = world;
  const said = new Map();
  let reloads = 0;
  let name = 0;
  let tab = world.tab();
  await clock.run(300);
  tab.sync.say({ kind: "start", form: {}, text: "t0 hello" });
  const names = new Map([[tab, "t0"]]);
  said.set("t0", ["t0 hello"]);
  for (let step = 0; step < 60; step += 1) {
    const roll = random();
    tab = world.tabs[Math.floor(random() * world.tabs.length)];
    const say = () => {
      const who = names.get(tab);
      const text = `${who} ${step}`;
      said.set(who, [...(said.get(who) ?? []), text]);
      tab.sync.say({ kind: "message", text });
    };
    if (roll < 0.4 && (tab.view?.starting || tab.view?.thread)) { say(); if (random() < 0.3) say(); }
    else if (roll < 0.6) hub.agentSays(`a ${step}`);
    else if (roll < 0.66) hub.die(random() < 0.5);
    else if (roll < 0.72) world.online = !world.online;
    else if (roll < 0.78) tab.sync.wake();
    else if (roll < 0.82) tab.sync.resumer.earlier();
    else if (roll < 0.86 && hub.sockets.size) [...hub.sockets][0].deliver("resync", {});
    else if (roll < 0.92 && world.tabs.length < 3) names.set(world.tab(), `t${++name}`);
    else if (roll < 0.96) {
      reloads += 1;
      world.close(tab);
      names.set(world.tab(), `t${++name}`);
    } else if (tab.view?.messages.length) tab.sync.see(tab.view.messages.at(-1).n);
    if (!world.online && random() < 0.4) { world.online = true; for (const other of world.tabs) other.sync.wake(); }
    await clock.run(random() < 0.8 ? random() * 400 : random() * 15_000);
  }
  Object.assign(world.faults, CALM);
  world.online = true;
  for (const other of world.tabs) other.sync.wake();
  hub.agentSays("the last word");
  await clock.run(240_000);
  return { world, hub, said, reloads };
}

function verify({ world, hub, said }, seed) {
  assert.equal(hub.threads.length, 1, `one conversation (seed ${seed})`);
  const stored = texts(hub.current.messages, "visitor");
  const wanted = [...said.values()].flat();
  assert.deepEqual(stored.slice().sort(), wanted.slice().sort(), `each message once (seed ${seed})`);
  for (const [who, list] of said) assert.deepEqual(stored.filter((text) => text.startsWith(`${who} `)), list, `order of ${who} (seed ${seed})`);
  assert.deepEqual(world.outbox, [], `the outbox is empty (seed ${seed})`);
  for (const tab of world.tabs) {
    assert.equal(tab.view.link, "live");
    const { messages, pending, earlier } = tab.view;
    assert.deepEqual(pending, []);
    assert.deepEqual(messages.map((row) => row.n), hub.current.messages.slice(-messages.length).map((row) => row.n), `the tab holds the hub's tail (seed ${seed})`);
    assert.deepEqual(messages.map((row) => row.text), hub.current.messages.slice(-messages.length).map((row) => row.text));
    assert.equal(earlier, messages.length < hub.current.messages.length);
  }
}

const STORM = { lostPush: 0.15, doublePush: 0.15, lostFrame: 0.08, doubleFrame: 0.1, lostAck: 0.12, cut: 0.06, noConnect: 0.25, later: 0.08 };
const RUNS = Number(process.env.WIDGET_SYNC_RUNS ?? 120);

for (const [title, faults, options] of [
  ["a calm network", CALM, {}],
  ["lost, doubled and cut", STORM, {}],
  ["the same without a lock between tabs", STORM, { locks: false }],
  ["acknowledgements that rarely arrive", { ...CALM, lostAck: 0.5, doubleFrame: 0.3 }, {}],
  ["pushes that rarely arrive", { ...CALM, lostPush: 0.7, doublePush: 0.3 }, {}],
]) {
  test(`nothing lost, nothing doubled, order kept: ${title}`, async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      try {
        verify(await play(seed, faults, options), seed);
      } catch (error) {
        error.message = `seed ${seed}: ${error.message}`;
        throw error;
      }
    }
  });
}

async function started(faults = CALM) {
  const world = new World(7, faults);
  const tab = world.tab();
  await world.clock.run(500);
  tab.sync.say({ kind: "start", form: { name: "Li" }, text: "hello" });
  await world.clock.run(1000);
  return { world, tab };
}

test("what is said while the start is unanswered follows it, in order", async () => {
  const world = new World(3);
  const tab = world.tab();
  tab.sync.say({ kind: "start", form: {}, text: "one" });
  tab.sync.say({ kind: "message", text: "two" });
  tab.sync.say({ kind: "message", text: "three" });
  assert.deepEqual(tab.view.pending.map((row) => row.text), ["one", "two", "three"]);
  await world.clock.run(5000);
  assert.deepEqual(texts(world.hub.current.messages, "visitor"), ["one", "two", "three"]);
});

test("a start whose answer was lost is repeated and brings the token", async () => {
  const world = new World(5);
  const tab = world.tab();
  await world.clock.run(500);
  world.faults.lostAck = 1;
  tab.sync.say({ kind: "start", form: {}, text: "hello" });
  await world.clock.run(500);
  world.faults.lostAck = 0;
  world.hub.die(false);
  await world.clock.run(60_000);
  assert.equal(world.hub.threads.length, 1);
  assert.equal(tab.view.thread.interaction, "i1");
  assert.equal(world.data.get("token"), '"v1_1"');
});

test("an identified visitor goes on with a new token, in every tab, and says nothing twice", async () => {
  const { world, tab } = await started();
  const other = world.tab();
  await world.clock.run(2000);
  const before = JSON.parse(world.data.get("token"));
  tab.sync.identify("jwt");
  tab.sync.say({ kind: "message", text: "said meanwhile" });
  other.sync.say({ kind: "message", text: "and over there" });
  await world.clock.run(10_000);
  assert.equal(world.data.get("token"), `"${before}-jwt"`);
  assert.deepEqual([...world.hub.sockets].filter((socket) => !socket.broken).map((socket) => socket.token), [`${before}-jwt`, `${before}-jwt`]);
  for (const { view } of [tab, other]) {
    assert.equal(view.link, "live");
    assert.equal(view.thread.interaction, "i1");
  }
  assert.equal(texts(world.hub.current.messages, "visitor").filter((text) => text.startsWith("said") || text.startsWith("and")).length, 2);
});

test("a new token whose answer was lost is told again", async () => {
  const { world, tab } = await started();
  const before = JSON.parse(world.data.get("token"));
  world.faults.lostAck = 1;
  tab.sync.identify("jwt");
  await world.clock.run(3000);
  world.faults.lostAck = 0;
  world.hub.die(false);
  await world.clock.run(30_000);
  assert.equal(world.data.get("token"), `"${before}-jwt"`);
  assert.equal(tab.view.thread.interaction, "i1");
});

test("a token the hub no longer knows is forgotten, and the visitor may begin again", async () => {
  const { world, tab } = await started();
  world.hub.tokens.clear();
  world.hub.die(false);
  await world.clock.run(30_000);
  assert.equal(world.data.has("token"), false);
  assert.equal(tab.view.link, "live");
  assert.equal(tab.view.thread, null);
  world.hub.current.state = "ended";
  tab.sync.say({ kind: "start", form: {}, text: "again" });
  await world.clock.run(2000);
  assert.equal(tab.view.thread.interaction, "i2");
});

test("a message refused for good keeps its reason, and lets the next ones through", async () => {
  const { world, tab } = await started();
  const honest = world.hub.message;
  world.hub.message = () => ({ ok: false, error: "too_large" });
  tab.sync.say({ kind: "message", text: "long" });
  await world.clock.run(1000);
  world.hub.message = honest;
  tab.sync.say({ kind: "message", text: "short" });
  await world.clock.run(2000);
  assert.deepEqual(tab.view.pending.map((row) => [row.text, row.state, row.error]), [["long", "failed", "too_large"]]);
  assert.deepEqual(texts(world.hub.current.messages, "visitor"), ["hello", "short"]);
  tab.sync.retry(tab.view.pending[0].client_id);
  await world.clock.run(2000);
  assert.deepEqual(tab.view.pending, []);
  assert.deepEqual(texts(world.hub.current.messages, "visitor"), ["hello", "short", "long"]);
});

test("a rate limit is visible, holds the order and ends by itself", async () => {
  const { world, tab } = await started();
  world.faults.later = 1;
  tab.sync.say({ kind: "message", text: "one" });
  tab.sync.say({ kind: "message", text: "two" });
  await world.clock.run(1500);
  assert.deepEqual(tab.view.pending.map((row) => row.state), ["delayed", "sending"]);
  world.faults.later = 0;
  await world.clock.run(40_000);
  assert.deepEqual(texts(world.hub.current.messages, "visitor"), ["hello", "one", "two"]);
});

test("a message to a conversation that ended is kept with its reason", async () => {
  const { world, tab } = await started();
  world.hub.current.state = "ended";
  tab.sync.say({ kind: "message", text: "too late" });
  await world.clock.run(2000);
  assert.deepEqual(tab.view.pending.map((row) => row.error), ["closed"]);
  assert.equal(tab.view.thread.state, "ended");
});

test("an end that was clicked offline happens after the messages before it", async () => {
  const { world, tab } = await started();
  world.online = false;
  tab.sync.say({ kind: "message", text: "bye" });
  tab.sync.say({ kind: "end" });
  await world.clock.run(50_000);
  world.online = true;
  await world.clock.run(60_000);
  assert.deepEqual(texts(world.hub.current.messages, "visitor"), ["hello", "bye"]);
  assert.equal(tab.view.thread.state, "ended");
  tab.sync.dismiss();
  assert.equal(tab.view.thread, null);
  tab.sync.say({ kind: "start", form: {}, text: "again" });
  await world.clock.run(3000);
  assert.equal(tab.view.thread.interaction, "i2");
  assert.deepEqual(tab.view.messages.map((row) => row.text), ["again"]);
});

test("a sleeping machine's dead connection is found within seconds of waking", async () => {
  const { world, tab } = await started();
  for (const socket of world.hub.sockets) { socket.broken = true; world.hub.sockets.delete(socket); }
  world.hub.agentSays("are you there?");
  await world.clock.run(1000);
  assert.equal(tab.view.unread, 0);
  tab.sync.wake();
  await world.clock.run(6000);
  assert.equal(tab.view.unread, 1);
});

test("a hub that restarts on purpose is left alone for as long as it asked", async () => {
  const { world, tab } = await started();
  const [socket] = world.hub.sockets;
  socket.deliver("restart", { reason: "update", retry_in_ms: 5000 });
  await world.clock.run(100);
  assert.equal(tab.view.link, "restarting");
  tab.sync.wake();
  await world.clock.run(4500);
  assert.equal(tab.view.link, "restarting");
  await world.clock.run(5000);
  assert.equal(tab.view.link, "live");
});

test("the other tab follows a conversation begun here, and back-off never stops", async () => {
  const { world } = await started();
  const other = world.tab();
  await world.clock.run(1000);
  assert.equal(other.view.thread.interaction, "i1");
  world.online = false;
  world.hub.die(false);
  await world.clock.run(3_600_000);
  assert.equal(other.view.link, "lost");
  world.online = true;
  await world.clock.run(45_000);
  assert.equal(other.view.link, "live");
});

test("the frames of one visitor stay below the hub's limit", async () => {
  const { world, tab } = await started();
  await world.clock.run(20_000);
  const before = world.hub.handled;
  for (let i = 0; i < 60; i += 1) tab.sync.say({ kind: "message", text: `m${i}` });
  await world.clock.run(10_000);
  assert.ok(world.hub.handled - before <= 10 + 2 * 10, String(world.hub.handled - before));
  await world.clock.run(60_000);
  assert.equal(world.hub.current.messages.length, 61);
});

test("the log closes gaps, ignores repeats, and accepts a hole only when told to", () => {
  const log = new Log();
  const row = (n) => ({ interaction: "i", n, at: n, from: "agent", text: String(n), files: [], choices: [] });
  log.reset("i");
  for (const n of [1, 2, 5, 2, 4, 5]) log.add(row(n));
  assert.equal(log.last, 2);
  assert.deepEqual(log.all().map((m) => m.n), [1, 2, 4, 5]);
  log.merge([row(3)], false);
  assert.equal(log.last, 5);
  log.add(row(8));
  log.acceptGap();
  assert.deepEqual(log.all().map((m) => m.n), [1, 2, 3, 4, 5, 8]);
});

test("a push that was lost is noticed by the next one", async () => {
  const { world, tab } = await started();
  world.faults.lostPush = 1;
  world.hub.agentSays("lost");
  world.faults.lostPush = 0;
  world.hub.agentSays("heard");
  await world.clock.run(400);
  assert.deepEqual(tab.view.messages.map((row) => row.text), ["hello", "lost", "heard"]);
});

test("an accent of any colour stays readable", () => {
  for (const accent of ["#1757c2", "#d6f04a", "#23614f", "#ffffff", "#000000", "#808080", "#ff0000", "#ffd400", "#00ffff", "#7a7a00"]) {
    for (const isDark of [false, true]) {
      const { fill, on, ink, soft } = palette(accent, isDark);
      assert.ok(contrast(fill, on) >= 4.5, `${accent} fill ${fill} on ${on}`);
      assert.ok(contrast(ink, isDark ? "#181d26" : "#ffffff") >= 4.5 && contrast(ink, soft) >= 4.5, `${accent} ink ${ink}`);
    }
  }
});

test("only web addresses become links, without the sentence's punctuation", () => {
  const links = (text) => pieces(text).filter((piece) => piece.href).map((piece) => piece.text);
  assert.deepEqual(links("See https://a.example/x, and (http://b.example/y_(z))."), ["https://a.example/x", "http://b.example/y_(z)"]);
  assert.deepEqual(links("请看https://a.example/x，谢谢"), ["https://a.example/x"]);
  assert.deepEqual(links("https://a.example/x谢谢"), ["https://a.example/x"]);
  assert.deepEqual(links("javascript:alert(1) data:text/html,x file:///etc JAVASCRIPT://a"), []);
  const text = "a https://a.example b\n<b>http://c.example/?q=1&r=2</b>";
  assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
});
