"""An agent's work with an interaction: park, transfer, wrap up, complete; and what the hub does when time is up."""

from collections.abc import Sequence

import msgspec

from hub.domain.agent import Agent
from hub.domain.errors import BadRequest, Conflict, HubError, NotFound
from hub.domain.events import EventKind
from hub.domain.interaction import CONNECTED_FIRST, ClosingReason, Interaction, Needs, State, check_move, moved
from hub.domain.offer import RevokeReason
from hub.domain.redaction import without_cards
from hub.domain.segments import SegmentKind
from hub.domain.visitors import Draft
from hub.services import moves
from hub.services.access import Scope
from hub.settings import Settings
from hub.storage.batches import Batch
from hub.storage.journal import of_interaction
from hub.storage.tables import AGENTS, DRAFTS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

_MAX_DRAFT = 20_000


class Handling:
    """The use cases of whoever handles an interaction."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._completing: Batch[tuple[str, Scope, str], Interaction] = Batch(
            store, self._complete_many, guarded=True, prompt=True
        )

    async def park(self, interaction_id: str, scope: Scope) -> Interaction:
        """Set it aside until the customer answers: the capacity is free, the owner stays.

        Raises:
            NotFound: not this agent's. Conflict: not in a state to park, or somebody is on the line.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await _own(tx, interaction_id, scope)
            if _is_spoken(interaction):
                raise Conflict("Somebody is on the line. Let them hold instead.")
            return await self.set_aside(tx, interaction, scope)

        return await self._store.write(unit)

    async def set_aside(self, tx: UnitOfWork, interaction: Interaction, scope: Scope) -> Interaction:
        """Park an interaction that this agent holds, in the caller's unit."""
        parked = moved(interaction, State.PARKED, units=0)
        await moves.begin_segment(tx, parked, SegmentKind.PARKED, agent=interaction.agent, outcome="parked")
        await moves.release(tx, scope.agent, interaction.units, idle_since=tx.now)
        _record(tx, EventKind.INTERACTION_PARKED, parked, scope.actor)
        return await tx.save(INTERACTIONS, parked)

    async def unpark(self, interaction_id: str, scope: Scope) -> Interaction:
        """Take a parked one up again, if there is capacity for it.

        Raises:
            NotFound: not this agent's. Conflict: not parked, no capacity left, or a call, which is made instead.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await _own(tx, interaction_id, scope)
            if _is_spoken(interaction):
                raise Conflict("This is a call that is planned: make it now instead.")
            units = await self.hold(tx, scope.agent, interaction.kind)
            resumed = moved(interaction, State.ACTIVE, units=units)
            await moves.begin_segment(tx, resumed, SegmentKind.HANDLED, agent=scope.agent, outcome="resumed")
            _record(tx, EventKind.INTERACTION_RESUMED, resumed, scope.actor)
            return await tx.save(INTERACTIONS, resumed)

        return await self._store.write(unit)

    async def hold(self, tx: UnitOfWork, agent_id: str, kind: str) -> int:
        """Take the capacity that one interaction of this kind costs from the agent, in the caller's unit; return it.

        Raises:
            Conflict: there is not so much left.
        """
        agent = await moves.agent_for_change(tx, agent_id)
        units = self._settings.kind(kind).units
        if agent.held + units > agent.capacity:
            raise Conflict("You have no capacity left. Finish or park something first.")
        await tx.save(AGENTS, msgspec.structs.replace(agent, held=agent.held + units))
        return units

    async def transfer(
        self,
        interaction_id: str,
        scope: Scope,
        *,
        queue: str | None = None,
        agent: str | None = None,
        needs: Needs | None = None,
    ) -> Interaction:
        """Give it to a queue or to one agent. It keeps what it has waited; the customer is told.

        `needs` are what it asks of whoever takes it from the queue; None: what it asked before.

        Raises:
            NotFound: not this agent's, or no such target. BadRequest: no target, no such skill.
            Conflict: not in a state for it.
        """
        moves.check_needs(self._settings, needs)
        if queue is not None and queue not in self._settings.queues:
            raise NotFound(f"There is no queue {queue!r}.")
        if (queue is None) == (agent is None):
            raise BadRequest("A transfer goes to a queue or to an agent.")

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await _own(tx, interaction_id, scope)
            check_move(interaction.state, State.TRANSFERRING)
            if agent is not None and (agent == scope.agent or (await moves.agent_for_change(tx, agent)) is None):
                raise BadRequest("It is yours already.")
            await moves.release(tx, scope.agent, interaction.units, idle_since=tx.now)
            _record(tx, EventKind.INTERACTION_TRANSFERRED, interaction, scope.actor, to_queue=queue, to_agent=agent)
            after = await moves.enter_queue(
                tx,
                interaction,
                "transfer",
                outcome="transferred",
                queue=queue or interaction.queue,
                direct_to=agent,
                queued_at=tx.now,
                head_start_ms=_waited_before(interaction),
                answered_at=None,
                needs=interaction.needs if needs is None else needs,
            )
            after = await moves.say_system(tx, after, "transferred")
            return await tx.save(INTERACTIONS, after)

        return await self._store.write(unit)

    async def wrap_up(self, interaction_id: str, scope: Scope) -> Interaction:
        """End the conversation with the customer; the agent's capacity stays held until the wrap-up ends.

        Raises:
            NotFound: not this agent's. Conflict: it is over already.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await _own(tx, interaction_id, scope)
            return await self.begin_wrap_up(tx, interaction, "handled", actor=scope.actor)

        return await self._store.write(unit)

    async def begin_wrap_up(self, tx: UnitOfWork, interaction: Interaction, outcome: str, *, actor: str) -> Interaction:
        """Move an interaction that an agent holds into wrap-up, in the caller's unit."""
        queue = self._settings.queues.get(interaction.queue)
        own = queue.wrap_up_s if queue and queue.wrap_up_s is not None else self._settings.handling.wrap_up_s
        ends_at = tx.now + round(own * 1000)
        wrapping = await self._wrapping(tx, interaction, outcome, ends_at, actor=actor)
        await moves.begin_segment(tx, wrapping, SegmentKind.WRAP_UP, agent=interaction.agent, outcome=outcome)
        await moves.schedule(tx, "wrap_up_end", interaction.id, ends_at)
        return await tx.save(INTERACTIONS, wrapping)

    async def _wrapping(
        self, tx: UnitOfWork, interaction: Interaction, outcome: str, ends_at: int, *, actor: str
    ) -> Interaction:
        """Say that the conversation is over; return the interaction in wrap-up, to be saved."""
        wrapping = moved(interaction, State.WRAPPING, wrap_up_ends_at=ends_at, waits_since=None)
        wrapping = await moves.say_system(tx, wrapping, "closed" if outcome == "handled" else "visitor_left")
        _record(
            tx,
            EventKind.INTERACTION_WRAPPING,
            wrapping,
            actor,
            outcome=outcome,
            handled_ms=_handled_ms(tx, interaction),
        )
        return wrapping

    async def extend_wrap_up(self, interaction_id: str, scope: Scope) -> Interaction:
        """Give the wrap-up more time, a limited number of times.

        Raises:
            NotFound: not this agent's. Conflict: not wrapping, or extended often enough.
        """
        handling = self._settings.handling

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction = await _own(tx, interaction_id, scope)
            if interaction.state is not State.WRAPPING or interaction.wrap_up_ends_at is None:
                raise Conflict("It is not in wrap-up.")
            extended = await of_interaction(tx, interaction.id, EventKind.WRAP_UP_EXTENDED)
            if len(extended) >= handling.wrap_up_extensions:
                raise Conflict(f"Wrap-up can be extended {handling.wrap_up_extensions} times.")
            ends_at = max(interaction.wrap_up_ends_at, tx.now) + round(handling.wrap_up_extend_s * 1000)
            await moves.schedule(tx, "wrap_up_end", interaction.id, ends_at)
            _record(tx, EventKind.WRAP_UP_EXTENDED, interaction, scope.actor, ends_at=ends_at)
            return await tx.save(INTERACTIONS, msgspec.structs.replace(interaction, wrap_up_ends_at=ends_at))

        return await self._store.write(unit)

    async def complete(self, interaction_id: str, scope: Scope, disposition: str) -> Interaction:
        """Close it with its outcome; one closed by the clock takes the outcome later.

        Raises:
            NotFound: not this agent's. BadRequest: no such outcome for the queue. Conflict: not in wrap-up.
        """
        return await self._completing.submit((interaction_id, scope, disposition))

    async def _complete_many(
        self, tx: UnitOfWork, wanted: Sequence[tuple[str, Scope, str]]
    ) -> list[Interaction | Exception]:
        asked: dict[str, list[tuple[Scope, str]]] = {}
        for interaction_id, scope, disposition in wanted:
            asked.setdefault(interaction_id, []).append((scope, disposition))
        interactions = await tx.recall(
            INTERACTIONS,
            asked,
            fits=lambda found: all(self._may_complete(found, scope, how) for scope, how in asked[found.id]),
        )
        names = sorted({each.agent for each in interactions.values() if each.agent})
        agents = await tx.recall(AGENTS, names, fits=lambda agent: agent.is_active)
        changed: dict[str, Agent] = {}
        results: list[Interaction | Exception] = []
        for interaction_id, scope, disposition in wanted:
            try:
                interaction = _owned(interactions.get(interaction_id), scope, closed=True)
                self._check_completion(interaction, disposition)
                agent = agents.get(scope.agent)
                if agent is None or not agent.is_active:
                    raise NotFound("There is no such agent.")
            except HubError as error:
                results.append(error)
                continue
            if interaction.state is State.CLOSED:
                done = msgspec.structs.replace(interaction, disposition=disposition)
            else:
                done = await self._completed(tx, interaction, scope.actor, disposition)
                freed = moves.given_back(tx, agent, interaction.units, idle_since=tx.now)
                agents[agent.id] = changed[agent.id] = freed
            interactions[done.id] = await tx.save(INTERACTIONS, done)
            results.append(interactions[done.id])
        for agent in changed.values():
            await tx.save(AGENTS, agent)
        return results

    def _may_complete(self, interaction: Interaction, scope: Scope, disposition: str) -> bool:
        try:
            self._check_completion(_owned(interaction, scope), disposition)
        except HubError:
            return False
        return True

    def _check_completion(self, interaction: Interaction, disposition: str) -> None:
        known = self._settings.dispositions.get(disposition)
        if known is None or (known.queues and interaction.queue not in known.queues):
            raise BadRequest(f"There is no outcome {disposition!r} for this queue.")
        if interaction.state is State.CLOSED and interaction.disposition is not None:
            raise Conflict("It was completed already.")
        if interaction.state is State.ACTIVE:
            check_move(interaction.state, State.WRAPPING)
        elif interaction.state is not State.CLOSED:
            check_move(interaction.state, State.CLOSED)

    async def _completed(self, tx: UnitOfWork, interaction: Interaction, actor: str, disposition: str) -> Interaction:
        """Return the interaction closed, by way of a wrap-up that took no time if it has had none."""
        if interaction.state is not State.ACTIVE:
            return await self._closed(tx, interaction, ClosingReason.HANDLED, actor, disposition)
        wrapping = await self._wrapping(tx, interaction, "handled", tx.now, actor=actor)
        await moves.begin_segment(
            tx,
            wrapping,
            SegmentKind.WRAP_UP,
            agent=interaction.agent,
            outcome="handled",
            ended=str(ClosingReason.HANDLED),
        )
        return self._ended(tx, wrapping, ClosingReason.HANDLED, actor, disposition)

    async def wrap_up_ended(self, interaction_id: str) -> None:
        """Close an interaction whose wrap-up time is over; one that is closed or was extended is left alone."""

        async def unit(tx: UnitOfWork) -> None:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if interaction.state is State.WRAPPING and (interaction.wrap_up_ends_at or 0) <= tx.now:
                await self.close(tx, interaction, ClosingReason.WRAP_UP_TIMED_OUT, "timer:wrap_up", None)

        await self._store.write(unit)

    async def close(
        self, tx: UnitOfWork, interaction: Interaction, reason: ClosingReason, actor: str, disposition: str | None
    ) -> Interaction:
        """Close an interaction in wrap-up and free its agent, in the caller's unit."""
        agent = await moves.holder_for_change(tx, interaction.agent) if interaction.agent is not None else None
        closed = await self._closed(tx, interaction, reason, actor, disposition)
        if agent is not None:
            await tx.save(AGENTS, moves.given_back(tx, agent, interaction.units, idle_since=tx.now))
        return await tx.save(INTERACTIONS, closed)

    async def _closed(
        self, tx: UnitOfWork, interaction: Interaction, reason: ClosingReason, actor: str, disposition: str | None
    ) -> Interaction:
        """End the wrap-up; return the interaction closed, to be saved."""
        await moves.end_segments(tx, interaction.id, str(reason))
        await moves.cancel_job(tx, "wrap_up_end", interaction.id)
        return self._ended(tx, interaction, reason, actor, disposition)

    def _ended(
        self, tx: UnitOfWork, interaction: Interaction, reason: ClosingReason, actor: str, disposition: str | None
    ) -> Interaction:
        closed = moved(
            interaction,
            State.CLOSED,
            closing_reason=reason,
            disposition=disposition,
            ended_at=tx.now,
            units=0,
            wrap_up_ends_at=None,
        )
        _record(
            tx,
            EventKind.INTERACTION_ENDED,
            closed,
            actor,
            outcome="handled",
            reason=str(reason),
            disposition=disposition,
        )
        return closed

    async def customer_left(self, tx: UnitOfWork, interaction: Interaction, *, actor: str = "customer") -> Interaction:
        """End an interaction because the customer did, wherever it stands, in the caller's unit."""
        if interaction.state in {State.QUEUED, State.OFFERED}:
            return await self.leave_queue(
                tx, interaction, State.ABANDONED, self._abandon_reason(tx, interaction), actor
            )
        if interaction.state in {State.ACTIVE, State.HELD, State.CONSULTING}:
            return await self.begin_wrap_up(tx, interaction, "customer_left", actor=actor)
        if interaction.state is State.PARKED:
            return await self.close_parked(tx, interaction, ClosingReason.CUSTOMER_LEFT, actor)
        return interaction

    async def close_parked(
        self, tx: UnitOfWork, interaction: Interaction, reason: ClosingReason, actor: str
    ) -> Interaction:
        """End a parked interaction, which holds nobody's capacity and needs no wrap-up, in the caller's unit."""
        agent = interaction.agent
        closed = msgspec.structs.replace(moved(interaction, State.WRAPPING), units=0, agent=None)
        done = await self.close(tx, closed, reason, actor, None)
        return msgspec.structs.replace(done, agent=agent)

    def _abandon_reason(self, tx: UnitOfWork, interaction: Interaction) -> ClosingReason:
        waited_ms = tx.now - (interaction.queued_at or interaction.created_at)
        is_short = waited_ms <= self._settings.offers.short_abandon_s * 1000
        return ClosingReason.SHORT_ABANDON if is_short else ClosingReason.CUSTOMER_LEFT

    async def leave_queue(
        self, tx: UnitOfWork, interaction: Interaction, state: State, reason: ClosingReason, actor: str
    ) -> Interaction:
        """End an interaction that nobody answered: abandoned, flowed out or cancelled, in the caller's unit."""
        by_customer = state is State.ABANDONED
        await moves.end_offers(tx, interaction, RevokeReason.CUSTOMER_LEFT if by_customer else RevokeReason.FLOWED_OUT)
        ended = moved(interaction, state, closing_reason=reason, ended_at=tx.now, direct_to=None, waits_since=None)
        await moves.end_segments(tx, interaction.id, str(reason))
        waited_ms = tx.now - (interaction.queued_at or interaction.created_at)
        _record(
            tx, EventKind.INTERACTION_ENDED, ended, actor, outcome=str(state), reason=str(reason), wait_ms=waited_ms
        )
        return await tx.save(INTERACTIONS, ended)

    async def flow_out(
        self, waiting: Interaction, reason: ClosingReason, *, queue: str | None = None, is_kept: bool = False
    ) -> Interaction | None:
        """Take the queue's way out: another queue, a message to be answered later (`is_kept`), or the end of the wait.

        The customer is told which. A caller hears it from the line. One that waits no longer where it waited when this
        was decided (`waiting`) is left alone.
        """

        async def unit(tx: UnitOfWork) -> Interaction | None:
            interaction = await moves.interaction_for_change(tx, waiting.id)
            has_moved = (interaction.queue, interaction.queued_at) != (waiting.queue, waiting.queued_at)
            if has_moved or interaction.state not in {State.QUEUED, State.OFFERED}:
                return None
            is_spoken = interaction.kind in CONNECTED_FIRST
            if queue is None and (is_spoken or not is_kept):
                if not is_spoken:
                    interaction = await moves.say_system(tx, interaction, "nobody_there")
                return await self.leave_queue(tx, interaction, State.FLOWED_OUT, reason, "timer:routing")
            await moves.end_offers(tx, interaction, RevokeReason.FLOWED_OUT)
            _record(
                tx,
                EventKind.INTERACTION_TRANSFERRED,
                interaction,
                "timer:routing",
                to_queue=queue or interaction.queue,
                outcome="flowed_out",
            )
            anew = msgspec.structs.replace(interaction, state=State.QUEUED)
            if queue is None:
                anew = await moves.say_system(tx, msgspec.structs.replace(anew, is_message=True), "message_left")
            after = await moves.enter_queue(
                tx,
                anew,
                "message" if queue is None else "overflow",
                outcome="flowed_out",
                queue=queue or interaction.queue,
                direct_to=None,
                queued_at=tx.now,
                head_start_ms=interaction.head_start_ms + tx.now - (interaction.queued_at or tx.now),
            )
            return await tx.save(INTERACTIONS, after)

        return await self._store.write(unit)

    async def save_draft(self, interaction_id: str, scope: Scope, mode: str, text: str) -> None:
        """Keep what the agent has written and not sent; an empty text forgets it.

        Raises:
            NotFound: not an interaction this person sees. BadRequest: too long, or no such mode.
        """
        if mode not in {"reply", "note"} or len(text) > _MAX_DRAFT:
            raise BadRequest("A draft is a reply or a note of at most 20,000 characters.")

        async def unit(tx: UnitOfWork) -> None:
            found = await tx.get(INTERACTIONS, interaction_id)
            if found is None or not scope.sees(found):
                raise NotFound("There is no such interaction.")
            draft = Draft(
                id=f"{interaction_id}:{scope.agent}:{mode}",
                interaction=interaction_id,
                agent=scope.agent,
                mode=mode,
                text=without_cards(text),
                at=tx.now,
            )
            await tx.execute("DELETE FROM drafts WHERE id = $1", draft.id)
            if text:
                await tx.execute(DRAFTS.insert, *DRAFTS.values(draft))

        await self._store.write(unit)

    async def seen(self, interaction_id: str, scope: Scope, n: int) -> None:
        """Note that the agent who handles it has read up to message `n`; reading by others changes nothing."""

        async def unit(tx: UnitOfWork) -> None:
            interaction = await tx.get(INTERACTIONS, interaction_id, lock=True)
            if interaction is None or interaction.agent != scope.agent:
                return
            n_seen = min(n, interaction.last_n)
            if n_seen > interaction.read_n:
                _record(tx, EventKind.MESSAGES_SEEN, interaction, scope.actor, n=n_seen, by="agent")
                await tx.save(INTERACTIONS, msgspec.structs.replace(interaction, read_n=n_seen))

        await self._store.write(unit)


def _is_spoken(interaction: Interaction) -> bool:
    """Whether it is a conversation over lines, and not what somebody left on one."""
    return interaction.kind in CONNECTED_FIRST and not interaction.is_message


async def _own(tx: UnitOfWork, interaction_id: str, scope: Scope, *, closed: bool = False) -> Interaction:
    return _owned(await moves.interaction_for_change(tx, interaction_id), scope, closed=closed)


def _owned(interaction: Interaction | None, scope: Scope, *, closed: bool = False) -> Interaction:
    if interaction is None or interaction.agent != scope.agent or not (interaction.is_open or closed):
        raise NotFound("You are not handling such an interaction.")
    return interaction


def _record(tx: UnitOfWork, kind: EventKind, interaction: Interaction, actor: str, **facts: str | float | None) -> None:
    tx.record(
        kind,
        actor=actor,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=interaction.agent,
        queue=interaction.queue,
        **facts,
    )


def _waited_before(interaction: Interaction) -> int:
    """Return the waiting a transferred customer already did, credited so that they do not start at the end."""
    answered, queued = interaction.answered_at, interaction.queued_at
    return interaction.head_start_ms + (max(answered - queued, 0) if answered and queued else 0)


def _handled_ms(tx: UnitOfWork, interaction: Interaction) -> int:
    return tx.now - (interaction.answered_at or tx.now)
