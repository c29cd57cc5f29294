"""Durable timers: they live in the database, survive a restart, and fire late rather than never."""

import asyncio
import contextlib
import heapq
import logging
from collections.abc import Awaitable, Callable, Mapping

from hub.clock import Clock
from hub.domain.errors import NotFound, Unavailable
from hub.events import Bus, Commit
from hub.storage.tables import JOBS, GoneJob, Job
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)

Handler = Callable[[str], Awaitable[object]]
_RETRY_S = (1, 5, 30, 120, 600)
_OUT_OF_REACH_MS = 500


class Jobs:
    """Fires each timer's handler at its time; a handler that fails is tried again later, for ever more rarely.

    Handlers are told the timer's subject, and find out by themselves whether anything is still to be done: a timer may
    fire twice.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        handlers: Mapping[str, Handler],
        count: Callable[[str], object] = lambda _kind: None,
    ) -> None:
        """Build them; `count` is told the kind of every timer that fires."""
        self._store = store
        self._clock = clock
        self._handlers = handlers
        self._count = count
        self._due: list[tuple[int, str]] = []
        self._known: dict[str, Job] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        bus.subscribe(self._on_commit)

    async def start(self) -> None:
        """Take up every timer of the database."""

        async def unit(tx: UnitOfWork) -> list[Job]:
            return await tx.select(JOBS, "ORDER BY due_at")

        for job in await self._store.read(unit):
            self._arm(job)
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        """Fire nothing more; what runs is finished."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def overdue_ms(self) -> int:
        """How late the most overdue timer is; 0 when none is."""
        return max(self._clock.now() - self._due[0][0], 0) if self._due else 0

    def _on_commit(self, commit: Commit) -> None:
        for record in commit.records:
            if isinstance(record, Job):
                self._arm(record)
            elif isinstance(record, GoneJob):
                self._known.pop(record.id, None)

    def _arm(self, job: Job) -> None:
        self._known[job.id] = job
        heapq.heappush(self._due, (job.due_at, job.id))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            now = self._clock.now()
            while self._due and self._due[0][0] <= now:
                due_at, job_id = heapq.heappop(self._due)
                job = self._known.get(job_id)
                if job is not None and job.due_at == due_at:
                    del self._known[job_id]
                    self._fire(job)
            await self._clock.wait_until(self._wake, self._due[0][0] if self._due else None)
            self._wake.clear()

    def _fire(self, job: Job) -> None:
        task = asyncio.create_task(self._handle(job), name=f"job {job.kind}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _handle(self, job: Job) -> None:
        """Run the handler if the timer still stands in the database, and take it out."""
        handler = self._handlers.get(job.kind)
        try:
            if not await self._stands(job):
                return
            self._count(job.kind)
            if handler is not None:
                await handler(job.subject)
            await self._done(job)
        except NotFound:
            await self._done(job)
        except Unavailable as error:
            log.warning("a timer waits for the database", extra={"job": job.id, "error": str(error)})
            self._again_soon(job)
        except Exception:
            log.exception("a timer failed", extra={"job": job.id, "attempts": job.attempts})
            await self._later(job)

    async def _stands(self, job: Job) -> bool:
        async def unit(tx: UnitOfWork) -> bool:
            stored = await tx.get(JOBS, job.id)
            return stored is not None and stored.due_at == job.due_at

        return await self._store.read(unit)

    async def _done(self, job: Job) -> None:
        async def unit(tx: UnitOfWork) -> None:
            await tx.execute("DELETE FROM jobs WHERE id = $1 AND due_at = $2", job.id, job.due_at)

        await self._store.write(unit)

    async def _later(self, job: Job) -> None:
        wait_s = _RETRY_S[min(job.attempts, len(_RETRY_S) - 1)]

        async def unit(tx: UnitOfWork) -> None:
            stored = await tx.get(JOBS, job.id, lock=True)
            if stored is None or stored.due_at != job.due_at:
                return
            again = Job(
                id=job.id,
                kind=job.kind,
                subject=job.subject,
                due_at=tx.now + wait_s * 1000,
                attempts=job.attempts + 1,
                note=job.note,
            )
            await tx.execute(JOBS.update, *JOBS.update_values(again))
            tx.touch(again)

        try:
            await self._store.write(unit)
        except Exception:
            log.exception("a timer's delay could not be written", extra={"job": job.id})
            self._again_soon(job)

    def _again_soon(self, job: Job) -> None:
        """Fire again in a moment, without a word to the database, which is out of reach."""
        self._clock.call_at(self._clock.now() + _OUT_OF_REACH_MS, lambda: self._fire(job) if self._task else None)
