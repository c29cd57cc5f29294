"""The twenty races that broke other contact centers, each by its number; which test is whose is below.

R1 to R20 are those of the field's reports: an accept in the instant of the time-out, a caller who hangs up meanwhile,
an agent who is lost, news that come twice. Those that are told of calls are led through real lines here.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from channels.simulator.carrier.phones import HangUp, Manners, Phone, Wait
from hub.domain.agent import Presence
from hub.domain.errors import Conflict, OfferGone
from hub.domain.interaction import State
from hub.domain.segments import Segment, SegmentKind
from hub.settings import QueueSettings
from hub.storage.tables import SEGMENTS
from tests.builders import Desk, open_desk
from tests.integration.phones import ANN, BEN, AgentPhone, PhoneHouse, phone_house

HERE, OFFERS, CALLS = "integration.test_races", "integration.test_offers", "integration.test_calls"
FAULTS, SYNC = "integration.test_call_faults", "unit.console.test_sync"
RACES: Final[dict[str, tuple[str, str]]] = {
    "R1 accept at the instant of the time-out": (OFFERS, "test_r1_accept_at_the_instant_of_the_deadline"),
    "R2 accept while the customer hangs up": (HERE, "test_r2_agent_accepts_while_the_caller_hangs_up"),
    "R3 two agents answer": (OFFERS, "test_r3_two_agents_accept_and_one_wins"),
    "R4 agent drops before the bridge": (HERE, "test_r4_agent_who_answers_and_is_gone_before_the_caller_is_joined"),
    "R5 one agent, two queues": (HERE, "test_r5_one_agent_is_never_offered_calls_of_two_queues"),
    "R6 presence changed while offered": (OFFERS, "test_r6_presence_change_revokes_the_offer_without_a_miss"),
    "R7 browser dies while offered": (OFFERS, "test_r7_browser_dies_while_offered_and_it_is_no_miss"),
    "R8 browser dies while active": (CALLS, "test_lost_browser_comes_back_to_its_call"),
    "R9 call over, interaction open": (CALLS, "test_call_nobody_was_told_the_end_of_is_found_and_closed"),
    "R10 interaction over, call alive": (CALLS, "test_queue_that_gives_up_lets_the_caller_leave_a_message"),
    "R11 freed capacity": (OFFERS, "test_r11_freed_capacity_is_dispatched_at_once"),
    "R12 the one who cannot stops the scan": (HERE, "test_r12_agents_who_cannot_are_stepped_over"),
    "R13 wrap-ups end each at its time": (HERE, "test_r13_each_wrap_up_ends_at_its_own_time"),
    "R14 wrap-up without a browser": (HERE, "test_r14_wrap_up_ends_though_the_browser_is_closed"),
    "R15 news twice and out of order": (FAULTS, "test_callbacks_that_misbehave_change_nothing_in_the_end"),
    "R16 events lost while offline": (SYNC, "test_resuming_brings_what_was_missed_and_says_how_far_behind"),
    "R17 supervisor and browser disagree": (HERE, "test_r17_what_the_supervisor_chose_stays"),
    "R18 failed call out": (HERE, "test_r18_call_that_fails_leaves_the_agents_presence_alone"),
    "R19 one accepts, the others are taken back": (HERE, "test_r19_of_several_offers_one_is_accepted_and_none_is_left"),
    "R20 transfer and wrap-up": (HERE, "test_r20_wrap_up_belongs_to_whoever_had_the_call_last"),
}


def test_each_race_has_its_test() -> None:
    assert [race.partition(" ")[0] for race in RACES] == [f"R{number}" for number in range(1, 21)]
    for race, (module, name) in RACES.items():
        assert callable(getattr(importlib.import_module(f"tests.{module}"), name, None)), race


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line; races of the database are tried on both where they belong."""
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db") as opened:
        yield opened


@pytest.mark.parametrize("caller_first", [True, False])
async def test_r2_agent_accepts_while_the_caller_hangs_up(house: PhoneHouse, caller_first: bool) -> None:
    await house.desk.available("ann")
    phone = AgentPhone(house, "ann", answers=False)
    line = house.calls()
    await house.wait(3)
    (offer,) = await house.desk.live_offers()
    if caller_first:
        line.hang_up()
        await house.settle()
        with pytest.raises(OfferGone):
            await house.desk.hub.services.offers.accept(offer.id, "ann")
    else:
        await house.desk.hub.services.offers.accept(offer.id, "ann")
        line.hang_up()
    await house.wait(3)

    (interaction,) = await house.interactions()
    ann = await house.desk.agent("ann")
    assert interaction.state is State.ABANDONED
    assert (ann.held, ann.misses, ann.not_responding_since) == (0, 0, None)
    assert not any(leg.is_live for leg in await house.legs(interaction))
    assert phone.told[-1]["type"] in {"registered", "closed"}, "nothing rings on"


async def test_r4_agent_who_answers_and_is_gone_before_the_caller_is_joined(house: PhoneHouse) -> None:
    """The caller keeps their place and age; the agent whose phone failed is not asked again at once."""
    await house.desk.available("ann")
    phone = AgentPhone(house, "ann", answers=False)
    first = house.calls(ANN)
    await house.wait(3)
    second = house.calls(BEN)
    await house.wait(2)
    (offer,) = await house.desk.live_offers()
    await house.desk.accept("ann")
    await house.wait(1)
    phone.picks_up()
    phone.hangs_up()
    await house.wait(2)

    waiting = {i.id: i for i in await house.interactions()}
    assert waiting[offer.interaction].state is State.QUEUED
    assert waiting[offer.interaction].queued_at == min(i.queued_at or 0 for i in waiting.values())
    assert await house.desk.live_offers() == [], "she is given a pause"
    assert not first.is_over
    assert not second.is_over
    await house.desk.available("bob")
    await house.wait(1)
    (again,) = await house.desk.live_offers(agent="bob")
    assert again.interaction == offer.interaction, "ahead of who came later"


async def test_r5_one_agent_is_never_offered_calls_of_two_queues(tmp_path: Path, database_url: str) -> None:
    queues = {name: QueueSettings(id=name, offers_at_once=2) for name in ("support", "billing")}
    desk = await open_desk(tmp_path, database_url, {"queues": queues})
    try:
        await desk.available("ann")
        chats = await asyncio.gather(*(desk.chat(f"Visitor {n}", queue=name) for n in range(4) for name in queues))
        offers = await desk.live_offers(agent="ann")
        ann = await desk.agent("ann")
        assert len(chats) == 8
        assert sum(offer.units for offer in offers) == ann.held <= ann.capacity
    finally:
        desk.clock.settle = None
        await desk.hub.stop()


async def test_r12_agents_who_cannot_are_stepped_over(desk: Desk) -> None:
    await desk.available("ann", "bob")
    for _ in range(4):
        await desk.chat()
    for name in ("ann", "bob"):
        for offer in await desk.live_offers(agent=name):
            await desk.hub.services.offers.accept(offer.id, name)
    await desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    chat = await desk.chat("The last")
    await desk.wait(seconds=1)
    assert await desk.offers_of(chat) == [("bob", "pending")]


async def test_r13_each_wrap_up_ends_at_its_own_time(desk: Desk) -> None:
    first, second = await desk.handled("ann"), await desk.handled("ann")
    wrap_up = desk.hub.services.handling.wrap_up
    await wrap_up(first.id, await desk.scope("ann"))
    await desk.wait(seconds=30)
    await wrap_up(second.id, await desk.scope("ann"))
    await desk.wait(seconds=30)
    assert [(await desk.interaction(one.id)).state for one in (first, second)] == [State.CLOSED, State.WRAPPING]
    await desk.wait(seconds=30)
    assert (await desk.interaction(second.id)).state is State.CLOSED


async def test_r14_wrap_up_ends_though_the_browser_is_closed(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.handling.wrap_up(chat.id, await desk.scope("ann"))
    await desk.hub.services.presence.disconnected("ann")
    await desk.wait(seconds=61)
    assert (await desk.interaction(chat.id)).state is State.CLOSED
    assert (await desk.agent("ann")).held == 0


async def test_r17_what_the_supervisor_chose_stays(desk: Desk) -> None:
    await desk.available("ann")
    await desk.hub.services.presence.disconnected("ann")
    await desk.hub.services.presence.choose("ann", Presence.OFFLINE, "", actor=await desk.scope("sue"))
    await desk.hub.services.presence.connected("ann")
    await desk.settle()
    assert (await desk.agent("ann")).presence is Presence.OFFLINE
    chat = await desk.chat()
    assert await desk.offers_of(chat) == []


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "fails"])
async def test_r18_call_that_fails_leaves_the_agents_presence_alone(house: PhoneHouse, outcome: str) -> None:
    house.carrier.world.install(ANN, Phone(Manners(outcome=outcome)))  # type: ignore[arg-type]
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    begun = await house.desk.hub.services.call_desk.call_out(await house.desk.scope("ann"), "hotline", ANN)
    await house.wait(35)
    ann, scope = await house.desk.agent("ann"), await house.desk.scope("ann")
    assert (ann.presence, ann.reason) == (Presence.AWAY, "lunch")
    assert (await house.desk.interaction(begun.id)).state is State.WRAPPING
    await house.desk.hub.services.handling.complete(begun.id, scope, "solved")
    assert (await house.desk.agent("ann")).presence is Presence.AWAY


@pytest.mark.parametrize("agent_first", [True, False])
async def test_r19_of_several_offers_one_is_accepted_and_none_is_left(
    tmp_path: Path, database_url: str, agent_first: bool
) -> None:
    """Two are asked; one accepts in the instant in which the other's offer is taken back."""
    queues = {name: QueueSettings(id=name, offers_at_once=2) for name in ("support", "billing")}
    desk = await open_desk(tmp_path, database_url, {"queues": queues})
    try:
        await desk.available("ann", "bob")
        chat = await desk.chat()
        offers = {offer.agent: offer for offer in await desk.live_offers()}
        assert set(offers) == {"ann", "bob"}
        accept = desk.hub.services.offers.accept(offers["ann"].id, "ann")
        leave = desk.hub.services.presence.choose("bob", Presence.AWAY, "lunch")
        await asyncio.gather(*([accept, leave] if agent_first else [leave, accept]))
        await desk.settle()
        assert (await desk.interaction(chat.id)).agent == "ann"
        assert {state for _, state in await desk.offers_of(chat)} == {"accepted", "revoked"}
        assert [(await desk.agent(name)).held for name in ("ann", "bob")] == [25, 0]
    finally:
        desk.clock.settle = None
        await desk.hub.stop()


async def test_r20_wrap_up_belongs_to_whoever_had_the_call_last(house: PhoneHouse) -> None:
    interaction, _, _ = await house.talking(script=(Wait(20), HangUp()))
    handling, ann, bob = house.desk.hub.services.handling, *[await house.desk.scope(n) for n in ("ann", "bob")]
    await handling.transfer(interaction.id, ann, agent="bob")
    assert (await house.desk.agent("ann")).held == 0, "who has given it away wraps nothing up"
    await house.desk.available("bob")
    AgentPhone(house, "bob")
    await house.wait(2)
    await house.desk.accept("bob")
    await house.wait(30)
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING
    with pytest.raises(Conflict):
        await handling.transfer(interaction.id, bob, agent="ann")
    await handling.complete(interaction.id, bob, "solved")
    segments: list[Segment] = await house.desk._rows(SEGMENTS, "WHERE interaction = $1", interaction.id)
    assert [one.agent for one in segments if one.kind is SegmentKind.WRAP_UP] == ["bob"]
    assert [(await house.desk.agent(name)).held for name in ("ann", "bob")] == [0, 0]
