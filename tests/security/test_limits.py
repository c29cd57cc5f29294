"""Bodies, headers and texts that would hold or exhaust the hub (tests 45 to 48 and 50)."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

import hub.web
from hub.domain.customers import AddressKind, clean_name, normalized
from hub.domain.errors import HubError
from hub.domain.redaction import without_cards
from hub.domain.words import document, query, snippet
from hub.logs import _Redactor
from hub.metrics import Metrics
from hub.services.files import shown_name
from hub.storage.migrations import migrate
from hub.web import ClientAddress
from tests.builders import small_company
from tests.security.yard import Yard, open_yard, rss

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


async def raw(yard: Yard, request: bytes, *, within_s: float = 3.0) -> bytes:
    """Send bytes; return what comes back until the hub closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), within_s)
    finally:
        writer.close()


@pytest.mark.parametrize("upgrade", ["", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Upgrade: x\r\n"])
async def test_slow_body_is_ended_at_the_deadline(yard: Yard, monkeypatch: pytest.MonkeyPatch, upgrade: str) -> None:
    monkeypatch.setattr(hub.web, "_DEADLINE_S", 0.3)
    head = f"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{yard.port}\r\nOrigin: {yard.url}\r\n{upgrade}"
    head += 'Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"ema'
    reader, writer = await asyncio.open_connection("127.0.0.1", yard.port)
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.readline(), 3)
    writer.close()
    assert b" 408 " in answer or b" 400 " in answer, answer


async def test_slow_header_is_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url, keepalive_timeout=0.5) as yard:
        for start in (b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            began = time.monotonic()
            await raw(yard, start, within_s=5)
            assert time.monotonic() - began < 4


async def test_big_body_is_refused(yard: Yard) -> None:
    ann = await yard.staff("ann")
    chat = await yard.desk.chat()
    before = rss()
    for path in (f"/customers/{chat.customer}/notes", "/session", "/password"):
        status, answer = await ann.http("POST", path, b'{"text":"' + b"x" * (5 * MIB))
        assert (status, answer["error"]) == (413, "too_large"), path
    assert rss() - before < 30 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "x"])
async def test_compressed_body_is_refused(yard: Yard, encoding: str) -> None:
    bomb = zlib.compress(b"\x00" * (4 * MIB)) if encoding == "deflate" else gzip.compress(b"\x00" * (4 * MIB))
    status, _ = await yard.http(
        "POST", "/api/v1/session", bomb, **{**JSON, "Origin": yard.url, "Content-Encoding": encoding}
    )
    assert status in {400, 415}


async def test_second_encoding_header_hides_no_bomb(yard: Yard) -> None:
    bomb = gzip.compress(b'{"email":"' + b"a" * (64 * MIB))
    head = f"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{yard.port}\r\nOrigin: {yard.url}\r\n"
    head += "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(bomb)}\r\nConnection: close\r\n\r\n"
    before = rss()
    answer = await raw(yard, head.encode() + bomb)
    assert answer.split(b" ")[1] in {b"415", b"400"}
    assert rss() - before < 30 * MIB


@pytest.mark.parametrize(
    "body", [b"[" * 30_000, b'{"a":' * 10_000, b'{"email":' + b"[" * 60_000, b"\xff\xfe", b"", b"1e9999"]
)
async def test_deep_or_broken_json_is_a_bad_request(yard: Yard, body: bytes) -> None:
    status, answer = await yard.http("POST", "/api/v1/session", body, Origin=yard.url, **JSON)
    assert (status, answer["error"]) == (400, "bad_request")
    assert yard.errors_logged() == []


async def test_what_is_no_http_is_answered_and_closed(yard: Yard) -> None:
    own = f"Host: 127.0.0.1:{yard.port}\r\n".encode()
    many = b"".join(b"X-%d: y\r\n" % n for n in range(500))
    requests = [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + own + b"\r\n",
        b"GET / HTTP/1.1\r\n" + own + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + own + many + b"\r\n",
        b"POST / HTTP/1.1\r\n" + own + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + own + b"Content-Length: -1\r\n\r\n",
        b"GET /%00%ff%fe/../..//etc/passwd HTTP/1.1\r\n" + own + b"Connection: close\r\n\r\n",
        b"BREW /api/v1/session HTTP/1.1\r\n" + own + b"Connection: close\r\n\r\n",
    ]
    for request in requests:
        answer = await raw(yard, request)
        assert answer.split(b" ")[1][:1] == b"4", (request[:80], answer[:200])
    assert (await yard.http("GET", "/healthz"))[0] == 200


def test_only_what_a_trusted_proxy_says_is_a_clients_address() -> None:
    behind = ClientAddress(("10.0.0.0/8",))

    def seen(remote: str, *forwarded: str) -> str:
        headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
        return behind(SimpleNamespace(remote=remote, headers=headers))

    assert seen("203.0.113.9", "198.51.100.1") == "203.0.113.9"
    assert seen("10.0.0.1", "198.51.100.1, 203.0.113.9") == "203.0.113.9"
    assert seen("10.0.0.1", "198.51.100.1", "203.0.113.9") == "203.0.113.9"
    assert seen("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2") == "203.0.113.9"
    assert seen("10.0.0.1") == seen("10.0.0.1", "", " , ") == "10.0.0.1"


async def test_a_line_of_many_addresses_holds_as_many_requests_as_one(tmp_path: Path) -> None:
    settings = small_company(tmp_path, "sqlite://")
    settings = msgspec.structs.replace(
        settings,
        server=msgspec.structs.replace(settings.server, trusted_proxies=("127.0.0.0/8",)),
        limits=msgspec.structs.replace(settings.limits, connections_per_address=3),
    )
    app, may_go_on = hub.web.new_application(settings, Metrics()), asyncio.Event()

    async def held(_request: web.Request) -> web.Response:
        await may_go_on.wait()
        return web.Response()

    app.router.add_get("/held", held)
    async with TestClient(TestServer(app)) as client:

        async def status(ip: str) -> int:
            headers = {"Host": "127.0.0.1:8080", "X-Forwarded-For": ip}
            async with client.get("/held", headers=headers) as answer:
                return answer.status

        asked = [asyncio.create_task(status(f"2001:db8::{number:x}")) for number in range(5)]
        refused = [await one for one in await _first(asked, 2)]
        others = [asyncio.create_task(status(ip)) for ip in ("2001:db8:0:1::1", "192.0.2.1")]
        may_go_on.set()
        assert refused == [429, 429]
        assert await asyncio.gather(*others) == [200, 200]
        assert sorted(await asyncio.gather(*asked)) == [200, 200, 200, 429, 429]


async def _first(tasks: list["asyncio.Task[int]"], count: int) -> list["asyncio.Task[int]"]:
    """Return the tasks that are done, once `count` are."""
    while sum(task.done() for task in tasks) < count:
        await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED, timeout=5)
    return [task for task in tasks if task.done()]


async def test_request_without_a_host_asks_no_resolver(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(name: str = "") -> str:
        asked.append(name)
        return "x"

    monkeypatch.setattr("socket.getfqdn", resolve)
    answer = await raw(yard, b"GET /api/v1/session HTTP/1.0\r\n\r\n")
    assert (answer.split(b" ")[1], asked) == (b"421", [])


async def test_files_of_the_machine_are_not_served(yard: Yard) -> None:
    bases = ["/console/static/", "/vendor/", "/chat/static/", "/files/", "/"]
    tricks = [
        "../__init__.py",
        "..%2f__init__.py",
        "%2e%2e/__init__.py",
        "..%5c..%5cx",
        "/etc/passwd",
        "%00",
        ".git/config",
    ]
    for base in bases:
        for trick in tricks:
            request = f"GET {base}{trick} HTTP/1.1\r\nHost: 127.0.0.1:{yard.port}\r\nConnection: close\r\n\r\n"
            answer = await raw(yard, request.encode())
            assert answer.split(b" ")[1] in {b"404", b"403", b"400"}, (base, trick, answer[:100])
    assert yard.errors_logged() == []


NASTY = [
    "a" * MIB,
    "4" * MIB,
    "4 " * (MIB // 2),
    "@" * MIB,
    "a." * (MIB // 2),
    "+4" * (MIB // 2),
    "<" * MIB,
    "字" * (MIB // 3),
]


@pytest.mark.parametrize("index", range(len(NASTY)))
def test_no_expression_of_ours_takes_long_over_a_megabyte(index: int) -> None:
    text = NASTY[index]
    redact = _Redactor(b"k" * 16)
    wanted = query("wombat 4111")

    def address(kind: AddressKind) -> None:
        try:
            normalized(kind, text)
        except HubError:
            return

    works: dict[str, Callable[[], object]] = {
        "cards": lambda: without_cards(text[:16_000]),
        "name": lambda: clean_name(text[:16_000]),
        "file": lambda: shown_name(text[:8_000]),
        "email": lambda: address(AddressKind.EMAIL),
        "phone": lambda: address(AddressKind.PHONE),
        "log": lambda: redact(None, "info", {"event": text[:64_000], "level": "info"}),
        "words": lambda: document(text[:16_000]),
        "query": lambda: query(text),
        "snippet": lambda: snippet(wanted, text[:16_000]),
    }
    for name, work in works.items():
        began = time.perf_counter()
        work()
        assert time.perf_counter() - began < 0.25, name


async def test_figures_are_for_collectors_only(yard: Yard) -> None:
    assert (await yard.http("GET", "/metrics"))[0] == 200
    assert (await yard.http("GET", "/metrics", **{"X-Forwarded-For": "203.0.113.7"}))[0] == 404
