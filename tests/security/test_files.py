"""What is uploaded stays a download of a known kind, under a harmless name, for a while (tests 33 to 35)."""

import re
from typing import Any
from urllib.parse import quote, unquote

import pytest

from hub.domain.errors import NotFound
from hub.services.files import shown_name
from tests.security.yard import Yard

PNG = b"\x89PNG\r\n\x1a\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
POLYGLOTS = {
    "gif.gif": b"GIF89a=\x00/*" + HTML + b"*/1;alert(1)",
    "pdf.pdf": b"%PDF-1.7\n" + HTML,
    "png.png": PNG + HTML,
    "webp.webp": b"RIFF\x10\x00\x00\x00WEBP" + HTML,
    "mp4.mp4": b"\x00\x00\x00\x18ftyp" + HTML,
    "mp3.mp3": b"ID3" + HTML,
    "zip.docx": b"PK\x03\x04" + HTML,
    "late.txt": b"Dear colleagues, " + HTML,
    "bom.txt": b"\xef\xbb\xbf" + HTML,
    "formula.csv": b'=HYPERLINK("http://evil.example")',
    "mail.eml": b"Content-Type: text/html\n\n" + HTML,
}
REFUSED = {
    "a.svg": SVG,
    "a.html": HTML,
    "a.htm": HTML,
    "a.xhtml": HTML,
    "a.xml": b"<?xml version='1.0'?>",
    "a.js": b"alert(1)",
    "a.exe": b"MZ\x00",
    "a": b"hello",
    "a.png": SVG,
    "b.png": HTML,
    "a.jpg": PNG,
    "a.txt": HTML,
    "b.txt": b"\n\n  " + SVG,
    "a.csv": b"a\x00b",
    "a.pdf": HTML,
    "a.png.html": PNG,
    "a.svg\x00.png": SVG,
    "a.html ": HTML,
    "....txt": b"hello",
    "\ufeff\u200b.txt": b"hello",
}

TRICKS = (
    "../../../etc/cron.d/x.txt",
    "..\\..\\windows\\x.txt",
    "/etc/passwd.txt",
    "C:\\x.txt",
    "a\r\nSet-Cookie: hub=1.txt",
    'a"; filename="evil.html.txt',
    "a\x00b\x1b[31m.txt",
    "gpj.\u202etxt.exe\u2066.txt",
    "\ufeffa\u200b.txt",
    "....a.txt",
    "<img src=x onerror=alert(1)>.txt",
    "x" * 400 + ".txt",
    "4111 1111 1111 1111.txt",
)


async def upload(yard: Yard, started: Any, name: str, body: bytes, **headers: str) -> tuple[int, Any]:
    where = f"/chat/api/files?interaction={started['thread']['interaction']}&name={quote(name, safe='')}"
    return await yard.http("POST", where, body, **{**yard.upload_headers(started["token"]), **headers})


async def test_whatever_is_taken_is_only_ever_a_download(yard: Yard) -> None:
    _, started = await yard.chatting()
    for name, body in POLYGLOTS.items():
        status, kept = await upload(yard, started, name, body)
        assert status == 200, (name, kept)
        async with yard.session.get(yard.url + kept["file"]["url"], headers={"Accept": "text/html"}) as got:
            headers = got.headers
            assert await got.read() == body
        assert headers["Content-Disposition"].startswith("attachment;"), name
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        # A letter's page, of no origin in its sandbox, shows pictures by their signed links; nothing else leaves us.
        is_picture = headers["Content-Type"].startswith("image/")
        assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if is_picture else "same-origin")
        assert not re.search(r"html|svg|xml$|javascript|x-httpd", headers["Content-Type"]), headers["Content-Type"]


async def test_what_is_not_on_the_list_or_not_what_it_says_is_refused_and_leaves_nothing(yard: Yard) -> None:
    _, started = await yard.chatting()
    for name, body in REFUSED.items():
        status, answer = await upload(yard, started, name, body)
        assert (status, answer["error"]) == (415, "type_refused"), name
    kept = [path for path in (yard.desk.hub.settings.server.data_dir / "files").rglob("*") if path.is_file()]
    assert kept == []


async def test_picture_that_unfolds_to_a_gigabyte_is_no_picture(yard: Yard) -> None:
    """Consoles and widgets draw what they are sent as soon as it is there."""
    _, started = await yard.chatting()
    huge = PNG + b"\x00\x00\x00\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x06\x00\x00\x00"
    files = yard.desk.hub.services.files

    status, answer = await upload(yard, started, "huge.png", huge)
    (by_mail,) = await files.keep([("f1", "huge.png", huge)], by="customer")

    assert (status, answer["error"]) == (413, "too_large")
    assert by_mail.type == "application/octet-stream"


async def test_tricks_in_a_name_are_cleaned(yard: Yard) -> None:
    _, started = await yard.chatting()
    for name in TRICKS:
        status, kept = await upload(yard, started, name, b"hello")
        assert status == 200, name
        shown = kept["file"]["name"]
        async with yard.session.get(yard.url + kept["file"]["url"]) as got:
            disposition = got.headers["Content-Disposition"]
        assert not re.search(r"[\x00-\x1f\x7f/\\\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown), name
        assert len(shown) <= 120
        assert shown.endswith("txt")
        assert "4111 1111" not in shown
        assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9%._~-]+", disposition)
        assert unquote(disposition.partition("''")[2]) == shown
    stored = [path for path in (yard.desk.hub.settings.server.data_dir / "files").rglob("*") if path.is_file()]
    assert {re.fullmatch(r"f[0-9a-z]+", path.name) is not None for path in stored} == {True}
    assert len(stored) == len(TRICKS)


def test_name_of_nothing_but_tricks_is_still_a_name() -> None:
    assert [shown_name(name) for name in ("", "/", "..", "\x00", "\u202e", "a/")] == ["file"] * 6


async def test_link_that_is_over_or_forged_opens_nothing(yard: Yard) -> None:
    _, started = await yard.chatting()
    _, kept = await upload(yard, started, "a.txt", b"hello")
    _, other = await upload(yard, started, "b.txt", b"other")
    url, foreign = kept["file"]["url"], other["file"]["url"]
    path, _, query = url.partition("?")
    expires, signature = re.findall(r"exp=(\d+)&sig=(.*)", query)[0]
    forged = [
        path,
        f"{path}?exp={expires}",
        f"{path}?exp={expires}&sig=",
        f"{path}?exp={int(expires) + 60}&sig={signature}",
        f"{path}?exp=²&sig={signature}",
        f"{path}?exp=9999999999999&sig={signature}",
        f"{path}?exp=-1&sig={signature}",
        f"{path}?exp={expires}&sig={quote(signature[:-1] + 'é')}",
        f"{foreign.partition('?')[0]}?{query}",
        f"/files/../{path.rpartition('/')[2]}?{query}",
    ]
    assert (await yard.http("GET", url))[0] == 200
    assert {target: (await yard.http("GET", target))[0] for target in forged} == dict.fromkeys(forged, 404)

    yard.desk.clock.settle = None
    await yard.desk.clock.advance(seconds=661)
    assert (await yard.http("GET", url))[0] == 404
    assert yard.errors_logged() == []


async def test_the_hub_fetches_no_picture_that_it_was_not_shown(yard: Yard) -> None:
    files = yard.desk.hub.services.files
    link = files.picture_link("https://pictures.invalid/a.gif?b=c&d")
    expires, signature = re.findall(r"exp=(\d+)&sig=(.*)", link)[0]
    files.check_picture("https://pictures.invalid/a.gif?b=c&d", int(expires), signature)
    forged = [
        "/pictures",
        f"/pictures?exp={expires}&sig={signature}",
        link.replace("invalid", "example"),
        link.replace(expires, str(int(expires) + 60)),
        link.replace(signature, "x"),
        f"/files/f1/x?exp={expires}&sig={signature}",
    ]
    # The one that is ours leads nowhere, and says no more than the others.
    assert {target: (await yard.http("GET", target))[0] for target in [link, *forged]} == dict.fromkeys(
        [link, *forged], 404
    )
    for url in ("https://pictures.invalid/a.gif", "\ud800"):
        with pytest.raises(NotFound):
            files.check_picture(url, int(expires), signature)


async def test_range_and_condition_headers_do_no_harm(yard: Yard) -> None:
    _, started = await yard.chatting()
    _, kept = await upload(yard, started, "a.txt", b"hello")
    for value in ("bytes=0-1", "bytes=5-1", "bytes=-99", "bytes=a-b", "bytes=0-1,2-3", "x" * 500):
        async with yard.session.get(yard.url + kept["file"]["url"], headers={"Range": value}) as got:
            assert got.status in {200, 206, 416}, value
            assert got.headers["Content-Security-Policy"]


async def test_visitor_fills_no_disk(yard: Yard) -> None:
    _, started = await yard.chatting()
    big = PNG + b"\x00" * (10 * 1024 * 1024)
    assert (await upload(yard, started, "big.png", big))[1]["error"] == "too_large"
    fits = PNG + b"\x00" * (10 * 1024 * 1024 - 100)
    statuses = [(await upload(yard, started, "fits.png", fits))[0] for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 413]


async def test_upload_needs_the_widgets_own_header_and_token(yard: Yard) -> None:
    _, started = await yard.chatting()
    token = started["token"]
    wrong = [
        {"Authorization": ""},
        {"Authorization": f"Basic {token}"},
        {"Authorization": "Bearer v1_" + "é" * 43},
        {"Authorization": "Bearer " + token[:-1] + "!"},
        {"X-Hub": "0"},
    ]
    statuses = [(await upload(yard, started, "a.txt", b"hi", **headers))[0] for headers in wrong]
    assert statuses == [401] * len(wrong)
    assert (await upload(yard, started, "a.txt", b"hi", **{"Content-Type": "text/plain"}))[0] == 400
    assert yard.errors_logged() == []
