"""Feed a megabyte of one thing, over and over, to every place of a mail: `python -m tests.bench.mail.linear [BYTES]`.

Prints whatever takes longer than half a second of CPU time, and ends with 1 when something takes more than five.
"""

# ruff: noqa: E501

import sys
import time
from collections.abc import Callable

from channels.mail.parsed import Reading, as_json, parse
from tests.payloads.mail.builders import mail

UNITS = (
    " ", "a", "1", "<", ">", "=", "-", "_", ":", "@", "a@", "a.", "(", '"', "\n", "\t", ";", "<a ", "on ", "=?", "=?utf-8?q?a?= ", "在", "写道",
    "a b ", "a=", "> ", "|", "*", "from: a@b\n", "\u00a0", '<a a="', "sent from my ", "\\", "message-id: <", "1.", "<div>", "<p>x", "&amp;", "&",
    "<b>", "<table>", "<blockquote>", "<!--", "<br>", "On 1.1.2026 10:00 a@b.cd wrote:\n", "-- \n", "Best regards,\n", "begin 644 a\n", "{", "\x1b$B",
    "could not be delivered a@b.cd\n", "a, ", "<a@b.cd>, ", "(a) ", "<1@x> ", "+AGE-", "'", "%41", "x" * 76 + "\n", "ü", "\u202e", "😀",
)  # fmt: skip


def _header(name: str) -> Callable[[str], bytes]:
    return lambda text: mail("words", {name: " ".join(text.split("\n"))})


def _daemon(text: str) -> bytes:
    return mail(text, {"From": "MAILER-DAEMON@x.example", "Subject": "failure notice", "Return-Path": "<>"})


PLACES: dict[str, Callable[[str], bytes]] = {
    "text": lambda text: mail(text, {"Content-Type": "text/plain; charset=utf-8"}),
    "flowed": lambda text: mail(text, {"Content-Type": "text/plain; charset=utf-8; format=flowed"}),
    "html": lambda text: mail(text, {"Content-Type": "text/html; charset=utf-8"}),
    "calendar": lambda text: mail("BEGIN:VEVENT\n" + text, {"Content-Type": "text/calendar; charset=utf-8"}),
    "bounce": _daemon,
    "bytes": lambda text: mail(text.encode("utf-16"), {"Content-Type": "text/plain"}),
    "base64": lambda text: mail(text, {"Content-Transfer-Encoding": "base64"}),
    "quoted-printable": lambda text: mail(text, {"Content-Transfer-Encoding": "quoted-printable"}),
    "multipart": lambda text: mail(text, {"Content-Type": "multipart/mixed; boundary=a"}),
    **{
        name: _header(name)
        for name in (
            "Subject", "From", "To", "References", "Message-ID", "Date", "Content-Type", "Content-Disposition", "Authentication-Results",
            "X-Failed-Recipients", "Thread-Index", "Auto-Submitted", "DKIM-Signature",
        )
    },
}  # fmt: skip


def main() -> int:
    """Try every unit in every place."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    reading = Reading(trusted_servers=frozenset({"a"}), key_lookup=lambda _: None)
    worst, tried = (0.0, "", ""), 0
    for place, build in PLACES.items():
        for unit in UNITS:
            raw = build((unit * (size // len(unit) + 1))[:size])
            started = time.process_time()
            as_json(parse(raw, reading))
            taken = time.process_time() - started
            worst, tried = max(worst, (taken, place, unit)), tried + 1
            if taken > 0.5:
                print(f"{taken:5.2f} s  {place:22} {unit[:20]!r}", flush=True)
    print(f"{tried} mails of {size:,} characters, slowest {worst[0]:.2f} s CPU ({worst[1]}, {worst[2][:20]!r})")
    return int(worst[0] > 5)


if __name__ == "__main__":
    sys.exit(main())
