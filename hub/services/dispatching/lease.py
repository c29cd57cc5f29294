"""A lease with a fencing token: one node at a time decides, and one that was paused too long is fenced off.

The row's token grows with each taking. Every write that only the holder may make checks the token in its own
transaction, so an old holder that wakes up changes nothing (Kleppmann, "How to do distributed locking", 2016).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from hub.clock import Clock
from hub.domain.errors import Conflict, HubError
from hub.storage.changes import Shape
from hub.storage.tables import LEASES, LeaseRow
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
TTL_S = 6.0


_STILL = Shape("update", "leases", ("id", "token", "owner"), ("text", "int8", "text"), keys=2, is_exact=True)


class Fenced(Conflict):
    """Another node holds the lease now: nothing was written."""


class Lease:
    """One named lease, sought and kept by this node.

    `owner` names the node across its restarts: the same node takes its own lease again at once, another one waits until
    it has run out.
    """

    def __init__(self, store: Store, clock: Clock, name: str, owner: str, *, ttl_s: float = TTL_S) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._owner = owner
        self._ttl_ms = round(ttl_s * 1000)
        self._task: asyncio.Task[None] | None = None
        self.token: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this node may decide, as far as it knows."""
        return self.token is not None

    async def take(self) -> bool:
        """Take the lease if it is free, run out or this node's own; its token is one more than the last."""

        async def unit(tx: UnitOfWork) -> int | None:
            await tx.execute(
                f"{LEASES.insert} ON CONFLICT (id) DO NOTHING",
                *LEASES.values(LeaseRow(id=self._name, owner="", token=0, expires_at=0)),
            )
            row = await tx.get(LEASES, self._name, lock=True)
            if row is None or (row.owner != self._owner and row.expires_at > tx.now):
                return None
            taken = LeaseRow(id=row.id, owner=self._owner, token=row.token + 1, expires_at=tx.now + self._ttl_ms)
            await tx.execute(LEASES.update, *LEASES.update_values(taken))
            return taken.token

        self.token = await self._store.write(unit)
        return self.token is not None

    async def renew(self) -> bool:
        """Hold it for another while; False, and it is lost, when somebody else has taken it."""
        token = self.token

        async def unit(tx: UnitOfWork) -> int:
            return await tx.execute(
                "UPDATE leases SET expires_at = $1 WHERE id = $2 AND token = $3",
                tx.now + self._ttl_ms,
                self._name,
                token,
            )

        if token is None or await self._store.write(unit) != 1:
            self.token = None
        return self.is_held

    async def check(self, tx: UnitOfWork) -> None:
        """Make sure, inside a unit that writes for the holder, that this node still is.

        Raises:
            Fenced: it is not.
        """
        if tx.is_sure:
            row = await tx.get(LEASES, self._name, lock=True)
            if row is None or row.token != self.token:
                raise Fenced("Another node decides now.")
        # The first attempt only says it where it is written: it fails there, and is looked into.
        await tx.change(_STILL, [(self._name, self.token, self._owner)])

    async def keep(self, taken: Callable[[], Awaitable[None]], lost: Callable[[], Awaitable[None]]) -> None:
        """Seek the lease and keep it until `stop`; `taken` and `lost` are awaited each time that happens."""
        if await self.take():
            await taken()
        self._task = asyncio.create_task(self._keep(taken, lost), name=f"lease {self._name}")

    async def stop(self) -> None:
        """Renew no more; the row stays and runs out."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep(self, taken: Callable[[], Awaitable[None]], lost: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(self._ttl_ms / 3_000)
            was_held = self.is_held
            try:
                holds = await (self.renew() if was_held else self.take())
            except HubError as error:
                log.warning("lease not renewed", extra={"lease": self._name, "error": str(error)})
                continue
            if holds and not was_held:
                await taken()
            elif was_held and not holds:
                log.warning("lease lost", extra={"lease": self._name})
                await lost()
