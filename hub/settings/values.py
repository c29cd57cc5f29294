"""What settings are made of: secrets that do not show, problems that say where, the one error."""

import difflib
import hmac
from collections.abc import Iterable
from typing import Literal

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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known key, or all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else ""
