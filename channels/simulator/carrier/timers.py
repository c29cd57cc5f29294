"""All that the exchange waits for, in one heap behind one timer of the clock."""

import asyncio
import heapq
from collections.abc import Callable

from hub.clock import Clock, Instant, Timer


class Alarm:
    """A call that has been arranged. Called off, it stays in the heap until its time and does nothing."""

    __slots__ = ("_timers", "at", "callback")

    def __init__(self, timers: "Timers", at: Instant, callback: Callable[[], object]) -> None:
        self._timers = timers
        self.at = at
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Call it off; nothing happens when it was made or called off already."""
        if self.callback is not None:
            self.callback = None
            self._timers.gone()


class Timers:
    """One heap of alarms. Equal instants fire in order of arranging."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[Instant, int, Alarm]] = []
        self._arranged = 0
        self._armed: Timer | None = None
        self._armed_at: Instant = 0
        self._cancelled = 0

    @property
    def pending(self) -> int:
        """How many alarms are still to come."""
        return len(self._heap) - self._cancelled

    def at(self, at: Instant, callback: Callable[[], object]) -> Alarm:
        """Arrange a call at an instant; one that has passed is called in the loop's next turn."""
        alarm = Alarm(self, at, callback)
        self._arranged += 1
        heapq.heappush(self._heap, (at, self._arranged, alarm))
        if self._armed is None or at < self._armed_at:
            self._arm(at)
        return alarm

    def after(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        """Arrange a call after so many seconds."""
        return self.at(self._clock.now() + round(seconds * 1000), callback)

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self.after(seconds, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            alarm.cancel()

    def close(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._cancelled = 0
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def gone(self) -> None:
        """Count a cancelled alarm; sweep the heap when most of it is cancelled."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _arm(self, at: Instant) -> None:
        if self._armed is not None:
            self._armed.cancel()
        self._armed_at = at
        self._armed = self._clock.call_at(at, self._fire)

    def _fire(self) -> None:
        self._armed = None
        now = self._clock.now()
        try:
            while self._heap and self._heap[0][0] <= now:
                alarm = heapq.heappop(self._heap)[2]
                callback, alarm.callback = alarm.callback, None
                if callback is None:
                    self._cancelled -= 1
                else:
                    callback()
        finally:
            self._drop_cancelled()
            if self._heap:
                self._arm(self._heap[0][0])

    def _drop_cancelled(self) -> None:
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
