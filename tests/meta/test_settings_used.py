"""A setting that nothing reads is a lie: the operator turns it and nothing moves."""

import re

import msgspec

from hub.settings import routing_policy, sections
from hub.settings.floor import Settings
from tests.meta.source import files, name_of

LATER = {
    "server.redis_url": "several hubs (design.md, 7)",
}
"""Settings that wait for their issue. Only ever take lines away."""


def code() -> str:
    paths = [path for path in files(".py") if not name_of(path).startswith("hub/settings/")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def routed() -> set[str]:
    """Return the names that go to routing as a whole, in seconds as the settings have them."""
    tables = routing_policy(Settings())
    names = {*tables, *(key for kind in tables["channels"].values() for key in kind)}
    return {re.sub(r"_ms$", "_s", name).replace("backoff", "back_off") for name in names}


def test_every_technical_setting_is_read() -> None:
    text = code()
    known = routed() if "routing_policy(" in text else set()
    unread = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Settings)
        if isinstance(section.type, type) and section.type.__module__ == sections.__name__
        for field in msgspec.structs.fields(section.type)
        if field.name not in known and not re.search(rf"(\.|\"){field.name}\b", text)
    }
    assert unread == set(LATER)
