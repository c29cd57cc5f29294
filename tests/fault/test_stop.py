"""Stopping on purpose under load, and timers that were set before the hub's power was cut."""

import asyncio
import time
from pathlib import Path

import pytest

from hub.domain.interaction import State
from tests.fault.crowd import Crowd, crowd
from tests.fault.test_kill import backends
from tests.fault.truth import Truth

LATE_S = 1.0
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("kind", backends())
async def test_stopped_by_sigterm_under_load(kind: str, tmp_path: Path) -> None:
    async with crowd(kind, tmp_path) as people:
        people.begin()
        await people.busy(200)
        began = time.monotonic()
        assert await people.stop() == 0
        assert time.monotonic() - began < people.place.settings.server.shutdown_s
        for visitor in people.visitors:
            assert "restart" in visitor.heard
        assert any("goodbye" in agent.heard for agent in people.agents)
        (await people.truth()).check()
        await people.start()
        await people.busy()
        await people.settle()
        await people.check()
        people.check_log()


@pytest.mark.parametrize("kind", backends())
async def test_timers_set_before_the_kill_fire_after_it(kind: str, tmp_path: Path) -> None:
    async with crowd(kind, tmp_path, asleep=1, visitors=8) as people:
        people.begin()
        truth = await _with_timers(people)
        expiring = {offer.interaction for offer in truth.offers}
        wrapping = [found.id for found in truth.interactions.values() if found.state is State.WRAPPING]
        await people.kill()
        due = max(
            *(offer.deadline_at for offer in truth.offers),
            *(truth.interactions[key].wrap_up_ends_at or 0 for key in wrapping),
        )
        # The hub is down while the timers come due: only time can bring that about.
        await asyncio.sleep(max(due / 1000 - time.time(), 0) + 0.1)
        await people.start()
        await asyncio.sleep(LATE_S)
        after = await people.truth()
        assert not people.late
        assert not {offer.id for offer in after.offers} & {offer.id for offer in truth.offers}
        assert expiring
        assert [after.interactions[key].state for key in wrapping] == [State.CLOSED] * len(wrapping)
        await people.settle()
        await people.check()


async def _with_timers(people: Crowd) -> Truth:
    """Wait until an offer lies with the agent who looks away, and a wrap-up runs."""
    sleeper = people.place.settings.agents["a0000"].id
    while True:
        await people.busy(5)
        truth = await people.truth()
        is_wrapping = any(found.state is State.WRAPPING for found in truth.interactions.values())
        if is_wrapping and any(offer.agent == sleeper for offer in truth.offers):
            return truth
