"""PostgreSQL by asyncpg: one writing connection that commits groups of waiting units, a pool for reading."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from hub.clock import Clock
from hub.domain.errors import BadRequest, Unavailable
from hub.domain.events import Event
from hub.events import Bus
from hub.storage import changes
from hub.storage.changes import Row, Shape, as_records, by_column
from hub.storage.reach import unreachable
from hub.storage.schema import metadata
from hub.storage.sqlite import settle
from hub.storage.unit_of_work import (
    Connection,
    Outcome,
    Store,
    UncertainError,
    Unit,
    UnitOfWork,
    commit_group,
    for_postgresql,
    shifted,
)

T = TypeVar("T")
log = logging.getLogger(__name__)
_CHANGED = "The database's tables have changed a moment ago."
_NUL = "A NUL character can be neither stored nor looked for."
_NUMBERS = "numbers AS MATERIALIZED (SELECT first, tx FROM journal_numbers(cardinality($1::journal[])))"
_JOURNAL = """
added AS (
  INSERT INTO journal (seq, tx, at, kind, actor, interaction, customer, agent, queue, facts)
  SELECT first + ordinality - 1, numbers.tx, e.at, kind, actor, interaction, customer, agent, queue, facts
  FROM numbers, unnest($1::journal[]) WITH ORDINALITY AS e
)"""
_EVENT = ("at", "kind", "actor", "interaction", "customer", "agent", "queue", "facts")
_ONE_NUMBER = "numbers AS MATERIALIZED (SELECT first, tx FROM journal_numbers(1))"
_ONE_EVENT = """
added AS (
  INSERT INTO journal (seq, tx, at, kind, actor, interaction, customer, agent, queue, facts)
  SELECT first, tx, $1::int8, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text FROM numbers
)"""
# Every statement here has an index to go by, and tables grow faster than the planner's statistics: a plan made while a
# table was small, kept for the connection's life, would read all of it for ever more.
_BY_INDEX = {"enable_seqscan": "off"}
# The writer's few statements are run thousands of times a minute: to plan one anew costs as much as to run it.
_PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan", "enable_hashjoin": "off", "enable_mergejoin": "off"}
# The newest transaction that has drawn numbers of the journal is older than any that begins now, unless the tables came
# here by dump and restore: transactions have begun again at a small number, and readers would wait for the old ones.
_MOVED = """
SELECT pg_advisory_xact_lock(7462951039);
UPDATE journal SET tx = 0
  WHERE (SELECT last_value FROM journal_tx) >= pg_current_xact_id()::text::bigint;
SELECT setval('journal_tx', 0) WHERE (SELECT last_value FROM journal_tx) >= pg_current_xact_id()::text::bigint;
"""

# Rows are given as the tables have them, and migrations have put the columns in another order than the structs.
_TABLES = """
SELECT class.relname, array_agg(column_.attname::text ORDER BY column_.attnum)
FROM pg_class AS class JOIN pg_attribute AS column_ ON column_.attrelid = class.oid
WHERE class.relkind = 'r' AND class.relnamespace = current_schema()::regnamespace
  AND column_.attnum > 0 AND NOT column_.attisdropped AND class.relname = ANY($1::text[])
GROUP BY class.relname
"""


class PostgresConnection(Connection):
    """One asyncpg connection.

    A statement costs a round trip, so all changes that wait are one statement. A guarded transaction whose changes are
    all written at its end has no other transaction than that statement's own: two or three trips instead of a dozen.
    """

    def __init__(self, raw: Any, columns: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.raw = raw
        self._columns = columns
        self._is_begun = True

    async def write_pending(self) -> None:
        await self._begin()
        await self._write_all()

    async def execute(self, sql: str, *args: object) -> int:
        await self.flush(before=sql)
        await self._begin()
        tag: str = await self.raw.execute(for_postgresql(sql), *args)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        await self.flush(before=sql)
        sql = for_postgresql(sql)
        if not self._is_begun:
            sql = sql.replace(" FOR UPDATE", "")
        return cast("list[Row]", await self.raw.fetch(sql, *args))

    async def fetch_many(
        self, select: str, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Row], tail: str
    ) -> list[Row]:
        marks = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types, 1))
        names = ", ".join(f"w{n}" for n in range(len(columns)))
        same = " AND ".join(f"{name} = w{n}" for n, name in enumerate(columns))
        sql = f"SELECT {select} FROM unnest({marks}) AS wanted ({names}) JOIN {table} ON {same} {tail}"  # noqa: S608
        return await self.fetch(sql, *by_column(rows, len(columns)))

    async def be_alone(self, name: str) -> None:
        await self._begin()
        await self.raw.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def append_journal(self, events: Sequence[Event]) -> list[int]:
        if not (events or self.pending):
            return []
        rows = [
            (e.at, e.kind, e.actor, e.interaction, e.customer, e.agent, e.queue, msgspec.json.encode(e.facts).decode())
            for e in events
        ]
        try:
            first = await self._write_all(rows)
        except self._lost() as error:
            if self._is_begun:
                raise
            raise UncertainError(str(error)) from error
        return list(range(first, first + len(rows)))

    async def begin(self, *, guarded: bool = False) -> None:
        self.pending.take()
        self.is_broken = False
        self._is_begun = False
        if not guarded:
            await self._begin()

    async def commit(self) -> None:
        if self._is_begun:
            await self.raw.execute("COMMIT")

    async def rollback(self) -> None:
        self.pending.take()
        if not self.raw.is_closed():
            # A statement that was cut short may have left the lock under which numbers of the journal are drawn.
            undo = "ROLLBACK; " if self._is_begun else ""
            await self.raw.execute(f"{undo}SELECT pg_advisory_unlock_all()")

    async def _begin(self) -> None:
        if not self._is_begun:
            await self.raw.execute("BEGIN")
            self._is_begun = True

    async def _write_all(self, events: Sequence[Row] = ()) -> int:
        """Write the changes that wait, and events, in one statement; return the events' first number."""
        import asyncpg

        waiting = self.pending.take()
        is_once = all(len(change.rows) == 1 for change in waiting)
        args: list[Any] = []
        for change in waiting:
            if is_once:
                args += change.rows[0]
                continue
            args.append(as_records(change.rows, change.shape.columns, self._columns[change.shape.table]))
            if change.shape.is_exact:
                args.append(len(change.rows))
        if len(events) == 1:
            args += events[0]
        elif events:
            args.append(as_records(events, _EVENT, self._columns["journal"]))
        try:
            sql = _one_statement(tuple(change.shape for change in waiting), min(len(events), 2), is_once=is_once)
            return cast("int", await self.raw.fetchval(sql, *args))
        except asyncpg.DivisionByZeroError as error:
            raise changes.changed_meanwhile() from error

    def _lost(self) -> tuple[type[Exception], ...]:
        import asyncpg

        return (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError)


class _AnotherStatement(Exception):
    """A unit reads more than one statement sees."""


class _OnlyStatement(PostgresConnection):
    """Runs one query, without the trips that begin and end a transaction: it sees one consistent picture by itself.

    Raises:
        _AnotherStatement: the unit wants more than that.
    """

    def __init__(self, raw: Any) -> None:
        super().__init__(raw, {})
        self._is_used = False

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        if self._is_used:
            raise _AnotherStatement
        self._is_used = True
        return await super().fetch(sql, *args)

    async def execute(self, _sql: str, *_args: object) -> int:
        raise _AnotherStatement

    async def write_pending(self) -> None:
        raise _AnotherStatement


@lru_cache(maxsize=1_000)
def _one_statement(shapes: tuple[Shape, ...], events: int, *, is_once: bool) -> str:
    """Return one statement that makes all changes, adds no events, one or many, and returns their first number.

    `is_once` says that each change is of one row, given by its values; otherwise each is given an array of rows, and an
    exact one is told behind it how many it must change. If it changes another number, the statement divides by zero,
    fails and leaves nothing behind.
    """
    parts: list[str] = []
    checks: list[str] = []
    used = 0
    for number, shape in enumerate(shapes):
        text = (changes.for_postgresql_once if is_once else changes.for_postgresql)(shape, used + 1)
        used += len(shape.columns) if is_once else 1
        if shape.is_exact:
            used += not is_once
            text += " RETURNING 1"
            wanted = "1" if is_once else f"${used}"
            checks.append(f"(SELECT count(*) FROM c{number}) = {wanted}")  # noqa: S608
        parts.append(f"c{number} AS ({text})")
    if events:
        parts += [_ONE_NUMBER, _ONE_EVENT] if events == 1 else [_NUMBERS, _JOURNAL]
        parts[-2:] = [shifted(part, used) for part in parts[-2:]]
    first = "(SELECT first FROM numbers)" if events else "0::int8"
    holds = f" / CASE WHEN {' AND '.join(checks)} THEN 1 ELSE 0 END" if checks else ""
    return f"WITH {', '.join(parts)} SELECT {first}{holds}"


async def _as_it_is(_raw: Any) -> None:
    """Give a connection back: transactions leave nothing behind in it that would have to be reset."""


async def row_types(raw: Any) -> dict[str, tuple[str, ...]]:
    """Return each table's columns in the table's order, and have the connection learn their row types at once."""
    columns = {table: tuple(names) for table, names in await raw.fetch(_TABLES, list(metadata.tables))}
    await raw.prepare(f"SELECT {', '.join(f'${n}::{table}[]' for n, table in enumerate(columns, 1))}")
    return columns


class BackOff:
    """When to connect again: soon after the first failure, then ever later, and never all nodes at once."""

    def __init__(
        self, *, first_s: float = 0.05, most_s: float = 2.0, chance: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._chance = chance
        self._failures = 0
        self._due_at = 0.0

    def is_due(self, now_s: float) -> bool:
        """Tell whether enough time has passed since the last failure."""
        return now_s >= self._due_at

    def failed(self, now_s: float) -> None:
        """Wait twice as long as the last time, up to a limit; half of it by chance."""
        wait_s = min(self._first_s * 2 ** min(self._failures, 30), self._most_s)
        self._failures += 1
        self._due_at = now_s + wait_s * (0.5 + self._chance() / 2)

    def succeeded(self) -> None:
        """Begin from the start with the next failure."""
        self._failures = 0
        self._due_at = 0.0


class PostgresStore(Store):
    """PostgreSQL, for more than one machine."""

    def __init__(self, url: str, *, clock: Clock, bus: Bus, group: int = 256, readers: int = 4) -> None:
        self._url = url
        self._clock = clock
        self._bus = bus
        self._group = group
        self._readers = readers
        self._waiting: deque[tuple[Unit[Any], asyncio.Future[Any], bool]] = deque()
        self._wake = asyncio.Event()
        self._pool: Any = None
        self._row_types: dict[int, dict[str, tuple[str, ...]]] = {}
        """What the connections for reading know, by their server's process."""
        self._is_outdated = False
        """Whether a newer node has changed the tables: connections know their row types from before."""
        self._writer: PostgresConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._back_off = BackOff()
        self._long_reads: set[object] = set()

    async def open(self) -> None:
        import asyncpg

        self._errors = (
            OSError,
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.InterfaceError,
            # What asyncpg says of a connection that the server closed while it was idle.
            asyncpg.InternalClientError,
            UncertainError,
        )
        self._unfit = asyncpg.CharacterNotInRepertoireError
        self._outdated = asyncpg.DatatypeMismatchError
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._readers,
                command_timeout=30,
                server_settings=_BY_INDEX,
                init=self._learn,
                reset=_as_it_is,
            )
            self._writer = await self._connect()
            await self._writer.raw.execute(_MOVED, timeout=3600)
        except (OSError, ValueError, asyncpg.PostgresError) as error:
            raise unreachable(self._url, error) from error
        self._task = asyncio.create_task(self._write_groups(), name="database-writer")

    async def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        if self._writer is not None:
            await self._writer.raw.close()
            self._writer = None
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def submit(self, unit: Unit[T], *, guarded: bool = False) -> "asyncio.Future[T]":
        if self._closing or self._task is None:
            raise Unavailable("The database is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future, guarded))
        self._wake.set()
        return future

    async def write_aside(self, unit: Unit[T]) -> T:
        async def unhurried(tx: UnitOfWork) -> T:
            # It is not waited for, so it need not have the disk either while those who are waited for commit.
            await tx.execute("SET LOCAL synchronous_commit = off")
            return await unit(tx)

        return await self._in_transaction(unhurried)

    async def read(self, unit: Unit[T]) -> T:
        code = getattr(unit, "__code__", unit)
        if code not in self._long_reads:
            try:
                async with self._lent() as raw:
                    return await self._run(unit, _OnlyStatement(raw))
            except _AnotherStatement:
                self._long_reads.add(code)
        return await self._in_transaction(unit, isolation="repeatable_read", readonly=True)

    async def _in_transaction(self, unit: Unit[T], **options: Any) -> T:
        async with self._lent() as raw, raw.transaction(**options):
            return await self._run(unit, PostgresConnection(raw, self._row_types[raw.get_server_pid()]))

    async def _run(self, unit: Unit[T], connection: PostgresConnection) -> T:
        work = UnitOfWork(connection, self._clock.now())
        result = await unit(work)
        await connection.flush()
        if work.events or work.records:
            raise TypeError("What is written aside is not announced.")
        return result

    async def _learn(self, raw: Any) -> None:
        self._row_types[raw.get_server_pid()] = await row_types(raw)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Any]:
        """Lend one of the connections for reading."""
        if self._closing or self._pool is None:
            raise Unavailable("The database is closed.")
        try:
            async with self._pool.acquire() as raw:
                yield raw
        except self._errors as error:
            raise Unavailable(f"The database cannot be reached: {error}.") from error
        except self._outdated as error:
            self._is_outdated = True
            await self._pool.expire_connections()
            raise Unavailable(_CHANGED) from error
        except self._unfit as error:
            raise BadRequest(_NUL) from error

    @property
    def is_postgresql(self) -> bool:
        return True

    async def _write_groups(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                size = min(self._group, len(self._waiting))
                jobs = [self._waiting.popleft() for _ in range(size)]
                guarded = all(is_guarded for _, _, is_guarded in jobs)
                began = time.perf_counter()
                outcomes = await self._commit([unit for unit, _, _ in jobs], guarded=guarded)
                self._group_done(size, time.perf_counter() - began)
                settle(self._bus, [future for _, future, _ in jobs], outcomes)

    async def _commit(self, units: list[Unit[Any]], *, guarded: bool) -> list[Outcome]:
        try:
            writer = await self._connected()
            outcomes = await commit_group(writer, units, self._clock.now, guarded=guarded)
        except Exception as error:
            # Whatever it was: those who wait are told, and the next group gets a fresh connection.
            if not isinstance(error, Unavailable):
                is_known = isinstance(error, self._errors)
                log.warning("database out of reach", exc_info=not is_known, extra={"error": str(error)})
            self._hang_up()
            return [Outcome(error=Unavailable("The database cannot be reached.")) for _ in units]
        if any(isinstance(outcome.error, UncertainError) for outcome in outcomes):
            self._hang_up()
        for outcome in outcomes:
            if isinstance(outcome.error, self._errors):
                outcome.error = Unavailable("The database cannot be reached.")
            elif isinstance(outcome.error, self._unfit):
                outcome.error = BadRequest(_NUL)
            elif isinstance(outcome.error, self._outdated):
                self._is_outdated = True
                outcome.error = Unavailable(_CHANGED)
        return outcomes

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.raw.terminate()
            self._writer = None

    async def _connected(self) -> PostgresConnection:
        """Return the writing connection, made anew if need be.

        Raises:
            Unavailable: the last attempt failed a moment ago.
        """
        if self._is_outdated:
            self._is_outdated = False
            self._hang_up()
        if self._writer is None or self._writer.raw.is_closed():
            now_s = asyncio.get_running_loop().time()
            if not self._back_off.is_due(now_s):
                raise Unavailable("The database could not be reached a moment ago.")
            try:
                self._writer = await self._connect()
            except Exception:
                self._back_off.failed(asyncio.get_running_loop().time())
                raise
            self._back_off.succeeded()
        return self._writer

    async def _connect(self) -> PostgresConnection:
        import asyncpg

        # Changes are joined to one statement for each set of tables: more of them than asyncpg keeps by default.
        raw: Any = await asyncpg.connect(
            self._url, command_timeout=30, statement_cache_size=400, server_settings=_BY_INDEX | _PLANNED_ONCE
        )
        return PostgresConnection(raw, await row_types(raw))
