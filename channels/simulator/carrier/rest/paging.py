"""Lists: newest first, cut into pages that keep their place while new things come in front."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.requests import Request, Response
from hub.clock import Instant

USUAL = 50
MOST = 1000
DAY_MS = 86_400_000


class Named(Protocol):
    """Something with a name."""

    @property
    def sid(self) -> str:
        """Its name."""


T = TypeVar("T", bound=Named)


def page(request: Request, key: str, things: Iterable[T], row: Callable[[T], dict[str, Any]]) -> Response:
    """Return one page of a list under `key`."""
    size = _number(request, "PageSize", USUAL, least=1, most=MOST)
    number = _number(request, "Page", 0)
    everything = list(things)
    start = number * size
    token = request.asked("PageToken")
    if token:
        after = next((n for n, thing in enumerate(everything) if f"PA{thing.sid}" == token), None)
        if after is None:
            raise RestError(20001, "Invalid PageToken")
        start = after + 1
    part = everything[start : start + size]
    is_last = start + size >= len(everything)
    following = None if is_last or not part else address(request, size, number + 1, f"PA{part[-1].sid}")
    payload = {
        key: [row(thing) for thing in part],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(len(part) - 1, 0),
        "uri": address(request, size, number, token),
        "first_page_uri": address(request, size, 0, ""),
        "next_page_uri": following,
        "previous_page_uri": None if number == 0 else address(request, size, number - 1, ""),
    }
    return Response(payload=payload)


def address(request: Request, size: int, number: int, token: str) -> str:
    """Return the address of a page, with the filters that were asked for."""
    kept = [(name, value) for name, value in request.query if name not in {"PageSize", "Page", "PageToken"}]
    fields = [*kept, ("PageSize", str(size)), ("Page", str(number)), *([("PageToken", token)] if token else [])]
    return f"{request.path}?{urlencode(fields)}"


def newest(things: Iterable[T]) -> list[T]:
    """Return things in reverse order of making."""
    return list(things)[::-1]


def in_time(request: Request, name: str, at: Instant | None) -> bool:
    """Whether an instant passes the filters `name`, `name<` and `name>` (a day, or a moment)."""
    exactly, before, after = (request.asked(f"{name}{mark}") for mark in ("", "<", ">"))
    if not (exactly or before or after):
        return True
    if at is None:
        return False
    day = _instant(exactly, name) if exactly else None
    is_that_day = day is None or day <= at < day + DAY_MS
    return is_that_day and (not before or at <= _end_of(before, name)) and (not after or at >= _instant(after, name))


def _end_of(text: str, name: str) -> Instant:
    start = _instant(text, name)
    return start + DAY_MS - 1 if len(text) == 10 else start


def _instant(text: str, name: str) -> Instant:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RestError(20001, f"Invalid value for {name}") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _number(request: Request, name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
    value = request.asked(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit():
        raise RestError(20001, f"Invalid value for {name}")
    return min(max(int(value), least), most)
