"""`kill -9` at random moments under load: nothing acknowledged is lost or doubled, and everybody carries on."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.bench.hub.running import DATABASES
from tests.fault.crowd import crowd
from tests.servers import why_not

KILLS = 10
pytestmark = pytest.mark.timeout(240)


def backends() -> list[object]:
    missing = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
    return [pytest.param(kind, marks=[missing] if kind == "postgresql" else []) for kind in DATABASES]


@pytest.mark.parametrize("kind", backends())
async def test_killed_at_random_moments_under_load(kind: str, tmp_path: Path) -> None:
    moments = random.Random(20261122)
    async with crowd(kind, tmp_path) as people:
        people.begin()
        for _ in range(KILLS):
            await people.busy()
            await people.truth()
            # The moment is what is tried: there is no event to wait for.
            await asyncio.sleep(moments.random() * 0.4)
            await people.kill()
            (await people.truth()).check()
            await people.start()
        await people.busy(60)
        await people.settle()
        truth = await people.check()
        assert await people.stop() == 0
        (await people.truth()).check()

        assert all(client.connections > KILLS for client in people.everybody)
        for visitor in people.visitors:
            shown = truth.messages[visitor.interaction or ""][: visitor.held]
            assert [message.text for message in shown] == [visitor.log[message.n]["text"] for message in shown]
        assert len(truth.interactions) > len(people.visitors)
        people.check_log()
