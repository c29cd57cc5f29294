"""What is said once is written in the end, and only the newest of it."""

import asyncio

import pytest

from hub.domain.errors import NotFound, Unavailable
from hub.services.last_word import LastWord


class Database:
    """Takes words one after another as the test lets it, or is away."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str]] = []
        self.is_away = False
        self.under_way: list[asyncio.Future[None]] = []
        self.waits = False

    async def write(self, subject: str, word: str) -> None:
        if self.waits:
            self.under_way.append(asyncio.get_running_loop().create_future())
            await self.under_way[-1]
        if self.is_away:
            raise Unavailable("The database cannot be reached.")
        self.written.append((subject, word))


async def test_word_is_written_at_once_and_once() -> None:
    database = Database()
    words = LastWord(database.write)
    await words.say("ann", "gone")
    await words.catch_up()
    assert database.written == [("ann", "gone")]


async def test_newest_word_is_written_when_the_database_is_back() -> None:
    database = Database()
    database.is_away = True
    words = LastWord(database.write)
    for subject, word in (("ann", "gone"), ("bob", "gone"), ("ann", "back")):
        await words.say(subject, word)
    await words.catch_up()
    assert database.written == []

    database.is_away = False
    await words.catch_up()
    await words.catch_up()
    assert sorted(database.written) == [("ann", "back"), ("bob", "gone")]


@pytest.mark.parametrize("first", [0, 1])
async def test_word_that_fails_beside_a_newer_one_is_not_kept(first: int) -> None:
    database = Database()
    database.waits = True
    words = LastWord(database.write)
    saying = [asyncio.create_task(words.say("ann", word)) for word in ("gone", "back")]
    await asyncio.sleep(0)
    gone, back = database.under_way
    outcomes = [(gone, Unavailable("The line was lost.")), (back, None)]
    for future, error in (outcomes[first], outcomes[1 - first]):
        future.set_exception(error) if error else future.set_result(None)
        await asyncio.sleep(0)
    await asyncio.gather(*saying)
    database.waits = False
    await words.catch_up()
    assert database.written == [("ann", "back")]


async def test_other_errors_are_told_and_nothing_is_kept() -> None:
    async def write(subject: str, word: str) -> None:
        raise NotFound(f"{subject} is not known, {word} or not.")

    words = LastWord(write)
    with pytest.raises(NotFound):
        await words.say("ann", "gone")
    await words.catch_up()
