"""Who goes first: the order of interactions for an agent, and of agents for an interaction.

Interactions of equal profile, value, target and reservation form a `Line`. Inside a line it is first come, first
served (by queueing time less head start); between lines the urgency of the first takeable interaction of each decides.
Because urgency grows with waiting at the same pace for all in a line, the order inside never changes, and nothing is
sorted again as time passes.

The urgency value x wait / target^2 is the generalized c-mu rule for quadratic delay costs: van Mieghem, Annals of
Applied Probability 5(3), 1995; Mandelbaum and Stolyar, Operations Research 52(6), 2004.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from routing.cells import Cell, Frontier, Key, Ordered
from routing.eligibility import Need, Talent
from routing.model import AgentState
from routing.policy import AgentOrder, Policy, Profile, QueuePolicy

STRICT, LONG_WAIT, IN_TIME, LATE = range(4)
"""Groups, earlier ones first: strict priority; long waits; in time (and profiles that know no lateness); late."""

GROUP_NAMES = ("strict", "long_wait", "in_time", "late")

FIRST_SECOND_MS = 1_000
"""Added to every wait, so that value tells apart those who have just come."""


_NEVER_MS = 1 << 62

Rank = tuple[int, float]
"""Group and negative score: smaller goes first."""

Member = TypeVar("Member", bound=Ordered)


class AgentFigures(Protocol):
    """What of an agent orders them among their equals."""

    id: str
    idle_since_ms: int
    last_offer_at_ms: int
    state: AgentState

    @property
    def used(self) -> int:
        """Units taken."""
        ...


class LineKey(NamedTuple):
    """What interactions of one line share."""

    profile: Profile
    value: int
    target_ms: int
    long_wait_ms: int
    keep_free: int


@dataclass(frozen=True, slots=True)
class Urgency:
    """The figures an interaction competes with; `group` before `score`, bigger scores sooner."""

    group: int
    score: float


class Line(Generic[Member]):
    """Waiting interactions that compete alike: a cell for each kind of need, and personal cells.

    `personal` holds those addressed to one agent, by (agent id, channel kind).
    They are under their virtual arrival in ms.
    """

    __slots__ = ("_is_in_time_first", "_late_bound", "_strict", "_target_ms", "_weight", "frontier", "heads",
                 "is_busy", "key", "less", "long_wait_ms", "long_weighed_ms", "personal")  # fmt: skip

    def __init__(self, key: LineKey) -> None:
        self.key = key
        self.heads: list[int] = [_NEVER_MS]
        """The first arrivals of its cells, in order, and one that is never."""
        self.frontier: Frontier[Member] = Frontier(heads=self.heads)
        self.personal: dict[tuple[str, str], Cell[Member]] = {}
        self.is_busy = False
        """Whether somebody waits in it."""
        self._weight = key.value / key.target_ms**2
        self._target_ms = key.target_ms
        self.less = -self._weight
        """Times (wait + `FIRST_SECOND_MS`) the score of a rank: less goes first."""
        self._is_in_time_first = key.profile is Profile.IN_TIME_FIRST
        self.long_wait_ms = key.long_wait_ms if self._is_in_time_first else _NEVER_MS
        """Who has waited this long is of the group LONG_WAIT."""
        self.long_weighed_ms = max(self.long_wait_ms, key.target_ms + 1) + FIRST_SECOND_MS
        """The same with what is added to every wait."""
        self._strict = (STRICT, float(-key.value)) if key.profile is Profile.STRICT_PRIORITY else None
        self._late_bound = (IN_TIME, -self._weight * (key.target_ms + FIRST_SECOND_MS))

    def rank(self, arrival_ms: int, now_ms: int) -> Rank:
        """Return the rank of an arrival."""
        waited = now_ms - arrival_ms
        if waited < 0:
            waited = 0
        less = self.less * (waited + FIRST_SECOND_MS)
        if waited >= self.long_wait_ms and waited > self._target_ms:
            return LONG_WAIT, less
        if self._is_in_time_first:
            return (IN_TIME if waited <= self._target_ms else LATE), less
        return self._strict or (IN_TIME, less)

    def is_behind(self, rank: Rank, now_ms: int) -> bool:
        """Return whether everybody waiting in the line's cells goes after whoever has this rank.

        Nobody goes before the earliest; but if that is late, those still in time do.
        """
        arrival_ms = self.heads[0]
        own = self.rank(arrival_ms, now_ms)
        return (self._late_bound if own[0] == LATE else own) > rank

    def weightiest_first(self) -> tuple[bool, float]:
        """Return a sort key: lines likely to have the most urgent first."""
        return self.key.profile is not Profile.STRICT_PRIORITY, -self._weight

    def stretches(self, now_ms: int) -> list[tuple[int, float, float]]:
        """Return (group, first arrival, arrival after the last) of the stretches of arrivals that share a group."""
        if self.key.profile is Profile.STRICT_PRIORITY:
            return [(STRICT, float("-inf"), float("inf"))]
        if self.key.profile is not Profile.IN_TIME_FIRST:
            return [(IN_TIME, float("-inf"), float("inf"))]
        in_time_ms = float(now_ms - self.key.target_ms)
        long_ms = float(min(now_ms - self.key.long_wait_ms + 1, in_time_ms))
        return [(LONG_WAIT, float("-inf"), long_ms), (LATE, long_ms, in_time_ms), (IN_TIME, in_time_ms, float("inf"))]

    def arrival_of_score(self, score: float, now_ms: int) -> float:
        """Return the arrival that would have this score now; earlier arrivals have more."""
        if self.key.profile is Profile.STRICT_PRIORITY:
            return float("inf") if self.key.value > score else float("-inf")
        return now_ms - (score / self._weight - FIRST_SECOND_MS)


def urgency_of(line: Line[Member], arrival_ms: int, now_ms: int) -> Urgency:
    """Return the figures by which an interaction of the line competes now."""
    group, score = line.rank(arrival_ms, now_ms)
    return Urgency(group, -score)


def line_key(queue: QueuePolicy, policy: Policy, value: int, keep_free: int) -> LineKey:
    """Return the line of a queue's interactions of this value."""
    if queue.profile is Profile.FIRST_COME:
        return LineKey(queue.profile, 1, policy.first_come_target_ms, 0, keep_free)
    if queue.profile is Profile.STRICT_PRIORITY:
        return LineKey(queue.profile, value, 1, 0, keep_free)
    long_wait_ms = queue.long_wait_factor * queue.target_ms if queue.profile is Profile.IN_TIME_FIRST else 0
    return LineKey(queue.profile, value, queue.target_ms, long_wait_ms, keep_free)


def tier_of(need: Need, talent: Talent, rank: int) -> tuple[int, ...]:
    """Return what orders pools of agents for a need before the agents' own state does; smaller first.

    Rank first; then, where the interaction names skills to be best in, their levels; then what the order says.
    """
    best = -sum(talent.levels.get(skill, 0) for skill in need.best)
    if need.order is AgentOrder.LEAST_FLEXIBLE:
        return rank, best, talent.flexibility
    if need.order is AgentOrder.MOST_SKILLED:
        asked = {skill for skill, _ in need.skills}.union(skill for group in need.any_of for skill, _ in group)
        return rank, best, -sum(talent.levels.get(skill, 0) for skill in asked)
    return rank, best


LOAD_SHIFT = 44
"""Where the load stands in a key, above the instant since when an agent is idle."""

MOST_LOAD = 1 << 17
"""Units; whoever has more is taken to have as many."""

PLAIN_ORDERS = frozenset({AgentOrder.LEAST_FLEXIBLE, AgentOrder.MOST_SKILLED})
"""Those in which agents of one pool go by load, then by idle time."""


def agent_key(order: AgentOrder, agent: AgentFigures, *, pack: bool) -> Key:
    """Return what an agent is under among equals, smaller first.

    With `pack` the fullest agent comes first, so that whole agents stay whole; without, the emptiest: nobody's work
    is interrupted while somebody has none.
    """
    if order is AgentOrder.LONGEST_IDLE:
        return agent.idle_since_ms
    if order is AgentOrder.ROUND_ROBIN:
        return agent.last_offer_at_ms
    load = min(agent.used, MOST_LOAD)
    if pack and order is not AgentOrder.LEAST_LOADED:
        load = -load
    by_load = (load << LOAD_SHIFT) + agent.idle_since_ms
    return (-agent.state.speed, by_load) if order is AgentOrder.FASTEST else by_load
