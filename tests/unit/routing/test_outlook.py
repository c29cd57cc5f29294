"""Places, expected waits, explanations."""

import re

import pytest

from routing.engine import Router
from routing.errors import NotTakeable
from routing.estimate import Learned, wait_ms
from routing.events import AgentChanged, Event, InteractionQueued, WorkEnded
from routing.explain import explain_agent, explain_interaction, rebuild, why_not
from routing.model import Reason, Rule, WaitingInteraction
from routing.policy import Profile, QueuePolicy, Reservation
from tests.unit.routing.floors import START_MS, Floor, a_policy, an_agent, needs


def test_places_follow_urgency_and_count_the_own_queue_only() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q"), QueuePolicy(id="other")))
    floor.queue(value=1)
    floor.after(5)
    floor.queue(value=1)
    floor.queue(queue_id="other")
    floor.after(5)
    floor.queue(value=50)

    assert [floor.router.position(name) for name in ("i1", "i2", "i4", "i9")] == [2, 3, 1, None]


def test_long_waits_stand_first_and_late_ones_behind_those_in_time() -> None:
    floor = Floor(a_policy())
    floor.queue(value=1)
    floor.after(45)
    floor.queue(value=2)
    floor.after(10)
    assert [floor.router.position(name) for name in ("i1", "i2")] == [2, 1]
    floor.after(10)
    assert [floor.router.position(name) for name in ("i1", "i2")] == [1, 2]


@pytest.mark.parametrize("profile", Profile)
def test_place_is_the_order_of_being_taken(profile: Profile) -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", profile=profile)))
    for step, value in enumerate((1, 4, 2, 1, 4, 2)):
        floor.queue(value=value)
        floor.after(9 + step)
    places = {f"i{number}": floor.router.position(f"i{number}") for number in range(1, 7)}
    assert sorted(place or 0 for place in places.values()) == [1, 2, 3, 4, 5, 6]

    first = floor.agent("ann")[0]
    assert places[first.split(">")[0]] == 1


def test_expected_wait_is_zero_beside_a_free_agent_and_unknown_without_any() -> None:
    floor = Floor(a_policy())
    call = WaitingInteraction(id="x", queue_id="billing", channel="voice", queued_at_ms=START_MS)
    assert floor.router.estimate_new_ms(call) is None
    floor.agent("ann")
    assert floor.router.estimate_new_ms(call) == 0
    floor.queue()
    assert floor.router.estimate_wait_ms("i1") == 0
    assert floor.router.estimate_wait_ms("i9") is None


def test_expected_wait_grows_with_those_ahead_and_falls_with_agents() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    waits: list[int | None] = []
    for _ in range(3):
        floor.queue()
        waits.append(floor.router.estimate_wait_ms(f"i{len(waits) + 1}"))
    assert waits == [240_000, 480_000, 720_000]

    floor.busy("bob")
    assert floor.router.estimate_wait_ms("i3") == 360_000


def test_expected_wait_learns_handling_times_and_counts_those_who_give_up() -> None:
    learned = Learned()
    for _ in range(100):
        learned.handled("q", 60_000)
        learned.patience("q").ended(30_000, gave_up=True)

    assert learned.handling_ms("q") == pytest.approx(60_000)
    assert learned.handling_ms("unknown") == pytest.approx(60_000)
    assert learned.give_up_rate("q") == pytest.approx(1 / 30_000)
    assert wait_ms(10, 1 / 60_000, 1 / 30_000) < 11 * 60_000 / 2


def test_sum_and_logarithm_agree_where_they_meet() -> None:
    assert wait_ms(64.0, 1e-3, 1e-4) == pytest.approx(wait_ms(64.999, 1e-3, 1e-4), rel=0.02)
    assert wait_ms(65.0, 1e-3, 1e-4) == pytest.approx(wait_ms(64.999, 1e-3, 1e-4), rel=0.02)
    with pytest.raises(ValueError, match="nobody"):
        wait_ms(1, 0, 0)


def test_every_agent_gets_their_reasons_in_a_fixed_order() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", skills=needs(tax=3))))
    floor.agent("ann", skills={"tax": 2}, is_available=False)
    floor.busy("bob", skills={"tax": 5})
    floor.agent("cat", skills={"tax": 3}, channels=("chat",))
    floor.queue()

    found = explain_interaction(floor.router, "i1")

    assert found is not None
    assert {verdict.agent_id: [refusal.code for refusal in verdict.refusals] for verdict in found.verdicts} == {
        "ann": ["not_available", "skill"],
        "bob": ["capacity"],
        "cat": ["channel"],
    }
    text = "\n".join(found.lines())
    assert "ann: not taken, not_available; skill: tax 2 < 3" in text
    assert found.facts["position"] == 1


def test_offers_exclusions_and_reservations_are_reasons() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", reservation=Reservation(keep_free=1))))
    floor.agent("ann")
    floor.queue(value=5)
    floor.end("i1", "ann")
    assert [refusal.code for refusal in why_not(floor.router, "i1", "ann")] == ["excluded"]
    floor.queue(value=1)
    assert [refusal.code for refusal in why_not(floor.router, "i2", "ann")] == ["reserved"]
    floor.agent("bob")
    assert [refusal.code for refusal in why_not(floor.router, "i1", "bob")] == ["offered_to_them"]
    assert "offered_elsewhere" in [refusal.code for refusal in why_not(floor.router, "i1", "ann")]
    with pytest.raises(NotTakeable):
        why_not(floor.router, "i1", "nobody")


def test_waiting_for_ones_own_agent_is_a_reason() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", sticky_ms=60_000)))
    floor.agent("ann")
    floor.busy("bob")
    floor.queue(preferred_agent_ids=("bob",))
    floor.queue(only_agent_id="cat")

    assert [(each.code, each.fact) for each in why_not(floor.router, "i1", "ann")] == [("waits_for_its_agent", "bob")]
    assert [(each.code, each.fact) for each in why_not(floor.router, "i2", "ann")] == [("waits_for_its_agent", "cat")]


def test_agent_sees_what_waits_and_what_they_would_get_next() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", skills=()), QueuePolicy(id="law", skills=needs(law=1))))
    floor.queue(queue_id="law")
    floor.busy("ann")
    floor.queue()

    found = explain_agent(floor.router, "ann")

    assert found is not None
    assert found.facts["would_get_next"] == "nothing"
    assert [(each.interaction_id, [refusal.code for refusal in each.refusals]) for each in found.verdicts] == [
        ("i1", ["capacity", "skill"]),
        ("i2", ["capacity"]),
    ]
    assert explain_agent(floor.router, "nobody") is None
    assert explain_interaction(floor.router, "nothing") is None


def test_past_is_explained_by_replaying_to_it() -> None:
    policy = a_policy()
    call = WaitingInteraction(id="x", queue_id="billing", channel="voice", queued_at_ms=START_MS)
    records: list[tuple[int, int, Event]] = [
        (1, START_MS, AgentChanged(an_agent("ann", is_available=False))),
        (2, START_MS, InteractionQueued(call)),
        (5, START_MS + 9_000, AgentChanged(an_agent("ann"))),
        (6, START_MS + 9_000, WorkEnded("ann", "x")),
    ]

    then = explain_interaction(rebuild(policy, records, until_seq=4), "x")
    now = explain_interaction(rebuild(policy, records, until_seq=6), "x")

    assert then is not None
    assert now is not None
    assert [refusal.code for refusal in then.verdicts[0].refusals] == ["not_available"]
    assert [refusal.code for refusal in now.verdicts[0].refusals] == ["offered_to_them"]


def test_reason_reads_as_a_sentence() -> None:
    assert Reason(Rule.PICKED, {}).text() == "The agent picked it from the list"
    for rule in Rule:
        assert Reason(rule, {"waited_ms": 5}).text().endswith("(waited 0.0 s)")


@pytest.mark.parametrize(
    ("ms", "said"),
    [(400, "0.4 s"), (48_000, "48 s"), (59_900, "1 min 0 s"), (125_000, "2 min 5 s"), (12_000_000, "3 h 20 min")],
)
def test_durations_read_as_people_say_them(ms: int, said: str) -> None:
    assert Reason(Rule.PICKED, {"waited_ms": ms, "urgency": 1.5}).text().endswith(f"(waited {said}, urgency 1.5)")


def test_explanation_holds_no_instant_and_no_milliseconds() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", max_wait_ms=600_000)))
    floor.agent("ann")
    floor.agent("bob")
    floor.queue()
    floor.end("i1", "ann")

    for subject in (explain_interaction(floor.router, "i1"), explain_agent(floor.router, "ann")):
        assert subject is not None
        text = "\n".join(subject.lines())
        assert not re.search(r"\d{5,}|\bms\b", text), text
    text = "\n".join(explain_interaction(floor.router, "i1").lines())  # type: ignore[union-attr]
    assert "excluded: for 1 min 0 s more" in text
    assert "offered_to_them: for 20 s more" in text


def test_every_offer_says_why() -> None:
    router = Router(a_policy())
    router.handle(AgentChanged(an_agent("ann")), at_ms=START_MS)
    call = WaitingInteraction(id="x", queue_id="billing", channel="voice", queued_at_ms=START_MS, value=3)
    offer = router.handle(InteractionQueued(call), at_ms=START_MS + 5_000)[0]

    assert offer.reason.rule is Rule.CAME_TO_FREE_AGENT
    assert offer.reason.figures["waited_ms"] == 5_000
    assert offer.reason.figures["group"] == "in_time"
