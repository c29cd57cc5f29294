"""The router: told events with their time, yields decisions with their reasons.

The caller commits each `MakeOffer` by compare-and-set and reports what became of it; after every event
and at `next_wake_ms` it acts on the decisions in their order.
"""

from dataclasses import replace

from routing import matching, outlook, waiting
from routing.checks import LAST_MS, check_agent, check_interaction
from routing.errors import ImpossibleInput, InvalidPolicy, TimeWentBack
from routing.estimate import Learned
from routing.events import Decision, Event, PolicyChanged
from routing.handlers import CHECKS, HANDLERS, fire
from routing.model import WaitingInteraction
from routing.policy import Policy
from routing.state import Snapshot, build, refuse_unsound, snapshot_of, state_of


class Router:
    """One routing domain: queues and the agents they share. Single-threaded, pure, deterministic."""

    def __init__(self, policy: Policy, snapshot: Snapshot | None = None) -> None:
        """Start with nobody, or from a complete state.

        Offers that ran out meanwhile end with the first event. The first `handle` (a Tick will do) also
        makes whatever offers are possible.

        Raises:
            InvalidPolicy: the policy contradicts itself.
            ImpossibleInput: the snapshot does.
        """
        self._has_started = snapshot is not None
        self.floor = build(policy, snapshot or Snapshot(at_ms=0), Learned())
        """The engine's memory, for reading: `explain` and tests look into it."""
        self._is_unsettled = True
        self.floor.timers.next_ms = 0

    @property
    def now_ms(self) -> int:
        """The time of the last event."""
        return self.floor.now_ms

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.floor.policy

    def handle(self, event: Event, *, at_ms: int) -> list[Decision]:
        """Take an event in and return what is to be done about it, in order.

        Timers that are due by `at_ms` fire first. Time that goes back a little is taken as standing still.

        Raises:
            ImpossibleInput: the event cannot be true (see `errors`); nothing has changed.
            NotTakeable: a pick or an assignment by hand is not allowed; only time has passed, and what it
                brought about is returned by the next call.
            InvalidPolicy: a `PolicyChanged` cannot be; nothing has changed.
        """
        floor = self.floor
        take = HANDLERS.get(type(event))
        before_ms = floor.now_ms
        if take is None or not before_ms <= at_ms < floor.timers.next_ms:
            return self._handle_other(event, at_ms)
        floor.now_ms = at_ms
        try:
            take(floor, event)
        except ImpossibleInput:
            floor.now_ms = before_ms
            raise
        if floor.dirty_items or floor.dirty_agents:
            matching.settle(floor)
        decided = floor.out
        if decided:
            floor.out = []
            return decided
        return []

    def _not_back(self, at_ms: int) -> int:
        """Return the time to take for an event older than the last; refuse one that cannot be."""
        now_ms = self.floor.now_ms
        if at_ms >= LAST_MS:
            raise ImpossibleInput(f"the time {at_ms} is beyond reason")
        if self._has_started and now_ms - at_ms > self.floor.policy.clock_slack_ms:
            raise TimeWentBack(f"{at_ms} is {now_ms - at_ms} ms before the last event")
        return now_ms

    def _handle_other(self, event: Event, at_ms: int) -> list[Decision]:
        """Take in an event that something is due before, or that happens to nobody: mere time, or another policy."""
        if not self.now_ms <= at_ms < LAST_MS:
            at_ms = self._not_back(at_ms)
        floor = self.floor
        if isinstance(event, PolicyChanged):
            self._check_policy(event.policy)
        check = CHECKS.get(type(event))
        if check is not None:
            check(floor, event)
        if self._is_unsettled:
            self._start(at_ms)
        self._pass_time(at_ms)
        take = HANDLERS.get(type(event))
        if isinstance(event, PolicyChanged):
            self._adopt(event.policy)
        elif take is not None:
            take(floor, event)
            if floor.dirty_items or floor.dirty_agents:
                matching.settle(floor)
        decided, self.floor.out = self.floor.out, []
        return decided

    def next_wake_ms(self) -> int | None:
        """Return when anything can change by itself; then `handle(Tick(), at_ms=...)`. None: never."""
        if self.floor.out or self._is_unsettled:
            return self.floor.now_ms
        return self.floor.timers.next_live_ms()

    def snapshot(self) -> Snapshot:
        """Return the complete state, in a canonical order."""
        return snapshot_of(self.floor)

    def position(self, interaction_id: str) -> int | None:
        """Return the place in its queue, 1 is next; None if it is not waiting.

        Counts those of its queue who would be taken before it by an agent able to take either.
        """
        item = self.floor.items.get(interaction_id)
        return None if item is None else outlook.position(self.floor, item)

    def estimate_wait_ms(self, interaction_id: str) -> int | None:
        """Return how much longer the interaction is expected to wait; None when nobody can take it or it is unknown."""
        item = self.floor.items.get(interaction_id)
        return None if item is None else outlook.expected_wait_ms(self.floor, item)

    def estimate_new_ms(self, interaction: WaitingInteraction) -> int | None:
        """Return how long this interaction would be expected to wait if it came now; None when nobody can take it.

        Raises:
            ImpossibleInput: the interaction names what is not there.
        """
        check_interaction(self.policy, interaction)
        return outlook.expected_wait_of_new_ms(self.floor, interaction)

    # Time.

    def _start(self, at_ms: int) -> None:
        """The first event says what time it is, unless a snapshot did."""
        self._is_unsettled = False
        if not self._has_started:
            self._has_started = True
            self.floor.now_ms = at_ms
            for run in self.floor.runs.values():
                waiting.watch_hours(self.floor, run)
        matching.settle_everything(self.floor)

    def _pass_time(self, at_ms: int) -> None:
        """Fire timers at their own time, those of one millisecond together, so that late ticks change nothing."""
        floor = self.floor
        timers = floor.timers
        while timers.next_ms <= at_ms:
            if timers.next_ms > floor.now_ms:
                floor.now_ms = timers.next_ms
            found = timers.pop()
            for timer in found:
                # Those before it may have done away with what it was for.
                if timer[4].due_ms == timer[0]:
                    fire(floor, timer)
            if floor.dirty_items or floor.dirty_agents:
                matching.settle(floor)
        floor.now_ms = at_ms

    # Another policy.

    def _check_policy(self, policy: Policy) -> None:
        refuse_unsound(policy)
        floor = self.floor
        try:
            for item in floor.items.values():
                check_interaction(policy, item.interaction)
            for agent in floor.agents.values():
                check_agent(policy, state_of(agent))
        except ImpossibleInput as error:
            raise InvalidPolicy(f"what is under way does not fit the policy: {error}") from error

    def _adopt(self, policy: Policy) -> None:
        """Build the floor again under another policy: the same that happens at a restart."""
        before = self.floor
        forced = tuple(each for each in snapshot_of(before).forced if each[0] in policy.queues)
        self.floor = build(policy, replace(snapshot_of(before), forced=forced, reviews=None), before.learned)
        self.floor.out = before.out
        matching.settle_everything(self.floor)
        self._pass_time(self.floor.now_ms)
