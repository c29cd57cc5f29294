"""Transfer encodings undone, whatever was cut off or mixed in."""

import binascii
import re
from dataclasses import dataclass

from channels.mail.headers import decode_base64

_UU_LINE = re.compile(rb"[\x20-\x60]{1,90}\Z")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")


def decode(body: bytes, encoding: str) -> bytes:
    """`body` without its Content-Transfer-Encoding; an unknown one is taken for none."""
    if encoding == "base64":
        return _base64(body)
    if encoding in {"quoted-printable", "quoted_printable", "quotedprintable"}:
        return binascii.a2b_qp(body)
    if encoding in {"x-uuencode", "x-uue", "uuencode", "uue"}:
        return uudecode(body)
    return body


def _base64(body: bytes) -> bytes:
    head = body[:200]
    if (len(_NOT_BASE64.findall(head)) + head.strip().count(b" ")) * 6 > len(head):  # said to be base64, is plain text
        return body
    padding = body.find(b"=")
    if padding >= 0 and len(body) - padding > 8:
        return _base64_with_tail(body, padding)
    return decode_base64(body)


def _base64_with_tail(body: bytes, padding: int) -> bytes:
    """Base64 that goes on behind a padding: several encodings in a row, or a list's footer in plain text."""
    out = [decode_base64(body[: padding + 2])]
    for piece in re.split(rb"=+\s*", body[padding:])[:1000]:
        if not piece.strip():
            continue
        if _NOT_BASE64.search(piece) or b" " in piece.strip():
            out.append(b"\n" + piece)
        else:
            out.append(decode_base64(piece))
    return b"".join(out)


def uudecode(body: bytes) -> bytes:
    """The bytes of uuencoded lines; a damaged line gives what can be read of it."""
    out: list[bytes] = []
    for line in body.splitlines():
        if line.startswith(b"begin ") and not out:
            continue
        if line.strip() in {b"end", b"`"}:
            break
        if _UU_LINE.match(line):
            out.append(_uu_line(line))
    return b"".join(out)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:length].ljust(length))
        except binascii.Error:
            return b""


@dataclass(frozen=True, slots=True)
class Uuencoded:
    """A file that stood between "begin 644 name" and "end" in plain text."""

    filename: str
    content: bytes


def split_uuencoded(text: str) -> tuple[str, tuple[Uuencoded, ...]]:
    """`text` without its uuencoded files, and those."""
    if "begin" not in text or "\nend" not in text:
        return text, ()
    files: list[Uuencoded] = []
    lines = text.split("\n")
    kept: list[str] = []
    position = 0
    while position < len(lines):
        stop = _uu_end(lines, position) if lines[position].startswith("begin ") else 0
        if stop:
            name = lines[position].split(" ", 2)[2].strip()
            files.append(Uuencoded(name, uudecode("\n".join(lines[position + 1 : stop]).encode("ascii", "replace"))))
            position = stop + 1
        else:
            kept.append(lines[position])
            position += 1
    return "\n".join(kept), tuple(files)


_UU_BEGIN = re.compile(r"begin [0-7]{3,4} \S")
_UU_TEXT = re.compile(r"[\x20-\x60]{0,90}\r?\Z")


def _uu_end(lines: list[str], begin: int) -> int:
    """Line number of the "end" of the file that begins here, 0 if none does."""
    if not _UU_BEGIN.match(lines[begin]):
        return 0
    for number in range(begin + 1, len(lines)):
        if lines[number].strip() == "end":
            return number if number > begin + 1 else 0
        if not _UU_TEXT.match(lines[number]):
            return 0
    return 0
