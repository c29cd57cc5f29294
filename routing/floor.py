"""The engine's memory: who waits where, who is free for what, which offers live, what is due when.

Changed only by `waiting`, `offers`, `matching` and `engine`; it decides nothing itself.
"""

from collections.abc import Iterable

from routing import capacity, hours
from routing.catalogue import Catalogue, Kind, Pool, Slot, View
from routing.cells import Cell, Entry, bits
from routing.estimate import Learned
from routing.events import Decision
from routing.model import AgentState, HeldWork, SkillNeed, WaitingInteraction
from routing.policy import Policy, QueuePolicy
from routing.ranking import Line, LineKey, agent_entry, line_key
from routing.relaxation import Stages
from routing.timers import Due, Timer, Timers

# Members of an Enum cost as much as a call each time they are named, so hot code names them once.
_ITEM, _OFFER = Due.ITEM, Due.OFFER

_ShapeKey = tuple[str, str, tuple[SkillNeed, ...], tuple[tuple[SkillNeed, ...], ...], tuple[str, ...], tuple[str, ...]]


class QueueRun:
    """One queue at work. `items` are those waiting in it or offered, in the order they came."""

    __slots__ = ("_edge_ms", "_known_from_ms", "_open", "final_kinds", "forced", "hours", "items", "minds_lack",
                 "policy", "review_due_ms", "stages")  # fmt: skip

    def __init__(self, queue: QueuePolicy, policy: Policy) -> None:
        self.policy = queue
        self.minds_lack = queue.when_nobody is not None or queue.when_unable is not None
        """It has a way out for want of agents."""
        self.stages = Stages(queue, policy.queues)
        self.hours = None if queue.hours_id is None else policy.hours[queue.hours_id]
        self.items: dict[str, Item] = {}
        self.final_kinds: dict[int, Kind] = {}
        self.forced: bool | None = None
        self.review_due_ms: int | None = None
        self._known_from_ms = 0
        self._edge_ms: int | None = 0
        self._open = True

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
    """A live offer."""

    __slots__ = ("agent", "deadline_ms", "is_exclusive", "item", "made_at_ms", "no", "units")

    def __init__(self, item: "Item", agent: "Agent", no: int, deadline_ms: int, made_at_ms: int, units: int) -> None:
        self.item = item
        self.agent = agent
        self.no = no
        self.deadline_ms = deadline_ms
        self.made_at_ms = made_at_ms
        self.units = units
        self.is_exclusive = False
        """Picked or assigned by hand: nobody else is offered it meanwhile."""


class Shape:
    """Equal wishes of interactions: their kind by stage, their line by stage and value."""

    __slots__ = ("kinds", "lines")

    def __init__(self) -> None:
        self.kinds: dict[int, Kind] = {}
        self.lines: dict[tuple[int, int], Line] = {}


def _shape_key(interaction: WaitingInteraction) -> _ShapeKey:
    return (
        interaction.queue_id,
        interaction.channel,
        interaction.skills,
        interaction.any_of,
        interaction.best_skills,
        interaction.languages,
    )


class Item:
    """One waiting or offered interaction and where it stands.

    `personal` are the keys of the personal cells it is in; `placed` is true while it is in its line's structures.
    """

    __slots__ = ("arrival_ms", "came_open", "due_ms", "entry", "excluded", "id", "interaction", "is_addressed",
                 "is_fully_offered", "is_plain", "kind", "least_stage", "line", "offers", "offers_made", "order",
                 "personal", "placed", "run", "shape", "since_ms", "stage", "wanted")  # fmt: skip

    def __init__(self, interaction: WaitingInteraction, run: QueueRun, shape: Shape, since_ms: int, order: int) -> None:
        self.id = interaction.id
        self.shape = shape
        self.interaction = interaction
        self.run = run
        self.since_ms = since_ms
        self.came_open = run.hours is None or run.was_open(interaction.queued_at_ms)
        self.order = order
        self.arrival_ms = arrival_ms = since_ms - interaction.head_start_ms
        self.entry: Entry = (arrival_ms, order, interaction.id)
        self.least_stage = interaction.least_stage
        self.offers_made = interaction.offers_made
        self.excluded: dict[str, int] = {}
        if interaction.excluded:
            self.excluded = {each.agent_id: each.until_ms for each in interaction.excluded}
        self.offers: dict[str, Offer] = {}
        self.is_fully_offered = False
        """As many agents are offered it as may be at once."""
        self.stage = 0
        self.due_ms: int | None = None
        self.kind: Kind
        self.line: Line
        self.personal: tuple[tuple[str, str], ...] = ()
        self.placed = False
        self.is_addressed = interaction.only_agent_id is not None or bool(interaction.preferred_agent_ids)
        self.is_plain = run.hours is None and not self.is_addressed
        """Open to everybody able, and its queue never closes by hours."""
        self.wanted = True
        """False while it sleeps (closed) or waits for one agent who is not there."""

    def count_offers(self) -> None:
        """Bring `is_fully_offered` up to date with the offers."""
        offers = self.offers
        if not offers:
            self.is_fully_offered = False
            return
        is_enough = len(offers) >= self.run.policy.offers_at_once
        self.is_fully_offered = is_enough or any(offer.is_exclusive for offer in offers.values())

    @property
    def wants_offers(self) -> bool:
        """Whether it may be offered to one more agent now."""
        return self.wanted and not self.is_fully_offered


class Agent:
    """One logged-in agent at work. `entries` are their places among the free agents, by slot number."""

    __slots__ = ("burden", "entries", "held", "id", "idle_since_ms", "is_refused", "is_up", "last_offer_at_ms",
                 "misses", "offers", "paused_until_ms", "pool", "state", "used")  # fmt: skip

    def __init__(self, state: AgentState, pool: "Pool[Agent]") -> None:
        self.id = state.id
        self.state = state
        self.pool = pool
        self.is_up = state.is_available and state.is_connected and not state.is_not_responding
        self.held: dict[str, tuple[HeldWork, int]] = {}
        self.offers: dict[str, Offer] = {}
        self.burden = pool.no_burden
        """What the work held and the live offers take."""
        self.used = 0
        self.idle_since_ms = 0
        self.last_offer_at_ms = -1
        self.paused_until_ms = 0
        self.misses = 0
        self.is_refused = False
        """Paused because the store knew better; the next state of theirs ends it."""
        self.entries: dict[int, Entry] = {}

    def take(self, channel: str, units: int) -> None:
        """Take units of the agent's capacity."""
        self.burden = self.burden.plus(channel, units)
        self.used += units

    def release(self, channel: str, units: int) -> None:
        """Give units back."""
        self.burden = self.burden.minus(channel, units)
        self.used -= units


class Floor:
    """All of it."""

    def __init__(self, policy: Policy, now_ms: int, learned: Learned) -> None:
        self.policy = policy
        self.now_ms = now_ms
        self.learned = learned
        self.catalogue: Catalogue[Agent] = Catalogue(policy)
        self.runs = {queue_id: QueueRun(queue, policy) for queue_id, queue in policy.queues.items()}
        self.lines: dict[LineKey, Line] = {}
        self.busy_lines: dict[LineKey, Line] = {}
        """Those where somebody waits, the weightiest first: the sooner a good one is found the more are skipped."""
        self.items: dict[str, Item] = {}
        self.agents: dict[str, Agent] = {}
        self.holders: dict[str, tuple[str, ...]] = {}
        """Interaction -> agents who hold it."""
        self.barred: dict[str, dict[str, None]] = {}
        """Agent -> interactions they are excluded from."""
        self.addressed: dict[str, dict[str, None]] = {}
        """Agent -> interactions addressed to them or preferring them."""
        self.has_reservations = any(queue.reservation for queue in policy.queues.values())
        self.dirty_items: dict[str, Item] = {}
        self.dirty_agents: dict[str, Agent] = {}
        self.order = 0
        self.out: list[Decision] = []
        self.timers = Timers(self.is_live)
        self._crews: dict[int, int] = {}
        self._shapes: dict[_ShapeKey, Shape] = {}
        self._last_shape: tuple[WaitingInteraction, Shape] | None = None

    # What things are.

    def shape_of(self, interaction: WaitingInteraction) -> "Shape":
        """Return what all interactions that ask for the same have in common."""
        if self._last_shape is not None and self._last_shape[0] is interaction:
            return self._last_shape[1]
        key = _shape_key(interaction)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = Shape()
        return shape

    def knows_shape(self, interaction: WaitingInteraction) -> bool:
        """Return whether something that asks for the same has been met already."""
        shape = self._shapes.get(_shape_key(interaction))
        self._last_shape = None if shape is None else (interaction, shape)
        return shape is not None

    def kind_of(self, item: Item, stage: int) -> Kind:
        """Return the kind of what the item needs in the stage."""
        kind = item.shape.kinds.get(stage)
        if kind is None:
            need = item.run.stages.need(item.interaction, stage)
            is_new_order = not self.catalogue.has_order(need.channel, need.order)
            kind = item.shape.kinds[stage] = self.catalogue.kind(need)
            if is_new_order:
                self.publish_all(self.agents.values())
        return kind

    def line_of(self, item: Item) -> Line:
        """Return the line the item competes in at its stage."""
        value = item.interaction.value
        line = item.shape.lines.get((item.stage, value))
        if line is None:
            keep_free = item.run.stages.keep_free(item.stage, value)
            key = line_key(item.run.policy, self.policy, value, keep_free)
            line = self.lines.get(key)
            if line is None:
                line = self.lines[key] = Line(key)
            item.shape.lines[item.stage, value] = line
        return line

    # Who is free for what.

    def is_ready(self, agent: Agent) -> bool:
        """Return whether the agent may be offered anything at all now."""
        return agent.is_up and agent.paused_until_ms <= self.now_ms

    def room(self, agent: Agent, channel: str) -> int:
        """Return the units the agent has left for work of the channel."""
        capacity_units = agent.pool.talent.capacity_units
        return capacity.room_for(channel, capacity_units, agent.burden.units, self.policy.channels)

    def is_overfull(self, agent: Agent, channel: str) -> bool:
        """Return whether what the agent has of the channel no longer fits."""
        return capacity.is_overfull(channel, agent.pool.talent.capacity_units, agent.burden.units, self.policy.channels)

    def units_for(self, agent: Agent, channel: str) -> int:
        """Return the units work of the channel costs the agent, whether or not they are offered any."""
        units = agent.pool.units.get(channel)
        if units is None:
            units = agent.state.units.get(channel, self.policy.channels[channel].units)
        return units

    def is_free_for(self, agent: Agent, channel: str) -> bool:
        """Return whether the agent could be offered work of the channel now."""
        units = agent.pool.units.get(channel)
        return units is not None and self.is_ready(agent) and self.room(agent, channel) >= units

    def takes(self, agent: Agent) -> int:
        """Return the mask of kinds the agent may be offered now."""
        if not agent.is_up or agent.paused_until_ms > self.now_ms:
            return 0
        view = agent.pool.views.get(agent.burden) or self._view(agent)
        return view.takes

    def _view(self, agent: Agent) -> View:
        """What the agent's burden leaves them to be offered; the same for all of the pool with that burden."""
        pool = agent.pool
        room = {channel: self.room(agent, channel) for channel in pool.units}
        takes = 0
        for channel, units in pool.units.items():
            if room[channel] >= units:
                takes |= pool.takes[channel]
        slots = tuple(slot for slot in pool.slots if room[slot.channel] >= slot.units)
        view = pool.views[agent.burden] = View(takes, slots)
        return view

    def crew(self, pools: int) -> int:
        """Return how many agents of these pools are up, busy or not."""
        known = self._crews.get(pools)
        if known is None:
            members = (self.catalogue.pools[number].members for number in bits(pools & self.catalogue.populated))
            known = self._crews[pools] = sum(agent.is_up for each in members for agent in each.values())
        return known

    def crew_changed(self) -> None:
        """Forget what `crew` remembered: somebody came, went, or changed."""
        self._crews.clear()

    def publish(self, agent: Agent) -> None:
        """Bring the agent's places among the free agents up to date."""
        before = agent.entries
        slots: tuple[Slot, ...] = ()
        if agent.is_up and agent.paused_until_ms <= self.now_ms:
            view = agent.pool.views.get(agent.burden) or self._view(agent)
            slots = view.slots
        if not slots and not before:
            return
        pool_number = agent.pool.number
        after = {}
        for number, frontier, _, _, order, pack, is_plain in slots:
            if is_plain:
                entry: Entry = (-agent.used if pack else agent.used, agent.idle_since_ms, agent.id)
            else:
                entry = agent_entry(order, agent, pack=pack)
            after[number] = entry
            known = before.pop(number, None) if before else None
            if known != entry:
                if known is not None:
                    frontier.remove(pool_number, known)
                frontier.add(pool_number, entry)
        if before:
            self.unpublish(agent)
        agent.entries = after

    def publish_all(self, agents: Iterable[Agent]) -> None:
        """Bring many agents' places up to date."""
        for agent in agents:
            self.publish(agent)

    def unpublish(self, agent: Agent) -> None:
        """Take the agent out of all free agents."""
        for slot in agent.pool.slots:
            entry = agent.entries.pop(slot.number, None)
            if entry is not None:
                slot.frontier.remove(agent.pool.number, entry)

    # Who waits where.

    def place(self, item: Item) -> None:
        """Put the item into its line: into its kind's cell, or into the cells of those it is addressed to."""
        if item.placed:
            return
        item.placed = True
        line = item.line
        if not line.is_busy:
            line.is_busy = True
            busy = [*self.busy_lines.values(), line]
            self.busy_lines = {each.key: each for each in sorted(busy, key=Line.weightiest_first)}
        if not item.personal:
            line.frontier.add(item.kind.number, item.entry)
            return
        for key in item.personal:
            cell = item.line.personal.get(key)
            if cell is None:
                cell = item.line.personal[key] = Cell()
            cell.add(item.entry)

    def unplace(self, item: Item) -> None:
        """Take the item out of its line."""
        if not item.placed:
            return
        item.placed = False
        line = item.line
        if not item.personal:
            line.frontier.remove(item.kind.number, item.entry)
        for key in item.personal:
            cell = line.personal[key]
            cell.remove(item.entry)
            if cell.first is None:
                del line.personal[key]
        if not line.frontier.mask and not line.personal:
            line.is_busy = False
            del self.busy_lines[line.key]

    def bar(self, item: Item, agent_id: str, until_ms: int) -> None:
        """Exclude an agent from an item until an instant."""
        item.excluded[agent_id] = until_ms
        self.barred.setdefault(agent_id, {})[item.id] = None

    def unbar(self, item: Item, agent_id: str) -> None:
        """End an exclusion."""
        del item.excluded[agent_id]
        others = self.barred[agent_id]
        del others[item.id]
        if not others:
            del self.barred[agent_id]

    def hold(self, agent: Agent, work: HeldWork) -> None:
        """Record work the agent holds, and take its units."""
        units = self.units_for(agent, work.channel)
        agent.held[work.interaction_id] = (work, units)
        agent.take(work.channel, units)
        holders = self.holders
        others = holders.get(work.interaction_id)
        holders[work.interaction_id] = (agent.id,) if others is None else (*others, agent.id)

    def drop(self, agent: Agent, interaction_id: str) -> HeldWork | None:
        """Forget work the agent held; return it, or None if they did not."""
        found = agent.held.pop(interaction_id, None)
        if found is None:
            return None
        work, units = found
        agent.release(work.channel, units)
        holders = self.holders.pop(interaction_id)
        if len(holders) > 1:
            self.holders[interaction_id] = tuple(holder for holder in holders if holder != agent.id)
        return work

    # What is due.

    def call_at(self, due_ms: int, what: Due, whose: str, whom: str = "", lane: int = 0) -> None:
        """Set a timer; give those that are set equally far ahead a lane of their own."""
        self.timers.add((due_ms, what, whose, whom), lane)

    def is_live(self, timer: Timer) -> bool:
        """Return whether the timer still matches what it was set for."""
        due_ms, what, whose, whom = timer
        if what is _ITEM:
            item = self.items.get(whose)
            return item is not None and item.due_ms == due_ms
        if what is _OFFER:
            item = self.items.get(whose)
            offer = None if item is None else item.offers.get(whom)
            return offer is not None and offer.deadline_ms == due_ms
        if what is Due.AGENT:
            agent = self.agents.get(whose)
            return agent is not None and agent.paused_until_ms == due_ms
        run = self.runs[whose]
        return what is Due.QUEUE_EDGE or run.review_due_ms == due_ms
