"""Conversations under load, saturated or at a fixed rate.

Saturated, every visitor says the next thing when the last one was acknowledged and shown.

A message's text carries a marker that names it, so that whatever frame brings the text to the agent tells which message
was delivered, in any protocol.
"""

import asyncio
import itertools
import resource
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.bench.load.process import Meter, ServerProcess
from tests.bench.load.raw import RawSocket, Receive

TEXT = "Hello, my order has not arrived yet, could you have a look please?"
_AT_ONCE = 50


class Adapter(Protocol):
    """How to talk to one server."""

    async def connect_visitor(self, number: int) -> RawSocket:
        """Open visitor `number`'s socket."""

    async def connect_agent(self, number: int, on_event: Receive) -> RawSocket:
        """Open agent `number`'s socket; `on_event` gets every event packet as it came."""

    async def converse(self, number: int, visitor: RawSocket, agent: RawSocket, agent_number: int) -> str:
        """Bring a visitor and an agent together (ask, be offered, accept); return the interaction's id."""

    def message(self, interaction: str, client_id: str, text: str) -> tuple[str, bytes]:
        """Return the event's name and its argument as JSON."""


@dataclass
class Conversation:
    """One visitor, and what is on its way from them."""

    number: int
    visitor: RawSocket
    interaction: str
    sent: int = 0
    sent_at: float = 0.0
    open_ends: int = 0
    """2 after sending; less one for the acknowledgement, less one for the delivery."""


@dataclass
class Run:
    """What one run came to."""

    name: str
    seconds: float = 0.0
    turns: int = 0
    refused: int = 0
    late: int = 0
    """Turns that were due before the one before them was done."""
    acks_ms: list[float] = field(default_factory=list)
    deliveries_ms: list[float] = field(default_factory=list)
    server_cpu_s: float = 0.0
    client_cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        return self.turns / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Turns per CPU-second of the server's processes: the figure that a busy machine does not bend."""
        return self.turns / self.server_cpu_s


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of all lie; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


class Load:
    """Open conversations with one server."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._by_number: dict[int, Conversation] = {}
        self._agents: list[RawSocket] = []
        self._run: Run | None = None
        self._is_saturating = False
        self._loop = asyncio.get_running_loop()
        self._client_ids = itertools.count()
        self._prefix = f"{time.time_ns():x}"

    # -- opening

    async def open(self, conversations: int, *, per_agent: int = 4) -> None:
        """Open sockets until there are this many conversations, `per_agent` of them with each agent."""
        allow_many_files()
        while len(self._agents) * per_agent < conversations:
            first = len(self._agents)
            more = min(_AT_ONCE, -(-conversations // per_agent) - first)
            self._agents += await asyncio.gather(
                *(self._adapter.connect_agent(first + i, self._on_event) for i in range(more))
            )
        waiting = range(len(self._by_number), conversations)
        for start in range(waiting.start, waiting.stop, _AT_ONCE):
            batch = range(start, min(start + _AT_ONCE, waiting.stop))
            await asyncio.gather(*(self._open_one(number, per_agent) for number in batch))

    async def _open_one(self, number: int, per_agent: int) -> None:
        visitor = await self._adapter.connect_visitor(number)
        agent = number // per_agent
        interaction = await self._adapter.converse(number, visitor, self._agents[agent], agent)
        self._by_number[number] = Conversation(number, visitor, interaction)

    async def settled(self, within_s: float = 60.0) -> None:
        """Wait until agents have heard all about the new conversations: a second in which few hear anything."""
        deadline = self._loop.time() + within_s
        heard, before = self._heard(), -len(self._agents)
        while heard - before > len(self._agents) / 5 and self._loop.time() < deadline:
            await asyncio.sleep(1)
            heard, before = self._heard(), heard

    def _heard(self) -> int:
        return sum(agent.frames for agent in self._agents)

    def close(self) -> None:
        """Drop every socket."""
        for socket in self._sockets():
            socket.abort()

    def _sockets(self) -> Iterator[RawSocket]:
        yield from self._agents
        yield from (conversation.visitor for conversation in self._by_number.values())

    # -- running

    async def saturate(self, name: str, server: ServerProcess, *, seconds: float) -> Run:
        """Keep one message of every conversation on its way."""
        run = Run(name)
        await self._measured(run, server, self._saturated(seconds))
        return run

    async def steady(self, name: str, server: ServerProcess, *, per_s: float, seconds: float) -> Run:
        """Send at a fixed rate, conversations in turn; what is late is counted, never skipped in silence."""
        run = Run(name)
        await self._measured(run, server, self._paced(per_s, seconds))
        return run

    async def _measured(self, run: Run, server: ServerProcess, running: Awaitable[None]) -> None:
        self._run = run
        meter = Meter(server)
        await running
        run.seconds, run.server_cpu_s, run.client_cpu_s = meter.read()
        run.turns = len(run.deliveries_ms)
        await self._drain()
        self._run = None

    async def _saturated(self, seconds: float) -> None:
        self._is_saturating = True
        for conversation in self._by_number.values():
            self._say(conversation)
        await asyncio.sleep(seconds)
        self._is_saturating = False

    async def _paced(self, per_s: float, seconds: float) -> None:
        assert self._run is not None
        conversations = list(self._by_number.values())
        start = self._loop.time()
        for turn in range(int(per_s * seconds)):
            wait = start + turn / per_s - self._loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            conversation = conversations[turn % len(conversations)]
            if conversation.open_ends:
                self._run.late += 1
            else:
                self._say(conversation)
        await self._drain()

    async def _drain(self, within_s: float = 10.0) -> None:
        """Wait for what is still on its way."""
        deadline = self._loop.time() + within_s
        while any(conversation.open_ends for conversation in self._by_number.values()):
            if self._loop.time() > deadline:
                raise TimeoutError("messages were never acknowledged or never delivered")
            await asyncio.sleep(0.01)

    def _say(self, conversation: Conversation) -> None:
        conversation.sent += 1
        conversation.open_ends = 2
        conversation.sent_at = time.perf_counter()
        text = f"~{conversation.number}.{conversation.sent}~ {TEXT}"
        client_id = f"{self._prefix}-{next(self._client_ids)}"
        event, body = self._adapter.message(conversation.interaction, client_id, text)
        conversation.visitor.emit(event, body, lambda packet: self._on_ack(conversation, packet))

    def _on_ack(self, conversation: Conversation, packet: bytes) -> None:
        assert self._run is not None
        if b'"ok":true' in packet:
            self._run.acks_ms.append((time.perf_counter() - conversation.sent_at) * 1000)
            self._settle(conversation)
        else:
            self._run.refused += 1
            conversation.open_ends = 0

    def _on_event(self, packet: bytes) -> None:
        start = packet.find(b"~")
        if start < 0 or self._run is None:
            return
        number, _, sent = packet[start + 1 : packet.index(b"~", start + 1)].partition(b".")
        conversation = self._by_number.get(int(number))
        if conversation is None or conversation.sent != int(sent) or not conversation.open_ends:
            return
        self._run.deliveries_ms.append((time.perf_counter() - conversation.sent_at) * 1000)
        self._settle(conversation)

    def _settle(self, conversation: Conversation) -> None:
        conversation.open_ends -= 1
        if not conversation.open_ends and self._is_saturating:
            self._say(conversation)


def allow_many_files() -> None:
    """Raise this process's limit of open files to what the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
