"""Simulated days: theory, conservation, records, tables."""

import pytest

from routing.erlang import Traffic, impatient
from routing.measure import compare, figures, gini, quantile, table
from routing.model import WaitingInteraction, WayOut, WayOutKind
from routing.policy import QueuePolicy
from routing.rolls import Rolls
from routing.simulate import Customer, Day, Demand, Recorded, Shift, from_record, generate, run
from tests.unit.routing.floors import a_policy, an_agent

CALLS = Demand(
    name="c", queue_id="billing", channel="voice", per_hour=(500.0,), handling_ms=210_000, patience_ms=180_000
)


def team(count: int) -> list[Shift]:
    return [Shift(agent=an_agent(f"a{number:02}")) for number in range(count)]


def test_day_agrees_with_erlang_a() -> None:
    found = figures(run(Day(customers=generate([CALLS], hours=25, seed=1), shifts=team(31)), a_policy()))
    theory = impatient(Traffic(500 / 3600, 210, 180), 31, 20)

    assert found.abandoned_share == pytest.approx(theory.abandoned, abs=0.012)
    assert found.asa_s == pytest.approx(theory.asa_s, abs=1.5)
    assert found.occupancy == pytest.approx(theory.occupancy, abs=0.02)


def test_everybody_who_came_ended_somehow() -> None:
    policy = a_policy(QueuePolicy(id="billing", max_wait_ms=30_000, when_waited=WayOut(WayOutKind.CALLBACK)))
    day = Day(customers=generate([CALLS], hours=2, seed=2), shifts=team(20), answer_ms=3_000, missed_share=0.1)
    found = figures(run(day, policy))

    assert found.offered == found.answered + found.abandoned + found.flowed_out + found.still_waiting
    assert found.flowed_out > 0
    assert found.still_waiting == 0
    assert found.longest_wait_s <= 30.0 + 20.0


def test_way_out_to_another_queue_is_followed() -> None:
    first = QueuePolicy(id="billing", max_length=1, when_full=WayOut(WayOutKind.QUEUE, "other"))
    day = Day(customers=generate([CALLS], hours=1, seed=3), shifts=team(10))
    found = figures(run(day, a_policy(first, QueuePolicy(id="other"))))

    assert found.flowed_out == 0
    assert found.answered > 0


def test_adding_a_demand_leaves_the_others_customers_alone() -> None:
    other = Demand(name="d", queue_id="billing", channel="chat", per_hour=(60.0,), handling_ms=60_000)
    alone = list(generate([CALLS], hours=1, seed=4))
    both = [each for each in generate([CALLS, other], hours=1, seed=4) if each.interaction.id.startswith("c")]

    assert both == alone


def test_rates_by_the_hour_and_variation_of_handling() -> None:
    demand = Demand(
        name="c",
        queue_id="billing",
        channel="voice",
        per_hour=(100.0, 0.0, 1000.0),
        handling_ms=100_000,
        handling_variation=0.5,
    )
    customers = generate([demand], hours=3, seed=5)
    by_hour = [sum(each.interaction.queued_at_ms // 3_600_000 == hour for each in customers) for hour in range(3)]

    assert by_hour[0] == pytest.approx(100, abs=40)
    assert by_hour[1] == 0
    assert by_hour[2] == pytest.approx(1000, abs=130)
    mean = sum(each.handling_ms for each in customers) / len(customers)
    assert mean == pytest.approx(100_000, rel=0.06)
    assert all(each.patience_ms is None for each in customers)


def test_shifts_end_and_nobody_works_after_theirs() -> None:
    shifts = [Shift(agent=an_agent("ann"), until_ms=1_800_000), Shift(agent=an_agent("bob"), from_ms=1_800_000)]
    outcome = run(Day(customers=generate([CALLS], hours=1, seed=6), shifts=shifts), a_policy())

    early = {fate.agent_id for fate in outcome.fates if fate.answered_ms is not None and fate.answered_ms < 1_800_000}
    late = {fate.agent_id for fate in outcome.fates if fate.answered_ms is not None and fate.answered_ms > 1_800_000}
    assert early == {"ann"}
    assert late == {"bob"}
    last_call = max(fate.answered_ms or 0 for fate in outcome.fates if fate.agent_id == "ann")
    assert outcome.present_ms["ann"] >= max(1_800_000, last_call)
    assert outcome.busy_ms["ann"] <= outcome.present_ms["ann"]


def test_who_is_busy_as_their_shift_ends_is_there_until_the_work_is_done() -> None:
    call = Customer(WaitingInteraction(id="i1", queue_id="billing", channel="voice", queued_at_ms=50_000), 60_000, None)
    shifts = [Shift(agent=an_agent("ann"), until_ms=100_000)]

    outcome = run(Day(customers=[call], shifts=shifts), a_policy())

    assert (outcome.present_ms, outcome.busy_ms) == ({"ann": 110_000}, {"ann": 60_000})


def test_recorded_day_is_replayed_with_what_it_knows() -> None:
    def call(number: int) -> WaitingInteraction:
        return WaitingInteraction(id=f"r{number}", queue_id="billing", channel="voice", queued_at_ms=number * 1000)

    recorded = [
        Recorded(interaction=call(1), answered_after_ms=5_000, handling_ms=60_000),
        Recorded(interaction=call(2), left_after_ms=30_000),
        Recorded(interaction=call(0)),
    ]
    customers = from_record(recorded, seed=1)

    assert [each.interaction.id for each in customers] == ["r0", "r1", "r2"]
    assert customers[2].patience_ms == 30_000
    assert customers[1].handling_ms == customers[2].handling_ms == 60_000
    assert (customers[1].patience_ms or 0) > 5_000
    assert from_record(recorded, seed=1) == customers

    outcomes = {
        name: run(Day(customers=customers, shifts=team(count)), a_policy()) for name, count in (("1", 1), ("2", 2))
    }
    lines = table(compare(outcomes)).splitlines()
    assert lines[0].split()[:2] == ["policy", "offered"]
    assert len(lines) == 3


def test_estimates_are_kept_and_their_error_is_printed() -> None:
    day = Day(customers=generate([CALLS], hours=3, seed=7), shifts=team(30))
    found = figures(run(day, a_policy(), estimate_every=3))

    assert found.estimate_error_s is not None
    assert found.estimate_error_s < found.p90_wait_s


def test_small_arithmetic() -> None:
    assert quantile([], 0.5) == 0
    assert quantile([1, 2, 3, 4], 0.5) == 2
    assert quantile([1, 2, 3, 4], 0.99) == 4
    assert gini([1, 1, 1]) == pytest.approx(0)
    assert gini([0, 0, 0, 1]) == pytest.approx(0.75)
    assert gini([]) == 0


def test_generator_is_the_published_one() -> None:
    rolls = Rolls(42, 54)

    assert [rolls.bits() for _ in range(6)] == [
        0xA15C02B7,
        0x7B47F409,
        0xBA1D3330,
        0x83D2F293,
        0xBFA4784B,
        0xCBED606E,
    ]


def test_rolls_have_the_moments_they_say() -> None:
    rolls = Rolls(1).stream(3)
    draws = [rolls.exponential(10.0) for _ in range(20_000)]
    logs = [rolls.lognormal(10.0, 0.8) for _ in range(20_000)]

    assert sum(draws) / len(draws) == pytest.approx(10, rel=0.03)
    assert sum(logs) / len(logs) == pytest.approx(10, rel=0.03)
    assert all(0 <= rolls.below(7) < 7 for _ in range(100))
