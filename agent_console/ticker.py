"""When rows are sent: soon after a change, never too often, and never so that sending takes all the time."""

from collections.abc import Callable

from hub.clock import Clock, Timer

FAST_MS, BOARD_MS, REFRESH_MS = 100, 500, 5_000
SHARE = 20
"""Sending takes at most this part of the time: who is slowed down by much work is slowed down evenly."""


class Ticker:
    """Calls `flush(with_board)` when something is dirty: at most every 100 ms, with the board at most every 500 ms.

    After a quiet time the first call comes at once. `refresh` is called every five seconds while it says that it is
    still wanted.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        dirty: Callable[[], tuple[bool, bool]],
        flush: Callable[[bool], None],
        refresh: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._dirty = dirty
        self._flush = flush
        self._refresh = refresh
        self._timer: Timer | None = None
        self._refresher: Timer | None = None
        self._next_fast = self._next_board = 0

    def wake(self) -> None:
        """Something may be dirty."""
        if self._timer is not None:
            return
        is_fast, is_board = self._dirty()
        if is_fast or is_board:
            wait_ms = (self._next_fast if is_fast else self._next_board) - self._clock.monotonic_ms()
            self._timer = self._clock.call_at(self._clock.now() + max(wait_ms, 0), self._tick)

    def watch(self) -> None:
        """Somebody watches: refresh from now on."""
        if self._refresher is None:
            self._refresher = self._clock.call_at(self._clock.now() + REFRESH_MS, self._refresh_now)

    def close(self) -> None:
        """Call nothing any more."""
        for timer in (self._timer, self._refresher):
            if timer is not None:
                timer.cancel()
        self._timer = self._refresher = None

    def _tick(self) -> None:
        self._timer = None
        began_ms = self._clock.monotonic_ms()
        with_board = began_ms >= self._next_board
        self._flush(with_board)
        done_ms = self._clock.monotonic_ms()
        pause_ms = SHARE * (done_ms - began_ms)
        is_more, _ = self._dirty()
        self._next_fast = done_ms + (pause_ms if is_more else max(FAST_MS, pause_ms))
        if with_board:
            self._next_board = done_ms + max(BOARD_MS, pause_ms)
        self.wake()

    def _refresh_now(self) -> None:
        self._refresher = None
        if self._refresh():
            self.wake()
            self.watch()
