"""What was promised to a customer, by whom, until when; kept, broken or withdrawn."""

from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.ids import CustomerId, InteractionId


class PromiseState(StrEnum):
    """Where a promise stands. What is open ends in one of the other ways; what broke may yet be kept or withdrawn."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """One promise. `made_by` is `flow` or `agent:ID`, `owner` is `agent:ID` or `queue:ID`: who has to keep it.

    `ended_by` is `agent:ID`, or `system` when its time was over and nobody had kept it. Kept after `due_at` is late.
    """

    id: str
    customer: CustomerId
    interaction: InteractionId | None
    text: str
    made_by: str
    made_at: int
    due_at: int
    owner: str
    state: PromiseState = PromiseState.OPEN
    ended_at: int | None = None
    ended_by: str = ""
    version: int = 0


BY_PEOPLE: Final = (PromiseState.KEPT, PromiseState.WITHDRAWN)
"""How a person ends one; broken it is by itself."""
