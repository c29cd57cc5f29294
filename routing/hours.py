"""Is a queue open at this instant, and when does that change next?

Weekly opening times in a time zone, and exceptions by date (holidays, special days). Instants are
milliseconds since the epoch. The zone's rules are the standard library's; a local time that a
clock change skips is taken an hour later, one that happens twice the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEARCH_DAYS = 400
_MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """Opening times: weekday or date -> ("09:00-12:30", "13:30-18:00"); a closing time of 24:00 is midnight.

    A closing time not after its opening time lies on the next day. `days` ("2026-12-25") replaces the
    weekday's times altogether; an empty tuple is closed all day.
    """

    zone: str = "UTC"
    week: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    days: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def problems(hours: BusinessHours) -> list[str]:
    """Return what is wrong with the hours, one sentence each; empty when they are sound."""
    found = []
    try:
        ZoneInfo(hours.zone)
    except (ZoneInfoNotFoundError, ValueError):
        found.append(f"there is no time zone {hours.zone!r}")
    found += [f"{day!r} is not a weekday" for day in hours.week if day not in WEEKDAYS]
    for day in hours.days:
        try:
            date.fromisoformat(day)
        except ValueError:
            found.append(f"{day!r} is not a date (2026-12-25)")
    for day, spans in [*hours.week.items(), *hours.days.items()]:
        for span in spans:
            try:
                _minutes(span)
            except ValueError:
                found.append(f"{day}: {span!r} is not a span of time (09:00-17:30)")
    return found


def is_open(hours: BusinessHours, at_ms: int) -> bool:
    """Return whether the hours are open at the instant: opening times belong to it, closing times do not."""
    return any(start <= at_ms < end for start, end in _spans_around(hours, at_ms, 0))


def next_edge_ms(hours: BusinessHours, at_ms: int) -> int | None:
    """Return the first instant after `at_ms` at which open and closed change, or None if there is none in a year."""
    now_open = is_open(hours, at_ms)
    for ahead in range(_SEARCH_DAYS):
        edges = sorted({edge for span in _spans_around(hours, at_ms, ahead) for edge in span})
        for edge in edges:
            if edge > at_ms and is_open(hours, edge) != now_open:
                return edge
    return None


def next_open_ms(hours: BusinessHours, at_ms: int) -> int | None:
    """Return `at_ms` if open, else the next opening, or None if there is none in a year."""
    return at_ms if is_open(hours, at_ms) else next_edge_ms(hours, at_ms)


def _spans_around(hours: BusinessHours, at_ms: int, ahead: int) -> list[tuple[int, int]]:
    """Spans of the local day `ahead` days after the instant's, and of the day before it (they may pass midnight)."""
    zone = ZoneInfo(hours.zone)
    today = datetime.fromtimestamp(at_ms / 1000, tz=zone).date() + timedelta(days=ahead)
    spans = []
    for day in (today - timedelta(days=1), today):
        texts = hours.days.get(day.isoformat(), hours.week.get(WEEKDAYS[day.weekday()], ()))
        for text in texts:
            start, end = _minutes(text)
            spans.append((_instant_ms(day, start, zone), _instant_ms(day, end, zone)))
    return spans


def _instant_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    extra, minute = divmod(minute, _MINUTES_A_DAY)
    local = datetime.combine(day + timedelta(days=extra), time(minute // 60, minute % 60), tzinfo=zone)
    return int(local.astimezone(UTC).timestamp()) * 1000


def _minutes(span: str) -> tuple[int, int]:
    """Return a span's start and end in minutes after midnight; the end may lie on the next day."""
    start, end = (_minute(part) for part in span.split("-", 1))
    if start == _MINUTES_A_DAY:
        raise ValueError(span)
    return start, end if end > start else end + _MINUTES_A_DAY


def _minute(text: str) -> int:
    hour, minute = text.strip().split(":", 1)
    if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(text)
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _MINUTES_A_DAY:
        raise ValueError(text)
    return total
