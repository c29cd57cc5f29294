"""The complete state: taken out as plain values, built again from them.

A router built from the state of another decides as the other would have.
"""

from dataclasses import dataclass, replace

from routing import agents, offers, waiting
from routing.checks import check_agent, check_interaction, check_queue
from routing.errors import AlreadyKnown, ImpossibleInput, InvalidPolicy
from routing.estimate import Learned
from routing.floor import Agent, Floor, Item
from routing.model import AgentState, Exclusion, HeldWork, LiveOffer, WaitingInteraction
from routing.policy import Policy
from routing.timers import Due
from routing.validate import Severity, check_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything the engine must be told to go on as if it had never stopped (besides its policy)."""

    at_ms: int
    waiting: tuple[WaitingInteraction, ...] = ()
    """Waiting or offered, in any order; those without an `order` are numbered by `queued_at_ms`, then id."""
    agents: tuple[AgentState, ...] = ()
    offers: tuple[LiveOffer, ...] = ()
    forced: tuple[tuple[str, bool], ...] = ()
    """Queues a person holds open (True) or closed (False)."""
    refused: tuple[str, ...] = ()
    """Agents paused because the store refused their offer; their next state ends the pause."""
    reviews: tuple[tuple[str, int], ...] | None = None
    """Queues that lost their last able agent, and when those who wait there flow out; None: to be found out."""


def change_interaction(floor: Floor, item: Item, wish: WaitingInteraction) -> None:
    """Let a known interaction have other needs or value; what the engine keeps of it stays."""
    floor.refresh(item)
    offered = item.offers
    waiting.forget(floor, item)
    changed = replace(interaction_of(item), **{name: getattr(wish, name) for name in _WISHES})
    fresh = waiting.new_item(floor, changed)
    waiting.enter(floor, fresh)
    for offer in offered:
        offer.item = fresh
    fresh.offers = offered
    fresh.count_offers()
    fresh.stage = item.stage
    floor.show(fresh, ages=fresh.cell is not None)
    waiting.review(floor, fresh)


_WISHES = (
    "head_start_ms",
    "value",
    "skills",
    "any_of",
    "best_skills",
    "languages",
    "only_agent_id",
    "preferred_agent_ids",
)


def refuse_unsound(policy: Policy) -> None:
    """Raise InvalidPolicy if the policy contradicts itself."""
    errors = [finding.text for finding in check_policy(policy) if finding.severity is Severity.ERROR]
    if errors:
        raise InvalidPolicy("; ".join(errors))


def build(policy: Policy, snapshot: Snapshot, learned: Learned) -> Floor:
    """Return a floor in the state of the snapshot; nothing is decided yet."""
    refuse_unsound(policy)
    _check_snapshot(policy, snapshot)
    floor = Floor(policy, snapshot.at_ms, learned)
    for queue_id, is_open in snapshot.forced:
        floor.runs[queue_id].force(is_open)
    for state in snapshot.agents:
        agents.change(floor, state)
    for agent_id in snapshot.refused:
        floor.agents[agent_id].is_refused = True
    offered: dict[str, list[LiveOffer]] = {}
    for live in sorted(snapshot.offers, key=lambda live: (live.offered_at_ms, live.interaction_id, live.agent_id)):
        offered.setdefault(live.interaction_id, []).append(live)
    in_order = sorted(snapshot.waiting, key=lambda each: (each.order or each.queued_at_ms, each.queued_at_ms, each.id))
    floor.order = max((each.order for each in in_order), default=0)
    for interaction in in_order:
        _put_back(floor, interaction, offered.get(interaction.id, []))
    for queue_id, due_ms in snapshot.reviews or ():
        floor.call_at(due_ms, Due.QUEUE_REVIEW, queue_id, floor.runs[queue_id].review)
    if snapshot.reviews is None:
        waiting.check_reach(floor)
    if snapshot.at_ms:
        for run in floor.runs.values():
            waiting.watch_hours(floor, run)
    floor.dirty_items.clear()
    floor.dirty_agents.clear()
    return floor


def _check_snapshot(policy: Policy, snapshot: Snapshot) -> None:
    for interaction in snapshot.waiting:
        check_interaction(policy, interaction)
    for agent in snapshot.agents:
        check_agent(policy, agent)
    for queue_id, _ in snapshot.forced:
        check_queue(policy, queue_id)
    waiting_ids = {interaction.id for interaction in snapshot.waiting}
    agent_ids = {agent.id for agent in snapshot.agents}
    if not agent_ids.issuperset(snapshot.refused):
        raise ImpossibleInput("a paused agent is not there")
    if len(waiting_ids) < len(snapshot.waiting) or len(agent_ids) < len(snapshot.agents):
        raise AlreadyKnown("an interaction or an agent is there twice")
    for live in snapshot.offers:
        if live.interaction_id not in waiting_ids or live.agent_id not in agent_ids:
            raise ImpossibleInput(f"an offer of {live.interaction_id} to {live.agent_id} without one of the two")


def _put_back(floor: Floor, interaction: WaitingInteraction, offered: list[LiveOffer]) -> None:
    item = waiting.new_item(floor, interaction)
    waiting.enter(floor, item)
    if item.run.policy.when_nobody is not None or item.run.policy.when_unable is not None:
        waiting.lack_of(floor, item)
    for live in offered:
        offers.restore(floor, item, live)
    item.count_offers()
    seen_ms = offered[-1].offered_at_ms if item.is_fully_offered else floor.now_ms
    item.stage = max(item.least_stage, item.run.stages.stage_at(seen_ms - item.since_ms))
    floor.show(item, ages=item.cell is not None)
    if not item.is_fully_offered:
        waiting.resume(floor, item)


def snapshot_of(floor: Floor) -> Snapshot:
    """Return the floor's state."""
    offered = [
        LiveOffer(
            interaction_id=offer.item.id,
            agent_id=offer.agent.id,
            offer_no=offer.no,
            deadline_ms=offer.deadline_ms,
            offered_at_ms=offer.made_at_ms,
            is_exclusive=offer.is_exclusive,
        )
        for item in floor.items.values()
        for offer in item.offers
    ]
    return Snapshot(
        at_ms=floor.now_ms,
        waiting=tuple(sorted((interaction_of(item) for item in floor.items.values()), key=lambda each: each.order)),
        agents=tuple(sorted((state_of(agent) for agent in floor.agents.values()), key=lambda each: each.id)),
        offers=tuple(sorted(offered, key=lambda live: (live.offered_at_ms, live.interaction_id, live.agent_id))),
        refused=tuple(sorted(agent.id for agent in floor.agents.values() if agent.is_refused)),
        forced=tuple((run.policy.id, run.forced) for run in floor.runs.values() if run.forced is not None),
        reviews=tuple(
            (run.policy.id, run.review.due_ms) for run in floor.runs.values() if run.review.due_ms is not None
        ),
    )


def interaction_of(item: Item) -> WaitingInteraction:
    """Return the interaction as the engine knows it now."""
    return replace(
        item.interaction,
        order=item.order,
        least_stage=item.least_stage,
        offers_made=item.offers_made,
        excluded=tuple(Exclusion(agent_id, until_ms) for agent_id, until_ms in sorted(item.excluded.items())),
    )


def state_of(agent: Agent) -> AgentState:
    """Return the agent's complete state as the engine knows it now."""
    return replace(
        agent.state,
        idle_since_ms=agent.idle_since_ms,
        last_offer_at_ms=agent.last_offer_at_ms,
        holds=tuple(HeldWork(work, cost[0], queue_id, since_ms) for work, cost, queue_id, since_ms, _ in agent.held),
        paused_until_ms=agent.paused_until_ms,
        misses=agent.misses,
    )
