"""Everybody at once: visitors and agents of one hub, which is ended and started again around them."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.clock import SystemClock
from hub.domain.messages import Author
from tests.bench.hub.running import HubProcess, Place, agent_id, database, staffed, start
from tests.fault.clients import AgentClient, Client, VisitorClient
from tests.fault.truth import Truth
from tests.servers import Postgres

VISITORS, AGENTS, ASLEEP = 14, 4, 1
SETTLE_S = 25
MORE = """
[kinds.chat]
units = 25
offer_timeout_s = 2
[handling]
wrap_up_s = 1.5
[offers]
agent_back_off_s = { timed_out = 0 }
same_agent_again_s = { timed_out = 0 }
"""


@dataclass
class Crowd:
    """The people, the hub they talk to, and its errors."""

    place: Place
    hub: HubProcess
    visitors: list[VisitorClient]
    agents: list[AgentClient]
    errors: Path
    database: Postgres | None = None
    up_since: int = 0
    late: list[object] = field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def everybody(self) -> Iterable[Client]:
        yield from self.visitors
        yield from self.agents

    def begin(self) -> None:
        """Let everybody live."""
        self.up_since = SystemClock().now()
        self._tasks = [asyncio.create_task(client.live()) for client in self.everybody]

    async def busy(self, more: int = 30) -> None:
        """Wait until everybody is connected and so many more messages are acknowledged: the load is on."""
        wanted = self.acknowledged + more
        while self.acknowledged < wanted:
            self.look()
            change = asyncio.Event()
            for client in self.everybody:
                client.acknowledged = change
            await asyncio.wait_for(change.wait(), SETTLE_S)

    @property
    def acknowledged(self) -> int:
        return sum(message.n is not None for client in self.everybody for message in client.said)

    def look(self) -> None:
        """Raise what ended somebody's life before its time."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def kill(self) -> None:
        """Cut the hub's power."""
        await self.hub.kill()
        self._close_pipe()

    async def start(self) -> None:
        """Start the hub again."""
        with self.errors.open("ab") as errors:
            self.hub = await start(self.place, errors=errors)
        self.up_since = SystemClock().now()

    async def stop(self) -> int:
        """Stop the hub as an operator does; return its exit code."""
        code = await self.hub.terminate()
        self._close_pipe()
        return code

    def _close_pipe(self) -> None:
        if self.hub.process.stdout is not None:
            self.hub.process.stdout.close()

    async def settle(self) -> None:
        """Nobody begins anything; what is on its way arrives."""
        for client in self.everybody:
            client.is_stopping = True
        done, pending = await asyncio.wait(self._tasks, timeout=SETTLE_S)
        for task in done:
            task.result()
        stuck = [(c.unanswered, c.errors[-3:], c.connections) for c in self.everybody if c.unanswered]
        assert not pending, (stuck, self.errors.read_text()[-2000:])

    async def truth(self) -> Truth:
        """Read the database, and note offers that live too long."""
        truth = await Truth.read(self.place.settings)
        self.late += truth.late_offers(self.up_since)
        return truth

    async def check(self) -> Truth:
        """Hold the database to its invariants and to everything people were told."""
        truth = await self.truth()
        truth.check()
        assert not self.late, self.late
        truth.check_said((said for client in self.visitors for said in client.said), Author.CUSTOMER)
        truth.check_said((said for client in self.agents for said in client.said), Author.AGENT)
        for client in self.everybody:
            truth.check_order(client.said)
        truth.check_begun(self.visitors)
        return truth

    def check_log(self) -> None:
        """The hub noted no mistake of its own; that its database was away is none."""
        mistakes = re.findall(r"[^\n]*(?: failed|never retrieved)[^\n]*", self.errors.read_text())
        assert not mistakes, (mistakes[:3], self.errors.read_text()[-3000:])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.hub.process.poll() is None:
            await self.hub.kill()
        self._close_pipe()


@contextlib.asynccontextmanager
async def crowd(kind: str, folder: Path, *, asleep: int = ASLEEP, visitors: int = VISITORS) -> AsyncIterator[Crowd]:
    """A hub on an empty database, and its people, who have not begun yet."""
    async with database(kind, folder) as (url, server):
        place = await staffed(folder, url, agents=AGENTS, more=MORE)
        errors = folder / "errors.log"
        with errors.open("wb") as log:
            hub = await start(place, errors=log)
        opened = Crowd(
            place,
            hub,
            [VisitorClient(place.port, name=f"visitor {number}") for number in range(visitors)],
            [
                AgentClient(place.port, token=token, agent=agent_id(number), is_asleep=number < asleep)
                for number, token in enumerate(place.tokens)
            ],
            errors,
            server,
        )
        try:
            yield opened
        finally:
            await opened.close()
