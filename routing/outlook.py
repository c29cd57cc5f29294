"""How an interaction stands among those who wait: its place, and how long it will take."""

from routing import estimate, matching, waiting
from routing.catalogue import Kind
from routing.cells import Cell, bits
from routing.floor import Floor, Item
from routing.model import WaitingInteraction
from routing.ranking import Line


def position(floor: Floor, item: Item) -> int:
    """Return the item's place in its queue; 1 is next, also while it is offered."""
    queue_id = item.interaction.queue_id
    ahead = 0
    for line, kind, cell in _cells(floor):
        if kind.need.doors[0].queue_id == queue_id:
            ahead += _ahead_in(floor, line, cell, item)
    return ahead + 1


def expected_wait_ms(floor: Floor, item: Item) -> int | None:
    """Return how much longer the item is expected to wait; None when no agent who is there may take it."""
    if item.offers:
        return 0
    if item.wanted and matching.best_agent(floor, item) is not None:
        return 0
    stages = item.run.stages
    kind = next(
        (
            kind
            for kind in (floor.kind_of(item, stage) for stage in range(item.stage, stages.last + 1))
            if floor.crew(kind.pools)
        ),
        None,
    )
    if kind is None:
        return None
    ahead = 0.0
    work_ms = 0.0
    for line, other, cell in _cells(floor):
        shared = floor.crew(other.pools & kind.pools)
        if shared:
            count = _ahead_in(floor, line, cell, item) * shared / floor.crew(other.pools)
            ahead += count
            work_ms += count * floor.learned.handling_ms(other.need.doors[0].queue_id)
    queue_id = item.interaction.queue_id
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
    item.kind = floor.kind_of(item, item.stage)
    item.line = floor.line_of(item)
    return expected_wait_ms(floor, item)


def _cells(floor: Floor) -> list[tuple[Line, Kind, Cell]]:
    kinds = floor.catalogue.kinds
    return [
        (line, kinds[number], line.frontier.cells[number])
        for line in floor.busy_lines.values()
        for number in bits(line.frontier.mask)
    ]


def _hands(floor: Floor, kind: Kind) -> float:
    """How many interactions of the kind the agents who are there can have in hand at once."""
    total = 0.0
    for number in bits(kind.pools & floor.catalogue.populated):
        pool = floor.catalogue.pools[number]
        units = pool.units[kind.need.channel]
        total += floor.crew(1 << number) * (pool.talent.capacity_units // units)
    return total


def _ahead_in(floor: Floor, line: Line, cell: Cell, item: Item) -> int:
    """How many of a cell would be taken before the item: in its own line by arrival, elsewhere by urgency now."""
    if line is item.line:
        return cell.count_before(item.entry)
    group, less = item.line.rank(item.arrival_ms, floor.now_ms)
    ahead = 0
    for its_group, first_ms, last_ms in line.stretches(floor.now_ms):
        if its_group > group:
            continue
        before_ms = last_ms
        if its_group == group:
            before_ms = min(last_ms, line.arrival_of_score(-less, floor.now_ms))
        if before_ms > first_ms:
            ahead += cell.count_before((before_ms,)) - cell.count_before((first_ms,))
    return ahead
