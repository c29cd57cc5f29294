"""Structure, bodies, attachments: what is a mail's words and what its files."""

import struct

import pytest

from channels.mail.filenames import clean_filename, sniff, unique_filename
from channels.mail.invitations import read_invitation
from channels.mail.parsed import ParsedMail, as_json, parse
from channels.mail.tnef import unpack
from tests.payloads.mail.builders import file_part, mail, multipart_mail, nested, part

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
HTML = "text/html; charset=utf-8"


def names(parsed: ParsedMail) -> list[tuple[str, str, int]]:
    """What a list of attachments shows."""
    return [(file.filename, file.content_type, file.size) for file in parsed.attachments]


def test_plain_mail() -> None:
    parsed = parse(mail("Where is my lamp?\n"))

    assert as_json(parsed) == {
        "subject": "Lamp",
        "from_email": "ann@example.org",
        "from_name": "Ann Smith",
        "to": ["support@example.com"],
        "cc": [],
        "date": "2026-11-16T09:41:00+01:00",
        "message_id": "<1@example.org>",
        "in_reply_to": "",
        "references": [],
        "body_text": "Where is my lamp?",
        "reply_text": "Where is my lamp?",
        "html_safe": "",
        "body_html_new": "",
        "parts": [{"kind": "new", "text": "Where is my lamp?"}],
        "attachments": [],
        "is_auto_reply": False,
        "must_not_answer": False,
        "is_bounce": False,
        "bounce": None,
        "thread_evidence": [{"kind": "subject", "value": "lamp", "strength": "weak"}],
        "remote_images": 0,
        "report": None,
        "authenticity": {"verdict": "none", "spf": "", "dkim": "", "dmarc": "", "source": "", "remarks": []},
        "invitations": [],
        "machine_evidence": [],
        "defects": [],
    }


def test_alternative_gives_both_readings_of_the_same_words() -> None:
    parsed = parse(multipart_mail(part("plain"), part("<p>rich</p>", HTML), kind="alternative"))

    assert (parsed.body_text, parsed.safe_html.html) == ("plain", "<p>rich</p>")


def test_html_only_is_read_as_text() -> None:
    parsed = parse(mail("<p>One</p><p>Two &amp; three</p>", {"Content-Type": HTML}))

    assert parsed.body_text == "One\n\nTwo & three"


def test_html_charset_from_its_own_meta_tag() -> None:
    body = '<meta charset="windows-1251"><p>Где мой заказ</p>'.encode("cp1251")

    assert parse(mail(body, {"Content-Type": "text/html"})).body_text == "Где мой заказ"


def test_stub_text_beside_html_is_not_the_body() -> None:
    stub = part("This is an HTML mail, please use a client that can view it.")
    parsed = parse(multipart_mail(stub, part("<p>The real words</p>", HTML), kind="alternative"))

    assert parsed.body_text == "The real words"


def test_words_around_a_file_are_one_text() -> None:
    parsed = parse(multipart_mail(part("before"), file_part(PNG, "image/png", "a.png"), part("after")))

    assert parsed.body_text == "before\nafter"
    assert names(parsed) == [("a.png", "image/png", 28)]


def test_html_with_a_list_footer_keeps_both() -> None:
    parsed = parse(multipart_mail(part("<p>words</p>", HTML), part("footer of a list")))

    assert parsed.body_text == "words\nfooter of a list"


def test_inline_images_are_told_from_files() -> None:
    page = part('<p>see <img src="cid:i1@x"></p>', HTML)
    image = file_part(PNG, "image/png", "a.png", Content_ID="<i1@x>")
    related = nested(page, image, kind="related")
    parsed = parse(multipart_mail(nested(part("see"), related, kind="alternative", boundary="alt")))

    assert parsed.body_text == "see"
    assert [(file.filename, file.is_inline) for file in parsed.attachments] == [("a.png", True)]
    assert parsed.shown_html(inline_images={"i1@x": "/files/7"}).html == '<p>see <img src="/files/7"></p>'


def test_forwarded_mail_stays_a_file_named_after_its_subject() -> None:
    inner = mail("the lamp", Subject="Old lamp")
    parsed = parse(multipart_mail(part("see below"), part(inner, "message/rfc822")))

    assert parsed.body_text == "see below"
    assert names(parsed) == [("Old lamp.eml", "message/rfc822", len(inner))]


def test_names_are_cleaned_and_unique() -> None:
    nasty = ["../../etc/passwd", "a\u202egpj.exe", "a.txt", "A.TXT", "", "con.txt", "x" * 300 + ".pdf"]
    parsed = parse(multipart_mail(*(file_part(b"x", "application/pdf", name) for name in nasty)))

    shown = [name for name, _, _ in names(parsed)]
    assert shown[:6] == ["passwd", "a_gpj.exe", "a.txt", "A (2).TXT", "attachment-5.pdf", "_con.txt"]
    assert len(shown[6].encode()) == 180
    assert shown[6].endswith(".pdf")


def test_empty_attachment_is_kept() -> None:
    assert names(parse(multipart_mail(part("x"), file_part(b"", "text/csv", "a.csv")))) == [("a.csv", "text/csv", 0)]


def test_signed_mail_shows_words_and_keeps_the_signature() -> None:
    signature = part("-----BEGIN PGP SIGNATURE-----", "application/pgp-signature", Content_Disposition="attachment")
    parsed = parse(multipart_mail(part("words"), signature, kind="signed"))

    assert parsed.body_text == "words"
    assert [name for name, _, _ in names(parsed)] == ["attachment-1.asc"]


BROKEN = {
    "no closing boundary": multipart_mail(part("words"), part("<p>words</p>", HTML), kind="alternative", close=False),
    "boundary parameter missing": mail(
        b"--xyz123\r\nContent-Type: text/plain\r\n\r\nwords\r\n--xyz123--\r\n", {"Content-Type": "multipart/mixed"}
    ),
    "boundary that never comes": mail("words", {"Content-Type": 'multipart/mixed; boundary="none"'}),
    "bare line feeds": multipart_mail(part("words")).replace(b"\r\n", b"\n"),
    "bare carriage returns": multipart_mail(part("words")).replace(b"\r\n", b"\r"),
    "unknown type": mail("words", {"Content-Type": "text"}),
    "garbage type": mail("words", {"Content-Type": ";;;=?"}),
    "unknown encoding": mail("words", {"Content-Transfer-Encoding": "8-bits"}),
    "two content types": mail("words", {"Content-Type": "text/plain", "Content-type": "text/html"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_structure_still_gives_the_words(name: str) -> None:
    assert parse(BROKEN[name]).body_text.strip() == "words"


def test_boundary_that_begins_another() -> None:
    inner = nested(part("one"), part("two"), boundary="b0undary-2")

    assert parse(multipart_mail(inner, part("three"))).body_text == "one\ntwo\nthree"


def test_digest_parts_are_mails() -> None:
    parsed = parse(multipart_mail(part(mail("x", Subject="A"), ""), part(mail("y", Subject="B"), ""), kind="digest"))

    assert [name for name, _, _ in names(parsed)] == ["A.eml", "B.eml"]


def test_types_are_sniffed() -> None:
    parsed = parse(multipart_mail(part("x"), file_part(b"MZ\x90\x00", "image/png", "a.png")))

    assert parsed.attachments[0].sniffed_type == "application/x-msdownload"
    assert sniff(b"<!-- x --><svg onload=1>") == "image/svg+xml"
    assert sniff(b"plain") == ""


def test_file_names_alone() -> None:
    taken: set[str] = set()

    assert clean_filename("C:\\a\\b.txt") == "b.txt"
    assert clean_filename("..", content_type="image/png", number=3) == "attachment-3.png"
    assert [unique_filename("a", taken) for _ in range(3)] == ["a", "a (2)", "a (3)"]


CALENDAR = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
END:VTIMEZONE
BEGIN:VEVENT
UID:u1
SUMMARY:Look at the lamp\\, together
DTSTART;TZID=W. Europe Standard Time:20261116T094100
DTEND:20261116T094100Z
ORGANIZER;CN="Ann":MAILTO:ann@Example.org
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org
BEGIN:VALARM
SUMMARY:not this
END:VALARM
LOCATION:Room
  1
END:VEVENT
END:VCALENDAR
"""


def test_invitations_are_read_and_kept() -> None:
    calendar = part(CALENDAR, 'text/calendar; method="REQUEST"; charset=utf-8')
    parsed = parse(multipart_mail(part("please come"), calendar, kind="alternative"))

    (found,) = parsed.invitations
    assert (found.method, found.uid, found.summary) == ("REQUEST", "u1", "Look at the lamp, together")
    assert (found.starts_at, found.ends_at) == ("2026-11-16T09:41:00+01:00", "2026-11-16T09:41:00+00:00")
    assert (found.organizer, found.attendees, found.location) == ("ann@example.org", ("bob@example.org",), "Room 1")
    assert [name for name, _, _ in names(parsed)] == ["invite.ics"]
    assert parsed.body_text == "please come"


@pytest.mark.parametrize(
    "text", ["", "BEGIN:VEVENT", "DTSTART:99999999T999999Z\n" * 3, "BEGIN:VEVENT\nDTSTART:2026\nEND:VEVENT"]
)
def test_broken_calendars_are_no_error(text: str) -> None:
    found = read_invitation(text)

    assert found is None or found.starts_at == ""


def tnef_attribute(level: int, attribute: int, value: bytes) -> bytes:
    """One attribute of a TNEF stream."""
    return struct.pack("<BII", level, attribute, len(value)) + value + struct.pack("<H", sum(value) % 65536)


WINMAIL = (
    b"\x78\x9f\x3e\x22\x01\x00"
    + tnef_attribute(1, 0x0002800C, b"Hello from Outlook\x00")
    + tnef_attribute(2, 0x00069002, b"\x00" * 14)
    + tnef_attribute(2, 0x00018010, b"LAMP~1.TXT\x00")
    + tnef_attribute(2, 0x0006800F, b"a lamp")
    + tnef_attribute(
        2,
        0x00069005,
        struct.pack("<IHHII", 1, 0x1F, 0x3707, 1, 20) + "lamp ü.txt".encode("utf-16-le"),
    )
)


def test_winmail_dat_is_opened() -> None:
    parsed = parse(multipart_mail(file_part(WINMAIL, "application/ms-tnef", "winmail.dat")))

    assert parsed.body_text == "Hello from Outlook"
    assert names(parsed) == [("lamp ü.txt", "application/octet-stream", 6)]


@pytest.mark.parametrize("cut", range(0, len(WINMAIL), 3))
def test_damaged_winmail_dat_is_no_error(cut: int) -> None:
    unpack(WINMAIL[:cut] + b"\xff" * 40)


def test_unreadable_winmail_dat_stays_a_file() -> None:
    parsed = parse(multipart_mail(part("x"), file_part(b"junk", "application/ms-tnef", "winmail.dat")))

    assert [name for name, _, _ in names(parsed)] == ["winmail.dat"]
    assert parsed.defects == ("winmail.dat unreadable",)
