"""What a supervisor may do with others' work: assign, move, close."""

import msgspec

from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.interaction import TERMINAL, ClosingReason, Interaction, Needs, State
from hub.domain.offer import RevokeReason
from hub.services import moves
from hub.services.access import Scope
from hub.services.flows.self_service import SelfService
from hub.services.handling import Handling
from hub.services.presence import take_back
from hub.settings import Settings
from hub.storage.tables import AGENTS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

_UNANSWERED = frozenset({State.QUEUED, State.OFFERED, State.CONNECTING})
_LIVE = frozenset({State.ACTIVE, State.HELD, State.CONSULTING, State.CONNECTING})


class Supervision:
    """The use cases of steering the floor."""

    def __init__(self, store: Store, settings: Settings, handling: Handling, self_service: SelfService) -> None:
        self._store = store
        self._settings = settings
        self._handling = handling
        self._self_service = self_service

    async def assign(
        self,
        interaction_id: str,
        scope: Scope,
        *,
        agent: str | None = None,
        queue: str | None = None,
        needs: Needs | None = None,
    ) -> Interaction:
        """Address an interaction to one agent, or move it to another queue; live work is taken back first.

        `needs` are what it asks of whoever takes it from the queue; None: what it asked before.

        Raises:
            Forbidden: not a supervisor. NotFound: no such interaction, agent or queue. Conflict: it is over.
            BadRequest: no target, no such skill.
        """
        scope.require_supervisor()
        moves.check_needs(self._settings, needs)
        if queue is not None and queue not in self._settings.queues:
            raise NotFound(f"There is no queue {queue!r}.")
        if (queue is None) == (agent is None):
            raise BadRequest("Name an agent or a queue.")

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if not interaction.is_open or interaction.state is State.WRAPPING:
                raise Conflict("It is over already.")
            if agent is not None:
                await moves.agent_for_change(tx, agent)
            interaction = await self._self_service.taken_over(tx, interaction, "supervisor")
            if needs is not None:
                interaction = msgspec.structs.replace(interaction, needs=needs)
            _reassigned(tx, interaction, scope, agent, queue)
            if interaction.state in _LIVE or interaction.state is State.PARKED:
                holder = await tx.get(AGENTS, interaction.agent) if interaction.agent else None
                name = holder.name if holder else ""
                return await take_back(
                    tx, interaction, name, "reassigned", direct_to=agent, queue=queue or interaction.queue
                )
            await moves.end_offers(tx, interaction, RevokeReason.SUPERVISOR)
            # The queue's patience with this agent, or its relaxation, begins now; what was waited counts for the order.
            waiting = msgspec.structs.replace(
                interaction,
                state=State.QUEUED,
                direct_to=agent,
                queued_at=tx.now,
                head_start_ms=interaction.head_start_ms + tx.now - (interaction.queued_at or tx.now),
            )
            if queue is not None:
                waiting = await moves.enter_queue(tx, waiting, "reassigned", outcome="reassigned", queue=queue)
            return await tx.save(INTERACTIONS, waiting)

        return await self._store.write(unit)

    async def force_close(self, interaction_id: str, scope: Scope, reason: str) -> Interaction:
        """End an interaction wherever it stands.

        Raises:
            Forbidden: not a supervisor. NotFound: no such interaction. Conflict: it is over already.
        """
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if interaction.state in TERMINAL:
                raise Conflict("It is over already.")
            interaction = await self._self_service.taken_over(tx, interaction, "supervisor")
            if interaction.state in {State.QUEUED, State.OFFERED}:
                return await self._handling.leave_queue(
                    tx, interaction, State.CANCELLED, ClosingReason.SUPERVISOR, scope.actor
                )
            if interaction.state is not State.WRAPPING:
                interaction = await self._handling.begin_wrap_up(tx, interaction, "handled", actor=scope.actor)
            return await self._handling.close(
                tx, interaction, ClosingReason.SUPERVISOR, scope.actor, reason[:60] or None
            )

        return await self._store.write(unit)


def _reassigned(tx: UnitOfWork, interaction: Interaction, scope: Scope, agent: str | None, queue: str | None) -> None:
    tx.record(
        EventKind.INTERACTION_TRANSFERRED,
        actor=scope.actor,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=interaction.agent,
        queue=interaction.queue,
        to_agent=agent,
        to_queue=queue,
        outcome="flowed_out" if queue and interaction.state in _UNANSWERED else "reassigned",
    )
