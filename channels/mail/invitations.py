"""Calendar parts (RFC 5545) as far as an agent needs them: what, when, who asks."""

# ruff: noqa: E501

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from channels.mail.addresses import normalize

_MAX_LINES = 20_000
_UNFOLD = re.compile(r"\r?\n[ \t]")
_PROPERTY = re.compile(r"([A-Za-z-]{1,40})((?:;[A-Za-z-]{1,40}=(?:\"[^\"\n]*\"|[^\":;\n]*)){0,20}):(.*)", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?\s*\Z")
_ESCAPE = re.compile(r"\\(.)")
_ZONE_NAMES = {
    "w. europe standard time": "Europe/Berlin", "romance standard time": "Europe/Paris", "gmt standard time": "Europe/London",
    "central europe standard time": "Europe/Budapest", "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau", "gtb standard time": "Europe/Bucharest", "fle standard time": "Europe/Kyiv",
    "turkey standard time": "Europe/Istanbul", "russian standard time": "Europe/Moscow", "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago", "mountain standard time": "America/Denver", "utc": "UTC",
    "pacific standard time": "America/Los_Angeles", "china standard time": "Asia/Shanghai", "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul", "india standard time": "Asia/Kolkata", "singapore standard time": "Asia/Singapore",
    "e. south america standard time": "America/Sao_Paulo", "aus eastern standard time": "Australia/Sydney",
    "greenwich standard time": "Atlantic/Reykjavik", "arabian standard time": "Asia/Dubai", "taipei standard time": "Asia/Taipei",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invitation:
    """One event that a mail asks about, announces or cancels."""

    method: str
    """REQUEST, REPLY, CANCEL, COUNTER ..., upper case; "" when none was given."""
    uid: str = ""
    summary: str = ""
    location: str = ""
    organizer: str = ""
    starts_at: str = ""
    """ISO 8601; with offset when the zone is known, a bare date for a whole day."""
    ends_at: str = ""
    attendees: tuple[str, ...] = ()
    answer: str = ""
    """For a REPLY: ACCEPTED, DECLINED or TENTATIVE."""


def read_invitation(text: str, method: str = "") -> Invitation | None:
    """The first event of a calendar text, None when it has none."""
    lines = _UNFOLD.sub("", text).replace("\r", "\n").split("\n")[:_MAX_LINES]
    event: dict[str, tuple[str, str]] = {}
    attendees: list[tuple[str, str]] = []
    inside = 0
    for line in lines:
        match = _PROPERTY.match(line)
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name in {"BEGIN", "END"}:
            inside = _step(inside, name, value.upper())
            if inside == 9:
                break
        elif inside == 0 and name == "METHOD":
            method = value
        elif inside == 1 and name == "ATTENDEE":
            attendees.append((parameters, value))
        elif inside == 1:
            event.setdefault(name, (parameters, value))
    if not event:
        return None
    return _invitation(event, attendees, method)


def _step(inside: int, name: str, component: str) -> int:
    """0 outside, 1 in the event, 2 in something within it, 9 done."""
    if component in {"VEVENT", "VTODO"}:
        return 1 if name == "BEGIN" else 9
    if inside == 1 and name == "BEGIN":
        return 2
    return 1 if inside == 2 and name == "END" else inside


def _invitation(event: dict[str, tuple[str, str]], attendees: list[tuple[str, str]], method: str) -> Invitation:
    answer = re.search(r"PARTSTAT=\"?([A-Za-z-]+)", attendees[0][0]) if attendees else None
    return Invitation(
        method=method.strip().upper()[:20],
        uid=event.get("UID", ("", ""))[1][:500],
        summary=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        organizer=_address(event.get("ORGANIZER", ("", ""))[1]),
        starts_at=_time(*event.get("DTSTART", ("", ""))),
        ends_at=_time(*event.get("DTEND", ("", ""))),
        attendees=tuple(email for _, value in attendees[:500] if (email := _address(value))),
        answer=answer[1].upper() if answer and method.upper() == "REPLY" else "",
    )


def _text(event: dict[str, tuple[str, str]], name: str) -> str:
    value = event.get(name, ("", ""))[1]
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)[:2_000]


def _address(value: str) -> str:
    return normalize(re.sub(r"(?i)\Amailto:", "", value.strip()))


def _time(parameters: str, value: str) -> str:
    match = _TIME.match(value)
    if match is None:
        return ""
    year, month, day, hour, minute, second = (int(part) if part else 0 for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - the zone comes below
    except ValueError:
        return ""
    if match[4] is None:
        return moment.date().isoformat()
    if match[7]:
        return moment.replace(tzinfo=UTC).isoformat()
    zone = re.search(r"TZID=\"?([^\";]+)", parameters)
    return _zoned(moment, zone[1] if zone else "")


def _zoned(moment: datetime, name: str) -> str:
    key = _ZONE_NAMES.get(name.strip().lower(), name.strip().lstrip("/"))
    try:
        return moment.replace(tzinfo=ZoneInfo(key)).isoformat()
    except (KeyError, ValueError, OSError):
        return moment.isoformat()
