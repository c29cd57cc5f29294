"""Rights and reach, table by table: a route or event that is added is tried here, or a test says that it is not.

What a role may not do it is refused before anything is looked up; an id of somebody else's work opens nothing, whether
it stands in the address or in the body (security reference, tests 1 to 5).
"""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, DummyCookieJar

from agent_console import permissions
from hub.app import Hub, build
from hub.clock import FakeClock
from hub.domain.agent import Role
from hub.settings import AgentSettings, ChannelSettings
from hub.storage.migrations import migrate
from tests import letterbox
from tests.builders import small_company
from tests.integration import phones, texts
from tests.security.test_access import BODIES, MORE, call, foreign_world
from tests.security.yard import Yard, narrow_agents

ROLES = {"ann": Role.AGENT, "sue": Role.SUPERVISOR, "ada": Role.ADMIN}
IN_DEMO = "POST /demo/session"
OPEN_TO_ANYBODY = {
    "the page, which shows nothing before somebody has signed in": {
        "GET /",
        "GET /customers",
        "GET /customers/{tail}",
        "GET /floor",
        "GET /floor/{tail}",
        "GET /search",
        "GET /search/{tail}",
        "GET /wallboard",
        "GET /work",
        "GET /work/{tail}",
    },
    "our own files": {
        "GET /chat/static",
        "GET /console/static/{name}",
        "GET /vendor/{name}",
        "GET /voice/static",
        "GET /webhooks/hotline/music/{bars}.wav",
        "GET /widget.js",
    },
    "probes, and figures for collectors only": {"GET /healthz", "GET /metrics", "GET /readyz"},
    "proved by a signature in the link": {
        "GET /answers/{asking}",
        "GET /files/{id}/{name}",
        "GET /pictures",
        "POST /answers/{asking}",
    },
    "proved by a visitor's token": {"GET /chat/api/transcript", "POST /chat/api/files"},
    "the widget's frame, for the site's pages": {"GET /chat/frame"},
    "sockets, which judge by themselves": {"GET /chat/socket.io/", "GET /console/socket.io/"},
    "proved by the carrier's signature": {
        *(
            f"POST /webhooks/hotline/{name}"
            for name in (
                *("answer", "call", "fallback", "hold", "join/{interaction}/{leg}", "leg/{leg}", "left"),
                *("machine/{leg}", "message", "park", "recording", "room", "status", "take-message", "wait"),
            )
        ),
        *(f"POST /webhooks/texts/{name}" for name in ("fallback", "message", "status/{outgoing}")),
    },
}
"""Everything outside of /api/v1, by what lets somebody in: whoever adds a route has to say it here."""


def hub_of_everything(folder: Path) -> Hub:
    """A hub with every kind of channel, built and not started."""
    channels = {
        "site": ChannelSettings(id="site", kind="webchat", options={"queue": "support"}),
        "post": letterbox.block(),
        "hotline": ChannelSettings(id="hotline", kind="voice", options=phones.options("https://carrier.example")),
        "texts": texts.line("https://carrier.example"),
    }
    settings = small_company(folder, f"sqlite:///{folder}/hub.db", channels=channels)
    return build(settings, clock=FakeClock(), strict=True)


async def test_every_way_in_is_on_the_list_with_what_guards_it(tmp_path: Path) -> None:
    with letterbox.known():
        hub = hub_of_everything(tmp_path)
    served = set()
    for route in hub.app.router.routes():
        info = route.get_info()
        path = info.get("formatter") or info.get("path") or str(info.get("prefix", ""))
        if not path.startswith("/api/v1/") and route.method != "HEAD":
            served.add(f"{route.method} {path}")
    await hub.stop()

    assert served == set().union(*OPEN_TO_ANYBODY.values())


async def test_who_has_not_signed_a_webhook_is_let_in_nowhere(tmp_path: Path) -> None:
    async with phones.phone_house(tmp_path, await a_database(tmp_path)) as house, asking(house) as yard:
        answers = {}
        for route in OPEN_TO_ANYBODY["proved by the carrier's signature"]:
            path = route.removeprefix("POST ").replace("{leg}", "l1").replace("{interaction}", "i1")
            if "/hotline/" in path:
                for signature in ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\u00e9" * 28):
                    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
                    answers[path, signature] = (await yard.http("POST", path, b"CallSid=CA1&From=%2B1", **headers))[0]
        assert answers
        assert set(answers.values()) == {403}, answers
        assert await house.interactions() == []


@pytest.mark.parametrize("name", sorted(ROLES))
async def test_no_role_passes_a_route_or_an_event_that_is_not_its_own(yard: Yard, name: str) -> None:
    world = await foreign_world(yard)
    who = await yard.staff(name)
    routes = [route for route, roles in permissions.ROUTES.items() if roles is not None and ROLES[name] not in roles]
    events = [event for event, roles in permissions.EVENTS.items() if ROLES[name] not in roles]
    line = await who.console()

    answers: dict[str, Any] = {route: (await call(who, route, world))[0] for route in routes if route != IN_DEMO}
    said: dict[str, Any] = {event: {"interaction": world["interaction"], **MORE.get(event, {})} for event in events}
    if "force_presence" in said:
        said["force_presence"] = {"agent": "bob", "presence": "away"}
    heard = {event: (await line.ask(event, **words)).get("error") for event, words in said.items()}

    assert answers == dict.fromkeys(answers, 403)
    assert heard == dict.fromkeys(heard, "forbidden")
    publishing = {"POST /flows", "POST /flows/{id}/roll-back"}
    assert {"sue": publishing, "ada": set()}.get(name, set(routes)) == set(routes)
    assert bool(events) is (name == "ann")


async def test_a_right_is_asked_for_before_the_body_is_read(yard: Yard) -> None:
    """Whoever may not do a thing does not learn how it is done, nor makes the hub read for them."""
    ann = await yard.staff("ann")
    for route, roles in permissions.ROUTES.items():
        method, path = route.split(" ")
        if roles is not None and Role.AGENT not in roles and method == "POST":
            status, answer = await ann.http(method, path.replace("{id}", "..%2f.."), b'{"broken":')
            assert (status, answer["error"]) == (403, "forbidden"), route


async def test_ids_in_a_body_reach_no_further_than_ids_in_an_address(yard: Yard) -> None:
    world = await foreign_world(yard)
    desk = yard.desk
    await desk.available("bob")
    mine = await desk.chat(name="Mine", queue="billing")
    await desk.accept("bob")
    bob = await yard.staff("bob")
    line = await bob.console()
    profile = await desk.hub.services.people.profile(world["customer"], await desk.scope("ann"))
    promise = BODIES["POST /customers/{id}/promises"]
    letter = {**BODIES["POST /letters"], "queue": "billing"}
    due_at = desk.clock.now() + 3_600_000

    answers = {
        "customer of a letter": await bob.http("POST", "/letters", {**letter, "customer": world["customer"]}),
        "queue of a letter": await bob.http("POST", "/letters", {**letter, "queue": "support"}),
        "interaction of a promise": await bob.http(
            "POST",
            f"/customers/{mine.customer}/promises",
            {**promise, "due_at": due_at, "interaction": world["interaction"]},
        ),
        "target of a join": await bob.http("POST", f"/interactions/{mine.id}/join", {"target": world["interaction"]}),
        "source of a join": await bob.http("POST", f"/interactions/{world['interaction']}/join", {"target": mine.id}),
        "agent of an explanation": await bob.http("GET", "/agents/ann/routing"),
    }
    seen = await line.ask("open", interaction=world["interaction"])

    assert {name: status for name, (status, _) in answers.items() if status != 404} == {}
    assert seen["error"] == "not_found"
    assert await desk.hub.services.people.profile(world["customer"], await desk.scope("ann")) == profile
    assert (await bob.http("GET", f"/customers/{world['customer']}"))[0] == 404


async def test_a_join_of_others_is_not_undone(yard: Yard) -> None:
    desk = yard.desk
    one, other = await desk.chat(name="One"), await desk.chat(name="Other")
    joined = await desk.hub.services.intake.join(one.id, other.id, await desk.scope("ann"))
    bob = await yard.staff("bob")

    assert (await bob.http("POST", f"/joins/{joined.id}/undo", {}))[0] == 404
    assert [message.text for message in await desk.messages(other)].count("Hello") == 2


async def test_a_call_is_its_agents_alone(tmp_path: Path) -> None:
    """Neither a colleague of another queue steers it nor one of the same."""
    async with phones.phone_house(tmp_path, await a_database(tmp_path), settings={"agents": staff()}) as house:
        talk, _, _ = await house.talking()
        async with asking(house) as yard:
            for who in (await yard.staff("bob"), await yard.staff("cat")):
                for route in (route for route in permissions.ROUTES if "/call/" in route):
                    method, path = route.split(" ")
                    status, _ = await who.http(method, path.replace("{id}", talk.id), BODIES[route])
                    assert status == (403 if permissions.ROUTES[route] == permissions.SUPERVISORS else 404), route
        assert await house.desk.interaction(talk.id) == talk


async def test_nobody_is_called_by_a_name_that_one_may_not_know(tmp_path: Path) -> None:
    async with phones.phone_house(tmp_path, await a_database(tmp_path), settings={"agents": staff()}) as house:
        desk, soon = house.desk, house.clock.now() + 60_000
        known = await desk.hub.services.callbacks.plan(await desk.scope("ann"), "hotline", phones.BEN, soon)
        async with asking(house) as yard:
            bob = await yard.staff("bob")
            foreign = {"channel": "hotline", "number": "+14155550188", "customer": known.customer}
            by_name = [
                await bob.http("POST", "/calls", {**foreign, "client_id": "c1"}),
                await bob.http("POST", "/callbacks", {**foreign, "due_at": soon}),
            ]
            same = {"channel": "hotline", "number": phones.BEN, "due_at": soon + 30_000}
            by_number = await bob.http("POST", "/callbacks", same)

        assert [status for status, _ in by_name] == [404, 404]
        assert by_number[0] == 409
        assert await desk.interaction(known.id) == known
        assert len(await house.interactions()) == 1


def staff() -> dict[str, AgentSettings]:
    """The narrow agents, and Cat, who serves what Ann does."""
    agents = narrow_agents()
    cat = msgspec.structs.replace(agents["ann"], id="cat", name="Cat Example", email="cat@example.test")
    return {**agents, "cat": cat}


@asynccontextmanager
async def asking(house: phones.PhoneHouse) -> AsyncIterator[Yard]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        url = house.desk.hub.settings.server.public_url
        yield Yard(house.desk, url, int(url.rpartition(":")[2]), session, io.StringIO())


async def a_database(folder: Path) -> str:
    url = f"sqlite:///{folder}/hub.db"
    await migrate(url)
    return url
