"""Header fields and parts of mails that we write: whatever the words are, they stay inside their field.

Everything is 7-bit but the addresses of SMTPUTF8 mail. Fields are folded by RFC 5322, words encoded by RFC 2047,
parameters by RFC 2231. Pure.
"""

import base64
import quopri
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import idna

from channels.mail.charsets import clean
from channels.mail.filenames import clean_filename

_LINE = 76
_LONGEST = 900
MAX_NAME = 200
_WORD_BYTES = 45  # 60 letters of base64, an encoded word of 72
_FIELD_END = re.compile(r"(?<!\r)\n|\r(?!\n)|\r\n(?![ \t]+\S)|\x00")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}\Z")
_UTF8_ATOM = re.compile(r"[^\s\"(),:;<>@\[\]\\\x00-\x20\x7f-\x9f]{1,64}\Z")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\Z")
_SAFE_NAME = re.compile(r"[A-Za-z0-9 ._()+,@-]+\Z")


class Unaddressable(ValueError):
    """This is no address that a mail can be sent to."""


def one_line(text: str) -> str:
    """`text` on one line: no control characters, no change of direction, single blanks."""
    text = _DIRECTION.sub("", clean(text))
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text).split())


def field(name: str, value: str) -> bytes:
    """A header field; `value` is ASCII made by the functions below, or plain ASCII words, folded already or short.

    Raises:
        ValueError: it would end the field and begin another.
    """
    if _FIELD_END.search(value):
        raise ValueError(f"{name} would be more than one field.")
    return f"{name}: {value}\r\n".encode()


def words(text: str, *, used: int = 0) -> str:
    """Free text for a field such as Subject, folded; `used` is the length of what stands before it on the line."""
    text = one_line(text)
    if text.isascii() and "=?" not in text and all(len(word) < _LONGEST for word in text.split(" ")):
        return _folded(text.split(" "), used)
    return "\r\n ".join(_encoded(text))


def _folded(pieces: Sequence[str], used: int) -> str:
    lines: list[str] = []
    line = ""
    for piece in pieces:
        room = _LINE - (used if not lines else 1)
        if line and len(line) + 1 + len(piece) > room:
            lines.append(line)
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    return "\r\n ".join([*lines, line])


def _encoded(text: str) -> list[str]:
    """Encoded words, cut between characters."""
    found: list[bytes] = []
    chunk = b""
    for character in text:
        piece = character.encode()
        if len(chunk) + len(piece) > _WORD_BYTES:
            found.append(chunk)
            chunk = b""
        chunk += piece
    return [f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in [*found, chunk]]


@dataclass(frozen=True, slots=True)
class Mailable:
    """An address as it goes on the wire. `is_utf8`: the server must offer SMTPUTF8 (RFC 6531)."""

    address: str
    is_utf8: bool


def mailable(address: str) -> Mailable:
    """`address` checked, its domain in ASCII (IDNA 2008).

    Raises:
        Unaddressable: it is no address.
    """
    address = address.strip()
    local, _, domain = address.rpartition("@")
    if not (_ATOM.match(local) or _UTF8_ATOM.match(local)) or local != one_line(local):
        raise Unaddressable(f"{address[:100]!r} is no address that mail can be sent to.")
    return Mailable(f"{local}@{_domain(domain, address)}", not local.isascii())


def _domain(domain: str, address: str) -> str:
    try:
        ascii_domain = idna.encode(domain.rstrip("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        ascii_domain = domain.lower()
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 253 or not all(
        re.fullmatch(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?", one) for one in labels
    ):
        raise Unaddressable(f"{address[:100]!r} is no address that mail can be sent to.")
    return ascii_domain


def mailbox(name: str, address: str) -> str:
    """`"Name" <address>` for a field.

    Raises:
        Unaddressable: the address is none.
    """
    shown = one_line(name)[:MAX_NAME].strip()
    wire = mailable(address).address
    if not shown:
        return wire
    if shown.isascii() and not re.search(r'["\\]|=\?', shown):  # escapes inside quotes are misread by many
        return f'"{shown}" <{wire}>'
    return "\r\n ".join([*_encoded(shown), f"<{wire}>"])


def mailboxes(parties: Sequence[tuple[str, str]]) -> str:
    """(name, address) pairs as the value of To, Cc and their like, one on each line."""
    return ",\r\n ".join(mailbox(name, address) for name, address in parties)


def references(ids: Sequence[str], *, longest: int = 998) -> str:
    """Message-IDs as the value of References: of too many the first and the latest stay (RFC 5322, 3.6.4)."""
    known = [one for one in ids if re.fullmatch(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>", one)]
    kept, room = known[:1], longest - len("References: ") - sum(map(len, known[:1]))
    latest: list[str] = []
    for one in reversed(known[1:]):
        room -= len(one) + 3  # folded, each takes a line
        if room < 0:
            break
        latest.append(one)
    return "\r\n ".join([*kept, *reversed(latest)])


def parameter(name: str, value: str) -> str:
    """A parameter that continues a field: quoted where that says it all, else by RFC 2231, in pieces if long."""
    if _SAFE_NAME.match(value) and len(value) <= 60:
        return f';\r\n {name}="{value}"'
    pieces, rest = [], value
    while rest:
        cut = len(rest)
        while len(quote(rest[:cut], safe="")) > 50 and cut > 1:
            cut -= max(1, cut // 8)
        pieces.append(quote(rest[:cut], safe=""))
        rest = rest[cut:]
    if len(pieces) == 1:
        return f";\r\n {name}*=utf-8''{pieces[0]}"
    return "".join(
        f";\r\n {name}*{number}*={chr(39).join(['utf-8', '', piece]) if number == 0 else piece}"
        for number, piece in enumerate(pieces)
    )


def text_part(subtype: str, text: str) -> bytes:
    """A part of words: plain where it can be, else the shorter of the two encodings."""
    lines = clean(text).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    raw = lines.encode()
    head = field("Content-Type", f'text/{subtype}; charset="utf-8"')
    if raw.isascii() and all(len(line) <= _LONGEST for line in lines.split("\n")):
        return head + field("Content-Transfer-Encoding", "7bit") + b"\r\n" + _crlf(raw)
    if sum(byte > 127 for byte in raw) * 6 > len(raw):
        return head + field("Content-Transfer-Encoding", "base64") + b"\r\n" + _base64(raw)
    quoted = quopri.encodestring(raw)
    return head + field("Content-Transfer-Encoding", "quoted-printable") + b"\r\n" + _crlf(quoted)


def file_part(name: str, kind: str, content: bytes) -> bytes:
    """An attachment. A mail goes as a mail only when no encoding is needed, which none may have (RFC 2046, 5.2.1)."""
    shown = clean_filename(one_line(name), content_type=kind)
    kind = kind.lower()
    if kind == "message/rfc822" and is_plain(content):
        head = field("Content-Type", kind + parameter("name", shown)) + field("Content-Transfer-Encoding", "7bit")
        body = _crlf(content.replace(b"\r\n", b"\n"))
    else:
        if not _TYPE.match(kind) or kind.startswith(("multipart/", "message/")):
            kind = "application/octet-stream"
        head = field("Content-Type", kind + parameter("name", shown)) + field("Content-Transfer-Encoding", "base64")
        body = _base64(content)
    return head + field("Content-Disposition", "attachment" + parameter("filename", shown)) + b"\r\n" + body


def is_plain(content: bytes) -> bool:
    """Whether content may go as it is: ASCII lines of fair length, no NUL, no stray carriage return."""
    lines = content.replace(b"\r\n", b"\n")
    return (
        lines.isascii()
        and b"\x00" not in lines
        and b"\r" not in lines
        and all(len(line) <= _LONGEST for line in lines.split(b"\n"))
    )


def multipart(subtype: str, parts: Sequence[bytes], boundary: str) -> bytes:
    """Parts with a boundary that none of them holds."""
    mark = f"--{boundary}".encode()
    head = field("Content-Type", f'multipart/{subtype};\r\n boundary="{boundary}"')
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return head + b"\r\n" + body + mark + b"--\r\n"


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n") or b"\r\n"
