"""Units of an agent's attention: what work costs, what is left for a channel, what an offer would interrupt.

Work of a channel that `may_be_interrupted_by` another does not count against an offer of that other: a call may
come over e-mails. The other way round everything counts, so during the call no further e-mail is offered.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from routing.policy import ChannelPolicy

Load = dict[str, int]
"""Channel kind -> units taken by work and live offers of that kind."""

_Units = tuple[tuple[str, int], ...]


Cost = tuple[str, int]
"""A channel kind and the units of it that something takes."""

Slot = TypeVar("Slot")


class Burden(Generic[Slot]):
    """A load that never changes. Agents of a pool with equal loads share one, so what follows from it is known.

    What it leaves to be offered is set by whoever asks first (`is_known`), until that changes for the whole pool.
    """

    __slots__ = ("_known", "_less", "_more", "after", "is_known", "shifts", "slots", "takes", "units", "used")

    def __init__(self, units: Load | None = None, known: "dict[_Units, Burden[Slot]] | None" = None) -> None:
        self.units: Load = units or {}
        self.used = sum(self.units.values())
        """Units in all."""
        self.is_known = False
        self.takes = 0
        """The mask of the kinds of need that may still be offered."""
        self.slots: tuple[Slot, ...] = ()
        """Where agents are to be found for it."""
        self.shifts: tuple[int | None, ...] = ()
        """By slot, what is added to the instant since when they are idle to make their key there; None: not so
        simple."""
        self._known: dict[_Units, Burden[Slot]] = {} if known is None else known
        self._known[tuple(self.units.items())] = self
        self._more: dict[Cost, Burden[Slot]] = {}
        self._less: dict[Cost, Burden[Slot]] = {}
        self.after: dict[str, tuple[Cost, Burden[Slot]]] = {}
        """By channel kind, what one more of it costs those who are offered it, and the burden with it: as far as
        somebody remembered it."""

    def plus(self, cost: Cost) -> "Burden[Slot]":
        """Return the burden with these units more."""
        more = self._more.get(cost)
        if more is None:
            more = self._more[cost] = self._changed(cost[0], cost[1])
        return more

    def minus(self, cost: Cost) -> "Burden[Slot]":
        """Return the burden with these units less."""
        less = self._less.get(cost)
        if less is None:
            less = self._less[cost] = self._changed(cost[0], -cost[1])
        return less

    def forget(self) -> None:
        """Forget what is left under this burden and all others of the pool."""
        for burden in self._known.values():
            burden.is_known = False

    def _changed(self, channel: str, units: int) -> "Burden[Slot]":
        changed = {**self.units, channel: self.units.get(channel, 0) + units}
        changed = {kind: taken for kind, taken in sorted(changed.items()) if taken}
        return self._known.get(tuple(changed.items())) or Burden(changed, self._known)


def room_for(channel: str, capacity_units: int, load: Load, channels: Mapping[str, ChannelPolicy]) -> int:
    """Return the units left for work of `channel`; negative if the capacity was lowered below what is in use."""
    left = capacity_units
    for kind, units in load.items():
        if channel not in channels[kind].may_be_interrupted_by:
            left -= units
    return left


def is_overfull(channel: str, capacity_units: int, load: Load, channels: Mapping[str, ChannelPolicy]) -> bool:
    """Return whether work of `channel` that is counted in the load no longer fits, save for what interrupts it."""
    interrupters = channels[channel].may_be_interrupted_by
    taken = sum(
        units
        for kind, units in load.items()
        if channel not in channels[kind].may_be_interrupted_by and kind not in interrupters
    )
    return taken > capacity_units


def interrupted(
    channel: str,
    units: int,
    capacity_units: int,
    held: Iterable[tuple[str, str]],
    load: Load,
    channels: Mapping[str, ChannelPolicy],
) -> tuple[str, ...]:
    """Return the ids of the work that pauses when `channel` takes `units`.

    `held` are (interaction id, channel kind) pairs. Nothing pauses while everything fits.
    """
    if sum(load.values()) + units <= capacity_units:
        return ()
    return tuple(work for work, kind in held if channel in channels[kind].may_be_interrupted_by)
