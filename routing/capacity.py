"""Units of an agent's attention: what work costs, what is left for a channel, what an offer would interrupt.

Work of a channel that `may_be_interrupted_by` another does not count against an offer of that other: a call may
come over e-mails. The other way round everything counts, so during the call no further e-mail is offered.
"""

from collections.abc import Iterable, Mapping

from routing.policy import ChannelPolicy

Load = dict[str, int]
"""Channel kind -> units taken by work and live offers of that kind."""


class Burden:
    """A load that never changes. Agents of a pool with equal loads share one, so what follows from it is known."""

    __slots__ = ("_known", "_less", "_more", "units")

    def __init__(self, units: Load | None = None, known: "_Known | None" = None) -> None:
        self.units: Load = units or {}
        self._known: _Known = {} if known is None else known
        self._known[tuple(self.units.items())] = self
        self._more: dict[tuple[str, int], Burden] = {}
        self._less: dict[tuple[str, int], Burden] = {}

    def plus(self, channel: str, cost: int) -> "Burden":
        """Return the burden with these units more."""
        more = self._more.get((channel, cost))
        if more is None:
            more = self._more[channel, cost] = self._changed(channel, cost)
        return more

    def minus(self, channel: str, cost: int) -> "Burden":
        """Return the burden with these units less."""
        less = self._less.get((channel, cost))
        if less is None:
            less = self._less[channel, cost] = self._changed(channel, -cost)
        return less

    def _changed(self, channel: str, cost: int) -> "Burden":
        units = {**self.units, channel: self.units.get(channel, 0) + cost}
        units = {kind: taken for kind, taken in sorted(units.items()) if taken}
        return self._known.get(tuple(units.items())) or Burden(units, self._known)


_Known = dict[tuple[tuple[str, int], ...], Burden]


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
