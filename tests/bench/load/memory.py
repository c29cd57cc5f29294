"""What an idle visitor weighs, stock against ours: resident memory of the server, and the CPU of an idle crowd."""

import argparse
import asyncio

import uvloop

from tests.bench.load.drive import allow_many_files
from tests.bench.load.process import Meter, ServerProcess, server_process
from tests.bench.load.raw import RawSocket
from tests.bench.load.relays import FAST, STOCK, RelayAdapter

_WARM_UP = 200
_AT_ONCE = 100


async def crowd(adapter: RelayAdapter, count: int) -> list[RawSocket]:
    """Open `count` visitors."""
    sockets: list[RawSocket] = []
    while len(sockets) < count:
        more = range(len(sockets), min(len(sockets) + _AT_ONCE, count))
        sockets += await asyncio.gather(*map(adapter.connect_visitor, more))
    return sockets


async def weigh(module: str, count: int, watch_s: float) -> float:
    """Return the bytes an idle connection takes, and print the line."""
    async with server_process(module) as server:
        adapter = RelayAdapter(module, server.port)
        sockets = await crowd(adapter, _WARM_UP)
        before = server.rss_bytes()
        opening = Meter(server)
        sockets += await crowd(adapter, count)
        _, opening_cpu_s, _ = opening.read()
        idle = Meter(server)
        await asyncio.sleep(watch_s)
        seconds, idle_cpu_s, _ = idle.read()
        each = (server.rss_bytes() - before) / count
        lost = sum(socket.is_closed for socket in sockets)
        for socket in sockets:
            socket.abort()
        left = await _after(server)
    print(
        f"{module.rpartition('_')[2]:<8}{count:>8,}{each / 1024:>12.1f}{opening_cpu_s / count * 1e6:>12,.0f}"
        f"{idle_cpu_s / seconds:>10.1%}{left / 1e6:>14.0f}{lost:>7}"
    )
    return each


async def _after(server: ServerProcess) -> int:
    """Return the memory left when the crowd has gone and the server is quiet."""
    while True:
        used = server.cpu_s()
        await asyncio.sleep(0.5)
        if server.cpu_s() - used < 0.05:
            return server.rss_bytes()


async def main(count: int, watch_s: float) -> None:
    """Print the table."""
    allow_many_files()
    print(f"{'server':<8}{'idle':>8}{'kB each':>12}{'us to open':>12}{'CPU idle':>10}{'MB afterwards':>14}{'lost':>7}")
    stock, fast = [await weigh(module, count, watch_s) for module in (STOCK, FAST)]
    print(f"ratio {fast / stock:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--watch-s", type=float, default=12)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.connections, chosen.watch_s))
