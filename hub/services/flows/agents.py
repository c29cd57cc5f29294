"""Agents send the customer they talk to into a flow, a survey or a change of address, and get them back.

Meanwhile the interaction is on hold: it stays the agent's, who sees what is answered and may take the customer back. A
caller's line leaves the room for the flow's documents, and comes back into it.
"""

import msgspec

from hub.domain.calls import LegRole, OrderKind, Place
from hub.domain.errors import Conflict, NotFound
from hub.domain.interaction import Interaction, State, moved
from hub.domain.segments import SegmentKind
from hub.flows.phrases import base
from hub.services import moves
from hub.services.access import Scope
from hub.services.flows.self_service import SelfService
from hub.services.flows.sessions import latest_session
from hub.services.flows.speech import medium_of
from hub.services.phone.state import order, save_leg, whole_call
from hub.storage.tables import CALLS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork


class Offerable(msgspec.Struct, frozen=True):
    """A flow that a customer can be sent into."""

    name: str
    title: str


class AgentFlows:
    """The use cases of agents with flows."""

    def __init__(self, store: Store, flows: SelfService) -> None:
        self._store = store
        self._flows = flows

    def offerable(self, interaction: Interaction, scope: Scope, language: str = "") -> list[Offerable]:
        """Return the flows that this agent can send this customer into now, with their titles in this language."""
        if interaction.agent != scope.agent or interaction.state is not State.ACTIVE or not _is_live(interaction):
            return []
        medium = medium_of(interaction)
        return [
            Offerable(name, flow.title.of((language, base(language), *flow.languages), ""))
            for name, flow in sorted(self._flows.library.published.items())
            if medium in flow.media
        ]

    async def send(self, interaction_id: str, flow: str, scope: Scope) -> Interaction:
        """Let the customer go through a flow; they come back by themselves.

        Raises:
            NotFound: not this agent's, or no such flow. Conflict: nobody is being talked to, or not in this way.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if interaction.agent != scope.agent:
                raise NotFound("You are not handling such an interaction.")
            published = self._flows.library.published.get(flow)
            if published is None:
                raise NotFound("There is no such flow.")
            if not _is_live(interaction) or medium_of(interaction) not in published.media:
                raise Conflict("This flow is not for this channel.")
            held = moved(interaction, State.HELD)
            await moves.begin_segment(tx, held, SegmentKind.HELD, agent=scope.agent, outcome="sent_into_flow")
            held = await tx.save(INTERACTIONS, held)
            await _lead_line(tx, held, Place.SCRIPT)
            return await self._flows.enter(tx, held, flow, by_agent=True)

        return await self._store.write(unit)

    async def take_back(self, interaction_id: str, scope: Scope) -> Interaction:
        """End the flow and talk on.

        Raises:
            NotFound: not this agent's. Conflict: the customer is in no flow.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if interaction.agent != scope.agent:
                raise NotFound("You are not handling such an interaction.")
            found = await latest_session(tx, interaction.id)
            if found is None or found[1].is_over or interaction.state is not State.HELD:
                raise Conflict("The customer is in no flow.")
            interaction = await self._flows.give_back(tx, interaction, "taken_back")
            await _lead_line(tx, interaction, Place.ROOM)
            return interaction

        return await self._store.write(unit)


def _is_live(interaction: Interaction) -> bool:
    """Whether somebody is there to answer now: letters are answered some day."""
    return medium_of(interaction).is_live


async def _lead_line(tx: UnitOfWork, interaction: Interaction, place: Place) -> None:
    """Lead a caller's line out of the room or back into it; other channels have no line."""
    if await tx.get(CALLS, interaction.id) is None:
        return
    whole = await whole_call(tx, interaction.id)
    line = next((leg for leg in whole.legs if leg.role is LegRole.CUSTOMER and leg.is_live), None)
    if line is None or line.goes_to is place:
        return
    led = await save_leg(tx, msgspec.structs.replace(line, goes_to=place, wants_hold=False, is_held=False))
    await order(tx, whole.call, OrderKind.JOIN if place is Place.ROOM else OrderKind.PARK, leg=led.id)
