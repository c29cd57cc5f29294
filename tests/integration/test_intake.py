"""Letters in: whose they are, where they belong, what they wake; on both databases."""

from collections.abc import Mapping

import pytest

from hub.contract import Candidate, Hint, Ignored, InboundFile, InboundMessage, InboundReport, Placement
from hub.domain.correspondence import ArrivalState, Authenticity, Envelope, Outgoing, Party
from hub.domain.customers import Address, AddressKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author
from hub.services.access import Scope
from hub.services.people import Edit, TypedAddress
from hub.storage.tables import ADDRESSES, ENVELOPES, FILES, OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.arriving import LI, MALLORY, Letterbox, Post, message
from tests.builders import Desk


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


def by_participants(sender: Party) -> object:
    """A placement rule like the real one: whoever takes part may join."""

    def place(found: Mapping[int, Candidate]) -> Placement:
        for candidate in found.values():
            if sender.address.lower() in candidate.participants:
                return Placement(join=candidate.interaction, reason="by a participant")
        if found:
            return Placement(linked=next(iter(found.values())).interaction, reason="the sender is no participant")
        return Placement(reason="nothing points to an earlier one")

    return place


def answer(to: str, text: str = "Thank you.", sender: Party = LI, **more: object) -> InboundMessage:
    """A letter that refers to a provider id."""
    return message(
        text, sender=sender, hints=(Hint(kind="message", value=to, key=1),), place=by_participants(sender), **more
    )


async def parked(post: Post) -> Interaction:
    """A letter that Ann has answered and parked."""
    await post.desk.available("ann")
    await post.letter(provider_id="<first@example.cn>")
    interaction = await post.desk.accept("ann")
    await post.desk.agent_says("ann", interaction, "Which lamp?")
    await sent(post, interaction, 2)
    await post.desk.hub.services.handling.park(interaction.id, await post.desk.scope("ann"))
    await post.desk.settle()
    return await post.desk.interaction(interaction.id)


async def sent(post: Post, interaction: Interaction, n: int) -> None:
    """Message `n` is a letter of ours that was sent."""

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert(
            ENVELOPES,
            Envelope(
                interaction=interaction.id,
                n=n,
                channel=post.box.id,
                recipients=(LI,),
                provider_id="<hub.1@example.com>",
            ),
        )
        await tx.insert(
            OUTGOING,
            Outgoing(id=new_id("l"), interaction=interaction.id, n=n, channel=post.box.id, created_at=tx.now, due_at=0),
        )

    await post.desk.hub.services.store.write(unit)


async def ended(post: Post, interaction: Interaction) -> Interaction:
    handling, scope = post.desk.hub.services.handling, await post.desk.scope("ann")
    if (await post.desk.interaction(interaction.id)).state is State.PARKED:
        await handling.unpark(interaction.id, scope)
    await handling.wrap_up(interaction.id, scope)
    await handling.complete(interaction.id, scope, "solved")
    await post.desk.settle()
    return await post.desk.interaction(interaction.id)


async def test_a_letter_becomes_an_interaction_offered_like_any_work(post: Post) -> None:
    await post.desk.available("ann")

    interaction = await post.letter(
        "My lamp is broken.\nCard 4111 1111 1111 1111",
        subject="Lamp 4111111111111111",
        quoted="> before",
        language="zh",
    )

    assert (interaction.kind, interaction.queue, interaction.address) == ("email", "support", "li@example.cn")
    assert interaction.subject == "Lamp [card ...1111]"
    assert await post.desk.offers_of(interaction) == [("ann", "pending")]
    (offer,) = await post.desk.live_offers(agent="ann")
    assert offer.units == 20
    (said,) = await post.desk.messages(interaction)
    assert (said.author, said.name, said.text) == (
        Author.CUSTOMER,
        "Li Wei",
        "My lamp is broken.\nCard [card ...1111]",
    )
    envelope = await post.envelope(interaction, 1)
    assert (envelope.sender, envelope.quoted, envelope.recipients) == (LI, "> before", (Party("support@example.com"),))
    assert interaction.waits_since == said.at
    address = (await post.rows(ADDRESSES, "WHERE value = 'li@example.cn'"))[0]
    assert (address.customer, address.is_verified) == (interaction.customer, False)


async def test_the_next_letter_of_an_address_is_the_same_customers(post: Post) -> None:
    first = await post.letter(sender=Party("LI@Example.cn", "Li"))
    second = await post.letter(subject="Chair", authenticity=Authenticity.PROVED)

    assert first.id != second.id
    assert first.customer == second.customer
    assert (await post.rows(ADDRESSES))[0].is_verified


async def test_the_same_letter_in_two_mailboxes_is_one_message(post: Post) -> None:
    other = Letterbox("sales_mail")
    post.desk.hub.services.arrivals.serve(other)

    (first,) = await post.deliver(message(dedupe="same", files=(InboundFile(name="a.txt", type="", content=b"x"),)))
    (again,) = await post.deliver(
        message(dedupe="same", files=(InboundFile(name="a.txt", type="", content=b"x"),)), box=other
    )
    both = await post.deliver(message(dedupe="two"), message(dedupe="two"))

    assert (again.state, again.interaction, again.n) == (ArrivalState.IGNORED, first.interaction, first.n)
    assert [one.state for one in both] == [ArrivalState.TAKEN, ArrivalState.IGNORED]
    assert len(await post.interactions()) == 2
    folder = post.desk.hub.settings.server.data_dir / "files"
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


async def test_an_answer_wakes_the_parked_and_a_machines_does_not(post: Post) -> None:
    interaction = await parked(post)

    (away,) = await post.deliver(answer("<hub.1@example.com>", "I am away.", is_automatic=True, must_not_answer=True))
    assert away.interaction == interaction.id
    after = await post.desk.interaction(interaction.id)
    assert (after.state, after.waits_since) == (State.PARKED, None)

    await post.deliver(answer("<hub.1@example.com>"))
    after = await post.desk.interaction(interaction.id)
    assert after.state in {State.QUEUED, State.OFFERED}
    assert after.waits_since is not None
    assert [one.text for one in await post.desk.messages(after)][-2:] == ["I am away.", "Thank you."]


async def test_an_answer_to_what_has_ended_opens_the_next_one(post: Post) -> None:
    interaction = await ended(post, await parked(post))

    (arrival,) = await post.deliver(answer("<hub.1@example.com>", "It broke again."))

    assert arrival.interaction != interaction.id
    after = await post.desk.interaction(arrival.interaction or "")
    assert (after.previous, after.root, after.customer) == (interaction.id, interaction.root, interaction.customer)
    assert after.last_agent == "ann"


async def test_a_machines_answer_to_what_has_ended_begins_no_work(post: Post) -> None:
    interaction = await ended(post, await parked(post))

    (arrival,) = await post.deliver(answer("<hub.1@example.com>", "I am away.", is_automatic=True))

    assert arrival.interaction == interaction.id
    after = await post.desk.interaction(interaction.id)
    assert (after.state, after.last_n) == (State.CLOSED, interaction.last_n + 1)
    assert len(await post.interactions()) == 1


async def test_a_stranger_who_quotes_our_ids_gets_an_interaction_of_their_own(post: Post) -> None:
    interaction = await parked(post)

    (arrival,) = await post.deliver(answer("<hub.1@example.com>", sender=MALLORY))

    assert arrival.interaction != interaction.id
    opened = await post.desk.interaction(arrival.interaction or "")
    envelope = await post.envelope(opened, 1)
    assert (envelope.linked, envelope.evidence) == (interaction.id, "the sender is no participant")
    assert opened.customer != interaction.customer
    assert (await post.desk.interaction(interaction.id)).state is State.PARKED


async def test_a_disproved_sender_joins_no_known_customer(post: Post) -> None:
    interaction = await parked(post)

    (arrival,) = await post.deliver(answer("<hub.1@example.com>", authenticity=Authenticity.DISPROVED))
    (again,) = await post.deliver(message(authenticity=Authenticity.DISPROVED, hints=(), place=None))

    opened = await post.desk.interaction(arrival.interaction or "")
    assert opened.id != interaction.id
    envelope = await post.envelope(opened, 1)
    assert envelope.linked == interaction.id
    assert envelope.authenticity is Authenticity.DISPROVED
    customers = {one.id: one for one in await post.customers()}
    assert len(customers) == 3
    assert customers[opened.customer].fields == {"email": "li@example.cn"}
    assert [(one.value, one.customer) for one in await post.rows(ADDRESSES)] == [
        ("li@example.cn", interaction.customer)
    ]
    assert again.interaction not in {interaction.id, opened.id}


async def test_whom_a_disproved_letter_names_may_not_join_by_it(post: Post) -> None:
    """Otherwise a forged sender would write themselves in."""
    (arrival,) = await post.deliver(
        message(authenticity=Authenticity.DISPROVED, cc=(MALLORY,), provider_id="<forged@example.cn>")
    )
    (second,) = await post.deliver(answer("<forged@example.cn>", sender=MALLORY))

    assert second.interaction != arrival.interaction


async def test_without_a_sender_it_is_still_somebodys(post: Post) -> None:
    first = await post.letter(sender=None)
    second = await post.letter(sender=Party("no address", "\u202eEvil\x00"))

    assert first.customer != second.customer
    assert [one.name for one in await post.desk.messages(second)] == ["Evil"]
    assert (first.state, first.address) == (State.QUEUED, "")


async def test_an_answer_that_came_before_what_it_answers_gets_it(post: Post) -> None:
    early = await post.letter("I forgot: it is blue.", references=("<late@example.cn>",))
    hints = (Hint(kind="answered", value="<late@example.cn>", key=9),)
    (arrival,) = await post.deliver(message(provider_id="<late@example.cn>", hints=hints, place=by_participants(LI)))

    assert arrival.interaction == early.id


async def test_answers_to_a_letter_that_never_came_are_one_talk(post: Post) -> None:
    """The letter went to others, or is lost: what refers to it belongs together, for those who take part."""
    lost = "<lost@example.cn>"
    first = await post.letter("I saw your letter.", references=(lost,))
    second, stranger = await post.deliver(answer(lost, "And one more thing."), answer(lost, sender=MALLORY))

    assert second.interaction == first.id
    assert stranger.interaction != first.id


async def test_many_letters_of_one_sender_are_kept_together(post: Post) -> None:
    arrivals = await post.deliver(*(message(f"{number}") for number in range(30)))

    opened = await post.interactions()
    assert len(opened) == 20
    assert len({one.interaction for one in arrivals[20:]}) == 1
    assert sum(one.last_n for one in opened) == 30


async def test_files_pages_and_images_lie_beside_the_message(post: Post) -> None:
    logo = InboundFile(name="logo.png", type="image/png", content=b"\x89PNG\r\n\x1a\n" + b"x" * 100, cid="logo@x")
    photo = InboundFile(name="../../photo.png", type="image/png", content=b"\x89PNG\r\n\x1a\n" + b"x" * 20_000, cid="p")
    trap = InboundFile(name="run.html", type="text/html", content=b"<script>alert(1)</script>")
    empty = InboundFile(name="empty.bin", type="", content=b"")
    page = '<p>card 4111 1111 1111 1111</p><img src="cid:logo@x">'

    interaction = await post.letter(files=(logo, photo, trap, empty), html=page)

    (said,) = await post.desk.messages(interaction)
    assert [(one.name, one.type, one.size) for one in said.files] == [
        ("photo.png", "image/png", 20_008),
        ("run.html", "application/octet-stream", 25),
        ("empty.bin", "application/octet-stream", 0),
    ]
    envelope = await post.envelope(interaction, 1)
    assert set(envelope.inline) == {"logo@x", "p"}
    files = post.desk.hub.services.files
    assert await files.content(envelope.html) == b'<p>card [card ...1111]</p><img src="cid:logo@x">'
    assert await files.content(envelope.inline["logo@x"]) == logo.content
    stored = await post.rows(FILES)
    assert {(one.interaction, one.customer) for one in stored} == {(interaction.id, interaction.customer)}
    assert len(stored) == 5


async def test_a_hard_bounce_is_told_and_shown_on_the_letter(post: Post) -> None:
    interaction = await parked(post)
    report = InboundReport(
        dedupe="b1",
        kind="failed",
        provider_ids=("<hub.1@example.com>",),
        recipient="li@example.cn",
        status="5.1.1",
        text="550 no such user",
    )

    (arrival,) = await post.deliver(report)

    assert (arrival.state, arrival.interaction, arrival.n) == (ArrivalState.TAKEN, interaction.id, 2)
    envelope = await post.envelope(interaction, 2)
    assert (envelope.status, envelope.problem) == ("5.1.1", "li@example.cn: 550 no such user")
    after = await post.desk.interaction(interaction.id)
    assert after.state in {State.QUEUED, State.OFFERED}
    assert [one.code for one in await post.desk.messages(after)][-1] == "bounced"


async def test_a_delay_disturbs_nobody_and_does_not_hide_a_bounce(post: Post) -> None:
    interaction = await parked(post)
    ids = ("<unknown@x>", "<hub.1@example.com>")

    await post.deliver(InboundReport(dedupe="b1", kind="delayed", provider_ids=ids, status="4.4.1", text="trying"))
    assert (await post.desk.interaction(interaction.id)).state is State.PARKED
    assert (await post.envelope(interaction, 2)).problem == "trying"
    await post.deliver(InboundReport(dedupe="b2", kind="failed", provider_ids=ids, status="5.0.0", text="gave up"))
    await post.deliver(InboundReport(dedupe="b3", kind="delayed", provider_ids=ids, status="4.4.1", text="trying"))

    assert (await post.envelope(interaction, 2)).problem == "gave up"


async def test_what_reports_say_of_a_letter_is_the_worst_that_is_known(post: Post) -> None:
    interaction = await parked(post)
    ids = ("<hub.1@example.com>",)

    async def told(kind: str, recipient: str = "", status: str = "", text: str = "") -> tuple[str, str]:
        await post.deliver(
            InboundReport(
                dedupe=new_id("b"), kind=kind, provider_ids=ids, recipient=recipient, status=status, text=text
            )
        )
        envelope = await post.envelope(interaction, 2)
        return envelope.status, envelope.problem

    assert await told("delayed", status="4.4.1", text="trying") == ("delayed 4.4.1", "trying")
    assert await told("delivered", status="read") == ("read", ""), "it is late no longer"
    assert await told("failed", "li@example.cn", "5.1.1", "gone") == ("5.1.1", "li@example.cn: gone")
    both = ("5.2.2", "li@example.cn: gone; bo@example.cn: full")
    assert await told("failed", "bo@example.cn", "5.2.2", "full") == both
    assert await told("delivered") == both
    assert (await told("complaint", text="abuse"))[0] == "complaint"


async def test_a_bounce_after_the_end_opens_the_next_one(post: Post) -> None:
    interaction = await ended(post, await parked(post))

    await post.deliver(
        InboundReport(dedupe="b1", kind="failed", recipient="li@example.cn", status="5.2.2", text="full")
    )

    opened = (await post.interactions())[-1]
    assert (opened.previous, opened.state in {State.QUEUED, State.OFFERED}) == (interaction.id, True)
    assert [one.code for one in await post.desk.messages(opened)] == ["bounced"]
    assert (await post.envelope(interaction, 2)).status == "5.2.2"


async def test_given_up_for_a_reason_that_might_have_passed_is_told(post: Post) -> None:
    interaction = await parked(post)
    ids = ("<hub.1@example.com>",)

    await post.deliver(InboundReport(dedupe="b1", kind="failed", provider_ids=ids, status="4.4.1", text="timed out"))

    after = await post.desk.interaction(interaction.id)
    assert after.state in {State.QUEUED, State.OFFERED}
    assert [one.code for one in await post.desk.messages(after)][-1] == "bounced"


async def test_a_report_that_names_the_way_out_alone_finds_its_letter(post: Post) -> None:
    interaction = await parked(post)
    (outgoing,) = [one for one in await post.rows(OUTGOING) if one.interaction == interaction.id]

    await post.deliver(InboundReport(dedupe="b1", kind="failed", provider_ids=(outgoing.id,), status="5.1.1"))

    assert (await post.envelope(interaction, outgoing.n)).status == "5.1.1"


async def test_who_only_knows_an_address_complains_of_no_letter_and_reports_nothing_disproved(post: Post) -> None:
    interaction = await parked(post)
    forged = message("Undeliverable", sender=Party("mailer-daemon@example.cn"), authenticity=Authenticity.DISPROVED)

    await post.deliver(InboundReport(dedupe="b1", kind="complaint", recipient="li@example.cn"))
    (taken,) = await post.deliver(
        InboundReport(dedupe="b2", kind="failed", recipient="li@example.cn", text="write to eve", message=forged)
    )

    (customer,) = [one for one in await post.customers() if one.id == interaction.customer]
    assert customer.tags == ()
    assert taken.interaction != interaction.id
    assert "eve" not in (await post.envelope(interaction, 2)).problem


async def test_a_complaint_marks_the_customer(post: Post) -> None:
    interaction = await parked(post)

    await post.deliver(InboundReport(dedupe="b1", kind="complaint", provider_ids=("<hub.1@example.com>",)))

    (customer,) = [one for one in await post.customers() if one.id == interaction.customer]
    assert customer.tags == ("do-not-contact",)


async def test_a_report_of_nothing_of_ours_is_a_letter_or_nothing(post: Post) -> None:
    letter = message(
        "Undeliverable", is_automatic=True, dedupe="x1", files=(InboundFile(name="a", type="", content=b"x"),)
    )
    arrivals = await post.deliver(
        InboundReport(dedupe="x1", kind="failed", provider_ids=("<n@x>",), message=letter),
        InboundReport(dedupe="x2", kind="failed", recipient="nobody@example.org"),
        Ignored(dedupe="", reason="One of our own letters."),
    )

    assert [one.state for one in arrivals] == [ArrivalState.TAKEN, ArrivalState.IGNORED, ArrivalState.IGNORED]
    assert (await post.desk.interaction(arrivals[0].interaction or "")).state is State.QUEUED
    assert arrivals[2].problem == "One of our own letters."


async def test_letters_stand_in_timeline_and_search_beside_chats(post: Post) -> None:
    chat = await post.desk.chat(text="Hello, my lamp flickers")
    people, scope = post.desk.hub.services.people, await post.desk.scope("sue")
    await people.edit(chat.customer, Edit(addresses_in=[TypedAddress(AddressKind.EMAIL, "li@example.cn")]), scope)
    letter = await post.letter("The lamp arrived broken, please replace it.")

    assert letter.customer == chat.customer
    page = await post.desk.hub.services.timeline.page(chat.customer, scope)
    assert [(one.channel_kind, one.title) for one in page.items] == [("email", "Lamp"), ("chat", "")]
    assert page.items[0].text == "The lamp arrived broken, please replace it."
    await post.desk.hub.services.indexer.caught_up()
    found = await post.desk.hub.services.search.find("replace", scope)
    assert [(one.interaction, one.n) for one in found.messages] == [(letter.id, 1)]


async def test_a_claimed_address_of_a_chat_gives_no_letters_away(post: Post) -> None:
    """What a visitor types proves nothing: their chat is not the letter-writer's."""
    letter = await post.letter()
    chat = await post.desk.chat()

    assert letter.customer != chat.customer


async def test_scope_hides_other_queues_letters(post: Post) -> None:
    interaction = await post.letter(queue="billing")
    scope = Scope("ann", (await post.desk.scope("ann")).role, ("support",))

    assert not scope.sees(interaction)


async def test_an_unknown_queue_loses_nothing(post: Post) -> None:
    interaction = await post.letter(queue="gone")

    assert interaction.queue == "support"


async def test_merged_customers_letters_find_the_survivor(post: Post) -> None:
    letter = await post.letter()
    other = await post.letter(sender=MALLORY)
    await post.desk.hub.services.people.merge(other.customer, letter.customer, await post.desk.scope("sue"))

    again = await post.letter("Still broken.")

    assert again.customer == other.customer


@pytest.mark.parametrize("kind", [AddressKind.EMAIL])
async def test_a_proved_sender_verifies_only_their_own_address(post: Post, kind: AddressKind) -> None:
    await post.letter(sender=MALLORY)
    await post.letter(authenticity=Authenticity.PROVED)

    found: dict[str, Address] = {one.value: one for one in await post.rows(ADDRESSES, "WHERE kind = $1", str(kind))}
    assert {value: one.is_verified for value, one in found.items()} == {
        "li@example.cn": True,
        "mallory@example.net": False,
    }
