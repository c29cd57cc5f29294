"""The grammar of the demo's IMAP server: whatever a client sends is read as RFC 3501 says, or refused as malformed."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.simulator.post.grammar import (
    Malformed,
    Word,
    chosen,
    folder_name,
    literal,
    literal_length,
    quoted,
    shown_name,
    words,
)
from channels.simulator.post.office import Stored
from channels.simulator.post.parts import envelope, section, structure
from channels.simulator.post.picking import Picker
from channels.simulator.post.selected import flags_of
from tests.payloads.mail.builders import mail

READ: dict[bytes, list[Word]] = {
    b"a1 NOOP": [b"a1", b"NOOP"],
    b'a LOGIN "ann smith" "a\\"b\\\\c"': [b"a", b"LOGIN", b"ann smith", b'a"b\\c'],
    b"a LOGIN {3}\r\nann {0}\r\n": [b"a", b"LOGIN", b"ann", b""],
    b"a LOGIN {4+}\r\n) (\x00 x": [b"a", b"LOGIN", b") (\x00", b"x"],
    b"a FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.10>)": [
        *(b"a", b"FETCH", b"1:*"),
        [b"UID", b"BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.10>"],
    ],
    b'a STATUS "" (MESSAGES (X))': [b"a", b"STATUS", b"", [b"MESSAGES", [b"X"]]],
}
UNREADABLE = (
    b'a LOGIN "ann',
    b'a "\\',
    b"a LOGIN {9}\r\nann",
    b"a (",
    b"a )",
    b"a FETCH 1 BODY[",
    b"(" * 40 + b")" * 40,
)


@pytest.mark.parametrize("command", READ)
def test_command_is_divided_into_words(command: bytes) -> None:
    assert words(command) == READ[command]


@pytest.mark.parametrize("command", UNREADABLE)
def test_command_without_an_end_is_malformed(command: bytes) -> None:
    with pytest.raises(Malformed):
        words(command)


def put(word: Word) -> bytes:
    if isinstance(word, bytes):
        return literal(word) if b"\x00" in word or not word.isascii() else quoted(word)
    return b"(" + b" ".join(put(one) for one in word) + b")"


nested: st.SearchStrategy[Word] = st.recursive(st.binary(max_size=600), lambda inner: st.lists(inner, max_size=4))


@given(st.lists(nested, max_size=5))
def test_what_is_written_by_the_rules_is_read_back(said: list[Word]) -> None:
    assert words(b" ".join(put(one) for one in said)) == said


@given(st.binary(max_size=200) | st.text('()[]{}"\\+ ab1\r\n', max_size=60).map(str.encode))
def test_nothing_is_worse_than_malformed(command: bytes) -> None:
    with contextlib.suppress(Malformed):
        words(command)
    with contextlib.suppress(Malformed):
        folder_name(command)


def test_literal_at_the_end_of_a_line_is_announced() -> None:
    assert literal_length(b"a LOGIN {3}\r\n") == (3, True)
    assert literal_length(b"a LOGIN {30+}\r\n") == (30, False)
    assert literal_length(b"a LOGIN {3} x\r\n") is None
    assert literal_length(b"a LOGIN {-3}\r\n") is None


def test_sets_of_numbers_mean_those_that_are_there() -> None:
    known = [2, 3, 5, 9]
    meant = {b"1": set(), b"2": {2}, b"*": {9}, b"4:*": {5, 9}, b"*:4": {5, 9}, b"9:3,2": {2, 3, 5, 9}, b"20:*": {9}}
    assert {text: chosen(text, known) for text in meant} == meant
    assert chosen(b"1:*", []) == set()
    for wrong in (b"", b"0", b"a", b"1:", b":1", b"1,,2", b"-1", b"1:2:3", b"9" * 11, "²".encode()):
        with pytest.raises(Malformed):
            chosen(wrong, known)


def test_folder_names_are_in_modified_utf_7() -> None:
    assert folder_name(b"~peter/mail/&U,BTFw-/&ZeVnLIqe-") == "~peter/mail/台北/日本語"
    assert shown_name("Entwürfe & mehr") == b'"Entw&APw-rfe &- mehr"'
    for wrong in (b"&A-", b"&2D3c-&!-", b"\xff", [b"a"]):
        with pytest.raises(Malformed):
            folder_name(wrong)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_folder_names_come_back(name: str) -> None:
    (word,) = words(shown_name(name))
    assert folder_name(word) == name


def test_flags_are_flags() -> None:
    assert flags_of([[b"\\seen", b"$Forwarded"]]) == {"\\Seen", "$Forwarded"}
    for wrong in ([[b"\\Se en"]], [[[b"x"]]], [b'"'], [b"\xff"]):
        with pytest.raises(Malformed):
            flags_of(wrong)


# -- one mail

RAW = (
    b"From: =?utf-8?q?Li_Wei?= <li@customer.example>\r\nTo: a@b.example, Ann <ann@b.example>\r\n"
    b"Subject: A tent\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@customer.example>\r\n"
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b'--x\r\nContent-Type: text/csv; name="a.csv"\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n1,2\r\n'
    b"--x--\r\n"
)
SECTIONS = {
    b"": RAW,
    b"HEADER": RAW[: RAW.index(b"\r\n\r\n") + 4],
    b"HEADER.FIELDS (Subject DATE)": b"Subject: A tent\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\n\r\n",
    b"1": b"Hello",
    b"2": b"1,2",
    b"2.MIME": b'Content-Type: text/csv; name="a.csv"\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n',
    b"3": b"",
}


@pytest.mark.parametrize("name", SECTIONS)
def test_section_of_a_mail(name: bytes) -> None:
    assert section(RAW, name) == SECTIONS[name]


def test_unknown_section_is_malformed() -> None:
    for wrong in (b"BODY", b"HEADER.FIELDS", b"1.2.X"):
        with pytest.raises(Malformed):
            section(RAW, wrong)


def test_envelope_and_structure_are_words_again() -> None:
    (told,) = words(envelope(RAW))
    assert isinstance(told, list)
    assert told[:2] == [b"Mon, 2 Feb 2026 10:00:00 +0000", b"A tent"]
    assert told[2] == [[b"=?utf-8?q?Li_Wei?=", b"NIL", b"li", b"customer.example"]]
    assert told[-1] == b"<1@customer.example>"
    (parts,) = words(structure(RAW))
    assert isinstance(parts, list)
    assert parts[0][:2] == [b"TEXT", b"PLAIN"]
    assert parts[1][:3] == [b"TEXT", b"CSV", [b"NAME", b"a.csv"]]
    assert parts[1][6] == b"3"
    assert parts[2] == b"MIXED"


@given(st.binary(max_size=300), st.sampled_from([b"", b"HEADER", b"TEXT", b"1", b"1.2.MIME", b"2.HEADER"]))
def test_any_mail_has_sections_an_envelope_and_a_structure(noise: bytes, name: bytes) -> None:
    for raw in (noise, mail(noise), RAW.replace(b"Hello", noise)):
        section(raw, name)
        assert len(words(envelope(raw))) == 1
        assert len(words(structure(raw))) == 1


# -- SEARCH


def at(day: int) -> float:
    return datetime(2026, 2, day, 12, tzinfo=UTC).timestamp()


VIEW = [
    Stored(11, RAW, at(3), {"\\Seen"}),
    Stored(12, mail("The tent leaks", {"Subject": "Leak", "From": "bo@x.example"}), at(4), {"\\Flagged", "later"}),
    Stored(17, mail("Thanks", {"Subject": "Re: Leak", "Cc": "li@customer.example"}), at(5), set()),
]
FOUND = {
    b"ALL": [11, 12, 17],
    b"UNSEEN": [12, 17],
    b"SEEN": [11],
    b"KEYWORD later": [12],
    b"UNKEYWORD later": [11, 17],
    b"NOT FLAGGED": [11, 17],
    b"OR SEEN FLAGGED": [11, 12],
    b"OR (UNSEEN FLAGGED) NOT ALL": [12],
    b"UID 12:*": [12, 17],
    b"2:3 UNFLAGGED": [17],
    b"SINCE 4-Feb-2026": [12, 17],
    b"BEFORE 4-Feb-2026": [11],
    b"ON 5-Feb-2026": [17],
    b"SENTON 2-Feb-2026": [11],
    b"SUBJECT leak": [12, 17],
    b"FROM bo": [12],
    b"HEADER Cc customer": [17],
    b'HEADER Message-ID "<1@customer"': [11],
    b"BODY leaks": [12],
    b"TEXT tent": [11, 12],
    b"CHARSET UTF-8 SUBJECT leak UNSEEN": [12, 17],
    b"SMALLER 300": [12, 17],
}


@pytest.mark.parametrize("keys", FOUND)
def test_search_finds(keys: bytes) -> None:
    assert [one.uid for _, one in Picker(words(keys), VIEW).picked()] == FOUND[keys]


@pytest.mark.parametrize(
    "keys", [b"", b"NOT", b"OR SEEN", b"SINCE today", b"LARGER x", b"SUBJECT", b"SUBJECT (a)", b"ANYTHING", b"UID x"]
)
def test_search_that_says_nothing_is_malformed(keys: bytes) -> None:
    if not keys:
        assert len(Picker([], VIEW).picked()) == len(VIEW)
        return
    with pytest.raises(Malformed):
        Picker(words(keys), VIEW).picked()


KEYS = [*b" ".join(FOUND).split(b" "), b"(", b")", b"9:", b"\xff"]


@given(st.lists(st.sampled_from(KEYS), max_size=8).map(b" ".join))
def test_no_search_is_worse_than_malformed(keys: bytes) -> None:
    with contextlib.suppress(Malformed):
        Picker(words(keys), VIEW).picked()
