"""The database fails under a running hub: people are told `unavailable`, and all goes on when it is back."""

import asyncio
import resource
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import SystemClock
from tests import servers
from tests.bench.hub import running
from tests.fault.crowd import SETTLE_S, Crowd, crowd
from tests.servers import Postgres, why_not

pytestmark = pytest.mark.timeout(120)


async def until_told(people: Crowd, code: str) -> None:
    """Wait until every visitor who talks has been told this code."""
    async with asyncio.timeout(SETTLE_S):
        while not sum(code in client.errors for client in people.visitors) > len(people.visitors) // 2:
            people.look()
            await asyncio.sleep(0.05)


async def carried_on(people: Crowd) -> None:
    """Everybody talks again, on the same hub and the same lines, and nothing was lost."""
    connections = [visitor.connections for visitor in people.visitors]
    await people.busy(100)
    await people.settle()
    await people.check()
    assert [visitor.connections for visitor in people.visitors] == connections
    codes = {code for client in people.everybody for code in client.errors}
    assert "internal" not in codes
    assert await people.stop() == 0
    (await people.truth()).check()


async def test_full_disk_under_sqlite(tmp_path: Path) -> None:
    async with crowd("sqlite", tmp_path) as people:
        people.begin()
        await people.busy(100)
        pid = people.hub.process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        size = (tmp_path / "hub.db-wal").stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size // 2, most))
        await until_told(people, "unavailable")
        (await people.truth()).check()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        await carried_on(people)


@pytest.fixture
async def own_postgres(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Postgres]:
    """A PostgreSQL of this test alone, which may be stopped."""
    server = await asyncio.to_thread(servers._start, servers._binaries(), fsync=True)
    monkeypatch.setattr(running, "postgres", lambda *, fsync: server)
    yield server
    await asyncio.to_thread(server.close)


def stopped(server: Postgres) -> None:
    """Stop it at once, as its operator would in need: all its connections break."""
    assert server._process is not None
    server._process.send_signal(signal.SIGQUIT)
    server._process.wait(20)


def started(server: Postgres) -> None:
    """Start it again on the same data."""
    assert server._process is not None
    assert server._folder is not None
    data = server._folder / "data"
    with (server._folder / "log").open("ab") as log:
        server._process = subprocess.Popen(
            server._process.args,
            cwd=server._folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=servers.die_with_parent,  # noqa: PLW1509 - nothing there takes a lock
            start_new_session=True,
            **servers._somebody_else(server._folder),
        )
    servers._await_ready(server._process, data / "postmaster.pid", server._folder / "log")


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
async def test_postgresql_stopped_and_started_under_load(tmp_path: Path, own_postgres: Postgres) -> None:
    async with crowd("postgresql", tmp_path) as people:
        people.begin()
        for _ in range(2):
            await people.busy(100)
            await asyncio.to_thread(stopped, own_postgres)
            for client in people.visitors:
                client.errors.clear()
            await until_told(people, "unavailable")
            await asyncio.to_thread(started, own_postgres)
            people.up_since = SystemClock().now()
        await carried_on(people)
        people.check_log()
