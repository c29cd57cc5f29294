"""An agent's state: logging in, changing, working, leaving, and what that means for offers and waiting work."""

from routing import offers, waiting
from routing.eligibility import talent_of
from routing.floor import Agent, Floor
from routing.model import AgentState, HeldWork, OfferEnd
from routing.timers import Due


def change(floor: Floor, state: AgentState) -> Agent:
    """Let the agent be in this state; an unknown agent enters. Offers they can no longer take are withdrawn."""
    agent = floor.agents.get(state.id)
    if agent is None:
        agent = _enter(floor, state)
        was_up = False
        has_moved = True
        emptied = False
    else:
        was_up = agent.is_up
        before = agent.pool
        emptied = _adopt(floor, agent, state)
        has_moved = agent.pool is not before
    _remember(floor, agent, state)
    if has_moved or agent.is_up != was_up:
        floor.crew_changed()
    if agent.is_up and not was_up and state.idle_since_ms is None:
        agent.idle_since_ms = floor.now_ms
    floor.publish(agent)
    offers.withdraw_unfit(floor, agent)
    floor.dirty_agents[agent.id] = agent
    if has_moved or agent.is_up != was_up:
        waiting.review_addressed(floor, agent.id)
    if emptied:
        waiting.check_reach(floor)
    return agent


def leave(floor: Floor, agent: Agent) -> None:
    """Forget an agent who logged out; what they held is the store's to requeue."""
    offers.withdraw_all(floor, agent, OfferEnd.AGENT_LOST)
    floor.unpublish(agent)
    for work in agent.held:
        floor.drop(agent.id, work.interaction_id)
    emptied = floor.catalogue.leave(agent.pool, agent.id)
    agent.due_ms = None
    del floor.agents[agent.id]
    floor.crew_changed()
    floor.dirty_agents.pop(agent.id, None)
    for item_id in floor.addressed.get(agent.id, ()):
        waiting.call_review(floor, floor.items[item_id].run)
    waiting.review_addressed(floor, agent.id)
    if emptied:
        waiting.check_reach(floor)


def start_work(floor: Floor, agent: Agent, work: HeldWork) -> None:
    """Let the agent hold work that was not offered; offers that no longer fit are withdrawn."""
    if agent.holds(work.interaction_id):
        floor.drop(agent.id, work.interaction_id)
    _hold(floor, agent, work)
    agent.idle_since_ms = floor.now_ms
    floor.publish(agent)
    offers.withdraw_unfit(floor, agent)
    floor.dirty_agents[agent.id] = agent


def _hold(floor: Floor, agent: Agent, work: HeldWork) -> None:
    """Record work the agent holds; if it waits for somebody else meanwhile, they are barred from it."""
    floor.hold(agent, work)
    item = floor.items.get(work.interaction_id)
    if item is not None and item.cell is not None:
        floor.stop_ageing(item)
        waiting.review(floor, item)


def _enter(floor: Floor, state: AgentState) -> Agent:
    pool = floor.catalogue.pool(talent_of(state, floor.policy))
    agent = Agent(state, pool)
    agent.idle_since_ms = floor.now_ms
    floor.agents[agent.id] = agent
    floor.catalogue.enter(pool, agent.id, agent)
    return agent


def _adopt(floor: Floor, agent: Agent, state: AgentState) -> bool:
    """Take over the state's wishes and abilities; return whether that left a pool empty."""
    if agent.state.is_not_responding and not state.is_not_responding:
        agent.misses = 0
    agent.state = state
    agent.is_up = state.is_available and state.is_connected and not state.is_not_responding
    if agent.is_refused:
        agent.is_refused = False
        agent.paused_until_ms = 0
        agent.due_ms = None
    pool = floor.catalogue.pool(talent_of(state, floor.policy))
    if pool is agent.pool:
        return False
    floor.unpublish(agent)
    emptied = floor.catalogue.leave(agent.pool, agent.id)
    agent.pool = pool
    floor.catalogue.enter(pool, agent.id, agent)
    floor.recost(agent)
    return emptied


def _remember(floor: Floor, agent: Agent, state: AgentState) -> None:
    """Take over those figures that the engine keeps itself, where the state gives them."""
    if state.holds is not None:
        for known in agent.held:
            floor.drop(agent.id, known.interaction_id)
        for work in state.holds:
            _hold(floor, agent, work)
    if state.idle_since_ms is not None:
        agent.idle_since_ms = state.idle_since_ms
    if state.last_offer_at_ms is not None:
        agent.last_offer_at_ms = state.last_offer_at_ms
    if state.misses is not None:
        agent.misses = state.misses
    if state.paused_until_ms is not None:
        agent.paused_until_ms = state.paused_until_ms
        agent.due_ms = None
        if state.paused_until_ms > floor.now_ms:
            floor.call_at(state.paused_until_ms, Due.AGENT, agent.id, agent)
