"""A store of each kind on an empty, migrated database, with our clock."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import FakeClock
from hub.events import Bus
from hub.storage.migrations import migrate
from hub.storage.unit_of_work import Store
from tests.builders import small_company
from tests.conftest import BACKENDS
from tests.contract.house import House, open_store
from tests.servers import postgres


@pytest.fixture(params=BACKENDS)
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """An empty, migrated database on each back end: a copy of one that was migrated once."""
    if request.param == "sqlite":
        template = tmp_path_factory.getbasetemp() / "template.db"
        if not template.exists():
            await migrate(f"sqlite:///{template}")
        shutil.copy(template, tmp_path / "hub.db")
        yield f"sqlite:///{tmp_path}/hub.db"
        return
    server = postgres()
    await server.template("hub", build=migrate)
    async with server.database("hub") as url:
        yield url


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
    return House(store=store, clock=clock, bus=bus, settings=small_company(tmp_path, database_url))
