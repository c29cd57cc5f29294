"""Why: for an interaction or an agent, who was looked at, why each was not taken, what decides next.

Costs a look at every agent (or queue), so it is asked for, never computed along the way. The past is explained by
replaying the events to the moment in question: equal events in equal order give the same state.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from routing import matching, outlook, waiting
from routing.eligibility import Refusal, rank_of, refusals
from routing.engine import Router
from routing.errors import NotTakeable
from routing.events import Event
from routing.floor import Agent, Floor, Item
from routing.model import Figure, duration_text, worded
from routing.policy import Policy
from routing.ranking import GROUP_NAMES, Rank, urgency_of
from routing.state import Snapshot


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an agent may take an interaction now: no refusals means they may. `rank` 0 is the best group."""

    agent_id: str
    interaction_id: str
    rank: int | None
    refusals: tuple[Refusal, ...]

    @property
    def may_take(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refusals


@dataclass(frozen=True, slots=True)
class Explanation:
    """The facts at an instant, the verdicts in order of preference, and what changes next by itself."""

    subject: str
    at_ms: int
    facts: dict[str, Figure]
    verdicts: tuple[Verdict, ...]
    next_change_ms: int | None

    def lines(self) -> list[str]:
        """Return the explanation as short English lines."""
        found = [self.subject]
        found += [f"  {': '.join(worded(name, value))}" for name, value in self.facts.items()]
        for verdict in self.verdicts:
            other = verdict.agent_id if verdict.interaction_id == self.subject else verdict.interaction_id
            why = "; ".join(f"{refusal.code}: {refusal.fact}".rstrip(": ") for refusal in verdict.refusals)
            found.append(f"  {other}: {'may take it' if not why else 'not taken, ' + why}")
        if self.next_change_ms is not None:
            found.append(f"  changes by itself in {duration_text(self.next_change_ms - self.at_ms)}")
        return found


def explain_interaction(router: Router, interaction_id: str) -> Explanation | None:
    """Explain how an interaction stands with every agent now; None if the engine does not know it."""
    floor = router.floor
    item = floor.items.get(interaction_id)
    if item is None:
        return None
    floor.refresh(item)
    verdicts = [_verdict(floor, item, agent) for agent in floor.agents.values()]
    verdicts.sort(key=lambda verdict: (not verdict.may_take, verdict.rank is None, verdict.rank or 0, verdict.agent_id))
    return Explanation(
        interaction_id, floor.now_ms, _facts(floor, item), tuple(verdicts), waiting.next_change_ms(floor, item)
    )


def explain_agent(router: Router, agent_id: str, *, limit: int = 20) -> Explanation | None:
    """Explain how an agent stands with what waits now, the most urgent first; None if they are not logged in."""
    floor = router.floor
    agent = floor.agents.get(agent_id)
    if agent is None:
        return None

    def order(item: Item) -> tuple[Rank, int, Item]:
        return item.line.rank(item.arrival_ms, floor.now_ms), item.arrival_ms, item

    items = sorted(floor.items.values(), key=order)
    for item in items[:limit]:
        floor.refresh(item)
    verdicts = tuple(_verdict(floor, item, agent) for item in items[:limit])
    first = matching.most_urgent_for(floor, agent)
    facts: dict[str, Figure] = {
        "available": str(agent.state.is_available),
        "connected": str(agent.state.is_connected),
        "responding": str(not agent.state.is_not_responding),
        "units_taken": agent.used,
        "capacity_units": agent.state.capacity_units,
        "idle_for_ms": floor.now_ms - agent.idle_since_ms,
        "offers": ", ".join(offer.item.id for offer in agent.offers),
        "holds": ", ".join(work.interaction_id for work in agent.held),
        "would_get_next": "nothing" if first is None else first.id,
    }
    paused_ms = agent.paused_until_ms if agent.paused_until_ms > floor.now_ms else None
    return Explanation(agent_id, floor.now_ms, facts, verdicts, paused_ms)


def why_not(router: Router, interaction_id: str, agent_id: str) -> tuple[Refusal, ...]:
    """Return every reason why the agent is not offered the interaction now, in a fixed order.

    Raises:
        NotTakeable: the engine does not know one of the two.
    """
    item = router.floor.items.get(interaction_id)
    agent = router.floor.agents.get(agent_id)
    if item is None or agent is None:
        raise NotTakeable(f"{interaction_id} does not wait or {agent_id} is not logged in", ("unknown",))
    router.floor.refresh(item)
    return _refusals(router.floor, item, agent)


def rebuild(
    policy: Policy, records: Iterable[tuple[int, int, Event]], *, until_seq: int, start: Snapshot | None = None
) -> Router:
    """Return a router as it was after the record with number `until_seq`. Records are (seq, instant in ms, event)."""
    router = Router(policy, start)
    for seq, at_ms, event in records:
        if seq > until_seq:
            break
        try:
            router.handle(event, at_ms=at_ms)
        except NotTakeable:
            continue
    return router


def _facts(floor: Floor, item: Item) -> dict[str, Figure]:
    urgency = urgency_of(item.line, item.arrival_ms, floor.now_ms)
    expected = outlook.expected_wait_ms(floor, item)
    return {
        "queue": item.run.policy.id,
        "waited_ms": floor.now_ms - item.since_ms,
        "target_ms": item.run.policy.target_ms,
        "stage": item.stage,
        "profile": item.run.policy.profile.value,
        "group": GROUP_NAMES[urgency.group],
        "urgency": urgency.score,
        "position": outlook.position(floor, item),
        "expected_wait_ms": "unknown" if expected is None else expected,
        "offered_to": _offered_to(item) or "nobody",
        "agent_order": item.run.policy.agent_order.value,
    }


def _verdict(floor: Floor, item: Item, agent: Agent) -> Verdict:
    rank = rank_of(item.kind.need, agent.pool.talent)
    return Verdict(agent.id, item.id, rank, _refusals(floor, item, agent))


def _refusals(floor: Floor, item: Item, agent: Agent) -> tuple[Refusal, ...]:
    """State, then channel, capacity, skills at the stage, exclusions, what else holds it back."""
    found = [*_of_state(floor, agent), *_of_capacity(floor, item, agent)]
    is_addressed_only = (agent.id, item.shape.channel) in item.personal and item.own.only_agent_id
    if not is_addressed_only:
        found += refusals(item.kind.need, agent.pool.talent)
    found += _of_item(floor, item, agent)
    return tuple(found)


def _of_state(floor: Floor, agent: Agent) -> list[Refusal]:
    found = []
    if not agent.state.is_available:
        found.append(Refusal("not_available"))
    if not agent.state.is_connected:
        found.append(Refusal("not_connected"))
    if agent.state.is_not_responding:
        found.append(Refusal("not_responding", f"missed {agent.misses} in a row"))
    if agent.paused_until_ms > floor.now_ms:
        found.append(Refusal("paused", f"for {duration_text(agent.paused_until_ms - floor.now_ms)} more"))
    return found


def _of_capacity(floor: Floor, item: Item, agent: Agent) -> list[Refusal]:
    channel = item.shape.channel
    cost = agent.pool.costs.get(channel)
    left = floor.room(agent, channel)
    if cost is None or left >= cost[1] or item.offer_to(agent.id) is not None:
        return []
    return [Refusal("capacity", f"{left} units left, {channel} takes {cost[1]}")]


def _offered_to(item: Item) -> str:
    return ", ".join(offer.agent.id for offer in item.offers)


def _of_item(floor: Floor, item: Item, agent: Agent) -> list[Refusal]:
    found = []
    if agent.id in item.excluded:
        found.append(Refusal("excluded", f"for {duration_text(item.excluded[agent.id] - floor.now_ms)} more"))
    offer = item.offer_to(agent.id)
    if offer is not None:
        found.append(Refusal("offered_to_them", f"for {duration_text(offer.deadline_ms - floor.now_ms)} more"))
    elif item.is_fully_offered:
        found.append(Refusal("offered_elsewhere", _offered_to(item)))
    if agent.holds(item.id):
        found.append(Refusal("still_holds_it"))
    if not item.wanted:
        closed = not item.run.serves(item, floor.now_ms)
        found.append(Refusal("queue_closed" if closed else "waits_for_its_agent", item.own.only_agent_id or ""))
    elif item.personal and (agent.id, item.shape.channel) not in item.personal:
        found.append(Refusal("waits_for_its_agent", ", ".join(agent_id for agent_id, _ in item.personal)))
    keep_free = item.line.key.keep_free
    if keep_free and not item.personal:
        free = item.kind.free.frontier.count(item.kind.pools, keep_free + 1)
        if free <= keep_free:
            found.append(Refusal("reserved", f"{free} free, {keep_free} kept for better customers"))
    return found
