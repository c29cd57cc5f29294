"""The provider's softphone: its own script is what is loaded, and what we ask of it is what it has.

What the provider's network would do is done by a stand-in with the interface of the script's documentation; that the
script has this interface is asked of the script itself.
"""

import asyncio
import hashlib
import json
from pathlib import Path

from playwright.async_api import Page, Request, Route, expect

from channels.voice import Voice
from tests.browser.conftest import Houses, SeatAt
from tests.browser.people import Seat
from tests.browser.test_devices import step

SCRIPT = Path(__file__).parents[2] / "hub" / "static" / "vendor" / "voice-sdk.js"

STAND_IN = """
(() => {
  class Emitter {
    constructor() { this.handlers = {}; }
    on(name, handler) { (this.handlers[name] ??= []).push(handler); return this; }
    emit(name, ...said) { for (const one of this.handlers[name] ?? []) one(...said); }
  }
  const log = (globalThis.told = []);
  class Call extends Emitter {
    constructor(sid, from) { super(); this.parameters = { CallSid: sid, From: from }; }
    accept(options) { log.push(["accept", options]); this.emit("accept", this); }
    reject() { log.push(["reject"]); this.emit("reject"); }
    disconnect() { log.push(["disconnect"]); this.emit("disconnect", this); }
    mute(muted) { log.push(["mute", muted]); this.emit("mute", muted, this); }
    sendDigits(digits) { log.push(["digits", digits]); }
  }
  class Device extends Emitter {
    constructor(token, options) {
      super();
      Object.assign(this, { token, options, state: "unregistered" });
      (globalThis.devices ??= []).push(this);
      const ids = (...names) => new Map(names.map((name) => [name, { deviceId: name }]));
      this.audio = {
        incoming: () => {}, isOutputSelectionSupported: true,
        availableOutputDevices: ids("default", "headset"), availableInputDevices: ids("default", "headset"),
        speakerDevices: { set: async (id) => void log.push(["speaker", id]) },
        setInputDevice: async (id) => void log.push(["microphone", id]),
        unsetInputDevice: async () => void log.push(["microphone", null]),
      };
    }
    async register() {
      if (this.state !== "unregistered") throw new Error(`Attempt to register when device is in state ${this.state}`);
      this.state = "registering";
      if (globalThis.refuses) {
        this.state = "unregistered";
        this.emit("error", { code: 20101, message: "Invalid access token" });
        throw new Error("Invalid access token");
      }
      this.state = "registered";
      this.emit("registered");
    }
    updateToken(token) { log.push(["token", token === this.token]); this.token = token; }
    destroy() { this.state = "destroyed"; }
    rings(sid, from) { const call = new Call(sid, from); globalThis.call = call; this.emit("incoming", call); }
  }
  globalThis.Twilio = { Device, Call };
})();
"""
SEEN = """
globalThis.RTCPeerConnection = class {
  addTransceiver() {}
  async createOffer() { return {}; }
  async setLocalDescription() {
    if (globalThis.passes) setTimeout(() => this.onicecandidate?.({ candidate: { type: "srflx" } }), 20);
  }
  close() {}
};
"""
CHOSEN = (
    """localStorage.setItem("console.preferences", JSON.stringify({ microphone: "headset", speaker: "headset" }));"""
)
CHANGE = "navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"
REFUSED = """
globalThis.refuses = true;
devices[0].state = "unregistered";
devices[0].emit("error", { code: 20101, message: "Invalid access token" });
"""
RETRIES_S = 4
LACKING = """([methods, audio, values, token]) => {
  const lacks = (one, name) => typeof one?.[name] !== "function";
  const device = new Twilio.Device(token, { logLevel: "error" });
  const found = Object.entries(methods).flatMap(([name, own]) =>
    own.filter((each) => lacks(Twilio[name].prototype, each)));
  found.push(...audio.filter((name) => lacks(device.audio, name)));
  found.push(...values.filter((name) => device.audio[name] === undefined));
  if (lacks(device.audio.speakerDevices, "set")) found.push("speakerDevices.set");
  if (device.state !== "unregistered") found.push("state");
  device.destroy();
  return found;
}"""
METHODS = {
    "Device": ["register", "updateToken", "destroy", "on"],
    "Call": ["accept", "reject", "disconnect", "mute", "sendDigits", "on"],
}
AUDIO = ["incoming", "setInputDevice", "unsetInputDevice"]
AUDIO_VALUES = ["isOutputSelectionSupported", "availableOutputDevices", "availableInputDevices", "speakerDevices"]


async def at_a_stand_in(houses: Houses, seat: SeatAt, *scripts: str) -> Seat:
    """Ann, whose browser is a telephone at a provider that the stand-in plays."""
    house = await houses(phones={"softphone": "provider"})
    ann = await seat(house, "ann", permissions=["microphone"])

    async def stand_in(route: Route, _request: Request) -> None:
        await route.fulfill(content_type="text/javascript", body=STAND_IN)

    await ann.page.route("**/vendor/voice-sdk.js", stand_in)
    for script in scripts:
        await ann.context.add_init_script(script)
    await ann.arrive()
    return ann


async def asked(page: Page, count: int) -> list[list[object]]:
    """Wait until the console has asked so much of the telephone since the last time, and return it."""
    async with asyncio.timeout(20):
        while await page.evaluate("told.length") < count:  # noqa: ASYNC110 - it is the page's to know
            await asyncio.sleep(0.05)
    said: list[list[object]] = await page.evaluate("told.splice(0)")
    return said


async def test_script_of_the_provider_is_loaded_and_has_what_is_asked_of_it(houses: Houses, seat: SeatAt) -> None:
    house = await houses(phones={"softphone": "provider"})
    ann = await seat(house, "ann")
    ann.watch.expected = ("twilio", "Twilio", "WebSocket")  # who is out of reach here, and its script says so
    async with ann.page.expect_response("**/vendor/voice-sdk.js") as loaded:
        await ann.arrive()
    assert hashlib.sha256(await (await loaded.value).body()).digest() == hashlib.sha256(SCRIPT.read_bytes()).digest()
    (line,) = (one for one in house.hub.channels if isinstance(one, Voice))
    assert await ann.page.evaluate(LACKING, [METHODS, AUDIO, AUDIO_VALUES, line.pass_for("ann")[0]]) == []


async def test_check_tells_whether_sound_gets_through(houses: Houses, seat: SeatAt) -> None:
    ann = await at_a_stand_in(houses, seat, SEEN)
    await expect(ann.page.locator(".phone-status")).to_have_text("Phone ready")
    await ann.page.evaluate("globalThis.passes = false")
    check = ann.page.locator(".shift").get_by_role("button", name="Check", exact=True)
    await check.click()
    line = step(ann.page, "Connection")
    await expect(line).to_contain_text("Sound does not get through this network")
    await ann.page.evaluate("globalThis.passes = true")
    await line.get_by_role("button", name="Again").click()
    await expect(line).to_contain_text("Calls reach you")
    await ann.page.evaluate("devices[0].state = 'unregistered'")
    await ann.page.keyboard.press("Escape")
    await check.click()
    await expect(line).to_contain_text("not signed in at the phone company yet")


async def test_call_is_answered_with_the_devices_that_were_chosen(houses: Houses, seat: SeatAt) -> None:
    ann = await at_a_stand_in(houses, seat, CHOSEN)
    page = ann.page
    await expect(page.locator(".phone-status")).to_have_text("Phone ready")
    assert (await asked(page, 2))[-1] == ["speaker", "headset"]

    await page.evaluate("devices[0].rings('CA1', '+14155550123')")
    ringing = page.locator("aside").filter(has_text="A colleague calls you")
    await ringing.locator("button.primary").click()
    assert await asked(page, 1) == [["accept", {"rtcConstraints": {"audio": {"deviceId": {"ideal": "headset"}}}}]]
    await page.evaluate(CHANGE)
    assert await asked(page, 2) == [["speaker", "headset"], ["microphone", "headset"]]
    await page.evaluate("devices[0].audio.availableInputDevices.delete('headset')")
    await page.evaluate(CHANGE)
    assert await asked(page, 2) == [["speaker", "headset"], ["microphone", "default"]]

    await page.evaluate("call.disconnect()")
    assert await asked(page, 2) == [["disconnect"], ["microphone", None]]


async def test_pass_is_renewed_before_it_ends_and_one_that_is_refused_makes_no_storm(
    houses: Houses, seat: SeatAt
) -> None:
    ann = await at_a_stand_in(houses, seat)
    page = ann.page
    await expect(page.locator(".phone-status")).to_have_text("Phone ready")
    await asked(page, 1)
    await page.evaluate("devices[0].emit('tokenWillExpire', devices[0])")
    assert "token" in [what for what, *_ in await asked(page, 1)]

    async with page.expect_request("**/api/v1/phone"):
        await page.evaluate(REFUSED)
    begun = asyncio.get_running_loop().time()
    for _ in range(2):
        async with page.expect_request("**/api/v1/phone"):
            pass
    assert asyncio.get_running_loop().time() - begun > RETRIES_S
    await expect(page.locator(".phone-status")).not_to_have_text("Phone ready")
    await page.evaluate("globalThis.refuses = false")
    await expect(page.locator(".phone-status")).to_have_text("Phone ready")
    assert await page.evaluate("devices.length") == 1


async def test_lines_of_two_accounts_are_two_telephones(houses: Houses, seat: SeatAt) -> None:
    house = await houses(phones={"softphone": "provider"})
    ann = await seat(house, "ann")

    async def two(route: Route, _request: Request) -> None:
        answer = await route.fetch()
        said = await answer.json()
        (phone,) = said["phones"]
        said["phones"] = [phone, {**phone, "account": "AC" + "2" * 32, "token": "another"}]
        await route.fulfill(response=answer, body=json.dumps(said))

    async def stand_in(route: Route, _request: Request) -> None:
        await route.fulfill(content_type="text/javascript", body=STAND_IN)

    await ann.page.route("**/api/v1/phone", two)
    await ann.page.route("**/vendor/voice-sdk.js", stand_in)
    await ann.arrive()
    await expect(ann.page.locator(".phone-status")).to_have_text("Phone ready")
    await asked(ann.page, 2)
    tokens = await ann.page.evaluate("devices.map((one) => one.token)")
    assert len(tokens) == 2
    assert "another" in tokens
