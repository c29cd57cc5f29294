"""The router: told events with their time, yields decisions with their reasons.

The caller commits each `MakeOffer` by compare-and-set and reports what became of it; after every event
and at `next_wake_ms` it acts on the decisions in their order.
"""

from dataclasses import dataclass

from routing.events import Decision, Event
from routing.model import AgentState, LiveOffer, WaitingInteraction
from routing.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything the engine must be told to go on as if it had never stopped (besides its policy)."""

    at_ms: int
    waiting: tuple[WaitingInteraction, ...] = ()
    """Waiting or offered, in any order."""
    agents: tuple[AgentState, ...] = ()
    offers: tuple[LiveOffer, ...] = ()
    forced: tuple[tuple[str, bool], ...] = ()
    """Queues a person holds open (True) or closed (False)."""
    reviews: tuple[tuple[str, int], ...] = ()
    """Queues that lost their last able agent, and when those who wait there flow out."""


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
        raise NotImplementedError

    @property
    def now_ms(self) -> int:
        """The time of the last event."""
        raise NotImplementedError

    def handle(self, event: Event, *, at_ms: int) -> list[Decision]:
        """Take an event in and return what is to be done about it, in order.

        Timers that are due by `at_ms` fire first. Time that goes back a little is taken as standing still.

        Raises:
            ImpossibleInput: the event cannot be true (see `errors`); nothing has changed.
            NotTakeable: a pick or an assignment by hand is not allowed; nothing but time has changed.
            InvalidPolicy: a `PolicyChanged` cannot be; nothing has changed.
        """
        raise NotImplementedError

    def next_wake_ms(self) -> int | None:
        """Return when anything can change by itself; then `handle(Tick(), at_ms=...)`. None: never."""
        raise NotImplementedError

    def snapshot(self) -> Snapshot:
        """Return the complete state, in a canonical order."""
        raise NotImplementedError

    def position(self, interaction_id: str) -> int | None:
        """Return the place in its queue, 1 is next; None if it is not waiting."""
        raise NotImplementedError

    def estimate_wait_ms(self, interaction_id: str) -> int | None:
        """Return how much longer the interaction is expected to wait; None when nobody can take it or it is unknown."""
        raise NotImplementedError

    def estimate_new_ms(self, interaction: WaitingInteraction) -> int | None:
        """Return how long this interaction would be expected to wait if it came now; None when nobody can take it."""
        raise NotImplementedError
