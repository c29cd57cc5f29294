"""What every part of the exchange stands on: clock, names, webhooks, debugger, and tasks that do not get lost."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any

from channels.simulator.carrier.account import Account
from channels.simulator.carrier.faults import Faults
from channels.simulator.carrier.problems import Alert, Debugger
from channels.simulator.carrier.sids import Sids
from channels.simulator.carrier.timers import Timers
from channels.simulator.carrier.webhooks import Answer, NetworkTransport, Transport, Webhooks
from hub.clock import Clock, Instant

log = logging.getLogger(__name__)


class Switch:
    """The common ground. `pending` says what is still under way, for those who must leave nothing behind."""

    def __init__(self, account: Account, clock: Clock, *, seed: int = 1, transport: Transport | None = None) -> None:
        chance = random.Random(seed)  # noqa: S311 - a repeatable world, no secret
        self.account = account
        self.clock = clock
        self.chance = chance
        self.timers = Timers(clock)
        self.sids = Sids(chance)
        self.faults = Faults(seed)
        self.debugger = Debugger()
        self.webhooks = Webhooks(account, self.timers, transport or NetworkTransport(), self.faults, self.sids)
        self._tasks: set[asyncio.Task[Any]] = set()

    def now(self) -> Instant:
        """Return the present instant."""
        return self.clock.now()

    @property
    def pending(self) -> dict[str, int]:
        """What has not come to its end: tasks of calls, deliveries, alarms."""
        return {"tasks": len(self._tasks), "deliveries": self.webhooks.running, "alarms": self.timers.pending}

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task that is remembered until it ends; what it raises is logged, never lost."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def note(self, code: int, text: str, *, sid: str = "", url: str = "", is_error: bool = True) -> None:
        """Write a line into the debugger."""
        self.debugger.note(Alert(at=self.now(), code=code, text=text, sid=sid, url=url, is_error=is_error))

    def note_answer(self, answer: Answer, sid: str) -> None:
        """Write what was wrong with an answer into the debugger."""
        self.note(answer.error, f"HTTP {answer.status}" if answer.status else "no answer", sid=sid, url=answer.url)

    async def close(self) -> None:
        """End all tasks, deliveries and alarms."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()
        self.timers.close()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("carrier task failed", extra={"task": task.get_name()}, exc_info=task.exception())
