"""How a text is cut into SMS: which alphabet it needs, how many segments it takes (3GPP TS 23.038)."""

from dataclasses import dataclass
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""Characters that take two places of the seven-bit alphabet."""


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text goes over the air: "GSM-7" or "UCS-2", its length in that alphabet's units, and its segments."""

    encoding: str
    units: int
    count: int


def segments(text: str) -> Segments:
    """Count a text's segments. One holds 160 units (70 in UCS-2), one of several 153 (67); no character is cut in two.

    An empty text, as with a picture alone, is one segment.
    """
    if all(character in BASIC or character in EXTENDED for character in text):
        widths = [2 if character in EXTENDED else 1 for character in text]
        return Segments("GSM-7", sum(widths), _cut(widths, 160, 153))
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Segments("UCS-2", sum(widths), _cut(widths, 70, 67))


def _cut(widths: list[int], single: int, joined: int) -> int:
    if sum(widths) <= single:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
