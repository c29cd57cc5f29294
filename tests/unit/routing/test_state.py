"""Impossible inputs change nothing; equal events decide equally whatever else differs."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from routing.engine import Router
from routing.errors import (
    AlreadyKnown,
    ImpossibleInput,
    InvalidPolicy,
    RoutingError,
    TimeWentBack,
    UnknownChannel,
    UnknownQueue,
    UnknownSkill,
)
from routing.events import (
    AgentChanged,
    Event,
    InteractionChanged,
    InteractionQueued,
    PolicyChanged,
    QueueForced,
    Tick,
    WorkStarted,
)
from routing.model import Exclusion, HeldWork, LiveOffer, SkillNeed, WaitingInteraction
from routing.policy import AgentGroup, QueuePolicy, RelaxStep
from routing.simulate import Day, Demand, Shift, generate, run
from routing.state import Snapshot
from tests.unit.routing.floors import START_MS, Floor, a_policy, an_agent

CALL = WaitingInteraction(id="x", queue_id="billing", channel="voice", queued_at_ms=START_MS)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (InteractionQueued(replace(CALL, queue_id="law")), UnknownQueue),
        (InteractionQueued(replace(CALL, channel="fax")), UnknownChannel),
        (InteractionQueued(replace(CALL, skills=(SkillNeed("law"),))), UnknownSkill),
        (InteractionQueued(replace(CALL, best_skills=("law",))), UnknownSkill),
        (InteractionQueued(replace(CALL, skills=(SkillNeed("tax", 6),))), ImpossibleInput),
        (InteractionQueued(replace(CALL, any_of=((),))), ImpossibleInput),
        (InteractionQueued(replace(CALL, value=0)), ImpossibleInput),
        (InteractionQueued(replace(CALL, head_start_ms=-1)), ImpossibleInput),
        (InteractionQueued(replace(CALL, id="")), ImpossibleInput),
        (InteractionQueued(replace(CALL, id="i1")), AlreadyKnown),
        (InteractionChanged(replace(CALL, id="i1", channel="chat")), ImpossibleInput),
        (AgentChanged(an_agent("ann", capacity_units=-1)), ImpossibleInput),
        (AgentChanged(an_agent("ann", skills={"tax": 0})), ImpossibleInput),
        (AgentChanged(an_agent("ann", units={"voice": 0})), ImpossibleInput),
        (AgentChanged(an_agent("ann", speed=0.0)), ImpossibleInput),
        (AgentChanged(an_agent("ann", channels=("fax",))), UnknownChannel),
        (AgentChanged(an_agent("ann", queue_ids=("law",))), UnknownQueue),
        (AgentChanged(an_agent("ann", holds=(HeldWork("w", "voice"), HeldWork("w", "chat")))), AlreadyKnown),
        (AgentChanged(an_agent("ann", speed=float("nan"))), ImpossibleInput),
        (AgentChanged(an_agent("ann", idle_since_ms=10**15)), ImpossibleInput),
        (AgentChanged(an_agent("ann", paused_until_ms=-1)), ImpossibleInput),
        (AgentChanged(an_agent("ann", misses=-1)), ImpossibleInput),
        (AgentChanged(an_agent("ann", holds=(HeldWork("w", "voice", "", -1),))), ImpossibleInput),
        (InteractionQueued(replace(CALL, excluded=(Exclusion("ann", -1),))), ImpossibleInput),
        (InteractionQueued(replace(CALL, id="y", queued_at_ms=10**15)), ImpossibleInput),
        (WorkStarted("ann", HeldWork("w", "fax")), UnknownChannel),
        (QueueForced("law", is_open=True), UnknownQueue),
        (PolicyChanged(a_policy(QueuePolicy(id="other"))), InvalidPolicy),
        (PolicyChanged(a_policy(QueuePolicy(id="billing", target_ms=0))), InvalidPolicy),
    ],
)
def test_impossible_input_gets_its_error_and_changes_nothing(event: Event, error: type[RoutingError]) -> None:
    floor = Floor(a_policy(skills=("tax",)))
    floor.queue()
    floor.busy("ann")
    before = floor.router.snapshot()
    floor.now += 60_000

    with pytest.raises(error) as caught:
        floor.tell(event)

    assert caught.value.code
    assert floor.router.snapshot() == before


def test_clock_that_steps_back_a_little_stands_still_and_a_lot_is_refused() -> None:
    router = Router(a_policy())
    router.handle(Tick(), at_ms=START_MS)
    router.handle(Tick(), at_ms=START_MS - 5_000)
    assert router.now_ms == START_MS

    with pytest.raises(TimeWentBack):
        router.handle(Tick(), at_ms=START_MS - 5_001)
    with pytest.raises(ImpossibleInput):
        router.handle(Tick(), at_ms=10**15)
    assert router.now_ms == START_MS


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(at_ms=1, waiting=(CALL, CALL)),
        Snapshot(at_ms=1, agents=(an_agent("ann"), an_agent("ann"))),
        Snapshot(
            at_ms=1, waiting=(CALL,), offers=(LiveOffer(interaction_id="x", agent_id="y", offer_no=1, deadline_ms=9),)
        ),
        Snapshot(at_ms=1, refused=("ann",)),
        Snapshot(at_ms=1, forced=(("law", True),)),
    ],
)
def test_contradicting_snapshot_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(ImpossibleInput):
        Router(a_policy(), snapshot)


def test_stage_beyond_the_last_is_the_last() -> None:
    steps = (RelaxStep(after_ms=10_000), RelaxStep(after_ms=20_000, lower_levels_by=1))
    floor = Floor(a_policy(QueuePolicy(id="billing", relax=steps)))
    floor.queue(least_stage=2)
    floor.queue(least_stage=9)

    floor.tell(PolicyChanged(a_policy(QueuePolicy(id="billing", relax=steps[:1]))))

    assert [each.least_stage for each in floor.router.snapshot().waiting] == [1, 1]
    assert floor.agent("ann") == ["i1>ann"]


def test_offer_that_ran_out_during_a_restart_ends_with_the_first_event() -> None:
    floor = Floor(a_policy())
    floor.agent("ann")
    floor.queue()
    floor.router = Router(floor.router.policy, floor.router.snapshot())

    assert floor.after(30) == ["i1<ann timed_out"]


def test_interactions_without_numbers_are_taken_in_order_of_coming() -> None:
    calls = tuple(replace(CALL, id=name, queued_at_ms=at) for name, at in (("c", 3), ("a", 1), ("b", 2)))
    router = Router(a_policy(), Snapshot(at_ms=10, waiting=calls, agents=(an_agent("ann"),)))

    assert [each.id for each in router.snapshot().waiting] == ["a", "b", "c"]
    assert router.handle(Tick(), at_ms=10)[0].interaction_id == "a"  # type: ignore[union-attr]


def _day(start_ms: int) -> Day:
    demands = [
        Demand(
            name=name,
            queue_id="billing",
            channel=channel,
            per_hour=(120.0,),
            handling_ms=240_000,
            patience_ms=90_000,
            value=value,
        )
        for name, channel, value in (("a", "voice", 1), ("b", "chat", 2), ("c", "email", 4))
    ]
    shifts = [
        Shift(agent=an_agent(f"agent-{n:02}", skills=dict.fromkeys("abcdefgh"[: 1 + n % 5], 3), groups=("g",)))
        for n in range(12)
    ]
    customers = generate(demands, hours=2, seed=11, start_ms=start_ms)
    return Day(customers=customers, shifts=shifts, start_ms=start_ms, answer_ms=4_000, missed_share=0.05)


POLICY = a_policy(
    QueuePolicy(id="billing", groups=(AgentGroup(id="g"),), relax=(RelaxStep(after_ms=20_000, lower_levels_by=1),))
)


def digest(start_ms: int = START_MS) -> list[tuple[str, int]]:
    outcome = run(_day(start_ms), POLICY)
    return [(fate.agent_id, fate.waited_ms or 0) for fate in outcome.fates]


def test_time_shifted_day_decides_alike() -> None:
    assert digest(START_MS) == digest(START_MS + 86_400_000)


def test_another_process_with_another_hash_seed_decides_alike() -> None:
    code = "from tests.unit.routing.test_state import digest; import hashlib; "
    code += "print(hashlib.sha256(repr(digest()).encode()).hexdigest())"
    prints = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert prints[0] == prints[1]


def test_order_of_logging_in_and_unrelated_queues_decide_nothing() -> None:
    day = _day(START_MS)
    swapped = replace(day, shifts=list(reversed(day.shifts)))
    wider = replace(POLICY, queues={"other": QueuePolicy(id="other", groups=(AgentGroup(id="o"),)), **POLICY.queues})

    usual = [(fate.agent_id, fate.waited_ms) for fate in run(day, POLICY).fates]
    assert [(fate.agent_id, fate.waited_ms) for fate in run(swapped, POLICY).fates] == usual
    assert [(fate.agent_id, fate.waited_ms) for fate in run(day, wider).fates] == usual
