"""Phone calls from the first ring to the last word, over the carrier's own protocol."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.calls import LegRole
from hub.domain.interaction import State
from tests.integration.phones import (
    HangUp,
    Meet,
    PhoneHouse,
    Say,
    Wait,
    WaitFor,
    phone_house,
)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    """A hub with one phone line."""
    async with phone_house(tmp_path, database_url) as opened:
        yield opened
        assert opened.bad_documents() == []


async def test_caller_waits_is_answered_talks_and_hangs_up(house: PhoneHouse) -> None:
    interaction, line, phone = await house.talking(
        script=(WaitFor("Welcome to Fernway"), Meet("", 60), Say("My tent leaks"), Wait(5), HangUp())
    )
    assert interaction.state is State.ACTIVE
    assert interaction.agent == "ann"
    assert [(leg.role, leg.is_in_room) for leg in await house.legs(interaction)] == [
        (LegRole.CUSTOMER, True),
        (LegRole.AGENT, True),
    ]

    await house.wait(30)

    assert line.is_over
    assert "My tent leaks" in phone.heard
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING
    assert all(not leg.is_live for leg in await house.legs(interaction))
