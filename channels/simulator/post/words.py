"""Letters as customers write and read them: plain text, quotations below, files beside it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from typing import Final

_ATTRIBUTION: Final = re.compile(r"(wrote|写道)\s*[:：]\s*$")
_MARK: Final = re.compile(r"^((re|aw|回复|答复)\s*[:：]\s*)+", re.IGNORECASE)
_LONGEST_QUOTE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Something beside a letter."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What somebody sends. `answers` is the Message-ID of what it answers, `references` the line before that."""

    sender: str
    name: str
    to: tuple[str, ...]
    subject: str
    text: str
    answers: str = ""
    references: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    is_automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What somebody finds in their mailbox."""

    message_id: str
    references: tuple[str, ...]
    sender: str
    name: str
    reply_to: str
    subject: str
    date: str
    text: str
    is_automatic: bool

    @property
    def lines(self) -> list[str]:
        """The new words, line by line."""
        found = []
        for line in self.text.splitlines():
            if line.startswith(">") or _ATTRIBUTION.search(line) or line.rstrip() == "--":
                break
            found.append(line.strip())
        return [line for line in found if line]


def written(letter: Letter) -> bytes:
    """Return a letter as it travels.

    Raises:
        ValueError: a header would hold a line end, or the address is none.
    """
    message = EmailMessage(policy=policy.SMTP)
    domain = letter.sender.rpartition("@")[2]
    message["From"] = formataddr((letter.name, letter.sender))
    message["To"] = ", ".join(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=domain if domain.isascii() else "customer.example")
    if letter.answers:
        message["In-Reply-To"] = letter.answers
        message["References"] = " ".join((*letter.references, letter.answers))
    if letter.is_automatic:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text, cte="8bit" if letter.text.isascii() else "base64")
    for file in letter.files:
        main, _, sub = file.type.partition("/")
        if main in {"message", "multipart"} or not sub:
            main, sub = "application", "octet-stream"
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return message.as_bytes()


def received(raw: bytes) -> Received:
    """Return what a person sees of a mail from the company."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    sender, reply_to = _first(message, "From"), _first(message, "Reply-To")
    return Received(
        message_id=str(message.get("Message-ID", "")).strip(),
        references=tuple(str(message.get("References", "")).split()),
        sender=sender[1],
        name=sender[0],
        reply_to=reply_to[1] or sender[1],
        subject=str(message.get("Subject", "")),
        date=str(message.get("Date", "")),
        text=str(body.get_content()) if isinstance(body, EmailMessage) else "",
        is_automatic=str(message.get("Auto-Submitted", "no")).strip().lower() != "no",
    )


def _first(message: object, header: str) -> tuple[str, str]:
    value = message.get(header) if isinstance(message, EmailMessage) else None
    addresses = getattr(value, "addresses", ())
    return (addresses[0].display_name, addresses[0].addr_spec) if addresses else ("", "")


def answer_to(mail: Received, text: str, language: str) -> tuple[str, str]:
    """Return subject and text of an answer, with what it answers quoted below it as mail programs do."""
    subject = _MARK.sub("", mail.subject)
    quoted = "\n".join(f"> {line}".rstrip() for line in mail.text.splitlines()[:_LONGEST_QUOTE])
    if language == "zh":
        return f"回复：{subject}", f"{text}\n\n在 {mail.date}，{mail.name} <{mail.sender}> 写道：\n{quoted}\n"
    return f"Re: {subject}", f"{text}\n\nOn {mail.date}, {mail.name} <{mail.sender}> wrote:\n{quoted}\n"
