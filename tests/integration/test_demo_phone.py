"""The demo's telephones: a newcomer in a browser, simulated callers and colleagues, over the carrier inside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from channels.simulator.callers import Callers
from hub.app import Hub, build
from hub.demo.config import company_file
from hub.demo.phone import SOFTPHONE
from hub.domain.interaction import ClosingReason, Interaction
from hub.domain.messages import Message
from hub.flows.checking import Around
from hub.services.flows.figures import FlowOverview
from hub.settings import Hours, Secret, load
from hub.storage.tables import INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import UnitOfWork
from tests.ports import free_port

PACE = 0.05
WITHIN_S = 100.0


@asynccontextmanager
async def demo(folder: Path, *, workshop_days: bool = True) -> AsyncIterator[tuple[Hub, str, aiohttp.ClientSession]]:
    """A demo that listens, without a visitor, caller or letter that nobody asked for.

    The workshop is always open or never: what time it is while this runs must not matter.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = load(company_file(), {})
    server = msgspec.structs.replace(
        settings.server,
        port=port,
        public_url=url,
        data_dir=folder,
        database_url=Secret(f"sqlite:///{folder}/hub.db"),
        trusted_proxies=("127.0.0.0/8",),
    )
    quiet = msgspec.structs.replace(
        settings.demo, visitors_per_minute=0.0, letters_per_minute=0.0, callers_per_minute=0.0, texters_per_minute=0.0
    )
    always = msgspec.structs.replace(settings.hours["always"], id="workshop")
    hours = {**settings.hours, "workshop": always if workshop_days else Hours(id="workshop")}
    changed = msgspec.structs.replace(settings, server=server, demo=quiet, hours=hours)
    hub = build(changed, strict=True, demo=True)
    assert hub.demo is not None
    before = asyncio.all_tasks()
    await hub.start()
    runner = web.AppRunner(hub.app, access_log=None)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield hub, url, session
    finally:
        await hub.stop()
        await runner.cleanup()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()] == []


def flow_overview(hub: Hub) -> FlowOverview:
    return FlowOverview(hub.services.store, hub.services.self_service.library, lambda: 0, Around)


async def opened(hub: Hub, url: str) -> Callers:
    """Let everybody come to work, and the telephones be connected."""
    assert hub.demo is not None
    await hub.demo.start(url, pace=PACE)
    assert await hub.demo.exchange.is_open()
    callers = hub.demo.exchange.callers
    assert callers is not None
    return callers


async def interactions(hub: Hub) -> list[Interaction]:
    async def unit(tx: UnitOfWork) -> list[Interaction]:
        return await tx.select(INTERACTIONS, "WHERE kind = 'voice' ORDER BY created_at, id")

    return await hub.services.store.read(unit)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not is_so():  # noqa: ASYNC110 - what it becomes true by is on the other side of a socket
            await asyncio.sleep(0.05)


class Newcomer:
    """A browser on the page: its telephone and what it was told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.call = ""
        self.told: list[dict[str, Any]] = []

    async def say(self, **said: object) -> None:
        await self._socket.send_json({**said, **({"call": self.call} if self.call else {})})

    async def hear(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first that fits of what the carrier tells."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                told: dict[str, Any] = await self._socket.receive_json()
                self.told.append(told)
                self.call = self.call or str(told.get("call", ""))
                if is_it(told):
                    return told


async def test_newcomer_calls_hears_the_line_and_talks_to_a_colleague(tmp_path: Path) -> None:
    async with demo(tmp_path) as (hub, url, session):
        await opened(hub, url)
        async with session.ws_connect(f"{url}{SOFTPHONE}", headers={"Origin": url}) as socket:
            newcomer = Newcomer(socket)
            await newcomer.say(type="call", **{"from": "+13035550107"}, to="+12025550142")
            welcome = await newcomer.hear(lambda told: told["type"] == "heard")
            await newcomer.hear(lambda told: "What is it about" in str(told.get("sound", {}).get("text", "")))
            await newcomer.say(type="say", text="agent please")
            hello = await newcomer.hear(lambda told: told["type"] == "heard" and told["sound"]["kind"] == "voice")
            await newcomer.say(type="hangup")
            await newcomer.hear(lambda told: told["type"] == "closed")
        await until(lambda: not hub.services.floor.interactions)
        (call,) = await interactions(hub)

    assert welcome["sound"]["text"].startswith("Welcome to Fernway Outdoor.")
    assert "Fernway" in hello["sound"]["text"]
    assert (call.closing_reason, call.address) == (ClosingReason.HANDLED, "+13035550107")
    assert call.disposition


async def test_simulated_callers_help_themselves_in_the_menu(tmp_path: Path) -> None:
    async with demo(tmp_path) as (hub, url, _):
        callers = await opened(hub, url)
        callers.ring("serves_self")
        await until(lambda: callers.counts.served_self + callers.counts.talked > 0)
        (figures,) = [one for one in await flow_overview(hub).figures() if one.name == "main-menu"]
    assert figures.begun == 1
    assert next(step for step in figures.steps if step.step == "order").passed == 1


async def test_simulated_callers_talk_and_book_and_are_called_back(tmp_path: Path) -> None:
    async with demo(tmp_path) as (hub, url, _):
        callers = await opened(hub, url)
        callers.ring("books")
        await until(lambda: callers.counts.booked + callers.counts.talked > 0)
        callers.ring("talks")
        await until(lambda: callers.counts.talked > 0)
        await until(lambda: callers.counts.called_back == callers.counts.booked)
    assert callers.counts.called == 2


async def test_workshop_that_is_closed_takes_messages_with_their_sound(tmp_path: Path) -> None:
    async with demo(tmp_path, workshop_days=False) as (hub, url, session):
        callers = await opened(hub, url)
        async with session.get(f"{url}/demo/phone?lang=en") as response:
            assert "Workshop" in (page := await response.text())
            assert "Closed: leave a message" in page
        callers.ring("leaves_message")
        recorded: list[Message] = []
        async with asyncio.timeout(WITHIN_S):
            while not recorded:
                await asyncio.sleep(0.1)
                for call in await interactions(hub):
                    said = await hub.services.store.read(partial(_said, call.id)) if call.is_message else []
                    recorded += [one for one in said if one.code == "message_recorded"]
    assert recorded[0].files


async def _said(interaction: str, tx: UnitOfWork) -> list[Message]:
    return await tx.select(MESSAGES, "WHERE interaction = $1 ORDER BY n", interaction)


async def test_page_is_served_strictly_and_linked(tmp_path: Path) -> None:
    async with demo(tmp_path) as (_, url, session):
        for path, words in (("/demo/phone?lang=en", "Call us|Call Fernway"), ("/demo/phone?lang=zh", "致电")):
            async with session.get(f"{url}{path}") as response:
                text = await response.text()
                assert response.status == 200
                assert any(word in text for word in words.split("|"))
                assert "unsafe" not in response.headers["Content-Security-Policy"]
                assert "<script>" not in text
                assert "style=" not in text
        for name in ("phone.js", "phone.css"):
            async with session.get(f"{url}/demo/{name}") as response:
                assert response.status == 200
        async with session.get(f"{url}/demo") as response:
            assert "/demo/phone" in await response.text()


@pytest.mark.parametrize("origin", ["https://elsewhere.example", None])
async def test_other_sites_cannot_telephone_here(tmp_path: Path, origin: str | None) -> None:
    async with demo(tmp_path) as (_, url, session):
        headers = {"Origin": origin} if origin else {}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{url}{SOFTPHONE}", headers=headers)
    assert refused.value.status == 403


async def test_agents_browser_is_told_where_it_becomes_a_telephone(tmp_path: Path) -> None:
    async with demo(tmp_path) as (hub, url, session):
        await opened(hub, url)
        headers = {"Origin": url, "Content-Type": "application/json"}
        async with session.post(f"{url}/demo/session", data='{"role": "agent"}', headers=headers) as signed:
            cookie = "; ".join(f"{name}={value.value}" for name, value in signed.cookies.items())
        async with session.get(f"{url}/api/v1/phone", headers={"Cookie": cookie}) as response:
            phone = (await response.json())["phones"][0]
        assert (phone["kind"], phone["url"]) == ("websocket", SOFTPHONE)
        async with session.ws_connect(f"{url}{phone['url']}", headers={"Origin": url}) as socket:
            await socket.send_json({"type": "register", "token": phone["token"]})
            assert (await socket.receive_json(timeout=WITHIN_S))["identity"] == "ann"
