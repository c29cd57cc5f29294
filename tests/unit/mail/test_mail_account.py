"""What a mailbox's block may say, and tokens: fetched, kept, renewed, refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from channels.mail.channel import Mail
from channels.mail.tokens import Grant, TokenRefused, TokenSource
from hub.app import check_channels
from hub.clock import FakeClock
from hub.domain.errors import ChannelUnavailable
from hub.settings import ChannelSettings, Secret, Settings, SettingsError, validate

GOOD: dict[str, Any] = {
    "address": "support@example.com",
    "queue": "support",
    "imap_host": "imap.example.com",
    "imap_password": Secret("x"),
}


def wrong(**more: Any) -> dict[str, str]:
    """Return what is wrong with a block, by key."""
    options = {name: value for name, value in (GOOD | more).items() if value is not None}
    settings = Settings(channels={"post": ChannelSettings(id="post", kind="mail", options=options)})
    return {
        one.where.removeprefix("channels.post."): f"{one.text} {one.hint}" for one in check_channels(settings).problems
    }


def test_a_sound_block_is_sound() -> None:
    assert wrong() == {}


@pytest.mark.parametrize(
    ("key", "changes", "says"),
    [
        ("imap_security", {"imap_security": "plain"}, "tls or starttls"),
        ("imap_password", {"imap_password": None}, "env:NAME"),
        ("address", {"address": "support"}, "no e-mail address"),
        ("aliases", {"aliases": ["a@b.example", "x y@"]}, "no e-mail address"),
        ("folders", {"folders": []}, "No folder"),
        ("folders", {"folders": ["INBOX\r\nA1 LOGOUT"]}, "control character"),
        ("done_folder", {"after_reading": "move"}, "no folder is named"),
        ("done_folder", {"after_reading": "move", "done_folder": "INBOX"}, "would be moved"),
        ("sent_folder", {"sent_folder": "INBOX"}, "new mail"),
        ("oauth_token_url", {"oauth": "xoauth2", "oauth_token_url": "http://x.example/"}, "https"),
        ("oauth_client_id", {"oauth": "xoauth2", "oauth_token_url": "https://x.example/"}, "application's id"),
        ("oauth_client_secret", {"oauth": "xoauth2", "oauth_client_id": "a"}, "refresh token"),
        ("max_mail_bytes", {"max_mail_bytes": 10}, "too little"),
        ("poll_s", {"poll_s": 0.0}, "too little"),
        ("imap_hots", {"imap_hots": "x"}, "Did you mean 'imap_host'?"),
        ("after_reading", {"after_reading": "eat"}, "Expected one of keep, seen, move, delete."),
    ],
)
def test_what_is_wrong_is_said_with_its_key(key: str, changes: dict[str, Any], says: str) -> None:
    found = wrong(**changes)
    assert key in found, found
    assert says in found[key]


def test_queues_that_are_not_there_are_told() -> None:
    options = GOOD | {"automatic_queue": "machines", "queues": {"a@example.com": "nowhere"}}
    settings = Settings(channels={"post": ChannelSettings(id="post", kind="mail", options=options)})
    told = {one.where for one in validate(settings)}
    assert {"channels.post.queue", "channels.post.automatic_queue", "channels.post.queues.a@example.com"} <= told


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Mail(id="post", address="x", queue="q", imap_host="", imap_security="plain")
    assert len(caught.value.problems) >= 4


def test_secrets_do_not_show() -> None:
    assert "hunter2" not in repr(Mail(**(GOOD | {"imap_password": Secret("hunter2")}), id="post").__dict__)


class Provider:
    """An identity provider on the loopback."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.answer: Any = {"access_token": "t1", "expires_in": 3600}
        self.status = 200
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.forms.append({name: str(value) for name, value in form.items()})
        if self.status == 302:
            return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, status=self.status)
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    opened = Provider()
    app = web.Application()
    app.router.add_post("/token", opened.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    opened.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield opened
    await runner.cleanup()


def source(provider: Provider, clock: FakeClock, **more: Any) -> TokenSource:
    usual: dict[str, Any] = {"client_id": "id", "client_secret": Secret("s"), "scope": "mail"}
    return TokenSource(Grant(url=provider.url, **(usual | more)), clock)


async def test_a_token_is_kept_and_renewed_before_it_ends(provider: Provider) -> None:
    clock = FakeClock()
    tokens = source(provider, clock)
    assert [await tokens.token() for _ in range(3)] == ["t1"] * 3
    provider.answer = {"access_token": "t2", "expires_in": "3600"}
    await clock.advance(seconds=3_200)
    assert await tokens.token() == "t1"
    await clock.advance(seconds=200)
    assert await tokens.token() == "t2"
    assert provider.forms[0] == {
        "client_id": "id",
        "client_secret": "s",
        "scope": "mail",
        "grant_type": "client_credentials",
    }


async def test_a_refused_token_is_not_given_again(provider: Provider) -> None:
    tokens = source(provider, FakeClock())
    assert await tokens.token() == "t1"
    provider.answer = {"access_token": "t2", "expires_in": 60}
    assert await tokens.token(refused="t1") == "t2"
    assert await tokens.token(refused="t1") == "t2"
    assert len(provider.forms) == 2


async def test_a_rotated_refresh_token_is_used_next(provider: Provider) -> None:
    clock = FakeClock()
    tokens = source(provider, clock, refresh_token=Secret("r1"))
    provider.answer = {"access_token": "t1", "expires_in": 10, "refresh_token": "r2"}
    await tokens.token()
    await clock.advance(seconds=9)
    await tokens.token()
    assert [form["refresh_token"] for form in provider.forms] == ["r1", "r2"]


async def test_what_the_provider_says_is_told(provider: Provider) -> None:
    tokens = source(provider, FakeClock())
    provider.status, provider.answer = 400, {"error": "invalid_grant", "error_description": "The consent\nhas ended."}
    with pytest.raises(TokenRefused, match=r"invalid_grant The consent has ended\."):
        await tokens.token()
    provider.status, provider.answer = 503, b"<html>busy"
    with pytest.raises(ChannelUnavailable):
        await tokens.token()


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"[" * 100_000, b'{"access_token": 7}', {"access_token": "a\r\nb"}, {"access_token": ""}, b"\xff"],
)
async def test_nonsense_is_no_token(provider: Provider, answer: Any) -> None:
    provider.answer = answer
    with pytest.raises(TokenRefused):
        await source(provider, FakeClock()).token()


async def test_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.status = 302
    with pytest.raises(TokenRefused):
        await source(provider, FakeClock()).token()


async def test_a_provider_that_is_away_is_told() -> None:
    grant = Grant(url="http://127.0.0.1:1/", client_id="id", client_secret=Secret("s"))
    with pytest.raises(ChannelUnavailable):
        await TokenSource(grant, FakeClock()).token()
