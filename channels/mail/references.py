"""Message-IDs read, made and checked."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

_IDS = re.compile(r"<([^<>]{1,990})>")
_ID = re.compile(r"<([^<>\s]{1,990})>")
_BARE = re.compile(r"[^\s<>\"(),;]{3,500}@[^\s<>\"(),;]{1,250}")
MAX_REFERENCES = 100
_MAC_BYTES = 10


def first_message_id(value: str) -> str:
    """`<id>` of a Message-ID or In-Reply-To field with its brackets, "" when there is none."""
    match = _ID.search(value[:4000])
    if match:
        return f"<{match[1]}>"
    bare = _BARE.search(value[:4000])
    return f"<{bare.group()}>" if bare else ""


def message_ids(value: str) -> tuple[str, ...]:
    """Every id of a References field, each once; of a flood the first and the last are kept.

    An id in which a gateway has broken the line is put together again.
    """
    pieces = ((match[1], "".join(match[1].split())) for match in _IDS.finditer(value[:200_000]))
    found = list(dict.fromkeys(f"<{whole}>" for sent, whole in pieces if whole and (sent == whole or "@" in whole)))
    if len(found) > MAX_REFERENCES:
        found = found[:1] + found[1 - MAX_REFERENCES :]
    return tuple(found)


def mac(key: bytes, *fields: str) -> str:
    """80 bits over `fields` as 16 letters that survive a change of case."""
    digest = hmac.new(key, "\x00".join(fields).encode(), hashlib.sha256).digest()[:_MAC_BYTES]
    return base64.b32encode(digest).decode("ascii").lower()


def same_mac(keys: Sequence[bytes], given: str, *fields: str) -> bool:
    """Whether `given` was made with any of `keys`, in constant time for each."""
    return any(hmac.compare_digest(mac(key, *fields).encode(), given.lower().encode()) for key in keys)


_OWN_ID = re.compile(r"<hub\.([A-Za-z0-9_-]{1,64})\.([A-Za-z2-7]{16})@[^<>@\s]+>\Z")


def make_message_id(key: bytes, message: str, domain: str) -> str:
    """The Message-ID of our message `message` (letters, digits, _ and -)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", message):
        raise ValueError("a message's id has letters, digits, _ and - only")
    return f"<hub.{message}.{mac(key, 'message-id', message.lower())}@{domain}>"


def own_message(keys: Sequence[bytes], message_id: str) -> str:
    """Our message's id when we made this Message-ID, else ""."""
    match = _OWN_ID.match(message_id)
    if match and same_mac(keys, match[2], "message-id", match[1].lower()):
        return match[1]
    return ""
