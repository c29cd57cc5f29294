/**
 * A browser as a telephone at the provider, by the provider's own script (kept in /vendor, loaded only from here).
 * The console knows the interface alone: `open(told)` returns `{register, accept, reject, hangUp, mute, digits, close}`.
 *
 * @typedef {{ registered: (expiresAt: number) => void, unregistered: (why: string) => void, expiring: () => void, incoming: (call: { id: string, from: string }) => void,
 *   opened: (id: string) => void, closed: (id: string, status: string) => void, heard: (id: string, sound: object) => void, level: (input: number) => void }} Told
 */
const SDK = "/vendor/voice-sdk.js";
/** Codes of a token that is over or refused: another one mends it. */
const TOKEN_CODES = [20101, 20104, 20157, 31205];

/** @param {{ url: string }} _phone @param {Told} told */
export async function open(_phone, told) {
  await import(SDK);
  const { Device } = /** @type {any} */ (globalThis).Twilio;
  /** @type {any} */
  let device = null;
  /** @type {Map<string, any>} */
  const calls = new Map();

  /** @param {any} call */
  function incoming(call) {
    const id = call.parameters.CallSid;
    calls.set(id, call);
    const over = (/** @type {string} */ status) => () => calls.delete(id) && told.closed(id, status);
    call.on("accept", () => told.opened(id));
    call.on("disconnect", over("completed"));
    call.on("cancel", over("canceled"));
    call.on("reject", over("rejected"));
    call.on("error", (/** @type {{ message: string }} */ error) => told.unregistered(error.message));
    call.on("volume", (/** @type {number} */ input) => told.level(input));
    told.incoming({ id, from: call.parameters.From ?? "" });
  }

  /** @param {string} token @param {number} expiresAt */
  async function begin(token, expiresAt) {
    device = new Device(token, { logLevel: "error", closeProtection: false, tokenRefreshMs: 60_000 });
    device.audio?.incoming(false);
    device.on("registered", () => told.registered(expiresAt));
    device.on("unregistered", () => told.unregistered(""));
    device.on("tokenWillExpire", told.expiring);
    device.on("error", (/** @type {{ code: number, message: string }} */ error) => (TOKEN_CODES.includes(error.code) ? told.expiring() : told.unregistered(error.message)));
    device.on("incoming", incoming);
    await device.register();
  }

  return {
    /** @param {string} token @param {number} expiresAt */
    async register(token, expiresAt) {
      if (!device) return begin(token, expiresAt);
      device.updateToken(token);
      if (device.state !== "registered") await device.register();
      else told.registered(expiresAt);
    },
    /** @param {string} id */
    accept: (id) => calls.get(id)?.accept(),
    /** @param {string} id */
    reject: (id) => calls.get(id)?.reject(),
    /** @param {string} id */
    hangUp: (id) => calls.get(id)?.disconnect(),
    /** @param {string} id @param {boolean} muted */
    mute: (id, muted) => calls.get(id)?.mute(muted),
    /** @param {string} id @param {string} keys */
    digits: (id, keys) => calls.get(id)?.sendDigits(keys),
    say: null,
    close: () => device?.destroy(),
  };
}
