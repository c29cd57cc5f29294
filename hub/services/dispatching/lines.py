"""Who waits in one queue, in the order they came, and which of them are in lists."""

from bisect import bisect_left


class Line:
    """Those who wait, by instant and id, the first `window` of whom are listed.

    Whoever comes or goes moves at most one other over the window's edge: its lists must hear of that one too.
    """

    __slots__ = ("_places", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self._places: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(self, at: int, key: str) -> str | None:
        """Put somebody in who is not there; return who is not listed any more for that."""
        places, place = self._places, (at, key)
        where = len(places) if not places or places[-1] < place else bisect_left(places, place)
        places.insert(where, place)
        return places[self.window][1] if where < self.window < len(places) else None

    def remove(self, at: int, key: str) -> str | None:
        """Take somebody out; return who is listed now for that."""
        places = self._places
        where = bisect_left(places, (at, key))
        if where == len(places) or places[where] != (at, key):
            return None
        del places[where]
        return places[self.window - 1][1] if where < self.window <= len(places) else None

    def is_behind(self, at: int, key: str) -> bool:
        """Whether somebody who waits here is beyond the window."""
        return len(self._places) > self.window and (at, key) > self._places[self.window - 1]

    def listed(self) -> list[str]:
        """Return those in the window."""
        return [key for _, key in self._places[: self.window]]

    def all(self) -> list[str]:
        """Return everybody."""
        return [key for _, key in self._places]

    @property
    def last(self) -> str | None:
        """Who came last."""
        return self._places[-1][1] if self._places else None

    @property
    def oldest_at(self) -> int | None:
        """Since when the first has waited, in ms since 1970."""
        return self._places[0][0] if self._places else None
