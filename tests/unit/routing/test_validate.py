"""Unsound policies are named, and refused."""

from dataclasses import replace

import pytest

from routing.engine import Router
from routing.errors import InvalidPolicy
from routing.hours import BusinessHours
from routing.model import SkillNeed, WayOut, WayOutKind
from routing.policy import AgentGroup, ChannelPolicy, Policy, QueuePolicy, RelaxStep, Reservation
from routing.validate import Severity, check_policy
from tests.unit.routing.floors import a_policy, an_agent, needs

RINGS = (AgentGroup(id="near"), AgentGroup(id="far", delay_ms=9))


def to(queue_id: str) -> WayOut:
    return WayOut(WayOutKind.QUEUE, queue_id)


def codes(policy: Policy, *agents: str, **skills: int) -> list[str]:
    return [finding.code for finding in check_policy(policy, [an_agent(each, skills=skills) for each in agents])]


def test_sound_policy_has_no_findings() -> None:
    assert codes(a_policy(), "ann") == []


def test_demand_nobody_meets_is_named_with_its_figure() -> None:
    policy = a_policy(QueuePolicy(id="billing", skills=needs(invoices=3)))
    agents = [an_agent(f"a{number}", skills={"invoices": 2}) for number in range(34)]

    found = check_policy(policy, agents)

    assert [finding.text for finding in found] == ["0 of 34 agents can take queue billing: none has invoices >= 3"]
    assert found[0].severity is Severity.WARNING


def test_demand_met_only_later_says_when() -> None:
    relax = (RelaxStep(after_ms=30_000, lower_levels_by=1),)
    policy = a_policy(QueuePolicy(id="q", skills=needs(tax=3), relax=relax))

    assert "before it has waited 30000 ms" in check_policy(policy, [an_agent("ann", skills={"tax": 2})])[0].text


def test_agents_who_do_not_serve_are_counted() -> None:
    policy = a_policy(QueuePolicy(id="q", groups=(AgentGroup(id="g"),)))

    texts = " ".join(finding.text for finding in check_policy(policy, [an_agent("ann")]))
    assert "nobody is in group g" in texts
    assert "1 do not serve it" in texts
    assert "there are none" in check_policy(a_policy(), [])[0].text


@pytest.mark.parametrize(
    ("queue", "code"),
    [
        (QueuePolicy(id="q", target_ms=0), "figures"),
        (QueuePolicy(id="q", offers_at_once=0), "figures"),
        (QueuePolicy(id="q", groups=(AgentGroup(id="g", rank=-1),)), "figures"),
        (QueuePolicy(id="q", relax=(RelaxStep(after_ms=-5),)), "figures"),
        (QueuePolicy(id="q", reservation=Reservation(keep_free=0)), "figures"),
        (QueuePolicy(id="q", skills=(SkillNeed("tax", 9),)), "level"),
        (QueuePolicy(id="q", hours_id="office"), "unknown_hours"),
        (QueuePolicy(id="q", when_nobody=to("nowhere")), "way_out_nowhere"),
        (QueuePolicy(id="q", when_nobody=WayOut(WayOutKind.FLOW)), "way_out_nowhere"),
        (QueuePolicy(id="q", relax=(RelaxStep(after_ms=1, add_queues=("r",)),)), "unknown_queue"),
    ],
)
def test_contradictions_are_errors_and_the_engine_refuses_them(queue: QueuePolicy, code: str) -> None:
    assert code in codes(a_policy(queue))
    with pytest.raises(InvalidPolicy, match="queue q"):
        Router(a_policy(queue))


@pytest.mark.parametrize(
    ("queue", "code"),
    [
        (QueuePolicy(id="q", max_wait_ms=9, when_waited=to("r"), relax=(RelaxStep(after_ms=9),)), "unreachable_step"),
        (QueuePolicy(id="q", max_wait_ms=9, when_waited=to("r"), sticky_ms=9), "overlapping_timers"),
        (
            QueuePolicy(id="q", relax=(RelaxStep(after_ms=5, way_out=to("r")), RelaxStep(after_ms=6))),
            "unreachable_step",
        ),
        (QueuePolicy(id="q", max_wait_ms=9, when_waited=to("r"), groups=RINGS), "unreachable_step"),
        (QueuePolicy(id="q", relax=(RelaxStep(after_ms=8, way_out=to("r")),), groups=RINGS), "unreachable_step"),
        (
            QueuePolicy(
                id="q", max_wait_ms=9, when_waited=to("r"), relax=(RelaxStep(after_ms=4, add_groups=RINGS[1:]),)
            ),
            "unreachable_step",
        ),
        (QueuePolicy(id="q", max_wait_ms=9, when_waited=to("r"), only_agent_ms=9), "overlapping_timers"),
        (
            QueuePolicy(id="q", max_wait_ms=9, when_waited=to("r"), reservation=Reservation(until_waited_ms=9)),
            "overlapping_timers",
        ),
        (QueuePolicy(id="q", relax=(RelaxStep(after_ms=5), RelaxStep(after_ms=5))), "overlapping_steps"),
        (QueuePolicy(id="q", max_wait_ms=9), "half_a_limit"),
        (QueuePolicy(id="q", when_full=to("r")), "half_a_limit"),
        (QueuePolicy(id="q", groups=(AgentGroup(id="g", delay_ms=5),)), "empty_first_ring"),
        (QueuePolicy(id="q", when_closed=to("r")), "never_closed"),
        (QueuePolicy(id="q", when_nobody=to("q")), "way_out_ring"),
    ],
)
def test_lawful_but_not_meant_is_a_warning(queue: QueuePolicy, code: str) -> None:
    policy = a_policy(queue, QueuePolicy(id="r"))

    assert code in [finding.code for finding in check_policy(policy)]
    Router(policy)


def test_ring_whose_agents_can_never_take_anything_is_named() -> None:
    queue = QueuePolicy(id="q", skills=needs(tax=3), groups=RINGS)
    staff = [an_agent("ann", groups=("near",), skills={"tax": 3}), an_agent("bob", groups=("far",), skills={"tax": 2})]

    texts = [finding.text for finding in check_policy(a_policy(queue), staff)]

    assert texts == ["0 of 1 agents of group far can take queue q: none has tax >= 3"]
    later = replace(queue, relax=(RelaxStep(after_ms=60, lower_levels_by=1),))
    assert check_policy(a_policy(later), staff) == []


def test_reservation_that_keeps_everybody_free_is_named() -> None:
    policy = a_policy(QueuePolicy(id="q", reservation=Reservation(keep_free=2)))
    staff = [an_agent(name) for name in ("ann", "bob", "cat")]

    assert check_policy(policy, staff) == []
    assert [finding.code for finding in check_policy(policy, staff[1:])] == ["reserves_everybody"]


def test_work_that_may_be_interrupted_by_its_like_is_refused() -> None:
    assert "interrupts_itself" in codes(a_policy(channels={"chat": ChannelPolicy(may_be_interrupted_by=("chat",))}))


def test_settings_and_channels_are_checked() -> None:
    policy = a_policy(
        channels={"voice": ChannelPolicy(units=0, may_be_interrupted_by=("fax",))},
        hours={"office": BusinessHours(zone="Nowhere")},
        misses_until_not_responding=0,
        nobody_grace_ms=-1,
        skills=("tax",),
    )

    assert {"channel_figures", "unknown_channel", "hours", "settings", "negative_time"} <= set(codes(policy))


def test_skill_outside_the_list_is_an_error_for_queues_and_agents() -> None:
    assert "unknown_skill" in codes(a_policy(QueuePolicy(id="q", skills=needs(law=1)), skills=("tax",)))
    assert "unknown_skill" in codes(a_policy(skills=("tax",)), "ann", law=1)


def test_queue_must_carry_its_own_name_and_open_some_day() -> None:
    assert "queue_id" in codes(Policy(queues={"a": QueuePolicy(id="b")}))
    hours = {"never": BusinessHours()}
    assert "never_open" in codes(a_policy(QueuePolicy(id="q", hours_id="never"), hours=hours))
