"""What may come about once, and is not there yet to be locked, when two nodes bring it about in one instant."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from hub.contract import Candidate, Hint, Placement
from hub.contract.calls import Line
from hub.domain.correspondence import Arrival, Party
from hub.domain.customers import AddressKind
from hub.domain.ids import new_id
from hub.events import Bus
from hub.flows.session import Said, Session
from hub.services import moves
from hub.services.flows.library import FlowLibrary
from hub.settings.sections import Flows
from hub.storage.tables import CALLS, FLOW_SESSIONS, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import UnitOfWork
from tests.arriving import message
from tests.builders import Desk, open_desk
from tests.contract.house import opened_store

NUMBER = "+14155550123"
Unit = Callable[[UnitOfWork], Awaitable[Any]]


@pytest.fixture
def url(database_url: str) -> str:
    """The database that both nodes share."""
    return database_url


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """One of the nodes, unwatched: of the other there is only its database, and nobody tells what it commits."""
    opened = await open_desk(tmp_path, url)
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


async def at_once(desk: Desk, url: str, first: Unit, second: Unit) -> None:
    """Let two nodes begin both units before either commits; where there is but one writer, one after the other."""
    store = desk.hub.services.store
    if not store.is_postgresql:
        await asyncio.gather(store.write(first), store.write(second))
        return
    is_done, may_commit = asyncio.Event(), asyncio.Event()

    async def held(tx: UnitOfWork) -> None:
        await first(tx)
        is_done.set()
        await may_commit.wait()

    async with opened_store(url, desk.clock, Bus()) as other:
        watcher = await asyncpg.connect(url)
        here = asyncio.ensure_future(store.write(held))
        try:
            await is_done.wait()
            there = asyncio.ensure_future(other.write(second))
            while not there.done() and not await _somebody_waits(watcher):  # noqa: ASYNC110 - the database's own word
                await asyncio.sleep(0.01)
        finally:
            may_commit.set()
            await here
            await watcher.close()
        await there


async def _somebody_waits(watcher: Any) -> bool:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await watcher.fetchval(sql))


def texted(desk: Desk, text: str) -> Unit:
    """Take in a text of somebody nobody knows."""

    def belongs(found: Mapping[int, Candidate]) -> Placement:
        return Placement(join=found[0].interaction) if 0 in found else Placement()

    arrival = Arrival(
        id=new_id("a"), channel="texts", provider_id=new_id("m"), at=desk.clock.now(), size=1, sha256="0" * 64
    )
    said = message(
        text,
        sender=Party(NUMBER),
        hints=(Hint(kind="sender", value=NUMBER),),
        place=belongs,
        kind="sms",
        address_kind=AddressKind.PHONE,
    )

    async def unit(tx: UnitOfWork) -> None:
        await desk.hub.services.intake.receive(tx, arrival, said)

    return unit


async def test_first_two_texts_of_a_sender_open_one_conversation(desk: Desk, url: str) -> None:
    await at_once(desk, url, texted(desk, "My tent leaks"), texted(desk, "since Monday"))
    await desk.settle()

    (interaction,) = await desk._rows(INTERACTIONS, "")
    said = await desk._rows(MESSAGES, "WHERE interaction = $1 AND author = 'customer' ORDER BY n", interaction.id)
    assert sorted(one.text for one in said) == ["My tent leaks", "since Monday"]


async def test_two_bookings_of_one_number_and_queue_are_one_callback(desk: Desk, url: str) -> None:
    desk.hub.services.calls.declare(Line(channel="hotline", number="+15005550006", queue="support"))
    chats = [await desk.chat("Li Wei"), await desk.chat("Li Wei")]

    def books(number: int) -> Unit:
        async def unit(tx: UnitOfWork) -> None:
            assert await desk.hub.services.calls.book_callback(tx, chats[number], "support", NUMBER)

        return unit

    await at_once(desk, url, books(0), books(1))

    (call,) = await desk._rows(CALLS, "WHERE direction = 'callback'")
    assert call.number == NUMBER


SHOP = (
    "flow: shop\ntitle: Shop\nperson: {queue: support}\nsteps:\n"
    '  first: {ask: first, type: text, text: "What first?"}\n'
    '  second: {ask: second, type: text, text: "And then?"}\n'
    '  third: {ask: third, type: text, text: "And last?"}\n'
    "  bye: {end: Bye.}\n"
)


async def test_what_one_node_publishes_is_known_to_the_other(tmp_path: Path, url: str) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    desk = await open_desk(tmp_path, url, {"flows": Flows(folder=tmp_path)})
    try:
        flows = desk.hub.services.self_service
        here, there = flows.library, FlowLibrary(desk.hub.services.store, tmp_path)
        await there.load()
        old = here.published["shop"].version
        await desk.wait(1)
        new = (await there.publish(SHOP.replace("And last?", "And then nothing?"), author="ada")).version

        flows.library = there  # a customer begins at that node, and goes on at this one, which has not looked yet
        talk = await desk.chat(text="", flow="shop")
        flows.library = here
        for text in ("a tent", "boots"):
            await desk.visitor_says(talk, text)
        told = [message.text for message in await desk.messages(await desk.interaction(talk.id))]
        assert [text for text in told if text.endswith("?")] == ["What first?", "And then?", "And then nothing?"]

        await (desk.wait(6) if desk.hub.services.store.is_postgresql else here.catch_up())
        assert here.published["shop"].version == new
        await desk.wait(1)
        await there.publish(SHOP, author="ada")
        await here.catch_up()
        assert here.published["shop"].version == old, "rolled back there, and so here"
    finally:
        await desk.hub.stop()


@pytest.mark.parametrize("ids", [("m1", "m2"), ("m1", "m1")])
async def test_a_flow_goes_on_at_another_node_and_hears_each_word_once(
    tmp_path: Path, url: str, ids: tuple[str, str]
) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    desk = await open_desk(tmp_path, url, {"flows": Flows(folder=tmp_path)})
    try:
        talk = await desk.chat(text="", flow="shop")
        flows = desk.hub.services.self_service

        def says(message_id: str, text: str) -> Unit:
            async def unit(tx: UnitOfWork) -> None:
                interaction = await moves.interaction_for_change(tx, talk.id)
                await flows.put(tx, interaction, Said(id=message_id, text=text))

            return unit

        await at_once(desk, url, says(ids[0], "a tent"), says(ids[1], "boots"))
        (stored,) = await desk._rows(FLOW_SESSIONS, "")
        session = msgspec.json.decode(stored.body, type=Session)
        heard = {"first": "a tent", "second": "boots"} if ids[0] != ids[1] else {"first": "a tent"}
        assert (session.answers, session.frames[-1].step) == (heard, "third" if len(heard) == 2 else "second")
        told = [message.text for message in await desk.messages(await desk.interaction(talk.id))]
        assert told == ["What first?", "And then?", "And last?"][: len(heard) + 1]
    finally:
        await desk.hub.stop()
