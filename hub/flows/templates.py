"""Texts with variables: `{{ answers.order }}`, `{{ results.order.total | money }}`. One pass, no code, no recursion.

What a customer or another system wrote is put in as it is and never read as a template again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final
from urllib.parse import quote

from hub.flows.expressions import SCOPE, Scope
from hub.flows.model import nearest

MAX_VALUE: Final = 500
"""Characters of one value in a text."""
MAX_SAID: Final = 4_000
"""Characters of one text with its values."""

_HOLE: Final = re.compile(r"\{\{([^{}]*)\}\}")
_INSIDE: Final = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+)*)\s*(?:\|\s*(\w+)\s*)?")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LINK: Final = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_]{2})")
MAX_INERT: Final = 100
"""Characters of a value that a customer wrote, in a message that the company signs."""
_CURRENCIES: Final = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥"}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

Filter = Callable[[object, str, str], str]


class TemplateError(ValueError):
    """A template that cannot be used; `hint` says what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(text)


def holes(template: str) -> list[tuple[str, ...]]:
    """Return the paths a template uses.

    Raises:
        TemplateError: a hole holds anything but a known name and a known filter.
    """
    if "{{" in _HOLE.sub("", template) or "}}" in _HOLE.sub("", template):
        raise TemplateError("A {{ is not closed by }}.", "Write {{ answers.NAME }}.")
    found = []
    for inside in _HOLE.findall(template):
        match = _INSIDE.fullmatch(inside)
        if match is None:
            raise TemplateError(f"{{{{{inside}}}}} is not a name.", "Only names with dots, and one filter after |.")
        path, name = match.groups()
        if name and name not in FILTERS:
            raise TemplateError(f"There is no filter {name!r}.", nearest(name, FILTERS))
        root = path.partition(".")[0]
        if root not in SCOPE:
            raise TemplateError(f"There is no name {root!r}.", nearest(root, SCOPE))
        found.append(tuple(path.split(".")))
    return found


def filled(template: str, scope: Scope, *, language: str = "en", currency: str = "USD") -> str:
    """Return a text with its variables; one that holds nothing is left out."""
    if "{{" not in template:
        return template

    def value(match: re.Match[str]) -> str:
        path, name = _INSIDE.fullmatch(match[1]).groups()  # type: ignore[union-attr]
        found = reached(scope, path.split("."))
        return FILTERS[name or "text"](found, language, currency)[:MAX_VALUE]

    return _HOLE.sub(value, template)[:MAX_SAID]


def inert(value: object) -> object:
    """Return a value that a customer wrote, fit for a message sent in the company's name: one short line, no links.

    Whoever can have a message sent to somebody else's address must not be able to write it.
    """
    if isinstance(value, Mapping):
        return {name: inert(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [inert(inner) for inner in value]
    if not isinstance(value, str):
        return value
    line = " ".join(_CONTROL.sub("", value).split()).replace("//", " ")
    return _LINK.sub(". ", line)[:MAX_INERT]


def filled_path(template: str, scope: Scope) -> str | None:
    """Return a URL's path with its variables percent-encoded; None when a value is empty or would climb (`..`)."""
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        path, name = _INSIDE.fullmatch(match[1]).groups()  # type: ignore[union-attr]
        values.append(FILTERS[name or "text"](reached(scope, path.split(".")), "en", "USD")[:MAX_VALUE])
        return quote(values[-1], safe="")

    made = _HOLE.sub(value, template)
    return None if any(not text.strip(".") for text in values) else made


def reached(value: object, path: Sequence[str]) -> object:
    """Return what a path leads to in tables and lists; None when it leads nowhere."""
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isdecimal() and len(name) < 6 and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _text(value: object, _language: str, _currency: str) -> str:
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return ", ".join(_text(inner, _language, _currency) for inner in value)
    return _CONTROL.sub("", str(value))


def _money(value: object, language: str, currency: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(value, language, currency)
    sign = _CURRENCIES.get(currency, f"{currency} ")
    return f"{'-' if value < 0 else ''}{sign}{abs(value):,.2f}"


def _date(value: object, language: str, currency: str) -> str:
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return _text(value, language, currency)
    if language.startswith("zh"):
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _spell(value: object, language: str, currency: str) -> str:
    """Letter by letter, as a voice should read a code."""
    return " ".join(c for c in _text(value, language, currency)[:60] if c.isalnum())


def _said(value: object, language: str, currency: str) -> str:
    """What somebody said, or that they did not: for notes, where a gap would be read as a mistake."""
    return _text(value, language, currency) or ("未提供" if language.startswith("zh") else "not said")


def _last4(value: object, language: str, currency: str) -> str:
    return _text(value, language, currency)[-4:]


FILTERS: Final[dict[str, Filter]] = {
    "text": _text,
    "money": _money,
    "date": _date,
    "spell": _spell,
    "last4": _last4,
    "said": _said,
}
"""What may stand after | in a template."""
