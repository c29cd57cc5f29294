"""Whether a turn stays as cheap: from 100 to 5,000 conversations, and beside five million messages of the past.

Judged by CPU of hub and database for a turn, at the same rate everywhere. Run: python -m tests.bench.hub.growth
"""

import argparse
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from hub.storage.migrations import migrate
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, HubProcess, Place, database, staffed, start
from tests.bench.hub.talk import HubAdapter
from tests.bench.hub.turns import PER_AGENT
from tests.bench.load.drive import Load, Run

WANTED = 1.20
_EACH = 50
_ROUNDS = 3
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
        with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
            db.execute("PRAGMA synchronous=OFF")
            for statement in statements:
                db.execute(statement)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return
    connection: Any = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    for table in ("interactions", "messages", "journal"):
        await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def turns(hub: HubProcess, name: str, conversations: int, per_s: float, seconds: float) -> Run:
    """Open conversations and measure turns at a fixed rate; the machine's other work only ever adds to a cost."""
    load = Load(HubAdapter(hub.place.port, hub.place.tokens))
    for count in (*range(_OPEN_AT_ONCE, conversations, _OPEN_AT_ONCE), conversations):
        await load.open(count, per_agent=PER_AGENT)
        await load.settled()
    server = hub.server
    await load.steady("warm-up", server, per_s=per_s, seconds=2)
    runs = [await load.steady(name, server, per_s=per_s, seconds=seconds) for _ in range(_ROUNDS)]
    load.close()
    return max(runs, key=lambda run: run.per_cpu_s)


async def measure(kind: str, conversations: int, past: int, per_s: float, seconds: float) -> float:
    """Return the CPU-milliseconds of a turn, and print the line."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        async with database(kind, Path(name)) as (url, server):
            if past:
                await migrate(url)
                await fill(kind, url, past)
            place: Place = await staffed(Path(name), url, agents=-(-conversations // PER_AGENT))
            place.database_pid = server.pid if server else None
            hub = await start(place)
            try:
                run = await turns(hub, kind, conversations, per_s, seconds)
            finally:
                await hub.terminate()
    cost_ms = 1000 / run.per_cpu_s
    print(
        f"{kind:<12}{conversations:>6,} conversations{past:>12,} messages before{cost_ms:>8.3f} CPU-ms a turn",
        flush=True,
    )
    return cost_ms


async def main(few: int, many: int, past: int, per_s: float, seconds: float) -> None:
    """Print the table."""
    for kind in DATABASES:
        small = await measure(kind, few, 0, per_s, seconds)
        filled = await measure(kind, few, past, per_s, seconds)
        text = f"{kind}: {filled / small:.2f} x beside {past:,} messages"
        print(verdict(text, filled / small <= WANTED), flush=True)
        large = await measure(kind, many, 0, per_s, seconds)
        print(
            verdict(f"{kind}: {large / small:.2f} x with {many:,} conversations", large / small <= WANTED), flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=5_000)
    parser.add_argument("--past", type=int, default=5_000_000)
    parser.add_argument("--per-s", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=6)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.few, chosen.many, chosen.past, chosen.per_s, chosen.seconds))
