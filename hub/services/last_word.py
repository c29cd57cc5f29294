"""What is said once and must be written, such as that somebody is gone: kept while the database is away.

A browser that goes says so once. Were it forgotten because the database is away at that moment, an agent would count as
there for ever, and one who came back as lost.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from hub.domain.errors import Unavailable

T = TypeVar("T")
log = logging.getLogger(__name__)


class LastWord(Generic[T]):
    """Writes the newest word of each subject: at once, or with `catch_up` when the database is back."""

    def __init__(self, write: Callable[[str, T], Awaitable[None]]) -> None:
        self._write = write
        self._newest: dict[str, object] = {}
        self._kept: dict[str, T] = {}
        self._is_late = False

    async def say(self, subject: str, word: T) -> None:
        """Write a word, instead of any that is kept; what cannot be written now is kept unless a newer one follows."""
        turn = self._newest[subject] = object()
        self._kept.pop(subject, None)
        try:
            await self._write(subject, word)
        except Unavailable as error:
            if self._newest.get(subject) is turn:
                if not self._is_late:
                    log.warning("who comes and goes is written later", extra={"error": str(error)})
                self._is_late = True
                self._kept[subject] = word
            return
        except BaseException:
            self._forget(subject, turn)
            raise
        self._is_late = False
        self._forget(subject, turn)

    async def catch_up(self) -> None:
        """Write what is kept, as far as the database takes it."""
        for subject in list(self._kept):
            if subject in self._kept:
                await self.say(subject, self._kept[subject])
                if subject in self._kept:
                    return

    def _forget(self, subject: str, turn: object) -> None:
        if self._newest.get(subject) is turn:
            del self._newest[subject]
