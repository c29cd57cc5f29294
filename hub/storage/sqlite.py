"""SQLite: one writer thread that commits groups of waiting units, and reader threads beside it (WAL).

`synchronous=FULL`: what was acknowledged survives a power cut; group commit pays for it.
"""

import asyncio
import json
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from hub.clock import Clock
from hub.domain.errors import Unavailable
from hub.domain.events import Event
from hub.events import Bus
from hub.storage import changes
from hub.storage.changes import Change, Row, Shape
from hub.storage.unit_of_work import Connection, Outcome, Store, Unit, UnitOfWork, commit_group, for_sqlite

T = TypeVar("T")
log = logging.getLogger(__name__)
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=4000",
)
_WRITER_CACHE_KIB = 32 * 1024
"""Pages that the writer keeps: what a busy hub changes again and again. With less it reads them from the system's
cache, a few microseconds each; with more the hub's memory grows by it as the database does."""
_READER_CACHE_KIB = 8 * 1024

_JOURNAL = Shape(
    "insert", "journal", ("seq", "at", "kind", "actor", "interaction", "customer", "agent", "queue", "facts", "tx"), ()
)


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never really waits to its end, in this thread."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("a unit of work awaited something other than its transaction")


def _bindable(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple) else value


class SqliteConnection(Connection):
    """One sqlite3 connection; its methods never wait, so that a thread can run units to their end."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", read_only: bool = False) -> None:
        super().__init__()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=1_000)
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        self._db.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB if read_only else _WRITER_CACHE_KIB}")
        self._db.execute(f"PRAGMA synchronous={synchronous}")
        if read_only:
            self._db.execute("PRAGMA query_only=ON")

    async def write_pending(self) -> None:
        for change in self.pending.take():
            done = 0
            for rows in changes.pieces(change.rows):
                values = rows[0] if len(rows) == 1 else [*chain.from_iterable(rows)]
                done += self._db.execute(changes.for_sqlite(change.shape, len(rows)), values).rowcount
            if change.shape.is_exact and done != len(change.rows):
                raise changes.changed_meanwhile()

    async def execute(self, sql: str, *args: object) -> int:
        await self.flush(before=sql)
        return self._db.execute(for_sqlite(sql), [_bindable(arg) for arg in args]).rowcount

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        await self.flush(before=sql)
        return self._db.execute(for_sqlite(sql), [_bindable(arg) for arg in args]).fetchall()

    async def fetch_many(
        self, select: str, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Row], tail: str
    ) -> list[Row]:
        same = " AND ".join(f"{name} = json_extract(wanted, '$[{n}]')" for n, name in enumerate(columns))
        # CROSS JOIN keeps the order: the list outside, the index inside. Only its values: the list has an `id` too.
        given = "(SELECT value AS wanted FROM json_each(?1))"
        sql = f"SELECT {select} FROM {given} CROSS JOIN {table} WHERE {same} {tail}"  # noqa: S608
        await self.flush(before=sql)
        return self._db.execute(sql, [msgspec.json.encode(rows).decode()]).fetchall()

    async def be_alone(self, name: str) -> None:
        return None

    async def append_journal(self, events: Sequence[Event]) -> list[int]:
        if not events:
            await self.flush()
            return []
        first = self._db.execute("SELECT coalesce(max(seq), 0) + 1 FROM journal").fetchone()[0]
        rows: list[Row] = [
            (
                seq,
                e.at,
                e.kind,
                e.actor,
                e.interaction,
                e.customer,
                e.agent,
                e.queue,
                msgspec.json.encode(e.facts).decode(),
                0,
            )
            for seq, e in enumerate(events, first)
        ]
        await self.later(Change(_JOURNAL, rows, set()))
        await self.flush()
        return list(range(first, first + len(events)))

    async def begin(self, *, guarded: bool = False) -> None:
        self.pending.take()
        self.is_broken = False
        self._db.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        self._db.execute("COMMIT")

    async def rollback(self) -> None:
        self.pending.take()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    async def begin_reading(self) -> None:
        """Begin a transaction that sees one picture of the database."""
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


@dataclass(slots=True)
class _Job:
    unit: Unit[Any]
    future: asyncio.Future[Any]


class _Thread:
    """A thread with a queue of jobs; `work` is called with one job or more until None comes."""

    def __init__(self, name: str, limit: int, work: Callable[[list[_Job]], None]) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._limit = limit
        self._work = work
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    async def stop(self) -> None:
        self._jobs.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            first = self._jobs.get()
            batch: list[_Job] = []
            stopping = first is None
            if first is not None:
                batch.append(first)
            while not stopping and len(batch) < self._limit and not self._jobs.empty():
                more = self._jobs.get()
                stopping = more is None
                if more is not None:
                    batch.append(more)
            if batch:
                self._work(batch)


class SqliteStore(Store):
    """The default database: one file, nothing to install."""

    def __init__(
        self, path: Path, *, clock: Clock, bus: Bus, synchronous: str = "FULL", group: int = 256, readers: int = 2
    ) -> None:
        self._path = path
        self._clock = clock
        self._bus = bus
        self._synchronous = synchronous
        self._group = group
        self._reader_count = readers
        self._writer: _Thread | None = None
        self._readers: list[_Thread] = []
        self._connections: list[SqliteConnection] = []
        self._next_reader = 0

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self._connections = [SqliteConnection(self._path, synchronous=self._synchronous)]
            for _ in range(self._reader_count):
                self._connections.append(SqliteConnection(self._path, read_only=True))
        except sqlite3.Error as error:
            raise Unavailable(f"The database file {self._path} cannot be opened: {error}.") from error
        writer = self._connections[0]
        self._writer = _Thread("database-writer", self._group, lambda jobs: self._write_group(writer, jobs))
        self._readers = [
            _Thread(f"database-reader-{n}", 1, lambda jobs, reader=reader: self._read_one(reader, jobs[0]))  # type: ignore[misc]
            for n, reader in enumerate(self._connections[1:])
        ]

    async def close(self) -> None:
        # Taken down first: what is asked for from now on is refused at once, not left behind in a thread that ends.
        threads = [self._writer, *self._readers]
        self._writer, self._readers = None, []
        for thread in threads:
            if thread is not None:
                await thread.stop()
        for connection in self._connections:
            connection.close()
        self._connections = []

    def submit(self, unit: Unit[T], *, guarded: bool = False) -> "asyncio.Future[T]":
        if self._writer is None:
            raise Unavailable("The database is closed.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.put(_Job(unit, future))
        return future

    async def read(self, unit: Unit[T]) -> T:
        if not self._readers:
            raise Unavailable("The database is closed.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._next_reader = (self._next_reader + 1) % len(self._readers)
        self._readers[self._next_reader].put(_Job(unit, future))
        return await future

    @property
    def is_postgresql(self) -> bool:
        return False

    def _write_group(self, connection: SqliteConnection, jobs: list[_Job]) -> None:
        began = time.perf_counter()
        try:
            outcomes = run_now(commit_group(connection, [job.unit for job in jobs], self._clock.now))
        except Exception as error:
            log.exception("the database writer failed")
            run_now(connection.rollback())
            outcomes = [Outcome(error=error) for _ in jobs]
        for outcome in outcomes:
            outcome.error = _as_unavailable(outcome.error)
        self._group_done(len(jobs), time.perf_counter() - began)
        self._loop.call_soon_threadsafe(settle, self._bus, [job.future for job in jobs], outcomes)

    def _read_one(self, connection: SqliteConnection, job: _Job) -> None:
        outcome = Outcome()
        try:
            run_now(connection.begin_reading())
            outcome.value = run_now(cast("Any", job.unit(UnitOfWork(connection, self._clock.now()))))
            run_now(connection.flush())
        except Exception as error:
            outcome.error = _as_unavailable(error)
        finally:
            run_now(connection.rollback())
        self._loop.call_soon_threadsafe(settle, self._bus, [job.future], [outcome])


def _as_unavailable(error: BaseException | None) -> BaseException | None:
    """Return what the caller is told: a full disk or a file out of reach is nobody's mistake, and passes."""
    if isinstance(error, sqlite3.OperationalError):
        return Unavailable(f"The database refused: {error}.")
    return error


def settle(bus: Bus, futures: Sequence[asyncio.Future[Any]], outcomes: Sequence[Outcome]) -> None:
    """Announce what was committed, then tell those who wait how their units ended."""
    for outcome in outcomes:
        if outcome.commit is not None:
            bus.announce(outcome.commit)
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.value)
