"""Queues of calls: who waits, since when, and how each is taken out."""

from dataclasses import dataclass, field
from typing import Final

from channels.simulator.carrier.legs import Interrupt, Leg, Source
from channels.simulator.carrier.switch import Switch
from hub.clock import Instant

DEFAULT_SIZE: Final = 1000
LARGEST: Final = 5000


class Dequeued(Interrupt):
    """The leg was taken out of its queue: to talk to `to`, or to obey other instructions."""

    def __init__(self, *, to: Leg | None = None, source: Source | None = None) -> None:
        super().__init__()
        self.to = to
        self.source = source


@dataclass(slots=True)
class Member:
    """A waiting leg."""

    leg: Leg
    joined_at: Instant


@dataclass(slots=True)
class CallQueue:
    """A queue with a name, first come first served."""

    switch: Switch
    name: str
    most: int = DEFAULT_SIZE
    sid: str = ""
    created_at: Instant = 0
    updated_at: Instant = 0
    members: dict[str, Member] = field(default_factory=dict)
    waiting_for: list[Leg] = field(default_factory=list)
    """Legs that dialled this queue while nobody waited, in order."""

    def __post_init__(self) -> None:
        """Name it."""
        self.sid = self.switch.sids.new("QU")
        self.created_at = self.updated_at = self.switch.now()

    @property
    def is_full(self) -> bool:
        """Whether nobody else may come in."""
        return len(self.members) >= self.most

    def join(self, leg: Leg) -> Member:
        """Let a leg wait at the end."""
        member = Member(leg, self.switch.now())
        self.members[leg.sid] = member
        leg.watch(self._lost)
        return member

    def leave(self, leg: Leg) -> None:
        """Take a leg out; a second time changes nothing."""
        if self.members.pop(leg.sid, None) is not None:
            leg.unwatch(self._lost)

    def front(self) -> Member | None:
        """Return who has waited longest."""
        return next(iter(self.members.values()), None)

    def position(self, leg: Leg) -> int:
        """Return a leg's place from 1; 0 when it does not wait here."""
        return next((n for n, sid in enumerate(self.members, 1) if sid == leg.sid), 0)

    def wait_s(self, member: Member) -> int:
        """Return how long a member has waited."""
        return (self.switch.now() - member.joined_at) // 1000

    @property
    def average_s(self) -> int:
        """How long those who wait now have waited, on average."""
        waits = [self.wait_s(member) for member in self.members.values()]
        return sum(waits) // len(waits) if waits else 0

    def params(self, member: Member) -> list[tuple[str, object]]:
        """Return the parameters of a request for wait music."""
        return [
            ("QueueSid", self.sid),
            ("QueuePosition", self.position(member.leg)),
            ("QueueTime", self.wait_s(member)),
            ("AvgQueueTime", self.average_s),
            ("CurrentQueueSize", len(self.members)),
            ("MaxQueueSize", self.most),
        ]

    def _lost(self, leg: Leg) -> None:
        self.members.pop(leg.sid, None)
