"""What loosens with time, and the ways out: never silence."""

from routing.events import InteractionChanged, PolicyChanged, QueueForced
from routing.hours import WEEKDAYS, BusinessHours
from routing.model import WaitingInteraction, WayOut, WayOutKind
from routing.policy import AgentGroup, QueuePolicy, RelaxStep
from tests.unit.routing.floors import START_MS, Floor, a_policy, needs

CALLBACK = WayOut(WayOutKind.CALLBACK)
VOICEMAIL = WayOut(WayOutKind.VOICEMAIL)
NINE_TO_FIVE = {"office": BusinessHours(week=dict.fromkeys(WEEKDAYS, ("09:00-17:00",)))}
MIDNIGHT = START_MS - START_MS % 86_400_000
NINE = MIDNIGHT + 9 * 3_600_000


def test_rings_of_agents_join_as_the_wait_grows() -> None:
    groups = (AgentGroup(id="own"), AgentGroup(id="help", rank=1, delay_ms=30_000))
    floor = Floor(a_policy(QueuePolicy(id="q", groups=groups)))
    floor.agent("ann", groups=("help",))

    assert floor.queue() == []
    assert floor.router.next_wake_ms() == floor.now + 30_000
    assert floor.after(30) == ["i1>ann"]


def test_levels_fall_and_skills_drop() -> None:
    relax = (RelaxStep(after_ms=10_000, lower_levels_by=2), RelaxStep(after_ms=20_000, drop_skills=("tax",)))
    floor = Floor(a_policy(QueuePolicy(id="q", skills=needs(tax=5), relax=relax)))
    floor.agent("ann", skills={"tax": 3})
    floor.agent("bob")

    floor.queue()
    assert floor.after(10) == ["i1>ann"]
    floor.accept("i1", "ann")
    floor.queue()
    assert floor.after(20) == ["i2>bob"]


def test_agents_of_another_queue_help_after_a_while() -> None:
    own = QueuePolicy(id="q", groups=(AgentGroup(id="g"),), relax=(RelaxStep(after_ms=5_000, add_queues=("r",)),))
    floor = Floor(a_policy(own, QueuePolicy(id="r", groups=(AgentGroup(id="h"),))))
    floor.agent("ann", groups=("h",))
    floor.queue(queue_id="q")

    assert floor.after(5) == ["i1>ann"]


def test_any_language_after_a_while() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", relax=(RelaxStep(after_ms=5_000, any_language=True),))))
    floor.agent("ann", languages=("en",))
    floor.queue(languages=("yue",))

    assert floor.after(5) == ["i1>ann"]


def test_next_ring_is_asked_at_once_when_everybody_in_the_first_declined() -> None:
    groups = (AgentGroup(id="own"), AgentGroup(id="help", rank=1, delay_ms=30_000))
    floor = Floor(a_policy(QueuePolicy(id="q", groups=groups)))
    floor.agent("ann", groups=("own",))
    floor.agent("bob", groups=("help",))
    floor.queue()

    assert floor.end("i1", "ann") == ["i1~1", "i1>bob"]
    assert [live.agent_id for live in floor.router.snapshot().offers] == ["bob"]


def test_step_with_a_way_out_opens_it_but_not_under_a_live_offer() -> None:
    relax = (RelaxStep(after_ms=15_000, way_out=CALLBACK),)
    floor = Floor(a_policy(QueuePolicy(id="q", relax=relax)))
    floor.queue()
    assert floor.after(10) == []
    assert floor.agent("ann") == ["i1>ann"]
    assert floor.after(10) == []
    assert floor.end("i1", "ann") == ["i1!relaxed_out"]


def test_longest_wait_ends_in_its_way_out() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", max_wait_ms=60_000, when_waited=VOICEMAIL)))
    floor.queue()

    assert floor.after(59.999) == []
    assert floor.after(0.001) == ["i1!waited_too_long"]
    assert floor.router.next_wake_ms() is None


def test_full_queue_sends_the_next_one_on() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", max_length=1, when_full=CALLBACK)))
    floor.queue()

    assert floor.queue() == ["i2!queue_full"]


def test_nobody_logged_in_and_nobody_able_each_have_their_way_out() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", skills=needs(tax=3), when_nobody=CALLBACK, when_unable=VOICEMAIL)))

    assert floor.queue() == ["i1!nobody_logged_in"]
    floor.agent("ann", skills={"tax": 1}, is_available=False)
    assert floor.queue() == ["i2!nobody_able"]
    floor.agent("ann", skills={"tax": 3}, is_available=False)
    assert floor.queue() == []


def test_who_waits_flows_out_when_the_last_able_agent_has_been_gone_for_the_grace() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", when_nobody=CALLBACK)))
    floor.busy("ann")
    floor.queue()
    floor.gone("ann")

    assert floor.after(14) == []
    assert floor.after(1) == ["i1!nobody_logged_in"]


def test_agent_who_is_back_within_the_grace_saves_the_queue() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", when_nobody=CALLBACK)))
    floor.busy("ann")
    floor.queue()
    floor.gone("ann")
    floor.after(10)
    floor.busy("ann")

    assert floor.after(10) == []


def test_closed_queue_sends_on_and_serves_those_who_came_in_time() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", hours_id="office", when_closed=VOICEMAIL), hours=NINE_TO_FIVE))
    floor.now = NINE + 7 * 3_600_000 + 3_590_000
    floor.queue()
    floor.after(60)

    assert floor.queue() == ["i2!closed"]
    assert floor.agent("ann") == ["i1>ann"]


def test_without_a_way_out_it_waits_for_opening() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", hours_id="office"), hours=NINE_TO_FIVE))
    floor.now = NINE - 60_000
    floor.agent("ann")

    assert floor.queue() == []
    assert floor.after(59) == []
    assert floor.after(1) == ["i1>ann"]


def test_closing_sends_those_home_whom_the_queue_does_not_work_off() -> None:
    queue = QueuePolicy(id="q", hours_id="office", when_closed=CALLBACK, work_off_after_close=False)
    floor = Floor(a_policy(queue, hours=NINE_TO_FIVE))
    floor.now = NINE + 8 * 3_600_000 - 10_000
    floor.queue()

    assert floor.after(10) == ["i1!closed"]


def test_waiting_for_opening_counts_or_not_as_the_queue_says() -> None:
    queue = QueuePolicy(id="q", hours_id="office", count_closed_wait=False, max_wait_ms=60_000, when_waited=CALLBACK)
    floor = Floor(a_policy(queue, hours=NINE_TO_FIVE))
    floor.now = NINE - 3_600_000
    floor.queue()

    assert floor.after(3_600 + 59) == []
    assert floor.after(1) == ["i1!waited_too_long"]


def test_person_may_close_and_open_a_queue_against_its_hours() -> None:
    floor = Floor(a_policy(QueuePolicy(id="q", when_closed=CALLBACK)))
    floor.queue()
    assert floor.tell(QueueForced("q", is_open=False)) == ["i1!closed"]
    assert floor.queue() == ["i2!closed"]
    floor.tell(QueueForced("q", is_open=None))
    floor.agent("ann")
    assert floor.queue() == ["i3>ann"]


def test_forced_closed_queue_without_a_way_out_holds_everybody() -> None:
    floor = Floor(a_policy())
    floor.queue()
    floor.tell(QueueForced("billing", is_open=False))

    assert floor.agent("ann") == []
    assert floor.tell(QueueForced("billing", is_open=None)) == ["i1>ann"]


def test_changed_needs_take_effect_at_once() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue(skills=needs(tax=1))
    changed = WaitingInteraction(id="i1", queue_id="billing", channel="voice", queued_at_ms=floor.now)

    assert floor.tell(InteractionChanged(changed)) == ["i1>ann"]


def test_policy_that_lets_more_in_is_acted_upon_at_once() -> None:
    floor = Floor(a_policy(QueuePolicy(id="billing", skills=needs(tax=1))))
    floor.agent("ann")
    floor.queue()

    assert floor.tell(PolicyChanged(a_policy())) == ["i1>ann"]
