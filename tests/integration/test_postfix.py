"""Letters through a real mail server: delivered, refused at once, and bounced with a report that finds its letter."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.mail.parsed import parse
from hub.contract import RawArrival
from hub.domain.correspondence import ArrivalState, Outgoing, OutgoingState, Party
from hub.services.letters.writing import NewLetter
from hub.settings import ChannelSettings, Secret
from hub.storage.tables import ENVELOPES, OUTGOING
from tests.arriving import fetched
from tests.builders import Desk, open_desk
from tests.mailserver import PASSWORD, Dovecot
from tests.payloads.mail.builders import mail
from tests.postfix import AWAY, Postfix, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
PATIENCE_S = 30


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    server = Postfix()
    yield server
    server.stop()


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, postfix: Postfix) -> AsyncIterator[Desk]:
    options: dict[str, Any] = {
        "address": "help@example.test", "queue": "support", "name": "Support", "imap_host": "127.0.0.1",
        "imap_port": 9, "imap_security": "plain", "imap_password": Secret("x"), "smtp_port": postfix.port,
        "smtp_security": "plain",
    }  # fmt: skip
    opened = await open_desk(
        tmp_path, database_url, {"channels": {"help": ChannelSettings(id="help", kind="mail", options=options)}}
    )
    await opened.available("ann")
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


async def until(found: Callable[[], Any]) -> Any:
    """Return what a real server comes up with, in its own time."""
    async with asyncio.timeout(PATIENCE_S):
        while not (value := found()):  # noqa: ASYNC110 - another process's work
            await asyncio.sleep(0.05)
    return value


async def sent(desk: Desk, *to: str, **more: Any) -> Outgoing:
    """Write a letter and return its row once it has been settled."""
    letter = NewLetter(
        client_id=more.pop("client_id", "n1"), text="Hello 你好", subject="Grüße", mode="new",
        to=tuple(Party(one, "Li Wei") for one in to), **more,
    )  # fmt: skip
    begun, _ = await desk.hub.services.letters.begin(await desk.scope("ann"), "help", "support", letter)
    await desk.wait(11)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (row,) = await desk._rows(OUTGOING, "WHERE interaction = $1", begun.id)
            if row.state not in {OutgoingState.WAITING, OutgoingState.SENDING} or row.problem:
                return row
            await asyncio.sleep(0.05)


async def test_a_letter_is_delivered_and_reads_as_written(desk: Desk, postfix: Postfix) -> None:
    row = await sent(desk, "li@customer.test", bcc=(Party("boss@customer.test"),))
    assert (row.state, row.refused) == (OutgoingState.SENT, ()), row
    mails = await until(lambda: [one for one in postfix.mails("li@customer.test") if row.provider_id.encode() in one])
    read = parse(mails[0])
    assert (read.subject, read.body_text.split("\n")[0], read.message_id) == ("Grüße", "Hello 你好", row.provider_id)
    copies = await until(
        lambda: [one for one in postfix.mails("boss@customer.test") if row.provider_id.encode() in one]
    )
    head = copies[0].partition(b"\n\n")[0].lower()
    assert b"\nbcc:" not in head
    assert b"boss@" not in head.partition(b"\nfrom:")[2]


async def test_unknown_recipients_are_refused_at_once_in_the_servers_words(desk: Desk) -> None:
    row = await sent(desk, "nobody@customer.test")
    assert (row.state, row.status) == (OutgoingState.FAILED, "550 5.1.1")
    assert "User unknown" in row.problem
    assert [refusal.address for refusal in row.refused] == ["nobody@customer.test"]


async def test_one_of_several_recipients_is_refused(desk: Desk) -> None:
    row = await sent(desk, "li@customer.test", "nobody@customer.test")
    assert (row.state, row.accepted) == (OutgoingState.SENT, ("li@customer.test",))
    assert [refusal.address for refusal in row.refused] == ["nobody@customer.test"]


async def test_a_real_bounce_finds_its_letter(desk: Desk, postfix: Postfix) -> None:
    row = await sent(desk, AWAY)
    assert row.state is OutgoingState.SENT
    reports = await until(
        lambda: [one for one in postfix.mails("help@example.test") if row.provider_id.encode() in one]
    )
    report = parse(reports[0])
    assert report.bounce is not None
    assert (report.bounce.status, report.bounce.message_id) == ("5.1.1", row.provider_id)
    assert (report.machine.is_auto_reply, report.machine.must_not_answer) == (True, True)

    await desk.hub.services.arrivals.keep("help", [RawArrival(provider_id="INBOX;1;1", raw=reports[0])], {})
    await desk.hub.services.arrivals.caught_up()
    await desk.settle()

    (envelope,) = await desk._rows(ENVELOPES, "WHERE interaction = $1 AND n = $2", row.interaction, row.n)
    assert envelope.status == "5.1.1"
    assert envelope.problem


@pytest.fixture
async def post(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Desk, Postfix]]:
    """A hub between two real servers: Postfix takes mail from everybody and puts it where Dovecot shows it."""
    dovecot = Dovecot()
    postfix = Postfix(dovecot.folder / "mail")
    options: dict[str, Any] = {
        "address": "help@example.test", "queue": "support", "imap_host": "127.0.0.1", "imap_port": dovecot.port,
        "imap_security": "plain", "imap_password": Secret(PASSWORD), "poll_s": 1.0, "smtp_port": postfix.port,
        "smtp_security": "plain", "smtp_password": Secret("")
    }  # fmt: skip
    try:
        opened = await open_desk(
            tmp_path, database_url, {"channels": {"help": ChannelSettings(id="help", kind="mail", options=options)}}
        )
        try:
            yield opened, postfix
        finally:
            opened.clock.settle = None
            for channel in opened.hub.channels:
                await channel.close("test")
            await opened.hub.stop()
    finally:
        postfix.stop()
        dovecot.stop()


async def test_letters_and_bounces_go_all_the_way_round(post: tuple[Desk, Postfix]) -> None:
    desk, postfix = post
    await desk.available("ann")
    asked = mail("My lamp is broken.\n", From="Li <li@customer.test>", To="help@example.test")
    await asyncio.to_thread(postfix.hand_in, "li@customer.test", "help@example.test", asked)
    await fetched(desk, 1)
    interaction = await desk.accept("ann")

    letters, scope = desk.hub.services.letters, await desk.scope("ann")
    await letters.reply(interaction.id, scope, NewLetter(client_id="a1", text="Which lamp?", then="park"))
    await desk.wait(11)
    (answer,) = [parse(raw) for raw in await until(lambda: postfix.mails("li@customer.test"))]
    assert (answer.in_reply_to, answer.references) == ("<1@example.org>", ("<1@example.org>",))

    # A program that keeps no reference: the signed address alone leads back.
    address = answer.reply_to[0].email
    again = mail("The blue one.\n", From="li@customer.test", To=address, Subject="Blue", Message_ID="<2@example.org>")
    await asyncio.to_thread(postfix.hand_in, "li@customer.test", address, again)
    arrival = (await fetched(desk, 2))[-1]
    assert (arrival.interaction, (await desk.interaction(interaction.id)).is_open) == (interaction.id, True)
    (envelope,) = await desk._rows(ENVELOPES, "WHERE arrival = $1", arrival.id)
    assert envelope.evidence == "reply_address by a participant"

    row = await sent(desk, AWAY, client_id="a2")
    assert row.state is OutgoingState.SENT
    report = (await fetched(desk, 3))[-1]
    assert (report.state, report.interaction, report.n) == (ArrivalState.TAKEN, row.interaction, row.n)
    (about,) = await desk._rows(ENVELOPES, "WHERE interaction = $1 AND n = $2", row.interaction, row.n)
    assert (about.status, "no mail leaves" in about.problem) == ("5.1.1", True)
