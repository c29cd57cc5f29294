"""Calls from the account to one of its own numbers: out at one end, in at the other."""

from collections.abc import Callable

from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Endpoint, Leg

CallNumber = Callable[[str, str, Endpoint], Leg]


class Loop:
    """The telephone at one of the account's own numbers: calling it makes a call come in.

    What either leg is told by its document, the other leg's party hears as a voice.
    """

    def __init__(self, number: str, call_number: CallNumber) -> None:
        self._number = number
        self._call_number = call_number
        self._far: dict[str, Leg] = {}

    def offered(self, leg: Leg) -> None:
        """The outgoing leg rings: a call comes in at the other end."""
        if leg.sid in self._far:
            return
        inner = self._call_number(leg.route.from_, self._number, self)
        self._far[leg.sid], self._far[inner.sid] = inner, leg
        if inner.is_over:
            self.ended(inner)

    def connected(self, leg: Leg) -> None:
        """One end is up: the other one is."""
        far = self._far.get(leg.sid)
        if far is not None and leg.route.direction == "inbound":
            far.answer()

    def heard(self, leg: Leg, sound: Sound) -> None:
        """What one end hears, the other end says."""
        far = self._far.get(leg.sid)
        is_new = sound.at == leg.switch.now() and (sound.until is None or sound.until > sound.at)
        if far is not None and is_new and sound.kind in {"say", "voice"}:
            far.speak(sound.text)
        elif far is not None and is_new and sound.text.startswith("dtmf:"):
            far.press(sound.text.removeprefix("dtmf:"))

    def ended(self, leg: Leg) -> None:
        """One end is over: the other one is, in the same way."""
        far = self._far.pop(leg.sid, None)
        if far is None:
            return
        self._far.pop(far.sid, None)
        if far.is_up:
            far.hang_up()
        else:
            far.end("canceled" if leg.status == "completed" else leg.status)
