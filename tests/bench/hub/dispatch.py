"""Dispatch: from capacity freed to the offer on the agent's socket, and durable decisions a second.

Agents hold one chat each while others wait. At a fixed rate one ends a chat. Asked -> freed holds the commit of the end
and its answer; freed -> offered what dispatch adds: a decision, the commit of the offer, and the wire. Decisions are
offers made by the service, in groups, committed with the dispatcher's fencing token.
Run: python -m tests.bench.hub.dispatch
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from hub.__main__ import spare_the_collector
from hub.app import build
from hub.clock import SystemClock
from hub.contract import ChatStart
from hub.domain.offer import Offer
from hub.services.offers import Proposal
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, QUEUE, SITE, agent_id, database, running, staffed
from tests.bench.hub.talk import Agents, HubAdapter
from tests.bench.load.drive import allow_many_files, percentile
from tests.bench.load.process import Meter
from tests.bench.load.raw import RawSocket

P99_MS = 50.0
DECISIONS_PER_S = 5_000
AGENTS = 100
ONE_EACH = "[kinds.chat]\nunits = 100\noffer_timeout_s = 60\n"
_AT_ONCE = 50


class Floor(Agents):
    """Agents who note when they ended a chat, when they were told so, and when the next offer came."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        super().__init__(port, tokens)
        self.sockets: list[RawSocket] = []
        self.holding: dict[int, str] = {}
        self.asked_at: dict[int, float] = {}
        self.freed_at: dict[int, float] = {}
        self.from_asked_ms: list[float] = []
        self.from_freed_ms: list[float] = []

    def _offered(self, number: int, socket: RawSocket, frame: dict[str, Any]) -> None:
        if number in self.asked_at and frame["put"].get("offers"):
            now = time.perf_counter()
            asked_at = self.asked_at.pop(number)
            self.from_asked_ms.append((now - asked_at) * 1000)
            # An offer that is here before the answer took no time.
            self.from_freed_ms.append((now - self.freed_at.pop(number, now)) * 1000)
        super()._offered(number, socket, frame)

    async def _accept(self, number: int, socket: RawSocket, offer: str) -> None:
        with contextlib.suppress(ConnectionResetError):  # the run is over, and this offer with it
            answer: Any = await socket.call("accept", {"offer": offer})
            if answer["ok"]:
                self.holding[number] = answer["interaction"]

    async def finish(self, number: int) -> None:
        """End the chat an agent holds: `complete` frees them."""
        interaction = self.holding.pop(number)
        self.asked_at[number] = time.perf_counter()
        answer: Any = await self.sockets[number].call("complete", {"interaction": interaction, "disposition": "solved"})
        assert answer["ok"], answer
        if number in self.asked_at:
            self.freed_at[number] = time.perf_counter()


async def offers(kind: str, per_s: float, seconds: float) -> None:
    """Print how long freed agents wait for their next offer."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with running(kind, Path(folder), agents=AGENTS, more=ONE_EACH) as hub:
            floor = Floor(hub.place.port, hub.place.tokens)
            adapter = HubAdapter(hub.place.port, hub.place.tokens)
            floor.sockets = [await floor.connect(number, lambda _packet: None) for number in range(AGENTS)]
            waiting = AGENTS + int(per_s * seconds) + 50
            visitors: list[RawSocket] = []
            while len(visitors) < waiting:
                visitors += await asyncio.gather(*(_begun(adapter, len(visitors) + n) for n in range(_AT_ONCE)))
            meter = Meter(hub.server)
            late = await _paced(floor, per_s, seconds)
            wall_s, cpu_s, _ = meter.read()
            for socket in (*floor.sockets, *visitors):
                socket.abort()
    count = len(floor.from_freed_ms)
    print(f"{kind}: {count} offers in {wall_s:.1f} s, {cpu_s / max(count, 1) * 1000:.2f} CPU-ms each, {late} late")
    asked50, asked99 = (percentile(floor.from_asked_ms, of) for of in (50, 99))
    p50, p99 = (percentile(floor.from_freed_ms, of) for of in (50, 99))
    print(f"{kind}: asked -> offered p50 {asked50:.1f} ms, p99 {asked99:.1f} ms")
    print(
        verdict(f"{kind}: freed -> offered p50 {p50:.1f} ms, p99 {p99:.1f} ms < {P99_MS:g}", p99 < P99_MS), flush=True
    )


async def _begun(adapter: HubAdapter, number: int) -> RawSocket:
    visitor = await adapter.connect_visitor(number)
    answer: Any = await visitor.call("start", {"client_id": f"start-{number:06}", "text": "Hello"})
    assert answer["ok"], answer
    return visitor


async def _paced(floor: Floor, per_s: float, seconds: float) -> int:
    """End chats at a fixed rate; return how often nobody had one to end."""
    loop = asyncio.get_running_loop()
    start, late, tasks = loop.time(), 0, []
    for turn in range(int(per_s * seconds)):
        wait = start + turn / per_s - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        number = next(iter(floor.holding), None)
        if number is None:
            late += 1
        else:
            tasks.append(asyncio.create_task(floor.finish(number)))
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return late


async def decisions(kind: str, count: int) -> None:
    """Print durable offers a second: what one dispatching node can decide and keep."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        async with database(kind, Path(name)) as (url, _):
            place = await staffed(Path(name), url, agents=count // 100, more="[capacity]\nagent_units = 10000\n")
            hub = build(place.settings)
            await hub.services.store.open()
            try:
                await _decide(hub.services, kind, count)
            finally:
                hub.services.accounts.close()
                await hub.services.store.close()


async def _decide(services: Any, kind: str, count: int) -> None:
    started = await asyncio.gather(*(services.chats.start(_start(number)) for number in range(count)))
    for number in range(count // 100):
        await services.presence.connected(agent_id(number))
        await services.presence.choose(agent_id(number), "available", "")
    deadline = SystemClock().now() + 60_000
    proposals = [
        Proposal(
            interaction=each.interaction.id, agent=agent_id(number % (count // 100)), deadline_at=deadline, units=1
        )
        for number, each in enumerate(started)
    ]
    lease = services.dispatcher.lease
    assert await lease.take()
    services.offers.fence = lease.check
    spare_the_collector()  # as a hub does that serves
    began, cpu = time.perf_counter(), time.process_time()
    made = await asyncio.gather(*map(services.offers.make, proposals))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    assert all(isinstance(offer, Offer) for offer in made)
    per_s = count / seconds
    text = f"{kind}: {per_s:,.0f} durable decisions a second >= {DECISIONS_PER_S:,} ({count / cpu_s:,.0f} a CPU-second)"
    print(verdict(text, per_s >= DECISIONS_PER_S), flush=True)


def _start(number: int) -> ChatStart:
    return ChatStart(channel=SITE, client_id=f"start-{number:06}", queue=QUEUE, token_hash=str(number), text="Hello")


async def main(per_s: float, seconds: float) -> None:
    """Print the figures."""
    allow_many_files()
    for kind in DATABASES:
        await offers(kind, per_s, seconds)
    for kind in DATABASES:
        await decisions(kind, 4_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-s", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=6)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.per_s, chosen.seconds))
