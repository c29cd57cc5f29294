"""What is due when: timers that are set in great numbers and seldom mean anything when they are due.

Most are set a fixed time ahead of a moving now, so those of one length are in order already and cost nothing but
a place at the end of their lane; the rest go into a heap. Timers are never taken back: whoever they were for says,
when they are due, whether they still mean something.
"""

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from heapq import heapify, heappop, heappush


class Due(IntEnum):
    """What a timer is for; at the same millisecond smaller ones first."""

    QUEUE_EDGE = 0
    QUEUE_REVIEW = 1
    AGENT = 2
    OFFER = 3
    ITEM = 4


Timer = tuple[int, Due, str, str]
"""(due in ms, what for, whose, and for an offer: to whom)."""

_NEVER = 1 << 62


class Timers:
    """All timers. `next_ms` is when the earliest is due, meaningful or not."""

    __slots__ = ("_heap", "_is_live", "_lanes", "_size", "_sweep_at", "next_ms")

    def __init__(self, is_live: Callable[[Timer], bool]) -> None:
        self._is_live = is_live
        self._lanes: dict[int, deque[Timer]] = {}
        self._heap: list[Timer] = []
        self._size = 0
        self._sweep_at = 4_000
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
            heappush(self._heap, timer)
        if due_ms < self.next_ms:
            self.next_ms = due_ms
        self._size += 1
        if self._size > self._sweep_at:
            self._sweep()

    def pop(self) -> list[Timer]:
        """Take out all timers due at `next_ms` and return, in order and each once, those that mean something.

        What means nothing now will not later: nothing is ever set for the present millisecond again.
        """
        due_ms = self.next_ms
        found = []
        next_ms = _NEVER
        is_live = self._is_live
        for lane in self._lanes.values():
            while lane:
                timer = lane[0]
                if timer[0] > due_ms:
                    if timer[0] < next_ms:
                        next_ms = timer[0]
                    break
                lane.popleft()
                self._size -= 1
                if is_live(timer):
                    found.append(timer)
        while self._heap and self._heap[0][0] <= due_ms:
            self._size -= 1
            timer = heappop(self._heap)
            if is_live(timer):
                found.append(timer)
        if self._heap and self._heap[0][0] < next_ms:
            next_ms = self._heap[0][0]
        self.next_ms = next_ms
        if len(found) > 1:
            found = sorted(dict.fromkeys(found))
        return found

    def next_live_ms(self) -> int | None:
        """Return when the earliest that still means something is due, dropping those before it that do not."""
        next_ms = _NEVER
        for lane in self._lanes.values():
            while lane and not self._is_live(lane[0]):
                lane.popleft()
                self._size -= 1
            if lane and lane[0][0] < next_ms:
                next_ms = lane[0][0]
        while self._heap and not self._is_live(self._heap[0]):
            heappop(self._heap)
            self._size -= 1
        if self._heap and self._heap[0][0] < next_ms:
            next_ms = self._heap[0][0]
        self.next_ms = next_ms
        return None if next_ms == _NEVER else next_ms

    def _sweep(self) -> None:
        """Drop what means nothing any more, so that far-off timers do not pile up."""
        for number, lane in self._lanes.items():
            self._lanes[number] = deque(timer for timer in lane if self._is_live(timer))
        self._heap = [timer for timer in self._heap if self._is_live(timer)]
        heapify(self._heap)
        self._size = len(self._heap) + sum(len(lane) for lane in self._lanes.values())
        self._sweep_at = 2 * self._size + 4_000
