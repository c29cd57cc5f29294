import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.networks import address_block
from hub.sockets.limits import FrameBudget, SocketLimits


def test_budget_allows_a_burst_and_then_its_rate() -> None:
    budget = FrameBudget(SocketLimits(rate_per_s=10, burst=3))

    assert [budget.spend(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [budget.spend(100.1), budget.spend(100.1)] == [True, False]
    assert [budget.spend(200.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(min_value=0, max_value=2), max_size=200))
def test_budget_never_gives_more_than_burst_and_rate(pauses: list[float]) -> None:
    budget = FrameBudget(SocketLimits(rate_per_s=5, burst=4))
    now, spent = 1000.0, 0
    for pause in pauses:
        now += pause
        spent += budget.spend(now)
    assert spent <= 4 + 5 * (now - 1000.0) + 1e-6


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("nonsense", "nonsense", True),
    ],
)
def test_addresses_of_one_line_count_together(one: str, other: str, same: bool) -> None:
    assert (address_block(one) == address_block(other)) is same
