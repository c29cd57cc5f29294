"""Two legs talking to each other."""

from collections.abc import Sequence

from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Leg
from hub.clock import Instant


class Bridge:
    """Both ends hear each other until it is broken; a leg that ends breaks it."""

    def __init__(self, one: Leg, other: Leg) -> None:
        self._ends = (one, other)
        self.is_up = True
        for leg, far in ((one, other), (other, one)):
            leg.place = self
            leg.watch(self._lost)
            leg.hearing.begin(Sound(at=leg.switch.now(), kind="mix", text=far.route.party))

    def audience(self, leg: Leg) -> Sequence[Leg]:
        """Return the other end."""
        return [end for end in self._ends if end is not leg] if self.is_up else []

    def voiced(self, leg: Leg, start: Instant, end: Instant) -> None:
        """Nothing is kept here: recordings of legs look at what each has said and heard."""

    def split(self) -> None:
        """Separate the two; a second time changes nothing."""
        if not self.is_up:
            return
        self.is_up = False
        for leg in self._ends:
            leg.unwatch(self._lost)
            if leg.place is self:
                leg.place = None
                leg.hearing.begin(Sound(at=leg.switch.now(), kind="mix"))

    def _lost(self, _leg: Leg) -> None:
        self.split()
