"""One event to many sockets: what a delivery costs the server, stock against ours."""

import argparse
import asyncio
import json

import uvloop

from tests.bench.load.drive import allow_many_files
from tests.bench.load.process import Meter, server_process
from tests.bench.load.relays import FAST, STOCK, RelayAdapter

_PAYLOAD = json.dumps({"rows": [{"queue": f"queue-{n}", "waiting": n, "longest_s": n * 3} for n in range(8)]}).encode()


async def fan_out(module: str, watchers: int, ticks: int) -> float:
    """Return deliveries per CPU-second of the server, and print the line."""
    async with server_process(module) as server:
        adapter = RelayAdapter(module, server.port)
        agents = [await adapter.connect_agent(number, lambda packet: None) for number in range(watchers)]
        visitor = await adapter.connect_visitor(0)
        frames = sum(agent.frames for agent in agents)
        meter = Meter(server)
        for _ in range(ticks):
            acknowledged = asyncio.get_running_loop().create_future()
            visitor.emit("tick", _PAYLOAD, acknowledged.set_result)
            await acknowledged
        while sum(agent.frames for agent in agents) - frames < watchers * ticks:  # noqa: ASYNC110 - counting costs less
            await asyncio.sleep(0.01)
        seconds, cpu_s, client_cpu_s = meter.read()
        for agent in agents:
            agent.abort()
    deliveries = watchers * ticks
    print(
        f"{module.rpartition('_')[2]:<8}{watchers:>9}{deliveries / seconds:>14,.0f}{deliveries / cpu_s:>14,.0f}"
        f"{cpu_s / deliveries * 1e6:>15.1f}{cpu_s / seconds:>12.0%}{client_cpu_s / seconds:>8.0%}"
    )
    return deliveries / cpu_s


async def main(watchers: list[int], ticks: int) -> None:
    """Print the table."""
    allow_many_files()
    print(
        f"{'server':<8}{'watchers':>9}{'deliveries/s':>14}{'per CPU-s':>14}{'us a delivery':>15}"
        f"{'server CPU':>12}{'client':>8}"
    )
    for count in watchers:
        stock, fast = [await fan_out(module, count, ticks) for module in (STOCK, FAST)]
        print(f"ratio {fast / stock:.1f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--ticks", type=int, default=200)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.watchers, chosen.ticks))
