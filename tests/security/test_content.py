"""Hostile text is text: in JSON, in pages, in a real browser (tests 6 to 8 and 10)."""

import re
from typing import Any

from hub.domain.correspondence import Party
from tests import letterbox
from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.security.payloads import PAYLOADS
from tests.security.yard import Yard

GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; "


def test_there_are_sixty_different_payloads() -> None:
    assert len(set(PAYLOADS)) == 60


async def test_payloads_come_back_as_json_text_and_in_no_page(generous: Yard) -> None:
    """Each as name, subject, message and file name; every answer that holds one is JSON or plain text."""
    yard, desk = generous, generous.desk
    ann = await yard.staff("ann")
    line = await ann.console()
    for number, payload in enumerate(PAYLOADS):
        chat = await desk.chat(name=payload, text=payload)
        status, kept = await ann.http(
            "POST",
            f"/interactions/{chat.id}/files?name=a{number}{_quoted(payload)}z.txt",
            b"hello",
            **{"Content-Type": "application/octet-stream", "X-Hub": "1"},
        )
        assert status == 200
        opened = await line.ask("open", interaction=chat.id)
        assert opened["messages"][0]["text"] == payload.strip()
        async with yard.session.get(yard.url + kept["file"]["url"]) as got:
            assert got.headers["Content-Disposition"].startswith("attachment;")
            assert "<" not in got.headers["Content-Disposition"]
        await line.ask("leave_view", interaction=chat.id)
    async with yard.session.get(f"{yard.url}/api/v1/customers", headers={"Cookie": f"hub={ann.token}"}) as got:
        assert (got.content_type, got.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text[:100], safe="")


async def test_payloads_in_addresses_are_never_echoed_as_markup(yard: Yard) -> None:
    places = ["/chat/frame?site={}", "/chat/frame?site=site&lang={}", "/work/{}", "/files/f1/{}", "/{}", "/api/v1/{}"]
    for payload in PAYLOADS:
        for place in places:
            async with yard.session.get(yard.url + place.format(_quoted(payload)), allow_redirects=False) as got:
                body = await got.text()
                assert got.status < 500, (place, payload)
                if got.content_type == "text/html":
                    assert payload not in body, (place, payload)
                else:
                    assert got.content_type == "application/json", (place, got.content_type)
                    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert yard.errors_logged() == []


async def test_every_answer_has_a_policy_and_its_guards(yard: Yard) -> None:
    ann = await yard.staff("ann")
    cookie = {"Cookie": f"hub={ann.token}"}
    pages = ["/", "/work", "/chat/frame?site=site"]
    others = [
        "/api/v1/customers",
        "/api/v1/none",
        "/none",
        "/chat/frame?site=none",
        "/files/f1/x",
        "/healthz",
        "/readyz",
    ]
    others += [
        "/widget.js",
        "/api/v1/openapi.json",
        "/console/static/app.js",
        "/chat/static/app.js",
        "/console/static/no",
    ]
    for path in (*pages, *others):
        async with yard.session.get(yard.url + path, headers=cookie, allow_redirects=False) as got:
            policy = got.headers["Content-Security-Policy"]
            assert policy.startswith(NOTHING), (path, policy)
            assert got.headers["X-Content-Type-Options"] == "nosniff", path
            assert got.headers["Referrer-Policy"] == "no-referrer", path
            assert got.headers["Cross-Origin-Opener-Policy"] == "same-origin", path
            assert "Access-Control-Allow-Origin" not in got.headers, path
            assert not re.search(
                "unsafe-inline|unsafe-eval|https?:| \\*(?! *$)", policy.replace("https://shop.example", "")
            )
            if path in pages:
                assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
            else:
                assert "script-src" not in policy, (path, policy)
    for method in ("PUT", "OPTIONS", "TRACE", "PATCH"):
        async with yard.session.request(method, f"{yard.url}/api/v1/session") as got:
            assert got.headers["Content-Security-Policy"].startswith(NOTHING)
            assert got.status in {403, 404, 405}


async def test_every_kind_of_refusal_has_them_too(yard: Yard) -> None:
    """Whatever status an answer has, and whoever of us gives it: a route, the guard before it, a socket's door."""
    ann = await yard.staff("ann")
    own = {"Cookie": f"hub={ann.token}", "Origin": yard.url, "Content-Type": "application/json"}
    _, started = await yard.chatting()
    where = f"/chat/api/files?interaction={started['thread']['interaction']}&name=a.txt"
    _, kept = await yard.http("POST", where, b"hello", **yard.upload_headers(started["token"]))
    file = kept["file"]["url"]
    async with yard.session.get(f"{yard.url}/console/static/app.js") as got:
        tag = got.headers["ETag"]
    asked: list[tuple[int, str, str, dict[str, str], bytes]] = [
        (206, "GET", file, {"Range": "bytes=0-1"}, b""),
        (304, "GET", "/console/static/app.js", {"If-None-Match": tag}, b""),
        (400, "POST", "/api/v1/session", own, b"{"),
        (400, "GET", "/chat/socket.io/", {"Origin": yard.url}, b""),
        (401, "GET", "/api/v1/customers", {}, b""),
        (401, "POST", "/chat/api/files", {}, b""),
        (403, "GET", "/api/v1/attention", own, b""),
        (403, "POST", "/api/v1/session", {}, b"{}"),
        (403, "GET", "/console/socket.io/", {}, b""),
        (404, "GET", "/files/f1/a", {}, b""),
        (404, "GET", "/pictures", {}, b""),
        (404, "GET", "/answers/a.1", {}, b""),
        (404, "GET", "/metrics", {"X-Forwarded-For": "192.0.2.1"}, b""),
        (405, "PUT", "/api/v1/session", own, b"{}"),
        (413, "POST", "/api/v1/password", own, b"x" * 70_000),
        (415, "POST", "/api/v1/password", {**own, "Content-Type": "text/plain"}, b"{}"),
        (415, "POST", "/api/v1/password", {**own, "Content-Encoding": "x"}, b"{}"),
        (416, "GET", file, {"Range": "bytes=9-"}, b""),
        (421, "GET", "/", {"Host": "evil.example"}, b""),
    ]
    for status, method, path, headers, body in asked:
        async with yard.session.request(method, yard.url + path, headers=headers, data=body or None) as answer:
            found = {name: answer.headers.get(name) for name in GUARDS}
            assert (answer.status, found) == (status, GUARDS), (method, path)
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; "), path
            assert policy.endswith("frame-ancestors 'none'"), path


TURNED = "Re: \u202efdp.exe\u202c\u2066 now\r\nBcc: all\x00\x1b[2J \u0645\u200c\u200f"


async def test_subjects_and_names_turn_nothing_around_and_are_one_line(yard: Yard) -> None:
    """A direction that is forced on what follows shows a sender or a file for another one."""
    desk = yard.desk
    _, started = await yard.chatting(name=TURNED, subject=TURNED, email="a@example.test")
    chat = await desk.interaction(started["thread"]["interaction"])
    sender = Party("b@example.test", TURNED)
    await letterbox.of(desk.hub).post(letterbox.Mailed(name="<1@x>", sender=sender, subject=TURNED, text="Hello"))
    await letterbox.all_read(desk)
    ann = await yard.staff("ann")
    line = await ann.console()
    listed = (await line.ask("sync"))["put"]["interactions"].values()
    opened = [await line.ask("open", interaction=row["id"]) for row in listed]

    kept = "Re: fdp.exe now Bcc: all [2J \u0645\u200c\u200f"
    assert chat.subject == kept
    assert len(opened) == 2
    assert {row["subject"] for row in listed} == {kept}
    assert {letter["subject"] for one in opened for letter in one.get("letters", [])} == {kept}
    for one in opened:
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", one["customer"]["name"]), one["customer"]


async def test_nonce_is_new_for_every_page_and_on_every_script(yard: Yard) -> None:
    nonces = set()
    for path in ("/", "/", "/chat/frame?site=site", "/chat/frame?site=site"):
        async with yard.session.get(yard.url + path) as got:
            html = await got.text()
            (nonce,) = set(re.findall(r"'nonce-([^']+)'", got.headers["Content-Security-Policy"]))
        assert len(nonce) >= 22
        nonces.add(nonce)
        scripts = re.findall(r"<script\b[^>]*>", html)
        assert all(f'nonce="{nonce}"' in tag or 'src="/' in tag for tag in scripts), scripts
        assert not re.search(r"\son[a-z]+\s*=|javascript:|<style\b", html)
    assert len(nonces) == 4


async def test_hostile_words_stay_words_in_a_real_browser(yard: Yard) -> None:
    """The console shows every payload as text; a string made into HTML throws there and in the widget's frame."""
    from playwright.async_api import async_playwright

    desk = yard.desk
    await desk.available("ann")
    chat = await desk.chat(name="<img src=x onerror=PWN()>", text=PAYLOADS[0])
    await desk.accept("ann")
    for payload in PAYLOADS[1:]:
        await desk.visitor_says(chat, payload)
    ann = await yard.staff("ann")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        try:
            context = await browser.new_context()
            await context.add_cookies([{"name": "hub", "value": ann.token, "url": yard.url}])
            page = await context.new_page()
            hits: list[str] = []
            await page.expose_function("PWN", lambda: hits.append("PWN"))
            page.on("dialog", lambda dialog: hits.append(dialog.message))
            foreign: list[str] = []
            page.on("request", lambda request: foreign.append(request.url) if "evil" in request.url else None)
            await page.goto(f"{yard.url}/work")
            await page.get_by_text("<img src=x onerror=PWN()>", exact=True).first.click(timeout=15_000)
            shown = page.get_by_text("<svg onload=PWN()>", exact=True).first
            await shown.wait_for(timeout=15_000)
            await page.get_by_text(PAYLOADS[57], exact=True).first.wait_for(timeout=5_000)
            assert await page.locator("img[src=x], iframe, object, embed, math, marquee, base[href]").count() == 0
            assert await page.locator("a[href^='javascript'], a[href^='data:']").count() == 0
            assert await _throws(page)
            frame = await context.new_page()
            await frame.goto(f"{yard.url}/chat/frame?site=site")
            assert await _throws(frame)
            assert (hits, foreign) == ([], [])
        finally:
            await browser.close()


async def _throws(page: Any) -> bool:
    """Whether the page refuses strings as HTML and as code, and scripts without its nonce."""
    attempts = [
        "document.body.innerHTML = '<b>x</b>'",
        "document.write('<b>x</b>')",
        "document.createElement('script').text = 'PWN()'",
        "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
    ]
    script = "() => { try { RUN; return false } catch (e) { return e instanceof TypeError } }"
    results = [await page.evaluate(script.replace("RUN", attempt)) for attempt in attempts]
    assert results == [True] * len(attempts), results
    return True
