/**
 * The browser as a telephone, behind one small interface; the hub's pass says which kind.
 * A telephone: `register(token, expiresAt)`, `accept(id)`, `reject(id)`, `hangUp(id)`, `mute(id, muted)`, `digits(id, keys)`, `say(id, text)` (or null), `close()`.
 * To be checked without a call: `reach()` is the way to the carrier and back in milliseconds, or why there is none ("unregistered", "blocked", "silent");
 * `echo(text)` gives back what the carrier heard, where one speaks by typing (else null); `use(devices)` chooses what hears and speaks.
 *
 * @typedef {{ id: number, at: number, until: number | null, kind: string, text: string, source?: string, language?: string }} Sound
 * @typedef {{ registered: (expiresAt: number) => void, unregistered: (why: string) => void, expiring: () => void, incoming: (call: { id: string, from: string }) => void,
 *   opened: (id: string) => void, closed: (id: string, status: string) => void, heard: (id: string, sound: Sound) => void }} Told
 * @typedef {{ register: (token: string, expiresAt: number) => unknown, accept: (id: string) => void, reject: (id: string) => void, hangUp: (id: string) => void,
 *   mute: (id: string, muted: boolean) => void, digits: (id: string, keys: string) => void, say: ((id: string, text: string) => void) | null,
 *   reach: () => Promise<number>, echo: ((text: string) => Promise<string>) | null, use: (chosen: { microphone: string, speaker: string }) => unknown, close: () => void }} Phone
 * @typedef {{ kind: "websocket" | "module", url: string, account: string, token: string, expires_at: number, needs_microphone: boolean }} Pass
 */
const AGAIN_MS = [500, 1000, 2000, 5000, 10_000];
/** Refused for the token: another one mends it. */
const TOKEN_CODES = [20101, 20104, 20157];
const TEST_MS = 5000;

/** @param {Pass} pass @param {Told} told @returns {Promise<Phone>} */
export async function openPhone(pass, told) {
  return pass.kind === "module" ? (await import(pass.url)).open(pass, told) : openSocket(pass, told);
}

/** A telephone of JSON over a websocket: what is heard can be read, what is said is typed. @param {Pass} pass @param {Told} told @returns {Phone} */
function openSocket(pass, told) {
  const address = new URL(pass.url, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let token = pass.token;
  let failures = 0;
  let timer = 0;
  let isClosed = false;
  /** @type {WebSocket | null} */
  let socket = null;
  /** Calls that are up or ring. @type {Set<string>} */
  const calls = new Set();
  /** Who waits for what was said as a test. @type {Map<number, (said: { registered: boolean, text: string }) => void>} */
  const tests = new Map();
  let tested = 0;

  /** @type {Record<string, (said: any) => void>} */
  const news = {
    registered: (said) => told.registered(said.expires_at),
    unregistered: () => told.expiring(),
    expiring: () => told.expiring(),
    incoming: (said) => (calls.add(said.call), told.incoming({ id: said.call, from: said.from })),
    open: (said) => told.opened(said.call),
    closed: (said) => (calls.delete(said.call), told.closed(said.call, said.status)),
    heard: (said) => told.heard(said.call, said.sound),
    tested: (said) => tests.get(said.id)?.(said),
    error: (said) => (TOKEN_CODES.includes(said.code) ? told.expiring() : said.call || told.unregistered(said.message)),
  };

  function connect() {
    const own = new WebSocket(address);
    socket = own;
    own.onopen = () => ((failures = 0), say({ type: "register", token }));
    own.onmessage = (e) => {
      const said = JSON.parse(e.data);
      news[said.type]?.(said);
    };
    own.onclose = () => {
      if (isClosed || socket !== own) return;
      for (const id of calls) told.closed(id, "failed");
      calls.clear();
      told.unregistered("");
      timer = window.setTimeout(connect, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
    };
  }

  /** @param {object} words */
  function say(words) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words));
  }

  /** @param {string} text @returns {Promise<string>} */
  async function echo(text) {
    const id = ++tested;
    const answer = await new Promise((done) => {
      tests.set(id, done);
      setTimeout(() => done(null), TEST_MS);
      say({ type: "test", id, text });
    });
    tests.delete(id);
    if (!answer) throw new Error("silent");
    if (!answer.registered) throw new Error("unregistered");
    return answer.text;
  }

  return {
    register(next) {
      token = next;
      if (socket) say({ type: "register", token });
      else connect();
    },
    accept: (call) => say({ type: "accept", call }),
    reject: (call) => say({ type: "reject", call }),
    hangUp: (call) => say({ type: "hangup", call }),
    mute: (call, muted) => say({ type: "mute", call, muted }),
    digits: (call, keys) => say({ type: "digits", call, keys }),
    say: (call, text) => say({ type: "say", call, text }),
    async reach() {
      const began = performance.now();
      await echo("");
      return Math.round(performance.now() - began);
    },
    echo,
    use: () => {},
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
