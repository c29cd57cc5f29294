"""A mail in the hub's words, and the reading of many in a process of its own."""

import asyncio
import os
import pickle
import signal
from typing import Any

import pytest

from channels.mail import readers
from channels.mail.inbound import Routes, inbound_of
from channels.mail.keys import signing_keys
from channels.mail.parsed import Reading, parse
from channels.mail.readers import Manner, Readers
from channels.mail.references import make_message_id
from channels.mail.threads import make_reply_address
from hub.contract import Candidate, Ignored, Inbound, InboundMessage, InboundReport
from hub.domain.correspondence import Party
from hub.domain.errors import PayloadUnreadable
from tests.payloads.mail.builders import file_part, mail, multipart_mail, part
from tests.payloads.mail.reports import REPORTS

KEYS = signing_keys(b"k" * 40)
ROUTES = Routes(queue="support", by_address={"billing@example.com": "billing"}, automatic="machines")
INTERACTION = "i0123456789abcdefghjkm"


def read(raw: bytes) -> Inbound:
    return inbound_of(parse(raw, Reading(signing_keys=KEYS)), ROUTES, KEYS)


def message(raw: bytes) -> InboundMessage:
    found = read(raw)
    assert isinstance(found, InboundMessage)
    return found


def placed(found: InboundMessage, kinds: dict[str, Candidate]) -> tuple[str | None, str | None, str]:
    """Place a message, given what hints of each kind point to."""
    assert found.place is not None
    known = {hint.key: kinds[hint.kind] for hint in found.hints if hint.kind in kinds}
    placement = found.place(known)
    return placement.join, placement.linked, placement.reason


ANNS = Candidate(interaction=INTERACTION, participants=frozenset({"ann@example.org"}), subject="Lamp broken today")


def test_words_parties_and_files_are_carried_over() -> None:
    raw = multipart_mail(
        part("New words.\n\nOn Monday Bob wrote:\n> old words\n"),
        file_part(b"%PDF-1", "application/pdf", "a.pdf"),
        Cc="Bo <bo@example.net>",
        Reply_To="ann@home.example",
    )
    found = message(raw)
    assert (found.text.strip(), "old words" in found.quoted) == ("New words.", True)
    assert (found.sender, found.cc, found.reply_to) == (
        Party("ann@example.org", "Ann Smith"),
        (Party("bo@example.net", "Bo"),),
        (Party("ann@home.example"),),
    )
    assert [(one.name, one.type, one.content) for one in found.files] == [("a.pdf", "application/pdf", b"%PDF-1")]
    assert found.sent_at == 1_794_818_460_000


@pytest.mark.parametrize(
    ("fields", "queue"),
    [
        ({"To": "billing+abc@example.com"}, "billing"),
        ({"To": "support@example.com", "Delivered_To": "Billing@Example.com"}, "billing"),
        ({"Auto_Submitted": "auto-generated"}, "machines"),
        ({}, "support"),
    ],
)
def test_the_queue_is_that_of_the_address(fields: dict[str, str], queue: str) -> None:
    assert message(mail(**fields)).queue == queue


def test_our_own_letter_that_comes_back_is_nothing_to_do() -> None:
    own = make_message_id(KEYS[0], "l1", "example.com")
    assert isinstance(read(mail(Message_ID=own, From="Support <support@example.com>")), Ignored)
    assert isinstance(read(mail(Message_ID=own)), InboundMessage), "a customer's letter, whatever its program calls it"
    forged = make_message_id(b"another key", "l1", "example.com")
    assert isinstance(read(mail(Message_ID=forged)), InboundMessage)


def test_a_signed_reply_address_leads_to_its_interaction_also_when_it_has_moved_on() -> None:
    address = make_reply_address(KEYS[0], "support@example.com", INTERACTION, "ann@example.org")
    moved_on = Candidate(interaction="i2", participants=frozenset({"ann@example.org"}))
    assert placed(message(mail(To=address)), {"interaction": ANNS})[0] == INTERACTION
    assert placed(message(mail(To=address)), {"interaction": moved_on})[0] == "i2"
    stolen = message(mail(To=address, From="eve@evil.example"))
    assert placed(stolen, {"interaction": ANNS})[:2] == (None, INTERACTION)
    wrong = make_reply_address(b"other", "support@example.com", INTERACTION, "ann@example.org")
    assert placed(message(mail(To=wrong)), {"interaction": ANNS})[0] is None


def test_two_authors_join_nothing() -> None:
    found = message(mail(From="ann@example.org, eve@evil.example", In_Reply_To="<a@b.example>"))
    assert placed(found, {"message": ANNS})[:2] == (None, INTERACTION)


def test_a_subject_alone_joins_an_answer_of_a_participant_only() -> None:
    answer = message(mail(Subject="Re: Lamp broken today"))
    assert placed(answer, {"subject": ANNS})[0] == INTERACTION
    assert [hint.kind for hint in message(mail(Subject="Lamp broken today")).hints] == ["answered"]


def test_an_answer_that_came_first_gets_what_it_answers() -> None:
    assert placed(message(mail()), {"answered": ANNS})[0] == INTERACTION
    assert placed(message(mail(From="eve@evil.example")), {"answered": ANNS})[0] is None


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_reports_are_reports_with_the_mail_itself_beside(name: str) -> None:
    found = read(REPORTS[name][0])
    assert isinstance(found, InboundReport | InboundMessage)
    if isinstance(found, InboundReport):
        assert found.kind in {"failed", "delayed", "delivered", "complaint"}
        assert found.message is not None
        assert found.message.is_automatic


def report(name: str) -> InboundReport:
    found = read(REPORTS[name][0])
    assert isinstance(found, InboundReport)
    return found


def test_a_receipt_says_read_only_of_what_was_shown() -> None:
    assert (report("read").status, report("mdn deleted").status) == ("read", "delivered")


def test_all_whom_a_letter_did_not_reach_are_told() -> None:
    both = REPORTS["two recipients, one failed"][0].replace(b"delivered", b"failed").replace(b"2.0.0", b"5.2.2")
    found = read(both)
    assert isinstance(found, InboundReport)
    assert found.recipient == "carla@example.net"
    assert "bob@example.net: 5.1.1" in found.text
    assert "carla" not in report("two recipients, one failed").text


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("您好。灯坏了。", "zh"),
        ("こんにちは、ランプです。", "ja"),
        ("Здравствуйте, лампа сломана", "ru"),
        ("Hello", ""),
    ],
)
def test_the_script_tells_the_language(words: str, language: str) -> None:
    raw = mail(words.encode(), {"Content-Type": "text/plain; charset=utf-8"}, Subject="x")
    assert message(raw).language == language


def test_spam_is_a_letter_that_no_machine_answers() -> None:
    found = message(mail(X_Spam_Flag="YES"))
    assert found.must_not_answer
    assert "marked as spam" in found.remarks


def test_what_was_read_travels_between_processes() -> None:
    found = message(mail(In_Reply_To="<a@b.example>"))
    again: Any = pickle.loads(pickle.dumps(found))
    assert placed(again, {"message": ANNS}) == placed(found, {"message": ANNS})


def manner(cls: type[Manner] = Manner) -> Manner:
    return cls(reading=Reading(signing_keys=KEYS), routes=ROUTES, keys=KEYS)


class Deadly(Manner):
    """Some mails end whoever reads them; others never end."""

    def read(self, raw: bytes) -> Inbound:
        if raw.startswith(b"DIE"):
            os.kill(os.getpid(), signal.SIGKILL)
        if raw.startswith(b"LOOP"):
            while True:
                pass
        return super().read(raw)


async def test_many_mails_are_read_alike_in_thread_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MANY", 2)
    opened = Readers("post", manner())
    raws = [mail(f"Words {number}.\n", Message_ID=f"<{number}@x.example>") for number in range(20)]
    try:
        found = await asyncio.gather(*(opened.read(raw) for raw in raws))
    finally:
        opened.close()
    assert [one.text for one in found if isinstance(one, InboundMessage)] == [f"Words {n}." for n in range(20)]


async def test_a_mail_that_ends_its_process_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MANY", 0)
    opened = Readers("post", manner(Deadly))
    raws = [mail("Good.\n"), b"DIE", mail("Good.\n"), mail("Good.\n")]
    try:
        found = await asyncio.gather(*(opened.read(raw) for raw in raws), return_exceptions=True)
        after = await opened.read(mail("Good.\n"))
    finally:
        opened.close()
    assert [type(one) for one in found] == [InboundMessage, PayloadUnreadable, InboundMessage, InboundMessage]
    assert isinstance(after, InboundMessage)


def test_a_mail_that_never_ends_is_given_up() -> None:
    """After CPU time, not by the clock: whoever stops the process for a while makes no mail unreadable."""
    with pytest.raises(PayloadUnreadable), readers._at_most(1):
        manner(Deadly).read(b"LOOP")
