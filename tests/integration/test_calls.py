"""Phone calls from the first ring to the last word, over the carrier's own protocol."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_console import Rows
from channels.simulator.carrier.faults import Fault
from channels.simulator.carrier.phones import HangUp, Manners, Meet, Phone, Press, Say, Step, Wait, WaitFor
from hub.domain.agent import Presence
from hub.domain.calls import CallerSaid, Direction, EndCause, LegRole, Listening, OrderKind
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.interaction import Interaction, State
from hub.services.phone.calls import CONSENT_TURN
from hub.settings import Hours, Limits, QueueSettings, WayOut
from tests.integration.phones import ANN, LINE, AgentPhone, PhoneHouse, phone_house

GUEST = "+14155550199"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line; most of what is tried here is the carrier, not the database."""
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db") as opened:
        yield opened
        assert opened.bad_documents() == []


@pytest.fixture
async def any_house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """The same on either database."""
    async with phone_house(tmp_path, database_url) as opened:
        yield opened


def roles(legs: object) -> list[tuple[LegRole, bool]]:
    """Return who is in the room."""
    return [(leg.role, leg.is_in_room) for leg in legs]  # type: ignore[attr-defined]


async def test_caller_waits_is_answered_talks_and_hangs_up(any_house: PhoneHouse) -> None:
    house = any_house
    interaction, line, phone = await house.talking(
        script=(WaitFor("Welcome to Fernway"), Meet("", 60), Say("My tent leaks"), Wait(5), HangUp())
    )
    assert interaction.state is State.ACTIVE
    assert interaction.agent == "ann"
    assert roles(await house.legs(interaction)) == [(LegRole.CUSTOMER, True), (LegRole.AGENT, True)]

    await house.wait(30)

    assert line.is_over
    assert "My tent leaks" in phone.heard
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING
    assert all(not leg.is_live for leg in await house.legs(interaction))


async def test_caller_hears_position_and_is_known_by_number(house: PhoneHouse) -> None:
    first = house.calls()
    await house.wait(1)
    second = house.calls("+14155550155")
    await house.wait(1)
    again = house.calls()
    await house.wait(40)
    interactions = await house.interactions()

    assert [i.state for i in interactions] == [State.QUEUED] * 3
    assert interactions[0].customer == interactions[2].customer != interactions[1].customer
    heard = [sound.text for sound in second.hearing.sounds]
    assert "You are number 2 in line." in heard
    first.hang_up()
    second.hang_up()
    again.hang_up()
    await house.wait(1)
    assert {i.state for i in await house.interactions()} == {State.ABANDONED}


async def test_agent_hangs_up_and_everybody_is_gone(house: PhoneHouse) -> None:
    interaction, line, phone = await house.talking()
    await house.desk.hub.services.handling.wrap_up(interaction.id, await house.desk.scope("ann"))
    await house.wait(2)

    assert line.is_over
    assert phone.told[-1]["type"] == "closed"
    assert [(leg.role, leg.cause) for leg in await house.legs(interaction)] == [
        (LegRole.CUSTOMER, EndCause.HUNG_UP_BY_US),
        (LegRole.AGENT, EndCause.HUNG_UP_BY_US),
    ]


async def test_hold_lets_the_customer_hear_music_and_nobody(house: PhoneHouse) -> None:
    interaction, line, phone = await house.talking()
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    held = await desk.hold(interaction.id, scope)
    await house.wait(1)
    phone.says("between us")
    await house.wait(2)
    assert held.state is State.HELD
    assert next(leg for leg in await house.legs(interaction) if leg.role is LegRole.CUSTOMER).is_held
    assert "between us" not in [sound.text for sound in line.hearing.sounds]

    await desk.resume(interaction.id, scope)
    await house.wait(1)
    phone.says("I am back")
    await house.wait(2)
    assert "I am back" in [sound.text for sound in line.hearing.sounds]
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE


async def test_agent_who_does_not_pick_up_loses_the_call_and_the_caller_keeps_the_place(any_house: PhoneHouse) -> None:
    house = any_house
    await house.desk.available("ann")
    AgentPhone(house, "ann", answers=False)
    line = house.calls()
    await house.wait(3)
    accepted = await house.desk.accept("ann")
    await house.wait(40)

    interaction = await house.desk.interaction(accepted.id)
    assert not line.is_over
    assert interaction.state in {State.QUEUED, State.OFFERED}
    assert interaction.queued_at == accepted.queued_at
    agent = await house.desk.agent("ann")
    assert agent.held == sum(offer.units for offer in await house.desk.live_offers(agent="ann"))


async def test_caller_who_hangs_up_while_the_agents_phone_rings_takes_it_along(any_house: PhoneHouse) -> None:
    house = any_house
    await house.desk.available("ann")
    phone = AgentPhone(house, "ann", answers=False)
    line = house.calls()
    await house.wait(3)
    accepted = await house.desk.accept("ann")
    await house.wait(1)
    line.hang_up()
    await house.wait(2)

    assert (await house.desk.interaction(accepted.id)).state is State.ABANDONED
    assert phone.told[-1]["type"] == "closed"
    assert (await house.desk.agent("ann")).held == 0


async def test_lost_browser_comes_back_to_its_call(any_house: PhoneHouse) -> None:
    house = any_house
    interaction, line, phone = await house.talking()
    phone.dies()
    await house.wait(3)
    assert not line.is_over
    assert (await house.call(interaction)).reattach_until is not None
    assert any("line to our colleague was lost" in sound.text for sound in line.hearing.sounds)

    again = AgentPhone(house, "ann")
    await house.wait(8)
    again.says("Here I am again")
    await house.wait(2)

    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE
    assert (await house.call(interaction)).reattach_until is None
    assert "Here I am again" in [sound.text for sound in line.hearing.sounds]


async def test_browser_that_stays_away_gives_the_caller_to_the_next(house: PhoneHouse) -> None:
    interaction, line, phone = await house.talking()
    phone.dies()
    await house.wait(30)
    waiting = await house.desk.interaction(interaction.id)
    assert not line.is_over
    assert waiting.state in {State.QUEUED, State.OFFERED}
    assert waiting.head_start_ms > 0

    await house.desk.available("bob")
    AgentPhone(house, "bob")
    await house.desk.hub.services.presence.disconnected("ann")
    await house.wait(20)
    offers = await house.desk.live_offers()
    for offer in offers:
        await house.desk.hub.services.offers.accept(offer.id, offer.agent)
    await house.wait(5)
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE


async def test_waiting_caller_books_a_callback_and_keeps_the_place(any_house: PhoneHouse) -> None:
    house = any_house
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    house.carrier.world.install(ANN, Phone())
    line = house.calls(script=(WaitFor("press one"), Press("1")))
    await house.wait(30)
    first, booked = await house.interactions()
    assert line.is_over
    assert (first.state, booked.state, booked.previous) == (State.CALLBACK_BOOKED, State.QUEUED, first.id)
    assert booked.head_start_ms > 0

    await house.desk.available("ann")
    await house.desk.accept("ann")
    await house.wait(10)
    talking = await house.desk.interaction(booked.id)
    assert talking.state is State.ACTIVE
    assert roles(await house.legs(talking)) == [(LegRole.AGENT, True), (LegRole.CUSTOMER, True)]


async def test_callback_that_nobody_answers_is_tried_again_later(house: PhoneHouse) -> None:
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    house.carrier.world.install(ANN, Phone(Manners(outcome="busy")))
    house.calls(script=(WaitFor("press one"), Press("1")))
    await house.wait(30)
    await house.desk.available("ann")
    _, booked = await house.interactions()
    await house.desk.accept("ann")
    await house.wait(40)
    assert (await house.desk.interaction(booked.id)).state is State.WRAPPING

    await house.wait(70)
    states = [(i.state, (await house.call(i)).direction) for i in await house.interactions()]
    assert states[-1][1] is Direction.CALLBACK
    assert len(states) == 3


async def test_cold_transfer_to_a_queue_and_to_an_agent(house: PhoneHouse) -> None:
    interaction, line, _ = await house.talking()
    await house.desk.hub.services.handling.transfer(interaction.id, await house.desk.scope("ann"), agent="bob")
    await house.desk.available("bob")
    phone = AgentPhone(house, "bob")
    await house.wait(3)
    await house.desk.accept("bob")
    await house.wait(5)
    phone.says("Bob here")
    await house.wait(2)

    assert not line.is_over
    assert (await house.desk.interaction(interaction.id)).agent == "bob"
    assert "Bob here" in [sound.text for sound in line.hearing.sounds]
    assert (await house.desk.agent("ann")).held == 0


async def test_warm_transfer_to_a_colleague(any_house: PhoneHouse) -> None:
    house = any_house
    interaction, line, ann = await house.talking()
    await house.desk.available("bob")
    bob = AgentPhone(house, "bob")
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    await desk.consult(interaction.id, scope, agent="bob")
    await house.wait(5)
    ann.says("This is a hard one")
    await house.wait(2)
    assert house.desk.hub.services.floor.violations == 0, "a colleague's capacity is held and accounted for"
    assert "This is a hard one" in bob.heard
    assert "This is a hard one" not in [sound.text for sound in line.hearing.sounds]

    await desk.put_through(interaction.id, scope)
    await house.wait(3)
    bob.says("Hello, Bob speaking")
    await house.wait(2)

    assert "Hello, Bob speaking" in [sound.text for sound in line.hearing.sounds]
    assert (await house.desk.interaction(interaction.id)).agent == "bob"
    assert [(await house.desk.agent(name)).held for name in ("ann", "bob")] == [0, 100]


async def test_three_talk_and_the_guest_leaves_again(house: PhoneHouse) -> None:
    interaction, line, ann = await house.talking()
    house.carrier.world.install(GUEST, Phone())
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    await desk.consult(interaction.id, scope, number=GUEST)
    await house.wait(5)
    await desk.resume(interaction.id, scope)
    await house.wait(1)
    ann.says("Now we are three")
    await house.wait(2)
    assert roles(await house.legs(interaction)).count((LegRole.GUEST, True)) == 1
    assert "Now we are three" in [sound.text for sound in line.hearing.sounds]

    await desk.end_consult(interaction.id, scope)
    await house.wait(2)
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE
    assert not line.is_over


async def test_agent_swaps_between_customer_and_guest(any_house: PhoneHouse) -> None:
    house = any_house
    interaction, line, ann = await house.talking()
    guest = Phone()
    house.carrier.world.install(GUEST, guest)
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    with pytest.raises(Conflict):
        await desk.swap(interaction.id, scope)
    await desk.consult(interaction.id, scope, number=GUEST)
    await house.wait(5)
    assert guest.last is not None
    heard = (line.hearing, guest.last.leg.hearing)

    async def says(text: str) -> list[bool]:
        """Return whether customer and guest have heard it."""
        await house.wait(1)
        ann.says(text)
        await house.wait(2)
        return [text in one.words for one in heard]

    assert (await desk.swap(interaction.id, scope)).state is State.ACTIVE
    assert await says("Only for the customer") == [True, False]
    assert (await desk.swap(interaction.id, scope)).state is State.CONSULTING
    assert await says("Only for the guest") == [False, True]
    await desk.swap(interaction.id, scope)
    assert (await desk.resume(interaction.id, scope)).state is State.ACTIVE
    assert await says("For both") == [True, True]
    await desk.swap(interaction.id, scope)
    assert await says("For the guest again") == [False, True]
    await desk.swap(interaction.id, scope)
    await house.wait(1)
    await desk.put_through(interaction.id, scope)
    await house.wait(2)
    assert not line.is_over
    assert not guest.last.leg.is_over
    legs = [leg for leg in await house.legs(interaction) if leg.is_live]
    assert [(leg.role, leg.is_held) for leg in legs] == [(LegRole.CUSTOMER, False), (LegRole.GUEST, False)]


async def test_customer_is_put_through_to_a_number_and_talks_on_without_us(house: PhoneHouse) -> None:
    interaction, line, _ = await house.talking()
    house.carrier.world.install(GUEST, Phone(Manners(greeting="Workshop, hello")))
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    await desk.consult(interaction.id, scope, number=GUEST, blind=True)
    await house.wait(10)

    assert not line.is_over
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING
    live = [leg.role for leg in await house.legs(interaction) if leg.is_live]
    assert sorted(live) == [LegRole.CUSTOMER, LegRole.GUEST]

    await house.wait(300)
    assert (await house.desk.interaction(interaction.id)).state is State.CLOSED
    assert not line.is_over
    line.hang_up()
    await house.wait(3)
    assert not any(leg.is_live for leg in await house.legs(interaction))


async def test_guest_who_is_busy_leaves_the_agent_with_the_customer(house: PhoneHouse) -> None:
    interaction, line, _ = await house.talking()
    house.carrier.world.install(GUEST, Phone(Manners(outcome="busy")))
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    await desk.consult(interaction.id, scope, number=GUEST, blind=True)
    await house.wait(10)

    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE
    assert not line.is_over
    with pytest.raises(Conflict):
        await desk.put_through(interaction.id, scope)


async def test_supervisor_listens_whispers_speaks_and_takes_over(any_house: PhoneHouse) -> None:
    house = any_house
    interaction, line, ann = await house.talking()
    await house.desk.hub.services.presence.connected("sue")
    sue = AgentPhone(house, "sue")
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("sue")

    async def says(text: str) -> tuple[bool, bool]:
        await house.wait(2)
        sue.says(text)
        await house.wait(3)
        return text in ann.heard, text in [sound.text for sound in line.hearing.sounds]

    await desk.listen(interaction.id, scope, Listening.MONITOR)
    await house.wait(3)
    assert await says("unheard") == (False, False)
    await desk.listen(interaction.id, scope, Listening.WHISPER)
    assert await says("offer a discount") == (True, False)
    await desk.listen(interaction.id, scope, Listening.BARGE)
    assert await says("Sue here") == (True, True)
    await desk.take_over(interaction.id, scope)
    await house.wait(3)

    taken = await house.desk.interaction(interaction.id)
    assert (taken.agent, taken.state) == ("sue", State.ACTIVE)
    assert ann.told[-1]["type"] == "closed"
    assert not line.is_over
    assert [(await house.desk.agent(name)).held for name in ("ann", "sue")] == [0, 100]


async def test_agent_calls_out(any_house: PhoneHouse) -> None:
    house = any_house
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    house.carrier.world.install(ANN, Phone())
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    begun = [await desk.call_out(scope, "hotline", ANN, client_id="click-1") for _ in range(2)]
    await house.wait(10)

    interaction = await house.desk.interaction(begun[0].id)
    assert begun[0].id == begun[1].id
    assert interaction.state is State.ACTIVE
    customer = house.carrier.plant.legs[(await house.legs(interaction))[1].provider_id]
    assert customer.route.from_ == LINE


async def test_agent_chooses_which_number_of_ours_is_seen(tmp_path: Path) -> None:
    other, foreign = "+15005550009", "+15005550010"
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", caller_ids=[other]) as house:
        house.carrier.account.verified.add(other)
        house.carrier.world.install(ANN, Phone())
        await house.desk.available("ann")
        AgentPhone(house, "ann")
        desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
        assert desk.shown_by("hotline") == [LINE, other]
        with pytest.raises(BadRequest):
            await desk.call_out(scope, "hotline", ANN, shown=foreign)
        begun = await desk.call_out(scope, "hotline", ANN, shown=other)
        await house.wait(10)
        customer = house.carrier.plant.legs[(await house.legs(begun))[1].provider_id]
        assert customer.route.from_ == other
        assert (await house.call(begun)).line == other


async def test_number_that_is_not_reached_ends_in_wrap_up(house: PhoneHouse) -> None:
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    house.carrier.world.install(ANN, Phone(Manners(nature="machine", greeting="Nobody is here, leave a message")))
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    begun = await desk.call_out(scope, "hotline", ANN)
    await house.wait(40)

    assert (await house.desk.interaction(begun.id)).state is State.WRAPPING
    assert (await house.legs(begun))[1].cause is EndCause.MACHINE


async def test_only_the_agent_of_a_call_steers_it(house: PhoneHouse) -> None:
    interaction, _, _ = await house.talking()
    desk, bob = house.desk.hub.services.call_desk, await house.desk.scope("bob")
    with pytest.raises(NotFound):
        await desk.hold(interaction.id, bob)
    with pytest.raises(NotFound):
        await desk.consult(interaction.id, bob, number=GUEST)


async def test_withheld_and_strange_numbers_are_calls_all_the_same(house: PhoneHouse) -> None:
    house.carrier.call_number("anonymous", LINE, Phone())
    house.carrier.call_number("+266696687", LINE, Phone())
    await house.wait(40)
    assert [i.state for i in await house.interactions()] == [State.QUEUED, State.QUEUED]


async def test_call_nobody_was_told_the_end_of_is_found_and_closed(house: PhoneHouse) -> None:
    interaction, line, _ = await house.talking()
    house.wire.is_cut = True
    line.hang_up()
    await house.wait(1)
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE
    house.wire.is_cut = False
    await house.wait(40)
    assert (await house.desk.interaction(interaction.id)).state in {State.WRAPPING, State.CLOSED}


async def test_many_calls_are_compared_with_the_carriers_lists_and_only_the_missing_one_is_asked_about(
    house: PhoneHouse,
) -> None:
    talking, _, _ = await house.talking()
    lines = [house.calls(f"+1415555{1000 + number}") for number in range(8)]
    await house.wait(5)
    house.wire.is_cut = True
    lines[3].hang_up()
    await house.wait(1)
    house.wire.is_cut = False
    asked_before = house.carrier.api.answered
    await house.desk.hub.services.call_orders.reconcile("hotline")
    await house.settle()
    # Three lists of what is up, who is in the one room, the line that is missing, and who rings and is not known.
    assert house.carrier.api.answered - asked_before <= 6
    states = [interaction.state for interaction in await house.interactions()]
    assert (states.count(State.QUEUED), states.count(State.ABANDONED)) == (7, 1)
    assert (await house.desk.interaction(talking.id)).state is State.ACTIVE


async def test_carrier_is_let_in_as_often_as_callers_need_it(tmp_path: Path) -> None:
    settings = {"limits": Limits(connections_per_address=4)}
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", settings=settings) as house:
        for number in range(40):
            house.calls(f"+1415555{number:04d}")
        await house.wait(3)
        assert {status for _, status in house.wire.statuses} <= {200, 204}
        assert len(await house.interactions()) == 40


async def test_request_that_is_not_signed_is_refused(house: PhoneHouse) -> None:
    from aiohttp import ClientSession

    url = f"{house.desk.hub.settings.server.public_url}/webhooks/hotline/call"
    async with ClientSession() as session:
        for headers in ({}, {"X-Twilio-Signature": "GvWf1cFY/Q7PnoempGyD5oXAezc="}):
            async with session.post(url, data={"CallSid": "CA1", "From": ANN}, headers=headers) as answer:
                assert answer.status == 403
    assert await house.interactions() == []


CLOSED = {"support": QueueSettings(id="support", name="Support", hours="never"), "billing": QueueSettings(id="billing")}


async def test_closed_line_takes_a_message_that_is_routed_with_its_sound(database_url: str, tmp_path: Path) -> None:
    settings = {"queues": CLOSED, "hours": {"never": Hours(id="never")}}
    async with phone_house(tmp_path, database_url, settings=settings) as house:
        line = house.calls(
            script=(WaitFor("after the tone"), Wait(4), Say("Please call me about my order"), Wait(3), HangUp())
        )
        await house.wait(40)
        call, message = await house.interactions()
        assert line.is_over
        assert (call.state, call.closing_reason) == (State.REJECTED, "queue_closed")
        assert (message.is_message, message.previous, message.customer) == (True, call.id, call.customer)
        assert {status for url, status in house.wire.statuses if url.endswith("/message")} == {200}
        said = await house.desk.messages(message)
        assert [(m.code, [f.type for f in m.files]) for m in said] == [("message_recorded", ["audio/mpeg"])]
        assert house.bad_documents() == []


@pytest.mark.parametrize(
    "script", [(WaitFor("after the tone"), Wait(4), HangUp()), (WaitFor("after the tone"), Wait(60))]
)
async def test_silence_after_the_tone_is_nobodys_work(tmp_path: Path, script: tuple[Step, ...]) -> None:
    settings = {"queues": CLOSED, "hours": {"never": Hours(id="never")}}
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", settings=settings) as house:
        house.calls(script=script)
        await house.wait(40)
        assert [call.state for call in await house.interactions()] == [State.REJECTED]
        assert house.bad_documents() == []


async def test_message_is_work_though_its_sound_cannot_be_fetched_yet(tmp_path: Path) -> None:
    settings = {"queues": CLOSED, "hours": {"never": Hours(id="never")}}
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", settings=settings) as house:
        house.carrier.switch.faults.switch_on(Fault(kind="rest", effect="status", code=503))
        house.calls(
            script=(WaitFor("after the tone"), Wait(4), Say("Please call me about my order"), Wait(3), HangUp())
        )
        await house.wait(30)
        _, message = await house.interactions()
        assert message.is_message
        assert await house.desk.messages(message) == []
        house.carrier.switch.faults.switch_off()
        await house.wait(40)
        assert [m.code for m in await house.desk.messages(message)] == ["message_recorded"]


async def test_recorded_call_is_kept_with_us_and_paused_for_card_data(database_url: str, tmp_path: Path) -> None:
    async with phone_house(tmp_path, database_url, records=True) as house:
        interaction, line, _ = await house.talking()
        desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
        await house.wait(5)
        await desk.pause_recording(interaction.id, scope, paused=True)
        await house.wait(5)
        await desk.pause_recording(interaction.id, scope, paused=False)
        await house.wait(5)
        line.hang_up()
        await house.wait(30)

        said = await house.desk.messages(interaction)
        (recorded,) = [m for m in said if m.code == "call_recorded"]
        assert recorded.files[0].type == "audio/mpeg"
        kinds = [order.kind for order in await house.orders()]
        assert [kind for kind in kinds if "record" in kind] == ["record", "pause_recording", "resume_recording"]


@pytest.mark.parametrize("is_recorded", [True, False])
async def test_each_queue_says_whether_its_talks_are_recorded(
    database_url: str, tmp_path: Path, is_recorded: bool
) -> None:
    """The first talk is recorded in any case; nothing is of the wait after it, whatever was paused."""
    billing = QueueSettings(id="billing", records_calls=is_recorded)
    queues = {"support": QueueSettings(id="support"), "billing": billing}
    async with phone_house(tmp_path, database_url, records=True, settings={"queues": queues}) as house:
        interaction, line, _ = await house.talking()
        desk, ann = house.desk.hub.services.call_desk, await house.desk.scope("ann")
        await house.wait(5)
        await desk.pause_recording(interaction.id, ann, paused=True)
        await house.desk.hub.services.handling.transfer(interaction.id, ann, queue="billing")
        await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
        await house.wait(30)
        kinds = [order.kind for order in await house.orders()]
        assert [kind for kind in kinds if "record" in kind] == ["record", "pause_recording", "stop_recording"]

        await house.desk.available("ann")
        await house.wait(1)
        talking = await house.desk.accept("ann")
        await house.wait(10)
        talking = await house.desk.interaction(talking.id)
        assert (talking.id, talking.state, talking.queue) == (interaction.id, State.ACTIVE, "billing")
        assert not (await house.call(talking)).is_recording_paused or not is_recorded
        row = Rows(house.desk.hub.services.floor, {}, lambda file: file.id).interaction(talking)
        assert row.call is not None
        assert row.call.records is is_recorded
        if not is_recorded:
            with pytest.raises(Conflict):
                await desk.pause_recording(talking.id, ann, paused=True)
        line.hang_up()
        await house.wait(30)

        kinds = [order.kind for order in await house.orders()]
        assert kinds.count(OrderKind.RECORD) == 1 + is_recorded
        codes = [message.code for message in await house.desk.messages(interaction)]
        assert codes.count("call_recorded") == 1 + is_recorded


@pytest.mark.parametrize("answer", ["1", "2", ""])
async def test_where_consent_is_asked_only_who_agrees_is_recorded(tmp_path: Path, answer: str) -> None:
    """Whoever presses nothing agrees to nothing; the answer stands in the conversation."""
    url, consent = f"sqlite:///{tmp_path}/hub.db", {"US": "ask"}
    async with phone_house(tmp_path, url, records=True, recording_consent=consent) as house:
        presses = (Press(answer),) if answer else (Wait(8),)
        AgentPhone(house, "ann")
        house.calls(script=(WaitFor("press two"), *presses, Meet("", 60), Wait(10), HangUp()))
        await house.wait(30)
        await house.desk.available("ann")
        await house.wait(1)
        await house.desk.accept("ann")
        await house.wait(60)

        (call,) = await house.interactions()
        codes = [message.code for message in await house.desk.messages(call)]
        agreed = answer == "1"
        assert ("recording_agreed" in codes, "recording_refused" in codes) == (agreed, not agreed)
        assert ("call_recorded" in codes) is agreed
        assert ("record" in [order.kind for order in await house.orders()]) is agreed
        assert house.bad_documents() == []


async def asked_while_accepted(house: PhoneHouse, *script: Step) -> Interaction:
    """Somebody is asked whether they may be recorded, and Ann accepts their call meanwhile."""
    AgentPhone(house, "ann")
    await house.desk.available("ann")
    house.calls(script=script)
    await house.wait(2)
    return await house.desk.accept("ann")


async def test_who_is_asked_is_heard_out_while_an_agent_accepts(database_url: str, tmp_path: Path) -> None:
    async with phone_house(tmp_path, database_url, records=True, recording_consent={"US": "ask"}) as house:
        call = await asked_while_accepted(house, WaitFor("press two"), Press("1"), Meet("", 60), Wait(10), HangUp())
        await house.wait(2)
        assert (await house.desk.interaction(call.id)).state is State.CONNECTING
        await house.wait(60)
        assert "record" in [order.kind for order in await house.orders()]
        assert "call_recorded" in [message.code for message in await house.desk.messages(call)]
        assert house.bad_documents() == []


async def test_agreeing_after_being_connected_counts_from_then_on(database_url: str, tmp_path: Path) -> None:
    """Whoever is asked for longer than an agent is kept waiting is led on; a late answer counts, told twice, once."""
    block: dict[str, Any] = {
        "records": True,
        "recording_consent": {"US": "ask"},
        "welcome": {"en": "Welcome to Fernway. " * 40},
    }
    async with phone_house(tmp_path, database_url, **block) as house:
        call = await asked_while_accepted(house, Meet("", 60), Wait(90), HangUp())
        await house.wait(25)
        assert (await house.desk.interaction(call.id)).state is State.CONNECTING
        await house.wait(15)
        connected = await house.desk.interaction(call.id)
        assert connected.state is State.ACTIVE
        assert "record" not in [order.kind for order in await house.orders()]
        (line,) = [leg for leg in await house.legs(call) if leg.role is LegRole.CUSTOMER]
        for _ in range(2):
            await house.desk.hub.services.calls.answered(
                "hotline", line.provider_id, CONSENT_TURN, CallerSaid(digits="1")
            )
            await house.settle()
        assert [order.kind for order in await house.orders()].count(OrderKind.RECORD) == 1


async def test_callers_and_called_hear_that_they_are_recorded(tmp_path: Path) -> None:
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", records=True) as house:
        call, line, _ = await house.talking()
        assert "This call is recorded." in [sound.text for sound in line.hearing.sounds]
        line.hang_up()
        await house.wait(30)
        await house.desk.hub.services.handling.complete(call.id, await house.desk.scope("ann"), "solved")

        house.carrier.world.install(GUEST, Phone(Manners(), (Wait(20), HangUp())))
        await house.desk.hub.services.call_desk.call_out(await house.desk.scope("ann"), "hotline", GUEST)
        await house.wait(15)
        (called,) = [leg for leg in house.carrier.plant.legs.values() if leg.route.to == GUEST]
        assert "This call is recorded." in [sound.text for sound in called.hearing.sounds]
        assert [order.kind for order in await house.orders()].count(OrderKind.RECORD) == 2
        assert house.bad_documents() == []


async def test_queue_that_gives_up_lets_the_caller_leave_a_message(database_url: str, tmp_path: Path) -> None:
    way = WayOut(kind="voicemail")
    queue = QueueSettings(id="support", name="Support", max_wait_s=20.0, when_waited=way)
    queues = {"support": queue, "billing": QueueSettings(id="billing")}
    async with phone_house(tmp_path, database_url, settings={"queues": queues}) as house:
        await house.desk.available("ann")
        await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
        line = house.calls(
            script=(WaitFor("after the tone"), Wait(4), Say("Hello, is anybody there?"), Wait(3), HangUp())
        )
        await house.wait(90)
        call, message = await house.interactions()
        assert line.is_over
        assert (call.state, message.is_message, message.previous) == (State.FLOWED_OUT, True, call.id)
        assert {status for url, status in house.wire.statuses if url.endswith("/message")} == {200}
