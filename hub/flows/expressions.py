"""Expressions of flows: CEL, with only known names in scope and a bound on what one can cost.

What may be used is checked when a flow is read, so that a running flow meets no surprise: names, functions, length,
nesting, one loop at most. Values are cut to size before they are seen (`bounded`), so the cost of an evaluation is
bounded by the expression's length. https://github.com/google/cel-spec
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import cel
import msgspec

from hub.flows.model import nearest

MAX_LENGTH: Final = 400
MAX_DEPTH: Final = 12
MAX_TEXT: Final = 2_000
MAX_ITEMS: Final = 50
MAX_LEVELS: Final = 4
MAX_INT: Final = 2**53

SCOPE: Final = {
    "customer": "name, language, tier, company, tags, fields, is_known",
    "queues": "by id: open, waiting, wait_s",
    "now": "date, time, hour, weekday (1 is Monday)",
    "channel": "phone, chat, sms or email",
    "language": "the language spoken now",
    "answers": "what was answered, by name; null before",
    "results": "what was looked up, by name: found, and what was kept",
}
"""The names an expression or a template may use."""

FUNCTIONS: Final = frozenset(
    {"size", "has", "int", "double", "contains", "startsWith", "endsWith", "exists", "all", "filter", "map"}
)
_LOOPS: Final = frozenset({"exists", "all", "filter", "map"})
_LITERALS: Final = frozenset({"true", "false", "null", "in"})
_WRITTEN: Final = {
    "and": "Write && here.",
    "or": "Write || here.",
    "not": "Write ! here.",
    "True": "Write true here.",
    "False": "Write false here.",
    "None": "Write null here.",
}
"""What people write who know another language, and how it is written here."""
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>\d[\w.]*)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<mark>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])"""
)

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Scope = Mapping[str, object]


class ExpressionError(Exception):
    """An expression cannot be used, or could not be evaluated; `hint` says what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(text)


class Reading(msgspec.Struct, frozen=True):
    """What an expression uses: the names it begins with, and its whole paths (`answers.order`)."""

    roots: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=4_096)
def analysed(source: str) -> Reading:
    """Return what an expression uses.

    Raises:
        ExpressionError: it is no expression, or more than is allowed here.
    """
    if not source.strip():
        raise ExpressionError("The expression is empty.")
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.", "Split it into two branches.")
    tokens = list(_tokens(source))
    _check_nesting(tokens)
    reading = _names(tokens)
    try:
        cel.compile(source)
    except ValueError as error:
        raise ExpressionError(f"This is no expression: {_first_line(error)}") from error
    return reading


def evaluate(source: str, scope: Scope) -> Value:
    """Return the value of an expression in a scope of bounded values.

    Raises:
        ExpressionError: it cannot be evaluated: a type that does not fit, a name that holds nothing.
    """
    reading = analysed(source)
    try:
        value = _program(source).execute({name: scope.get(name) for name in reading.roots})
    except Exception as error:
        raise ExpressionError(_first_line(error)) from error
    return bounded(value)


def is_true(source: str, scope: Scope) -> bool:
    """Return whether an expression is true.

    Raises:
        ExpressionError: it cannot be evaluated, or is neither true nor false.
    """
    value = evaluate(source, scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"The expression is neither true nor false: it is {type(value).__name__}.")
    return value


def bounded(value: object, level: int = 0) -> Value:
    """Return a value cut to what a flow may hold: plain, not deep, not long, numbers that JSON keeps exact."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INT else str(value)[:40] if abs(value) < 10**39 else None
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, str):
        return value[:MAX_TEXT].replace("\x00", "")
    if level >= MAX_LEVELS:
        return None
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MAX_ITEMS]
        return {str(key)[:80]: bounded(inner, level + 1) for key, inner in pairs}
    if isinstance(value, Sequence):
        return [bounded(inner, level + 1) for inner in value[:MAX_ITEMS]]
    return None


@lru_cache(maxsize=4_096)
def _program(source: str) -> cel.Program:
    return cel.compile(source)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(
                f"{source[at]!r} has no meaning in an expression.", "Comparisons are ==, !=, <, && ..."
            )
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "space":
            yield kind, match.group()


def _check_nesting(tokens: Sequence[tuple[str, str]]) -> None:
    depth = signs = 0
    for _, text in tokens:
        depth += (text in "([{") - (text in ")]}") if len(text) == 1 else 0
        signs = signs + 1 if text in {"!", "-", "?"} else 0
        if depth > MAX_DEPTH or signs > MAX_DEPTH:
            raise ExpressionError(f"The expression is nested deeper than {MAX_DEPTH} levels.", "Split it in two.")
    if sum(text == "?" for _, text in tokens) > MAX_DEPTH:
        raise ExpressionError("The expression has too many conditions.", "Use the cases of a branch.")


def _names(tokens: Sequence[tuple[str, str]]) -> Reading:
    """Find what is used. A name before a parenthesis is a function, one after a dot a field."""
    own = [tokens[n + 2][1] for n, token in enumerate(tokens[:-2]) if token[1] in _LOOPS and tokens[n + 1][1] == "("]
    if len(own) > 1:
        raise ExpressionError(
            "The expression has more than one loop (exists, all, filter, map).", "Use a branch before."
        )
    paths: dict[tuple[str, ...], None] = {}
    for n, (kind, text) in enumerate(tokens):
        if kind != "name" or text in _LITERALS:
            continue
        is_call = n + 1 < len(tokens) and tokens[n + 1][1] == "("
        if is_call and text not in FUNCTIONS:
            raise ExpressionError(f"There is no function {text!r}.", nearest(text, FUNCTIONS))
        if is_call or text in own or (n and tokens[n - 1][1] == "."):
            continue
        if text not in SCOPE:
            raise ExpressionError(f"There is no name {text!r}.", _WRITTEN.get(text) or nearest(text, SCOPE))
        paths[_path(tokens, n)] = None
    return Reading(tuple(dict.fromkeys(path[0] for path in paths)), tuple(paths))


def _path(tokens: Sequence[tuple[str, str]], n: int) -> tuple[str, ...]:
    path = [tokens[n][1]]
    while n + 2 < len(tokens) and tokens[n + 1][1] == "." and tokens[n + 2][0] == "name":
        if n + 3 < len(tokens) and tokens[n + 3][1] == "(":
            break
        n += 2
        path.append(tokens[n][1])
    return tuple(path)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
