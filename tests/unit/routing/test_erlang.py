"""The formulas against published tables and against each other."""

import pytest

from routing.erlang import Traffic, agents_needed, blocking, bounded, impatient, patient, waiting

HALF_HOUR = Traffic(250 / 1800, 210)


@pytest.mark.parametrize(("agents", "load"), [(10, 4.461), (20, 12.03), (50, 37.90), (100, 84.06)])
def test_erlang_b_table_at_one_percent(agents: int, load: float) -> None:
    assert blocking(agents, load) == pytest.approx(0.01, rel=2e-3)


@pytest.mark.parametrize(
    ("agents", "asa_s", "level"),
    [(30, 208.7, 24), (31, 74.7, 45), (32, 37.6, 61), (33, 21.3, 73), (34, 12.7, 82), (35, 7.8, 88), (36, 4.9, 92)],
)
def test_erlang_c_table(agents: int, asa_s: float, level: int) -> None:
    found = patient(HALF_HOUR, agents, 20)

    assert round(found.asa_s, 1) == asa_s
    assert round(found.service_level * 100) == level


def test_the_same_traffic_with_and_without_patience() -> None:
    without, with_it = patient(Traffic(0.8, 60), 50, 20), impatient(Traffic(0.8, 60, 120), 50, 20)

    assert without.asa_s == pytest.approx(20.8, abs=0.05)
    assert without.occupancy == pytest.approx(0.96)
    assert with_it.abandoned == pytest.approx(0.031, abs=5e-4)
    assert with_it.mean_wait_s == pytest.approx(3.7, abs=0.05)
    assert with_it.occupancy == pytest.approx(0.93, abs=5e-3)


def test_erlang_a_example() -> None:
    found = impatient(Traffic(250 / 1800, 210, 180), 31, 20)

    assert found.service_level == pytest.approx(0.7912, abs=5e-5)
    assert found.asa_s == pytest.approx(8.34, abs=5e-3)
    assert found.abandoned == pytest.approx(0.0496, abs=5e-5)


def test_finite_queue_of_the_two_skills_experiment() -> None:
    found = bounded(Traffic(6 * 1.40 / 60, 600), 90, 120, 20)

    assert found.asa_s == pytest.approx(27.0, abs=0.05)
    assert found.service_level == pytest.approx(0.6965, abs=5e-5)
    assert found.blocked == pytest.approx(0.00364, abs=5e-6)


def test_staffing_for_eighty_percent_in_twenty_seconds() -> None:
    assert agents_needed(HALF_HOUR, level=0.8, within_s=20) == 34
    assert agents_needed(Traffic(250 / 1800, 210, 120), level=0.8, within_s=20) == 31


def test_staffing_is_minimal() -> None:
    for rate in (0.01, 0.3, 4.0):
        agents = agents_needed(Traffic(rate, 200), level=0.9, within_s=10)
        assert patient(Traffic(rate, 200), agents, 10).service_level >= 0.9
        assert patient(Traffic(rate, 200), agents - 1, 10).service_level < 0.9 if agents > 1 else True


def test_halfin_whitt_limit() -> None:
    assert waiting(100_000, 100_000 - 100_000**0.5) == pytest.approx(0.2234, abs=5e-4)


@pytest.mark.parametrize("agents", [1, 10, 100, 1_000, 10_000])
@pytest.mark.parametrize("load", [0.01, 0.5, 0.95, 1.0, 1.5, 5.0])
def test_stable_and_in_order_at_every_size(agents: int, load: float) -> None:
    traffic = Traffic(agents * load / 180, 180, 240)
    found = impatient(traffic, agents, 20)

    assert 0 <= found.abandoned <= 1
    assert 0 <= found.service_level <= 1
    assert found.occupancy <= 1 + 1e-9
    assert found.service_level <= impatient(traffic, agents + 1, 20).service_level + 1e-9
    assert waiting(agents, agents * load) >= blocking(agents, agents * load)


def test_endless_patience_is_erlang_c() -> None:
    nearly = impatient(Traffic(0.8, 60, 1e7), 50, 20)

    assert nearly.service_level == pytest.approx(patient(Traffic(0.8, 60), 50, 20).service_level, abs=1e-3)
    assert impatient(Traffic(0.8, 60), 50, 20) == patient(Traffic(0.8, 60), 50, 20)


def test_overload_without_patience_never_ends() -> None:
    assert patient(Traffic(1.0, 60), 50, 20).service_level == 0
    assert bounded(Traffic(1.0, 60), 50, 60, 20).blocked > 0.1


def test_impossible_traffic_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Traffic(0, 60)
    with pytest.raises(ValueError, match="between"):
        agents_needed(HALF_HOUR, level=1.0, within_s=20)
    with pytest.raises(ValueError, match="fewer"):
        bounded(HALF_HOUR, 10, 5, 20)
    with pytest.raises(ValueError, match="negative"):
        blocking(-1, 5)
