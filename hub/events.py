"""Announcing what was committed: in commit order, after the commit, to everybody in this process who asked."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from hub.domain.events import Event

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Commit:
    """What one committed unit of work changed: its events, and the records as they are now."""

    events: tuple[Event, ...]
    records: tuple[object, ...]


Listener = Callable[[Commit], None]


class Bus:
    """Tells listeners of every commit. A listener is quick and never waits; what it raises is counted, not passed on.

    `strict` makes a listener's error end the announcement: tests use it so that no defect hides.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._listeners: list[Listener] = []
        self._strict = strict
        self.failures = 0
        self.head = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every commit from now on; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def announce(self, commit: Commit) -> None:
        """Tell all listeners of one commit. Called by the store only."""
        if commit.events:
            self.head = max(self.head, commit.events[-1].seq)
        for listener in tuple(self._listeners):
            try:
                listener(commit)
            except Exception:
                self.failures += 1
                log.exception("a listener failed")
                if self._strict:
                    raise


class Signals:
    """Carries what may be lost: typing, a visitor's line going up and down. Nothing here is stored."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[dict[str, object]], None]]] = {}

    def subscribe(self, topic: str, listener: Callable[[dict[str, object]], None]) -> None:
        """Call `listener` with everything published on `topic`."""
        self._listeners.setdefault(topic, []).append(listener)

    def publish(self, topic: str, **payload: object) -> None:
        """Tell everybody who listens on `topic`."""
        for listener in self._listeners.get(topic, ()):
            listener(payload)
