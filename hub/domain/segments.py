"""Intervals of an interaction, each of one kind: every time metric derives from these."""

from enum import StrEnum

import msgspec

from hub.domain.ids import AgentId, InteractionId, QueueId


class SegmentKind(StrEnum):
    """What the customer was living through."""

    SELF_SERVICE = "self_service"
    QUEUED = "queued"
    OFFERED = "offered"
    HANDLED = "handled"
    HELD = "held"
    PARKED = "parked"
    WRAP_UP = "wrap_up"


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One interval, open while `ended_at` is None; `outcome` says how it ended."""

    id: str
    interaction: InteractionId
    kind: SegmentKind
    started_at: int
    queue: QueueId = ""
    agent: AgentId | None = None
    ended_at: int | None = None
    outcome: str = ""
