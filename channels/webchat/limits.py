"""How many conversations one network address may begin."""

from collections import OrderedDict

from hub.domain.networks import address_block

_MOST = 50_000


class Allowance:
    """A token bucket for each address (IPv6: each /64): so many an hour, all of them at once if need be.

    Holds a bounded number of addresses; the longest unused are forgotten first.
    """

    def __init__(self, *, per_hour: int) -> None:
        self._gap_ms = 3_600_000 / per_hour
        self._room_ms = 3_600_000.0
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, ip: str, now: int) -> bool:
        """Take one at the instant `now` (milliseconds); False when none is left."""
        block = address_block(ip)
        full_at = max(self._full_at.pop(block, 0.0), float(now)) + self._gap_ms
        is_allowed = full_at - now <= self._room_ms + 1
        self._full_at[block] = full_at if is_allowed else full_at - self._gap_ms
        if len(self._full_at) > _MOST:
            self._full_at.popitem(last=False)
        return is_allowed

    def give_back(self, ip: str) -> None:
        """Return one that was taken for nothing."""
        block = address_block(ip)
        if block in self._full_at:
            self._full_at[block] -= self._gap_ms
