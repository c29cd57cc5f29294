"""The index follows the journal; searching finds in any language what the asking person may see."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hub.domain.customers import AddressKind
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.messages import Author
from hub.services.indexer import Indexer
from hub.services.people import Edit, TypedAddress
from hub.services.search import Found, Search
from hub.storage.tables import INDEXED, INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import SEES_ALL, House, agent_of, email, phone


@pytest.fixture
async def indexer(house: House) -> AsyncIterator[Indexer]:
    made = Indexer(house.store, house.bus, house.clock, batch=50)
    yield made
    await made.stop()


@pytest.fixture
def search(house: House) -> Search:
    return Search(house.store, house.settings)


async def texts(search: Search, q: str, scope: Any = SEES_ALL, limit: int = 20) -> list[str]:
    return [hit.snippet for hit in (await search.find(q, scope, limit=limit)).messages]


async def people(search: Search, q: str, scope: Any = SEES_ALL) -> list[tuple[str, str]]:
    return [(hit.name, hit.matched) for hit in await search.customers(q, scope)]


async def test_words_are_found_in_any_language_newest_first(house: House, indexer: Indexer, search: Search) -> None:
    said = [
        "I want a refund for order A-1234",
        "我要退款, 订单还没到",
        "Refunds are slow",
        "Wo ist meine Bestellung? Straße 5, ÜBER",
        "返品したいです",
        "환불해 주세요",
        "أريد استرداد المبلغ",
        "मुझे पैसे वापस चाहिए",
        'O\'Brien "quoted" AND OR NOT (near)',
    ]
    await house.conversation("Li Wei", *said)
    await indexer.caught_up()
    for q, expected in {
        "refund": [2, 0],
        "REFUND order": [0],
        "a-1234": [0],
        "退款": [1],
        "我要退款": [1],
        "退": [1],
        "款退": [],
        "strasse": [3],
        "uber": [3],
        "bestell": [3],
        "返品": [4],
        "환불": [5],
        "استرداد": [6],
        "वापस": [7],
        "o'brien": [8],
        "and": [8],
        "near": [8],
        "nothing like it": [],
        "": [],
        '"': [],
        "*": [],
    }.items():
        assert await texts(search, q) == [said[n] for n in expected], q


async def test_hostile_queries_are_only_words(house: House, indexer: Indexer, search: Search) -> None:
    await house.conversation("Li", "harmless words")
    await indexer.caught_up()
    for q in (
        '" OR tokens:*',
        "a' | 'b:*",
        "harmless NOT words",
        "tokens : harmless",
        "{tokens}: x",
        "NEAR(a b, 2)",
        "x" * 100_000,
        '"' * 100_000,
        "a " * 50_000,
        "退" * 50_000,
        "\x00\ud800\uffff\ue000c",
        "\ue000c",
        "'; DROP TABLE words; --",
        "\\",
        "%",
        "+" + "9" * 5_000,
        "@" * 300,
        "a@b" * 100,
        "a\x00@b.example",
        "\ud800@b.example",
    ):
        assert await search.find(q, SEES_ALL) == Found(), q[:40]
    assert len((await search.find("^harmless", SEES_ALL)).messages) == 1
    assert len((await search.find("harmless words", SEES_ALL, limit=10**9)).messages) == 1
    assert len((await search.find("harmless words", SEES_ALL, limit=-5)).messages) == 1


async def test_hit_tells_where_it_is(house: House, indexer: Indexer, search: Search) -> None:
    interaction = await house.conversation("Li Wei", "hello", "x " * 200 + "😀 the Refund please " + "y " * 200)
    await indexer.caught_up()
    (hit,) = (await search.find("refund", SEES_ALL)).messages
    assert (hit.interaction, hit.n, hit.customer, hit.customer_name, hit.queue, hit.channel_kind) == (
        interaction.id,
        2,
        interaction.customer,
        "Li Wei",
        "support",
        "chat",
    )
    units = hit.snippet.encode("utf-16-le")
    assert [units[2 * a : 2 * b].decode("utf-16-le") for a, b in hit.marks] == ["Refund"]
    assert len(hit.snippet) < 200
    assert hit.at == house.clock.now()


async def test_what_the_hub_itself_says_is_not_indexed(house: House, indexer: Indexer) -> None:
    interaction = await house.conversation("Li", "hello")

    async def unit(tx: UnitOfWork) -> None:
        tx.record(EventKind.MESSAGE_STORED, interaction=interaction.id, n=99, author="system", code="joined")

    await house.store.write(unit)
    await indexer.caught_up()
    assert sorted(row.kind for row in await house.rows(INDEXED)) == ["customer", "message"]


async def test_agents_find_only_what_their_queues_hold(house: House, indexer: Indexer, search: Search) -> None:
    billing = await house.conversation("Bo", "secret of billing", queue="billing")
    support = await house.conversation("Su", "secret of support", queue="support")
    direct = await house.interaction(await house.customer("Di"), queue="billing", agent=None, direct_to="ann")
    await house.says(direct, "secret for ann")
    stranger = await house.customer("Nobody Yet", email("nobody@example.test"))
    await house.people.add_note(billing.customer, "secret note", SEES_ALL, interaction=billing.id)
    await house.people.add_note(support.customer, "secret profile note", SEES_ALL)
    await indexer.caught_up()
    ann = agent_of("support")
    bob = agent_of("billing", agent="bob")
    nobody = agent_of(agent="eve")
    assert await texts(search, "secret", ann) == ["secret for ann", "secret of support"]
    assert await texts(search, "secret", bob) == ["secret for ann", "secret of billing"]
    assert await texts(search, "secret", nobody) == []
    assert len(await texts(search, "secret")) == 3
    notes = {
        name: [hit.snippet for hit in (await search.find("secret", scope)).notes]
        for name, scope in (("ann", ann), ("bob", bob), ("all", SEES_ALL), ("eve", nobody))
    }
    assert notes == {
        "ann": ["secret profile note"],
        "bob": ["secret note"],
        "all": ["secret profile note", "secret note"],
        "eve": [],
    }
    assert await people(search, "bo", ann) == []
    assert await people(search, "bo", bob) == [("Bo", "name")]
    assert await people(search, "su", ann) == [("Su", "name")]
    assert [hit.id for hit in await search.customers("nobody@example.test", nobody)] == [stranger.id]


async def test_scope_follows_a_transfer_without_indexing_anew(house: House, indexer: Indexer, search: Search) -> None:
    interaction = await house.conversation("Li", "wandering words", queue="support")
    await indexer.caught_up()

    async def transferred(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, interaction.id)
        assert found is not None
        await tx.save(INTERACTIONS, msgspec.structs.replace(found, queue="billing", agent=None))

    await house.store.write(transferred)
    assert await texts(search, "wandering", agent_of("support")) == []
    assert await texts(search, "wandering", agent_of("billing")) == ["wandering words"]


async def test_person_of_a_rare_queue_finds_behind_many_newer_hits_of_others(
    house: House, indexer: Indexer, search: Search
) -> None:
    await house.conversation("Old", "common thing", queue="billing")
    crowd = await house.conversation("New", queue="support")
    await asyncio.gather(*(house.says(crowd, f"common {n}") for n in range(700)))
    await indexer.caught_up()
    assert await texts(search, "common", agent_of("billing")) == ["common thing"]
    assert await texts(search, "common", agent_of("support"), limit=2) == ["common 699", "common 698"]


async def test_customers_are_found_by_addresses_in_any_spelling(house: House, indexer: Indexer, search: Search) -> None:
    li = await house.customer("Li Wei", phone("+14155552671"), email("li.wei@example.test"))
    await house.customer("Hans Müller", phone("+493012345678"))
    await indexer.caught_up()
    for q in (
        "+1 415 555 2671",
        "(415) 555-2671",
        "415.555.2671",
        "14155552671",
        "001 415 5552671",
        "555 2671",
        "2671",
        "415 555",
        "LI.WEI@Example.TEST",
        "li.wei@example",
        "ｌｉ　ｗｅｉ",  # noqa: RUF001
    ):
        assert [hit.id for hit in await search.customers(q, SEES_ALL)] == [li.id], q
    assert await people(search, "+1 (415) 555-2671") == [("Li Wei", "phone: +14155552671")]
    for q in ("030 1234 5678", "+49 30 12345678", "0049 30 12345678", "muller", "030 123"):
        assert [name for name, _ in await people(search, q)] == ["Hans Müller"], q
    assert await people(search, "li.wei@example.test") == [("Li Wei", "email: li.wei@example.test")]
    assert (await search.find("hans", SEES_ALL)).customers[0].name == "Hans Müller"


async def test_changed_customers_are_found_by_what_they_are_now(house: House, indexer: Indexer, search: Search) -> None:
    customer = await house.customer("Old Name", email("old@example.test"))
    await indexer.caught_up()
    edit = Edit(name="新名字", company="Acme GmbH", tags=["vip gold"], fields={"contract": "K-77"})
    await house.people.edit(customer.id, edit, SEES_ALL)
    await indexer.caught_up()
    assert await people(search, "old name") == []
    assert await people(search, "名字") == [("新名字", "name")]
    assert await people(search, "acme") == [("新名字", "company")]
    assert await people(search, "gold") == [("新名字", "tag: vip gold")]
    assert await people(search, "k-77") == [("新名字", "contract: K-77")]
    await house.people.edit(customer.id, Edit(tags=[], company=""), SEES_ALL)
    await indexer.caught_up()
    assert await people(search, "acme") == []
    assert len([row for row in await house.rows(INDEXED) if row.kind == "customer"]) == 1


async def test_merged_customers_are_found_as_one_and_undone_as_two(
    house: House, indexer: Indexer, search: Search
) -> None:
    first = await house.conversation("Anna Alt", "alpha words")
    second = await house.conversation("Berta Neu", "beta words")
    await indexer.caught_up()
    merge = await house.people.merge(first.customer, second.customer, SEES_ALL)
    later = await house.says(second, "gamma words after")
    await indexer.caught_up()
    assert [hit.id for hit in await search.customers("berta", SEES_ALL)] == [first.customer]
    assert [hit.id for hit in await search.customers("anna", SEES_ALL)] == [first.customer]
    assert {hit.customer for hit in (await search.find("words", SEES_ALL)).messages} == {first.customer}
    assert {row.customer for row in await house.rows(INDEXED)} == {first.customer}
    await house.people.undo_merge(merge.id, SEES_ALL)
    await indexer.caught_up()
    assert [hit.id for hit in await search.customers("berta", SEES_ALL)] == [second.customer]
    hits = (await search.find("words", SEES_ALL)).messages
    assert [(hit.n, hit.customer) for hit in hits] == [
        (later.n, second.customer),
        (1, second.customer),
        (1, first.customer),
    ]
    assert {row.ref: row.customer for row in await house.rows(INDEXED, "WHERE kind = 'message'")} == {
        f"{first.id}:1": first.customer,
        f"{second.id}:1": second.customer,
        f"{second.id}:2": second.customer,
    }


async def test_inner_merge_undone_is_found_as_its_own_again(house: House, indexer: Indexer, search: Search) -> None:
    """The first was merged into the second, and that into the third, who has it all when the first goes back."""
    first, second, third = [await house.conversation(name, f"words of {name}") for name in ("anna", "berta", "clara")]
    address = TypedAddress(kind=AddressKind.EMAIL, value="anna@example.test")
    await house.people.edit(first.customer, Edit(addresses_in=[address]), SEES_ALL)
    await house.people.add_note(first.customer, "a note of words", SEES_ALL, interaction=first.id)
    inner = await house.people.merge(second.customer, first.customer, SEES_ALL)
    await house.people.merge(third.customer, second.customer, SEES_ALL)
    await indexer.caught_up()
    await house.people.undo_merge(inner.id, SEES_ALL)
    await indexer.caught_up()

    assert {row.interaction: row.customer for row in await house.rows(INDEXED, "WHERE kind <> 'customer'")} == {
        first.id: first.customer,
        second.id: third.customer,
        third.id: third.customer,
    }
    assert [hit.id for hit in await search.customers("anna@example.test", SEES_ALL)] == [first.customer]


async def test_merge_before_anything_was_indexed_comes_out_the_same(
    house: House, indexer: Indexer, search: Search
) -> None:
    first = await house.conversation("Anna", "alpha")
    second = await house.conversation("Berta", "beta")
    merge = await house.people.merge(first.customer, second.customer, SEES_ALL)
    await house.people.undo_merge(merge.id, SEES_ALL)
    await indexer.caught_up()
    assert [hit.id for hit in await search.customers("berta", SEES_ALL)] == [second.customer]
    assert [hit.customer for hit in (await search.find("beta", SEES_ALL)).messages] == [second.customer]


async def test_index_goes_on_where_it_stopped_and_holds_nothing_twice(
    house: House, indexer: Indexer, search: Search
) -> None:
    interaction = await house.conversation("Li", *(f"word{n}" for n in range(30)))
    small = Indexer(house.store, house.bus, house.clock, batch=7, name="search")
    await small.step()
    await small.step()
    await small.stop()
    # Killed here: what is not in the database is gone. Two more take over at once, as two nodes would.
    others = [
        Indexer(house.store, house.bus, house.clock, batch=5),
        Indexer(house.store, house.bus, house.clock, batch=8),
    ]
    await asyncio.gather(*(other.caught_up() for other in others))
    await indexer.caught_up()
    refs = sorted(row.ref for row in await house.rows(INDEXED, "WHERE kind = 'message'"))
    assert refs == sorted(f"{interaction.id}:{n}" for n in range(1, 31))
    assert [await texts(search, f"word{n}") for n in (0, 15, 29)] == [["word0"], ["word15"], ["word29"]]
    docs = [row.doc for row in await house.rows(INDEXED, "ORDER BY doc")]
    assert docs == list(range(1, len(docs) + 1))
    for other in others:
        await other.stop()


async def test_failing_write_is_tried_again_without_loss(
    house: House, indexer: Indexer, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.conversation("Li", "stubborn")
    whole = Indexer._move_cursor

    async def fails(*_args: object) -> None:
        raise RuntimeError("killed here")

    monkeypatch.setattr(Indexer, "_move_cursor", fails)
    with pytest.raises(RuntimeError):
        await indexer.step()
    assert await house.rows(INDEXED) == []
    monkeypatch.setattr(Indexer, "_move_cursor", whole)
    await indexer.caught_up()
    assert await texts(search, "stubborn") == ["stubborn"]


async def test_index_follows_by_itself_soon_after_a_commit(house: House, indexer: Indexer, search: Search) -> None:
    indexer.start()
    await house.clock.settled()
    await house.conversation("Li", "soon")
    async with asyncio.timeout(20):
        while not await texts(search, "soon"):
            await house.clock.advance(seconds=0.3)
            await asyncio.sleep(0.005)
    assert await texts(search, "soon") == ["soon"]


async def test_notes_and_odd_texts(house: House, indexer: Indexer, search: Search) -> None:
    interaction = await house.conversation("Li", "🙂🙂🙂", "!!!", "a" * 3_000)
    note = await house.people.add_note(interaction.customer, "Call back 周五", SEES_ALL, name="Sue")
    await indexer.caught_up()
    (hit,) = (await search.find("周五", SEES_ALL)).notes
    assert (hit.note, hit.customer, hit.author_name, hit.snippet) == (note.id, interaction.customer, "Sue", note.text)
    assert len(await texts(search, "a" * 3_000)) == 1
    assert len(await texts(search, "a" * 39)) == 1
    assert await texts(search, "🙂") == []
    assert Author.CUSTOMER in {message.author for message in await house.messages(interaction)}


async def test_index_is_empty_of_what_nobody_wrote(house: House, indexer: Indexer, search: Search) -> None:
    assert await indexer.step() == 0
    assert msgspec.to_builtins(await search.find("x", SEES_ALL)) == {"customers": [], "messages": [], "notes": []}
    assert new_id("x") not in await texts(search, "x")
