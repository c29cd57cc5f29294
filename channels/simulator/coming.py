"""People who come at random, so many a minute on average, and what they are doing now."""

import abc
import asyncio
import math
import random
from collections.abc import Coroutine
from typing import Any, ClassVar

from channels.simulator.tempo import Tempo


class Coming(abc.ABC):
    """Poisson arrivals, at most `most` of them here at once; a changed rate is taken up at once."""

    most: ClassVar[int]

    def __init__(self, tempo: Tempo, *, rate: float, seed: int) -> None:
        self._tempo = tempo
        self._chance = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._rate = rate
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._here: set[asyncio.Task[None]] = set()

    @property
    def rate(self) -> float:
        """How many come a minute, on average."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = rate
        self._changed.set()

    async def start(self, *, at_once: int = 0) -> None:
        """Let them come; `at_once` are here already."""
        for _ in range(at_once):
            self.let_one_come()
        self._go(self._come(), f"simulated {type(self).__name__.lower()}")

    async def stop(self) -> None:
        """Nobody comes any more, and who is here is gone without a word, as when the power goes."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @abc.abstractmethod
    def let_one_come(self) -> None:
        """Let one come now, by `_enter`."""

    def _enter(self, job: Coroutine[Any, Any, None], name: str) -> None:
        """Let somebody be here for as long as the job takes."""
        task = self._go(job, name)
        self._here.add(task)
        task.add_done_callback(self._here.discard)

    def _go(self, job: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(job, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _come(self) -> None:
        while True:
            self._changed.clear()
            if self._rate <= 0:
                await self._changed.wait()
                continue
            # Exponential gaps: chance has no memory, so nothing is lost by drawing anew.
            gap_s = -math.log(1.0 - self._chance.random()) * 60.0 / self._rate
            if not await self._tempo.until(self._changed, gap_s) and len(self._here) < self.most:
                self.let_one_come()
