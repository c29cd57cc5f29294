"""Batches: many requests of one kind become one unit of work with a few statements, however many there are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from hub.storage.unit_of_work import Store, UnitOfWork

Item = TypeVar("Item")
Result = TypeVar("Result")
RunMany = Callable[[UnitOfWork, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Batch(Generic[Item, Result]):
    """Collects requests while the batch before is being committed, then runs them together, in order.

    `run_many` answers each item with its result or with the error that concerns it alone; what it raises concerns all.
    """

    def __init__(self, store: Store, run_many: RunMany[Item, Result], *, limit: int = 256) -> None:
        self._store = store
        self._run_many = run_many
        self._limit = limit
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """Put an item in the next batch; the future resolves after the commit."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="batch")
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                items = [item for item, _ in taken]
                await self._commit(items, [future for _, future in taken])
        finally:
            self._running = None

    async def _commit(self, items: Sequence[Item], futures: Sequence["asyncio.Future[Result]"]) -> None:
        async def unit(tx: UnitOfWork) -> Sequence[Result | Exception]:
            return await self._run_many(tx, items)

        try:
            results: Sequence[Result | Exception] = await self._store.write(unit)
        except Exception as error:
            results = [error for _ in items]
        for future, result in zip(futures, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
