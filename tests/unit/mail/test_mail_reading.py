"""Whole mails: identity, bounds, the tool, and mails that nobody wrote on purpose."""

# ruff: noqa: E501

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.parsed import as_json, parse, parse_date
from channels.mail.tool import main
from tests.pace import within
from tests.payloads.mail import pages
from tests.payloads.mail.builders import file_part, mail, multipart, multipart_mail, part
from tests.payloads.mail.damage import SEEDS, mutated


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_damaged_mails_are_read_without_error(raw: bytes, seed: int) -> None:
    parsed = parse(mutated(raw, seed))

    json.dumps(as_json(parsed), ensure_ascii=False).encode("utf-8")
    assert bool(parsed.reply_text.strip()) == bool(parsed.body_text.strip())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    json.dumps(as_json(parse(raw))).encode("utf-8")


def test_empty_mail() -> None:
    parsed = parse(b"")

    assert (parsed.subject, parsed.body_text, parsed.author.email, parsed.date) == ("", "", "", None)
    assert parsed.stable_id.endswith("@content.invalid>")


def _bomb(depth: int) -> bytes:
    content_type, body = multipart(part("words"), boundary="x0")
    for level in range(1, depth):
        content_type, body = multipart(part(body, content_type), boundary=f"x{level}")
    return mail(body, {"Content-Type": content_type})


def _many_parts() -> bytes:
    body = b"--b\r\n\r\nx\r\n" * 100_000
    return mail(body, {"Content-Type": "multipart/mixed; boundary=b"})


def _same_boundary() -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    return head * 20_000 + b"words"


POISON = {
    "nested 1,000 deep": _bomb(1_000),
    "100,000 parts": _many_parts(),
    "one boundary, 20,000 levels": _same_boundary(),
    "half boundaries": mail(b"\n--b x" * 2_000_000, {"Content-Type": "multipart/mixed; boundary=b"}),
    "header flood": b"X-Flood: 1\r\n" * 1_000_000 + b"\r\nwords",
    "one long header": b"Subject: " + b"=?utf-8?q?a?= " * 500_000 + b"\r\n\r\nwords",
    "many recipients": mail(To=", ".join(f"a{number}@example.org" for number in range(100_000))),
    "half names": mail(From="a, " * 20_000),
    "blanks in a header": mail(Subject="a" + " " * 60_000 + "b"),
    "many references": mail(References=" ".join(f"<{number}@example.org>" for number in range(100_000))),
    "comments": mail(From="(" * 100_000),
    "many parameters": mail(b"x", {"Content-Type": "text/plain" + "; a=b" * 100_000}),
    "continuations": mail(b"x", {"Content-Type": "text/plain" + "".join(f"; a*{n}=b" for n in range(10_000))}),
    "uuencode": mail("begin 644 a\n" * 100_000),
    "calendar": mail("BEGIN:VEVENT\n" * 100_000, {"Content-Type": "text/calendar"}),
    "base64 rubbish": mail(b"=" * 3_000_000, {"Content-Transfer-Encoding": "base64"}),
    "quoted-printable": mail(b"=0D=0A" * 500_000, {"Content-Transfer-Encoding": "quoted-printable"}),
    "a bounce of 5 MB": mail(b"could not be delivered a@b.example\n" * 150_000, From="mailer-daemon@x.example", Subject="failure notice"),
    "25 MB of lines": mail(b"a line of words, nothing else\r\n" * 800_000),
}  # fmt: skip


@pytest.mark.parametrize("name", POISON)
def test_poison_is_read_in_bounded_time(name: str) -> None:
    with within(4):
        parse(POISON[name])


def test_25_megabytes_of_attachment_take_little_time_and_memory() -> None:
    raw = multipart_mail(part("see the film"), file_part(bytes(18_000_000), "video/mp4", "film.mp4"))
    tracemalloc.start()
    with within(2):
        parsed = parse(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (parsed.attachments[0].size, parsed.body_text) == (18_000_000, "see the film")
    assert peak < 4 * len(raw)


def test_the_mail_behind_a_bomb_is_read() -> None:
    parse(POISON["nested 1,000 deep"])

    assert parse(mail("fine")).body_text == "fine"


def test_defects_are_told() -> None:
    assert parse(POISON["nested 1,000 deep"]).defects == ("nested too deep",)
    assert "too many parts" in parse(POISON["100,000 parts"]).defects


def test_one_mail_in_two_mailboxes_is_one() -> None:
    first = mail("Hello.\r\n")
    second = b"Received: from a by b\r\nDelivered-To: sales@example.com\r\n" + mail("Hello.\n\n").replace(
        b"\r\n", b"\n"
    )
    encoded = mail(b"SGVsbG8uCg==", {"Content-Transfer-Encoding": "base64"})

    assert len({parse(raw).dedupe_key for raw in (first, second, encoded)}) == 1


def test_two_mails_with_one_message_id_are_two() -> None:
    assert parse(mail("One.")).dedupe_key != parse(mail("Two.")).dedupe_key


@pytest.mark.parametrize("message_id", ["", "<>", "garbage", "<@>", "<localhost>"])
def test_missing_message_id_is_made_from_the_content(message_id: str) -> None:
    parsed = parse(mail(Message_ID=message_id))
    again = parse(b"Received: from x\r\n" + mail(Message_ID=message_id))

    assert parsed.message_id == ""
    assert parsed.stable_id == again.stable_id
    assert parse(mail("Other.", Message_ID=message_id)).stable_id != parsed.stable_id


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("Mon, 16 Nov 2026 09:41:00 +0100", "2026-11-16T09:41:00+01:00"),
        ("16 Nov 2026 09:41 GMT", "2026-11-16T09:41:00+00:00"),
        ("Mon, 16 Nov 2026 09:41:00 +0100 (CET)", "2026-11-16T09:41:00+01:00"),
        ("Mon, 16 Nov 26 09:41:00 EST", "2026-11-16T09:41:00-05:00"),
        ("Mon, 31 Feb 2026 09:41:00 +0100", None),
        ("yesterday", None),
        ("", None),
        ("Mon, 16 Nov 2026 09:41:00 +99999999", None),
    ],
)
def test_dates(value: str, iso: str | None) -> None:
    found = parse_date(value)

    assert (found.isoformat() if found else None) == iso or value.endswith("9999")


def test_structure_of_html_beats_plain_text_that_lost_it() -> None:
    plain = "Thank you, the lamp came.\n\nIt is broken.\n\nQapla' tlhIngan jatlh\nDear customer,\n\nyour lamp was sent."
    page = pages.ANSWERS["gmail in a language nobody knows"]
    parsed = parse(multipart_mail(part(plain), part(page, "text/html; charset=utf-8"), kind="alternative"))

    assert parsed.body_text == plain
    assert parsed.reply_text == pages.NEW


def test_tool_reads_a_file_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(mail("Hello."))
    by_name, by_input = io.StringIO(), io.StringIO()

    assert main([str(path)], io.BytesIO(), by_name) == 0
    assert main(["-"], io.BytesIO(mail("Hello.")), by_input) == 0
    assert json.loads(by_name.getvalue()) == json.loads(by_input.getvalue()) == as_json(parse(mail("Hello.")))


def test_tool_streams_and_survives_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("Größe"))
    out = io.StringIO()

    assert (
        main(["--stream"], io.BytesIO(f"{tmp_path}/a.eml\n\n{tmp_path}/none.eml\n{tmp_path}/a.eml\n".encode()), out)
        == 0
    )

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.get("body_text") for line in lines] == ["Größe", None, "Größe"]
    assert "FileNotFoundError" in lines[1]["error"]


@pytest.mark.parametrize("argv", [[], ["a", "--stream"], ["--nothing"]])
def test_tool_refuses_misuse(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv, io.BytesIO(), io.StringIO()) == 2
    assert "usage" in capsys.readouterr().err


def test_tool_says_what_cannot_be_read(tmp_path: Path) -> None:
    told = io.StringIO()

    assert main([str(tmp_path / "none.eml")], io.BytesIO(), io.StringIO(), told) == 1
    assert "none.eml" in told.getvalue()
