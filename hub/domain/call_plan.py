"""What a call needs now: the interaction's state held against its legs. Pure; asked after every change and every event.

It looks at how things stand, never at what has just happened: news that come twice, late, out of order or not at all
lead to the same end, and a hub that was killed goes on by asking again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.calls import Call, Direction, EndCause, Leg, LegRole, LegState, OrderKind, Place
from hub.domain.ids import new_id
from hub.domain.interaction import TERMINAL, Interaction, State

_TALKING: Final = frozenset({State.ACTIVE, State.HELD, State.CONSULTING})
_SAID_TO_THE_END: Final = frozenset({State.RESOLVED, State.CALLBACK_BOOKED})
_ON_HOLD: Final = frozenset({State.HELD, State.CONSULTING})
RING_AGAIN_MS: Final = 3_000
"""How long after a lost line, or a vain try, an agent's phone is rung again while the customer is kept."""
ASKED_MS: Final = 30_000
"""How long a caller may take to hear the welcome and to say whether they may be recorded, while an agent waits."""


class News(StrEnum):
    """What the legs say about the interaction; the service moves it accordingly."""

    CONNECTED = "connected"
    CONNECT_FAILED = "connect_failed"
    CUSTOMER_GONE = "customer_gone"
    CUSTOMER_UNREACHED = "customer_unreached"
    LINE_LOST = "line_lost"
    AGENT_HUNG_UP = "agent_hung_up"
    PUT_THROUGH = "put_through"
    GUEST_UNREACHED = "guest_unreached"
    REATTACHED = "reattached"
    REATTACH_FAILED = "reattach_failed"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order to be written: what, of which leg, with what argument."""

    kind: OrderKind
    leg: str
    argument: str = ""


@dataclass(slots=True)
class Plan:
    """Legs that change or begin, what to order, and what became known."""

    legs: dict[str, Leg] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    news: News | None = None
    cause: EndCause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the plan must know beside the call: the agent's phone, whether they are there, and the time."""

    now: int
    agent_endpoint: str = ""
    agent_is_there: bool = False
    is_browser: bool = True
    """A browser's line that ends by itself was lost; a telephone's was put down."""


class _Drawing:
    """A plan being drawn: the legs as they will be."""

    def __init__(self, interaction: Interaction, call: Call, legs: Sequence[Leg], around: Surroundings) -> None:
        self.interaction = interaction
        self.call = call
        self.around = around
        self.legs = {leg.id: leg for leg in legs}
        self.plan = Plan()

    def live(self, *roles: LegRole) -> list[Leg]:
        """Return the lines of these roles that are there or on their way, oldest first."""
        return [leg for leg in self.legs.values() if leg.is_live and (not roles or leg.role in roles)]

    @property
    def customer(self) -> Leg | None:
        """The customer's newest line."""
        return self._newest(leg for leg in self.legs.values() if leg.role is LegRole.CUSTOMER)

    def agents_line(self, since: int) -> Leg | None:
        """Return the newest line of the agent who has the interaction, wanted since then."""
        agent = self.interaction.agent
        return self._newest(
            leg
            for leg in self.legs.values()
            if leg.role is LegRole.AGENT and leg.agent == agent and leg.wanted_at >= since
        )

    @staticmethod
    def _newest(legs: Iterator[Leg]) -> Leg | None:
        return max(legs, key=lambda leg: (leg.wanted_at, leg.id), default=None)

    def change(self, leg: Leg, **changes: object) -> Leg:
        """Note that a leg will be otherwise."""
        changed = msgspec.structs.replace(leg, **changes)
        self.legs[leg.id] = self.plan.legs[leg.id] = changed
        return changed

    def wish(self, kind: OrderKind, leg: Leg, argument: str = "") -> None:
        """Note an order."""
        self.plan.wishes.append(Wish(kind, leg.id, argument))

    def dial(self, role: LegRole, endpoint: str, agent: str | None = None) -> None:
        """Begin a line into the room."""
        leg = Leg(
            id=new_id("l"),
            interaction=self.interaction.id,
            role=role,
            endpoint=endpoint,
            agent=agent,
            wanted_at=self.around.now,
            goes_to=Place.ROOM,
        )
        self.legs[leg.id] = self.plan.legs[leg.id] = leg
        self.wish(OrderKind.DIAL, leg)

    def hang_up(self, legs: Sequence[Leg]) -> None:
        """End lines, each once."""
        for leg in legs:
            if not leg.expected_end:
                self.wish(OrderKind.HANG_UP, self.change(leg, expected_end=True))

    def send(self, leg: Leg, place: Place) -> None:
        """Send a line that is up somewhere, once; one that leaves the room is no longer on hold there."""
        if leg.is_live and leg.goes_to is not place and not leg.expected_end:
            kind = OrderKind.JOIN if place is Place.ROOM else OrderKind.PARK
            self.wish(kind, self.change(leg, goes_to=place, wants_hold=False, is_held=False))

    def hold(self, leg: Leg, *, wanted: bool, hearing: str = "") -> None:
        """Put a line on hold, where it hears these words before the music, or take it back; each once."""
        is_led_away = leg.goes_to is Place.SCRIPT
        if leg.is_in_room and leg.wants_hold is not wanted and not leg.expected_end and not is_led_away:
            held = self.change(leg, wants_hold=wanted)
            self.wish(OrderKind.HOLD if wanted else OrderKind.RESUME, held, hearing if wanted else "")


def plan(interaction: Interaction, call: Call, legs: Sequence[Leg], around: Surroundings) -> Plan:
    """Return what the call needs now; asked again with its own answer applied, it wants nothing more."""
    drawing = _Drawing(interaction, call, legs, around)
    if call.direction is Direction.MESSAGE:
        return drawing.plan
    if call.is_released:
        _released(drawing)
    elif interaction.state in TERMINAL or interaction.state is State.WRAPPING:
        # Who leaves a message stays on the line, whatever became of the interaction that they waited in; and who hears
        # the last words of a flow hears them to the end, which is the end of the call.
        spared = {Place.MESSAGE, Place.SCRIPT} if interaction.state in _SAID_TO_THE_END else {Place.MESSAGE}
        drawing.hang_up(
            [leg for leg in drawing.live() if leg.role is not LegRole.CUSTOMER or leg.goes_to not in spared]
        )
    elif _met_a_machine(drawing):
        drawing.plan.news, drawing.plan.cause = News.CUSTOMER_UNREACHED, EndCause.MACHINE
    elif _customer_is_gone(drawing):
        drawing.plan.news = News.CUSTOMER_GONE
    elif interaction.state in {State.QUEUED, State.OFFERED, State.TRANSFERRING}:
        _waiting(drawing)
    elif interaction.state is State.CONNECTING:
        _connecting(drawing)
    elif interaction.state in _TALKING:
        _talking(drawing)
    return drawing.plan


def _customer_is_gone(drawing: _Drawing) -> bool:
    """Whether the customer was there and has hung up. Whom we dial and do not reach was never there."""
    customer = drawing.customer
    if customer is None or customer.is_live:
        return False
    return drawing.call.direction is Direction.INBOUND or customer.joined_at is not None


def _met_a_machine(drawing: _Drawing) -> bool:
    """Whether a machine has taken the call that we made: it was heard by then, but nobody was reached."""
    customer = drawing.customer
    is_ours = drawing.interaction.state in _TALKING | {State.CONNECTING}
    return is_ours and customer is not None and customer.cause is EndCause.MACHINE and _is_of_now(drawing, customer)


def _released(drawing: _Drawing) -> None:
    """The customer talks on with a guest: we are out of it, and when one of the two leaves, both have."""
    talking = drawing.live(LegRole.CUSTOMER, LegRole.GUEST)
    drawing.hang_up(drawing.live(LegRole.AGENT, LegRole.SUPERVISOR))
    if len({leg.role for leg in talking}) < len((LegRole.CUSTOMER, LegRole.GUEST)):
        drawing.hang_up(talking)
        return
    for leg in talking:
        drawing.hold(leg, wanted=False)


def _waiting(drawing: _Drawing) -> None:
    """Nobody has the call: whoever rang or talked is out, and the customer hears the queue."""
    drawing.hang_up(drawing.live(LegRole.AGENT, LegRole.GUEST, LegRole.SUPERVISOR))
    customer = drawing.customer
    if customer is not None and customer.is_live and customer.goes_to is Place.ROOM:
        drawing.send(customer, Place.QUEUE)


def _connecting(drawing: _Drawing) -> None:
    """First the agent's line into the room, then the customer's: nobody is led into an empty room.

    Where the customer is called first, the agent's phone rings once they have answered; they are told why they wait.
    """
    accepted_at = drawing.interaction.answered_at or 0
    line = drawing.agents_line(accepted_at)
    drawing.hang_up([leg for leg in drawing.live(LegRole.AGENT) if line is None or leg.id != line.id])
    if line is None:
        customer = _reached(drawing) if drawing.call.customer_first else None
        if not drawing.call.customer_first or (customer is not None and customer.state is LegState.UP):
            drawing.dial(LegRole.AGENT, drawing.around.agent_endpoint, drawing.interaction.agent)
    elif not line.is_live:
        drawing.plan.news, drawing.plan.cause = News.CONNECT_FAILED, line.cause
    elif line.place is Place.ROOM:
        _join_customer(drawing)


def _reached(drawing: _Drawing) -> Leg | None:
    """Return the customer's line if it is there or on its way; else it is dialled, or known not to be reached."""
    customer = drawing.customer
    if customer is None or not (customer.is_live or _is_of_now(drawing, customer)):
        drawing.dial(LegRole.CUSTOMER, drawing.call.number)
    elif not customer.is_live:
        drawing.plan.news, drawing.plan.cause = News.CUSTOMER_UNREACHED, customer.cause
    else:
        return customer
    return None


def _is_of_now(drawing: _Drawing, leg: Leg) -> bool:
    """Whether a line was wanted by whoever has the call now: an earlier try in vain is over."""
    return leg.wanted_at >= (drawing.interaction.answered_at or 0) or leg.joined_at is not None


def _join_customer(drawing: _Drawing) -> None:
    customer = _reached(drawing)
    if customer is None:
        return
    if customer.place is Place.ROOM and customer.goes_to is Place.ROOM:
        drawing.plan.news = News.CONNECTED
    elif customer.state is LegState.UP and not is_asked(customer, drawing.around.now):
        drawing.send(customer, Place.ROOM)


def is_asked(leg: Leg, now: int) -> bool:
    """Whether a caller is still to say if they may be recorded; who has lost the question is not waited for long."""
    return leg.place is Place.ASKED and now < (leg.answered_at or 0) + ASKED_MS


def _talking(drawing: _Drawing) -> None:
    """The agent's line is there, or is waited for while the customer hears that it is; hold is as the state says."""
    interaction, call, around = drawing.interaction, drawing.call, drawing.around
    line = drawing.agents_line(0)
    is_there = line is not None and line.is_live
    drawing.hang_up([leg for leg in drawing.live(LegRole.AGENT) if line is None or leg.id != line.id])
    if call.reattach_until is not None:
        if line is not None and line.is_in_room:
            drawing.plan.news = News.REATTACHED
        elif around.now >= call.reattach_until:
            drawing.plan.news = News.REATTACH_FAILED
        elif not is_there and around.agent_is_there and _may_ring_again(line, around.now):
            drawing.dial(LegRole.AGENT, around.agent_endpoint, interaction.agent)
    elif not is_there:
        was_put_down = line is not None and line.cause is EndCause.HUNG_UP and not around.is_browser
        drawing.plan.news = News.AGENT_HUNG_UP if was_put_down else News.LINE_LOST
    else:
        if line is not None:
            drawing.hold(line, wanted=False)
        _guests(drawing)
    customer = drawing.customer
    if customer is not None:
        is_kept = call.reattach_until is not None
        wanted = interaction.state in _ON_HOLD or is_kept
        drawing.hold(customer, wanted=wanted, hearing="line_lost" if is_kept else "")


def _may_ring_again(line: Leg | None, now: int) -> bool:
    """Whether the last try is over for a while: a phone that is not there says so at once, every time."""
    return line is None or line.ended_at is None or now >= line.ended_at + RING_AGAIN_MS


def _guests(drawing: _Drawing) -> None:
    """Put the customer through once the guest is there; notice a guest who cannot be reached or has left."""
    guests = [leg for leg in drawing.legs.values() if leg.role is LegRole.GUEST and not leg.expected_end]
    if drawing.interaction.state is State.CONSULTING:
        # Whom the agent had let hold is asked again; while they talk to the customer, it is for them to say.
        for leg in guests:
            drawing.hold(leg, wanted=False)
    target = next((leg for leg in guests if leg.id == drawing.call.release_to), None)
    if target is not None and target.is_in_room:
        drawing.plan.news = News.PUT_THROUGH
    elif target is not None and not target.is_live:
        drawing.plan.news, drawing.plan.cause = News.GUEST_UNREACHED, target.cause
    elif drawing.interaction.state is State.CONSULTING and not any(leg.is_live for leg in guests):
        drawing.plan.news = News.GUEST_UNREACHED
        drawing.plan.cause = max(guests, key=lambda leg: leg.wanted_at).cause if guests else None
