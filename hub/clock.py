"""What time it is, and waiting for it: one seam, so that tests own the clock and never sleep.

An instant is a whole number of milliseconds since 1970-01-01 UTC, in code, in the database and on the wire.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

Instant = int

MAX_NAP_S = 30.0
"""The longest single sleep towards a wall-clock instant: after a machine's sleep or a clock's correction the rest is
reckoned again at most this late. Shorter wakes idle hubs for nothing."""

FAKE_START: Instant = 1_767_225_600_000
"""Where a fake clock starts: 2026-01-01T00:00:00Z, a Thursday."""

SETTLE_ROUNDS = 40
"""Turns of the event loop given to woken tasks before a fake clock goes on. Too few and the chain of awaits behind one
timer is cut in two; more only cost microseconds."""


class Timer(Protocol):
    """A call that has been arranged and can be called off."""

    def cancel(self) -> None:
        """Call it off; nothing happens when it was made or called off already."""


class Clock(Protocol):
    """The time, and everything that waits for it. Subclass it: the waiting is built from `call_at`."""

    def now(self) -> Instant:
        """Return the present instant: milliseconds since 1970 UTC. Corrections can move it either way."""
        ...

    def monotonic_ms(self) -> int:
        """Return milliseconds on a clock that never goes back; only differences mean something."""
        ...

    def call_at(self, at: Instant, callback: Callable[[], object]) -> Timer:
        """Arrange for `callback` to be called from the event loop at `at`, or in its next turn when that has passed."""
        ...

    async def sleep_until(self, at: Instant) -> None:
        """Return when `at` has come."""
        await self.wait_until(asyncio.Event(), at)

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await self.sleep_until(self.now() + round(seconds * 1000))

    async def wait_until(self, event: asyncio.Event, at: Instant | None) -> bool:
        """Wait for the event, at most until `at`; None waits for ever. True when the event came first."""
        if event.is_set():
            return True
        if at is None:
            return await event.wait()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        timer = self.call_at(at, lambda: None if done.done() else done.set_result(None))
        waiter = loop.create_task(event.wait())
        waiter.add_done_callback(lambda _: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()
            if not waiter.done():
                waiter.cancel()
                await asyncio.wait((waiter,))
        return event.is_set()


class _SystemTimer:
    """A timer of the event loop that naps towards a wall-clock instant."""

    def __init__(self, clock: "SystemClock", at: Instant, callback: Callable[[], object]) -> None:
        self._clock = clock
        self._at = at
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle = self._loop.call_soon(self._nap)

    def _nap(self) -> None:
        rest_s = (self._at - self._clock.now()) / 1000
        if rest_s <= 0:
            self._callback()
        else:
            self._handle = self._loop.call_later(min(rest_s, MAX_NAP_S), self._nap)

    def cancel(self) -> None:
        """Call it off."""
        self._handle.cancel()


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> Instant:
        """Return the machine's time in milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Return the machine's monotonic time in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def call_at(self, at: Instant, callback: Callable[[], object]) -> Timer:
        """Arrange a call through the running event loop."""
        return _SystemTimer(self, at, callback)


class _FakeTimer:
    """A call arranged with a fake clock."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Call it off."""
        self.callback = None


class FakeClock(Clock):
    """A clock that stands still until it is advanced; for tests, simulation and replays.

    `settle` is awaited after every timer and at the end of each advance, beside the turns of the event loop that woken
    tasks get: give it a coroutine function that returns when a worker thread has nothing left to do.
    """

    def __init__(self, at: Instant = FAKE_START, *, settle: Callable[[], Awaitable[object]] | None = None) -> None:
        self._now = at
        self._start = at
        self._timers: list[tuple[Instant, int, _FakeTimer]] = []
        self._arranged = 0
        self.settle = settle

    def now(self) -> Instant:
        """Return the instant the clock was advanced to."""
        return self._now

    def monotonic_ms(self) -> int:
        """Return the milliseconds this clock has been advanced in all."""
        return self._now - self._start

    def call_at(self, at: Instant, callback: Callable[[], object]) -> Timer:
        """Arrange a call: due ones are made in order of their instants, equal instants in order of arranging."""
        timer = _FakeTimer(callback)
        self._arranged += 1
        heapq.heappush(self._timers, (at, self._arranged, timer))
        if at <= self._now:
            asyncio.get_running_loop().call_soon(self._fire_due)
        return timer

    async def advance(self, *, seconds: float = 0, ms: int = 0) -> None:
        """Move the clock; every timer due on the way fires at its own instant, and what it woke runs before the next.

        A timer arranged on the way fires too, when it falls within the way.
        """
        await self.advance_to(self._now + round(seconds * 1000) + ms)

    async def advance_to(self, at: Instant) -> None:
        """Move the clock to `at`, as `advance` does.

        Raises:
            ValueError: `at` lies in the past of this clock.
        """
        if at < self._now:
            raise ValueError("A fake clock does not go back.")
        await self.settled()
        while self._timers and self._timers[0][0] <= at:
            due, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, due)
            if timer.callback is not None:
                timer.callback()
                await self.settled()
        self._now = at
        await self.settled()

    async def settled(self) -> None:
        """Return when the tasks that can run have run, as far as turns of the event loop and `settle` can tell."""
        for _ in range(SETTLE_ROUNDS):
            await asyncio.sleep(0)
        if self.settle is not None:
            await self.settle()
            for _ in range(SETTLE_ROUNDS):
                await asyncio.sleep(0)

    def next_due(self) -> Instant | None:
        """Return the instant of the next timer, or None."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _fire_due(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()


def instant(moment: datetime) -> Instant:
    """Return the instant of a date and time that carries its zone.

    Raises:
        ValueError: it carries none; a naive time means a different instant on every machine.
    """
    if moment.tzinfo is None:
        raise ValueError("A date and time without a zone is no instant.")
    return round(moment.timestamp() * 1000)


def utc(at: Instant) -> datetime:
    """Return the instant as date and time in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC)


def iso(at: Instant) -> str:
    """Return the instant as `2026-01-01T00:00:00.000Z`."""
    return utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
