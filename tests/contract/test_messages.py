"""The hot path: many messages in one unit; each once, in order, numbered without a gap."""

import asyncio

import msgspec
import pytest

from hub.domain.errors import BadRequest, Closed, NotFound, Stale, TooLarge
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message
from hub.services.messages import Messages
from hub.storage.batches import Batch
from hub.storage.journal import Journal
from hub.storage.tables import INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import House, words


@pytest.fixture
def messages(house: House) -> Messages:
    return Messages(house.store, house.settings)


async def chat(house: House) -> Interaction:
    return await house.interaction(await house.customer("Li"))


async def stored(house: House, interaction: Interaction) -> Interaction:
    return (await house.rows(INTERACTIONS, "WHERE id = $1", interaction.id))[0]  # type: ignore[no-any-return]


async def test_many_senders_messages_are_numbered_without_a_gap_in_order(house: House, messages: Messages) -> None:
    chats = [await chat(house) for _ in range(5)]
    futures = [
        messages.say(words(one, f"{n}", agent="ann" if n % 3 == 0 else None)) for n in range(60) for one in chats
    ]
    await asyncio.gather(*futures)
    for one in chats:
        said = await house.messages(one)
        assert [(message.n, message.text) for message in said] == [(n + 1, f"{n}") for n in range(60)]
        after = await stored(house, one)
        assert (after.last_n, after.last_from, after.last_at) == (60, "customer", house.clock.now())
        assert after.waits_since is not None
    events = await Journal(house.store).read(0, 1_000)
    assert len([event for event in events if event.kind is EventKind.MESSAGE_STORED]) == 300


async def test_repeated_message_is_answered_again_and_stored_once(house: House, messages: Messages) -> None:
    one = await chat(house)
    said = words(one, "once", client_id="x1")
    results = await asyncio.gather(*(messages.say(said) for _ in range(5)))
    results.append(await messages.say(said))
    assert {(message.n, message.at) for message in results} == {(1, house.clock.now())}
    assert len(await house.messages(one)) == 1
    assert (await messages.say(words(one, "next"))).n == 2
    with pytest.raises(BadRequest):
        await messages.say(words(one, "not mine", agent="ann", client_id="x1"))


async def test_refused_messages_disturb_nobody_in_their_batch(house: House, messages: Messages) -> None:
    one, other = await chat(house), await chat(house)
    stranger = msgspec.structs.replace(words(one, "in a stranger's name"), address="somebody else")
    ended = await house.interaction(await house.customer(), ended_at=1)

    async def end(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, ended.id)
        assert found is not None
        await tx.save(INTERACTIONS, msgspec.structs.replace(found, state=State.CLOSED))

    await house.store.write(end)
    results = await asyncio.gather(
        messages.say(words(one, "a")),
        messages.say(stranger),
        messages.say(words(ended, "too late")),
        messages.say(words(one, "not my chat", agent="bob")),
        messages.say(msgspec.structs.replace(words(other, "x"), interaction="i-none")),
        messages.say(words(other, "b")),
        messages.say(words(one, "c")),
        return_exceptions=True,
    )
    kinds = [type(result) for result in results]
    assert kinds == [Message, NotFound, Closed, Closed, NotFound, Message, Message]
    assert [message.text for message in await house.messages(one)] == ["a", "c"]
    assert [message.text for message in await house.messages(other)] == ["b"]


async def test_agent_who_missed_a_colleagues_answer_is_told(house: House, messages: Messages) -> None:
    one = await chat(house)
    await messages.say(words(one, "question"))
    await messages.say(words(one, "my answer", agent="ann"))

    async def reassigned(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, one.id)
        assert found is not None
        await tx.save(INTERACTIONS, msgspec.structs.replace(found, agent="bob"))

    await house.store.write(reassigned)
    with pytest.raises(Stale) as stale:
        await messages.say(words(one, "my answer too", agent="bob", seen_n=1))
    assert [message.text for message in stale.value.newer] == ["my answer"]  # type: ignore[attr-defined]
    assert (await messages.say(words(one, "anyway", agent="bob", seen_n=1, anyway=True))).n == 3
    assert (await messages.say(words(one, "seen all", agent="bob", seen_n=3))).n == 4
    both = await asyncio.gather(
        messages.say(words(one, "first", agent="bob", seen_n=4)),
        messages.say(words(one, "customer meanwhile")),
        messages.say(words(one, "second", agent="bob", seen_n=4)),
    )
    assert [message.n for message in both] == [5, 6, 7]


async def test_words_are_checked_before_they_wait(house: House, messages: Messages) -> None:
    one = await chat(house)
    for text in ("", "  \n ", "\x00"):
        with pytest.raises(BadRequest):
            messages.say(words(one, text))
    with pytest.raises(TooLarge):
        messages.say(words(one, "x" * (house.settings.limits.message_chars + 1)))
    with pytest.raises(BadRequest):
        messages.say(words(one, "x", client_id="y" * 65))
    file = FileRef(id="f1", name="a.png", type="image/png", size=3)
    said = await messages.say(words(one, "", files=(file,)))
    assert (await house.messages(one))[0] == said
    assert said.author is Author.CUSTOMER
    assert (await messages.say(words(one, "a\x00b 4111 1111 1111 1111"))).text == "ab [card ...1111]"


async def test_parked_conversation_wakes_when_the_customer_writes(house: House, messages: Messages) -> None:
    one = await chat(house)

    async def park(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, one.id)
        assert found is not None
        await tx.save(INTERACTIONS, msgspec.structs.replace(found, state=State.PARKED))

    await house.store.write(park)
    await messages.say(words(one, "back again"))
    assert (await stored(house, one)).state is State.QUEUED


async def test_batch_runs_items_in_order_and_fails_each_alone(house: House) -> None:
    sizes: list[int] = []

    async def run(tx: UnitOfWork, items: object) -> list[int | Exception]:
        listed = list(items)  # type: ignore[call-overload]
        sizes.append(len(listed))
        if 13 in listed:
            raise ZeroDivisionError
        return [ValueError(str(item)) if item % 2 else item * 10 for item in listed]

    batch: Batch[int, int] = Batch(house.store, run, limit=4)
    results = await asyncio.gather(*(batch.submit(n) for n in range(10)), return_exceptions=True)
    assert [result if isinstance(result, int) else str(result) for result in results] == [
        n * 10 if n % 2 == 0 else str(n) for n in range(10)
    ]
    assert max(sizes) <= 4
    given_up = batch.submit(2)
    given_up.cancel()
    assert await batch.submit(4) == 40
    whole = await asyncio.gather(batch.submit(13), batch.submit(14), return_exceptions=True)
    assert [type(error) for error in whole] == [ZeroDivisionError, ZeroDivisionError]
    assert await batch.submit(6) == 60
