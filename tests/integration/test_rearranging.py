"""Splitting, joining, and the way back; on both databases."""

import pytest

from hub.contract import InboundFile
from hub.domain.correspondence import Party
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.domain.messages import Author
from hub.services.access import Scope
from hub.storage.tables import FILES, INDEXED
from tests.arriving import MALLORY, Post, message
from tests.builders import Desk
from tests.integration.test_intake import answer

FILE = InboundFile(name="a.txt", type="text/plain", content=b"hello")


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


async def two_letters(post: Post) -> Interaction:
    """An interaction with two letters of the customer's."""
    await post.letter("The lamp.", provider_id="<1@x>")
    (arrival,) = await post.deliver(answer("<1@x>", "The chair.", files=(FILE,), html="<p>chair</p>"))
    return await post.desk.interaction(arrival.interaction or "")


async def texts(post: Post, interaction: Interaction) -> list[str]:
    return [one.code or one.text for one in await post.desk.messages(interaction)]


async def sound(post: Post) -> None:
    """Numbers run without a gap, and everything beside a message is where the message is."""
    for interaction in await post.interactions():
        assert [one.n for one in await post.desk.messages(interaction)] == list(range(1, interaction.last_n + 1))
        for said in await post.desk.messages(interaction):
            if said.author is Author.CUSTOMER:
                envelope = await post.envelope(interaction, said.n)
                ids = [file.id for file in said.files] + ([envelope.html] if envelope.html else [])
                for file_id in ids:
                    (file,) = await post.rows(FILES, "WHERE id = $1", file_id)
                    assert (file.interaction, file.customer) == (interaction.id, interaction.customer)


async def test_a_letter_split_off_is_work_of_its_own(post: Post) -> None:
    source = await two_letters(post)
    intake, ann = post.desk.hub.services.intake, await post.desk.scope("ann")

    new = await intake.split(source.id, 2, ann)
    await post.desk.settle()

    assert await texts(post, source) == ["The lamp.", "moved"]
    assert await texts(post, new) == ["The chair."]
    envelope = await post.envelope(new, 1)
    assert envelope.evidence.startswith("split off by agent:ann")
    assert (new.state, new.customer, envelope.linked) == (State.QUEUED, source.customer, source.id)
    (record,) = await intake.rearranged(source.id, ann)
    assert (record.kind, record.moved) == ("split", ((2, 1),))
    await sound(post)

    undone = await intake.undo(record.id, ann)
    assert undone.undone_at is not None
    assert await texts(post, source) == ["The lamp.", "The chair."]
    after = await post.desk.interaction(new.id)
    assert (after.state, after.closing_reason) == (State.CANCELLED, ClosingReason.DUPLICATE)
    await sound(post)
    with pytest.raises(Conflict):
        await intake.undo(record.id, ann)


async def test_a_strangers_letter_split_off_is_the_strangers(post: Post) -> None:
    await post.letter("The lamp.", provider_id="<1@x>", cc=(MALLORY,))
    (arrival,) = await post.deliver(answer("<1@x>", "Buy pills.", sender=MALLORY))
    source = await post.desk.interaction(arrival.interaction or "")
    assert source.last_n == 2

    new = await post.desk.hub.services.intake.split(source.id, 2, await post.desk.scope("sue"))

    assert new.customer != source.customer
    assert new.address == "mallory@example.net"


async def test_joined_words_stand_at_the_end_and_come_back(post: Post) -> None:
    target = await post.letter("The lamp.")
    source = await post.letter("The chair.", sender=Party("li@work.example"), files=(FILE,), html="<p>x</p>")
    intake, sue = post.desk.hub.services.intake, await post.desk.scope("sue")
    await post.desk.wait(3)

    record = await intake.join(source.id, target.id, sue)
    await post.desk.wait(3)

    assert await texts(post, target) == ["The lamp.", "The chair."]
    after = await post.desk.interaction(source.id)
    assert (after.state, after.closing_reason) == (State.CANCELLED, ClosingReason.DUPLICATE)
    await sound(post)
    await post.desk.hub.services.indexer.caught_up()
    found = await post.desk.hub.services.search.find("chair", sue)
    assert [(one.interaction, one.n) for one in found.messages] == [(target.id, 2)]
    assert len(await post.rows(INDEXED, "WHERE kind = 'message'")) == 2

    # What answers the joined letter finds where it is now.
    reference = (await post.envelope(target, 2)).provider_id
    (arrival,) = await post.deliver(answer(reference, "And the table.", sender=Party("li@work.example")))
    assert arrival.interaction == target.id

    await intake.undo(record.id, sue)
    opened = (await post.interactions())[-1]
    assert (opened.previous, opened.customer, opened.state) == (source.id, source.customer, State.QUEUED)
    assert await texts(post, opened) == ["The chair."]
    assert await texts(post, target) == ["The lamp.", "moved", "And the table."]
    await sound(post)


async def test_joining_wakes_what_was_parked_and_frees_who_had_it(post: Post) -> None:
    await post.desk.available("ann")
    await post.letter("The lamp.")
    target = await post.desk.accept("ann")
    ann = await post.desk.scope("ann")
    await post.desk.agent_says("ann", target, "Which one?")
    await post.desk.hub.services.handling.park(target.id, ann)
    await post.letter("The blue one.")
    source = await post.desk.accept("ann")
    assert (await post.desk.agent("ann")).held == 20

    await post.desk.hub.services.intake.join(source.id, target.id, ann)
    await post.desk.settle()

    assert (await post.desk.interaction(source.id)).state is State.CLOSED
    after = await post.desk.interaction(target.id)
    assert after.state in {State.QUEUED, State.OFFERED}
    assert after.waits_since is not None
    assert (await post.desk.agent("ann")).held == (20 if after.state is State.OFFERED else 0)


async def test_a_closed_one_joined_comes_back_as_it_was(post: Post) -> None:
    await post.desk.available("ann")
    await post.letter("The lamp.")
    old = await post.desk.accept("ann")
    ann, sue = await post.desk.scope("ann"), await post.desk.scope("sue")
    await post.desk.hub.services.handling.wrap_up(old.id, ann)
    await post.desk.hub.services.handling.complete(old.id, ann, "solved")
    target = await post.letter("The chair.")
    intake = post.desk.hub.services.intake

    with pytest.raises(Conflict):
        await intake.join(target.id, old.id, sue)
    record = await intake.join(old.id, target.id, sue)
    assert await texts(post, target) == ["The chair.", "The lamp."]
    await intake.undo(record.id, sue)

    assert await texts(post, old) == ["The lamp.", "joined", "closed"]
    assert (await post.desk.interaction(old.id)).state is State.CLOSED
    await sound(post)


async def test_what_cannot_be_split_or_joined_is_refused(post: Post) -> None:
    source = await two_letters(post)
    chat = await post.desk.chat()
    intake = post.desk.hub.services.intake
    sue, ann = await post.desk.scope("sue"), await post.desk.scope("ann")
    elsewhere = Scope("ann", ann.role, ("billing",))

    for n in (0, 99):
        with pytest.raises(BadRequest):
            await intake.split(source.id, n, sue)
    with pytest.raises(BadRequest):
        await intake.split(chat.id, 1, sue)
    with pytest.raises(NotFound):
        await intake.split(source.id, 2, elsewhere)
    with pytest.raises(NotFound):
        await intake.rearranged(source.id, elsewhere)
    for pair in ((source.id, source.id), (chat.id, source.id), (source.id, chat.id)):
        with pytest.raises(Conflict):
            await intake.join(*pair, sue)
    with pytest.raises(NotFound):
        await intake.join(source.id, "i1", sue)
    with pytest.raises(NotFound):
        await intake.undo("r1", sue)
    await intake.split(source.id, 2, sue)
    with pytest.raises(Conflict):
        await intake.split(source.id, 1, sue)


async def test_what_moved_twice_goes_back_in_turn(post: Post) -> None:
    source = await two_letters(post)
    other = await post.letter("The table.")
    intake, sue = post.desk.hub.services.intake, await post.desk.scope("sue")
    new = await intake.split(source.id, 2, sue)
    (first,) = await intake.rearranged(source.id, sue)
    second = await intake.join(new.id, other.id, sue)

    with pytest.raises(Conflict):
        await intake.undo(first.id, sue)
    await intake.undo(second.id, sue)

    assert await texts(post, other) == ["The table.", "moved"]
    assert "The chair." in [text for one in await post.interactions() for text in await texts(post, one)]
    await sound(post)


async def test_a_colleagues_work_is_joined_by_supervisors_only(post: Post) -> None:
    await post.desk.available("ann")
    await post.letter("The lamp.")
    source = await post.desk.accept("ann")
    target = (await post.deliver(message("The chair.")))[0].interaction or ""
    intake = post.desk.hub.services.intake

    with pytest.raises(Conflict):
        await intake.join(source.id, target, await post.desk.scope("bob"))
    await intake.join(source.id, target, await post.desk.scope("sue"))
