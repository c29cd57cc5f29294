"""Calls under a carrier that misbehaves: callbacks lost, doubled, late and out of order change nothing in the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.simulator.carrier.faults import Effect, Fault
from channels.simulator.carrier.phones import HangUp, Phone, Wait
from hub.domain.interaction import TERMINAL, Interaction, State
from hub.domain.segments import Segment
from hub.storage.tables import SEGMENTS
from tests.integration.phones import ANN, BEN, AgentPhone, PhoneHouse, phone_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line; what is tried here is the carrier, not the database."""
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db") as opened:
        yield opened


async def _answered(house: PhoneHouse, number: str) -> Interaction:
    """Somebody calls until they are answered: a carrier this bad drops callers too."""
    line = house.calls(number, (Wait(30), HangUp()))
    for _ in range(120):
        await house.wait(1)
        if line.is_over:
            line = house.calls(number, (Wait(30), HangUp()))
        for offer in await house.desk.live_offers():
            await house.desk.hub.services.offers.accept(offer.id, offer.agent)
        found = [i for i in await house.interactions() if i.state is State.ACTIVE]
        if found:
            return found[0]
    raise AssertionError("nobody was connected")


async def _day(house: PhoneHouse) -> list[Interaction]:
    """One caller talks and hangs up, one is hung up on, one gives up waiting."""
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    await _answered(house, ANN)
    await house.wait(120)
    second = await _answered(house, BEN)
    current = await house.desk.interaction(second.id)
    if current.state is State.ACTIVE:
        await house.desk.hub.services.handling.wrap_up(second.id, await house.desk.scope("ann"))
    house.calls("+14155550177", (Wait(8), HangUp()))
    await house.wait(20)
    house.carrier.switch.faults.switch_off()
    await house.wait(120)
    return await house.interactions()


async def _assert_all_is_over(house: PhoneHouse, interactions: list[Interaction]) -> None:
    assert [i.state in TERMINAL for i in interactions] == [True] * len(interactions)
    for interaction in interactions:
        assert [leg for leg in await house.legs(interaction) if leg.is_live] == []
        segments: list[Segment] = await house.desk._rows(
            SEGMENTS, "WHERE interaction = $1 ORDER BY started_at, id", interaction.id
        )
        assert all(segment.ended_at is not None for segment in segments)
    assert (await house.desk.agent("ann")).held == 0
    figures = house.desk.hub.services.floor.figures["support"]
    left = figures.answered + figures.short_abandons + figures.abandoned + figures.flowed_out
    assert figures.offered == left
    assert house.desk.hub.services.floor.violations == 0
    assert [leg for leg in house.carrier.plant.legs.values() if not leg.is_over] == []


@pytest.mark.parametrize(
    ("kind", "effect", "share"),
    [
        ("*", "duplicated", 1.0),
        ("*", "late", 0.5),
        ("*", "reordered", 0.5),
        ("status", "lost", 1.0),
        ("conference", "lost", 1.0),
        ("action", "lost", 0.5),
        ("queue", "lost", 0.5),
    ],
)
async def test_callbacks_that_misbehave_change_nothing_in_the_end(
    house: PhoneHouse, kind: str, effect: Effect, share: float
) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind=kind, effect=effect, share=share, seconds=3.0))
    await _assert_all_is_over(house, await _day(house))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="rest", effect="status", code=429, share=0.3),
        Fault(kind="rest", effect="status", code=500, share=0.3),
        Fault(kind="rest", effect="after", code=500, share=0.3),
        Fault(kind="leg", effect="dropped", share=0.5, seconds=20.0),
    ],
    ids=["429", "500", "done and 500", "dropped"],
)
async def test_carrier_that_refuses_and_drops_changes_nothing_in_the_end(house: PhoneHouse, fault: Fault) -> None:
    house.carrier.switch.faults.switch_on(fault)
    house.carrier.world.install(ANN, Phone())
    await _assert_all_is_over(house, await _day(house))
