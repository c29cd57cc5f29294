"""Calls that are owed: planned, moved, begun early, given up, made in either order; one per number and queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.simulator.carrier.phones import HangUp, Manners, Phone, Press, Wait, WaitFor
from hub.domain.agent import Presence
from hub.domain.calls import Direction, EndCause, LegRole
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.settings import QueueSettings, WayOut
from hub.settings.sections import CallSettings
from tests.integration.phones import ANN, BEN, AgentPhone, PhoneHouse, phone_house

SOON_MS = 20_000
HOUR_MS = 3_600_000


@asynccontextmanager
async def at_work(folder: Path, database_url: str) -> AsyncIterator[PhoneHouse]:
    """A hub with a line, whose queue soon gives callers up; Ann's browser is a telephone."""
    queue = QueueSettings(
        id="support", name="Support", target_s=60.0, max_wait_s=20.0, when_waited=WayOut(kind="message")
    )
    calls = CallSettings(callback_again_s=10.0, connect_s=5.0)
    async with phone_house(folder, database_url, settings={"queues": {"support": queue}, "calls": calls}) as opened:
        await opened.desk.available("ann")
        AgentPhone(opened, "ann")
        opened.carrier.world.install(ANN, Phone(Manners(greeting="Hello?")))
        yield opened
        assert opened.bad_documents() == []


@pytest.fixture
async def any_house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """On either database."""
    async with at_work(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """On one: what is tried is who is rung when."""
    async with at_work(tmp_path, f"sqlite:///{tmp_path}/hub.db") as opened:
        yield opened


@pytest.fixture
async def eager_house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """The same, where callbacks ring the customer first."""
    calls = CallSettings(callback_again_s=10.0, connect_s=5.0)
    url = f"sqlite:///{tmp_path}/hub.db"
    async with phone_house(tmp_path, url, settings={"calls": calls}, callbacks_ring="customer") as opened:
        await opened.desk.available("ann")
        yield opened
        assert opened.bad_documents() == []


async def planned(house: PhoneHouse, *, in_ms: int = SOON_MS, own: bool = True, agent: str = "ann") -> Interaction:
    return await house.desk.hub.services.callbacks.plan(
        await house.desk.scope(agent), "hotline", ANN, house.clock.now() + in_ms, own=own
    )


async def dialled(house: PhoneHouse, interaction: Interaction) -> list[LegRole]:
    """Return whose telephones were rung, in order."""
    return [leg.role for leg in await house.legs(interaction)]


async def test_planned_call_waits_for_its_time_then_for_whoever_planned_it(any_house: PhoneHouse) -> None:
    house = any_house
    call = await planned(house)
    await house.desk.available("bob")
    await house.wait(15)
    assert (await house.desk.interaction(call.id)).state is State.PARKED
    assert await house.desk.live_offers() == []

    await house.wait(8)
    (offer,) = await house.desk.live_offers()
    assert offer.agent == "ann"
    await house.desk.accept("ann")
    await house.wait(10)
    talking = await house.desk.interaction(call.id)
    assert (talking.state, talking.agent) == (State.ACTIVE, "ann")
    assert await dialled(house, talking) == [LegRole.AGENT, LegRole.CUSTOMER]
    assert house.desk.hub.services.floor.violations == 0


async def test_planned_call_of_nobody_in_particular_is_anybodys(house: PhoneHouse) -> None:
    await planned(house, own=False, in_ms=5_000)
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    await house.desk.available("bob")
    await house.wait(8)
    (offer,) = await house.desk.live_offers()
    assert offer.agent == "bob"


async def test_one_number_is_planned_once_in_a_queue_and_planning_again_moves_it(any_house: PhoneHouse) -> None:
    house = any_house
    first = await planned(house)
    second = await planned(house, in_ms=2 * SOON_MS, agent="bob")
    assert first.id == second.id
    assert (await house.call(first)).due_at == house.clock.now() + 2 * SOON_MS
    assert (await house.desk.interaction(first.id)).agent == "bob"

    await house.wait(22)
    assert (await house.desk.interaction(first.id)).state is State.PARKED
    await house.wait(22)
    assert (await house.desk.interaction(first.id)).state is not State.PARKED
    with pytest.raises(Conflict):
        await planned(house)


async def test_planned_call_is_made_now_or_not_at_all(house: PhoneHouse) -> None:
    callbacks, ann = house.desk.hub.services.callbacks, await house.desk.scope("ann")
    call = await planned(house)
    with pytest.raises(NotFound):
        await callbacks.begin(call.id, await house.desk.scope("bob"))
    with pytest.raises(Conflict):
        await house.desk.hub.services.handling.unpark(call.id, ann)
    await callbacks.begin(call.id, ann)
    await house.wait(10)
    assert (await house.desk.interaction(call.id)).state is State.ACTIVE
    with pytest.raises(Conflict):
        await callbacks.give_up(call.id, ann)
    await house.desk.hub.services.handling.wrap_up(call.id, ann)
    await house.desk.hub.services.handling.complete(call.id, ann, "solved")

    other = await planned(house)
    given_up = await callbacks.give_up(other.id, ann)
    await house.wait(25)
    assert (given_up.state, given_up.closing_reason) == (State.CLOSED, ClosingReason.CALLBACK_CANCELLED)
    assert await dialled(house, other) == []
    figures = house.desk.hub.services.floor.figures["support"]
    assert (figures.offered, figures.answered) == (1, 1)
    assert (await house.desk.agent("ann")).held == 0


async def test_agent_who_does_not_pick_up_leaves_the_begun_call_to_the_queue(house: PhoneHouse) -> None:
    call = await planned(house, agent="bob")
    await house.desk.available("bob")
    AgentPhone(house, "bob", answers=False)
    await house.desk.hub.services.callbacks.begin(call.id, await house.desk.scope("bob"))
    await house.wait(14)
    assert (await house.desk.interaction(call.id)).state in {State.QUEUED, State.OFFERED}
    assert (await house.desk.agent("bob")).held == 0


@pytest.mark.parametrize("late_ms", [0, -1, 400 * 24 * HOUR_MS])
async def test_no_call_is_planned_for_the_past_or_for_another_year(house: PhoneHouse, late_ms: int) -> None:
    with pytest.raises(BadRequest):
        await planned(house, in_ms=late_ms)


async def test_caller_who_books_what_was_planned_for_later_is_called_now(house: PhoneHouse) -> None:
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    call = await planned(house, in_ms=20 * HOUR_MS)
    house.calls(script=(WaitFor("press one"), Press("1")))
    await house.wait(30)
    states = [(i.state, (await house.call(i)).direction) for i in await house.interactions()]
    assert states == [(State.QUEUED, Direction.CALLBACK), (State.CALLBACK_BOOKED, Direction.INBOUND)]
    assert (await house.call(call)).due_at is None


async def test_callback_is_given_up_by_no_way_out_of_the_queue(house: PhoneHouse) -> None:
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    house.calls(script=(WaitFor("press one"), Press("1")))
    await house.wait(30)
    _, booked = await house.interactions()
    assert booked.state is State.QUEUED


async def test_planned_call_survives_a_restart(house: PhoneHouse) -> None:
    call = await planned(house)
    await house.restart()
    await house.desk.available("ann")
    await house.wait(25)
    assert [offer.interaction for offer in await house.desk.live_offers()] == [call.id]


# -- the customer first


async def booked(house: PhoneHouse, *, customer: Phone) -> Interaction:
    """Somebody has booked a callback, and Ann has taken it."""
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "")
    house.carrier.world.install(ANN, customer)
    house.calls(script=(WaitFor("press one"), Press("1")))
    await house.wait(30)
    await house.desk.available("ann")
    return await house.desk.accept("ann")


async def test_customer_is_rung_first_and_told_why_they_wait(eager_house: PhoneHouse) -> None:
    house = eager_house
    phone = AgentPhone(house, "ann")
    customer = Phone(Manners(after_s=5.0))
    call = await booked(house, customer=customer)
    await house.wait(4)
    assert await dialled(house, call) == [LegRole.CUSTOMER]
    await house.wait(10)
    assert await dialled(house, call) == [LegRole.CUSTOMER, LegRole.AGENT]
    assert (await house.desk.interaction(call.id)).state is State.ACTIVE
    assert customer.last is not None
    assert "the call you asked for" in " ".join(customer.last.leg.hearing.words)
    assert [one["from"] for one in phone.told if one["type"] == "incoming"] == [ANN]


@pytest.mark.parametrize("manners", [Manners(outcome="busy"), Manners(outcome="no-answer")], ids=["busy", "no answer"])
async def test_nobody_is_rung_for_a_customer_who_does_not_answer(eager_house: PhoneHouse, manners: Manners) -> None:
    house = eager_house
    phone = AgentPhone(house, "ann")
    call = await booked(house, customer=Phone(manners))
    await house.wait(12)
    assert await dialled(house, call) == [LegRole.CUSTOMER]
    assert phone.told[-1]["type"] != "incoming"
    assert (await house.desk.interaction(call.id)).state is State.WRAPPING

    await house.wait(12)
    assert len(await house.interactions()) == 3, "it is tried again"


async def test_customer_whom_the_agent_does_not_come_to_waits_ahead_of_others(eager_house: PhoneHouse) -> None:
    house = eager_house
    AgentPhone(house, "ann", answers=False)
    customer = Phone(Manners(greeting="Hello?"))
    call = await booked(house, customer=customer)
    await house.wait(16)
    house.calls(BEN)
    await house.desk.available("bob")
    AgentPhone(house, "bob")
    await house.wait(5)
    waiting = await house.desk.interaction(call.id)
    assert customer.last is not None
    assert not customer.last.leg.is_over
    if waiting.state is State.OFFERED:
        await house.desk.accept("bob")
    await house.wait(10)
    talking = await house.desk.interaction(call.id)
    assert (talking.state, talking.agent) == (State.ACTIVE, "bob")
    assert (await dialled(house, call)).count(LegRole.CUSTOMER) == 1


async def test_customer_who_hangs_up_before_the_agent_is_there_takes_the_ringing_along(
    eager_house: PhoneHouse,
) -> None:
    house = eager_house
    AgentPhone(house, "ann", answers=False)
    call = await booked(house, customer=Phone(Manners(), (Wait(4), HangUp())))
    await house.wait(12)
    assert not any(leg.is_live for leg in await house.legs(call))
    assert not (await house.desk.interaction(call.id)).is_open
    assert (await house.desk.agent("ann")).held == 0


# -- machines


async def test_machine_is_hung_up_on_and_the_callback_tried_again(house: PhoneHouse) -> None:
    house.carrier.world.install(ANN, Phone(Manners(nature="machine", greeting="Nobody is here, leave a message")))
    call = await planned(house, in_ms=1_000)
    await house.wait(3)
    await house.desk.accept("ann")
    await house.wait(8)
    assert (await house.desk.interaction(call.id)).state is State.WRAPPING
    assert [leg.cause for leg in await house.legs(call) if leg.role is LegRole.CUSTOMER] == [EndCause.MACHINE]
    assert [leg for leg in house.carrier.plant.legs.values() if not leg.is_over] == []
    await house.wait(12)
    again = [i for i in await house.interactions() if i.id != call.id]
    assert [(await house.call(i)).direction for i in again] == [Direction.CALLBACK]
    assert house.desk.hub.services.floor.violations == 0
