"""What the carrier told nobody of is found by asking it: recordings, machines. What was told meanwhile is no news."""

import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from channels.simulator.carrier.faults import Fault
from channels.simulator.carrier.phones import HangUp, Manners, Phone, Say, Wait, WaitFor
from hub.contract.calls import LegView, Target
from hub.domain.calls import EndCause, LegRole
from hub.domain.errors import ChannelUnavailable, NotFound
from hub.domain.interaction import State
from hub.settings import Hours, QueueSettings
from hub.settings.sections import CallSettings
from hub.storage.tables import RECORDINGS
from tests.integration.phones import ANN, AgentPhone, PhoneHouse, phone_house

CLOSED = {"support": QueueSettings(id="support", name="Support", hours="never"), "billing": QueueSettings(id="billing")}
NOT_AS_TOLD = "a line is not as it was told"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line."""
    async with phone_house(tmp_path, database_url) as opened:
        yield opened


async def test_message_of_which_the_carrier_never_told_is_work_all_the_same(database_url: str, tmp_path: Path) -> None:
    settings = {"queues": CLOSED, "hours": {"never": Hours(id="never")}}
    async with phone_house(tmp_path, database_url, settings=settings) as house:
        house.carrier.switch.faults.switch_on(Fault(kind="recording", effect="lost"))
        house.calls(script=(WaitFor("after the tone"), Wait(4), Say("Please call me back"), Wait(3), HangUp()))
        await house.wait(60)
        assert len(await house.interactions()) == 1
        await house.wait(180)
        _, message = await house.interactions()
        assert message.is_message
        assert [m.code for m in await house.desk.messages(message)] == ["message_recorded"]


async def test_recording_of_which_the_carrier_never_told_is_kept(database_url: str, tmp_path: Path) -> None:
    async with phone_house(tmp_path, database_url, records=True) as house:
        house.carrier.switch.faults.switch_on(Fault(kind="recording", effect="lost"))
        interaction, line, _ = await house.talking()
        await house.wait(5)
        line.hang_up()
        await house.wait(240)
        said = [m.code for m in await house.desk.messages(interaction)]
        assert said.count("call_recorded") == 1


async def test_recording_that_was_told_of_is_kept_once(database_url: str, tmp_path: Path) -> None:
    async with phone_house(tmp_path, database_url, records=True) as house:
        interaction, line, _ = await house.talking()
        await house.wait(5)
        line.hang_up()
        await house.wait(240)
        assert [m.code for m in await house.desk.messages(interaction)].count("call_recorded") == 1
        assert len(await house.desk._rows(RECORDINGS, "")) == 1


async def test_sound_goes_after_its_time_here_and_at_the_carrier(database_url: str, tmp_path: Path) -> None:
    settings = {"calls": CallSettings(recording_days=3)}
    async with phone_house(tmp_path, database_url, records=True, settings=settings) as house:
        interaction, line, _ = await house.talking()
        await house.wait(5)
        line.hang_up()
        await house.wait(180)
        (before,) = await house.desk._rows(RECORDINGS, "")
        files = house.desk.hub.services.files
        assert before.file is not None
        assert await files.content(before.file)
        service = house.desk.hub.services.recordings
        assert await service.forget_old(3) == 0

        house.clock._now += 4 * 86_400_000  # as after days in which the hub stood still
        house.carrier.switch.faults.switch_on(Fault(kind="rest", effect="status", code=503))
        with pytest.raises(ChannelUnavailable):
            await service.forget_old(3)
        assert await files.content(before.file)
        house.carrier.switch.faults.switch_off()
        assert await service.forget_old(3) == 1
        assert await service.forget_old(3) == 0
        with pytest.raises(NotFound):
            await files.content(before.file)
        assert before.provider_id not in house.carrier.plant.recordings
        said = [(m.code, m.files) for m in await house.desk.messages(interaction)]
        assert ("recording_removed", ()) in said
        assert "call_recorded" not in [code for code, _ in said]


@pytest.mark.parametrize("others", [0, 4], ids=["asked about alone", "found in a list"])
async def test_machine_of_which_the_carrier_never_told_is_hung_up_on(house: PhoneHouse, others: int) -> None:
    for number in range(others):
        house.calls(f"+1415555{2000 + number}")
    await house.wait(3)
    house.carrier.switch.faults.switch_on(Fault(kind="amd", effect="lost"))
    house.carrier.world.install(ANN, Phone(Manners(nature="machine", greeting="Leave a message"), (Wait(600),)))
    await house.desk.hub.services.presence.connected("ann")
    AgentPhone(house, "ann")
    call = await house.desk.hub.services.call_desk.call_out(await house.desk.scope("ann"), "hotline", ANN)
    await house.wait(10)
    assert (await house.desk.interaction(call.id)).state is State.ACTIVE
    await house.wait(35)
    assert (await house.desk.interaction(call.id)).state is not State.ACTIVE
    assert [leg.cause for leg in await house.legs(call) if leg.role is LegRole.CUSTOMER] == [EndCause.MACHINE]


async def test_what_is_told_while_the_carrier_is_asked_is_no_news(
    house: PhoneHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    interaction, line, _ = await house.talking()
    channel: Any = house.channel
    look = channel.look

    async def slow(lines: Sequence[Target]) -> list[LegView]:
        seen = await look(lines)
        line.hang_up()
        await house.settle()
        seen += await look(lines)
        return list(seen)

    channel.look = slow
    await house.desk.hub.services.call_orders.reconcile("hotline")
    del channel.look
    assert NOT_AS_TOLD not in caplog.messages
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING


async def test_what_was_never_told_is_news_once(house: PhoneHouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    interaction, line, _ = await house.talking()
    house.wire.is_cut = True
    line.hang_up()
    await house.wait(1)
    house.wire.is_cut = False
    await house.wait(60)
    # The agent's line, alone in its room, could not be given music, and fell too.
    told = [record.__dict__["leg"] for record in caplog.records if record.message == NOT_AS_TOLD]
    assert sorted(told) == sorted(leg.id for leg in await house.legs(interaction))
    assert (await house.desk.interaction(interaction.id)).state is not State.ACTIVE
