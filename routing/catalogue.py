"""Kinds of need and pools of agents: each distinct one numbered, each pair judged once.

Whether a kind may be taken by a pool is a bit in a mask on either side, so that "which waiting kinds can this
agent take" and "which free pools can take this" are each one AND of two integers. A new kind or pool costs one
judgement per counterpart; an event costs none.
"""

from bisect import bisect_left
from typing import Generic, NamedTuple, TypeVar

from routing.capacity import Burden, Cost
from routing.cells import Cell, Frontier, Ordered
from routing.eligibility import Need, Talent, rank_of
from routing.policy import AgentOrder, Policy
from routing.ranking import PLAIN_ORDERS, tier_of

Member = TypeVar("Member", bound=Ordered)


class FreeAgents(Generic[Member]):
    """The free agents who take a channel, in one of the agent orders; cells are pools."""

    __slots__ = ("channel", "frontier", "number", "order")

    def __init__(self, number: int, channel: str, order: AgentOrder) -> None:
        self.number = number
        self.channel = channel
        self.order = order
        self.frontier: Frontier[Member] = Frontier(has_words=order is not AgentOrder.FASTEST)


class Slot(NamedTuple, Generic[Member]):
    """How a pool's agents appear among the free agents of a channel and order."""

    number: int
    frontier: Frontier[Member]
    cell: Cell[Member]
    cost: Cost
    order: AgentOrder
    pack: bool
    is_plain: bool
    """Agents of the pool go by load, then by idle time."""


class Pool(Generic[Member]):
    """All agents with one talent. `takes` has, by channel kind, the mask of kinds of need they may take."""

    __slots__ = ("costs", "members", "no_burden", "number", "slots", "takes", "talent")

    def __init__(self, number: int, talent: Talent) -> None:
        self.number = number
        self.talent = talent
        self.costs: dict[str, Cost] = {channel: (channel, units) for channel, units in talent.units}
        """By channel kind, for those they are offered."""
        self.members: dict[str, Member] = {}
        self.takes: dict[str, int] = dict.fromkeys(self.costs, 0)
        self.slots: list[Slot[Member]] = []
        self.no_burden: Burden[Slot[Member]] = Burden()


class Kind(Generic[Member]):
    """All interactions with one need. `pools` may take it; they are asked tier by tier."""

    __slots__ = ("free", "masks", "need", "number", "pools", "tiers")

    def __init__(self, number: int, need: Need, free: FreeAgents[Member]) -> None:
        self.number = number
        self.need = need
        self.free = free
        self.pools = 0
        self.tiers: list[tuple[int, ...]] = []
        self.masks: list[int] = []
        """By tier, the pools in it."""

    def admit(self, pool_bit: int, tier: tuple[int, ...]) -> None:
        """Let a pool in at its tier."""
        self.pools |= pool_bit
        place = bisect_left(self.tiers, tier)
        if place == len(self.tiers) or self.tiers[place] != tier:
            self.tiers.insert(place, tier)
            self.masks.insert(place, 0)
        self.masks[place] |= pool_bit


class Catalogue(Generic[Member]):
    """All kinds and pools met so far under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._kinds: dict[Need, Kind[Member]] = {}
        self._pools: dict[Talent, Pool[Member]] = {}
        self._free: dict[tuple[str, AgentOrder], FreeAgents[Member]] = {}
        self.kinds: list[Kind[Member]] = []
        self.pools: list[Pool[Member]] = []
        self.populated = 0
        """A bit for each pool that has members."""

    def kind(self, need: Need) -> Kind[Member]:
        """Return the kind of a need, numbering it if it is new."""
        kind = self._kinds.get(need)
        if kind is None:
            kind = self._kinds[need] = self.face(need)
        return kind

    def face(self, need: Need) -> Kind[Member]:
        """Return a new kind of a need, with a number of its own whether or not there is one of that need."""
        kind = Kind(len(self.kinds), need, self._free_agents(need.channel, need.order))
        self.kinds.append(kind)
        for pool in self.pools:
            _judge(kind, pool)
        return kind

    def pool(self, talent: Talent) -> Pool[Member]:
        """Return the pool of a talent, numbering it if it is new."""
        pool = self._pools.get(talent)
        if pool is None:
            pool = Pool(len(self.pools), talent)
            self._pools[talent] = pool
            self.pools.append(pool)
            pool.slots = [self._slot(free, pool) for free in self._free.values() if free.channel in pool.costs]
            for kind in self.kinds:
                _judge(kind, pool)
        return pool

    def enter(self, pool: Pool[Member], agent_id: str, member: Member) -> None:
        """Add an agent to a pool."""
        pool.members[agent_id] = member
        self.populated |= 1 << pool.number

    def leave(self, pool: Pool[Member], agent_id: str) -> bool:
        """Take an agent out of a pool; return whether it is empty now."""
        del pool.members[agent_id]
        if pool.members:
            return False
        self.populated ^= 1 << pool.number
        return True

    def has_order(self, channel: str, order: AgentOrder) -> bool:
        """Return whether free agents of the channel are kept in this order yet."""
        return (channel, order) in self._free

    def _free_agents(self, channel: str, order: AgentOrder) -> FreeAgents[Member]:
        free = self._free.get((channel, order))
        if free is None:
            free = FreeAgents(len(self._free), channel, order)
            self._free[channel, order] = free
            for pool in self.pools:
                if channel in pool.costs:
                    pool.slots.append(self._slot(free, pool))
                    pool.no_burden.forget()
        return free

    def _slot(self, free: FreeAgents[Member], pool: Pool[Member]) -> Slot[Member]:
        cost = pool.costs[free.channel]
        pack = self._policy.channels[free.channel].pack and 2 * cost[1] <= pool.talent.capacity_units
        cell = free.frontier.open(pool.number)
        return Slot(free.number, free.frontier, cell, cost, free.order, pack, free.order in PLAIN_ORDERS)


def _judge(kind: Kind[Member], pool: Pool[Member]) -> None:
    rank = rank_of(kind.need, pool.talent)
    if rank is not None:
        kind.admit(1 << pool.number, tier_of(kind.need, pool.talent, rank))
        pool.takes[kind.need.channel] |= 1 << kind.number
        pool.no_burden.forget()
