"""What makes two fetched mails the same mail, whatever their Message-ID says or omits."""

import hashlib
import re
from collections.abc import Sequence

from channels.mail.content import Attachment

_GARBAGE = re.compile(r"<[^<>\s@]*@?(?:localhost(?:\.localdomain)?|unknown)?>\Z")
SYNTHETIC_DOMAIN = "content.invalid"


def fingerprint(author: str, date: str, subject: str, words: str, attachments: Sequence[Attachment]) -> str:
    """A digest of what a mail says, the same after any transport.

    Relays change headers, transfer encodings and line ends; author, Date, subject, words and files
    survive them.
    """
    digest = hashlib.sha256()
    for value in (author.lower(), date, subject, words):
        digest.update(" ".join(value.split()).encode("utf-8", "replace"))
        digest.update(b"\x00")
    for file in attachments:
        digest.update(file.filename.encode("utf-8", "replace") + hashlib.sha256(file.content).digest())
    return digest.hexdigest()


def is_usable(message_id: str) -> bool:
    """Whether a Message-ID can tell one mail from another."""
    return len(message_id) > 6 and not _GARBAGE.match(message_id)


def synthetic_message_id(content: str) -> str:
    """A Message-ID for a mail that has none, the same at every fetch."""
    return f"<{content[:40]}@{SYNTHETIC_DOMAIN}>"


def dedupe_key(message_id: str, content: str) -> str:
    """The key under which a mail is stored once.

    Both halves: two different mails that share a Message-ID are two, and one mail in two mailboxes is one.
    """
    return hashlib.sha256(
        f"{message_id if is_usable(message_id) else ''}\x00{content}".encode("utf-8", "replace")
    ).hexdigest()
