"""What visitors fill in before a chat, over the real protocol: where it is kept, and what it counts for."""

from typing import Any

from hub.domain.customers import Customer
from hub.settings import Limits
from hub.storage.rows import Rows
from hub.storage.tables import CUSTOMERS, NOTES
from tests.integration.conftest import Site, Visitor


async def test_second_form_is_kept_where_the_profile_says_something_else(site: Site) -> None:
    tab = await site.visitor()
    await chatted(tab, 1, order="4711", name="Li", email="li@example.test")
    second = await chatted(tab, 2, order="4712", name="Li", email="li@example.test")
    third = await chatted(tab, 3, order="4711", size="M")

    (customer,) = await rows(site, CUSTOMERS)
    assert fields_of(customer) == {"email": "li@example.test", "order": "4711", "size": "M"}
    assert [(note.interaction, note.text) for note in await rows(site, NOTES)] == [(second, "order: 4712")]
    assert third != second


async def test_first_words_and_subject_are_no_part_of_the_profile(site: Site) -> None:
    tab = await site.visitor()
    first = await tab.ask(
        "start", client_id="start-0001", form={"name": "Li", "message": "My tent leaks", "topic": "Tents"}
    )
    assert first["messages"][0]["text"] == "My tent leaks"
    await tab.ask("end", interaction=first["thread"]["interaction"])
    await tab.ask("start", client_id="start-0002", form={"details": "It still leaks"}, text="It still leaks")

    (customer,) = await rows(site, CUSTOMERS)
    assert (customer.name, fields_of(customer)) == ("Li", {})
    assert await rows(site, NOTES) == []
    assert (await site.desk.interaction(first["thread"]["interaction"])).subject == "Tents"


async def test_name_told_later_names_whoever_had_none_and_replaces_no_other(site: Site) -> None:
    tab = await site.visitor()
    await chatted(tab, 1)
    await chatted(tab, 2, name="Li Wei")
    third = await chatted(tab, 3, name="Maria")

    (customer,) = await rows(site, CUSTOMERS)
    assert customer.name == "Li Wei"
    assert [(note.interaction, note.text) for note in await rows(site, NOTES)] == [(third, "name: Maria")]


async def test_form_that_is_refused_and_a_start_said_again_count_for_nothing(site: Site) -> None:
    most = Limits().chats_per_address_per_hour
    refused = [
        await tab.ask("start", client_id=f"start-{n:04}", form={"email": "no address"}, text="Hello")
        for tab in (await site.visitor(), await site.visitor())
        for n in range(most - 2)
    ]
    tab = await site.visitor()
    begun = [await tab.ask("start", client_id="start-0100", form={}, text="Hello") for _ in range(most - 2)]
    for n in range(1, most):
        await chatted(await site.visitor(), 100 + n)
    over = await (await site.visitor()).ask("start", client_id="start-0200", form={}, text="Hello")

    assert {answer["error"] for answer in refused} == {"bad_request"}
    assert {answer["ok"] for answer in begun} == {True}
    assert over["error"] == "rate_limited"


async def chatted(tab: Visitor, number: int, **form: str) -> str:
    """A conversation that was begun with this form, and is over; returns its id."""
    begun = await tab.ask("start", client_id=f"start-{number:04}", form=form, text=f"Hello {number}")
    assert begun["ok"], begun
    interaction: str = begun["thread"]["interaction"]
    await tab.ask("end", interaction=interaction)
    return interaction


def fields_of(customer: Customer) -> dict[str, str]:
    return dict(sorted(customer.fields.items()))


async def rows(site: Site, of: Rows[Any]) -> list[Any]:
    async def unit(tx: Any) -> list[Any]:
        return list(await tx.select(of, "ORDER BY id"))

    return await site.desk.hub.services.store.read(unit)
