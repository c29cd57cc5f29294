"""Simulated texters on a street: they write, answer what comes, look at it, and may want no more in the end."""

import pytest

from channels.simulator.carrier.pockets import Pocket
from channels.simulator.scripts import Library
from channels.simulator.tempo import Tempo
from channels.simulator.texters import MOST_AT_ONCE, Texters, TextLine
from tests.unit.carrier.street import BASE, BOB, LINE, Street, response

CHAT_LINE = f"whatsapp:{LINE}"
ANSWER = response("<Message>Certainly. Is there anything else I can do for you?</Message>")


def texters(street: Street, *, sender: str = LINE, languages: tuple[str, ...] = ("en",), rate: float = 0.0) -> Texters:
    lines = [TextLine(sender=sender, languages=languages)]
    return Texters(street.carrier, lines, Library.load(), Tempo(street.clock), rate=rate, seed=3)


def pockets(street: Street) -> list[Pocket]:
    return [one for one in street.carrier.post.handsets.values() if isinstance(one, Pocket)]


@pytest.mark.parametrize(("language", "word"), [("en", "STOP"), ("zh", "退订")])
async def test_texter_is_answered_and_opts_out(street: Street, language: str, word: str) -> None:
    street.customer.on("/sms", reply=ANSWER)
    people = texters(street, languages=(language,))
    people.write(opts_out=True)
    await street.wait(1800)
    said = [request["Body"] for request in street.customer.at("/sms")]
    assert said[-1] == word
    assert len(said) > 2
    assert (people.tally.written, people.tally.opted_out) == (1, 1)
    assert pockets(street) == []
    await people.stop()


async def test_texter_whom_nobody_answers_puts_the_telephone_away(street: Street) -> None:
    people = texters(street)
    people.write()
    await street.wait(1000)
    assert len(street.customer.at("/sms")) == 1
    assert people.tally.answered == 0
    assert pockets(street) == []
    await people.stop()


async def test_chat_app_says_who_writes_and_that_it_was_read(street: Street) -> None:
    people = texters(street, sender=CHAT_LINE)
    people.write(opts_out=False)
    await street.wait(1)
    asked = street.customer.at("/sms")[0]
    assert asked["ProfileName"]
    street.post(
        "Messages.json", To=asked["From"], From=CHAT_LINE, Body="One moment.", StatusCallback=f"{BASE}/delivery"
    )
    await street.wait(10)
    assert [one["MessageStatus"] for one in street.customer.at("/delivery")][-1] == "read"
    await people.stop()


async def test_people_come_by_themselves_but_never_too_many_at_once(street: Street) -> None:
    people = texters(street, rate=6.0)
    await people.start()
    await street.wait(60)
    few = people.tally.written
    await street.wait(540)
    assert 0 < few < MOST_AT_ONCE == people.tally.written == len(pockets(street))
    await people.stop()
    assert pockets(street) == []


async def test_pocket_keeps_both_sides_and_tells_only_the_sender_on_a_chat_app(street: Street) -> None:
    pocket = Pocket()
    street.carrier.post.handsets[BOB] = pocket
    pocket.keep(await street.carrier.person_writes(BOB, LINE, "Hello"))
    street.post("Messages.json", To=BOB, From=LINE, Body="Hello to you.")
    await street.wait(10)
    assert [message.body for message in pocket.messages] == ["Hello", "Hello to you."]
    assert [message.body for message in pocket.unread()] == ["Hello to you."]
    assert pocket.unread() == []
    street.carrier.post.looked_at(pocket.messages[1])
    assert pocket.messages[1].status == "delivered"
