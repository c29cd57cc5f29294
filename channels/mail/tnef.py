"""winmail.dat opened: the files and the body that Outlook hid in TNEF ([MS-OXTNEF]); what is damaged is left out."""

# ruff: noqa: E501

import re
import struct
from dataclasses import dataclass, field

from channels.mail import charsets

SIGNATURE = b"\x78\x9f\x3e\x22"
_MAX_ATTRIBUTES = 5_000
_MAX_PROPERTIES = 5_000
_MAX_FILES = 200
_MAX_BODY = 4_000_000

_ATT_BODY, _ATT_MESSAGE_PROPS = 0x800C, 0x9003
_ATT_OEM_CODEPAGE = 0x9007
_ATT_RENDER, _ATT_TITLE, _ATT_DATA, _ATT_FILE_PROPS = 0x9002, 0x8010, 0x800F, 0x9005
_PR_BODY, _PR_HTML, _PR_RTF = 0x1000, 0x1013, 0x1009
_PR_FILE_DATA, _PR_LONG_NAME, _PR_SHORT_NAME, _PR_MIME, _PR_CID, _PR_DISPLAY = (
    0x3701,
    0x3707,
    0x3704,
    0x370E,
    0x3712,
    0x3001,
)

_FIXED = {0x0001: 0, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8}
_FIXED |= {0x0040: 8, 0x0048: 16, 0x0000: 0}
_STRING, _UNICODE, _BINARY, _OBJECT = 0x001E, 0x001F, 0x0102, 0x000D


@dataclass(frozen=True, slots=True)
class TnefFile:
    """One file out of a winmail.dat."""

    filename: str
    content: bytes
    content_type: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Tnef:
    """What a winmail.dat held."""

    files: tuple[TnefFile, ...] = ()
    text: str = ""
    html: str = ""


@dataclass
class _File:
    title: str = ""
    content: bytes = b""
    properties: dict[int, bytes] = field(default_factory=dict)


def unpack(data: bytes) -> Tnef | None:
    """The content of a TNEF stream, None when it is none. Damage ends the reading, not the mail."""
    if data[:4] != SIGNATURE:
        return None
    files: list[_File] = []
    message: dict[int, bytes] = {}
    codepage = "cp1252"
    plain = b""
    for attribute, value in _attributes(data):
        if attribute == _ATT_OEM_CODEPAGE and len(value) >= 4:
            codepage = f"cp{struct.unpack_from('<I', value)[0]}"
        elif attribute == _ATT_BODY:
            plain = value
        elif attribute == _ATT_MESSAGE_PROPS:
            message = _properties(value)
        elif attribute == _ATT_RENDER and len(files) < _MAX_FILES:
            files.append(_File())
        elif files:
            _add_to_file(files[-1], attribute, value, codepage)
    return _result(files, message, plain, codepage)


def _add_to_file(file: _File, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == _ATT_TITLE:
        file.title = _string(value, codepage)
    elif attribute == _ATT_DATA:
        file.content = value
    elif attribute == _ATT_FILE_PROPS:
        file.properties = _properties(value)


def _attributes(data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    position = 6
    while position + 9 <= len(data) and len(found) < _MAX_ATTRIBUTES:
        attribute, size = struct.unpack_from("<HxxI", data, position + 1)
        start = position + 9
        if data[position] not in {1, 2} or start + size > len(data):
            break
        found.append((attribute, data[start : start + size]))
        position = start + size + 2
    return found


def _properties(data: bytes) -> dict[int, bytes]:
    """Property id -> bytes of its (first) value; Unicode strings are UTF-16 as they stand, marked by a BOM."""
    found: dict[int, bytes] = {}
    if len(data) < 4:
        return found
    count = min(struct.unpack_from("<I", data)[0], _MAX_PROPERTIES)
    position = 4
    try:
        for _ in range(count):
            position = _property(data, position, found)
    except (struct.error, _DamagedError):
        return found
    return found


class _DamagedError(Exception):
    """The property stream lies about a length."""


def _property(data: bytes, position: int, found: dict[int, bytes]) -> int:
    kind, identity = struct.unpack_from("<HH", data, position)
    position += 4
    if identity >= 0x8000:
        position = _skip_name(data, position)
    is_multiple, kind = bool(kind & 0x1000), kind & 0x0FFF
    count = 1
    if is_multiple or kind in {_STRING, _UNICODE, _BINARY, _OBJECT}:
        count = struct.unpack_from("<I", data, position)[0]
        position += 4
    if count > _MAX_PROPERTIES:
        raise _DamagedError
    for number in range(count):
        value, position = _value(data, position, kind)
        if number == 0:
            found.setdefault(identity, value)
    return position


def _skip_name(data: bytes, position: int) -> int:
    named_by = struct.unpack_from("<I", data, position + 16)[0]
    position += 20
    if named_by == 0:
        return position + 4
    length = struct.unpack_from("<I", data, position)[0]
    return int(position + 4 + length + (-length % 4))


def _value(data: bytes, position: int, kind: int) -> tuple[bytes, int]:
    if kind in _FIXED:
        return data[position : position + _FIXED[kind]], position + _FIXED[kind]
    if kind not in {_STRING, _UNICODE, _BINARY, _OBJECT}:
        raise _DamagedError
    length = struct.unpack_from("<I", data, position)[0]
    start = position + 4
    if start + length > len(data):
        raise _DamagedError
    value = data[start : start + length]
    if kind == _UNICODE:
        value = b"\xff\xfe" + value
    elif kind == _OBJECT:
        value = value[16:]
    return value, start + length + (-length % 4)


def _string(value: bytes, codepage: str) -> str:
    if value.startswith(b"\xff\xfe"):
        return charsets.clean(value[2:].decode("utf-16-le", "replace").rstrip("\x00"))
    return charsets.decode(value.rstrip(b"\x00"), codepage)


def _result(files: list[_File], message: dict[int, bytes], plain: bytes, codepage: str) -> Tnef:
    done = []
    for file in files:
        properties = file.properties
        names = (_PR_LONG_NAME, _PR_DISPLAY, _PR_SHORT_NAME)
        name = next((_string(properties[key], codepage) for key in names if properties.get(key)), "") or file.title
        content = file.content or properties.get(_PR_FILE_DATA, b"")
        kind = _string(properties.get(_PR_MIME, b""), codepage).lower()
        if content or name:
            done.append(TnefFile(name, content, kind, _string(properties.get(_PR_CID, b""), codepage).strip("<>")))
    html = charsets.decode(message.get(_PR_HTML, b"")[:_MAX_BODY], codepage)
    text = _string(message.get(_PR_BODY, b"")[:_MAX_BODY], codepage) or charsets.decode(plain.rstrip(b"\x00"), codepage)
    if not text and not html and _PR_RTF in message:
        text = rtf_text(decompress_rtf(message[_PR_RTF]), codepage)
    return Tnef(tuple(done), charsets.newlines(text), html)


_RTF_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    rb"Times New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def decompress_rtf(data: bytes) -> bytes:
    """[MS-OXRTFCP]: LZ over a 4 kB window that starts with common RTF words."""
    if len(data) < 16:
        return b""
    _, size, kind = struct.unpack_from("<III", data)
    if kind == 0x414C454D:
        return data[16 : 16 + size]
    if kind != 0x75465A4C:
        return b""
    window = bytearray(_RTF_DICTIONARY.ljust(4096, b"\x00"))
    write = len(_RTF_DICTIONARY)
    out = bytearray()
    limit = min(size, _MAX_BODY)
    position = 16
    while position < len(data) and len(out) < limit:
        control = data[position]
        position += 1
        for bit in range(8):
            if not control >> bit & 1:
                piece = data[position : position + 1]
                position += 1
            else:
                pair = data[position : position + 2]
                offset = pair[0] << 4 | pair[1] >> 4 if len(pair) == 2 else write % 4096
                if offset == write % 4096:  # the mark of the end
                    return bytes(out[:limit])
                piece = _from_window(window, offset, (pair[1] & 15) + 2, write)
                position += 2
            for byte in piece:
                window[write % 4096] = byte
                write += 1
            out += piece
    return bytes(out[:limit])


def _from_window(window: bytearray, offset: int, length: int, write: int) -> bytes:
    """`length` bytes from `offset` on; what is being written may be read again."""
    piece = bytearray()
    for number in range(length):
        place = (offset + number) % 4096
        ahead = (place - write) % 4096
        piece.append(piece[ahead] if ahead < number else window[place])
    return bytes(piece)


_RTF_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?|\\([a-z]{1,32})(-?\d{1,10})? ?|\\([^a-z])|([{}])|([^\\{}\r\n]+)"
)
_RTF_SKIPPED = frozenset(
    {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"generator", b"mhtmltag", b"htmltag"}
)


def rtf_text(rtf: bytes, codepage: str = "cp1252") -> str:
    """The words of an RTF document, formatting and embedded HTML tags left out."""
    out: list[str] = []
    skipped_at = depth = 0
    ignore_next = 0
    for match in _RTF_TOKEN.finditer(rtf):
        hexadecimal, code, word, _, symbol, brace, run = match.groups()
        if brace:
            depth += 1 if brace == b"{" else -1
            if depth < skipped_at:
                skipped_at = 0
        elif word in _RTF_SKIPPED or symbol == b"*":
            skipped_at = skipped_at or max(depth, 1)
        elif skipped_at:
            continue
        elif ignore_next and (hexadecimal or run):
            ignore_next, run = 0, (run or b"")[1:]
            out.append(charsets.decode(run, codepage))
        elif code is not None:
            out.append(chr(int(code) % 65536))
            ignore_next = 1
        else:
            out.append(_rtf_piece(hexadecimal, word, symbol, run, codepage))
    text = "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return charsets.clean(text).strip()


def _rtf_piece(
    hexadecimal: bytes | None, word: bytes | None, symbol: bytes | None, run: bytes | None, codepage: str
) -> str:
    if hexadecimal:
        return charsets.decode(bytes.fromhex(hexadecimal.decode()), codepage)
    if word in {b"par", b"line"}:
        return "\n"
    if word == b"tab":
        return "\t"
    if symbol in {b"\\", b"{", b"}"}:
        return symbol.decode()
    return charsets.decode(run, codepage) if run else ""
