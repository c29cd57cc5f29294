"""Visitors and agents who never reload: they reconnect, resume and repeat what has no answer, as widget and console do.

They note what was acknowledged, so that the database can be held to it afterwards.
"""

import asyncio
import itertools
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.bench.hub.running import SITE
from tests.bench.hub.talk import COOKIE, event_of
from tests.bench.load.raw import RawSocket, Refused

LATER = frozenset({"unavailable", "internal", "rate_limited"})
OVER = frozenset({"closed", "not_found", "conflict"})
RETRY_S = 0.05
GONE = (OSError, ConnectionResetError)


@dataclass
class Said:
    """One message: what it says, and the answer once there is one."""

    interaction: str
    client_id: str
    text: str
    n: int | None = None
    refused: str = ""


@dataclass
class Client:
    """What visitors and agents have in common: a line that is opened again and again."""

    port: int
    said: list[Said] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    socket: RawSocket | None = None
    connections: int = 0
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    is_stopping: bool = False

    async def live(self) -> None:
        """Connect and talk until told to stop, whatever happens to the line."""
        while not self.is_stopping:
            try:
                self.socket = await self.connect()
                self.connections += 1
                await self.talk()
            except (*GONE, Refused):
                await asyncio.sleep(RETRY_S)
            finally:
                if self.socket is not None:
                    self.socket.abort()

    async def connect(self) -> RawSocket:
        raise NotImplementedError

    async def talk(self) -> None:
        raise NotImplementedError

    async def ask(self, event: str, **said: Any) -> dict[str, Any]:
        """Say something and return the answer; a lost line raises."""
        assert self.socket is not None
        answer: Any = await self.socket.call(event, said)
        assert isinstance(answer, dict), answer
        if not answer["ok"]:
            self.errors.append(answer["error"])
        return answer

    async def send(self, event: str, message: Said, **more: Any) -> bool:
        """Send one message until it has an answer; False when it was refused for good."""
        while True:
            answer = await self.ask(
                event, interaction=message.interaction, client_id=message.client_id, text=message.text, **more
            )
            if answer["ok"]:
                message.n = answer["n"]
                self.acknowledged.set()
                return True
            if answer["error"] in OVER:
                message.refused = answer["error"]
                return False
            assert answer["error"] in LATER, answer
            await asyncio.sleep(RETRY_S)

    @property
    def unanswered(self) -> list[Said]:
        """What was sent and has no answer yet, oldest first."""
        return [message for message in self.said if message.n is None and not message.refused]


@dataclass
class VisitorClient(Client):
    """A visitor: begins a chat, talks, ends it, begins another."""

    name: str = ""
    token: str | None = None
    interaction: str | None = None
    starting: str | None = None
    begun: list[tuple[str, str]] = field(default_factory=list)
    """(client id, interaction) of every `start` that was answered."""
    log: dict[int, dict[str, Any]] = field(default_factory=dict)
    messages_each: int = 12
    pause_s: float = 0.01
    is_behind: bool = False
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def connect(self) -> RawSocket:
        auth = {"site": SITE, "lang": "en"} | ({"token": self.token} if self.token else {})
        return await RawSocket.connect(
            self.port, path="/chat/socket.io", namespace="/chat", auth=auth, on_event=self._on_event
        )

    def _on_event(self, packet: bytes) -> None:
        name, argument = event_of(packet)
        self.heard.append(name)
        if name == "message" and argument["interaction"] == self.interaction:
            self._take(argument)

    def _take(self, message: dict[str, Any]) -> None:
        if message["n"] > max(self.log, default=0) + 1:
            self.is_behind = True
        assert self.log.setdefault(message["n"], message)["text"] == message["text"], "a number was used twice"

    async def talk(self) -> None:
        await self._resume()
        while not self.is_stopping or self.unanswered or self.starting:
            if self.is_behind:
                await self._resume()
            elif self.interaction is None or self.starting:
                await self._begin()
            elif self.unanswered:
                if not await self.send("message", self.unanswered[0]):
                    self._over()
            elif sum(message.interaction == self.interaction for message in self.said) >= self.messages_each:
                await self._end()
            else:
                text = f"{self.name} says {next(self.numbers)}"
                self.said.append(Said(self.interaction, uuid.uuid4().hex, text))
                await asyncio.sleep(self.pause_s * random.random())

    async def _resume(self) -> None:
        """Fetch what was missed, in pages, as long as numbers are missing."""
        while True:
            held = self.held
            self.is_behind = False
            answer = await self.ask("resume", interaction=self.interaction, after=held)
            if not answer["ok"]:
                await asyncio.sleep(RETRY_S)
                continue
            thread = answer["thread"]
            if thread is None or thread["interaction"] != self.interaction:
                return
            for message in answer["messages"]:
                self._take(message)
            if self.held >= thread["last_n"] or not answer["messages"]:
                return

    @property
    def held(self) -> int:
        """The highest number up to which none is missing."""
        return next(n for n in itertools.count() if n + 1 not in self.log)

    async def _begin(self) -> None:
        self.starting = self.starting or uuid.uuid4().hex
        answer = await self.ask("start", client_id=self.starting, text=f"{self.name} begins")
        if not answer["ok"]:
            assert answer["error"] in LATER, answer
            await asyncio.sleep(RETRY_S)
            return
        interaction = answer["thread"]["interaction"]
        self.token = answer["token"]
        self.begun.append((self.starting, interaction))
        self.starting = None
        if interaction != self.interaction:
            self.log.clear()
        self.interaction = interaction
        for message in answer["messages"]:
            self._take(message)
        self.acknowledged.set()

    async def _end(self) -> None:
        answer = await self.ask("end", interaction=self.interaction)
        if answer["ok"] or answer["error"] in OVER:
            self._over()
        else:
            await asyncio.sleep(RETRY_S)

    def _over(self) -> None:
        """This conversation takes nothing more: what was not taken is refused, and a new one begins."""
        for message in self.unanswered:
            message.refused = "closed"
        self.interaction = None
        self.log.clear()


@dataclass
class AgentClient(Client):
    """An agent: takes offers (or looks away), answers, wraps up; keeps rows by snapshot and frames."""

    token: str = ""
    agent: str = ""
    is_asleep: bool = False
    messages_each: int = 6
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seq: int = 0
    modes: list[str] = field(default_factory=list)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self) -> RawSocket:
        return await RawSocket.connect(
            self.port,
            path="/console/socket.io",
            namespace="/console",
            headers={"Cookie": f"{COOKIE}={self.token}"},
            on_event=self._on_event,
        )

    def _on_event(self, packet: bytes) -> None:
        name, argument = event_of(packet)
        self.heard.append(name)
        if name == "frame" and self.seq and argument["seq"] >= self.seq:
            self.seq = argument["seq"]
            self._apply(argument)
        self.wake.set()

    def _apply(self, delta: dict[str, Any]) -> None:
        for table, rows in delta["put"].items():
            self.rows.setdefault(table, {}).update(rows)
        for table, ids in delta["drop"].items():
            for row in ids:
                self.rows.get(table, {}).pop(row, None)

    async def talk(self) -> None:
        await self.sync()
        await self.ask("presence", presence="available")
        while not self.is_stopping or self.unanswered:
            if not await self._work():
                self.wake.clear()
                await asyncio.wait([asyncio.ensure_future(self.wake.wait())], timeout=0.1)
            if self.socket is None or self.socket.is_closed:
                raise ConnectionResetError

    async def sync(self) -> None:
        """Catch up: only what was missed, where the hub still knows it."""
        answer = await self.ask("sync", **({"seq": self.seq} if self.seq else {}))
        if not answer["ok"]:
            raise ConnectionResetError
        self.modes.append(answer["mode"])
        if answer["mode"] == "snapshot":
            self.rows = {}
        self.seq = answer["seq"]
        self._apply(answer)

    async def _work(self) -> bool:
        """Do the next thing there is to do; False when there is none."""
        me = self.rows.get("me", {}).get("me", {})
        if me.get("status") == "not_responding":
            await self.ask("resume_work")
        if self.unanswered:
            message = self.unanswered[0]
            await self.send("send", message, seen_n=0, anyway=True)
            return True
        for offer in [] if self.is_asleep else list(self.rows.get("offers", {})):
            self.rows["offers"].pop(offer)
            await self.ask("accept", offer=offer)
            return True
        for row in list(self.rows.get("interactions", {}).values()):
            if row["agent"] == self.agent and await self._handle(row):
                return True
        return False

    async def _handle(self, row: dict[str, Any]) -> bool:
        interaction, state = row["id"], row["state"]
        mine = sum(message.interaction == interaction for message in self.said)
        if state == "active" and mine < self.messages_each:
            self.said.append(Said(interaction, uuid.uuid4().hex, f"{self.agent} answers {mine}"))
            await self.send("send", self.said[-1], seen_n=0, anyway=True)
            return True
        if state == "wrapping" and ord(interaction[-1]) % 2:
            answer = await self.ask("complete", interaction=interaction, disposition="solved")
            self.rows["interactions"].pop(interaction, None)
            return bool(answer["ok"])
        return False


def described(messages: list[Said]) -> str:
    """Return messages for an assertion's text."""
    return json.dumps([(message.interaction, message.client_id, message.text) for message in messages], indent=1)
