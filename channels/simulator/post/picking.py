"""IMAP's SEARCH: which mails are meant (RFC 3501, 6.4.4)."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from channels.simulator.post.grammar import Malformed, Word, chosen
from channels.simulator.post.office import Stored
from channels.simulator.post.parts import section

Test = Callable[[int, Stored], bool]
"""Whether the mail with this sequence number is meant."""

_FLAGS: Final = {
    b"ANSWERED": "\\Answered",
    b"DELETED": "\\Deleted",
    b"DRAFT": "\\Draft",
    b"FLAGGED": "\\Flagged",
    b"SEEN": "\\Seen",
}
_HEADERS: Final = (b"FROM", b"TO", b"CC", b"BCC", b"SUBJECT")
_DATES: Final = (b"BEFORE", b"ON", b"SINCE", b"SENTBEFORE", b"SENTON", b"SENTSINCE")


class Picker:
    """Reads the words of one SEARCH. `view` is what the client sees, by sequence number from 1."""

    def __init__(self, keys: Sequence[Word], view: Sequence[Stored]) -> None:
        self._keys = list(keys)
        self._view = view

    def picked(self) -> list[tuple[int, Stored]]:
        """Return (sequence number, mail) of those that fit.

        Raises:
            Malformed: a key is not known, or lacks what belongs to it.
        """
        tests = []
        if self._keys[:1] and isinstance(self._keys[0], bytes) and self._keys[0].upper() == b"CHARSET":
            del self._keys[:2]
        while self._keys:
            tests.append(self._test())
        return [(n, one) for n, one in enumerate(self._view, 1) if all(test(n, one) for test in tests)]

    def _next(self) -> bytes:
        word = self._keys.pop(0) if self._keys else None
        if not isinstance(word, bytes):
            raise Malformed("A word is missing.")
        return word

    def _test(self) -> Test:
        if isinstance(self._keys[0], list):
            inner = {id(one) for _, one in Picker(self._keys.pop(0), self._view).picked()}  # type: ignore[arg-type]
            return lambda _n, one: id(one) in inner
        key = self._next().upper()
        if key in {b"NOT", b"OR"}:
            return self._joined(key)
        plain = self._of_flags(key) or self._of_numbers(key)
        if plain is not None:
            return plain
        if key in _DATES:
            return _dated(key, self._next())
        return self._of_words(key)

    def _joined(self, key: bytes) -> Test:
        if not self._keys:
            raise Malformed("A word is missing.")
        first = self._test()
        if key == b"NOT":
            return lambda n, one: not first(n, one)
        if not self._keys:
            raise Malformed("A word is missing.")
        second = self._test()
        return lambda n, one: first(n, one) or second(n, one)

    def _of_flags(self, key: bytes) -> Test | None:
        if key in {b"ALL", b"OLD"}:
            return lambda _n, _one: True
        if key in {b"NEW", b"RECENT"}:
            return lambda _n, _one: False
        if key in {b"KEYWORD", b"UNKEYWORD"}:
            word = self._next().decode("ascii", "replace")
            return lambda _n, one: (word in one.flags) == (key == b"KEYWORD")
        flag = _FLAGS.get(key.removeprefix(b"UN"))
        return None if flag is None else lambda _n, one: (flag in one.flags) != key.startswith(b"UN")

    def _of_numbers(self, key: bytes) -> Test | None:
        if key == b"UID":
            uids = chosen(self._next(), [one.uid for one in self._view])
            return lambda _n, one: one.uid in uids
        if key in {b"LARGER", b"SMALLER"}:
            limit = self._next()
            if not limit.isdigit():
                raise Malformed("A number was expected.")
            return lambda _n, one: len(one.raw) > int(limit) if key == b"LARGER" else len(one.raw) < int(limit)
        if key[:1].isdigit() or key.startswith(b"*"):
            numbers = chosen(key, range(1, len(self._view) + 1))
            return lambda n, _one: n in numbers
        return None

    def _of_words(self, key: bytes) -> Test:
        if key == b"HEADER":
            name, wanted = self._next(), self._next().lower()
        elif key in _HEADERS:
            name, wanted = key, self._next().lower()
        elif key in {b"BODY", b"TEXT"}:
            text = self._next().lower()
            place = b"TEXT" if key == b"BODY" else b""
            return lambda _n, one: text in section(one.raw, place).lower()
        else:
            raise Malformed("That cannot be searched for.")
        field = b"HEADER.FIELDS (%s)" % name
        return lambda _n, one: wanted in section(one.raw, field).lower() and len(section(one.raw, field)) > 2


def _dated(key: bytes, text: bytes) -> Test:
    try:
        wanted = datetime.strptime(text.decode("ascii"), "%d-%b-%Y").date()  # noqa: DTZ007 - a day has no zone
    except (ValueError, UnicodeDecodeError):
        raise Malformed("A day was expected, such as 1-Feb-2026.") from None
    day = _sent if key.startswith(b"SENT") else _came
    if key.endswith(b"BEFORE"):
        return lambda _n, one: day(one) < wanted
    if key.endswith(b"SINCE"):
        return lambda _n, one: day(one) >= wanted
    return lambda _n, one: day(one) == wanted


def _came(one: Stored) -> date:
    return datetime.fromtimestamp(one.at, UTC).date()


def _sent(one: Stored) -> date:
    said = section(one.raw, b"HEADER.FIELDS (DATE)").partition(b":")[2].strip()
    try:
        return parsedate_to_datetime(said.decode("ascii")).date()
    except (ValueError, UnicodeDecodeError):
        return _came(one)
