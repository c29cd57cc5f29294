"""Whole letters in thirteen languages by every client, and the odd ones: only the new words are left."""

from collections.abc import Callable, Iterable

import pytest

from channels.mail.rendering import render
from channels.mail.trimming import Trimmed, trim, trim_lines
from tests.payloads.mail import oddities
from tests.payloads.mail.layouts import TONGUES, Case, page_cases, text_cases


def of_text(mail: str) -> Trimmed:
    return trim(mail)


def of_page(mail: str) -> Trimmed:
    return trim_lines(render(mail))


def wrong(cases: Iterable[Case], read: Callable[[str], Trimmed]) -> tuple[int, list[tuple[str, str]]]:
    """How many cases there are, and those of them that are trimmed otherwise than people would."""
    chosen = list(cases)
    return len(chosen), [(case.name, found) for case in chosen if (found := read(case.mail).reply_text) != case.new]


@pytest.mark.parametrize("language", TONGUES)
def test_letters_as_text(language: str) -> None:
    count, missed = wrong(text_cases(language), of_text)

    assert count > 500
    assert missed == []


@pytest.mark.parametrize("language", TONGUES)
def test_letters_as_html(language: str) -> None:
    count, missed = wrong(page_cases(language), of_page)

    assert count > 60
    assert missed == []


@pytest.mark.parametrize("name", oddities.PROSE)
def test_prose_stays_whole(name: str) -> None:
    assert trim(oddities.PROSE[name]).reply_text == oddities.PROSE[name]


@pytest.mark.parametrize("name", oddities.CUT)
def test_odd_marks_are_folded(name: str) -> None:
    text, new = oddities.CUT[name]

    assert trim(text).reply_text == new


def test_a_lone_address_of_the_sender_is_a_signature() -> None:
    mail = "灯少了一盏。\n\n\n\nzhangsan@example.org\n"

    assert trim(mail, address="zhangsan@example.org").reply_text == "灯少了一盏。"
    assert trim(mail).reply_text == "灯少了一盏。\n\nzhangsan@example.org"
