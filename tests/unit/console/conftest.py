"""A hub on SQLite, its office of browsers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.settings import AgentSettings, ChannelSettings
from hub.storage.migrations import migrate
from tests import letterbox
from tests.builders import QUEUES, Desk, open_desk
from tests.unit.console.browsers import Office

PULLED = {"pull_allowed": True}


def people() -> dict[str, AgentSettings]:
    """Ann serves support only, Bob both queues; Sue supervises, Ada administrates."""
    queues = {"ann": QUEUES[:1], "bob": QUEUES}
    roles = {"sue": "supervisor", "ada": "admin"}
    return {
        name: AgentSettings(
            id=name,
            name=f"{name.title()} Example",
            email=f"{name}@example.test",
            role=roles.get(name, "agent"),  # type: ignore[arg-type]
            queues=queues.get(name, ()),
        )
        for name in ("ann", "bob", "sue", "ada")
    }


def channels() -> dict[str, ChannelSettings]:
    """A chat site, and a mailbox."""
    return {"site": ChannelSettings(id="site", kind="webchat", options={"queue": "support"}), "post": letterbox.block()}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A running hub with narrow agents and our clock."""
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    with letterbox.known():
        opened = await open_desk(tmp_path, url, {"agents": people(), "channels": channels()})
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


@pytest.fixture
async def office(desk: Desk) -> AsyncIterator[Office]:
    """Browsers of an agent, another agent and a supervisor, on that hub."""
    office = Office(desk)
    for agent in ("ann", "bob", "sue"):
        office.browser(agent)
    yield office
    office.sync.close()
