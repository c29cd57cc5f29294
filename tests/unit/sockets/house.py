"""A socket server with a door: who has a token may come in, and what happens is kept."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import socketio
from aiohttp import web

from hub.sockets import Audience, Connection, Event, EventRefused, SocketLimits, SocketServer
from hub.sockets.events import Handler
from tests.bench.load.raw import RawSocket, Receive

SITE = "http://shop.example"
PATH = "/chat/socket.io"


class Probe(RawSocket):
    """A raw socket that keeps what it has received."""

    def __init__(self, namespace: str, auth: object, on_event: Receive | None) -> None:
        super().__init__(namespace, auth, on_event)
        self.packets: list[str] = []
        self.pongs: list[bytes] = []
        self._arrived = asyncio.Event()

    async def until(self, is_there: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the packets received so far are what is asked for."""
        while not is_there(self.packets):
            self._arrived.clear()
            await self._arrived.wait()
        return self.packets

    def _packet(self, packet: bytes) -> None:
        self.packets.append(packet.decode())
        self._arrived.set()
        super()._packet(packet)

    def _control(self, opcode: int, payload: bytes) -> None:
        self.pongs.append(payload)


class Client:
    """A raw socket, and the events it has received."""

    def __init__(self) -> None:
        self.socket: Probe
        self.received: asyncio.Queue[list[Any]] = asyncio.Queue()

    def on_event(self, packet: bytes) -> None:
        self.received.put_nowait(json.loads(packet[packet.index(b"[") :]))

    async def call(self, event: str, argument: object = None) -> Any:
        return await self.socket.call(event, argument)

    def seen(self) -> list[list[Any]]:
        """Return the events received and not looked at yet."""
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


class House:
    """Opens the server under test on a free port, and clients to it."""

    def __init__(self) -> None:
        self.server: SocketServer[str]
        self.port = 0
        self.present: dict[str, Connection[str]] = {}
        self.arrived: asyncio.Queue[str] = asyncio.Queue()
        self.left: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.welcome: object = None
        self.may_enter: Callable[[str], None] = lambda token: None
        self.authentications: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None
        self._clients: list[socketio.AsyncClient] = []
        self._sockets: list[Probe] = []

    async def open(
        self,
        events: Mapping[str, Handler | Event] | None = None,
        *,
        on_resync: Callable[[Connection[str]], None] | None = None,
        public_errors: tuple[type[Exception], ...] = (),
        **limits: Any,
    ) -> SocketServer[str]:
        """Open the doors; `events` come in addition to `echo`."""
        audience = Audience(
            allow_origin=lambda origin, request: origin == SITE,
            authenticate=self._authenticate,
            client_ip=lambda request: request.headers.get("X-Client", request.remote or ""),
            identity_key=lambda identity: identity.partition("@")[0],
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
            on_resync=on_resync,
        )
        self.server = SocketServer(
            namespace="/chat",
            path=PATH,
            audience=audience,
            events={"echo": echo, **(events or {})},
            limits=SocketLimits(**limits),
            public_errors=public_errors,
        )
        app = web.Application()
        self.server.attach(app)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self.server

    async def close(self) -> None:
        for client in self._clients:
            await client.disconnect()
        for socket in self._sockets:
            socket.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    async def enter(self, token: str = "ann", *, origin: str | None = SITE, ip: str = "192.0.2.1") -> Client:
        """Connect a raw client; a token of `-` sends no CONNECT's auth."""
        client = Client()
        client.socket = await self.raw(token, origin=origin, ip=ip, on_event=client.on_event)
        return client

    async def raw(
        self,
        token: str | None = "ann",
        *,
        origin: str | None = SITE,
        ip: str = "192.0.2.1",
        namespace: str = "/chat",
        on_event: Callable[[bytes], None] | None = None,
    ) -> Probe:
        headers: dict[str, str | None] = {"Origin": origin, "X-Client": ip}
        socket = await Probe.connect(
            self.port,
            path=PATH,
            namespace=namespace,
            auth={"token": token},
            headers=headers,
            on_event=on_event,
        )
        self._sockets.append(socket)
        return socket

    async def official(self, token: str = "ann", *, reconnection: bool = False) -> socketio.AsyncClient:
        """Return python-socketio's own client, not connected yet."""
        client = socketio.AsyncClient(reconnection=reconnection, reconnection_delay=0.01, randomization_factor=0)
        self._clients.append(client)
        return client

    async def connect(self, client: socketio.AsyncClient, token: str = "ann") -> None:
        await client.connect(
            f"http://127.0.0.1:{self.port}",
            headers={"Origin": SITE},
            auth={"token": token},
            transports=["websocket"],
            namespaces=["/chat"],
            socketio_path=PATH,
        )

    async def _authenticate(self, request: web.Request, auth: object) -> str | None:
        token = auth.get("token") if isinstance(auth, dict) else None
        self.authentications[str(token)] += 1
        if token == "expired":
            raise EventRefused("expired")
        if token == "bug":
            raise ZeroDivisionError
        self.may_enter(str(token))
        return token if isinstance(token, str) else None

    async def _on_connect(self, connection: Connection[str]) -> None:
        self.present[connection.identity] = connection
        self.arrived.put_nowait(connection.identity)
        if self.welcome is not None:
            self.server.emit("welcome", self.welcome, to=connection.sid)

    async def _on_disconnect(self, connection: Connection[str], reason: str) -> None:
        self.present.pop(connection.identity, None)
        self.left.put_nowait((connection.identity, reason))


def echo(connection: Connection[str], *arguments: object) -> object:
    return list(arguments)
