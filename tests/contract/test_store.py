"""Units of work: committed in groups, each failing alone, announced in order after the commit."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import msgspec
import pytest

from hub.clock import FakeClock
from hub.domain.agent import Agent, Presence, Role
from hub.domain.customers import Customer
from hub.domain.errors import Conflict, NotFound, Unavailable
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, Choice, FileRef, Message
from hub.events import Bus, Commit
from hub.storage.rows import Rows
from hub.storage.tables import AGENTS, CUSTOMERS, INTERACTIONS, MERGES, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork
from tests.contract.house import House, open_store

TEXTS = [
    "",
    "plain",
    'O\'Brien said "no" -- ; DROP TABLE customers',
    "退款 かな 한국어",
    "👩‍👩‍👧 🇨🇳 \U0001f600",
    'back\\slash \\u0041 $1 ?1 %s {"json": [1]} [1, 2]',
    "line\nbreak\ttab\r\n\x01\x1f\u2028\ufeff",
    "true",
    "0012",
    "null",
]


def a_customer(name: str = "", **more: Any) -> Customer:
    return Customer(id=new_id("c"), created_at=1, name=name, **more)


def adds(name: str) -> Any:
    async def unit(tx: UnitOfWork) -> str:
        customer = await tx.insert(CUSTOMERS, a_customer(name))
        tx.record(EventKind.CUSTOMER_CREATED, customer=customer.id, name_length=len(name))
        return customer.name

    return unit


async def names(house: House) -> list[str]:
    return [row[0] for row in await house.fetch("SELECT name FROM customers ORDER BY name")]


async def test_waiting_units_share_commits(store: Any, house: House) -> None:
    results = await asyncio.gather(*(store.write(adds(f"{n:03}")) for n in range(200)))
    assert results == [f"{n:03}" for n in range(200)]
    assert await names(house) == results
    assert store.groups < 20
    assert store.units == 200


async def test_unit_that_refuses_before_writing_fails_alone(store: Any, house: House) -> None:
    async def refuses(_tx: UnitOfWork) -> None:
        raise NotFound("nobody")

    results = await asyncio.gather(
        store.write(adds("a")), store.write(refuses), store.write(adds("b")), return_exceptions=True
    )
    assert results[0] == "a"
    assert isinstance(results[1], NotFound)
    assert results[2] == "b"
    assert await names(house) == ["a", "b"]


async def refused(_tx: UnitOfWork) -> None:
    raise Conflict("no")


async def defective(_tx: UnitOfWork) -> None:
    raise ZeroDivisionError


async def misspelt(tx: UnitOfWork) -> None:
    await tx.execute("INSERT INTO nowhere VALUES (1)")


async def not_json(tx: UnitOfWork) -> None:
    tx.record(EventKind.NOTE_ADDED, broken=object())  # type: ignore[arg-type]


async def against_a_constraint(tx: UnitOfWork) -> None:
    await tx.execute("INSERT INTO cursors (name) VALUES ('without a number')")


async def test_unit_that_fails_after_writing_is_undone_and_sinks_no_neighbour(
    store: Store, house: House, bus: Bus
) -> None:
    heard: list[Commit] = []
    bus.subscribe(heard.append)
    ways = [refused, defective, misspelt, not_json, against_a_constraint]
    for number, way in enumerate(ways):

        async def fails(tx: UnitOfWork, way: Any = way) -> None:
            await adds("never")(tx)
            await way(tx)

        results = await asyncio.gather(
            store.write(adds(f"{number}a")), store.write(fails), store.write(adds(f"{number}b")), return_exceptions=True
        )
        assert results[0] == f"{number}a"
        assert isinstance(results[1], Exception)
        assert results[2] == f"{number}b"
    assert await names(house) == [f"{number}{letter}" for number in range(len(ways)) for letter in "ab"]
    assert [event.customer for commit in heard for event in commit.events] == [
        row[0] for row in await house.fetch("SELECT customer FROM journal ORDER BY seq")
    ]
    assert len(heard) == 2 * len(ways)


async def test_only_the_failing_units_of_a_large_group_fail(store: Store, house: House) -> None:
    async def fails(tx: UnitOfWork) -> None:
        await adds("never")(tx)
        raise Conflict("no")

    units = [fails if n % 7 == 0 else adds(f"{n:03}") for n in range(60)]
    results = await asyncio.gather(*(store.write(unit) for unit in units), return_exceptions=True)
    assert [isinstance(result, Conflict) for result in results] == [n % 7 == 0 for n in range(60)]
    assert await names(house) == [f"{n:03}" for n in range(60) if n % 7]


async def test_commits_are_announced_in_order_with_rising_numbers_after_they_can_be_read(
    store: Store, house: House, bus: Bus
) -> None:
    heard: list[Commit] = []
    bus.subscribe(heard.append)
    await asyncio.gather(*(store.write(adds(f"{n:02}")) for n in range(50)))
    numbers = [event.seq for commit in heard for event in commit.events]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 50
    assert bus.head == numbers[-1]
    shown = [record.name for commit in heard for record in commit.records if isinstance(record, Customer)]
    assert shown == [f"{n:02}" for n in range(50)]
    stored = await house.fetch("SELECT seq, customer FROM journal ORDER BY seq")
    assert stored == [(event.seq, event.customer) for commit in heard for event in commit.events]


async def test_unit_reads_its_own_writes_and_nothing_is_seen_before_the_commit(store: Store, house: House) -> None:
    async def unit(tx: UnitOfWork) -> list[str]:
        await adds("mine")(tx)
        return [row[0] for row in await tx.fetch("SELECT name FROM customers")]

    assert await names(house) == []
    assert await store.write(unit) == ["mine"]


async def test_unit_without_events_or_records_announces_nothing(store: Store, bus: Bus) -> None:
    heard: list[Commit] = []
    bus.subscribe(heard.append)

    async def unit(tx: UnitOfWork) -> int:
        return await tx.execute("DELETE FROM customers")

    assert await store.write(unit) == 0
    assert heard == []


async def test_one_instant_for_a_whole_unit(store: Store, clock: FakeClock) -> None:
    async def unit(tx: UnitOfWork) -> int:
        return tx.now

    assert await store.write(unit) == clock.now()
    assert await store.read(unit) == clock.now()


async def test_texts_come_back_as_they_were(store: Store, house: House) -> None:
    for text in TEXTS:
        await check_text(store, house, text)


async def check_text(store: Store, house: House, text: str) -> None:
    customer = a_customer(text, tags=(text, "b"), fields={"k" + text: text}, company=text, tier="é")

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert(CUSTOMERS, customer)
        copy = msgspec.structs.replace(customer, id=customer.id + "2")
        await tx.insert_many(CUSTOMERS, [copy])
        third = msgspec.structs.replace(customer, id=customer.id + "3", name="x", tags=(), fields={})
        await tx.insert(CUSTOMERS, third)
        changed = CUSTOMERS.values(customer)
        columns = ("id", "name", "tags", "fields")
        row = [customer.id + "3", *(changed[CUSTOMERS.columns.index(name)] for name in columns[1:])]
        await tx.update_many(CUSTOMERS, columns, [row])

    await store.write(unit)
    stored = await house.rows(CUSTOMERS, "WHERE id ANY_OF($1)", [customer.id + end for end in ("", "2", "3")])
    assert [msgspec.structs.replace(one, id=customer.id) for one in stored] == [customer] * 3


async def test_numbers_nulls_booleans_and_lists_come_back_as_they_were(store: Store, house: House) -> None:
    agent = Agent(
        id="ann",
        name="Ann",
        email="ann@example.test",
        role=Role.SUPERVISOR,
        capacity=2**53,
        queues=("a", "b"),
        skills={"x": 5},
        speed=1.25,
        presence=Presence.AWAY,
        next_presence=None,
        not_responding_since=None,
        is_active=False,
    )
    other = msgspec.structs.replace(
        agent, id="bob", email="b", queues=None, next_presence=Presence.OFFLINE, not_responding_since=0, is_active=True
    )
    message = Message(
        interaction="i1",
        n=1,
        at=-1,
        author=Author.AGENT,
        text="x",
        files=(FileRef(id="f", name="'ö\".png", type="image/png", size=0),),
        choices=(Choice(id="1", label="退"),),
    )

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert_many(AGENTS, [agent, other])
        await tx.insert_many(MESSAGES, [message])
        await tx.insert_many(MERGES, [])

    await store.write(unit)
    assert await house.rows(AGENTS, "ORDER BY id") == [agent, other]
    assert await house.rows(MESSAGES) == [message]

    async def flips(tx: UnitOfWork) -> None:
        await tx.update_many(
            AGENTS, ("id", "is_active", "queues", "not_responding_since", "speed"), [("ann", True, None, 7, 0.5)]
        )

    await store.write(flips)
    assert await house.rows(AGENTS, "WHERE id = 'ann'") == [
        msgspec.structs.replace(agent, is_active=True, queues=None, not_responding_since=7, speed=0.5)
    ]


async def test_any_of_takes_lists_of_any_length(store: Store, house: House) -> None:
    await asyncio.gather(*(store.write(adds(text)) for text in TEXTS))
    assert sorted(row[0] for row in await house.fetch("SELECT name FROM customers WHERE name ANY_OF($1)", TEXTS)) == (
        sorted(TEXTS)
    )
    assert await house.fetch("SELECT name FROM customers WHERE name ANY_OF($1)", []) == []
    many = [str(n) for n in range(5_000)] + ["plain"]
    assert await house.fetch("SELECT name FROM customers WHERE name ANY_OF($1) AND id <> $2", many, "x") == [("plain",)]


async def test_saving_over_somebody_elses_change_is_a_conflict(store: Store, house: House) -> None:
    async def add(tx: UnitOfWork) -> Customer:
        return await tx.insert(CUSTOMERS, a_customer("first"))

    before = await store.write(add)

    def renames(name: str) -> Any:
        async def unit(tx: UnitOfWork) -> Customer:
            return await tx.save(CUSTOMERS, msgspec.structs.replace(before, name=name))

        return unit

    results = await asyncio.gather(store.write(renames("a")), store.write(renames("b")), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Customer"]
    (stored,) = await house.rows(CUSTOMERS)
    assert stored.version == before.version + 1


async def test_locked_records_are_read_by_key(store: Store) -> None:
    async def unit(tx: UnitOfWork) -> tuple[object, object]:
        await tx.insert(CUSTOMERS, Customer(id="c1", created_at=1))
        return await tx.get(CUSTOMERS, "c1", lock=True), await tx.get(CUSTOMERS, "c2", lock=True)

    assert await store.write(unit) == (Customer(id="c1", created_at=1), None)


async def test_every_table_takes_its_struct_through_both_doors(store: Store) -> None:
    from hub.storage import tables

    rows: list[Rows[Any]] = [value for value in vars(tables).values() if isinstance(value, Rows)]
    assert len(rows) >= 16
    for table in rows:

        async def unit(tx: UnitOfWork, table: Rows[Any] = table) -> list[Any]:
            return await tx.select(table, "LIMIT 1")

        assert await store.read(unit) == []


async def test_everything_asked_for_before_closing_is_done_and_what_comes_after_is_refused(
    database_url: str, clock: FakeClock, bus: Bus, house: House
) -> None:
    busy = await open_store(database_url, clock, bus)
    writes = [asyncio.ensure_future(busy.write(adds(f"{n:03}"))) for n in range(100)]
    reads = [asyncio.ensure_future(busy.read(adds_nothing)) for _ in range(20)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(busy.close())
    await asyncio.sleep(0)
    late = [asyncio.ensure_future(busy.write(adds("late"))), asyncio.ensure_future(busy.read(adds_nothing))]
    async with asyncio.timeout(10):
        await closing
        assert await asyncio.gather(*writes) == [f"{n:03}" for n in range(100)]
        await asyncio.gather(*reads, return_exceptions=True)
        for outcome in await asyncio.gather(*late, return_exceptions=True):
            assert isinstance(outcome, Unavailable)
    assert await names(house) == [f"{n:03}" for n in range(100)]
    with pytest.raises(Unavailable):
        await busy.write(adds("later"))
    with pytest.raises(Unavailable):
        await busy.read(adds_nothing)
    await busy.close()


async def adds_nothing(_tx: UnitOfWork) -> None:
    return None


async def test_caller_who_gives_up_does_not_disturb_the_others(store: Store, house: House) -> None:
    first = asyncio.ensure_future(store.write(adds("given up")))
    second = asyncio.ensure_future(store.write(adds("kept")))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "kept"
    assert "kept" in await names(house)


async def test_reading_units_change_nothing(store: Store, house: House) -> None:
    with pytest.raises(Exception, match=r"read-only|readonly"):
        await store.read(adds("never"))
    assert await names(house) == []


async def test_reading_units_see_one_picture_however_many_queries_they_make(store: Store, house: House) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite's units run in threads: nothing else can be awaited in them")
    await store.write(adds("at first"))

    def reads(queries: int) -> Any:
        async def unit(tx: UnitOfWork) -> list[list[str]]:
            pictures = []
            for number in range(queries):
                if number:
                    await store.write(adds("meanwhile"))
                pictures.append([row[0] for row in await tx.fetch("SELECT name FROM customers")])
            return pictures

        return unit

    for queries in (1, 3, 1):
        seen = await store.read(reads(queries))
        assert len(seen) == queries
        assert all(picture == seen[0] for picture in seen)


def counts(name: str, *, fails: bool = False) -> Any:
    async def unit(tx: UnitOfWork) -> int:
        await tx.execute("INSERT INTO cursors (name, seq) VALUES ($1, 1)", name)
        if fails:
            raise Conflict("somebody else was first")
        return 1

    return unit


async def test_what_is_written_aside_is_kept_or_undone_as_a_whole(store: Store, house: House) -> None:
    assert await store.write_aside(counts("kept")) == 1
    with pytest.raises(Conflict):
        await store.write_aside(counts("undone", fails=True))
    assert await house.fetch("SELECT name FROM cursors ORDER BY name") == [("kept",)]


async def test_what_is_written_aside_waits_for_no_other_unit(store: Store, house: House) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite has one writer")
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(tx: UnitOfWork) -> str:
        begun.set()
        await may_end.wait()
        return await adds("slow")(tx)  # type: ignore[no-any-return]

    waiting = asyncio.ensure_future(store.write(slow))
    await begun.wait()
    assert await store.write_aside(counts("meanwhile")) == 1
    assert not waiting.done()
    may_end.set()
    assert await waiting == "slow"
    with pytest.raises(TypeError, match="not announced"):
        await store.write_aside(adds("never"))
    assert await names(house) == ["slow"]


async def test_database_that_cuts_the_line_is_used_again_when_it_is_back(store: Store, house: House) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite has no line")
    await store.write(adds("before"))
    admin = await asyncpg.connect(store._url)  # type: ignore[attr-defined]
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    await admin.close()
    for _ in range(20):
        outcomes = await asyncio.gather(*(store.write(adds(f"{n}")) for n in range(3)), return_exceptions=True)
        if not any(isinstance(outcome, Exception) for outcome in outcomes):
            break
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    else:
        pytest.fail("the store never came back")
    for _ in range(20):
        try:
            assert await names(house) == ["0", "1", "2", "before"]
            break
        except Unavailable:
            await asyncio.sleep(0.01)


async def test_table_that_a_newer_node_has_widened_is_written_again_a_moment_later(store: Store, house: House) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite has one node")

    def adds_many(*added: str) -> Any:
        async def unit(tx: UnitOfWork) -> None:
            await tx.insert_many(CUSTOMERS, [a_customer(name) for name in added])

        return unit

    async def retried(write: Any, *added: str) -> None:
        for _ in range(5):
            with contextlib.suppress(Unavailable):
                await write(adds_many(*added))
                return
        pytest.fail("the table is never written again")

    await store.write(adds_many("a", "b"))
    await store.write_aside(adds_many("c", "d"))
    admin = await asyncpg.connect(store._url)  # type: ignore[attr-defined]
    await admin.execute("ALTER TABLE customers ADD COLUMN of_tomorrow text NOT NULL DEFAULT 'later'")
    await retried(store.write, "e", "f")
    await admin.execute("ALTER TABLE customers ADD COLUMN of_the_day_after text")
    await admin.close()
    await retried(store.write_aside, "g", "h")
    await retried(store.write, "i", "j")
    assert await names(house) == list("abcdefghij")


async def test_opening_what_is_not_there_says_so(database_url: str, clock: FakeClock, bus: Bus) -> None:
    bad = "sqlite:////nowhere/at/all/hub.db" if database_url.startswith("sqlite") else database_url + "_missing"
    bad = bad.replace("?", "_missing?", 1) if "?" in database_url else bad
    with pytest.raises(Unavailable):
        await open_store(bad, clock, bus)


async def test_interaction_survives_the_round_trip(store: Store, house: House) -> None:
    interaction = Interaction(
        id="i1", channel="site", kind="chat", customer="c", queue="q", state=State.QUEUED, created_at=1, is_message=True
    )

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert(INTERACTIONS, interaction)

    await store.write(unit)
    assert await house.rows(INTERACTIONS) == [interaction]
