"""Header blocks: splitting, unfolding, encoded words (RFC 2047), parameters (RFC 2231), raw 8-bit.

Bounded and tolerant: what is broken is read as far as it makes sense.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from channels.mail import charsets

MAX_BLOCK = 262_144
"""Bytes of one header block that are read; a flood behind that is not."""
MAX_FIELDS = 1_000
_MAX_VALUE = 65_536
_MAX_PARAMETERS = 100

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_ENCODED = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,3})\?=")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)')
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of one block in order, values raw (folded, encoded) as Latin-1 of their bytes."""

    fields: tuple[tuple[str, str], ...] = ()
    _first: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def raw(self, name: str) -> str | None:
        """First value of `name` as sent, unfolded."""
        value = self._first.get(name.lower())
        return None if value is None else unfold(value)

    def text(self, name: str) -> str:
        """First value of `name` for people: unfolded, decoded, one line; "" when absent."""
        value = self._first.get(name.lower())
        return "" if value is None else decode_words(value)

    def all(self, name: str) -> list[str]:
        """Every value of `name`, unfolded, in order."""
        key = name.lower()
        return [unfold(value) for found, value in self.fields if found == key]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first


def make_headers(fields: list[tuple[str, str]]) -> Headers:
    """Headers of (lower-case name, value) pairs."""
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name, value)
    return Headers(tuple(fields), first)


def parse_block(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """Read the header block at `start`; returns it and where the body begins.

    A line that is no header ends the block, unless the line after it is one: then it is
    a continuation whose indent somebody lost.
    """
    end = len(raw) if end is None else end
    limit = min(end, start + MAX_BLOCK)
    names: list[str] = []
    values: list[list[bytes]] = []
    position = start
    for line in _lines(raw, start, limit):
        following = position + len(line)
        if line in {b"\n", b"\r\n", b"\r"}:
            position = following
            break
        match = _FIELD.match(line)
        if match is None:
            if following >= limit < end:  # cut by the cap
                position = _skip_flood(raw, position, limit, end)
                break
            if not _continues(raw, line, position, following, start, limit):
                break
            if values:
                values[-1].append(line)
        elif len(names) < MAX_FIELDS:
            names.append(match[1].decode("ascii").lower())
            values.append([line[match.end() :]])
        position = following
    else:
        position = _skip_flood(raw, position, limit, end)
    fields = [
        (name, b"".join(lines)[:_MAX_VALUE].decode("latin-1").strip())
        for name, lines in zip(names, values, strict=True)
    ]
    return make_headers(fields), position


def _lines(raw: bytes, start: int, limit: int) -> Iterator[bytes]:
    for match in _LINE.finditer(raw, start, limit):
        yield match.group()


def _continues(raw: bytes, line: bytes, position: int, following: int, start: int, limit: int) -> bool:
    if line[:1] in {b" ", b"\t"}:
        return bool(line.strip()) or position > start
    if position == start:  # an mbox "From " line, or a byte-order mark before the first field
        return line.startswith((b"From ", b">From ", b"\xef\xbb\xbf"))
    return _FIELD.match(raw, following, limit) is not None and len(line) < 1000


def _skip_flood(raw: bytes, position: int, limit: int, end: int) -> int:
    """Where the body begins when the block outgrew `MAX_BLOCK`."""
    if limit >= end:
        return end
    found = [
        at + size for mark, size in ((b"\n\r\n", 3), (b"\n\n", 2)) if (at := raw.find(mark, position - 1, end)) >= 0
    ]
    return min(found, default=end)


def unfold(value: str) -> str:
    """One line of a folded value."""
    if "\n" in value:
        value = " ".join(line.strip(" \t\r") for line in value.split("\n"))
    return value.replace("\r", " ").strip() if "\r" in value else value.strip()


def _plain(value: str) -> str:
    """Text of Latin-1-carried bytes that are not encoded words."""
    if value.isascii():
        return value
    try:
        return charsets.decode(value.encode("latin-1"))
    except UnicodeEncodeError:  # decoded already
        return value


def decode_words(value: str) -> str:
    """The text of a header value: encoded words joined even when split inside a character, raw 8-bit detected."""
    value = unfold(value)
    if "=?" not in value:
        return _one_line(_plain(value))
    out: list[str] = []
    pending = b""
    pending_charset = ""
    position = 0
    for match in _ENCODED.finditer(value):
        between = value[position : match.start()]
        charset, encoding, payload = match[1], match[2].lower(), match[3]
        if pending and (between.strip() or charset.lower() != pending_charset.lower()):
            out.append(charsets.decode(pending, pending_charset))
            pending = b""
        if between.strip() or not position:
            out.append(_plain(between))
        pending += _word_bytes(payload, encoding)
        pending_charset = charset
        position = match.end()
    if pending:
        out.append(charsets.decode(pending, pending_charset))
    out.append(_plain(value[position:]))
    return _one_line("".join(out))


def _word_bytes(payload: str, encoding: str) -> bytes:
    raw = payload.encode("latin-1", "replace")
    if encoding == "q":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    return decode_base64(raw)


def decode_base64(raw: bytes) -> bytes:
    """Base64 whatever its padding; rubbish between is skipped."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", charsets.clean(text)).strip()


def parse_parameters(value: str | None) -> tuple[str, dict[str, str]]:
    """`text/plain; charset="x"` as ("text/plain", {"charset": "x"}), RFC 2231 pieces joined and decoded."""
    if not value:
        return "", {}
    value = unfold(value)[:16_384]
    main = value.partition(";")[0].strip().strip('"').lower()
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value, len(value.partition(";")[0]))):
        if count >= _MAX_PARAMETERS:
            break
        name, content = match[1].lower(), _unquote(match[2].strip())
        if "*" in name:
            _keep_piece(name, content, pieces)
        else:
            plain.setdefault(name, _decode_parameter(content))
    for name, found in pieces.items():
        plain[name] = _join_pieces(sorted(found))
    return main, plain


def _unquote(content: str) -> str:
    if not content.startswith('"'):
        return content
    inner = content[1:-1] if content.endswith('"') and len(content) > 1 else content[1:]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner and not re.match(r"[A-Za-z]:\\", inner) else inner


def _decode_parameter(content: str) -> str:
    return decode_words(content) if "=?" in content or not content.isascii() else content


def _keep_piece(name: str, content: str, pieces: dict[str, list[tuple[int, bool, str]]]) -> None:
    base, _, rest = name.partition("*")
    encoded = rest == "" or rest.endswith("*")
    number = rest.rstrip("*")
    order = int(number) if number.isdecimal() and len(number) < 4 else 0
    pieces.setdefault(base, []).append((order, encoded, content))


def _join_pieces(found: list[tuple[int, bool, str]]) -> str:
    charset = ""
    raw = b""
    for place, (_, encoded, content) in enumerate(found):
        if encoded and place == 0 and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        data = content.encode("latin-1", "replace")
        raw += unquote_to_bytes(data) if encoded else data
    text = charsets.decode(raw, charset or None)
    return decode_words(text) if "=?" in text and text.isascii() else _one_line(text)
