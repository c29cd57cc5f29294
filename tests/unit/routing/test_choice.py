"""Who goes first, and who gets it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.events import AgentChanged, InteractionQueued, MakeOffer, WorkEnded
from routing.model import AgentState, WaitingInteraction
from routing.policy import AgentGroup, AgentOrder, Profile, QueuePolicy, Reservation
from tests.unit.routing.floors import Floor, a_policy, needs

CHAT = QueuePolicy(id="chat", target_ms=60_000)
MAIL = QueuePolicy(id="mail", target_ms=14_400_000)


def test_chat_near_its_target_goes_before_an_email_with_hours_to_go() -> None:
    floor = Floor(a_policy(MAIL, CHAT))
    floor.busy("ann")
    floor.queue(queue_id="mail", channel="email")
    floor.after(600)
    floor.queue(queue_id="chat", channel="chat")
    floor.after(55)

    assert floor.free("ann")[0] == "i2>ann"


def test_better_customer_goes_sooner() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    floor.queue(value=1)
    floor.after(2)
    floor.queue(value=4)
    floor.after(3)

    assert floor.free("ann") == ["i2>ann"]


def test_long_wait_goes_before_every_better_customer_in_time() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    floor.queue(value=1)
    floor.after(61)
    floor.queue(value=100)
    floor.after(19)

    assert floor.free("ann") == ["i1>ann"]


def test_in_time_goes_before_late_until_late_is_long() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    floor.queue(value=2)
    floor.after(25)
    floor.queue(value=1)
    floor.after(5)

    assert floor.free("ann") == ["i2>ann"]


def test_head_start_keeps_a_callbacks_place() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    floor.queue()
    floor.after(3)
    floor.queue(head_start_ms=10_000)

    assert floor.free("ann") == ["i2>ann"]


def test_equals_are_served_in_order_of_coming_and_of_numbers_in_one_millisecond() -> None:
    floor = Floor(a_policy())
    floor.busy("ann")
    floor.queue(id="b", order=8)
    floor.queue(id="a", order=9)
    floor.queue(id="c", order=7)

    assert floor.free("ann") == ["c>ann"]


def test_strict_priority_goes_before_other_profiles_and_by_value() -> None:
    floor = Floor(a_policy(QueuePolicy(id="first", profile=Profile.STRICT_PRIORITY), CHAT))
    floor.busy("ann")
    floor.queue(queue_id="chat")
    floor.after(300)
    floor.queue(queue_id="first", value=1)
    floor.queue(queue_id="first", value=2)

    assert floor.free("ann") == ["i3>ann"]


def test_first_come_ignores_value() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", profile=Profile.FIRST_COME)))
    floor.busy("ann")
    floor.queue(value=1)
    floor.after(1)
    floor.queue(value=900)

    assert floor.free("ann") == ["i1>ann"]


def test_only_speaker_of_a_language_is_not_spent_while_another_is_free() -> None:
    floor = Floor(a_policy())
    floor.agent("ann", languages=("en", "yue"))
    floor.after(60)
    floor.agent("bob", languages=("en",))

    assert floor.queue(languages=("en",)) == ["i1>bob"]
    assert floor.queue(languages=("yue",)) == ["i2>ann"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (AgentOrder.LONGEST_IDLE, "ann"),
        (AgentOrder.LEAST_FLEXIBLE, "bob"),
        (AgentOrder.MOST_SKILLED, "cat"),
        (AgentOrder.FASTEST, "dan"),
    ],
)
def test_each_agent_order_chooses_its_own(order: AgentOrder, expected: str) -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", agent_order=order, skills=needs(tax=1))))
    for agent_id, skills, speed in (
        ("ann", {"tax": 3, "law": 3}, 1.0),
        ("bob", {"tax": 2}, 1.0),
        ("cat", {"tax": 5, "law": 1}, 1.0),
        ("dan", {"tax": 3, "law": 1}, 2.0),
    ):
        floor.agent(agent_id, skills=skills, speed=speed)
        floor.after(1)

    assert floor.queue() == [f"i1>{expected}"]


def test_round_robin_goes_to_whom_was_offered_least_recently() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", agent_order=AgentOrder.ROUND_ROBIN)))
    floor.agent("ann")
    floor.agent("bob")

    assert floor.queue(channel="chat") == ["i1>ann"]
    floor.after(1)
    assert floor.queue(channel="chat") == ["i2>bob"]
    floor.after(1)
    assert floor.queue(channel="chat") == ["i3>ann"]


def test_chats_are_packed_so_that_whole_agents_stay_whole() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.agent("bob")

    assert [floor.queue(channel="chat") for _ in range(4)] == [[f"i{n}>ann"] for n in range(1, 5)]
    assert floor.queue() == ["i5>bob"]


def test_least_loaded_spreads_chats() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", agent_order=AgentOrder.LEAST_LOADED)))
    floor.agent("ann")
    floor.agent("bob")

    assert [floor.queue(channel="chat") for _ in range(4)] == [["i1>ann"], ["i2>bob"], ["i3>ann"], ["i4>bob"]]


def test_call_may_interrupt_emails_but_nothing_a_call() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue(channel="email")
    floor.accept("i1", "ann")

    call = WaitingInteraction(id="call", queue_id="billing", channel="voice", queued_at_ms=floor.now)
    offer = floor.router.handle(InteractionQueued(call), at_ms=floor.now)[0]

    assert isinstance(offer, MakeOffer)
    assert (offer.agent_id, offer.interrupts) == ("ann", ("i1",))
    assert floor.queue(channel="email") == []
    assert floor.queue(channel="voice") == []


def test_whole_agents_take_calls_before_anybody_is_interrupted() -> None:
    floor = Floor(a_policy())
    floor.busy("ann", channel="email")
    floor.after(5)
    floor.agent("bob")

    assert floor.queue() == ["i1>bob"]


def test_lower_rank_is_asked_first() -> None:
    groups = (AgentGroup(id="own", rank=0), AgentGroup(id="help", rank=1))
    floor = Floor(a_policy(QueuePolicy(id="q", groups=groups)))
    floor.agent("ann", groups=("help",))
    floor.agent("bob", groups=("own",), skills={"a": 1, "b": 1})

    assert floor.queue() == ["i1>bob"]
    assert floor.queue() == ["i2>ann"]


def test_best_skills_prefer_without_requiring() -> None:
    floor = Floor(a_policy())
    floor.agent("ann", skills={"tax": 2})
    floor.agent("bob", skills={"tax": 5})

    assert floor.queue(best_skills=("tax",)) == ["i1>bob"]


def test_reserved_agent_is_kept_for_better_customers_until_the_others_waited_enough() -> None:
    reservation = Reservation(keep_free=1, for_value_at_least=2, until_waited_ms=10_000)
    floor = Floor(a_policy(QueuePolicy(id="q", reservation=reservation)))
    floor.agent("ann")
    floor.agent("bob")

    assert floor.queue(value=1) == ["i1>ann"]
    assert floor.queue(value=1) == []
    assert floor.queue(value=2) == ["i3>bob"]
    floor.accept("i3", "bob")
    floor.after(9)
    assert floor.tell(WorkEnded("bob", "i3")) == []
    assert floor.after(2) == ["i2>bob"]


def test_agents_own_units_decide_how_many_fit() -> None:
    floor = Floor(a_policy())
    floor.agent("ann", units={"chat": 50})

    assert [floor.queue(channel="chat") for _ in range(3)] == [["i1>ann"], ["i2>ann"], []]


def test_agent_takes_only_their_channels_and_queues() -> None:
    floor = Floor(a_policy(QueuePolicy(id="a"), QueuePolicy(id="b")))
    floor.agent("ann", channels=("chat",), queue_ids=("b",))

    assert floor.queue(queue_id="a", channel="chat") == []
    assert floor.queue(queue_id="b", channel="voice") == []
    assert floor.queue(queue_id="b", channel="chat") == ["i3>ann"]


def test_equal_agents_share_a_pool_and_unequal_do_not() -> None:
    floor = Floor(a_policy())
    floor.tell(AgentChanged(AgentState(id="ann", skills={"a": 1, "b": 2})))
    floor.tell(AgentChanged(AgentState(id="bob", skills={"b": 2, "a": 1})))
    floor.tell(AgentChanged(AgentState(id="cat", skills={"b": 1})))

    assert len(floor.router.floor.catalogue.pools) == 2


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from([1, 2, 4, 1_000]), st.sampled_from([0, 3, 9, 40])), min_size=2, max_size=40))
def test_nobody_starves_however_many_better_customers_come(stream: list[tuple[int, int]]) -> None:
    """Who has waited three targets goes before everybody who has not, and in the end everybody was served."""
    floor = Floor(a_policy(QueuePolicy(id="billing", target_ms=10_000)))
    floor.agent("ann")
    came: dict[str, int] = {}
    served: list[str] = []

    def serve(said: list[str]) -> None:
        for one in said:
            taken = one.partition(">")[0]
            someone_long = any(floor.now - at_ms >= 30_000 for at_ms in came.values())
            assert floor.now - came.pop(taken) >= (30_000 if someone_long else 0)
            served.append(taken)
            floor.accept(taken, "ann")

    for number, (value, gap_s) in enumerate(stream, start=1):
        floor.now += gap_s * 1_000
        came[f"i{number}"] = floor.now
        serve(floor.queue(value=value))
        if number % 2 == 0 and served:
            floor.now += 1_000
            serve(floor.tell(WorkEnded("ann", served[-1])))
    while came:
        floor.now += 12_000
        serve(floor.tell(WorkEnded("ann", served[-1])))
    assert sorted(served) == sorted(f"i{number}" for number in range(1, len(stream) + 1))
