"""Offers: one interaction proposed to one agent until a deadline.

Every end is a compare-and-set; the server's clock decides.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from hub.domain.agent import Agent
from hub.domain.errors import BadRequest, HubError, NotFound, OfferGone
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import CONNECTED_FIRST, Interaction, State, check_move, moved
from hub.domain.offer import REJECT_REASONS, Offer, OfferState, RevokeReason
from hub.domain.segments import Segment, SegmentKind
from hub.services import moves
from hub.settings import Settings
from hub.storage.batches import Batch
from hub.storage.tables import AGENTS, INTERACTIONS, JOBS, OFFERS, SEGMENTS, Job
from hub.storage.unit_of_work import Store, UnitOfWork

_INTERACTION_COLUMNS = ("id", "state", "version")
_AGENT_COLUMNS = ("id", "held", "last_offer_at", "version")
RecordT = TypeVar("RecordT", Interaction, Agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An offer the engine wants made. `units` of capacity are held from then on; `extra` more may be taken over
    interruptible work."""

    interaction: str
    agent: str
    deadline_at: int
    units: int
    why: tuple[str, ...] = ()
    extra: int = 0
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the store did not make an offer: `interaction_gone` or `agent_unable`."""

    because: str


class Offers:
    """Makes, accepts, rejects and ends offers."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.fence: Callable[[UnitOfWork], Awaitable[None]] | None = None
        """Makes sure, inside the transaction, that this node may still decide; set by whoever dispatches."""
        self._batch: Batch[Proposal, Offer | Refusal] = Batch(store, self._make_many, guarded=True)
        self._accepting: Batch[tuple[str, str], Interaction] = Batch(
            store, self._accept_many, guarded=True, prompt=True
        )

    async def make(self, proposal: Proposal) -> Offer | Refusal:
        """Make an offer, or say why the truth has moved on. Many at once share a few statements and one commit."""
        return await self._batch.submit(proposal)

    async def _make_many(self, tx: UnitOfWork, proposals: Sequence[Proposal]) -> list[Offer | Refusal | Exception]:
        if self.fence is not None:
            await self.fence(tx)
        interactions = await tx.recall(INTERACTIONS, (one.interaction for one in proposals), fits=_is_queued)
        agents = await tx.recall(AGENTS, (one.agent for one in proposals), fits=_has_room)
        results: list[Offer | Refusal | Exception] = []
        made: list[Offer] = []
        live = await self._live(tx, [found.id for found in interactions.values() if found.state is State.OFFERED])
        for proposal in proposals:
            interaction, agent = interactions.get(proposal.interaction), agents.get(proposal.agent)
            refusal = self._refusal(proposal, interaction, agent, live)
            if refusal is not None or interaction is None or agent is None:
                results.append(refusal or Refusal("interaction_gone"))
                continue
            offer = _offer(proposal, interaction, tx.now)
            made.append(offer)
            results.append(offer)
            live.add((interaction.id, agent.id))
            interactions[interaction.id] = msgspec.structs.replace(interaction, state=State.OFFERED)
            agents[agent.id] = msgspec.structs.replace(agent, held=agent.held + offer.units, last_offer_at=tx.now)
        await _store_made(tx, made, interactions, agents)
        return results

    async def _live(self, tx: UnitOfWork, interactions: list[str]) -> set[tuple[str, str]]:
        """Return who is offered these now; what is queued is offered to nobody."""
        if not interactions:
            return set()
        rows = await tx.fetch(
            "SELECT interaction, agent FROM offers WHERE interaction ANY_OF($1) AND state = 'pending'", interactions
        )
        return {(row[0], row[1]) for row in rows}

    async def ended(self, interactions: Sequence[str], *, since: int) -> list[Offer]:
        """Return the offers of these that ended after an instant without being accepted, in that order."""

        async def unit(tx: UnitOfWork) -> list[Offer]:
            return await tx.select(
                OFFERS,
                "WHERE interaction ANY_OF($1) AND state NOT IN ('pending', 'accepted') AND ended_at > $2 "
                "ORDER BY ended_at, id",
                interactions,
                since,
            )

        return await self._store.read(unit) if interactions else []

    def _refusal(
        self, proposal: Proposal, interaction: Interaction | None, agent: Agent | None, live: set[tuple[str, str]]
    ) -> Refusal | None:
        if interaction is None or interaction.state not in {State.QUEUED, State.OFFERED}:
            return Refusal("interaction_gone")
        if (interaction.id, proposal.agent) in live:
            return Refusal("interaction_gone")
        if interaction.state is State.OFFERED and self._at_once(interaction) <= sum(
            1 for other, _ in live if other == interaction.id
        ):
            return Refusal("interaction_gone")
        if agent is None or agent.held + proposal.units > agent.capacity + proposal.extra:
            return Refusal("agent_unable")
        if not proposal.by_hand and not agent.can_be_offered:
            return Refusal("agent_unable")
        return None

    def _at_once(self, interaction: Interaction) -> int:
        queue = self._settings.queues.get(interaction.queue)
        return queue.offers_at_once if queue else 1

    async def accept(self, offer_id: str, agent_id: str) -> Interaction:
        """Connect the agent to the offered interaction.

        Safe against the clock: an offer that expires in the same instant is either accepted or expired, never both.

        Raises:
            OfferGone: accepted elsewhere, withdrawn or expired.
        """

        return await self._accepting.submit((offer_id, agent_id))

    async def _accept_many(self, tx: UnitOfWork, wanted: Sequence[tuple[str, str]]) -> list[Interaction | Exception]:
        floor = await _Answered.of(tx, sorted({offer_id for offer_id, _ in wanted}), self._at_once)
        results: list[Interaction | Exception] = []
        for offer_id, agent_id in wanted:
            try:
                offer = _claim(floor.offers.get(offer_id), agent_id, tx.now)
                interaction, agent = floor.interactions.get(offer.interaction), floor.agents.get(agent_id)
                if interaction is None or interaction.state is not State.OFFERED:
                    raise OfferGone("The customer has left.")
                if agent is None or not agent.is_active:
                    raise NotFound("There is no such agent.")
            except HubError as error:
                results.append(error)
                continue
            floor.offers[offer.id] = await moves.end_offer(
                tx, offer, OfferState.ACCEPTED, "", actor=f"agent:{agent_id}"
            )
            await self._take_back_others(tx, floor, offer)
            answered = await self._connect(tx, interaction, floor.agents[agent_id], offer)
            floor.agents[agent_id] = msgspec.structs.replace(floor.agents[agent_id], misses=0, idle_since=tx.now)
            floor.interactions[answered.id] = answered
            results.append(answered)
        saved = await floor.save(tx)
        return [saved.get(each.id, each) if isinstance(each, Interaction) else each for each in results]

    async def _take_back_others(self, tx: UnitOfWork, floor: "_Answered", won: Offer) -> None:
        for other in tuple(floor.offers.values()):
            if other.interaction == won.interaction and other.state is OfferState.PENDING:
                ended = await moves.end_offer(tx, other, OfferState.REVOKED, RevokeReason.WON_ELSEWHERE)
                floor.offers[other.id] = ended
                if other.agent in floor.agents:
                    floor.agents[other.agent] = moves.given_back(tx, floor.agents[other.agent], other.units)

    async def _connect(self, tx: UnitOfWork, interaction: Interaction, agent: Agent, offer: Offer) -> Interaction:
        """Return the interaction as the agent has it, to be saved."""
        check_move(interaction.state, State.CONNECTING)
        if interaction.kind in CONNECTED_FIRST and not interaction.is_message:
            return _ringing(interaction, agent, offer, tx.now)
        moves.record_answer(tx, self._settings, interaction, agent.id, rang_ms=tx.now - offer.made_at)
        await moves.begin_segment(tx, interaction, SegmentKind.HANDLED, agent=agent.id, outcome="accepted")
        answered = msgspec.structs.replace(
            interaction,
            state=State.ACTIVE,
            agent=agent.id,
            last_agent=agent.id,
            direct_to=None,
            units=offer.units,
            answered_at=tx.now,
            head_start_ms=0,
        )
        return await moves.say_system(tx, answered, "joined", agent=agent.id, name=agent.name)

    async def reject(self, offer_id: str, agent_id: str, reason: str) -> None:
        """End the offer; the interaction keeps its place.

        Raises:
            OfferGone: it was over already. BadRequest: no such reason.
        """
        if reason not in REJECT_REASONS:
            raise BadRequest(f"A reason is one of {', '.join(REJECT_REASONS)}.")

        async def unit(tx: UnitOfWork) -> None:
            offer = await _claimed(tx, offer_id, agent_id)
            interaction = await moves.interaction_for_change(tx, offer.interaction)
            await moves.end_offer(tx, offer, OfferState.REJECTED, reason, actor=f"agent:{agent_id}")
            back_off = self._settings.offers.agent_back_off_s.get("rejected", 0.0)
            await moves.release(tx, agent_id, offer.units, paused_until=tx.now + round(back_off * 1000))
            await requeue_unless_offered(tx, interaction, "rejected")

        await self._store.write(unit)

    async def expire(self, offer_id: str) -> None:
        """End an offer whose deadline has passed; one that is over already is left alone.

        An agent whose browser was away did not miss it: that end is `agent_lost`, without a miss.
        """

        async def unit(tx: UnitOfWork) -> None:
            offer = await tx.get(OFFERS, offer_id, lock=True)
            if offer is None or offer.state is not OfferState.PENDING or offer.deadline_at > tx.now:
                return
            interaction = await moves.interaction_for_change(tx, offer.interaction)
            agent = await moves.holder_for_change(tx, offer.agent)
            if agent.connectivity == "connected":
                await moves.end_offer(tx, offer, OfferState.TIMED_OUT, "", actor="timer:offer")
                await self._count_miss(tx, agent, offer)
            else:
                await moves.end_offer(tx, offer, OfferState.REVOKED, RevokeReason.AGENT_LOST, actor="timer:offer")
                await moves.release(tx, offer.agent, offer.units)
            await requeue_unless_offered(tx, interaction, "timed_out")

        await self._store.write(unit)

    async def _count_miss(self, tx: UnitOfWork, agent: Agent, offer: Offer) -> None:
        misses = agent.misses + 1
        back_off = self._settings.offers.agent_back_off_s.get("timed_out", 0.0)
        changes: dict[str, object] = {"misses": misses, "paused_until": tx.now + round(back_off * 1000)}
        if misses >= self._settings.offers.misses_until_not_responding and agent.not_responding_since is None:
            changes["not_responding_since"] = tx.now
            tx.record(EventKind.NOT_RESPONDING, agent=agent.id, misses=misses)
        await moves.release(tx, agent.id, offer.units, **changes)


def _is_queued(interaction: Interaction) -> bool:
    return interaction.state is State.QUEUED


def _is_offered(interaction: Interaction) -> bool:
    return interaction.state is State.OFFERED


def _is_pending(offer: Offer) -> bool:
    return offer.state is OfferState.PENDING


def _is_active(agent: Agent) -> bool:
    return agent.is_active


def _has_room(agent: Agent) -> bool:
    return agent.can_be_offered and agent.held < agent.capacity


def _ringing(interaction: Interaction, agent: Agent, offer: Offer, now: int) -> Interaction:
    """Return the interaction held for the agent while lines are joined; `answered_at` is when they accepted."""
    return msgspec.structs.replace(
        interaction, state=State.CONNECTING, agent=agent.id, direct_to=None, units=offer.units, answered_at=now
    )


def _offer(proposal: Proposal, interaction: Interaction, now: int) -> Offer:
    return Offer(
        id=new_id("o"),
        interaction=interaction.id,
        agent=proposal.agent,
        queue=interaction.queue,
        state=OfferState.PENDING,
        made_at=now,
        deadline_at=proposal.deadline_at,
        units=proposal.units,
        why=proposal.why,
    )


async def _store_made(
    tx: UnitOfWork, made: Sequence[Offer], interactions: dict[str, Interaction], agents: dict[str, Agent]
) -> None:
    """Write offers with everything that goes with them, each table in one statement."""
    if not made:
        return
    await tx.insert_many(OFFERS, made)
    await tx.insert_many(
        JOBS,
        [Job(id=f"offer_expiry:{o.id}", kind="offer_expiry", subject=o.id, due_at=o.deadline_at) for o in made],
    )
    ids = list(dict.fromkeys(offer.interaction for offer in made))
    await moves.end_segments_of(tx, ids, "offered")
    await tx.insert_many(
        SEGMENTS,
        [
            Segment(
                id=new_id("s"),
                interaction=o.interaction,
                kind=SegmentKind.OFFERED,
                queue=o.queue,
                agent=o.agent,
                started_at=tx.now,
            )
            for o in made
        ],
    )
    for offer in made:
        tx.touch(offer)
        tx.touch(Job(id=f"offer_expiry:{offer.id}", kind="offer_expiry", subject=offer.id, due_at=offer.deadline_at))
        tx.record(
            EventKind.OFFER_MADE,
            interaction=offer.interaction,
            agent=offer.agent,
            queue=offer.queue,
            offer=offer.id,
            deadline_at=offer.deadline_at,
            units=offer.units,
        )
    changed = [_versioned(interactions[key]) for key in ids]
    await tx.update_many(INTERACTIONS, _INTERACTION_COLUMNS, [(i.id, str(i.state), i.version) for i in changed])
    people = [_versioned(agents[key]) for key in dict.fromkeys(offer.agent for offer in made)]
    await tx.update_many(AGENTS, _AGENT_COLUMNS, [(a.id, a.held, a.last_offer_at, a.version) for a in people])
    for record in (*changed, *people):
        tx.touch(record)


def _versioned(record: RecordT) -> RecordT:
    return msgspec.structs.replace(record, version=record.version + 1)


@dataclass(slots=True)
class _Answered:
    """What offers that are answered concern: they, their rivals, the interactions and the agents."""

    offers: dict[str, Offer]
    interactions: dict[str, Interaction]
    agents: dict[str, Agent]
    before: tuple[dict[str, Interaction], dict[str, Agent]]

    @classmethod
    async def of(cls, tx: UnitOfWork, offer_ids: list[str], at_once: Callable[[Interaction], int]) -> "_Answered":
        """Read what is not known of it; `at_once` says how many may be offered an interaction at a time."""
        offers = await tx.recall(OFFERS, offer_ids, fits=_is_pending)
        ids = sorted({offer.interaction for offer in offers.values()})
        interactions = await tx.recall(INTERACTIONS, ids, fits=_is_offered)
        shared = [each.id for each in interactions.values() if tx.is_sure or at_once(each) > 1]
        if shared:
            rivals = await tx.select(
                OFFERS, "WHERE interaction ANY_OF($1) AND state = 'pending' ORDER BY id FOR UPDATE", shared
            )
            offers.update((offer.id, offer) for offer in rivals)
        agents = await tx.recall(AGENTS, (offer.agent for offer in offers.values()), fits=_is_active)
        return cls(offers, interactions, agents, (dict(interactions), dict(agents)))

    async def save(self, tx: UnitOfWork) -> dict[str, Interaction]:
        """Save what has changed; return the interactions as they were saved."""
        interactions, agents = self.before
        for key, agent in self.agents.items():
            if agent is not agents[key]:
                await tx.save(AGENTS, agent)
        return {
            key: await tx.save(INTERACTIONS, each)
            for key, each in self.interactions.items()
            if each is not interactions[key]
        }


async def _claimed(tx: UnitOfWork, offer_id: str, agent_id: str) -> Offer:
    """Return a live offer of this agent, locked.

    Raises:
        OfferGone: it is over, past its deadline, somebody else's, or never was.
    """
    return _claim(await tx.get(OFFERS, offer_id, lock=True), agent_id, tx.now)


def _claim(offer: Offer | None, agent_id: str, now: int) -> Offer:
    if offer is None or offer.agent != agent_id or offer.state is not OfferState.PENDING or offer.deadline_at <= now:
        raise OfferGone("This offer is no longer yours.")
    return offer


async def requeue_unless_offered(tx: UnitOfWork, interaction: Interaction, outcome: str) -> Interaction:
    """Put the interaction back in its place in the queue, unless another agent still has a live offer of it."""
    if interaction.state is not State.OFFERED:
        return interaction
    if await tx.fetch_one("SELECT 1 FROM offers WHERE interaction = $1 AND state = 'pending'", interaction.id):
        return interaction
    await moves.begin_segment(tx, interaction, SegmentKind.QUEUED, outcome=outcome)
    return await tx.save(INTERACTIONS, moved(interaction, State.QUEUED))
