"""A queue's figures of the day: a fold over the journal, as reports are (design, invariants 5 and 6)."""

import msgspec

from hub.domain.events import Event, EventKind
from hub.domain.interaction import ClosingReason

COUNTED = (
    EventKind.INTERACTION_QUEUED,
    EventKind.INTERACTION_ANSWERED,
    EventKind.INTERACTION_TRANSFERRED,
    EventKind.INTERACTION_ENDED,
)


class QueueFigures(msgspec.Struct, kw_only=True):
    """Counts since the day began. Each entry into the queue is left exactly once.

    offered = answered + short_abandons + abandoned + flowed_out + still waiting.
    """

    offered: int = 0
    answered: int = 0
    answered_in_target: int = 0
    short_abandons: int = 0
    abandoned: int = 0
    flowed_out: int = 0
    wait_ms: int = 0

    def fold(self, event: Event) -> None:
        """Count one event of this queue."""
        facts = event.facts
        if event.kind is EventKind.INTERACTION_QUEUED:
            self.offered += 1
        elif event.kind is EventKind.INTERACTION_ANSWERED:
            self.answered += 1
            self.answered_in_target += bool(facts.get("in_target"))
            self.wait_ms += int(facts.get("wait_ms") or 0)
        elif event.kind is EventKind.INTERACTION_TRANSFERRED:
            self.flowed_out += facts.get("outcome") == "flowed_out"
        elif event.kind is EventKind.INTERACTION_ENDED:
            self._fold_end(str(facts.get("outcome")), str(facts.get("reason")))

    def _fold_end(self, outcome: str, reason: str) -> None:
        if outcome == "abandoned":
            if reason == ClosingReason.SHORT_ABANDON:
                self.short_abandons += 1
            else:
                self.abandoned += 1
        elif outcome in {"flowed_out", "cancelled", "callback_booked"}:
            self.flowed_out += 1

    def service_level(self, variant: str) -> float | None:
        """Return the share answered in time, 0..1, by the named formula; None before there is anything to divide by.

        The variants' names and formulas are those of the field (reference: contact center metrics, service level).
        """
        abandoned = self.short_abandons + self.abandoned
        below = {
            "answered_of_offered_less_short": self.answered + self.abandoned,
            "answered_of_offered": self.answered + abandoned,
            "answered_of_answered": self.answered,
            "answered_and_abandoned_in_time": self.answered + abandoned,
        }[variant]
        above = self.answered_in_target + (self.short_abandons if variant == "answered_and_abandoned_in_time" else 0)
        return above / below if below else None

    @property
    def asa_s(self) -> float | None:
        """Average speed of answer, in seconds."""
        return self.wait_ms / self.answered / 1000 if self.answered else None
