"""How large a picture unfolds: some kilobytes may say that they are a hundred million points, and browsers believe."""

from io import BytesIO
from typing import BinaryIO, Final

MOST_POINTS: Final = 40_000_000
"""Width by height. Twice that takes a browser a third of a gigabyte to draw; cameras of telephones save 12 million."""
_MOST_SEGMENTS: Final = 2_000
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers in front of a size (ISO/IEC 10918-1, B.2.2)."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def is_too_large(picture: bytes | BinaryIO) -> bool:
    """Whether a PNG, GIF, WebP or JPEG is larger than anybody should have to draw; what is none of them is not."""
    return points(picture) > MOST_POINTS


def points(picture: bytes | BinaryIO) -> int:
    """Return width by height as the picture's own head says; 0 for what is no such picture, or is cut off."""
    file = BytesIO(picture) if isinstance(picture, bytes) else picture
    head = file.read(30)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return _big(head[16:20]) * _big(head[20:24])
    if head.startswith(b"GIF8"):
        return max(_little(head[6:8]) * _little(head[8:10]), _first_frame(file, head))
    if head[8:12] == b"WEBP":
        return _webp(head)
    return _jpeg(file) if head.startswith(b"\xff\xd8") else 0


def _webp(head: bytes) -> int:
    if head[12:16] == b"VP8X":
        return (_little(head[24:27]) + 1) * (_little(head[27:30]) + 1)
    if head[12:16] == b"VP8L":
        packed = _little(head[21:25])
        return ((packed & 0x3FFF) + 1) * ((packed >> 14 & 0x3FFF) + 1)
    if head[12:16] == b"VP8 ":
        return (_little(head[26:28]) & 0x3FFF) * (_little(head[28:30]) & 0x3FFF)
    return 0


def _first_frame(file: BinaryIO, head: bytes) -> int:
    """Return the size of a GIF's first frame: where it is larger than the screen it names, browsers draw that much."""
    colours = 3 << (head[10] & 7) + 1 if len(head) > 10 and head[10] & 0x80 else 0
    file.seek(13 + colours)
    for _ in range(_MOST_SEGMENTS):
        kind = file.read(1)
        if kind == b",":
            frame = file.read(8)
            return _little(frame[4:6]) * _little(frame[6:8])
        if kind != b"!":
            return 0
        file.seek(1, 1)
        while length := _little(file.read(1)):
            file.seek(length, 1)
    return MOST_POINTS + 1


def _jpeg(file: BinaryIO) -> int:
    """Go from segment to segment until one says the size."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        marker = file.read(2)
        while marker == b"\xff\xff":
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF:
            return 0
        if marker[1] in _ALONE:
            continue
        length = _big(file.read(2))
        if marker[1] in _SIZES:
            size = file.read(5)
            return _big(size[1:3]) * _big(size[3:5])
        file.seek(max(length - 2, 0), 1)
    return MOST_POINTS + 1


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
