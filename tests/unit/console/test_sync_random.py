"""Snapshot + frames = fresh snapshot, whatever is done in whatever order, by browsers that come, go and lose frames."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.agent import Presence
from hub.domain.errors import HubError
from hub.domain.interaction import Interaction, State
from hub.services.dispatching.floor import WINDOW, Floor
from hub.services.people import Edit
from hub.storage.migrations import migrate
from tests.builders import QUEUES, Desk, open_desk
from tests.unit.console.browsers import Office
from tests.unit.console.conftest import people

NAMES = ("ann", "bob", "sue")


class Day:
    """What can happen on a day at this office; `pick` is a random number that chooses among what there is."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.desk = office.desk
        self.hub = office.desk.hub.services
        self.merges: list[str] = []

    def open(self, pick: int, *states: State) -> Interaction | None:
        """Return one of the open interactions, in one of these states if any are named."""
        found = [i for i in self.office.floor.interactions.values() if not states or i.state in states]
        return found[pick % len(found)] if found else None

    async def chat(self, pick: int) -> None:
        await self.desk.chat(f"Visitor {pick}", queue=QUEUES[pick % 2])

    async def visitor_says(self, pick: int) -> None:
        chat = self.open(pick)
        if chat:
            await self.desk.visitor_says(chat, f"Words {pick}")

    async def visitor_ends(self, pick: int) -> None:
        chat = self.open(pick)
        if chat:
            await self.hub.chats.end(chat.id, self.desk.visitors[chat.id])

    async def visitor_reads(self, pick: int) -> None:
        chat = self.open(pick)
        if chat:
            await self.hub.chats.seen(chat.id, self.desk.visitors[chat.id], pick % 9)

    async def available(self, pick: int) -> None:
        await self.desk.available(NAMES[pick % 2])

    async def away(self, pick: int) -> None:
        presence = (Presence.AWAY, Presence.OFFLINE)[pick % 2]
        await self.hub.presence.choose(NAMES[pick % 3], presence, "lunch" if pick % 2 == 0 else "")

    async def line_cut(self, pick: int) -> None:
        await self.hub.presence.disconnected(NAMES[pick % 2])

    async def accept(self, pick: int) -> None:
        offers = await self.desk.live_offers()
        if offers:
            offer = offers[pick % len(offers)]
            await self.hub.offers.accept(offer.id, offer.agent)

    async def reject(self, pick: int) -> None:
        offers = await self.desk.live_offers()
        if offers:
            offer = offers[pick % len(offers)]
            await self.hub.offers.reject(offer.id, offer.agent, "busy")

    async def agent_says(self, pick: int) -> None:
        chat = self.open(pick, State.ACTIVE, State.PARKED)
        if chat and chat.agent:
            await self.desk.agent_says(chat.agent, chat, f"Answer {pick}")

    async def agent_reads(self, pick: int) -> None:
        chat = self.open(pick, State.ACTIVE)
        if chat and chat.agent:
            await self.hub.handling.seen(chat.id, await self.desk.scope(chat.agent), pick % 9)

    async def move_on(self, pick: int) -> None:
        """Whatever the one who handles an interaction can do with it."""
        chat = self.open(pick, State.ACTIVE, State.PARKED, State.WRAPPING)
        if not chat or not chat.agent:
            return
        scope, handling = await self.desk.scope(chat.agent), self.hub.handling
        moves: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: handling.park(chat.id, scope),
            lambda: handling.unpark(chat.id, scope),
            lambda: handling.transfer(chat.id, scope, queue=QUEUES[pick % 2]),
            lambda: handling.transfer(chat.id, scope, agent=NAMES[pick % 2]),
            lambda: handling.wrap_up(chat.id, scope),
            lambda: handling.extend_wrap_up(chat.id, scope),
            lambda: handling.complete(chat.id, scope, "solved"),
        )
        await moves[pick // 7 % len(moves)]()

    async def steer(self, pick: int) -> None:
        chat = self.open(pick)
        if not chat:
            return
        scope, supervision = await self.desk.scope("sue"), self.hub.supervision
        if pick % 3 == 0:
            await supervision.assign(chat.id, scope, agent=NAMES[pick // 3 % 2])
        elif pick % 3 == 1:
            await supervision.assign(chat.id, scope, queue=QUEUES[pick // 3 % 2])
        else:
            await supervision.force_close(chat.id, scope, "test")

    async def edit(self, pick: int) -> None:
        chat = self.open(pick)
        if chat:
            tier = ("gold", "")[pick % 2]
            await self.hub.people.edit(
                chat.customer, Edit(name=f"Name {pick}", tier=tier), await self.desk.scope("sue")
            )

    async def merge(self, pick: int) -> None:
        one, other = self.open(pick), self.open(pick // 3)
        scope = await self.desk.scope("sue")
        if self.merges and pick % 2:
            await self.hub.people.undo_merge(self.merges.pop(), scope)
        elif one and other:
            self.merges.append((await self.hub.people.merge(one.customer, other.customer, scope)).id)

    async def pull(self, pick: int) -> None:
        chat = self.open(pick, State.QUEUED)
        if chat:
            await self.hub.dispatcher.pull(chat.id, NAMES[pick % 2])

    async def reconfigure(self, pick: int) -> None:
        """Another set of queues for an agent: their scope changes under them."""
        name = NAMES[pick % 2]
        wanted = msgspec.structs.replace(self.desk.hub.settings.agents[name], queues=QUEUES[: pick // 2 % 3])
        await self.hub.accounts.sync_configured({name: wanted})

    async def resume_work(self, pick: int) -> None:
        await self.hub.presence.resume_work(NAMES[pick % 2])

    async def time_passes(self, pick: int) -> None:
        await self.desk.wait(seconds=(0.05, 0.2, 1, 10, 35, 70)[pick % 6])

    async def tick(self, pick: int) -> None:
        self.office.sync.flush(board=pick % 2 == 0)

    async def tab_goes(self, pick: int) -> None:
        browser = self.office.browsers[pick % len(self.office.browsers)]
        if browser.tab is None:
            browser.connect()
        else:
            browser.disconnect()

    async def tab_chokes(self, pick: int) -> None:
        browser = self.office.browsers[pick % len(self.office.browsers)]
        if browser.tab is None:
            return
        if browser.is_deaf:
            browser.is_deaf = False
            self.office.sync.distrust(browser.tab)
        else:
            browser.is_deaf = True

    async def tab_asks(self, pick: int) -> None:
        browser = self.office.browsers[pick % len(self.office.browsers)]
        if browser.tab is not None and not browser.is_deaf:
            browser.sync()

    async def looks(self, pick: int) -> None:
        browser, chat = self.office.browsers[pick % len(self.office.browsers)], self.open(pick)
        if browser.tab is None:
            return
        if browser.tab.opened and pick % 3 == 0:
            self.office.sync.leave_view(browser.tab, next(iter(browser.tab.opened)))
        elif chat:
            self.office.sync.begin_open(browser.tab, chat.id)
            if pick % 2:
                self.office.sync.end_open(browser.tab, chat.id)


STEPS = tuple(sorted(name for name in vars(Day) if not name.startswith("_") and name != "open"))
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), min_size=5, max_size=40)


@pytest.fixture(scope="module")
def empty_database() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        asyncio.run(migrate(f"sqlite:///{path}"))
        yield path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=steps, window=st.sampled_from((WINDOW, 1)))
def test_any_day_leaves_every_browser_true(empty_database: Path, day: list[tuple[str, int]], window: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Floor, "window", window)
        shutil.copy(empty_database, Path(folder) / "hub.db")
        asyncio.run(spend(Path(folder), day))


async def spend(folder: Path, day: list[tuple[str, int]]) -> None:
    desk: Desk = await open_desk(folder, f"sqlite:///{folder}/hub.db", {"agents": people()})
    office = Office(desk)
    for agent in ("ann", "bob", "sue", "ann", "ada"):
        office.browser(agent)
    events = Day(office)
    try:
        for name, pick in day:
            try:
                await getattr(events, name)(pick)
            except HubError:
                continue
        for browser in office.browsers:
            if browser.is_deaf and browser.tab is not None:
                browser.is_deaf = False
                office.sync.distrust(browser.tab)
            if browser.tab is None:
                browser.connect()
            browser.gaps = 0
        await office.check()
    finally:
        office.sync.close()
        desk.clock.settle = None
        await desk.hub.stop()
