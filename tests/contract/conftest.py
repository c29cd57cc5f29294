"""A store of each kind on an empty, migrated database, with our clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import FakeClock
from hub.events import Bus
from hub.settings import Limits
from hub.storage.unit_of_work import Store
from tests.builders import small_company
from tests.contract.house import House, open_store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> Bus:
    return Bus(strict=True)


@pytest.fixture
async def store(database_url: str, clock: FakeClock, bus: Bus) -> AsyncIterator[Store]:
    opened = await open_store(database_url, clock, bus)
    yield opened
    await opened.close()


@pytest.fixture
def house(store: Store, clock: FakeClock, bus: Bus, database_url: str, tmp_path: Path) -> House:
    return House(
        store=store,
        clock=clock,
        bus=bus,
        settings=small_company(tmp_path, database_url, limits=Limits(visitor_messages_per_day=100_000)),
    )
