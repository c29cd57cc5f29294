"""The same relay on `hub.sockets`: nothing is stored.

`python -m tests.bench.load.relay_fast` prints its port and serves until it is ended.
"""

import gc
from collections import Counter
from typing import Any

import msgspec
from aiohttp import web

from hub.sockets import Audience, Connection, Event, SocketLimits, SocketServer
from tests.bench.load.serve import serve

LIMITS = SocketLimits(rate_per_s=1e6, burst=1_000_000, per_identity=None, per_ip=None)


class Message(msgspec.Struct):
    client_id: str
    interaction: str
    text: str


class Relay:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        audience: Audience[str] = Audience(
            allow_origin=lambda origin, request: True,
            authenticate=self._authenticate,
            client_ip=lambda request: request.remote or "",
        )
        self.console: SocketServer[str] = SocketServer(
            namespace="/console",
            path="/console/socket.io",
            audience=Audience(
                allow_origin=audience.allow_origin,
                authenticate=audience.authenticate,
                client_ip=audience.client_ip,
                on_connect=self._join,
            ),
            events={},
            limits=LIMITS,
        )
        self.chat: SocketServer[str] = SocketServer(
            namespace="/chat",
            path="/chat/socket.io",
            audience=audience,
            events={"message": Event(self._message, Message), "tick": self._tick},
            limits=LIMITS,
        )

    async def _authenticate(self, request: web.Request, auth: object) -> str | None:
        return next(iter(auth.values())) if isinstance(auth, dict) else None

    async def _join(self, connection: Connection[str]) -> None:
        self.console.join(connection, connection.identity)

    def _message(self, connection: Connection[str], message: Message) -> dict[str, Any]:
        self._counts[message.interaction] += 1
        n = self._counts[message.interaction]
        frame = {"client_id": message.client_id, "interaction": message.interaction, "text": message.text, "n": n}
        self.console.emit("frame", frame, to=connection.identity)
        return {"ok": True, "n": n}

    def _tick(self, connection: Connection[str], data: object) -> dict[str, Any]:
        self.console.emit("frame", data, to=None)
        return {"ok": True}


def main() -> None:
    """Serve."""
    gc.set_threshold(50_000, 50, 1_000)
    app = web.Application()
    relay = Relay()
    relay.console.attach(app)
    relay.chat.attach(app)
    serve(app)


if __name__ == "__main__":
    main()
