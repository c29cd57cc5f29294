"""Everything there is in the exchange at the moment, by name, and how a leg is called into being."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from channels.simulator.carrier.conferences import Conference
from channels.simulator.carrier.legs import UNREPORTED, Endpoint, HungUp, Leg, Route, StatusHook
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.queues import DEFAULT_SIZE, CallQueue
from channels.simulator.carrier.recordings import Order, Recording, Voices
from channels.simulator.carrier.switch import Switch

DIALLING_S: Final = 0.4
"""From the first signal until the telephone rings."""
API_GRACE_S: Final = 5.0
"""What the provider adds to the time-out of calls begun by REST."""
KEPT: Final = 20_000
"""Ended things that stay known. Fewer and lists lose their past during a day; more and a long run grows."""
TIME_LIMIT_S: Final = 14_400.0
Program = Callable[[Leg], Coroutine[Any, Any, None]]
T = TypeVar("T")


class Directory(Protocol):
    """Knows the telephones of the world."""

    def find(self, address: str) -> Endpoint | None:
        """Return the telephone at a number, a client's name or a SIP address; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How a telephone is called."""

    timeout_s: float
    program: Program
    progress: StatusHook = UNREPORTED
    time_limit_s: float = TIME_LIMIT_S
    is_queued: bool = False


class Plant:
    """The exchange's present state. Nothing here waits: every change is complete when its method returns."""

    def __init__(self, switch: Switch, directory: Directory) -> None:
        self.switch = switch
        self.directory = directory
        self.base_url = ""
        self.legs: dict[str, Leg] = {}
        self.conferences: dict[str, Conference] = {}
        self.queues: dict[str, CallQueue] = {}
        self.recordings: dict[str, Recording] = {}
        self.sound_lengths: dict[str, float] = {}
        self._live_rooms: dict[str, Conference] = {}
        self._queues_by_name: dict[str, CallQueue] = {}
        self._next_slot: float = 0.0
        self._queued = 0

    # -- legs

    def new_leg(self, route: Route, endpoint: Endpoint | None, *, is_inbound: bool) -> Leg:
        """Make a leg and remember it."""
        leg = Leg(self.switch, route, endpoint, status="initiated" if is_inbound else "queued")
        keep(self.legs, leg.sid, leg)
        return leg

    def call(self, route: Route, attempt: Attempt) -> Leg:
        """Call a telephone; the leg is returned at once, queued, and lives on by itself.

        Raises:
            RestError: more calls wait for their turn than may.
        """
        wait_s = self._slot() if attempt.is_queued else 0.0
        leg = self.new_leg(route, self.directory.find(route.to), is_inbound=False)
        leg.queue_time_ms = round(wait_s * 1000)
        leg.progress = attempt.progress
        leg.on_answer(limited(attempt))
        if wait_s > 0:
            self._queued += 1
            leg.watch(self._left_queue)
            leg.end_after(wait_s, lambda: self._dequeue(leg, attempt))
        else:
            leg.end_after(0, lambda: self._dial(leg, attempt))
        return leg

    def _slot(self) -> float:
        """Return how long the next call has to wait for its turn, and take that turn."""
        limits = self.switch.account.limits
        if self._queued >= limits.max_queued_calls:
            raise RestError(20429, retry_after_s=1)
        now = self.switch.now() / 1000
        slot = max(self._next_slot, now)
        self._next_slot = slot + 1.0 / limits.calls_per_s
        return slot - now

    def _left_queue(self, _leg: Leg) -> None:
        self._queued -= 1

    def _dequeue(self, leg: Leg, attempt: Attempt) -> None:
        leg.unwatch(self._left_queue)
        self._queued -= 1
        self._dial(leg, attempt)

    def _dial(self, leg: Leg, attempt: Attempt) -> None:
        leg.initiate()
        if leg.endpoint is None:
            is_client = leg.route.to.startswith("client:")
            leg.end_after(
                DIALLING_S, lambda: leg.end("no-answer" if is_client else "failed", 480 if is_client else 404)
            )
            return
        leg.end_after(DIALLING_S, lambda: self._ring(leg, attempt))

    def _ring(self, leg: Leg, attempt: Attempt) -> None:
        grace = API_GRACE_S if leg.route.direction == "outbound-api" else 0.0
        leg.end_after(attempt.timeout_s + grace, lambda: leg.decline("no-answer", 487))
        leg.ring()

    # -- rooms, queues, recordings

    def room(self, name: str) -> Conference:
        """Return the live conference of this name, a new one when there is none."""
        known = self._live_rooms.get(name)
        if known is not None:
            return known
        conference = Conference(self.switch, name)
        conference.on_end.append(self._room_ended)
        self._live_rooms[name] = conference
        keep(self.conferences, conference.sid, conference)
        return conference

    def queue(self, name: str, most: int | None = None) -> CallQueue:
        """Return the queue of this name, a new one when there is none."""
        queue = self._queues_by_name.get(name)
        if queue is None or self.queues.get(queue.sid) is not queue:
            queue = self._queues_by_name[name] = CallQueue(self.switch, name, most or DEFAULT_SIZE)
            keep(self.queues, queue.sid, queue)
        elif most is not None:
            queue.most = most
        return queue

    def rename(self, queue: CallQueue, name: str) -> None:
        """Give a queue another name.

        Raises:
            RestError: another queue has it.
        """
        taken = self.find_queue(name)
        if taken is not None and taken is not queue:
            raise RestError(22003)
        self._queues_by_name.pop(queue.name, None)
        queue.name = name
        self._queues_by_name[name] = queue

    def find_queue(self, name: str) -> CallQueue | None:
        """Return the queue of this name, None when there is none."""
        queue = self._queues_by_name.get(name)
        return queue if queue is not None and queue.sid in self.queues else None

    def record(self, order: Order, voices: Voices) -> Recording:
        """Begin a recording and remember it."""
        recording = Recording(self.switch, order, voices, self.base_url)
        recording.begin()
        keep(self.recordings, recording.sid, recording)
        return recording

    def record_leg(self, leg: Leg, order: Order) -> Recording:
        """Record a leg: the party on the first channel, what the party hears on the second."""

        def voices() -> list[tuple[int, int, int]]:
            other = 1 if order.channels > 1 else 0
            now = self.switch.now()
            heard = [s for s in leg.hearing.sounds if s.kind in {"say", "play", "voice", "tone"}]
            own = [(start, end, 0) for start, end in leg.spoken]
            return own + [(s.at, s.until if s.until is not None else now, other) for s in heard]

        recording = self.record(order, voices)
        leg.recordings.append(recording.sid)
        if order.source == "OutboundAPI":
            leg.at_end.append(recording.params)
        leg.watch(lambda _: recording.finish())
        return recording

    def record_room(self, conference: Conference, order: Order) -> Recording:
        """Record a conference: everybody mixed, no coach."""
        recording = self.record(order, lambda: list(conference.voices))
        conference.recordings.append(recording.sid)
        conference.on_end.append(lambda _: recording.finish())
        return recording

    def remember_sound(self, url: str, seconds: float) -> None:
        """Keep a sound's length, so that music is not fetched again and again."""
        if len(self.sound_lengths) < 1000:
            self.sound_lengths[url] = seconds

    def _room_ended(self, conference: Conference) -> None:
        if self._live_rooms.get(conference.name) is conference:
            del self._live_rooms[conference.name]


def limited(attempt: Attempt) -> Program:
    """Return a call's program with its time limit set at the answer."""

    async def program(leg: Leg) -> None:
        if leg.is_over:
            return  # it was hung up in the turn in which it was answered
        leg.end_after(attempt.time_limit_s, leg.hang_up)
        try:
            await attempt.program(leg)
        except HungUp:
            return

    return program


def keep(known: dict[str, T], sid: str, thing: T) -> None:
    """Remember something; of ended things the oldest are forgotten, in batches."""
    known[sid] = thing
    if len(known) > KEPT + 1000:
        ended = [name for name, one in known.items() if getattr(one, "is_over", True)]
        for name in ended[:1000]:
            del known[name]
