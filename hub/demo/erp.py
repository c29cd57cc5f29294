"""The demo company's own system, made of nothing: orders, bills and workshop times that follow from their numbers.

The same number gives the same order on the same day. Orders FW-10000 to FW-19999 exist and no others. Only what was
paid is remembered.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from hub.demo.payments import Payments

_FIRST: Final = 10_000
_LAST: Final = 19_999
_STATUSES: Final = ("shipped", "packed", "delivered", "shipped")
_CARRIERS: Final = ("Parcel Express", "Northern Post", "Trail Couriers")
_TIMES: Final = ("9:00", "10:30", "14:00", "15:30")


class Erp:
    """What the company's system knows; `payments` are the links by which its bills are paid."""

    def __init__(self, payments: Payments | None = None) -> None:
        self.payments = payments or Payments(b"", "https://pay.example")

    def answer(self, method: str, path: str, now: datetime) -> dict[str, Any] | None:
        """Return what the system knows under a path; None when there is nothing. `now` in the company's zone."""
        kind, _, name = path.strip("/").partition("/")
        if kind in {"orders", "bills"} and method == "GET":
            return self._order(name, now.date()) if kind == "orders" else self._bill(name)
        if kind == "payments":
            return self._begin_payment(name, now) if method == "POST" else self.payments.result(name)
        if kind == "workshop" and method in {"GET", "POST"}:
            return _slot(method, name, now.date())
        return None

    def _order(self, name: str, today: date) -> dict[str, Any] | None:
        number = _number(name)
        return None if number is None else _order(number, today)

    def _bill(self, name: str) -> dict[str, Any] | None:
        number = _number(name)
        if number is None:
            return None
        bill = _bill(number)
        return {**bill, "paid": bill["paid"] or self.payments.is_paid(name)}

    def _begin_payment(self, name: str, now: datetime) -> dict[str, str] | None:
        bill = self._bill(name)
        if bill is None or bill["paid"]:
            return None
        return self.payments.begin(name, bill["total"], round(now.timestamp() * 1000))


def _number(name: str) -> int | None:
    digits = name.removeprefix("FW-")
    if not name.startswith("FW-") or not digits.isascii() or not digits.isdigit() or len(digits) != 5:
        return None
    return int(digits) if _FIRST <= int(digits) <= _LAST else None


def _order(number: int, today: date) -> dict[str, Any]:
    status = _STATUSES[number % len(_STATUSES)]
    days = -2 - number % 3 if status == "delivered" else 1 + number % 4
    return {
        "number": f"FW-{number}",
        "status": status,
        "carrier": _CARRIERS[number % len(_CARRIERS)],
        "eta": (today + timedelta(days=days)).isoformat(),
        "total": _bill(number)["total"],
    }


def _bill(number: int) -> dict[str, Any]:
    goods = 20 + number % 240
    shipping = 0.0 if goods > 100 else 5.5
    tax = round(goods * 0.085, 2)
    total = round(goods + shipping + tax, 2)
    return {"goods": goods, "shipping": shipping, "tax": tax, "total": total, "paid": number % 5 != 0}


def _slot(method: str, name: str, today: date) -> dict[str, Any] | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    if day <= today or day.weekday() == 6:
        return None
    time = _TIMES[day.toordinal() % len(_TIMES)]
    return {"time": time, "number": f"W-{day.toordinal() % 10_000}"} if method == "POST" else {"time": time}
