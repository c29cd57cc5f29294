"""Fixtures for everybody: a running hub on SQLite and on PostgreSQL, and guards against what tests leave behind."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from hub.storage.migrations import migrate
from hub.storage.schema import metadata
from tests.builders import Desk, open_desk
from tests.servers import postgres
from tests.unit.console.browsers import watched

BACKENDS = ("sqlite", "postgresql")
T = TypeVar("T")

# How long an example takes says how loaded the machine is, not whether it is right.
settings.register_profile("any-speed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-speed")


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
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A running hub with our clock, and consoles that watch it."""
    opened = await open_desk(tmp_path, database_url)
    try:
        async with watched(opened):
            yield opened
    finally:
        opened.clock.settle = None
        await opened.hub.stop()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No thread outlives its test, but for those of executors and of the test's own tools."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("database-")]
    assert not left, f"threads left behind: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what hostile bytes left in captured logs fit for the wire between the test processes."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close the default event loop policy's leftovers, so that warnings-as-errors judge our code only.

    How it ended is kept beside the failures: 1 says that every test was run and some failed.
    """
    asyncio.set_event_loop_policy(None)
    if not hasattr(session.config, "workerinput"):
        session.config.cache.set("house/exitstatus", int(exitstatus))
