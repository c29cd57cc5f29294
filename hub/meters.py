"""What a Socket.IO server tells of its work, for whoever counts."""

from typing import Protocol


class SocketMeter(Protocol):
    """Counts what the sockets of one audience do."""

    def opened(self) -> None:
        """A socket is open."""

    def closed(self, why: str, *, by_hub: bool) -> None:
        """It is closed: by its client, the network, or the hub (then `why` is one of the hub's codes)."""

    def answered(self, event: str, seconds: float, error: str) -> None:
        """An event is answered, so long after it was read; `error` is the code that its client was told, if any."""


class Unmetered:
    """Counts nothing."""

    def opened(self) -> None:
        """See `SocketMeter`."""

    def closed(self, why: str, *, by_hub: bool) -> None:
        """See `SocketMeter`."""

    def answered(self, event: str, seconds: float, error: str) -> None:
        """See `SocketMeter`."""
