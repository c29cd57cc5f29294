"""Ordered sets that know their first member: the two structures all lookups of the engine rest on.

A `Cell` keeps members in the order of their keys. New work and freed agents nearly always belong at the end and are
taken from the front, so a sorted list with a moving front beats a heap: both are O(1); elsewhere it costs a binary
search and a move of memory. A `Frontier` keeps numbered cells (one a kind of need, or one a pool of agents) and the
keys of their firsts in order, and finds the first among any subset of cells given as a bit mask. A cell may change
its number, and with it who looks into it.

At full size most of the cost is memory that is in no cache. So keys are machine words side by side, apart from the
members: an event compares keys and touches no member but the one it is about.

Equal keys are told apart by the members themselves, by `<`.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, MutableSequence
from math import inf
from operator import itemgetter
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar


class Ordered(Protocol):
    """Something with a place among its equals."""

    def __lt__(self, other: Self, /) -> bool: ...


Member = TypeVar("Member", bound=Ordered)

Key: TypeAlias = Any
"""A whole number of at most 64 bits, or anything that compares."""

Keys = MutableSequence[Key]

_REMEMBERED = 4_096

_FEW = 32
"""Cells whose firsts are compared one by one, however few there are besides."""


def words() -> Keys:
    """Return a sequence for keys that are whole numbers."""
    return array("q")


class Cell(Generic[Member]):
    """Members under keys, in order; taking one out of the middle only empties its place."""

    __slots__ = ("bit", "front", "holes", "keys", "members", "number")

    def __init__(self, number: int = 0, keys: Keys | None = None) -> None:
        self.number = number
        """Its number in its frontier; `bit` is the mask of that alone."""
        self.bit = 1 << number
        self.keys: Keys = words() if keys is None else keys
        """In order; from `front` on those of the members. Nothing at all while nobody is in the cell."""
        self.members: list[Member | None] = []
        self.front = 0
        self.holes = 0
        """Places behind the front that nobody holds any more."""

    def __len__(self) -> int:
        return len(self.keys) - self.front - self.holes

    @property
    def first(self) -> Member | None:
        """The member that goes first."""
        return self.members[self.front] if self.keys else None

    def add(self, key: Key, member: Member) -> bool:
        """Add a member that is not in the cell; return whether it is now the first."""
        keys = self.keys
        if keys:
            last = keys[-1]
            if key < last:
                return self._insert(key, member)
            if key == last:
                behind = self.members[-1]
                if behind is None or member < behind:
                    return self._insert(key, member)
            keys.append(key)
            self.members.append(member)
            return False
        keys.append(key)
        self.members.append(member)
        return True

    def _insert(self, key: Key, member: Member) -> bool:
        keys, members, front = self.keys, self.members, self.front
        place = bisect_left(keys, key, front)
        end = bisect_right(keys, key, place)
        while place < end and ((other := members[place]) is None or other < member):
            place += 1
        if place > front and members[place - 1] is None and keys[place - 1] == key:
            members[place - 1] = member
            self.holes -= 1
            return False
        if front and place - front <= len(keys) - place:
            # The room left of the front is free: moving the few before the place is cheaper.
            keys[front - 1 : place - 1] = keys[front:place]
            members[front - 1 : place - 1] = members[front:place]
            keys[place - 1] = key
            members[place - 1] = member
            self.front = front - 1
        else:
            keys.insert(place, key)
            members.insert(place, member)
        return place == front

    def remove(self, key: Key, member: Member) -> bool:
        """Take out a member, who is in the cell under this key; return whether it was the first."""
        members = self.members
        front = self.front
        if members[front] is not member:
            self._leave_hole(key, member)
            return False
        members[front] = None
        front += 1
        if self.holes:
            front = self._behind_holes(front)
        keys = self.keys
        if front == len(keys):
            del keys[:]
            members.clear()
            front = 0
        elif front > 64 and front * 2 > len(keys):
            del keys[:front], members[:front]
            front = 0
        self.front = front
        return True

    def _leave_hole(self, key: Key, member: Member) -> None:
        members = self.members
        members[members.index(member, bisect_left(self.keys, key, self.front))] = None
        self.holes += 1
        if self.holes > len(self) + 32:
            held = [place for place in range(self.front, len(members)) if members[place] is not None]
            self.keys[:] = _like(self.keys, [self.keys[place] for place in held])
            self.members = [members[place] for place in held]
            self.front = self.holes = 0

    def _behind_holes(self, front: int) -> int:
        members = self.members
        while front < len(members) and members[front] is None:
            self.holes -= 1
            front += 1
        return front

    def count_before(self, key: Key, member: Member | None = None) -> int:
        """Return how many are under smaller keys, or, given a member of this key, how many go before it."""
        front, members = self.front, self.members
        place = bisect_left(self.keys, key, front)
        count = place - front - (members[front:place].count(None) if self.holes else 0)
        if member is not None:
            equals = members[place : bisect_right(self.keys, key, place)]
            count += sum(other is not None and other < member for other in equals)
        return count

    def last_before(self, key: Key) -> Key:
        """Return the greatest key of a member that is smaller than this one; None: there is none."""
        for place in range(bisect_left(self.keys, key, self.front) - 1, self.front - 1, -1):
            if self.members[place] is not None:
                return self.keys[place]
        return None

    def all(self) -> list[Member]:
        """Return the members in order."""
        return [member for member in self.members[self.front :] if member is not None]


def _like(keys: Keys, values: list[Any]) -> Keys:
    return array(keys.typecode, values) if isinstance(keys, array) else values


class Frontier(Generic[Member]):
    """Numbered cells and the keys of their firsts. `mask` has a bit for each cell that is not empty."""

    __slots__ = ("_has_words", "_order", "cells", "firsts", "heads", "mask", "picks")

    def __init__(self, *, has_words: bool = True, heads: list[Any] | None = None) -> None:
        """With `has_words` all keys are whole numbers of at most 64 bits. `heads`, if there are, is kept in order."""
        self.cells: dict[int, Cell[Member]] = {}
        """By number."""
        self.mask = 0
        self.heads = heads
        """The keys of the firsts, in order."""
        self._has_words = has_words
        self.firsts: list[Any] = []
        """The keys of the firsts by number, and whatever where a cell is empty."""
        self._order: list[tuple[Any, int]] | None = None
        """The same in order, with the numbers: from when on somebody asks for the first of so many cells."""
        self.picks: dict[int, tuple[itemgetter[Any] | None, list[int]]] = {}
        """Of the masks asked for lately: what takes the keys of their cells, unless that is not worth it; numbers."""

    def open(self, number: int) -> Cell[Member]:
        """Return the cell of a number, a new one if there is none."""
        cell = self.cells.get(number)
        if cell is None:
            cell = Cell(number, words() if self._has_words else [])
            self.enlist(cell)
        return cell

    def enlist(self, cell: Cell[Member]) -> None:
        """Make a cell, which is empty, one of the frontier's."""
        self.cells[cell.number] = cell
        self.firsts.extend([0] * (cell.number + 1 - len(self.firsts)))

    def put(self, cell: Cell[Member], key: Key, member: Member) -> bool:
        """Add a member to one of the cells; return whether it is now the cell's first."""
        keys = cell.keys
        number = cell.number
        heads, order = self.heads, self._order
        if keys:
            if key > keys[-1]:
                keys.append(key)
                cell.members.append(member)
                return False
            before = keys[cell.front]
            if not cell.add(key, member):
                return False
            if heads is not None:
                del heads[bisect_left(heads, before)]
            if order is not None:
                del order[bisect_left(order, (before, number))]
        else:
            keys.append(key)
            cell.members.append(member)
            self.mask |= cell.bit
        self.firsts[number] = key
        if heads is not None:
            insort(heads, key)
        if order is not None:
            insort(order, (key, number))
        return True

    def take(self, cell: Cell[Member], key: Key, member: Member) -> bool:
        """Take a member, who is there under this key, out of one of the cells; return whether it was the first."""
        front, members, keys = cell.front, cell.members, cell.keys
        after = front + 1
        if members[front] is member and not cell.holes and after < len(keys) and (after < 64 or after * 2 < len(keys)):
            # The usual case: others come after it, and what has been taken from before it may stay for now.
            members[front] = None
            cell.front = after
        elif not cell.remove(key, member):
            return False
        number = cell.number
        heads, order = self.heads, self._order
        if heads is not None:
            del heads[bisect_left(heads, key)]
        if order is not None:
            del order[bisect_left(order, (key, number))]
        if keys:
            key = self.firsts[number] = keys[cell.front]
            if heads is not None:
                insort(heads, key)
            if order is not None:
                insort(order, (key, number))
        else:
            self.mask ^= cell.bit
        return True

    def renumber(self, cell: Cell[Member], number: int) -> None:
        """Give one of the cells a number that no other has."""
        bit, before = cell.bit, cell.number
        if self.cells.get(before) is cell:
            del self.cells[before]
        cell.bit, cell.number = 1 << number, number
        self.enlist(cell)
        if cell.keys:
            self.mask ^= bit | cell.bit
            key = self.firsts[number] = cell.keys[cell.front]
            if self._order is not None:
                del self._order[bisect_left(self._order, (key, before))]
                insort(self._order, (key, number))

    def first_key(self, mask: int) -> Key:
        """Return the smallest key in the cells of `mask`, none of which is empty; there is at least one.

        Costs the smaller of (cells in the mask) and, on average, (cells / cells in the mask); never depends on
        how many members the cells hold.
        """
        pick, numbers = self.picks.get(mask) or self.new_pick(mask)
        if pick is not None:
            return min(pick(self.firsts))
        if len(numbers) == 1:
            return self.firsts[numbers[0]]
        return self._scan(mask)[0]

    def _scan(self, mask: int) -> tuple[Any, int]:
        """Return the first key, and the number of its cell, of a mask of very many cells."""
        if self._order is None:
            self._order = sorted((self.firsts[number], number) for number in bits(self.mask))
        return next(head for head in self._order if mask >> head[1] & 1)

    def new_pick(self, mask: int) -> "tuple[itemgetter[Any] | None, list[int]]":
        """Return what `picks` is to have for a mask."""
        numbers = list(bits(mask))
        count = len(numbers)
        is_few = count <= _FEW or count * count <= 6 * self.mask.bit_count()
        if len(self.picks) > _REMEMBERED:
            self.picks.clear()
        found = itemgetter(*numbers) if is_few and count > 1 else None, numbers
        self.picks[mask] = found
        return found

    def first_of(self, mask: int, key: Key) -> Member:
        """Return the member that goes first in the cells of `mask`, none of which is empty, given their first key."""
        pick, numbers = self.picks.get(mask) or self.new_pick(mask)
        number = numbers[0]
        if pick is not None:
            keys = pick(self.firsts)
            if keys.count(key) > 1:
                return min(self._tied(mask, key))
            number = numbers[keys.index(key)]
        elif len(numbers) > 1:
            return min(self._tied(mask, key))
        cell = self.cells[number]
        member = cell.members[cell.front]
        assert member is not None
        return member

    def first_there(self, mask: int) -> Member:
        """Return the member that goes first in the cells of `mask`, none of which is empty; there is at least one."""
        pick, numbers = self.picks.get(mask) or self.new_pick(mask)
        if pick is not None or len(numbers) > 1:
            return self.first_of(mask, self.first_key(mask))
        cell = self.cells[numbers[0]]
        member = cell.members[cell.front]
        assert member is not None
        return member

    def _tied(self, mask: int, key: Key) -> Iterator[Member]:
        """Yield the firsts of the mask's cells that are under a key."""
        numbers = self.picks[mask][1]
        if self._order is not None:
            start, end = bisect_left(self._order, (key, -1)), bisect_right(self._order, (key, inf))
            numbers = [number for _, number in self._order[start:end] if mask >> number & 1]
        for number in numbers:
            first = self.cells[number].first
            if first is not None and self.firsts[number] == key:
                yield first

    def first(self, mask: int) -> Member | None:
        """Return the member that goes first in the cells of `mask`; None: they are all empty."""
        mask &= self.mask
        return self.first_there(mask) if mask else None

    def count(self, mask: int, limit: int) -> int:
        """Return how many members the cells in `mask` hold, counting no further than `limit`."""
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
