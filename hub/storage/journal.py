"""Reading the journal: in order, and never past an event whose transaction has not committed yet."""

import msgspec

from hub.domain.events import Event, EventKind
from hub.storage.changes import Row
from hub.storage.unit_of_work import Store, UnitOfWork

_COLUMNS = "seq, at, kind, actor, interaction, customer, agent, queue, facts"
# Numbers are handed out before commit. `tx` is the newest transaction that had drawn one when this event drew its own:
# once it and all before it have ended, no smaller number can still appear.
_SAFE = " AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


def event_of(row: Row) -> Event:
    """Return the event of a journal row."""
    seq, at, kind, actor, interaction, customer, agent, queue, facts = row
    return Event(
        kind=EventKind(kind),
        at=at,
        actor=actor,
        interaction=interaction,
        customer=customer,
        agent=agent,
        queue=queue,
        facts=msgspec.json.decode(facts),
        seq=seq,
    )


class Journal:
    """The one log, for whoever resumes from a sequence number."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._safe = _SAFE if store.is_postgresql else ""

    async def read(self, after: int, limit: int = 500) -> list[Event]:
        """Return the events after `after`, in order, at most `limit`.

        An event that is returned has no predecessor that could still appear: asking again with the last `seq` as
        `after` misses nothing.
        """

        async def unit(tx: UnitOfWork) -> list[Event]:
            rows = await tx.fetch(
                f"SELECT {_COLUMNS} FROM journal WHERE seq > $1{self._safe} ORDER BY seq LIMIT $2",  # noqa: S608
                after,
                limit,
            )
            return [event_of(row) for row in rows]

        return await self._store.read(unit)

    async def head(self) -> int:
        """Return the highest sequence number that can be read."""

        async def unit(tx: UnitOfWork) -> int:
            where = f"WHERE true{self._safe}" if self._safe else ""
            row = await tx.fetch_one(f"SELECT coalesce(max(seq), 0) FROM journal {where}")  # noqa: S608
            return int(row[0]) if row else 0

        return await self._store.read(unit)


async def since(tx: UnitOfWork, at: int, kinds: list[str]) -> list[Event]:
    """Return today's events of the kinds that the floor counts (the partial index `ix_journal_floor` serves this)."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM journal WHERE at >= $1 AND kind IN ({_listed(kinds)}) ORDER BY seq",  # noqa: S608
        at,
    )
    return [event_of(row) for row in rows]


OF_INTERACTION = f"SELECT {_COLUMNS} FROM journal WHERE interaction = $1 AND kind = $2 AND kind <> 'message_stored'"  # noqa: S608
"""What happened with an interaction is indexed, but what was said in it. SQLite wants the index's own words."""


async def of_interaction(tx: UnitOfWork, interaction: str, kind: EventKind) -> list[Event]:
    """Return an interaction's events of one kind, in order; of what was said there are none here."""
    return [event_of(row) for row in await tx.fetch(f"{OF_INTERACTION} ORDER BY seq", interaction, str(kind))]


def _listed(kinds: list[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)
