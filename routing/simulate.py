"""A day through the engine: generated or recorded, under any policy, measured alike.

Who comes, how long they would wait, how long their work takes, all of that is drawn before the day begins
(`generate`, `from_record`), so that two policies meet the same customers. `run` plays the day through a router;
`measure.compare` puts the outcomes side by side.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import Protocol

from routing.engine import Router
from routing.events import (
    AgentChanged,
    AgentLeft,
    Decision,
    Event,
    FlowOut,
    InteractionLeft,
    InteractionQueued,
    MakeOffer,
    OfferAccepted,
    Tick,
    WorkEnded,
)
from routing.model import AgentState, SkillNeed, WaitingInteraction, WayOutKind
from routing.policy import Policy
from routing.rolls import Rolls

HOUR_MS = 3_600_000

_AFTERMATH_MS = HOUR_MS
"""How long after the last event of a day its timers still count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A stream of customers who are alike: Poisson arrivals at rates by the hour.

    Handling times are lognormal with coefficient of variation `handling_variation` (0: exponential); patience is
    exponential, None: they never give up.
    """

    name: str
    queue_id: str
    channel: str
    per_hour: tuple[float, ...]
    """Arrivals in each hour from the day's start; the last holds on."""
    handling_ms: int
    handling_variation: float = 0.0
    patience_ms: int | None = None
    value: int = 1
    skills: tuple[SkillNeed, ...] = ()
    languages: tuple[str, ...] = ()
    stays: bool = False
    """Nobody waits for it this minute, as for a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An agent from one instant to another, both counted from the day's start. None: until its end."""

    agent: AgentState
    from_ms: int = 0
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """One interaction to come and what will become of it: how long it would wait, how long its work takes."""

    interaction: WaitingInteraction
    handling_ms: int
    patience_ms: int | None
    miss_roll: float = 1.0
    """The customer's first offer is missed if this is below the day's share of misses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Everything about a day but the policy. Without `answer_ms` agents accept at once."""

    customers: Sequence[Customer]
    shifts: Sequence[Shift]
    start_ms: int = 0
    answer_ms: int = 0
    """How long an agent takes to accept an offer; it counts as waiting."""
    missed_share: float = 0.0
    """Share of customers whose first offer is not answered in time."""


@dataclass(slots=True)
class Fate:
    """What became of a customer. Instants in ms; None: it never came to that."""

    interaction: WaitingInteraction
    answered_ms: int | None = None
    left_ms: int | None = None
    flowed_ms: int | None = None
    agent_id: str = ""
    estimate_ms: int | None = None
    """The wait estimated when it came."""

    @property
    def waited_ms(self) -> int | None:
        """How long it waited until whatever ended the waiting, or None if it still waits."""
        for end_ms in (self.answered_ms, self.left_ms, self.flowed_ms):
            if end_ms is not None:
                return end_ms - self.interaction.queued_at_ms
        return None


@dataclass(slots=True)
class Outcome:
    """A day's result: each customer's fate in order of coming, each agent's busy and present time."""

    policy: Policy
    fates: list[Fate]
    busy_ms: dict[str, int] = field(default_factory=dict)
    """Time with at least one interaction in hand."""
    present_ms: dict[str, int] = field(default_factory=dict)
    unit_ms: dict[str, float] = field(default_factory=dict)
    """Units taken x time, over the agent's capacity."""
    decisions: int = 0
    events: int = 0


class Decider(Protocol):
    """What a day is played through: a `Router`, or another policy's stand-in."""

    def handle(self, event: Event, *, at_ms: int) -> list[Decision]:
        """Take an event in; return decisions."""
        ...

    def next_wake_ms(self) -> int | None:
        """Return when something changes by itself."""
        ...


Watch = Callable[[MakeOffer, int], None]
"""Called with each offer made and its instant, before it is answered."""


def generate(demands: Sequence[Demand], *, hours: float, seed: int, start_ms: int = 0) -> list[Customer]:
    """Return the customers of a generated day in order of coming.

    Each demand draws from a stream of its own: adding one leaves the others' customers as they were.
    """
    customers: list[Customer] = []
    for number, demand in enumerate(demands):
        customers += _stream(demand, Rolls(seed, number + 1), round(hours * HOUR_MS), start_ms)
    customers.sort(key=lambda each: (each.interaction.queued_at_ms, each.interaction.id))
    return customers


def _stream(demand: Demand, rolls: Rolls, length_ms: int, start_ms: int) -> Iterable[Customer]:
    at_ms = 0.0
    number = 0
    top = max(demand.per_hour)
    while top > 0:
        # Thinning: draw at the highest rate, keep the share that the hour's rate is of it.
        at_ms += rolls.exponential(HOUR_MS / top)
        if at_ms >= length_ms:
            return
        rate = demand.per_hour[min(int(at_ms // HOUR_MS), len(demand.per_hour) - 1)]
        keep, handling, patience, miss = (rolls.uniform() for _ in range(4))
        if keep * top >= rate:
            continue
        number += 1
        work = Rolls(int(handling * 2**32), number)
        if demand.handling_variation > 0:
            handling_ms = work.lognormal(demand.handling_ms, demand.handling_variation)
        else:
            handling_ms = work.exponential(demand.handling_ms)
        patient = Rolls(int(patience * 2**32), number)
        yield Customer(
            WaitingInteraction(
                id=f"{demand.name}-{number}",
                queue_id=demand.queue_id,
                channel=demand.channel,
                queued_at_ms=start_ms + round(at_ms),
                value=demand.value,
                skills=demand.skills,
                languages=demand.languages,
                stays=demand.stays,
            ),
            max(1, round(handling_ms)),
            None if demand.patience_ms is None else max(1, round(patient.exponential(demand.patience_ms))),
            miss,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One interaction of a recorded day, as the journal has it: it was answered, or the customer left, or neither."""

    interaction: WaitingInteraction
    answered_after_ms: int | None = None
    left_after_ms: int | None = None
    handling_ms: int | None = None


def from_record(recorded: Iterable[Recorded], *, seed: int) -> list[Customer]:
    """Return a recorded day's customers with what the record cannot know filled in.

    Who left would have left then under any policy. Who was answered would have waited at least that long: the rest of
    their patience is drawn with the mean that the record suggests (all waiting over all leaving, by queue). Work that
    never happened takes as long as the queue's mean.
    """
    days = list(recorded)
    customers = []
    patience = {
        queue_id: _mean_patience(days, queue_id) for queue_id in dict.fromkeys(day.interaction.queue_id for day in days)
    }
    handling = {queue_id: _mean_handling(days, queue_id) for queue_id in patience}
    for number, day in enumerate(days):
        queue_id = day.interaction.queue_id
        left_ms = day.left_after_ms
        if left_ms is None and patience[queue_id] is not None:
            rest_ms = Rolls(seed, number + 1).exponential(patience[queue_id] or 0)
            left_ms = max(1, round((day.answered_after_ms or 0) + rest_ms))
        work_ms = day.handling_ms if day.handling_ms is not None else handling[queue_id]
        customers.append(Customer(day.interaction, max(1, work_ms), left_ms))
    customers.sort(key=lambda each: (each.interaction.queued_at_ms, each.interaction.id))
    return customers


def _mean_patience(days: list[Recorded], queue_id: str) -> float | None:
    own = [day for day in days if day.interaction.queue_id == queue_id]
    left = sum(day.left_after_ms is not None for day in own)
    waited = sum((day.left_after_ms or 0) + (day.answered_after_ms or 0) for day in own)
    return waited / left if left else None


def _mean_handling(days: list[Recorded], queue_id: str) -> int:
    known = [day.handling_ms for day in days if day.interaction.queue_id == queue_id and day.handling_ms is not None]
    return round(sum(known) / len(known)) if known else 240_000


def run(
    day: Day,
    policy: Policy,
    *,
    decider: Decider | None = None,
    watch: Watch | None = None,
    estimate_every: int = 0,
) -> Outcome:
    """Play the day under the policy until nobody is left to serve, and return what came of it.

    With `decider` another engine decides; `estimate_every` n asks the router for every n-th customer's expected wait.
    """
    return _Play(day, policy, decider, watch, estimate_every).play()


_SHIFT, _ARRIVAL, _PATIENCE, _ANSWER, _DONE = range(5)


class _Play:
    """One day being played. The calendar holds (instant, kind, number, ids)."""

    def __init__(
        self, day: Day, policy: Policy, decider: Decider | None, watch: Watch | None, estimate_every: int
    ) -> None:
        self._day = day
        self._watch = watch
        self._estimate_every = estimate_every
        self._router = Router(policy) if decider is None else None
        self._decider: Decider = decider if self._router is None else self._router  # type: ignore[assignment]
        self._outcome = Outcome(policy, [Fate(each.interaction) for each in day.customers])
        self._number = {each.interaction.id: number for number, each in enumerate(day.customers)}
        self._misses = {number: 1 for number, each in enumerate(day.customers) if each.miss_roll < day.missed_share}
        self._in_hand: dict[str, dict[str, tuple[int, int]]] = {}
        self._busy_since: dict[str, int] = {}
        self._going_since: dict[str, int] = {}
        """Whose shift is over while they have something in hand: they are there until it is done."""
        self._agents = {shift.agent.id: shift.agent for shift in day.shifts}
        self._steps = (self._shift, self._arrival, self._patience, self._answer, self._done)
        self._calendar: list[tuple[int, int, int, str, str]] = []

    def play(self) -> Outcome:
        """Play to the end."""
        day = self._day
        for number, shift in enumerate(day.shifts):
            self._calendar.append((day.start_ms + shift.from_ms, _SHIFT, number, "in", ""))
            if shift.until_ms is not None:
                self._calendar.append((day.start_ms + shift.until_ms, _SHIFT, number, "out", ""))
        if day.customers:
            self._calendar.append((day.customers[0].interaction.queued_at_ms, _ARRIVAL, 0, "", ""))
        heapify(self._calendar)
        now_ms = day.start_ms
        while True:
            wake_ms = self._decider.next_wake_ms()
            if not self._calendar:
                # Offers not answered, limits and reliefs may still be to come; a queue's next opening is not.
                if wake_ms is None or wake_ms > now_ms + _AFTERMATH_MS:
                    break
                self._tell(Tick(), wake_ms)
                continue
            now_ms = self._calendar[0][0]
            if wake_ms is not None and wake_ms < now_ms:
                self._tell(Tick(), wake_ms)
                continue
            _, kind, number, first, second = heappop(self._calendar)
            self._steps[kind](now_ms, number, first, second)
        self._close(now_ms)
        return self._outcome

    def _shift(self, now_ms: int, number: int, way: str, _: str) -> None:
        shift = self._day.shifts[number]
        agent_id = shift.agent.id
        present = self._outcome.present_ms
        if way == "in":
            present[agent_id] = present.get(agent_id, 0) - now_ms
            self._outcome.busy_ms.setdefault(agent_id, 0)
            self._outcome.unit_ms.setdefault(agent_id, 0.0)
            present[agent_id] += now_ms - self._going_since.pop(agent_id, now_ms)
            self._tell(AgentChanged(shift.agent), now_ms)
        else:
            present[agent_id] += now_ms
            self._tell(AgentChanged(replace(shift.agent, is_available=False)), now_ms)
            if self._in_hand.get(agent_id):
                self._going_since[agent_id] = now_ms
            else:
                self._tell(AgentLeft(agent_id), now_ms)

    def _arrival(self, now_ms: int, number: int, _: str, __: str) -> None:
        customers = self._day.customers
        customer = customers[number]
        if number + 1 < len(customers):
            heappush(self._calendar, (customers[number + 1].interaction.queued_at_ms, _ARRIVAL, number + 1, "", ""))
        if customer.patience_ms is not None:
            heappush(self._calendar, (now_ms + customer.patience_ms, _PATIENCE, number, "", ""))
        if self._router is not None and self._estimate_every and number % self._estimate_every == 0:
            self._outcome.fates[number].estimate_ms = self._router.estimate_new_ms(customer.interaction)
        self._tell(InteractionQueued(customer.interaction), now_ms)

    def _patience(self, now_ms: int, number: int, _: str, __: str) -> None:
        fate = self._outcome.fates[number]
        if fate.waited_ms is None:
            fate.left_ms = now_ms
            self._tell(InteractionLeft(fate.interaction.id), now_ms)

    def _answer(self, now_ms: int, number: int, agent_id: str, interaction_id: str) -> None:
        """The agent accepts, unless the customer has left meanwhile."""
        fate = self._outcome.fates[number]
        if fate.waited_ms is not None:
            return
        fate.answered_ms = now_ms
        fate.agent_id = agent_id
        agent = self._agents[agent_id]
        units = agent.units.get(fate.interaction.channel)
        if units is None:
            units = self._outcome.policy.channels[fate.interaction.channel].units
        hand = self._in_hand.setdefault(agent_id, {})
        if not hand:
            self._busy_since[agent_id] = now_ms
        hand[interaction_id] = (now_ms, units)
        self._tell(OfferAccepted(interaction_id, agent_id), now_ms)
        done_ms = now_ms + max(1, round(self._day.customers[number].handling_ms / agent.speed))
        heappush(self._calendar, (done_ms, _DONE, number, agent_id, interaction_id))

    def _done(self, now_ms: int, _: int, agent_id: str, interaction_id: str) -> None:
        hand = self._in_hand[agent_id]
        since_ms, units = hand.pop(interaction_id)
        self._outcome.unit_ms[agent_id] += (now_ms - since_ms) * units / self._agents[agent_id].capacity_units
        if not hand:
            self._outcome.busy_ms[agent_id] += now_ms - self._busy_since[agent_id]
        self._tell(WorkEnded(agent_id, interaction_id), now_ms)
        if not hand and agent_id in self._going_since:
            self._outcome.present_ms[agent_id] += now_ms - self._going_since.pop(agent_id)
            self._tell(AgentLeft(agent_id), now_ms)

    def _tell(self, event: Event, now_ms: int) -> None:
        self._outcome.events += 1
        for decision in self._decider.handle(event, at_ms=now_ms):
            self._outcome.decisions += 1
            if isinstance(decision, MakeOffer):
                self._offered(decision, now_ms)
            elif isinstance(decision, FlowOut):
                self._flowed(decision, now_ms)

    def _offered(self, offer: MakeOffer, now_ms: int) -> None:
        if self._watch is not None:
            self._watch(offer, now_ms)
        number = self._number[offer.interaction_id]
        if self._misses.pop(number, 0):
            return
        at_ms = now_ms + self._day.answer_ms
        if at_ms == now_ms:
            self._answer(now_ms, number, offer.agent_id, offer.interaction_id)
        elif at_ms < offer.deadline_ms:
            heappush(self._calendar, (at_ms, _ANSWER, number, offer.agent_id, offer.interaction_id))

    def _flowed(self, flow: FlowOut, now_ms: int) -> None:
        fate = self._outcome.fates[self._number[flow.interaction_id]]
        if flow.way_out.kind is WayOutKind.QUEUE:
            self._tell(InteractionQueued(replace(fate.interaction, queue_id=flow.way_out.target)), now_ms)
        else:
            fate.flowed_ms = now_ms

    def _close(self, now_ms: int) -> None:
        present = self._outcome.present_ms
        for shift in self._day.shifts:
            if shift.until_ms is None:
                present[shift.agent.id] += now_ms
