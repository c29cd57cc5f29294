"""Changes that wait and units without locks: the database ends as if each had been made at once, one after another."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import FakeClock
from hub.domain.customers import Customer
from hub.domain.errors import Conflict
from hub.domain.events import EventKind
from hub.events import Bus
from hub.services import moves
from hub.storage import tables
from hub.storage.batches import Batch
from hub.storage.changes import Shape, for_sqlite, pieces
from hub.storage.migrations import migrate
from hub.storage.postgresql import BackOff, PostgresConnection
from hub.storage.rows import Rows
from hub.storage.tables import CUSTOMERS, JOBS, Job
from hub.storage.unit_of_work import Store, UncertainError, UnitOfWork, commit_group
from tests.contract.house import House, opened_store

TALLY = Customer(id="tally", created_at=0, fields={"count": "0"})


def counts(add: int = 1, *, meanwhile: Any = None) -> Any:
    """A unit that adds to what it reads; `meanwhile` happens between the two, the first time."""
    happens = [meanwhile] if meanwhile else []

    async def unit(tx: UnitOfWork) -> int:
        found = await tx.get(CUSTOMERS, TALLY.id, lock=True)
        assert found is not None
        if happens:
            await happens.pop()()
        total = int(found.fields["count"]) + add
        tx.record(EventKind.CUSTOMER_CHANGED, customer=TALLY.id, total=total)
        await tx.save(CUSTOMERS, msgspec.structs.replace(found, fields={"count": str(total)}))
        return total

    return unit


async def begun(tx: UnitOfWork) -> None:
    await tx.insert(CUSTOMERS, TALLY)


async def total(house: House) -> int:
    (found,) = await house.rows(CUSTOMERS, "WHERE id = 'tally'")
    return int(found.fields["count"])


async def test_units_without_locks_on_two_nodes_lose_nothing(house: House, database_url: str, clock: FakeClock) -> None:
    await house.store.write(begun)
    async with opened_store(database_url, clock, Bus(strict=True)) as other:
        results = await asyncio.gather(
            *(store.write(counts(), guarded=True) for _ in range(20) for store in (house.store, other))
        )
    assert sorted(results) == list(range(1, 41))
    assert await total(house) == 40
    assert await house.fetch("SELECT count(*) FROM journal") == [(40,)]


@pytest.mark.parametrize("guarded", [True, False])
async def test_change_of_another_node_between_reading_and_writing_is_seen(
    house: House, database_url: str, clock: FakeClock, guarded: bool
) -> None:
    if not house.store.is_postgresql:
        pytest.skip("SQLite has one writer: nothing comes between")
    await house.store.write(begun)
    async with opened_store(database_url, clock, Bus(strict=True)) as other:

        async def slips_in() -> None:
            await other.write(counts(10))

        late = slips_in if guarded else None
        assert await house.store.write(counts(1, meanwhile=late), guarded=guarded) == (11 if guarded else 1)
    assert await total(house) == (11 if guarded else 1)


async def test_who_notices_a_failed_change_is_not_to_blame(house: House) -> None:
    await house.store.write(begun)
    stale = msgspec.structs.replace(TALLY, version=7, name="stale")

    async def guilty(tx: UnitOfWork) -> None:
        await tx.save(CUSTOMERS, stale)

    async def reads(tx: UnitOfWork) -> int:
        return len(await tx.select(CUSTOMERS, ""))

    async def quiet(tx: UnitOfWork) -> str:
        await tx.save(CUSTOMERS, stale)
        try:
            await tx.get(CUSTOMERS, TALLY.id)
        except Conflict:
            return "nothing happened"
        return "done"

    for guarded in (True, False):
        results = await asyncio.gather(
            house.store.write(counts(), guarded=guarded),
            house.store.write(guilty, guarded=guarded),
            house.store.write(reads, guarded=guarded),
            house.store.write(quiet, guarded=guarded),
            return_exceptions=True,
        )
        assert isinstance(results[1], Conflict)
        assert results[2] == 1
        assert isinstance(results[3], Exception)
    assert await total(house) == 2
    assert [row[0] for row in await house.fetch("SELECT name FROM customers")] == [""]


Step = tuple[str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "cancel", "look", "add"]), st.sampled_from(["s0", "s1", "s2"]), st.integers(1, 99)
    ),
    max_size=20,
)


def does(steps: list[Step]) -> Any:
    """A unit that sets, cancels and looks at timers, and adds customers named after the time."""

    async def unit(tx: UnitOfWork) -> None:
        for number, (verb, subject, due) in enumerate(steps):
            if verb == "set":
                await moves.schedule(tx, "wrap_up_end", subject, due)
            elif verb == "cancel":
                await moves.cancel_job(tx, "wrap_up_end", subject)
            elif verb == "look":
                await tx.get(JOBS, f"wrap_up_end:{subject}")
            else:
                await tx.insert(CUSTOMERS, Customer(id=f"{id(steps)}-{number}", created_at=due))

    return unit


def expected(units: list[list[Step]]) -> dict[str, int]:
    """The timers that stand when all is done, one step after another."""
    timers: dict[str, int] = {}
    for verb, subject, due in (step for steps in units for step in steps):
        if verb == "set":
            timers[subject] = due
        elif verb == "cancel":
            timers.pop(subject, None)
    return timers


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(units=st.lists(STEPS, min_size=1, max_size=4), guarded=st.booleans())
async def test_changes_that_wait_end_as_if_made_one_after_another(
    house: House, units: list[list[Step]], guarded: bool
) -> None:
    async def emptied(tx: UnitOfWork) -> None:
        await tx.execute("DELETE FROM jobs")
        await tx.execute("DELETE FROM customers")

    await house.store.write(emptied)
    await asyncio.gather(*(house.store.write(does(steps), guarded=guarded) for steps in units))
    jobs: list[Job] = await house.rows(JOBS)
    assert {job.subject: job.due_at for job in jobs} == expected(units)
    added = sum(1 for steps in units for verb, _, _ in steps if verb == "add")
    assert await house.fetch("SELECT count(*) FROM customers") == [(added,)]


class LostLine:
    """A connection whose server is gone in the middle of a statement."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetchval(self, *_: object) -> int:
        self.asked += 1
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def is_closed(self) -> bool:
        return True


async def test_commit_whose_outcome_nobody_knows_is_not_tried_again() -> None:
    line = LostLine()

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert(CUSTOMERS, TALLY)

    with pytest.raises(UncertainError):
        await commit_group(
            PostgresConnection(line, {"customers": CUSTOMERS.columns}), [unit, unit], lambda: 0, guarded=True
        )
    assert line.asked == 1


def test_connecting_again_waits_ever_longer_up_to_a_limit_and_differs_between_nodes() -> None:
    def waits(chance: float) -> list[float]:
        back_off, found, now_s = BackOff(first_s=1, most_s=10, chance=lambda: chance), [], 0.0
        for _ in range(6):
            back_off.failed(now_s)
            began = now_s
            while not back_off.is_due(now_s):
                now_s += 0.25
            found.append(now_s - began)
        return found

    assert waits(1.0) == [1, 2, 4, 8, 10, 10]
    assert waits(0.0) == [0.5, 1, 2, 4, 5, 5]
    again = BackOff(first_s=1, most_s=10, chance=lambda: 1.0)
    again.failed(0)
    again.failed(0)
    again.succeeded()
    assert again.is_due(0)
    again.failed(0)
    assert (again.is_due(0.9), again.is_due(1.0)) == (False, True)


async def test_prompt_batch_comes_before_units_that_are_asked_for_later(store: Store) -> None:
    order: list[str] = []

    async def many(_tx: UnitOfWork, items: Any) -> list[None]:
        order.extend(items)
        return [None for _ in items]

    async def one(_tx: UnitOfWork) -> None:
        order.append("unit")

    batch: Batch[str, None] = Batch(store, many, prompt=True)
    await asyncio.gather(batch.submit("first"), store.submit(one), batch.submit("second"), batch.submit("third"))
    assert order.index("first") < order.index("unit")
    assert [said for said in order if said != "unit"] == ["first", "second", "third"]


async def test_many_rows_on_sqlite_are_looked_up_by_index_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    await migrate(f"sqlite:///{path}")
    every = [rows for rows in vars(tables).values() if isinstance(rows, Rows)]
    shapes = [shape for rows in every for shape in (rows.insertion, rows.replacement)]
    shapes += [found for found in vars(moves).values() if isinstance(found, Shape)]
    with contextlib.closing(sqlite3.connect(path)) as database:
        for shape in shapes:
            for count in (1, 2, 15, 128):
                sql = for_sqlite(shape, count)
                steps = database.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * (len(shape.columns) * count))
                assert not [step[3] for step in steps if step[3].startswith(f"SCAN {shape.table}")], (shape, count)


@given(st.integers(0, 700))
def test_pieces_hold_every_row_once_in_few_sizes(count: int) -> None:
    rows = [(number,) for number in range(count)]
    cut = list(pieces(rows))
    assert [row for piece in cut for row in piece] == rows
    assert {len(piece) for piece in cut} <= {*range(1, 16), 16, 32, 64, 128}
