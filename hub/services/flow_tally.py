"""Counts of sessions by flow and step: what is over is counted once, what is open each time it is looked at."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from hub.flows.session import Outcome, Session

MOST_TIMES: Final = 1_000
"""Times of one step that its median is taken of: the latest ones."""
_BY_THEMSELVES: Final = frozenset({Outcome.RESOLVED, Outcome.ABANDONED})


@dataclass(slots=True)
class StepTally:
    """One step: who stands there, passed, left or was handed over there, and how long it took, in milliseconds."""

    now: int = 0
    passed: int = 0
    left: int = 0
    handed_over: int = 0
    took_ms: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_TIMES))


@dataclass(slots=True)
class FlowTally:
    """One flow. Begun = open + solved + handed over + left."""

    open: int = 0
    solved: int = 0
    handed_over: int = 0
    left: int = 0
    open_by_version: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def begun(self) -> int:
        """How many began in this flow."""
        return self.open + self.solved + self.handed_over + self.left


class Tally:
    """All flows' counts."""

    def __init__(self) -> None:
        self.flows: defaultdict[str, FlowTally] = defaultdict(FlowTally)
        self.steps: defaultdict[tuple[str, str], StepTally] = defaultdict(StepTally)

    def add(self, session: Session) -> None:
        """Count a session."""
        own = self.flows[session.flow]
        if not session.is_over:
            own.open += 1
            own.open_by_version[session.pins[session.flow]] += 1
        elif session.outcome is Outcome.RESOLVED:
            own.solved += 1
        elif session.outcome is Outcome.ABANDONED:
            own.left += 1
        else:
            own.handed_over += 1
        self._add_path(session)

    def _add_path(self, session: Session) -> None:
        for place, visit in enumerate(session.path):
            step = self.steps[visit.flow, visit.step]
            step.passed += 1
            after = session.path[place + 1].at if place + 1 < len(session.path) else session.ended_at
            if after is not None:
                step.took_ms.append(after - visit.at)
        if not session.path:
            return
        last = self.steps[session.path[-1].flow, session.path[-1].step]
        if not session.is_over:
            last.now += 1
        elif session.outcome is Outcome.ABANDONED:
            last.left += 1
        elif session.outcome not in _BY_THEMSELVES:
            last.handed_over += 1
