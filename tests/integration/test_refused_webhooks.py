"""What comes in the carrier's name and nothing proves: refused, counted, alarmed; kept and taken once it can be."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from channels import _health
from channels._twilio import Signatures
from hub.domain.agent import Role
from hub.domain.correspondence import ArrivalState
from hub.domain.errors import Forbidden, NotFound
from hub.domain.interaction import State
from hub.services import arrivals
from hub.services.access import Scope
from hub.settings import Secret
from hub.storage.tables import ARRIVALS
from tests.integration.phones import SID, TOKEN, PhoneHouse, phone_house


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[PhoneHouse]:
    async with phone_house(tmp_path, database_url) as opened:
        yield opened


def knows(house: PhoneHouse, token: str) -> None:
    """Let the hub be one that was started with this token."""
    house.channel.account._signatures = Signatures([Secret(token)], house.desk.hub.settings.server.public_url)


def refused(house: PhoneHouse) -> float:
    value = house.desk.hub.metrics.registry.get_sample_value("hub_webhooks_refused_total", {"channel": "hotline"})
    return value or 0.0


async def forged(house: PhoneHouse, session: aiohttp.ClientSession, **fields: str) -> int:
    url = f"{house.desk.hub.settings.server.public_url}/webhooks/hotline/status"
    async with session.post(url, data=fields, headers={"X-Twilio-Signature": "made up"}) as response:
        return response.status


async def test_news_under_an_unknown_token_are_taken_once_the_token_is_known(
    house: PhoneHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "ALARM_MS", 30_000)
    interaction, line, _ = await house.talking()
    service, sue = house.desk.hub.services.arrivals, await house.desk.scope("sue")
    ada = Scope("ada", Role.ADMIN)
    knows(house, "another token")
    line.hang_up()
    await house.wait(1)

    kept = await service.attention(sue)
    assert refused(house) == len(kept) > 0
    assert (await house.desk.interaction(interaction.id)).state is State.ACTIVE
    assert not house.channel.status.is_up
    assert "public_url" in house.channel.status.reason

    with pytest.raises(Forbidden):
        await service.read_again(kept[0].id, sue)
    await service.read_again(kept[0].id, ada)
    await service.caught_up()
    assert len(await service.attention(sue)) == len(kept)

    knows(house, TOKEN)
    for one in kept:
        await service.read_again(one.id, ada)
    await service.caught_up()
    await house.settle()
    assert await service.attention(sue) == []
    assert (await house.desk.interaction(interaction.id)).state is State.WRAPPING
    assert {one.state for one in await house.desk._rows(ARRIVALS, "")} == {ArrivalState.IGNORED}
    await house.wait(30)
    assert house.channel.status.is_up


async def test_what_does_not_name_our_account_is_counted_and_nothing_more(house: PhoneHouse) -> None:
    async with aiohttp.ClientSession() as session:
        assert await forged(house, session, CallSid="CA1", CallStatus="completed") == 403
    assert refused(house) == 1
    assert house.channel.status.is_up
    assert await house.desk._rows(ARRIVALS, "") == []


async def test_flood_fills_neither_the_disk_nor_the_list(house: PhoneHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_REFUSED", 3)
    async with aiohttp.ClientSession() as session:
        for number in range(6):
            assert await forged(house, session, AccountSid=SID, CallSid=f"CA{number}") == 403
        assert await forged(house, session, AccountSid=SID, CallSid="CA0") == 403
    assert refused(house) == 7
    assert [one.state for one in await house.desk._rows(ARRIVALS, "")] == [ArrivalState.FAILED] * 3


async def test_refused_request_is_not_kept_for_longer_than_anything_else(house: PhoneHouse) -> None:
    service, sue = house.desk.hub.services.arrivals, await house.desk.scope("sue")
    async with aiohttp.ClientSession() as session:
        assert await forged(house, session, AccountSid=SID, CallSid="CA1") == 403
    (kept,) = await service.attention(sue)
    assert await service.forget_old(3) == 0
    assert await service.raw(kept.id, sue)

    house.clock._now += 5 * 86_400_000  # as after days in which the hub stood still
    assert await service.forget_old(3) == 1
    assert await service.attention(sue) == []
    with pytest.raises(NotFound):
        await service.raw(kept.id, sue)
