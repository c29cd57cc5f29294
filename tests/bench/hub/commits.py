"""What durable commits cost by themselves, in the same minute and on the same disk: a few bytes each, nothing around.

Whoever asks while one is under way goes with the next, as in the hub. No acknowledgement can be quicker.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

_TEXT = "Hello, my order has not arrived yet, could you have a look please?"
Commit = Callable[[], Awaitable[object]]


async def commits_ms(database_url: str, folder: Path, *, per_s: float, seconds: float) -> list[float]:
    """Ask for commits at a fixed rate; return how long each waited, in ms."""
    is_postgresql = database_url.startswith("postgresql")
    async with _postgresql(database_url) if is_postgresql else _sqlite(folder / "commits.db") as commit:
        return await _paced(commit, per_s, seconds)


async def _paced(commit: Commit, per_s: float, seconds: float) -> list[float]:
    waits_ms: list[float] = []
    asked: list[float] = []
    news = asyncio.Event()
    is_over = False

    async def write() -> None:
        while asked or not is_over:
            await news.wait()
            news.clear()
            while asked:
                group = asked[:]
                asked.clear()
                await commit()
                now = time.perf_counter()
                waits_ms.extend((now - since) * 1000 for since in group)

    writing = asyncio.create_task(write())
    began = time.perf_counter()
    for turn in range(int(per_s * seconds)):
        wait_s = began + turn / per_s - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        asked.append(time.perf_counter())
        news.set()
    is_over = True
    news.set()
    await writing
    return waits_ms


@asynccontextmanager
async def _postgresql(url: str) -> AsyncIterator[Commit]:
    line: Any = await asyncpg.connect(url)
    try:
        await line.execute("CREATE TABLE bench_commits (text text)")
        yield lambda: line.execute("INSERT INTO bench_commits VALUES ($1)", _TEXT)
        await line.execute("DROP TABLE bench_commits")
    finally:
        await line.close()


@asynccontextmanager
async def _sqlite(path: Path) -> AsyncIterator[Commit]:
    loop = asyncio.get_running_loop()
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS bench_commits (text TEXT)")
    try:
        yield lambda: loop.run_in_executor(None, database.execute, "INSERT INTO bench_commits VALUES (?)", (_TEXT,))
    finally:
        database.close()
