"""What this process committed last of records, so that the hot path need not read them again.

A picture out of date does no harm: who rests on it changes the record exactly (`Shape.is_exact`: by its version, or
from a state that ends once), which fails, and the unit runs once more without a memory.
"""

from collections.abc import Iterable, Mapping

from hub.recent import Recent

Key = tuple[type, object]


class Memory:
    """Committed records by type and id: of each of these types, the `limit` changed last."""

    def __init__(self, kinds: Iterable[type], limit: int = 10_000) -> None:
        self._committed: dict[type, Recent[object, object]] = {kind: Recent(limit) for kind in kinds}
        self._group: dict[Key, object] = {}
        self.is_trusted = False
        """Whether the group that runs may rest on it: the second attempt of a unit may not."""

    def begin(self, *, is_trusted: bool) -> None:
        """Begin a group: nothing of it is committed yet."""
        self._group.clear()
        self.is_trusted = is_trusted

    def note(self, records: Mapping[Key, object]) -> None:
        """Keep what a unit of the group has read or leaves behind, for those behind it and for after the commit."""
        self._group.update(records)

    def committed(self) -> None:
        """The group is committed: what it left behind is the truth."""
        for (kind, key), record in self._group.items():
            kept = self._committed.get(kind)
            if kept is not None:
                kept.note(key, record)
        self._group.clear()

    def forget(self) -> None:
        """Know nothing: nobody can tell what became of the group."""
        self._group.clear()
        for kept in self._committed.values():
            kept.clear()

    def recall(self, kind: type, keys: Iterable[object]) -> dict[object, object]:
        """Return what is known of these records now, inside the group; nothing where it may not be trusted.

        Raises:
            KeyError: records of this type are not remembered.
        """
        kept = self._committed[kind]
        if not self.is_trusted:
            return {}
        found = {key: self._group.get((kind, key)) or kept.get(key) for key in keys}
        return {key: record for key, record in found.items() if record is not None}
