"""A delivery report as RFC 3464 has it, for an address that does not take mail."""

import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

_MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an address fails: status code (RFC 3463), and what its server said, with {address} in it."""

    status: str
    words: str


def report(raw: bytes, sender: str, recipient: str, failure: Failure, name: str, now: float) -> bytes:
    """Return the report that goes back to a mail's sender."""
    head = headers_of(raw)
    found = _MESSAGE_ID.search(head)
    answers = found[1].decode("ascii", "replace") if found else ""
    thread = f"In-Reply-To: {answers}\r\nReferences: {answers}\r\n" if answers else ""
    said = failure.words.format(address=recipient)
    border = f"report-{name}"
    opening = (
        f"From: Mail Delivery System <MAILER-DAEMON@post.example>\r\nTo: <{sender}>\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {formatdate(now)}\r\n"
        f"Message-ID: <{name}.report@post.example>\r\n{thread}"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{border}"\r\n\r\n'
        f"--{border}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n"
        f"<{recipient}>: {said}\r\n"
        f"--{border}\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; post.example\r\nArrival-Date: {formatdate(now)}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {failure.status}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n\r\n"
        f"--{border}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    )
    return opening.encode("utf-8", "replace") + head + f"\r\n--{border}--\r\n".encode()


def headers_of(raw: bytes) -> bytes:
    """Return a mail's headers with the empty line's first half, whatever its line ends are."""
    end = raw.find(b"\r\n\r\n")
    return raw + b"\r\n" if end < 0 else raw[: end + 2]
