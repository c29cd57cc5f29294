"""Flows by mail: begun by what may be answered and by nothing else, left to a person, one letter for each of theirs."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from channels.mail.parsed import ParsedMail
from hub.contract import RawArrival
from hub.domain.correspondence import OutgoingState
from hub.domain.errors import MessageRejected
from hub.domain.interaction import ClosingReason, State
from hub.domain.messages import Author
from hub.flows.session import Fetch, LookedUp
from hub.settings.sections import Letters
from hub.storage.tables import FLOW_SESSIONS, OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.builders import Desk
from tests.integration.flow_post import (
    DAY_S,
    LI,
    closed,
    house,
    interactions,
    letters,
    mail,
    only,
    replies,
    session_of,
    settled,
    writes,
)
from tests.peers import Peer, Wire


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await house(tmp_path, database_url)
    try:
        yield opened
    finally:
        await closed(opened)


@pytest.fixture
async def quick(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """The same on SQLite alone, for what no database decides."""
    shutil.copy(migrated_file, tmp_path / "hub.db")
    opened = await house(tmp_path, f"sqlite:///{tmp_path}/hub.db")
    try:
        yield opened
    finally:
        await closed(opened)


async def test_the_first_mail_begins_the_flow_and_gets_one_letter(desk: Desk) -> None:
    await desk.available("ann")
    (letter,) = await writes(desk, mail())
    assert (letter.subject, letter.in_reply_to) == ("Re: Hello there", "<1@customer.test>")
    assert letter.headers.raw("auto-submitted") == "auto-replied"
    assert letter.author.name == "Support"
    assert letter.body_text.index("Welcome") < letter.body_text.index("What is it about?")
    assert re.search(r"^1\. Order status: https://hub\.fernway\.test/answers/\S+$", letter.body_text, re.MULTILINE)
    interaction = await only(desk)
    assert (interaction.state, interaction.waits_since) == (State.SELF_SERVICE, None)
    assert await desk.live_offers() == []
    (said,) = [m for m in await desk.messages(interaction) if m.author is Author.SYSTEM]
    assert "https://" not in said.text, "the links are the customer's, not the staff's"
    (outgoing,) = await desk._rows(OUTGOING, "")
    assert (outgoing.mode, outgoing.state, outgoing.is_automatic) == ("flow", OutgoingState.SENT, True)


async def test_what_is_looked_up_is_one_letter_with_what_comes_of_it(desk: Desk) -> None:
    await desk.available("ann")
    await writes(desk, mail())
    assert len(await replies(desk, "1", 2)) == 2
    found = await replies(desk, "It is FW-10001.\r\n\r\nBest regards\r\nLi Wei", 3)
    assert len(found) == 3
    assert "Parcel Express" in found[-1].body_text
    assert "else" in found[-1].body_text
    await replies(desk, "no, thanks", 4)
    await replies(desk, "5", 5)
    interaction = await only(desk)
    assert interaction.state in {State.SELF_SERVICE, State.RESOLVED}
    assert (await session_of(desk, interaction)).answers["order"] == "FW-10001"


async def test_a_subject_is_as_good_as_words(quick: Desk) -> None:
    (letter,) = await writes(quick, mail("Please tell me. Thank you!", subject="Where is my order FW-10001?"))
    assert "Parcel Express" in letter.body_text


async def test_solved_by_itself_it_is_over_and_what_follows_is_a_persons(quick: Desk) -> None:
    await writes(quick, mail("Hello", subject="Where is my order FW-10001?"))
    await replies(quick, "no", 2)
    await replies(quick, "5", 3)
    sent = await replies(quick, "no", 4)
    first = await only(quick)
    assert (first.state, first.closing_reason) == (State.RESOLVED, ClosingReason.SELF_SERVED)
    await quick.available("ann")
    sent = await replies(quick, "It did not come after all", 5)
    (_, second) = await interactions(quick)
    assert (second.previous, second.state) == (first.id, State.OFFERED)
    assert [one.headers.raw("auto-submitted") for one in sent[-1:]] == ["auto-replied"]
    assert len(await quick._rows(FLOW_SESSIONS, "")) == 1


@pytest.mark.parametrize("words", ["agent", "Can I talk to a person please?\r\n\r\nBest regards\r\nLi Wei", "转人工"])
async def test_who_asks_for_a_person_gets_one_who_sees_the_path(quick: Desk, words: str) -> None:
    await quick.available("ann")
    await writes(quick, mail())
    sent = await replies(quick, words, 2)
    interaction = await only(quick)
    assert (interaction.state, interaction.is_message) == (State.OFFERED, True)
    assert interaction.waits_since is not None
    assert len(sent) == 2
    session = await session_of(quick, interaction)
    assert (session.reason, [visit.step for visit in session.path]) == ("asked", ["hello", "menu"])
    assert [m.code for m in await quick.messages(interaction)] == ["", "flow", "", "flow"]


async def test_what_is_not_understood_three_times_is_a_persons(quick: Desk) -> None:
    await writes(quick, mail())
    for number, text in enumerate(("purple monkey", "green elephant", "blue whale"), 2):
        await replies(quick, text, number)
    interaction = await only(quick)
    assert (interaction.state, (await session_of(quick, interaction)).reason) == (State.QUEUED, "not_understood")
    assert len(letters()) == 4


async def test_who_does_not_answer_for_three_days_is_a_persons(quick: Desk) -> None:
    await writes(quick, mail())
    quick.clock._now += round((3 * DAY_S - 60) * 1000)
    await settled(quick)
    assert (await only(quick)).state is State.SELF_SERVICE
    quick.clock._now += 120_000
    await settled(quick)
    assert ((await only(quick)).state, len(letters())) == (State.QUEUED, 2)


NOT_TO_BE_ANSWERED = (
    "Auto-Submitted: auto-replied\r\n",
    "Precedence: bulk\r\n",
    "List-Id: <news.test>\r\n",
    "Return-Path: <>\r\n",
    "X-Auto-Response-Suppress: All\r\n",
    "X-Spam-Flag: YES\r\n",
    "Authentication-Results: mx.one.test; dmarc=fail header.from=customer.test\r\n",
)
WHO_DO_NOT_LISTEN = ("help@one.test", "noreply@customer.test", "mailer-daemon@customer.test")


async def test_what_must_not_be_answered_begins_no_flow(quick: Desk) -> None:
    for number, more in enumerate(NOT_TO_BE_ANSWERED, 1):
        await writes(quick, mail(subject=f"Matter {number}", number=number, more=more))
    for number, sender in enumerate(WHO_DO_NOT_LISTEN, 20):
        await writes(quick, mail(subject=f"Matter {number}", number=number, sender=sender))
    found = [interaction.state for interaction in await interactions(quick)]
    assert found == [State.QUEUED] * (len(NOT_TO_BE_ANSWERED) + len(WHO_DO_NOT_LISTEN))
    assert (Peer.wire.carried, await quick._rows(FLOW_SESSIONS, "")) == ([], [])


async def test_mail_that_waited_long_before_it_was_read_begins_no_flow(quick: Desk) -> None:
    old = RawArrival(provider_id="p1", raw=mail(), received_at=quick.clock.now() - 7 * 3_600_000)
    await quick.hub.services.arrivals.keep("help", [old], {})
    await settled(quick)
    assert ((await only(quick)).state, letters()) == (State.QUEUED, [])


async def test_a_machines_word_in_a_flow_is_kept_and_not_answered(quick: Desk) -> None:
    await writes(quick, mail())
    assert len(await replies(quick, "I am away until Monday.", 2, more="Auto-Submitted: auto-replied\r\n")) == 1
    interaction = await only(quick)
    assert (interaction.state, interaction.last_n) == (State.SELF_SERVICE, 3)
    assert len(await replies(quick, "1", 3)) == 2


async def test_what_must_not_be_answered_in_a_flow_is_a_persons(quick: Desk) -> None:
    await writes(quick, mail())
    assert len(await replies(quick, "1", 2, more="X-Spam-Flag: YES\r\n")) == 1
    interaction = await only(quick)
    assert (interaction.state, (await session_of(quick, interaction)).reason) == (State.QUEUED, "not_answered")


async def test_two_machines_that_say_nothing_of_it_talk_for_no_day(migrated_file: Path, tmp_path: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "hub.db")
    limited = Letters(flow_letters_per_day=3)
    desk = await house(tmp_path, f"sqlite:///{tmp_path}/hub.db", letters=limited)
    try:
        for number in range(1, 7):
            await writes(desk, mail(f"Number {number}", number=number))
        assert len(letters()) == 3, "and no acknowledgement either, for those were automatic letters too"
        states = [interaction.state for interaction in await interactions(desk)]
        assert states == [State.SELF_SERVICE] * 3 + [State.QUEUED] * 3
        await replies(desk, "1", 7)
        assert (len(letters()), (await interactions(desk))[2].state) == (3, State.QUEUED)
    finally:
        await closed(desk)


async def test_another_participants_letter_in_a_flow_is_a_persons(quick: Desk) -> None:
    await quick.available("ann")
    await writes(quick, mail(more="Cc: bo@customer.test\r\n"))
    assert len(await replies(quick, "1", 2, sender="bo@customer.test")) == 1
    interaction = await only(quick)
    assert (interaction.state, (await session_of(quick, interaction)).reason) == (State.OFFERED, "not_answered")
    assert [one for one, _ in Peer.wire.carried if one == "bo@customer.test"] == [], "the flow answers whoever began"


def bounce_of(letter: ParsedMail, status: str = "5.1.1", action: str = "failed") -> bytes:
    """What a mail system sends back for a letter."""
    return (
        "From: MAILER-DAEMON@customer.test\r\nTo: help@one.test\r\nSubject: Undelivered\r\n"
        f"Message-ID: <bounce.{status}@customer.test>\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.test\r\n\r\n"
        f"Final-Recipient: rfc822; {LI}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; no such mailbox\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {letter.message_id}\r\nTo: {LI}\r\n\r\n"
        "--b--\r\n"
    ).encode()


async def test_who_does_not_get_the_flows_letter_is_a_persons_who_is_told(quick: Desk) -> None:
    await quick.available("ann")
    (letter,) = await writes(quick, mail())
    await writes(quick, bounce_of(letter, "4.2.2", "delayed"))
    assert (await only(quick)).state is State.SELF_SERVICE, "what may pass is waited for"
    await writes(quick, bounce_of(letter))
    interaction = await only(quick)
    session = await session_of(quick, interaction)
    assert (interaction.state, session.reason, session.is_over) == (State.OFFERED, "unreached", True)
    assert [m.code for m in await quick.messages(interaction)] == ["", "flow", "bounced"]
    await writes(quick, bounce_of(letter, "5.1.2"))
    assert len(await interactions(quick)) == 1


class Full(Wire):
    """A wire at whose other end Li's mailbox is gone."""

    async def carry(self, recipient: str, mail: bytes) -> None:
        if recipient == LI:
            raise MessageRejected("No such mailbox.")
        await super().carry(recipient, mail)


async def test_who_is_refused_by_their_mail_system_is_a_persons(quick: Desk) -> None:
    full = Full()
    full.inboxes, Peer.wire = Peer.wire.inboxes, full
    await writes(quick, mail())
    interaction = await only(quick)
    assert (interaction.state, (await session_of(quick, interaction)).reason) == (State.QUEUED, "unreached")
    (outgoing,) = await quick._rows(OUTGOING, "")
    assert (outgoing.mode, outgoing.state) == ("flow", OutgoingState.FAILED)


@pytest.mark.parametrize("subject", ["Question", "Re: question", "AW: Hi!", "回复\uff1a咨询", "Re:", "(no subject)"])
async def test_a_subject_that_says_nothing_is_no_answer_to_the_menu(quick: Desk, subject: str) -> None:
    await writes(quick, mail("Hello", subject=subject))
    session = await session_of(quick, await only(quick))
    assert (session.frames[-1].step, session.answers, session.confirm) == ("menu", {}, {})


async def test_a_flow_that_breaks_says_so_by_mail_and_a_person_sees_to_it(
    quick: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await quick.available("ann")
    await writes(quick, mail())

    class Broken:
        async def fetch(self, wish: Fetch) -> LookedUp:
            (stored,) = await quick._rows(FLOW_SESSIONS, "")
            body = msgspec.json.decode(stored.body)
            body["pins"]["order-status"] = "lost"

            async def unit(tx: UnitOfWork) -> None:
                after = msgspec.structs.replace(stored, body=msgspec.json.encode(body).decode())
                await tx.save(FLOW_SESSIONS, after)

            await quick.hub.services.store.write(unit)
            return LookedUp(id=f"l{wish.id}", fetch=wish.id, outcome="failed")

    quick.hub.services.self_service.fetcher = Broken()
    found = await replies(quick, "It is order FW-10001, 1", 2)
    found = await replies(quick, "FW-10001", 3) if "order number" in found[-1].body_text else found
    assert "connecting you with a colleague" in found[-1].body_text
    interaction = await only(quick)
    assert (interaction.state, (await session_of(quick, interaction)).reason) == (State.OFFERED, "broken")
    assert "a flow broke" in caplog.text


async def test_a_megabyte_is_an_answer_like_any_other(quick: Desk) -> None:
    await writes(quick, mail())
    (_, letter) = await replies(quick, "\r\n".join(["no sense at all " * 4] * 16_000), 2)
    assert "did not understand" in letter.body_text
    assert len(Peer.wire.carried[-1][1]) < 20_000


async def test_no_links_where_nobody_else_could_follow_them(migrated_file: Path, tmp_path: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "hub.db")
    desk = await house(tmp_path, f"sqlite:///{tmp_path}/hub.db", public_url="http://127.0.0.1:8080")
    try:
        (letter,) = await writes(desk, mail())
        assert "1. Order status\n2. " in letter.body_text
        assert "http" not in letter.body_text
    finally:
        await closed(desk)
