"""Letters through a real mail server: delivered, refused at once, and bounced with a report that finds its letter."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.mail.parsed import parse
from hub.contract import RawArrival
from hub.domain.correspondence import Outgoing, OutgoingState, Party
from hub.services.letters import NewLetter
from hub.settings import ChannelSettings, Secret
from hub.storage.tables import ENVELOPES, OUTGOING
from tests.builders import Desk, open_desk
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
    mail = parse(mails[0])
    assert (mail.subject, mail.body_text.split("\n")[0], mail.message_id) == ("Grüße", "Hello 你好", row.provider_id)
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
