"""Callers in self-service: keys and speech, over the carrier's own protocol, to a solution or to a person."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from channels.simulator.carrier.phones import HangUp, Press, Say, Step, Wait, WaitFor
from hub.demo.erp import Erp as Company
from hub.domain.calls import CallerSaid, Direction
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.flows.session import Fetch, LookedUp, Session
from hub.storage.tables import FLOW_SESSIONS, NOTES
from tests.integration.phones import AgentPhone, PhoneHouse, phone_house

ORDER_ASKED = "What are the five digits"

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


class Erp:
    """The demo company's system, without a network between."""

    async def fetch(self, wish: Fetch) -> LookedUp:
        """Look something up."""
        found = Company().answer(wish.method, wish.path, NOW)
        return LookedUp(id=f"l{wish.id}", fetch=wish.id, outcome="found" if found else "not_found", values=found)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub whose line begins in the main menu."""
    async with phone_house(
        tmp_path, f"sqlite:///{tmp_path}/hub.db", flow="main-menu", languages=["en", "zh"]
    ) as opened:
        opened.desk.hub.services.self_service.fetcher = Erp()
        yield opened
        assert opened.bad_documents() == []


async def called(house: PhoneHouse, *script: Step) -> tuple[Interaction, list[str]]:
    """Somebody calls and does this until they wait for a person or are gone; returns that, and what was said."""
    line = house.calls(script=script)
    await house.wait(1)
    (interaction,) = await house.interactions()
    for _ in range(30):
        await house.wait(5)
        interaction = (await house.interactions())[0]
        if line.is_over or interaction.state is not State.SELF_SERVICE:
            break
    return interaction, [sound.text for sound in line.hearing.sounds if sound.kind == "say"]


async def published(house: PhoneHouse, text: str) -> None:
    """Let the line begin in another flow of that name."""
    await house.desk.hub.services.self_service.library.publish(text, author="ada")


async def session_of(house: PhoneHouse, interaction: Interaction) -> Session:
    stored = await house.desk._rows(FLOW_SESSIONS, "WHERE interaction = $1", interaction.id)
    return msgspec.json.decode(stored[-1].body, type=Session)


async def test_a_caller_asks_for_an_order_by_keys_and_is_served(house: PhoneHouse) -> None:
    interaction, heard = await called(
        house,
        WaitFor("For Order status, press 1"), Press("1"),
        WaitFor(ORDER_ASKED), Press("10000"),
        WaitFor("anything else"), Press("2"),
        WaitFor("how satisfied"), Press("5#"),
        WaitFor("add something"), Press("2"),
    )  # fmt: skip
    assert interaction.state is State.RESOLVED
    assert interaction.closing_reason is ClosingReason.SELF_SERVED
    assert heard[0] == "Welcome to Fernway."
    assert any(text.startswith("It is on its way with") for text in heard)
    assert heard[-1] == "Thank you."
    assert (await session_of(house, interaction)).answers["stars"] == 5


async def test_a_caller_who_speaks_gets_to_a_person_with_all_that_was_said(house: PhoneHouse) -> None:
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    line = house.calls(
        script=(
            WaitFor("What is it about"), Say("where is my parcel"),
            WaitFor(ORDER_ASKED), Say("one zero zero zero zero"),
            WaitFor("anything else"), Say("I want to talk to an agent"),
        )
    )  # fmt: skip
    while not await house.desk.live_offers(agent="ann"):
        await house.wait(2)
    accepted = await house.desk.accept("ann")
    await house.wait(3)

    interaction = await house.desk.interaction(accepted.id)
    assert interaction.state is State.ACTIVE
    assert not line.is_over
    session = await session_of(house, interaction)
    assert (session.outcome, session.reason) == ("queued", "asked")
    assert session.answers == {"topic": "order", "order": "FW-10000"}
    notes = await house.desk._rows(NOTES, "WHERE interaction = $1", interaction.id)
    assert "order FW-10000" in notes[0].text
    said = [(message.author, message.text) for message in await house.desk.messages(interaction)]
    assert ("customer", "where is my parcel") in said
    assert ("system", "Is there anything else I can do?") in said


async def test_silence_leads_to_the_queue(house: PhoneHouse) -> None:
    interaction, heard = await called(house, Wait(200))
    assert interaction.state is State.QUEUED
    assert any("still there" in text for text in heard)
    session = await session_of(house, interaction)
    assert (session.outcome, session.reason) == ("queued", "silent")


async def test_an_answer_told_twice_counts_once_and_gets_the_same_words(house: PhoneHouse) -> None:
    line = house.calls()
    await house.wait(5)
    (interaction,) = await house.interactions()
    before = await session_of(house, interaction)
    calls, key = house.desk.hub.services.calls, CallerSaid(digits="1")
    turn = f"q{before.timer}.0"
    first = await calls.answered("hotline", line.sid, turn, key)
    again = await calls.answered("hotline", line.sid, turn, key)
    late = await calls.answered("hotline", line.sid, turn, CallerSaid(digits="2"))
    silent = await calls.answered("hotline", line.sid, turn, CallerSaid())
    odd = await calls.answered("hotline", line.sid, "'; --", CallerSaid(text="x" * 1_000_000))

    assert first == again == late == silent == odd
    assert first.then == "listen"
    assert first.say[0].text.startswith(ORDER_ASKED)
    after = await session_of(house, interaction)
    assert [visit.step for visit in after.path] == ["hello", "menu", "order", "number"]
    asked_again = await calls.waiting("hotline", line.sid)
    assert asked_again == first
    line.hang_up()
    await house.wait(1)


async def test_a_message_that_a_flow_takes_is_work_for_its_queue(house: PhoneHouse) -> None:
    await published(
        house,
        """
flow: main-menu
title: {en: Test}
languages: [en]
channels: [phone]
person: {queue: support}
steps:
  words: {leave_message: billing, text: {en: Please say it after the tone.}, thanks: {en: We have it.}}
""",
    )
    interaction, heard = await called(house, WaitFor("after the tone"), Wait(2), Say("My tent leaks"), Wait(20))
    await house.wait(5)
    assert (interaction.state, interaction.closing_reason) == (State.RESOLVED, ClosingReason.MESSAGE_LEFT)
    assert heard[-1] == "We have it."
    _, message = await house.interactions()
    assert (message.state, message.queue, message.is_message) == (State.QUEUED, "billing", True)
    assert message.previous == interaction.id


async def test_whoever_says_nothing_after_the_tone_gets_to_a_person(house: PhoneHouse) -> None:
    await published(
        house,
        """
flow: main-menu
title: {en: Test}
languages: [en]
channels: [phone]
person: {queue: support}
steps:
  words: {leave_message: billing, text: {en: Please say it after the tone.}}
""",
    )
    interaction, _ = await called(house)
    assert interaction.state is State.QUEUED
    assert len(await house.interactions()) == 1


async def test_a_callback_is_booked_by_the_flow_and_the_caller_hears_it_to_the_end(house: PhoneHouse) -> None:
    await published(
        house,
        """
flow: main-menu
title: {en: Test}
languages: [en]
channels: [phone]
person: {queue: support}
steps:
  number: {ask: phone, type: phone, text: {en: "Under which number?"}}
  book: {callback: billing, phone: "{{ answers.phone }}"}
""",
    )
    interaction, heard = await called(house, WaitFor("which number"), Press("4155550177#"))
    await house.wait(10)
    assert interaction.state is State.CALLBACK_BOOKED
    assert "+14155550177" in heard[-1].replace(" ", "") or "4155550177" in heard[-1]
    _, owed = await house.interactions()
    assert (owed.state, owed.queue, owed.address) == (State.QUEUED, "billing", "+14155550177")
    assert (await house.call(owed)).direction is Direction.CALLBACK
    assert owed.previous == interaction.id


async def test_a_nought_leads_to_a_person(house: PhoneHouse) -> None:
    interaction, _ = await called(house, WaitFor("Welcome to Fernway Outdoor"), Press("0"))
    assert interaction.state is State.QUEUED
    assert (await session_of(house, interaction)).reason == "asked"


async def test_whoever_hangs_up_in_the_menu_has_left_and_nothing_goes_on(house: PhoneHouse) -> None:
    interaction, _ = await called(house, WaitFor("What is it about"), HangUp())
    assert interaction.state is State.ABANDONED
    session = await session_of(house, interaction)
    assert (session.outcome, session.reason) == ("abandoned", "customer_left")
    assert await house.desk._rows(FLOW_SESSIONS, "WHERE ended_at IS NULL") == []


async def test_a_caller_goes_on_in_chinese(house: PhoneHouse) -> None:
    interaction, heard = await called(
        house, WaitFor("What is it about"), Say("中文"), WaitFor("请问您需要什么帮助"), HangUp()
    )
    assert any("请问您需要什么帮助" in text for text in heard)
    assert (await house.call(interaction)).language == "zh"


async def test_an_agent_sends_a_caller_into_a_flow_and_gets_them_back(house: PhoneHouse) -> None:
    await house.desk.available("ann")
    phone = AgentPhone(house, "ann")
    line = house.calls(
        script=(
            WaitFor("What is it about"), Press("0"),
            WaitFor("how satisfied"), Press("4#"),
            WaitFor("add something"), Press("2"),
        )
    )  # fmt: skip
    while not await house.desk.live_offers(agent="ann"):
        await house.wait(2)
    accepted = await house.desk.accept("ann")
    await house.wait(3)
    flows, scope = house.desk.hub.services.agent_flows, await house.desk.scope("ann")
    sent = await flows.send(accepted.id, "survey", scope)
    assert sent.state is State.HELD
    await house.wait(30)

    interaction = await house.desk.interaction(accepted.id)
    assert interaction.state is State.ACTIVE
    assert interaction.agent == "ann"
    assert not line.is_over
    session = await session_of(house, interaction)
    assert (session.by_agent, session.outcome, session.answers["stars"]) == (True, "handed_back", 4)
    phone.says("Thank you")
    await house.wait(2)
    assert "Thank you" in [sound.text for sound in line.hearing.sounds]

    await flows.send(accepted.id, "survey", scope)
    await house.wait(2)
    line.hang_up()
    await house.wait(2)
    assert (await house.desk.interaction(accepted.id)).state is State.WRAPPING
    assert await house.desk._rows(FLOW_SESSIONS, "WHERE ended_at IS NULL") == []


async def test_a_caller_in_a_flow_of_an_agent_who_is_lost_waits_for_another(house: PhoneHouse) -> None:
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    line = house.calls(script=(WaitFor("What is it about"), Press("0")))
    while not await house.desk.live_offers(agent="ann"):
        await house.wait(2)
    accepted = await house.desk.accept("ann")
    await house.wait(3)
    desk = house.desk
    await desk.hub.services.presence.disconnected("ann")
    await house.wait(desk.hub.settings.presence.lost_s - 3)
    await desk.hub.services.agent_flows.send(accepted.id, "survey", await desk.scope("ann"))
    await house.wait(4)

    session = await session_of(house, await desk.interaction(accepted.id))
    assert (session.by_agent, session.is_over, session.reason) == (True, True, "agent_lost")
    assert not line.is_over
    await desk.available("bob")
    other = AgentPhone(house, "bob")
    while not await desk.live_offers(agent="bob"):
        await house.wait(2)
    assert (await desk.accept("bob")).id == accepted.id
    await house.wait(10)
    assert (await desk.interaction(accepted.id)).state is State.ACTIVE
    other.says("Here I am")
    await house.wait(2)
    assert "Here I am" in [sound.text for sound in line.hearing.sounds]


async def test_a_caller_goes_on_in_the_flow_when_the_hub_was_restarted(house: PhoneHouse) -> None:
    line = house.calls(
        script=(
            WaitFor("For Order status, press 1"), Press("1"),
            WaitFor(ORDER_ASKED), Wait(1), Press("10000"),
            WaitFor("anything else"), HangUp(),
        )
    )  # fmt: skip
    while not any(ORDER_ASKED in sound.text for sound in line.hearing.sounds):
        await house.wait(0.5)
    (interaction,) = await house.interactions()
    before = await session_of(house, interaction)
    await house.restart()
    house.desk.hub.services.self_service.fetcher = Erp()
    while not line.is_over:
        await house.wait(2)

    after = await session_of(house, interaction)
    assert after.id == before.id
    assert after.answers == {"topic": "order", "order": "FW-10000"}
    assert any(sound.text.startswith("It is on its way with") for sound in line.hearing.sounds)
    assert (await house.interactions())[0].state is State.ABANDONED
