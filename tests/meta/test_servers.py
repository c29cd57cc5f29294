"""The tests' own PostgreSQL: real, quick to copy, and gone when the tests are, however they end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest

from tests.servers import postgres, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
ROOT = Path(__file__).parents[2]


async def build(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    await connection.close()


async def test_each_test_gets_its_own_copy_of_the_template() -> None:
    server = postgres()
    await server.template("meta", build=build)
    await server.template("meta", build=build)
    for _ in range(2):
        async with server.database("meta") as url:
            connection = await asyncpg.connect(url)
            await connection.execute("INSERT INTO kept VALUES (1)")
            await connection.close()
    async with server.database() as empty:
        connection = await asyncpg.connect(empty)
        assert await connection.fetchval("SELECT to_regclass('kept')") is None
        await connection.close()


async def test_database_is_dropped_although_somebody_is_connected() -> None:
    server = postgres()
    async with server.database() as url:
        connection = await asyncpg.connect(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()


@pytest.mark.skipif("HUB_TEST_PG_URL" in os.environ, reason="the server is not ours")
async def test_server_listens_on_no_port_and_can_sync_for_real() -> None:
    for is_synced in (False, True):
        server = postgres(fsync=is_synced)
        assert server.pid is not None
        assert not [c for c in psutil.Process(server.pid).net_connections() if c.family.name.startswith("AF_INET")]
        async with server.database() as url:
            connection = await asyncpg.connect(url)
            assert await connection.fetchval("SHOW fsync") == ("on" if is_synced else "off")
            await connection.close()


@pytest.mark.skipif("HUB_TEST_PG_URL" in os.environ, reason="the server is not ours")
@pytest.mark.parametrize("how", [signal.SIGKILL, None])
def test_server_ends_with_its_tests(how: signal.Signals | None) -> None:
    code = "from tests.servers import *; s = postgres(); print(s.pid, s.url(str()), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        pid, _, url = tests.stdout.readline().partition(" ")
        assert psutil.pid_exists(int(pid))
        if how:
            tests.send_signal(how)
        else:
            tests.communicate()
    _await_end(int(pid))
    folder = Path(parse_qs(urlsplit(url.strip()).query)["host"][0])
    assert folder.exists() == (how is not None)
    shutil.rmtree(folder, ignore_errors=True)


def _await_end(pid: int) -> None:
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL {pid} still runs.")
