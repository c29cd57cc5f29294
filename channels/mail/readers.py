"""Where mails are read: in a thread; when many wait, in a process of its own, so that another core helps.

Measured on two cores: reading costs about as much as everything else that a mail needs, and Python threads share one
core. The process is bounded in time and memory, and a mail that ends it is told apart from those beside it.
"""

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Final

from channels.mail.inbound import Routes, inbound_of
from channels.mail.parsed import Reading, parse
from hub.contract import Inbound
from hub.domain.errors import PayloadUnreadable

MANY: Final = 8
"""So many mails being read at once are many: a process is started for the others, and stays."""
_LONGEST_S: Final = 60
"""CPU time for one mail: a machine that slept, or had others to serve, makes no mail unreadable."""
_MEMORY: Final = 3 * 1024**3
"""Address space of the process. A mail of 30 MB takes 300 MB at its worst; the interpreter and its libraries 500 MB."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How mails of one channel are read."""

    reading: Reading
    routes: Routes
    keys: tuple[bytes, ...]

    def read(self, raw: bytes) -> Inbound:
        """Read one mail."""
        return inbound_of(parse(raw, self.reading), self.routes, self.keys)


class Readers:
    """The thread and, when it is needed, the process that read one channel's mails."""

    def __init__(self, name: str, manner: Manner) -> None:
        self._name = name
        self._manner = manner
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"mail-{name}")
        self._process: ProcessPoolExecutor | None = None
        self._alone = asyncio.Lock()
        self._busy = 0

    def close(self) -> None:
        """Read nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._process is not None:
            self._process.shutdown(wait=False, cancel_futures=True)
            self._process = None

    async def read(self, raw: bytes) -> Inbound:
        """Read one mail.

        Raises:
            PayloadUnreadable: it ended the process that read it.
        """
        loop = asyncio.get_running_loop()
        self._busy += 1
        try:
            if self._busy <= MANY:
                return await loop.run_in_executor(self._thread, self._manner.read, raw)
            return await self.read_apart(raw)
        finally:
            self._busy -= 1

    async def read_apart(self, raw: bytes) -> Inbound:
        """Read one mail in the process.

        Raises:
            PayloadUnreadable: it ended the process that read it.
        """
        try:
            return await self._submitted(raw)
        except BrokenProcessPool:
            # One of those that were read together has ended the process: each is read again, alone.
            async with self._alone:
                return await self._once_more(raw)

    async def _once_more(self, raw: bytes) -> Inbound:
        self._renew()
        try:
            return await self._submitted(raw)
        except BrokenProcessPool:
            self._renew()
            raise PayloadUnreadable("Reading it ended the process that read it.") from None

    def _renew(self) -> None:
        if self._process is not None:
            self._process.shutdown(wait=False)
        self._process = None

    async def _submitted(self, raw: bytes) -> Inbound:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._process = ProcessPoolExecutor(1, mp_context=context, initializer=_settle, initargs=(os.getpid(),))
        return await asyncio.get_running_loop().run_in_executor(self._process, _bounded, self._manner, raw)


def _settle(parent: int) -> None:
    """Prepare the process: it takes no more memory than it may, no signals meant for the hub, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.nice(5)
    threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def _bounded(manner: Manner, raw: bytes) -> Inbound:
    with _at_most(_LONGEST_S):
        return manner.read(raw)


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise PayloadUnreadable(f"Reading it took more than {seconds} seconds of CPU time.")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
