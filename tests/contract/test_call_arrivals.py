"""Calls that come in together: taken by one commit, each once, each with whose number it is."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub.clock import FakeClock
from hub.contract.calls import InboundCall, Line
from hub.domain.customers import Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import State
from hub.events import Bus
from hub.services.dispatching.floor import Floor
from hub.services.phone.arrivals import CallArrivals, Taken
from hub.storage.journal import Journal
from hub.storage.tables import ADDRESSES, CALLS, CUSTOMERS, INTERACTIONS, LEGS
from hub.storage.unit_of_work import Store, UnitOfWork
from tests.contract.house import SEES_ALL, House, opened_store, phone

LINE = Line(channel="hotline", number="+15005550006", queue="support")


def arrivals_of(house: House, store: Store | None = None) -> CallArrivals:
    return CallArrivals(store or house.store, house.settings, Floor(house.settings))


def call(number: str, sid: str = "", **more: Any) -> InboundCall:
    return InboundCall(channel="hotline", provider_id=sid or new_id("CA"), number=number, **more)


async def come(arrivals: CallArrivals, *calls: InboundCall) -> list[Taken | None]:
    return await asyncio.gather(*(arrivals.take(LINE, one) for one in calls))


async def _called(house: House, customer: Customer, **more: Any) -> None:
    """The customer has called before."""
    before = await house.interaction(customer, agent=None)

    async def unit(tx: UnitOfWork) -> None:
        await tx.save(INTERACTIONS, msgspec.structs.replace(before, kind="voice", state=State.CLOSED, **more))

    await house.store.write(unit)


async def test_calls_that_come_together_share_a_commit(house: House) -> None:
    taken = await come(arrivals_of(house), *(call(f"+1415555{n:04}") for n in range(100)))

    assert all(one is not None for one in taken)
    assert len({one[0].interaction.id for one in taken if one}) == 100
    assert len(await house.rows(CUSTOMERS)) == len(await house.rows(ADDRESSES)) == 100
    assert len(await house.rows(CALLS)) == len(await house.rows(LEGS)) == 100
    assert {one.state for one in await house.rows(INTERACTIONS)} == {State.QUEUED}
    kinds = [event.kind for event in await Journal(house.store).read(0)]
    assert len(kinds) == 400
    assert set(kinds) == {
        EventKind.CUSTOMER_CREATED,
        EventKind.INTERACTION_CREATED,
        EventKind.CALL_ARRIVED,
        EventKind.INTERACTION_QUEUED,
    }
    assert house.store.groups <= 2


async def test_one_number_that_calls_twice_at_once_is_one_customer(house: House) -> None:
    first, second, third = await come(
        arrivals_of(house), call("+14155550123"), call("415 555 0123"), call("+14155550123", name="Ann Lee")
    )

    assert first
    assert second
    assert third
    (customer,) = await house.rows(CUSTOMERS)
    assert {one[0].interaction.customer for one in (first, second, third)} == {customer.id}
    assert customer.name == "Ann Lee"


async def test_the_same_call_told_again_is_nothing_new(house: House) -> None:
    arrivals = arrivals_of(house)
    assert [one is None for one in await come(arrivals, call("+14155550123", "CA1"), call("+14155550123", "CA1"))] == [
        False,
        True,
    ]
    assert await come(arrivals, call("+14155550123", "CA1"), call("+14155550199", "CA1")) == [None, None]
    assert len(await house.rows(INTERACTIONS)) == 1


async def test_the_same_id_on_another_line_is_another_call(house: House) -> None:
    arrivals = arrivals_of(house)
    other = msgspec.structs.replace(LINE, channel="sales")
    await arrivals.take(LINE, call("+14155550123", "CA1"))
    taken = await arrivals.take(other, msgspec.structs.replace(call("+14155550123", "CA1"), channel="sales"))
    assert taken is not None
    assert len(await house.rows(INTERACTIONS)) == 2


async def test_whoever_called_before_keeps_their_agent_and_is_found_behind_a_merge(house: House) -> None:
    known = await house.customer("Ann", phone("+14155550123"))
    for at, agent in ((1, "bob"), (2, "ann")):
        await _called(house, known, created_at=at, ended_at=at, last_agent=agent)
    old = await house.customer("Old", phone("+14155550124"))
    await house.people.merge(known.id, old.id, SEES_ALL)

    one, two = await come(arrivals_of(house), call("+14155550123"), call("+14155550124"))

    assert one
    assert two
    assert (one[0].interaction.customer, one[0].interaction.last_agent) == (known.id, "ann")
    assert (two[0].interaction.customer, two[0].interaction.last_agent) == (known.id, "ann")


@pytest.mark.parametrize("number", ["", "anonymous", "266696687"])
async def test_nobody_knows_who_hides_their_number(house: House, number: str) -> None:
    one, two = await come(arrivals_of(house), call(number), call(number))
    assert one
    assert two
    assert one[0].interaction.customer != two[0].interaction.customer
    assert await house.rows(ADDRESSES) == []
    assert {customer.name for customer in await house.rows(CUSTOMERS)} == {""}


async def test_one_call_told_to_two_nodes_at_once_is_taken_once(
    database_url: str, house: House, clock: FakeClock
) -> None:
    """The same number too: whoever is second finds what the first has committed."""
    async with opened_store(database_url, clock, Bus(strict=True)) as other:
        nodes = [arrivals_of(house), arrivals_of(house, other)]
        calls = [call(f"+1415555{n % 10:04}", f"CA{n}") for n in range(40)]
        taken = await asyncio.gather(*(come(node, *calls) for node in nodes))
    assert len(await house.rows(INTERACTIONS)) == 40
    assert [sum(node[n] is not None for node in taken) for n in range(40)] == [1] * 40
    customers: list[Customer] = await house.rows(CUSTOMERS)
    assert len(customers) == len(await house.rows(ADDRESSES)) == 10
    assert {one.customer for one in await house.rows(INTERACTIONS)} == {one.id for one in customers}
