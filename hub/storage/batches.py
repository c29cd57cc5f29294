"""Batches: many requests of one kind become one unit of work with a few statements, however many there are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from hub.domain.errors import Unavailable
from hub.storage.unit_of_work import Store, UnitOfWork

Item = TypeVar("Item")
Result = TypeVar("Result")
RunMany = Callable[[UnitOfWork, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Batch(Generic[Item, Result]):
    """Collects requests while the batch before is being committed, then runs them together, in order.

    `run_many` answers each item with its result or with the error that concerns it alone; what it raises concerns all.
    `guarded` is what `Store.submit` says of it. One that is `prompt` puts a request that finds nothing under way before
    the store at once, so that it keeps its place among others; without it, requests of one instant share a commit.
    """

    def __init__(
        self,
        store: Store,
        run_many: RunMany[Item, Result],
        *,
        limit: int = 256,
        guarded: bool = False,
        prompt: bool = False,
    ) -> None:
        self._store = store
        self._run_many = run_many
        self._limit = limit
        self._guarded = guarded
        self._prompt = prompt
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """Put an item in the next batch; the future resolves after the commit."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if self._running is None:
            begun = self._begun((item,)) if self._prompt else None
            self._running = asyncio.create_task(self._run(begun, future), name="batch")
            if begun is not None:
                return future
        self._waiting.append((item, future))
        return future

    async def _run(
        self, begun: "asyncio.Future[Sequence[Result | Exception]] | None", first: "asyncio.Future[Result]"
    ) -> None:
        try:
            if begun is not None:
                await _settle(begun, [first])
            while self._waiting:
                taken, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await _settle(self._begun([item for item, _ in taken]), [future for _, future in taken])
        finally:
            self._running = None

    def _begun(self, items: Sequence[Item]) -> "asyncio.Future[Sequence[Result | Exception]]":
        async def unit(tx: UnitOfWork) -> Sequence[Result | Exception]:
            return await self._run_many(tx, items)

        try:
            return self._store.submit(unit, guarded=self._guarded)
        except Unavailable as error:
            closed: asyncio.Future[Sequence[Result | Exception]] = asyncio.get_running_loop().create_future()
            closed.set_exception(error)
            return closed


async def _settle(
    done: "asyncio.Future[Sequence[Result | Exception]]", futures: Sequence["asyncio.Future[Result]"]
) -> None:
    """Tell each who waits how their item ended, once the batch is committed."""
    try:
        results = await done
    except Exception as error:
        results = [error for _ in futures]
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
