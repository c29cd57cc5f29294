"""Who watches what: browsers (tabs), the person behind them (view), and which views a row concerns."""

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from hub.domain.agent import Role
from hub.domain.interaction import Interaction
from hub.domain.offer import Offer
from hub.events import Commit
from hub.services.access import Scope
from hub.services.dispatching.floor import Key

Places = frozenset[str]
NOWHERE: Places = frozenset()
BOARD_OF_ALL, BOARD_OF_OWN = "board:all", "board:own"


Table = dict[str, dict[str, msgspec.Raw]]


class Delta:
    """Rows to put and to drop, being collected."""

    __slots__ = ("drop", "put")

    def __init__(self) -> None:
        self.put: Table = {}
        self.drop: dict[str, list[str]] = {}

    def add(self, key: Key, row: msgspec.Raw | None) -> None:
        """Put a row, or drop it."""
        table, name = key
        if row is None:
            self.drop.setdefault(table, []).append(name)
        else:
            self.put.setdefault(table, {})[name] = row

    def copy(self) -> "Delta":
        """Return the same rows, to be added to."""
        found = Delta()
        found.put = {table: dict(rows) for table, rows in self.put.items()}
        found.drop = {table: list(names) for table, names in self.drop.items()}
        return found

    def __bool__(self) -> bool:
        return bool(self.put or self.drop)


class Wire(Protocol):
    """What carries frames: the socket server."""

    def emit(self, event: str, payload: object, *, to: str | Iterable[str]) -> None:
        """Send an event, encoded once, to everybody in rooms, or to one connection."""

    def join(self, line: Any, room: str) -> None:  # noqa: ANN401 - its own kind of connection
        """Put a connection into a room."""

    def leave(self, line: Any, room: str) -> None:  # noqa: ANN401
        """Take it out."""


class Frame(msgspec.Struct, frozen=True):
    """What is pushed."""

    seq: int
    prev: int
    put: Table
    drop: dict[str, list[str]]


class Line(Protocol):
    """One browser's connection, as far as syncing needs it."""

    @property
    def sid(self) -> str:
        """Its name."""


class Tab:
    """One browser of somebody: what it has open, and whether its rows are known to be true."""

    __slots__ = ("is_synced", "line", "needs_snapshot", "opened", "opening", "view")

    def __init__(self, line: Line, view: "View") -> None:
        self.line = line
        self.view = view
        self.is_synced = False
        self.needs_snapshot = False
        self.opened: dict[str, None] = {}
        self.opening: dict[str, Delta] = {}
        """While an interaction is being opened: the rows pushed meanwhile."""


class View:
    """One person, with all their browsers. `seq` is that of the last frame sent to them.

    A watcher (supervisor, admin) is shown every interaction in full. Others see in full what waits in their queues,
    what is theirs and what they have opened; of what a colleague handles, what a list needs.
    """

    __slots__ = ("agent_id", "is_watcher", "places", "room", "scope", "seq", "tabs")

    def __init__(self, scope: Scope) -> None:
        self.agent_id = scope.agent
        self.room = f"agent:{scope.agent}"
        self.seq = 0
        self.tabs: dict[Hashable, Tab] = {}
        self.set_scope(scope)

    def set_scope(self, scope: Scope) -> None:
        """Take in what the person sees from now on."""
        self.scope = scope
        self.is_watcher = scope.role is not Role.AGENT
        queues = ("*",) if scope.queues is None else scope.queues
        self.places: Places = frozenset((f"a:{scope.agent}", *(f"q:{queue}" for queue in queues)))

    def is_shown_in_brief(self, places: Places) -> bool:
        """Whether an interaction in these places is shown to this person, but only as far as a list needs."""
        return not self.is_watcher and not self.places.isdisjoint(places)

    @property
    def board(self) -> str:
        """The room of those who share this person's board."""
        return BOARD_OF_ALL if self.is_watcher else BOARD_OF_OWN


class Mail:
    """Rows being collected for many views: those who get the same ones share a frame."""

    def __init__(self) -> None:
        self._rows: dict[View, list[tuple[Key, msgspec.Raw | None]]] = {}

    def put(self, views: Iterable[View], key: Key, row: msgspec.Raw | None) -> None:
        """Put a row for each of these, or drop it."""
        item = key, row
        for view in views:
            rows = self._rows.get(view)
            if rows is None:
                self._rows[view] = [item]
            else:
                rows.append(item)

    def sorted(self) -> Iterator[tuple[list[View], Delta]]:
        """Return who gets which rows; all of one group stand at the same `seq`."""
        groups: dict[tuple[int, ...], list[View]] = {}
        for view, rows in self._rows.items():
            groups.setdefault((view.seq, *map(id, rows)), []).append(view)
        for views in groups.values():
            delta = Delta()
            for key, row in self._rows[views[0]]:
                delta.add(key, row)
            yield views, delta


class Views:
    """All views, by person and by the places where rows can be."""

    def __init__(self) -> None:
        self.by_agent: dict[str, View] = {}
        self._at: dict[str, dict[View, None]] = {}

    def __len__(self) -> int:
        return len(self.by_agent)

    def add(self, view: View) -> None:
        """Begin to consider a view."""
        self.by_agent[view.agent_id] = view
        for place in view.places:
            self._at.setdefault(place, {})[view] = None

    def remove(self, view: View) -> None:
        """Consider it no more."""
        self.by_agent.pop(view.agent_id, None)
        for place in view.places:
            there = self._at.get(place, {})
            there.pop(view, None)
            if not there:
                self._at.pop(place, None)

    def at(self, places: Iterable[str]) -> dict[View, None]:
        """Return the views that see a row in one of these places by their own queues or because it is theirs."""
        found: dict[View, None] = {}
        for place in places:
            found.update(self._at.get(place, ()))
        return found


def places_of(interaction: Interaction) -> Places:
    """Return where an interaction is seen: the same rule as `Scope.sees`."""
    return _places(interaction.queue, interaction.agent, interaction.direct_to)


@lru_cache(maxsize=10_000)
def _places(queue: str, agent: str | None, direct_to: str | None) -> Places:
    """One value for all in the same places: those who wait in a queue are many."""
    people = {agent, direct_to} - {None}
    return frozenset((f"q:{queue}", "q:*", *(f"a:{person}" for person in people)))


def places_of_offer(offer: Offer | None) -> Places:
    """Return where an offer is seen: by the agent it is made to."""
    return NOWHERE if offer is None else frozenset((f"a:{offer.agent}",))


def ended_by(commit: Commit, interaction_id: str) -> Interaction | None:
    """Return the interaction if this commit ended it."""
    for record in commit.records:
        if isinstance(record, Interaction) and record.id == interaction_id:
            return record
    return None
