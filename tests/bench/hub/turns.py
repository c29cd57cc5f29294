"""Chat turns a second: the hub on SQLite and on PostgreSQL, both durable, beside a bare python-socketio relay.

A turn is a visitor's message received, committed, shown on the agent's socket and acknowledged to the visitor. The
relay is stock python-socketio and stores nothing. Run: python -m tests.bench.hub.turns
"""

import argparse
import tempfile
from pathlib import Path

import uvloop

from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, running
from tests.bench.hub.talk import HubAdapter
from tests.bench.load.drive import Load, Run
from tests.bench.load.process import server_process
from tests.bench.load.relays import STOCK, RelayAdapter
from tests.bench.load.report import HEADER, line

PER_AGENT = 4
WANTED = 0.7


async def stock_run(conversations: int, seconds: float) -> Run:
    """Saturate the bare relay."""
    async with server_process(STOCK) as server:
        load = Load(RelayAdapter(STOCK, server.port, PER_AGENT))
        await load.open(conversations, per_agent=PER_AGENT)
        await load.saturate("warm-up", server, seconds=0.5)
        run = await load.saturate(f"stock relay {conversations}", server, seconds=seconds)
        load.close()
    return run


async def hub_run(kind: str, conversations: int, seconds: float) -> Run:
    """Saturate the hub."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with running(kind, Path(folder), agents=-(-conversations // PER_AGENT)) as hub:
            load = Load(HubAdapter(hub.place.port, hub.place.tokens))
            await load.open(conversations, per_agent=PER_AGENT)
            server = hub.server
            await load.saturate("warm-up", server, seconds=0.5)
            run = await load.saturate(f"hub {kind} {conversations}", server, seconds=seconds)
            load.close()
    return run


async def main(conversations: list[int], seconds: float, rounds: int) -> None:
    """Print the table, the best of each row's rounds: the machine's other work only ever takes away."""
    print(HEADER)
    for count in conversations:
        stock = max([await stock_run(count, seconds) for _ in range(rounds)], key=lambda run: run.per_s)
        print(line(stock), flush=True)
        for kind in DATABASES:
            run = max([await hub_run(kind, count, seconds) for _ in range(rounds)], key=lambda run: run.per_s)
            print(line(run), flush=True)
            ratio, cpu = run.per_s / stock.per_s, run.per_cpu_s / stock.per_cpu_s
            print(verdict(f"{kind} {count}: {ratio:.2f} x stock ({cpu:.2f} x per CPU-second)", ratio >= WANTED))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.conversations, chosen.seconds, chosen.rounds))
