"""Rows in the bytes they are sent as, and what was sent last to whom: nobody is sent what they have."""

from collections.abc import Iterable

import msgspec

from agent_console.rows import Rows
from agent_console.tabs import NOWHERE, Places, places_of, places_of_offer
from hub.services.dispatching.floor import Floor, Key

FULL, BRIEF = "full", "brief"
"""Channels: rows in full, and marks of rows in brief. The boards' rooms are channels too."""
_encode = msgspec.json.Encoder().encode


class Encoded:
    """Encodes each row once for all who get it."""

    def __init__(self, floor: Floor, rows: Rows) -> None:
        self._floor = floor
        self._rows = rows
        self._sent: dict[tuple[str, Key], object] = {}
        self._agents: dict[tuple[str, bool], msgspec.Raw] = {}

    # -- rows

    def places(self, key: Key) -> Places:
        """Return where an interaction or offer is seen now; nowhere when it is gone, or behind its queue's window."""
        table, name = key
        if table == "interactions":
            interaction = self._floor.interactions.get(name)
            return NOWHERE if interaction is None or not self._floor.is_listed(interaction) else places_of(interaction)
        return places_of_offer(self._floor.offers.get(name))

    def item(self, key: Key) -> msgspec.Raw:
        """Return the row of an interaction or offer that is there."""
        table, name = key
        if table == "interactions":
            return msgspec.Raw(_encode(self._rows.interaction(self._floor.interactions[name])))
        return msgspec.Raw(_encode(self._rows.offer(self._floor.offers[name])))

    def brief(self, name: str) -> msgspec.Raw:
        """Return the row of an interaction for those whom it does not concern."""
        return msgspec.Raw(_encode(self._rows.brief(self._floor.interactions[name])))

    def brief_mark(self, name: str) -> object:
        """Return what that row depends on."""
        return self._rows.brief_mark(self._floor.interactions[name])

    def item_or_none(self, key: Key) -> msgspec.Raw | None:
        """Return the row of an interaction or offer, or None when it is gone."""
        return self.item(key) if self.places(key) else None

    def me(self, agent_id: str) -> msgspec.Raw | None:
        """Return the row about oneself."""
        me = self._rows.me(agent_id)
        return None if me is None else msgspec.Raw(_encode(me))

    def agent(self, agent_id: str, *, with_work: bool) -> msgspec.Raw | None:
        """Return the row of a member of staff, or None when the account is gone."""
        known = self._agents.get((agent_id, with_work))
        if known is None:
            agent = self._rows.agent(agent_id, with_work=with_work)
            if agent is None:
                return None
            known = self._agents[agent_id, with_work] = msgspec.Raw(_encode(agent))
        return known

    def agent_changed(self, agent_id: str) -> None:
        """Encode this member of staff anew. Kept until then: after a restart everybody asks for everybody."""
        self._agents.pop((agent_id, False), None)
        self._agents.pop((agent_id, True), None)

    def queues(self, ids: Iterable[str]) -> dict[str, msgspec.Raw]:
        """Return the rows of queues."""
        return {name: msgspec.Raw(_encode(row)) for name, row in self._rows.queues(ids).items()}

    # -- what was sent

    def is_news(self, channel: str, key: Key, row: object) -> bool:
        """Note the row as sent on a channel; return whether it is another than the last one there."""
        if row is None:
            self._sent.pop((channel, key), None)
            return True
        last = self._sent.get((channel, key))
        self._sent[channel, key] = row
        return row != last

    def forget(self, channel: str, key: Key) -> None:
        """Nobody listens on this channel: what was sent there says nothing any more."""
        self._sent.pop((channel, key), None)

    def last(self, key: Key) -> msgspec.Raw | None:
        """Return what was sent last in full."""
        row = self._sent.get((FULL, key))
        return row if isinstance(row, msgspec.Raw) else None

    def given(self, channel: str, key: Key, row: object) -> None:
        """Somebody got this row by itself: unless it is what the channel has, its next row is news whatever it is."""
        if self._sent.get((channel, key)) != row:
            self._sent.pop((channel, key), None)
