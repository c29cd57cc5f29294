"""Changes that wait for one another: what a group of units writes goes to the database in a few statements.

A change is of a shape (verb, table, columns) and has rows; changes of one shape are joined. What waits is written
before anything is read, so that nobody can tell the difference, and at the latest with the commit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from hub.domain.errors import Conflict

Row = Sequence[Any]
_EXACTLY, _AT_MOST = 16, 128


class Shape(NamedTuple):
    """One statement for any number of rows. The first `keys` columns say which rows are updated, the first which go.

    `types` are PostgreSQL's names of the columns' types. `tail` stands behind: a further condition of an update
    (`AND ...`), or what an insertion does about a row that is there already. An exact one must change one row for each
    that is given, and where it sets `version`, only from the version before.
    """

    verb: Literal["insert", "update", "delete"]
    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    keys: int = 1
    tail: str = ""
    is_exact: bool = False

    @property
    def is_plain_insertion(self) -> bool:
        """Whether it only adds rows: two of them need not see one another."""
        return self.verb == "insert" and not self.tail

    @property
    def guard(self) -> str:
        """The condition that nobody has changed the row since, with `new` for the given row."""
        return f" AND {self.table}.version = new.version - 1" if self.is_exact and "version" in self.columns else ""


@dataclass(slots=True)
class Change:
    """Rows to be written, and names of what they touch: changes of a table that share a name keep their order."""

    shape: Shape
    rows: list[Row]
    touches: set[object]


def changed_meanwhile() -> Conflict:
    """Return the error of whoever was second."""
    return Conflict("It was changed by somebody else at the same moment.")


class Pending:
    """The changes that wait."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def __bool__(self) -> bool:
        return bool(self._changes)

    def concern(self, sql: str) -> bool:
        """Tell whether a statement may name a table that is changed: no table refers to another by key or trigger."""
        return any(change.shape.table in sql for change in self._changes)

    def must_precede(self, change: Change) -> bool:
        """Tell whether something waits that has to be written before this change."""
        return any(
            other.shape.table == change.shape.table
            and not (other.shape.is_plain_insertion and change.shape.is_plain_insertion)
            and not other.touches.isdisjoint(change.touches)
            for other in self._changes
        )

    def add(self, change: Change) -> None:
        """Let a change wait, joined with those of its shape."""
        for other in self._changes:
            if other.shape == change.shape:
                other.rows += change.rows
                other.touches |= change.touches
                return
        self._changes.append(change)

    def take(self) -> list[Change]:
        """Return what waits, in its order; nothing waits any longer."""
        taken, self._changes = self._changes, []
        return taken


def by_column(rows: Sequence[Row], width: int) -> list[list[Any]]:
    """Return rows turned into columns, as PostgreSQL's `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


@lru_cache(maxsize=1_000)
def for_postgresql(shape: Shape, number: int = 1) -> str:
    """Return the statement for any number of rows, given as an array of the table's own row type (`as_records`).

    One array of rows is a fifth of the work of an array for each column: PostgreSQL keeps every array's values by
    themselves before it joins them.
    """
    given = f"unnest(${number}::{shape.table}[]) AS new"
    same = " AND ".join(f"{shape.table}.{name} = new.{name}" for name in shape.columns[: shape.keys])
    match shape.verb:
        case "insert":
            names, values = ", ".join(shape.columns), ", ".join(f"new.{name}" for name in shape.columns)
            return f"INSERT INTO {shape.table} ({names}) SELECT {values} FROM {given} {shape.tail}"  # noqa: S608
        case "update":
            sets = ", ".join(f"{name} = new.{name}" for name in shape.columns[shape.keys :])
            if shape.tail and not shape.is_exact:
                # OFFSET 0: one look into the index for each given row, however few rows the planner expects.
                found = f"SELECT {shape.table}.ctid AS place FROM {shape.table} WHERE {same} {shape.tail} OFFSET 0"  # noqa: S608
                return (
                    f"UPDATE {shape.table} SET {sets} FROM {given} "  # noqa: S608
                    f"CROSS JOIN LATERAL ({found}) AS found WHERE {shape.table}.ctid = found.place"
                )
            return f"UPDATE {shape.table} SET {sets} FROM {given} WHERE {same}{shape.guard} {shape.tail}"  # noqa: S608
        case "delete":
            return f"DELETE FROM {shape.table} USING {given} WHERE {same} {shape.tail}"  # noqa: S608


def as_records(rows: Sequence[Row], columns: tuple[str, ...], wanted: tuple[str, ...]) -> list[Row]:
    """Return rows of `columns` as rows of all the `wanted` columns, in their order, None where nothing is given."""
    if columns == wanted:
        return [tuple(row) for row in rows]
    arranged = _arranged(columns, wanted)
    return [arranged((*row, None)) for row in rows]


@lru_cache(maxsize=1_000)
def _arranged(columns: tuple[str, ...], wanted: tuple[str, ...]) -> Callable[[Row], Row]:
    places = [columns.index(name) if name in columns else len(columns) for name in wanted]
    return itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)


@lru_cache(maxsize=1_000)
def for_postgresql_once(shape: Shape, first: int = 1) -> str:
    """Return the statement for one row, whose arguments are its values: a third less work than with an array."""
    marks = (f"${n}::{kind}" for n, kind in enumerate(shape.types, first))
    return _plain(shape, dict(zip(shape.columns, marks, strict=True)))


@lru_cache(maxsize=2_000)
def for_sqlite(shape: Shape, count: int = 1) -> str:
    """Return the statement for so many rows, whose arguments are their values, one row behind the other.

    One statement for all of them: the interpreter's lock is given up and taken back once, not once a row.
    """
    if count == 1:
        return _plain(shape, {name: f"?{n}" for n, name in enumerate(shape.columns, 1)})
    row = f"({', '.join('?' * len(shape.columns))})"
    values = f"VALUES {', '.join([row] * count)}"
    match shape.verb:
        case "insert":
            return f"INSERT INTO {shape.table} ({', '.join(shape.columns)}) {values} {shape.tail}"
        case "update":
            given = {name: f"new.column{n}" for n, name in enumerate(shape.columns, 1)}
            return _plain(shape, given, f" FROM ({values}) AS new ")
        case "delete":
            return f"DELETE FROM {shape.table} WHERE {shape.columns[0]} IN ({values}) {shape.tail}"  # noqa: S608


def pieces(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows into pieces of a few sizes, so that few statements are to be prepared: up to 15 rows, or 16, 32 to 128.

    SQLite takes 32,766 values at once; no table has a hundred columns.
    """
    start = 0
    while left := len(rows) - start:
        size = left if left < _EXACTLY else min(1 << (left.bit_length() - 1), _AT_MOST)
        yield rows[start : start + size]
        start += size


def _plain(shape: Shape, given: dict[str, str], source: str = " ") -> str:
    """Return the statement for one row, an expression given for each column; an update also for a source of rows."""
    same = " AND ".join(f"{shape.table}.{name} = {given[name]}" for name in shape.columns[: shape.keys])
    match shape.verb:
        case "insert":
            names, values = ", ".join(shape.columns), ", ".join(given.values())
            return f"INSERT INTO {shape.table} ({names}) VALUES ({values}) {shape.tail}"  # noqa: S608
        case "update":
            sets = ", ".join(f"{name} = {given[name]}" for name in shape.columns[shape.keys :])
            tail = f"{shape.guard.replace('new.version', given.get('version', ''))} {shape.tail}"
            return f"UPDATE {shape.table} SET {sets}{source}WHERE {same}{tail}"  # noqa: S608
        case "delete":
            return f"DELETE FROM {shape.table} WHERE {same} {shape.tail}"  # noqa: S608


def touched(rows: Iterable[Row], keys: int = 1) -> set[object]:
    """Return the names of rows whose first columns are the key."""
    return {row[0] for row in rows} if keys == 1 else {tuple(row[:keys]) for row in rows}
