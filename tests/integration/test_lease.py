"""The dispatcher's lease: one node decides, and an old one that wakes up writes nothing."""

import pytest

from hub.services.dispatching.lease import Fenced, Lease
from hub.services.offers import Offers, Proposal, Refusal
from tests.builders import Desk


def lease(desk: Desk, owner: str) -> Lease:
    return Lease(desk.hub.services.store, desk.clock, "test", owner)


async def test_lease_is_one_nodes_until_it_runs_out(desk: Desk) -> None:
    one, two = lease(desk, "one"), lease(desk, "two")
    assert await one.take()
    assert not await two.take()
    await desk.wait(seconds=7)
    assert await two.take()

    assert not await one.renew()
    assert (one.is_held, two.is_held) == (False, True)


async def test_restarted_node_takes_its_own_lease_at_once_with_a_new_token(desk: Desk) -> None:
    before, after = lease(desk, "one"), lease(desk, "one")
    assert await before.take()
    assert await after.take()

    assert (before.token or 0) < (after.token or 0)


@pytest.mark.parametrize("is_fenced", [False, True])
async def test_old_holder_commits_no_offer(desk: Desk, is_fenced: bool) -> None:
    await desk.hub.services.dispatcher.stop()
    chat = await desk.chat()
    await desk.available("ann")
    held, other = lease(desk, "one"), lease(desk, "two")
    assert await held.take()
    offers = Offers(desk.hub.services.store, desk.hub.settings)
    offers.fence = held.check
    if is_fenced:
        await desk.wait(seconds=7)
        assert await other.take()

    proposal = Proposal(interaction=chat.id, agent="ann", deadline_at=desk.clock.now() + 30_000, units=25)
    if is_fenced:
        with pytest.raises(Fenced):
            await offers.make(proposal)
        assert await desk.offers_of(chat) == []
    else:
        assert not isinstance(await offers.make(proposal), Refusal)
        assert await desk.offers_of(chat) == [("ann", "pending")]
