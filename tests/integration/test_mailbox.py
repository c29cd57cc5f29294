"""A whole hub with a real mailbox: from the mail server to the agent; on both databases."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.contract import HasLine
from hub.domain.correspondence import ArrivalState, Authenticity
from hub.domain.interaction import State
from hub.settings import ChannelSettings, Secret
from hub.storage.tables import ENVELOPES, INTERACTIONS
from tests.arriving import fetched
from tests.builders import Desk, open_desk
from tests.mailserver import PASSWORD, Dovecot
from tests.payloads.mail.builders import mail

_NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.stop()


@pytest.fixture
def user() -> str:
    return f"box{next(_NAMES)}@example.com"


def block(server: Dovecot, user: str, **more: Any) -> dict[str, Any]:
    usual = {
        "address": user,
        "queue": "support",
        "imap_host": "127.0.0.1",
        "imap_port": server.port,
        "imap_security": "plain",
        "imap_password": Secret(PASSWORD),
        "first_reading": "all",
        "poll_s": 1.0,
    }
    return usual | more


@contextlib.asynccontextmanager
async def open_for(folder: Path, url: str, **blocks: dict[str, Any]) -> AsyncIterator[Desk]:
    """A hub with these mailboxes."""
    channels = {name: ChannelSettings(id=name, kind="mail", options=options) for name, options in blocks.items()}
    desk = await open_desk(folder, url, {"channels": channels})
    try:
        yield desk
    finally:
        desk.clock.settle = None
        began = asyncio.get_running_loop().time()
        for channel in desk.hub.channels:
            await channel.close("test")
        assert asyncio.get_running_loop().time() - began < 2
        await desk.hub.stop()


async def test_a_mail_is_offered_and_its_answer_joins_it(
    database_url: str, tmp_path: Path, dovecot: Dovecot, user: str
) -> None:
    first = mail("My lamp is broken.\n", To=user, Message_ID="<first@example.org>")
    dovecot.put(user, [first])
    async with open_for(tmp_path, database_url, post=block(dovecot, user)) as desk:
        await desk.available("ann")
        (arrival,) = await fetched(desk, 1)
        (offer,) = await desk.live_offers(agent="ann")
        assert offer.interaction == arrival.interaction
        interaction = await desk.accept("ann")
        assert (interaction.kind, interaction.address, interaction.subject) == ("email", "ann@example.org", "Lamp")
        reply = mail(
            "It is the blue one.\n", Subject="Re: Lamp", In_Reply_To="<first@example.org>", Message_ID="<2@example.org>"
        )
        stranger = mail(
            "Me too.\n", From="m@evil.example", In_Reply_To="<first@example.org>", Message_ID="<3@evil.example>"
        )
        await asyncio.to_thread(dovecot.put, user, [reply, stranger])
        found = await fetched(desk, 3)
        assert found[1].interaction == interaction.id
        said = [one.text for one in await desk.messages(interaction) if one.author == "customer"]
        assert said == ["My lamp is broken.", "It is the blue one."]
        other = found[2].interaction
        assert other != interaction.id
        (envelope,) = await desk._rows(ENVELOPES, "WHERE interaction = $1", other)
        assert (envelope.linked, envelope.evidence) == (interaction.id, "in_reply_to: the sender is no participant")
        (line,) = [channel for channel in desk.hub.channels if isinstance(channel, HasLine)]
        assert line.status.is_up


async def test_once_in_two_mailboxes_folders_and_validities(
    database_url: str, tmp_path: Path, dovecot: Dovecot, user: str
) -> None:
    same = mail("Hello both.\n", Message_ID="<both@example.org>")
    nameless = mail("No id.\n", {"Message-ID": ""})
    twin = mail("Another.\n", Message_ID="<both@example.org>")
    other = f"sales-{user}"
    dovecot.put(user, [same, nameless, twin], "Work")
    dovecot.put(user, [same])
    dovecot.put(other, [same, nameless])
    boxes = {
        "post": block(dovecot, user, folders=["INBOX", "Work"]),
        "sales": block(dovecot, other, queue="billing"),
    }
    async with open_for(tmp_path, database_url, **boxes) as desk:
        await fetched(desk, 6)
    with dovecot.client(user) as client:
        client.delete_folder("Work")
    dovecot.put(user, [same, nameless, twin, mail("New.\n", Message_ID="<new@example.org>")], "Work")
    async with open_for(tmp_path, database_url, **boxes) as desk:
        found = await fetched(desk, 10)
        texts = [(await desk.messages(one))[0].text for one in await desk._rows(INTERACTIONS, "ORDER BY id")]
    assert sorted(texts) == ["Another.", "Hello both.", "New.", "No id."]
    assert [one.state for one in found].count(ArrivalState.TAKEN) == 4


async def test_rules_by_address_machines_and_doubtful_senders(
    database_url: str, tmp_path: Path, dovecot: Dovecot, user: str
) -> None:
    proved = "mx.example.com; dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=example.org"
    failed = "mx.example.com; dmarc=fail header.from=example.org"
    dovecot.put(
        user,
        [
            mail("One.\n", To="billing+x@example.com", Message_ID="<1@x.example>", Authentication_Results=proved),
            mail("Two.\n", Message_ID="<2@x.example>", Auto_Submitted="auto-generated"),
            mail("Three.\n", Message_ID="<3@x.example>", Authentication_Results=failed),
        ],
    )
    options = block(
        dovecot,
        user,
        queues={"billing@example.com": "billing"},
        automatic_queue="billing",
        trusted_servers=["mx.example.com"],
    )
    async with open_for(tmp_path, database_url, post=options) as desk:
        found = await fetched(desk, 3)
        opened = [await desk.interaction(one.interaction or "") for one in found]
        envelopes = [(await desk._rows(ENVELOPES, "WHERE interaction = $1", one.id))[0] for one in opened]
    assert [one.queue for one in opened] == ["billing", "billing", "support"]
    assert [one.authenticity for one in envelopes] == [
        Authenticity.PROVED,
        Authenticity.UNKNOWN,
        Authenticity.DISPROVED,
    ]
    assert envelopes[1].is_automatic
    assert opened[0].customer == opened[1].customer != opened[2].customer


async def test_a_mailbox_out_of_reach_stops_nobody(database_url: str, tmp_path: Path, dovecot: Dovecot) -> None:
    wrong = block(dovecot, "x@example.com", imap_password=Secret("wrong"))
    nowhere = block(dovecot, "y@example.com", imap_port=1)
    async with open_for(tmp_path, database_url, wrong=wrong, nowhere=nowhere) as desk:
        async with asyncio.timeout(20):
            lines = desk.hub.services.arrivals.lines
            while any(line.reason in {"", "Not opened yet."} for line in lines().values()):  # noqa: ASYNC110 - a thread
                await asyncio.sleep(0.05)
        assert {name: line.is_up for name, line in lines().items()} == {"wrong": False, "nowhere": False}
        assert desk.hub.is_started
        await desk.wait(2)
        page = desk.hub.metrics.render()[0].decode()
        assert 'hub_channel_up{channel="wrong"} 0.0' in page


async def test_many_recipients_and_monsters_are_letters_like_others(
    database_url: str, tmp_path: Path, dovecot: Dovecot, user: str
) -> None:
    crowd = ",\r\n ".join(f"p{number}@example.net" for number in range(5_000))
    monsters = [
        mail("To all.\n", {"To": crowd, "Cc": crowd}, Message_ID="<crowd@example.org>"),
        b"\x00\xff" * 5_000,
        b"From: \xff\xfe <\x00@>\r\nSubject: =?utf-8?q?=ED=A0=80=00?=\r\n\r\n\x00hello\x00",
        mail("x" * 300_000),
        mail("Good.\n", Message_ID="<good@example.org>"),
    ]
    dovecot.put(user, monsters)
    async with open_for(tmp_path, database_url, post=block(dovecot, user)) as desk:
        found = await fetched(desk, 5)
        assert {one.state for one in found} == {ArrivalState.TAKEN}
        opened = [await desk.interaction(one.interaction or "") for one in found]
        assert {one.state for one in opened} == {State.QUEUED}
        (envelope,) = await desk._rows(ENVELOPES, "WHERE interaction = $1", opened[0].id)
        assert len(envelope.recipients) == 200
        (long,) = await desk.messages(opened[3])
        assert len(long.text) == 100_000
