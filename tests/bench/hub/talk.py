"""How visitors and agents talk to the hub: its real protocols (docs/reference/protocols.md), by raw sockets."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from tests.bench.hub.running import SITE
from tests.bench.load.raw import RawSocket, Receive

COOKIE = "hub"
PATIENCE_S = 60


def event_of(packet: bytes) -> tuple[str, Any]:
    """Return an event packet's name and argument."""
    name, argument = json.loads(packet[packet.index(b"[") :])
    return name, argument


class Agents:
    """Agents who take every offer at once."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self._port = port
        self._tokens = tokens
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken: dict[str, asyncio.Future[int]] = {}
        self._seen: set[str] = set()

    async def connect(self, number: int, on_message: Receive) -> RawSocket:
        """Open agent `number`'s console and make them available; `on_message` gets frames that carry messages."""

        def receive(packet: bytes) -> None:
            if b'"messages":' in packet:
                on_message(packet)
            elif b'"offers":' in packet:
                self._offered(number, socket, event_of(packet)[1])

        socket = await RawSocket.connect(
            self._port,
            path="/console/socket.io",
            namespace="/console",
            headers={"Cookie": f"{COOKIE}={self._tokens[number]}"},
            on_event=receive,
        )
        answer: Any = await socket.call("sync", {})
        assert answer["ok"], answer
        answer = await socket.call("presence", {"presence": "available"})
        assert answer["ok"], answer
        return socket

    async def taken(self, interaction: str) -> int:
        """Wait until somebody has taken an interaction, and return who."""
        return await asyncio.wait_for(self._future(interaction), PATIENCE_S)

    def _future(self, interaction: str) -> "asyncio.Future[int]":
        return self._taken.setdefault(interaction, asyncio.get_running_loop().create_future())

    def _offered(self, number: int, socket: RawSocket, frame: dict[str, Any]) -> None:
        for offer in frame["put"].get("offers", {}).keys() - self._seen:
            self._seen.add(offer)
            task = asyncio.create_task(self._accept(number, socket, offer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _accept(self, number: int, socket: RawSocket, offer: str) -> None:
        try:
            answer: Any = await socket.call("accept", {"offer": offer})
        except ConnectionResetError:
            return  # the run is over, and this offer with it
        if answer["ok"]:
            interaction = answer["interaction"]
            future = self._future(interaction if isinstance(interaction, str) else interaction["id"])
            if not future.done():
                future.set_result(number)


class HubAdapter:
    """Visitors and agents of a hub, for `tests.bench.load.drive.Load`."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self._port = port
        self.agents = Agents(port, tokens)

    async def connect_visitor(self, number: int) -> RawSocket:
        """Open visitor `number`'s chat."""
        return await RawSocket.connect(
            self._port, path="/chat/socket.io", namespace="/chat", auth={"site": SITE, "lang": "en"}
        )

    async def connect_agent(self, number: int, on_event: Receive) -> RawSocket:
        """Open agent `number`'s console."""
        return await self.agents.connect(number, on_event)

    async def converse(self, number: int, visitor: RawSocket, agent: RawSocket, agent_number: int) -> str:
        """Begin a chat and wait until an agent has taken it: whoever the hub offers it to."""
        del agent, agent_number
        answer: Any = await visitor.call("start", {"client_id": f"start-{number:06}", "text": "Hello"})
        assert answer["ok"], answer
        interaction: str = answer["thread"]["interaction"]
        await self.agents.taken(interaction)
        return interaction

    def message(self, interaction: str, client_id: str, text: str) -> tuple[str, bytes]:
        """Return a message as the widget sends it."""
        said = {"client_id": client_id, "interaction": interaction, "text": text}
        return "message", json.dumps(said).encode()
