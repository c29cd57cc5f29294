"""What every move of an interaction entails: its segments, its offers, the agent's capacity.

Functions for use inside a unit of work. They change the records of others; the interaction itself is returned changed
and saved once by the caller.
"""

from collections.abc import Iterable

import msgspec

from hub.domain.agent import Agent
from hub.domain.errors import BadRequest, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, Needs, State, check_move
from hub.domain.messages import Author, FileRef, Message
from hub.domain.offer import Offer, OfferState, RevokeReason
from hub.domain.segments import Segment, SegmentKind
from hub.services.dispatching.wishes import Wishes
from hub.services.wording import worded
from hub.settings import Settings
from hub.storage.changes import Shape
from hub.storage.tables import AGENTS, INTERACTIONS, JOBS, MESSAGES, OFFERS, SEGMENTS, GoneJob, Job
from hub.storage.unit_of_work import UnitOfWork

MOST_SKILLS = 20
"""Skills that a person can ask for at once; more and nobody has them all."""
REVOKED = OfferState.REVOKED
_ENDED_SEGMENTS = Shape(
    "update",
    "segments",
    ("interaction", "ended_at", "outcome"),
    ("text", "int8", "text"),
    tail="AND segments.ended_at IS NULL",
)
_ENDED_OFFERS = Shape(
    "update",
    "offers",
    ("id", "state", "reason", "ended_at"),
    ("text", "text", "text", "int8"),
    tail="AND offers.state = 'pending'",
    is_exact=True,
)
_SET_JOBS = JOBS.insertion._replace(
    tail="ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, note = excluded.note, attempts = 0"
)
_GONE_JOBS = Shape("delete", "jobs", ("id",), ("text",))


async def interaction_for_change(tx: UnitOfWork, interaction_id: str) -> Interaction:
    """Return an interaction, locked until the end of the unit.

    Raises:
        NotFound: there is none.
    """
    found = await tx.get(INTERACTIONS, interaction_id, lock=True)
    if found is None:
        raise NotFound("There is no such interaction.")
    return found


async def agent_for_change(tx: UnitOfWork, agent_id: str) -> Agent:
    """Return a member of staff, locked until the end of the unit.

    Raises:
        NotFound: there is none, or the account is closed.
    """
    found = await holder_for_change(tx, agent_id)
    if not found.is_active:
        raise NotFound("There is no such agent.")
    return found


async def holder_for_change(tx: UnitOfWork, agent_id: str) -> Agent:
    """Return whoever held something, to take it from them, locked until the end of the unit; also a closed account.

    Raises:
        NotFound: there is none.
    """
    found = await tx.get(AGENTS, agent_id, lock=True)
    if found is None:
        raise NotFound("There is no such agent.")
    return found


def needs_of(settings: Settings, channel: str) -> Needs:
    """Return what the channel's configuration says everything that comes in by it needs."""
    found = settings.channels.get(channel)
    if found is None:
        return Needs()
    return Needs(
        skills=dict(found.skills), any_of=tuple(dict(group) for group in found.any_of), best_skills=found.best_skills
    )


def check_needs(settings: Settings, needs: Needs | None) -> None:
    """Return if people may ask for this.

    Raises:
        BadRequest: a skill that nobody has heard of, or a level that is none.
    """
    if needs is None:
        return
    asked = (*needs.named, *needs.best_skills)
    if len(asked) > MOST_SKILLS or len(needs.any_of) > MOST_SKILLS or any(len(skill) > 64 for skill in asked):
        raise BadRequest(f"At most {MOST_SKILLS} skills, each of at most 64 characters.")
    for skill in asked:
        if settings.skills and skill not in settings.skills:
            raise BadRequest(f"There is no skill {skill!r}.")
    levels = [level for group in (needs.skills, *needs.any_of) for level in group.values()]
    if any(not 1 <= level <= 5 for level in levels):
        raise BadRequest("A level is 1 to 5.")
    if not all(needs.any_of):
        raise BadRequest("A choice of skills names at least one.")


async def begin_segment(
    tx: UnitOfWork,
    interaction: Interaction,
    kind: SegmentKind,
    *,
    agent: str | None = None,
    outcome: str = "",
    ended: str | None = None,
) -> None:
    """End the interaction's open segment with `outcome` and begin one of `kind`; with `ended` it takes no time."""
    await end_segments(tx, interaction.id, outcome)
    segment = Segment(
        id=new_id("s"),
        interaction=interaction.id,
        kind=kind,
        queue=interaction.queue,
        agent=agent,
        started_at=tx.now,
        ended_at=None if ended is None else tx.now,
        outcome=ended or "",
    )
    await tx.insert_many(SEGMENTS, (segment,))


async def end_segments(tx: UnitOfWork, interaction_id: str, outcome: str) -> None:
    """End the interaction's open segment."""
    await end_segments_of(tx, (interaction_id,), outcome)


async def end_segments_of(tx: UnitOfWork, interactions: Iterable[str], outcome: str) -> None:
    """End the open segments of many interactions."""
    # Named by their interaction: of two ends of one interaction the second is that of the segment begun in between.
    await tx.change(_ENDED_SEGMENTS, [(interaction, tx.now, outcome) for interaction in interactions])


async def release(tx: UnitOfWork, agent_id: str, units: int, **changes: object) -> Agent:
    """Give units of capacity back to the agent; one who is idle now takes the presence chosen to come next."""
    return await tx.save(AGENTS, given_back(tx, await holder_for_change(tx, agent_id), units, **changes))


def given_back(tx: UnitOfWork, agent: Agent, units: int, **changes: object) -> Agent:
    """Return the agent with units of capacity given back, as `release` does, to be saved."""
    held = max(agent.held - units, 0)
    if held == 0 and agent.next_presence is not None:
        changes |= {
            "presence": agent.next_presence,
            "reason": agent.next_reason,
            "next_presence": None,
            "next_reason": "",
            "presence_since": tx.now,
        }
        tx.record(
            EventKind.PRESENCE_CHANGED,
            agent=agent.id,
            presence=agent.next_presence,
            reason=agent.next_reason,
            cause="next",
        )
    return msgspec.structs.replace(agent, held=held, **changes)


async def end_offers(
    tx: UnitOfWork, interaction: Interaction, reason: RevokeReason, *, but: str | None = None
) -> list[Offer]:
    """Take back every live offer of the interaction but one, and give the agents their capacity back."""
    live = await tx.select(OFFERS, "WHERE interaction = $1 AND state = 'pending' FOR UPDATE", interaction.id)
    ended = []
    for offer in live:
        if offer.id != but:
            ended.append(await end_offer(tx, offer, OfferState.REVOKED, reason))
            await release(tx, offer.agent, offer.units)
    return ended


async def end_offer(tx: UnitOfWork, offer: Offer, state: OfferState, reason: str, *, actor: str = "system") -> Offer:
    """Write how an offer ended. The caller has seen that it was pending.

    Raises (also later):
        Conflict: it is so no longer.
    """
    ended = msgspec.structs.replace(offer, state=state, reason=str(reason), ended_at=tx.now)
    await tx.change(_ENDED_OFFERS, [(ended.id, str(ended.state), ended.reason, ended.ended_at)])
    tx.touch(ended)
    await cancel_job(tx, "offer_expiry", offer.id)
    tx.record(
        EventKind.OFFER_ENDED,
        actor=actor,
        interaction=offer.interaction,
        agent=offer.agent,
        queue=offer.queue,
        offer=offer.id,
        outcome=str(state),
        reason=str(reason),
        rang_ms=tx.now - offer.made_at,
    )
    return ended


async def say_system(
    tx: UnitOfWork,
    interaction: Interaction,
    code: str,
    *,
    agent: str | None = None,
    name: str = "",
    files: tuple[FileRef, ...] = (),
) -> Interaction:
    """Add what the hub itself says to the conversation; returns the interaction with its new count, to be saved."""
    message = Message(
        interaction=interaction.id,
        n=interaction.last_n + 1,
        at=tx.now,
        author=Author.SYSTEM,
        agent=agent,
        name=name,
        code=code,
        text=worded(code, interaction.language, name=name),
        files=files,
    )
    await tx.insert(MESSAGES, message)
    message_stored(tx, interaction, message)
    return msgspec.structs.replace(interaction, last_n=message.n)


def message_stored(tx: UnitOfWork, interaction: Interaction, message: Message, *, actor: str = "") -> None:
    """Record that a message of an interaction was stored; by whom, its author says, unless `actor` does."""
    is_system = message.author is Author.SYSTEM
    agent = None if is_system else message.agent
    facts = {"code": message.code} if is_system else {}
    tx.record(
        EventKind.MESSAGE_STORED,
        actor=actor or ("system" if is_system else f"agent:{agent}" if agent else "customer"),
        interaction=interaction.id,
        customer=interaction.customer,
        agent=agent,
        queue=interaction.queue,
        n=message.n,
        author=str(message.author),
        **facts,
    )


async def disconnected(tx: UnitOfWork, interaction: Interaction, outcome: str) -> Interaction:
    """Return an interaction that was accepted and never connected to its place in the queue; the caller saves it.

    The agent's capacity is the caller's to give back. It is the same entry into the queue: it was not answered.
    """
    await begin_segment(tx, interaction, SegmentKind.QUEUED, outcome=outcome)
    check_move(interaction.state, State.QUEUED)
    return msgspec.structs.replace(interaction, state=State.QUEUED, agent=None, units=0, answered_at=None)


def record_answer(tx: UnitOfWork, settings: Settings, interaction: Interaction, agent_id: str, *, rang_ms: int) -> None:
    """Note that the agent answered who waited in the queue, and whether in time; `rang_ms` it took to connect."""
    waited = tx.now - (interaction.queued_at or interaction.created_at)
    queue = settings.queues.get(interaction.queue)
    target_ms = round(queue.target_s * 1000) if queue else 0
    tx.record(
        EventKind.INTERACTION_ANSWERED,
        actor=f"agent:{agent_id}",
        interaction=interaction.id,
        customer=interaction.customer,
        agent=agent_id,
        queue=interaction.queue,
        wait_ms=waited,
        in_target=waited <= target_ms,
        offer_to_answer_ms=rang_ms,
    )


async def schedule(tx: UnitOfWork, kind: str, subject: str, due_at: int, note: str = "") -> None:
    """Set the durable timer of this kind for this subject; one that is set already is moved."""
    job = Job(id=f"{kind}:{subject}", kind=kind, subject=subject, due_at=due_at, note=note)
    await tx.change(_SET_JOBS, [JOBS.values(job)])
    tx.records.pop((GoneJob, job.id), None)
    tx.touch(job)


async def cancel_job(tx: UnitOfWork, kind: str, subject: str) -> None:
    """Take a durable timer back; one that is not set is fine."""
    gone = GoneJob(f"{kind}:{subject}")
    await tx.change(_GONE_JOBS, [(gone.id,)])
    tx.records.pop((Job, gone.id), None)
    tx.touch(gone)


async def enter_queue(
    tx: UnitOfWork, interaction: Interaction, entry: str, *, outcome: str = "", **changes: object
) -> Interaction:
    """Put the interaction in the queue its record (with `changes`) names: segment and journal. The caller saves it.

    `entry` says how it came: arrival, transfer, agent_lost, resumed, reassigned. Every entry is left exactly once
    (answered, abandoned, flowed out), so that the queue's figures add up.
    """
    after = msgspec.structs.replace(interaction, state=State.QUEUED, agent=None, units=0, **changes)
    if after.queued_at is None:
        after = msgspec.structs.replace(after, queued_at=tx.now)
    await begin_segment(tx, after, SegmentKind.QUEUED, outcome=outcome)
    tx.record(
        EventKind.INTERACTION_QUEUED,
        interaction=after.id,
        customer=after.customer,
        queue=after.queue,
        entry=entry,
        channel_kind=after.kind,
        head_start_ms=after.head_start_ms,
        wishes=Wishes.of(after).text(),
    )
    return after


async def wake_parked(tx: UnitOfWork, interaction: Interaction) -> Interaction:
    """The customer answered while the interaction was parked: back to its agent's attention, or to the queue."""
    check_move(interaction.state, State.QUEUED)
    after = await enter_queue(
        tx, interaction, "resumed", outcome="customer_answered", queued_at=tx.now, answered_at=None
    )
    return await tx.save(INTERACTIONS, after)
