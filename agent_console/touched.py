"""Which rows were sent when: what somebody who was away has missed."""

from agent_console.tabs import NOWHERE, Places
from hub.recent import Recent
from hub.services.dispatching.floor import Key

KEPT, RESUMED = 20_000, 2_000


class Touched:
    """The last sending of each row, by the journal's number at that time; bounded, the oldest are forgotten.

    A row changed by commit 7 may be sent by a later tick, when the number is 9; whoever comes back with 8 still gets
    it, because the number of the sending is kept, not that of the change.
    """

    def __init__(self, seq: int) -> None:
        self._from = seq
        self._sent: Recent[Key, tuple[int, Places]] = Recent(KEPT)

    def note(self, key: Key, seq: int, places: Places = NOWHERE) -> None:
        """Remember that a row was sent now; `places` are where it is seen or was seen until now."""
        known = self._sent.get(key)
        forgotten = self._sent.note(key, (seq, places | known[1] if known else places))
        if forgotten is not None:
            self._from = forgotten[0]

    def knows(self, seq: int) -> bool:
        """Whether everything sent at `seq` and later is remembered."""
        return seq > self._from

    def since(self, seq: int) -> list[tuple[Key, Places]] | None:
        """Return the rows sent at `seq` and later, latest first; None when there are so many that all is shorter."""
        found: list[tuple[Key, Places]] = []
        for key, (at, places) in reversed(self._sent.items()):
            if at < seq:
                break
            found.append((key, places))
            if len(found) > RESUMED:
                return None
        return found
