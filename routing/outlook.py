"""How an interaction stands among those who wait: its place, and how long it will take."""

from routing import estimate, matching, waiting
from routing.catalogue import Kind
from routing.cells import Cell, bits
from routing.floor import Agent, Floor, Item
from routing.model import WaitingInteraction
from routing.ranking import IN_TIME, LATE, Line

_Known = tuple[Line[Item], Kind[Agent], Cell[Item]]


def position(floor: Floor, item: Item) -> int:
    """Return the item's place in its queue; 1 is next, also while it is offered."""
    floor.refresh(item)
    queue_id = item.run.policy.id
    cells = [each for each in _cells(floor) if each[1].need.doors[0].queue_id == queue_id]
    ahead = _Ahead(cells, item, floor.now_ms)
    return 1 + sum(ahead.count(line, cell) for line, _, cell in cells)


def expected_wait_ms(floor: Floor, item: Item) -> int | None:
    """Return how much longer the item is expected to wait; None when no agent who is there may take it."""
    if item.offers:
        return 0
    floor.refresh(item)
    if item.wanted and matching.best_agent(floor, item) is not None:
        return 0
    stages = item.run.stages
    kind = next(
        (
            kind
            for kind in (floor.kind_of(item.shape, stage) for stage in range(item.stage, stages.last + 1))
            if floor.crew(kind.pools)
        ),
        None,
    )
    if kind is None:
        return None
    ahead = 0.0
    work_ms = 0.0
    cells = [each for each in _cells(floor) if floor.crew(each[1].pools & kind.pools)]
    before = _Ahead(cells, item, floor.now_ms)
    for line, other, cell in cells:
        count = before.count(line, cell) * floor.crew(other.pools & kind.pools) / floor.crew(other.pools)
        if count:
            ahead += count
            work_ms += count * floor.learned.handling_ms(other.need.doors[0].queue_id)
    queue_id = item.run.policy.id
    own_ms = floor.learned.handling_ms(queue_id)
    mean_ms = (work_ms + own_ms) / (ahead + 1)
    served_per_ms = _hands(floor, kind) / mean_ms
    return round(estimate.wait_ms(ahead, served_per_ms, floor.learned.give_up_rate(queue_id)))


def expected_wait_of_new_ms(floor: Floor, interaction: WaitingInteraction) -> int | None:
    """Return how long an interaction would be expected to wait if it came now."""
    order_before = floor.order
    item = waiting.new_item(floor, interaction)
    floor.order = order_before
    item.stage = max(item.least_stage, item.run.stages.stage_at(floor.now_ms - item.since_ms))
    floor.show(item, ages=item.cell is not None)
    return expected_wait_ms(floor, item)


def _cells(floor: Floor) -> list[_Known]:
    kinds = floor.catalogue.kinds
    return [
        (line, kinds[number], line.frontier.cells[number])
        for line in floor.busy_lines
        for number in bits(line.frontier.mask)
    ]


def _hands(floor: Floor, kind: Kind[Agent]) -> float:
    """How many interactions of the kind the agents who are there can have in hand at once."""
    total = 0.0
    for number in bits(kind.pools & floor.catalogue.populated):
        pool = floor.catalogue.pools[number]
        _, units = pool.costs[kind.need.channel]
        total += floor.crew(1 << number) * (pool.talent.capacity_units // units)
    return total


class _Ahead:
    """Counts who of some cells would be taken before an item.

    In its own line by arrival, elsewhere by urgency now. Lines give out their first only, so that behind a late one
    those in time stand no better than the last of the late.
    """

    def __init__(self, cells: list[_Known], item: Item, now_ms: int) -> None:
        self._item = item
        self._now_ms = now_ms
        self._late_ms: dict[Line[Item], int] = {}
        for line, _, cell in cells:
            for group, first_ms, end_ms in line.stretches(now_ms):
                latest_ms = cell.last_before(end_ms) if group == LATE else None
                if latest_ms is not None and latest_ms >= first_ms:
                    self._late_ms[line] = max(self._late_ms.get(line, 0), latest_ms)
        self._rank = self._rank_in(item.line, item.line.rank(item.arrival_ms, now_ms))

    def count(self, line: Line[Item], cell: Cell[Item]) -> int:
        """Return how many of the cell go before the item."""
        if line is self._item.line:
            return cell.count_before(self._item.arrival_ms, self._item)
        group, less = self._rank
        ahead = 0
        for its_group, first_ms, end_ms in line.stretches(self._now_ms):
            before_ms = end_ms
            if its_group == IN_TIME and line in self._late_ms:
                if line.rank(self._late_ms[line], self._now_ms) > self._rank:
                    continue
            elif its_group > group:
                continue
            elif its_group == group:
                before_ms = min(end_ms, line.arrival_of_score(-less, self._now_ms))
            if before_ms > first_ms:
                ahead += cell.count_before(before_ms) - cell.count_before(first_ms)
        return ahead

    def _rank_in(self, line: Line[Item], rank: tuple[int, float]) -> tuple[int, float]:
        if rank[0] == IN_TIME and line in self._late_ms:
            return line.rank(self._late_ms[line], self._now_ms)
        return rank
