"""A listening hub for each test, and one in a thread of its own for those who attack it many times."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hub.storage.migrations import migrate
from tests.security.yard import Yard, open_yard
from tests.servers import postgres

T = TypeVar("T")
GENEROUS = {
    "visitor_events_per_s": 1e6,
    "visitor_events_burst": 1_000_000,
    "staff_events_per_s": 1e6,
    "staff_events_burst": 1_000_000,
    "chats_per_address_per_hour": 1_000_000,
    "sockets_per_address": 1_000_000,
    "sockets_per_visitor": 1_000_000,
    "sockets_per_agent": 1_000_000,
    "connections_per_address": 1_000_000,
    "visitor_messages_per_day": 1_000_000,
}
"""Limits that let an attacker try often: what is under test is what happens then."""


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A hub on SQLite with the limits it ships with."""
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url) as opened:
        yield opened


@pytest.fixture
async def generous(tmp_path: Path) -> AsyncIterator[Yard]:
    """A hub on SQLite that does not count what is asked of it."""
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url, limits=GENEROUS) as opened:
        yield opened


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[Yard]:
    """A hub on SQLite, then one on PostgreSQL."""
    async with open_yard(tmp_path, database_url, limits=GENEROUS) as opened:
        yield opened


class Elsewhere:
    """A running hub in another thread, so that a plain function can attack it and shrink what it found."""

    def __init__(self, backend: str, folder: Path) -> None:
        self.yard: Yard
        self.examples = 100 if backend == "sqlite" else 30
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, name="attacked hub")
        self._thread.start()
        self.run(self._open(backend, folder))

    async def _open(self, backend: str, folder: Path) -> None:
        if backend == "sqlite":
            url = f"sqlite:///{folder}/hub.db"
            await migrate(url)
        else:
            server = postgres()
            await server.template("hub", build=migrate)
            url = await self._stack.enter_async_context(server.database("hub"))
        self.yard = await self._stack.enter_async_context(open_yard(folder, url, limits=GENEROUS))

    def run(self, work: Coroutine[Any, Any, T], *, within_s: float = 30) -> T:
        """Run a coroutine beside the hub and return its result."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(within_s)

    def close(self) -> None:
        """Stop the hub and its thread."""
        try:
            self.run(self._stack.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    """A hub that many attacks share, on each database."""
    with tempfile.TemporaryDirectory() as folder:
        hub = Elsewhere(request.param, Path(folder))
        yield hub
        hub.close()
