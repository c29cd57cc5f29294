"""An interaction's time in a queue: coming in, relaxing, being put where it can be found, flowing out."""

from bisect import bisect_right

from routing import hours
from routing.catalogue import Kind
from routing.cells import bits
from routing.checks import LAST_MS, check_figures, check_wishes
from routing.eligibility import Need
from routing.errors import AlreadyKnown
from routing.events import FlowOut, Relaxed
from routing.floor import Agent, Floor, Item, QueueRun, shape_key
from routing.model import Figure, FlowCause, Reason, Rule, WaitingInteraction, WayOut, WayOutKind
from routing.pieces import NOTHING_UNUSUAL, AgedCell, Particulars
from routing.timers import Due

# What a named tuple's own maker adds, an initialiser, and naming a member of an Enum, cost as much as a call.
_tuple = tuple.__new__
_new = object.__new__
_ITEM = Due.ITEM


def arrive(floor: Floor, wish: WaitingInteraction) -> Item | None:
    """Take an interaction into its queue, or let it flow out at once: full, closed, nobody there, nobody able.

    Returns the item if all that is left to do is to offer it to somebody free.

    Raises:
        ImpossibleInput: the interaction cannot be; nothing has changed.
    """
    # As `shape_key` says, in place: most that come are of a known shape and nothing is unusual about them.
    shape = floor.shapes.get(
        (
            wish.queue_id,
            wish.channel,
            wish.skills,
            wish.any_of,
            wish.best_skills,
            wish.languages,
            wish.value,
            wish.stays,
        )
    )
    arrival_ms = wish.queued_at_ms
    item_id = wish.id
    order = wish.order
    if (
        shape is None
        or (cell := shape.cell) is None
        or not shape.run.is_plain
        or floor.now_ms - arrival_ms >= shape.quiet_ms
        or wish.head_start_ms
        or wish.only_agent_id is not None
        or wish.preferred_agent_ids
        or wish.excluded
        or wish.least_stage
        or item_id in floor.works
        or not item_id
        or not 0 <= arrival_ms | order | wish.offers_made < LAST_MS
    ):
        return _arrive_with_care(floor, wish)
    item = _new(Item)
    item.id = item_id
    item.shape = shape
    item.arrival_ms = arrival_ms
    item.order = order or floor.order + 1
    item.offers = ()
    item.offers_made = wish.offers_made
    item.is_fully_offered = item.placed = False
    item.due_ms = None
    item.stage = 0
    item.kind = kind = shape.face
    item.line = cell.line
    item.cell = cell
    item.own = NOTHING_UNUSUAL
    if floor.items.setdefault(item_id, item) is not item:
        raise AlreadyKnown(f"interaction {item_id} waits already")
    if item.order > floor.order:
        floor.order = item.order
    free = shape.free.mask
    if free and kind.pools & free:
        return item
    keys = cell.keys
    if keys and arrival_ms > keys[-1]:
        keys.append(arrival_ms)
        cell.members.append(item)
        item.placed = True
    else:
        floor.place(item)
    return None


def check(floor: Floor, wish: WaitingInteraction) -> None:
    """Raise ImpossibleInput if the interaction cannot be."""
    check_figures(wish)
    if shape_key(wish) not in floor.shapes:
        check_wishes(floor.policy, wish)
    if wish.id in floor.items:
        raise AlreadyKnown(f"interaction {wish.id} waits already")


def _arrive_with_care(floor: Floor, wish: WaitingInteraction) -> Item | None:
    check(floor, wish)
    item = new_item(floor, wish)
    if item.cell is None or not item.run.is_plain:
        if not _flowed_out_at_once(floor, item):
            enter(floor, item)
            review(floor, item)
        return None
    floor.items[item.id] = item
    kind = item.kind
    if kind.pools & kind.free.frontier.mask:
        return item
    floor.place(item)
    return None


def _flowed_out_at_once(floor: Floor, item: Item) -> bool:
    run = item.run
    queue = run.policy
    is_full = queue.max_length is not None and len(run.items) >= queue.max_length
    if is_full and queue.when_full is not None and may_take(item, queue.when_full):
        _flow_out(floor, item, FlowCause.QUEUE_FULL, queue.when_full, {"max_length": queue.max_length or 0})
        return True
    is_served = True
    if run.hours is not None or run.forced is not None:
        is_served = run.serves(item, floor.now_ms)
        if queue.when_closed is not None and not is_served and may_take(item, queue.when_closed):
            _flow_out(floor, item, FlowCause.CLOSED, queue.when_closed, {})
            return True
    return is_served and run.minds_lack and _flowed_out_for_lack(floor, item)


def may_take(item: Item, way_out: WayOut) -> bool:
    """Whether the item leaves by this way out: what nobody waits for only goes where somebody answers it."""
    return not item.shape.sample.stays or way_out.kind is WayOutKind.QUEUE


def new_item(floor: Floor, interaction: WaitingInteraction) -> Item:
    """Return the item of an interaction, not yet part of anything but numbered."""
    shape = floor.shape_of(interaction)
    run = shape.run
    since_ms = interaction.queued_at_ms
    if run.hours is not None and not run.policy.count_closed_wait:
        since_ms = hours.next_open_ms(run.hours, since_ms) or since_ms
    item = _new(Item)
    item.id = interaction.id
    item.shape = shape
    item.arrival_ms = since_ms - interaction.head_start_ms
    item.order = interaction.order or floor.order + 1
    floor.order = max(floor.order, item.order)
    item.offers = ()
    item.offers_made = interaction.offers_made
    item.is_fully_offered = item.placed = False
    item.due_ms = None
    item.stage = 0
    item.own = _own(run, interaction)
    ages = run.ages and not _has_wishes_of_its_own(interaction) and item.id not in floor.works
    if ages:
        item.stage = run.stages.stage_at(floor.now_ms - since_ms)
    floor.show(item, ages=ages)
    return item


def _own(run: QueueRun, interaction: WaitingInteraction) -> Particulars:
    if run.hours is None and not _has_wishes_of_its_own(interaction):
        return NOTHING_UNUSUAL
    own = Particulars(interaction)
    # Moved on under a policy that had more stages: it stays in the last there is.
    own.least_stage = min(own.least_stage, run.stages.last)
    own.came_open = run.was_open(interaction.queued_at_ms)
    return own


def _has_wishes_of_its_own(interaction: WaitingInteraction) -> bool:
    """Return whether it is not like all others of its shape: addressed, moved forward, relaxed or declined before."""
    is_addressed = interaction.only_agent_id is not None or bool(interaction.preferred_agent_ids)
    return is_addressed or bool(interaction.head_start_ms or interaction.least_stage or interaction.excluded)


def enter(floor: Floor, item: Item) -> None:
    """Make the item known to the floor; it is not placed yet."""
    floor.items[item.id] = item
    run = item.run
    if not run.is_simple:
        run.items[item.id] = item
    if item.id in floor.works:
        floor.returned[item.id] = None
    if item.own is NOTHING_UNUSUAL:
        return
    for agent_id in item.excluded:
        floor.barred.setdefault(agent_id, {})[item.id] = None
    for agent_id in _addressees(item):
        floor.addressed.setdefault(agent_id, {})[item.id] = None


def forget(floor: Floor, item: Item) -> None:
    """Take the item, whose offers have ended, out of everything."""
    if item.placed:
        floor.unplace(item)
    item.due_ms = None
    item_id = item.id
    del floor.items[item_id]
    run = item.shape.run
    if not run.is_simple:
        del run.items[item_id]
    if floor.dirty_items:
        floor.dirty_items.pop(item_id, None)
    if item.own is NOTHING_UNUSUAL:
        return
    for agent_id in tuple(item.excluded):
        floor.unbar(item, agent_id)
    for agent_id in _addressees(item):
        others = floor.addressed[agent_id]
        del others[item_id]
        if not others:
            del floor.addressed[agent_id]


def review(floor: Floor, item: Item) -> None:
    """Bring an item up to the present: its limits, stage, audience and place, and when to look at it next."""
    if item.excluded:
        _let_back(floor, item)
    if item.is_fully_offered:
        item.due_ms = None
        return
    run = item.run
    if run.is_limited and _flowed_out_late(floor, item):
        return
    if item.cell is not None:
        floor.refresh(item)
    else:
        is_quiet = floor.now_ms - item.since_ms < run.stages.quiet_ms and not item.least_stage and not item.excluded
        if not is_quiet and _relaxed_out(floor, item):
            return
    if item.is_addressed or run.hours is not None or run.forced is not None:
        _aim(floor, item)
        if not item.wanted:
            call_again(floor, item)
        return
    item.aim(wanted=True, personal=item.personal)
    kind = item.kind
    if kind.pools & kind.free.frontier.mask:
        floor.dirty_items[item.id] = item
        return
    # Nobody free may take it. Agents just coming free are not among the free yet: they look for it there.
    if not item.placed:
        floor.place(item)
    call_again(floor, item)


def review_head(floor: Floor, cell: AgedCell) -> None:
    """Bring a cell up to the stage its first has come to, and that one before those who may take it now."""
    floor.judge(cell)
    item = cell.first
    assert item is not None
    floor.refresh(item)
    if item.kind.pools & item.kind.free.frontier.mask:
        floor.dirty_items[item.id] = item


def _let_back(floor: Floor, item: Item) -> None:
    """End the exclusions that have run out."""
    for agent_id, until_ms in list(item.excluded.items()):
        if until_ms <= floor.now_ms:
            floor.unbar(item, agent_id)


def resume(floor: Floor, item: Item) -> None:
    """Place a rebuilt item as it stood; limits it has passed meanwhile are acted upon with the first event."""
    _aim(floor, item)
    call_again(floor, item)
    waited_ms = floor.now_ms - item.since_ms
    is_late = item.run.is_limited and waited_ms >= (item.run.policy.max_wait_ms or 0)
    if is_late or item.run.stages.ways_out[item.stage] is not None:
        floor.call_at(floor.now_ms, Due.ITEM, item.id, item)


def _flowed_out_late(floor: Floor, item: Item) -> bool:
    queue = item.run.policy
    if queue.max_wait_ms is None or queue.when_waited is None or item.offers:
        return False
    if not may_take(item, queue.when_waited):
        return False
    waited_ms = floor.now_ms - item.since_ms
    if waited_ms < queue.max_wait_ms:
        return False
    flow_out(floor, item, FlowCause.WAITED_TOO_LONG, queue.when_waited, {"waited_ms": waited_ms})
    return True


def _relaxed_out(floor: Floor, item: Item) -> bool:
    """Move the item to the stage it has come to; return whether that let it flow out."""
    stages = item.run.stages
    waited_ms = floor.now_ms - item.since_ms
    stage = bisect_right(stages.edges, waited_ms)
    if stage < item.least_stage or stage < item.stage:
        stage = max(item.stage, item.least_stage)
    while True:
        if stage > item.stage:
            _move(floor, item, stage)
        way_out = stages.ways_out[stage]
        if way_out is not None and not item.offers and may_take(item, way_out):
            flow_out(floor, item, FlowCause.RELAXED_OUT, way_out, {"waited_ms": waited_ms, "stage": stage})
            return True
        if not item.excluded or stage >= stages.last or not _everybody_declined(floor, item.kind, item):
            return False
        stage += 1
        item.relax_to(stage)
        reason = _tuple(Reason, (Rule.ALL_DECLINED, {"waited_ms": waited_ms}))
        floor.out.append(_tuple(Relaxed, (item.id, stage, reason)))


def _move(floor: Floor, item: Item, stage: int) -> None:
    """Let the item be in a stage, and of the kind and in the line of that; it is placed there later."""
    item.stage = stage
    shape = item.shape
    kind = floor.kind_of(shape, stage)
    line = floor.line_of(shape, stage)
    if item.placed and (item.kind is not kind or item.line is not line):
        floor.unplace(item)
    item.kind = kind
    item.line = line


def review_addressed(floor: Floor, agent_id: str) -> None:
    """Review what is addressed to an agent whose state has changed."""
    for item_id in list(floor.addressed.get(agent_id, ())):
        item = floor.items.get(item_id)
        if item is not None:
            review(floor, item)


def _everybody_declined(floor: Floor, kind: Kind[Agent], item: Item) -> bool:
    catalogue = floor.catalogue
    for number in bits(kind.pools & catalogue.populated):
        for agent in catalogue.pools[number].members.values():
            if agent.is_up and agent.id not in item.excluded:
                return False
    return True


def _aim(floor: Floor, item: Item) -> None:
    """Decide who may see the item now: everybody able, its own agents only, or nobody yet."""
    wanted = item.run.serves(item, floor.now_ms)
    personal: tuple[tuple[str, str], ...] = ()
    if wanted:
        wanted, personal = _audience(floor, item)
    if personal != item.personal or not wanted:
        floor.unplace(item)
    item.aim(wanted=wanted, personal=personal)
    if wanted:
        floor.dirty_items[item.id] = item
    else:
        floor.dirty_items.pop(item.id, None)


def _audience(floor: Floor, item: Item) -> tuple[bool, tuple[tuple[str, str], ...]]:
    own, channel = item.own, item.shape.channel
    waited_ms = floor.now_ms - item.since_ms
    only = own.only_agent_id
    if only is not None:
        until_ms = item.run.policy.only_agent_ms
        if until_ms is None or waited_ms < until_ms:
            if only not in floor.agents or only in own.excluded:
                return False, ()
            return True, ((only, channel),)
    if own.preferred_agent_ids and waited_ms < item.run.policy.sticky_ms:
        known = tuple(
            (agent_id, channel)
            for agent_id in own.preferred_agent_ids
            if agent_id not in own.excluded and is_able(floor, item, agent_id)
        )
        return True, known
    return True, ()


def is_able(floor: Floor, item: Item, agent_id: str) -> bool:
    """Return whether the agent is there and has what the item needs at its stage, busy or not."""
    agent = floor.agents.get(agent_id)
    return agent is not None and agent.is_up and bool(item.kind.pools >> agent.pool.number & 1)


def call_again(floor: Floor, item: Item) -> None:
    """Set the timer for the next instant at which the item changes by itself. For items that stay waiting."""
    run = item.run
    if item.cell is not None:
        due_ms = None
        if run.is_limited:
            due_ms = item.since_ms + (run.policy.max_wait_ms or 0)
            if due_ms != item.due_ms:
                floor.call_at(due_ms, _ITEM, item.id, item, -(run.policy.max_wait_ms or 0))
        item.due_ms = due_ms
        return
    next_ms = min((due for due in _dues(item) if due > floor.now_ms), default=None)
    if next_ms is not None and next_ms != item.due_ms:
        floor.call_at(next_ms, _ITEM, item.id, item)
    item.due_ms = next_ms


def _dues(item: Item) -> list[int]:
    queue, stages, own = item.run.policy, item.run.stages, item.own
    waits = [stages.next_edge_ms(item.stage)]
    if item.run.is_limited:
        waits.append(queue.max_wait_ms)
    if own.preferred_agent_ids and queue.sticky_ms:
        waits.append(queue.sticky_ms)
    if own.only_agent_id is not None:
        waits.append(queue.only_agent_ms)
    return [item.since_ms + wait_ms for wait_ms in waits if wait_ms is not None] + list(own.excluded.values())


def next_change_ms(floor: Floor, item: Item) -> int | None:
    """Return when the item changes by itself next, as it stands now; None: never."""
    if item.is_fully_offered:
        return None
    return min((due for due in _dues(item) if due > floor.now_ms), default=None)


def flow_out(floor: Floor, item: Item, cause: FlowCause, way_out: WayOut, figures: dict[str, Figure]) -> None:
    """Let a known item, which has no live offer, leave by a way out."""
    forget(floor, item)
    _flow_out(floor, item, cause, way_out, figures)


def _flow_out(floor: Floor, item: Item, cause: FlowCause, way_out: WayOut, figures: dict[str, Figure]) -> None:
    reason = Reason(Rule.WAY_OUT, {"cause": cause.value, **figures})
    floor.out.append(FlowOut(item.id, item.run.policy.id, cause, way_out, reason))


def _addressees(item: Item) -> dict[str, None]:
    own = item.own
    found = dict.fromkeys(own.preferred_agent_ids)
    if own.only_agent_id is not None:
        found[own.only_agent_id] = None
    return found


# Whether anybody could ever take it.


def lack_of(floor: Floor, item: Item) -> FlowCause | None:
    """Return why nobody logged in could ever take the item, or None if somebody could."""
    only, run = item.own.only_agent_id, item.run
    if only is not None and run.policy.only_agent_ms is None:
        return None if only in floor.agents else FlowCause.NOBODY_LOGGED_IN
    catalogue = floor.catalogue
    kind = floor.kind_of(item.shape, run.stages.last)
    run.final_kinds[kind.number] = kind
    if kind.pools & catalogue.populated:
        return None
    members = catalogue.kind(Need(kind.need.channel, kind.need.doors, order=kind.need.order))
    return FlowCause.NOBODY_ABLE if members.pools & catalogue.populated else FlowCause.NOBODY_LOGGED_IN


def _flowed_out_for_lack(floor: Floor, item: Item) -> bool:
    queue = item.run.policy
    if not item.run.minds_lack:
        return False
    cause = lack_of(floor, item)
    if cause is None:
        return False
    way_out = queue.when_nobody if cause is FlowCause.NOBODY_LOGGED_IN else queue.when_unable
    if way_out is None or not may_take(item, way_out):
        return False
    if item.id in floor.items:
        forget(floor, item)
    _flow_out(floor, item, cause, way_out, {})
    return True


def check_reach(floor: Floor) -> None:
    """Call for a review, after the grace, of each queue where some who wait may have lost their last able agent."""
    populated = floor.catalogue.populated
    for run in floor.runs.values():
        if run.items and any(not kind.pools & populated for kind in run.final_kinds.values()):
            call_review(floor, run)


def call_review(floor: Floor, run: QueueRun) -> None:
    """Call for a review of a queue that has a way out for want of agents, unless one is due already."""
    queue = run.policy
    if run.review.due_ms is None and (queue.when_nobody is not None or queue.when_unable is not None):
        floor.call_at(floor.now_ms + floor.policy.nobody_grace_ms, Due.QUEUE_REVIEW, queue.id, run.review)


def _those_in(floor: Floor, run: QueueRun) -> list[Item]:
    """Return who waits in the queue or is offered, in the order they came."""
    if run.is_simple:
        return [item for item in floor.items.values() if item.run is run]
    return list(run.items.values())


def review_queue(floor: Floor, run: QueueRun) -> None:
    """Let those flow out whom nobody logged in could ever take."""
    run.review.due_ms = None
    for item in _those_in(floor, run):
        if not item.offers and run.serves(item, floor.now_ms):
            _flowed_out_for_lack(floor, item)


def reopen(floor: Floor, run: QueueRun) -> None:
    """Act on a queue's opening or closing: wake those who slept, send off or put to sleep those who may not stay."""
    when_closed = run.policy.when_closed
    for item in _those_in(floor, run):
        if item.offers:
            continue
        if when_closed is not None and not run.serves(item, floor.now_ms) and may_take(item, when_closed):
            flow_out(floor, item, FlowCause.CLOSED, when_closed, {})
        else:
            review(floor, item)
    if run.is_open(floor.now_ms):
        call_review(floor, run)


def watch_hours(floor: Floor, run: QueueRun) -> None:
    """Set the timer for the queue's next opening or closing."""
    edge_ms = run.next_edge_ms(floor.now_ms)
    if edge_ms is not None:
        floor.call_at(edge_ms, Due.QUEUE_EDGE, run.policy.id, run.edge)
