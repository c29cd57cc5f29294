"""Machine mail, reports, and what must not be answered."""

# ruff: noqa: E501, RUF001

import pytest

from channels.mail.bounces import BounceKind
from channels.mail.parsed import Reading, as_json, parse
from tests.payloads.mail.builders import mail
from tests.payloads.mail.reports import NO_REPORTS, REPORTS


@pytest.mark.parametrize("name", REPORTS)
def test_reports_of_every_system_are_tied_to_their_message(name: str) -> None:
    raw, kind, recipient, status, message_id = REPORTS[name]
    parsed = parse(raw)

    assert parsed.bounce is not None
    found = parsed.bounce
    assert (found.kind, found.recipient, found.status, found.message_id) == (kind, recipient, status, message_id)
    assert (parsed.machine.is_auto_reply, parsed.machine.must_not_answer) == (True, True)
    assert parsed.attachments == ()
    assert as_json(parsed)["is_bounce"] is (kind in {BounceKind.FAILED, BounceKind.DELAYED})


@pytest.mark.parametrize("name", NO_REPORTS)
def test_mails_about_failures_are_no_reports(name: str) -> None:
    assert parse(NO_REPORTS[name]).bounce is None


def test_every_recipient_of_a_report_is_told() -> None:
    raw = REPORTS["two recipients, one failed"][0]
    bounce = parse(raw).bounce

    assert bounce is not None
    assert [(one.recipient, one.kind.value) for one in bounce.recipients] == [
        ("carla@example.net", "delivered"),
        ("bob@example.net", "failed"),
    ]


def test_the_reason_is_the_other_servers_words() -> None:
    bounce = parse(REPORTS["exim"][0]).bounce

    assert bounce is not None
    assert bounce.reason == "550 5.1.1 no such mailbox"


PEOPLE: dict[str, tuple[bytes, bool, bool]] = {
    "a person": (mail(), False, False),
    "auto-submitted no": (mail(Auto_Submitted="no"), False, False),
    "auto-submitted no, with a remark": (mail(Auto_Submitted="no (by hand)"), False, False),
    "auto-replied": (mail(Auto_Submitted="auto-replied (vacation)"), True, True),
    "auto-generated": (mail(Auto_Submitted="auto-generated"), True, True),
    "precedence auto_reply": (mail(Precedence="auto_reply"), True, True),
    "x-autoreply": (mail(X_Autoreply="yes"), True, True),
    "x-autorespond": (mail(X_Autorespond="Re: Lamp"), True, True),
    "lotus": (mail(X_POST_MessageClass="9; Autoresponder"), True, True),
    "vacation mailer": (mail(X_Mailer="vacation 1.2"), True, True),
    "exchange on a person's mail": (mail(X_Auto_Response_Suppress="DR, OOF, AutoReply"), False, True),
    "suppress receipts only": (mail(X_Auto_Response_Suppress="DR, RN, NRN"), False, False),
    "suppress none": (mail(X_Auto_Response_Suppress="None"), False, False),
    "newsletter": (mail(Precedence="bulk", List_Unsubscribe="<mailto:u@example.org>"), False, True),
    "mailing list": (mail(List_Id="<lamps.example.org>"), False, True),
    "archive of a list": (mail(List_Archive="<https://lists.example.org>"), False, True),
    "list by its software": (mail(X_BeenThere="lamps@example.org"), False, True),
    "another help desk": (mail(X_Zendesk_From_Account_Id="1a2b"), False, True),
    "another ticket system": (mail(RT_Loop_Prevention="example.org"), False, True),
    "a rule of their mailbox answers": (mail(X_MS_Exchange_Inbox_Rules_Loop="Ann@example.org"), True, True),
    "a rule of our mailbox passes on": (mail(X_MS_Exchange_Inbox_Rules_Loop="support@example.com"), False, False),
    "null sender": (mail(Return_Path="<>"), False, True),
    "noreply": (mail(From="no-reply@example.org"), False, True),
    "noreply with tag": (mail(From="noreply+123@example.org"), False, True),
    "mailer-daemon": (mail(From="MAILER-DAEMON@example.org"), True, True),
    "no sender": (mail(From=""), False, True),
    "noreply of a department": (mail(From="orders-noreply@example.org"), False, True),
    "own address": (mail(From="Support@example.com"), False, True),
    "own address with a detail": (mail(From="support+7@example.com"), False, True),
    "own loop mark": (mail(X_Loop="support@example.com"), False, True),
    "a person named noreen": (mail(From="noreen@example.org"), False, False),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_two_questions_two_answers(name: str) -> None:
    raw, is_auto_reply, must_not_answer = PEOPLE[name]
    found = parse(raw, Reading(own_addresses=frozenset({"support@example.com"}))).machine

    assert (found.is_auto_reply, found.must_not_answer) == (is_auto_reply, must_not_answer)
    assert bool(found.evidence) == must_not_answer


SUBJECTS = """Automatic reply: Lamp|Out of Office: Lamp|Autoreply: Lamp|Auto: out of office|Automatische Antwort: Lampe|Abwesenheitsnotiz: Lampe
Réponse automatique : Lampe|Respuesta automática: Lámpara|Resposta automática: Lâmpada|Risposta automatica: Lampada|Automatisch antwoord: Lamp
Odpowiedź automatyczna: Lampa|Автоматический ответ: Лампа|Otomatik Yanıt: Lamba|自动回复: 灯|自动答复: 灯|自動返信: ランプ|자동 회신: 램프|Autosvar: Lampa
Ann Smith is out of the office (returning 16.11.)|Out of Office Re: Lamp|Auto response: Lamp|[自动回复] 灯|Nieobecność w biurze|不在のお知らせ""".replace(
    "\n", "|"
).split("|")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subjects_of_automatic_replies(subject: str) -> None:
    assert parse(mail(Subject=subject)).machine.is_auto_reply


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic door broken",
        "Reply to your automatic mail",
        "Office chair",
        "Vacation rental",
        "自动售货机坏了",
        "I am out of ink",
        "I am away until Monday, please deliver later",
        "Auto answer does not work",
        "Out of office chairs",
        "自动回复功能坏了",
        "Re: Automatic reply: Lamp",
        "AW: Automatische Antwort: Lampe",
        "Re: Out of the office",
        "回复：自动回复：灯",
    ],
)
def test_subjects_that_only_sound_automatic(subject: str) -> None:
    assert not parse(mail(Subject=subject)).machine.is_auto_reply
