"""The rules others use, written for comparison: every event looks at everything.

They know skills at their levels, channels and capacity in units, and nothing else; offers are taken at once.
"""

from collections.abc import Callable

from routing.events import (
    AgentChanged,
    AgentLeft,
    Decision,
    Event,
    InteractionLeft,
    InteractionQueued,
    MakeOffer,
    OfferAccepted,
    WorkEnded,
)
from routing.model import AgentState, Reason, Rule, WaitingInteraction
from routing.policy import Policy

Figure = float | int | str
ItemOrder = Callable[[WaitingInteraction, int, Policy], float]
"""Smaller goes first; ties by arrival."""
AgentOrder = Callable[[AgentState, int], tuple[Figure, ...]]
"""From the state and when the agent last worked; smaller goes first."""


def by_arrival(item: WaitingInteraction, now_ms: int, policy: Policy) -> float:
    return item.queued_at_ms


def by_value(item: WaitingInteraction, now_ms: int, policy: Policy) -> float:
    return -item.value


def by_head_start(item: WaitingInteraction, now_ms: int, policy: Policy) -> float:
    """A minute of waiting for each step of value."""
    return item.queued_at_ms - 60_000 * (item.value - 1)


def by_cmu(item: WaitingInteraction, now_ms: int, policy: Policy) -> float:
    """The generalized c-mu rule with quadratic costs."""
    return -item.value * (now_ms - item.queued_at_ms + 1_000) / policy.queues[item.queue_id].target_ms ** 2


def by_name(agent: AgentState, since_ms: int) -> tuple[Figure, ...]:
    return (agent.id,)


def by_idle(agent: AgentState, since_ms: int) -> tuple[Figure, ...]:
    return since_ms, agent.id


def by_flexibility(agent: AgentState, since_ms: int) -> tuple[Figure, ...]:
    channels = 3 if agent.channels is None else len(agent.channels)
    return len(agent.skills) + channels, since_ms, agent.id


class Reference:
    """A decider that takes the first item in its order that anybody can take, and the first agent in its order."""

    def __init__(self, policy: Policy, item_order: ItemOrder, agent_order: AgentOrder) -> None:
        self._policy = policy
        self._item_order = item_order
        self._agent_order = agent_order
        self._items: dict[str, WaitingInteraction] = {}
        self._agents: dict[str, AgentState] = {}
        self._since: dict[str, int] = {}
        self._load: dict[str, dict[str, WaitingInteraction]] = {}
        self._offered: dict[str, WaitingInteraction] = {}

    def next_wake_ms(self) -> int | None:
        return None

    def handle(self, event: Event, *, at_ms: int) -> list[Decision]:
        match event:
            case InteractionQueued(item):
                self._items[item.id] = item
                return self._give([item], list(self._agents), at_ms)
            case AgentChanged(agent) if agent.is_available:
                self._agents[agent.id] = agent
                self._since.setdefault(agent.id, at_ms)
                return self._give(list(self._items.values()), [agent.id], at_ms)
            case AgentChanged(agent) | AgentLeft(agent):
                self._agents.pop(agent if isinstance(agent, str) else agent.id, None)
            case InteractionLeft(item_id):
                self._items.pop(item_id, None)
            case OfferAccepted(item_id, agent_id):
                self._since[agent_id] = at_ms
            case WorkEnded(agent_id, item_id):
                del self._load[agent_id][item_id]
                self._since[agent_id] = at_ms
                return self._give(list(self._items.values()), [agent_id], at_ms)
        return []

    def _give(self, items: list[WaitingInteraction], agent_ids: list[str], at_ms: int) -> list[Decision]:
        """Either one item came or one agent is free; both ways the first pair in order, until there is none."""
        out: list[Decision] = []
        items.sort(key=lambda item: (self._item_order(item, at_ms, self._policy), item.queued_at_ms, item.id))
        for item in items:
            able = [agent_id for agent_id in agent_ids if self._can(agent_id, item)]
            if not able:
                continue
            agent_id = min(able, key=lambda each: self._agent_order(self._agents[each], self._since[each]))
            del self._items[item.id]
            self._load.setdefault(agent_id, {})[item.id] = item
            out.append(MakeOffer(item.id, agent_id, 1, at_ms + 1, True, (), Reason(Rule.AGENT_CAME_FREE, {})))
        return out

    def _can(self, agent_id: str, item: WaitingInteraction) -> bool:
        agent = self._agents.get(agent_id)
        if agent is None or (agent.channels is not None and item.channel not in agent.channels):
            return False
        if any(agent.skills.get(need.skill, 0) < need.level for need in item.skills):
            return False
        channels = self._policy.channels
        used = sum(
            channels[other.channel].units
            for other in self._load.get(agent_id, {}).values()
            if item.channel not in channels[other.channel].may_be_interrupted_by
        )
        return agent.capacity_units - used >= channels[item.channel].units


REFERENCES: dict[str, tuple[ItemOrder, AgentOrder]] = {
    "FIFO, naive scan": (by_arrival, by_name),
    "longest idle": (by_arrival, by_idle),
    "static priority": (by_value, by_idle),
    "head start": (by_head_start, by_idle),
    "generalized c-mu": (by_cmu, by_flexibility),
}
