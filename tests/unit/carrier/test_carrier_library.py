"""The provider's own library, unchanged, against the carrier over real sockets."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from channels.simulator.carrier import AccountLimits, Fault, Manners, Phone, Server
from channels.simulator.carrier.rest.api import basic
from tests.unit.carrier.street import (
    ANN,
    APP,
    BASE,
    BOB,
    KEY,
    KEY_SECRET,
    LINE,
    SERVICE,
    SID,
    TOKEN,
    Street,
    response,
)

T = TypeVar("T")
HOLD_ON = response("<Pause length='600'/>")


class Rewriting(TwilioHttpClient):  # type: ignore[misc]
    """A client that leads the provider's host names, edge and region included, to the carrier."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=5)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.hostname.endswith("twilio.com")
        rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return super().request(method, self._base + rest, *args, **kwargs)


@dataclass
class Line:
    """A carrier that listens, and the library led to it."""

    street: Street
    url: str
    client: Any

    async def do(self, work: Callable[[], T]) -> T:
        """Let the library block a thread."""
        return await asyncio.to_thread(work)

    async def refused(self, work: Callable[[], object]) -> tuple[int, int]:
        """Return status and code of a refusal."""
        with pytest.raises(TwilioRestException) as caught:
            await self.do(work)
        return caught.value.status, caught.value.code


@pytest.fixture
async def line(street: Street) -> AsyncIterator[Line]:
    server = Server(street.carrier)
    url = await server.start()
    client = Client(SID, TOKEN, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = url
    yield Line(street, url, client)
    client.http_client.session.close()
    await server.stop()


async def test_calls(line: Line) -> None:
    street, calls = line.street, line.client.calls
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    made = await line.do(
        lambda: calls.create(
            to=BOB,
            from_=LINE,
            twiml=HOLD_ON,
            status_callback=f"{BASE}/progress",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
    )
    assert (made.status, made.direction, made.to, made._from) == ("queued", "outbound-api", BOB, LINE)
    assert made.date_created.tzinfo is not None
    await street.wait(5)
    assert (await line.do(calls(made.sid).fetch)).status == "in-progress"
    ended = await line.do(lambda: calls(made.sid).update(status="completed"))
    assert (ended.status, ended.duration) == ("completed", "4")
    assert await line.refused(lambda: calls(made.sid).update(twiml=HOLD_ON)) == (400, 21220)
    assert await line.do(calls(made.sid).delete) is True
    assert await line.refused(calls(made.sid).fetch) == (404, 20404)


async def test_lists_are_paged_and_filtered(line: Line) -> None:
    street = line.street
    street.customer.on("/voice", "<Enqueue>waiting</Enqueue>")
    legs = [street.carrier.person_calls(ANN, LINE) for _ in range(7)]
    await street.wait(1)
    legs[0].hang_up()

    calls = line.client.calls
    sids = [call.sid for call in await line.do(lambda: calls.list(page_size=3))]
    assert sids == [leg.sid for leg in reversed(legs)]
    first = await line.do(lambda: calls.page(page_size=3))
    street.carrier.person_calls(BOB, LINE)
    second = await line.do(first.next_page)
    assert [call.sid for call in second] == sids[3:6], "a new call in front does not shift the pages"
    assert [call.sid for call in await line.do(lambda: calls.list(status="completed"))] == [legs[0].sid]
    assert len(await line.do(lambda: calls.list(from_=BOB))) == 1
    assert len(await line.do(lambda: calls.list(limit=2))) == 2
    tomorrow = "2026-01-02"
    assert await line.do(lambda: calls.list(start_time_after=tomorrow)) == []
    assert len(await line.do(lambda: calls.list(start_time_before=tomorrow))) == 8


async def test_conference_and_its_participants(line: Line) -> None:
    street = line.street
    street.carrier.world.install("client:agent", Phone(Manners(after_s=1)))
    street.customer.on("/voice", '<Dial><Conference participantLabel="customer">room 1</Conference></Dial>')
    caller = street.carrier.person_calls(ANN, LINE)
    await street.wait(1)
    agent = await line.do(
        lambda: line.client.conferences("room 1").participants.create(
            to="client:agent", from_=LINE, label="agent", early_media=True, beep="false", end_conference_on_exit=False
        )
    )
    assert (agent.status, agent.label) == ("queued", "agent")
    await street.wait(3)
    (room,) = await line.do(lambda: line.client.conferences.list(friendly_name="room 1", status="in-progress"))
    people = line.client.conferences(room.sid).participants
    assert {one.label for one in await line.do(people.list)} == {"agent", "customer"}
    held = await line.do(lambda: people("customer").update(hold=True, hold_url=f"{BASE}/hold"))
    assert (held.hold, held.call_sid) == (True, caller.sid)
    assert [one.label for one in await line.do(lambda: people.list(hold=True))] == ["customer"]
    assert (await line.do(lambda: people("agent").update(muted=True))).muted is True
    assert await line.refused(lambda: people("agent").update(coaching=True)) == (400, 16027)
    assert await line.do(people("agent").delete) is True
    assert (await line.do(lambda: line.client.conferences(room.sid).update(status="completed"))).status == "completed"
    assert await line.do(people.list) == []
    assert await line.refused(people("agent").fetch) == (404, 20404)


async def test_queues_and_members(line: Line) -> None:
    street = line.street
    made = await line.do(lambda: line.client.queues.create(friendly_name="support", max_size=5))
    street.customer.on("/voice", "<Enqueue>support</Enqueue>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(12)
    queue = await line.do(lambda: line.client.queues(made.sid).fetch())
    assert (queue.current_size, queue.max_size, queue.average_wait_time) == (1, 5, 12)
    (member,) = await line.do(line.client.queues(made.sid).members.list)
    assert (member.call_sid, member.position, member.wait_time) == (leg.sid, 1, 12)
    street.customer.on("/next", "<Hangup/>")
    await line.do(lambda: line.client.queues(made.sid).members("Front").update(url=f"{BASE}/next"))
    await street.wait(1)
    assert leg.is_over
    assert await line.do(lambda: line.client.queues(made.sid).delete()) is True


async def test_recordings_and_their_files(line: Line) -> None:
    street = line.street
    street.customer.on("/voice", '<Say>This takes a while to say.</Say><Pause length="60"/>')
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(0.2)
    recordings = line.client.calls(leg.sid).recordings
    made = await line.do(lambda: recordings.create(recording_status_callback=f"{BASE}/recording"))
    assert (made.status, made.channels) == ("in-progress", 2)
    await street.wait(4)
    assert (await line.do(lambda: recordings("Twilio.CURRENT").update(status="paused"))).status == "paused"
    await street.wait(2)
    await line.do(lambda: recordings(made.sid).update(status="in-progress"))
    await street.wait(1)
    await line.do(lambda: recordings(made.sid).update(status="stopped"))
    await street.wait(2)
    (kept,) = await line.do(lambda: line.client.recordings.list(call_sid=leg.sid))
    assert (kept.sid, kept.status, kept.duration) == (made.sid, "completed", "7")
    told = street.customer.at("/recording")[-1]
    url = f"{line.url}/2010-04-01/Accounts/{SID}/Recordings/{made.sid}"
    assert told["RecordingUrl"] == url
    async with aiohttp.ClientSession() as session:
        for ending, start in (("", b"RIFF"), (".wav", b"RIFF"), (".mp3", b"\xff\xfb")):
            async with session.get(url + ending, headers={"Authorization": basic(SID, TOKEN)}) as answer:
                body = await answer.read()
                assert (answer.status, body[: len(start)]) == (200, start)
        async with session.get(f"{url}.wav") as answer:
            assert answer.status == 401
    assert await line.do(lambda: line.client.recordings(made.sid).delete()) is True


async def test_messages_and_media(line: Line) -> None:
    street = line.street
    street.customer.on("/picture.png", reply=(200, "image/png", b"\x89PNG"))
    sent = await line.do(
        lambda: line.client.messages.create(
            to=BOB, from_=LINE, body="您好" * 40, media_url=[f"{BASE}/picture.png"], status_callback=f"{BASE}/delivery"
        )
    )
    assert (sent.status, sent.num_segments, sent.num_media) == ("queued", "2", "1")
    await street.wait(10)
    now = await line.do(lambda: line.client.messages(sent.sid).fetch())
    assert (now.status, now.error_code, now.direction) == ("delivered", None, "outbound-api")
    (media,) = await line.do(line.client.messages(sent.sid).media.list)
    file = f"{line.url}{media.uri.removesuffix('.json')}"
    headers = {"Authorization": basic(KEY, KEY_SECRET)}
    async with aiohttp.ClientSession() as session, session.get(file, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 307
        where = answer.headers["Location"]
    async with aiohttp.ClientSession() as session, session.get(where) as answer:
        assert (await answer.read(), answer.content_type) == (b"\x89PNG", "image/png")
    pooled = await line.do(
        lambda: line.client.messages.create(to=BOB, messaging_service_sid=SERVICE, body="Hello from the pool")
    )
    assert (pooled.status, pooled.messaging_service_sid) == ("accepted", SERVICE)
    assert len(await line.do(lambda: line.client.messages.list(to=BOB))) == 2


async def test_account_numbers_and_applications(line: Line) -> None:
    account = await line.do(lambda: line.client.api.accounts(SID).fetch())
    assert (account.sid, account.status) == (SID, "active")
    numbers = await line.do(line.client.incoming_phone_numbers.list)
    assert [number.phone_number for number in numbers] == [LINE, "+15550101"]
    assert numbers[0].sid.startswith("PN")
    (found,) = await line.do(lambda: line.client.incoming_phone_numbers.list(phone_number=LINE))
    changed = await line.do(
        lambda: line.client.incoming_phone_numbers(found.sid).update(voice_url=f"{BASE}/other", voice_method="GET")
    )
    assert (changed.voice_url, changed.voice_method) == (f"{BASE}/other", "GET")
    line.street.customer.on("/other", "<Hangup/>")
    line.street.carrier.person_calls(ANN, LINE)
    await line.street.wait(1)
    assert line.street.customer.at("/other")[0].method == "GET"
    assert (await line.do(lambda: line.client.applications(APP).fetch())).friendly_name == "softphones"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "abc", "from_": LINE, "twiml": HOLD_ON}, 21211),
        ({"to": BOB, "from_": "+19998887777", "twiml": HOLD_ON}, 21210),
        ({"to": BOB, "from_": "x", "twiml": HOLD_ON}, 21212),
        ({"to": BOB, "from_": LINE}, 21205),
        ({"to": BOB, "from_": LINE, "url": "ftp://x"}, 21205),
        ({"to": BOB, "from_": LINE, "twiml": "x" * 4001}, 32018),
        ({"to": BOB, "from_": LINE, "twiml": HOLD_ON, "status_callback": "https://under_score.example/"}, 21609),
        ({"to": BOB, "from_": LINE, "application_sid": "AP" + "9" * 32}, 21218),
        ({"to": BOB, "from_": LINE, "twiml": HOLD_ON, "status_callback_event": ["sung"]}, 20001),
        ({"to": BOB, "from_": LINE, "twiml": HOLD_ON, "timeout": 601}, 20001),
    ],
)
async def test_calls_that_are_refused(line: Line, fields: dict[str, Any], code: int) -> None:
    assert await line.refused(lambda: line.client.calls.create(**fields)) == (400, code)
    assert line.street.get("Calls.json")["calls"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": BOB, "from_": LINE}, 21602),
        ({"to": BOB, "from_": LINE, "body": "x" * 1601}, 21617),
        ({"to": BOB, "from_": "+19998887777", "body": "x"}, 21606),
        ({"to": BOB, "body": "x"}, 21603),
        ({"to": "nobody", "from_": LINE, "body": "x"}, 21211),
        ({"to": BOB, "messaging_service_sid": "MG" + "9" * 32, "body": "x"}, 21701),
        ({"to": BOB, "from_": LINE, "media_url": ["nowhere"]}, 21620),
        ({"to": f"whatsapp:{BOB}", "from_": LINE, "body": "x"}, 21606),
    ],
)
async def test_messages_that_are_refused(line: Line, fields: dict[str, Any], code: int) -> None:
    status, said = await line.refused(lambda: line.client.messages.create(**fields))
    assert (status, said) == (404 if code == 21701 else 400, code)


async def test_only_the_account_and_its_keys_get_in(line: Line) -> None:
    for user, password, is_welcome in ((SID, "wrong", False), (KEY, KEY_SECRET, True), (KEY, TOKEN, False)):
        client = Client(user, password, SID, http_client=TwilioHttpClient(timeout=5))
        client.api.base_url = line.url
        fetch = client.api.accounts(SID).fetch
        if is_welcome:
            assert (await line.do(fetch)).sid == SID
        else:
            assert await line.refused(fetch) == (401, 20003)
        client.http_client.session.close()
    other = Client(SID, TOKEN, "AC" + "9" * 32, http_client=TwilioHttpClient(timeout=5))
    other.api.base_url = line.url
    assert await line.refused(other.calls("CA" + "0" * 32).fetch) == (404, 20404)
    other.http_client.session.close()


async def test_too_many_requests_are_answered_with_when_to_come_again(line: Line) -> None:
    line.street.carrier.account.limits = AccountLimits(requests_per_s=1.0, request_burst=2)
    for _ in range(2):
        await line.do(lambda: line.client.calls.list(limit=1))
    assert await line.refused(line.client.calls("CA" + "0" * 32).fetch) == (429, 20429)
    assert line.client.http_client._test_only_last_response.headers["Retry-After"] == "1"
    await line.street.wait(2)
    await line.do(lambda: line.client.calls.list(limit=1))


async def test_edge_and_region_are_led_here_by_a_client_of_ones_own(line: Line) -> None:
    client = Client(SID, TOKEN, region="au1", edge="sydney", http_client=Rewriting(line.url))
    made = await line.do(lambda: client.calls.create(to=BOB, from_=LINE, twiml=HOLD_ON))
    assert made.sid.startswith("CA")
    client.http_client.session.close()


async def test_asynchronous_client(line: Line) -> None:
    line.street.carrier.world.install(BOB, Phone())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own use of its HTTP client
        async with AsyncTwilioHttpClient() as http:
            client = Client(SID, TOKEN, http_client=http)
            client.api.base_url = line.url
            made = await client.calls.create_async(to=BOB, from_=LINE, twiml=HOLD_ON)
            assert (await client.calls(made.sid).fetch_async()).sid == made.sid
            assert [call.sid async for call in await client.calls.stream_async()] == [made.sid]


async def test_faults_of_the_rest_interface(line: Line) -> None:
    faults = line.street.carrier.switch.faults
    line.street.carrier.world.install(BOB, Phone())

    def create() -> object:
        return line.client.calls.create(to=BOB, from_=LINE, twiml=HOLD_ON)

    faults.switch_on(Fault(kind="rest:Calls", effect="status", code=503))
    assert await line.refused(create) == (503, 20503)
    assert line.street.carrier.plant.legs == {}, "what was refused was not done"
    faults.switch_off()
    faults.switch_on(Fault(kind="rest", effect="after", code=0))
    with pytest.raises(Exception, match=r"(?i)connection"):
        await line.do(create)
    assert len(line.street.carrier.plant.legs) == 1, "what was not answered was done"


async def test_news_may_overtake_the_answer(line: Line) -> None:
    street = line.street
    street.carrier.world.install(BOB, Phone())
    street.carrier.switch.faults.switch_on(Fault(kind="rest:Calls", effect="late", seconds=5))
    asked = asyncio.create_task(
        line.do(
            lambda: line.client.calls.create(
                to=BOB, from_=LINE, twiml=HOLD_ON, status_callback=f"{BASE}/p", status_callback_event=["ringing"]
            )
        )
    )
    while not street.carrier.plant.legs:
        await street.clock.settled()
    await street.wait(3)
    assert street.statuses("/p") == ["ringing"]
    assert not asked.done()
    await street.wait(3)
    assert street.customer.at("/p")[0]["CallSid"] == (await asked).sid
