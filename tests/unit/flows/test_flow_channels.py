"""One output, four channels: bubbles with choices, a numbered list in segments, one mail, speech with keys."""

import pytest

from hub.flows.model import Medium
from hub.flows.session import Asked, Finished, Outcome, Told
from hub.flows.voice import Gather, HangUp, Record, Say, Stay, speakable, spoken
from hub.flows.writing import MAX_BUBBLE, MAX_MAIL, Mail, chat, mail, measured, sms
from tests.unit.flows.talk import HEAD, Talk


def test_chat_has_its_choices_on_the_question() -> None:
    bubbles = chat(Talk().begin().stepped.outputs)
    assert [(bubble.text, [one.label for one in bubble.choices]) for bubble in bubbles] == [
        ("What can I do?", ["Order status", "Bill"])
    ]


def test_a_long_text_becomes_several_bubbles_cut_between_sentences() -> None:
    text = "This is a sentence. " * 300
    bubbles = chat([Told(text[:3_990])])
    assert len(bubbles) == 2
    assert all(len(bubble.text) <= MAX_BUBBLE for bubble in bubbles)
    assert bubbles[0].text.endswith("sentence.")


def test_sms_lists_choices_by_number() -> None:
    (message,) = sms(Talk(medium=Medium.SMS).begin().stepped.outputs, "en")
    assert message.text == (
        "What can I do?\n1 Order status\n2 Bill\nAnswer with the number (1-2), or in your own words."
    )
    assert (message.encoding, message.segments) == ("GSM-7", 1)


def test_sms_in_chinese_is_wider_and_says_so() -> None:
    (message,) = sms(Talk(medium=Medium.SMS, language="zh").begin().stepped.outputs, "zh")
    assert message.encoding == "UCS-2"
    assert message.text.splitlines()[:3] == ["需要什么帮助？", "1 订单状态", "2 账单"]


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2),
        ("好" * 70, "UCS-2", 1),
        ("好" * 71, "UCS-2", 2), ("\U0001f600" * 35, "UCS-2", 1), ("\U0001f600" * 36, "UCS-2", 2),
        ("a" * 306, "GSM-7", 2),
    ],
)  # fmt: skip
def test_segments_are_counted_as_they_are_charged(text: str, encoding: str, segments: int) -> None:
    assert measured(text) == (encoding, segments)


def test_no_sms_takes_more_segments_than_allowed() -> None:
    for text in ("word " * 700, "字" * 900, "€[]" * 400, "\U0001f600" * 400):
        messages = sms([Told(text)], "en")
        assert len(messages) > 1
        assert all(message.segments <= 4 for message in messages)
        assert "".join(m.text for m in messages).replace(" ", "") == text.replace(" ", "")


def test_curly_quotes_do_not_double_the_price() -> None:
    assert sms([Told("It\u2019s \u201cthere\u201d \u2026")], "en")[0].encoding == "GSM-7"


def test_one_mail_says_everything_and_offers_the_choices_of_its_question() -> None:
    asked = Talk(medium=Medium.EMAIL).begin().stepped.outputs
    made = mail([Told("Hello."), *asked], "en")
    assert made.text.startswith("Hello.\n\nWhat can I do?\n\n")
    assert made.text.endswith("Answer this mail with a number or in your own words. Answer “agent” to reach a person.")
    assert [(one.id, one.digit, one.label) for one in made.choices] == [
        ("order", "1", "Order status"),
        ("bill", "2", "Bill"),
    ]
    assert made.listed.endswith("\n\n1. Order status\n2. Bill")


def test_a_mail_that_asks_nothing_tells_nobody_how_to_answer() -> None:
    assert mail([Told("Goodbye."), Finished(Outcome.RESOLVED)], "en") == Mail("Goodbye.")
    assert mail([Finished(Outcome.RESOLVED)], "en").text == ""
    assert len(mail([Told("字" * 50_000)], "zh").text) == MAX_MAIL


def test_a_menu_is_read_out_with_its_keys() -> None:
    (gather,) = spoken(Talk(medium=Medium.PHONE).begin().stepped.outputs, "en")
    assert isinstance(gather, Gather)
    assert [say.text for say in gather.prompts] == [
        "What can I do?",
        "For Order status, press 1.",
        "For Bill, press 2.",
    ]
    assert (gather.digits, gather.keys, gather.timeout_s, gather.locale) == (
        1,
        {"1": "order", "2": "bill"},
        6.0,
        "en-US",
    )
    assert "parcel" in gather.hints


def test_a_number_is_listened_for_until_its_digits_are_there() -> None:
    (gather,) = spoken(Talk(medium=Medium.PHONE).begin().say("order").stepped.outputs, "en")
    assert isinstance(gather, Gather)
    assert (gather.digits, gather.end_key) == (5, "")
    flow = HEAD + '  n: {ask: n, type: number, text: "How many?"}\n'
    (gather,) = spoken(Talk(flow, medium=Medium.PHONE).begin().stepped.outputs, "en")
    assert isinstance(gather, Gather)
    assert (gather.digits, gather.end_key, gather.prompts[-1].text) == (0, "#", "Finish with the hash key.")


def test_speech_goes_on_or_ends() -> None:
    assert spoken(Talk(medium=Medium.PHONE).begin().say("agent").stepped.outputs, "en")[-1] == Stay()
    bye = Talk(HEAD + "  e: {end: Bye.}\n", medium=Medium.PHONE).begin().stepped.outputs
    assert spoken(bye, "zh") == [Say("Bye.", "zh-CN"), HangUp()]
    (record,) = spoken(Talk(HEAD + "  m: {leave_message: support, text: Speak.}\n").begin().stepped.outputs, "en")
    assert record == Record(prompts=(Say("Speak.", "en-US"),), step="m", most_s=120.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("See https://shop.example/a?b=c for more.", "See for more."),
        ("Go to www.shop.example now", "Go to now"),
        ("Write to help@shop.example", "Write to help at shop dot example"),
        ("**Bold** _and_ `code`\n- one\n- two", "Bold and code one two"),
    ],
)
def test_nothing_is_said_that_only_eyes_can_use(text: str, said: str) -> None:
    assert speakable(text, "en") == said


def test_what_was_not_understood_is_said_first() -> None:
    talk = Talk().begin().say("purple")
    assert isinstance(talk.question, Asked)
    assert chat(talk.stepped.outputs)[0].text.startswith("Sorry, I did not understand that.")
