/**
 * A browser as a telephone at the provider, by the provider's own script (kept in /vendor, loaded only from here).
 * The console knows the interface alone: `open(phone, told)` returns `{register, accept, reject, hangUp, mute, digits, say, reach, echo, use, close}`.
 *
 * @typedef {{ registered: (expiresAt: number) => void, unregistered: (why: string) => void, expiring: () => void, incoming: (call: { id: string, from: string }) => void,
 *   opened: (id: string) => void, closed: (id: string, status: string) => void, heard: (id: string, sound: object) => void }} Told
 */
const SDK = "/vendor/voice-sdk.js";
/** Codes of a token that is over or refused: another one mends it. */
const TOKEN_CODES = [20101, 20104, 20157, 31205];
/** Answers with the address that sound is sent from: an answer means that sound can pass. */
const STUN = "stun:global.stun.twilio.com:3478";
const REACH_MS = 6000;

/** How long until the outside has seen a packet of sound's kind from here, in milliseconds; null: none got out. @returns {Promise<number | null>} */
async function soundPasses() {
  const line = new RTCPeerConnection({ iceServers: [{ urls: STUN }] });
  const began = performance.now();
  try {
    const seen = new Promise((done) => {
      line.onicecandidate = ({ candidate }) => candidate?.type === "srflx" && done(Math.round(performance.now() - began));
      setTimeout(() => done(null), REACH_MS);
    });
    line.addTransceiver("audio");
    await line.setLocalDescription(await line.createOffer());
    return await seen;
  } finally {
    line.close();
  }
}

/** @param {{ url: string }} _phone @param {Told} told */
export async function open(_phone, told) {
  await import(SDK);
  const { Device } = /** @type {any} */ (globalThis).Twilio;
  /** @type {any} */
  let device = null;
  /** @type {Map<string, any>} */
  const calls = new Map();
  let passEnds = 0;
  let microphone = "";
  let speaker = "";

  /** @param {any} call */
  function incoming(call) {
    const id = call.parameters.CallSid;
    calls.set(id, call);
    const over = (/** @type {string} */ status) => () => {
      if (!calls.delete(id)) return;
      told.closed(id, status);
      // A microphone chosen during a call would stay open.
      if (!calls.size) void device.audio?.unsetInputDevice().catch(() => {});
    };
    call.on("accept", () => told.opened(id));
    call.on("disconnect", over("completed"));
    call.on("cancel", over("canceled"));
    call.on("reject", over("rejected"));
    call.on("error", (/** @type {{ message: string }} */ error) => told.unregistered(error.message));
    told.incoming({ id, from: call.parameters.From ?? "" });
  }

  /** @param {string} token */
  async function begin(token) {
    device = new Device(token, { logLevel: "error", closeProtection: false, tokenRefreshMs: 60_000 });
    device.audio?.incoming(false);
    device.on("registered", () => told.registered(passEnds));
    device.on("unregistered", () => told.unregistered(""));
    device.on("tokenWillExpire", told.expiring);
    device.on("error", (/** @type {{ code: number, message: string }} */ error) => (TOKEN_CODES.includes(error.code) ? told.expiring() : told.unregistered(error.message)));
    device.on("incoming", incoming);
    await device.register();
    await use({ microphone, speaker });
  }

  /** Hear and be heard by these from now on; one that is not there any more is replaced by the browser's choice. @param {{ microphone: string, speaker: string }} chosen */
  async function use(chosen) {
    ({ microphone, speaker } = chosen);
    const audio = device?.audio;
    if (!audio) return;
    if (audio.isOutputSelectionSupported) await audio.speakerDevices.set(audio.availableOutputDevices.has(speaker) ? speaker : "default");
    if (calls.size) await audio.setInputDevice(audio.availableInputDevices.has(microphone) ? microphone : "default");
  }

  return {
    /** @param {string} token @param {number} expiresAt */
    async register(token, expiresAt) {
      passEnds = expiresAt;
      if (!device) return begin(token);
      device.updateToken(token);
      // While it is registering by itself it may not be asked to, and says when it has.
      if (device.state === "unregistered") await device.register();
      else if (device.state === "registered") told.registered(passEnds);
    },
    /** @param {string} id */
    accept: (id) => calls.get(id)?.accept(microphone ? { rtcConstraints: { audio: { deviceId: { ideal: microphone } } } } : {}),
    /** @param {string} id */
    reject: (id) => calls.get(id)?.reject(),
    /** @param {string} id */
    hangUp: (id) => calls.get(id)?.disconnect(),
    /** @param {string} id @param {boolean} muted */
    mute: (id, muted) => calls.get(id)?.mute(muted),
    /** @param {string} id @param {string} keys */
    digits: (id, keys) => calls.get(id)?.sendDigits(keys),
    say: null,
    async reach() {
      if (device?.state !== "registered") throw new Error("unregistered");
      const ms = await soundPasses();
      if (ms === null) throw new Error("blocked");
      return ms;
    },
    echo: null,
    use,
    close: () => device?.destroy(),
  };
}
