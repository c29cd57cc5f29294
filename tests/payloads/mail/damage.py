"""Mails damaged at random, the same way for the same seed."""

# ruff: noqa: E501

import random

from tests.payloads.mail import pages, quotations
from tests.payloads.mail.builders import file_part, mail, multipart_mail, nested, part
from tests.payloads.mail.reports import REPORTS

SEEDS = [raw for raw, *_ in REPORTS.values()] + [
    mail(),
    mail(pages.ANSWERS["gmail"], {"Content-Type": "text/html; charset=utf-8"}),
    mail(f"Yes.\n\n{quotations.ATTRIBUTIONS['gmail-zh']}\n> 旧\n", Subject="=?gb2312?B?xPq6ww==?="),
    multipart_mail(part("a"), file_part(b"x" * 100, "image/png", "a.png"), References="<a@b> <c@d>"),
    multipart_mail(
        nested(part("a"), part("<p>b</p>", "text/html"), kind="alternative"), part(mail(), "message/rfc822")
    ),
    mail("begin 644 a\n#0V%T\n`\nend\n", {"Content-Type": "text/plain; charset=koi8-r; format=flowed"}),
]
SPLICES = [b"\r\n\r\n", b"\n", b"\x00", b"\xff\xfe", b"--b0undary", b"--b0undary--", b"=?utf-8?b?", b"?=", b"<", b">", b'"', b"(", b";" * 9,
           b"Content-Type: multipart/mixed; boundary=b0undary\r\n", b"Content-Type: text/html\r\n", b"charset*0*=x''%", b"\x1b$B", b"=",
           b"Content-Transfer-Encoding: base64\r\n", b"From: a@b <c@d>\r\n", b"\r", b" ", b"<div class=gmail_quote>", b"&#x110000;",
           b"begin 644 x\n", b"BEGIN:VEVENT\n", b"\x78\x9f\x3e\x22", b"\xed\xa0\x80", b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n"]  # fmt: skip


def mutated(raw: bytes, seed: int) -> bytes:
    """`raw` damaged in up to eight places."""
    chance = random.Random(seed)
    out = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(out))
        kind = chance.randint(0, 4)
        if kind == 0 and out:
            out[min(at, len(out) - 1)] = chance.randint(0, 255)
        elif kind == 1:
            del out[at : at + chance.randint(1, 60)]
        elif kind == 2:
            out[at:at] = chance.choice(SPLICES)
        elif kind == 3:
            start = chance.randint(0, len(out))
            out[at:at] = out[start : start + chance.randint(1, 200)]
        else:
            out[at:at] = bytes(chance.randint(0, 255) for _ in range(chance.randint(1, 20)))
    return bytes(out)
