"""A channel of letters made of nothing: what arrives is whatever a test says it reads as."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hub.contract import (
    Capabilities,
    HubSide,
    Inbound,
    InboundMessage,
    Listener,
    RawArrival,
)
from hub.domain.correspondence import Arrival, ArrivalState, Envelope, Party
from hub.domain.interaction import Interaction
from hub.storage.tables import ARRIVALS, CUSTOMERS, ENVELOPES, INTERACTIONS
from tests.builders import Desk

LI = Party("li@example.cn", "Li Wei")
MALLORY = Party("mallory@example.net", "Mallory")


async def fetched(desk: Desk, count: int, within_s: float = 30) -> list[Arrival]:
    """Return the arrivals, in their order, once so many have come over a real wire and all were read."""
    found: list[Arrival] = []
    async with asyncio.timeout(within_s):
        while len(found) < count or any(one.state is ArrivalState.KEPT for one in found):
            await asyncio.sleep(0.05)
            found = list(await desk._rows(ARRIVALS, "ORDER BY at, id"))
    await desk.settle()
    return found


class Letterbox:
    """The channel: `said` maps what arrives to what it reads as, or to the error that reading it raises."""

    kind: ClassVar[str] = "letterbox"

    def __init__(self, name: str = "support_mail") -> None:
        self.id = name
        self.said: dict[bytes, Inbound | Exception] = {}
        self.read_count = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(kind="email", label="E-mail", icon="mail", is_live=False, has_envelopes=True)

    async def open(self, hub: HubSide) -> Listener:
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:
        return None

    async def read(self, raw: bytes) -> Inbound:
        self.read_count += 1
        found = self.said[raw]
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Post:
    """A desk at which letters arrive."""

    desk: Desk
    box: Letterbox = field(default_factory=Letterbox)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.desk.hub.services.arrivals.serve(self.box)

    async def deliver(self, *inbound: Inbound | Exception, box: Letterbox | None = None) -> list[Arrival]:
        """Let these arrive together, in order; returns them as stored after reading."""
        box = box or self.box
        names = []
        for one in inbound:
            name = f"INBOX;7;{next(self.numbers)}"
            box.said[name.encode()] = one
            names.append(name)
        raws = [RawArrival(provider_id=name, raw=name.encode()) for name in names]
        await self.desk.hub.services.arrivals.keep(box.id, raws, {})
        await self.read()
        found = await self.rows(ARRIVALS, "WHERE channel = $1", box.id)
        by_name = {one.provider_id: one for one in found}
        return [by_name[name] for name in names]

    async def letter(self, text: str = "My lamp is broken.", /, **more: Any) -> Interaction:
        """One letter arrives; returns the interaction it is in."""
        (arrival,) = await self.deliver(message(text, **more))
        assert arrival.interaction is not None, arrival
        return await self.desk.interaction(arrival.interaction)

    async def read(self) -> None:
        """Return when everything was read."""
        await self.desk.hub.services.arrivals.caught_up()
        await self.desk.settle()

    async def rows(self, rows: Any, tail: str = "", *args: object) -> list[Any]:
        return list(await self.desk._rows(rows, tail, *args))

    async def envelope(self, interaction: Interaction, n: int) -> Envelope:
        (found,) = await self.rows(ENVELOPES, "WHERE interaction = $1 AND n = $2", interaction.id, n)
        envelope: Envelope = found
        return envelope

    async def interactions(self) -> list[Interaction]:
        return await self.rows(INTERACTIONS, "ORDER BY created_at, id")

    async def customers(self) -> list[Any]:
        return await self.rows(CUSTOMERS, "ORDER BY created_at, id")


_NUMBERS = itertools.count(1)


def message(text: str = "My lamp is broken.", /, **more: Any) -> InboundMessage:
    """A letter of Li's that belongs nowhere yet."""
    number = next(_NUMBERS)
    usual: dict[str, Any] = {
        "dedupe": f"d{number}",
        "provider_id": f"<{number}@example.cn>",
        "sender": LI,
        "subject": "Lamp",
        "queue": "support",
        "to": (Party("support@example.com"),),
    }
    return InboundMessage(text=text, **(usual | more))
