"""500 calls at once and 100 agents: every caller is answered, no document is late, every segment's times are right.

Hub and carrier run in a process each on the machine's clock, over sockets. All callers ring within a few seconds and
wait; each is joined with an agent, talks, and hangs up; the next one is taken as soon as the agent has said how it
ended. Run: python -m tests.bench.voice.calls
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import uvloop
from aiohttp import web

from channels.voice import Voice
from hub.app import Hub, build
from hub.domain.agent import Presence, Role
from hub.domain.calls import Leg, LegRole
from hub.domain.errors import HubError
from hub.domain.interaction import Interaction, State
from hub.domain.offer import Offer, OfferState
from hub.domain.segments import Segment, SegmentKind
from hub.events import Commit
from hub.services.access import Scope
from hub.settings import AgentSettings, ChannelSettings
from hub.settings.sections import CallSettings
from hub.storage.rows import Rows
from hub.storage.tables import INTERACTIONS, LEGS, SEGMENTS
from hub.storage.unit_of_work import UnitOfWork
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, database
from tests.bench.load.drive import allow_many_files
from tests.bench.voice.carrier_apart import TALK_S, Record
from tests.builders import small_company
from tests.integration.phones import options
from tests.ports import free_port

WANTED_P99_MS = 250.0
ALIKE_MS = 1_500
"""How far the hub's times may lie from the carrier's: news travel, and the machine is busy."""


@dataclass
class Staff:
    """Agents who accept at once, and say how it ended as soon as it has."""

    hub: Hub
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def on_commit(self, commit: Commit) -> None:
        """Do what is to be done about what has changed."""
        for record in commit.records:
            if isinstance(record, Offer) and record.state is OfferState.PENDING:
                self._begin(self._accept(record))
            elif isinstance(record, Interaction) and record.state is State.WRAPPING and record.agent:
                self._begin(self._complete(record.id, record.agent))

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _accept(self, offer: Offer) -> None:
        try:
            await self.hub.services.offers.accept(offer.id, offer.agent)
        except HubError as error:
            print(f"an offer could not be taken: {error}")

    async def _complete(self, interaction: str, agent: str) -> None:
        try:
            await self.hub.services.handling.complete(interaction, Scope(agent, Role.AGENT, ("support",)), "solved")
        except HubError as error:
            print(f"a call could not be completed: {error}")


async def main(kinds: Sequence[str], calls: int, agents: int, spread_s: float) -> None:
    """Print the figures."""
    allow_many_files()
    for kind in kinds:
        print(kind, flush=True)
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            async with database(kind, Path(folder)) as (database_url, _):
                await served(Path(folder), database_url, calls, agents, spread_s)


async def served(folder: Path, database_url: str, calls: int, agents: int, spread_s: float) -> None:
    """Let a hub on this database serve everybody, and print the figures."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with carrier_process(url, calls, agents, spread_s) as carrier:
        api_url = f"http://127.0.0.1:{int(await carrier.line())}"
        hub = await opened(folder, database_url, url, api_url, agents)
        runner = web.AppRunner(hub.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=2_048).start()
        try:
            await measure(hub, carrier, calls, agents)
        finally:
            await hub.stop()
            await runner.cleanup()


@dataclass
class CarrierProcess:
    """The carrier, next door."""

    process: asyncio.subprocess.Process

    async def line(self) -> bytes:
        """Return what it says next."""
        assert self.process.stdout is not None
        return await self.process.stdout.readline()

    def go_on(self) -> None:
        """Let it do what comes next."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")


@asynccontextmanager
async def carrier_process(url: str, calls: int, agents: int, spread_s: float) -> AsyncIterator[CarrierProcess]:
    """Lend a carrier in a process of its own, ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.voice.carrier_apart", url, str(calls), str(agents), str(spread_s)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    try:
        yield CarrierProcess(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def opened(folder: Path, database_url: str, url: str, api_url: str, agents: int) -> Hub:
    """Return a running hub with a line and so many agents."""
    people = {
        f"a{n:03}": AgentSettings(id=f"a{n:03}", name=f"Agent {n}", email=f"a{n:03}@example.test", queues=("support",))
        for n in range(agents)
    }
    block = options(api_url) | {"books_callbacks": False}
    settings = small_company(
        folder,
        database_url,
        public_url=url,
        agents=people,
        channels={"hotline": ChannelSettings(id="hotline", kind="voice", options=block)},
        calls=CallSettings(reconcile_s=15.0),
    )
    hub = build(settings, strict=True)
    await hub.start()
    return hub


async def measure(hub: Hub, carrier: CarrierProcess, calls: int, agents: int) -> None:
    """Let everybody call and be served, and print what came of it."""
    await cast("Voice", hub.channels[0]).account.rest.warm_up()
    for n in range(agents):
        await hub.services.presence.connected(f"a{n:03}")
    cpu_s, begun = time.process_time(), time.perf_counter()
    carrier.go_on()
    most = int(await carrier.line())
    staff = Staff(hub)
    hub.services.bus.subscribe(staff.on_commit)
    for n in range(agents):
        await hub.services.presence.choose(f"a{n:03}", Presence.AVAILABLE, "")
    record = msgspec.json.decode(await carrier.line(), type=Record)
    while hub.services.floor.interactions:  # noqa: ASYNC110 - both sides
        await asyncio.sleep(0.2)
    carrier.go_on()
    took = sorted(record.took_ms)
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{calls} calls, {most} of them at once, {agents} agents, {record.lines} lines")
    cpu = f"{time.process_time() - cpu_s:.1f} s CPU for the hub, {record.cpu_s:.1f} s for the carrier"
    print(f"{time.perf_counter() - begun:.1f} s, {cpu}")
    print(f"{len(took)} documents: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {took[-1]:.1f} ms; {record.failed} failed")
    wrong = await wrongs(hub, record.ended_at)
    print(*wrong[:20], sep="\n")
    print(verdict(f"all {calls} were at the line at once", most == calls))
    print(verdict(f"documents within {WANTED_P99_MS:.0f} ms (p99)", p99 <= WANTED_P99_MS and not record.failed))
    print(verdict(f"nobody is lost, and every segment's times are right ({len(wrong)} wrong)", not wrong))
    print(verdict(f"violations of invariants: {hub.services.floor.violations}", hub.services.floor.violations == 0))


async def wrongs(hub: Hub, ended_at: Mapping[str, int | None]) -> list[str]:
    """Return what is not as it should be, by the carrier's own record of each call."""
    interactions: list[Interaction] = await rows(hub, INTERACTIONS)
    legs: list[Leg] = await rows(hub, LEGS)
    segments: list[Segment] = await rows(hub, SEGMENTS)
    found = [] if len(interactions) == len(ended_at) else [f"{len(interactions)} interactions of {len(ended_at)} calls"]
    for interaction in interactions:
        own = sorted((one for one in segments if one.interaction == interaction.id), key=lambda one: one.started_at)
        line = next(one for one in legs if one.interaction == interaction.id and one.role is LegRole.CUSTOMER)
        found += [f"{interaction.id}: {text}" for text in _wrong(interaction, own, line, ended_at[line.provider_id])]
    return found


def _wrong(interaction: Interaction, own: Sequence[Segment], leg: Leg, ended_at: int | None) -> list[str]:
    beside = {SegmentKind.OFFERED, SegmentKind.WRAP_UP}
    kinds = [one.kind for one in own if one.started_at != one.ended_at and one.kind not in beside]
    talked = next((one for one in own if one.kind is SegmentKind.HANDLED), None)
    found = [] if interaction.state is State.CLOSED else [f"is {interaction.state}"]
    if kinds != [SegmentKind.QUEUED, SegmentKind.HANDLED]:
        found.append(f"has segments {kinds}")
    if any(one.ended_at != two.started_at for one, two in itertools.pairwise(own)):
        found.append("has gaps between its segments")
    if talked is None or talked.ended_at is None or leg.joined_at is None or ended_at is None:
        return [*found, "was never joined, or never ended"]
    if abs(talked.started_at - leg.joined_at) > ALIKE_MS or abs(talked.ended_at - ended_at) > ALIKE_MS:
        found.append("was talked in at other times than the carrier says")
    if talked.ended_at - talked.started_at < TALK_S * 1000 - ALIKE_MS:
        found.append(f"was talked in for {talked.ended_at - talked.started_at} ms")
    return found


async def rows(hub: Hub, table: Rows[Any]) -> list[Any]:
    """Return everything in a table."""

    async def unit(tx: UnitOfWork) -> list[Any]:
        return await tx.select(table, "")

    return await hub.services.store.read(unit)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--spread", type=float, default=10.0, help="seconds over which they come in")
    chosen = parser.parse_args()
    uvloop.run(main(chosen.databases, chosen.calls, chosen.agents, chosen.spread))
