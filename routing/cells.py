"""Ordered sets that know their first element: the two structures all lookups of the engine rest on.

A `Cell` keeps entries sorted. New work and freed agents nearly always belong at the end and are taken from
the front, so a sorted list with a moving front beats a heap: both are O(1); elsewhere it costs a binary search and
a move of memory. A `Frontier` keeps numbered cells (one a kind of need, or one a pool of agents) together with
their first entries in order, and finds the first entry among any subset of cells given as a bit mask.

Entries are tuples that end with the id of what they stand for, so no two are equal.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

Entry = tuple[float | int | str, ...]
Head = tuple[Entry, int]
"""A cell's first entry and the cell's number."""

_FEW = 4


class Cell:
    """A sorted set of entries with distinct ids; taking one out of the middle only marks it."""

    __slots__ = ("_entries", "_front", "_live", "first")

    def __init__(self) -> None:
        self.first: Entry | None = None
        """The smallest entry."""
        self._entries: list[Entry] = []
        self._front = 0
        self._live: dict[float | int | str, Entry] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, entry_id: str) -> bool:
        return entry_id in self._live

    def add(self, entry: Entry) -> bool:
        """Add an entry whose id is not in the cell; return whether it is now the first."""
        entries = self._entries
        was_empty = not self._live
        self._live[entry[-1]] = entry
        if was_empty:
            self._entries = [entry]
            self._front = 0
            self.first = entry
            return True
        if entry > entries[-1]:
            entries.append(entry)
            return False
        front = self._front
        place = bisect_right(entries, entry, front)
        if front and place - front <= len(entries) - place:
            # The room left of the front is free: moving the few entries before the place is cheaper.
            entries[front - 1 : place - 1] = entries[front:place]
            entries[place - 1] = entry
            self._front = front - 1
        else:
            entries.insert(place, entry)
        if place == front:
            self.first = entry
            return True
        return False

    def remove(self, entry_id: str) -> bool:
        """Take an entry out; return whether it was the first.

        Raises:
            KeyError: it is not in the cell.
        """
        live = self._live
        entry = live.pop(entry_id)
        entries = self._entries
        front = self._front
        if entries[front] is not entry:
            if len(entries) - front > 2 * len(live) + 32:
                self._entries = [each for each in entries[front:] if live.get(each[-1]) is each]
                self._front = 0
            return False
        if not live:
            self._entries = []
            self._front = 0
            self.first = None
            return True
        front += 1
        while live.get(entries[front][-1]) is not entries[front]:
            front += 1
        self.first = entries[front]
        if front > 64 and front * 2 > len(entries):
            del entries[:front]
            front = 0
        self._front = front
        return True

    def count_before(self, entry: Entry) -> int:
        """Return how many entries are smaller than this one."""
        entries = self._entries
        place = bisect_left(entries, entry, self._front)
        if len(entries) - self._front == len(self._live):
            return place - self._front
        live = self._live
        return sum(live.get(each[-1]) is each for each in entries[self._front : place])

    def last_before(self, entry: Entry) -> Entry | None:
        """Return the greatest entry that is smaller than this one."""
        entries = self._entries
        live = self._live
        for place in range(bisect_left(entries, entry, self._front) - 1, self._front - 1, -1):
            if live.get(entries[place][-1]) is entries[place]:
                return entries[place]
        return None

    def ids(self) -> list[str]:
        """Return the ids in order."""
        live = self._live
        return [str(each[-1]) for each in self._entries[self._front :] if live.get(each[-1]) is each]


class Frontier:
    """Numbered cells and their first entries in order. `mask` has a bit for each cell that is not empty."""

    __slots__ = ("_heads", "cells", "mask")

    def __init__(self) -> None:
        self.cells: dict[int, Cell] = {}
        self.mask = 0
        self._heads: list[Head] = []

    def add(self, number: int, entry: Entry) -> None:
        """Add an entry to a cell."""
        cell = self.cells.get(number)
        if cell is None:
            cell = self.cells[number] = Cell()
        before = cell.first
        if not cell.add(entry):
            return
        if before is None:
            self.mask |= 1 << number
        else:
            self._forget(before, number)
        insort(self._heads, (entry, number))

    def remove(self, number: int, entry_id: str) -> None:
        """Take an entry out of a cell.

        Raises:
            KeyError: it is not there.
        """
        cell = self.cells[number]
        before = cell.first
        if not cell.remove(entry_id):
            return
        assert before is not None
        self._forget(before, number)
        after = cell.first
        if after is None:
            self.mask ^= 1 << number
        else:
            insort(self._heads, (after, number))

    @property
    def earliest(self) -> Entry:
        """The smallest entry of all cells; there must be one."""
        return self._heads[0][0]

    def first(self, mask: int) -> Head | None:
        """Return the smallest entry of the cells in `mask` and its cell, or None if they are all empty.

        Costs the smaller of (cells in the mask) and, on average, (cells / cells in the mask); never depends on
        how many entries the cells hold.
        """
        mask &= self.mask
        if not mask:
            return None
        heads = self._heads
        head = heads[0]
        if mask >> head[1] & 1:
            return head
        few = mask.bit_count()
        if few > _FEW and 5 * few * few > len(heads):
            for each in heads:
                if mask >> each[1] & 1:
                    return each
        return min(self._heads_of(mask))

    def count(self, mask: int, limit: int) -> int:
        """Return how many entries the cells in `mask` hold, counting no further than `limit`."""
        mask &= self.mask
        total = 0
        for number in bits(mask):
            total += len(self.cells[number])
            if total >= limit:
                return limit
        return total

    def _heads_of(self, mask: int) -> list[Head]:
        heads = []
        for number in bits(mask):
            first = self.cells[number].first
            assert first is not None
            heads.append((first, number))
        return heads

    def _forget(self, entry: Entry, number: int) -> None:
        del self._heads[bisect_left(self._heads, (entry, number))]


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
