"""The engine's memory: who waits where, who is free for what, which offers live, what is due when.

Changed only by `waiting`, `offers`, `matching` and `engine`; it decides nothing itself.
"""

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from routing import capacity
from routing.capacity import Burden, Cost
from routing.catalogue import Catalogue, Kind, Slot
from routing.cells import Cell, bits
from routing.estimate import Learned
from routing.events import Decision
from routing.model import HeldWork, SkillNeed, WaitingInteraction
from routing.pieces import AgedCell, Agent, Held, Item, Offer, QueueRun, Shape
from routing.policy import Policy
from routing.ranking import LOAD_SHIFT, MOST_LOAD, Line, LineKey, agent_key, line_key
from routing.timers import Awaited, Due, Timers

__all__ = ["AgedCell", "Agent", "Floor", "Held", "Item", "Look", "Offer", "QueueRun", "Shape"]

# Members of an Enum cost as much as a call each time they are named, so hot code names them once.
_HEAD = Due.HEAD

_REMEMBERED = 4_096

Look = tuple[Line[Item], list[int], float, "itemgetter[Any] | None", list[Any], list[int], int]
"""A line, its heads, what a wait in it weighs; what picks, from the keys of the firsts, those of the cells that count,
unless they are one or very many; those keys; the numbers of those cells, and their mask."""

_Wishes = tuple[str, str, tuple[SkillNeed, ...], tuple[tuple[SkillNeed, ...], ...], tuple[str, ...], tuple[str, ...]]
_ShapeKey = tuple[
    str, str, tuple[SkillNeed, ...], tuple[tuple[SkillNeed, ...], ...], tuple[str, ...], tuple[str, ...], int, bool
]


def shape_key(wish: WaitingInteraction) -> _ShapeKey:
    """Return what is equal for interactions of one shape."""
    return (
        wish.queue_id,
        wish.channel,
        wish.skills,
        wish.any_of,
        wish.best_skills,
        wish.languages,
        wish.value,
        wish.stays,
    )


class Floor:
    """All of it."""

    def __init__(self, policy: Policy, now_ms: int, learned: Learned) -> None:
        self.policy = policy
        self.now_ms = now_ms
        self.learned = learned
        self.catalogue: Catalogue[Agent] = Catalogue(policy)
        self.runs = {
            queue_id: QueueRun(queue, policy, learned.patience(queue_id)) for queue_id, queue in policy.queues.items()
        }
        self.lines: dict[LineKey, Line[Item]] = {}
        self.busy_lines: tuple[Line[Item], ...] = ()
        """Those where somebody waits, the weightiest first: the sooner a good one is found the more are skipped."""
        self.looks: dict[Burden[Slot[Agent]], tuple[Look, ...]] = {}
        """For agents under a burden, where those wait whom they may take; forgotten when a cell empties or fills."""
        self.items: dict[str, Item] = {}
        self.agents: dict[str, Agent] = {}
        self.works: dict[str, tuple[Held, ...]] = {}
        """Interaction -> the work of each agent who holds it."""
        self.returned: dict[str, None] = {}
        """Interactions that waited again while somebody held them; some that no longer do."""
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
        self.shapes: dict[_ShapeKey, Shape] = {}
        self._siblings: dict[_Wishes, list[Shape]] = {}

    # What things are.

    def shape_of(self, wish: WaitingInteraction) -> Shape:
        """Return what all interactions of equal wishes and value have in common, new if need be."""
        key = shape_key(wish)
        shape = self.shapes.get(key)
        if shape is None:
            wishes = (wish.queue_id, wish.channel, wish.skills, wish.any_of, wish.best_skills, wish.languages)
            siblings = self._siblings.setdefault(wishes, [])
            shape = self.shapes[key] = Shape(self.runs[wish.queue_id], wish, siblings, self.timers.offers)
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

    def line_of(self, shape: Shape, stage: int) -> Line[Item]:
        """Return the line that interactions of the shape compete in at a stage."""
        line = shape.lines.get(stage)
        if line is None:
            value = shape.sample.value
            key = line_key(shape.run.policy, self.policy, value, shape.run.stages.keep_free(stage, value))
            line = self.lines.get(key)
            if line is None:
                line = self.lines[key] = Line(key)
            shape.lines[stage] = line
        return line

    def cell_of(self, shape: Shape) -> AgedCell:
        """Return the cell in which interactions of the shape wait while they age; those of one line share it."""
        cell = shape.cell
        if cell is None:
            line = self.line_of(shape, 0)
            cells = (other.cell for other in shape.siblings)
            cell = next((known for known in cells if known is not None and known.line is line), None)
            if cell is None:
                cell = AgedCell(self.face_of(shape, 0), shape, line)
                line.frontier.enlist(cell)
            shape.cell = cell
            shape.face = self.face_of(shape, 0)
            shape.free = shape.face.free.frontier
        return cell

    def show(self, item: Item, *, ages: bool) -> None:
        """Give the item, which is not placed, the kind, line and cell of its stage."""
        shape, stage = item.shape, item.stage
        if ages:
            item.kind = self.face_of(shape, stage)
            item.cell = self.cell_of(shape)
            item.line = item.cell.line
        else:
            item.kind = self.kind_of(shape, stage)
            item.cell = None
            item.line = self.line_of(shape, stage)

    def refresh(self, item: Item) -> None:
        """Bring the stage of an item that ages up to the present; under an offer it stands still."""
        if item.cell is None or item.is_fully_offered:
            return
        stage = bisect_right(item.shape.run.stages.edges, self.now_ms - item.since_ms)
        if stage != item.stage:
            item.stage = stage
            item.kind = self.face_of(item.shape, stage)

    def stop_ageing(self, item: Item) -> None:
        """Let an item have a stage of its own from now on, as somebody is barred from it. The caller reviews it."""
        if item.cell is None:
            return
        self.refresh(item)
        self.unplace(item)
        self.show(item, ages=False)

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
        return self.left(agent).takes

    def left(self, agent: Agent) -> "Burden[Slot[Agent]]":
        """Return the agent's burden, with what it leaves them to be offered; the same for all of the pool under it."""
        burden, pool = agent.burden, agent.pool
        if not burden.is_known:
            open_costs = {cost for channel, cost in pool.costs.items() if self.room(agent, channel) >= cost[1]}
            burden.takes = 0
            for channel, _ in open_costs:
                burden.takes |= pool.takes[channel]
            burden.slots = slots = tuple(slot for slot in pool.slots if slot.cost in open_costs)
            load = min(burden.used, MOST_LOAD) << LOAD_SHIFT
            burden.shifts = tuple((-load if slot.pack else load) if slot.is_plain else None for slot in slots)
            burden.is_known = True
        return burden

    def burdened(self, agent: Agent, channel: str) -> "tuple[Cost, Burden[Slot[Agent]]]":
        """Return what work of the channel costs the agent, and their burden with it."""
        burden = agent.burden
        cost = self.cost_for(agent, channel)
        found = cost, burden.plus(cost)
        if channel in agent.pool.costs:
            burden.after[channel] = found
        return found

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
        burden = agent.burden
        if not burden.is_known:
            self.left(agent)
        slots = burden.slots
        if not slots:
            return
        keys = []
        for slot, shift in zip(slots, burden.shifts, strict=True):
            _, frontier, cell, _, order, pack, _ = slot
            key = agent_key(order, agent, pack=pack) if shift is None else agent.idle_since_ms + shift
            frontier.put(cell, key, agent)
            keys.append(key)
        agent.places = slots
        agent.keys = tuple(keys)

    def publish_all(self, agents: Iterable[Agent]) -> None:
        """Bring many agents' places up to date."""
        for agent in agents:
            self.publish(agent)

    def unpublish(self, agent: Agent) -> None:
        """Take the agent out of all free agents."""
        for slot, key in zip(agent.places, agent.keys, strict=True):
            slot.frontier.take(slot.cell, key, agent)
        agent.places = agent.keys = ()

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
                self._look_again()
                self.judge(cell)
            return
        self._look_again()
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
        cell = item.cell
        if cell is None:
            self._unplace_alone(item)
        elif cell.line.frontier.take(cell, item.arrival_ms, item):
            # Those who came later have come less far, or as far as it goes.
            keys = cell.keys
            if not keys:
                cell.due_ms = None
                self._idle(cell.line)
            elif cell.due_ms is not None or (
                cell.stage and self.now_ms - keys[cell.front] < cell.edges[cell.stage - 1]
            ):
                self.judge(cell)

    def _unplace_alone(self, item: Item) -> None:
        line = item.line
        if not item.personal:
            line.frontier.take(line.frontier.cells[item.kind.number], item.arrival_ms, item)
        for key in item.personal:
            others = line.personal[key]
            others.remove(item.arrival_ms, item)
            if not others:
                del line.personal[key]
        self._idle(line)

    def _idle(self, line: Line[Item]) -> None:
        """Leave the line out of the busy ones if nobody waits in it."""
        self._look_again()
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
            cell.kind = self.face_of(cell.shape, stage)
            self._look_again()
            cell.line.frontier.renumber(cell, cell.kind.number)
        if stage == len(edges):
            cell.due_ms = None
            return
        due_ms = arrival_ms + edges[stage]
        if due_ms != cell.due_ms:
            first = cell.first
            assert first is not None
            cell.due_ms = due_ms
            self.timers.add((due_ms, _HEAD, first.id, "", cell), -edges[stage])

    def _look_again(self) -> None:
        if self.looks:
            self.looks = {}

    def look(self, burden: "Burden[Slot[Agent]]") -> "tuple[Look, ...]":
        """Find out where those wait whom agents under a burden may take, the weightiest first."""
        found = []
        for line in self.busy_lines:
            frontier = line.frontier
            present = frontier.mask & burden.takes
            if present:
                pick, numbers = frontier.picks.get(present) or frontier.new_pick(present)
                found.append((line, line.heads, line.less, pick, frontier.firsts, numbers, present))
        if len(self.looks) >= _REMEMBERED:
            self.looks.clear()
        self.looks[burden] = looks = tuple(found)
        return looks

    def bar(self, item: Item, agent_id: str, until_ms: int) -> None:
        """Exclude an agent from an item until an instant."""
        self.stop_ageing(item)
        item.exclude(agent_id, until_ms)
        self.barred.setdefault(agent_id, {})[item.id] = None

    def unbar(self, item: Item, agent_id: str) -> None:
        """End an exclusion."""
        item.readmit(agent_id)
        others = self.barred[agent_id]
        del others[item.id]
        if not others:
            del self.barred[agent_id]

    def hold(self, agent: Agent, work: HeldWork) -> None:
        """Record work the agent holds, and take its units."""
        interaction_id, channel, queue_id, since_ms = work
        cost = self.cost_for(agent, channel)
        held = Held(interaction_id, cost, queue_id, since_ms, agent)
        agent.held += (held,)
        agent.take(cost)
        self.works[interaction_id] = (*self.works.get(interaction_id, ()), held)
        if interaction_id in self.items:
            self.returned[interaction_id] = None

    def drop(self, agent_id: str, interaction_id: str) -> Held | None:
        """Forget work the agent held; return it, or None if they did not."""
        works = self.works.pop(interaction_id, None)
        if works is None:
            return None
        work = works[0]
        agent = work[4]
        if len(works) > 1 or agent.id != agent_id:
            others = tuple(each for each in works if each.agent.id != agent_id)
            self.works[interaction_id] = others
            if len(others) == len(works):
                return None
            work = next(each for each in works if each.agent.id == agent_id)
            agent = work.agent
        if len(agent.held) == 1 and not agent.offers:
            agent.held = ()
            agent.burden = agent.pool.no_burden
        else:
            agent.held = tuple(each for each in agent.held if each is not work)
            agent.burden = agent.burden.minus(work.cost)
        return work

    def recost(self, agent: Agent) -> None:
        """Count again what held work and offers cost, as costs may differ in the agent's new pool."""
        agent.burden = agent.pool.no_burden
        for work in agent.held:
            self.works[work.interaction_id] = tuple(
                each for each in self.works[work.interaction_id] if each is not work
            )
        before, agent.held = agent.held, ()
        for work in before:
            self.hold(agent, HeldWork(work.interaction_id, work.cost[0], work.queue_id, work.since_ms))
        for offer in agent.offers:
            offer.cost = self.cost_for(agent, offer.cost[0])
            agent.take(offer.cost)

    # What is due.

    def call_at(self, due_ms: int, what: Due, whose: str, awaited: Awaited, lane: int = 0) -> None:
        """Set a timer; give those that are set equally far ahead a lane of their own."""
        awaited.due_ms = due_ms
        self.timers.add((due_ms, what, whose, "", awaited), lane)
