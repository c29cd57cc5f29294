"""Calls at the console: every browser's rows are true after each step, and the REST API does what the desk can do."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent_console.views import content_policy
from channels.simulator.carrier.phones import HangUp, Meet, Phone, Wait, WaitFor
from hub.domain.calls import Listening, Softphone
from hub.domain.interaction import State
from hub.services.accounts import Device
from tests.integration.phones import ANN, LINE, AgentPhone, PhoneHouse, phone_house
from tests.unit.console.browsers import Office

GUEST = "+14155550199"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub whose agents' browsers are telephones of the carrier's own."""
    async with phone_house(tmp_path, database_url, records=True, softphone="websocket") as opened:
        yield opened


@pytest.fixture
async def office(house: PhoneHouse) -> AsyncIterator[Office]:
    """Browsers of two agents and a supervisor."""
    office = Office(house.desk)
    for agent in ("ann", "bob", "sue"):
        office.browser(agent)
    yield office
    office.sync.close()


class Client:
    """Somebody's requests to the API."""

    def __init__(self, house: PhoneHouse, session: aiohttp.ClientSession, token: str) -> None:
        self._url = house.desk.hub.settings.server.public_url
        self._session = session
        self._headers = {"Cookie": f"hub={token}", "Origin": self._url}

    async def get(self, path: str) -> tuple[int, Any]:
        async with self._session.get(f"{self._url}/api/v1{path}", headers=self._headers) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self._session.post(f"{self._url}/api/v1{path}", headers=self._headers, json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Connections of nobody in particular."""
    async with aiohttp.ClientSession() as opened:
        yield opened


async def client(house: PhoneHouse, session: aiohttp.ClientSession, name: str) -> Client:
    """Sign somebody in."""
    signed = await house.desk.hub.services.accounts.sign_in_as(name, Device(ip="127.0.0.1", browser="a test"))
    return Client(house, session, signed.token)


def legs(row: Any) -> dict[str, Any]:
    """Return the live lines of a row, by role."""
    return {leg["role"]: leg for leg in row["call"]["legs"] if leg["state"] != "ended"}


async def test_every_step_of_a_call_leaves_every_browser_true(house: PhoneHouse, office: Office) -> None:
    desk, calls = house.desk, house.desk.hub.services.call_desk
    ann, bob, sue = office.browsers
    house.carrier.world.install(GUEST, Phone())
    interaction, line, _ = await house.talking()
    await office.check()
    own, watcher = await desk.scope("ann"), await desk.scope("sue")

    async def after(work: Awaitable[Any]) -> Any:
        result = await work
        await office.check()
        await house.wait(2)
        await office.check()
        return result

    def row(browser: Any) -> Any:
        return browser.tables["interactions"][interaction.id]

    assert (row(ann)["call"]["number"], row(ann)["call"]["direction"]) == (ANN, "inbound")
    assert {role: leg["in_room"] for role, leg in legs(row(ann)).items()} == {"customer": True, "agent": True}
    assert row(ann)["call"]["answered_at"] is not None
    assert row(bob)["call"] is None

    await after(calls.mute(interaction.id, own, muted=True))
    assert legs(row(ann))["agent"]["muted"]
    await after(calls.mute(interaction.id, own, muted=False))
    await after(calls.hold(interaction.id, own))
    assert (row(ann)["state"], legs(row(ann))["customer"]["held"]) == ("held", True)
    await after(calls.resume(interaction.id, own))
    assert not legs(row(ann))["customer"]["held"]
    await after(calls.pause_recording(interaction.id, own, paused=True))
    assert (row(ann)["call"]["records"], row(ann)["call"]["paused"]) == (True, True)
    await after(calls.consult(interaction.id, own, number=GUEST))
    assert legs(row(ann))["guest"]["name"] == GUEST
    await after(calls.end_consult(interaction.id, own))
    AgentPhone(house, "sue")
    await after(calls.listen(interaction.id, watcher, Listening.WHISPER))
    assert legs(row(sue))["supervisor"]["listening"] == "whisper"
    await after(calls.listen(interaction.id, watcher, Listening.NO))
    line.hang_up()
    await after(house.settle())
    assert row(ann)["state"] == "wrapping"
    await after(desk.hub.services.handling.complete(interaction.id, own, "solved"))
    assert all(interaction.id not in browser.tables["interactions"] for browser in office.browsers)


async def test_calls_that_nobody_answers_leave_every_browser_true(house: PhoneHouse, office: Office) -> None:
    await house.desk.available("ann")
    AgentPhone(house, "ann", answers=False)
    house.calls(script=(WaitFor("Welcome to Fernway"), Meet("", 90), HangUp()))
    await house.wait(3)
    await office.check()
    (offer,) = office.browsers[0].tables["offers"].values()
    assert offer["number"] == ANN
    await house.desk.accept("ann")
    for _ in range(6):
        await house.wait(10)
        await office.check()


async def test_api_lets_an_agent_do_everything_with_a_call(house: PhoneHouse, session: aiohttp.ClientSession) -> None:
    house.carrier.world.install(GUEST, Phone())
    interaction, line, _ = await house.talking(script=(Wait(600),))
    ann = await client(house, session, "ann")
    one = f"/interactions/{interaction.id}/call"

    async def post(what: str, **body: Any) -> Any:
        status, answer = await ann.post(f"{one}/{what}", **body)
        assert status == 200, answer
        await house.wait(3)
        return answer["interaction"]

    assert (await post("hold"))["state"] == State.HELD
    assert (await post("resume"))["state"] == State.ACTIVE
    await post("mute", muted=True)
    await post("mute", muted=False)
    assert (await post("recording", paused=True))["call"]["paused"]
    assert not (await post("recording", paused=False))["call"]["paused"]
    assert (await post("consult", number=GUEST))["state"] == State.CONSULTING
    assert (await post("end-consult"))["state"] == State.ACTIVE
    await post("consult", number=GUEST)
    await post("put-through")
    await house.wait(3)
    assert not line.is_over
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING


async def test_api_refuses_what_is_not_ones_own_or_makes_no_sense(
    house: PhoneHouse, session: aiohttp.ClientSession
) -> None:
    interaction, _, _ = await house.talking(script=(Wait(600),))
    ann, bob, sue = [await client(house, session, name) for name in ("ann", "bob", "sue")]
    one = f"/interactions/{interaction.id}/call"

    assert (await bob.post(f"{one}/hold"))[0] == 404
    assert (await bob.post(f"{one}/listen", how="monitor"))[0] == 403
    assert (await bob.post(f"{one}/take-over"))[0] == 403
    assert (await sue.post(f"{one}/take-over"))[0] == 409
    assert (await ann.post(f"{one}/resume"))[0] == 409
    assert (await ann.post(f"{one}/put-through"))[0] == 409
    assert (await ann.post(f"{one}/consult"))[0] == 400
    assert (await ann.post(f"{one}/consult", number="12"))[0] == 400
    assert (await ann.post(f"{one}/consult", number="1" * 41))[0] == 400
    assert (await ann.post(f"{one}/consult", agent="nobody"))[0] == 404
    assert (await ann.post(f"{one}/mute", muted="yes"))[0] == 400
    assert (await sue.post(f"{one}/listen", how="loudly"))[0] == 400
    assert (await ann.post("/interactions/nothing/call/hold"))[0] == 404
    assert (await ann.post("/calls", channel="nowhere", number=GUEST, client_id="c1"))[0] == 404
    assert (await ann.post("/calls", channel="hotline", number="hello", client_id="c1"))[0] == 400
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE


async def test_api_dials_out_once_for_one_client_id(house: PhoneHouse, session: aiohttp.ClientSession) -> None:
    house.carrier.world.install(GUEST, Phone())
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    ann = await client(house, session, "ann")
    body = {"channel": "hotline", "number": "(415) 555-0199", "client_id": "c1"}
    first = await ann.post("/calls", **body)
    again = await ann.post("/calls", **body)
    await house.wait(5)

    assert first[0] == again[0] == 200
    assert first[1]["interaction"]["id"] == again[1]["interaction"]["id"]
    row = (await ann.get(f"/interactions/{first[1]['interaction']['id']}"))[1]["interaction"]
    assert (row["state"], row["call"]["direction"], row["call"]["number"]) == ("active", "outbound", GUEST)
    assert row["call"]["line"] == LINE


async def test_supervisor_listens_and_takes_over_by_the_api(house: PhoneHouse, session: aiohttp.ClientSession) -> None:
    interaction, _, _ = await house.talking(script=(Wait(600),))
    AgentPhone(house, "sue")
    sue = await client(house, session, "sue")
    one = f"/interactions/{interaction.id}/call"
    for how in ("monitor", "whisper", "barge"):
        assert (await sue.post(f"{one}/listen", how=how))[0] == 200
        await house.wait(3)
        row = (await sue.get(f"/interactions/{interaction.id}"))[1]["interaction"]
        assert legs(row)["supervisor"]["listening"] == how
    status, answer = await sue.post(f"{one}/take-over")
    assert (status, answer["interaction"]["agent"]) == (200, "sue")


async def test_pass_opens_the_carriers_softphone(house: PhoneHouse, session: aiohttp.ClientSession) -> None:
    ann = await client(house, session, "ann")
    status, answer = await ann.get("/phone")
    (phone,) = answer["phones"]
    assert (status, answer["own"], phone["kind"], phone["needs_microphone"]) == (200, "", "websocket", False)
    async with session.ws_connect(phone["url"]) as socket:
        await socket.send_json({"type": "register", "token": phone["token"]})
        told = await socket.receive_json(timeout=5)
    assert (told["type"], told["identity"], told["expires_at"]) == ("registered", "ann", phone["expires_at"])


async def test_page_may_speak_to_the_carrier_and_to_nobody_else(
    house: PhoneHouse, session: aiohttp.ClientSession
) -> None:
    url = house.desk.hub.settings.server.public_url
    async with session.get(f"{url}/work") as answer:
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    (origin,) = house.channel.softphone.origins
    assert policy["connect-src"] == f"'self' {origin}"
    assert policy["media-src"] == "'self' blob:"
    assert "connect-src 'self'; " in content_policy("n")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({}, Softphone(kind="module", url="/voice/static/softphone.js", account="", needs_microphone=True)),
        ({"softphone": "websocket", "softphone_url": "/carrier/softphone"}, "/carrier/softphone"),
        ({"softphone": "websocket", "softphone_url": "https://carrier.test/x"}, "wss://carrier.test/x"),
    ],
)
async def test_block_of_a_line_says_which_softphone(
    database_url: str, tmp_path: Path, block: dict[str, Any], expected: Softphone | str
) -> None:
    async with phone_house(tmp_path, database_url, **block) as house:
        how = house.channel.softphone
        if isinstance(expected, str):
            assert (how.kind, how.url) == ("websocket", expected)
            return
        assert (how.kind, how.url, how.needs_microphone) == (expected.kind, expected.url, True)
        url = house.desk.hub.settings.server.public_url
        async with aiohttp.ClientSession() as session, session.get(f"{url}{how.url}") as answer:
            assert answer.status == 200
            assert answer.content_type.endswith("javascript")
