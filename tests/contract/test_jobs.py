"""Durable timers: in the database, fired once each, late rather than never."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hub.domain.errors import NotFound
from hub.jobs import Jobs
from hub.services import moves
from hub.storage.tables import JOBS, Job
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import House

Handler = Callable[[str], Awaitable[object]]


class Rung:
    """A handler that notes whom it rang for, and fails as often as it is told."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.heard: list[tuple[str, int]] = []
        self.failures: list[Exception] = []

    async def __call__(self, subject: str) -> None:
        self.heard.append((subject, self._house.clock.now()))
        if self.failures:
            raise self.failures.pop()


@pytest.fixture
def rung(house: House) -> Rung:
    return Rung(house)


def jobs_of(house: House, rung: Handler) -> Jobs:
    jobs = Jobs(house.store, house.bus, house.clock, {"bell": rung})

    async def handled() -> None:
        while jobs._running:
            await asyncio.gather(*jobs._running)

    house.clock.settle = handled
    return jobs


async def set_timer(house: House, subject: str, in_s: float, kind: str = "bell") -> None:
    async def unit(tx: UnitOfWork) -> None:
        await moves.schedule(tx, kind, subject, tx.now + round(in_s * 1000))

    await house.store.write(unit)


async def test_timers_fire_once_each_in_order_at_their_time(house: House, rung: Rung) -> None:
    jobs = jobs_of(house, rung)
    await jobs.start()
    start = house.clock.now()
    for subject, in_s in (("c", 30), ("a", 10), ("b", 20)):
        await set_timer(house, subject, in_s)
    await house.clock.advance(seconds=60)
    assert rung.heard == [("a", start + 10_000), ("b", start + 20_000), ("c", start + 30_000)]
    assert await house.rows(JOBS) == []
    await jobs.stop()


async def test_moved_timer_fires_at_its_new_time_only_and_a_cancelled_one_never(house: House, rung: Rung) -> None:
    jobs = jobs_of(house, rung)
    await jobs.start()
    start = house.clock.now()
    await set_timer(house, "moved", 10)
    await set_timer(house, "moved", 40)
    await set_timer(house, "earlier", 50)
    await set_timer(house, "earlier", 5)
    await set_timer(house, "cancelled", 10)

    async def cancel(tx: UnitOfWork) -> None:
        await moves.cancel_job(tx, "bell", "cancelled")

    await house.store.write(cancel)
    await house.clock.advance(seconds=100)
    assert rung.heard == [("earlier", start + 5_000), ("moved", start + 40_000)]
    await jobs.stop()


async def test_timers_survive_a_restart_and_fire_late_rather_than_never(house: House, rung: Rung) -> None:
    first = jobs_of(house, rung)
    await first.start()
    await set_timer(house, "late", 10)
    await set_timer(house, "later", 1_000)
    await first.stop()
    await house.clock.advance(seconds=500)
    assert rung.heard == []
    again = jobs_of(house, rung)
    await again.start()
    await house.clock.settled()
    assert [subject for subject, _ in rung.heard] == ["late"]
    await house.clock.advance(seconds=600)
    assert [subject for subject, _ in rung.heard] == ["late", "later"]
    await again.stop()


async def test_failing_timer_is_tried_again_ever_more_rarely(house: House, rung: Rung) -> None:
    jobs = jobs_of(house, rung)
    await jobs.start()
    rung.failures = [RuntimeError(), RuntimeError()]
    await set_timer(house, "stubborn", 1)
    start = house.clock.now()
    await house.clock.advance(seconds=60)
    assert [(at - start) // 1000 for _, at in rung.heard] == [1, 2, 7]
    assert await house.rows(JOBS) == []
    await jobs.stop()


async def test_timer_about_what_is_gone_is_done(house: House, rung: Rung) -> None:
    jobs = jobs_of(house, rung)
    await jobs.start()
    rung.failures = [NotFound("gone")]
    await set_timer(house, "gone", 1)
    await set_timer(house, "nobody listens", 1, kind="unknown")
    await house.clock.advance(seconds=60)
    assert len(rung.heard) == 1
    assert await house.rows(JOBS) == []
    await jobs.stop()


async def test_timer_set_while_the_same_one_is_being_handled_stands(house: House, rung: Rung) -> None:
    async def sets_again(subject: str) -> None:
        rung.heard.append((subject, house.clock.now()))
        if len(rung.heard) < 3:
            await set_timer(house, subject, 10)

    jobs = jobs_of(house, sets_again)
    await jobs.start()
    start = house.clock.now()
    await set_timer(house, "again", 10)
    await house.clock.advance(seconds=100)
    await asyncio.sleep(0)
    assert [(at - start) // 1000 for _, at in rung.heard] == [10, 20, 30]
    await jobs.stop()


async def test_timer_set_and_taken_back_in_one_unit_is_as_it_was_left(house: House, rung: Rung) -> None:
    jobs = jobs_of(house, rung)
    await jobs.start()

    async def unit(tx: UnitOfWork) -> None:
        for subject, is_left in (("left", True), ("taken back", False), ("set again", True)):
            await moves.schedule(tx, "bell", subject, tx.now + 10_000)
            if subject != "left":
                await moves.cancel_job(tx, "bell", subject)
            if subject == "set again":
                await moves.schedule(tx, "bell", subject, tx.now + 20_000)
            assert (f"bell:{subject}" in {job.id for job in tx.touched(Job)}) is is_left

    await house.store.write(unit)
    await house.clock.advance(seconds=60)
    assert [subject for subject, _ in rung.heard] == ["left", "set again"]
    await jobs.stop()
