"""Migrations: Alembic's, run at start under a lock; a database that is current costs one small query."""

import sqlite3
from pathlib import Path

from hub.domain.errors import Unavailable
from hub.storage.reach import unreachable

HEAD = "0014"
"""The newest revision. A test holds it against the files beside this one."""

_LOCK = 7_462_951_038


async def migrate(url: str) -> bool:
    """Bring the database up to `HEAD`; return whether anything was done.

    Several processes may call this at once: one works, the others wait and find it done.

    Raises:
        Unavailable: the database cannot be reached, or was made by a newer version of the hub.
    """
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        if _sqlite_revision(path) == HEAD:
            return False
        _upgrade_sqlite(path)
        return True
    if await _postgresql_revision(url) == HEAD:
        return False
    await _upgrade_postgresql(url)
    return True


async def is_current(url: str) -> bool:
    """Whether there is a database, and `migrate` would do nothing.

    Raises:
        Unavailable: it cannot be reached.
    """
    found = _sqlite_revision(sqlite_path(url)) if url.startswith("sqlite") else await _postgresql_revision(url)
    return found == HEAD


def sqlite_path(url: str) -> Path:
    """Return the file of a `sqlite:///path` URL; four slashes make it absolute."""
    return Path(url.removeprefix("sqlite:///"))


def _sqlite_revision(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        db = sqlite3.connect(path)
        try:
            found = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            row = db.execute("SELECT version_num FROM alembic_version").fetchone() if found else None
        finally:
            db.close()
    except sqlite3.Error as error:
        raise Unavailable(f"The database file {path} cannot be opened: {error}.") from error
    return row[0] if row else None


async def _postgresql_revision(url: str) -> str | None:
    import asyncpg

    try:
        connection = await asyncpg.connect(url)
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        raise unreachable(url, error) from error
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def _run(connection: object) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script.revision import ResolutionError
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if isinstance(error.__cause__, ResolutionError):
            raise Unavailable(
                f"The database was made by a newer Switchboard than this one, which knows it up to revision {HEAD}. "
                "Install the newer one, or restore a backup."
            ) from error
        raise Unavailable(f"The database cannot be migrated: {error}") from error


def _upgrade_sqlite(path: Path) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60}, poolclass=sa.pool.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _manual(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # The lock: a second process waits here, then finds the work done.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        _run(connection)


async def _upgrade_postgresql(url: str) -> None:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine

    scheme, _, rest = url.partition("://")
    engine = create_async_engine(f"{scheme}+asyncpg://{rest}", poolclass=sa.pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_run)
    finally:
        await engine.dispose()
