"""The pieces the floor is made of: queues at work, interactions, agents, offers. They hold, they decide nothing."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from routing import hours
from routing.capacity import Cost
from routing.catalogue import Kind, Pool, Slot
from routing.cells import Cell, Key
from routing.model import AgentState, WaitingInteraction
from routing.policy import Policy, QueuePolicy
from routing.ranking import Line
from routing.relaxation import Stages
from routing.timers import Alarm, Due, Timer


class QueueRun:
    """One queue at work. `items` are those waiting in it or offered, in the order they came, unless it is simple."""

    __slots__ = ("_edge_ms", "_known_from_ms", "_open", "ages", "edge", "final_kinds", "forced", "hours", "is_limited",
                 "is_simple", "items", "minds_lack", "offers_at_once", "policy", "review", "stages",
                 "terms")  # fmt: skip

    def __init__(self, queue: QueuePolicy, policy: Policy) -> None:
        self.policy = queue
        self.minds_lack = queue.when_nobody is not None or queue.when_unable is not None
        """It has a way out for want of agents."""
        self.is_limited = queue.max_wait_ms is not None and queue.when_waited is not None
        """It has a way out for those who waited too long."""
        self.stages = Stages(queue, policy.queues)
        self.ages = queue.reservation is None and queue.offers_at_once == 1 and not any(self.stages.ways_out)
        """A stage changes nothing for an interaction but who may take it."""
        self.hours = None if queue.hours_id is None else policy.hours[queue.hours_id]
        is_bounded = queue.max_length is not None and queue.when_full is not None
        self.is_simple = self.ages and self.hours is None and not (is_bounded or self.is_limited or self.minds_lack)
        """Whoever comes waits until somebody takes them, unless a person closed it: nothing is asked of all of them."""
        self.offers_at_once = queue.offers_at_once
        self.items: dict[str, Item] = {}
        self.final_kinds: dict[int, Kind[Agent]] = {}
        self.forced: bool | None = None
        self.edge = Alarm()
        """When its hours change next."""
        self.review = Alarm()
        """When those flow out whom nobody there could ever take."""
        self.terms = {kind: self._terms(kind, policy) for kind in policy.channels}
        """By channel kind: how long an offer lasts, and whether it is accepted of itself."""
        self._known_from_ms = 0
        self._edge_ms: int | None = 0
        self._open = True

    def _terms(self, kind: str, policy: Policy) -> tuple[int, bool]:
        queue, channel = self.policy, policy.channels[kind]
        timeout_ms = channel.offer_timeout_ms if queue.offer_timeout_ms is None else queue.offer_timeout_ms
        return timeout_ms, channel.auto_accept if queue.auto_accept is None else queue.auto_accept

    def was_open(self, at_ms: int) -> bool:
        """Return whether the hours were open at an instant; remembers the stretch it last looked at."""
        if self.hours is None:
            return True
        if self._known_from_ms <= at_ms and (self._edge_ms is None or at_ms < self._edge_ms):
            return self._open
        is_open = hours.is_open(self.hours, at_ms)
        self._known_from_ms, self._edge_ms = at_ms, hours.next_edge_ms(self.hours, at_ms)
        self._open = is_open
        return is_open

    def is_open(self, at_ms: int) -> bool:
        """Return whether the queue is open: as forced, else by its hours."""
        return self.was_open(at_ms) if self.forced is None else self.forced

    def next_edge_ms(self, at_ms: int) -> int | None:
        """Return when its hours change next."""
        return None if self.hours is None else hours.next_edge_ms(self.hours, at_ms)

    def serves(self, item: "Item", at_ms: int) -> bool:
        """Return whether the item may be offered as far as opening goes."""
        if self.forced is not None or self.was_open(at_ms):
            return self.is_open(at_ms)
        return self.policy.work_off_after_close and item.came_open


class Offer:
    """A live offer; `due_ms` is its deadline until it ends."""

    __slots__ = ("agent", "cost", "due_ms", "is_exclusive", "item", "made_at_ms", "no")

    def __init__(self, item: "Item", agent: "Agent", no: int, due_ms: int, made_at_ms: int, cost: Cost) -> None:
        self.item = item
        self.agent = agent
        self.no = no
        self.due_ms: int | None = due_ms
        self.made_at_ms = made_at_ms
        self.cost = cost
        """What of the agent's capacity it holds."""
        self.is_exclusive = False
        """Picked or assigned by hand: nobody else is offered it meanwhile."""

    @property
    def deadline_ms(self) -> int:
        """When it ends by itself; for offers that live."""
        assert self.due_ms is not None
        return self.due_ms

    def timer(self) -> Timer:
        """Return what is due at its deadline."""
        return self.deadline_ms, Due.OFFER, self.item.id, self.agent.id, self


class Held(NamedTuple):
    """Work an agent has in hand and what it takes of their capacity."""

    interaction_id: str
    cost: Cost
    queue_id: str
    since_ms: int


class AgedCell(Cell["Item"]):
    """Waiting interactions of one shape and line, whose stage follows from their wait alone.

    The earliest has come furthest, and whoever may take one of the others may take it. So nobody is moved as time
    passes: the cell's number is that of what its first needs now, and `due_ms` is when that changes.
    """

    __slots__ = ("due_ms", "edges", "line", "shape", "stage")

    def __init__(self, number: int, shape: "Shape", line: "Line[Item]") -> None:
        super().__init__(number)
        self.shape = shape
        self.line = line
        self.edges = shape.run.stages.edges
        self.stage = 0
        """The stage its number is of."""
        self.due_ms: int | None = None


class Shape:
    """Equal wishes of interactions: their kind by stage, their line by stage and value.

    `faces` are the kinds of those who age, by stage, and `cells` where they wait, by value. A face is of this
    shape alone, so that no two cells of a line ever bear one number.
    """

    __slots__ = ("all_faces", "auto_accept", "cells", "channel", "faces", "kinds", "lines", "offers", "run", "sample",
                 "timeout_ms")  # fmt: skip

    def __init__(self, run: QueueRun, sample: WaitingInteraction, offers: "dict[int, deque[Offer]]") -> None:
        self.run = run
        self.sample = sample
        """Any interaction of the shape."""
        self.channel = sample.channel
        self.timeout_ms, self.auto_accept = run.terms[sample.channel]
        """How long an offer lasts, and whether it is accepted of itself."""
        self.offers = offers.setdefault(self.timeout_ms, deque())
        """Where those wait that last as long; see `Timers`."""
        self.kinds: dict[int, Kind[Agent]] = {}
        self.lines: dict[tuple[int, int], Line[Item]] = {}
        self.faces: dict[int, Kind[Agent]] = {}
        self.all_faces = 0
        """The mask of the faces of all stages, once somebody asked for it."""
        self.cells: dict[int, AgedCell] = {}


# Most interactions are declined by nobody: this, never written to, stands for that.
_NOBODY: dict[str, int] = {}


class Item:
    """One waiting or offered interaction and where it stands.

    `personal` are the keys of the personal cells it is in; `placed` is true while it is in its line's structures.
    """

    __slots__ = ("ages", "arrival_ms", "came_open", "cell", "due_ms", "excluded", "id", "interaction",
                 "is_addressed", "is_fully_offered", "kind", "least_stage", "line", "offers", "offers_made",
                 "order", "personal", "placed", "run", "shape", "since_ms", "stage", "wanted")  # fmt: skip

    def __init__(self, interaction: WaitingInteraction, shape: Shape, since_ms: int, order: int) -> None:
        self.id = interaction.id
        self.interaction = interaction
        self.shape = shape
        self.run = run = shape.run
        self.order = order
        """Among those of one arrival."""
        self.since_ms = self.arrival_ms = since_ms
        """When it began to wait, and from when on it has its place in its line."""
        self.offers: tuple[Offer, ...] = ()
        self.is_fully_offered = False
        """As many agents are offered it as may be at once."""
        self.stage = 0
        """As of when it was last looked at, while it ages; see `Floor.refresh`."""
        self.due_ms: int | None = None
        self.kind: Kind[Agent]
        self.line: Line[Item]
        self.cell: AgedCell | None
        self.personal: tuple[tuple[str, str], ...] = ()
        self.placed = False
        self.wanted = True
        """False while it sleeps (closed) or waits for one agent who is not there."""
        self.excluded = _NOBODY
        self.offers_made = interaction.offers_made
        self.least_stage = least_stage = interaction.least_stage
        self.is_addressed = interaction.only_agent_id is not None or bool(interaction.preferred_agent_ids)
        self.ages = run.ages
        """It waits in an `AgedCell`: its stage follows from its wait, and nobody is barred from it."""
        if self.is_addressed or least_stage or interaction.head_start_ms or interaction.excluded:
            self.ages = False
            self.arrival_ms = since_ms - interaction.head_start_ms
            if interaction.excluded:
                self.excluded = {each.agent_id: each.until_ms for each in interaction.excluded}
        if run.hours is not None:
            self.came_open = run.was_open(interaction.queued_at_ms)

    def __lt__(self, other: "Item") -> bool:
        """Return whether it goes before another of the same arrival."""
        return (self.order, self.id) < (other.order, other.id)

    def offer_to(self, agent_id: str) -> Offer | None:
        """Return the live offer of it to an agent."""
        for offer in self.offers:
            if offer.agent.id == agent_id:
                return offer
        return None

    def count_offers(self) -> None:
        """Bring `is_fully_offered` up to date with the offers."""
        offers = self.offers
        is_enough = len(offers) >= self.run.offers_at_once
        self.is_fully_offered = is_enough or any(offer.is_exclusive for offer in offers)

    @property
    def wants_offers(self) -> bool:
        """Whether it may be offered to one more agent now."""
        return self.wanted and not self.is_fully_offered


class Agent:
    """One logged-in agent at work. `places` are theirs among the free agents: slots and their keys there.

    `due_ms` is when their pause ends.
    """

    __slots__ = ("alone", "burden", "due_ms", "held", "id", "idle_since_ms", "is_refused", "is_up",
                 "last_offer_at_ms", "misses", "offers", "paused_until_ms", "places", "pool", "state",
                 "used")  # fmt: skip

    def __init__(self, state: AgentState, pool: "Pool[Agent]") -> None:
        self.id = state.id
        self.alone = (state.id,)
        """Themselves, as the only holder of something."""
        self.state = state
        self.pool = pool
        self.is_up = state.is_available and state.is_connected and not state.is_not_responding
        self.held: tuple[Held, ...] = ()
        self.offers: tuple[Offer, ...] = ()
        self.burden = pool.no_burden
        """What the work held and the live offers take."""
        self.used = 0
        self.idle_since_ms = 0
        self.last_offer_at_ms = -1
        self.paused_until_ms = 0
        self.due_ms: int | None = None
        self.misses = 0
        self.is_refused = False
        """Paused because the store knew better; the next state of theirs ends it."""
        self.places: Sequence[tuple[Slot[Agent], Key]] = ()

    def __lt__(self, other: "Agent") -> bool:
        """Return whether they go before another under the same key."""
        return self.id < other.id

    def holds(self, interaction_id: str) -> bool:
        """Return whether they have the interaction in hand."""
        return any(work[0] == interaction_id for work in self.held)

    def take(self, cost: Cost) -> None:
        """Take units of the agent's capacity."""
        self.burden = self.burden.plus(cost)
        self.used += cost[1]

    def release(self, cost: Cost) -> None:
        """Give units back."""
        self.burden = self.burden.minus(cost)
        self.used -= cost[1]
