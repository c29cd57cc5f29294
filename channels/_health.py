"""How a line stands: whether its carrier answers, and whether what comes in its name can be believed."""

from collections import deque
from typing import Final

from hub.clock import Clock
from hub.contract import ChannelStatus

ALARM_MS: Final = 15 * 60_000
"""So long after the last request that nothing proved, the line is shown as not in order."""


class Health:
    """What has been found out, and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trouble = "Nobody has asked the carrier yet."
        self._since = clock.now()
        self._unproved: deque[int] = deque(maxlen=1_000)

    def carrier(self, trouble: str = "") -> None:
        """The carrier answered, or did not (`trouble` says why)."""
        if bool(trouble) is not bool(self._trouble):
            self._since = self._clock.now()
        self._trouble = trouble

    def unproved(self) -> None:
        """A request named our account, and no token of ours had signed it."""
        self._unproved.append(self._clock.now())

    @property
    def status(self) -> ChannelStatus:
        """How it is now; a carrier that does not answer is the greater trouble."""
        now = self._clock.now()
        while self._unproved and self._unproved[0] <= now - ALARM_MS:
            self._unproved.popleft()
        if self._trouble or not self._unproved:
            return ChannelStatus(is_up=not self._trouble, since=self._since, reason=self._trouble)
        count = len(self._unproved)
        reason = (
            f"Requests for our account that no token of ours signed: {count} in a quarter of an hour. "
            "Compare auth_token and public_url with the carrier's; then read what was kept again."
        )
        return ChannelStatus(is_up=False, since=self._unproved[0], reason=reason)
