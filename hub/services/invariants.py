"""Invariants, watched while the hub runs: what must never be true (design.md, 6), counted when it is.

A supervisor sees the count, and expects 0.
"""

from collections.abc import Callable, Iterator

from hub.domain.interaction import WITH_AGENT, State, owner_of
from hub.services.dispatching.floor import Floor

OFFER_GRACE_MS = 1_000
_PATIENCE = 2


class InvariantMonitor:
    """Looks at the floor once a second. What is broken in two looks running is a violation, and counted once."""

    def __init__(self, floor: Floor, report: Callable[[str], None]) -> None:
        self._floor = floor
        self._report = report
        self._seen: dict[tuple[str, str], int] = {}

    def look(self, now: int) -> None:
        """Look at everything at the instant `now` (milliseconds since 1970 UTC)."""
        broken = set(self._broken(now))
        self._seen = {key: self._seen.get(key, 0) + 1 for key in broken}
        for name, _ in (key for key, looks in self._seen.items() if looks == _PATIENCE):
            self._floor.violations += 1
            self._report(name)

    def _broken(self, now: int) -> Iterator[tuple[str, str]]:
        offered: dict[str, int] = {}
        for offer in self._floor.offers.values():
            offered[offer.interaction] = offered.get(offer.interaction, 0) + 1
            if offer.deadline_at + OFFER_GRACE_MS < now:
                yield "offer_overdue", offer.id
        for interaction in self._floor.interactions.values():
            if owner_of(interaction) == "end" or (interaction.state in WITH_AGENT and interaction.agent is None):
                yield "without_owner", interaction.id
            queue = self._floor.settings.queues.get(interaction.queue)
            if offered.get(interaction.id, 0) > (queue.offers_at_once if queue else 1):
                yield "offered_twice", interaction.id
            if interaction.state is State.OFFERED and interaction.id not in offered:
                yield "offered_to_nobody", interaction.id
        held = self._held()
        for agent in self._floor.agents.values():
            if agent.held != held.get(agent.id, 0):
                yield "capacity_miscounted", agent.id

    def _held(self) -> dict[str, int]:
        """Return what each agent's capacity is held for: offers, work, and calls of others that they are asked in."""
        held: dict[str, int] = {}
        for offer in self._floor.offers.values():
            held[offer.agent] = held.get(offer.agent, 0) + offer.units
        for interaction in self._floor.interactions.values():
            if interaction.agent is not None:
                held[interaction.agent] = held.get(interaction.agent, 0) + interaction.units
        for leg in self._floor.legs():
            if leg.is_live and leg.agent is not None:
                held[leg.agent] = held.get(leg.agent, 0) + leg.units
        return held
