"""The part of the settings that routing runs under, in the shape and the words of `routing.policy.Policy`.

Settings and routing know nothing of each other: this gives plain tables, `msgspec.convert(tables, Policy)` the rest.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.settings.floor import Hours, QueueSettings, Settings
from hub.settings.sections import Kind

_RENAMED: Final = {"hours": "hours_id", "pull_allowed": "pick_allowed"}
_OURS: Final = frozenset({"name", "color", "language", "target_share", "service_level", "records_calls", "wrap_up_ms"})


def routing_policy(settings: Settings) -> dict[str, Any]:
    """Return plain tables that convert to routing's policy; seconds have become whole milliseconds.

    Channels are keyed by channel kind, as routing wants them.
    """
    offers = settings.offers
    return {
        "queues": {queue.id: _queue(queue) for queue in settings.queues.values()},
        "channels": {name: _kind(kind) for name, kind in settings.kinds.items()},
        "hours": {hours.id: _hours(hours, settings.company.zone) for hours in settings.hours.values()},
        "skills": list(settings.skills),
        "misses_until_not_responding": offers.misses_until_not_responding,
        "agent_backoff_ms": _all_ms(offers.agent_back_off_s),
        "same_agent_again_ms": _all_ms(offers.same_agent_again_s),
        "nobody_grace_ms": _ms(offers.nobody_grace_s),
    }


def _queue(queue: QueueSettings) -> dict[str, Any]:
    tables = _in_ms(msgspec.to_builtins(queue))
    tables["skills"] = [list(need) for need in queue.skills.items()]
    tables["hours"] = queue.hours or None
    return {_RENAMED.get(name, name): value for name, value in tables.items() if name not in _OURS}


def _kind(kind: Kind) -> dict[str, Any]:
    return _in_ms(msgspec.to_builtins(kind))


def _hours(hours: Hours, zone: str) -> dict[str, Any]:
    return {"zone": hours.zone or zone, "week": dict(hours.week), "days": dict(hours.days)}


def _in_ms(tables: dict[str, Any]) -> dict[str, Any]:
    """Rename `..._s` to `..._ms` and multiply, at every depth."""
    made: dict[str, Any] = {}
    for name, value in tables.items():
        if name.endswith("_s"):
            made[f"{name[:-2]}_ms"] = value if value is None else _ms(value)
        else:
            made[name] = _inside(value)
    return made


def _inside(value: object) -> object:
    if isinstance(value, dict):
        return _in_ms(value)
    return [_inside(item) for item in value] if isinstance(value, list | tuple) else value


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _all_ms(seconds: Mapping[str, float]) -> dict[str, int]:
    return {name: _ms(value) for name, value in seconds.items()}
