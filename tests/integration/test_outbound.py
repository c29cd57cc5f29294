"""Look-ups: only where the settings say, never inside unless they say so, cut to size, never in somebody's stead."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hub.clock import SystemClock
from hub.domain.errors import NotFound
from hub.flows.session import Fetch, LookedUp
from hub.outbound import MAX_BYTES, Outbound, is_public, problem_of
from hub.settings import Secret, Service
from tests.smtp_server import certificate

INSIDE = (
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "::ffff:169.254.169.254",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_outside_are_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "private", "is_fine"),
    [
        ("https://erp.example.com/api", False, True),
        ("https://erp.example.com:8443", False, True),
        ("http://erp.example.com", False, False),
        ("https://erp.example.com:22", False, False),
        ("https://user:pass@erp.example.com", True, False),
        ("file:///etc/passwd", True, False),
        ("gopher://x", True, False),
        ("https://", True, False),
        ("https://erp.example.com/?x=1", True, False),
        ("http://127.0.0.1:8080/erp", True, True),
    ],
)
def test_a_service_has_an_address_fit_for_it(url: str, private: bool, is_fine: bool) -> None:
    assert (problem_of(Service(id="erp", url=url, allow_private=private)) == "") is is_fine


class System:
    """A company's system on this machine: answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[Answer] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        return await self.answers.pop(0)(request)

    def will(self, *answers: Answer) -> None:
        self.answers += answers


@pytest.fixture
async def system() -> AsyncIterator[System]:
    made = System()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api"
    yield made
    await runner.cleanup()


async def looked_up(service: Service, **more: Any) -> LookedUp:
    outbound = Outbound({service.id: service}, SystemClock())
    outbound.open()
    wish = Fetch(**{"id": "s:1", "service": "erp", "method": "GET", "path": "/orders/a%2Fb", "tries": 2, **more})
    try:
        return await outbound.fetch(wish)
    finally:
        await outbound.close()


def inside(system: System, **more: Any) -> Service:
    return Service(id="erp", url=system.url, allow_private=True, **more)


def says(body: object, status: int = 200, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)

    return answer


async def test_a_look_up_brings_the_answer_and_sends_the_secret(system: System) -> None:
    system.will(says({"status": "shipped"}))
    found = await looked_up(inside(system, secret=Secret("s3cret"), header="X-Key"), query={"q": "a b&c"})
    assert (found.outcome, found.values, found.fetch) == ("found", {"status": "shipped"}, "s:1")
    method, path, headers, _ = system.asked[0]
    assert (method, path, headers["X-Key"]) == ("GET", "/api/orders/a%2Fb?q=a+b%26c", "s3cret")


async def test_a_private_address_is_refused_unless_it_is_named(system: System) -> None:
    service = Service(id="erp", url=system.url.replace("http:", "https:"), allow_private=False)
    assert (await looked_up(service)).outcome == "failed"
    assert system.asked == []


async def test_a_name_that_leads_inside_is_refused_when_it_is_dialled(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(system.url.rpartition(":")[2].partition("/")[0])
    monkeypatch.setattr("hub.outbound.PORTS", (port,))
    for host in ("localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"):
        service = Service(id="erp", url=f"https://{host}:{port}", allow_private=False)
        assert (await looked_up(service)).outcome == "failed"
    assert system.asked == []


async def test_a_redirect_is_not_followed(system: System) -> None:
    system.will(says({}, 302, Location=f"{system.url}/admin"))
    assert (await looked_up(inside(system))).outcome == "failed"
    assert len(system.asked) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_not_there_is_told_apart(system: System, status: int) -> None:
    system.will(says({}, status))
    assert (await looked_up(inside(system))).outcome == "not_found"


async def test_a_system_in_trouble_is_asked_again(system: System) -> None:
    system.will(says({}, 503), says({"ok": True}))
    assert (await looked_up(inside(system))).values == {"ok": True}


async def test_what_may_have_been_done_is_not_done_again(system: System) -> None:
    system.will(says({}, 503), says({"ok": True}))
    assert (await looked_up(inside(system), method="POST", body={"a": "b"})).outcome == "failed"
    assert [(method, body) for method, _, _, body in system.asked] == [("POST", b'{"a": "b"}')]


async def test_endless_and_broken_answers_are_no_answers(system: System) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(2 * MAX_BYTES // 16_384):
            await response.write(b"[" * 16_384)
        return response

    async def broken(_request: web.Request) -> web.Response:
        return web.Response(body=b"<html>not json")

    async def bomb(_request: web.Request) -> web.Response:
        return web.Response(body=b"[" * 200_000)

    for answer in (endless, broken, bomb):
        system.will(answer, answer)
        assert (await looked_up(inside(system))).outcome == "failed"
        system.answers.clear()


async def test_a_system_that_does_not_answer_costs_its_time_and_no_more(system: System) -> None:
    import asyncio

    async def silent(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    system.will(silent)
    found = await looked_up(inside(system), timeout_s=0.1, tries=1)
    assert found.outcome == "failed"
    assert found.took_ms < 2_000


async def test_a_service_nobody_configured_fails(system: System) -> None:
    assert (await looked_up(Service(id="other", url=system.url))).outcome == "failed"


GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


class Gallery:
    """A stranger's server, with TLS, that counts as public for a while: pages by path, and what it was asked."""

    def __init__(self, url: str, outbound: Outbound) -> None:
        self.url = url
        self.outbound = outbound
        self.pages: dict[str, web.Response] = {}
        self.asked: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return self.pages.get(request.path, web.Response(status=404))

    async def refused(self, path: str) -> bool:
        with pytest.raises(NotFound):
            await self.outbound.picture(f"{self.url}{path}")
        return True


@pytest.fixture
async def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gallery]:
    trusted, context = certificate(tmp_path)
    outbound = Outbound({}, SystemClock(), authorities=ssl.create_default_context(cafile=str(trusted)))
    outbound.open()
    made = Gallery("", outbound)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        port = runner.addresses[0][1]
        made.url = f"https://localhost:{port}"
        monkeypatch.setattr("hub.outbound.PORTS", (443, port))
        monkeypatch.setattr("hub.outbound.is_public", lambda address: address == "127.0.0.1")
        yield made
    finally:
        await outbound.close()
        await runner.cleanup()


async def test_a_picture_is_fetched_without_a_word_about_who_asks(gallery: Gallery) -> None:
    gallery.pages = {
        "/a": web.Response(status=302, headers={"Location": "/b?x=1", "Set-Cookie": "who=you"}),
        "/b": web.Response(body=GIF, content_type="text/html"),
    }
    assert await gallery.outbound.picture(f"{gallery.url}/a") == ("image/gif", GIF)
    assert [request.path_qs for request in gallery.asked] == ["/a", "/b?x=1"]
    assert not {"Cookie", "Referer", "X-Forwarded-For"} & set(gallery.asked[1].headers)


async def test_what_is_no_picture_or_too_much_is_not_shown(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.outbound.MAX_PICTURE_BYTES", 1_000)
    gallery.pages = {
        "/page": web.Response(body=b"<html>GIF8", content_type="image/gif"),
        "/drawing": web.Response(body=b"<svg onload=x()>", content_type="image/svg+xml"),
        "/large": web.Response(body=GIF * 100),
        "/round": web.Response(status=301, headers={"Location": "/round"}),
        "/nowhere": web.Response(status=301, headers={"Location": "http://["}),
        "/empty": web.Response(body=b""),
    }
    assert all([await gallery.refused(path) for path in [*gallery.pages, "/missing"]])


async def test_pictures_lead_nowhere_inside(gallery: Gallery, system: System) -> None:
    port = int(system.url.rpartition(":")[2].partition("/")[0])
    places = (
        system.url,
        f"https://127.0.0.2:{gallery.url.rpartition(':')[2]}/",
        f"https://localhost:{port}/",
        f"https://user:pass@localhost:{gallery.url.rpartition(':')[2]}/",
        "file:///etc/passwd",
        "data:image/gif;base64,R0lGODlhAQABAAAAADs=",
    )
    gallery.pages = {f"/{n}": web.Response(status=307, headers={"Location": place}) for n, place in enumerate(places)}
    assert all([await gallery.refused(path) for path in gallery.pages])
    for place in ("", "x", *places):
        with pytest.raises(NotFound):
            await gallery.outbound.picture(place)
    assert (len(gallery.asked), system.asked) == (len(places), [])
