"""Automatic acknowledgements: in the customer's language and hours, never to machines, never in a loop."""

# ruff: noqa: RUF001

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.mail.parsed import parse
from hub.contract import RawArrival
from hub.domain.correspondence import Authenticity, Envelope, OutgoingState, Party
from hub.domain.interaction import Interaction
from hub.services.letters.acknowledging import may_be_answered
from hub.settings import Hours, Letters, QueueSettings
from hub.storage.tables import ENVELOPES, INTERACTIONS, OUTGOING
from tests.builders import Desk, open_desk
from tests.peers import Peer, Wire, peer_block

LI = "li@customer.test"


def mail(
    text: str = "My lamp is broken.", *, subject: str = "Lamp", sender: str = LI, more: str = "", number: int = 1
) -> bytes:
    return (
        f"From: Li Wei <{sender}>\r\nTo: help@one.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@customer.test>\r\n"
        f"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n{more}\r\n{text}\r\n"
    ).encode()


async def peer(folder: Path, url: str, address: str, changes: dict[str, Any] | None = None, **block: Any) -> Desk:
    return await open_desk(folder, url, {"channels": {"help": peer_block(address, **block)}, **(changes or {})})


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    Peer.wire = Wire()
    opened = await peer(tmp_path, database_url, "help@one.test")
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


async def arrives(desk: Desk, raw: bytes, address: str = "help@one.test") -> None:
    await Peer.wire.carry(address, raw)
    Peer.wire.carried.pop()
    await desk.hub.services.arrivals.caught_up()
    await desk.settle()
    await desk.wait(2)


def answers() -> list[Any]:
    return [parse(raw) for recipient, raw in Peer.wire.carried if recipient == LI]


async def interactions(desk: Desk) -> list[Interaction]:
    return list(await desk._rows(INTERACTIONS, "ORDER BY created_at, id"))


async def test_what_opens_an_interaction_is_acknowledged_at_once(desk: Desk) -> None:
    await arrives(desk, mail())
    (answer,) = answers()
    assert (answer.subject, answer.in_reply_to) == ("Re: Lamp", "<1@customer.test>")
    assert (answer.machine.is_auto_reply, answer.headers.raw("auto-submitted")) == (True, "auto-replied")
    assert 'We have your message "Lamp"' in answer.body_text
    assert "within 5 minutes" in answer.body_text
    (interaction,) = await interactions(desk)
    assert [(m.author, m.code) for m in await desk.messages(interaction)] == [
        ("customer", ""),
        ("system", "acknowledged"),
    ]
    (outgoing,) = await desk._rows(OUTGOING, "")
    assert (outgoing.state, outgoing.is_automatic) == (OutgoingState.SENT, True)
    (_, envelope) = await desk._rows(ENVELOPES, "ORDER BY n")
    assert envelope.is_automatic
    assert interaction.waits_since is not None


async def test_what_it_repeats_carries_no_links_to_whoever_a_stranger_names(desk: Desk) -> None:
    subject = "Win at https://evil.test/?a=1 or www.evil.test or evil.test/now, order 1.5/2"
    await arrives(desk, mail(subject=subject).replace(b"Li Wei", b"Go to evil.test"))
    (answer,) = answers()
    assert answer.subject == "Re: Win at ... or ... or ... order 1.5/2"
    assert "evil" not in answer.body_text
    assert "Hello,\n" in answer.body_text


async def test_the_answer_to_it_comes_back_into_the_interaction(desk: Desk) -> None:
    await arrives(desk, mail())
    (answer,) = answers()
    reply = mail("More words", subject="Re: Lamp", number=2, more=f"In-Reply-To: {answer.message_id}\r\n")
    await arrives(desk, reply)
    (interaction,) = await interactions(desk)
    assert [message.text for message in await desk.messages(interaction) if message.author == "customer"] == [
        "My lamp is broken.", "More words",
    ]  # fmt: skip
    assert len(answers()) == 1


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "List-Id: <news.test>\r\n", "Return-Path: <>\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ],
)  # fmt: skip
async def test_machines_are_not_answered(desk: Desk, more: str) -> None:
    await arrives(desk, mail(more=more))
    assert (answers(), len(await interactions(desk))) == ([], 1)


@pytest.mark.parametrize("sender", ["help@one.test", "noreply@customer.test", "mailer-daemon@customer.test"])
async def test_ourselves_and_those_who_do_not_listen_are_not_answered(desk: Desk, sender: str) -> None:
    await arrives(desk, mail(sender=sender))
    assert Peer.wire.carried == []


async def test_one_address_is_acknowledged_once_a_day(desk: Desk) -> None:
    for number in range(1, 4):
        await arrives(desk, mail(f"Letter {number}", subject=f"Subject {number}", number=number))
    assert (len(answers()), len(await interactions(desk))) == (1, 3)


async def test_one_exchange_is_acknowledged_so_often_however_long_it_goes_on(database_url: str, tmp_path: Path) -> None:
    Peer.wire = Wire()
    limits = Letters(acknowledgements_per_day=20, acknowledgements_per_thread=2)
    desk = await peer(tmp_path, database_url, "help@one.test", {"letters": limits})
    await desk.available("ann")
    handling, scope = desk.hub.services.handling, await desk.scope("ann")
    try:
        for number in range(1, 5):
            more = f"References: {' '.join(f'<{one}@customer.test>' for one in range(1, number))}\r\n"
            await arrives(desk, mail(f"Letter {number}", number=number, more=more if number > 1 else ""))
            interaction = await desk.accept("ann")
            await handling.wrap_up(interaction.id, scope)
            await handling.complete(interaction.id, scope, "solved")
            await desk.settle()
        assert len({one.root for one in await interactions(desk)}) == 1
        assert (len(await interactions(desk)), len(answers())) == (4, 2)
        await arrives(desk, mail("Another matter", number=9, subject="Tent"))
        assert len(answers()) == 3
    finally:
        desk.clock.settle = None
        await desk.hub.stop()


async def test_old_mail_of_a_mailbox_read_for_the_first_time_is_not_acknowledged(desk: Desk) -> None:
    old = RawArrival(provider_id="p1", raw=mail(), received_at=desk.clock.now() - 7 * 3_600_000)
    await desk.hub.services.arrivals.keep("help", [old], {})
    await desk.hub.services.arrivals.caught_up()
    await desk.wait(2)
    assert (Peer.wire.carried, len(await interactions(desk))) == ([], 1)


async def test_who_is_not_who_they_say_gets_nothing(desk: Desk) -> None:
    channels = {channel.id: channel for channel in desk.hub.channels}
    for authenticity, is_answered in ((Authenticity.DISPROVED, False), (Authenticity.UNKNOWN, True)):
        envelope = Envelope(interaction="i1", n=1, channel="help", sender=Party(LI), authenticity=authenticity)
        assert may_be_answered(envelope, channels) is is_answered


@pytest.mark.parametrize(
    ("week", "words"),
    [
        ({"friday": ("09:00-18:00",)}, "现在是非工作时间，我们将于 2026-01-02 09:00 CST 恢复服务"),
        ({"thursday": ("08:00-18:00",)}, "通常会在4 小时内回复您"),
    ],
)
async def test_hours_and_languages_have_their_own_words(
    database_url: str, tmp_path: Path, week: dict[str, tuple[str, ...]], words: str
) -> None:
    Peer.wire = Wire()
    changes = {
        "hours": {"office": Hours(id="office", zone="Asia/Shanghai", week=week)},
        "queues": {"support": QueueSettings(id="support", hours="office", language="zh", target_s=14_400)},
    }
    desk = await peer(tmp_path, database_url, "help@one.test", changes)
    await arrives(desk, mail())
    assert words in answers()[0].body_text
    desk.clock.settle = None
    await desk.hub.stop()


@pytest.mark.parametrize("is_stripped", [False, True])
async def test_two_hubs_that_acknowledge_each_other_soon_fall_silent(
    desk: Desk, migrated_file: Path, tmp_path: Path, is_stripped: bool
) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    shutil.copy(migrated_file, folder / "hub.db")
    other = await peer(folder, f"sqlite:///{folder}/hub.db", "help@two.test")

    def stripped(raw: bytes) -> bytes:
        raw = re.sub(rb"(?im)^(auto-submitted|x-auto-response-suppress):.*\r\n", b"", raw)
        return re.sub(rb"(?im)^(message-id|in-reply-to|references):.*\r\n(?:[ \t].*\r\n)*", b"", raw)

    if is_stripped:
        Peer.wire.relay = stripped
    await Peer.wire.carry("help@one.test", mail(sender="help@two.test"))
    for _ in range(10):
        for one in (desk, other):
            await one.hub.services.arrivals.caught_up()
            await one.wait(20)

    automatic = [raw for _, raw in Peer.wire.carried[1:]]
    assert 1 <= len(automatic) <= 2
    other.clock.settle = None
    await other.hub.stop()


async def test_a_transcript_is_sent_to_who_wants_it(desk: Desk) -> None:
    await arrives(desk, mail())
    (interaction,) = await interactions(desk)
    view = await desk.hub.services.letters.transcript(
        interaction.id, await desk.scope("sue"), Party("boss@customer.test")
    )
    await desk.wait(11)
    recipient, raw = Peer.wire.carried[-1]
    read = parse(raw)
    assert (recipient, read.headers.raw("auto-submitted")) == ("boss@customer.test", "auto-generated")
    assert "Li Wei: My lamp is broken." in read.body_text
    assert view.outgoing is not None
    assert view.outgoing.mode == "transcript"


async def test_a_transcript_asked_for_twice_is_sent_once_until_more_is_said(desk: Desk) -> None:
    await arrives(desk, mail())
    (interaction,) = await interactions(desk)
    letters, scope = desk.hub.services.letters, await desk.scope("sue")

    async def asked(address: str) -> int:
        view = await letters.transcript(interaction.id, scope, Party(address))
        assert view.outgoing is not None
        return view.outgoing.n

    first, again = await asyncio.gather(asked("boss@customer.test"), asked("boss@customer.test"))
    assert first == again
    other = await asked("desk@customer.test")
    assert other != first
    assert await asked("boss@customer.test") == first
    await desk.wait(11)
    assert await asked("boss@customer.test") == first
    transcripts = [to for to, raw in Peer.wire.carried if parse(raw).headers.raw("auto-submitted") == "auto-generated"]
    assert sorted(transcripts) == ["boss@customer.test", "desk@customer.test"]

    await arrives(desk, mail(number=2, more="In-Reply-To: <1@customer.test>\r\n"))
    (same,) = await interactions(desk)
    assert same.id == interaction.id
    assert await asked("boss@customer.test") > other
    await letters.take_back(interaction.id, await asked("boss@customer.test"), scope)
    assert await asked("boss@customer.test") > other + 2
