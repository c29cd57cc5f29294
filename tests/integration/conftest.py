"""A hub that really listens, and people who really connect."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import socketio
from aiohttp import ClientSession, web

from tests.builders import Desk, open_desk
from tests.ports import free_port
from tests.unit.console.browsers import watched

SITE_SECRET = "s" * 40


class Refused(Exception):
    """The hub did not let this browser in."""


@dataclass
class Visitor:
    """A visitor's browser tab, by the official client."""

    url: str
    client: socketio.AsyncClient
    heard: list[tuple[str, Any]] = field(default_factory=list)

    async def ask(self, event: str, **said: Any) -> dict[str, Any]:
        """Say something and return the answer."""
        answer: dict[str, Any] = await self.client.call(event, said, namespace="/chat", timeout=5)
        return answer

    def of(self, event: str) -> list[Any]:
        """Return what the hub has said under this name."""
        return [payload for name, payload in self.heard if name == event]


@dataclass
class Site:
    """The running hub's address, and its desk."""

    desk: Desk
    url: str
    session: ClientSession
    clients: list[socketio.AsyncClient] = field(default_factory=list)

    async def visitor(self, *, origin: str | None = None, **auth: Any) -> Visitor:
        """Open the chat as a browser does."""
        client = socketio.AsyncClient(reconnection=False)
        tab = Visitor(self.url, client)
        for event in ("message", "thread", "typing", "seen", "restart", "goodbye", "resync"):
            client.on(event, lambda payload, event=event: tab.heard.append((event, payload)), namespace="/chat")
        refused: list[Any] = []
        client.on("connect_error", refused.append, namespace="/chat")
        self.clients.append(client)
        try:
            await client.connect(
                self.url,
                namespaces=["/chat"],
                socketio_path="/chat/socket.io",
                transports=["websocket"],
                auth={"site": "site", "lang": "en", **auth},
                headers={"Origin": origin or self.url},
            )
        except socketio.exceptions.ConnectionError as error:
            raise Refused(_reason(refused, error)) from error
        return tab

    async def chatting(self, **form: str) -> tuple[Visitor, dict[str, Any]]:
        """A visitor who has begun a conversation; returns the tab and the answer."""
        tab = await self.visitor()
        started = await tab.ask("start", client_id="start-0001", form=form or {"name": "Li"}, text="Hello")
        assert started["ok"], started
        await self.desk.settle()
        return tab, started


def _reason(refused: list[Any], error: Exception) -> str:
    said = refused[0] if refused else str(error)
    return str(said.get("message", said)) if isinstance(said, dict) else str(said)


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A listening hub with one chat site that signs its customers' identities."""
    from hub.settings import ChannelSettings, Secret

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    block = {"queue": "support", "identity_secret": Secret(SITE_SECRET), "origins": ["https://shop.example"]}
    channels = {"site": ChannelSettings(id="site", kind="webchat", options=block)}
    desk = await open_desk(tmp_path, database_url, {"public_url": url, "channels": channels})
    runner = web.AppRunner(desk.hub.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with watched(desk), ClientSession() as session:
            opened = Site(desk, url, session)
            yield opened
            for client in opened.clients:
                await client.disconnect()
    finally:
        desk.clock.settle = None
        await desk.hub.stop()
        await runner.cleanup()
