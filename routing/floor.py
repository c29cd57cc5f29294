"""The engine's memory: who waits where, who is free for what, which offers live, what is due when.

Changed only by `waiting`, `offers`, `matching` and `engine`; it decides nothing itself.
"""

from bisect import bisect_right
from collections.abc import Iterable

from routing import capacity
from routing.capacity import Cost
from routing.catalogue import Catalogue, Kind, View
from routing.cells import Cell, bits
from routing.estimate import Learned
from routing.events import Decision
from routing.model import HeldWork, SkillNeed, WaitingInteraction
from routing.pieces import AgedCell, Agent, Held, Item, Offer, QueueRun, Shape
from routing.policy import Policy
from routing.ranking import LOAD_SHIFT, MOST_LOAD, Line, LineKey, agent_key, line_key
from routing.timers import Awaited, Due, Timers

__all__ = ["AgedCell", "Agent", "Floor", "Held", "Item", "Offer", "QueueRun", "Shape"]

# Members of an Enum cost as much as a call each time they are named, so hot code names them once.
_HEAD = Due.HEAD

_ShapeKey = tuple[str, str, tuple[SkillNeed, ...], tuple[tuple[SkillNeed, ...], ...], tuple[str, ...], tuple[str, ...]]


class Floor:
    """All of it."""

    def __init__(self, policy: Policy, now_ms: int, learned: Learned) -> None:
        self.policy = policy
        self.now_ms = now_ms
        self.learned = learned
        self.catalogue: Catalogue[Agent] = Catalogue(policy)
        self.runs = {queue_id: QueueRun(queue, policy) for queue_id, queue in policy.queues.items()}
        self.lines: dict[LineKey, Line[Item]] = {}
        self.busy_lines: tuple[Line[Item], ...] = ()
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
        self.timers: Timers[Offer] = Timers()
        self._crews: dict[int, int] = {}
        self._shapes: dict[_ShapeKey, Shape] = {}
        self._last_wish: WaitingInteraction | None = None
        self._last_key: _ShapeKey
        self._last_shape: Shape | None = None

    # What things are.

    def known_shape(self, wish: WaitingInteraction) -> Shape | None:
        """Return what all interactions that ask for the same have in common; None: nothing did so far."""
        key = (wish.queue_id, wish.channel, wish.skills, wish.any_of, wish.best_skills, wish.languages)
        self._last_key = key
        self._last_wish = wish
        self._last_shape = shape = self._shapes.get(key)
        return shape

    def shape_of(self, wish: WaitingInteraction) -> Shape:
        """Return the same, new if need be."""
        shape = self._last_shape if self._last_wish is wish else self.known_shape(wish)
        if shape is None:
            shape = Shape(self.runs[wish.queue_id], wish, self.timers.offers)
            self._shapes[self._last_key] = self._last_shape = shape
        return shape

    def kind_of(self, shape: Shape, stage: int) -> Kind[Agent]:
        """Return the kind of what interactions of the shape need in the stage."""
        kind = shape.kinds.get(stage)
        if kind is None:
            kind = shape.kinds[stage] = self._new_kind(shape, stage, is_face=False)
        return kind

    def face_of(self, shape: Shape, stage: int) -> Kind[Agent]:
        """Return the same, numbered for this shape alone."""
        kind = shape.faces.get(stage)
        if kind is None:
            kind = shape.faces[stage] = self._new_kind(shape, stage, is_face=True)
        return kind

    def faces_of(self, shape: Shape) -> int:
        """Return the mask of the shape's faces in all stages."""
        if not shape.all_faces:
            for stage in range(shape.run.stages.last + 1):
                shape.all_faces |= 1 << self.face_of(shape, stage).number
        return shape.all_faces

    def _new_kind(self, shape: Shape, stage: int, *, is_face: bool) -> Kind[Agent]:
        need = shape.run.stages.need(shape.sample, stage)
        is_new_order = not self.catalogue.has_order(need.channel, need.order)
        kind = self.catalogue.face(need) if is_face else self.catalogue.kind(need)
        if is_new_order:
            self.publish_all(self.agents.values())
        return kind

    def line_of(self, shape: Shape, stage: int, value: int) -> Line[Item]:
        """Return the line that interactions of the shape and value compete in at a stage."""
        line = shape.lines.get((stage, value))
        if line is None:
            keep_free = shape.run.stages.keep_free(stage, value)
            key = line_key(shape.run.policy, self.policy, value, keep_free)
            line = self.lines.get(key)
            if line is None:
                line = self.lines[key] = Line(key)
            shape.lines[stage, value] = line
        return line

    def cell_of(self, shape: Shape, value: int) -> AgedCell:
        """Return the cell in which interactions of the shape and value wait while they age."""
        cell = shape.cells.get(value)
        if cell is None:
            line = self.line_of(shape, 0, value)
            cell = next((known for known in shape.cells.values() if known.line is line), None)
            if cell is None:
                cell = AgedCell(self.face_of(shape, 0).number, shape, line)
                line.frontier.enlist(cell)
            shape.cells[value] = cell
        return cell

    def show(self, item: Item) -> None:
        """Give the item, which is not placed, the kind and the line of its stage."""
        shape, stage, value = item.shape, item.stage, item.interaction.value
        if item.ages:
            item.kind = self.face_of(shape, stage)
            item.cell = self.cell_of(shape, value)
            item.line = item.cell.line
        else:
            item.kind = self.kind_of(shape, stage)
            item.cell = None
            item.line = self.line_of(shape, stage, value)

    def refresh(self, item: Item) -> None:
        """Bring the stage of an item that ages up to the present; under an offer it stands still."""
        if not item.ages or item.is_fully_offered:
            return
        stage = bisect_right(item.run.stages.edges, self.now_ms - item.since_ms)
        if stage != item.stage:
            item.stage = stage
            item.kind = item.shape.faces.get(stage) or self.face_of(item.shape, stage)

    def stop_ageing(self, item: Item) -> None:
        """Let an item have a stage of its own from now on, as somebody is barred from it. The caller reviews it."""
        if not item.ages:
            return
        self.refresh(item)
        self.unplace(item)
        item.ages = False
        self.show(item)

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

    def cost_for(self, agent: Agent, channel: str) -> Cost:
        """Return what work of the channel costs the agent, whether or not they are offered any."""
        cost = agent.pool.costs.get(channel)
        if cost is None:
            cost = channel, agent.state.units.get(channel, self.policy.channels[channel].units)
        return cost

    def is_free_for(self, agent: Agent, channel: str) -> bool:
        """Return whether the agent could be offered work of the channel now."""
        cost = agent.pool.costs.get(channel)
        return cost is not None and self.is_ready(agent) and self.room(agent, channel) >= cost[1]

    def takes(self, agent: Agent) -> int:
        """Return the mask of kinds the agent may be offered now."""
        if not agent.is_up or agent.paused_until_ms > self.now_ms:
            return 0
        return (agent.burden.view or self.view_of(agent)).takes

    def view_of(self, agent: Agent) -> View[Agent]:
        """What the agent's burden leaves them to be offered; the same for all of the pool with that burden."""
        pool = agent.pool
        open_costs = {cost for channel, cost in pool.costs.items() if self.room(agent, channel) >= cost[1]}
        takes = 0
        for channel, _ in open_costs:
            takes |= pool.takes[channel]
        view = View(takes, tuple(slot for slot in pool.slots if slot.cost in open_costs))
        agent.burden.view = view
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
        if agent.places:
            self.unpublish(agent)
        if not agent.is_up or agent.paused_until_ms > self.now_ms:
            return
        view = agent.burden.view or self.view_of(agent)
        slots = view.slots
        if not slots:
            return
        used = agent.used
        load = (used if used < MOST_LOAD else MOST_LOAD) << LOAD_SHIFT  # noqa: FURB136 - a call costs more
        idle_since_ms = agent.idle_since_ms
        places = []
        for slot in slots:
            _, frontier, cell, _, order, pack, is_plain = slot
            if is_plain:
                key = idle_since_ms - load if pack else idle_since_ms + load
            else:
                key = agent_key(order, agent, pack=pack)
            frontier.put(cell, key, agent)
            places.append((slot, key))
        agent.places = places

    def publish_all(self, agents: Iterable[Agent]) -> None:
        """Bring many agents' places up to date."""
        for agent in agents:
            self.publish(agent)

    def unpublish(self, agent: Agent) -> None:
        """Take the agent out of all free agents."""
        for slot, key in agent.places:
            slot.frontier.take(slot.cell, key, agent)
        agent.places = ()

    # Who waits where.

    def place(self, item: Item) -> None:
        """Put the item into its line: into its kind's cell, or into the cells of those it is addressed to."""
        if item.placed:
            return
        item.placed = True
        line = item.line
        if not line.is_busy:
            line.is_busy = True
            self.busy_lines = tuple(sorted((*self.busy_lines, line), key=Line.weightiest_first))
        cell = item.cell
        if cell is not None:
            if line.frontier.put(cell, item.arrival_ms, item):
                self.judge(cell)
            return
        if not item.personal:
            line.frontier.put(line.frontier.open(item.kind.number), item.arrival_ms, item)
            return
        for key in item.personal:
            others = line.personal.get(key)
            if others is None:
                others = line.personal[key] = Cell()
            others.add(item.arrival_ms, item)

    def unplace(self, item: Item) -> None:
        """Take the item out of its line."""
        if not item.placed:
            return
        item.placed = False
        line = item.line
        cell = item.cell
        if cell is not None:
            if line.frontier.take(cell, item.arrival_ms, item):
                # Those who came later have come less far, or as far as it goes.
                stage = cell.stage
                keys = cell.keys
                if not keys:
                    cell.due_ms = None
                    self._idle(line)
                elif cell.due_ms is not None or (stage and self.now_ms - keys[cell.front] < cell.edges[stage - 1]):
                    self.judge(cell)
        elif not item.personal:
            line.frontier.take(line.frontier.cells[item.kind.number], item.arrival_ms, item)
            self._idle(line)
        else:
            for key in item.personal:
                others = line.personal[key]
                others.remove(item.arrival_ms, item)
                if not others:
                    del line.personal[key]
            self._idle(line)

    def _idle(self, line: Line[Item]) -> None:
        """Leave the line out of the busy ones if nobody waits in it."""
        if not line.frontier.mask and not line.personal:
            line.is_busy = False
            self.busy_lines = tuple(other for other in self.busy_lines if other is not line)

    def judge(self, cell: AgedCell) -> None:
        """Let a cell, in which somebody waits, bear the number of what its first needs now."""
        arrival_ms = cell.keys[cell.front]
        edges = cell.edges
        stage = bisect_right(edges, self.now_ms - arrival_ms)
        if stage != cell.stage:
            cell.stage = stage
            cell.line.frontier.renumber(cell, self.face_of(cell.shape, stage).number)
        if stage == len(edges):
            cell.due_ms = None
            return
        due_ms = arrival_ms + edges[stage]
        if due_ms != cell.due_ms:
            first = cell.first
            assert first is not None
            cell.due_ms = due_ms
            self.timers.add((due_ms, _HEAD, first.id, "", cell), -edges[stage])

    def bar(self, item: Item, agent_id: str, until_ms: int) -> None:
        """Exclude an agent from an item until an instant."""
        self.stop_ageing(item)
        if item.excluded:
            item.excluded[agent_id] = until_ms
        else:
            item.excluded = {agent_id: until_ms}
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
        interaction_id, channel, queue_id, since_ms = work
        cost = self.cost_for(agent, channel)
        agent.held += (Held(interaction_id, cost, queue_id, since_ms),)
        agent.take(cost)
        others = self.holders.get(interaction_id)
        self.holders[interaction_id] = agent.alone if others is None else (*others, agent.id)

    def drop(self, agent: Agent, interaction_id: str) -> Held | None:
        """Forget work the agent held; return it, or None if they did not."""
        held = agent.held
        if len(held) == 1 and held[0][0] == interaction_id:
            work = held[0]
            agent.held = ()
        else:
            found = [work for work in held if work[0] == interaction_id]
            if not found:
                return None
            work = found[0]
            agent.held = tuple(each for each in held if each is not work)
        cost = work[1]
        agent.burden = agent.burden.minus(cost)
        agent.used -= cost[1]
        holders = self.holders.pop(interaction_id)
        if len(holders) > 1:
            self.holders[interaction_id] = tuple(holder for holder in holders if holder != agent.id)
        return work

    # What is due.

    def call_at(self, due_ms: int, what: Due, whose: str, awaited: Awaited, lane: int = 0) -> None:
        """Set a timer; give those that are set equally far ahead a lane of their own."""
        awaited.due_ms = due_ms
        self.timers.add((due_ms, what, whose, "", awaited), lane)
