"""The IMAP side against a real Dovecot: everything once, whatever happens to the line."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from channels.mail import imap_folder
from channels.mail.account import Account
from channels.mail.imap import Mailbox, Pace
from hub.clock import SystemClock
from hub.contract import RawArrival
from hub.settings import Secret
from tests.mailserver import PASSWORD, Dovecot
from tests.payloads.mail.builders import mail

QUICK = Pace(first_s=0.05, longest_s=0.2, refused_s=0.05)
_NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.stop()


@pytest.fixture
def user() -> str:
    """A mailbox of this test's own."""
    return f"user{next(_NAMES)}@example.com"


class FakeInbox:
    """Keeps in memory what a hub keeps in its database: once by name, with the marks."""

    def __init__(self) -> None:
        self.arrivals: dict[str, RawArrival] = {}
        self.marks: dict[str, str] = {}
        self.batches: list[int] = []
        self.largest = 0
        self.refusals: list[Exception] = []
        self.changed = asyncio.Event()

    async def keep(self, channel: str, arrivals: Sequence[RawArrival], marks: Mapping[str, str]) -> int:
        if self.refusals and arrivals:
            raise self.refusals.pop()
        fresh = [one for one in arrivals if one.provider_id not in self.arrivals]
        self.arrivals |= {one.provider_id: one for one in fresh}
        self.marks |= marks
        self.batches.append(len(arrivals))
        self.largest = max(self.largest, sum(len(one.raw) for one in arrivals))
        self.changed.set()
        return len(fresh)

    async def mark(self, channel: str, name: str) -> str:
        return self.marks.get(name, "")

    async def refuse(self, channel: str, arrival: RawArrival | None) -> None:
        raise AssertionError("a mailbox has nothing to refuse")

    def subjects(self) -> list[str]:
        """Return the subjects of what is kept, in the order kept."""
        return [
            line.split(b": ", 1)[1].decode()
            for one in self.arrivals.values()
            for line in one.raw.splitlines()
            if line.startswith(b"Subject: ")
        ]

    async def until(self, wanted: Callable[[], bool], within_s: float = 90) -> None:
        """Return when it is so."""
        async with asyncio.timeout(within_s):
            while not wanted():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.05)


class Tokens:
    """Gives these tokens in turn; the last one for ever."""

    def __init__(self, *given: str) -> None:
        self.given = list(given)
        self.refused: list[str] = []

    async def token(self, *, refused: str = "") -> str:
        if refused:
            self.refused.append(refused)
            self.given = self.given[1:] or self.given
        return self.given[0]


def subjects(count: int, start: int = 1) -> list[str]:
    return [f"mail {number}" for number in range(start, start + count)]


def letters(count: int, start: int = 1) -> list[bytes]:
    return [
        mail("Hello.\n", Subject=subject, Message_ID=f"<{subject.replace(' ', '.')}@example.org>")
        for subject in subjects(count, start)
    ]


@contextlib.asynccontextmanager
async def reading(
    server: Dovecot, user: str, inbox: FakeInbox, *, tokens: Any = None, **more: Any
) -> AsyncIterator[Mailbox]:
    """A mailbox that is read meanwhile."""
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "plain",
        "user": user,
        "password": None if tokens else Secret(PASSWORD),
        "first_reading": "all",
        "poll_s": 30.0,
    }
    mailbox = Mailbox("post", Account(**(usual | more)), tokens=tokens, clock=SystemClock(), pace=QUICK)
    mailbox.start(inbox)
    try:
        yield mailbox
    finally:
        began = asyncio.get_running_loop().time()
        await mailbox.stop()
        assert asyncio.get_running_loop().time() - began < 2
        assert not [one for one in threading.enumerate() if one.name == "imap-post"]


async def test_what_waits_is_taken_and_what_comes_is_told(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(3))
    async with reading(dovecot, user, inbox) as mailbox:
        await inbox.until(lambda: len(inbox.arrivals) == 3)
        await inbox.until(lambda: mailbox.status.is_up)
        # IDLE: well before the next poll.
        await asyncio.to_thread(dovecot.put, user, letters(2, 4))
        await inbox.until(lambda: '"done":5' in inbox.marks["INBOX"])
    assert inbox.subjects() == subjects(5)
    assert all(one.received_at for one in inbox.arrivals.values())
    with dovecot.client(user) as client:
        client.select_folder("INBOX", readonly=True)
        assert len(client.search("SEEN")) == 5


async def test_a_server_without_idle_is_asked(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    async with reading(dovecot, user, inbox, idle=False, poll_s=0.1) as mailbox:
        await inbox.until(lambda: mailbox.status.is_up)
        await asyncio.to_thread(dovecot.put, user, letters(2))
        await inbox.until(lambda: len(inbox.arrivals) == 2)


async def test_the_next_hub_goes_on_at_the_mark(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(5))
    async with reading(dovecot, user, inbox):
        await inbox.until(lambda: len(inbox.arrivals) == 5)
    with dovecot.client(user) as client:
        client.select_folder("INBOX")
        client.delete_messages([1, 2])
        client.expunge()
    dovecot.put(user, letters(2, 6))
    inbox.batches.clear()
    async with reading(dovecot, user, inbox):
        await inbox.until(lambda: len(inbox.arrivals) == 7)
    assert inbox.subjects() == subjects(7)
    assert max(inbox.batches) == 2


async def test_a_changed_uidvalidity_reads_all_again_under_new_names(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(3), "Work")
    async with reading(dovecot, user, inbox, folders=["Work"]):
        await inbox.until(lambda: len(inbox.arrivals) == 3)
    with dovecot.client(user) as client:
        client.delete_folder("Work")
    dovecot.put(user, letters(4), "Work")
    async with reading(dovecot, user, inbox, folders=["Work"]):
        await inbox.until(lambda: len(inbox.arrivals) == 7)
    assert inbox.subjects() == [*subjects(3), *subjects(4)]


async def test_a_folder_recreated_while_it_is_watched_is_noticed(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(1), "Work")
    async with reading(dovecot, user, inbox, folders=["Work"], poll_s=0.2):
        await inbox.until(lambda: len(inbox.arrivals) == 1)
        with dovecot.client(user) as client:
            client.delete_folder("Work")
        await asyncio.to_thread(dovecot.put, user, letters(1, 2), "Work")
        await inbox.until(lambda: "mail 2" in inbox.subjects())


@pytest.mark.parametrize("policy", ["unseen", "new"])
async def test_what_was_there_before_us_is_left_alone(dovecot: Dovecot, user: str, policy: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(2), flags=[b"\\Seen"])
    dovecot.put(user, letters(1, 3))
    wanted = ["mail 3"] if policy == "unseen" else []
    async with reading(dovecot, user, inbox, first_reading=policy) as mailbox:
        await inbox.until(lambda: mailbox.status.is_up)
        assert inbox.subjects() == wanted
        with dovecot.client(user) as client:
            client.select_folder("INBOX")
            client.remove_flags([1], [b"\\Seen"])
        await asyncio.to_thread(dovecot.put, user, letters(1, 4))
        await inbox.until(lambda: "mail 4" in inbox.subjects())
    assert inbox.subjects() == [*wanted, "mail 4"]


async def test_keep_touches_nothing(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(2))
    async with reading(dovecot, user, inbox, after_reading="keep"):
        await inbox.until(lambda: len(inbox.arrivals) == 2)
    with dovecot.client(user) as client:
        client.select_folder("INBOX", readonly=True)
        assert len(client.search("UNSEEN")) == 2


async def test_what_was_read_is_moved_also_what_the_last_hub_left(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(3))
    async with reading(dovecot, user, inbox, after_reading="keep"):
        await inbox.until(lambda: len(inbox.arrivals) == 3)
    # As if it had been killed between keeping and moving.
    inbox.marks["INBOX"] = inbox.marks["INBOX"].replace('"done":3', '"done":1')
    dovecot.put(user, letters(2, 4))
    async with reading(dovecot, user, inbox, after_reading="move", done_folder="Erledigt.Über 客户"):
        await inbox.until(lambda: len(inbox.arrivals) == 5)
        await inbox.until(lambda: '"done":5' in inbox.marks["INBOX"])
    with dovecot.client(user) as client:
        assert client.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 1
        assert client.folder_status("Erledigt.Über 客户", ["MESSAGES"])[b"MESSAGES"] == 4
    assert inbox.subjects() == subjects(5)


async def test_a_folder_that_takes_nothing_holds_nothing_up(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(3))
    async with reading(dovecot, user, inbox, after_reading="move", done_folder="No/such//name") as mailbox:
        await inbox.until(lambda: len(inbox.arrivals) == 3)
        await inbox.until(lambda: "stays as it is" in mailbox.status.reason)
        assert mailbox.status.is_up


async def test_several_folders_with_names_from_everywhere(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    names = ["INBOX", "客户服务", 'Say "hi" & bye', "Müll*%"]
    for number, name in enumerate(names, 1):
        dovecot.put(user, letters(1, number), name)
    async with reading(dovecot, user, inbox, folders=[*names, "Not there"], poll_s=0.3) as mailbox:
        await inbox.until(lambda: len(inbox.arrivals) == 4)
        await inbox.until(lambda: mailbox.status.is_up)
        assert "Not there" in mailbox.status.reason
        await asyncio.to_thread(dovecot.put, user, letters(1, 5), names[3])
        await inbox.until(lambda: len(inbox.arrivals) == 5)
    assert sorted(inbox.subjects()) == subjects(5)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_is_verified(dovecot: Dovecot, user: str, security: str) -> None:
    inbox = FakeInbox()
    port = dovecot.tls_port if security == "tls" else dovecot.port
    dovecot.put(user, letters(1))
    async with reading(dovecot, user, inbox, port=port, security=security, ca_file=str(dovecot.ca_file)):
        await inbox.until(lambda: len(inbox.arrivals) == 1)
        await asyncio.to_thread(dovecot.put, user, letters(1, 2))
        await inbox.until(lambda: len(inbox.arrivals) == 2)
    async with reading(dovecot, user, FakeInbox(), port=port, security=security) as mailbox:
        await inbox.until(lambda: "certificate" in mailbox.status.reason)


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_oauth_and_a_token_that_ran_out(dovecot: Dovecot, user: str, mechanism: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(1))
    tokens = Tokens(dovecot.token(user, life_s=-60), dovecot.token(user))
    async with reading(dovecot, user, inbox, tokens=tokens, mechanism=mechanism):
        await inbox.until(lambda: len(inbox.arrivals) == 1)
    assert len(tokens.refused) == 1


async def test_a_refused_sign_in_is_told_and_tried_again(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    async with reading(dovecot, user, inbox, password=Secret("wrong")) as mailbox:
        await inbox.until(lambda: "refused" in mailbox.status.reason)
        assert not mailbox.status.is_up
        assert "wrong" not in mailbox.status.reason


async def test_a_mail_over_the_limit_is_shown_and_not_fetched(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    big = mail(b"x" * 300_000, Subject="too big")
    dovecot.put(user, [*letters(1), big, *letters(1, 2)])
    async with reading(dovecot, user, inbox, max_bytes=100_000):
        await inbox.until(lambda: len(inbox.arrivals) == 3)
    found = sorted(inbox.arrivals.values(), key=lambda one: one.provider_id)
    assert [bool(one.problem) for one in found] == [False, True, False]
    assert found[1].size is not None
    assert found[1].size > 300_000
    assert len(found[1].raw) == imap_folder.BEGINNING


async def test_a_database_out_of_reach_loses_nothing(dovecot: Dovecot, user: str) -> None:
    from hub.domain.errors import Unavailable

    inbox = FakeInbox()
    inbox.refusals = [Unavailable("The disk is full."), Unavailable("The disk is full.")]
    dovecot.put(user, letters(3))
    async with reading(dovecot, user, inbox):
        await inbox.until(lambda: len(inbox.arrivals) == 3)
    assert inbox.subjects() == subjects(3)


async def test_a_server_killed_and_restarted_mid_fetch(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_folder, "CHUNK_MAILS", 20)
    server = Dovecot()
    try:
        inbox = FakeInbox()
        server.put(user, letters(600))
        async with reading(server, user, inbox) as mailbox:
            for wanted in (40, 180, 320):
                await inbox.until(lambda wanted=wanted: len(inbox.arrivals) >= wanted)  # type: ignore[misc]
                await asyncio.to_thread(server.kill)
                await inbox.until(lambda: not mailbox.status.is_up)
                await asyncio.to_thread(server.start)
            await inbox.until(lambda: len(inbox.arrivals) == 600)
            # Killed in IDLE.
            await inbox.until(lambda: mailbox.status.is_up)
            await asyncio.to_thread(server.kill)
            await inbox.until(lambda: not mailbox.status.is_up)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(server.put, user, letters(1, 601))
            await inbox.until(lambda: len(inbox.arrivals) == 601)
        assert inbox.subjects() == subjects(601)
    finally:
        server.stop()


async def test_two_lines_see_the_same_mail_and_keep_it_once(dovecot: Dovecot, user: str) -> None:
    inbox = FakeInbox()
    dovecot.put(user, letters(200))
    usual = {"host": "127.0.0.1", "port": dovecot.port, "security": "plain", "first_reading": "all"}
    account = Account(user=user, password=Secret(PASSWORD), **usual)  # type: ignore[arg-type]
    both = [Mailbox(f"line{n}", account, clock=SystemClock(), pace=QUICK) for n in range(2)]
    for one in both:
        one.start(inbox)
    await inbox.until(lambda: all(one.status.is_up for one in both))
    for one in both:
        await one.stop()
    assert inbox.subjects() == subjects(200)


async def test_pieces_are_bounded_by_their_size(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_folder, "CHUNK_BYTES", 50_000)
    monkeypatch.setattr(imap_folder, "WINDOW", 7)
    inbox = FakeInbox()
    dovecot.put(user, [mail(b"x" * 9_000, Subject=subject) for subject in subjects(40)])
    async with reading(dovecot, user, inbox):
        await inbox.until(lambda: len(inbox.arrivals) == 40)
    assert inbox.largest <= 50_000
    assert inbox.subjects() == subjects(40)
