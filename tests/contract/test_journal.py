"""Resuming from a number: no event is skipped, none comes twice, whoever commits late."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import FakeClock
from hub.domain.events import Event, EventKind
from hub.events import Bus
from hub.storage.journal import OF_INTERACTION, Journal, of_interaction
from hub.storage.unit_of_work import Store, UnitOfWork
from tests.contract.house import House, opened_store


def notes(*names: str, **more: Any) -> Any:
    async def unit(tx: UnitOfWork) -> None:
        for name in names:
            tx.record(EventKind.NOTE_ADDED, note=name, **more)

    return unit


async def read_all(journal: Journal, after: int = 0, limit: int = 3) -> list[Event]:
    found: list[Event] = []
    while batch := await journal.read(after, limit):
        found += batch
        after = batch[-1].seq
    return found


async def test_events_come_back_as_they_were_recorded(house: House) -> None:
    async def unit(tx: UnitOfWork) -> None:
        tx.record(
            EventKind.OFFER_MADE,
            actor="agent:ann",
            interaction="i1",
            customer="c1",
            agent="ann",
            queue="support",
            text="退款 \"'\\ 😀",
            number=-(2**53),
            share=0.25,
            yes=True,
            nothing=None,
        )
        tx.record(EventKind.SIGNED_IN)

    await house.store.write(unit)
    first, second = await Journal(house.store).read(0)
    assert (first.kind, first.at, first.actor, first.interaction, first.customer, first.agent, first.queue) == (
        EventKind.OFFER_MADE,
        house.clock.now(),
        "agent:ann",
        "i1",
        "c1",
        "ann",
        "support",
    )
    assert first.facts == {
        "text": "退款 \"'\\ 😀",
        "number": -(2**53),
        "share": 0.25,
        "yes": True,
        "nothing": None,
    }
    assert (second.actor, second.interaction, second.facts, second.seq > first.seq) == ("system", None, {}, True)
    assert await Journal(house.store).head() == second.seq


async def test_readers_resume_in_order_without_a_gap(house: House) -> None:
    journal = Journal(house.store)
    assert (await journal.head(), await journal.read(0)) == (0, [])
    await asyncio.gather(*(house.store.write(notes(f"{n}", f"{n}b")) for n in range(40)))
    found = await read_all(journal, limit=7)
    assert [event.facts["note"] for event in found] == [f"{n}{end}" for n in range(40) for end in ("", "b")]
    assert await read_all(journal, found[30].seq) == found[31:]
    assert await journal.head() == found[-1].seq
    assert await journal.read(found[-1].seq) == []


async def test_reader_who_follows_while_many_write_sees_each_event_once(
    database_url: str, house: House, clock: FakeClock
) -> None:
    """Two nodes write, on SQLite two processes' worth of connections; a third follows all the while."""
    written = asyncio.Event()
    async with opened_store(database_url, clock, Bus(strict=True)) as other, asyncio.TaskGroup() as group:
        following = group.create_task(_follow(Journal(house.store), written))
        for n in range(30):
            await asyncio.gather(
                *(store.write(notes(f"{store is other}{n}{m}")) for m in range(2) for store in (other, house.store))
            )
        written.set()
    found = following.result()
    assert [event.seq for event in found] == [
        row[0] for row in await house.fetch("SELECT seq FROM journal ORDER BY seq")
    ]
    assert len({event.facts["note"] for event in found}) == 120


async def _follow(journal: Journal, written: asyncio.Event) -> list[Event]:
    """Read what is there again and again, and once more when all is written."""
    found: list[Event] = []
    is_last = False
    while not is_last:
        is_last = written.is_set()
        found += await read_all(journal, found[-1].seq if found else 0, 5)
        await asyncio.sleep(0)
    return found


class LateCommitter:
    """Another node's transactions, held open in the middle by hand."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: dict[int, Any] = {}

    async def begin(self, number: int) -> None:
        """Begin a transaction that has its own number, and none of the journal yet."""
        from hub.storage.postgresql import PostgresConnection, row_types

        raw = await asyncpg.connect(self._url)
        connection = PostgresConnection(raw, await row_types(raw))
        await connection.begin()
        await raw.execute("SELECT pg_current_xact_id()")
        self._open[number] = connection

    async def append(self, number: int) -> None:
        """Draw a number of the journal."""
        await self._open[number].append_journal(
            [Event(kind=EventKind.NOTE_ADDED, at=1, facts={"note": f"late{number}"})]
        )

    async def end(self, number: int, *, commit: bool) -> None:
        connection = self._open.pop(number)
        await (connection.commit() if commit else connection.rollback())
        await connection.raw.close()

    async def close(self) -> None:
        for connection in self._open.values():
            connection.raw.terminate()


@pytest.fixture
def postgresql_only(store: Store) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite has one writer: numbers are handed out in the order of the commits")


async def test_event_that_commits_late_is_not_skipped(postgresql_only: None, house: House, database_url: str) -> None:
    journal = Journal(house.store)
    late = LateCommitter(database_url)
    await house.store.write(notes("before"))
    await late.begin(1)
    await late.append(1)
    await house.store.write(notes("after"))
    assert [event.facts["note"] for event in await journal.read(0)] == ["before"]
    head = await journal.head()
    await late.end(1, commit=True)
    assert [event.facts["note"] for event in await journal.read(head)] == ["late1", "after"]
    await late.begin(2)
    await late.append(2)
    await house.store.write(notes("last"))
    await late.end(2, commit=False)
    assert [event.facts["note"] for event in await read_all(journal)] == ["before", "late1", "after", "last"]


async def test_older_transaction_that_draws_last_and_commits_first_is_not_read_too_soon(
    postgresql_only: None, house: House, database_url: str
) -> None:
    """Transactions get their own numbers and those of the journal in different orders."""
    journal = Journal(house.store)
    late = LateCommitter(database_url)
    await late.begin(1)
    await late.begin(2)
    await late.append(2)
    await late.append(1)
    await late.end(1, commit=True)
    assert (await journal.read(0), await journal.head()) == ([], 0)
    await late.end(2, commit=True)
    assert [event.facts["note"] for event in await read_all(journal)] == ["late2", "late1"]


async def test_journal_that_came_by_dump_and_restore_is_read_on(
    postgresql_only: None, house: House, database_url: str, clock: FakeClock
) -> None:
    """On another server transactions begin again at a small number."""
    await house.store.write(notes("there"))
    raw = await asyncpg.connect(database_url)
    await raw.execute(f"UPDATE journal SET tx = {2**40}; SELECT setval('journal_tx', {2**40})")
    await raw.close()
    assert await Journal(house.store).read(0) == []
    async with opened_store(database_url, clock, Bus(strict=True)) as here:
        await here.write(notes("here"))
        assert [event.facts["note"] for event in await Journal(here).read(0)] == ["there", "here"]


async def test_statement_that_was_cut_short_leaves_no_lock(
    postgresql_only: None, house: House, database_url: str
) -> None:
    from hub.storage.postgresql import PostgresConnection, row_types

    raw = await asyncpg.connect(database_url)
    connection = PostgresConnection(raw, await row_types(raw))
    await connection.begin()
    await raw.execute("SELECT pg_advisory_lock(7462951039)")
    await connection.rollback()
    async with asyncio.timeout(20):
        await house.store.write(notes("next"))
    await raw.close()
    assert [event.facts["note"] for event in await Journal(house.store).read(0)] == ["next"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["begin", "append"]), st.integers(0, 2)),
            st.tuples(st.sampled_from(["commit", "undo"]), st.integers(0, 2)),
            st.tuples(st.just("write"), st.just(0)),
            st.tuples(st.just("read"), st.integers(1, 4)),
        ),
        max_size=18,
    )
)
async def test_any_order_of_commits_reads_without_gap(
    postgresql_only: None, house: House, database_url: str, steps: list[tuple[str, int]]
) -> None:
    journal = Journal(house.store)
    after = await journal.head()
    late = LateCommitter(database_url)
    opened: dict[int, bool] = {}
    expected = 0
    found: list[Event] = []
    start = after
    for step, number in steps:
        if step == "begin" and number not in opened:
            await late.begin(number)
            opened[number] = False
        elif step == "append" and opened.get(number) is False:
            await late.append(number)
            opened[number] = True
        elif step in {"commit", "undo"} and number in opened:
            await late.end(number, commit=step == "commit")
            appended = opened.pop(number)
            expected += appended and step == "commit"
        elif step == "write":
            await house.store.write(notes("own"))
            expected += 1
        elif step == "read":
            found += await journal.read(found[-1].seq if found else start, number)
    for number in sorted(opened):
        await late.end(number, commit=True)
        expected += opened[number]
    found += await read_all(journal, found[-1].seq if found else start)
    assert [event.seq for event in found] == [
        row[0] for row in await house.fetch("SELECT seq FROM journal WHERE seq > $1 ORDER BY seq", start)
    ]
    assert len(found) == expected


async def test_facts_are_stored_as_json(house: House) -> None:
    await house.store.write(notes("x", n=1))
    assert [json.loads(row[0]) for row in await house.fetch("SELECT facts FROM journal")] == [{"note": "x", "n": 1}]


async def test_what_happened_with_an_interaction_is_found_by_index(house: House) -> None:
    async def unit(tx: UnitOfWork) -> None:
        for kind in (EventKind.OFFER_MADE, EventKind.MESSAGE_STORED, EventKind.OFFER_MADE):
            tx.record(kind, interaction="i1", agent="ann")
        tx.record(EventKind.OFFER_MADE, interaction="i2", agent="bob")

    await house.store.write(unit)

    async def read(tx: UnitOfWork) -> list[Event]:
        return await of_interaction(tx, "i1", EventKind.OFFER_MADE)

    assert [event.agent for event in await house.store.read(read)] == ["ann", "ann"]
    if not house.store.is_postgresql:
        (plan,) = await house.fetch(f"EXPLAIN QUERY PLAN {OF_INTERACTION}", "i1", "offer_made")
        assert "ix_journal_interaction_seq" in str(plan)
