"""The outbox: each letter is sent once, tried again, failed or marked uncertain; none is lost, whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.contract import OutboundMessage, Receipt
from hub.domain.correspondence import Outgoing, OutgoingState, Party, Refusal
from hub.domain.errors import ChannelUnavailable, Conflict, DeliveryUncertain, MessageRejected
from hub.domain.interaction import Interaction
from hub.services.files import FileStore
from hub.services.flows.answer_links import AnswerLinks
from hub.services.letters.delivery import Delivery
from hub.services.letters.outbound import Loader
from hub.storage.tables import OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.office import CUSTOMER, Office, open_office

BOSS = Party("boss@customer.test", "Boss")
GREYLISTED = ChannelUnavailable("4.7.1 Come back later", status="451")
BROKEN = DeliveryUncertain("The line broke.")


def early(error: Exception) -> Exception:
    """An error before the provider could have taken the letter."""
    error.is_early = True  # type: ignore[attr-defined]
    return error


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    opened = await open_office(tmp_path, database_url)
    await opened.available("ann")
    yield opened
    opened.clock.settle = None
    await opened.hub.stop()


async def one(office: Office, mail: Interaction) -> Outgoing:
    (letter,) = await office.outgoing(mail)
    return letter


async def kinds(office: Office, mail: Interaction) -> list[str]:
    return [str(event.kind).removeprefix("letter_") for event in await office.events(mail)]


def other_node(office: Office, node: str = "other") -> Delivery:
    """Another node's worker on the same database, with the same channels."""
    services = office.hub.services
    files = FileStore(services.store, office.hub.settings, office.clock, b"k" * 40)
    links = AnswerLinks(b"k" * 40, office.hub.settings.server.public_url)
    loader = Loader(services.store, files, {channel.id: channel for channel in office.hub.channels}, links)
    return Delivery(services.store, office.hub.settings, services.bus, office.clock, loader, node=node)


async def changed(office: Office, letter: Outgoing, **fields: Any) -> None:
    """Write an outbox row as a node that died left it."""

    async def unit(tx: UnitOfWork) -> None:
        await tx.save(OUTGOING, msgspec.structs.replace(letter, **fields))

    await office.hub.services.store.write(unit)
    await office.settle()


async def test_what_is_put_off_is_tried_again_ever_later_and_given_up(office: Office) -> None:
    mail = await office.mail()
    office.postbox.answers = [early(GREYLISTED)] * 30
    await office.reply(mail)
    await office.wait(11)
    waits = []
    for _ in range(5):
        letter = await one(office, mail)
        assert (letter.state, letter.problem, letter.status) == (OutgoingState.WAITING, "4.7.1 Come back later", "451")
        waits.append((letter.due_at - office.clock.now()) / 1000)
        await changed(office, letter, due_at=office.clock.now())
        await office.wait(1)
    for number, wait_s in enumerate(waits):
        assert 0.79 * 60 * 2**number <= wait_s <= 1.21 * 60 * 2**number
    assert len(office.postbox.tries) == 6

    letter = await one(office, mail)
    await changed(office, letter, due_at=office.clock.now(), tried_since=office.clock.now() - 172_800_000)
    await office.wait(1)

    letter = await one(office, mail)
    assert (letter.state, letter.problem) == (OutgoingState.FAILED, "Given up after many tries. 4.7.1 Come back later")
    assert (await kinds(office, mail))[-2:] == ["delayed", "failed"]


async def test_a_wait_never_exceeds_the_longest_and_respects_the_providers_wish(office: Office) -> None:
    mail = await office.mail()
    office.postbox.answers = [early(ChannelUnavailable("Slow down", retry_after_s=900))]
    await office.reply(mail)
    await office.wait(11)
    letter = await one(office, mail)
    assert letter.due_at - office.clock.now() >= 890_000
    office.postbox.answers = [early(GREYLISTED)]
    await changed(office, letter, due_at=office.clock.now(), attempts=40)
    await office.wait(1)
    assert (await one(office, mail)).due_at - office.clock.now() <= 1.21 * 14_400_000


async def test_refusal_is_shown_at_once_and_can_be_tried_again(office: Office) -> None:
    mail = await office.mail()
    refused = (Refusal("li.wei@customer.test", "550 5.1.1", "No such user"),)
    office.postbox.answers = [MessageRejected("No such user", "550 5.1.1", refused)]
    view = await office.reply(mail)
    await office.wait(60)

    letter = await one(office, mail)
    assert (letter.state, letter.status, letter.problem, letter.attempts) == (
        OutgoingState.FAILED, "550 5.1.1", "No such user", 1,
    )  # fmt: skip
    assert letter.refused == refused
    await office.hub.services.letters.try_again(mail.id, view.envelope.n, await office.scope("ann"))
    await office.wait(1)
    assert (await one(office, mail)).state is OutgoingState.SENT
    assert await kinds(office, mail) == ["due", "failed", "due", "sent"]
    with pytest.raises(Conflict):
        await office.hub.services.letters.try_again(mail.id, view.envelope.n, await office.scope("ann"))


async def test_recipients_are_settled_one_by_one(office: Office) -> None:
    mail = await office.mail()

    def partly(message: OutboundMessage) -> Receipt:
        return Receipt(
            provider_id=message.provider_id,
            refused=(
                Refusal("boss@customer.test", "450", "Mailbox busy", is_final=False),
                Refusal("gone@customer.test", "550", "No such user"),
            ),
        )

    office.postbox.answers = [partly]
    view = await office.reply(mail, cc=(BOSS, Party("gone@customer.test")))
    await office.wait(11)
    letter = await one(office, mail)
    assert (letter.state, letter.accepted, letter.problem) == (
        OutgoingState.WAITING,
        (CUSTOMER.address,),
        "Mailbox busy",
    )
    with pytest.raises(Conflict):
        await office.hub.services.letters.take_back(mail.id, view.envelope.n, await office.scope("ann"))

    await office.wait(90)

    letter = await one(office, mail)
    assert office.postbox.tries[1].pending == (BOSS.address,)
    assert (letter.state, letter.accepted) == (OutgoingState.SENT, (CUSTOMER.address, BOSS.address))
    assert [(refusal.address, refusal.is_final) for refusal in letter.refused] == [("gone@customer.test", True)]

    await office.hub.services.letters.try_again(mail.id, view.envelope.n, await office.scope("ann"))
    await office.wait(1)
    assert office.postbox.tries[2].pending == ("gone@customer.test",)


async def test_broken_line_after_the_words_is_uncertain_until_a_person_decides(office: Office) -> None:
    mail = await office.mail()
    office.postbox.answers = [BROKEN]
    view = await office.reply(mail)
    await office.wait(200)
    letter = await one(office, mail)
    assert (letter.state, letter.problem, len(office.postbox.taken)) == (OutgoingState.UNCERTAIN, "The line broke.", 1)

    decided = await office.hub.services.letters.consider_sent(mail.id, view.envelope.n, await office.scope("ann"))
    assert decided.state is OutgoingState.SENT
    await office.wait(10)
    assert len(office.postbox.taken) == 1
    assert await kinds(office, mail) == ["due", "uncertain", "sent"]


@pytest.mark.parametrize(("is_early", "state"), [(True, OutgoingState.WAITING), (False, OutgoingState.UNCERTAIN)])
async def test_a_defect_in_the_channel_never_loses_a_letter(
    office: Office, is_early: bool, state: OutgoingState
) -> None:
    mail = await office.mail()
    office.postbox.answers = [early(ValueError("bug")) if is_early else ValueError("bug")]
    await office.reply(mail)
    await office.wait(11)
    assert (await one(office, mail)).state is state


# -- dying


async def test_claimed_and_died_before_the_words_it_is_sent_by_the_node_that_comes_back(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "before"
    await office.reply(mail)
    await office.wait(11)
    await office.hub.services.delivery.stop()
    assert ((await one(office, mail)).state, len(office.postbox.tries)) == (OutgoingState.WAITING, 1)

    office.postbox.stops_at = ""
    await office.hub.services.delivery.start()
    await office.wait(1)

    assert ((await one(office, mail)).state, len(office.postbox.taken)) == (OutgoingState.SENT, 1)


async def test_died_after_the_words_it_is_uncertain_and_not_sent_again(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "after"
    await office.reply(mail)
    await office.wait(11)
    assert (await one(office, mail)).state is OutgoingState.SENDING
    await office.hub.services.delivery.stop()

    office.postbox.stops_at = ""
    await office.hub.services.delivery.start()
    await office.wait(1)

    assert ((await one(office, mail)).state, len(office.postbox.taken)) == (OutgoingState.UNCERTAIN, 1)


@pytest.mark.parametrize(
    ("state", "after", "taken"),
    [(OutgoingState.WAITING, OutgoingState.SENT, 1), (OutgoingState.SENDING, OutgoingState.UNCERTAIN, 0)],
)
async def test_another_nodes_letter_is_settled_when_its_lease_ran_out(
    office: Office, state: OutgoingState, after: OutgoingState, taken: int
) -> None:
    mail = await office.mail()
    await office.reply(mail)
    letter = await one(office, mail)
    await changed(office, letter, state=state, holder="dead", lease_until=office.clock.now() + 30_000)
    await office.wait(25)
    assert ((await one(office, mail)).state, office.postbox.taken) == (state, [])
    await office.wait(15)
    assert ((await one(office, mail)).state, len(office.postbox.taken)) == (after, taken)


@pytest.mark.parametrize("nodes", [("a", "b"), ("b", "a")])
async def test_two_nodes_send_each_letter_once(office: Office, nodes: tuple[str, str]) -> None:
    await office.hub.services.delivery.stop()
    mail = await office.mail()
    for number in range(6):
        await office.reply(mail, f"Letter {number}")
    workers = [other_node(office, node) for node in nodes]
    await office.wait(11)
    await asyncio.gather(*(worker.start() for worker in workers))
    await office.wait(30)

    assert sorted(message.text for message in office.postbox.taken) == [f"Letter {number}" for number in range(6)]
    assert {letter.state for letter in await office.outgoing(mail)} == {OutgoingState.SENT}
    for worker in workers:
        await worker.stop()


async def test_slow_provider_keeps_the_lease_and_its_own_word_counts(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "after"
    await office.reply(mail)
    await office.wait(11)
    other = other_node(office)
    await other.start()
    await office.wait(170)
    assert (await one(office, mail)).state is OutgoingState.SENDING

    office.postbox.go.set()
    await office.settle()
    assert ((await one(office, mail)).state, len(office.postbox.taken)) == (OutgoingState.SENT, 1)
    await other.stop()


async def test_node_that_slept_through_its_lease_sends_nothing(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "before"
    await office.reply(mail)
    await office.wait(11)
    letter = await one(office, mail)
    await changed(office, letter, holder="other", attempts=letter.attempts + 1)
    office.postbox.stops_at = ""
    office.postbox.go.set()
    await office.settle()
    assert office.postbox.taken == []


async def test_word_that_comes_late_settles_what_looked_uncertain(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "after"
    await office.reply(mail)
    await office.wait(11)
    letter = await one(office, mail)
    await changed(office, letter, state=OutgoingState.UNCERTAIN, lease_until=0)
    office.postbox.go.set()
    await office.settle()
    assert (await one(office, mail)).state is OutgoingState.SENT


# -- pace


async def test_a_mailbox_sends_at_its_pace(database_url: str, tmp_path: Path) -> None:
    office = await open_office(tmp_path, database_url, at_once=1, per_minute=3)
    await office.available("ann")
    mail = await office.mail()
    for number in range(5):
        await office.reply(mail, f"Letter {number}")
    await office.wait(15)
    assert [message.text for message in office.postbox.taken] == ["Letter 0", "Letter 1", "Letter 2"]
    await office.wait(60)
    assert len(office.postbox.taken) == 5
    office.clock.settle = None
    await office.hub.stop()


async def test_no_more_than_allowed_are_sent_at_once(office: Office) -> None:
    mail = await office.mail()
    office.postbox.stops_at = "after"
    for number in range(5):
        await office.reply(mail, f"Letter {number}")
    await office.wait(20)
    assert len(office.postbox.taken) == 2
    office.postbox.stops_at = ""
    office.postbox.go.set()
    await office.settle()
    await office.wait(1)
    assert len(office.postbox.taken) == 5


async def test_missing_file_fails_with_its_name(office: Office) -> None:
    mail = await office.mail()

    async def body() -> AsyncIterator[bytes]:
        yield b"Label"

    stored = await office.hub.services.files.store(mail.id, "label.txt", body(), by="ann", limit=100)
    await office.reply(mail, files=(stored.id,))
    office.hub.services.files.path(stored.id).unlink()
    await office.wait(11)
    letter = await one(office, mail)
    assert (letter.state, letter.problem) == (OutgoingState.FAILED, "The file 'label.txt' is gone.")
