"""Kinds of need and pools of agents: each distinct one numbered, each pair judged once.

Whether a kind may be taken by a pool is a bit in a mask on either side, so that "which waiting kinds can this
agent take" and "which free pools can take this" are each one AND of two integers. A new kind or pool costs one
judgement per counterpart; an event costs none.
"""

from bisect import insort
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from routing.capacity import Burden
from routing.cells import Frontier
from routing.eligibility import Need, Talent, rank_of
from routing.policy import AgentOrder, Policy
from routing.ranking import PLAIN_ORDERS, tier_of

Member = TypeVar("Member")


class FreeAgents:
    """The free agents who take a channel, in one of the agent orders; cells are pools."""

    __slots__ = ("channel", "frontier", "number", "order")

    def __init__(self, number: int, channel: str, order: AgentOrder) -> None:
        self.number = number
        self.channel = channel
        self.order = order
        self.frontier = Frontier()


class Slot(NamedTuple):
    """How a pool's agents appear among the free agents of a channel and order."""

    number: int
    frontier: Frontier
    channel: str
    units: int
    order: AgentOrder
    pack: bool
    is_plain: bool
    """Agents of the pool go by load, then by idle time."""


class View(NamedTuple):
    """What an agent with some load may still be offered: kinds of need, and slots to be found in."""

    takes: int
    slots: tuple[Slot, ...]


class Pool(Generic[Member]):
    """All agents with one talent. `takes` has, by channel kind, the mask of kinds of need they may take;
    `views` remembers what is left to take under a burden, until kinds or slots change."""

    __slots__ = ("members", "no_burden", "number", "slots", "takes", "talent", "units", "views")

    def __init__(self, number: int, talent: Talent) -> None:
        self.number = number
        self.talent = talent
        self.units: Mapping[str, int] = dict(talent.units)
        self.members: dict[str, Member] = {}
        self.takes: dict[str, int] = dict.fromkeys(self.units, 0)
        self.slots: list[Slot] = []
        self.views: dict[Burden, View] = {}
        self.no_burden = Burden()


class Kind:
    """All interactions with one need. `tiers` are the pools who may take it, in the order they are asked."""

    __slots__ = ("free", "need", "number", "pools", "tiers")

    def __init__(self, number: int, need: Need, free: FreeAgents) -> None:
        self.number = number
        self.need = need
        self.free = free
        self.pools = 0
        self.tiers: list[tuple[tuple[int, ...], int]] = []

    def admit(self, pool_bit: int, tier: tuple[int, ...]) -> None:
        """Let a pool in at its tier."""
        self.pools |= pool_bit
        for place, (known, mask) in enumerate(self.tiers):
            if known == tier:
                self.tiers[place] = (tier, mask | pool_bit)
                return
        insort(self.tiers, (tier, pool_bit))


class Catalogue(Generic[Member]):
    """All kinds and pools met so far under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._kinds: dict[Need, Kind] = {}
        self._pools: dict[Talent, Pool[Member]] = {}
        self._free: dict[tuple[str, AgentOrder], FreeAgents] = {}
        self.frontiers: list[Frontier] = []
        """Of the free agents, by slot number."""
        self.kinds: list[Kind] = []
        self.pools: list[Pool[Member]] = []
        self.populated = 0
        """A bit for each pool that has members."""

    def kind(self, need: Need) -> Kind:
        """Return the kind of a need, numbering it if it is new."""
        kind = self._kinds.get(need)
        if kind is None:
            kind = self._kinds[need] = self.face(need)
        return kind

    def face(self, need: Need) -> Kind:
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
            pool.slots = [self._slot(free, pool) for free in self._free.values() if free.channel in pool.units]
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

    def _free_agents(self, channel: str, order: AgentOrder) -> FreeAgents:
        free = self._free.get((channel, order))
        if free is None:
            free = FreeAgents(len(self._free), channel, order)
            self._free[channel, order] = free
            self.frontiers.append(free.frontier)
            for pool in self.pools:
                if channel in pool.units:
                    pool.slots.append(self._slot(free, pool))
                    pool.views = {}
        return free

    def _slot(self, free: FreeAgents, pool: Pool[Member]) -> Slot:
        units = pool.units[free.channel]
        pack = self._policy.channels[free.channel].pack and 2 * units <= pool.talent.capacity_units
        return Slot(free.number, free.frontier, free.channel, units, free.order, pack, free.order in PLAIN_ORDERS)


def _judge(kind: Kind, pool: Pool[Member]) -> None:
    rank = rank_of(kind.need, pool.talent)
    if rank is not None:
        kind.admit(1 << pool.number, tier_of(kind.need, pool.talent, rank))
        pool.takes[kind.need.channel] |= 1 << kind.number
        pool.views = {}
