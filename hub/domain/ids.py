"""Identifiers: short, time-ordered, safe in URLs and logs."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 60

InteractionId = str
CustomerId = str
AgentId = str
QueueId = str
OfferId = str
FileId = str


def new_id(prefix: str) -> str:
    """Return `prefix` followed by 21 characters: milliseconds since 1970 (9), then 60 random bits (12), in base 32.

    Later identifiers sort behind earlier ones, so inserts stay at the end of an index.
    """
    number = (time.time_ns() // 1_000_000) << _RANDOM_BITS
    number |= int.from_bytes(os.urandom(8), "big") >> (64 - _RANDOM_BITS)
    letters = []
    for _ in range(21):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return prefix + "".join(reversed(letters))
