"""A hub for tests: real services on a real database, our clock, and short words for what happens there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from hub.app import Hub, build
from hub.clock import FakeClock
from hub.contract import ChatStart, VisitorId
from hub.domain.agent import Agent, Presence
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, Message
from hub.domain.offer import Offer
from hub.services.access import Scope
from hub.services.messages import Words
from hub.settings import AgentSettings, ChannelSettings, Disposition, QueueSettings, Secret, Settings, Tier
from hub.settings.floor import AwayReason
from hub.storage.rows import Rows
from hub.storage.tables import AGENTS, INTERACTIONS, MESSAGES, OFFERS
from hub.storage.unit_of_work import UnitOfWork
from tests.trips import Trips

QUEUES = ("support", "billing")
R = TypeVar("R", bound=msgspec.Struct)
PEOPLE: tuple[tuple[str, Literal["agent", "supervisor", "admin"]], ...] = (
    ("ann", "agent"),
    ("bob", "agent"),
    ("sue", "supervisor"),
    ("ada", "admin"),
)


def small_company(
    folder: Path, database_url: str, *, public_url: str = "http://127.0.0.1:8080", **changes: Any
) -> Settings:
    """Return the settings of a small company: two queues, four people, one chat site."""
    base = Settings(
        queues={name: QueueSettings(id=name, name=name.title(), target_s=60.0) for name in QUEUES},
        agents={
            name: AgentSettings(id=name, name=f"{name.title()} Example", email=f"{name}@example.test", role=role)
            for name, role in PEOPLE
        },
        channels={"site": ChannelSettings(id="site", kind="webchat", options={"queue": "support"})},
        dispositions={"solved": Disposition(id="solved", label={"en": "Solved"})},
        away_reasons={"lunch": AwayReason(id="lunch", label={"en": "Lunch"})},
        tiers={"gold": Tier(id="gold", label={"en": "Gold"}, value=3)},
    )
    server = msgspec.structs.replace(
        base.server,
        data_dir=folder,
        database_url=Secret(database_url),
        secret_key=Secret("k" * 40),
        public_url=public_url,
    )
    return msgspec.structs.replace(base, server=server, **changes)


@dataclass(kw_only=True)
class Desk:
    """A running hub and its clock."""

    hub: Hub
    clock: FakeClock
    visitors: dict[str, VisitorId] = field(default_factory=dict)

    # -- visitors

    async def chat(
        self, name: str = "Li Wei", *, queue: str = "support", text: str = "Hello", **more: Any
    ) -> Interaction:
        """A visitor begins a conversation; it is queued when this returns."""
        started = await self.hub.services.chats.start(
            ChatStart(
                channel="site",
                client_id=new_id("x"),
                queue=queue,
                token_hash=new_id("t"),
                form={"name": name},
                text=text,
                language="en",
                **more,
            )
        )
        self.visitors[started.interaction.id] = started.visitor
        await self.settle()
        return await self.interaction(started.interaction.id)

    async def visitor_says(self, interaction: Interaction, text: str, client_id: str = "") -> Message:
        """The visitor writes."""
        message = await self.hub.services.chats.say(
            interaction.id, self.visitors[interaction.id], client_id or new_id("x"), text
        )
        await self.settle()
        return message

    # -- staff

    async def available(self, *names: str) -> None:
        """These agents' browsers are there, and they chose available."""
        for name in names:
            await self.hub.services.presence.connected(name)
            await self.hub.services.presence.choose(name, Presence.AVAILABLE, "")
        await self.settle()

    async def accept(self, name: str) -> Interaction:
        """The agent accepts the one live offer they have."""
        (offer,) = await self.live_offers(agent=name)
        accepted = await self.hub.services.offers.accept(offer.id, name)
        await self.settle()
        return accepted

    async def accept_one(self, name: str, interaction: Interaction) -> Interaction:
        """The agent accepts the offer of this interaction."""
        offers = [offer for offer in await self.live_offers(agent=name) if offer.interaction == interaction.id]
        accepted = await self.hub.services.offers.accept(offers[0].id, name)
        await self.settle()
        return accepted

    async def agent_says(self, name: str, interaction: Interaction, text: str, **more: Any) -> Message:
        """The agent writes."""
        said = await self.hub.services.chats.messages.say(
            Words(
                interaction=interaction.id,
                author=Author.AGENT,
                agent=name,
                name=name.title(),
                client_id=new_id("x"),
                text=text,
                **more,
            )
        )
        await self.settle()
        return said

    async def handled(self, name: str, **more: Any) -> Interaction:
        """A chat that this agent, the only one available, has accepted."""
        await self.available(name)
        await self.chat(**more)
        return await self.accept(name)

    async def scope(self, name: str) -> Scope:
        """What this person may see."""
        return Scope.of(await self.agent(name))

    # -- truth

    async def interaction(self, interaction_id: str) -> Interaction:
        """Return an interaction as stored."""
        return (await self._rows(INTERACTIONS, "WHERE id = $1", interaction_id))[0]

    async def agent(self, name: str) -> Agent:
        """Return an agent as stored."""
        return (await self._rows(AGENTS, "WHERE id = $1", name))[0]

    async def live_offers(self, *, agent: str | None = None) -> list[Offer]:
        """Return live offers as stored."""
        found = await self._rows(OFFERS, "WHERE state = 'pending' ORDER BY made_at, id")
        return [offer for offer in found if agent in (None, offer.agent)]

    async def offers_of(self, interaction: Interaction) -> list[tuple[str, str]]:
        """Return (agent, state) of every offer of an interaction, in order."""
        found = await self._rows(OFFERS, "WHERE interaction = $1 ORDER BY made_at, id", interaction.id)
        return [(offer.agent, str(offer.state)) for offer in found]

    async def messages(self, interaction: Interaction) -> list[Message]:
        """Return an interaction's messages as stored."""
        return list(await self._rows(MESSAGES, "WHERE interaction = $1 ORDER BY n", interaction.id))

    async def _rows(self, rows: Rows[R], tail: str, *args: object) -> list[R]:
        async def unit(tx: UnitOfWork) -> list[R]:
            return await tx.select(rows, tail, *args)

        return await self.hub.services.store.read(unit)

    async def settle(self) -> None:
        """Let everything run that can run without time passing."""
        await self.clock.settled()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds=seconds)


async def open_desk(
    folder: Path, database_url: str, changes: Mapping[str, Any] | None = None, *, clock: FakeClock | None = None
) -> Desk:
    """Build and start a hub."""
    clock = clock or FakeClock()
    hub = build(small_company(folder, database_url, **(changes or {})), clock=clock, strict=True)
    trips = Trips(hub.services.store)
    await hub.start()

    async def stored() -> None:
        async def nothing(_tx: UnitOfWork) -> None:
            """Wait behind everything that was asked for."""

        async def a_while(tx: UnitOfWork) -> None:
            """Take as many trips to the database as whoever reads beside this."""
            for _ in range(3):
                await tx.fetch("SELECT 1")

        for _ in range(3):
            await hub.services.store.write(nothing)
            for _reader in range(2):
                await hub.services.store.read(a_while)
        await trips.over()

    clock.settle = stored
    return Desk(hub=hub, clock=clock)
