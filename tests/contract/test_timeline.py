"""The timeline: everything of a customer, newest first, in windows that neither skip nor repeat."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub.domain.errors import BadRequest, NotFound
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, State
from hub.domain.segments import Segment, SegmentKind
from hub.services.timeline import KINDS, Timeline
from hub.storage.tables import INTERACTIONS, SEGMENTS
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import SEES_ALL, House, agent_of


@pytest.fixture
def timeline(house: House) -> Timeline:
    return Timeline(house.store)


async def walked(timeline: Timeline, customer: str, scope: Any = SEES_ALL, **how: Any) -> list[str]:
    """Return the ids of all pages, one after the other."""
    ids: list[str] = []
    before = None
    for _ in range(200):
        page = await timeline.page(customer, scope, before=before, **how)
        ids += [item.id for item in page.items]
        before = page.before
        if before is None:
            return ids
    raise AssertionError("the timeline does not end")


async def test_usual_page_sums_up_interactions_and_shows_notes_and_merges(house: House, timeline: Timeline) -> None:
    first = await house.conversation("Li Wei", "Where is my parcel?")
    await house.clock.advance(seconds=10)
    note = await house.people.add_note(first.customer, "Friendly", SEES_ALL, name="Sue")
    await house.clock.advance(seconds=10)
    other = await house.conversation("Li W.", "I am the same")
    await house.clock.advance(seconds=10)
    merge = await house.people.merge(first.customer, other.customer, SEES_ALL)

    async def closed(tx: UnitOfWork) -> None:
        found = await tx.get(INTERACTIONS, first.id)
        assert found is not None
        await tx.insert_many(
            SEGMENTS,
            [Segment(id="s1", interaction=first.id, kind=SegmentKind.QUEUED, started_at=1, ended_at=2, outcome="x")],
        )
        await tx.save(
            INTERACTIONS,
            msgspec.structs.replace(
                found,
                state=State.CLOSED,
                ended_at=tx.now,
                closing_reason=ClosingReason.HANDLED,
                disposition="solved",
                subject="Parcel",
            ),
        )

    await house.store.write(closed)
    page = await timeline.page(first.customer, SEES_ALL)
    assert [(item.kind, item.id) for item in page.items] == [
        ("merge", merge.id),
        ("interaction", other.id),
        ("note", note.id),
        ("interaction", first.id),
    ]
    assert page.before is None
    assert msgspec.json.decode(msgspec.json.encode(page))["items"][3] == {
        "kind": "interaction",
        "id": first.id,
        "at": first.created_at,
        "title": "Parcel",
        "text": "Where is my parcel?",
        "channel_kind": "chat",
        "interaction": first.id,
        "state": "closed",
        "queue": "support",
        "last_n": 1,
        "ended_at": house.clock.now(),
        "disposition": "solved",
        "closing_reason": "handled",
        "segments": [{"kind": "queued", "started_at": 1, "ended_at": 2, "outcome": "x"}],
    }
    assert (page.items[0].title, page.items[0].state) == ("Li W.", "merged")
    assert [item.id for item in (await timeline.page(other.customer, SEES_ALL)).items] == [
        item.id for item in page.items
    ]
    await house.people.undo_merge(merge.id, SEES_ALL)
    alone = (await timeline.page(first.customer, SEES_ALL)).items
    assert [item.kind for item in alone] == ["merge", "note", "interaction"]
    assert alone[0].state == "undone"
    assert [item.kind for item in (await timeline.page(other.customer, SEES_ALL)).items] == ["merge", "interaction"]


async def busy_customer(house: House) -> str:
    """Interactions, notes and messages, some in the same millisecond, some conversations side by side."""
    customer = await house.customer("Busy")
    for round_ in range(6):
        pair = [await house.interaction(customer), await house.interaction(customer)]
        for n in range(4):
            for interaction in pair:
                await house.says(interaction, f"word {round_} {n}", agent="ann" if n % 2 else None)
            if n % 2:
                await house.clock.advance(ms=1)
        await house.people.add_note(customer.id, f"note {round_}", SEES_ALL)
        await house.people.add_note(customer.id, f"second note {round_}", SEES_ALL)
        if round_ % 2:
            await house.clock.advance(seconds=5)
    long = await house.rows(INTERACTIONS, "ORDER BY created_at LIMIT 1")
    await house.says(long[0], "late word in the oldest conversation")
    return customer.id


async def test_windows_neither_skip_nor_repeat_whatever_their_size(house: House, timeline: Timeline) -> None:
    customer = await busy_customer(house)
    whole = await timeline.page(customer, SEES_ALL, kinds=KINDS, limit=100)
    order = [(-item.at, KINDS.index(item.kind)) for item in whole.items]
    assert order == sorted(order)
    assert len({(item.kind, item.id) for item in whole.items}) == 12 + 49 + 12
    assert whole.before is None
    for limit in (1, 2, 7, 30):
        assert await walked(timeline, customer, kinds=KINDS, limit=limit) == [item.id for item in whole.items]
    for kind in KINDS:
        assert await walked(timeline, customer, kinds=[kind], limit=3) == [
            item.id for item in whole.items if item.kind == kind
        ]
    messages = await timeline.page(customer, SEES_ALL, kinds=["message"], limit=1)
    assert messages.items[0].text == "late word in the oldest conversation"


async def test_window_stays_true_while_new_things_happen(house: House, timeline: Timeline) -> None:
    customer = await busy_customer(house)
    before = await walked(timeline, customer, kinds=KINDS, limit=5)
    first = await timeline.page(customer, SEES_ALL, kinds=KINDS, limit=5)
    await house.clock.advance(ms=1)
    await house.people.add_note(customer, "in between", SEES_ALL)
    ids = [item.id for item in first.items]
    place = first.before
    while place is not None:
        page = await timeline.page(customer, SEES_ALL, kinds=KINDS, limit=5, before=place)
        ids += [item.id for item in page.items]
        place = page.before
    assert ids == before


async def test_words_narrow_the_timeline_at_once_without_an_index(house: House, timeline: Timeline) -> None:
    customer = await busy_customer(house)
    found = await timeline.page(customer, SEES_ALL, q="late oldest")
    assert [item.kind for item in found.items] == ["message"]
    assert [item.text for item in (await timeline.page(customer, SEES_ALL, q="second note 4")).items] == [
        "second note 4"
    ]
    assert len(await walked(timeline, customer, q="word", kinds=["message"], limit=4)) == 49
    assert (await timeline.page(customer, SEES_ALL, q="absent")).items == []
    assert (await timeline.page(customer, SEES_ALL, q='"!"')).items == []
    everything = await timeline.page(customer, SEES_ALL, q="  ")
    assert everything.items == (await timeline.page(customer, SEES_ALL)).items


async def test_agents_see_only_their_queues_part(house: House, timeline: Timeline) -> None:
    customer = await house.customer("Li")
    mine = await house.interaction(customer, queue="support", agent=None)
    other = await house.interaction(customer, queue="billing", agent=None)
    await house.says(mine, "mine")
    await house.says(other, "not mine")
    await house.people.add_note(customer.id, "of the other", SEES_ALL, interaction=other.id)
    await house.people.add_note(customer.id, "of all", SEES_ALL)
    page = await timeline.page(customer.id, agent_of("support"), kinds=KINDS)
    assert sorted((item.kind, item.text) for item in page.items) == [
        ("interaction", "mine"),
        ("message", "mine"),
        ("note", "of all"),
    ]
    assert len((await timeline.page(customer.id, SEES_ALL, kinds=KINDS)).items) == 6
    with pytest.raises(NotFound):
        await timeline.page(customer.id, agent_of("sales", agent="eve"))
    with pytest.raises(NotFound):
        await timeline.page("c-nobody", SEES_ALL)


async def test_places_and_kinds_that_are_none_are_refused(house: House, timeline: Timeline) -> None:
    customer = await house.customer("Li")
    for before in (
        "x",
        "1",
        "1.2.3",
        "-1.note.1.x",
        "1.oath.1.x",
        "9" * 40,
        "1.note.1.\x00",
        "٣.note.1.x",
        "1.note.1.",
    ):
        with pytest.raises(BadRequest):
            await timeline.page(customer.id, SEES_ALL, before=before)
    with pytest.raises(BadRequest):
        await timeline.page(customer.id, SEES_ALL, kinds=["note", "nothing"])
    assert (await timeline.page(customer.id, SEES_ALL, before="", limit=10**9)).items == []
    assert (await timeline.page(customer.id, SEES_ALL, limit=-1)).items == []


async def test_many_interactions_are_opened_no_further_than_needed(house: House, timeline: Timeline) -> None:
    customer = await house.customer("Old friend")
    interactions = [await house.interaction(customer) for _ in range(90)]
    for n, interaction in enumerate(interactions):
        await house.clock.advance(seconds=1)
        await asyncio.gather(*(house.says(interaction, f"{n} {m}") for m in range(2)))
    page = await timeline.page(customer.id, SEES_ALL, kinds=["message"], limit=5)
    assert [item.text for item in page.items] == ["89 1", "89 0", "88 1", "88 0", "87 1"]
    assert len(await walked(timeline, customer.id, kinds=["message"], limit=50)) == 180
    assert new_id("i") not in {item.id for item in page.items}
