"""A request as resources see it: form fields are read by kind, and what is wrong is refused in the provider's words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.legs import StatusHook
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.running import is_callable

NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked: the path's parts after the account, query and form fields as they came."""

    method: str
    path: str
    parts: Sequence[str]
    query: Sequence[tuple[str, str]] = ()
    form: Sequence[tuple[str, str]] = ()

    # -- fields

    def get(self, name: str, default: str = "") -> str:
        """Return a form field; an empty one counts as not given."""
        return next((value for key, value in self.form if key == name and value), default)

    def asked(self, name: str) -> str:
        """Return a field of the query."""
        return next((value for key, value in self.query if key == name), "")

    def has(self, name: str) -> bool:
        """Whether a form field was given, empty or not."""
        return any(key == name for key, _ in self.form)

    def all(self, name: str) -> list[str]:
        """Return a repeated form field; one that holds several words, apart by blanks or commas, counts as repeated."""
        found = [value for key, value in self.form if key == name and value]
        return [word for value in found for word in re.split(r"[\s,]+", value) if word]

    def values(self, name: str) -> list[str]:
        """Return a repeated form field as it came."""
        return [value for key, value in self.form if key == name and value]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a field that is true or false."""
        value = self.get(name).lower()
        if value not in {"", "true", "false", "1", "0"}:
            raise RestError(20001, f"Invalid value for {name}")
        return {"true": True, "1": True, "false": False, "0": False}.get(value, default)

    def number(self, name: str, default: int, least: int = 0, most: int = 1_000_000) -> int:
        """Return a field that is a whole number."""
        value = self.get(name)
        if not value:
            return default
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            raise RestError(20001, f"{name} must be between {least} and {most}")
        return int(value)

    def choice(self, name: str, words: Sequence[str], default: str = "") -> str:
        """Return a field that is one of some words."""
        value = self.get(name, default)
        if value not in {*words, default}:
            raise RestError(20001, f"Invalid value for {name}: {value}")
        return value

    def hook(self, name: str, method: str = "", *, code: int = 21609, default: str = "POST") -> Hook:
        """Return an address to call and how; an empty one when none was given."""
        url = self.get(name)
        if url and not is_callable(url):
            raise RestError(code, f"{name} is not a valid URL: {url}")
        return Hook(url, self.choice(method or f"{name}Method", ("GET", "POST"), default) if url else default)

    def progress(self, prefix: str, known: frozenset[str], default: str) -> StatusHook:
        """Return where something is reported and which events: `prefix`, `prefix`Method, `prefix`Event."""
        events = self.all(f"{prefix}Event") or default.split()
        if not set(events) <= known:
            raise RestError(20001, f"Invalid value for {prefix}Event")
        return StatusHook(self.hook(prefix), frozenset(events))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered: an object as JSON, or a body of another type."""

    status: int = 200
    payload: dict[str, Any] | None = None
    body: Iterator[bytes] | None = None
    content_type: str = "application/json"
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def party(text: str, code: int) -> str:
    """Return an address that can be called: E.164, client:name or sip:; refuse anything else with this number."""
    if text.startswith("client:"):
        if re.fullmatch(r"client:[\w.@+-]{1,121}", text):
            return text
    elif text.startswith(("sip:", "sips:")):
        if "@" in text and " " not in text:
            return text
    else:
        number = re.sub(r"[\s().-]", "", text)
        number = number if number.startswith("+") else f"+{number}"
        if NUMBER.fullmatch(number):
            return number
    raise RestError(code, f"The phone number you are attempting to call, {text}, is not valid.")
