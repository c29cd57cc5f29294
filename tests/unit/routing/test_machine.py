"""Random days: the engine decides as the brute-force oracle does, and its invariants hold after every event."""

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routing import events as ev
from routing.engine import Router
from routing.errors import NotTakeable
from routing.model import AgentState, HeldWork, OfferEnd
from routing.policy import Policy
from tests.unit.routing.oracle import Oracle, told
from tests.unit.routing.scenarios import AGENTS, CHANNELS, agents, interactions, policies

START_MS = 1_000_000


class Days(RuleBasedStateMachine):
    @initialize(policy=policies(), first=st.lists(agents(), min_size=2, max_size=4, unique_by=lambda agent: agent.id))
    def begin(self, policy: Policy, first: list[AgentState]) -> None:
        self.router = Router(policy)
        self.oracle = Oracle(policy)
        self.now = START_MS
        self.count = 0
        self.taken: list[tuple[str, str]] = []
        self.log: list[tuple[ev.Event, int]] = []
        self.decided: list[list[tuple[object, ...]]] = []
        for agent in first:
            self.tell(ev.AgentChanged(agent))

    def tell(self, event: ev.Event) -> None:
        expected = self._or_refused(lambda: self.oracle.handle(event, self.now))
        actual = self._or_refused(lambda: told(self.router.handle(event, at_ms=self.now)))
        assert actual == expected
        self.log.append((event, self.now))
        self.decided.append(actual)

    @staticmethod
    def _or_refused(step: Callable[[], list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
        try:
            return step()
        except NotTakeable:
            return [("refused",)]

    def live(self) -> list[tuple[str, str]]:
        items = self.router.floor.items.values()
        return sorted((item.id, offer.agent.id) for item in items for offer in item.offers)

    @rule(step=st.sampled_from([0, 1, 500, 2_000, 5_000, 11_000, 31_000]))
    def time_passes(self, step: int) -> None:
        self.now += step
        self.tell(ev.Tick())

    @rule(draw=st.data(), back=st.booleans())
    def queue_one(self, draw: st.DataObject, back: bool) -> None:
        known = [item_id for item_id, _ in self.taken if item_id not in self.router.floor.items]
        if back and known:
            item_id = draw.draw(st.sampled_from(known))
        else:
            self.count += 1
            item_id = f"i{self.count}"
        self.tell(ev.InteractionQueued(draw.draw(interactions(item_id, self.now))))

    @rule(draw=st.data(), count=st.integers(2, 8), apart=st.sampled_from([0, 100, 2_500]))
    def many_come(self, draw: st.DataObject, count: int, apart: int) -> None:
        for _ in range(count):
            self.count += 1
            self.now += apart
            self.tell(ev.InteractionQueued(draw.draw(interactions(f"i{self.count}", self.now))))

    @rule(apart=st.sampled_from([0, 300, 4_000]))
    def all_accept(self, apart: int) -> None:
        for item_id, agent_id in self.live():
            self.now += apart
            self.taken.append((item_id, agent_id))
            self.tell(ev.OfferAccepted(item_id, agent_id))

    @precondition(lambda self: len(self.taken) > 2)
    @rule(apart=st.sampled_from([0, 300, 9_000]))
    def all_finish(self, apart: int) -> None:
        for item_id, agent_id in self.taken:
            self.now += apart
            self.tell(ev.WorkEnded(agent_id, item_id))
        self.taken.clear()

    @precondition(lambda self: self.live())
    @rule(cause=st.sampled_from([OfferEnd.REJECTED, OfferEnd.TIMED_OUT, OfferEnd.BUSY]))
    def all_decline(self, cause: OfferEnd) -> None:
        for item_id, agent_id in self.live():
            self.tell(ev.OfferEnded(item_id, agent_id, cause))

    @rule(agent=agents())
    def agent_changes(self, agent: AgentState) -> None:
        self.tell(ev.AgentChanged(agent))

    @rule(agent_id=st.sampled_from(AGENTS))
    def agent_leaves(self, agent_id: str) -> None:
        self.tell(ev.AgentLeft(agent_id))

    @precondition(lambda self: self.live())
    @rule(draw=st.data())
    def accept(self, draw: st.DataObject) -> None:
        item_id, agent_id = draw.draw(st.sampled_from(self.live()))
        self.taken.append((item_id, agent_id))
        self.tell(ev.OfferAccepted(item_id, agent_id))

    @precondition(lambda self: self.live())
    @rule(
        draw=st.data(), cause=st.sampled_from([OfferEnd.REJECTED, OfferEnd.TIMED_OUT, OfferEnd.BUSY, OfferEnd.FAILED])
    )
    def decline(self, draw: st.DataObject, cause: OfferEnd) -> None:
        item_id, agent_id = draw.draw(st.sampled_from(self.live()))
        self.tell(ev.OfferEnded(item_id, agent_id, cause))

    @precondition(lambda self: self.live())
    @rule(draw=st.data(), because=st.sampled_from(ev.RefusedBecause))
    def store_refuses(self, draw: st.DataObject, because: ev.RefusedBecause) -> None:
        item_id, agent_id = draw.draw(st.sampled_from(self.live()))
        self.tell(ev.OfferRefused(item_id, agent_id, because))

    @rule(draw=st.data())
    def customer_leaves(self, draw: st.DataObject) -> None:
        ids = sorted(self.router.floor.items) or ["i0"]
        self.tell(ev.InteractionLeft(draw.draw(st.sampled_from(ids))))

    @precondition(lambda self: self.taken)
    @rule(draw=st.data())
    def work_ends(self, draw: st.DataObject) -> None:
        item_id, agent_id = draw.draw(st.sampled_from(self.taken))
        self.tell(ev.WorkEnded(agent_id, item_id))

    @rule(agent_id=st.sampled_from(AGENTS), channel=st.sampled_from(CHANNELS))
    def work_starts(self, agent_id: str, channel: str) -> None:
        self.count += 1
        item_id = f"i{self.count}"
        self.taken.append((item_id, agent_id))
        self.tell(ev.WorkStarted(agent_id, HeldWork(item_id, channel, "q1", self.now)))

    @rule(draw=st.data(), agent_id=st.sampled_from(AGENTS))
    def assigned_by_hand(self, draw: st.DataObject, agent_id: str) -> None:
        ids = sorted(self.router.floor.items) or ["i0"]
        self.tell(ev.AssignByHand(agent_id, draw.draw(st.sampled_from(ids))))

    @rule()
    def restarts(self) -> None:
        snapshot = self.router.snapshot()
        self.router = Router(self.router.policy, snapshot)
        assert self.router.snapshot() == snapshot

    @precondition(lambda self: self.count % 3 == 0)
    @rule()
    def policy_is_taken_again(self) -> None:
        assert self.router.handle(ev.PolicyChanged(self.router.policy), at_ms=self.now) == []

    @invariant()
    def nobody_is_overfilled(self) -> None:
        if not hasattr(self, "router"):
            return
        for agent in self.router.floor.agents.values():
            for offer in agent.offers:
                assert not self.oracle.overfull(self.oracle.people[agent.id], offer.item.interaction.channel)

    @invariant()
    def wakes_in_the_future(self) -> None:
        if hasattr(self, "router") and not self.router._is_unsettled:
            wake_ms = self.router.next_wake_ms()
            assert wake_ms is None or wake_ms > self.now or self.router.floor.out

    def teardown(self) -> None:
        if not hasattr(self, "router"):
            return
        again = Router(self.router.policy)
        for (event, at_ms), decided in zip(self.log, self.decided, strict=True):
            assert self._or_refused(lambda: told(again.handle(event, at_ms=at_ms))) == decided  # noqa: B023


Days.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestDays = Days.TestCase
