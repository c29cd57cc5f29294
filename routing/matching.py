"""Bringing together what can be brought together after an event.

One rule: among the interactions that some free agent may take, the most urgent gets its best agent; again until there
is none. Before an event no such pair exists, so only what the event touched has to be looked at: one interaction
that came looks for its best agent, one agent who came free looks for the most urgent work.
"""

from collections.abc import Iterable
from itertools import chain
from math import inf

from routing import offers
from routing.cells import bits
from routing.floor import Agent, Floor, Item, Look
from routing.model import Rule
from routing.ranking import FIRST_SECOND_MS, LATE, LONG_WAIT, Line, Rank
from routing.waiting import call_again, is_able

# Members of an Enum cost as much as a call each time they are named.
_CAME_TO_FREE_AGENT, _AGENT_CAME_FREE = Rule.CAME_TO_FREE_AGENT, Rule.AGENT_CAME_FREE

_NOBODY: dict[str, None] = {}

_Entry = tuple[int, Item]
"""Virtual arrival and who came then: of one line the smallest goes first."""

_Ranked = tuple[Rank, _Entry]

_AFTER_ALL: Rank = LATE + 1, 0.0
"""Goes after everything."""


def settle(floor: Floor) -> None:
    """Make every offer that has become possible, and bring all that was touched into its place."""
    items, agents = floor.dirty_items, floor.dirty_agents
    if floor.has_reservations or len(items) + len(agents) > 1:
        _settle_many(floor)
    elif items:
        settle_item(floor, next(iter(items.values())))
    elif agents:
        settle_agent(floor, next(iter(agents.values())))
    items.clear()
    agents.clear()


def settle_everything(floor: Floor) -> None:
    """Make every offer possible anywhere on the floor."""
    floor.dirty_items.update((item.id, item) for item in floor.items.values() if item.wants_offers)
    floor.dirty_agents.update(floor.agents)
    _settle_many(floor)
    floor.dirty_items.clear()
    floor.dirty_agents.clear()


def settle_item(floor: Floor, item: Item) -> None:
    """Offer the item to the best who may take it, or put it where it is found."""
    while item.own.wanted and not item.is_fully_offered:
        found = best_agent(floor, item)
        if found is None:
            floor.place(item)
            call_again(floor, item)
            return
        agent, rule = found
        offers.make(floor, item, agent, rule or _CAME_TO_FREE_AGENT)


def settle_agent(floor: Floor, agent: Agent) -> None:
    """Offer the agent, who came free, the most urgent they may take, as long as they have room."""
    while True:
        item = most_urgent_for(floor, agent)
        if item is None:
            floor.publish(agent)
            return
        rule = _personal_rule(item, agent.id) if item.own.is_addressed else None
        offers.make(floor, item, agent, rule or _AGENT_CAME_FREE)
        if not agent.places and agent.id not in floor.addressed:
            # Full: were there room, the agent would be among the free for what they take.
            return


def most_urgent_for(floor: Floor, agent: Agent) -> Item | None:
    """Return the most urgent interaction the agent may be offered now, leaving reservations aside."""
    if not floor.busy_lines or not agent.is_up or agent.paused_until_ms > floor.now_ms:
        return None
    burden = agent.burden
    if not burden.is_known:
        floor.left(agent)
    agent_id = agent.id
    is_addressed = agent_id in floor.addressed
    looks = floor.looks.get(burden)
    if looks is None:
        looks = floor.look(burden)
    if not looks and not is_addressed:
        return None
    hidden: list[Item] | None = None
    if burden.used or agent_id in floor.barred:
        hidden = _hide_from(floor, agent)
        looks = floor.looks.get(burden) or floor.look(burden)
    item = _first_in(looks, floor.now_ms)
    if is_addressed:
        item = _challenged_personally(floor, agent, item)
    if hidden:
        for other in hidden:
            floor.place(other)
    if item is not None and (cell := item.cell) is not None and item.stage != cell.stage:
        item.stage = cell.stage
        item.kind = cell.kind
    return item


def _first_in(looks: tuple[Look, ...], now_ms: int) -> Item | None:
    """Return who goes first of all there."""
    found: Look | None = None
    first_ms = 0
    # The keys that stood to choice in the line found, unless they were not picked.
    found_keys: tuple[int, ...] | None = None
    best = _AFTER_ALL
    # What the best weighs if it has waited long: less goes first.
    ahead = inf
    later_ms = now_ms + FIRST_SECOND_MS
    for look in looks:
        line, heads, less, pick, firsts, numbers, present = look
        # Nobody in a line goes before its longest wait, unless that is late and others are in time. Under a backlog
        # most lines end here: their longest wait is long, but weighs less than the best so far.
        weighed_ms = later_ms - heads[0]
        if less * weighed_ms > ahead or (
            weighed_ms < line.long_weighed_ms and found is not None and line.is_behind(best, now_ms)
        ):
            continue
        if pick is not None:
            keys = pick(firsts)
            arrival_ms = min(keys)
        else:
            keys = None
            arrival_ms = firsts[numbers[0]] if len(numbers) == 1 else line.frontier.first_key(present)
        weighed_ms = later_ms - arrival_ms
        if weighed_ms >= line.long_weighed_ms:
            weight = less * weighed_ms
            if weight > ahead:
                continue
            rank = LONG_WAIT, weight
        else:
            weight = inf
            rank = line.rank(arrival_ms, now_ms)
        if rank < best or (
            rank == best
            and found is not None
            and (arrival_ms < first_ms or (arrival_ms == first_ms and _is_before(look, found)))
        ):
            found, found_keys, first_ms = look, keys, arrival_ms
            best, ahead = rank, weight
    if found is None:
        return None
    frontier = found[0].frontier
    if found_keys is None or found_keys.count(first_ms) > 1:
        return frontier.first_of(found[6], first_ms)
    cell = frontier.cells[found[5][found_keys.index(first_ms)]]
    return cell.members[cell.front]


def _is_before(look: Look, other: Look) -> bool:
    """Return whether the first of one line goes before that of another, who came at the same time."""
    return look[0].frontier.first_there(look[6]) < other[0].frontier.first_there(other[6])


def _challenged_personally(floor: Floor, agent: Agent, first: Item | None) -> Item | None:
    """Return who goes first: what is addressed to the agent, or `first`."""
    best: _Ranked | None = None
    if first is not None:
        best = first.line.rank(first.arrival_ms, floor.now_ms), (first.arrival_ms, first)
    for line in floor.busy_lines:
        entry = _earliest(_personal_heads(floor, line, agent)) if line.personal else None
        if entry is not None:
            ranked = (line.rank(entry[0], floor.now_ms), entry)
            if best is None or ranked < best:
                best = ranked
    return None if best is None else best[1][1]


def best_agent(floor: Floor, item: Item) -> tuple[Agent, Rule | None] | None:
    """Return the best free agent for the item and the personal rule that named them, if one did."""
    if item.cell is not None:
        return _first_free(item)
    channel = item.shape.channel
    free = item.kind.free.frontier
    pools = item.kind.pools
    if not pools & free.mask and not item.personal:
        return None
    barred = _barred_from(floor, item)
    if item.personal:
        for agent_id, _ in item.personal:
            if agent_id not in barred and floor.is_free_for(floor.agents[agent_id], channel):
                return floor.agents[agent_id], _personal_rule(item, agent_id)
        return None
    keep_free = item.line.key.keep_free
    if keep_free and free.count(pools, keep_free + 1) <= keep_free:
        return None
    for agent_id in item.own.preferred_agent_ids:
        if agent_id not in barred and is_able(floor, item, agent_id):
            agent = floor.agents[agent_id]
            if floor.is_free_for(agent, channel):
                return agent, Rule.STICKY_AGENT
    return _first_free_but(floor, item, barred) if barred else _first_free(item)


def _first_free(item: Item) -> tuple[Agent, None] | None:
    kind = item.kind
    frontier = kind.free.frontier
    free = frontier.mask
    for mask in kind.masks:
        if mask & free:
            return frontier.first_there(mask & free), None
    return None


def _first_free_but(floor: Floor, item: Item, barred: dict[str, None]) -> tuple[Agent, None] | None:
    free = item.kind.free
    hidden = []
    for agent_id in barred:
        agent = floor.agents.get(agent_id)
        if agent is None:
            continue
        for slot, key in zip(agent.places, agent.keys, strict=True):
            if slot.number == free.number:
                free.frontier.take(slot.cell, key, agent)
                hidden.append((slot.cell, key, agent))
    found = _first_free(item)
    for cell, key, agent in hidden:
        free.frontier.put(cell, key, agent)
    return found


def _barred_from(floor: Floor, item: Item) -> dict[str, None]:
    """Who is not offered the item: those excluded, those who are offered it already, those who still hold it."""
    works = floor.works.get(item.id, ())
    excluded = item.own.excluded
    if not excluded and not item.offers and not works:
        return _NOBODY
    barred: dict[str, None] = dict.fromkeys(excluded)
    barred.update((offer.agent.id, None) for offer in item.offers)
    barred.update((work.agent.id, None) for work in works)
    return barred


def _hide_from(floor: Floor, agent: Agent) -> list[Item]:
    """Take the items the agent is barred from out of their lines; the caller puts them back."""
    hidden: list[Item] = []
    held = (work.interaction_id for work in agent.held)
    offered = (offer.item.id for offer in agent.offers)
    for item_id in chain(floor.barred.get(agent.id, ()), offered, held):
        item = floor.items.get(item_id)
        if item is not None and item.placed:
            floor.unplace(item)
            hidden.append(item)
    return hidden


def _personal_heads(floor: Floor, line: Line[Item], agent: Agent) -> Iterable[_Entry]:
    for channel in agent.pool.costs:
        cell = line.personal.get((agent.id, channel))
        first = None if cell is None else cell.first
        if first is not None and floor.is_free_for(agent, channel):
            yield first.arrival_ms, first


def _personal_rule(item: Item, agent_id: str) -> Rule | None:
    own = item.own
    if own.personal and own.only_agent_id == agent_id:
        return Rule.ONLY_AGENT
    return Rule.STICKY_AGENT if agent_id in own.preferred_agent_ids else None


def _earliest(entries: Iterable[_Entry]) -> _Entry | None:
    return min(entries, default=None)


def _settle_many(floor: Floor) -> None:
    """The same rule where an event touched several: pick the most urgent over all they could lead to."""
    floor.publish_all(floor.dirty_agents.values())
    came = dict(floor.dirty_items)
    mask = 0
    people = dict(floor.dirty_agents)
    for item in came.values():
        if not item.wants_offers:
            continue
        floor.place(item)
        mask |= floor.faces_of(item.shape) if item.cell is not None else 1 << item.kind.number
        people.update((agent_id, floor.agents[agent_id]) for agent_id, _ in item.personal)
    for agent in floor.dirty_agents.values():
        mask |= floor.takes(agent)
    aside: list[Item] = []
    while (first := _most_urgent_among(floor, mask, people, aside)) is not None:
        found = best_agent(floor, first)
        assert found is not None
        agent, rule = found
        usual = Rule.CAME_TO_FREE_AGENT if first.id in came else Rule.AGENT_CAME_FREE
        offers.make(floor, first, agent, rule or usual)
    for item in aside:
        floor.place(item)
    for item in came.values():
        if item.placed:
            call_again(floor, item)


def _most_urgent_among(floor: Floor, mask: int, people: dict[str, Agent], aside: list[Item]) -> Item | None:
    """Return the most urgent that can be taken; what stands before it and cannot goes out of its line, to `aside`."""
    best: _Ranked | None = None
    for line in floor.busy_lines:
        entry = _first_of(floor, line, mask, people)
        while entry is not None and not _can_be_taken(floor, entry[1]):
            floor.unplace(entry[1])
            aside.append(entry[1])
            entry = _first_of(floor, line, mask, people)
        if entry is None:
            continue
        rank = (line.rank(entry[0], floor.now_ms), entry)
        if best is None or rank < best:
            best = rank
    if best is None:
        return None
    item = best[1][1]
    floor.refresh(item)
    return item


def _first_of(floor: Floor, line: Line[Item], mask: int, people: dict[str, Agent]) -> _Entry | None:
    first = line.frontier.first(_takeable(floor, line, mask))
    entry = None if first is None else (first.arrival_ms, first)
    if not line.personal:
        return entry
    heads = (each for agent in people.values() for each in _personal_heads(floor, line, agent))
    return _earliest(chain(() if entry is None else (entry,), heads))


def _can_be_taken(floor: Floor, item: Item) -> bool:
    """Return whether somebody free may take an item of a kind that somebody free may take: unless all are barred."""
    return not _barred_from(floor, item) or best_agent(floor, item) is not None


def _takeable(floor: Floor, line: Line[Item], mask: int) -> int:
    """Return the kinds of the mask that wait in the line and have enough free agents."""
    keep_free = line.key.keep_free
    takeable = 0
    for number in bits(mask & line.frontier.mask):
        kind = floor.catalogue.kinds[number]
        free = kind.free.frontier
        if kind.pools & free.mask and (not keep_free or free.count(kind.pools, keep_free + 1) > keep_free):
            takeable |= 1 << number
    return takeable
