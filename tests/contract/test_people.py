"""Whose an address is, and two profiles becoming one and two again."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub.clock import FakeClock
from hub.domain.customers import AddressKind, Customer
from hub.domain.errors import AddressTaken, Conflict, NoAddress, NotFound
from hub.domain.events import EventKind
from hub.events import Bus
from hub.services import people
from hub.services.people import Edit, TypedAddress
from hub.storage.journal import Journal
from hub.storage.tables import ADDRESSES, CUSTOMERS, INTERACTIONS, NOTES
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import SEES_ALL, House, agent_of, email, opened_store, phone


def resolves(*addresses: Any, name: str = "") -> Any:
    async def unit(tx: UnitOfWork) -> tuple[Customer, bool]:
        return await people.resolve(tx, addresses, name=name)

    return unit


async def test_same_address_twice_in_one_instant_is_one_customer(
    database_url: str, house: House, clock: FakeClock
) -> None:
    """Within one node's group, and between two nodes that know nothing of one another."""
    async with opened_store(database_url, clock, Bus(strict=True)) as other:
        stores = [house.store, other] * 10
        results = await asyncio.gather(*(store.write(resolves(email("li@example.test"))) for store in stores))
    assert len({customer.id for customer, _ in results}) == 1
    assert [is_new for _, is_new in results].count(True) == 1
    assert len(await house.rows(CUSTOMERS)) == 1
    assert len(await house.rows(ADDRESSES)) == 1


async def test_claims_never_move_an_address(house: House) -> None:
    li = await house.customer("Li", email("li@example.test", is_verified=True))
    wang = await house.customer("Wang", phone("+14155552671"), email("li@example.test"))
    assert wang.id != li.id
    again = await house.customer("", phone("+12025550100"), email("li@example.test", is_verified=True))
    assert again.id == li.id
    owners = {address.value: address.customer for address in await house.rows(ADDRESSES)}
    assert owners == {"li@example.test": li.id, "+14155552671": wang.id, "+12025550100": li.id}


async def test_name_learnt_later_is_told_to_those_who_follow_the_journal(house: House) -> None:
    first = await house.customer("", email("li@example.test"))
    second = await house.customer("Li  Wei\x00", email("li@example.test"))
    assert (second.id, second.name) == (first.id, "Li Wei")
    kinds = [event.kind for event in await Journal(house.store).read(0)]
    assert kinds == [EventKind.CUSTOMER_CREATED, EventKind.CUSTOMER_CHANGED]


def typed(value: str, kind: AddressKind = AddressKind.EMAIL) -> list[TypedAddress]:
    return [TypedAddress(kind, value)]


async def addresses_of(house: House, customer: str) -> list[tuple[str, bool]]:
    """Return a customer's addresses, and whether each is proved."""
    profile = await house.people.profile(customer, SEES_ALL)
    return [(one.value, one.is_verified) for one in profile.addresses]


async def test_addresses_are_typed_in_and_taken_out_without_proof(house: House) -> None:
    anna = await house.customer("Anna", email("anna@example.test"))
    first = await Journal(house.store).head()
    both = [*typed(" Anna.B@Example.TEST "), *typed("(415) 555-2671", AddressKind.PHONE)]
    await house.people.edit(anna.id, Edit(addresses_in=both, name="Anna B."), SEES_ALL)
    assert ("anna.b@example.test", False) in await addresses_of(house, anna.id)
    assert ("+14155552671", False) in await addresses_of(house, anna.id)
    assert (await house.customer("", phone("+14155552671"))).id == anna.id, "who calls is known by it"

    await house.people.edit(anna.id, Edit(addresses_out=both), SEES_ALL)
    await house.people.edit(anna.id, Edit(addresses_out=both), SEES_ALL)
    assert [value for value, _ in await addresses_of(house, anna.id)] == ["anna@example.test"]
    told = [(event.kind, event.actor) for event in await Journal(house.store).read(first) if event.customer == anna.id]
    assert told == [
        (EventKind.ADDRESS_ADDED, SEES_ALL.actor),
        (EventKind.ADDRESS_ADDED, SEES_ALL.actor),
        (EventKind.CUSTOMER_CHANGED, SEES_ALL.actor),
        (EventKind.ADDRESS_REMOVED, SEES_ALL.actor),
        (EventKind.ADDRESS_REMOVED, SEES_ALL.actor),
    ]


async def test_an_address_is_nobody_elses_and_is_one(house: House) -> None:
    anna = await house.customer("Anna", email("anna@example.test"))
    ben = await house.customer("Ben", email("ben@example.test"))
    with pytest.raises(AddressTaken):
        await house.people.edit(ben.id, Edit(name="Other", addresses_in=typed("anna@example.test")), SEES_ALL)
    for wrong in (typed("anna at example"), typed("12", AddressKind.PHONE), typed("42", AddressKind.SITE)):
        with pytest.raises(NoAddress):
            await house.people.edit(ben.id, Edit(addresses_in=wrong), SEES_ALL)
    await house.people.edit(ben.id, Edit(addresses_out=typed("anna@example.test")), SEES_ALL)
    assert await addresses_of(house, anna.id) == [("anna@example.test", False)]
    assert (await house.people.profile(ben.id, SEES_ALL)).customer.name == "Ben", "all of it or nothing"

    edits = [house.people.edit(one.id, Edit(addresses_in=typed("both@example.test")), SEES_ALL) for one in (anna, ben)]
    ends = await asyncio.gather(*edits, return_exceptions=True)
    assert [type(end) for end in ends].count(AddressTaken) == 1


async def everything(house: House) -> list[Any]:
    """Return all that a merge touches, but for the versions that count its changes."""
    customers = [msgspec.structs.replace(one, version=0) for one in await house.rows(CUSTOMERS, "ORDER BY id")]
    addresses = await house.rows(ADDRESSES, "ORDER BY kind, value")
    interactions = [msgspec.structs.replace(one, version=0) for one in await house.rows(INTERACTIONS, "ORDER BY id")]
    notes = await house.rows(NOTES, "ORDER BY id")
    return [customers, addresses, interactions, notes]


async def two_people(house: House) -> tuple[Customer, Customer]:
    target = await house.customer("Anna", email("anna@example.test"))
    source = await house.customer("Anna B.", email("ab@example.test"), phone("+14155552671"))
    edit = Edit(company="Acme", tier="gold", tags=["vip", "both"], fields={"a": "1", "shared": "source"})
    await house.people.edit(source.id, edit, SEES_ALL)
    await house.people.edit(target.id, Edit(tags=["both"], fields={"shared": "target"}), SEES_ALL)
    await house.interaction(target)
    await house.interaction(source)
    await house.people.add_note(source.id, "a note", SEES_ALL)
    found = {one.id: one for one in await house.rows(CUSTOMERS)}
    return found[target.id], found[source.id]


async def test_merge_gives_everything_to_one_and_undoing_gives_it_all_back(house: House) -> None:
    target, source = await two_people(house)
    before = await everything(house)
    merge = await house.people.merge(target.id, source.id, SEES_ALL)
    profile = await house.people.profile(source.id, SEES_ALL)
    assert profile.customer.id == target.id
    assert (profile.customer.name, profile.customer.company, profile.customer.tier) == ("Anna", "Acme", "gold")
    assert profile.customer.tags == ("both", "vip")
    assert profile.customer.fields == {"a": "1", "shared": "target"}
    assert (len(profile.addresses), profile.interactions, len(profile.notes)) == (3, 2, 1)
    assert [(one.id, name) for one, name in profile.merged] == [(merge.id, "Anna B.")]
    assert (await house.customer("", phone("+14155552671"))).id == target.id
    await house.people.undo_merge(merge.id, SEES_ALL)
    assert await everything(house) == before
    with pytest.raises(Conflict):
        await house.people.undo_merge(merge.id, SEES_ALL)


async def test_what_was_changed_or_came_since_stays_when_a_merge_is_undone(house: House) -> None:
    target, source = await two_people(house)
    merge = await house.people.merge(target.id, source.id, SEES_ALL)
    await house.people.edit(target.id, Edit(company="Other", fields={"a": "2", "new": "n"}), SEES_ALL)
    note = await house.people.add_note(target.id, "since", SEES_ALL)
    await house.people.undo_merge(merge.id, SEES_ALL)
    found = {one.id: one for one in await house.rows(CUSTOMERS)}
    assert (found[target.id].company, found[target.id].fields) == ("Other", {"a": "2", "new": "n"})
    assert (found[target.id].tier, found[source.id].company) == ("", "Acme")
    assert {one.id: one.customer for one in await house.rows(NOTES)}[note.id] == target.id


async def test_what_came_since_by_an_address_goes_back_with_it(house: House) -> None:
    target, source = await two_people(house)
    merge = await house.people.merge(target.id, source.id, SEES_ALL)
    theirs = await house.interaction(target, address="ab@example.test")
    ours = await house.interaction(target, address="anna@example.test")
    notes = [await house.people.add_note(target.id, "since", SEES_ALL, interaction=i.id) for i in (theirs, ours)]

    await house.people.undo_merge(merge.id, SEES_ALL)

    owners = dict(await house.fetch("SELECT id, customer FROM interactions"))
    owners |= dict(await house.fetch("SELECT id, customer FROM notes"))
    ids = [theirs.id, ours.id, *(note.id for note in notes)]
    assert [owners[one] for one in ids] == [source.id, target.id, source.id, target.id]


async def test_merge_undone_from_within_a_later_merge_returns_all_it_brought(house: House) -> None:
    first, second, third = [await house.customer(name, email(f"{name}@example.test")) for name in "abc"]
    for one in (first, second, third):
        await house.interaction(one)
    before = await everything(house)
    inner = await house.people.merge(second.id, first.id, SEES_ALL)
    outer = await house.people.merge(third.id, second.id, SEES_ALL)
    await house.people.undo_merge(inner.id, SEES_ALL)
    owners = {row.value: row.customer for row in await house.rows(ADDRESSES)}
    assert owners == {"a@example.test": first.id, "b@example.test": third.id, "c@example.test": third.id}
    await house.people.undo_merge(outer.id, SEES_ALL)
    assert await everything(house) == before


async def test_merge_holds_though_another_node_remembers_the_interaction_from_before(
    database_url: str, house: House, clock: FakeClock
) -> None:
    """Whoever accepts an offer rests on what their node committed last, and saves all of it."""
    target, source = await house.customer("Anna"), await house.customer("Anna B.")
    begun = await house.interaction(source)

    def with_subject(subject: str) -> Any:
        async def unit(tx: UnitOfWork) -> None:
            found = await tx.recall(INTERACTIONS, (begun.id,), fits=lambda _: True)
            await tx.save(INTERACTIONS, msgspec.structs.replace(found[begun.id], subject=subject))

        return unit

    async with opened_store(database_url, clock, Bus(strict=True)) as other:
        await other.write(with_subject("Tents"), guarded=True)
        merge = await house.people.merge(target.id, source.id, SEES_ALL)
        await other.write(with_subject("Tents, stoves"), guarded=True)
        (merged,) = await house.rows(INTERACTIONS)
        await house.people.undo_merge(merge.id, SEES_ALL)
        await other.write(with_subject("Stoves"), guarded=True)
        (apart,) = await house.rows(INTERACTIONS)

    assert (merged.customer, merged.subject) == (target.id, "Tents, stoves")
    assert (apart.customer, apart.subject) == (source.id, "Stoves")


async def test_merges_that_make_no_sense_are_refused(house: House) -> None:
    target, source = await two_people(house)
    with pytest.raises(Conflict):
        await house.people.merge(target.id, target.id, SEES_ALL)
    with pytest.raises(NotFound):
        await house.people.merge(target.id, "c-none", SEES_ALL)
    with pytest.raises(NotFound):
        await house.people.merge(target.id, source.id, agent_of("elsewhere", agent="eve"))
    results = await asyncio.gather(
        house.people.merge(target.id, source.id, SEES_ALL),
        house.people.merge(source.id, target.id, SEES_ALL),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Merge"]
    with pytest.raises(NotFound):
        await house.people.undo_merge("m-none", SEES_ALL)
