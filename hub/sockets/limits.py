"""How much one socket, one identity and one address may do."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SocketLimits:
    """Limits of one audience; `None` switches a limit off."""

    max_message_bytes: int = 65_536
    """The largest frame a client may send; one byte more closes the connection."""
    rate_per_s: float = 20.0
    """Frames a second a client may send for long. An empty bucket ends the connection."""
    burst: int = 40
    """Frames a client may send at once, after having been quiet."""
    max_in_flight: int = 32
    """Events of one connection being handled at once; beyond it nothing more is read from this client."""
    connect_within_s: float = 5.0
    """How long an open websocket may take to say who it is."""
    per_identity: int | None = 6
    """Connections of one identity (browser tabs)."""
    per_ip: int | None = 20
    """Websockets of one IPv4 address or one IPv6 /64."""
    queued_bytes: int = 131_072
    """What may wait for a client to read it. More, from one sweep (half a second) to the next: it is slow."""
    max_queued_bytes: int = 1_048_576
    """With more than this waiting, a client is slow at once. One burst to a quick reader should fit."""
    stalled_for_s: float = 10.0
    """How long a slow client may take to read what is queued before it is cut."""
    ping_interval_s: float = 10.0
    """How often the server asks whether the client is there."""
    ping_timeout_s: float = 10.0
    """How long the client may take to answer; checked at its next ping."""


class FrameBudget:
    """A token bucket in one float: the instant at which it would be full again (the generic cell rate algorithm)."""

    __slots__ = ("_full_at", "_gap_s", "_room_s")

    def __init__(self, limits: SocketLimits) -> None:
        self._gap_s = 1.0 / limits.rate_per_s
        self._room_s = limits.burst * self._gap_s
        self._full_at = 0.0

    def spend(self, now: float) -> bool:
        """Take one token at the instant `now` (seconds, monotonic); False when there is none."""
        full_at = self._full_at
        full_at = max(now, full_at) + self._gap_s
        if full_at - now > self._room_s + 1e-9:
            return False
        self._full_at = full_at
        return True
