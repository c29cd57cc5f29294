"""Names of things as the provider makes them: two letters for the kind, 32 hexadecimal digits."""

import random
import re
from typing import Final

KINDS: Final = frozenset({"AC", "SK", "CA", "CF", "QU", "RE", "SM", "MM", "ME", "PN", "AP", "MG", "RQ", "NO", "TR"})
_SHAPE: Final = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


class Sids:
    """Makes names from a seeded source, so that a run can be repeated."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def new(self, kind: str) -> str:
        """Return a name nobody has: `kind` is its first two letters."""
        return f"{kind}{self._chance.getrandbits(128):032x}"


def is_sid(text: str, kind: str = "") -> bool:
    """Whether a text is a name of this kind (of any, without one)."""
    return _SHAPE.fullmatch(text) is not None and text.startswith(kind)
