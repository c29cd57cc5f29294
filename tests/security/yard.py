"""A hub that really listens, the people it serves, and those who should get nothing from it."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil
import structlog
from aiohttp import ClientSession, DummyCookieJar, web

from hub import logs
from hub.services.accounts import Device, Signed
from hub.settings import AgentSettings, ChannelSettings, Limits, Secret
from tests import letterbox
from tests.bench.load.raw import RawSocket
from tests.builders import QUEUES, Desk, open_desk
from tests.ports import free_port

SITE_SECRET = "s" * 40
CHAT, CONSOLE = "/chat", "/console"
Answer = tuple[int, Any]


class Line(RawSocket):
    """One raw websocket, with what the hub has said on it."""

    def __init__(self, namespace: str, auth: object, on_event: Any) -> None:
        super().__init__(namespace, auth, on_event or self._keep)
        self.heard: list[tuple[str, Any]] = []
        self.ended = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set()

    def _keep(self, packet: bytes) -> None:
        name, *rest = json.loads(packet[packet.index(b"[") :])
        self.heard.append((name, rest[0] if rest else None))

    async def ask(self, event: str, **said: Any) -> dict[str, Any]:
        """Say something and return the answer."""
        answer = await self.call(event, said)
        assert isinstance(answer, dict), answer
        return answer

    def of(self, event: str) -> list[Any]:
        """Return what the hub has said under this name."""
        return [payload for name, payload in self.heard if name == event]


@dataclass
class Staff:
    """Somebody signed in: their cookie, and what they can ask for."""

    yard: "Yard"
    name: str
    signed: Signed
    token: str

    async def http(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask the REST API as the console does."""
        sent = {"Cookie": f"hub={self.token}", "Origin": self.yard.url, "Content-Type": "application/json"}
        return await self.yard.http(method, f"/api/v1{path}", body, **{**sent, **headers})

    async def console(self) -> Line:
        """Open a console."""
        headers: dict[str, str | None] = {"Cookie": f"hub={self.token}", "Origin": self.yard.url}
        return await self.yard.line(CONSOLE, None, headers)


@dataclass
class Yard:
    """The running hub: its address, its desk, everything it has logged."""

    desk: Desk
    url: str
    port: int
    session: ClientSession
    log: io.StringIO
    lines: list[Line] = field(default_factory=list)

    async def http(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request; the answer's body is JSON where it says so, else bytes."""
        data = None if body is None else io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.session.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False
        ) as got:
            content = await got.read()
            return got.status, json.loads(content) if got.content_type == "application/json" else content

    async def staff(self, name: str) -> Staff:
        """Sign somebody in."""
        signed = await self.desk.hub.services.accounts.sign_in_as(name, Device(ip="127.0.0.1"))
        return Staff(self, name, signed, signed.token)

    async def line(
        self, namespace: str, auth: object, headers: dict[str, str | None] | None = None, *, local_ip: str = "127.0.0.1"
    ) -> Line:
        """Open a websocket and its namespace."""
        line = await Line.connect(
            self.port, path=f"{namespace}/socket.io", namespace=namespace, auth=auth, headers=headers, local_ip=local_ip
        )
        self.lines.append(line)
        return line

    async def visitor(self, **auth: Any) -> Line:
        """Open the chat."""
        return await self.line(CHAT, {"site": "site", **auth})

    async def chatting(self, client_id: str = "start-0001", text: str = "Hello", **form: str) -> tuple[Line, Any]:
        """A visitor who has begun a conversation: the line, and the answer to `start`."""
        line = await self.visitor()
        answer = await line.ask("start", client_id=client_id, form=form or {"name": "Li"}, text=text)
        assert answer["ok"], answer
        await self.desk.settle()
        return line, answer

    def upload_headers(self, token: str) -> dict[str, str]:
        """What the widget sends with an upload."""
        return {"Authorization": f"Bearer {token}", "X-Hub": "1", "Content-Type": "application/octet-stream"}

    async def indexed(self) -> None:
        """Wait until everything said is found by searching."""
        await self.desk.settle()
        await self.desk.hub.services.indexer.caught_up()

    def errors_logged(self) -> list[str]:
        """Return the lines of the log that report a defect."""
        return [line for line in self.log.getvalue().splitlines() if " error " in line or "Traceback" in line]


def rss() -> int:
    """Return this process's resident memory in bytes."""
    size: int = psutil.Process().memory_info().rss
    return size


def narrow_agents() -> dict[str, AgentSettings]:
    """Ann serves support only, Bob billing only; Sue supervises, Ada administrates."""
    roles: dict[str, Literal["agent", "supervisor", "admin"]] = {
        "ann": "agent",
        "bob": "agent",
        "sue": "supervisor",
        "ada": "admin",
    }
    queues = {"ann": QUEUES[:1], "bob": QUEUES[1:]}
    return {
        name: AgentSettings(
            id=name,
            name=f"{name.title()} Example",
            email=f"{name}@example.test",
            role=role,
            queues=queues.get(name, ()),
        )
        for name, role in roles.items()
    }


@asynccontextmanager
async def open_yard(
    folder: Path, database_url: str, *, limits: Mapping[str, Any] | None = None, **runner_options: Any
) -> AsyncIterator[Yard]:
    """Build and start a hub that listens, with two chat sites and narrow agents; its log is kept at `info`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    block = {"queue": "support", "identity_secret": Secret(SITE_SECRET), "origins": ["https://shop.example"]}
    channels = {
        "site": ChannelSettings(id="site", kind="webchat", options=block),
        "bills": ChannelSettings(id="bills", kind="webchat", options={"queue": "billing"}),
        "post": letterbox.block(),
    }
    changes = {
        "public_url": url,
        "channels": channels,
        "agents": narrow_agents(),
        "limits": msgspec.structs.replace(Limits(), **(limits or {})),
    }
    with kept_log() as log, letterbox.known():
        desk = await open_desk(folder, database_url, changes)
        runner = web.AppRunner(desk.hub.app, access_log=None, **runner_options)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with ClientSession(cookie_jar=DummyCookieJar()) as session:
                yard = Yard(desk, url, port, session, log)
                yield yard
                for line in yard.lines:
                    line.abort()
        finally:
            desk.clock.settle = None
            await desk.hub.stop()
            await runner.cleanup()


@contextmanager
def kept_log() -> Iterator[io.StringIO]:
    """Log as `hub serve` does, at `info`, into memory."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(level="info", stream=stream, key=b"k" * 16)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
