"""Opening the database that a URL names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.clock import Clock
from hub.domain.errors import Unavailable
from hub.events import Bus
from hub.storage.migrations import sqlite_path
from hub.storage.postgresql import PostgresStore
from hub.storage.sqlite import SqliteStore
from hub.storage.unit_of_work import Store


def store_of(url: str, clock: Clock, bus: Bus) -> Store:
    """Return the store for a database URL, not opened yet.

    Raises:
        Unavailable: the URL names no database that the hub knows.
    """
    if url.startswith("sqlite:///"):
        return SqliteStore(sqlite_path(url), clock=clock, bus=bus)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresStore(url, clock=clock, bus=bus)
    raise Unavailable("database_url begins with sqlite:/// or postgresql://.")


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[Store]:
    """Lend an open store, closed afterwards; for tools beside a hub.

    Raises:
        Unavailable: the database cannot be reached, or no hub has ever run on it.
    """
    if url.startswith("sqlite:///") and not sqlite_path(url).exists():
        raise Unavailable(f"There is no database at {sqlite_path(url)}.")
    store = store_of(url, clock, Bus())
    await store.open()
    try:
        yield store
    finally:
        await store.close()
