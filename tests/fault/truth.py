"""What must hold in the database, whatever was done to the hub (design.md, 5: the invariants)."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from hub.clock import SystemClock
from hub.domain.agent import Agent
from hub.domain.interaction import TERMINAL, WAITING, WITH_AGENT, Interaction, State, owner_of
from hub.domain.messages import Author, Message
from hub.domain.offer import Offer
from hub.events import Bus
from hub.settings import Settings
from hub.storage.opening import store_of
from hub.storage.tables import AGENTS, INTERACTIONS, MESSAGES, OFFERS
from hub.storage.unit_of_work import UnitOfWork
from tests.fault.clients import Said, VisitorClient, described

T = TypeVar("T")


async def reading(settings: Settings, unit: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Read the database beside the hub, or without it."""
    store = store_of(settings.server.database_url.reveal(), SystemClock(), Bus())
    await store.open()
    try:
        found: T = await store.read(unit)
    finally:
        await store.close()
    return found


class Truth:
    """Everything stored."""

    def __init__(self) -> None:
        self.interactions: dict[str, Interaction] = {}
        self.messages: dict[str, list[Message]] = defaultdict(list)
        self.agents: dict[str, Agent] = {}
        self.offers: list[Offer] = []
        self.stored_events: Counter[tuple[str, int]] = Counter()
        self.now = 0

    @classmethod
    async def read(cls, settings: Settings) -> "Truth":
        """Read one picture of the database."""

        async def unit(tx: UnitOfWork) -> Truth:
            truth = cls()
            truth.now = tx.now
            truth.interactions = {found.id: found for found in await tx.select(INTERACTIONS, "")}
            for message in await tx.select(MESSAGES, "ORDER BY interaction, n"):
                truth.messages[message.interaction].append(message)
            truth.agents = {agent.id: agent for agent in await tx.select(AGENTS, "")}
            truth.offers = await tx.select(OFFERS, "WHERE state = 'pending'")
            rows = await tx.fetch("SELECT interaction, facts FROM journal WHERE kind = 'message_stored'")
            truth.stored_events = Counter((row[0], _number(row[1])) for row in rows)
            return truth

        return await reading(settings, unit)

    # -- invariants

    def check(self) -> None:
        """Hold the picture to every invariant that holds at any instant."""
        self._check_owners()
        self._check_units()
        self._check_numbers()

    def _check_owners(self) -> None:
        offered = {offer.interaction for offer in self.offers}
        for found in self.interactions.values():
            owner = owner_of(found)
            assert owner.startswith(("end", "queue:", "agent:", "flow")), found
            if found.state in TERMINAL:
                assert found.ended_at is not None, found
            elif found.state in WAITING:
                assert found.agent is None, found
                assert (found.state is State.OFFERED) == (found.id in offered), found
            elif found.state in WITH_AGENT or found.state is State.WRAPPING:
                assert found.agent in self.agents, found

    def _check_units(self) -> None:
        held: Counter[str] = Counter()
        for offer in self.offers:
            held[offer.agent] += offer.units
        for found in self.interactions.values():
            if found.agent is not None and found.state not in TERMINAL:
                held[found.agent] += found.units
        for agent in self.agents.values():
            assert agent.held == held[agent.id], (agent.id, agent.held, held[agent.id])

    def _check_numbers(self) -> None:
        for key, found in self.interactions.items():
            numbers = [message.n for message in self.messages[key]]
            assert numbers == list(range(1, found.last_n + 1)), (key, numbers)
        stored = Counter((message.interaction, message.n) for of in self.messages.values() for message in of)
        assert self.stored_events == stored, "journal and messages differ"

    def late_offers(self, up_since: int) -> list[Offer]:
        """Return offers that live a second past their deadline, though the hub has run for that second."""
        return [offer for offer in self.offers if max(offer.deadline_at, up_since) + 1_000 < self.now]

    # -- what people were told

    def check_said(self, said: Iterable[Said], author: Author) -> None:
        """Every acknowledged message is there exactly once, as it was said; refused ones at most once."""
        stored: dict[tuple[str, str], list[Message]] = defaultdict(list)
        for of in self.messages.values():
            for message in of:
                if message.author is author:
                    stored[message.interaction, message.client_id].append(message)
        lost = []
        for each in said:
            found = stored[each.interaction, each.client_id]
            assert len(found) <= 1, f"stored {len(found)} times: {each}"
            if each.n is not None:
                if not found:
                    lost.append(each)
                else:
                    assert (found[0].n, found[0].text) == (each.n, each.text), (found[0], each)
        assert not lost, f"acknowledged and lost: {described(lost)}"

    def check_order(self, said: Iterable[Said]) -> None:
        """In each conversation one person's messages stand in the order they were said."""
        last: dict[str, int] = {}
        for each in said:
            if each.n is not None:
                assert each.n > last.get(each.interaction, 0), each
                last[each.interaction] = each.n

    def check_begun(self, visitors: Iterable[VisitorClient]) -> None:
        """Each `start` began one conversation, however often it was said."""
        by_client_id = Counter(found.provider_id for found in self.interactions.values() if found.provider_id)
        assert all(count == 1 for count in by_client_id.values())
        for visitor in visitors:
            for client_id, interaction in visitor.begun:
                assert interaction in self.interactions, (client_id, interaction)


def _number(facts: str) -> int:
    import msgspec

    found: int = msgspec.json.decode(facts)["n"]
    return found
