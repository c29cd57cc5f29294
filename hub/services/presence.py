"""Presence (chosen), connectivity (measured) and what follows from losing an agent.

Presence changes only by the person, by policy or by a supervisor, each with a recorded cause; never as a side effect.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from hub.domain.agent import Agent, Connectivity, PhoneUnchecked, Presence
from hub.domain.errors import BadRequest
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction, State, check_move, moved
from hub.domain.offer import RevokeReason
from hub.services import moves
from hub.services.access import Scope
from hub.services.flows.sessions import end_agents_session
from hub.services.last_word import LastWord
from hub.services.offers import requeue_unless_offered
from hub.settings import Settings
from hub.storage.batches import Batch
from hub.storage.tables import AGENTS, INTERACTIONS, OFFERS
from hub.storage.unit_of_work import Store, UnitOfWork

_TAKEN_BACK = frozenset({State.CONNECTING, State.ACTIVE, State.HELD, State.CONSULTING})
_CLOSED_WITH_WORK = (
    "SELECT id FROM agents WHERE is_active = $1 AND (connectivity <> 'lost' OR presence <> 'offline' OR held > 0 "
    "OR EXISTS (SELECT 1 FROM interactions WHERE interactions.agent = agents.id AND ended_at IS NULL "
    "AND state <> 'wrapping')) ORDER BY id"
)


class PresenceService:
    """The use cases of being there, or not."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._measures: Batch[tuple[str, Connectivity], None] = Batch(store, self._measure_many)
        self._measured: LastWord[Connectivity] = LastWord(lambda *word: self._measures.submit(word))

    async def choose(self, agent_id: str, presence: Presence, reason: str, *, actor: Scope | None = None) -> Agent:
        """Set an agent's presence. While work is held, away and offline come when it ends; no new work comes before.

        `actor` is a supervisor who does it for the agent; None means the agent's own choice. `reason` is one of the
        company's, or, beside `available`, why the agent's telephone was not checked.

        Raises:
            BadRequest: no such reason. Forbidden: `actor` is no supervisor. NotFound: no such agent.
        """
        if actor is not None:
            actor.require_supervisor()
        unchecked = presence is Presence.AVAILABLE and reason in set(PhoneUnchecked)
        if reason and not unchecked and reason not in self._settings.away_reasons:
            raise BadRequest(f"There is no away reason {reason!r}.")

        async def unit(tx: UnitOfWork) -> Agent:
            agent = await moves.agent_for_change(tx, agent_id)
            if presence is not Presence.AVAILABLE:
                agent = await self._without_offers(tx, agent)
            changed = _chosen(agent, presence, reason, tx.now)
            cause = "own" if actor is None else "supervisor"
            tx.record(
                EventKind.PRESENCE_CHANGED,
                actor=actor.actor if actor else f"agent:{agent_id}",
                agent=agent_id,
                presence=str(changed.presence),
                next_presence=changed.next_presence,
                reason=reason,
                cause=cause,
            )
            return await tx.save(AGENTS, changed)

        return await self._store.write(unit)

    async def _without_offers(self, tx: UnitOfWork, agent: Agent) -> Agent:
        for offer in await tx.select(OFFERS, "WHERE agent = $1 AND state = 'pending' FOR UPDATE", agent.id):
            interaction = await moves.interaction_for_change(tx, offer.interaction)
            await moves.end_offer(tx, offer, moves.REVOKED, RevokeReason.AGENT_AWAY)
            agent = await moves.release(tx, agent.id, offer.units)
            await requeue_unless_offered(tx, interaction, "revoked")
        return agent

    async def resume_work(self, agent_id: str) -> Agent:
        """End not-responding: the agent says they are back."""

        async def unit(tx: UnitOfWork) -> Agent:
            agent = await moves.agent_for_change(tx, agent_id)
            back = msgspec.structs.replace(
                agent, not_responding_since=None, misses=0, paused_until=0, idle_since=tx.now
            )
            tx.record(EventKind.AGENT_CHANGED, actor=f"agent:{agent_id}", agent=agent_id, changed="responding")
            return await tx.save(AGENTS, back)

        return await self._store.write(unit)

    async def connected(self, agent_id: str) -> None:
        """The agent's browser is there (again); written when the database is back if it is away."""
        await self._measured.say(agent_id, Connectivity.CONNECTED)

    async def disconnected(self, agent_id: str) -> None:
        """The agent's last browser is gone: a time of grace begins, and ends in `lost`; written like `connected`."""
        await self._measured.say(agent_id, Connectivity.GRACE)

    async def catch_up(self) -> None:
        """Write who came and went while the database was away."""
        await self._measured.catch_up()

    async def _measure_many(
        self, tx: UnitOfWork, items: Sequence[tuple[str, Connectivity]]
    ) -> Sequence[Exception | None]:
        ids = sorted({agent_id for agent_id, _ in items})
        agents = {
            agent.id: agent for agent in await tx.select(AGENTS, "WHERE id ANY_OF($1) ORDER BY id FOR UPDATE", ids)
        }
        for agent_id, connectivity in items:
            agent = agents.get(agent_id)
            if agent is None or agent.connectivity is connectivity:
                continue
            if connectivity is Connectivity.GRACE:
                if agent.connectivity is Connectivity.LOST:
                    continue
                await moves.schedule(tx, "agent_lost", agent_id, tx.now + round(self._settings.presence.lost_s * 1000))
            else:
                await moves.cancel_job(tx, "agent_lost", agent_id)
            tx.record(EventKind.CONNECTIVITY_CHANGED, agent=agent_id, connectivity=str(connectivity))
            agents[agent_id] = await tx.save(
                AGENTS, msgspec.structs.replace(agent, connectivity=connectivity, connectivity_since=tx.now)
            )
        return [None] * len(items)

    async def lost(self, agent_id: str) -> None:
        """The time of grace is over: offers are revoked and live work goes back to the head of its queue.

        Parked work and work in wrap-up stay the agent's; presence stays what they chose.
        """

        async def unit(tx: UnitOfWork) -> None:
            agent = await tx.get(AGENTS, agent_id, lock=True)
            if agent is None or agent.connectivity is not Connectivity.GRACE:
                return
            tx.record(EventKind.CONNECTIVITY_CHANGED, agent=agent_id, connectivity=str(Connectivity.LOST))
            agent = await tx.save(
                AGENTS, msgspec.structs.replace(agent, connectivity=Connectivity.LOST, connectivity_since=tx.now)
            )
            await _without_agent(tx, agent, _TAKEN_BACK)

        await self._store.write(unit)

    async def retire(self) -> None:
        """Take everything from those whose accounts were closed, parked work too: nobody would come back to it.

        An account may be closed by another process, which knows nothing of the floor.
        """

        async def read(tx: UnitOfWork) -> list[str]:
            return [str(row[0]) for row in await tx.fetch(_CLOSED_WITH_WORK, False)]

        for agent_id in await self._store.read(read):
            await self._store.write(partial(_retire, agent_id=agent_id))

    async def after_restart(self) -> None:
        """Give everybody's browser the time of grace to come back after the hub was away."""

        async def unit(tx: UnitOfWork) -> list[str]:
            rows = await tx.fetch("SELECT id FROM agents WHERE connectivity <> 'lost'")
            return [row[0] for row in rows]

        for agent_id in await self._store.read(unit):
            await self._grace(agent_id)

    async def _grace(self, agent_id: str) -> None:
        async def unit(tx: UnitOfWork) -> None:
            agent = await moves.holder_for_change(tx, agent_id)
            await moves.schedule(tx, "agent_lost", agent_id, tx.now + round(self._settings.presence.lost_s * 1000))
            if agent.connectivity is Connectivity.CONNECTED:
                tx.record(EventKind.CONNECTIVITY_CHANGED, agent=agent_id, connectivity=str(Connectivity.GRACE))
                await tx.save(
                    AGENTS, msgspec.structs.replace(agent, connectivity=Connectivity.GRACE, connectivity_since=tx.now)
                )

        await self._store.write(unit)


def _chosen(agent: Agent, presence: Presence, reason: str, now: int) -> Agent:
    """Return the agent with the presence they chose, now or when their work ends."""
    if presence is not Presence.AVAILABLE and agent.held > 0:
        return msgspec.structs.replace(agent, next_presence=presence, next_reason=reason)
    changes: dict[str, object] = {"presence": presence, "reason": reason, "next_presence": None, "next_reason": ""}
    if presence is not agent.presence or reason != agent.reason:
        changes["presence_since"] = now
    if presence is Presence.AVAILABLE and agent.presence is not Presence.AVAILABLE:
        changes |= {"idle_since": now, "not_responding_since": None, "misses": 0, "paused_until": 0}
    return msgspec.structs.replace(agent, **changes)


async def _retire(tx: UnitOfWork, *, agent_id: str) -> None:
    agent = await moves.holder_for_change(tx, agent_id)
    if agent.is_active:
        return
    await moves.cancel_job(tx, "agent_lost", agent_id)
    gone: dict[str, object] = {"presence": Presence.OFFLINE, "connectivity": Connectivity.LOST}
    if (agent.presence, agent.connectivity) != tuple(gone.values()):
        tx.record(EventKind.CONNECTIVITY_CHANGED, agent=agent_id, connectivity=str(Connectivity.LOST))
        tx.record(EventKind.PRESENCE_CHANGED, agent=agent_id, presence=str(Presence.OFFLINE), cause="closed")
    agent = await tx.save(AGENTS, msgspec.structs.replace(agent, next_presence=None, **gone))
    await _without_agent(tx, agent, _TAKEN_BACK | {State.PARKED})


async def _without_agent(tx: UnitOfWork, agent: Agent, states: frozenset[State]) -> None:
    """Revoke the agent's offers, and put their work that is in one of the states at the head of its queue."""
    for offer in await tx.select(OFFERS, "WHERE agent = $1 AND state = 'pending' FOR UPDATE", agent.id):
        interaction = await moves.interaction_for_change(tx, offer.interaction)
        await moves.end_offer(tx, offer, moves.REVOKED, RevokeReason.AGENT_LOST)
        await moves.release(tx, agent.id, offer.units)
        await requeue_unless_offered(tx, interaction, "agent_lost")
    for interaction in await held_by(tx, agent.id, states):
        await take_back(tx, interaction, agent.name, "agent_lost")


async def held_by(tx: UnitOfWork, agent_id: str, states: frozenset[State] = _TAKEN_BACK) -> list[Interaction]:
    """Return the live work of an agent, oldest first; or what is in other states."""
    found = await tx.select(
        INTERACTIONS, "WHERE agent = $1 AND ended_at IS NULL ORDER BY answered_at, id FOR UPDATE", agent_id
    )
    return [interaction for interaction in found if interaction.state in states]


async def take_back(
    tx: UnitOfWork, interaction: Interaction, agent_name: str, cause: str, **changes: object
) -> Interaction:
    """Take live work from its agent and put it at the head of its queue: all its waiting and handling counts for it.

    A customer whom the agent had sent into a flow leaves it: nobody would take them back from there.
    """
    await end_agents_session(tx, interaction, cause)
    if interaction.agent is not None:
        await moves.release(tx, interaction.agent, interaction.units)
    if interaction.state is State.CONNECTING and changes.get("queue", interaction.queue) == interaction.queue:
        # It was accepted and never answered: its entry into the queue still counts.
        waiting = await moves.disconnected(tx, interaction, cause)
        return await tx.save(INTERACTIONS, msgspec.structs.replace(waiting, **changes))
    check_move(interaction.state, State.QUEUED)
    after = await moves.enter_queue(
        tx,
        moved(interaction, State.QUEUED),
        cause,
        outcome=cause,
        queued_at=tx.now,
        head_start_ms=tx.now - interaction.created_at,
        answered_at=None,
        **changes,
    )
    after = await moves.say_system(tx, after, "agent_lost" if cause == "agent_lost" else "transferred", name=agent_name)
    return await tx.save(INTERACTIONS, after)
