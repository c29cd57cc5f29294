"""Ordered sets that know their first element: the two structures all lookups of the engine rest on.

A `Cell` keeps entries sorted. New work and freed agents nearly always belong at the end and are taken from
the front, so a sorted list with a moving front beats a heap: both are O(1); elsewhere it costs a binary search and
a move of memory. A `Frontier` keeps numbered cells (one a kind of need, or one a pool of agents) together with
their first entries in order, and finds the first entry among any subset of cells given as a bit mask. A cell may change
its number, and with it who looks into it.

At full size most of the cost is memory that is in no cache, so a cell touches its front, its end and nothing else:
only what is taken out of its middle, which is rare, is written down apart.

Entries are tuples of figures that end with the id of what they stand for, so no two are equal.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

Entry = tuple[Any, ...]

_REMEMBERED = 4_096


class Cell:
    """A sorted set of entries with distinct ids; taking one out of the middle only marks it."""

    __slots__ = ("_dead", "_front", "bit", "entries", "first", "number")

    def __init__(self, number: int = 0) -> None:
        self.number = number
        """Its number in its frontier; `bit` is the mask of that alone."""
        self.bit = 1 << number
        self.first: Entry | None = None
        """The smallest entry."""
        self.entries: list[Entry] = []
        """All in order; what is before the front, and what is dead, no longer counts.
        Whatever is greater than the last belongs behind it."""
        self._front = 0
        self._dead: set[Entry] = set()
        """Taken out, but still among the entries; all of them come after the first."""

    def __len__(self) -> int:
        return len(self.entries) - self._front - len(self._dead)

    def add(self, entry: Entry) -> bool:
        """Add an entry that is not in the cell; return whether it is now the first."""
        entries = self.entries
        if self.first is None:
            entries.append(entry)
            self.first = entry
            return True
        if entry > entries[-1]:
            entries.append(entry)
            return False
        return self._insert(entry)

    def _insert(self, entry: Entry) -> bool:
        if entry in self._dead:
            self._dead.remove(entry)
            return False
        entries = self.entries
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

    def remove(self, entry: Entry) -> bool:
        """Take out an entry, which is in the cell; return whether it was the first."""
        if entry is not self.first and entry != self.first:
            self._bury(entry)
            return False
        entries = self.entries
        front = self._front + 1
        if self._dead:
            front = self._skip_dead(front)
        if front == len(entries):
            entries.clear()
            self._front = 0
            self.first = None
            return True
        self.first = entries[front]
        if front > 64 and front * 2 > len(entries):
            del entries[:front]
            front = 0
        self._front = front
        return True

    def _bury(self, entry: Entry) -> None:
        dead = self._dead
        dead.add(entry)
        if len(dead) > len(self) + 32:
            self.entries = [each for each in self.entries[self._front :] if each not in dead]
            self._front = 0
            dead.clear()

    def _skip_dead(self, front: int) -> int:
        entries = self.entries
        dead = self._dead
        while front < len(entries) and entries[front] in dead:
            dead.remove(entries[front])
            front += 1
        return front

    def count_before(self, entry: Entry) -> int:
        """Return how many entries are smaller than this one."""
        place = bisect_left(self.entries, entry, self._front)
        return place - self._front - sum(each < entry for each in self._dead)

    def last_before(self, entry: Entry) -> Entry | None:
        """Return the greatest entry that is smaller than this one."""
        entries = self.entries
        for place in range(bisect_left(entries, entry, self._front) - 1, self._front - 1, -1):
            if entries[place] not in self._dead:
                return entries[place]
        return None

    def ids(self) -> list[str]:
        """Return the ids in order."""
        return [str(each[-1]) for each in self.entries[self._front :] if each not in self._dead]


class Frontier:
    """Numbered cells and their first entries in order. `mask` has a bit for each cell that is not empty.

    `heads` are the first entries of the cells that are not empty, in order; for reading.
    """

    __slots__ = ("_among", "_bits", "_firsts", "cells", "heads", "mask")

    def __init__(self) -> None:
        self.cells: dict[int, Cell] = {}
        """By number, those that have had entries."""
        self.mask = 0
        self.heads: list[Entry] = []
        self._bits: list[int] = []
        """The bit of the cell each of the heads is the first of."""
        self._firsts: dict[int, Entry] = {}
        """The heads by their cells' numbers."""
        self._among: dict[int, tuple[int, ...]] = {}
        """The numbers in the masks asked for lately."""

    def add(self, number: int, entry: Entry) -> None:
        """Add an entry to the cell of a number."""
        cell = self.cells.get(number)
        if cell is None:
            cell = self.cells[number] = Cell(number)
        self.put(cell, entry)

    def remove(self, number: int, entry: Entry) -> None:
        """Take an entry, which is there, out of the cell of a number."""
        self.take(self.cells[number], entry)

    def put(self, cell: Cell, entry: Entry) -> bool:
        """Add an entry to one of the cells; return whether it is now the cell's first."""
        before = cell.first
        if before is not None and entry > cell.entries[-1]:
            cell.entries.append(entry)
            return False
        if not cell.add(entry):
            return False
        heads = self.heads
        if before is None:
            self.mask |= cell.bit
        else:
            place = bisect_left(heads, before)
            del heads[place], self._bits[place]
        self._firsts[cell.number] = entry
        place = bisect_left(heads, entry)
        heads.insert(place, entry)
        self._bits.insert(place, cell.bit)
        return True

    def take(self, cell: Cell, entry: Entry) -> bool:
        """Take an entry, which is there, out of one of the cells; return whether it was the cell's first."""
        if not cell.remove(entry):
            return False
        heads = self.heads
        place = bisect_left(heads, entry)
        after = cell.first
        if after is None:
            self.mask ^= cell.bit
            del heads[place], self._bits[place], self._firsts[cell.number]
            return True
        self._firsts[cell.number] = after
        later = bisect_left(heads, after, place + 1) - 1
        if later == place:
            heads[place] = after
            return True
        del heads[place], self._bits[place]
        heads.insert(later, after)
        self._bits.insert(later, cell.bit)
        return True

    def renumber(self, cell: Cell, number: int) -> None:
        """Give one of the cells a number that no other has."""
        if self.cells.get(cell.number) is cell:
            del self.cells[cell.number]
        before, cell.bit = cell.bit, 1 << number
        before_number, cell.number = cell.number, number
        self.cells[number] = cell
        if cell.first is not None:
            self.mask ^= before | cell.bit
            self._firsts[number] = self._firsts.pop(before_number)
            self._bits[bisect_left(self.heads, cell.first)] = cell.bit

    def first(self, mask: int) -> Entry | None:
        """Return the smallest entry of the cells in `mask`, or None if they are all empty.

        Costs the smaller of (cells in the mask) and, on average, (cells / cells in the mask); never depends on
        how many entries the cells hold.
        """
        mask &= self.mask
        if not mask:
            return None
        among = self._among.get(mask)
        if among is None:
            if len(self._among) > _REMEMBERED:
                self._among.clear()
            among = self._among[mask] = tuple(bits(mask))
        few = len(among)
        if few == 1:
            return self._firsts[among[0]]
        if few * few > 6 * len(self._bits):
            for bit, head in zip(self._bits, self.heads, strict=False):
                if mask & bit:
                    return head
        return min(map(self._firsts.__getitem__, among))

    def count(self, mask: int, limit: int) -> int:
        """Return how many entries the cells in `mask` hold, counting no further than `limit`."""
        mask &= self.mask
        total = 0
        for number in bits(mask):
            total += len(self.cells[number])
            if total >= limit:
                return limit
        return total


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
