"""An offer's life: deadlines, back-off by cause, who is asked next, what a person may do by hand."""

import pytest

from routing.errors import NotTakeable
from routing.events import (
    AgentChanged,
    AssignByHand,
    InteractionLeft,
    MakeOffer,
    OfferEnded,
    OfferRefused,
    PickFromList,
    RefusedBecause,
    WorkStarted,
)
from routing.model import HeldWork, OfferEnd
from routing.policy import QueuePolicy
from tests.unit.routing.floors import Floor, a_policy, an_agent


def test_offer_not_answered_goes_to_the_next_agent() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.agent("bob")
    floor.queue()

    assert floor.after(19) == []
    assert floor.after(1) == ["i1<ann timed_out", "i1>bob"]


def test_agent_who_missed_twice_in_a_row_is_not_responding_until_they_say_otherwise() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.after(20)
    floor.queue()

    assert floor.after(5) == ["i2>ann"]
    assert floor.after(20) == ["i2<ann timed_out", "ann?"]
    assert floor.after(100) == []
    assert floor.agent("ann") == ["i1>ann"]


def test_accepting_forgives_a_miss() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.after(20)
    floor.queue()
    floor.after(5)
    floor.accept("i2", "ann")
    floor.tell(WorkStarted("ann", HeldWork("w-ann", "voice")))

    assert floor.router.snapshot().agents[0].misses == 0


def test_rejected_interaction_keeps_its_place_and_is_not_offered_to_the_same_agent_for_a_minute() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.after(1)
    floor.queue()

    assert floor.end("i1", "ann") == ["i2>ann"]
    floor.accept("i2", "ann")
    floor.agent("bob")
    assert floor.router.snapshot().offers[-1].agent_id == "bob"


def test_agent_who_rejected_gets_it_again_when_the_minute_is_over() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.end("i1", "ann")

    assert floor.after(59) == []
    assert floor.after(1) == ["i1>ann"]


@pytest.mark.parametrize(
    ("cause", "pause_s"), [(OfferEnd.REJECTED, 0), (OfferEnd.FAILED, 5), (OfferEnd.BUSY, 10), (OfferEnd.TIMED_OUT, 5)]
)
def test_pause_depends_on_the_cause(cause: OfferEnd, pause_s: int) -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.queue()

    if pause_s == 0:
        assert floor.end("i1", "ann", cause) == ["i2>ann"]
        return
    assert floor.end("i1", "ann", cause) == []
    assert floor.after(pause_s - 0.001) == []
    assert len(floor.after(0.001)) == 1


def test_customer_who_leaves_while_it_rings_costs_the_agent_nothing() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.after(10)
    floor.agent("bob")
    floor.queue()

    assert floor.tell(InteractionLeft("i1")) == ["i1<ann customer_left"]
    assert floor.queue() == ["i2>ann"]


def test_late_and_repeated_answers_change_nothing() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.after(20)
    before = floor.router.snapshot()

    assert floor.end("i1", "ann", OfferEnd.TIMED_OUT) == []
    assert floor.end("i9", "ann") == []
    assert floor.tell(InteractionLeft("i9")) == []
    assert floor.router.snapshot() == before


def test_acceptance_is_believed_even_after_the_offer_ended_here() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.agent("bob")
    floor.queue()
    floor.after(20)

    assert floor.accept("i1", "ann") == ["i1<bob won_elsewhere"]
    assert next(agent.holds for agent in floor.router.snapshot().agents if agent.id == "ann")


def test_several_offers_at_once_and_the_first_who_accepts_has_it() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", offers_at_once=2)))
    for agent_id in ("ann", "bob", "cat"):
        floor.agent(agent_id)

    assert floor.queue() == ["i1>ann", "i1>bob"]
    assert floor.end("i1", "ann") == ["i1>cat"]
    assert floor.accept("i1", "bob") == ["i1<cat won_elsewhere"]


def test_agent_who_goes_away_loses_the_offer_and_not_their_place_in_the_queue() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.agent("bob")
    floor.queue()

    assert floor.agent("ann", is_available=False) == ["i1<ann capacity_changed", "i1>bob"]
    assert floor.gone("bob") == ["i1<bob agent_lost"]
    assert floor.agent("ann", is_connected=False) == []
    assert floor.after(5) == []
    assert floor.agent("ann") == ["i1>ann"]


def test_capacity_lowered_below_use_takes_back_the_newest_offer_only() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue(channel="chat")
    floor.queue(channel="chat")

    assert floor.agent("ann", capacity_units=25) == ["i2<ann capacity_changed"]


def test_refused_offer_returns_to_its_place_and_pauses_the_agent_until_their_state_comes() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()

    assert floor.tell(OfferRefused("i1", "ann", RefusedBecause.AGENT_UNABLE)) == []
    assert floor.tell(AgentChanged(an_agent("ann"))) == ["i1>ann"]
    assert floor.tell(OfferRefused("i1", "ann", RefusedBecause.AGENT_UNABLE)) == []
    assert floor.after(0.25) == ["i1>ann"]


def test_interaction_the_store_no_longer_has_is_forgotten() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.queue()

    assert floor.tell(OfferRefused("i1", "ann", RefusedBecause.INTERACTION_GONE)) == [
        "i1<ann customer_left",
        "i2>ann",
    ]


def test_offer_ends_for_its_own_number_only() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.end("i1", "ann")
    floor.after(60)

    assert floor.tell(OfferEnded("i1", "ann", OfferEnd.REJECTED, offer_no=1)) == []
    assert floor.router.snapshot().offers[0].offer_no == 2


def test_supervisor_assigns_over_skills_but_not_over_capacity() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", groups=())))
    floor.agent("ann")
    floor.agent("bob", queue_ids=())
    floor.queue()

    assert floor.tell(AssignByHand("bob", "i1")) == ["i1<ann supervisor", "i1>bob"]
    floor.queue()
    with pytest.raises(NotTakeable, match="no capacity"):
        floor.tell(AssignByHand("bob", "i2"))


def test_picking_needs_the_queues_leave_and_the_skills() -> None:
    floor = Floor(a_policy(QueuePolicy(id="open", pick_allowed=True), QueuePolicy(id="shut")))
    floor.agent("ann", skills={"tax": 1})
    floor.tell(WorkStarted("ann", HeldWork("w-ann", "chat")))
    floor.agent("bob", is_available=False)
    floor.queue(queue_id="open")
    floor.queue(queue_id="shut", channel="email", only_agent_id="cat")

    with pytest.raises(NotTakeable, match="no_capacity"):
        floor.tell(PickFromList("ann", "i1"))
    with pytest.raises(NotTakeable, match="picking_not_allowed"):
        floor.tell(PickFromList("ann", "i2"))
    with pytest.raises(NotTakeable, match="not_there"):
        floor.tell(PickFromList("bob", "i1"))


def test_picked_interaction_needs_no_answer() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", pick_allowed=True, offers_at_once=2)))
    floor.agent("ann")
    floor.queue(channel="email")
    floor.end("i1", "ann")
    floor.agent("bob", is_available=False)

    offer = floor.router.handle(PickFromList("ann", "i1"), at_ms=floor.now)[0]

    assert isinstance(offer, MakeOffer)
    assert offer.auto_accept
    assert floor.agent("bob") == []


def test_what_happened_before_a_refused_wish_is_told_with_the_next_event() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.now += 20_000
    with pytest.raises(NotTakeable):
        floor.tell(AssignByHand("nobody", "i1"))

    assert floor.router.next_wake_ms() == floor.now
    assert floor.after(0) == ["i1<ann timed_out"]


def test_preferred_agent_is_waited_for_and_no_longer_than_its_window() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", sticky_ms=10_000)))
    floor.agent("ann")
    floor.busy("bob")
    assert floor.queue(preferred_agent_ids=("bob",)) == []
    assert floor.after(4) == []
    assert floor.free("bob") == ["i1>bob"]

    assert floor.queue(preferred_agent_ids=("bob",)) == []
    assert floor.after(10) == ["i2>ann"]


def test_preferred_agent_who_is_not_there_is_not_waited_for() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", sticky_ms=10_000)))
    floor.agent("ann")
    assert floor.queue(preferred_agent_ids=("bob",)) == ["i1>ann"]
    floor.accept("i1", "ann")

    floor.busy("bob")
    floor.agent("cat")
    assert floor.queue(preferred_agent_ids=("bob",)) == []
    assert floor.gone("bob") == ["i2>cat"]


def test_direct_interaction_waits_for_its_agent_until_the_queue_lets_others() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", only_agent_ms=30_000, skills=())))
    floor.agent("ann")
    assert floor.queue(only_agent_id="bob") == []
    assert floor.after(29) == []
    assert floor.after(1) == ["i1>ann"]

    floor.queue(only_agent_id="bob")
    assert floor.agent("bob") == ["i2>bob"]
