"""The demo company's page where bills are paid: links with a signed token, each good for one payment, for an hour.

It stands for a page of the company's own, or of its bank's. The hub knows a link to it, and whether it was paid.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Final

VALID_MS: Final = 3_600_000
"""How long a link can be paid by."""
_MOST: Final = 10_000
"""Links kept; the oldest is forgotten first."""


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One link: for which bill, how much, and when it was paid."""

    number: str
    order: str
    amount: float
    until: int
    paid_at: int | None = None


class Payments:
    """Links and what became of them, in memory: a restart of the demo forgets them, and no old link works after it."""

    def __init__(self, key: bytes, url: str) -> None:
        self._key = key
        self._url = url
        self._made = 0
        self._payments: dict[str, Payment] = {}

    def begin(self, order: str, amount: float, now: int) -> dict[str, str]:
        """Return a new link to pay a bill by, and the number to ask for its result with. `now` in ms since 1970."""
        self._made += 1
        payment = Payment(number=f"P-{self._made:05}", order=order, amount=amount, until=now + VALID_MS)
        self._payments[payment.number] = payment
        if len(self._payments) > _MOST:
            del self._payments[next(iter(self._payments))]
        return {"number": payment.number, "url": f"{self._url}/{payment.number}.{self._signature(payment)}"}

    def result(self, number: str) -> dict[str, object] | None:
        """Return whether a link was paid; None where there is no such number."""
        payment = self._payments.get(number)
        return None if payment is None else {"paid": payment.paid_at is not None, "amount": payment.amount}

    def is_paid(self, order: str) -> bool:
        """Whether a bill was paid by one of its links."""
        return any(one.order == order and one.paid_at is not None for one in self._payments.values())

    def of(self, token: str) -> Payment | None:
        """Return what a link is for; None when it is none of ours."""
        number, _, signature = token.partition(".")
        payment = self._payments.get(number)
        if payment is None or not hmac.compare_digest(self._signature(payment).encode(), signature.encode()):
            return None
        return payment

    def pay(self, token: str, now: int) -> Payment | None:
        """Take the money, once; None when it is too late, was paid before, or is no link of ours."""
        payment = self.of(token)
        if payment is None or now >= payment.until or self.is_paid(payment.order):
            return None
        self._payments[payment.number] = replace(payment, paid_at=now)
        return self._payments[payment.number]

    def _signature(self, payment: Payment) -> str:
        signed = f"{payment.number} {payment.order} {payment.amount:.2f} {payment.until}".encode()
        return urlsafe_b64encode(hmac.digest(self._key, signed, "sha256")[:18]).decode()
