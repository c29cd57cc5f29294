"""A telephone in a pocket: both sides of what was written on it, what is new, and when it was looked at."""

import asyncio
from typing import Final

from channels.simulator.carrier.messaging import Handset, Message

KEPT: Final = 200
"""So many of the latest messages stay on it."""


class Pocket(Handset):
    """Keeps what its owner wrote beside what came, in the order of the carrier's clock."""

    def __init__(self, *, reads_after_s: float | None = None) -> None:
        super().__init__(reads_after_s=reads_after_s)
        self.news = asyncio.Event()
        """Set whenever something comes."""
        self._unread: list[Message] = []

    def received(self, message: Message) -> None:
        """Keep what came, and ring."""
        self.keep(message)
        self._unread.append(message)
        self.news.set()

    def keep(self, message: Message) -> None:
        """Keep what its owner wrote."""
        self.messages.append(message)
        del self.messages[:-KEPT]

    def unread(self) -> list[Message]:
        """Return what came since one last looked."""
        found, self._unread = self._unread, []
        return found
