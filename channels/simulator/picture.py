"""A picture, as a phone would take one, in the few lines that a PNG needs (ISO/IEC 15948)."""

import random
import struct
import zlib
from typing import Final

_WIDTH: Final = 320
_HEIGHT: Final = 220
_CANVAS: Final = (b"\xe8\x74\x3b", b"\xc8\x5a\x26")
_TORN: Final = b"\x2c\x1c\x16"


def snapshot(chance: random.Random) -> bytes:
    """Return a PNG of a tent in a meadow at some hour of the day, with a tear somewhere in it."""
    warmth = chance.random()
    tear = chance.randrange(130, 190)
    rows = b"".join(b"\0" + _row(y, warmth, tear) for y in range(_HEIGHT))
    header = struct.pack("!IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _row(y: int, warmth: float, tear: int) -> bytes:
    if y >= 150:
        ground = bytes((86 + y * 13 % 14, 128 + y * 5 % 16, 84))
    else:
        ground = bytes((int(150 + 90 * warmth), int(188 + y / 4), int(232 - 70 * warmth)))
    if not 50 <= y < 178:
        return ground * _WIDTH
    half = int((y - 50) * 0.85)
    row = ground * (160 - half) + _CANVAS[0] * half + _CANVAS[1] * half + ground * (160 - half)
    if 90 < y < 140:
        row = row[: tear * 3] + _TORN * 2 + row[tear * 3 + 6 :]
    return row


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))
