"""Knows when a store has nothing left to do: how long a trip to a database takes says nothing of who is done."""

import asyncio
from collections.abc import Callable
from typing import Any

from hub.clock import SETTLE_ROUNDS
from hub.storage.unit_of_work import Store

LONGEST_S = 1.0
"""Some units are held up on purpose: whoever waits for them to end waits no longer than this."""
WAYS = ("submit", "read", "write_aside")


class Trips:
    """The units of one store that are on their way, counted at each of the ways in."""

    def __init__(self, store: Store) -> None:
        self._begun = 0
        self._under_way = 0
        self._none = asyncio.Event()
        self._none.set()
        for name in WAYS:
            setattr(store, name, self._counted(getattr(store, name)))

    async def over(self) -> None:
        """Return when nothing is on its way and whoever was told of what came begins nothing new."""
        try:
            async with asyncio.timeout(LONGEST_S):
                begun = -1
                while begun != self._begun:
                    begun = self._begun
                    await self._none.wait()
                    for _ in range(SETTLE_ROUNDS):
                        await asyncio.sleep(0)
        except TimeoutError:
            return

    def _counted(self, way: Callable[..., Any]) -> Callable[..., "asyncio.Future[Any]"]:
        def begin(unit: object, **how: object) -> "asyncio.Future[Any]":
            self._begun += 1
            self._under_way += 1
            self._none.clear()
            trip: asyncio.Future[Any] = asyncio.ensure_future(way(unit, **how))
            trip.add_done_callback(self._end)
            return trip

        return begin

    def _end(self, _trip: object) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._none.set()
