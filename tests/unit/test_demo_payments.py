"""Bills of the demo's company are paid by links: each once, for an hour, and by nobody who made one up."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.demo.erp import Erp
from hub.demo.payments import VALID_MS, Payments

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
NOW_MS = 1_795_003_200_000


@pytest.fixture
def company() -> Erp:
    return Erp(Payments(b"key", "https://shop.example/pay"))


def begun(company: Erp, order: str = "FW-10000") -> tuple[str, str]:
    """Begin to pay an order's bill; returns the number to ask with, and the token of the link."""
    found: dict[str, Any] | None = company.answer("POST", f"/payments/{order}", NOW)
    assert found is not None
    url, _, token = str(found["url"]).rpartition("/")
    assert url == "https://shop.example/pay"
    return str(found["number"]), token


def test_a_bill_is_paid_once_and_known_to_be(company: Erp) -> None:
    number, token = begun(company)
    _, other = begun(company)
    bill = company.answer("GET", "/bills/FW-10000", NOW)
    assert bill is not None
    assert bill["paid"] is False
    assert company.answer("GET", f"/payments/{number}", NOW) == {"paid": False, "amount": bill["total"]}

    paid = company.payments.pay(token, NOW_MS)

    assert paid is not None
    assert (paid.order, paid.amount, paid.paid_at) == ("FW-10000", bill["total"], NOW_MS)
    assert company.answer("GET", f"/payments/{number}", NOW) == {"paid": True, "amount": bill["total"]}
    assert company.answer("GET", "/bills/FW-10000", NOW) == {**bill, "paid": True}
    assert company.payments.pay(token, NOW_MS) is None
    assert company.payments.pay(other, NOW_MS) is None
    assert company.answer("POST", "/payments/FW-10000", NOW) is None


def test_a_link_is_good_for_an_hour(company: Erp) -> None:
    _, token = begun(company)
    assert company.payments.pay(token, NOW_MS + VALID_MS) is None
    assert company.payments.pay(token, NOW_MS + VALID_MS - 1) is not None


@pytest.mark.parametrize("made_up", ["", "P-00001", "P-00001.", "P-00001.x", "P-00002.x", "../bills", "P-00001.\u00e4"])
def test_no_link_can_be_made_up(company: Erp, made_up: str) -> None:
    begun(company)
    assert company.payments.of(made_up) is None
    assert company.payments.pay(made_up, NOW_MS) is None


def test_a_link_of_one_bill_does_not_pay_another(company: Erp) -> None:
    number, token = begun(company)
    other, _ = begun(company, "FW-10005")
    assert company.payments.pay(token.replace(number, other), NOW_MS) is None


@pytest.mark.parametrize("path", ["/payments/FW-10001", "/payments/FW-1", "/payments/"])
def test_what_is_paid_or_does_not_exist_cannot_be_paid(company: Erp, path: str) -> None:
    assert company.answer("POST", path, NOW) is None


def test_nobody_knows_an_unknown_payment(company: Erp) -> None:
    assert company.answer("GET", "/payments/P-99999", NOW) is None
