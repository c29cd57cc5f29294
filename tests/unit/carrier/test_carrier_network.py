"""Webhooks over real sockets to a plain application of the customer's: signed as the provider's library checks it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from twilio.request_validator import SIGNATURE_SETTINGS_HEADER, RequestValidator, get_signature_algorithm

from channels.simulator.carrier import Account, Carrier, Hook, Number, Server
from channels.simulator.carrier.signing import signature
from hub.clock import SystemClock
from tests.unit.carrier.street import ANN, LINE, SID, TOKEN, response

SHARED = "a-shared-key"
SHORT = response("<Hangup/>")


@dataclass
class Shop:
    """The customer's application, and the carrier."""

    carrier: Carrier
    url: str = ""
    seen: list[tuple[str, bool, dict[str, str], dict[str, str]]] = field(default_factory=list)
    bodies: dict[str, web.Response] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        """Check and note a webhook."""
        url = f"{self.url}{request.rel_url.raw_path_qs}"
        is_json = request.content_type == "application/json"
        posted = await request.post() if request.method == "POST" and not is_json else {}
        form = {name: str(value) for name, value in posted.items()}
        proof = (await request.text()) if is_json else form
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER))
        key = {"HMAC_SHA1": TOKEN, "HMAC_SHA256": SHARED}[algorithm]
        is_signed = RequestValidator(key).validate(url, proof, request.headers["X-Twilio-Signature"], algorithm)
        self.seen.append((request.path, is_signed, {**form, **request.query}, dict(request.headers)))
        if request.path == "/moved":
            return web.Response(status=307, headers={"Location": "/voice"})
        if request.path == "/voice":
            answer = web.Response(text=SHORT, content_type="text/xml")
            answer.set_cookie("visit", "7")
            return answer
        return web.Response(status=204)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    account = Account(sid=SID, auth_token=TOKEN, numbers={LINE: Number(phone_number=LINE)})
    opened = Shop(Carrier(account, SystemClock()))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", opened.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    opened.url = f"http://{host}:{port}"
    server = Server(opened.carrier)
    await server.start()
    yield opened
    await server.stop()
    await runner.cleanup()


async def until_over(shop: Shop) -> None:
    """Return when nothing is under way any more."""
    tasks = [*shop.carrier.switch._tasks, *shop.carrier.switch.webhooks._tasks]
    while tasks:
        for task in tasks:
            await task
        tasks = [*shop.carrier.switch._tasks, *shop.carrier.switch.webhooks._tasks]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_webhooks_are_signed_whatever_the_method_and_query(shop: Shop, method: str) -> None:
    number = shop.carrier.account.numbers[LINE]
    number.voice = Hook(f"{shop.url}/voice?queue=sales%20%26%20more&x=#rc=1", method)
    number.status_callback = Hook(f"{shop.url}/status")
    leg = shop.carrier.person_calls(ANN, LINE)
    await until_over(shop)
    assert leg.status == "completed"
    assert [(path, is_signed) for path, is_signed, _, _ in shop.seen] == [("/voice", True), ("/status", True)]
    params = shop.seen[0][2]
    assert (params["queue"], params["From"], params["CallSid"]) == ("sales & more", ANN, leg.sid)


async def test_shared_key_signs_with_sha256_and_says_so(shop: Shop) -> None:
    shop.carrier.account.signing_key = ("webhooks_sharedkey_1", SHARED)
    shop.carrier.account.numbers[LINE].voice = Hook(f"{shop.url}/voice")
    shop.carrier.person_calls(ANN, LINE)
    await until_over(shop)
    _, is_signed, params, headers = shop.seen[0]
    assert is_signed
    assert headers[SIGNATURE_SETTINGS_HEADER] == "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    assert params["FromCountry"] == "CN"


async def test_changed_token_signs_from_then_on(shop: Shop) -> None:
    shop.carrier.account.secondary_token, shop.carrier.account.auth_token = TOKEN, "new"
    shop.carrier.account.numbers[LINE].voice = Hook(f"{shop.url}/voice")
    shop.carrier.person_calls(ANN, LINE)
    await until_over(shop)
    assert not shop.seen[0][1]
    assert shop.carrier.account.accepts(SID, TOKEN)


async def test_redirects_are_followed_and_cookies_kept(shop: Shop) -> None:
    number = shop.carrier.account.numbers[LINE]
    number.voice = Hook(f"{shop.url}/moved")
    leg = shop.carrier.person_calls(ANN, LINE)
    await until_over(shop)
    assert [(path, is_signed) for path, is_signed, _, _ in shop.seen] == [("/moved", True), ("/voice", True)]
    assert leg.cookies == {"visit": "7"}


async def test_nobody_at_the_address(shop: Shop) -> None:
    number = shop.carrier.account.numbers[LINE]
    number.voice = Hook("http://127.0.0.1:1/voice")
    number.voice_fallback = Hook(f"{shop.url}/voice")
    shop.carrier.person_calls(ANN, LINE)
    await until_over(shop)
    assert shop.seen[0][2]["ErrorCode"] == "11205"


async def test_json_bodies_are_signed_through_their_hash(shop: Shop) -> None:
    answer = await shop.carrier.switch.webhooks.send_json(Hook(f"{shop.url}/events?a=1"), b'{"hello": "world"}')
    assert answer.status == 204
    assert shop.seen[0][:2] == ("/events", True)
    assert len(shop.seen[0][2]["bodySHA256"]) == 64


def test_known_signatures() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    caller = "+14158675309"
    params = {"CallSid": "CA1234567890ABCDE", "Caller": caller, "Digits": "1234", "From": caller, "To": "+18005551212"}
    assert signature("12345", url, params.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert signature("12345", url, (params | {"Caller": "+14158675310", "From": "+14158675310"}).items()) == (
        "GvWf1cFY/Q7PnoempGyD5oXAezc="
    )
