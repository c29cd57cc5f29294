"""An offer's life: made, accepted, ended, with what each means for the agent and the interaction."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from routing import capacity, waiting
from routing.events import MakeOffer, MarkNotResponding, WithdrawOffer
from routing.floor import Agent, Floor, Item, Offer
from routing.model import Figure, HeldWork, OfferEnd, Reason, Rule
from routing.ranking import GROUP_NAMES, Line
from routing.timers import Due

# Members of an Enum cost as much as a call each time they are named; so does what a named tuple's own maker adds.
_OFFER = Due.OFFER
_tuple = tuple.__new__


_Compared = tuple[Line, int, int, int, int, int, int]


class OfferFigures(Mapping[str, Figure]):
    """What an offer's rule compared. Reckoned when somebody reads it, as most offers are never asked about."""

    __slots__ = ("_compared", "_known")

    def __init__(self, compared: _Compared) -> None:
        self._compared = compared
        self._known: dict[str, Figure] | None = None

    def _read(self) -> dict[str, Figure]:
        if self._known is None:
            line, arrival_ms, now_ms, since_ms, stage, idle_since_ms, used = self._compared
            group, score = line.rank(arrival_ms, now_ms)
            self._known = {
                "waited_ms": now_ms - since_ms,
                "group": GROUP_NAMES[group],
                "urgency": -score,
                "stage": stage,
                "agent_idle_ms": now_ms - idle_since_ms,
                "agent_units": used,
            }
        return self._known

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
    run = item.run
    channel = item.interaction.channel
    timeout_ms, auto_accept = run.terms[channel]
    item.offers_made = no = item.offers_made + 1
    units = agent.pool.units.get(channel)
    if units is None:
        units = floor.units_for(agent, channel)
    deadline_ms = now_ms + timeout_ms
    offer = Offer(item, agent, no, deadline_ms, now_ms, units)
    interrupts = _interrupts(floor, agent, channel, units) if agent.held else ()
    figures = OfferFigures(
        (item.line, item.entry[0], now_ms, item.since_ms, item.stage, agent.idle_since_ms, agent.used)
    )
    agent.burden = agent.burden.plus(channel, units)
    agent.used += units
    agent.offers[item.id] = offer
    agent.last_offer_at_ms = now_ms
    if item.offers:
        item.offers[agent.id] = offer
    else:
        item.offers = {agent.id: offer}
    if is_exclusive:
        offer.is_exclusive = True
        auto_accept = True
    if is_exclusive or len(item.offers) >= run.policy.offers_at_once:
        item.is_fully_offered = True
        if item.placed:
            floor.unplace(item)
        item.due_ms = None
        if floor.dirty_items:
            floor.dirty_items.pop(item.id, None)
    floor.publish(agent)
    floor.timers.add((deadline_ms, _OFFER, item.id, agent.id, offer), timeout_ms)
    reason = _tuple(Reason, (rule, figures))
    floor.out.append(_tuple(MakeOffer, (item.id, agent.id, no, deadline_ms, auto_accept, interrupts, reason)))


def _interrupts(floor: Floor, agent: Agent, channel: str, units: int) -> tuple[str, ...]:
    held = [(work.interaction_id, work.channel) for work, _ in agent.held.values()]
    return capacity.interrupted(
        channel, units, agent.pool.talent.capacity_units, held, agent.burden.units, floor.policy.channels
    )


def accept(floor: Floor, item: Item, agent: Agent | None) -> None:
    """Give the interaction to the agent, as the store has it; all other offers of it end."""
    offered = item.offers
    won = None if agent is None else offered.get(agent.id)
    if won is None or len(offered) > 1:
        for offer in list(offered.values()):
            if offer is not won:
                _close(floor, offer)
                _announce(floor, offer, OfferEnd.WON_ELSEWHERE, Rule.OFFER_ENDED)
    waiting.forget(floor, item)
    interaction = item.interaction
    now_ms = floor.now_ms
    floor.learned.waited(interaction.queue_id, now_ms - item.since_ms, gave_up=False)
    if agent is None:
        return
    agent.misses = 0
    agent.idle_since_ms = now_ms
    item_id = item.id
    if item_id not in agent.held:
        work = _tuple(HeldWork, (item_id, interaction.channel, interaction.queue_id, now_ms))
        if won is not None:
            # What the offer held the work now holds: nothing comes free and nothing is taken.
            won.due_ms = None
            # Its timer keeps the offer until then: not the interaction with it.
            del won.item, won.agent, agent.offers[item_id]
            agent.held[item_id] = (work, won.units)
            others = floor.holders.get(item_id)
            floor.holders[item_id] = (agent.id,) if others is None else (*others, agent.id)
            if agent.entries:
                floor.publish(agent)
            return
        floor.hold(agent, work)
    if won is not None:
        _close(floor, won)
    floor.dirty_agents[agent.id] = agent


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
    for offer in list(agent.offers.values()):
        end(floor, offer, cause, Rule.AGENT_UNABLE)


def leave(floor: Floor, item: Item) -> None:
    """The interaction waits no longer: end its offers, at no agent's cost, and forget it."""
    for offer in list(item.offers.values()):
        _close(floor, offer)
        _announce(floor, offer, OfferEnd.CUSTOMER_LEFT, Rule.OFFER_ENDED)
    waiting.forget(floor, item)


def reassign(floor: Floor, item: Item) -> None:
    """End all offers of an item because a supervisor gives it to somebody."""
    for offer in list(item.offers.values()):
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
    offer.due_ms = None
    del offer.item.offers[agent.id]
    offer.item.count_offers()
    del agent.offers[offer.item.id]
    agent.release(offer.item.interaction.channel, offer.units)
    floor.dirty_agents[agent.id] = agent


def _announce(floor: Floor, offer: Offer, cause: OfferEnd, rule: Rule) -> None:
    reason = Reason(rule, {"cause": cause.value, "offered_for_ms": floor.now_ms - offer.made_at_ms})
    floor.out.append(WithdrawOffer(offer.item.id, offer.agent.id, offer.no, cause, reason))
