"""Trimming: new words apart from quotations, for the clients and languages of tests/payloads/mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.rendering import render
from channels.mail.trimming import Kind, Trimmed, trim, trim_lines
from tests.pace import within
from tests.payloads.mail import pages, traps
from tests.payloads.mail.quotations import (
    ATTRIBUTIONS,
    DISCLAIMERS,
    HEADER_BLOCKS,
    MOBILE_MARKS,
    NEED_MARKS,
    SIGN_OFFS,
)

NEW = "Hello,\n\nthank you, the second parcel came today, but the green lamp is broken.\nCan you send another one?"
OLD = "Dear customer,\n\nyour parcels were sent on Friday.\nPlease tell us when they arrive.\n\nYour shop"
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))
GMAIL = ATTRIBUTIONS["gmail-en"]

LAYOUTS = {
    "answer on top": "{new}\n\n{line}\n\n{quoted}\n",
    "no empty lines": "{new}\n{line}\n{quoted}\n",
    "answer below": "{line}\n{quoted}\n\n{new}\n",
    "no quote marks": "{new}\n\n{line}\n\n{old}\n",
}


def assert_covered(trimmed: Trimmed) -> None:
    """The parts are the text, whole and in order."""
    assert "".join(trimmed.text[part.start : part.end] for part in trimmed.parts) == trimmed.text


CASES = [
    (client, layout)
    for client in ATTRIBUTIONS
    for layout in LAYOUTS
    if layout != "no quote marks" or client not in NEED_MARKS
]


@pytest.mark.parametrize(("client", "layout"), CASES)
def test_attribution_lines_of_every_client_are_folded(client: str, layout: str) -> None:
    mail = LAYOUTS[layout].format(new=NEW, line=ATTRIBUTIONS[client], quoted=QUOTED, old=OLD)

    trimmed = trim(mail)

    assert trimmed.reply_text == NEW
    assert_covered(trimmed)


@pytest.mark.parametrize("client", ATTRIBUTIONS)
def test_quotations_within_quotations_are_folded(client: str) -> None:
    inner = ATTRIBUTIONS[client].replace("\n", "\n> ")

    assert trim(f"{NEW}\n\n{GMAIL}\n{QUOTED}\n> {inner}\n>> older\n").reply_text == NEW


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
@pytest.mark.parametrize("client", HEADER_BLOCKS)
def test_header_blocks_and_dividers_of_every_client_are_folded(client: str, gap: str) -> None:
    assert trim(f"{NEW}{gap}{HEADER_BLOCKS[client]}{gap}{OLD}\n").reply_text == NEW


@pytest.mark.parametrize("below", ["", f"\n\n{GMAIL}\n{QUOTED}"])
@pytest.mark.parametrize("mark", MOBILE_MARKS)
def test_marks_of_telephones_are_folded(mark: str, below: str) -> None:
    assert trim(f"{NEW}\n\n{mark}\n{below}").reply_text == NEW


@pytest.mark.parametrize("below", ["", f"\n\n{GMAIL}\n{QUOTED}"])
@pytest.mark.parametrize("sign_off", SIGN_OFFS)
def test_sign_offs_are_folded(sign_off: str, below: str) -> None:
    trimmed = trim(f"{NEW}\n\n{sign_off}\n{below}")

    assert trimmed.reply_text == NEW
    assert any(part.kind is Kind.SIGNATURE for part in trimmed.parts)


@pytest.mark.parametrize("disclaimer", DISCLAIMERS)
def test_disclaimers_are_folded(disclaimer: str) -> None:
    trimmed = trim(f"{NEW}\n\nBest regards,\nAnn\n\n{disclaimer}\n")

    assert trimmed.reply_text == NEW
    assert {part.kind for part in trimmed.parts} == {Kind.NEW, Kind.SIGNATURE, Kind.DISCLAIMER}


@pytest.mark.parametrize("name", traps.WHOLE)
def test_words_that_only_look_quoted_stay(name: str) -> None:
    assert trim(traps.WHOLE[name]).reply_text == traps.WHOLE[name]


@pytest.mark.parametrize("name", traps.CUT)
def test_unusual_layouts(name: str) -> None:
    text, expected = traps.CUT[name]

    assert trim(text).reply_text == expected


@pytest.mark.parametrize("client", pages.ANSWERS)
def test_html_structure_of_every_client_is_known(client: str) -> None:
    trimmed = trim_lines(render(pages.ANSWERS[client]))

    assert trimmed.reply_text == pages.NEW
    assert_covered(trimmed)


@pytest.mark.parametrize("name", pages.INLINE)
def test_answers_between_quotations_in_html_keep_what_they_answer(name: str) -> None:
    html, expected = pages.INLINE[name]

    assert trim_lines(render(html)).reply_text == expected


@pytest.mark.parametrize("name", pages.WHOLE)
def test_html_that_only_looks_quoted_stays(name: str) -> None:
    html, expected = pages.WHOLE[name]

    assert trim_lines(render(html)).reply_text == expected


def test_context_is_told_from_new_words() -> None:
    trimmed = trim("> Which colour?\nGreen.\n> How many?\nTwo.\n> Yours")

    assert [part.kind for part in trimmed.parts] == [Kind.CONTEXT, Kind.NEW, Kind.CONTEXT, Kind.NEW, Kind.QUOTE]


def test_sender_name_with_a_dash_is_a_signature() -> None:
    assert trim("It is broken.\n\n- Ann", sender="Ann Smith").reply_text == "It is broken."
    assert trim("It is broken.\n\n- Ann").reply_text == "It is broken.\n\n- Ann"


HOSTILE = {
    "colons": "a:" * 500_000,
    "wrote": "On 1.1.2026 10:00 a@b.c wrote " * 33_000,
    "wrote lines": "On 1.1.2026 10:00 a wrote:\n" * 37_000,
    "angles": "<" * 1_000_000,
    "quote marks": ">" * 1_000_000,
    "quote lines": "> a\n" * 250_000,
    "dashes": "-" * 1_000_000,
    "dash lines": "--\n" * 333_000,
    "from": "From: " * 166_000,
    "from lines": "From: a@b.c\n" * 83_000,
    "labels": "From: a\nTo: b\nfoo\n" * 55_000,
    "spaces": " " * 1_000_000,
    "digits": "1" * 1_000_000,
    "ats": "a@" * 500_000,
    "regards": "Best regards,\n" * 71_000,
    "sent from": "Sent from my " * 76_000,
    "confidential": "this message " * 76_000,
    "original": "--- original message " * 47_000,
    "newlines": "\n" * 1_000_000,
    "one word": "x" * 1_000_000,
    "chinese": "在2026年写道" * 140_000,
    "short lines": "a b c\n" * 166_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_anything_takes_linear_time(name: str) -> None:
    with within(2.5):
        trim(HOSTILE[name])


@given(st.text(alphabet=st.sampled_from(list("ab >\n:-_<>@.,|*1290年写道\uff1aOn wrote From To Subject\xa0"))))
def test_any_text_is_covered_and_never_left_without_words(text: str) -> None:
    trimmed = trim(text)

    assert_covered(trimmed)
    assert bool(trimmed.reply_text.strip()) == bool(text.strip())
