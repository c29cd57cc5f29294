"""Browsers made of nothing: they keep rows exactly as agent_console/static/connection.js and store.js do."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from agent_console.rows import Rows
from agent_console.sync import Sync
from agent_console.tabs import Tab
from hub.domain.agent import Role
from hub.domain.interaction import Interaction, State
from hub.services.access import Scope
from hub.services.dispatching.floor import Floor
from tests.builders import Desk

TABLES = ("me", "agents", "queues", "interactions", "offers")
Rowset = dict[str, dict[str, Any]]


def on_the_wire(payload: object) -> Any:
    """Return what the other side reads."""
    return msgspec.json.decode(msgspec.json.encode(payload))


class Wires:
    """Rooms of browsers, in place of the socket server."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, Browser]] = {}
        self.sent = 0

    def join(self, line: "Browser", room: str) -> None:
        self.rooms.setdefault(room, {})[line.sid] = line

    def leave(self, line: "Browser", room: str) -> None:
        self.rooms.get(room, {}).pop(line.sid, None)

    def emit(self, event: str, payload: object, *, to: str | Iterable[str]) -> None:
        for room in (to,) if isinstance(to, str) else to:
            self.sent += 1
            for browser in tuple(self.rooms.get(room, {}).values()):
                browser.hear(event, on_the_wire(payload))


class Browser:
    """One tab of somebody's console."""

    def __init__(self, office: "Office", agent: str, sid: str) -> None:
        self.office = office
        self.agent = agent
        self.sid = sid
        self.held = 0
        self.tables: Rowset = {table: {} for table in TABLES}
        self.messages: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}
        self.heard: list[tuple[str, Any]] = []
        self.modes: list[str] = []
        self.gaps = 0
        self.tab: Tab | None = None
        self.is_deaf = False

    def connect(self) -> None:
        self.office.wires.join(self, self.sid)
        self.tab = self.office.sync.join(self, self.agent)
        self.sync()

    def disconnect(self) -> None:
        assert self.tab is not None
        self.office.sync.leave(self.tab)
        self.tab = None
        for room in self.office.wires.rooms.values():
            room.pop(self.sid, None)

    def sync(self) -> dict[str, Any]:
        """What `sync` and `take` of connection.js do."""
        assert self.tab is not None
        answer: dict[str, Any] = on_the_wire(self.office.sync.sync(self.tab, self.held or None))
        self.modes.append(answer["mode"])
        if answer["mode"] == "snapshot":
            self.tables = {table: dict(answer["put"].get(table, {})) for table in TABLES}
            self.held = answer["seq"]
        else:
            if answer["behind"]:
                self._apply(answer)
            self.held = max(self.held, answer["seq"])
        return answer

    def hear(self, event: str, payload: Any) -> None:
        if self.is_deaf:
            return
        self.heard.append((event, payload))
        if event == "resync":
            self.sync()
        elif event == "frame" and self.held and payload["seq"] >= self.held:
            if payload["prev"] > self.held:
                self.gaps += 1
                self.sync()
                return
            self.held = payload["seq"]
            self._apply(payload)

    def _apply(self, frame: Any) -> None:
        for table, rows in frame["put"].items():
            {"messages": self.messages, "notes": self.notes}.get(table, self.tables.get(table, {})).update(rows)
        for table, ids in frame["drop"].items():
            for name in ids:
                self.tables[table].pop(name, None)


class Office:
    """A desk's hub, with browsers on a wire of their own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.floor = desk.hub.services.floor
        self.rows = Rows(self.floor, {}, desk.hub.services.files.link)
        self.wires = Wires()
        self.sync = Sync(self.floor, self.rows, desk.clock, self.wires)
        self.browsers: list[Browser] = []

    def browser(self, agent: str) -> Browser:
        """Open a console."""
        browser = Browser(self, agent, f"tab {len(self.browsers)} of {agent}")
        self.browsers.append(browser)
        browser.connect()
        return browser

    def has_open(self, agent: str) -> set[str]:
        """Return what this person has open in any tab."""
        tabs = [browser.tab for browser in self.browsers if browser.agent == agent and browser.tab is not None]
        return {interaction for tab in tabs for interaction in tab.opened}

    async def truth(self, agent: str) -> Rowset:
        """Return a fresh snapshot: a floor loaded anew from the database, seen with this person's eyes."""
        fresh = Floor(self.floor.settings)
        await fresh.load(self.desk.hub.services.store)
        fresh.place, fresh.hours, fresh.history = self.floor.place, self.floor.hours, self.floor.history
        rows = Rows(fresh, {}, self.desk.hub.services.files.link)
        scope = Scope.of(fresh.agents[agent])
        shown = [one for one in fresh.interactions.values() if scope.sees(one) and fresh.is_listed(one)]
        is_watcher = scope.role is not Role.AGENT
        opened = self.has_open(agent)

        def row(i: Interaction) -> Any:
            is_own = agent in (i.agent, i.direct_to) or i.id in opened
            is_waiting = i.state in {State.QUEUED, State.OFFERED}
            return rows.interaction(i) if is_watcher or is_own or is_waiting else rows.brief(i)

        offers = [offer for offer in fresh.offers.values() if is_watcher or offer.agent == agent]
        found: Rowset = on_the_wire(
            {
                "me": {"me": rows.me(agent)},
                "agents": {name: rows.agent(name, with_work=is_watcher) for name in fresh.agents},
                "queues": rows.queues(fresh.settings.queues),
                "interactions": {i.id: row(i) for i in shown},
                "offers": {offer.id: rows.offer(offer) for offer in offers},
            }
        )
        return found

    async def _quiet(self) -> None:
        """Wait until nothing is being decided or written any more, however slow the machine is."""
        hub, seq = self.desk.hub.services, -1
        while seq != self.floor.seq or hub.dispatcher._tasks:
            seq = self.floor.seq
            await self.desk.settle()

    async def check(self, browsers: Iterable[Browser] = ()) -> None:
        """Let the ticks pass, then compare what every browser holds with a fresh snapshot."""
        # Whose account is closed is cut off with it.
        asked = [browser for browser in browsers or self.browsers if browser.agent in self.floor.agents]
        await self._quiet()
        self.sync.flush()
        await self._compare(asked, without_time)
        self.sync.refresh()
        self.sync.flush()
        await self._compare(asked, lambda tables: tables)
        assert [browser.sid for browser in asked if browser.gaps and browser.tab and not browser.is_deaf] == []

    async def _compare(self, browsers: list[Browser], shown: Callable[[Rowset], Rowset]) -> None:
        """Compare; anew where something happened meanwhile, as a carrier's news may at any time."""
        seq, wrong = -1, list[tuple[str, Rowset, Rowset]]()
        while seq != self.floor.seq:
            seq = self.floor.seq
            wrong.clear()
            for browser in browsers:
                if browser.tab is not None and not browser.is_deaf:
                    held, true = shown(browser.tables), shown(await self.truth(browser.agent))
                    if held != true:
                        wrong.append((browser.sid, held, true))
            await self._quiet()
            if seq != self.floor.seq:
                self.sync.refresh()
                self.sync.flush()
        for sid, held, true in wrong:
            assert held == true, sid


@asynccontextmanager
async def watched(desk: Desk) -> AsyncIterator[None]:
    """Have two agents and a supervisor watch all that a test does: in the end their browsers show what is stored.

    A test that failed, or stopped the hub, has no such end.
    """
    office = Office(desk)
    for agent in ("ann", "bob", "sue"):
        office.browser(agent)
    try:
        yield
        if desk.hub.is_started:
            # As the hub does every minute: some tests skip days.
            office.floor.begin_day(desk.clock.now())
            office.sync.refresh()
            await office.check()
    finally:
        office.sync.close()


def without_time(tables: Rowset) -> Rowset:
    """Return the rows without what changes with time alone."""
    hidden = {"interactions": {"position", "wait_s"}, "queues": {"history"}}
    return tables | {
        table: {
            name: {key: value for key, value in row.items() if key not in keys} for name, row in tables[table].items()
        }
        for table, keys in hidden.items()
    }
