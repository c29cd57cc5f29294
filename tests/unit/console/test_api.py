"""The REST API: described truly, tight against whatever is sent, and right in what it answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from agent_console.api import spoken
from hub.storage.migrations import migrate
from tests.security.yard import Staff, Yard, open_yard


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url) as opened:
        yield opened


@pytest.fixture
async def ann(yard: Yard) -> Staff:
    return await yard.staff("ann")


async def test_document_is_valid_and_says_what_there_is(yard: Yard, ann: Staff) -> None:
    status, document = await ann.http("GET", "/openapi.json")
    assert status == 200
    OpenAPIV31SpecValidator(document).validate()
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in yard.desk.hub.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    assert served - described == {"GET /api/v1/openapi.json"}
    assert described - served == set()


async def test_sign_in_with_a_password_and_out_again(yard: Yard) -> None:
    await yard.desk.hub.services.accounts.set_password("ann", "tall otter under quay")
    body = b'{"email": "ann@example.test", "password": "tall otter under quay"}'
    headers = {"Origin": yard.url, "Content-Type": "application/json"}
    async with yard.session.post(f"{yard.url}/api/v1/session", data=body, headers=headers) as answer:
        cookie = answer.headers["Set-Cookie"]
        me = (await answer.json())["me"]
    assert me["agent_id"] == "ann"
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert parts == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax"}
    headers["Cookie"] = cookie.split(";")[0]
    assert (await yard.http("GET", "/api/v1/session", **headers))[1]["me"]["name"] == "Ann Example"

    async with yard.session.delete(f"{yard.url}/api/v1/session", data=b"{}", headers=headers) as answer:
        assert (answer.status, "Max-Age=0" in answer.headers["Set-Cookie"]) == (200, True)
    status, stranger = await yard.http("GET", "/api/v1/session", **headers)
    assert (status, stranger["error"], stranger["demo"], stranger["company"]) == (
        401,
        "unauthorized",
        False,
        "Our company",
    )


def test_cookie_of_an_https_hub_is_secure_and_bound_to_its_host() -> None:
    from hub.auth import Auth
    from hub.clock import FakeClock
    from hub.settings import Server, Settings

    settings = Settings(server=Server(public_url="https://hub.example"))
    accounts = cast("Any", type("Nobody", (), {"on_revoked": []})())
    auth = Auth(accounts, settings, FakeClock(), client_ip=lambda _: "", me=lambda _: None)
    from aiohttp import web

    response = web.Response()
    auth._set_cookie(response, "t", 60)
    assert response.cookies["__Host-hub"].OutputString() == (
        "__Host-hub=t; HttpOnly; Max-Age=60; Path=/; SameSite=Lax; Secure"
    )
    assert auth.is_own_origin("https://hub.example")
    assert not auth.is_own_origin("http://hub.example")
    assert not auth.is_own_origin("https://hub.example:8443")
    assert not auth.is_own_origin(None)


async def test_session_revoked_while_it_is_looked_up_is_not_remembered() -> None:
    from aiohttp.test_utils import make_mocked_request

    from hub.auth import Auth
    from hub.clock import FakeClock
    from hub.domain.errors import Unauthorized
    from hub.settings import Settings

    class Accounts:
        def __init__(self) -> None:
            self.on_revoked: list[Any] = []
            self.is_over = False

        async def signed(self, _token: str) -> object:
            if self.is_over:
                return None
            self.is_over = True
            for told in self.on_revoked:
                told("s1")
            return object()

    accounts = Accounts()
    auth = Auth(cast("Any", accounts), Settings(), FakeClock(), client_ip=lambda _: "", me=lambda _: None)
    request = make_mocked_request("GET", "/", headers={"Cookie": f"hub={'t' * 43}"})
    await auth.bearer(request)
    with pytest.raises(Unauthorized):
        await auth.bearer(request)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/octet-stream"}, 403),
    ],
)
async def test_request_that_another_site_could_send_is_refused(
    yard: Yard, ann: Staff, headers: dict[str, str], status: int
) -> None:
    chat = await yard.desk.chat()
    answer = await ann.http("POST", f"/customers/{chat.customer}/notes", {"text": "x"}, **headers)
    assert answer[0] == status
    assert (await ann.http("GET", f"/customers/{chat.customer}"))[1]["customer"]["notes"] == []


async def test_profile_is_edited_noted_merged_and_parted(yard: Yard, ann: Staff) -> None:
    one, other = await yard.desk.chat("Li Wei"), await yard.desk.chat("Li Wei")
    path = f"/customers/{one.customer}"
    edit = {"name": "Wei", "company": "Acme", "tier": "gold", "tags": ["vip"], "fields": {"shoe": "44"}}
    status, answer = await ann.http("PATCH", path, edit)
    shown = {key: answer["customer"][key] for key in edit}
    assert (status, shown) == (200, edit)
    assert (await ann.http("POST", f"{path}/notes", {"text": "Careful"}))[1]["note"]["name"] == "Ann Example"
    await ann.http("PATCH", path, {"name": "Li Wei"})
    found = (await ann.http("GET", f"{path}/duplicates"))[1]["duplicates"]
    assert [one["customer"]["id"] for one in found] == [other.customer]
    merged = (await ann.http("POST", f"{path}/merge", {"source": other.customer}))[1]
    profile = (await ann.http("GET", path))[1]["customer"]
    assert (len(profile["open"]), profile["merged"][0]["merge"]) == (2, merged["merge"])
    assert (await ann.http("POST", f"/merges/{merged['merge']}/undo", {}))[0] == 200
    assert len((await ann.http("GET", path))[1]["customer"]["open"]) == 1
    assert [item["kind"] for item in (await ann.http("GET", f"{path}/timeline?kinds=note,promise"))[1]["items"]] == [
        "note"
    ]
    assert (await ann.http("GET", f"{path}/timeline?kinds=promise"))[1]["items"] == []


async def test_people_and_words_are_found(yard: Yard, ann: Staff) -> None:
    chat = await yard.desk.chat("王小明", text="我的帐篷坏了")
    hidden = await yard.desk.chat("Secret", queue="billing", text="帐篷")
    await yard.indexed()
    latest = (await ann.http("GET", "/customers"))[1]["customers"]
    assert [one["id"] for one in latest] == [chat.customer]
    found = (await ann.http("GET", "/customers?q=小明"))[1]["customers"]
    assert [(one["name"], one["addresses"][0]["kind"]) for one in found] == [("王小明", "chat")]
    words = (await ann.http("GET", "/search?q=帐篷"))[1]
    assert [one["interaction"] for one in words["messages"]] == [chat.id]
    assert hidden.id not in str(words)


async def test_interaction_messages_and_files(yard: Yard, ann: Staff) -> None:
    await yard.desk.available("ann")
    await yard.desk.chat()
    chat = await yard.desk.accept("ann")
    row = (await ann.http("GET", f"/interactions/{chat.id}"))[1]["interaction"]
    assert (row["state"], row["agent"], row["icon"]) == ("active", "ann", "message-circle")
    page = (await ann.http("GET", f"/interactions/{chat.id}/messages?before_n=3&limit=1"))[1]
    assert ([message["n"] for message in page["messages"]], page["earlier"]) == ([2], True)

    upload = {"Content-Type": "application/octet-stream", "X-Hub": "1"}
    status, answer = await ann.http("POST", f"/interactions/{chat.id}/files?name=a.txt", b"hello", **upload)
    assert (status, answer["file"]["type"], answer["file"]["size"]) == (200, "text/plain", 5)
    assert await yard.http("GET", answer["file"]["url"]) == (200, b"hello")
    console = await ann.console()
    sent = await console.ask(
        "send", interaction=chat.id, client_id="c1", text="", files=[answer["file"]["id"]], seen_n=9
    )
    assert sent["ok"], sent
    refused = await ann.http("POST", f"/interactions/{chat.id}/files?name=a.html", b"<script>", **upload)
    assert (refused[0], refused[1]["error"]) == (415, "type_refused")


async def test_settings_speak_the_browsers_language(yard: Yard, ann: Staff) -> None:
    _, answer = await ann.http("GET", "/settings", **{"Accept-Language": "en"})
    assert [queue["id"] for queue in answer["queues"]] == ["support", "billing"]
    assert answer["dispositions"] == [{"id": "solved", "label": "Solved", "queues": []}]
    assert (answer["demo"], answer["role"]) == (False, "agent")
    assert spoken("fr, zh-CN;q=0.9, en;q=0.5", ("en", "zh")) == "zh"
    assert spoken("", ("en", "zh")) == "en"


async def test_journal_is_read_page_by_page(yard: Yard) -> None:
    await yard.desk.chat()
    sue = await yard.staff("sue")
    first = (await sue.http("GET", "/events?limit=3"))[1]
    rest = (await sue.http("GET", f"/events?after={first['next']}&limit=1000"))[1]
    numbers = [event["seq"] for event in (*first["events"], *rest["events"])]
    assert numbers == list(range(1, rest["head"] + 1))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1.5", "bogus=1", "q=a&q=b", "q=" + "x" * 201]
)
async def test_odd_query_is_refused(yard: Yard, ann: Staff, query: str) -> None:
    status, answer = await ann.http("GET", f"/customers?{query}")
    assert (status, answer["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"[" * 50_000, b'{"text": 1}', b'{"text":"x","y":1}', b"\xff"]
)
async def test_odd_body_is_refused(yard: Yard, ann: Staff, body: bytes) -> None:
    chat = await yard.desk.chat()
    status, answer = await ann.http("POST", f"/customers/{chat.customer}/notes", body)
    assert (status, answer["error"]) == (400, "bad_request")


async def test_page_carries_its_policy_and_its_files_are_kept(yard: Yard) -> None:
    pages, policy, tag = {}, "", ""
    for path in ("/", "/floor", "/wallboard", "/customers/c1", "/work"):
        async with yard.session.get(yard.url + path) as answer:
            pages[path] = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
            assert answer.status == 200
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert f'nonce="{nonce}"' in pages["/work"]
    assert nonce not in pages["/"]
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; frame-src 'self'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    version = pages["/"].partition("app.js?v=")[2].partition('"')[0]
    got: dict[str, Any] = {}
    for path in (f"/console/static/app.js?v={version}", "/console/static/app.js", f"/vendor/preact.js?v={version}"):
        async with yard.session.get(yard.url + path) as answer:
            got[path] = (answer.status, answer.headers["Cache-Control"], answer.headers["Content-Type"])
            tag = answer.headers["ETag"]
    assert set(got.values()) == {
        (200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"),
        (200, "no-cache", "text/javascript; charset=utf-8"),
    }
    async with yard.session.get(f"{yard.url}/vendor/preact.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize(
    "name", ["../__init__.py", "%2e%2e/__init__.py", "..%2f__init__.py", "nothing.js", "types.d.ts", ".hidden", "a%00b"]
)
async def test_no_file_outside_the_folder_is_served(yard: Yard, name: str) -> None:
    from yarl import URL

    async with yard.session.get(URL(f"{yard.url}/console/static/{name}", encoded=True)) as answer:
        assert answer.status == 404
        assert msgspec.json.decode(await answer.read())["error"] == "not_found"


async def test_agent_is_told_what_they_may_take_and_of_others_only_a_supervisor(yard: Yard, ann: Staff) -> None:
    bob, sue = await yard.staff("bob"), await yard.staff("sue")
    await yard.desk.available("ann")
    chat = await yard.desk.chat()

    now = (await ann.http("GET", "/agents/ann/routing"))[1]["routing"]
    asked = {who.name: await who.http("GET", "/agents/ann/routing") for who in (bob, sue)}
    nobody = await sue.http("GET", "/agents/zoe/routing")

    assert (now["facts"]["offers"], now["facts"]["would_get_next"]) == (chat.id, "nothing")
    assert [(one["interaction"], [why["code"] for why in one["refusals"]]) for one in now["weighed"]] == [
        (chat.id, ["offered_to_them"])
    ]
    assert (asked["bob"][0], asked["sue"][0], nobody[0]) == (404, 200, 404)
    assert asked["sue"][1]["routing"] == now


async def test_agent_is_told_how_they_stood_in_the_past(yard: Yard, ann: Staff) -> None:
    await yard.desk.available("ann")
    chat = await yard.desk.chat()
    await yard.desk.accept("ann")
    record = yard.desk.hub.services.dispatcher.record
    assert record is not None
    ((seq, _),) = await record.offers_of(chat.id)

    then = (await ann.http("GET", f"/agents/ann/routing?seq={seq}"))[1]["routing"]
    now = (await ann.http("GET", "/agents/ann/routing"))[1]["routing"]

    assert [one["interaction"] for one in then["weighed"]] == [chat.id]
    assert (now["weighed"], now["facts"]["holds"]) == ([], chat.id)
