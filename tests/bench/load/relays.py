"""How to talk to the two relays."""

import json
from dataclasses import dataclass

from tests.bench.load.raw import RawSocket, Receive

STOCK, FAST = "tests.bench.load.relay_stock", "tests.bench.load.relay_fast"


@dataclass(frozen=True)
class RelayAdapter:
    """Visitors and agents of `relay_stock` or `relay_fast`."""

    module: str
    port: int
    per_agent: int = 4

    async def connect_visitor(self, number: int) -> RawSocket:
        room = f"agent-{number // self.per_agent}"
        return await RawSocket.connect(self.port, path=self._path("/chat"), namespace="/chat", auth={"agent": room})

    async def connect_agent(self, number: int, on_event: Receive) -> RawSocket:
        auth = {"room": f"agent-{number}"}
        path = self._path("/console")
        return await RawSocket.connect(self.port, path=path, namespace="/console", auth=auth, on_event=on_event)

    async def converse(self, number: int, visitor: RawSocket, agent: RawSocket, agent_number: int) -> str:
        return str(number)

    def message(self, interaction: str, client_id: str, text: str) -> tuple[str, bytes]:
        return "message", json.dumps({"client_id": client_id, "interaction": interaction, "text": text}).encode()

    def _path(self, namespace: str) -> str:
        return "/socket.io" if self.module == STOCK else f"{namespace}/socket.io"
