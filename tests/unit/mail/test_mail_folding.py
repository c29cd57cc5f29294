"""The new words as HTML: what is folded is gone, what is shown keeps its looks, nothing is left open."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.folding import fold, prune
from channels.mail.markup import sanitize
from channels.mail.parsed import as_json, parse
from channels.mail.rendering import render
from channels.mail.trimming import trim_lines
from tests.pace import within
from tests.payloads.mail import pages
from tests.payloads.mail.builders import mail
from tests.payloads.mail.layouts import TONGUES, page_cases

HTML = {"Content-Type": "text/html; charset=utf-8"}


def words(html: str) -> str:
    """The text of a page without marks and gaps."""
    return "".join(line.text for line in render(html)).replace(" ", "")


def new_html(html: str) -> str:
    return parse(mail(html, HTML)).new_html().html


@pytest.mark.parametrize("client", pages.ANSWERS)
def test_only_the_new_words_are_left(client: str) -> None:
    assert words(new_html(pages.ANSWERS[client])) == "Thankyou,thelampcame.Itisbroken."


@pytest.mark.parametrize("language", TONGUES)
def test_only_the_new_words_of_every_language_are_left(language: str) -> None:
    missed = [case.name for case in page_cases(language) if words(new_html(case.mail)) != "".join(case.new.split())]

    assert missed == []


def test_looks_stay_and_empty_elements_go() -> None:
    page = '<div style="color:red"><b>Yes</b>, please.</div><div class="gmail_quote"><blockquote>No?</blockquote></div>'

    assert new_html(page) == '<div style="color:red"><b>Yes</b>, please.</div>'


def test_pictures_stay_with_the_words_above_them() -> None:
    page = (
        '<div>It is broken:<br><img src="cid:photo"></div><div id="Signature">Ann<br><img src="cid:logo"></div>'
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Bob</div><p>old<img src="cid:old">'
    )

    assert new_html(page) == '<div>It is broken:<br><img src="cid:photo"></div>'


def test_preformatted_mail_is_cut_between_its_lines() -> None:
    page = "<pre>Yes &lt;please&gt;.\n\nOn 16 Nov 2026 at 09:41, Ann &lt;a@example.org&gt; wrote:\n&gt; No?\n</pre>"

    assert new_html(page).split() == ["<pre>Yes", "&lt;please&gt;.</pre>"]


def test_what_nobody_answered_is_shown_whole() -> None:
    page = '<div class="gmail_quote"><blockquote class="gmail_quote">old</blockquote></div>'

    assert fold(page).new_html is None
    assert new_html(page) == "<div><blockquote>old</blockquote></div>"


def test_quoted_words_that_are_answered_stay() -> None:
    html, _ = pages.INLINE["gmail"]

    assert words(new_html(html)) == "Whichcolour?Green.Howmany?Two."


def test_the_tool_tells_both_and_the_parts() -> None:
    printed = as_json(parse(mail(pages.ANSWERS["gmail"], HTML)))

    assert "your lamp was sent" in str(printed["html_safe"])
    assert "your lamp was sent" not in str(printed["body_html_new"])
    assert isinstance(printed["parts"], list)
    assert [part["kind"] for part in printed["parts"]] == ["new", "attribution", "quote"]


def balanced(html: str) -> bool:
    """Whether every element that opens also closes, innermost first."""
    waiting: list[str] = []
    for closing, name in re.findall(r"<(/?)([a-z][a-z0-9]*)(?:[^<>\"]|\"[^\"]*\")*>", html):
        if name in {"br", "hr", "img", "col", "wbr"}:
            continue
        if not closing:
            waiting.append(name)
        elif not waiting or waiting.pop() != name:
            return False
    return not waiting


PIECES = st.lists(
    st.sampled_from(
        ["<div>", "</div>", "<blockquote type=cite>", "</blockquote>", "<div class=gmail_quote>", "<b>", "</b>",
         "<pre>", "</pre>", "<table><tr><td>", "</td></tr></table>", "<br>", "<hr>", "<img src=cid:a>", "words",
         "On 1.1.2026 10:00 a@b.cd wrote:", "&nbsp;", "> x\n", "-- ", "Best regards,<br>Ann", "<p>", "</p>",
         "<a title='>'>", "\n", "<div id=divRplyFwdMsg>"]
    ),
    max_size=40,
)  # fmt: skip


@given(PIECES)
def test_any_page_is_folded_into_a_sound_one(pieces: list[str]) -> None:
    page = "".join(pieces)
    shown = new_html(page)

    assert balanced(shown)
    # A parser drops the line feed that stands first in a pre.
    assert sanitize(shown).html == re.sub("(<pre>)\n", r"\1", shown.strip())
    reply = trim_lines(render(page)).reply_text
    assert bool(reply.strip()) <= bool(shown)


@pytest.mark.parametrize("piece", ["<div>", "<p>x", "<blockquote>", "<b></b>", "<br>", '<a title=">">', "x<hr>"])
def test_pruning_is_linear(piece: str) -> None:
    page = sanitize(piece * 900).html * 200
    with within(2.5):
        prune(page[:1_000_000])
