"""When a batch asks the store for a unit, and what is in it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hub.domain.errors import Unavailable
from hub.storage.batches import Batch
from hub.storage.unit_of_work import Store, Unit, UnitOfWork


class HeldStore(Store):
    """Begins and ends units when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Unit[Any], asyncio.Future[Any]]] = []
        self.is_open = True

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def submit(self, unit: Unit[Any], *, guarded: bool = False) -> "asyncio.Future[Any]":
        if not self.is_open:
            raise Unavailable("The database is closed.")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.asked.append((unit, future))
        return future

    async def read(self, unit: Unit[Any]) -> Any:
        raise NotImplementedError

    @property
    def is_postgresql(self) -> bool:
        return False

    async def run(self, number: int) -> object:
        """Run a unit that was asked for, as often as wanted; it is not committed by that."""
        return await self.asked[number][0](UnitOfWork.__new__(UnitOfWork))


def of(store: Store, sizes: list[list[int]], **more: Any) -> Batch[int, int]:
    async def tenfold(_tx: UnitOfWork, items: Sequence[int]) -> list[int | Exception]:
        sizes.append(list(items))
        return [ValueError("odd") if item % 2 else item * 10 for item in items]

    return Batch(store, tenfold, prompt=True, **more)


async def test_requests_join_a_unit_until_it_begins_and_then_ask_for_the_next() -> None:
    store, sizes = HeldStore(), list[list[int]]()
    batch = of(store, sizes)

    first, second = batch.submit(2), batch.submit(4)
    assert len(store.asked) == 1
    results = await store.run(0)
    third = batch.submit(6)
    assert len(store.asked) == 2, "asked for while the first is being committed"

    store.asked[0][1].set_result(results)
    assert [await one for one in (first, second)] == [20, 40]
    store.asked[1][1].set_result(await store.run(1))
    assert await third == 60
    assert sizes == [[2, 4], [6]]


async def test_a_unit_that_is_tried_again_does_the_same_again() -> None:
    store, sizes = HeldStore(), list[list[int]]()
    batch = of(store, sizes)

    first = batch.submit(2)
    await store.run(0)
    second = batch.submit(4)
    store.asked[0][1].set_result(await store.run(0))
    store.asked[1][1].set_result(await store.run(1))

    assert [await one for one in (first, second)] == [20, 40]
    assert sizes == [[2], [2], [4]]


async def test_what_is_more_than_the_limit_comes_with_the_next_unit() -> None:
    store, sizes = HeldStore(), list[list[int]]()
    batch = of(store, sizes, limit=2)

    futures = [batch.submit(number) for number in (2, 4, 6)]
    store.asked[0][1].set_result(await store.run(0))
    await asyncio.gather(*futures[:2])
    store.asked[1][1].set_result(await store.run(1))

    assert await futures[2] == 60
    assert sizes == [[2, 4], [6]]


async def test_a_unit_that_finds_nothing_left_ends_nobodys_wait() -> None:
    store, sizes = HeldStore(), list[list[int]]()
    batch = of(store, sizes)
    first = batch.submit(2)
    batch._is_asked = False  # as the store's thread says it in the very instant
    second = batch.submit(4)
    store.asked[0][1].set_result(await store.run(0))
    results = await store.run(1)
    third = batch.submit(6)
    store.asked[1][1].set_result(results)
    store.asked[2][1].set_result(await store.run(2))

    assert [await one for one in (first, second, third)] == [20, 40, 60]
    assert sizes == [[2, 4], [6]]


async def test_all_who_wait_are_told_when_a_unit_cannot_begin() -> None:
    store, sizes = HeldStore(), list[list[int]]()
    batch = of(store, sizes)
    futures = [batch.submit(2), batch.submit(4)]
    store.asked[0][1].set_exception(Unavailable("The database refused."))
    told = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(error) for error in told] == [Unavailable, Unavailable]

    store.is_open = False
    with pytest.raises(Unavailable):
        await batch.submit(6)
    store.is_open = True
    later = batch.submit(8)
    store.asked[1][1].set_result(await store.run(1))
    assert await later == 80
    assert sizes == [[8]]
