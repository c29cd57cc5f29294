"""A recorded day, out of the journal, as the simulator plays it: who came, who worked, what became of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from hub.domain.agent import Agent, Connectivity, Presence
from hub.domain.events import Event, EventKind
from hub.services.figures import COUNTED
from hub.services.wishes import Wishes
from hub.settings import Settings, routing_policy
from hub.storage import journal
from hub.storage.tables import AGENTS, INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork
from routing.model import AgentState, WaitingInteraction
from routing.policy import Policy
from routing.simulate import Fate, Recorded, Shift

_STAFF = (EventKind.PRESENCE_CHANGED, EventKind.CONNECTIVITY_CHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """What the journal holds between two instants. `fates` is what really became of everybody."""

    recorded: list[Recorded]
    shifts: list[Shift]
    fates: list[Fate]


async def read_day(tx: UnitOfWork, settings: Settings, start_at: int, end_at: int) -> RecordedDay:
    """Read what happened from `start_at` until `end_at` (milliseconds since 1970 UTC)."""
    events = [
        event for event in await journal.since(tx, start_at, [str(kind) for kind in COUNTED]) if event.at < end_at
    ]
    ids = sorted({event.interaction for event in events if event.interaction})
    known = {interaction.id: interaction for interaction in await tx.select(INTERACTIONS, "WHERE id ANY_OF($1)", ids)}

    skills = msgspec.convert(routing_policy(settings), Policy).skills

    def needs(event: Event) -> WaitingInteraction:
        interaction = known.get(event.interaction or "")
        tier = settings.tiers.get(interaction.tier) if interaction else None
        language = interaction.language.partition("-")[0] if interaction else ""
        kind = str(event.facts.get("channel_kind") or "chat")
        return WaitingInteraction(
            id=f"{event.interaction}.{event.seq}",
            queue_id=event.queue or "",
            channel=kind if kind in settings.kinds else "chat",
            queued_at_ms=event.at,
            head_start_ms=int(event.facts.get("head_start_ms") or 0),
            value=tier.value if tier else 1,
            languages=(language,) if language in settings.company.languages else (),
            **Wishes.noted(event).for_routing(skills),
        )

    recorded, fates = _entries([event for event in events if event.queue in settings.queues], needs)
    agents = await tx.select(AGENTS, "WHERE is_active = $1", True)
    staff = await tx.fetch(
        "SELECT seq, at, kind, actor, interaction, customer, agent, queue, facts FROM journal "
        "WHERE kind IN ('presence_changed', 'connectivity_changed') AND at < $1 ORDER BY seq",
        end_at,
    )
    shifts = _shifts((journal.event_of(row) for row in staff), {a.id: a for a in agents}, settings, (start_at, end_at))
    return RecordedDay(recorded=recorded, shifts=shifts, fates=fates)


def _entries(
    events: Iterable[Event], needs: Callable[[Event], WaitingInteraction]
) -> tuple[list[Recorded], list[Fate]]:
    """Pair each entry into a queue with how it was left, and each answer with how long the work took."""
    waiting: dict[str, WaitingInteraction] = {}
    answered: dict[str, tuple[WaitingInteraction, Event]] = {}
    recorded: list[Recorded] = []
    fates: list[Fate] = []
    for event in events:
        key = event.interaction or ""
        entry = waiting.pop(key, None)
        if entry is not None and event.kind is EventKind.INTERACTION_ANSWERED:
            answered[key] = (entry, event)
            fates.append(Fate(entry, answered_ms=event.at, agent_id=event.agent or ""))
        elif entry is not None:
            has_left = event.facts.get("outcome") == "abandoned"
            left_after = event.at - entry.queued_at_ms if has_left else None
            recorded.append(Recorded(interaction=entry, left_after_ms=left_after))
            fates.append(Fate(entry, left_ms=event.at if has_left else None, flowed_ms=None if has_left else event.at))
        if event.kind is EventKind.INTERACTION_QUEUED:
            waiting[key] = needs(event)
        if event.kind is not EventKind.INTERACTION_ANSWERED and key in answered:
            entry, answer = answered.pop(key)
            recorded.append(_answered(entry, answer, event.at - answer.at))
    recorded += [_answered(entry, answer, None) for entry, answer in answered.values()]
    recorded += [Recorded(interaction=entry) for entry in waiting.values()]
    fates += [Fate(entry) for entry in waiting.values()]
    return recorded, fates


def _answered(entry: WaitingInteraction, answer: Event, handling_ms: int | None) -> Recorded:
    return Recorded(interaction=entry, answered_after_ms=answer.at - entry.queued_at_ms, handling_ms=handling_ms)


def _shifts(
    events: Iterable[Event], agents: Mapping[str, Agent], settings: Settings, window: tuple[int, int]
) -> list[Shift]:
    """Return when each agent was available and connected, counted from the window's start."""
    start_at, end_at = window
    presence: dict[str, bool] = {}
    connected: dict[str, bool] = {}
    since: dict[str, int] = {}
    shifts: list[Shift] = []
    for event in events:
        agent_id = event.agent or ""
        if event.kind is EventKind.PRESENCE_CHANGED:
            presence[agent_id] = event.facts.get("presence") == Presence.AVAILABLE
        else:
            connected[agent_id] = event.facts.get("connectivity") != Connectivity.LOST
        is_there = presence.get(agent_id, False) and connected.get(agent_id, False)
        if is_there and agent_id not in since:
            since[agent_id] = event.at
        elif not is_there and agent_id in since and agent_id in agents:
            _add_shift(shifts, agents[agent_id], settings, (since.pop(agent_id), event.at), start_at)
    for agent_id, from_at in since.items():
        if agent_id in agents:
            _add_shift(shifts, agents[agent_id], settings, (from_at, end_at), start_at)
    return shifts


def _add_shift(shifts: list[Shift], agent: Agent, settings: Settings, span: tuple[int, int], start_at: int) -> None:
    from_at, until_at = span
    if until_at <= start_at:
        return
    shifts.append(
        Shift(agent=agent_state(agent, settings), from_ms=max(from_at - start_at, 0), until_ms=until_at - start_at)
    )


def agent_state(agent: Agent, settings: Settings) -> AgentState:
    """Return what routing needs to know of an agent who is there and free."""
    return AgentState(
        id=agent.id,
        skills=agent.skills,
        languages=agent.languages or (settings.company.default_language,),
        groups=agent.groups,
        queue_ids=agent.queues,
        channels=agent.kinds,
        capacity_units=agent.capacity,
        units=agent.units,
        speed=agent.speed,
    )
