"""A store of each kind on an empty, migrated database, with our clock."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from hub.clock import FakeClock
from hub.events import Bus
from hub.storage.migrations import migrate
from hub.storage.schema import metadata
from hub.storage.unit_of_work import Store
from tests.builders import small_company
from tests.conftest import BACKENDS
from tests.contract.house import House, open_store
from tests.servers import postgres

T = TypeVar("T")


def done_aside(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end in a loop of its own, also from within a running one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that was migrated once, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    done_aside(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def shared_database() -> Iterator[str]:
    """One migrated PostgreSQL database for all: emptying it is quicker than copying another."""
    server = postgres()
    url = done_aside(server.create())
    done_aside(migrate(url))
    yield url
    done_aside(server.drop(url))


@pytest.fixture(params=BACKENDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database on each back end."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "hub.db")
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("shared_database")
    connection = await asyncpg.connect(url)
    await connection.execute("; ".join(f"DELETE FROM {name}" for name in [*metadata.tables, "words", "names"]))
    await connection.close()
    return url


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
