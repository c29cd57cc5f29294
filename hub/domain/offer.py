"""An offer: one interaction proposed to one agent until a deadline. One row an offer, never reused."""

from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.ids import AgentId, InteractionId, OfferId, QueueId


class OfferState(StrEnum):
    """Every offer begins pending and ends exactly once."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    REVOKED = "revoked"


class RevokeReason(StrEnum):
    """Why the hub took an offer back."""

    CUSTOMER_LEFT = "customer_left"
    WON_ELSEWHERE = "won_elsewhere"
    AGENT_LOST = "agent_lost"
    AGENT_AWAY = "agent_away"
    SUPERVISOR = "supervisor"
    CAPACITY_CHANGED = "capacity_changed"
    FLOWED_OUT = "flowed_out"


REJECT_REASONS: Final = ("busy", "skill", "language", "technical", "other")


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One offer as stored. `units` of the agent's capacity are held from `made_at` until it ends.

    `why` is the engine's reason in short sentences, for the agent; `reason` says how it ended.
    """

    id: OfferId
    interaction: InteractionId
    agent: AgentId
    queue: QueueId
    state: OfferState
    made_at: int
    deadline_at: int
    units: int
    ended_at: int | None = None
    reason: str = ""
    why: tuple[str, ...] = ()
