"""Telephones in a browser: a page registers under its name, is rung, answers, talks, and sees what it hears.

One websocket, JSON both ways. The page says

    {"type": "register", "token": JWT}            be reachable under the token's identity; again to renew the token
    {"type": "connect", "params": {..}}           call the token's application with these parameters
    {"type": "call", "from": "+86..", "to": "+1.."}   be a person with a telephone who calls a number (where guests may)
    {"type": "accept"|"reject"|"hangup", "call": SID}
    {"type": "digits", "call": SID, "keys": "12#"}
    {"type": "say", "call": SID, "text": ".."}    speak; what is said is what the others hear
    {"type": "mute", "call": SID, "muted": true}  speak to nobody
    {"type": "test", "id": 1, "text": ".."}       hear oneself, without a call

and is told

    {"type": "registered", "identity", "expires_at"}      {"type": "unregistered"}   {"type": "expiring", "in_s"}
    {"type": "incoming", "call", "from", "to", "params"}  {"type": "ringing", "call"}
    {"type": "open", "call"}                              {"type": "closed", "call", "status"}
    {"type": "heard", "call", "sound": {id, at, until, kind, text, url, language, voice, source}}
    {"type": "tested", "id", "registered", "text"}        what arrived
    {"type": "error", "code", "message", "call"?}

A sound that is cut short is told again under the same id with the `until` that came true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from channels.simulator.carrier.account import Account
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Endpoint, Leg
from channels.simulator.carrier.phones import World
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.requests import party
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.timers import Alarm
from channels.simulator.carrier.tokens import Pass, TokenRefused, read

EXPIRING_S: Final = 10.0
MOST_CALLS: Final = 6
LONGEST_SAID: Final = 500
Send = Callable[[Mapping[str, Any]], None]


class Caller(Protocol):
    """Begins calls on behalf of a softphone."""

    def call_application(self, application_sid: str, identity: str, params: Mapping[str, str], phone: Endpoint) -> Leg:
        """A registered client calls its application."""

    def call_number(self, from_: str, to: str, phone: Endpoint) -> Leg:
        """A person calls one of the account's numbers."""


@dataclass(slots=True)
class _Device:
    """All browsers registered under one identity: each is rung, the first to accept gets the call."""

    phones: list["Softphone"] = field(default_factory=list)

    def offered(self, leg: Leg) -> None:
        """Ring everywhere."""
        for phone in list(self.phones):
            phone.offered(leg)

    def connected(self, leg: Leg) -> None:
        """Tell whoever accepted; the others stop ringing."""
        for phone in list(self.phones):
            phone.connected(leg)

    def heard(self, leg: Leg, sound: Sound) -> None:
        """Tell whoever talks."""
        for phone in list(self.phones):
            phone.heard(leg, sound)

    def ended(self, leg: Leg) -> None:
        """Tell everybody who knew of it."""
        for phone in list(self.phones):
            phone.ended(leg)


class Softphones:
    """Who is registered under which name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._devices: dict[str, _Device] = {}

    def add(self, identity: str, phone: "Softphone") -> None:
        """Make a browser reachable."""
        device = self._devices.setdefault(identity, _Device())
        if phone not in device.phones:
            device.phones.append(phone)
        self._world.install(f"client:{identity}", device)

    def remove(self, identity: str, phone: "Softphone") -> None:
        """Make it unreachable."""
        device = self._devices.get(identity)
        if device is not None and phone in device.phones:
            device.phones.remove(phone)
            if not device.phones:
                del self._devices[identity]
                self._world.remove(f"client:{identity}")

    @property
    def identities(self) -> list[str]:
        """Who can be reached."""
        return sorted(self._devices)


class Softphone:
    """One page's telephone."""

    def __init__(self, switch: Switch, registry: Softphones, caller: Caller, send: Send, *, may_be_guest: bool) -> None:
        self._switch = switch
        self._registry = registry
        self._caller = caller
        self._send = send
        self._may_be_guest = may_be_guest
        self._pass: Pass | None = None
        self._calls: dict[str, Leg] = {}
        self._is_mine: set[str] = set()
        self._muted: set[str] = set()
        self._sounds: dict[int, int] = {}
        self._numbered = 0
        self._alarms: list[Alarm] = []

    # -- what the page says

    def take(self, said: Mapping[str, Any]) -> None:
        """Do what the page says; what it may not say is answered with an error."""
        handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "register": self._register,
            "connect": self._connect,
            "call": self._call,
            "accept": self._accept,
            "reject": self._reject,
            "hangup": self._hang_up,
            "digits": self._digits,
            "say": self._say,
            "mute": self._mute,
            "test": self._test,
        }
        handler = handlers.get(str(said.get("type")))
        if handler is None:
            self._error(31000, "unknown message")
            return
        handler(said)

    def close(self) -> None:
        """The page is gone: what it had taken is hung up, what rings goes on ringing elsewhere."""
        for alarm in self._alarms:
            alarm.cancel()
        if self._pass is not None:
            self._registry.remove(self._pass.identity, self)
        for sid in list(self._is_mine):
            leg = self._calls.get(sid)
            if leg is not None:
                leg.hang_up()

    def _register(self, said: Mapping[str, Any]) -> None:
        account: Account = self._switch.account
        try:
            granted = read(account, str(said.get("token", "")), self._switch.now())
        except TokenRefused as refused:
            self._error(refused.code, refused.text)
            return
        if self._pass is not None and self._pass.identity != granted.identity:
            self._error(20101, "A renewed token names somebody else")
            return
        self._pass = granted
        if granted.can_be_called:
            self._registry.add(granted.identity, self)
        for alarm in self._alarms:
            alarm.cancel()
        timers = self._switch.timers
        warn_at = max(granted.expires_at - round(EXPIRING_S * 1000), self._switch.now())
        self._alarms = [
            timers.at(warn_at, lambda: self._send({"type": "expiring", "in_s": EXPIRING_S})),
            timers.at(granted.expires_at, self._expired),
        ]
        self._send({"type": "registered", "identity": granted.identity, "expires_at": granted.expires_at})

    def _expired(self) -> None:
        if self._pass is not None:
            self._registry.remove(self._pass.identity, self)
            self._pass = None
            self._error(20104, "Access Token expired or expiration date invalid")
            self._send({"type": "unregistered"})

    def _connect(self, said: Mapping[str, Any]) -> None:
        granted = self._pass
        if granted is None or not granted.application_sid:
            self._error(31202 if granted is None else 31002, "Not registered, or not allowed to call")
            return
        params = said.get("params")
        given = {str(name): str(value)[:800] for name, value in params.items()} if isinstance(params, dict) else {}
        self._begin(
            lambda: self._caller.call_application(
                granted.application_sid, granted.identity, {**given, **granted.params}, self
            )
        )

    def _call(self, said: Mapping[str, Any]) -> None:
        if not self._may_be_guest:
            self._error(31002, "Guests may not call here")
            return
        try:
            from_, to = party(str(said.get("from", "")), 21212), party(str(said.get("to", "")), 21211)
        except RestError as error:
            self._error(error.code, error.text)
            return
        self._begin(lambda: self._caller.call_number(from_, to, self))

    def _begin(self, call: Callable[[], Leg]) -> None:
        if len(self._is_mine) >= MOST_CALLS:
            self._error(31486, "Busy")
            return
        try:
            leg = call()
        except RestError as error:
            self._error(error.code, error.text)
            return
        self._calls[leg.sid] = leg
        self._is_mine.add(leg.sid)
        self._send({"type": "ringing", "call": leg.sid})
        if leg.is_over:
            self.ended(leg)

    def _accept(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is None:
            return
        self._is_mine.add(leg.sid)
        if not leg.answer():
            self._is_mine.discard(leg.sid)
            self._error(31404, "The call is gone", leg.sid)

    def _reject(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is not None:
            leg.decline("busy", 603)

    def _hang_up(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is not None and leg.sid in self._is_mine:
            leg.hang_up()

    def _digits(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is not None and leg.sid in self._is_mine:
            leg.press(str(said.get("keys", ""))[:64])

    def _say(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is not None and leg.sid in self._is_mine and leg.sid not in self._muted:
            leg.speak(_words(said))

    def _mute(self, said: Mapping[str, Any]) -> None:
        leg = self._of(said)
        if leg is not None:
            (self._muted.add if said.get("muted") is True else self._muted.discard)(leg.sid)

    def _test(self, said: Mapping[str, Any]) -> None:
        """Tell the page what of it arrives, and whether it can be rung."""
        answer = {"type": "tested", "registered": self._pass is not None, "text": _words(said)}
        self._send({**answer, "id": said.get("id") if isinstance(said.get("id"), int) else 0})

    def _of(self, said: Mapping[str, Any]) -> Leg | None:
        leg = self._calls.get(str(said.get("call")))
        if leg is None:
            self._error(31404, "No such call", str(said.get("call", ""))[:40])
        return leg

    # -- what happens to it

    def offered(self, leg: Leg) -> None:
        """It rings."""
        if len(self._is_mine) >= MOST_CALLS:
            return
        self._calls[leg.sid] = leg
        params = {"CallSid": leg.sid, "From": leg.route.from_, "To": leg.route.to}
        self._send(
            {
                "type": "incoming",
                "call": leg.sid,
                "from": leg.route.from_,
                "to": leg.route.to,
                "params": params,
                "custom": dict(leg.route.custom),
            }
        )

    def connected(self, leg: Leg) -> None:
        """A call is up: ours, or taken in another window."""
        if leg.sid in self._is_mine:
            self._send({"type": "open", "call": leg.sid})
        elif self._calls.pop(leg.sid, None) is not None:
            self._send({"type": "closed", "call": leg.sid, "status": "answered-elsewhere"})

    def heard(self, leg: Leg, sound: Sound) -> None:
        """Something is heard, or ended early."""
        if leg.sid not in self._is_mine:
            return
        number = self._sounds.get(id(sound))
        if number is None or sound.until is None or sound.until > self._switch.now():
            self._numbered += 1
            number = self._sounds[id(sound)] = self._numbered
            if len(self._sounds) > 500:
                self._sounds = {id(sound): number}
        self._send({"type": "heard", "call": leg.sid, "sound": {"id": number, **shown(sound)}})

    def ended(self, leg: Leg) -> None:
        """A call is over."""
        if self._calls.pop(leg.sid, None) is not None:
            self._is_mine.discard(leg.sid)
            self._muted.discard(leg.sid)
            self._send({"type": "closed", "call": leg.sid, "status": leg.status})

    def _error(self, code: int, message: str, call: str = "") -> None:
        self._send({"type": "error", "code": code, "message": message, **({"call": call} if call else {})})


def _words(said: Mapping[str, Any]) -> str:
    """Return what somebody says, of a length that a person says in one breath."""
    return " ".join(str(said.get("text", ""))[:LONGEST_SAID].split())


def shown(sound: Sound) -> dict[str, Any]:
    """Return a sound as a page is told of it: what is empty is left out."""
    row = {
        "at": sound.at,
        "until": sound.until,
        "kind": sound.kind,
        "text": sound.text,
        "url": sound.url,
        "language": sound.language,
        "voice": sound.voice,
        "source": sound.source,
    }
    return {name: value for name, value in row.items() if value != "" or name == "text"}
