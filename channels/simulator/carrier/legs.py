"""A leg: one connection between the exchange and one telephone, what the REST interface calls a Call.

Its status only ever moves forward, and it ends exactly once; whoever ends it, everything that hangs on it is told in
the same turn. What a leg is doing is a coroutine (its task) that waits in `next`; others reach it by `post` (something
was pressed, said, answered) and by `interrupt` (it was hung up, redirected, moved).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, Final, Literal, Protocol

from channels.simulator.carrier.account import API_VERSION, NOWHERE, Hook
from channels.simulator.carrier.hearing import Hearing, Sound, speech_s
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.timers import Alarm
from channels.simulator.carrier.webhooks import Answer, Pairs, flattened
from hub.clock import Instant, utc

Status = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
Direction = Literal["inbound", "outbound-api", "outbound-dial"]
RANK: Final[dict[Status, int]] = {
    "queued": 0,
    "initiated": 1,
    "ringing": 2,
    "in-progress": 3,
    "completed": 4,
    "busy": 4,
    "failed": 4,
    "no-answer": 4,
    "canceled": 4,
}
TERMINAL: Final = frozenset(status for status, rank in RANK.items() if rank == 4)
EVENT_OF: Final[dict[Status, str]] = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
SIP_CODE: Final[dict[Status, int]] = {"completed": 200, "busy": 486, "failed": 404, "no-answer": 487, "canceled": 487}


class Interrupt(BaseException):
    """Something took a leg away from what it was doing. No `Exception`: no handler may swallow it by accident."""


class HungUp(Interrupt):
    """The leg has ended."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a leg's next document comes from: an address to ask, or the document itself."""

    hook: Hook = NOWHERE
    params: tuple[tuple[str, object], ...] = ()
    twiml: str = ""
    kind: str = "action"


class Redirected(Interrupt):
    """The leg was given other instructions."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.source = source


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key was pressed."""

    key: str


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The party began to speak."""

    text: str
    until: Instant


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The party stopped speaking."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer to what the leg asked for."""

    ticket: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class StatusHook:
    """Where a leg's progress is reported, and which events."""

    hook: Hook = NOWHERE
    events: frozenset[str] = frozenset({"completed"})


UNREPORTED: Final = StatusHook()
"""Nobody wants to know."""


class Endpoint(Protocol):
    """The telephone at the other end of a leg."""

    def offered(self, leg: "Leg") -> None:
        """It rings. Answer with `leg.answer()`, `leg.decline(..)`, or not at all."""

    def connected(self, leg: "Leg") -> None:
        """The leg is up."""

    def ended(self, leg: "Leg") -> None:
        """The leg is over."""

    def heard(self, leg: "Leg", sound: Sound) -> None:
        """A sound began, or one was cut short."""


class Place(Protocol):
    """Where a leg is connected: a bridge or a conference."""

    def audience(self, leg: "Leg") -> Sequence["Leg"]:
        """Return who hears this leg speak."""

    def voiced(self, leg: "Leg", start: Instant, end: Instant) -> None:
        """This leg speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who calls whom, and on whose behalf."""

    to: str
    from_: str
    direction: Direction
    parent: str = ""
    number_sid: str = ""
    application_sid: str = ""
    custom: tuple[tuple[str, str], ...] = ()

    @property
    def party(self) -> str:
        """Who is at the telephone."""
        return self.from_ if self.direction == "inbound" else self.to


class Leg:
    """One connection to one telephone."""

    def __init__(self, switch: Switch, route: Route, endpoint: Endpoint | None, *, status: Status) -> None:
        self.switch = switch
        self.route = route
        self.endpoint = endpoint
        self.sid = switch.sids.new("CA")
        self.status: Status = status
        self.created_at = self.updated_at = switch.now()
        self.started_at: Instant | None = None
        self.ended_at: Instant | None = None
        self.queue_time_ms = 0
        self.answered_by = ""
        self.progress = StatusHook()
        self.fallback = Hook("")
        self.cookies: dict[str, str] = {}
        self.hearing = Hearing(switch.now)
        self.hearing.listen = self._heard
        self.place: Place | None = None
        self.recordings: list[str] = []
        self.when_up: list[Callable[[], object]] = []
        self.extra: list[tuple[str, object]] = []
        self.at_end: list[Callable[[], Sequence[tuple[str, object]]]] = []
        self.spoken: deque[tuple[Instant, Instant]] = deque(maxlen=500)
        self._sequence = 0
        self._tickets = 0
        self._inbox: deque[object] = deque()
        self._interrupts: deque[Interrupt] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._watchers: list[Callable[[Leg], None]] = []
        self._alarms: list[Alarm] = []
        self._program: Callable[[Leg], Coroutine[Any, Any, None]] | None = None

    # -- what it is

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in TERMINAL

    @property
    def is_up(self) -> bool:
        """Whether the two ends can talk."""
        return self.status == "in-progress"

    @property
    def duration_s(self) -> int | None:
        """How long it was up, in whole seconds begun; None until it has ended."""
        if self.ended_at is None:
            return None
        return 0 if self.started_at is None else -(-(self.ended_at - self.started_at) // 1000)

    def params(self) -> list[tuple[str, object]]:
        """Return the parameters that every request about a call carries."""
        route = self.route
        return [
            ("CallSid", self.sid),
            ("AccountSid", self.switch.account.sid),
            ("From", route.from_),
            ("To", route.to),
            ("Caller", route.from_),
            ("Called", route.to),
            ("CallStatus", self.status),
            ("ApiVersion", API_VERSION),
            ("Direction", route.direction),
            ("ParentCallSid", route.parent or None),
            ("ApplicationSid", route.application_sid or None),
            *self.extra,
        ]

    def note(self, code: int, text: str, *, url: str = "", is_error: bool = True) -> None:
        """Write a line about this leg into the debugger."""
        self.switch.note(code, text, sid=self.sid, url=url, is_error=is_error)

    # -- its life

    def watch(self, watcher: Callable[["Leg"], None]) -> None:
        """Be told in the same turn when it ends; at once when it has."""
        if self.is_over:
            watcher(self)
        else:
            self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[["Leg"], None]) -> None:
        """Be told no more."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def on_answer(self, program: Callable[["Leg"], Coroutine[Any, Any, None]]) -> None:
        """Say what the exchange does with the leg once it is up."""
        self._program = program

    def end_after(self, seconds: float, end: Callable[[], object]) -> Alarm:
        """Arrange something that is called off when the leg ends, or has ended."""
        alarm = self.switch.timers.after(seconds, end)
        if self.is_over:
            alarm.cancel()
        else:
            self._alarms.append(alarm)
        return alarm

    def initiate(self) -> None:
        """It is being dialled."""
        self._move("initiated")

    def ring(self) -> None:
        """The telephone rings."""
        self._move("ringing")
        if self.endpoint is not None and self.route.direction != "inbound":
            self.endpoint.offered(self)

    def answer(self) -> bool:
        """The telephone was picked up; False when that came too late."""
        if RANK[self.status] >= RANK["in-progress"]:
            return False
        self.started_at = self.switch.now()
        self._move("in-progress")
        for effect in self.switch.faults.strike("leg").values():
            self.end_after(self.switch.faults.spread(effect), self.hang_up)
        for do in self.when_up:
            do()
        if self.endpoint is not None:
            self.endpoint.connected(self)
        if self._program is not None and not self.is_over:
            self.run(self._program)
        return True

    def run(self, program: Callable[["Leg"], Coroutine[Any, Any, None]]) -> None:
        """Start what the exchange does with the leg."""
        self.switch.spawn(program(self), f"leg {self.sid}")

    def decline(self, status: Status = "busy", sip_code: int = 0) -> bool:
        """The telephone was not picked up; False when that came too late."""
        return RANK[self.status] < RANK["in-progress"] and self.end(status, sip_code)

    def hang_up(self) -> bool:
        """End it from either side: an answered leg completes, one that was not is cancelled."""
        return self.end("completed" if self.is_up else "canceled")

    def end(self, status: Status, sip_code: int = 0) -> bool:
        """End it for good, once; False when it had ended before."""
        if self.is_over:
            return False
        was_queued = self.status == "queued"
        self.ended_at = self.switch.now()
        self.status = status
        self.updated_at = self.ended_at
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
        for sound in self.hearing.at(self.ended_at):
            self.hearing.cut(sound)
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher(self)
        if not was_queued:
            self._report("completed", [("SipResponseCode", sip_code or SIP_CODE[status])])
        if self.endpoint is not None:
            self.endpoint.ended(self)
        self.interrupt(HungUp())
        return True

    # -- what reaches it

    def press(self, keys: str) -> None:
        """The party presses keys, one after another; only while it is up."""
        for key in keys:
            if self.is_up and key in "0123456789*#ABCD":
                self.post(Pressed(key))

    def speak(self, text: str, confidence: float = 0.9) -> Instant:
        """The party says something; returns when it will have been said."""
        now = self.switch.now()
        if not self.is_up or not text:
            return now
        until = now + round(speech_s(text) * 1000)
        self.spoken.append((now, until))
        self.post(SpeechBegan(text, until))
        self.end_after((until - now) / 1000, lambda: self.post(SpeechEnded(text, confidence)))
        if self.place is not None:
            self.place.voiced(self, now, until)
            for other in self.place.audience(self):
                sound = Sound(at=now, until=until, kind="voice", text=text, source=self.route.party)
                other.hearing.begin(sound)
        return until

    def post(self, event: object) -> None:
        """Put something into the leg's way; whoever waits in `next` gets it."""
        self._inbox.append(event)
        if len(self._inbox) > 256:
            self._inbox.popleft()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def interrupt(self, interrupt: Interrupt) -> None:
        """Take the leg away from what it is doing."""
        self._interrupts.append(interrupt)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def forgive(self, *kinds: type[Interrupt]) -> None:
        """Drop interrupts that no longer mean anything."""
        self._interrupts = deque(one for one in self._interrupts if not isinstance(one, kinds))

    def deafen(self) -> None:
        """Forget what was pressed and said so far: nobody was listening."""
        self._inbox = deque(one for one in self._inbox if not isinstance(one, Pressed | SpeechBegan | SpeechEnded))

    # -- for its task

    async def next(self, until: Instant | None = None) -> object | None:
        """Return the next thing that happens, or None when `until` has come.

        Raises:
            Interrupt: the leg is wanted elsewhere, or has ended.
        """
        if not self._interrupts and not self._inbox and (until is None or until > self.switch.now()):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiter = waiter
            alarm = None
            if until is not None:
                alarm = self.switch.timers.at(until, lambda: None if waiter.done() else waiter.set_result(None))
            try:
                await waiter
            finally:
                self._waiter = None
                if alarm is not None:
                    alarm.cancel()
        if self._interrupts:
            raise self._most_urgent()
        return self._inbox.popleft() if self._inbox else None

    async def rest(self, until: Instant | None = None) -> None:
        """Let time pass; keys and words are lost."""
        while await self.next(until) is not None or until is None:
            pass

    async def fetch(self, kind: str, hook: Hook, params: Pairs, *, largest: int = 65_536) -> Answer:
        """Ask the customer for a document or a sound. Keys and words meanwhile are lost."""
        self._tickets += 1
        ticket = self._tickets

        async def ask() -> None:
            answer = await self.switch.webhooks.fetch(kind, hook, params, cookies=self.cookies, largest=largest)
            self.post(Fetched(ticket, answer))

        self.switch.webhooks.spawn(ask())
        while True:
            event = await self.next()
            if isinstance(event, Fetched) and event.ticket == ticket:
                return event.answer

    def _most_urgent(self) -> Interrupt:
        for interrupt in self._interrupts:
            if isinstance(interrupt, HungUp):
                self._interrupts.clear()
                return interrupt
        return self._interrupts.popleft()

    # -- telling

    def _move(self, status: Status) -> None:
        if RANK[status] <= RANK[self.status]:
            raise RuntimeError(f"a leg does not go from {self.status} to {status}")
        self.status = status
        self.updated_at = self.switch.now()
        self._report(EVENT_OF[status], [])

    def _report(self, event: str, more: list[tuple[str, object]]) -> None:
        if not self.progress.hook or event not in self.progress.events:
            return
        params = [*self.params(), *more, *self._final_params(event)]
        params += [
            ("Timestamp", rfc2822(self.switch.now())),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", self._sequence),
        ]
        self._sequence += 1
        self.switch.webhooks.notify(
            "status",
            self.progress.hook,
            flattened(params),
            event=event,
            on_failure=lambda answer: self.switch.note_answer(answer, self.sid),
        )

    def _final_params(self, event: str) -> list[tuple[str, object]]:
        if event != "completed":
            return []
        duration = self.duration_s or 0
        return [
            ("CallDuration", duration),
            ("Duration", -(-duration // 60)),
            ("AnsweredBy", self.answered_by or None),
            *(param for params in self.at_end for param in params()),
        ]

    def _heard(self, sound: Sound) -> None:
        if self.endpoint is not None:
            self.endpoint.heard(self, sound)


def rfc2822(at: Instant) -> str:
    """Return an instant as the provider writes times."""
    return format_datetime(utc(at).replace(microsecond=0))
