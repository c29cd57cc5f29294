"""Batches: many requests of one kind become one unit of work with a few statements, however many there are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from hub.domain.errors import Unavailable
from hub.storage.unit_of_work import Store, UnitOfWork

Item = TypeVar("Item")
Result = TypeVar("Result")
_Taken = list[tuple[Item, "asyncio.Future[Result]"]]
RunMany = Callable[[UnitOfWork, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Batch(Generic[Item, Result]):
    """Collects requests until the store begins with the unit that was asked for, then runs them together, in order.

    `run_many` answers each item with its result or with the error that concerns it alone; what it raises concerns all.
    `guarded` is what `Store.submit` says of it. One that is `prompt` asks for a unit at once; without it, requests of
    one instant share a commit, and may come after a unit that was asked for in that instant.

    What is asked for while a unit is being committed is the next one's: the store begins with that as soon as it can,
    while the loop still tells everybody of the first. So a request may come before units that others asked for before
    it, never after one that was asked for later.
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
        self._is_asked = False

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """Put an item in the next batch; the future resolves after the commit."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if not self._is_asked:
            self._is_asked = True
            if self._prompt:
                self._ask()
            else:
                loop.call_soon(self._ask)
        return future

    def _ask(self) -> None:
        """Ask the store for a unit; what waits when it begins is done in it, however often it is tried."""
        taken: _Taken[Item, Result] | None = None

        async def unit(tx: UnitOfWork) -> Sequence[Result | Exception]:
            nonlocal taken
            if taken is None:
                taken = self._take()
            return await self._run_many(tx, [item for item, _ in taken]) if taken else ()

        def settle(done: "asyncio.Future[Sequence[Result | Exception]]") -> None:
            # A unit that was refused before it began fails for all who waited for it.
            ended = self._take() if taken is None else taken
            if self._waiting and not self._is_asked:
                self._is_asked = True
                self._ask()
            error = done.exception()
            _settle(ended, [error for _ in ended] if isinstance(error, Exception) else done.result())

        try:
            self._store.submit(unit, guarded=self._guarded).add_done_callback(settle)
        except Unavailable as error:
            ended = self._take()
            _settle(ended, [error for _ in ended])

    def _take(self) -> "_Taken[Item, Result]":
        """Return what waits, up to the limit.

        Called by the store's thread: that whoever comes now must ask again is said before anything is taken.
        """
        self._is_asked = False
        taken = self._waiting[: self._limit]
        del self._waiting[: len(taken)]
        return taken


def _settle(taken: "_Taken[Item, Result]", results: Sequence[Result | Exception]) -> None:
    """Tell each who waits how their item ended, once the batch is committed."""
    for (_, future), result in zip(taken, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
