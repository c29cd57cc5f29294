"""Calls while the hub cannot serve them: a database away, or one that hangs. Nobody hears an error or is hung up on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from channels.simulator.carrier import Hook
from channels.simulator.carrier.legs import Leg as Line
from hub.domain.errors import Unavailable
from hub.domain.interaction import State
from tests.integration.phones import ANN, LINE, AgentPhone, PhoneHouse, phone_house

Breaks = Callable[[], Awaitable[None]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line; what is tried here is its patience, not the database."""
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db") as opened:
        yield opened
        assert opened.bad_documents() == []


async def is_away() -> None:
    """A database that cannot be reached."""
    raise Unavailable("The database cannot be reached.")


@contextmanager
def broken(house: PhoneHouse, how: Breaks) -> Iterator[None]:
    """Let the hub store nothing for a while; the test itself still may."""
    store: Any = house.desk.hub.services.store
    whole = store.submit

    def submit(unit: Any, *, guarded: bool = False) -> "asyncio.Future[Any]":
        is_ours = unit.__module__.startswith("tests.")
        return whole(unit, guarded=guarded) if is_ours else asyncio.ensure_future(how())

    store.submit = submit
    try:
        yield
    finally:
        del store.submit


def heard(line: Line) -> list[str]:
    """Return what a caller has heard: words, and music by its file."""
    return [sound.text or sound.url.rpartition("/")[2] for sound in line.hearing.sounds]


async def test_who_waits_hears_music_while_nothing_can_be_stored_and_keeps_the_place(house: PhoneHouse) -> None:
    line = house.calls()
    await house.wait(3)
    before = (await house.interactions())[0]
    with broken(house, is_away):
        await house.wait(100)
    assert not line.is_over
    assert set(heard(line)[4:]) == {"2.wav"}
    await house.wait(60)
    assert not line.is_over
    assert heard(line)[-3:].count("You are next in line.") == 1
    assert await house.desk.interaction(before.id) == before

    await house.desk.available("ann")
    AgentPhone(house, "ann")
    await house.wait(1)
    await house.desk.accept("ann")
    await house.wait(3)
    assert (await house.desk.interaction(before.id)).state is State.ACTIVE


async def test_mistake_of_ours_is_heard_by_nobody(house: PhoneHouse) -> None:
    calls: Any = house.channel.hub.calls

    async def mistaken(*_: object, **__: object) -> None:
        raise KeyError("a mistake")

    calls.arrived = mistaken
    line = house.calls()
    await house.wait(3)
    del calls.arrived
    await house.wait(5)
    calls.waiting = mistaken
    await house.wait(60)
    del calls.waiting
    await house.wait(5)
    assert not line.is_over
    assert [one.state for one in await house.interactions()] == [State.QUEUED]
    assert heard(line)[:2] == ["2.wav", "Welcome to Fernway."]


async def test_who_calls_while_nothing_can_be_stored_is_taken_in_as_soon_as_it_can(house: PhoneHouse) -> None:
    with broken(house, is_away):
        line = house.calls()
        await house.wait(20)
        assert not line.is_over
        assert set(heard(line)) == {"2.wav"}
    await house.wait(10)
    (taken,) = await house.interactions()
    assert (taken.state, taken.address) == (State.QUEUED, ANN)
    assert "Welcome to Fernway." in heard(line)


async def test_database_that_hangs_keeps_nobody_waiting_for_words(house: PhoneHouse) -> None:
    first = house.calls()
    await house.wait(3)
    free = asyncio.Event()

    async def hangs() -> None:
        await free.wait()
        raise Unavailable("The database cannot be reached.")

    with broken(house, hangs):
        house.clock.settle = None
        second = house.calls("+14155550177")
        for _ in range(60):
            await house.wait(1)
            await asyncio.sleep(0.01)
        for line in (first, second):
            assert not line.is_over
            assert "2.wav" in heard(line)
        free.set()
        await asyncio.sleep(0.1)
    for _ in range(60):
        await house.wait(1)
        await asyncio.sleep(0.02)
    assert [one.state for one in await house.interactions()] == [State.QUEUED, State.QUEUED]
    assert not first.is_over
    assert not second.is_over


@pytest.mark.parametrize("dead", ["nowhere", "nowhere/call"])
async def test_caller_whom_the_carrier_brings_by_its_fallback_is_taken_in(house: PhoneHouse, dead: str) -> None:
    house.carrier.account.numbers[LINE].voice = Hook(f"{house.channel.places.base}/{dead}")
    line = house.calls()
    await house.wait(8)
    (taken,) = await house.interactions()
    assert (taken.state, taken.address) == (State.QUEUED, ANN)
    await house.wait(30)
    assert not line.is_over
    assert heard(line)[:2] == ["2.wav", "Welcome to Fernway."]
