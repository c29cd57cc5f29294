"""What IMAP tells of one mail: its envelope, its structure, its sections (RFC 3501, 7.4.2)."""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from typing import Final

from channels.simulator.post.grammar import Malformed, quoted

_FIELDS: Final = re.compile(rb"^HEADER\.FIELDS(\.NOT)?\s*\((.*)\)$", re.DOTALL)
_ADDRESSED: Final = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc")
_DEEPEST: Final = 30


def section(raw: bytes, name: bytes) -> bytes:
    """Return the section of a mail that stands in the brackets of BODY[...].

    Raises:
        Malformed: there is no section of that name.
    """
    name = name.upper()
    numbers = re.match(rb"^(\d+(?:\.\d+)*)(?:\.|$)", name)
    if numbers is None:
        return _of_message(raw, name)
    part = _numbered(message_from_bytes(raw), [int(one) for one in numbers[1].split(b".")])
    rest = name[numbers.end() :]
    whole = part.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if part is not None else b""
    if rest == b"MIME":
        return _split(whole)[0]
    if rest:
        return _of_message(_split(whole)[1], rest)
    return _split(whole)[1]


def _of_message(raw: bytes, name: bytes) -> bytes:
    if not name:
        return raw
    head, body = _split(raw)
    if name == b"HEADER":
        return head
    if name == b"TEXT":
        return body
    found = _FIELDS.match(name)
    if found is None:
        raise Malformed("There is no such section.")
    wanted = {one.strip(b'"') for one in found[2].split()}
    fields = re.findall(rb"[^\r\n:]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n", head)
    kept = [one for one in fields if (one.partition(b":")[0].strip().upper() in wanted) != bool(found[1])]
    return b"".join(kept) + b"\r\n"


def _split(raw: bytes) -> tuple[bytes, bytes]:
    end = raw.find(b"\r\n\r\n")
    return (raw, b"") if end < 0 else (raw[: end + 4], raw[end + 4 :])


def _children(message: Message) -> Sequence[Message]:
    payload = message.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _numbered(message: Message, numbers: list[int]) -> Message | None:
    found = message
    for number in numbers:
        children = _children(found)
        if found.get_content_type() == "message/rfc822" and children:
            found = children[0]
            children = _children(found)
        if not children and number == 1:
            continue
        if not 1 <= number <= len(children):
            return None
        found = children[number - 1]
    return found


def envelope(raw: bytes) -> bytes:
    """Return the ENVELOPE."""
    return _envelope(message_from_bytes(_split(raw)[0]))


def _envelope(message: Message) -> bytes:
    found = {name: _addresses(message, name) for name in _ADDRESSED}
    for name in ("Sender", "Reply-To"):
        found[name] = found["From"] if found[name] == b"NIL" else found[name]
    parts = [_text(message, "Date"), _text(message, "Subject"), *found.values()]
    return b"(%s)" % b" ".join([*parts, _text(message, "In-Reply-To"), _text(message, "Message-ID")])


def _text(message: Message, name: str) -> bytes:
    value = message.get(name)
    return quoted(None if value is None else " ".join(str(value).split()).encode("utf-8", "replace"))


def _addresses(message: Message, name: str) -> bytes:
    found = []
    for shown, address in getaddresses([str(value) for value in message.get_all(name, [])]):
        local, _, domain = address.rpartition("@")
        words = [shown or None, None, local, domain]
        found.append(b"(%s)" % b" ".join(quoted(w.encode("utf-8", "replace") if w else None) for w in words))
    return b"(%s)" % b"".join(found) if found else b"NIL"


def structure(raw: bytes) -> bytes:
    """Return the BODYSTRUCTURE."""
    return _structure(message_from_bytes(raw), 0)


def _structure(message: Message, depth: int) -> bytes:
    children = _children(message)
    if message.is_multipart() and message.get_content_maintype() == "multipart" and children and depth < _DEEPEST:
        inner = b"".join(_structure(one, depth + 1) for one in children)
        kind = quoted(message.get_content_subtype().upper().encode())
        return b"(%s %s %s %s NIL NIL)" % (inner, kind, _parameters(message, "Content-Type"), _disposition(message))
    return _leaf(message, depth)


def _leaf(message: Message, depth: int) -> bytes:
    body = _split(message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))[1]
    main, sub = message.get_content_maintype(), message.get_content_subtype()
    parts = [
        quoted(main.upper().encode()),
        quoted(sub.upper().encode()),
        _parameters(message, "Content-Type"),
        _text(message, "Content-ID"),
        _text(message, "Content-Description"),
        quoted(str(message.get("Content-Transfer-Encoding", "7BIT")).strip().upper().encode("ascii", "replace")),
        b"%d" % len(body),
    ]
    children = _children(message)
    if message.get_content_type() == "message/rfc822" and children and depth < _DEEPEST:
        parts += [_envelope(children[0]), _structure(children[0], depth + 1)]
    if main == "text" or message.get_content_type() == "message/rfc822":
        parts.append(b"%d" % body.count(b"\n"))
    return b"(%s)" % b" ".join([*parts, b"NIL", _disposition(message), b"NIL", b"NIL"])


def _parameters(message: Message, header: str) -> bytes:
    found = message.get_params(header=header, failobj=[])
    pairs = []
    for name, value in found[1:]:
        plain = str(value[2] if isinstance(value, tuple) else value)  # type: ignore[redundant-expr,unreachable]
        pairs += [quoted(name.upper().encode("ascii", "replace")), quoted(plain.encode("utf-8", "replace"))]
    return b"(%s)" % b" ".join(pairs) if pairs else b"NIL"


def _disposition(message: Message) -> bytes:
    kind = message.get_content_disposition()
    if not kind:
        return b"NIL"
    return b"(%s %s)" % (quoted(kind.upper().encode("ascii", "replace")), _parameters(message, "Content-Disposition"))
