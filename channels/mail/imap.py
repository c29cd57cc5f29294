"""A mailbox watched by a thread of its own: caught up, then in IDLE (or asking now and then), back after every loss."""

import asyncio
import concurrent.futures
import contextlib
import logging
import random
import threading
import time
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from channels.mail.account import Account
from channels.mail.imap_folder import Folder, FolderMissing, Keep
from channels.mail.imap_line import SIGN_IN_S, Cutter, Gone, ImapLine, LineCut, LoginError, explained, signed_in
from hub.clock import Clock
from hub.contract import ChannelStatus, Inbox, RawArrival
from hub.domain.errors import HubError

T = TypeVar("T")
log = logging.getLogger(__name__)

IDLE_S: Final = 9 * 60.0
"""The longest stay in one IDLE: servers may hang up after 30 min, routers forget idle lines after 10."""
_STOP_S: Final = 1.5
_LOOK_S: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Waits before the line is dialled again, doubled each time, with a third of chance."""

    first_s: float = 1.0
    longest_s: float = 300.0
    refused_s: float = 30.0
    """The least after a refused sign-in: providers lock accounts that knock too often."""


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self, *, refused: str = "") -> Awaitable[str]:
        """Return a token, never again the refused one."""


class Mailbox:
    """Reads one mailbox for one channel."""

    def __init__(
        self, channel: str, account: Account, *, tokens: Tokens | None = None, clock: Clock, pace: Pace | None = None
    ) -> None:
        self._channel = channel
        self._account = account
        self._tokens = tokens
        self._clock = clock
        self._pace = pace or Pace()
        self._cutter = Cutter()
        self._status = ChannelStatus(is_up=False, since=clock.now(), reason="Not opened yet.")
        self._was_told = False
        hub = Keep(self._mark, self._keep)
        self._folders = [Folder(name, account, hub, self._cutter, clock.now) for name in account.folders]
        self._thread: threading.Thread | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._inbox: Inbox
        self._loop: asyncio.AbstractEventLoop
        self.caught_up = threading.Event()

    @property
    def status(self) -> ChannelStatus:
        """How the line is now."""
        return self._status

    def start(self, inbox: Inbox) -> None:
        """Begin; a server that is away is sought from now on."""
        self._inbox = inbox
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._live, name=f"imap-{self._channel}", daemon=True)
        self._thread.start()
        self._watcher = asyncio.create_task(self._watch(), name=f"imap-watch-{self._channel}")

    async def stop(self) -> None:
        """End the thread, whatever the server does; what was half fetched is fetched again by the next hub."""
        self._cutter.stop()
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, _STOP_S)
            if self._thread.is_alive():
                # It waits for the resolver, which nobody can interrupt; it ends by itself.
                log.warning("a mailbox's thread is left to end by itself", extra={"channel": self._channel})
            self._thread = None
        self._cutter.release()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._cutter.look()

    # -- in the thread

    def _live(self) -> None:
        failures = 0
        while not self._cutter.is_stopping.is_set():
            began = time.monotonic()
            least_s = 0.0
            try:
                self._session()
            except LoginError as error:
                least_s = self._pace.refused_s
                self._down(f"Sign-in was refused: {explained(error)}")
            except (*Gone, HubError) as error:
                self._down(explained(error))
            except Exception as error:
                log.exception("reading a mailbox failed", extra={"channel": self._channel})
                self._down(f"{type(error).__name__}: {explained(error)}")
            finally:
                self._cutter.release()
            failures = 0 if time.monotonic() - began > self._pace.longest_s else failures + 1
            wait_s = max(min(self._pace.first_s * 2 ** min(failures - 1, 20), self._pace.longest_s), least_s)
            self._cutter.is_stopping.wait(wait_s * random.uniform(0.67, 1.33))  # noqa: S311 - to spread, not to hide
        self._status = ChannelStatus(is_up=False, since=self._clock.now(), reason="The hub stops.")

    def _session(self) -> None:
        line = signed_in(self._account, self._cutter, self._token)
        try:
            while not self._cutter.is_stopping.is_set():
                self._round(line)
                self._rest(line)
        finally:
            with contextlib.suppress(*Gone):
                line.shutdown()

    def _round(self, line: ImapLine) -> None:
        missing = []
        for folder in self._folders:
            try:
                folder.catch_up(line)
            except FolderMissing as error:
                missing.append(str(error))
            else:
                missing += [folder.trouble] if folder.trouble else []
        self._up(" ".join(missing))
        self.caught_up.set()

    def _rest(self, line: ImapLine) -> None:
        """Wait for news, at most until it is time to look anyway."""
        until = time.monotonic() + min(self._account.poll_s, IDLE_S)
        is_stopping = self._cutter.is_stopping.is_set
        if not (self._account.idle and line.has_capability("IDLE")):
            self._cutter.is_stopping.wait(until - time.monotonic())
            return
        if len(self._account.folders) > 1:
            line.select_folder(self._account.folders[0], readonly=True)
        with self._cutter.within(until - time.monotonic() + SIGN_IN_S):
            line.heard_something(until, is_stopping)

    def _token(self, refused: str) -> str:
        if self._tokens is None:
            return ""
        tokens = self._tokens

        async def ask() -> str:
            return await tokens.token(refused=refused)

        return self._ask(ask())

    def _mark(self, name: str) -> str:
        return self._ask(self._inbox.mark(self._channel, name))

    def _keep(self, arrivals: Sequence[RawArrival], marks: Mapping[str, str]) -> int:
        return self._ask(self._inbox.keep(self._channel, arrivals, marks))

    def _ask(self, asked: Coroutine[Any, Any, T]) -> T:
        """Have the event loop do something, and wait for it; a hub that stops is not waited for."""
        future = asyncio.run_coroutine_threadsafe(asked, self._loop)
        while True:
            try:
                return future.result(0.25)
            except concurrent.futures.TimeoutError:
                if future.done():
                    raise
                if self._cutter.is_stopping.is_set():
                    future.cancel()
                    raise LineCut("The hub stops.") from None

    # -- telling

    def _up(self, reason: str) -> None:
        if not self._status.is_up or self._status.reason != reason:
            if self._was_told:
                log.info("a mailbox is reached again", extra={"channel": self._channel})
            if reason:
                log.warning("a folder cannot be read", extra={"channel": self._channel, "why": reason})
            self._status = ChannelStatus(is_up=True, since=self._clock.now(), reason=reason)
        self._was_told = False

    def _down(self, reason: str) -> None:
        if self._cutter.is_stopping.is_set():
            return
        since = self._clock.now() if self._status.is_up else self._status.since
        if not self._was_told:
            log.warning("a mailbox is out of reach", extra={"channel": self._channel, "why": reason})
            self._was_told = True
        self._status = ChannelStatus(is_up=False, since=since, reason=reason)
