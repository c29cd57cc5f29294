"""How long a visitor waits for the acknowledgement at 500 turns a second over 1,000 conversations.

Run: python -m tests.bench.hub.latency
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench.hub.commits import commits_ms
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, running
from tests.bench.hub.talk import HubAdapter
from tests.bench.hub.turns import PER_AGENT
from tests.bench.load.drive import Load, Run, percentile
from tests.bench.load.process import server_process
from tests.bench.load.relays import STOCK, RelayAdapter
from tests.bench.load.report import HEADER, line

P50_MS, P99_MS = 3.0, 20.0
_BARE_S = 2.0


@dataclass
class Measured:
    """A run, and what bare commits took just before and after it, in ms."""

    run: Run
    commits_ms: list[float]

    def acks(self, percent: float) -> float:
        """A percentile of the acknowledgements, in ms."""
        return percentile(self.run.acks_ms, percent)

    def commits(self, percent: float) -> float:
        """A percentile of the bare commits, in ms."""
        return percentile(self.commits_ms, percent)


async def steady_run(kind: str, conversations: int, per_s: float, seconds: float) -> Measured:
    """Send at a fixed rate."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name)
        async with running(kind, folder, agents=-(-conversations // PER_AGENT)) as hub:
            load = Load(HubAdapter(hub.place.port, hub.place.tokens))
            await load.open(conversations, per_agent=PER_AGENT)
            await load.settled()
            server, url = hub.server, hub.place.settings.server.database_url.reveal()
            await load.steady("warm-up", server, per_s=per_s, seconds=1)
            before = await commits_ms(url, folder, per_s=per_s, seconds=_BARE_S)
            run = await load.steady(f"hub {kind} at {per_s:g}/s", server, per_s=per_s, seconds=seconds)
            after = await commits_ms(url, folder, per_s=per_s, seconds=_BARE_S)
            load.close()
    return Measured(run, before + after)


async def relay_run(conversations: int, per_s: float, seconds: float) -> Run:
    """Send at the same rate through the bare relay, which stores nothing: what the machine gives this minute."""
    async with server_process(STOCK) as server:
        load = Load(RelayAdapter(STOCK, server.port, PER_AGENT))
        await load.open(conversations, per_agent=PER_AGENT)
        await load.steady("warm-up", server, per_s=per_s, seconds=1)
        run = await load.steady(f"stock relay at {per_s:g}/s", server, per_s=per_s, seconds=seconds)
        load.close()
    return run


async def main(conversations: int, per_s: float, seconds: float, rounds: int) -> None:
    """Print the table."""
    print(HEADER)
    print(line(await relay_run(conversations, per_s, seconds)), flush=True)
    for kind in DATABASES:
        runs = [await steady_run(kind, conversations, per_s, seconds) for _ in range(rounds)]
        best = min(runs, key=lambda one: one.acks(99))
        p50, p99 = best.acks(50), best.acks(99)
        for one in runs:
            print(line(one.run), flush=True)
            print(f"{'  bare commits':<26}{'':>20}{one.commits(50):>9.2f}{one.commits(99):>8.2f}", flush=True)
        print(
            verdict(
                f"{kind}: p50 {p50:.2f} ms < {P50_MS:g}, p99 {p99:.1f} ms < {P99_MS:g}", p50 < P50_MS and p99 < P99_MS
            )
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--per-s", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.conversations, chosen.per_s, chosen.seconds, chosen.rounds))
