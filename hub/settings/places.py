"""Where each setting stands: a line of the file, or a variable's name."""

import re
from pathlib import Path
from typing import Final

Keys = tuple[str, ...]

_PART: Final = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_TABLE: Final = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


class Places:
    """Tells the place of a key, well enough to point at it; keys inside a one-line table have that line's."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: dict[Keys, int] = {}
        self.variables: dict[Keys, str] = {}

    def note_text(self, text: str) -> None:
        """Learn the lines of a TOML text."""
        table: Keys = ()
        is_inside_text = False
        for number, line in enumerate(text.splitlines(), 1):
            if not is_inside_text:
                table = self._note(line, number, table)
            is_inside_text ^= (line.count('"""') + line.count("'''")) % 2 == 1

    def of(self, keys: Keys) -> str:
        """Return `VARIABLE`, `FILE:LINE`, or the dotted key when neither holds it."""
        for variable, name in self.variables.items():
            is_inside = keys[: len(variable)] == variable
            if is_inside or (keys and keys not in self._lines and variable[: len(keys)] == keys):
                return name
        for length in range(len(keys), 0, -1):
            if line := self._lines.get(keys[:length]):
                return f"{self._path}:{line}"
        return str(self._path) if self._path else ".".join(keys) or "settings"

    def _note(self, line: str, number: int, table: Keys) -> Keys:
        if header := _TABLE.match(line):
            table = _split(header[1])
            self._lines.setdefault(table, number)
        elif key := _KEY.match(line):
            self._lines.setdefault(table + _split(key[1]), number)
        return table


def _split(dotted: str) -> Keys:
    return tuple(a or b or c for a, b, c in re.findall(r"""([\w-]+)|"([^"]*)"|'([^']*)'""", dotted))
