"""Turns a second and latency: the stock relay against ours, in one run.

A turn is a visitor's message shown to the agent's socket and acknowledged to the visitor.
"""

import argparse

import uvloop

from tests.bench.load.drive import Load, Run
from tests.bench.load.process import server_process
from tests.bench.load.relays import FAST, STOCK, RelayAdapter
from tests.bench.load.report import HEADER, line


async def measure(module: str, conversations: int, seconds: float, per_s: float) -> list[Run]:
    """Return a saturated run and a steady one."""
    label = module.rpartition("_")[2]
    async with server_process(module) as server:
        load = Load(RelayAdapter(module, server.port))
        await load.open(conversations)
        await load.saturate("warm-up", server, seconds=0.5)
        runs = [await load.saturate(f"{label} {conversations} saturated", server, seconds=seconds)]
        if per_s:
            runs.append(
                await load.steady(f"{label} {conversations} at {per_s:g}/s", server, per_s=per_s, seconds=seconds)
            )
        load.close()
    return runs


async def main(conversations: list[int], seconds: float, per_s: float) -> None:
    """Print the table."""
    print(HEADER)
    for count in conversations:
        results = []
        for module in (STOCK, FAST):
            results.append(await measure(module, count, seconds, per_s))
            print(*map(line, results[-1]), sep="\n")
        stock, fast = results[0][0], results[1][0]
        print(f"{'ratio':<26}{fast.per_s / stock.per_s:>8.2f}x{fast.per_cpu_s / stock.per_cpu_s:>10.2f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--per-s", type=float, default=500)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.conversations, chosen.seconds, chosen.per_s))
