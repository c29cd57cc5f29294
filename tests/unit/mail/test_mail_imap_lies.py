"""IMAP servers that lie, drip, flood and hang: the good mails get in, memory and time stay bounded."""

import asyncio
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from channels.mail import imap, imap_folder, imap_line
from channels.mail.account import Account
from channels.mail.imap import Mailbox
from hub.clock import SystemClock
from hub.settings import Secret
from tests.integration.test_imap import QUICK, FakeInbox
from tests.unit.mail.lying import GOOD, LyingServer, literal

Lie = Callable[[str, str], bytes | None]


@pytest.fixture
def server() -> Iterator[LyingServer]:
    opened = LyingServer()
    yield opened
    opened.close()


def mailbox_of(server: LyingServer, **more: object) -> Mailbox:
    usual = {"security": "plain", "first_reading": "all", "poll_s": 0.1, "password": Secret("x")} | more
    account = Account(host="127.0.0.1", port=server.port, user="u", **usual)  # type: ignore[arg-type]
    return Mailbox("post", account, clock=SystemClock(), pace=QUICK)


async def taken(server: LyingServer, count: int, **more: object) -> FakeInbox:
    """Read until so many arrivals are kept."""
    inbox = FakeInbox()
    mailbox = mailbox_of(server, **more)
    mailbox.start(inbox)
    try:
        await inbox.until(lambda: len(inbox.arrivals) >= count, 15)
        # And a round more, in which nothing is taken twice.
        mailbox.caught_up.clear()
        await inbox.until(mailbox.caught_up.is_set, 15)
    finally:
        await mailbox.stop()
    return inbox


async def test_an_honest_one_is_understood(server: LyingServer) -> None:
    inbox = await taken(server, 3)
    assert [one.raw for one in inbox.arrivals.values()] == [GOOD] * 3
    assert list(inbox.arrivals) == ["INBOX;7;1", "INBOX;7;2", "INBOX;7;3"]


LIES: dict[str, Lie] = {
    "answers with mails nobody asked for": lambda command, rest: (
        b"".join(b"* 1 FETCH (UID %d BODY[] %s)\r\n" % (uid, literal(GOOD)) for uid in (99, 1, 2, 3, 0))
        + b"TAG OK x\r\n"
        if command == "UID FETCH" and "BODY" in rest
        else None
    ),
    "finds the same many times, backwards, below and above": lambda command, rest: (
        b"* SEARCH 3 3 1 2 2 0 4294967296 1\r\nTAG OK x\r\n" if command == "UID SEARCH" and "*" not in rest else None
    ),
    "says that the next UID is 4294967295": lambda command, _rest: (
        b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4294967295] x\r\nTAG OK x\r\n"
        if command in {"SELECT", "EXAMINE"}
        else None
    ),
    "says that the next UID is 1": lambda command, _rest: (
        b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1] x\r\nTAG OK x\r\n"
        if command in {"SELECT", "EXAMINE"}
        else None
    ),
    "says no size and no date": lambda command, rest: (
        b"* 1 FETCH (UID 1 RFC822.SIZE NIL INTERNALDATE NIL)\r\nTAG OK x\r\n"
        if command == "UID FETCH" and "SIZE" in rest
        else None
    ),
    "fetches in flags between": lambda command, rest: (
        b"* 2 FETCH (FLAGS (\\Seen))\r\n* 9 EXISTS\r\n"
        + b"".join(b"* %d FETCH (BODY[] %s UID %d FLAGS ())\r\n" % (uid, literal(GOOD), uid) for uid in (3, 1, 2))
        + b"TAG OK x\r\n"
        if command == "UID FETCH" and "BODY" in rest
        else None
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_lies_about_numbers_change_nothing(server: LyingServer, lie: Lie) -> None:
    server.lie = lie
    inbox = await taken(server, 3)
    assert sorted(inbox.arrivals) == ["INBOX;7;1", "INBOX;7;2", "INBOX;7;3"]
    assert {one.raw for one in inbox.arrivals.values()} == {GOOD}


def poison(body: bytes) -> Lie:
    """Mail 2 is answered with this, whenever it is asked for."""

    def lie(command: str, rest: str) -> bytes | None:
        if command != "UID FETCH" or "BODY" not in rest:
            return None
        asked = rest.split(" ")[1]
        if not any(int(low) <= 2 <= int(high or low) for low, _, high in (p.partition(":") for p in asked.split(","))):
            return None
        return body

    return lie


@pytest.mark.parametrize(
    "body",
    [
        b"* 2 FETCH (UID 2 BODY[] {9999999999}\r\nx",
        b"* 2 FETCH (UID 2 BODY[] {4000000}\r\n" + b"x" * 4_000_000 + b")\r\nTAG OK x\r\n",
        b"* 2 FETCH (UID 2 BODY[] {-5}\r\n)\r\nTAG OK x\r\n",
        b"* 2 FETCH (UID 2 BODY[] " + b"(" * 50_000 + b"\r\nTAG OK x\r\n",
        b"* 2 FETCH (UID two BODY[] \xff\xfe\r\nTAG OK x\r\n",
        b"\x00\x00\x00\r\n",
        b"* " + b"9" * 1_100_000 + b"\r\n",
        b"HANG UP",
        b"TAG NO I do not want to\r\n",
        b"TAG OK done, and nothing said\r\n",
    ],
    ids=["10 GB", "4 MB for 1 kB", "negative", "deep", "no number", "zeros", "long line", "hangs up", "no", "nothing"],
)
async def test_one_mail_that_breaks_the_line_is_passed_over_and_shown(server: LyingServer, body: bytes) -> None:
    server.lie = poison(body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    inbox = await taken(server, 3)
    found = {name: one.problem for name, one in inbox.arrivals.items()}
    assert sorted(found) == ["INBOX;7;1", "INBOX;7;2", "INBOX;7;3"]
    assert found["INBOX;7;2"] != ""
    assert found["INBOX;7;1"] == found["INBOX;7;3"] == ""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


async def test_a_mail_deleted_while_we_look_is_no_loss(server: LyingServer) -> None:
    def lie(command: str, rest: str) -> bytes | None:
        if command == "UID FETCH" and "BODY" in rest and 2 in server.uids:
            server.uids.remove(2)
        return None

    server.lie = lie
    inbox = await taken(server, 2)
    assert [(name, one.problem) for name, one in inbox.arrivals.items()] == [("INBOX;7;1", ""), ("INBOX;7;3", "")]


@pytest.mark.parametrize(
    "answer",
    [
        b"* OK [UIDVALIDITY 0] x\r\nTAG OK x\r\n",
        b"TAG OK x\r\n",
        b"TAG NO [TRYCREATE] no\r\n",
        b"* OK [UIDVALIDITY -1] x\r\nTAG OK x\r\n",
    ],
)
async def test_a_folder_that_cannot_be_named_is_told(server: LyingServer, answer: bytes) -> None:
    server.lie = lambda command, _rest: answer if command in {"SELECT", "EXAMINE"} else None
    inbox, mailbox = FakeInbox(), mailbox_of(server)
    mailbox.start(inbox)
    await inbox.until(lambda: mailbox.status.reason.find("INBOX") >= 0)
    assert mailbox.status.is_up
    await mailbox.stop()
    assert inbox.arrivals == {}


GREETINGS = {
    "endless line": b"* OK " + b"x" * 1_200_000,
    "nonsense": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "goodbye": b"* BYE too many lines\r\n",
    "half": b"* OK and no end",
    "nothing": b"",
}


@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
async def test_a_greeting_that_is_none_takes_no_longer_than_allowed(
    greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "SIGN_IN_S", 0.3)
    monkeypatch.setattr(imap_line, "SIGN_IN_S", 0.3)
    monkeypatch.setattr(imap, "_LOOK_S", 0.05)
    server = LyingServer(greeting=greeting)
    inbox, mailbox = FakeInbox(), mailbox_of(server)
    try:
        mailbox.start(inbox)
        await inbox.until(lambda: server.lines >= 2)
        assert not mailbox.status.is_up
        assert mailbox.status.reason
    finally:
        began = time.monotonic()
        await mailbox.stop()
        server.close()
        assert time.monotonic() - began < 2


async def test_a_server_that_only_drips_is_cut(server: LyingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time; all of them never do."""
    monkeypatch.setattr(imap_folder, "_COMMAND_S", 0.3)
    monkeypatch.setattr(imap, "_LOOK_S", 0.05)
    server.lie = lambda command, _rest: b"* OK still thinking\r\n" if command in {"SELECT", "EXAMINE"} else None
    inbox, mailbox = FakeInbox(), mailbox_of(server)
    mailbox.start(inbox)
    await inbox.until(lambda: server.lines >= 2)
    await mailbox.stop()


async def test_starttls_is_never_given_up(server: LyingServer) -> None:
    """Whoever sits between could take STARTTLS out of what the server can do."""
    inbox, mailbox = FakeInbox(), mailbox_of(server, security="starttls")
    mailbox.start(inbox)
    await inbox.until(lambda: server.lines >= 2)
    assert not mailbox.status.is_up
    await mailbox.stop()
    assert not [one for one in server.commands if one.upper().startswith(("LOGIN", "AUTHENTICATE"))]


async def test_a_greeting_that_signs_in_by_itself_is_no_way_around_tls() -> None:
    server = LyingServer(greeting=b"* PREAUTH welcome\r\n")
    inbox, mailbox = FakeInbox(), mailbox_of(server, security="starttls")
    mailbox.start(inbox)
    await inbox.until(lambda: server.lines >= 2)
    assert not mailbox.status.is_up
    await mailbox.stop()
    server.close()
    assert inbox.arrivals == {}


async def test_a_line_that_dies_in_idle_is_noticed(server: LyingServer) -> None:
    def lie(command: str, _rest: str) -> bytes | None:
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK x\r\n"
        if command == "IDLE":
            return b"+ idling\r\n* BYE so long\r\n" if server.lines == 1 else b"+ idling\r\n"
        return None

    server.lie = lie
    inbox, mailbox = FakeInbox(), mailbox_of(server, poll_s=30)
    mailbox.start(inbox)
    await inbox.until(lambda: server.lines >= 2)
    await mailbox.stop()


async def test_stopping_waits_for_nobody(server: LyingServer) -> None:
    """In each place where the thread may wait for a silent server."""
    for silent in ("CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"):
        server.lie = lambda command, _rest, silent=silent: b"" if command == silent else None  # type: ignore[misc]
        inbox, mailbox = FakeInbox(), mailbox_of(server)
        seen = len(server.commands)
        mailbox.start(inbox)
        await inbox.until(lambda silent=silent, seen=seen: any(silent in c.upper() for c in server.commands[seen:]))  # type: ignore[misc]
        began = time.monotonic()
        await mailbox.stop()
        assert time.monotonic() - began < 1, silent


async def test_a_dead_address_is_left_at_once() -> None:
    account = Account(host="192.0.2.1", user="u", password=Secret("x"))
    mailbox = Mailbox("post", account, clock=SystemClock(), pace=QUICK)
    mailbox.start(FakeInbox())
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await mailbox.stop()
    assert time.monotonic() - began < 2
    assert imap_line.CONNECT_S > 2
