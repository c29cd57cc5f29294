"""Copies of what was sent, laid into the mailbox's Sent folder by IMAP (RFC 9051, APPEND), on a line of their own.

A copy is a convenience: the letter is sent, and stored here. Where the server does not take it in three tries, that is
told in the log and the next one is tried.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from channels.mail.account import Account
from channels.mail.imap_line import Cutter, Gone, ImapLine, explained, is_refusal, signed_in

log = logging.getLogger(__name__)

AUTOMATIC: Final = "auto"
"""The folder that the server marks as the one for sent mail (RFC 6154), else one of the usual names."""
WAITING: Final = 32
"""Copies that wait at most; while a server is away, later ones are given up at once."""
_TRIES: Final = 3
_IDLE_S: Final = 60.0
_APPEND_S: Final = 120.0
_STOP_S: Final = 1.5
_SENT = b"\\Sent"

Token = Callable[..., Awaitable[str]]


class SentFolder:
    """One mailbox's Sent folder. `keep` is what `Sender` is given."""

    def __init__(
        self, channel: str, account: Account, folder: str, *, token: Token | None = None, again_s: float = 2.0
    ) -> None:
        """A copy that the line lost is tried again after `again_s` seconds, and after twice as many."""
        self._channel = channel
        self._account = account
        self._folder = folder
        self._token = token
        self._again_s = again_s
        self._cutter = Cutter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sent-{channel}")
        self._waiting = 0
        self._line: ImapLine | None = None
        self._used_at = 0.0

    async def keep(self, content: bytes) -> None:
        """Lay a copy into the folder.

        Raises:
            OSError: it is not there; the text says why.
        """
        if self._waiting >= WAITING:
            raise OSError("Too many copies wait for the mail server.")
        self._waiting += 1
        try:
            await self._kept(content)
        finally:
            self._waiting -= 1

    async def _kept(self, content: bytes) -> None:
        loop = asyncio.get_running_loop()
        reason = ""
        for attempt in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(_APPEND_S):
                    return await loop.run_in_executor(self._thread, self._append, content, loop)
            except TimeoutError:
                self._cutter.cut()
                reason = "The server did not answer in time."
            except Gone as error:
                reason = explained(error)
                if is_refusal(error):
                    raise OSError(reason) from error
            if attempt < _TRIES:
                await asyncio.sleep(self._again_s * attempt)
        raise OSError(reason)

    async def close(self) -> None:
        """Say good-bye; a server that is silent is not waited for."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(_STOP_S):
                await loop.run_in_executor(self._thread, self._leave)
        self._cutter.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._cutter.release()

    # -- in the thread

    def _append(self, content: bytes, loop: asyncio.AbstractEventLoop) -> None:
        line = self._ready(loop)
        try:
            name = self._named(line)
            try:
                self._lay(line, name, content)
            except Gone as error:
                if not is_refusal(error) or "TRYCREATE" not in str(error).upper():
                    raise
                line.create_folder(name)
                self._lay(line, name, content)
        except Gone:
            self._leave()
            raise
        self._used_at = time.monotonic()

    def _lay(self, line: ImapLine, name: str, content: bytes) -> None:
        line.append(name, content, flags=[b"\\Seen"], msg_time=datetime.now(UTC))

    def _named(self, line: ImapLine) -> str:
        """Return the folder's name: the configured one, or what the server says is for sent mail."""
        if self._folder != AUTOMATIC:
            return self._folder
        return str(line.find_special_folder(_SENT) or "Sent")

    def _ready(self, loop: asyncio.AbstractEventLoop) -> ImapLine:
        """Return a line that is signed in; one that was idle for long is dialled anew."""
        if self._line is not None and time.monotonic() - self._used_at > _IDLE_S:
            self._leave()
        if self._line is None:
            self._line = signed_in(self._account, self._cutter, lambda refused: self._asked(refused, loop))
        return self._line

    def _asked(self, refused: str, loop: asyncio.AbstractEventLoop) -> str:
        if self._token is None:
            return ""
        token = self._token

        async def ask() -> str:
            return await token(refused=refused)

        future = asyncio.run_coroutine_threadsafe(ask(), loop)
        try:
            return future.result(_STOP_S * 10)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            raise TimeoutError("no token in time") from error

    def _leave(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                line.logout()
            except Gone:
                with contextlib.suppress(*Gone):
                    line.shutdown()
            self._cutter.release()
