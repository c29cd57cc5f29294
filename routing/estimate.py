"""Estimated wait, in seconds' accuracy: from what is ahead, how fast it is handled, and who gives up.

With `ahead` interactions in front, able agents finishing r a second altogether and each waiting customer giving up at
rate p, the line moves at r + p x (those still ahead), so the wait is the sum of 1 / (r + p j) for j = 0..ahead, which
is close to ln((r + p (ahead + 1/2)) / (r - p/2)) / p. Without the second term the estimate is far too long in a burst.
"""

from dataclasses import dataclass, field
from math import log

_MEMORY = 50.0
"""Observations after which a new one weighs a fiftieth: half a busy hour of one queue."""

_FADE = 1.0 - 1.0 / (4 * _MEMORY)

_DEFAULT_HANDLING_MS = 240_000.0
"""Taken until something has been handled."""

_SUMMED_UP_TO = 64


@dataclass(slots=True)
class _Recent:
    """A mean that forgets."""

    mean: float = 0.0
    weight: float = 0.0


@dataclass(slots=True)
class Patience:
    """Customers' rate of giving up: those who gave up over the time all of them waited, both fading alike."""

    gave_up: float = 0.0
    waited_ms: float = 0.0

    def ended(self, waited_ms: int, *, gave_up: bool) -> None:
        """Take note of a wait that ended, by an answer or because the customer gave up."""
        self.gave_up = self.gave_up * _FADE + gave_up
        self.waited_ms = self.waited_ms * _FADE + waited_ms

    def rate(self) -> float:
        """Return how often a waiting customer gives up, per ms."""
        return self.gave_up / self.waited_ms if self.waited_ms > 0 else 0.0


@dataclass(slots=True)
class Learned:
    """Handling times and patience as observed lately, by queue."""

    _handling: dict[str, _Recent] = field(default_factory=dict)
    _patience: dict[str, Patience] = field(default_factory=dict)

    def handled(self, queue_id: str, handling_ms: int) -> None:
        """Take note of work finished, wrap-up included."""
        recent = self._handling.get(queue_id)
        if recent is None:
            recent = self._handling[queue_id] = _Recent()
        if recent.weight < _MEMORY:
            recent.weight += 1.0
        recent.mean += (handling_ms - recent.mean) / recent.weight

    def patience(self, queue_id: str) -> Patience:
        """Return what is known of the patience of the queue's customers; it goes on learning."""
        return self._patience.setdefault(queue_id, Patience())

    def handling_ms(self, queue_id: str) -> float:
        """Return the mean handling time to expect in the queue."""
        recent = self._handling.get(queue_id)
        if recent is not None:
            return recent.mean
        known = self._handling.values()
        return sum(each.mean for each in known) / len(known) if known else _DEFAULT_HANDLING_MS

    def give_up_rate(self, queue_id: str) -> float:
        """Return how often a waiting customer of the queue gives up, per ms."""
        patience = self._patience.get(queue_id)
        return 0.0 if patience is None else patience.rate()


def wait_ms(ahead: float, served_per_ms: float, give_up_per_ms: float) -> float:
    """Return the expected time until those ahead and then this one have been taken.

    `ahead` may be a fraction (work shared with other agents). Both rates are per ms.

    Raises:
        ValueError: nobody serves.
    """
    if served_per_ms <= 0:
        raise ValueError("nobody serves")
    if give_up_per_ms * (ahead + 1) < 1e-6 * served_per_ms:
        return (ahead + 1) / served_per_ms
    whole = int(ahead)
    if whole <= _SUMMED_UP_TO:
        rest = ahead - whole
        steps = sum(1 / (served_per_ms + give_up_per_ms * (place + rest)) for place in range(whole + 1))
        return steps + rest / served_per_ms
    low = served_per_ms - give_up_per_ms / 2
    if low <= 0:
        low = served_per_ms
    return log((served_per_ms + give_up_per_ms * (ahead + 0.5)) / low) / give_up_per_ms
