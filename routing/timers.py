"""What is due when: timers that are set in great numbers and seldom mean anything when they are due.

Most are set a fixed time ahead of a moving now, so those of one length are in order already and cost nothing but
a place at the end of their lane; the rest go into a heap. Timers are never taken back: one means something as long
as what it was set for is still due at that instant, and those that mean nothing are dropped many at a time.

Offers have no timers at all: those that last equally long stand in the order they were made and step out when they
end, so that nothing is left of an offer that was answered.
"""

from collections import OrderedDict, deque
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar

from routing.checks import LAST_MS


class Due(IntEnum):
    """What a timer is for; at the same millisecond smaller ones first."""

    QUEUE_EDGE = 0
    QUEUE_REVIEW = 1
    AGENT = 2
    OFFER = 3
    ITEM = 4
    HEAD = 5


class Awaited(Protocol):
    """Something due at an instant, or never."""

    due_ms: int | None


class Alarm:
    """An instant on its own."""

    __slots__ = ("due_ms",)

    def __init__(self) -> None:
        self.due_ms: int | None = None


Timer = tuple[int, Due, str, str, Awaited]
"""(due in ms, what for, whose, and for an offer: to whom, what it was set for)."""


class Proposed(Awaited, Protocol):
    """An offer that lives until an instant."""

    def timer(self) -> Timer:
        """Return what is due then."""
        ...


_NEVER = LAST_MS

_SELDOM = 4_000
"""At least so many timers are set between two sweeps, and as many as meant something at the last."""


OfferT = TypeVar("OfferT", bound=Proposed)


class Timers(Generic[OfferT]):
    """All timers. Nothing is due before `next_ms`; what is due then may mean nothing any more.

    `offers` has, by how long they last in ms, the offers that live, in order: whoever makes one adds it and sets
    `next_ms`, and whoever ends it takes it out.
    """

    __slots__ = ("_count", "_heap", "_lanes", "_until_sweep", "next_ms", "offers")

    def __init__(self) -> None:
        self.offers: dict[int, OrderedDict[OfferT, None]] = {}
        self._lanes: dict[int, deque[Timer]] = {}
        self._heap: list[tuple[int, int, Timer]] = []
        """(due in ms, a number of its own, timer)."""
        self._count = 0
        self._until_sweep = _SELDOM
        self.next_ms = _NEVER

    def add(self, timer: Timer, lane: int) -> None:
        """Set a timer. Those of one lane should come in order; one that does not is kept aside."""
        due_ms = timer[0]
        known = self._lanes.get(lane)
        if known is None:
            known = self._lanes[lane] = deque()
        if not known or due_ms >= known[-1][0]:
            known.append(timer)
        else:
            self._count += 1
            heappush(self._heap, (due_ms, self._count, timer))
        if due_ms < self.next_ms:
            self.next_ms = due_ms
        self._until_sweep = left = self._until_sweep - 1
        if not left:
            self._sweep()

    def pop(self) -> list[Timer]:
        """Take out all timers due at `next_ms` and return, in order and each once, those that mean something.

        What means nothing now will not later: nothing is ever set for the present millisecond again.
        """
        due_ms = self.next_ms
        found = []
        for offers in self.offers.values():
            while offers and (timer := next(iter(offers)).timer())[0] <= due_ms:
                offers.popitem(last=False)
                found.append(timer)
        for lane in self._lanes.values():
            while lane and lane[0][0] <= due_ms:
                found.append(lane.popleft())
        while self._heap and self._heap[0][0] <= due_ms:
            found.append(heappop(self._heap)[2])
        found = [timer for timer in found if timer[4].due_ms == timer[0]]
        if len(found) > 1:
            found = sorted(dict.fromkeys(found), key=_in_order)
        self.next_live_ms()
        return found

    def next_live_ms(self) -> int | None:
        """Return when the earliest that still means something is due, dropping those before it that do not."""
        next_ms = _NEVER
        for offers in self.offers.values():
            for offer in offers:
                due_ms = offer.due_ms
                if due_ms is not None and due_ms < next_ms:
                    next_ms = due_ms
                break
        heap = self._heap
        for lane in self._lanes.values():
            while lane:
                timer = lane[0]
                due_ms = timer[0]
                if timer[4].due_ms == due_ms:
                    if due_ms < next_ms:
                        next_ms = due_ms
                    break
                lane.popleft()
        while heap and heap[0][2][4].due_ms != heap[0][0]:
            heappop(heap)
        if heap and heap[0][0] < next_ms:
            next_ms = heap[0][0]
        self.next_ms = next_ms
        return None if next_ms == _NEVER else next_ms

    def _sweep(self) -> None:
        """Drop what means nothing any more, so that far-off timers do not pile up."""
        for number, lane in self._lanes.items():
            self._lanes[number] = deque(timer for timer in lane if timer[4].due_ms == timer[0])
        self._heap = [entry for entry in self._heap if entry[2][4].due_ms == entry[0]]
        heapify(self._heap)
        self._until_sweep = _SELDOM + len(self._heap) + sum(len(lane) for lane in self._lanes.values())


def _in_order(timer: Timer) -> tuple[int, Due, str, str]:
    return timer[:4]
