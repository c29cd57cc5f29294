"""What was noted last, up to a number: a plain dictionary would look ever longer for its oldest key."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """A dictionary of the `limit` keys noted last, oldest first; noting and forgetting cost the same at any size."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def note(self, key: K, value: V) -> V | None:
        """Put a key behind all others; return the value of the oldest one if that had to go."""
        self[key] = value
        self.move_to_end(key)
        return self.popitem(last=False)[1] if len(self) > self._limit else None
