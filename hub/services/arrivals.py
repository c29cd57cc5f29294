"""What arrived in writing: kept raw and durably first, read afterwards, in order, and never lost to what it holds."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from hub.clock import Clock, utc
from hub.contract import (
    Channel,
    ChannelStatus,
    HasLine,
    Inbound,
    InboundMessage,
    InboundReport,
    RawArrival,
    Reads,
    ReadsApart,
)
from hub.domain.correspondence import Arrival, ArrivalState, ChannelMark
from hub.domain.errors import ChannelUnavailable, Conflict, HubError, NotFound, PayloadUnreadable, Unavailable
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.visitors import StoredFile
from hub.services.access import Scope
from hub.services.files import FileStore, write_all_durably
from hub.services.intake import Intake
from hub.storage.tables import ARRIVALS, CHANNEL_MARKS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)

READ_AT_ONCE = 64
_BYTES_AT_ONCE = 32 * 1024 * 1024
_READ_S = 120.0
_RETRY_S = 2.0
MOST_REFUSED = 100
"""Requests of one channel that nobody can vouch for and that wait for a person."""
_FULL_MS = 60_000
_UNPROVED = "unproved:"
"""Before the name of what nobody could vouch for when it came."""
_MAX_TRIES = 5
"""How often the hub may die over one arrival, or find the database in conflict over it."""
_WRITERS = 4
_PROBLEM_CHARS = 500
_DAY_MS = 86_400_000


class Reading(msgspec.Struct, frozen=True):
    """What reading one arrival gave: something, with its files in their places, or why not."""

    arrival: Arrival
    inbound: Inbound | None = None
    files: tuple[StoredFile, ...] = ()
    problem: str = ""


def is_unproved(arrival: Arrival) -> bool:
    """Whether nobody could vouch for it when it came: it may have come from anybody."""
    return arrival.provider_id.startswith(_UNPROVED)


class Arrivals:
    """The hub's side of `hub.contract.Inbox`, and the worker that reads what was kept."""

    def __init__(self, store: Store, clock: Clock, folder: Path, files: FileStore, intake: Intake) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder / "raw"
        self._files = files
        self._intake = intake
        self._readers: dict[str, tuple[Reads, str]] = {}
        self._wake = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._disk: ThreadPoolExecutor | None = None
        self._suspects = 0
        self._began_at = 0
        self._counted: set[str] = set()
        self._is_stopped = False
        self._full_until: dict[str, int] = {}
        self.count: Callable[[str], None] = lambda _state: None
        self.count_refused: Callable[[str], None] = lambda _channel: None

    def serve(self, channel: Channel) -> None:
        """Read what this channel keeps, if it is one whose arrivals are read afterwards."""
        if isinstance(channel, Reads):
            self._readers[channel.id] = (channel, channel.capabilities.kind)

    def lines(self) -> dict[str, ChannelStatus]:
        """Return how each channel's line to its provider is, by the channel's id."""
        return {name: reader.status for name, (reader, _) in self._readers.items() if isinstance(reader, HasLine)}

    async def start(self) -> None:
        """Go on where the last hub stopped. What it may have died of is read one by one: the oldest of what it kept."""
        self._suspects = 2 * READ_AT_ONCE
        self._began_at = self._clock.now()
        self._counted.clear()
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name="arrivals")

    async def stop(self) -> None:
        """Read and keep nothing more; what is half read is read again by the next hub.

        To be called before the channels are closed: a reader that is gone makes no letter unreadable.
        """
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._disk is not None:
            self._disk.shutdown()
            self._disk = None

    async def caught_up(self) -> None:
        """Return when everything kept before has been read."""
        while self._wake.is_set() or not self._caught_up.is_set():
            await asyncio.sleep(0)
            await self._caught_up.wait()

    # -- what channels ask

    async def keep(self, channel: str, arrivals: Sequence[RawArrival], marks: Mapping[str, str]) -> int:
        """Keep what arrived and how far the channel has read, in one transaction; see `hub.contract.Inbox`.

        The bytes are on the disk, synced, before the transaction; a repetition writes the same files again.
        """
        if self._is_stopped:
            raise Unavailable("The hub stops.")
        known = await self._known(channel, arrivals)
        distinct = {one.provider_id: one for one in arrivals if one.provider_id not in known}
        ids = sorted(new_id("a") for _ in distinct)
        now = self._clock.now()
        fresh = [
            (_arrival(arrival_id, channel, one, now), one.raw)
            for arrival_id, one in zip(ids, distinct.values(), strict=True)
        ]
        await self._write(fresh)

        async def unit(tx: UnitOfWork) -> int:
            kept = []
            for arrival, _ in fresh:
                statement = f"{ARRIVALS.insert} ON CONFLICT (channel, provider_id) DO NOTHING"
                if await tx.execute(statement, *ARRIVALS.values(arrival)):
                    kept.append(arrival)
            for name, value in marks.items():
                mark = ChannelMark(channel=channel, name=name, value=value)
                await tx.execute(
                    f"{CHANNEL_MARKS.insert} ON CONFLICT (channel, name) DO UPDATE SET value = excluded.value",
                    *CHANNEL_MARKS.values(mark),
                )
            if kept:
                size = sum(arrival.size for arrival in kept)
                tx.record(EventKind.ARRIVAL_KEPT, channel=channel, count=len(kept), bytes=size)
            for arrival in kept:
                if arrival.state is ArrivalState.FAILED:
                    _record_failure(tx, arrival)
            return len(kept)

        count = await self._store.write(unit)
        self._wake.set()
        return count

    async def refuse(self, channel: str, arrival: RawArrival | None) -> None:
        """Count what nobody can vouch for; keep it while few of the channel's wait for a person; see `Inbox`.

        Anybody can send such requests: they may neither fill the disk nor, once there are enough, cost a transaction.
        """
        self.count_refused(channel)
        if arrival is None or self._clock.now() < self._full_until.get(channel, 0):
            return

        async def unit(tx: UnitOfWork) -> int:
            row = await tx.fetch_one("SELECT COUNT(*) FROM arrivals WHERE state = 'failed' AND channel = $1", channel)
            return int(row[0]) if row else 0

        if await self._store.read(unit) >= MOST_REFUSED:
            self._full_until[channel] = self._clock.now() + _FULL_MS
            return
        named = msgspec.structs.replace(arrival, provider_id=f"{_UNPROVED}{arrival.provider_id}")
        await self.keep(channel, [named], {})

    async def mark(self, channel: str, name: str) -> str:
        """Return how far the channel had read this source; empty for never."""

        async def unit(tx: UnitOfWork) -> str:
            found = await tx.get(CHANNEL_MARKS, channel, name)
            return found.value if found else ""

        return await self._store.read(unit)

    async def _known(self, channel: str, arrivals: Sequence[RawArrival]) -> set[str]:
        async def unit(tx: UnitOfWork) -> set[str]:
            rows = await tx.fetch(
                "SELECT provider_id FROM arrivals WHERE channel = $1 AND provider_id ANY_OF($2)",
                channel,
                [one.provider_id for one in arrivals],
            )
            return {str(row[0]) for row in rows}

        return await self._store.read(unit) if arrivals else set()

    async def _write(self, fresh: Sequence[tuple[Arrival, bytes]]) -> None:
        # Several threads: a file system syncs files that wait together nearly as quickly as one.
        if self._disk is None:
            self._disk = ThreadPoolExecutor(_WRITERS, thread_name_prefix="raw")
        loop = asyncio.get_running_loop()
        places = [(self._path(one), raw) for one, raw in fresh]
        shares = [places[start::_WRITERS] for start in range(min(_WRITERS, len(places)))]
        await asyncio.gather(*(loop.run_in_executor(self._disk, write_all_durably, share) for share in shares))

    def _path(self, arrival: Arrival) -> Path:
        """Return where the bytes lie: by the day, and by the provider's name, so that a repetition finds its file."""
        name = hashlib.sha256(f"{arrival.channel}\0{arrival.provider_id}".encode("utf-8", "replace")).hexdigest()[:40]
        return self._folder / f"{utc(arrival.at):%Y%m%d}" / name

    # -- what goes

    async def forget_old(self, days: int) -> int:
        """Remove the bytes of what was read more than so many days ago; return how many files went.

        What waits to be read, or for a person's look, keeps its bytes; what was refused because nobody could vouch for
        it waits no longer than that. Safe to repeat and on several nodes at once.
        """
        before = self._clock.now() - days * _DAY_MS

        async def give_up(tx: UnitOfWork) -> None:
            await tx.execute(
                "UPDATE arrivals SET state = 'ignored' WHERE state = 'failed' AND at < $1 AND provider_id LIKE $2",
                before,
                f"{_UNPROVED}%",
            )

        await self._store.write(give_up)

        async def unit(tx: UnitOfWork) -> list[Arrival]:
            return await tx.select(ARRIVALS, "WHERE state ANY_OF($1) AND at < $2", ["kept", "failed"], before)

        needed = {self._path(arrival) for arrival in await self._store.read(unit)}
        count = await asyncio.to_thread(_forget_days, self._folder, f"{utc(before):%Y%m%d}", needed)
        if count:
            log.info("old letters' bytes are removed", extra={"count": count, "days": days})
        return count

    # -- what staff ask

    async def attention(self, scope: Scope, *, limit: int = 200) -> list[Arrival]:
        """Return what could not be read, newest first.

        Raises:
            Forbidden: supervisors only: nobody knows yet whose work it would be.
        """
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> list[Arrival]:
            return await tx.select(ARRIVALS, "WHERE state = 'failed' ORDER BY at DESC, id DESC LIMIT $1", limit)

        return await self._store.read(unit)

    async def read_again(self, arrival_id: str, scope: Scope) -> Arrival:
        """Let what failed, or was dismissed, be read once more, soon.

        Raises:
            Forbidden: supervisors only, and of what nobody could vouch for admins only. NotFound: there is none.
            Conflict: it was read already.
        """
        changed = await self._change(
            arrival_id,
            scope,
            {ArrivalState.FAILED, ArrivalState.IGNORED},
            is_replay=True,
            state=ArrivalState.KEPT,
            problem="",
            attempts=0,
        )
        self._wake.set()
        return changed

    async def dismiss(self, arrival_id: str, scope: Scope) -> Arrival:
        """Take it off the list of what needs attention; it stays kept, and can be read again.

        Raises:
            Forbidden: supervisors only. NotFound: there is none. Conflict: it needs no attention.
        """
        return await self._change(arrival_id, scope, {ArrivalState.FAILED}, state=ArrivalState.IGNORED)

    async def raw(self, arrival_id: str, scope: Scope) -> bytes:
        """Return something as it arrived, for saving.

        Raises:
            NotFound: there is none, or not for this person.
        """

        async def unit(tx: UnitOfWork) -> Arrival:
            found = await tx.get(ARRIVALS, arrival_id)
            inside = await tx.get(INTERACTIONS, found.interaction) if found and found.interaction else None
            if found is None or not (scope.sees_all or (inside is not None and scope.sees(inside))):
                raise NotFound("There is no such arrival.")
            return found

        arrival = await self._store.read(unit)
        try:
            return await asyncio.to_thread(self._path(arrival).read_bytes)
        except FileNotFoundError:
            raise NotFound("Its bytes are gone.") from None

    async def _change(
        self,
        arrival_id: str,
        scope: Scope,
        allowed: set[ArrivalState],
        *,
        is_replay: bool = False,
        **changes: object,
    ) -> Arrival:
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> Arrival:
            found = await tx.get(ARRIVALS, arrival_id, lock=True)
            if found is None:
                raise NotFound("There is no such arrival.")
            if is_replay and is_unproved(found):
                scope.require_admin()
            if found.state not in allowed or found.interaction is not None:
                raise Conflict(f"It is {found.state.value}.")
            changed = msgspec.structs.replace(found, **changes)
            await tx.execute(ARRIVALS.update, *ARRIVALS.update_values(changed))
            return tx.touch(changed)

        return await self._store.write(unit)

    # -- reading

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            self._caught_up.clear()
            try:
                count = await self._step()
            except Unavailable as error:
                log.warning("reading waits for the database", extra={"error": str(error)})
                await self._clock.sleep(_RETRY_S)
                continue
            except Exception:
                log.exception("reading failed")
                await self._clock.sleep(_RETRY_S)
                continue
            if not count and not self._wake.is_set():
                self._caught_up.set()
                await self._wake.wait()

    async def _step(self) -> int:
        """Read what waits, oldest first, as many at once as fit in memory; return how many there were.

        While some are being committed the next ones are read: on two cores that nearly halves the time.
        """
        waiting = await self._waiting()
        if suspects := [one for one in waiting[: self._suspects] if one.at <= self._began_at]:
            for arrival in suspects:
                self._suspects -= 1
                await self._read_suspect(arrival)
            return len(suspects)
        count = 0
        reading = asyncio.create_task(self._read_all(waiting), name="arrivals read")
        try:
            while waiting:
                readings = await reading
                following = await self._waiting(besides=waiting)
                reading = asyncio.create_task(self._read_all(following), name="arrivals read")
                await self._take_all(readings)
                count += len(waiting)
                waiting = following
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return count

    async def _read_all(self, waiting: Sequence[Arrival]) -> list[Reading]:
        raws = await asyncio.to_thread(self._raws, waiting) if waiting else []
        return await asyncio.gather(*(self._read(one, raw) for one, raw in zip(waiting, raws, strict=True)))

    async def _take_all(self, readings: Sequence[Reading]) -> None:
        """Take what was read. Submitted in order, committed in order, and together."""
        stored = [self._store.submit(self._unit(reading)) for reading in readings]
        outcomes = await asyncio.gather(*stored, return_exceptions=True)
        for reading, outcome in zip(readings, outcomes, strict=True):
            await self._settled(reading, outcome)

    async def _read_suspect(self, arrival: Arrival, tries: int = 1) -> None:
        """Read one that the last hub may have died of; it is counted, once in a hub's life, before what may kill.

        One that a hub died over is read apart, where a reader can do that, and only its placing counts: that is short,
        and hubs that are killed again and again for reasons of their own do not make it unreadable.
        """
        is_counted = arrival.id in self._counted
        if arrival.attempts >= _MAX_TRIES and not is_counted:
            await self._fail(arrival, "The hub stopped each time it read this.")
            return
        is_apart = arrival.attempts > is_counted and isinstance(self._readers[arrival.channel][0], ReadsApart)
        if not is_apart:
            arrival = await self._count(arrival)
        (raw,) = await asyncio.to_thread(self._raws, [arrival])
        reading = await self._read(arrival, raw, is_apart=is_apart)
        if is_apart:
            await self._count(arrival)
        (outcome,) = await asyncio.gather(self._store.submit(self._unit(reading)), return_exceptions=True)
        await self._settled(reading, outcome, tries)

    async def _count(self, arrival: Arrival) -> Arrival:
        if arrival.id in self._counted:
            return arrival
        counted = msgspec.structs.replace(arrival, attempts=arrival.attempts + 1)

        async def unit(tx: UnitOfWork) -> None:
            await tx.execute("UPDATE arrivals SET attempts = $1 WHERE id = $2", counted.attempts, counted.id)

        await self._store.write(unit)
        self._counted.add(arrival.id)
        return counted

    async def _waiting(self, besides: Sequence[Arrival] = ()) -> list[Arrival]:
        """Return the oldest that wait, but those that are being taken, as many as fit in memory."""
        channels = sorted(self._readers)
        under_way = {arrival.id for arrival in besides}

        async def unit(tx: UnitOfWork) -> list[Arrival]:
            return await tx.select(
                ARRIVALS,
                "WHERE state = 'kept' AND channel ANY_OF($1) ORDER BY at, id LIMIT $2",
                channels,
                READ_AT_ONCE + len(under_way),
            )

        found = [one for one in await self._store.read(unit) if one.id not in under_way]
        size, taken = 0, list[Arrival]()
        for arrival in found[:READ_AT_ONCE]:
            size += arrival.size
            if taken and size > _BYTES_AT_ONCE:
                break
            taken.append(arrival)
        return taken

    def _raws(self, arrivals: Sequence[Arrival]) -> list[bytes | OSError]:
        """Return the bytes of these arrivals, or why they cannot be had; runs in a thread."""
        found: list[bytes | OSError] = []
        for arrival in arrivals:
            try:
                found.append(self._path(arrival).read_bytes())
            except OSError as error:
                found.append(error)
        return found

    async def _read(self, arrival: Arrival, raw: bytes | OSError, *, is_apart: bool = False) -> Reading:
        """Read one arrival and put its files in their places. Whatever it makes the reader raise concerns it alone."""
        reader, kind = self._readers[arrival.channel]
        if isinstance(raw, OSError):
            return Reading(arrival, problem=f"Its bytes are gone: {raw.strerror}.")
        try:
            read = reader.read_apart if is_apart and isinstance(reader, ReadsApart) else reader.read
            inbound = await _in_time(read, raw)
            inbound = msgspec.structs.replace(inbound, dedupe=f"{kind}:{inbound.dedupe}" if inbound.dedupe else "")
            return Reading(arrival, *await self._with_files(arrival, inbound))
        except PayloadUnreadable as error:
            return Reading(arrival, problem=str(error))
        except ChannelUnavailable as error:
            # Nothing is wrong with the letter: it waits.
            raise Unavailable(str(error)) from error
        except TimeoutError:
            return Reading(arrival, problem=f"It could not be read within {_READ_S:.0f} seconds.")
        except OSError as error:
            return Reading(arrival, problem=f"Its files could not be written: {error.strerror}.")
        except Exception as error:
            log.exception("an arrival could not be read", extra={"arrival": arrival.id, "channel": arrival.channel})
            return Reading(arrival, problem=f"{type(error).__name__}: {error}")

    async def _with_files(self, arrival: Arrival, inbound: Inbound) -> tuple[Inbound, tuple[StoredFile, ...]]:
        message = inbound.message if isinstance(inbound, InboundReport) else inbound
        if not isinstance(message, InboundMessage):
            return inbound, ()
        return inbound, await self._files.keep(list(self._intake.files_of(arrival, message)), by="customer")

    def _unit(self, reading: Reading) -> Callable[[UnitOfWork], "asyncio.Future[Arrival | None]"]:
        async def unit(tx: UnitOfWork) -> Arrival | None:
            arrival = await tx.get(ARRIVALS, reading.arrival.id, lock=True)
            if arrival is None or arrival.state is not ArrivalState.KEPT:
                return None
            if reading.inbound is None:
                done = msgspec.structs.replace(
                    arrival, state=ArrivalState.FAILED, problem=_shown(reading.problem), attempts=arrival.attempts
                )
                _record_failure(tx, done)
            else:
                done = await self._intake.receive(tx, arrival, reading.inbound, reading.files)
            await tx.update_many(ARRIVALS, ARRIVALS.columns, [ARRIVALS.values(done)])
            return tx.touch(done)

        return unit  # type: ignore[return-value]

    async def _settled(self, reading: Reading, outcome: Arrival | BaseException | None, tries: int = 0) -> None:
        """Judge how the transaction ended: taken, to be tried again, or never."""
        if isinstance(outcome, Unavailable):
            raise outcome
        if isinstance(outcome, Exception) and tries < _MAX_TRIES:
            # Another node was quicker, or a colleague changed the interaction: the next try sees what they did.
            await self._read_suspect(reading.arrival, tries + 1)
        elif isinstance(outcome, Exception):
            if not isinstance(outcome, HubError):
                log.error("an arrival could not be taken", exc_info=outcome, extra={"arrival": reading.arrival.id})
            await self._fail(reading.arrival, f"{type(outcome).__name__}: {outcome}")
        elif isinstance(outcome, BaseException):
            raise outcome
        elif outcome is not None:
            self.count(str(outcome.state))
        await self._forget_unused(reading, outcome)

    async def _forget_unused(self, reading: Reading, outcome: object) -> None:
        """Remove the files that no record names: it came before, was a report, or failed and will bring them again."""
        if not reading.files or outcome is None:
            return
        ids = [file.id for file in reading.files]

        async def unit(tx: UnitOfWork) -> set[str]:
            return {str(row[0]) for row in await tx.fetch("SELECT id FROM files WHERE id ANY_OF($1)", ids)}

        is_taken = isinstance(outcome, Arrival) and outcome.state is ArrivalState.TAKEN
        if is_taken and not isinstance(reading.inbound, InboundReport):
            return
        named = await self._store.read(unit)
        await self._files.forget([file_id for file_id in ids if file_id not in named])

    async def _fail(self, arrival: Arrival, problem: str) -> None:
        (outcome,) = await asyncio.gather(
            self._store.submit(self._unit(Reading(arrival, problem=problem))), return_exceptions=True
        )
        if isinstance(outcome, BaseException):
            raise outcome
        self.count("failed")


async def _in_time(read: Callable[[bytes], Awaitable[Inbound]], raw: bytes) -> Inbound:
    """Read it, and once more if it took too long: the machine may have slept meanwhile.

    Raises:
        TimeoutError: it takes too long. Whatever reading it raises.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_READ_S):
            return await read(raw)
    async with asyncio.timeout(_READ_S):
        return await read(raw)


def _forget_days(folder: Path, before: str, needed: set[Path]) -> int:
    """Remove the files of days before one (YYYYMMDD), but those that are needed."""
    count = 0
    for day in sorted(folder.glob("[0-9]" * 8)):
        if day.name >= before:
            break
        for path in day.iterdir():
            if path not in needed:
                path.unlink(missing_ok=True)
                count += 1
        with contextlib.suppress(OSError):  # something is needed there, or another node was quicker
            day.rmdir()
    return count


def _arrival(arrival_id: str, channel: str, one: RawArrival, now: int) -> Arrival:
    return Arrival(
        id=arrival_id,
        channel=channel,
        provider_id=one.provider_id,
        at=now,
        size=len(one.raw) if one.size is None else one.size,
        sha256=hashlib.sha256(one.raw).hexdigest(),
        received_at=one.received_at,
        state=ArrivalState.FAILED if one.problem else ArrivalState.KEPT,
        problem=_shown(one.problem),
    )


def _record_failure(tx: UnitOfWork, arrival: Arrival) -> None:
    tx.record(EventKind.ARRIVAL_FAILED, channel=arrival.channel, arrival=arrival.id, size=arrival.size)
    tx.touch(arrival)


def _shown(problem: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in problem)
    return printable.encode("utf-8", "replace").decode()[:_PROBLEM_CHARS]
