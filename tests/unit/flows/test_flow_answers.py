"""Answers: what people type, say and key for numbers, days, amounts, numbers of orders; and which choice they mean."""

import time
import unicodedata
from datetime import date

import pytest

from hub.flows.answers import Way, example_of, fits, number_in, read, yes_or_no
from hub.flows.expressions import Value
from hub.flows.matching import Known, match
from hub.flows.model import AnswerType, Ask, Wording
from hub.flows.phrases import is_frustrated, wants_person

WAY = Way(date(2026, 11, 26))  # a Thursday
CHOICES = [
    Known(
        "order", ("Order status", "订单状态", "parcel", "delivery", "where is my order", "包裹", "快递", "到哪了"), "1"
    ),
    Known("bill", ("Bill", "账单", "invoice", "charged twice", "发票", "扣款"), "2"),
    Known("hours", ("Opening hours", "营业时间", "open", "close", "几点开门"), "3"),
    Known("address", ("Change of address", "修改地址", "moved", "moving", "搬家"), "4"),
]


def value(kind: str, text: str, **more: object) -> Value:
    ask = Ask(id="a", name="a", type=AnswerType(kind), text=Wording(), **more)  # type: ignore[arg-type]
    given = read(ask, text, WAY)
    return given.value if given.is_understood else f"? {given.code}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12", 12), ("about 12 or so", 12), ("twelve", 12), ("twenty five", 25), ("two hundred and five", 205),
        ("three thousand", 3000), ("1,200", 1200), ("1.200,50", 1200.5), ("1 200", 1200), ("3.5", 3.5), ("３", 3),
        ("十二", 12), ("两百零五", 205), ("三千", 3000), ("一二三", 123), ("-4", -4), ("none of it", None),
        ("3 or 4", None),
        ("", None), ("1,5", 1.5),
    ],
)  # fmt: skip
def test_numbers(text: str, wanted: float | None) -> None:
    assert number_in(unicodedata.normalize("NFKC", text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tomorrow", "2026-11-27"), ("Monday", "2026-11-30"), ("next thursday", "2026-12-03"),
        ("2026-12-24", "2026-12-24"),
        ("24.12.", "2026-12-24"), ("3/4", "2027-04-03"), ("3/4/27", "2027-04-03"), ("24 December", "2026-12-24"),
        ("Dec 24th", "2026-12-24"), ("December 24, 2027", "2027-12-24"), ("明天", "2026-11-27"),
        ("后天", "2026-11-28"),
        ("12月24日", "2026-12-24"), ("2026年12月24日", "2026-12-24"), ("周一", "2026-11-30"),
        ("星期天", "2026-11-29"),
        ("2412", "2026-12-24"), ("24122027", "2027-12-24"), ("30.2.", "? date"), ("soon", "? date"),
    ],
)  # fmt: skip
def test_days(text: str, wanted: str) -> None:
    assert value("date", text) == wanted


def test_days_as_americans_write_them() -> None:
    ask = Ask(id="a", name="a", type=AnswerType.DATE, text=Wording())
    assert read(ask, "3/4/2027", Way(date(2026, 11, 26), dates="mdy")).value == "2027-03-04"


def test_bounds_are_told() -> None:
    assert value("number", "7", least=1, most=5) == "? too_large"
    assert value("number", "0", least=1, most=5) == "? too_small"
    assert value("date", "yesterday", least=0) == "? too_small"
    assert value("date", "tomorrow", least=0, most=14) == "2026-11-27"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("$12.50", 12.5), ("12,50 €", 12.5), ("twenty dollars", 20), ("¥300", 300), ("三百元", 300), ("free", "? amount")],
)
def test_amounts(text: str, wanted: Value) -> None:
    assert value("amount", text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("FW-12345", "FW-12345"), ("fw12345", "FW-12345"), ("12345", "FW-12345"), ("FW 123 45", "FW-12345"),
        ("my order is FW-12345, thanks", "FW-12345"), ("F W one two three four five", "FW-12345"),
        ("一二三四五", "FW-12345"), ("FW-1234", "? pattern"), ("XX-12345", "? pattern"),
        ("ＦＷ１２３４５", "FW-12345"),
    ],
)  # fmt: skip
def test_order_numbers(text: str, wanted: str) -> None:
    assert value("pattern", text, pattern="FW-#####") == wanted


def test_a_pattern_shows_what_it_wants() -> None:
    assert example_of("FW-#####") == "FW-12345"
    assert example_of("@@ ##") == "AB 12"
    assert fits("@@ ##", "xy99") == "XY 99"


def test_phones_and_mail_addresses_as_they_are_said() -> None:
    assert value("phone", "four one five 555 2671") == "+14155552671"
    assert value("phone", "call me") == "? phone"
    assert value("email", "Li at example dot com") == "li@example.com"
    assert value("email", "Li@Example.com.") == "li@example.com"
    assert value("email", "nobody") == "? email"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("yes", True), ("yeah sure", True), ("no thanks", False), ("nope", False), ("是的", True), ("不是", False),
        ("不", False),
        ("好的", True), ("maybe", None), ("yes no", True), ("I will think about it and tell you later yes", None),
    ],
)  # fmt: skip
def test_yes_and_no(text: str, wanted: bool | None) -> None:
    assert yes_or_no(text, "en") is wanted


@pytest.mark.parametrize(
    ("text", "choice", "is_sure"),
    [
        ("where is my parcel", "order", True), ("has my delivery left yet?", "order", True),
        ("deliverry", "order", True),
        ("I was charged twice", "bill", True), ("question about an invoice", "bill", True), ("bell", "bill", False),
        ("when do you open", "hours", True), ("what are your opening hours please", "hours", True),
        ("I am moving next week", "address", True), ("I have moved", "address", True),
        ("my new address", "address", False),
        ("status", "order", False), ("快递到哪了", "order", True), ("我的包裹呢", "order", True),
        ("查一下账单", "bill", True),
        ("你们几点开门", "hours", True), ("我要搬家了", "address", True), ("订单", "order", False),
        ("2", "bill", True), ("two", "bill", True), ("the second one", "bill", True), ("第三个", "hours", True),
        ("选4", "address", True),
        ("not the bill, my parcel", "order", True), ("不是账单，是快递", "order", True),
        ("not the bill", "bill", False),
        ("pizza", "", False), ("今天天气不错", "", False), ("9", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_choices_are_understood_or_asked_back(text: str, choice: str, is_sure: bool) -> None:
    found = match(text, CHOICES, language="en" if text.isascii() else "zh")
    assert (found.id, found.is_sure) == (choice, is_sure), found


@pytest.mark.parametrize(
    ("text", "choice"),
    [("你好", ""), ("您好！", ""), ("大家好", ""), ("Hello", ""), ("你好，付好了", "paid"), ("好了", "paid")],
)
def test_a_greeting_answers_no_choice(text: str, choice: str) -> None:
    known = [Known("paid", ("好了", "付好了", "done")), Known("again", ("再发一次", "send it again"))]
    assert match(text, known, language="zh").id == choice


def test_a_likeness_from_elsewhere_may_help_the_words() -> None:
    known = [Known("bill", ("Bill",)), Known("order", ("Order",))]
    assert match("why is it so expensive", known).id == ""
    found = match(
        "why is it so expensive", known, similar=lambda _text, phrases: [0.8 if p == "Bill" else 0.1 for p in phrases]
    )
    assert (found.id, found.is_sure) == ("bill", True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("agent", True), ("Agent!", True), ("I want to talk to a real person please", True),
        ("customer service", True),
        ("0", True), ("转人工", True), ("请帮我转人工客服，谢谢", True), ("我要找人工", True),
        ("Agent Street 5", False),
        ("人工智能是什么", False), ("my person at the door", False), ("order 0", False), ("", False),
    ],
)  # fmt: skip
def test_who_wants_a_person(text: str, wanted: bool) -> None:
    assert wants_person(text) is wanted


def test_who_has_had_enough() -> None:
    assert is_frustrated("You are USELESS!!")
    assert is_frustrated("垃圾")
    assert not is_frustrated("where is my parcel")


def test_a_megabyte_is_read_in_no_time() -> None:
    for kind in AnswerType:
        started = time.process_time()
        for text in ("9" * 1_000_000, "a " * 500_000, "一" * 1_000_000, ("1," * 500_000), "not " * 250_000):
            if kind is AnswerType.CHOICE:
                match(text, CHOICES)
            else:
                value(kind, text, pattern="FW-#####")
        assert time.process_time() - started < 0.5, kind
