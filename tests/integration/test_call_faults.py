"""Calls under a carrier that misbehaves: callbacks lost, doubled, late and out of order change nothing in the end.

The matrix is whole: each kind of callback, mistreated in each way, in each kind of call. The suite runs a share of it
in which every kind, way and call has its turn; with HUB_TEST_MATRIX=whole it runs all.
"""

import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from channels.simulator.carrier.faults import Effect, Fault
from channels.simulator.carrier.phones import HangUp, Manners, Phone, Wait
from hub.domain.agent import Presence
from hub.domain.errors import Conflict, NotFound
from hub.domain.interaction import TERMINAL, Interaction, State
from hub.domain.segments import Segment
from hub.settings import Handling
from hub.settings.sections import CallSettings
from hub.storage.tables import SEGMENTS
from tests.integration.phones import ANN, BEN, LINE, AgentPhone, PhoneHouse, phone_house


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


# -- the matrix


@pytest.fixture
async def brisk_house(tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """The same, where everything that takes its time takes little."""
    settings = {
        "calls": CallSettings(reconcile_s=3.0, reattach_s=4.0, connect_s=5.0, callback_again_s=3_600.0),
        "handling": Handling(wrap_up_s=4.0),
    }
    async with phone_house(tmp_path, f"sqlite:///{tmp_path}/hub.db", settings=settings) as opened:
        yield opened


GUEST: Final = "+14155550199"
KINDS: Final = ("call", "action", "status", "conference", "recording", "amd", "queue")
EFFECTS: Final[tuple[Effect, ...]] = ("lost", "duplicated", "late", "reordered")
Happens = Callable[[PhoneHouse], Awaitable[object]]


async def _caller_hangs_up(house: PhoneHouse) -> None:
    await _answered(house, ANN)
    await house.wait(32)


async def _agent_hangs_up(house: PhoneHouse) -> None:
    call = await _answered(house, ANN)
    await _if_talking(house, call, "wrap_up")


async def _caller_gives_up(house: PhoneHouse) -> None:
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    house.calls("+14155550177", (Wait(8), HangUp()))
    await house.wait(12)


async def _held(house: PhoneHouse) -> None:
    call = await _answered(house, ANN)
    for step in ("hold", "resume"):
        await _if_talking(house, call, step)
        await house.wait(2)


async def _consulted(house: PhoneHouse) -> None:
    house.carrier.world.install(GUEST, Phone())
    call = await _answered(house, ANN)
    await _if_talking(house, call, "consult")
    await house.wait(6)
    await _if_talking(house, call, "put_through")


async def _called_out(house: PhoneHouse) -> None:
    house.carrier.world.install(ANN, Phone(Manners(), (Wait(10), HangUp())))
    await house.desk.hub.services.call_desk.call_out(await house.desk.scope("ann"), "hotline", ANN)
    await house.wait(20)


async def _called_back(house: PhoneHouse) -> None:
    house.carrier.world.install(ANN, Phone(Manners(nature="machine", greeting="Leave a message")))
    scope = await house.desk.scope("ann")
    await house.desk.hub.services.callbacks.plan(scope, "hotline", ANN, house.clock.now() + 1_000)
    await house.wait(3)
    for offer in await house.desk.live_offers():
        await house.desk.hub.services.offers.accept(offer.id, offer.agent)
    await house.wait(20)


async def _if_talking(house: PhoneHouse, call: Interaction, step: str) -> None:
    """Do something in a call, unless the carrier has done something to it already."""
    desk, scope = house.desk.hub.services.call_desk, await house.desk.scope("ann")
    with contextlib.suppress(Conflict, NotFound):
        if step == "wrap_up":
            await house.desk.hub.services.handling.wrap_up(call.id, scope)
        elif step == "consult":
            await desk.consult(call.id, scope, number=GUEST)
        else:
            await getattr(desk, step)(call.id, scope)


HAPPENINGS: Final[tuple[Happens, ...]] = (
    *(_caller_hangs_up, _agent_hangs_up, _caller_gives_up, _held, _consulted, _called_out, _called_back),
)
WHOLE: Final = list(itertools.product(range(len(KINDS)), range(len(EFFECTS)), range(len(HAPPENINGS))))
SHARE: Final = [(kind, (kind + turn) % 4, (kind * 2 + turn * 3) % 7) for kind in range(len(KINDS)) for turn in (0, 1)]


def _name(cell: tuple[int, int, int]) -> str:
    return f"{KINDS[cell[0]]} {EFFECTS[cell[1]]}{HAPPENINGS[cell[2]].__name__}"


@pytest.mark.parametrize("cell", WHOLE if os.environ.get("HUB_TEST_MATRIX") == "whole" else SHARE, ids=_name)
async def test_each_news_in_each_way_in_each_call_ends_right(
    brisk_house: PhoneHouse, cell: tuple[int, int, int]
) -> None:
    house = brisk_house
    kind, effect, happens = KINDS[cell[0]], EFFECTS[cell[1]], HAPPENINGS[cell[2]]
    await house.desk.available("ann")
    AgentPhone(house, "ann")
    house.carrier.switch.faults.switch_on(Fault(kind=kind, effect=effect, share=1.0, seconds=3.0))
    if kind == "call" and effect == "lost":
        house.carrier.switch.faults.switch_off()
        house.carrier.switch.faults.switch_on(Fault(kind=kind, effect=effect, share=0.5))
    await happens(house)
    house.carrier.switch.faults.switch_off()
    await house.desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    for line in list(house.carrier.plant.legs.values()):
        if not line.is_over and line.route.to == LINE:
            line.hang_up()
    await house.wait(14)
    for call in await house.interactions():
        if call.state is State.QUEUED:
            await house.desk.hub.services.supervision.force_close(call.id, await house.desk.scope("sue"), "")
        elif call.state in {State.ACTIVE, State.HELD, State.CONSULTING}:
            await house.desk.hub.services.handling.wrap_up(call.id, await house.desk.scope("ann"))
    await house.wait(10)
    await _assert_all_is_over(house, await house.interactions())


def test_the_share_of_the_matrix_leaves_nothing_out() -> None:
    for axis, names in enumerate((KINDS, EFFECTS, HAPPENINGS)):
        assert {cell[axis] for cell in SHARE} == set(range(len(names)))
