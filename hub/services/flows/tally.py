"""Counts of sessions by flow and step: what is over is counted once, what is open each time it is looked at."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from hub.flows.session import Outcome, Session

MOST_TIMES: Final = 1_000
"""Times of one step that its median is taken of: the latest ones."""


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
    """One flow, entered from another one too. Begun = open + solved + handed over + left."""

    open: int = 0
    solved: int = 0
    handed_over: int = 0
    left: int = 0
    open_by_version: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def begun(self) -> int:
        """How often somebody entered this flow."""
        return self.open + self.solved + self.handed_over + self.left


class Tally:
    """All flows' counts."""

    def __init__(self) -> None:
        self.flows: defaultdict[str, FlowTally] = defaultdict(FlowTally)
        self.steps: defaultdict[tuple[str, str], StepTally] = defaultdict(StepTally)

    def add(self, session: Session) -> None:
        """Count a session in its flow, and in each flow that it entered from there as often as it did.

        Who comes back from a flow has got there what they came for.
        """
        inside = [session.flow]
        for visit in session.path:
            if visit.flow in inside:
                while inside[-1] != visit.flow:
                    self.flows[inside.pop()].solved += 1
            else:
                inside.append(visit.flow)
        for name in inside:
            self._add_to(self.flows[name], session, session.pins.get(name, ""))
        self._add_path(session)

    @staticmethod
    def _add_to(flow: FlowTally, session: Session, version: str) -> None:
        """Count a session in a flow that it has not come back from."""
        if not session.is_over:
            flow.open += 1
            flow.open_by_version[version] += 1
        elif _is_solved(session):
            flow.solved += 1
        elif session.outcome is Outcome.ABANDONED:
            flow.left += 1
        else:
            flow.handed_over += 1

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
        elif not _is_solved(session):
            last.handed_over += 1


def _is_solved(session: Session) -> bool:
    """Whether a session came to the end of its flow; whom an agent had sent there is with them again."""
    is_back = session.outcome is Outcome.HANDED_BACK and session.reason == "done"
    return is_back or session.outcome is Outcome.RESOLVED
