"""A person who handles interactions: three axes that are never merged, and what follows from them."""

from enum import StrEnum

import msgspec

from hub.domain.ids import AgentId


class Role(StrEnum):
    """What a member of staff may do; each holds the rights of those before it, but for reading by an admin."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Presence(StrEnum):
    """What the agent chose. Changed only by the person, by policy or by a supervisor, each with a recorded cause."""

    AVAILABLE = "available"
    AWAY = "away"
    OFFLINE = "offline"


class PhoneUnchecked(StrEnum):
    """Why somebody is available whose browser was not found to work as a telephone: the reason beside `available`."""

    KNOWN = "phone_known"
    FAULT = "phone_fault"
    LATER = "phone_later"


class Connectivity(StrEnum):
    """What the hub measures of the agent's browser."""

    CONNECTED = "connected"
    GRACE = "grace"
    LOST = "lost"


class RoutingStatus(StrEnum):
    """What the hub derives; nobody sets it."""

    OFF = "off"
    IDLE = "idle"
    OFFERED = "offered"
    BUSY = "busy"
    FULL = "full"
    WRAPPING = "wrapping"
    NOT_RESPONDING = "not_responding"


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One member of staff as stored. `held` counts units of capacity taken by live offers and by work.

    `misses` counts offers missed in a row; at the limit `not_responding_since` is set and no new work comes until the
    agent says so; until `paused_until` nothing is offered (back-off). `idle_since` orders the longest idle. `queues`
    names the queues whose interactions the agent may see and take; None means all. `kinds` names the channel kinds they
    take; None means all. `units` and `speed` are for routing. `phone` is the number or SIP address that rings for
    calls; empty: their browser. `signature` stands below the letters they write.
    """

    id: AgentId
    name: str
    email: str
    role: Role
    capacity: int = 100
    queues: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    skills: dict[str, int] = msgspec.field(default_factory=dict)
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None
    units: dict[str, int] = msgspec.field(default_factory=dict)
    speed: float = 1.0
    phone: str = ""
    presence: Presence = Presence.OFFLINE
    reason: str = ""
    next_presence: Presence | None = None
    next_reason: str = ""
    presence_since: int = 0
    connectivity: Connectivity = Connectivity.LOST
    connectivity_since: int = 0
    not_responding_since: int | None = None
    misses: int = 0
    paused_until: int = 0
    last_offer_at: int = 0
    held: int = 0
    idle_since: int = 0
    is_active: bool = True
    signature: str = ""
    version: int = 0

    def serves(self, queue: str) -> bool:
        """Whether the queue is one of the agent's."""
        return self.queues is None or queue in self.queues

    @property
    def can_be_offered(self) -> bool:
        """Whether new work may be proposed: available, with a browser that answers, and responding."""
        return (
            self.is_active
            and self.presence is Presence.AVAILABLE
            and self.next_presence is None
            and self.connectivity is Connectivity.CONNECTED
            and self.not_responding_since is None
        )

    @property
    def is_free(self) -> bool:
        """Whether new work may be proposed and there is room for some."""
        return self.can_be_offered and self.held < self.capacity


def routing_status(agent: Agent, *, is_offered: bool, is_wrapping: bool) -> RoutingStatus:
    """Derive the routing status; what hinders work most comes first."""
    if agent.presence is Presence.OFFLINE:
        return RoutingStatus.OFF
    if agent.not_responding_since is not None:
        return RoutingStatus.NOT_RESPONDING
    if is_offered:
        return RoutingStatus.OFFERED
    if agent.held >= agent.capacity:
        return RoutingStatus.FULL
    if is_wrapping:
        return RoutingStatus.WRAPPING
    return RoutingStatus.BUSY if agent.held else RoutingStatus.IDLE
