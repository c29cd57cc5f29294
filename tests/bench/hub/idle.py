"""What an idle visitor weighs: 10,000 open chats without a word, beside bare python-socketio.

Run: python -m tests.bench.hub.idle
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.bench.hub.report import verdict
from tests.bench.hub.running import running
from tests.bench.hub.talk import HubAdapter
from tests.bench.load.drive import allow_many_files
from tests.bench.load.process import Meter, ServerProcess, server_process
from tests.bench.load.raw import RawSocket
from tests.bench.load.relays import STOCK, RelayAdapter

WANTED = 1.25
_WARM_UP, _AT_ONCE = 200, 100
Connect = Callable[[int], Awaitable[RawSocket]]


async def crowd(connect: Connect, count: int) -> list[RawSocket]:
    """Open `count` visitors' sockets."""
    sockets: list[RawSocket] = []
    while len(sockets) < count:
        more = range(len(sockets), min(len(sockets) + _AT_ONCE, count))
        sockets += await asyncio.gather(*map(connect, more))
    return sockets


async def weigh(name: str, server: ServerProcess, connect: Connect, count: int, watch_s: float) -> float:
    """Return the bytes one idle visitor takes, and print the line."""
    sockets = await crowd(connect, _WARM_UP)
    before = server.rss_bytes()
    sockets += await crowd(connect, count)
    meter = Meter(server)
    await asyncio.sleep(watch_s)
    seconds, cpu_s, _ = meter.read()
    each = (server.rss_bytes() - before) / count
    lost = sum(socket.is_closed for socket in sockets)
    for socket in sockets:
        socket.abort()
    print(f"{name:<8}{count:>8,} idle{each / 1024:>8.1f} kB each, CPU {cpu_s / seconds:>5.1%}, {lost} lost", flush=True)
    return each


async def main(count: int, watch_s: float) -> None:
    """Print the table."""
    allow_many_files()
    async with server_process(STOCK) as server:
        stock = await weigh("stock", server, RelayAdapter(STOCK, server.port).connect_visitor, count, watch_s)
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with running("sqlite", Path(folder), agents=1) as hub:
            adapter = HubAdapter(hub.place.port, hub.place.tokens)

            async def resumed(number: int) -> RawSocket:
                """Open a visitor's socket and look around, as the widget does."""
                socket = await adapter.connect_visitor(number)
                await socket.call("resume", {})
                return socket

            ours = await weigh("hub", hub.server, resumed, count, watch_s)
    print(verdict(f"memory of an idle visitor: {ours / stock:.2f} x bare python-socketio", ours / stock <= WANTED))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=10_000)
    parser.add_argument("--watch-s", type=float, default=12)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.visitors, chosen.watch_s))
