"""A recorded day, out of the journal, as the simulator plays it: who came, who worked, what became of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from hub.domain.agent import Agent, Connectivity, Presence
from hub.domain.events import Event, EventKind
from hub.services.dispatching.figures import COUNTED
from hub.services.dispatching.wishes import Wishes
from hub.settings import Settings, routing_policy
from hub.storage import journal
from hub.storage.tables import AGENTS, INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork
from routing.model import AgentState, WaitingInteraction
from routing.policy import Policy
from routing.simulate import Fate, Recorded, Shift

Span = tuple[int, int]
"""From one instant until another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """What the journal holds between two instants.

    `fates` is what really became of everybody, `busy_ms` and `present_ms` how long each agent had work in hand and was
    there.
    """

    recorded: list[Recorded]
    shifts: list[Shift]
    fates: list[Fate]
    busy_ms: dict[str, int]
    present_ms: dict[str, int]


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

    entries = _Entries(needs, end_at)
    for event in events:
        if event.queue in settings.queues:
            entries.take(event)
    entries.close()
    agents = await tx.select(AGENTS, "WHERE is_active = $1", True)
    staff = await tx.fetch(
        "SELECT seq, at, kind, actor, interaction, customer, agent, queue, facts FROM journal "
        "WHERE kind IN ('presence_changed', 'connectivity_changed') AND at < $1 ORDER BY seq",
        end_at,
    )
    there = _there((journal.event_of(row) for row in staff), entries.works, end_at)
    shifts = [
        Shift(agent=agent_state(agent, settings), from_ms=max(from_at - start_at, 0), until_ms=until_at - start_at)
        for agent in agents
        for from_at, until_at in there.get(agent.id, ())
        if until_at > start_at
    ]
    works = {agent_id: _joined(spans) for agent_id, spans in entries.works.items()}
    present = {
        agent_id: _joined([*there.get(agent_id, ()), *works.get(agent_id, ())]) for agent_id in {**there, **works}
    }
    return RecordedDay(
        recorded=entries.recorded,
        shifts=shifts,
        fates=entries.fates,
        busy_ms={agent_id: _within(spans, start_at) for agent_id, spans in works.items()},
        present_ms={agent_id: _within(spans, start_at) for agent_id, spans in present.items()},
    )


class _Entries:
    """Pairs each entry into a queue with how it was left, and each answer with how long the work took.

    `works` says, by agent, from when until when they had something in hand.
    """

    def __init__(self, needs: Callable[[Event], WaitingInteraction], end_at: int) -> None:
        self._needs = needs
        self._end_at = end_at
        self._waiting: dict[str, WaitingInteraction] = {}
        self._answered: dict[str, tuple[WaitingInteraction, Event]] = {}
        self.recorded: list[Recorded] = []
        self.fates: list[Fate] = []
        self.works: dict[str, list[Span]] = {}

    def take(self, event: Event) -> None:
        """Take in an event that counts, in order."""
        key = event.interaction or ""
        entry = self._waiting.pop(key, None)
        if entry is not None and event.kind is EventKind.INTERACTION_ANSWERED:
            self._answered[key] = (entry, event)
            self.fates.append(Fate(entry, answered_ms=event.at, agent_id=event.agent or ""))
        elif entry is not None:
            has_left = event.facts.get("outcome") == "abandoned"
            left_after = event.at - entry.queued_at_ms if has_left else None
            self.recorded.append(Recorded(interaction=entry, left_after_ms=left_after))
            self.fates.append(
                Fate(entry, left_ms=event.at if has_left else None, flowed_ms=None if has_left else event.at)
            )
        if event.kind is EventKind.INTERACTION_QUEUED:
            self._waiting[key] = self._needs(event)
        if event.kind is not EventKind.INTERACTION_ANSWERED and key in self._answered:
            entry, answer = self._answered.pop(key)
            self._worked(entry, answer, event.at)

    def close(self) -> None:
        """The day is over: what is in hand or waits is so still."""
        for entry, answer in self._answered.values():
            self._worked(entry, answer, None)
        self.recorded += [Recorded(interaction=entry) for entry in self._waiting.values()]
        self.fates += [Fate(entry) for entry in self._waiting.values()]

    def _worked(self, entry: WaitingInteraction, answer: Event, until_at: int | None) -> None:
        handling_ms = None if until_at is None else until_at - answer.at
        self.recorded.append(
            Recorded(interaction=entry, answered_after_ms=answer.at - entry.queued_at_ms, handling_ms=handling_ms)
        )
        span = (answer.at, self._end_at if until_at is None else until_at)
        self.works.setdefault(answer.agent or "", []).append(span)


def _there(events: Iterable[Event], works: Mapping[str, list[Span]], end_at: int) -> dict[str, list[Span]]:
    """Return when each agent was available and connected.

    Who answered was there, whatever the journal still knows of their coming and going: for as long as that work took.
    """
    presence: dict[str, bool] = {}
    connected: dict[str, bool] = {}
    since: dict[str, int] = {}
    found: dict[str, list[Span]] = {}
    for event in events:
        agent_id = event.agent or ""
        if event.kind is EventKind.PRESENCE_CHANGED:
            presence[agent_id] = event.facts.get("presence") == Presence.AVAILABLE
        else:
            connected[agent_id] = event.facts.get("connectivity") != Connectivity.LOST
        is_there = presence.get(agent_id, False) and connected.get(agent_id, False)
        if is_there and agent_id not in since:
            since[agent_id] = event.at
        elif not is_there and agent_id in since:
            found.setdefault(agent_id, []).append((since.pop(agent_id), event.at))
    for agent_id, from_at in since.items():
        found.setdefault(agent_id, []).append((from_at, end_at))
    for agent_id, spans in works.items():
        known = found.setdefault(agent_id, [])
        known += [span for span in spans if not any(start <= span[0] <= end for start, end in known)]
    return {agent_id: _joined(spans) for agent_id, spans in found.items()}


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that meet as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _within(spans: Iterable[Span], start_at: int) -> int:
    return sum(max(end - max(start, start_at), 0) for start, end in spans)


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
