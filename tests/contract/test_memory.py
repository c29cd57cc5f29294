"""What is remembered of the last commit spares reading and decides nothing: two nodes end as one that always reads."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from hub.clock import FakeClock
from hub.domain.agent import Agent, Role
from hub.domain.errors import Closed, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction, State
from hub.events import Bus
from hub.services.handling import Handling
from hub.services.messages import Messages
from hub.storage.memory import Memory
from hub.storage.tables import AGENTS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork
from tests.contract.house import House, agent_of, opened_store, words


@pytest.fixture
def messages(house: House) -> Messages:
    return Messages(house.store, house.settings)


@pytest.fixture
async def elsewhere(house: House, database_url: str, clock: FakeClock) -> AsyncIterator[Messages]:
    """Messages of another node on the same database."""
    async with opened_store(database_url, clock, Bus(strict=True)) as other:
        yield Messages(other, house.settings)


async def chat(house: House) -> Interaction:
    return await house.interaction(await house.customer("Li"))


async def put(store: Store, interaction: Interaction, state: State) -> None:
    async def unit(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, interaction.id, lock=True)
        assert found is not None
        await tx.save(INTERACTIONS, msgspec.structs.replace(found, state=state))

    await store.write(unit)


async def test_two_nodes_that_each_remember_number_messages_without_a_gap(
    house: House, messages: Messages, elsewhere: Messages
) -> None:
    one, other = await chat(house), await chat(house)
    nodes = (messages, elsewhere)
    for n in range(6):
        await nodes[n % 2].say(words(one, f"in turn {n}"))
    results = await asyncio.gather(
        *(node.say(words(where, f"at once {n}")) for n in range(10) for node in nodes for where in (one, other))
    )
    assert [message.n for message in await house.messages(one)] == list(range(1, 27))
    assert [message.n for message in await house.messages(other)] == list(range(1, 21))
    assert len({(message.interaction, message.n) for message in results}) == 40
    events = await house.fetch("SELECT count(*) FROM journal WHERE kind = $1", str(EventKind.MESSAGE_STORED))
    assert events[0][0] == 46


async def test_message_of_another_node_or_of_before_a_restart_is_not_stored_again(
    house: House, messages: Messages, elsewhere: Messages
) -> None:
    one = await chat(house)
    first = await messages.say(words(one, "once", client_id="x1"))
    beside = await messages.say(words(one, "then", client_id="x2"))
    restarted = Messages(house.store, house.settings)
    for node in (elsewhere, restarted, messages):
        answers = await asyncio.gather(
            node.say(words(one, "once", client_id="x1")),
            node.say(words(one, f"new to {id(node)}")),
            node.say(words(one, "then", client_id="x2")),
        )
        assert (answers[0].n, answers[2].n) == (first.n, beside.n)
    assert [message.n for message in await house.messages(one)] == [1, 2, 3, 4, 5]


async def test_no_refusal_rests_on_memory(
    house: House, messages: Messages, elsewhere: Messages, database_url: str
) -> None:
    one = await chat(house)
    await messages.say(words(one, "remembered as open", agent="ann"))
    await elsewhere.say(words(one, "remembered there too", agent="ann"))
    await put(house.store, one, State.CLOSED)
    with pytest.raises(Closed):
        await messages.say(words(one, "too late", agent="ann"))
    with pytest.raises(Closed):
        await elsewhere.say(words(one, "too late", agent="ann"))
    async with opened_store(database_url, house.clock, Bus(strict=True)) as third:
        await put(third, one, State.ACTIVE)
    assert (await messages.say(words(one, "open again", agent="ann"))).n == 3


async def test_completing_what_another_node_gave_away_is_refused_as_it_is_now(
    house: House, messages: Messages, database_url: str
) -> None:
    one = await chat(house)
    handling = Handling(house.store, house.settings)

    async def hired(tx: UnitOfWork) -> None:
        await tx.insert(AGENTS, Agent(id="ann", name="Ann", email="ann@example.test", role=Role.AGENT))

    await house.store.write(hired)
    await messages.say(words(one, "remembered as open", agent="ann"))
    async with opened_store(database_url, house.clock, Bus(strict=True)) as other:
        await put(other, one, State.CLOSED)
        done = await handling.complete(one.id, agent_of("support"), "solved")
        assert done.state is State.CLOSED
        with pytest.raises(Conflict, match="completed already"):
            await Handling(other, house.settings).complete(one.id, agent_of("support"), "solved")
    with pytest.raises(NotFound):
        await handling.complete(one.id, agent_of("support", agent="bob"), "solved")


async def test_what_was_undone_is_not_remembered(house: House, messages: Messages) -> None:
    one = await chat(house)
    await messages.say(words(one, "first"))

    async def says_and_fails(tx: UnitOfWork) -> None:
        await messages.say_in(tx, words(one, "undone"))
        raise Conflict("No.")

    for _ in range(2):
        failed, kept = await asyncio.gather(
            house.store.write(says_and_fails), messages.say(words(one, "kept")), return_exceptions=True
        )
        assert isinstance(failed, Conflict)
        assert not isinstance(kept, BaseException)
    assert [(message.n, message.text) for message in await house.messages(one)] == [
        (1, "first"),
        (2, "kept"),
        (3, "kept"),
    ]


def remembering(memory: Memory, *keys: str) -> list[object]:
    memory.begin(is_trusted=True)
    return [memory.recall(str, [key]).get(key) for key in keys]


def test_memory_keeps_what_was_committed_last_and_no_more_than_its_limit() -> None:
    memory = Memory([str], limit=2)
    assert remembering(memory, "a") == [None]
    memory.note({(str, "a"): "A1", (str, "b"): "B1", (int, "i"): 1})
    assert memory.recall(str, ["a", "b"]) == {"a": "A1", "b": "B1"}
    memory.committed()
    memory.begin(is_trusted=True)
    memory.note({(str, "a"): "undone"})
    assert remembering(memory, "a", "b") == ["A1", "B1"]
    memory.note({(str, "a"): "A2"})
    memory.committed()
    memory.begin(is_trusted=True)
    memory.note({(str, "c"): "C1"})
    memory.committed()
    assert remembering(memory, "a", "b", "c") == ["A2", None, "C1"]
    memory.begin(is_trusted=False)
    assert memory.recall(str, ["a"]) == {}
    memory.forget()
    assert remembering(memory, "a", "c") == [None, None]


async def test_unit_recalls_what_it_has_changed_itself(house: House) -> None:
    one = await chat(house)
    seen: list[State] = []

    async def unit(tx: UnitOfWork) -> None:
        for state in (State.HELD, State.ACTIVE):
            found = (await tx.recall(INTERACTIONS, (one.id,), fits=lambda _: True))[one.id]
            seen.append(found.state)
            await tx.save(INTERACTIONS, msgspec.structs.replace(found, state=state))
        seen.append((await tx.recall(INTERACTIONS, (one.id,), fits=lambda _: False))[one.id].state)

    await house.store.write(unit)
    await house.store.write(unit)
    assert seen == [State.ACTIVE, State.HELD, State.ACTIVE] * 2
