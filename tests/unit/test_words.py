"""Cutting texts for searching: the same words whatever the spelling, and nothing but words."""

import time
import unicodedata
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.words import MAX_WORD, MAX_WORDS, Query, document, finds, folded, query, snippet, spans


def test_spaced_scripts_are_cut_in_words_and_others_in_pairs() -> None:
    assert document("Hello, hello World-42!") == "hello world 42"
    assert document("我要退款 now") == "我 要 退 款 我要 要退 退款 now"
    assert document("订单A123号") == "订 单 订单 a123 号"
    assert document("สวัสดี").startswith("ส ว ")
    assert document("मुझे पैसे") == "मुझे पैसे"
    assert document("snake_case e-mail@example.test") == "snake case e mail example test"
    assert document("🙂 !!! …") == ""


def test_spellings_of_one_word_are_one() -> None:
    for one, other in [
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("ﬁne", "fine"),
        ("café", "cafe\u0301"),
        ("Ｆｕｌｌ", "full"),  # noqa: RUF001
        ("ｶﾞ", "ガ"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Ёлка", "елка"),
        ("مُحَمَّد", "محمد"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
    ]:
        assert document(one) == document(other), one


def test_last_word_of_a_query_finds_longer_ones() -> None:
    assert query("refund ord") == Query(("refund",), "ord")
    assert query("退款 ord") == Query(("退款",), "ord")
    assert query("ord 退款") == Query(("ord", "退款"))
    assert query("退") == Query(("退",))
    assert query("x") == Query(("x",))
    assert finds(query("refund ord"), "A refund for my ORDER")
    assert not finds(query("ord refund"), "A refund for my ORDER")
    assert not finds(query(""), "anything")


def test_queries_are_bounded_whatever_their_size() -> None:
    began = time.perf_counter()
    for text in ("x" * 100_000, "a b " * 50_000, "退款" * 50_000, '"' * 100_000):
        wanted = query(text)
        assert len(wanted.words) <= MAX_WORDS
        assert all(len(word) <= MAX_WORD for word in (*wanted.words, wanted.prefix))
    assert time.perf_counter() - began < 0.5
    assert len(document("y" * 10_000)) == MAX_WORD


def marked(q: str, text: str) -> list[str]:
    """Return what a browser would mark."""
    shown = snippet(query(q), text)
    units = shown.text.encode("utf-16-le")
    return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in shown.marks]


def test_snippet_shows_the_hit_and_says_where_it_is() -> None:
    assert marked("退款", "😀😀 我要退款") == ["退款"]
    assert marked("我要退款", "我要退款了") == ["我要退款"]
    assert marked("strasse", "Die STRAẞE ist lang") == ["STRAẞE"]
    assert marked("refund", "Refunds, refund; REFUNDED") == ["Refunds", "refund", "REFUNDED"]
    assert marked("ｶﾞ", "ここに ガ がある") == ["ガ"]
    long = "word " * 100 + "needle in\n\n  the middle " + "word " * 100
    shown = snippet(query("needle"), long)
    assert "needle in the middle" in shown.text
    assert shown.text.startswith("… ")
    assert shown.text.endswith(" …")
    assert len(shown.text) <= 164
    assert snippet(query("absent"), "short text").text == "short text"
    assert snippet(query("absent"), "").text == ""


@given(st.text(max_size=60))
def test_tokens_hold_letters_and_digits_only(text: str) -> None:
    tokens = document(text).split(" ") if document(text) else []
    wanted = query(text)
    for token in [*tokens, *wanted.words, *([wanted.prefix] if wanted.prefix else [])]:
        assert token
        assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} for character in token)
        assert not set(token) & set(" '\"\\&|!():*<>-_^{}\x00\ue000")
    assert len(tokens) == len(set(tokens))


@given(st.text(max_size=60))
def test_text_is_found_by_itself(text: str) -> None:
    wanted = query(text)
    if wanted:
        assert finds(wanted, text)
        assert finds(wanted, folded(text))
        assert finds(wanted, text.swapcase().swapcase()) or text.swapcase().swapcase() != text


@given(st.text(alphabet="ab 退款 é\u0301😀ｶﾞ!", max_size=40), st.text(alphabet="ab 退款éｶﾞ", max_size=6))
def test_marks_stay_within_the_text_in_order(text: str, q: str) -> None:
    wanted = query(q)
    found = spans(wanted, text)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    shown = snippet(wanted, text, width=10)
    units = len(shown.text.encode("utf-16-le")) // 2
    assert all(0 <= start < end <= units for start, end in shown.marks)
    if finds(wanted, text):
        assert found
