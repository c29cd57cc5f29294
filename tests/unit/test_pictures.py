"""How large a picture unfolds, as its own head says; what lies about it, or is cut off, is held to the worst."""

import struct
from io import BytesIO

import pytest

from hub.domain.pictures import MOST_POINTS, is_too_large, points

FRAME = b","


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\x00\x00\x00"


def gif(width: int, height: int, *, frame: tuple[int, int] = (1, 1), colours: bool = False) -> bytes:
    head = b"GIF89a" + struct.pack("<HHB", width, height, 0x81 if colours else 0) + b"\x00\x00"
    comment = b"!\xfe\x05hello\x00"
    return head + (b"\x2c" * 12 if colours else b"") + comment + FRAME + struct.pack("<HHHH", 0, 0, *frame) + b"\x00"


def jpeg(width: int, height: int, *, before: bytes = b"") -> bytes:
    size = b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\x00" * 9
    return b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 10 + before + size + b"\xff\xd9"


def webp(kind: bytes, width: int, height: int) -> bytes:
    head = b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00"
    if kind == b"VP8X":
        return head + b"\x00" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    if kind == b"VP8L":
        return head + b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"\x00" * 5
    return head + b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)


@pytest.mark.parametrize(
    "picture",
    [
        png(640, 480),
        gif(640, 480),
        gif(640, 480, colours=True),
        gif(1, 1, frame=(640, 480)),
        gif(1, 1, frame=(640, 480), colours=True),
        jpeg(640, 480),
        jpeg(640, 480, before=b"\xff\xff\xe1\x00\x04ab"),
        jpeg(640, 480, before=b"\xff\xe1\xff\xff" + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01" + b"x" * 65_524),
        *(webp(kind, 640, 480) for kind in (b"VP8X", b"VP8L", b"VP8 ")),
    ],
)
def test_points_are_read_from_every_kind_of_picture(picture: bytes) -> None:
    assert points(picture) == points(BytesIO(picture)) == 640 * 480
    assert not is_too_large(picture)


@pytest.mark.parametrize(
    "picture",
    [
        png(30_000, 30_000),
        png(2**31, 2**31),
        gif(65_535, 65_535),
        gif(1, 1, frame=(60_000, 60_000)),
        jpeg(65_500, 65_500),
        webp(b"VP8X", 16_383, 16_383),
        jpeg(1, 1, before=b"\xff\xe1\x00\x02" * 3_000),
        b"GIF89a" + b"\x01\x00" * 2 + b"\x00" * 3 + b"!\xfe\x00" * 3_000,
    ],
)
def test_picture_that_fills_a_browsers_memory_is_too_large(picture: bytes) -> None:
    assert is_too_large(picture)


def test_what_is_no_picture_or_only_its_beginning_has_no_points() -> None:
    whole = [png(640, 480), gif(640, 480), jpeg(640, 480), webp(b"VP8X", 640, 480)]
    for picture in whole:
        for length in range(len(picture)):
            assert points(picture[:length]) <= MOST_POINTS
    assert [points(text) for text in (b"", b"hello", b"%PDF-1.7", b"\xff\xd8", b"GIF8")] == [0] * 5
