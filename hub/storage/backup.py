"""Copying the database of a running hub: consistent, without stopping anybody."""

import sqlite3
from pathlib import Path

from hub.domain.errors import BadRequest, Unavailable
from hub.storage.migrations import sqlite_path


def backup(url: str, target: Path) -> int:
    """Copy a SQLite database to a new file and return its size in bytes.

    Raises:
        BadRequest: the database is no SQLite file, or the target exists. Unavailable: it cannot be read or written.
    """
    if not url.startswith("sqlite"):
        raise BadRequest("Back PostgreSQL up with pg_dump: it knows how, also while the hub runs.")
    if target.exists():
        raise BadRequest(f"{target} is there already. A backup never writes over a file.")
    source_path = sqlite_path(url)
    if not source_path.exists():
        raise Unavailable(f"There is no database at {source_path}.")
    try:
        source = sqlite3.connect(f"file:{source_path}?mode=ro", uri=True)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy, pages=1_000, sleep=0.005)
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise Unavailable("The copy is damaged.")
        finally:
            copy.close()
            source.close()
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise Unavailable(f"The database cannot be copied: {error}.") from error
    return target.stat().st_size
