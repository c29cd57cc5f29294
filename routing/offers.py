"""An offer's life: made, accepted, ended, with what each means for the agent and the interaction."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from routing import capacity, waiting
from routing.capacity import Cost
from routing.events import MakeOffer, MarkNotResponding, WithdrawOffer
from routing.floor import Agent, Floor, Held, Item, Offer
from routing.model import Figure, HeldWork, LiveOffer, OfferEnd, Reason, Rule
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
    """(line, arrival, head start, now, stage, agent idle since, their units taken), as it stood."""

    def _read(self) -> dict[str, Figure]:
        line, arrival_ms, head_start_ms, now_ms, stage, idle_since_ms, used = self.compared
        group, score = line.rank(arrival_ms, now_ms)
        return {
            "waited_ms": now_ms - arrival_ms - head_start_ms,
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
    item.offers_made = no = item.offers_made + 1
    burden = agent.burden
    cost, after = burden.after.get(shape.channel) or floor.burdened(agent, shape.channel)
    deadline_ms = now_ms + shape.timeout_ms
    offer = _new(Offer)
    offer.item = item
    offer.agent = agent
    offer.no = no
    offer.due_ms = deadline_ms
    offer.made_at_ms = now_ms
    offer.cost = cost
    offer.is_exclusive = is_exclusive
    interrupts = _interrupts(floor, agent, cost) if agent.held else ()
    figures = _new(OfferFigures)
    figures.compared = (
        item.line,
        item.arrival_ms,
        item.own.head_start_ms,
        now_ms,
        item.stage,
        agent.idle_since_ms,
        burden.used,
    )
    agent.burden = after
    agent.last_offer_at_ms = now_ms
    alone = (offer,)
    agent.offers = agent.offers + alone if agent.offers else alone
    item.offers = item.offers + alone if item.offers else alone
    if is_exclusive or len(item.offers) >= shape.run.offers_at_once:
        item.is_fully_offered = True
        if item.placed:
            floor.unplace(item)
        item.due_ms = None
        if floor.dirty_items:
            floor.dirty_items.pop(item.id, None)
    if agent.places or not after.is_known or after.slots:
        floor.publish(agent)
    shape.offers[offer] = None
    if deadline_ms < floor.timers.next_ms:
        floor.timers.next_ms = deadline_ms
    reason = _tuple(Reason, (rule, figures))
    auto_accept = is_exclusive or shape.auto_accept
    floor.out.append(_tuple(MakeOffer, (item.id, agent.id, no, deadline_ms, auto_accept, interrupts, reason)))


def restore(floor: Floor, item: Item, live: LiveOffer) -> None:
    """Let an offer made before a restart live on."""
    agent = floor.agents[live.agent_id]
    offer = Offer()
    offer.item = item
    offer.agent = agent
    offer.no = live.offer_no
    offer.due_ms = live.deadline_ms
    offer.made_at_ms = live.offered_at_ms
    offer.cost = floor.cost_for(agent, item.shape.channel)
    offer.is_exclusive = live.is_exclusive
    item.offers += (offer,)
    agent.offers += (offer,)
    agent.take(offer.cost)
    floor.publish(agent)
    floor.timers.add(offer.timer(), 0)


def _interrupts(floor: Floor, agent: Agent, cost: Cost) -> tuple[str, ...]:
    held = [(work.interaction_id, work.cost[0]) for work in agent.held]
    return capacity.interrupted(
        *cost, agent.pool.talent.capacity_units, held, agent.burden.units, floor.policy.channels
    )


def accept(floor: Floor, item: Item, agent_id: str) -> None:
    """Give the interaction to the agent, as the store has it; all other offers of it end."""
    offered = item.offers
    won = offered[0] if len(offered) == 1 and offered[0].agent.id == agent_id else _won(floor, item, agent_id)
    waiting.forget(floor, item)
    now_ms = floor.now_ms
    run = item.shape.run
    run.patience.ended(now_ms - item.arrival_ms - item.own.head_start_ms, gave_up=False)
    agent = floor.agents.get(agent_id) if won is None else won.agent
    if agent is None:
        return
    agent.misses = 0
    agent.idle_since_ms = now_ms
    if won is None or (agent.held and agent.holds(item.id)):
        _take_unoffered(floor, item, agent, won)
    else:
        # What the offer held the work now holds: nothing comes free and nothing is taken.
        _end(won)
        held = (_tuple(Held, (item.id, won.cost, run.policy.id, now_ms, agent)),)
        agent.held = agent.held + held if agent.held else held
        others = floor.works.setdefault(item.id, held)
        if others is not held:
            floor.works[item.id] = others + held
        if agent.places:
            floor.publish(agent)
    if agent.offers:
        # The offer may have ended here and the room been given away: then the newest offers go back.
        withdraw_unfit(floor, agent)


def _take_unoffered(floor: Floor, item: Item, agent: Agent, won: Offer | None) -> None:
    """Let an agent have in hand what was not offered to them, or what they had in hand already."""
    if won is not None:
        _close(floor, won)
    if not agent.holds(item.id):
        floor.hold(agent, HeldWork(item.id, item.shape.channel, item.run.policy.id, floor.now_ms))
    floor.dirty_agents[agent.id] = agent


def _won(floor: Floor, item: Item, agent_id: str) -> Offer | None:
    """End all live offers but the agent's, and return that."""
    won = item.offer_to(agent_id)
    for offer in item.offers:
        if offer is not won:
            _close(floor, offer)
            _announce(floor, offer, OfferEnd.WON_ELSEWHERE, Rule.OFFER_ENDED)
    return won


def _end(offer: Offer) -> None:
    """Take the offer, which lives, from those of its agent and of its item."""
    item, agent = offer.item, offer.agent
    offer.due_ms = None
    item.shape.offers.pop(offer, None)
    offered = agent.offers
    agent.offers = () if len(offered) == 1 else tuple(each for each in offered if each is not offer)
    offered = item.offers
    item.offers = () if len(offered) == 1 else tuple(each for each in offered if each is not offer)


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


def withdraw_unfit(floor: Floor, agent: Agent) -> None:
    """Withdraw all offers of an agent who takes none now, or the newest ones that no longer fit."""
    if not agent.is_up:
        lost = OfferEnd.CAPACITY_CHANGED if agent.state.is_connected else OfferEnd.AGENT_LOST
        withdraw_all(floor, agent, lost)
        return
    newest_first = sorted(agent.offers, key=lambda offer: (offer.made_at_ms, offer.item.id), reverse=True)
    for offer in newest_first:
        if floor.is_overfull(agent, offer.cost[0]):
            end(floor, offer, OfferEnd.CAPACITY_CHANGED, Rule.AGENT_UNABLE)


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
