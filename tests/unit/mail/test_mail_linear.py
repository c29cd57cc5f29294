"""Every pattern takes time in proportion to what it reads, whatever that is."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import channels.mail
from tests.pace import within

SIZE = 20_000
"""Characters: enough that quadratic time is more than the limit, and linear time is a hundredth of it."""
LIMIT_S = 0.6
UNITS = (
    " ",
    "a",
    "1",
    "<",
    "-",
    "_",
    "=",
    "@",
    "a@",
    "a.",
    "\n",
    "\r\n",
    "=?",
    "写道",
    "a b ",
    "> ",
    "|",
    '<a a="',
    "\\",
    ":",
)
CAPS = {
    "addresses._IN_TEXT": 200_000,
    "attributions._DIVIDER": 160,
    "attributions._VERB": 500,
    "references._BARE": 4_000,
    "signatures._CONTACT": 400,
    "signatures._DEVICE": 160,
    "signatures._SENTENCE": 400,
    "styles._FUNCTION": 200,
}
"""Most characters that the callers of a pattern hand to it, where that is what bounds it."""
CALLS = {"search", "match", "finditer", "findall", "sub", "split", "fullmatch"}
MODULES = [
    importlib.import_module(f"channels.mail.{found.name}") for found in pkgutil.iter_modules(channels.mail.__path__)
]


def calls_of(module: Any) -> set[tuple[str, str]]:
    """(name of a pattern, method called on it) in a module's source."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return {
        (node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in CALLS and isinstance(node.value, ast.Name | ast.Attribute)
    }


def patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Every pattern of the package, and whether it is only tried at one place."""
    shared = {call for module in MODULES for call in calls_of(module)}
    for module in MODULES:
        own = calls_of(module)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                used = {call for found, call in own if found == name}
                used = used or {call for found, call in shared if found == name}
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value, used <= {"match", "fullmatch"}
            elif isinstance(value, tuple):
                for number, row in enumerate(value):
                    if isinstance(row, tuple) and row and isinstance(row[0], re.Pattern):
                        yield f"{module.__name__.rpartition('.')[2]}.{name}[{number}]", row[0], False


PATTERNS = {name: (pattern, is_anchored) for name, pattern, is_anchored in patterns()}


@pytest.mark.parametrize("name", PATTERNS)
def test_no_repetition_takes_more_than_linear_time(name: str) -> None:
    pattern, is_anchored = PATTERNS[name]
    size = min(CAPS.get(name, SIZE), SIZE)
    for unit in UNITS:
        text: Any = (unit * (size // len(unit) + 1))[:size]
        text = text.encode() if isinstance(pattern.pattern, bytes) else text
        with within(LIMIT_S):
            if is_anchored:
                pattern.match(text)
            else:
                for _ in pattern.finditer(text):
                    pass


def test_there_are_patterns_to_try() -> None:
    assert len(PATTERNS) > 100
    assert CAPS.keys() <= PATTERNS.keys()
