"""What is said of a database server that cannot be reached: which one, and why; never its password."""

import os

from hub.domain.errors import Unavailable


def unreachable(url: str, error: Exception) -> Unavailable:
    """Return the error that names the server of a PostgreSQL URL, and what is wrong with reaching it."""
    import asyncpg

    if isinstance(error, ValueError):
        # Whatever the client says of a URL that it cannot read may quote a piece of the password.
        return Unavailable(
            "database_url cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/NAME, with % and two digits for "
            "marks in the password (@ is %40, / is %2F, : is %3A, # is %23)."
        )
    where = _server(url)
    if isinstance(error, asyncpg.PostgresError):
        return Unavailable(f"The database server {where} does not let the hub in: {error}.")
    return Unavailable(f"The database server {where} cannot be reached: {_why(error)}.")


def _server(url: str) -> str:
    """Return host, port and name; what stands before the last @ may hold a password, what follows a ? too."""
    place = url.partition("://")[2].rpartition("@")[2].partition("?")[0]
    return place.rstrip("/") if place.partition("/")[0] else f"on this machine ({place.strip('/')})"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not error.errno:
        return "it did not answer in time"
    number = error.errno if isinstance(error, OSError) else None
    # A name that is not known has numbers of its own.
    return os.strerror(number) if number and number > 0 else str(getattr(error, "strerror", None) or error)
