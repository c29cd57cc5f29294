"""Faults that can be switched on, one kind of traffic at a time; seeded, so that a run can be repeated.

Kinds of callbacks: `call`, `action`, `status`, `conference`, `recording`, `amd`, `queue`, `gather`, `wait`, `message`,
`message-status`, `transcription`. Requests to the REST interface are `rest` or, for one resource, `rest:Calls`.
Legs that drop are `leg`. A fault of kind `*` concerns all callbacks.

    lost         it is never sent; a document cannot be fetched, a request's answer never arrives
    duplicated   it is sent twice with the same idempotency token
    late         it is sent `seconds` later; a request is done at once and answered later, so that news overtakes it
    reordered    it is sent after the next of its kind, or after `seconds` when none comes
    slow         the connection takes `seconds` before anything is read
    status       the REST interface answers with `code` (429, 500, 503) and does nothing
    after        the REST interface does what it was asked and then answers with `code`, or never (code 0)
    dropped      a leg that was answered ends after up to `seconds`, without a word
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["lost", "duplicated", "late", "reordered", "slow", "status", "after", "dropped"]
CALLBACKS: Final = frozenset(
    {
        *("call", "action", "status", "conference", "recording", "amd", "queue", "gather", "wait", "message"),
        *("message-status", "transcription"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. `share` is how often it strikes, 0 to 1; `event` limits it to callbacks about one event."""

    kind: str
    effect: Effect
    share: float = 1.0
    seconds: float = 2.0
    code: int = 0
    event: str = ""

    def __post_init__(self) -> None:
        """Refuse words nobody knows: a fault that never strikes makes a test that proves nothing."""
        if self.kind not in CALLBACKS | {"*", "leg"} and not self.kind.startswith("rest"):
            raise ValueError(f"{self.kind} is no kind of traffic")


class Faults:
    """The faults that are on, and the chance that decides when they strike."""

    def __init__(self, seed: int, faults: Sequence[Fault] = ()) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable world, no secret
        self._faults = list(faults)
        self.struck: dict[tuple[str, str], int] = {}

    def switch_on(self, *faults: Fault) -> None:
        """Add faults."""
        self._faults.extend(faults)

    def switch_off(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def strike(self, kind: str, event: str = "") -> dict[Effect, Fault]:
        """Return the faults that strike this time, by what they do."""
        return {fault.effect: fault for fault in self._strikes(kind, event)} if self._faults else {}

    def spread(self, fault: Fault) -> float:
        """Return a number of seconds up to those of the fault."""
        return self._chance.uniform(0.0, fault.seconds)

    def _strikes(self, kind: str, event: str) -> Iterator[Fault]:
        for fault in self._faults:
            concerns = fault.kind in {kind, kind.partition(":")[0]} or (fault.kind == "*" and kind in CALLBACKS)
            if not concerns or (fault.event and fault.event != event):
                continue
            if self._chance.random() < fault.share:
                key = (kind, fault.effect)
                self.struck[key] = self.struck.get(key, 0) + 1
                yield fault
