"""The clock: what is due fires in order, and nothing sleeps in a test."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from hub.clock import FAKE_START, FakeClock, SystemClock, instant, iso, utc


async def test_sleepers_wake_in_order_of_their_instants_each_at_its_own() -> None:
    clock = FakeClock()
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now() - FAKE_START))

    tasks = [asyncio.create_task(sleeper(n, s)) for n, s in (("late", 20), ("early", 5), ("twin", 20), ("never", 90))]
    await clock.advance(seconds=30)

    assert woken == [("early", 5000), ("late", 20_000), ("twin", 20_000)]
    assert clock.now() == FAKE_START + 30_000
    assert clock.monotonic_ms() == 30_000
    tasks[-1].cancel()


async def test_timer_arranged_on_the_way_fires_on_the_way() -> None:
    clock = FakeClock()
    ticks: list[int] = []

    async def sweep() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.now() - FAKE_START)

    task = asyncio.create_task(sweep())
    await clock.advance(seconds=5)
    task.cancel()
    assert ticks == [1000, 2000, 3000, 4000, 5000]


async def test_cancelled_timer_does_not_fire_and_is_not_next() -> None:
    clock = FakeClock()
    fired: list[str] = []
    clock.call_at(clock.now() + 10, lambda: fired.append("gone")).cancel()
    clock.call_at(clock.now() + 20, lambda: fired.append("kept"))
    assert clock.next_due() == FAKE_START + 20
    await clock.advance(ms=20)
    assert fired == ["kept"]
    assert clock.next_due() is None


async def test_timer_already_due_fires_in_the_next_turn() -> None:
    clock = FakeClock()
    fired: list[str] = []
    clock.call_at(clock.now() - 1, lambda: fired.append("at once"))
    assert fired == []
    await clock.settled()
    assert fired == ["at once"]


async def test_wait_until_tells_event_from_time() -> None:
    clock, event = FakeClock(), asyncio.Event()
    waiting = asyncio.create_task(clock.wait_until(event, clock.now() + 1000))
    await clock.advance(seconds=1)
    assert await waiting is False

    waiting = asyncio.create_task(clock.wait_until(event, clock.now() + 1000))
    await clock.settled()
    event.set()
    assert await waiting is True
    assert await clock.wait_until(event, None) is True
    assert clock.next_due() is None


async def test_cancelled_sleeper_leaves_nothing_behind() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(60))
    await clock.settled()
    task.cancel()
    await clock.settled()
    assert task.cancelled()
    assert clock.next_due() is None


async def test_settle_is_awaited_so_that_threads_are_waited_for() -> None:
    calls: list[int] = []

    async def settle() -> None:
        calls.append(1)

    clock = FakeClock(settle=settle)
    await clock.advance(seconds=1)
    assert calls


async def test_fake_clock_does_not_go_back() -> None:
    clock = FakeClock()
    with pytest.raises(ValueError, match="does not go back"):
        await clock.advance_to(FAKE_START - 1)


async def test_system_clock_waits_for_real_and_can_be_called_off() -> None:
    clock = SystemClock()
    before = clock.now()
    fired: list[str] = []
    clock.call_at(before + 5, lambda: fired.append("gone")).cancel()
    await clock.sleep_until(before + 20)
    assert before + 20 <= clock.now() < before + 5000
    assert fired == []
    assert clock.monotonic_ms() >= 0


def test_instants_and_dates_are_each_others_inverse() -> None:
    moment = datetime(2026, 1, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    assert instant(moment) == FAKE_START
    assert utc(FAKE_START) == datetime(2026, 1, 1, tzinfo=UTC)
    assert iso(FAKE_START + 7) == "2026-01-01T00:00:00.007Z"
    with pytest.raises(ValueError, match="zone"):
        instant(datetime(2026, 1, 1))  # noqa: DTZ001 - the very thing that is refused
