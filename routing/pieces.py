"""The pieces the floor is made of: queues at work, interactions, agents, offers. They hold, they decide nothing."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any, NamedTuple

from routing import hours
from routing.capacity import Cost
from routing.catalogue import Kind, Pool, Slot
from routing.cells import Cell, Frontier, Key
from routing.estimate import Patience
from routing.model import AgentState, WaitingInteraction
from routing.policy import Policy, QueuePolicy
from routing.ranking import Line
from routing.relaxation import Stages
from routing.timers import Alarm, Due, Timer

LiveOffers = OrderedDict["Offer", None]
"""Offers that last equally long, in the order they were made."""


class QueueRun:
    """One queue at work. `items` are those waiting in it or offered, in the order they came, unless it is simple."""

    __slots__ = ("_edge_ms", "_known_from_ms", "_open", "ages", "edge", "final_kinds", "forced", "hours", "is_limited",
                 "is_plain", "is_simple", "items", "minds_lack", "offers_at_once", "patience", "policy", "review",
                 "stages", "terms")  # fmt: skip

    def __init__(self, queue: QueuePolicy, policy: Policy, patience: Patience) -> None:
        self.policy = queue
        self.patience = patience
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
        self.is_plain = self.is_simple
        """The same, and nobody holds it open or closed."""
        self.edge = Alarm()
        """When its hours change next."""
        self.review = Alarm()
        """When those flow out whom nobody there could ever take."""
        self.terms = {kind: self._terms(kind, policy) for kind in policy.channels}
        """By channel kind: how long an offer lasts, and whether it is accepted of itself."""
        self._known_from_ms = 0
        self._edge_ms: int | None = 0
        self._open = True

    def force(self, is_open: bool | None) -> None:
        """Hold the queue open (True) or closed (False); None: no longer."""
        self.forced = is_open
        self.is_plain = self.is_simple and is_open is None

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
    """A live offer; `due_ms` is its deadline until it ends. Whoever makes one fills it in: see `offers`."""

    __slots__ = ("agent", "cost", "due_ms", "is_exclusive", "item", "made_at_ms", "no")

    item: "Item"
    agent: "Agent"
    no: int
    due_ms: int | None
    made_at_ms: int
    cost: Cost
    """What of the agent's capacity it holds."""
    is_exclusive: bool
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
    agent: "Agent"


class AgedCell(Cell["Item"]):
    """Waiting interactions of one shape and line, whose stage follows from their wait alone.

    The earliest has come furthest, and whoever may take one of the others may take it. So nobody is moved as time
    passes: the cell's number is that of what its first needs now (`kind`), and `due_ms` is when that changes.
    """

    __slots__ = ("due_ms", "edges", "kind", "line", "shape", "stage")

    def __init__(self, kind: "Kind[Agent]", shape: "Shape", line: "Line[Item]") -> None:
        super().__init__(kind.number)
        self.kind = kind
        self.shape = shape
        self.line = line
        self.edges = shape.run.stages.edges
        self.stage = 0
        """The stage its number is of."""
        self.due_ms: int | None = None


class Shape:
    """Equal wishes and value of interactions: what follows from them is known once somebody asked.

    `siblings` are those of other value but equal wishes, itself among them. They share `kinds` and, by stage, `faces`:
    the kinds of those who age. A face is of these siblings alone, so that no two cells of a line ever bear one number.
    """

    __slots__ = ("all_faces", "auto_accept", "cell", "channel", "face", "faces", "free", "kinds", "lines", "offers",
                 "quiet_ms", "run", "sample", "siblings", "timeout_ms")  # fmt: skip

    face: "Kind[Agent]"
    """The first of the faces, once there is a cell; `free` are those agents among whom are who may take it."""
    free: "Frontier[Agent]"

    def __init__(
        self, run: QueueRun, sample: WaitingInteraction, siblings: "list[Shape]", offers: "dict[int, LiveOffers]"
    ) -> None:
        self.run = run
        self.sample = replace(sample, head_start_ms=0, excluded=(), least_stage=0, **_TO_ANYBODY)
        """An interaction of the shape with nothing unusual about it."""
        self.channel = sample.channel
        self.timeout_ms, self.auto_accept = run.terms[sample.channel]
        """How long an offer lasts, and whether it is accepted of itself."""
        self.quiet_ms = run.stages.quiet_ms
        self.offers = offers.setdefault(self.timeout_ms, OrderedDict())
        """Where those live that last as long; see `Timers`."""
        self.siblings = siblings
        self.kinds: dict[int, Kind[Agent]] = siblings[0].kinds if siblings else {}
        """By stage."""
        self.faces: dict[int, Kind[Agent]] = siblings[0].faces if siblings else {}
        siblings.append(self)
        self.all_faces = 0
        """The mask of the faces of all stages, once somebody asked for it."""
        self.lines: dict[int, Line[Item]] = {}
        """By stage."""
        self.cell: AgedCell | None = None
        """Where they wait while they age, once somebody did."""


_TO_ANYBODY: dict[str, Any] = {"only_agent_id": None, "preferred_agent_ids": ()}

# Most interactions are declined by nobody: this, never written to, stands for that.
_NOBODY: dict[str, int] = {}


class Particulars:
    """What is unusual about an interaction. Most share one that says nothing is; see `Item.own`."""

    __slots__ = ("came_open", "excluded", "head_start_ms", "interaction", "is_addressed", "least_stage",
                 "only_agent_id", "personal", "preferred_agent_ids", "wanted")  # fmt: skip

    def __init__(self, interaction: WaitingInteraction | None = None) -> None:
        """Without an interaction nothing is unusual."""
        self.interaction = interaction
        """As it came, unless all of it follows from the shape."""
        self.head_start_ms = 0
        self.least_stage = 0
        self.only_agent_id: str | None = None
        self.preferred_agent_ids: tuple[str, ...] = ()
        self.excluded = _NOBODY
        self.came_open = True
        self.personal: tuple[tuple[str, str], ...] = ()
        self.wanted = True
        if interaction is not None:
            self.head_start_ms = interaction.head_start_ms
            self.least_stage = interaction.least_stage
            self.only_agent_id = interaction.only_agent_id
            self.preferred_agent_ids = interaction.preferred_agent_ids
            if interaction.excluded:
                self.excluded = {each.agent_id: each.until_ms for each in interaction.excluded}
        self.is_addressed = self.only_agent_id is not None or bool(self.preferred_agent_ids)


NOTHING_UNUSUAL = Particulars()
"""Never written to."""


class Item:
    """One waiting or offered interaction and where it stands.

    There are very many, and most of what taking one costs is memory that is in no cache: so it holds only what differs
    from one to the next, and what is `own` to few is apart. Whoever makes one fills it in: see `waiting`.
    """

    __slots__ = ("arrival_ms", "cell", "due_ms", "id", "is_fully_offered", "kind", "line", "offers", "offers_made",
                 "order", "own", "placed", "shape", "stage")  # fmt: skip

    id: str
    shape: Shape
    order: int
    """Among those of one arrival."""
    arrival_ms: int
    """From when on it has its place in its line: since when it waits, less its head start."""
    offers: tuple[Offer, ...]
    offers_made: int
    is_fully_offered: bool
    """As many agents are offered it as may be at once."""
    placed: bool
    """It is in its line's structures."""
    due_ms: int | None
    kind: "Kind[Agent]"
    stage: int
    """As of when it was last looked at, while it ages; see `Floor.refresh`."""
    line: "Line[Item]"
    cell: AgedCell | None
    """Where it waits if it ages: then its stage follows from its wait, and nobody is barred from it."""
    own: Particulars
    """What is unusual about it; to be written to by this class alone."""

    def __lt__(self, other: "Item") -> bool:
        """Return whether it goes before another of the same arrival."""
        return (self.order, self.id) < (other.order, other.id)

    @property
    def run(self) -> QueueRun:
        """Its queue."""
        return self.shape.run

    @property
    def since_ms(self) -> int:
        """When it began to wait."""
        return self.arrival_ms + self.own.head_start_ms

    @property
    def interaction(self) -> WaitingInteraction:
        """The interaction as it came, numbered."""
        known = self.own.interaction
        if known is not None:
            return known
        return replace(
            self.shape.sample,
            id=self.id,
            queued_at_ms=self.arrival_ms,
            order=self.order,
            offers_made=self.offers_made,
        )

    @property
    def is_addressed(self) -> bool:
        """Whether it is for one agent, or prefers some."""
        return self.own.is_addressed

    @property
    def came_open(self) -> bool:
        """Whether its queue was open when it came."""
        return self.own.came_open

    @property
    def excluded(self) -> dict[str, int]:
        """Agent -> until when they are not offered it."""
        return self.own.excluded

    @property
    def least_stage(self) -> int:
        """The stage it was moved to before its time."""
        return self.own.least_stage

    @property
    def personal(self) -> tuple[tuple[str, str], ...]:
        """The keys of the personal cells it is in."""
        return self.own.personal

    @property
    def wanted(self) -> bool:
        """False while it sleeps (closed) or waits for one agent who is not there."""
        return self.own.wanted

    def exclude(self, agent_id: str, until_ms: int) -> None:
        """Offer it to the agent only after an instant."""
        own = self._unusual()
        own.excluded = {**own.excluded, agent_id: until_ms}

    def readmit(self, agent_id: str) -> None:
        """End an exclusion."""
        own = self._unusual()
        own.excluded = {each: until_ms for each, until_ms in own.excluded.items() if each != agent_id}

    def relax_to(self, stage: int) -> None:
        """Let it never be in an earlier stage than this."""
        self._unusual().least_stage = stage

    def aim(self, *, wanted: bool, personal: tuple[tuple[str, str], ...]) -> None:
        """Set whether it may be offered, and to whom alone."""
        if wanted != self.own.wanted or personal != self.own.personal:
            own = self._unusual()
            own.wanted, own.personal = wanted, personal

    def _unusual(self) -> Particulars:
        if self.own is NOTHING_UNUSUAL:
            self.own = Particulars()
        return self.own

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
        return self.own.wanted and not self.is_fully_offered


class Agent:
    """One logged-in agent at work. `due_ms` is when their pause ends."""

    __slots__ = ("burden", "due_ms", "held", "id", "idle_since_ms", "is_refused", "is_up", "keys",
                 "last_offer_at_ms", "misses", "offers", "paused_until_ms", "places", "pool", "state")  # fmt: skip

    def __init__(self, state: AgentState, pool: "Pool[Agent]") -> None:
        self.id = state.id
        self.state = state
        self.pool = pool
        self.is_up = state.is_available and state.is_connected and not state.is_not_responding
        self.held: tuple[Held, ...] = ()
        self.offers: tuple[Offer, ...] = ()
        self.burden = pool.no_burden
        """What the work held and the live offers take."""
        self.idle_since_ms = 0
        self.last_offer_at_ms = -1
        self.paused_until_ms = 0
        self.due_ms: int | None = None
        self.misses = 0
        self.is_refused = False
        """Paused because the store knew better; the next state of theirs ends it."""
        self.places: tuple[Slot[Agent], ...] = ()
        """Where they are among the free agents, and under which key in each."""
        self.keys: tuple[Key, ...] = ()

    def __lt__(self, other: "Agent") -> bool:
        """Return whether they go before another under the same key."""
        return self.id < other.id

    @property
    def used(self) -> int:
        """The units that the work held and the live offers take."""
        return self.burden.used

    def holds(self, interaction_id: str) -> bool:
        """Return whether they have the interaction in hand."""
        return any(work[0] == interaction_id for work in self.held)

    def take(self, cost: Cost) -> None:
        """Take units of the agent's capacity."""
        self.burden = self.burden.plus(cost)

    def release(self, cost: Cost) -> None:
        """Give units back."""
        self.burden = self.burden.minus(cost)
