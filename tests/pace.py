"""Limits of time that fit the machine they are tried on: "linear, not quadratic" holds anywhere, seconds do not."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

_STEPS = 200_000
_STEPS_S = 0.012
"""What so many additions take on a machine of pace 1."""


def pace() -> float:
    """Return how many times slower than a machine of pace 1 this one is just now, at least 1."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        total = 0
        for number in range(_STEPS):
            total += number
        taken.append(time.process_time() - began)
    return max(1.0, median(taken) / _STEPS_S)


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.process_time) -> Iterator[None]:
    """Fail where the block takes longer than this on a machine of pace 1, by default in CPU time."""
    began = clock()
    yield
    taken = clock() - began
    # The machine is looked at only where it matters.
    assert taken < seconds or taken < seconds * pace(), f"took {taken:.2f} s, at pace {pace():.1f}"
