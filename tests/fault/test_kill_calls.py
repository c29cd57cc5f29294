"""`kill -9` of the hub during calls: who talks goes on talking, nobody is known twice, and every call comes to its end.

The carrier lives on in this process; the hub is another one, and is started again each time.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from channels.simulator.carrier import Account, AccountLimits, Carrier, Hook, Manners, Number, Phone, Server
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.phones import HangUp, Meet, Say, Step, Wait
from hub.clock import SystemClock
from hub.domain.interaction import TERMINAL, WAITING
from tests.bench.hub.running import HubProcess, Place, agent_id, database, staffed, start
from tests.fault.clients import AgentClient
from tests.fault.test_kill import backends
from tests.fault.truth import Truth
from tests.ports import free_port

KILLS = {"sqlite": 2, "postgresql": 1}
EACH_TIME, AGENTS = 2, 3
TALK_S = 3.0
SETTLE_S = 90.0
LINE = "+15005550006"
SID, TOKEN = "AC" + "7" * 32, "a-token-that-the-carrier-signs-with"
SCRIPT: tuple[Step, ...] = (Meet("", 120), Say("Hello, my tent leaks."), Wait(TALK_S), HangUp())
MORE = """
[handling]
wrap_up_s = 1.5
[calls]
reconcile_s = 2
[channels.hotline]
kind = "voice"
number = "{line}"
queue = "support"
account_sid = "{sid}"
auth_token = "file:token"
api_url = "http://127.0.0.1:{port}"
announce_s = 120
books_callbacks = false
"""
pytestmark = pytest.mark.timeout(300)


@dataclass
class Switchboard:
    """The hub, its agents, and everybody who has called."""

    place: Place
    hub: HubProcess
    carrier: Carrier
    agents: list[AgentClient]
    errors: Path
    callers: list[Leg] = field(default_factory=list)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def ring(self, count: int) -> None:
        """Let so many people call, each from a number of their own."""
        for _ in range(count):
            number = f"+1415555{len(self.callers):04}"
            self.callers.append(self.carrier.person_calls(number, LINE, SCRIPT))

    def talking(self) -> list[Leg]:
        """Return the callers who have said their words to an agent and are still on the line."""
        return [leg for leg in self.callers if not leg.is_over and leg.spoken]

    async def until_talking(self) -> None:
        """Wait until somebody talks: there is something to be torn apart."""
        async with asyncio.timeout(SETTLE_S):
            while not self.talking():  # noqa: ASYNC110 - what it becomes true by is in another process
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Cut the hub's power and start it again."""
        await self.hub.kill()
        self._close_pipe()
        with self.errors.open("ab") as errors:
            self.hub = await start(self.place, errors=errors)

    async def over(self) -> Truth:
        """Wait until every line is down and every interaction has ended; return what is stored then."""
        async with asyncio.timeout(SETTLE_S):
            while True:
                truth = await Truth.read(self.place.settings)
                has_ended = all(one.state in TERMINAL for one in truth.interactions.values())
                if has_ended and not self.carrier.live_calls():
                    return truth
                await asyncio.sleep(0.25)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.hub.process.poll() is None:
            await self.hub.kill()
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self.hub.process.stdout is not None:
            self.hub.process.stdout.close()


@asynccontextmanager
async def switchboard(kind: str, folder: Path) -> AsyncIterator[Switchboard]:
    """A hub with a line at a carrier, and agents whose phones are picked up at once."""
    (folder / "token").write_text(TOKEN)
    errors = folder / "errors.log"
    async with database(kind, folder) as (url, _):
        port = free_port()
        more = MORE.format(line=LINE, sid=SID, port=port)
        place = await staffed(folder, url, agents=AGENTS, more=more)
        carrier = Carrier(account(f"http://127.0.0.1:{place.port}/webhooks/hotline"), SystemClock())
        for number in range(AGENTS):
            carrier.world.install(f"client:{agent_id(number)}", Phone(Manners(after_s=0.2)))
        server = Server(carrier, port=port)
        await server.start()
        try:
            with errors.open("wb") as log:
                hub = await start(place, errors=log)
            agents = [
                AgentClient(place.port, token=token, agent=agent_id(number), messages_each=0)
                for number, token in enumerate(place.tokens)
            ]
            board = Switchboard(place, hub, carrier, agents, errors)
            board.tasks = [asyncio.create_task(agent.live()) for agent in agents]
            try:
                yield board
            finally:
                await board.close()
        finally:
            await server.stop()


def account(hooks: str) -> Account:
    """Return an account whose number calls the hub."""
    number = Number(
        phone_number=LINE,
        voice=Hook(f"{hooks}/call"),
        voice_fallback=Hook(f"{hooks}/fallback"),
        status_callback=Hook(f"{hooks}/status"),
    )
    limits = AccountLimits(calls_per_s=100.0, requests_per_s=1_000.0, request_burst=1_000)
    return Account(sid=SID, auth_token=TOKEN, numbers={LINE: number}, limits=limits)


def said_goodbye(leg: Leg) -> bool:
    """Whether a caller's line ended because the caller hung up, when they meant to, and not because it was cut."""
    meant_at = leg.spoken[-1][1] + round(TALK_S * 1000)
    return leg.status == "completed" and leg.ended_at is not None and leg.ended_at >= meant_at - 50


@pytest.mark.parametrize("kind", backends())
async def test_calls_survive_a_hub_that_is_killed_and_interactions_recover(kind: str, tmp_path: Path) -> None:
    moments = random.Random(20261127)
    async with switchboard(kind, tmp_path) as board:
        survivors: list[Leg] = []
        for _ in range(KILLS[kind]):
            board.ring(EACH_TIME)
            await board.until_talking()
            # The moment is what is tried: there is no event to wait for.
            await asyncio.sleep(moments.random() * TALK_S / 2)
            survivors += board.talking()
            await board.kill()
        truth = await board.over()
        truth.check()

    assert survivors
    assert all(said_goodbye(leg) for leg in survivors), [(leg.status, leg.ended_at, leg.spoken) for leg in survivors]
    calls = [found for found in truth.interactions.values() if found.kind == "voice"]
    assert sorted(found.provider_id for found in calls) == sorted(leg.sid for leg in board.callers)
    assert all(agent.held == 0 for agent in truth.agents.values())
    assert not [found for found in calls if found.state in WAITING]
