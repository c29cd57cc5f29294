"""Telephones of people made of nothing: how they answer, and what they do then, step by step.

A script is data: `WaitFor("press 1"), Press("1"), Say("my router blinks"), Wait(5), HangUp()`. It is walked by alarms
and by what is heard; no task belongs to it. When it is through, the party stays until the other side hangs up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Endpoint, Leg
from channels.simulator.carrier.timers import Alarm
from hub.clock import Instant


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Listen until some words have been spoken; without them within so many seconds, hang up."""

    words: str
    within_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Meet:
    """Wait until somebody can be heard (this one, by label or number, when named); in vain: hang up."""

    who: str = ""
    within_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, a quarter of a second each."""

    keys: str


@dataclass(frozen=True, slots=True)
class Say:
    """Say something; the next step comes when it has been said."""

    text: str
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the receiver down."""


Step = WaitFor | Meet | Press | Say | Wait | HangUp
KEY_S: Final = 0.25
REACTION_S: Final = 0.5
"""From picking up to the first word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a telephone is answered. `outcome` other than `answers` ends the call after `after_s` without talk."""

    outcome: Literal["answers", "busy", "no-answer", "rejects", "fails"] = "answers"
    after_s: float = 2.0
    nature: Literal["human", "machine", "fax", "unknown"] = "human"
    greeting: str = ""
    """What is said on answering: a machine's announcement, a person's hello."""


class Phone:
    """A telephone with manners and a script; any number of calls may reach it, one after another or at once."""

    def __init__(self, manners: Manners = Manners(), script: Sequence[Step] = (), *, is_single: bool = False) -> None:
        self.manners = manners
        self.script = tuple(script)
        self.is_single = is_single
        """Busy while it is in a call; otherwise calls do not know of one another."""
        self.parties: dict[str, Party] = {}
        """Who talks now, by the leg's sid."""
        self.last: Party | None = None
        """Who took the last call, over or not."""

    @property
    def nature(self) -> str:
        """What answers: human, machine, fax or unknown."""
        return self.manners.nature

    @property
    def greeting_s(self) -> float:
        """How long the greeting takes, in seconds."""
        return Sound(at=0, kind="voice", text=self.manners.greeting).length_s

    def offered(self, leg: Leg) -> None:
        """It rings."""
        is_busy = self.is_single and bool(self.parties)
        outcome = "busy" if is_busy else self.manners.outcome
        after_s = 0.0 if is_busy else self.manners.after_s
        if outcome == "answers":
            leg.end_after(after_s, leg.answer)
        elif outcome == "busy":
            leg.end_after(after_s, lambda: leg.decline("busy", 486))
        elif outcome == "rejects":
            leg.end_after(after_s, lambda: leg.decline("busy", 603))
        elif outcome == "fails":
            leg.end_after(after_s, lambda: leg.decline("failed", 503))

    def connected(self, leg: Leg) -> None:
        """The call is up: the script begins."""
        self.last = self.parties[leg.sid] = Party(leg, self.script, self.manners.greeting)
        self.last.begin()

    def heard(self, leg: Leg, sound: Sound) -> None:
        """Something is heard."""
        party = self.parties.get(leg.sid)
        if party is not None:
            party.hear(sound)

    def ended(self, leg: Leg) -> None:
        """The call is over."""
        party = self.parties.pop(leg.sid, None)
        if party is not None:
            party.over()


@dataclass(slots=True)
class Party:
    """Somebody in one call, walking through a script."""

    leg: Leg
    script: Sequence[Step]
    greeting: str = ""
    at: int = 0
    """How many steps are done."""
    is_through: bool = False
    in_vain: Step | None = None
    """The step that was waited for in vain."""
    _since: Instant = 0
    _alarms: list[Alarm] = field(default_factory=list)
    _wanted: WaitFor | Meet | None = None

    def begin(self) -> None:
        """Greet, then take the first step."""
        self._since = self.leg.switch.now()
        if self.greeting:
            self._later(self._since + round(REACTION_S * 1000), self._greet)
        else:
            self._next()

    def hear(self, sound: Sound) -> None:
        """Look whether this is what is waited for."""
        if isinstance(self._wanted, WaitFor):
            self._listen_for(self._wanted, sound)
        elif isinstance(self._wanted, Meet) and sound.kind == "mix":
            self._look_for(self._wanted)

    def over(self) -> None:
        """The call is over; nothing more is done."""
        self._forget()
        self.is_through = True

    def _greet(self) -> None:
        self._later(self.leg.speak(self.greeting), self._next)

    def _next(self) -> None:
        """Take the next step."""
        self._forget()
        if self.leg.is_over or self.at >= len(self.script):
            self.is_through = True
            return
        step = self.script[self.at]
        self.at += 1
        now = self.leg.switch.now()
        match step:
            case WaitFor():
                self._wanted = step
                self._later(now + round(step.within_s * 1000), lambda: self._give_up(step))
                for sound in list(self.leg.hearing.sounds):
                    self._listen_for(step, sound)
            case Meet():
                self._wanted = step
                self._later(now + round(step.within_s * 1000), lambda: self._give_up(step))
                self._look_for(step)
            case Press():
                self._press(step.keys)
            case Say():
                self._later(self.leg.speak(step.text, step.confidence), self._next)
            case Wait():
                self._later(now + round(step.seconds * 1000), self._next)
            case HangUp():
                self.leg.hang_up()

    def _press(self, keys: str) -> None:
        """Press one key, and the others after it."""
        if not keys:
            self._next()
            return
        self.leg.press(keys[0])
        self._later(self.leg.switch.now() + round(KEY_S * 1000), lambda: self._press(keys[1:]))

    def _listen_for(self, step: WaitFor, sound: Sound) -> None:
        at = sound.heard_at(step.words)
        if at is None or at <= self._since:
            return

        def check() -> None:
            was_heard = sound.until is None or sound.until >= at
            if self._wanted is step and was_heard:
                self._since = at
                self._next()

        if at <= self.leg.switch.now():
            self._later(self.leg.switch.now(), check)
        else:
            self._later(at, check)

    def _look_for(self, step: Meet) -> None:
        mix = self.leg.hearing.mix
        if mix and step.who in mix:
            self._later(self.leg.switch.now(), lambda: self._next() if self._wanted is step else None)

    def _give_up(self, step: Step) -> None:
        if self._wanted is step:
            self.in_vain = step
            self.leg.hang_up()

    def _later(self, at: Instant, do: Callable[[], object]) -> None:
        self._alarms.append(self.leg.switch.timers.at(at, do))

    def _forget(self) -> None:
        self._wanted = None
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()


class World:
    """The telephones of the world, by number, client name or SIP address.

    `default` answers numbers nobody has; None: they are not in service.
    """

    def __init__(self, default: Phone | None = None) -> None:
        self.default = default
        self._phones: dict[str, Endpoint] = {}

    def install(self, address: str, phone: Endpoint) -> None:
        """Put a telephone at an address."""
        self._phones[address] = phone

    def find(self, address: str) -> Endpoint | None:
        """Return the telephone at an address; clients and SIP addresses that nobody has are never the default one."""
        found = self._phones.get(address)
        is_number = not address.startswith(("client:", "sip:"))
        return found if found is not None else self.default if is_number else None

    def remove(self, address: str) -> None:
        """Take a telephone away."""
        self._phones.pop(address, None)
