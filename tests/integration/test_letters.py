"""Letters as agents write them: stored once with envelope and outbox row, taken back, addressed right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.domain.correspondence import Authenticity, DraftedLetter, OutgoingState, Party
from hub.domain.errors import BadRequest, Closed, Conflict, Forbidden, NotFound, Stale, TooLarge
from hub.domain.ids import new_id
from hub.domain.interaction import State
from hub.services.letters.writing import NewLetter
from tests.office import CUSTOMER, Office, open_office

OWN = Party("help@example.test")
BOSS = Party("boss@customer.test", "Boss")
EVE = Party("eve@evil.test")


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    opened = await open_office(tmp_path, database_url)
    await opened.available("ann", "bob")
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def upload(office: Office, interaction: str, name: str = "label.txt", by: str = "agent:ann") -> str:
    stored = await office.hub.services.files.store(interaction, name, body(b"Label"), by=by, limit=1_000)
    return stored.id


# -- answering


async def test_an_answer_is_message_envelope_and_outbox_row(office: Office) -> None:
    mail = await office.mail()
    view = await office.reply(mail)

    (message,) = [m for m in await office.messages(mail) if m.author == "agent"]
    (outgoing,) = await office.outgoing(mail)
    assert (message.text, message.name, message.agent) == ("It comes tomorrow.", "Ann Example", "ann")
    assert (view.envelope.subject, view.envelope.recipients) == ("Re: Tent", (CUSTOMER,))
    assert view.envelope.refers_to == ("<one@customer.test>",)
    assert view.envelope.provider_id == outgoing.provider_id == f"<{outgoing.id}@example.test>"
    assert (outgoing.state, outgoing.due_at) == (OutgoingState.WAITING, office.clock.now() + 10_000)
    after = await office.interaction(mail.id)
    assert (after.last_from, after.waits_since, after.state) == ("agent", None, State.ACTIVE)


async def test_it_is_sent_after_the_time_to_take_it_back(office: Office) -> None:
    mail = await office.mail()
    await office.reply(mail)
    await office.wait(9)
    assert office.postbox.taken == []

    await office.wait(2)

    (sent,) = office.postbox.taken
    assert (sent.text, sent.sender, sent.subject, sent.to) == (
        "It comes tomorrow.",
        "Ann Example",
        "Re: Tent",
        (CUSTOMER,),
    )
    assert (sent.in_reply_to, sent.references, sent.signature) == (
        "<one@customer.test>",
        ("<one@customer.test>",),
        "Ann Example",
    )
    assert sent.quoted is not None
    assert (sent.quoted.text, sent.quoted.sender) == ("Where is my tent?", CUSTOMER)
    (outgoing,) = await office.outgoing(mail)
    assert (outgoing.state, outgoing.sent_at, outgoing.attempts) == (OutgoingState.SENT, sent.at, 1)
    assert sent.at == outgoing.created_at + 10_000
    assert [event.kind for event in await office.events(mail)] == ["letter_due", "letter_sent"]


async def test_repeated_letter_is_stored_and_sent_once(office: Office) -> None:
    mail = await office.mail()
    first = await office.reply(mail, client_id="x1")
    again = await office.reply(mail, "Other words.", client_id="x1")
    assert again == first

    await office.wait(30)
    last = await office.reply(mail, client_id="x1")

    assert last.outgoing is not None
    assert (last.outgoing.state, len(office.postbox.taken)) == (OutgoingState.SENT, 1)
    assert len(await office.messages(mail)) == 2


async def test_references_grow_along_the_thread(office: Office) -> None:
    mail = await office.mail(refers_to=("<zero@customer.test>",))
    first = await office.reply(mail)
    await office.arrives(
        mail,
        "Thanks",
        provider_id="<two@customer.test>",
        refers_to=(*first.envelope.refers_to, first.envelope.provider_id),
    )
    second = await office.reply(mail, "Welcome")
    assert second.envelope.refers_to == (
        "<zero@customer.test>", "<one@customer.test>", first.envelope.provider_id, "<two@customer.test>",
    )  # fmt: skip


async def test_an_answer_is_to_the_letter_also_of_programs_that_refer_to_their_own(office: Office) -> None:
    own, earlier = "<one@customer.test>", "<zero@customer.test>"
    mail = await office.mail(provider_id=own, refers_to=(own, earlier))
    answer = await office.reply(mail)
    assert answer.envelope.refers_to == (earlier, own)


@pytest.mark.parametrize("then", ["park", "wrap_up"])
async def test_what_comes_afterwards_is_one_transaction_with_it(office: Office, then: str) -> None:
    mail = await office.mail()
    held = (await office.agent("ann")).held
    await office.reply(mail, then=then)
    after = await office.interaction(mail.id)
    assert after.state is (State.PARKED if then == "park" else State.WRAPPING)
    assert (await office.agent("ann")).held == (held - 20 if then == "park" else held)


async def test_a_colleagues_newer_letter_stops_one_that_did_not_see_it(office: Office) -> None:
    mail = await office.mail()
    await office.reply(mail, "From Ann")
    scope = await office.scope("ann")
    await office.hub.services.handling.transfer(mail.id, scope, agent="bob")
    await office.settle()
    await office.accept("bob")
    with pytest.raises(Stale):
        await office.reply(mail, "From Bob", agent="bob", seen_n=1)
    await office.reply(mail, "From Bob", agent="bob", seen_n=1, anyway=True)
    assert [letter.mode for letter in await office.outgoing(mail)] == ["reply", "reply"]


async def test_others_and_closed_interactions_take_no_letters(office: Office) -> None:
    mail = await office.mail()
    with pytest.raises(Closed):
        await office.reply(mail, agent="bob")
    scope = await office.scope("ann")
    await office.hub.services.handling.wrap_up(mail.id, scope)
    await office.reply(mail, "One more word in wrap-up.")
    await office.hub.services.handling.complete(mail.id, scope, "solved")
    with pytest.raises(Closed):
        await office.reply(mail, "Too late.")
    chat = await office.chat()
    with pytest.raises((BadRequest, Closed)):
        await office.reply(chat)
    assert len(await office.outgoing(mail)) == 1


@pytest.mark.parametrize(
    ("letter", "error"),
    [
        ({"text": "  "}, BadRequest),
        ({"text": "x" * 50_001}, TooLarge),
        ({"subject": "x" * 501}, TooLarge),
        ({"to": (Party("nobody"),)}, BadRequest),
        ({"to": (Party("a@b.test\r\nBcc: eve@evil.test"),)}, BadRequest),
        ({"to": (Party("a@b.test, eve@evil.test"),)}, BadRequest),
        ({"cc": tuple(Party(f"a{n}@b.test") for n in range(60))}, TooLarge),
        ({"files": ("f-none",)}, NotFound),
        ({"mode": "new"}, BadRequest),
        ({"answers_n": 7}, NotFound),
        ({"mode": "forward"}, BadRequest),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_leaves_nothing(
    office: Office, letter: dict[str, Any], error: type[Exception]
) -> None:
    mail = await office.mail()
    with pytest.raises(error):
        await office.reply(mail, **letter)
    assert (len(await office.messages(mail)), await office.outgoing(mail)) == (1, [])


async def test_subject_and_names_are_one_clean_line(office: Office) -> None:
    mail = await office.mail()
    view = await office.reply(
        mail, subject="Tent\r\nBcc: eve@evil.test\x00", to=(Party("li@b.test", "Li\r\nWei\u202e\x00"),)
    )
    assert view.envelope.subject == "Tent Bcc: eve@evil.test"
    assert view.envelope.recipients == (Party("li@b.test", "Li Wei"),)


async def test_copies_are_kept_and_nobody_gets_it_twice(office: Office) -> None:
    mail = await office.mail()
    view = await office.reply(
        mail, to=(CUSTOMER,), cc=(Party("LI.WEI@customer.test"), BOSS), bcc=(BOSS, Party("audit@example.com"))
    )
    assert (view.envelope.recipients, view.envelope.cc, view.envelope.bcc) == (
        (CUSTOMER,), (BOSS,), (Party("audit@example.com"),),
    )  # fmt: skip


# -- who gets it


async def test_reply_all_leaves_own_addresses_out(office: Office) -> None:
    mail = await office.mail(recipients=(OWN, BOSS), cc=(Party("HELP@example.test"), EVE, CUSTOMER))
    scope = await office.scope("ann")
    suggested = await office.hub.services.letters.suggest(mail.id, scope, "reply_all")
    assert (suggested.to, suggested.cc) == ((CUSTOMER, BOSS), (EVE,))
    view = await office.reply(mail, mode="reply_all")
    assert (view.envelope.recipients, view.envelope.cc) == (suggested.to, suggested.cc)


@pytest.mark.parametrize(
    ("reply_to", "authenticity", "to", "passed_over"),
    [
        (Party("other@mail.customer.test"), Authenticity.UNKNOWN, Party("other@mail.customer.test"), ()),
        (EVE, Authenticity.UNKNOWN, CUSTOMER, (EVE,)),
        (EVE, Authenticity.DISPROVED, CUSTOMER, (EVE,)),
        (EVE, Authenticity.PROVED, EVE, ()),
        (Party("eve@evilcustomer.test"), Authenticity.UNKNOWN, CUSTOMER, (Party("eve@evilcustomer.test"),)),
    ],
)
async def test_reply_to_counts_when_aligned_or_proved(
    office: Office, reply_to: Party, authenticity: Authenticity, to: Party, passed_over: tuple[Party, ...]
) -> None:
    mail = await office.mail(reply_to=(reply_to,), authenticity=authenticity)
    suggested = await office.hub.services.letters.suggest(mail.id, await office.scope("ann"), "reply")
    assert (suggested.to, suggested.passed_over) == ((to,), passed_over)


async def test_a_reply_to_of_our_own_does_not_leave_the_sender_out(office: Office) -> None:
    mail = await office.mail(reply_to=(OWN,), authenticity=Authenticity.PROVED)
    for mode in ("reply", "reply_all"):
        suggested = await office.hub.services.letters.suggest(mail.id, await office.scope("ann"), mode)
        assert suggested.to == (CUSTOMER,)


async def test_following_up_goes_to_the_same_people(office: Office) -> None:
    mail = await office.mail()
    first = await office.reply(mail, cc=(BOSS,))
    scope = await office.scope("ann")
    suggested = await office.hub.services.letters.suggest(mail.id, scope, "reply_all", first.envelope.n)
    assert (suggested.to, suggested.cc, suggested.subject) == ((CUSTOMER,), (BOSS,), "Re: Tent")


async def test_forward_takes_words_and_files_along(office: Office) -> None:
    mail = await office.mail()
    file_id = await upload(office, mail.id, "photo.txt", by="customer")
    refs = await office.hub.services.files.refs(mail.id, [file_id], by="customer")
    n = await office.arrives(mail, "A photo", files=tuple(refs), subject="Photo", provider_id="<two@customer.test>")
    scope = await office.scope("ann")
    suggested = await office.hub.services.letters.suggest(mail.id, scope, "forward", n)
    assert (suggested.to, suggested.subject, suggested.files) == ((), "Fwd: Photo", tuple(refs))

    await office.reply(
        mail, "Please look.", mode="forward", answers_n=n, to=(BOSS,), subject=suggested.subject, files=(file_id,)
    )
    await office.wait(11)

    (sent,) = office.postbox.taken
    assert (sent.mode, sent.to, sent.references) == ("forward", (BOSS,), ())
    assert sent.quoted is not None
    assert sent.quoted.text == "A photo"
    assert [(file.name, file.path.read_bytes()) for file in sent.files] == [("photo.txt", b"Label")]


async def test_a_forward_takes_along_as_many_files_as_came(office: Office) -> None:
    mail = await office.mail()
    ids = [await upload(office, mail.id, f"photo {number}.txt", by="customer") for number in range(12)]
    await office.reply(mail, "Please look.", mode="forward", to=(BOSS,), files=tuple(ids))
    await office.wait(11)
    assert len(office.postbox.taken[0].files) == 12
    with pytest.raises(BadRequest):
        await office.reply(mail, "Again.", mode="forward", to=(BOSS,), files=(ids[0], ids[0]))


async def test_files_of_other_interactions_stay_there(office: Office) -> None:
    mine, other = await office.mail(), await office.mail(sender=BOSS, provider_id="<b@customer.test>")
    file_id = await upload(office, other.id)
    with pytest.raises(NotFound):
        await office.reply(mine, files=(file_id,))


# -- beginning


def new(**more: object) -> NewLetter:
    fields = {"client_id": "n1", "text": "Hello", "subject": "Your order", "to": (CUSTOMER,), "mode": "new"}
    return NewLetter(**{**fields, **more})  # type: ignore[arg-type]


async def test_an_agent_writes_first(office: Office) -> None:
    letters, scope = office.hub.services.letters, await office.scope("ann")
    file_id = await upload(office, "")
    begun, view = await letters.begin(scope, "help", "support", new(files=(file_id,)))
    again, same = await letters.begin(scope, "help", "support", new(files=(file_id,)))
    assert (again.id, same.envelope) == (begun.id, view.envelope)
    await office.wait(11)

    after = await office.interaction(begun.id)
    assert (after.state, after.agent, after.kind, after.address) == (
        State.ACTIVE,
        "ann",
        "email",
        "li.wei@customer.test",
    )
    assert ((await office.agent("ann")).held, after.units) == (20, 20)
    (sent,) = office.postbox.taken
    assert (sent.references, sent.quoted, [file.name for file in sent.files]) == ((), None, ["label.txt"])
    assert office.hub.monitor is not None
    assert office.hub.services.floor.violations == 0


async def test_writing_first_belongs_to_the_known_customer(office: Office) -> None:
    mail = await office.mail()
    begun, _ = await office.hub.services.letters.begin(await office.scope("bob"), "help", "support", new(then="park"))
    assert (begun.customer, begun.state, begun.units) == (mail.customer, State.PARKED, 0)
    assert (await office.agent("bob")).held == 0


async def test_writing_first_needs_room_and_a_queue_of_ones_own(office: Office) -> None:
    letters, scope = office.hub.services.letters, await office.scope("ann")
    for number in range(5):
        await letters.begin(scope, "help", "support", new(client_id=f"n{number}"))
    with pytest.raises(Conflict):
        await letters.begin(scope, "help", "support", new(client_id="n9"))
    with pytest.raises(NotFound):
        await letters.begin(scope, "help", "nowhere", new())
    with pytest.raises(BadRequest):
        await letters.begin(scope, "site", "support", new())
    with pytest.raises(NotFound):
        await letters.begin(scope, "help", "support", new(client_id="n9", then="park"), customer="c-none")


async def test_a_colleagues_upload_is_not_attached(office: Office) -> None:
    file_id = await upload(office, "", by="agent:bob")
    with pytest.raises(NotFound):
        await office.hub.services.letters.begin(await office.scope("ann"), "help", "support", new(files=(file_id,)))


# -- taking back, scheduling, drafts


async def test_taken_back_it_is_a_draft_again_and_the_customer_waits(office: Office) -> None:
    mail = await office.mail()
    view = await office.reply(mail, cc=(BOSS,), bcc=(EVE,))
    letters, scope = office.hub.services.letters, await office.scope("ann")

    drafted = await letters.take_back(mail.id, view.envelope.n, scope)
    await office.wait(60)

    assert office.postbox.taken == []
    assert drafted == DraftedLetter(
        mode="reply", answers_n=1, subject="Re: Tent", to=(CUSTOMER,), cc=(BOSS,), bcc=(EVE,)
    )
    draft = await letters.draft(mail.id, scope)
    assert draft is not None
    assert (draft.text, draft.letter) == ("It comes tomorrow.", drafted)
    assert (await office.interaction(mail.id)).waits_since == mail.waits_since
    assert [letter.state for letter in await office.outgoing(mail)] == [OutgoingState.CANCELLED]
    assert [event.kind for event in await office.events(mail)] == ["letter_due", "letter_cancelled"]
    with pytest.raises(Conflict):
        await letters.take_back(mail.id, view.envelope.n, scope)

    again = await office.reply(mail)
    assert again.envelope.refers_to == ("<one@customer.test>",)
    assert await letters.draft(mail.id, scope) is None


@pytest.mark.parametrize("stops_at", ["before", "after"])
async def test_on_its_way_it_cannot_be_taken_back(office: Office, stops_at: str) -> None:
    mail = await office.mail()
    office.postbox.stops_at = stops_at
    view = await office.reply(mail)
    await office.wait(11)
    with pytest.raises(Conflict):
        await office.hub.services.letters.take_back(mail.id, view.envelope.n, await office.scope("ann"))
    office.postbox.go.set()
    await office.settle()
    assert [letter.state for letter in await office.outgoing(mail)] == [OutgoingState.SENT]


async def test_only_its_people_take_it_back(office: Office) -> None:
    mail = await office.mail()
    view = await office.reply(mail)
    letters = office.hub.services.letters
    with pytest.raises(Forbidden):
        await letters.take_back(mail.id, view.envelope.n, await office.scope("bob"))
    with pytest.raises(NotFound):
        await letters.take_back(mail.id, 1, await office.scope("ann"))
    await letters.take_back(mail.id, view.envelope.n, await office.scope("sue"))


async def test_a_scheduled_letter_goes_at_its_time(office: Office) -> None:
    mail = await office.mail()
    at = office.clock.now() + 60_000
    await office.reply(mail, send_at=at, then="park")
    await office.wait(59)
    assert office.postbox.taken == []
    await office.wait(2)
    (sent,) = office.postbox.taken
    assert at <= sent.at <= office.clock.now(), "its date is not that of its writing"
    for wrong in (office.clock.now() - 3_600_000, office.clock.now() + 100 * 86_400_000):
        with pytest.raises(BadRequest):
            await office.reply(mail, send_at=wrong)


async def test_drafts_keep_their_envelope(office: Office) -> None:
    mail = await office.mail()
    letters, scope = office.hub.services.letters, await office.scope("ann")
    letter = DraftedLetter(mode="forward", answers_n=1, subject="Fwd: Tent", to=(BOSS,), cc=(Party("half@"),))
    await letters.save_draft(mail.id, scope, "Please", letter)
    await letters.save_draft("", scope, "New words", DraftedLetter(to=(CUSTOMER,)))
    kept, fresh = await letters.draft(mail.id, scope), await letters.draft("", scope)
    assert kept is not None
    assert fresh is not None
    assert (kept.text, kept.letter, fresh.text) == ("Please", letter, "New words")
    assert await letters.draft(mail.id, await office.scope("bob")) is None

    await letters.save_draft(mail.id, scope, "", DraftedLetter())
    assert await letters.draft(mail.id, scope) is None
    with pytest.raises(NotFound):
        await letters.save_draft("i-none", scope, "x", letter)


async def test_signatures_are_the_agents_own(office: Office) -> None:
    mail = await office.mail()
    letters, scope = office.hub.services.letters, await office.scope("ann")
    await letters.set_signature(scope, "Ann from support")
    assert (await letters.suggest(mail.id, scope, "reply")).signature == "Ann from support"
    view = await office.reply(mail)
    plain = await office.reply(mail, "No name.", with_signature=False)
    assert view.outgoing is not None
    assert plain.outgoing is not None
    assert (view.outgoing.signature, plain.outgoing.signature) == ("Ann from support", "")
    with pytest.raises(TooLarge):
        await letters.set_signature(scope, "x" * 3_000)


async def test_letters_are_seen_with_their_interaction_only(office: Office) -> None:
    mail = await office.mail()
    await office.reply(mail)
    letters = office.hub.services.letters
    views = await letters.of(mail.id, await office.scope("sue"))
    assert [(view.envelope.n, view.outgoing is not None) for view in views] == [(1, False), (2, True)]
    with pytest.raises(NotFound):
        await letters.of(new_id("i"), await office.scope("sue"))
