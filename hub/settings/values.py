"""What settings are made of: secrets that do not show, problems that say where, the one error."""

import difflib
import hmac
import re
from collections.abc import Iterable
from typing import Literal, get_args, get_origin

import msgspec


class Secret:
    """A text that is not shown: not by repr, not in a log, not in a traceback's values."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, at the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the settings; `where` is `FILE:LINE`, a key's path or a variable's name.

    An `error` keeps the hub from starting; a `warning` is told and lived with.
    """

    where: str
    text: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        said = f"{self.severity}: {self.where}: {self.text}"
        return f"{said}\n    {self.hint}" if self.hint else said


class SettingsError(ValueError):
    """The settings cannot be taken; `problems` holds everything found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_BOUNDS = {" <= ": ", at most ", " >= ": ", at least ", " < ": ", below ", " > ": ", above "}


def wanted_instead(error: Exception, kind: object, *, is_typed: bool = True) -> str:
    """Return in words what a value should have been, of this kind; what a variable holds has no type of its own."""
    wanted, _, got = str(error).partition(" - at ")[0].partition(", got ")
    if wanted.startswith("Invalid enum value"):
        return f"Expected one of {', '.join(map(str, _choices(kind)))}."
    for sign, words in _BOUNDS.items():
        wanted = wanted.replace(sign, words)
    said = f"{wanted}, got {got}" if got and is_typed else wanted
    return re.sub(r"`([^`]+)`", lambda found: " or ".join(_WORDS.get(t, t) for t in found[1].split(" | ")), said) + "."


def _choices(kind: object) -> list[object]:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [choice for part in get_args(kind) for choice in _choices(part)]


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without its name."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known key, or all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else ""
