"""The brake on guessing: who has failed often lately is answered more slowly, and is never locked out."""

from collections import OrderedDict, deque

from hub.clock import Clock
from hub.domain.errors import RateLimited

_KEPT = 20_000
_LONGEST_S = 60.0
_REMEMBERED = 12


class Brake:
    """Counts tries of one kind of key in a sliding window; memory is bounded whatever is tried.

    The first `free` tries in `window_s` cost nothing; each further one must wait twice as long as the one before, up to
    a minute. Waiting tries do not count, so hammering makes nothing worse for the account's owner.
    """

    def __init__(self, clock: Clock, *, free: int, window_s: float) -> None:
        self._clock = clock
        self._free = free
        self._window_ms = round(window_s * 1000)
        self._tries: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return how long this key still has to wait, 0 when it may try."""
        now = self._clock.monotonic_ms()
        tries = self._lately(key, now)
        over = len(tries) - self._free
        if over < 0:
            return 0.0
        delay_ms = round(min(2.0**over, _LONGEST_S) * 1000)
        return max(tries[-1] + delay_ms - now, 0) / 1000

    def check(self, key: str) -> None:
        """Return if the key may try now.

        Raises:
            RateLimited: it has to wait first.
        """
        wait_s = self.wait_s(key)
        if wait_s > 0:
            raise RateLimited(wait_s)

    def count(self, key: str) -> None:
        """Note a try; take it back with `forgive` when it turns out well."""
        now = self._clock.monotonic_ms()
        tries = self._lately(key, now)
        tries.append(now)
        self._tries[key] = tries
        self._tries.move_to_end(key)
        while len(self._tries) > _KEPT:
            self._tries.popitem(last=False)

    def forgive(self, key: str, *, all_tries: bool = False) -> None:
        """Take the last try back, or all of them."""
        tries = self._tries.get(key)
        if tries and not all_tries:
            tries.pop()
        if all_tries or not tries:
            self._tries.pop(key, None)

    def _lately(self, key: str, now: int) -> deque[int]:
        tries = self._tries.get(key)
        if tries is None:
            return deque(maxlen=self._free + _REMEMBERED)
        while tries and tries[0] <= now - self._window_ms:
            tries.popleft()
        return tries
