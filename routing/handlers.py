"""What each event does to the floor, and what is asked of it first."""

from collections.abc import Callable, Mapping
from typing import Any

from routing import agents, matching, offers, state, waiting
from routing.checks import check_agent, check_interaction, check_queue, check_work
from routing.eligibility import refusals
from routing.errors import ImpossibleInput, NotTakeable
from routing.events import (
    AgentChanged,
    AgentLeft,
    AssignByHand,
    Event,
    InteractionChanged,
    InteractionLeft,
    InteractionQueued,
    OfferAccepted,
    OfferEnded,
    OfferRefused,
    PickFromList,
    QueueForced,
    RefusedBecause,
    WorkEnded,
    WorkStarted,
)
from routing.floor import AgedCell, Agent, Floor, Item, Offer
from routing.model import OfferEnd, Rule
from routing.timers import Due, Timer


def _check_queued(floor: Floor, event: InteractionQueued) -> None:
    waiting.check(floor, event.interaction)


def _check_changed(floor: Floor, event: InteractionChanged) -> None:
    check_interaction(floor.policy, event.interaction)
    known = floor.items.get(event.interaction.id)
    if known is not None and (known.run.policy.id, known.shape.channel) != (
        event.interaction.queue_id,
        event.interaction.channel,
    ):
        raise ImpossibleInput(f"interaction {known.id}: a change of queue or channel is a leaving and a queueing")


def _check_agent(floor: Floor, event: AgentChanged) -> None:
    check_agent(floor.policy, event.agent)


def _check_started(floor: Floor, event: WorkStarted) -> None:
    check_work(floor.policy, event.work)


def _check_forced(floor: Floor, event: QueueForced) -> None:
    check_queue(floor.policy, event.queue_id)


def _queued(floor: Floor, event: InteractionQueued) -> None:
    item = waiting.arrive(floor, event.interaction)
    if item is None:
        return
    if floor.has_reservations:
        floor.dirty_items[item.id] = item
    else:
        matching.settle_item(floor, item)


def _changed(floor: Floor, event: InteractionChanged) -> None:
    item = floor.items.get(event.interaction.id)
    if item is not None:
        state.change_interaction(floor, item, event.interaction)


def _left(floor: Floor, event: InteractionLeft) -> None:
    item = floor.items.get(event.interaction_id)
    if item is not None:
        if event.abandoned:
            item.run.patience.ended(floor.now_ms - item.since_ms, gave_up=True)
        offers.leave(floor, item)


def _agent_changed(floor: Floor, event: AgentChanged) -> None:
    agents.change(floor, event.agent)


def _agent_left(floor: Floor, event: AgentLeft) -> None:
    agent = floor.agents.get(event.agent_id)
    if agent is not None:
        agents.leave(floor, agent)


def _accepted(floor: Floor, event: OfferAccepted) -> None:
    item = floor.items.get(event.interaction_id)
    if item is not None:
        offers.accept(floor, item, event.agent_id)


def _ended(floor: Floor, event: OfferEnded) -> None:
    offer = _live(floor, event.interaction_id, event.agent_id, event.offer_no)
    if offer is None:
        return
    if event.cause is OfferEnd.CUSTOMER_LEFT:
        _left(floor, InteractionLeft(event.interaction_id))
    else:
        offers.end(floor, offer, event.cause)


def _refused(floor: Floor, event: OfferRefused) -> None:
    item = floor.items.get(event.interaction_id)
    offer = _live(floor, event.interaction_id, event.agent_id, event.offer_no)
    if event.because is RefusedBecause.INTERACTION_GONE:
        if item is not None:
            offers.leave(floor, item)
    elif offer is not None:
        offers.take_back(floor, offer)


def _started(floor: Floor, event: WorkStarted) -> None:
    agent = floor.agents.get(event.agent_id)
    if agent is not None:
        agents.start_work(floor, agent, event.work)


def _work_ended(floor: Floor, event: WorkEnded) -> None:
    work = floor.drop(event.agent_id, event.interaction_id)
    if work is None:
        return
    interaction_id, _, queue_id, since_ms, agent = work
    agent.idle_since_ms = now_ms = floor.now_ms
    if queue_id:
        floor.learned.handled(queue_id, now_ms - since_ms)
    if floor.has_reservations or (floor.returned and interaction_id in floor.returned):
        _let_take(floor, interaction_id)
        floor.dirty_agents[agent.id] = agent
    else:
        matching.settle_agent(floor, agent)


def _let_take(floor: Floor, interaction_id: str) -> None:
    """Let somebody who held an interaction that waits again be offered it."""
    item = floor.items.get(interaction_id)
    if item is not None:
        waiting.review(floor, item)
    if interaction_id not in floor.works:
        floor.returned.pop(interaction_id, None)


def _picked(floor: Floor, event: PickFromList) -> None:
    item, agent = _both(floor, event.interaction_id, event.agent_id)
    why = _why_not_pick(floor, item, agent)
    if why:
        raise NotTakeable(f"{agent.id} may not pick {item.id}: {', '.join(why)}", why)
    offers.make(floor, item, agent, Rule.PICKED, is_exclusive=True)


def _assigned(floor: Floor, event: AssignByHand) -> None:
    item, agent = _both(floor, event.interaction_id, event.agent_id)
    if item.offer_to(agent.id) is not None:
        return
    channel = item.shape.channel
    if not agent.is_up:
        raise NotTakeable(f"{agent.id} is not there", ("not_there",))
    if floor.room(agent, channel) < floor.cost_for(agent, channel)[1]:
        raise NotTakeable(f"{agent.id} has no capacity left", ("no_capacity",))
    offers.reassign(floor, item)
    offers.make(floor, item, agent, Rule.ASSIGNED_BY_HAND, is_exclusive=True)


def _forced(floor: Floor, event: QueueForced) -> None:
    run = floor.runs[event.queue_id]
    run.force(event.is_open)
    waiting.reopen(floor, run)


def _live(floor: Floor, interaction_id: str, agent_id: str, offer_no: int) -> Offer | None:
    item = floor.items.get(interaction_id)
    offer = None if item is None else item.offer_to(agent_id)
    return offer if offer is not None and offer_no in (0, offer.no) else None


def _both(floor: Floor, interaction_id: str, agent_id: str) -> tuple[Item, Agent]:
    item = floor.items.get(interaction_id)
    agent = floor.agents.get(agent_id)
    if item is None:
        raise NotTakeable(f"interaction {interaction_id} does not wait", ("not_waiting",))
    if agent is None:
        raise NotTakeable(f"agent {agent_id} is not logged in", ("not_there",))
    floor.refresh(item)
    return item, agent


def _why_not_pick(floor: Floor, item: Item, agent: Agent) -> tuple[str, ...]:
    channel = item.shape.channel
    _, units = agent.pool.costs.get(channel, (channel, 0))
    why = [] if item.run.policy.pick_allowed else ["picking_not_allowed"]
    if item.is_fully_offered or item.offer_to(agent.id) is not None:
        why.append("offered")
    if not agent.is_up:
        why.append("not_there")
    if floor.room(agent, channel) < units:
        why.append("no_capacity")
    if item.personal and (agent.id, channel) not in item.personal:
        why.append("for_another_agent")
    if item.own.only_agent_id != agent.id:
        why += [refusal.code for refusal in refusals(item.kind.need, agent.pool.talent)]
    return tuple(why)


def fire(floor: Floor, timer: Timer) -> None:
    """Do what a timer, which still means something, is due for."""
    _, what, whose, _, awaited = timer
    if isinstance(awaited, AgedCell):
        waiting.review_head(floor, awaited)
    elif what is Due.ITEM:
        waiting.review(floor, floor.items[whose])
    elif isinstance(awaited, Offer):
        offers.end(floor, awaited, OfferEnd.TIMED_OUT, Rule.OFFER_ENDED)
    elif what is Due.AGENT:
        floor.agents[whose].is_refused = False
        floor.dirty_agents[whose] = floor.agents[whose]
    elif what is Due.QUEUE_EDGE:
        waiting.reopen(floor, floor.runs[whose])
        waiting.watch_hours(floor, floor.runs[whose])
    else:
        waiting.review_queue(floor, floor.runs[whose])


_Step = Callable[[Floor, Any], None]


def _checked(check: _Step, apply: _Step) -> _Step:
    def take(floor: Floor, event: Event) -> None:
        check(floor, event)
        apply(floor, event)

    return take


CHECKS: Mapping[type, _Step] = {
    InteractionQueued: _check_queued,
    InteractionChanged: _check_changed,
    AgentChanged: _check_agent,
    WorkStarted: _check_started,
    QueueForced: _check_forced,
}
"""Event -> what raises ImpossibleInput if it cannot be true, and changes nothing."""

HANDLERS: Mapping[type, _Step] = {
    InteractionQueued: _queued,
    InteractionChanged: _checked(_check_changed, _changed),
    InteractionLeft: _left,
    AgentChanged: _checked(_check_agent, _agent_changed),
    AgentLeft: _agent_left,
    OfferAccepted: _accepted,
    OfferEnded: _ended,
    OfferRefused: _refused,
    WorkStarted: _checked(_check_started, _started),
    WorkEnded: _work_ended,
    PickFromList: _picked,
    AssignByHand: _assigned,
    QueueForced: _checked(_check_forced, _forced),
}
"""Event -> what it does to the floor, checked first. `matching.settle` follows for what was left dirty: an event that
touched one alone has settled it itself."""
