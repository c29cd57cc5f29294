"""Whether a turn stays as cheap: from 100 to 5,000 conversations, and beside five million messages of the past.

Judged by CPU of hub and database for a turn, at the same rate everywhere, in rounds that follow each other.
Run: python -m tests.bench.hub.growth
"""

import argparse
import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import uvloop

from hub.storage.migrations import migrate
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, HubProcess, Place, database, staffed, start
from tests.bench.hub.talk import HubAdapter
from tests.bench.hub.turns import PER_AGENT
from tests.bench.load.drive import Load

WANTED = 1.20
_EACH = 50
_ROUNDS = 9
_PAST = 1_600_000_000_000
_OPEN_AT_ONCE = 500
_SERIES = {
    "sqlite": "WITH RECURSIVE s(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM s WHERE x < {most})",
    "postgresql": "WITH s AS (SELECT generate_series(0::bigint, {most}) AS x)",
}


def history(kind: str, messages: int) -> list[str]:
    """Return statements that write a past: ended conversations of 50 messages each, and their journal."""
    conversations = messages // _EACH
    many, few = (_SERIES[kind].format(most=most - 1) for most in (messages, conversations))
    texts = "'Where is my order number ' || x || '? It should have been here a week ago, says your page.'"
    columns = "id, channel, kind, customer, queue, state, created_at, address, provider_id, subject, language, tier"
    counts = "head_start_ms, units, last_n, last_from, reached_n, read_n, root, is_message, version, ended_at"
    said = "interaction, n, at, author, name, text, code, client_id, choice, files, choices"
    events = "at, kind, actor, interaction, customer, queue, facts"
    own = "'ip' || (x / 50)"
    no = "0" if kind == "sqlite" else "false"
    interactions = (
        f"{few} INSERT INTO interactions ({columns}, {counts}) SELECT 'ip' || x, 'site', 'chat', 'cp' || (x % 50000), "
        f"'support', 'closed', {_PAST} + x * 1000, 'vp' || x, 'past-' || x, '', 'en', '', 0, 0, {_EACH}, 'customer', "
        f"0, 0, 'ip' || x, {no}, 1, {_PAST} + x * 1000 + 900 FROM s"
    )
    texts_said = (
        f"{many} INSERT INTO messages ({said}) SELECT {own}, x % 50 + 1, {_PAST} + x * 20, 'customer', '', {texts}, "
        "'', 'p' || x, '', '[]', '[]' FROM s"
    )
    journal = (
        f"{many} INSERT INTO journal ({events}) SELECT {_PAST} + x * 20, 'message_stored', 'customer', {own}, "
        """'cp' || (x / 50 % 50000), 'support', '{"n":1,"author":"customer"}' FROM s"""
    )
    cursor = "INSERT INTO cursors (name, seq) SELECT 'search', max(seq) FROM journal"
    return [interactions, texts_said, journal, cursor]


async def fill(kind: str, url: str, messages: int) -> None:
    """Write the past in a few statements; the search index is said to have read it."""
    statements = history(kind, messages)
    if kind == "sqlite":
        await asyncio.to_thread(_fill_file, url.removeprefix("sqlite:///"), statements)
        return
    connection: Any = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    for table in ("interactions", "messages", "journal"):
        await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.execute("CHECKPOINT")
    await connection.close()


def _fill_file(path: str, statements: Sequence[str]) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        for statement in statements:
            db.execute(statement)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


@dataclass
class Case:
    """One hub with its open conversations, and what its rounds came to."""

    conversations: int
    past: int
    hub: HubProcess
    load: Load
    costs_ms: list[float] = field(default_factory=list)

    async def round(self, per_s: float, seconds: float) -> None:
        """Take turns at a fixed rate and keep the CPU-milliseconds of one."""
        run = await self.load.steady("", self.hub.server, per_s=per_s, seconds=seconds)
        self.costs_ms.append(1000 / run.per_cpu_s)

    def beside(self, other: "Case") -> float:
        """Return how many times the other's cost: the median of the rounds that followed each other.

        Not the best round of each: one in which the disk stood still is cheap, as much then shares one commit.
        """
        return median(mine / others for mine, others in zip(self.costs_ms, other.costs_ms, strict=True))


@asynccontextmanager
async def case(kind: str, conversations: int, past: int) -> AsyncIterator[Case]:
    """Run a hub beside this past and open the conversations."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        async with database(kind, Path(name)) as (url, server):
            if past:
                await migrate(url)
                await fill(kind, url, past)
            place: Place = await staffed(Path(name), url, agents=-(-conversations // PER_AGENT))
            place.database_pid = server.pid if server else None
            hub = await start(place)
            load = Load(HubAdapter(hub.place.port, hub.place.tokens))
            try:
                for count in (*range(_OPEN_AT_ONCE, conversations, _OPEN_AT_ONCE), conversations):
                    await load.open(count, per_agent=PER_AGENT)
                    await load.settled()
                yield Case(conversations, past, hub, load)
            finally:
                load.close()
                await hub.terminate()


async def measure(kind: str, cases: Sequence[tuple[int, int]], per_s: float, seconds: float) -> list[float]:
    """Return how many times a turn of the first (conversations, past) one of each other costs; print their lines.

    The hubs stand side by side and are measured in turn, so that a machine that gets slower does so for all of them.
    """
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(case(kind, *each)) for each in cases]
        for one in running:
            await one.load.steady("warm-up", one.hub.server, per_s=per_s, seconds=2)
        for _ in range(_ROUNDS):
            for one in running:
                await one.round(per_s, seconds)
    for one in running:
        print(
            f"{kind:<12}{one.conversations:>6,} conversations{one.past:>12,} messages before"
            f"{median(one.costs_ms):>8.3f} CPU-ms a turn",
            flush=True,
        )
    return [one.beside(running[0]) for one in running[1:]]


async def main(few: int, many: int, past: int, per_s: float, seconds: float) -> None:
    """Print the table."""
    for kind in DATABASES:
        filled, large = await measure(kind, ((few, 0), (few, past), (many, 0)), per_s, seconds)
        print(verdict(f"{kind}: {filled:.2f} x beside {past:,} messages", filled <= WANTED), flush=True)
        print(verdict(f"{kind}: {large:.2f} x with {many:,} conversations", large <= WANTED), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=5_000)
    parser.add_argument("--past", type=int, default=5_000_000)
    parser.add_argument("--per-s", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=3)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.few, chosen.many, chosen.past, chosen.per_s, chosen.seconds))
