"""The simulated world against a real hub: over the network, on the machine's clock, at many times life's pace."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from channels.simulator import Gateway, Library, Line, LineDown, Refused, Visitors
from channels.simulator.board import Board
from channels.simulator.people import new_person
from channels.simulator.post import elsewhere
from channels.simulator.tempo import Tempo
from channels.simulator.visitors import Visit
from hub.app import Hub, build
from hub.clock import SystemClock
from hub.demo import Demo
from hub.demo.config import company_file
from hub.domain.interaction import Interaction
from hub.domain.messages import Message
from hub.services.dispatching.floor import Floor
from hub.settings import Secret, Settings, load
from hub.storage.tables import INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import UnitOfWork
from tests.ports import free_port

PACE = 0.02
WITHIN_S = 100.0
"""An offer that its agent lets go is out for 20 s in real time, and the agent is left alone for a while after it."""
LIBRARY = Library.load()
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what does not touch the database in a way of its own."""


@dataclass
class World:
    """A demo hub that listens, and a browser."""

    hub: Hub
    demo: Demo
    url: str
    session: aiohttp.ClientSession
    lines: list[Line] = field(default_factory=list)

    @property
    def gateway(self) -> Gateway:
        return Gateway(session=self.session, base_url=self.url, public_url=self.url)

    async def post(self, path: str, body: object, *, origin: str | None = None) -> tuple[int, dict[str, Any], str]:
        """Post as a page would; returns status, answer and the cookie that was set."""
        headers = {"Origin": origin or self.url, "Content-Type": "application/json"}
        async with self.session.post(f"{self.url}{path}", data=json.dumps(body), headers=headers) as response:
            cookies = "; ".join(f"{name}={value.value}" for name, value in response.cookies.items())
            return response.status, await response.json(), cookies

    async def page(self, path: str) -> tuple[int, str, str]:
        """Return a page: status, body, content security policy."""
        async with self.session.get(f"{self.url}{path}") as response:
            return response.status, await response.text(), response.headers.get("Content-Security-Policy", "")

    async def console(self, role: str, on_event: Callable[[str, Any], None]) -> Line:
        """Sign in with one click and open a console."""
        _, _, cookie = await self.post("/demo/session", {"role": role})
        line = await Line.open(self.gateway, "/console", on_event, headers={"Cookie": cookie})
        self.lines.append(line)
        return line

    async def interactions(self) -> list[Interaction]:
        return await self._rows(INTERACTIONS, "ORDER BY created_at")

    async def messages(self, interaction: str) -> list[Message]:
        return await self._rows(MESSAGES, "WHERE interaction = $1 ORDER BY n", interaction)

    async def _rows(self, rows: Any, tail: str, *args: object) -> list[Any]:
        async def unit(tx: UnitOfWork) -> list[Any]:
            return await tx.select(rows, tail, *args)

        return await self.hub.services.store.read(unit)


def without_waits(settings: Settings) -> dict[str, Any]:
    """Return what to change so that nobody waits by the machine's clock: to take a letter back, or for members."""
    queues = {name: msgspec.structs.replace(one, reservation=None) for name, one in settings.queues.items()}
    return {"queues": queues, "letters": msgspec.structs.replace(settings.letters, undo_s=0.1)}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = elsewhere(load(company_file(), {}), always=True)
    server = msgspec.structs.replace(
        settings.server,
        port=port,
        public_url=url,
        data_dir=tmp_path,
        database_url=Secret(database_url),
        trusted_proxies=("127.0.0.0/8",),
    )
    rate = msgspec.structs.replace(
        settings.demo, visitors_per_minute=0.0, letters_per_minute=0.0, callers_per_minute=0.0, texters_per_minute=0.0
    )
    changed = msgspec.structs.replace(settings, server=server, demo=rate, **without_waits(settings))
    hub = build(changed, strict=True, demo=True)
    assert hub.demo is not None
    before = asyncio.all_tasks()
    await hub.start()
    runner = web.AppRunner(hub.app, access_log=None)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            opened = World(hub, hub.demo, url, session)
            yield opened
            for line in opened.lines:
                await line.close()
            await hub.demo.stop()
    finally:
        await hub.stop()
        await runner.cleanup()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()] == []


async def until(is_so: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Return once it is so; fail when it does not become so."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - what it becomes true by is on the other side of a socket
            await asyncio.sleep(0.02)


@pytest.mark.timeout(400)
async def test_simulated_people_serve_each_other_to_the_end(world: World) -> None:
    world.demo.rate = 40 / PACE / 60
    await world.demo.start(world.url, pace=PACE)
    floor = world.hub.services.floor

    await until(lambda: sum(floor.handled.values()) >= 6)
    world.demo.rate = 0
    await until(lambda: not [i for i in floor.interactions.values() if i.agent is None])
    await until(lambda: not floor.interactions)

    closed = [one for one in await world.interactions() if one.closing_reason == "handled"]
    assert len(closed) >= 3
    assert all(one.disposition for one in closed)
    spoken = [message for one in closed for message in await world.messages(one.id)]
    assert {str(message.author) for message in spoken} == {"customer", "agent", "system"}
    fresh = Floor(world.hub.settings)
    await fresh.load(world.hub.services.store)
    assert fresh.handled == floor.handled
    assert all(found.held == 0 for found in fresh.agents.values())


@on_one_database
async def test_person_who_goes_available_gets_work_before_simulated_colleagues(world: World) -> None:
    offers: dict[str, Any] = {}
    board = Board()

    def hear(event: str, payload: Any) -> None:
        if event == "frame":
            board.take(payload)
            offers.update({k: v for k, v in payload["put"].get("offers", {}).items() if v["agent"] == "ann"})

    await world.demo.start(world.url, pace=PACE)
    line = await world.console("agent", hear)
    board.replace(await line.ask("sync", {}))
    await line.ask("presence", {"presence": "available"})
    team = frozenset({"chen", "dana", "fang", "jun"})
    await until(lambda: board.on_duty(team) == 0)

    world.demo.rate = 20 / PACE / 60
    await until(lambda: len(offers) > 0)


@on_one_database
async def test_visitor_answers_a_person_who_says_something_unexpected(world: World) -> None:
    heard: list[str] = []

    def hear(event: str, payload: Any) -> None:
        if event == "frame":
            rows = payload["put"].get("messages", {}).values()
            heard.extend(row["text"] for row in rows if row["from"] == "customer")
            offers.extend(payload["put"].get("offers", {}).values())

    offers: list[Any] = []
    line = await world.console("agent", hear)
    await line.ask("sync", {})
    await line.ask("presence", {"presence": "available"})
    visitors = Visitors(world.gateway, "site", LIBRARY, Tempo(SystemClock(), PACE), rate=0, seed=2)
    await visitors.start(at_once=1)
    try:
        await until(lambda: len(offers) > 0)
        interaction = (await line.ask("accept", {"offer": offers[0]["id"]}))["interaction"]
        await line.ask("open", {"interaction": interaction})
        said = {"interaction": interaction, "seen_n": 9, "anyway": True}
        await line.ask("send", {**said, "client_id": "unexpected-1", "text": "bananas"})
        await until(lambda: len(heard) > 0)
        await line.ask(
            "send", {**said, "client_id": "unexpected-2", "text": "Could you send a photo, please? 请发照片。"}
        )
        await until(lambda: len(heard) > 2)
    finally:
        await visitors.stop()


@on_one_database
async def test_visitor_whose_page_reloads_goes_on_where_they_were(world: World) -> None:
    tempo = Tempo(SystemClock(), PACE)
    chance = random.Random(8)
    person = new_person(1, LIBRARY, ["en"], chance)
    visit = Visit(person, world.gateway, "site", LIBRARY, tempo)
    visit._reloads = True
    world.demo.rate = 0
    await world.demo.start(world.url, pace=PACE)

    await asyncio.wait_for(visit.run(), WITHIN_S)

    (interaction,) = await world.interactions()
    messages = await world.messages(interaction.id)
    ids = [message.client_id for message in messages if message.client_id]
    assert len(ids) == len(set(ids))
    assert person.token
    assert not visit._reloads
    assert sum(message.author == "customer" for message in messages) > 1


@on_one_database
async def test_visitor_whom_the_hub_forgot_begins_anew(world: World) -> None:
    auth = {"site": "site", "lang": "en", "token": "v1_" + "x" * 43}
    with pytest.raises(Refused, match="unauthorized"):
        await Line.open(world.gateway, "/chat", lambda _event, _payload: None, auth=auth)

    visitors = Visitors(world.gateway, "site", LIBRARY, Tempo(SystemClock(), PACE), rate=0)
    visitors.expect({auth["token"]: "zh"})
    (person,) = visitors._known
    visit = asyncio.create_task(Visit(person, world.gateway, "site", LIBRARY, Tempo(SystemClock(), PACE)).run())
    await until(lambda: person.token not in {"", auth["token"]})
    visit.cancel()
    await asyncio.gather(visit, return_exceptions=True)


@on_one_database
async def test_hub_that_is_not_there_is_a_line_down(world: World) -> None:
    nowhere = Gateway(session=world.session, base_url=f"http://127.0.0.1:{free_port()}", public_url=world.url)
    with pytest.raises(LineDown):
        await Line.open(nowhere, "/chat", lambda _event, _payload: None)


async def test_first_start_gives_the_company_a_past_and_later_ones_leave_it(world: World) -> None:
    store = world.hub.services.store
    assert await world.demo.seed(store) == 32
    assert await world.demo.seed(store) == 0

    interactions = await world.interactions()
    assert len(interactions) > 32
    assert {one.language for one in interactions} == {"en", "zh"}
    assert all(one.ended_at for one in interactions)
    now = SystemClock().now()
    assert now - 30 * 86_400_000 < min(one.created_at for one in interactions)
    assert max(one.ended_at or 0 for one in interactions) < now
    for one in interactions:
        assert [message.n for message in await world.messages(one.id)] == list(range(1, one.last_n + 1))
    fresh = Floor(world.hub.settings)
    await fresh.load(store)
    assert fresh.figures == world.hub.services.floor.figures
    assert all(figures.offered == figures.answered + figures.abandoned for figures in fresh.figures.values())


async def test_customers_of_the_past_are_known_again(world: World) -> None:
    await world.demo.seed(world.hub.services.store)
    auth = {"site": "site", "lang": "en", "token": world.demo._token(0)}
    line = await Line.open(world.gateway, "/chat", lambda _event, _payload: None, auth=auth)
    world.lines.append(line)
    resumed = await line.ask("resume", {})
    assert resumed["visitor"]["known"]
    assert resumed["thread"]["state"] == "ended"
    assert resumed["messages"]


@on_one_database
async def test_way_in_shows_the_company_and_its_people(world: World) -> None:
    status, body, policy = await world.page("/demo")
    assert status == 200
    assert world.hub.settings.company.name in body
    assert all(name in body for name in ("Ann Keller", "Bob Okafor", "Sue Lindqvist", "Ada Bergman"))
    assert "script-src 'self'" in policy
    assert "trusted-types 'none'" in policy
    assert "欢迎加入" in (await world.page("/demo?lang=zh"))[1]
    for name in ("landing.css", "landing.js"):
        assert (await world.page(f"/demo/{name}"))[0] == 200
    assert (await world.page("/demo/landing.html"))[0] == 404


@on_one_database
async def test_shop_carries_the_chat(world: World) -> None:
    status, body, policy = await world.page("/demo/shop?lang=zh")
    assert status == 200
    assert 'data-site="shop"' in body
    assert "frame-src 'self'" in policy
    assert "unsafe" not in policy


@on_one_database
async def test_one_click_signs_in(world: World) -> None:
    for role, name in (("agent", "ann"), ("agent2", "bob"), ("supervisor", "sue"), ("admin", "ada")):
        status, answer, cookie = await world.post("/demo/session", {"role": role})
        assert (status, answer["me"]["agent_id"]) == (200, name)
        assert cookie.startswith("hub=")


@on_one_database
async def test_other_sites_cannot_use_the_demos_doors(world: World) -> None:
    for path, body in (("/demo/session", {"role": "admin"}), ("/demo/visitors", {"rate_per_minute": 60})):
        status, answer, cookie = await world.post(path, body, origin="https://evil.example")
        assert (status, answer["ok"], cookie) == (403, False, "")
    assert world.demo.rate == 0


@on_one_database
async def test_rate_of_visitors_can_be_changed_within_bounds(world: World) -> None:
    status, answer, _ = await world.post("/demo/visitors", {"rate_per_minute": 12})
    assert (status, answer["rate_per_minute"]) == (200, 12.0)
    assert set(answer["counts"]) == {"waiting", "talking", "agents", "answered"}
    for wrong in (-1, 1_000, "many"):
        status, answer, _ = await world.post("/demo/visitors", {"rate_per_minute": wrong})
        assert (status, answer["error"]) == (400, "bad_request")
    assert world.demo.rate == 12.0


@on_one_database
async def test_hub_that_serves_has_no_demo(database_url: str, tmp_path: Path) -> None:
    settings = load(company_file(), {})
    server = msgspec.structs.replace(settings.server, data_dir=tmp_path, database_url=Secret(database_url))
    # Its phone lines have credentials only where the demo plays their carrier.
    channels = {name: block for name, block in settings.channels.items() if name not in settings.demo.phone_lines}
    hub = build(msgspec.structs.replace(settings, server=server, channels=channels))
    assert hub.demo is None
    assert not [
        route for route in hub.app.router.routes() if "demo" in (route.resource.canonical if route.resource else "")
    ]
    hub.services.accounts.close()
