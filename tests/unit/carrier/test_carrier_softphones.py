"""Telephones in browsers: tokens judged, calls offered and taken, what is heard told, over a real websocket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from channels.simulator.carrier import Server
from channels.simulator.carrier.tokens import TokenRefused, read
from tests.unit.carrier.street import ANN, APP, KEY, KEY_SECRET, LINE, SID, Street, an_account

NOW_S = 1_767_225_600


def a_token(identity: str = "ann", **how: Any) -> str:
    """Return an access token as the provider's library makes it."""
    how = {"nbf": NOW_S, "valid_until": NOW_S + 3600, "key": KEY, "secret": KEY_SECRET, "account": SID, **how}
    grant = VoiceGrant(incoming_allow=how.get("incoming", True), outgoing_application_sid=how.get("application", APP))
    token = AccessToken(
        how["account"],
        how["key"],
        how["secret"],
        grants=[grant] if how.get("has_grant", True) else [],
        identity=identity or None,
        nbf=how["nbf"],
        valid_until=how["valid_until"],
    )
    return str(token.to_jwt())


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", 20101),
        ("a.b.c", 20101),
        (a_token(key="SK" + "9" * 32), 20103),
        (a_token(account="AC" + "9" * 32), 20103),
        (a_token(valid_until=NOW_S), 20104),
        (a_token(nbf=NOW_S + 120), 20105),
        (a_token(identity=""), 20106),
        (a_token(has_grant=False), 20106),
        (a_token(secret="another-secret-of-thirty-two-bytes!!"), 20107),
        (a_token(valid_until=NOW_S + 25 * 3600), 20157),
    ],
)
def test_tokens_that_open_nothing(token: str, code: int) -> None:
    with pytest.raises(TokenRefused) as caught:
        read(an_account(), token, NOW_S * 1000)
    assert caught.value.code == code


def test_token_says_what_it_allows() -> None:
    granted = read(an_account(), a_token(incoming=None), NOW_S * 1000)
    assert (granted.identity, granted.can_be_called, granted.application_sid) == ("ann", False, APP)
    assert granted.expires_at == (NOW_S + 3600) * 1000


@dataclass
class Page:
    """A page with a telephone."""

    street: Street
    socket: aiohttp.ClientWebSocketResponse
    told: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, kind: str, **more: Any) -> None:
        """Say something to the carrier."""
        await self.socket.send_json({"type": kind, **more})

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next thing of a kind the carrier tells."""
        while True:
            said: dict[str, Any] = await self.socket.receive_json(timeout=5)
            self.told.append(said)
            if said["type"] == kind:
                return said


@dataclass
class Net:
    """A carrier that listens, and pages."""

    street: Street
    url: str
    session: aiohttp.ClientSession

    async def page(self) -> Page:
        """Open a page."""
        return Page(self.street, await self.session.ws_connect(f"{self.url}/softphone"))

    async def registered(self, identity: str) -> Page:
        """Open a page that is reachable under a name."""
        page = await self.page()
        await page.say("register", token=a_token(identity))
        assert (await page.next("registered"))["identity"] == identity
        return page


@pytest.fixture
async def net(street: Street) -> AsyncIterator[Net]:
    server = Server(street.carrier, guests=True)
    url = await server.start()
    async with aiohttp.ClientSession() as session:
        yield Net(street, url, session)
    await server.stop()


async def test_call_rings_in_every_window_and_one_gets_it(net: Net) -> None:
    first, second = await net.registered("ann"), await net.registered("ann")
    net.street.customer.on("/voice", "<Dial><Client>ann</Client></Dial>")
    caller = net.street.carrier.person_calls(ANN, LINE)
    await net.street.wait(1)
    offer = await first.next("incoming")
    assert (await second.next("incoming"))["call"] == offer["call"]
    assert (offer["from"], offer["to"], offer["params"]["CallSid"]) == (ANN, "client:ann", offer["call"])
    await first.say("accept", call=offer["call"])
    await first.next("open")
    assert (await second.next("closed"))["status"] == "answered-elsewhere"
    await net.street.wait(1)
    caller.speak("Hello, is this Ann?")
    heard = await first.next("heard")
    while heard["sound"]["kind"] != "voice":
        heard = await first.next("heard")
    assert (heard["sound"]["text"], heard["sound"]["source"]) == ("Hello, is this Ann?", ANN)
    await first.say("mute", call=offer["call"], muted=True)
    await first.say("say", call=offer["call"], text="Nobody hears this")
    await first.say("mute", call=offer["call"], muted=False)
    await first.say("say", call=offer["call"], text="It is me")
    await first.say("hangup", call=offer["call"])
    assert (await first.next("closed"))["status"] == "completed"
    await net.street.wait(1)
    assert caller.hearing.words == ["It is me"]
    assert caller.is_over


async def test_rejected_call_is_busy_and_a_closed_page_unreachable(net: Net) -> None:
    page = await net.registered("ann")
    net.street.customer.on("/voice", '<Dial action="/after"><Client>ann</Client></Dial>')
    net.street.customer.on("/after", "<Hangup/>")
    for _ in range(2):
        net.street.carrier.person_calls(ANN, LINE)
        await net.street.wait(1)
        if not page.socket.closed:
            await page.say("reject", call=(await page.next("incoming"))["call"])
            await page.next("closed")
            await page.socket.close()
            while net.street.carrier.softphones.identities:
                await net.street.clock.settled()
        await net.street.wait(2)
    assert [one["DialCallStatus"] for one in net.street.customer.at("/after")] == ["busy", "no-answer"]


async def test_page_that_dies_in_a_call_hangs_up(net: Net) -> None:
    page = await net.registered("ann")
    net.street.customer.on("/app", "<Enqueue>waiting</Enqueue>")
    await page.say("connect", params={"To": "sales", "note": "x"})
    call = (await page.next("ringing"))["call"]
    await net.street.wait(1)
    await page.next("open")
    assert net.street.customer.at("/app")[0].params.items() >= {"From": "client:ann", "note": "x"}.items()
    await page.socket.close()
    while not net.street.leg(call).is_over:
        await net.street.clock.settled()
    assert net.street.leg(call).status == "completed"


async def test_guest_calls_with_a_keypad_and_sees_what_is_heard(net: Net) -> None:
    net.street.customer.on("/voice", '<Gather numDigits="1" action="/menu"><Say>Press 1 for sales.</Say></Gather>')
    net.street.customer.on("/menu", "<Say>Sales.</Say>")
    page = await net.page()
    await page.say("call", **{"from": ANN, "to": LINE})
    call = (await page.next("ringing"))["call"]
    await net.street.wait(0.5)
    heard = await page.next("heard")
    assert heard["sound"]["text"] == "Press 1 for sales."
    await page.say("digits", call=call, keys="1")
    cut = await page.next("heard")
    assert (cut["sound"]["id"], cut["sound"]["until"]) == (heard["sound"]["id"], net.street.clock.now())
    await net.street.wait(3)
    assert (await page.next("heard"))["sound"]["text"] == "Sales."
    assert (await page.next("closed"))["status"] == "completed"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"type": "register", "token": "x"}, 20101),
        ({"type": "connect", "params": {}}, 31202),
        ({"type": "accept", "call": "CA1"}, 31404),
        ({"type": "call", "from": "me", "to": LINE}, 21212),
        ({"type": "sing"}, 31000),
        ({"type": "hangup", "call": ["x"]}, 31404),
    ],
)
async def test_what_a_page_may_not_say(net: Net, said: dict[str, Any], code: int) -> None:
    page = await net.page()
    await page.socket.send_json(said)
    assert (await page.next("error"))["code"] == code
    await page.socket.send_str("not json")
    assert (await page.next("error"))["code"] == 31000


async def test_page_hears_itself_before_any_call(net: Net) -> None:
    page = await net.page()
    await page.say("test", id=1, text="Hello")
    assert (await page.next("tested")) == {"type": "tested", "id": 1, "registered": False, "text": "Hello"}
    page = await net.registered("ann")
    await page.say("test", id=2, text=" one,  two " + "x" * 600)
    answer = await page.next("tested")
    assert (answer["id"], answer["registered"], answer["text"][:9]) == (2, True, "one, two ")
    assert len(answer["text"]) <= 500
    await page.say("test", id="of no number")
    assert (await page.next("tested"))["id"] == 0


async def test_token_runs_out_and_is_renewed(net: Net) -> None:
    page = await net.registered("ann")
    await net.street.wait(3595)
    await page.next("expiring")
    await page.say("register", token=a_token("bob"))
    assert (await page.next("error"))["code"] == 20101
    await page.say("register", token=a_token(nbf=NOW_S + 3590, valid_until=NOW_S + 7200))
    await page.next("registered")
    await net.street.wait(3700)
    assert (await page.next("error"))["code"] == 20104
    await page.next("unregistered")
    assert net.street.carrier.softphones.identities == []
