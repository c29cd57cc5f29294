"""Fixtures for everybody: a running hub on SQLite and on PostgreSQL, and guards against what tests leave behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.storage.migrations import migrate
from tests.builders import Desk, open_desk
from tests.servers import postgres

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(params=BACKENDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty, migrated database on each back end."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/hub.db"
        await migrate(url)
        yield url
        return
    server = postgres()
    await server.template("hub", build=migrate)
    async with server.database("hub") as url:
        yield url


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A running hub with our clock."""
    opened = await open_desk(tmp_path, database_url)
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No thread outlives its test, but for those of executors and of the test's own tools."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("database-")]
    assert not left, f"threads left behind: {left}"


def pytest_sessionfinish() -> None:
    """Close the default event loop policy's leftovers, so that warnings-as-errors judge our code only."""
    asyncio.set_event_loop_policy(None)
