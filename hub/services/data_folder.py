"""The data folder: what one hub keeps there all hubs of its database read, and each has a name of its own there.

Letters' bytes and files lie in the folder, their records in the database: a hub with another folder would find records
whose bytes it has not. So the folder bears an id, and the database a lease in this id's name, kept by every hub.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import socket
from pathlib import Path

from hub.clock import Clock
from hub.domain.errors import Unavailable
from hub.services.dispatching.lease import Lease
from hub.storage.tables import LEASES, LeaseRow
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
_LEASE = "data_dir"
_TTL_S = 15.0
_RENEW_MS = 5_000
_MOST_NODES = 1_000
STRANGE = "The database knows letters and files of another data folder: what this one lacks cannot be read."
SHARED = "All hubs of one database share one data_dir (a network file system)."


def unusable(folder: Path) -> str:
    """Return why nothing can be kept in this folder, which need not be there yet; empty where it can."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is no folder."
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to."


class NodeName:
    """A hub's name among those that share its data folder: its own while it runs, the same after a restart.

    Held by a lock on the file that has it, which the system releases whatever the hub dies of.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def take(self) -> str:
        """Take the first name that no running hub has, made if there is none."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST_NODES):
            path = self._folder / ("node.id" if number == 1 else f"node-{number}.id")
            held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            if _is_locked(held):
                self._held = held
                return _written_once(held, f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}")
            os.close(held)
        raise Unavailable(f"{_MOST_NODES} hubs run in {self._folder}.")

    def release(self) -> None:
        """Let another hub have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


class DataFolder:
    """This hub's data folder, as the database knows it."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder
        self._lease: Lease | None = None
        self._renew_at = 0
        self.trouble = ""
        """What is wrong with it, while something is."""

    async def claim(self) -> None:
        """Have the database know this folder as the one that its hubs share.

        Raises:
            Unavailable: hubs run on this database with another one.
        """
        known, own = await self._known(), _id_of(self._folder)
        is_another = known is not None and known.owner != own
        if is_another and not self._store.is_postgresql:
            # Nobody else can be running on the file: a lease that has not run out yet is this hub's last one's.
            await self._give_up()
        self._lease = Lease(self._store, self._clock, _LEASE, own, ttl_s=_TTL_S)
        if not await self._lease.take():
            raise Unavailable(f"Another hub runs on this database with another data folder. {SHARED}")
        self._renew_at = self._clock.now() + _RENEW_MS
        if is_another:
            log.warning(STRANGE, extra={"folder": str(self._folder)})

    async def keep(self) -> None:
        """Keep it known; `trouble` says if other hubs went on with another folder while this one could not."""
        now = self._clock.now()
        if self._lease is None or not self._store.is_postgresql or now < self._renew_at:
            return
        self._renew_at = now + _RENEW_MS
        try:
            is_ours = await self._lease.take()
        except Unavailable as error:
            log.warning("lease not renewed", extra={"lease": _LEASE, "error": str(error)})
            return
        if not is_ours and not self.trouble:
            log.error("other hubs run with another data folder", extra={"folder": str(self._folder)})
        self.trouble = "" if is_ours else f"Other hubs run with another data folder. {SHARED}"

    async def is_strange(self) -> bool:
        """Whether the database knows another folder than this one; changes nothing, here or there."""
        known = await self._known()
        path = self._folder / "data.id"
        own = path.read_text().strip() if path.exists() else ""
        return known is not None and known.owner != own

    async def _known(self) -> LeaseRow | None:
        async def unit(tx: UnitOfWork) -> LeaseRow | None:
            return await tx.get(LEASES, _LEASE)

        return await self._store.read(unit)

    async def _give_up(self) -> None:
        async def unit(tx: UnitOfWork) -> None:
            await tx.execute("UPDATE leases SET expires_at = 0 WHERE id = $1", _LEASE)

        await self._store.write(unit)


def _id_of(folder: Path) -> str:
    """Return the folder's id, made once, whoever of several hubs comes first."""
    path = folder / "data.id"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / f".data.id.{secrets.token_hex(4)}"
        made.write_text(secrets.token_hex(16))
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text().strip()


def _is_locked(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # Some file systems know no locks. One hub alone needs none.
        log.warning("two hubs in this data folder would take one name", extra={"error": str(error)})
    return True


def _written_once(held: int, name: str) -> str:
    """Return what the file says; if nothing, have it say `name`."""
    found = os.pread(held, 200, 0).decode().strip()
    if not found:
        os.pwrite(held, name.encode(), 0)
    return found or name
