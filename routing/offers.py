"""An offer's life: made, accepted, ended, with what each means for the agent and the interaction."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from routing import capacity, waiting
from routing.capacity import Cost
from routing.events import MakeOffer, MarkNotResponding, WithdrawOffer
from routing.floor import Agent, Floor, Held, Item, Offer
from routing.model import Figure, HeldWork, OfferEnd, Reason, Rule
from routing.ranking import GROUP_NAMES, Line
from routing.timers import Due

# What a named tuple's own maker adds costs as much as a call, and so does an initialiser.
_tuple = tuple.__new__
_new = object.__new__


_Compared = tuple[Line[Item], int, int, int, int, int, int]


class OfferFigures(Mapping[str, Figure]):
    """What an offer's rule compared. Reckoned when somebody reads it, as most offers are never asked about."""

    __slots__ = ("compared",)

    compared: _Compared
    """What `of` was given, as it stood."""

    @classmethod
    def of(cls, item: Item, agent: Agent, now_ms: int) -> "OfferFigures":
        """Return the figures of an item and an agent as they stand now."""
        figures = _new(cls)
        figures.compared = (
            item.line,
            item.arrival_ms,
            now_ms,
            item.since_ms,
            item.stage,
            agent.idle_since_ms,
            agent.used,
        )
        return figures

    def _read(self) -> dict[str, Figure]:
        line, arrival_ms, now_ms, since_ms, stage, idle_since_ms, used = self.compared
        group, score = line.rank(arrival_ms, now_ms)
        return {
            "waited_ms": now_ms - since_ms,
            "group": GROUP_NAMES[group],
            "urgency": -score,
            "stage": stage,
            "agent_idle_ms": now_ms - idle_since_ms,
            "agent_units": used,
        }

    def __getitem__(self, name: str) -> Figure:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def make(floor: Floor, item: Item, agent: Agent, rule: Rule, *, is_exclusive: bool = False) -> None:
    """Offer the item to the agent and hold their capacity. With `is_exclusive` they are not asked."""
    now_ms = floor.now_ms
    shape = item.shape
    channel = shape.channel
    item.offers_made = no = item.offers_made + 1
    cost = agent.pool.costs.get(channel) or floor.cost_for(agent, channel)
    deadline_ms = now_ms + shape.timeout_ms
    offer = Offer(item, agent, no, deadline_ms, now_ms, cost)
    interrupts = _interrupts(floor, agent, cost) if agent.held else ()
    figures = OfferFigures.of(item, agent, now_ms)
    agent.burden = agent.burden.plus(cost)
    agent.used += cost[1]
    agent.last_offer_at_ms = now_ms
    alone = (offer,)
    agent.offers = agent.offers + alone if agent.offers else alone
    item.offers = item.offers + alone if item.offers else alone
    if is_exclusive or len(item.offers) >= item.run.offers_at_once:
        offer.is_exclusive = is_exclusive
        item.is_fully_offered = True
        if item.placed:
            floor.unplace(item)
        item.due_ms = None
        if floor.dirty_items:
            floor.dirty_items.pop(item.id, None)
    floor.publish(agent)
    # Let it end at its deadline. Most of those made before it have been answered meanwhile.
    others = shape.offers
    others.append(offer)
    while others[0].due_ms is None:
        others.popleft()
    if deadline_ms < floor.timers.next_ms:
        floor.timers.next_ms = deadline_ms
    reason = _tuple(Reason, (rule, figures))
    auto_accept = is_exclusive or shape.auto_accept
    floor.out.append(_tuple(MakeOffer, (item.id, agent.id, no, deadline_ms, auto_accept, interrupts, reason)))


def _interrupts(floor: Floor, agent: Agent, cost: Cost) -> tuple[str, ...]:
    held = [(work.interaction_id, work.cost[0]) for work in agent.held]
    return capacity.interrupted(
        *cost, agent.pool.talent.capacity_units, held, agent.burden.units, floor.policy.channels
    )


def accept(floor: Floor, item: Item, agent: Agent | None) -> None:
    """Give the interaction to the agent, as the store has it; all other offers of it end."""
    offered = item.offers
    won = offered[0] if len(offered) == 1 and offered[0].agent is agent else _won(floor, item, agent)
    waiting.forget(floor, item)
    now_ms = floor.now_ms
    queue_id = item.run.policy.id
    floor.learned.waited(queue_id, now_ms - item.since_ms, gave_up=False)
    if agent is None:
        return
    agent.misses = 0
    agent.idle_since_ms = now_ms
    item_id = item.id
    if not agent.held or not agent.holds(item_id):
        if won is not None:
            # What the offer held the work now holds: nothing comes free and nothing is taken.
            _end(won)
            agent.held += (_tuple(Held, (item_id, won.cost, queue_id, now_ms)),)
            others = floor.holders.setdefault(item_id, agent.alone)
            if others is not agent.alone:
                floor.holders[item_id] = (*others, agent.id)
            if agent.places:
                floor.publish(agent)
            return
        floor.hold(agent, HeldWork(item_id, item.shape.channel, queue_id, now_ms))
    if won is not None:
        _close(floor, won)
    floor.dirty_agents[agent.id] = agent


def _won(floor: Floor, item: Item, agent: Agent | None) -> Offer | None:
    """End all live offers but the agent's, and return that."""
    won = None if agent is None else item.offer_to(agent.id)
    for offer in item.offers:
        if offer is not won:
            _close(floor, offer)
            _announce(floor, offer, OfferEnd.WON_ELSEWHERE, Rule.OFFER_ENDED)
    return won


def _end(offer: Offer) -> None:
    """Take the offer, which lives, from those of its agent and of its item."""
    offer.due_ms = None
    item, agent = offer.item, offer.agent
    agent.offers = () if len(agent.offers) == 1 else tuple(each for each in agent.offers if each is not offer)
    item.offers = () if len(item.offers) == 1 else tuple(each for each in item.offers if each is not offer)


def end(floor: Floor, offer: Offer, cause: OfferEnd, rule: Rule | None = None) -> None:
    """End an offer that was not accepted; the item goes back to its place. A rule says that the engine ends it."""
    _close(floor, offer)
    if rule is not None:
        _announce(floor, offer, cause, rule)
    item, agent = offer.item, offer.agent
    again_ms = floor.policy.same_agent_again_ms.get(cause, 0)
    if again_ms > 0:
        floor.bar(item, agent.id, floor.now_ms + again_ms)
    pause_ms = floor.policy.agent_backoff_ms.get(cause, 0)
    if pause_ms > 0:
        pause(floor, agent, floor.now_ms + pause_ms)
    if cause is OfferEnd.TIMED_OUT:
        _miss(floor, agent)
    elif cause is OfferEnd.REJECTED:
        agent.misses = 0
    if item.id in floor.items:
        # A miss may have been the last: then what was addressed to the agent has been looked at, and may be gone.
        waiting.review(floor, item)


def withdraw_all(floor: Floor, agent: Agent, cause: OfferEnd) -> None:
    """End all offers the agent has, because the agent can take none."""
    for offer in agent.offers:
        end(floor, offer, cause, Rule.AGENT_UNABLE)


def leave(floor: Floor, item: Item) -> None:
    """The interaction waits no longer: end its offers, at no agent's cost, and forget it."""
    for offer in item.offers:
        _close(floor, offer)
        _announce(floor, offer, OfferEnd.CUSTOMER_LEFT, Rule.OFFER_ENDED)
    waiting.forget(floor, item)


def reassign(floor: Floor, item: Item) -> None:
    """End all offers of an item because a supervisor gives it to somebody."""
    for offer in item.offers:
        _close(floor, offer)
        _announce(floor, offer, OfferEnd.SUPERVISOR, Rule.ASSIGNED_BY_HAND)


def take_back(floor: Floor, offer: Offer) -> None:
    """Undo an offer that the store refused because of the agent."""
    _close(floor, offer)
    agent = offer.agent
    agent.is_refused = True
    pause(floor, agent, floor.now_ms + floor.policy.refused_backoff_ms)
    waiting.review(floor, offer.item)


def pause(floor: Floor, agent: Agent, until_ms: int) -> None:
    """Offer the agent nothing before an instant."""
    if until_ms > agent.paused_until_ms:
        agent.paused_until_ms = until_ms
        floor.call_at(until_ms, Due.AGENT, agent.id, agent)
        floor.publish(agent)


def _miss(floor: Floor, agent: Agent) -> None:
    agent.misses += 1
    if agent.misses < floor.policy.misses_until_not_responding or not agent.is_up:
        return
    agent.state = replace(agent.state, is_not_responding=True)
    agent.is_up = False
    floor.crew_changed()
    floor.publish(agent)
    floor.out.append(MarkNotResponding(agent.id, Reason(Rule.MISSED_IN_A_ROW, {"misses": agent.misses})))
    withdraw_all(floor, agent, OfferEnd.CAPACITY_CHANGED)
    waiting.review_addressed(floor, agent.id)


def _close(floor: Floor, offer: Offer) -> None:
    agent = offer.agent
    _end(offer)
    offer.item.count_offers()
    agent.release(offer.cost)
    floor.dirty_agents[agent.id] = agent


def _announce(floor: Floor, offer: Offer, cause: OfferEnd, rule: Rule) -> None:
    reason = Reason(rule, {"cause": cause.value, "offered_for_ms": floor.now_ms - offer.made_at_ms})
    floor.out.append(WithdrawOffer(offer.item.id, offer.agent.id, offer.no, cause, reason))
