"""A unit of work: what one service call reads and writes, committed together with others that wait (group commit).

A unit is a coroutine function that awaits nothing but its transaction. On SQLite it runs in the writer's thread, on
PostgreSQL in the event loop; the same code serves both. It may run a second time if a neighbour in its group fails, so
it has no effect outside the database.
"""

import abc
import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from hub.domain.errors import HubError
from hub.domain.events import Event, EventKind, Fact
from hub.events import Commit
from hub.storage.changes import Change, Pending, Row, Shape, changed_meanwhile, touched
from hub.storage.memory import Memory
from hub.storage.rows import Rows
from hub.storage.tables import RECALLED

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)
log = logging.getLogger(__name__)


class Connection(abc.ABC):
    """One database connection. SQL has `$1` marks, `ANY_OF($1)` for a list of texts, and `FOR UPDATE`."""

    def __init__(self) -> None:
        self.pending = Pending()
        self.memory = Memory(RECALLED)
        self.is_broken = False
        """Whether a change failed after its unit had gone on: whoever notices is not who is to blame."""

    async def later(self, change: Change) -> None:
        """Let a change wait for others: it is written before its table is read, at the latest with the commit."""
        if self.pending.must_precede(change):
            await self.flush()
        self.pending.add(change)

    async def flush(self, before: str | None = None) -> None:
        """Write the changes that wait; with `before` (a statement) only if it names a table that they change.

        Raises:
            Conflict: an exact one found other rows than were given.
        """
        if self.pending and (before is None or self.pending.concern(before)):
            self.is_broken = True
            await self.write_pending()
            self.is_broken = False

    @abc.abstractmethod
    async def write_pending(self) -> None:
        """Write the changes that wait; there are some."""

    @abc.abstractmethod
    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and return the number of rows it changed."""

    @abc.abstractmethod
    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows of a query."""

    @abc.abstractmethod
    async def fetch_many(
        self, select: str, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Row], tail: str
    ) -> list[Row]:
        """Return the rows of `table` whose `columns` equal one of `rows`: one look into the index for each."""

    @abc.abstractmethod
    async def be_alone(self, name: str) -> None:
        """Wait until no other transaction is alone under this name; where there is but one writer, nobody is."""

    @abc.abstractmethod
    async def append_journal(self, events: Sequence[Event]) -> list[int]:
        """Write what still waits, and events; return their sequence numbers, rising.

        Raises:
            UncertainError: the line was lost, and this may have been the commit.
        """

    @abc.abstractmethod
    async def begin(self, *, guarded: bool = False) -> None:
        """Begin a transaction that will write.

        A guarded one makes sure when it writes that what it read is still so: it reads without locks, and may be no
        longer than its last statement.
        """

    @abc.abstractmethod
    async def commit(self) -> None:
        """Commit: when this returns, a power cut loses nothing of it."""

    @abc.abstractmethod
    async def rollback(self) -> None:
        """Undo the transaction."""


class UnitOfWork:
    """What a unit sees: queries, changes, and the events it records. `now` is one instant for the whole unit."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self.now = now
        self.is_dirty = False
        self.events: list[Event] = []
        self.records: dict[tuple[type, Any], object] = {}

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Return all rows of a query."""
        return await self._connection.fetch(sql, *args)

    async def fetch_one(self, sql: str, *args: object) -> Row | None:
        """Return the first row of a query, or None."""
        rows = await self._connection.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: object) -> int:
        """Run a changing statement and return the number of rows it changed."""
        self.is_dirty = True
        return await self._connection.execute(sql, *args)

    async def be_alone(self, name: str) -> None:
        """Wait until no other unit on any node is alone under this name; until this one is committed nobody else is.

        For what may come about once and is not there yet to be locked. Not for guarded units, which hold no locks.
        """
        await self._connection.be_alone(name)

    async def change(self, shape: Shape, rows: Sequence[Row], *, touches: Iterable[object] | None = None) -> None:
        """Write rows in a shape, later, together with others; `touches` names what is touched if not the keys."""
        self.is_dirty = True
        if rows:
            names = touched(rows, shape.keys) if touches is None else set(touches)
            await self._connection.later(Change(shape, list(rows), names))

    async def get(self, rows: Rows[R], *key: object, lock: bool = False) -> R | None:
        """Return one record by its key, locked against other nodes if asked."""
        where = " AND ".join(f"{name} = ${n}" for n, name in enumerate(rows.key, 1))
        found = await self.fetch_one(f"{rows.select} WHERE {where}{' FOR UPDATE' if lock else ''}", *key)
        return rows.record(found) if found else None

    async def select(self, rows: Rows[R], tail: str, *args: object) -> list[R]:
        """Return the records of `SELECT ... FROM table` with `tail` (WHERE, ORDER BY, LIMIT) behind it."""
        return [rows.record(row) for row in await self.fetch(f"{rows.select} {tail}", *args)]

    async def select_many(
        self, rows: Rows[R], columns: Sequence[str], values: Sequence[Row], tail: str = ""
    ) -> list[R]:
        """Return the records whose columns equal one of `values`; `tail` (`AND ...`) names the table's columns bare."""
        types = [rows.pg_types[rows.columns.index(name)] for name in columns]
        found = await self._connection.fetch_many(rows.listed, rows.table, columns, types, values, tail)
        return [rows.record(row) for row in found]

    async def recall(
        self, rows: Rows[R], ids: Iterable[str], *, fits: Callable[[R], bool], lock: bool = True
    ) -> dict[str, R]:
        """Return records by id, from memory where they are known and fit; the others as they are now, locked.

        For units that change such records exactly, by version, and refuse only what does not fit: no refusal rests on
        memory.
        """
        wanted = list(dict.fromkeys(ids))
        memory = self._connection.memory
        known = cast("dict[str, R]", memory.recall(rows.struct, wanted))
        known = {key: record for key, record in known.items() if fits(record)}
        for key in wanted:
            if (own := self.records.get((rows.struct, key))) is not None:
                known[key] = cast("R", own)
        missing = sorted(key for key in wanted if key not in known)
        if missing:
            tail = "WHERE id ANY_OF($1) ORDER BY id" + (" FOR UPDATE" if lock else "")
            found = {record.id: record for record in await self.select(rows, tail, missing)}  # type: ignore[attr-defined]
            if memory.is_trusted:
                memory.note({(rows.struct, key): record for key, record in found.items()})
            known |= found
        return known

    @property
    def is_sure(self) -> bool:
        """Whether this is a second attempt: the first one's guess at what nobody else does was wrong."""
        return not self._connection.memory.is_trusted

    async def insert(self, rows: Rows[R], record: R) -> R:
        """Insert one record and announce it after the commit."""
        await self.insert_many(rows, (record,))
        return self.touch(record)

    async def insert_many(self, rows: Rows[R], records: Sequence[R]) -> None:
        """Insert many records in one statement; they are not announced as records."""
        await self.change(
            rows.insertion, [rows.values(record) for record in records], touches=map(rows.key_of, records)
        )

    async def update_many(self, rows: Rows[R], columns: Sequence[str], values: Sequence[Row]) -> None:
        """Set some columns of many records in one statement; each row of `values` begins with the key.

        Raises (also later):
            Conflict: one is not there, or `version` is among the columns and it is not one more than it was.
        """
        await self.change(rows.partial(tuple(columns)), values)

    async def save(self, rows: Rows[R], record: R) -> R:
        """Write a changed record, if nobody changed it since it was read, and announce it after the commit.

        Raises (also later):
            Conflict: it was changed in the meantime.
        """
        after = msgspec.structs.replace(record, version=record.version + 1)  # type: ignore[attr-defined]
        await self.change(rows.replacement, [rows.update_values(after)])
        return self.touch(after)

    def touch(self, record: R) -> R:
        """Announce the record as it is now after the commit."""
        self.records[type(record), getattr(record, "id", id(record))] = record
        return record

    def touched(self, kind: type[R]) -> list[R]:
        """Return the records of a kind that this unit has changed, as it left them."""
        return [cast("R", record) for (known, _), record in self.records.items() if known is kind]

    def record(
        self,
        kind: EventKind,
        *,
        actor: str = "system",
        interaction: str | None = None,
        customer: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        **facts: Fact,
    ) -> None:
        """Write an event to the journal, in this transaction."""
        self.events.append(
            Event(
                kind=kind,
                at=self.now,
                actor=actor,
                interaction=interaction,
                customer=customer,
                agent=agent,
                queue=queue,
                facts=facts,
            )
        )


Unit = Callable[[UnitOfWork], Awaitable[T]]


@dataclass(slots=True)
class Outcome:
    """How one unit of a group ended: a value, or an error; and what to announce."""

    value: Any = None
    error: BaseException | None = None
    commit: Commit | None = None


@dataclass(slots=True)
class _Attempt:
    outcomes: list[Outcome] = field(default_factory=list)
    units: list[UnitOfWork | None] = field(default_factory=list)


class UncertainError(Exception):
    """The line was lost while a commit was under way: it may have happened, so nothing of it is tried again."""


async def commit_group(
    connection: Connection,
    units: Sequence[Unit[Any]],
    now: Callable[[], int],
    *,
    guarded: bool = False,
    is_second: bool = False,
) -> list[Outcome]:
    """Run units in one transaction and commit them together.

    A unit that refuses before it has written anything fails alone. Otherwise the group is undone and each unit runs in
    a transaction of its own, so that one failure never sinks its neighbours. Guarded units run without locks, and once
    more with them if somebody else changed what they had read. Only the first attempt rests on the memory.

    Raises:
        UncertainError: the line was lost while the group was being committed.
    """
    await connection.begin(guarded=guarded)
    connection.memory.begin(is_trusted=not is_second)
    try:
        attempt = await _run(connection, units, now)
    except UncertainError:
        connection.memory.forget()
        raise
    if attempt is None:
        await connection.rollback()
        if len(units) == 1:
            return [await _alone(connection, units[0], now)]
        return [await _one(connection, unit, now, guarded=guarded) for unit in units]
    try:
        await connection.commit()
    except Exception as error:
        log.exception("a group could not be committed")
        connection.memory.forget()
        await connection.rollback()
        return [Outcome(error=error) for _ in units]
    connection.memory.committed()
    return attempt.outcomes


async def _one(connection: Connection, unit: Unit[Any], now: Callable[[], int], *, guarded: bool) -> Outcome:
    """Run one unit of a group that was undone: what is committed stays told, even if the line is lost after it."""
    try:
        return (await commit_group(connection, [unit], now, guarded=guarded, is_second=True))[0]
    except Exception as error:
        return Outcome(error=error)


async def _run(connection: Connection, units: Sequence[Unit[Any]], now: Callable[[], int]) -> _Attempt | None:
    attempt = _Attempt()
    for unit in units:
        work = UnitOfWork(connection, now())
        try:
            value = await unit(work)
        except HubError as error:
            if work.is_dirty or connection.is_broken:
                return None
            attempt.outcomes.append(Outcome(error=error))
            attempt.units.append(None)
        except Exception:
            return None
        else:
            attempt.outcomes.append(Outcome(value=value))
            attempt.units.append(work)
            connection.memory.note(work.records)
    try:
        await _journal(connection, attempt)
    except UncertainError:
        raise
    except Exception:
        return None
    return attempt


async def _alone(connection: Connection, unit: Unit[Any], now: Callable[[], int]) -> Outcome:
    """Run the unit once more to learn its error; a unit that succeeds this time is committed."""
    await connection.begin()
    connection.memory.begin(is_trusted=False)
    work = UnitOfWork(connection, now())
    try:
        attempt = _Attempt([Outcome(value=await unit(work))], [work])
        await _journal(connection, attempt)
        await connection.commit()
    except Exception as error:
        connection.memory.forget()
        await connection.rollback()
        return Outcome(error=error)
    connection.memory.note(work.records)
    connection.memory.committed()
    return attempt.outcomes[0]


async def _journal(connection: Connection, attempt: _Attempt) -> None:
    """Write the group's events and note for each unit what it will announce.

    Raises:
        Conflict: a change has failed before, and whoever noticed kept it to themselves.
    """
    if connection.is_broken:
        raise changed_meanwhile()
    events = [event for work in attempt.units if work for event in work.events]
    numbers = iter(await connection.append_journal(events))
    for outcome, work in zip(attempt.outcomes, attempt.units, strict=True):
        if work is None or not (work.events or work.records):
            continue
        numbered = tuple(msgspec.structs.replace(event, seq=next(numbers)) for event in work.events)
        outcome.commit = Commit(numbered, tuple(work.records.values()))


_MARK = re.compile(r"\$(\d+)")
_ANY_OF = re.compile(r"ANY_OF\(\$(\d+)\)")


@lru_cache(maxsize=2_000)
def for_sqlite(sql: str) -> str:
    """Translate the house's SQL to SQLite's."""
    sql = _ANY_OF.sub(r"IN (SELECT value FROM json_each($\1))", sql)
    return _MARK.sub(r"?\1", sql.replace(" FOR UPDATE", ""))


@lru_cache(maxsize=2_000)
def for_postgresql(sql: str) -> str:
    """Translate the house's SQL to PostgreSQL's."""
    return _ANY_OF.sub(r"= ANY($\1::text[])", sql)


def shifted(sql: str, by: int) -> str:
    """Return the statement with its marks moved up."""
    return _MARK.sub(lambda mark: f"${int(mark[1]) + by}", sql)


class Store(abc.ABC):
    """The database as services see it.

    It counts `groups` of units committed together and the `units` in them; `on_group` is told of each group, maybe in
    another thread: how many units, and how many seconds.
    """

    groups = 0
    units = 0
    on_group: Callable[[int, float], object] = staticmethod(lambda _units, _seconds: None)

    def _group_done(self, units: int, seconds: float) -> None:
        self.groups += 1
        self.units += units
        self.on_group(units, seconds)

    @abc.abstractmethod
    async def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: it cannot be reached.
        """

    @abc.abstractmethod
    async def close(self) -> None:
        """Finish what was asked for, then disconnect."""

    @abc.abstractmethod
    def submit(self, unit: Unit[T], *, guarded: bool = False) -> "asyncio.Future[T]":
        """Put a unit behind those that wait; units are committed in the order in which they were put.

        A guarded unit changes what it has read only by exact changes (`Shape`), as `save` is one: it needs no locks.

        Raises:
            Unavailable: the database is closed.
        """

    async def write(self, unit: Unit[T], *, guarded: bool = False) -> T:
        """Run a unit and return its value once it is committed durably, together with others that wait.

        Raises:
            Unavailable: the database cannot be reached; nothing is known to be stored.
        """
        return await self.submit(unit, guarded=guarded)

    async def write_aside(self, unit: Unit[T]) -> T:
        """Run a unit that records no events and touches what no other unit does, so that nobody waits for it.

        Where there is but one writer it is a unit like any other. After a power cut the last of them may be undone,
        each as a whole, so it says itself how far it came.

        Raises:
            Unavailable: the database cannot be reached; nothing is known to be stored.
        """
        return await self.write(unit)

    @abc.abstractmethod
    async def read(self, unit: Unit[T]) -> T:
        """Run a unit that changes nothing, on one consistent picture of the database."""

    @property
    @abc.abstractmethod
    def is_postgresql(self) -> bool:
        """Whether full-text search and safe journal reading use PostgreSQL's words."""


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
