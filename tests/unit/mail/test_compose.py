"""Mails that we write: whatever is in the words, two readers find the same fields, and nothing else."""

# ruff: noqa: RUF001

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail import writing
from channels.mail.charsets import clean
from channels.mail.compose import Composed, Letterhead, compose
from channels.mail.parsed import ParsedMail, Reading, parse
from channels.mail.phrasing import FORWARDED, WROTE, answer_subject, duration
from channels.mail.references import own_message
from channels.mail.templates import Templates, as_html
from channels.mail.threads import read_reply_address, verify_reply_address
from channels.mail.writing import Unaddressable, mailable
from hub.contract import OutboundFile, OutboundMessage
from hub.domain.correspondence import Party, Quoted, Spoken
from hub.domain.errors import MessageRejected
from tests.meta.source import ROOT

KEY = b"k" * 32
BOX = Letterhead(address="help@example.test", key=KEY, name="Example Support")
LI = Party("li@customer.test", "Li Wei")
TEMPLATES = Templates(ROOT / "templates")
AT = 1_767_225_600_000


def letter(**more: Any) -> OutboundMessage:
    fields: dict[str, Any] = {
        "id": "o1", "interaction": "i1", "n": 2, "provider_id": BOX.message_id("o1"), "attempt": 1, "at": AT,
        "to": (LI,), "sender": "Ann", "subject": "Re: Tent", "text": "It comes tomorrow.", "language": "en",
    }  # fmt: skip
    return OutboundMessage(**(fields | more))


def made(**more: Any) -> Composed:
    return compose(letter(**more), BOX, TEMPLATES)


def stdlib(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def ours(content: bytes) -> ParsedMail:
    return parse(content, Reading(signing_keys=(KEY,)))


def head(content: bytes) -> str:
    return content.partition(b"\r\n\r\n")[0].decode()


def names(content: bytes) -> list[str]:
    """The names of all fields of the head, in order."""
    unfolded = re.sub(r"\r\n[ \t]", " ", head(content))
    return [line.partition(":")[0] for line in unfolded.split("\r\n")]


USUAL = ["Date", "From", "To", "Reply-To", "Subject", "Message-ID", "Content-Language", "MIME-Version", "Content-Type"]


def test_a_letter_says_who_to_whom_and_what() -> None:
    content = made(cc=(Party("boss@customer.test"),), bcc=(Party("audit@example.com", "Audit"),)).content
    mail = stdlib(content)
    assert mail["From"] == '"Ann (Example Support)" <help@example.test>'
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == ("Li Wei <li@customer.test>", "boss@customer.test", None)
    assert mail["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    assert mail["Auto-Submitted"] is None
    assert b"audit" not in content.lower()
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "It comes tomorrow.\n"
    assert names(content) == [*USUAL[:3], "Cc", *USUAL[3:]]


def test_blind_copies_are_on_the_envelope_alone() -> None:
    composed = made(bcc=(Party("audit@example.com"),))
    assert [wire for _, wire in composed.recipients] == ["li@customer.test", "audit@example.com"]
    assert b"audit" not in composed.content


def test_only_those_who_lack_it_get_it_again() -> None:
    composed = made(cc=(Party("boss@customer.test"),), pending=("boss@customer.test",))
    assert composed.recipients == (("boss@customer.test", "boss@customer.test"),)
    assert stdlib(composed.content)["To"] == "Li Wei <li@customer.test>"


def test_each_try_makes_the_same_bytes() -> None:
    assert made(attempt=1).content == made(attempt=7).content


def test_names_and_reply_address_are_signed() -> None:
    mail = ours(made().content)
    assert own_message([KEY], mail.message_id) == "o1"
    address = mail.reply_to[0].email
    found = read_reply_address(address)
    assert found is not None
    assert verify_reply_address([KEY], found, ["li@customer.test"]) == "li@customer.test"
    assert verify_reply_address([b"other" * 8], found, ["li@customer.test"]) == ""
    assert BOX.owns(address)
    plain = Letterhead(address="help@example.test", key=KEY, has_plus=False)
    assert stdlib(compose(letter(), plain, TEMPLATES).content)["Reply-To"] is None


@pytest.mark.parametrize(("mode", "submitted"), [("acknowledgement", "auto-replied"), ("transcript", "auto-generated")])
def test_machines_say_that_they_are(mode: str, submitted: str) -> None:
    mail = ours(made(mode=mode, is_automatic=True).content)
    assert mail.headers.raw("auto-submitted") == submitted
    assert (mail.machine.is_auto_reply, mail.machine.must_not_answer) == (True, True)
    assert not ours(made().content).machine.must_not_answer


# -- hostile words

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\r\n\x00\t =?\"\\<>,;:@()[]\u202e\u2066\u200f\u2028\x85\x1b\x7f\ud800"),
        st.characters(),
        st.sampled_from("abc äöü 中文 ☃ 🎪"),
    ),
    max_size=120,
) | st.sampled_from(
    [
        "x\r\nBcc: eve@evil.test", "x\n\nbody", "=?utf-8?q?Bcc:_a?=", "=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLnRlc3Q=?=",
        "a" * 2_000, "=?", "?=", "\x00", "\"", "\\", "ä" * 300, "a " * 500, "x\u2028Bcc: a@b",
        "=?utf-8?q?a?= =?utf-8?q?b?=",
    ]
)  # fmt: skip


@given(HOSTILE)
@settings(max_examples=400, deadline=None)
def test_any_subject_stays_one_field_and_reads_the_same(subject: str) -> None:
    content = made(subject=subject).content
    wanted = writing.one_line(subject)
    assert names(content) == USUAL if wanted else [name for name in USUAL if name != "Subject"]
    assert ours(content).subject == wanted
    assert str(stdlib(content)["Subject"] or "") == wanted
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert head(content).isascii()


@given(HOSTILE)
@settings(max_examples=400, deadline=None)
def test_any_name_names_the_same_person_and_nobody_else(name: str) -> None:
    content = made(to=(Party("li@customer.test", name),)).content
    assert names(content) == USUAL
    wanted = writing.one_line(name)[: writing.MAX_NAME].strip()
    (read,) = ours(content).to
    edges = " ,;'\""  # the reader takes these off a name's ends
    assert (read.email, read.name.strip(edges)) == ("li@customer.test", wanted.strip(edges))
    (theirs,) = stdlib(content)["To"].addresses
    # The standard library leaves blanks between the encoded words of a long name, which RFC 2047 (6.2) takes away.
    assert (theirs.addr_spec, theirs.display_name.replace(" ", "")) == ("li@customer.test", wanted.replace(" ", ""))


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_any_address_is_one_address_or_refused(address: str) -> None:
    for spelled in (address, f"{address}@customer.test", f"li@{address}"):
        try:
            composed = made(to=(Party(spelled),))
        except MessageRejected:
            continue
        (pair,) = composed.recipients
        assert not re.search(r"[\x00-\x20\x7f<>,;\r\n]", pair[1])
        (read,) = ours(composed.content).to
        assert read.email.lower().strip("'") == pair[1].lower().strip("'")
        assert names(composed.content) == USUAL


@given(HOSTILE, st.binary(max_size=300), st.sampled_from(["text/plain", "image/png", "x\r\ny/z", "message/rfc822", ""]))
@settings(max_examples=300, deadline=None)
def test_any_file_has_one_name_and_its_own_bytes(name: str, content: bytes, kind: str) -> None:
    part = writing.file_part(name, kind, content)
    mail = b"MIME-Version: 1.0\r\n" + writing.multipart(
        "mixed", [writing.text_part("plain", "x"), part], "=_m_boundary"
    )
    (theirs,) = list(stdlib(mail).iter_attachments())
    shown = theirs.get_filename()
    assert shown
    assert not re.search(r"[\x00-\x1f/\\\u202e]", shown)
    (read,) = ours(mail).attachments
    assert read.filename.startswith(shown[:40])  # a mail is called .eml when it is read
    if theirs.get_content_type() != "message/rfc822":
        assert read.content == theirs.get_payload(decode=True) == content


@given(HOSTILE, HOSTILE)
@settings(max_examples=200, deadline=None)
def test_any_words_arrive_as_written(text: str, quoted: str) -> None:
    composed = made(text=text, quoted=Quoted(sender=Party("eve@evil.test", quoted), subject=quoted, text=quoted, at=AT))
    assert names(composed.content) == USUAL
    mail = stdlib(composed.content)
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    wanted = [line for line in clean(text).splitlines() if line.strip()]
    assert all(line.strip() in plain.get_content() for line in wanted)
    assert not re.search(r"<script|<[^>]*\son\w+=", page.get_content(), re.IGNORECASE)


# -- addresses beyond ASCII


@pytest.mark.parametrize(
    ("address", "wire", "is_utf8"),
    [
        ("li@客户.test", "li@xn--ubt06m.test", False),
        ("li@straße.test", "li@xn--strae-oqa.test", False),
        ("李@example.test", "李@example.test", True),
        ("Li.Wei@Example.TEST", "Li.Wei@example.test", False),
    ],
)
def test_addresses_of_the_world(address: str, wire: str, is_utf8: bool) -> None:
    assert mailable(address) == writing.Mailable(wire, is_utf8)
    composed = made(to=(Party(address, "Li"),))
    assert (composed.recipients, composed.is_utf8) == (((address, wire),), is_utf8)
    (read,) = ours(composed.content).to
    assert read.email == wire


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "@b.test", "a@", "a b@c.test", "a@b@c.test", '"a b"@c.test', "a@[1.2.3.4]", "a@b.test>", "a@-b.test",
        "a@b..test", "x" * 65 + "@b.test", "a@" + "b" * 64,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Unaddressable):
        mailable(address)


# -- threads


def test_references_fold_and_long_threads_are_trimmed() -> None:
    ids = [f"<{number:04}.{'x' * 60}@customer.test>" for number in range(60)]
    content = made(in_reply_to=ids[-1], references=tuple(ids)).content
    mail = ours(content)
    assert mail.in_reply_to == ids[-1]
    assert (mail.references[0], mail.references[-3:]) == (ids[0], tuple(ids[-3:]))
    value = re.sub(r"\r\n[ \t]", " ", head(content)).split("References: ")[1].split("\r\n")[0]
    assert len("References: " + value) <= 998
    assert all(len(line) <= 320 for line in head(content).split("\r\n"))
    injected = made(references=("<a@b.test>", "<x@y>\r\nBcc: eve@evil.test", "nonsense")).content
    assert ours(injected).references == ("<a@b.test>",)
    assert "Bcc" not in names(injected)


@pytest.mark.parametrize(
    ("subject", "mode", "answer"),
    [
        ("Tent", "reply", "Re: Tent"), ("Re: Tent", "reply", "Re: Tent"), ("AW: Tent", "reply", "Re: Tent"),
        ("回复：帐篷", "reply", "Re: 帐篷"), ("RE[2]: Tent", "reply", "Re: Tent"),
        ("SV: Re: VS: Tält", "reply_all", "Re: Tält"),
        ("Re: Tent", "forward", "Fwd: Tent"), ("WG: Zelt", "forward", "Fwd: Zelt"),
        ("转发：帐篷", "forward", "Fwd: 帐篷"),
        ("", "reply", "Re:"), ("Regarding: Tent", "reply", "Re: Regarding: Tent"),
    ],
)  # fmt: skip
def test_marks_are_never_doubled(subject: str, mode: str, answer: str) -> None:
    assert answer_subject(subject, mode) == answer


def test_the_answered_words_are_quoted_and_found_again() -> None:
    quoted = Quoted(sender=LI, at=AT, subject="Tent", text="Where is it?\n> older")
    for language in ("en", "zh", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "tr", "ja", "ko"):
        mail = ours(made(language=language, quoted=quoted, signature="Ann").content)
        assert mail.reply_text.strip() == "It comes tomorrow.", language
        assert "> Where is it?\n>> older" in mail.body_text


def test_a_forward_shows_whose_it_was_and_answers_nobody() -> None:
    quoted = Quoted(
        sender=LI, at=AT, subject="Tent", to=(Party("help@example.test"),), text="Where?",
        html='<p onclick="x()">Where?<script>alert(1)</script><img src="https://t.test/p.png"></p>',
    )  # fmt: skip
    content = made(mode="forward", quoted=quoted).content
    mail = ours(content)
    assert (
        "From: Li Wei <li@customer.test>\nDate: 2026-01-01 00:00 UTC\nSubject: Tent\nTo: help@example.test"
        in mail.body_text
    )
    assert (mail.in_reply_to, mail.references) == ("", ())
    assert not re.search(r"script|onclick|t\.test", mail.html)


def test_files_travel_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "f1"
    path.write_bytes(b"%PDF-1.4 \x00\xff")
    eml = tmp_path / "f2"
    eml.write_bytes(b"Subject: inner\r\n\r\nwords\r\n")
    files = (
        OutboundFile(name="Rücksendung 标签.pdf", type="application/pdf", size=11, path=path),
        OutboundFile(name="mail.eml", type="message/rfc822", size=25, path=eml),
    )
    mail = ours(made(files=files).content)
    assert [(file.filename, file.content_type) for file in mail.attachments] == [
        ("Rücksendung 标签.pdf", "application/pdf"), ("mail.eml", "message/rfc822"),
    ]  # fmt: skip
    assert mail.attachments[0].content == path.read_bytes()
    path.unlink()
    with pytest.raises(MessageRejected):
        made(files=files)


# -- templates


LANGUAGES = ("en", "zh", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "tr", "ja", "ko")


@pytest.mark.parametrize("language", [*LANGUAGES, "xx", ""])
@pytest.mark.parametrize("is_open", [True, False])
def test_acknowledgements_render(language: str, is_open: bool) -> None:
    text = TEMPLATES.acknowledgement(
        language,
        name="Li",
        subject="Tent",
        company="Example",
        is_open=is_open,
        opens_at="2026-01-02 09:00",
        answer="4 h",
    )
    assert "Example" in text
    assert "Tent" in text
    assert ("4 h" in text) is is_open
    assert ("2026-01-02 09:00" in text) is not is_open


def test_what_is_put_around_words_is_there_in_every_language() -> None:
    assert set(WROTE) == set(FORWARDED) == set(LANGUAGES)
    english = {duration(seconds, "en") for seconds in (600, 7_200, 172_800)}
    for language in set(LANGUAGES) - {"en"}:
        assert not english & {duration(seconds, language) for seconds in (600, 7_200, 172_800)} - {"10 minutes"}


def test_every_template_is_rendered_here() -> None:
    found = {path.name for path in (ROOT / "templates" / "mail").iterdir()}
    languages = {f"acknowledgement.{language}.txt.j2" for language in LANGUAGES}
    assert found == {"letter.txt.j2", "letter.html.j2", "transcript.txt.j2", "transcript.html.j2", *languages}


def test_a_transcript_shows_what_was_said() -> None:
    said = (
        Spoken(at=AT, author="customer", name="Li", text="Hello <b>you</b>", files=("a.png",)),
        Spoken(at=AT, author="system", text="Ann joined."),
    )
    mail = ours(made(mode="transcript", transcript=said, text="", is_automatic=True).content)
    assert "[2026-01-01 00:00 UTC] Li: Hello <b>you</b> [a.png]\n[2026-01-01 00:00 UTC] Ann joined." in mail.body_text
    assert "&lt;b&gt;" in mail.html


def test_links_work_and_markup_does_not() -> None:
    assert str(as_html('See https://a.test/x?a=1&b=2. <script>"')) == (
        '<p style="margin:0 0 1em">See <a href="https://a.test/x?a=1&amp;b=2">https://a.test/x?a=1&amp;b=2</a>. '
        "&lt;script&gt;&#34;</p>"
    )


def test_texts_of_the_configuration_cannot_reach_out() -> None:
    assert TEMPLATES.check("{{ agent }") != ""
    with pytest.raises(Exception, match="unsafe"):
        TEMPLATES.render_text("{{ ''.__class__.__mro__ }}")


@pytest.mark.parametrize(
    "value", ["x\r\nBcc: eve@evil.test", "x\nBcc: e", "x\rBcc: e", "x\r\n\r\nwords", "x\r\n ", "x\x00"]
)
def test_no_value_ends_its_field_wherever_it_came_from(value: str) -> None:
    with pytest.raises(ValueError, match="more than one field"):
        writing.field("Message-ID", value)
    assert writing.field("References", "<a@b>\r\n <c@d>") == b"References: <a@b>\r\n <c@d>\r\n"
