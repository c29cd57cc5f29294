"""Keeps every browser's rows true: a snapshot, then frames of rows put and dropped (docs/reference/protocols.md, 2).

Two speeds. A message goes out in the loop turn of its commit, to those who handle or have opened its interaction: that
is the hot path of a chat turn. So does an offer, whose time runs. Everything else is noted as dirty and sent by a tick:
to those concerned at most every 100 ms, as the board at most every 500 ms, so that a board costs watchers times ticks
and never watchers times messages. A row is encoded once for all who get it, and not sent when it is what they have.

Every frame carries the journal's number at its sending. A row changed by commit 7 may be sent by a later tick, when the
number is 9; whoever then comes back with 8 still gets it, because the log of touched rows holds the number of the
sending, not of the change.
"""

from collections.abc import Iterable, Iterator

import msgspec

from agent_console.encoded import FAST, Encoded
from agent_console.rows import Rows
from agent_console.rows import note as note_row
from agent_console.shapes import MessageRow, NoteRow
from agent_console.tabs import NOWHERE, Delta, Frame, Line, Places, Tab, View, Views, Wire
from hub.clock import Clock, Timer
from hub.domain.errors import Unauthorized
from hub.domain.interaction import Interaction
from hub.domain.messages import Message, Note
from hub.events import Commit
from hub.services.access import Scope
from hub.services.floor import Floor, Key

FAST_MS, BOARD_MS, PLACES_MS, REFRESH_MS = 100, 500, 2_000, 5_000
LOGGED_ROWS, RESUMED_ROWS, OPENED = 20_000, 2_000, 50
BOARD_OF_ALL, BOARD_OF_OWN = "board:all", "board:own"
ITEMS = frozenset({"interactions", "offers"})
_encode = msgspec.json.Encoder().encode


class Sync:
    """All browsers' subscriptions, fed by the floor."""

    def __init__(self, floor: Floor, rows: Rows, clock: Clock, wire: Wire) -> None:
        self._floor = floor
        self._rows = rows
        self._encoded = Encoded(floor, rows)
        self._clock = clock
        self._wire = wire
        self._views = Views()
        self._open: dict[str, dict[Tab, None]] = {}
        self._dirty: dict[Key, None] = {}
        self._board: dict[Key, None] = {}
        self._board_seqs = {BOARD_OF_ALL: 0, BOARD_OF_OWN: 0}
        self._placed: dict[Key, Places] = {}
        self._scopes: dict[str, tuple[Scope, int]] = {}
        self._log: dict[Key, tuple[int, Places]] = {}
        self._log_from: int | None = None
        self._timer: Timer | None = None
        self._refresher: Timer | None = None
        self._next_fast = self._next_board = 0
        self._places_due: dict[str, int] = {}
        floor.watch(self._on_commit)

    def _begin(self) -> None:
        """Note where the floor stands when the first browser or commit comes: what was before is not in our log."""
        self._log_from = self._floor.seq
        for key in self._all_items():
            self._placed[key] = self._encoded.places(key)
        for agent in self._floor.agents.values():
            self._scopes[agent.id] = Scope.of(agent), 0

    def close(self) -> None:
        """Send nothing more."""
        for timer in (self._timer, self._refresher):
            if timer is not None:
                timer.cancel()
        self._timer = self._refresher = None

    # -- browsers come and go

    def join(self, line: Line, agent_id: str) -> Tab:
        """Begin to serve a browser; it hears nothing of use before its first `sync`.

        Raises:
            Unauthorized: the account is gone.
        """
        if self._log_from is None:
            self._begin()
        agent = self._floor.agents.get(agent_id)
        if agent is None:
            raise Unauthorized("This account is closed.")
        view = self._views.by_agent.get(agent_id)
        if view is None:
            view = View(Scope.of(agent))
            view.seq = self._floor.seq
            self._views.add(view)
        tab = Tab(line, view)
        view.tabs[line.sid] = tab
        self._wire.join(line, view.room)
        self._wire.join(line, view.board)
        if self._refresher is None:
            self._refresh_later()
        return tab

    def leave(self, tab: Tab) -> None:
        """Serve a browser no more."""
        for interaction in tuple(tab.opened):
            self.leave_view(tab, interaction)
        tab.view.tabs.pop(tab.line.sid, None)
        if not tab.view.tabs:
            self._views.remove(tab.view)

    def distrust(self, tab: Tab) -> None:
        """Frames to this browser were thrown away: have it ask again, and answer in full."""
        tab.is_synced = False
        self._wire.emit("resync", {}, to=tab.line.sid)

    # -- what a browser asks

    def sync(self, tab: Tab, seq: int | None) -> dict[str, object]:
        """Answer `sync`: nothing when nothing is missing, else the rows touched since `seq`, else everything."""
        head, delta = self._floor.seq, None
        behind = max(head - seq, 0) if seq is not None else 0
        known_from = max((self._log_from or 0) + 1, self._scopes[tab.view.agent_id][1])
        if seq is not None and not tab.needs_snapshot and known_from <= seq <= head:
            is_up_to_date = tab.is_synced and seq >= tab.view.seq
            delta = Delta() if is_up_to_date else self._resumed(tab.view, seq)
            behind = 0 if is_up_to_date else max(behind, 1)
        mode = "snapshot" if delta is None else "frames"
        delta = self._snapshot(tab.view) if delta is None else delta
        tab.is_synced, tab.needs_snapshot = True, False
        answer: dict[str, object] = {"ok": True, "seq": head, "behind": behind, "now": self._clock.now(), "mode": mode}
        return answer | {"put": delta.put, "drop": delta.drop}

    def begin_open(self, tab: Tab, interaction: str) -> None:
        """Push the interaction's messages and notes to this browser from now on; keep them for `end_open` meanwhile."""
        while len(tab.opened) >= OPENED:
            self.leave_view(tab, next(iter(tab.opened)))
        tab.opened[interaction] = None
        tab.opening[interaction] = Delta()
        self._open.setdefault(interaction, {})[tab] = None

    def end_open(self, tab: Tab, interaction: str) -> None:
        """The answer to `open` is out: say again what came while it was on its way."""
        delta = tab.opening.pop(interaction, None)
        if delta:
            frame = Frame(self._floor.seq, tab.view.seq, delta.put, delta.drop)
            self._wire.emit("frame", frame, to=tab.line.sid)

    def leave_view(self, tab: Tab, interaction: str) -> None:
        """Undo `begin_open`."""
        tab.opened.pop(interaction, None)
        tab.opening.pop(interaction, None)
        watching = self._open.get(interaction)
        if watching is not None:
            watching.pop(tab, None)
            if not watching:
                del self._open[interaction]

    def typing(self, interaction_id: str, payload: dict[str, object], *, by: str | None) -> None:
        """Tell who handles or has opened the interaction that somebody types; not the person themselves."""
        interaction = self._floor.interactions.get(interaction_id)
        if interaction is not None:
            for view in self._concerned(interaction):
                if view.agent_id != by:
                    self._wire.emit("typing", payload, to=view.room)

    # -- the hot path

    def _on_commit(self, commit: Commit, keys: set[Key]) -> None:
        if self._log_from is None:
            self._begin()
        for record in commit.records:
            if isinstance(record, Message | Note) and record.interaction is not None:
                self._push(commit, record.interaction, record)
        for key in keys:
            self._touched(key)
        self._flush_offers([key for key in keys if key[0] == "offers"])
        if self._timer is None:
            self._arm()

    def _flush_offers(self, keys: Iterable[Key]) -> None:
        """An offer's time runs: it goes out, or away, in the loop turn of its commit, with what it is about."""
        deltas: dict[View, Delta] = {}
        for key in keys:
            self._dirty.pop(key, None)
            self._flush_row(key, deltas)
        for view, delta in deltas.items():
            for offer_id in tuple(delta.put.get("offers", ())):
                about = ("interactions", self._floor.offers[offer_id].interaction)
                row = self._item_for(view, about)
                if row is not None:
                    delta.add(about, row)
            self._send(view, delta)

    def _push(self, commit: Commit, interaction_id: str, record: Message | Note) -> None:
        """Send a message or note at once to those who handle or have opened its interaction."""
        interaction = self._floor.interactions.get(interaction_id) or _ended(commit, interaction_id)
        if interaction is None:
            return
        views = self._concerned(interaction)
        if not views:
            return
        table, row = self._as_row(record)
        delta = Delta()
        delta.add((table, row.id), msgspec.Raw(_encode(row)))
        for tab in self._open.get(interaction_id, ()):
            if interaction_id in tab.opening:
                tab.opening[interaction_id].add((table, row.id), delta.put[table][row.id])
        for view in views:
            self._send(view, delta)

    def _as_row(self, record: Message | Note) -> tuple[str, MessageRow | NoteRow]:
        if isinstance(record, Message):
            return "messages", self._rows.message(record)
        return "notes", note_row(record)

    def _concerned(self, interaction: Interaction) -> dict[View, None]:
        """Return the views that handle the interaction, or have it open and may see it."""
        found: dict[View, None] = {}
        view = self._views.by_agent.get(interaction.agent) if interaction.agent else None
        if view is not None:
            found[view] = None
        for tab in self._open.get(interaction.id, ()):
            if tab.view.scope.sees(interaction):
                found[tab.view] = None
        return found

    def _send(self, view: View, delta: Delta) -> None:
        frame = Frame(self._floor.seq, view.seq, delta.put, delta.drop)
        view.seq = self._floor.seq
        self._wire.emit("frame", frame, to=view.room)

    # -- what became dirty

    def _touched(self, key: Key) -> None:
        table, name = key
        if table in ITEMS:
            self._dirty[key] = None
        elif table == "queues":
            self._board[key] = None
        elif table == "agents":
            self._board[key] = None
            self._encoded.agent_changed(name)
            if name in self._views.by_agent:
                self._dirty[key] = None
            self._rescope(name)
        elif table == "customers":
            for offer in self._floor.offers.values():
                interaction = self._floor.interactions.get(offer.interaction)
                if interaction is not None and interaction.customer == name:
                    self._dirty["offers", offer.id] = None

    def _rescope(self, agent_id: str) -> None:
        """Follow a change of role or queues: what the person was shown before says nothing any more."""
        agent = self._floor.agents.get(agent_id)
        if agent is None or (agent_id in self._scopes and self._scopes[agent_id][0] == Scope.of(agent)):
            return
        self._scopes[agent_id] = Scope.of(agent), self._floor.seq
        view = self._views.by_agent.get(agent_id)
        if view is None:
            return
        before = view.board
        self._views.remove(view)
        view.set_scope(Scope.of(agent))
        self._views.add(view)
        for tab in view.tabs.values():
            self._wire.leave(tab.line, before)
            self._wire.join(tab.line, view.board)
            tab.needs_snapshot = True
            self.distrust(tab)

    def _arm(self) -> None:
        if not (self._dirty or self._board):
            return
        now_ms = self._clock.monotonic_ms()
        due_ms = self._next_fast if self._dirty else self._next_board
        self._timer = self._clock.call_at(self._clock.now() + max(due_ms - now_ms, 0), self._tick)

    def _tick(self) -> None:
        """Send what is dirty; however much there is, sending takes at most a twentieth of the time."""
        self._timer = None
        began_ms = self._clock.monotonic_ms()
        self.flush(board=began_ms >= self._next_board)
        done_ms = self._clock.monotonic_ms()
        pause_ms = 20 * (done_ms - began_ms)
        self._next_fast = done_ms + max(FAST_MS, pause_ms)
        if began_ms >= self._next_board:
            self._next_board = done_ms + max(BOARD_MS, pause_ms)
        self._arm()

    def flush(self, *, board: bool = True) -> None:
        """Send what is dirty now: to those concerned, and with `board` also to those who watch."""
        if board:
            self._refresh_places(name for table, name in self._board if table == "queues")
        self._flush_fast()
        if board:
            self._flush_board()

    def refresh(self) -> None:
        """Look again at what changes with time alone: opening hours, the day's figures, estimated waits."""
        self._places_due.clear()
        for queue in self._floor.settings.queues:
            self._board["queues", queue] = None
        for agent_id in self._views.by_agent:
            self._dirty["agents", agent_id] = None

    def _refresh_later(self) -> None:
        self._refresher = self._clock.call_at(self._clock.now() + REFRESH_MS, self._refresh_again)

    def _refresh_again(self) -> None:
        self._refresher = None
        if not self._views:
            return
        self.refresh()
        if self._timer is None:
            self._arm()
        self._refresh_later()

    def _refresh_places(self, queues: Iterable[str]) -> None:
        """Where a queue has moved, everybody waiting in it stands elsewhere; looked at every two seconds at most."""
        now_ms = self._clock.monotonic_ms()
        for queue in queues:
            if now_ms >= self._places_due.get(queue, 0):
                self._places_due[queue] = now_ms + PLACES_MS
                for interaction in self._floor.waiting_in(queue):
                    self._dirty["interactions", interaction.id] = None

    # -- sending what is dirty

    def _flush_fast(self) -> None:
        dirty, self._dirty = self._dirty, {}
        deltas: dict[View, Delta] = {}
        for key in dirty:
            if key[0] == "agents":
                self._flush_me(key[1], deltas)
            else:
                self._flush_row(key, deltas)
        for view, delta in deltas.items():
            self._send(view, delta)

    def _flush_me(self, agent_id: str, deltas: dict[View, Delta]) -> None:
        view = self._views.by_agent.get(agent_id)
        row = self._encoded.me(agent_id)
        if view is not None and row is not None and self._encoded.is_news(FAST, ("me", agent_id), row):
            deltas.setdefault(view, Delta()).add(("me", "me"), row)

    def _flush_row(self, key: Key, deltas: dict[View, Delta]) -> None:
        now = self._encoded.places(key)
        before = self._placed.pop(key, NOWHERE)
        if now:
            self._placed[key] = now
        self._board[key] = None
        self._note(key, before | now)
        seeing = self._views.at(now)
        if not seeing:
            self._encoded.forget(FAST, key)
        else:
            row = self._encoded.item(key)
            if self._encoded.is_news(FAST, key, row) or before != now:
                for view in seeing:
                    deltas.setdefault(view, Delta()).add(key, row)
        for view in self._views.at(before - now):
            if view not in seeing and not (now and view.scope.sees_all):
                deltas.setdefault(view, Delta()).add(key, None)

    def _flush_board(self) -> None:
        board, self._board = self._board, {}
        queues = self._encoded.queues(name for table, name in board if table == "queues")
        for room in self._board_seqs:
            watching = [view for view in self._views.by_agent.values() if view.board == room]
            delta = Delta()
            for key in board:
                if not watching:
                    self._encoded.forget(room, key)
                elif room == BOARD_OF_ALL or key[0] not in ITEMS:
                    row = queues.get(key[1]) if key[0] == "queues" else self._board_row(room, key)
                    if self._encoded.is_news(room, key, row):
                        delta.add(key, row)
            if delta:
                self._send_board(room, watching, delta)
        for key in board:
            self._note(key, self._placed.get(key) or self._log.get(key, (0, NOWHERE))[1])

    def _send_board(self, room: str, watching: Iterable[View], delta: Delta) -> None:
        """Send a board, encoded once for all who watch it."""
        seq = self._floor.seq
        frame = Frame(seq, self._board_seqs[room], delta.put, delta.drop)
        self._board_seqs[room] = seq
        for view in watching:
            view.seq = seq
        self._wire.emit("frame", frame, to=room)

    def _note(self, key: Key, places: Places) -> None:
        """Remember that the row was sent now, for those who come back; the oldest are forgotten."""
        known = self._log.pop(key, None)
        self._log[key] = (self._floor.seq, places | known[1] if known else places)
        if len(self._log) > LOGGED_ROWS:
            oldest = next(iter(self._log))
            self._log_from = self._log.pop(oldest)[0]

    # -- rows for one browser

    def _board_row(self, room: str, key: Key) -> msgspec.Raw | None:
        """Return a row as a board shows it, or None when it is gone."""
        if key[0] == "agents":
            return self._encoded.agent(key[1], with_work=room == BOARD_OF_ALL)
        return self._encoded.item_or_none(key)

    def _item_for(self, view: View, key: Key) -> msgspec.Raw | None:
        """Return an interaction or offer as this view sees it, encoded before if nothing has changed since."""
        now = self._encoded.places(key)
        if not now or not (view.scope.sees_all or not view.places.isdisjoint(now)):
            return None
        row = None if key in self._dirty else self._encoded.last(FAST, key)
        if row is None:
            row = self._encoded.item(key)
        if key in self._dirty:
            # It goes out to everybody with the next tick; whoever holds it from here must hear if it goes away before.
            self._placed[key] = self._placed.get(key, NOWHERE) | now
        self._encoded.given(FAST, key, row)
        return row

    def _give(self, view: View, delta: Delta, key: Key, row: msgspec.Raw | None) -> None:
        """Put a row into an answer to one browser."""
        self._encoded.given(view.board, key, row)
        delta.add(key, row)

    def _snapshot(self, view: View) -> Delta:
        delta = Delta()
        self._give_me(view, delta)
        for agent_id in self._floor.agents:
            key = ("agents", agent_id)
            self._give(view, delta, key, self._board_row(view.board, key))
        for name, row in self._encoded.queues(self._floor.settings.queues).items():
            self._give(view, delta, ("queues", name), row)
        for key in self._all_items():
            found = self._item_for(view, key)
            if found is not None:
                self._give(view, delta, key, found)
        return delta

    def _all_items(self) -> Iterator[Key]:
        yield from (("interactions", name) for name in self._floor.interactions)
        yield from (("offers", name) for name in self._floor.offers)

    def _give_me(self, view: View, delta: Delta) -> None:
        row = self._encoded.me(view.agent_id)
        if row is not None:
            self._encoded.given(FAST, ("me", view.agent_id), row)
            delta.add(("me", "me"), row)

    def _resumed(self, view: View, seq: int) -> Delta | None:
        """Return the rows sent since `seq`, as they are now; None when a snapshot is shorter."""
        delta = Delta()
        self._give_me(view, delta)
        touched: list[tuple[Key, Places]] = []
        for key, (at, places) in reversed(self._log.items()):
            if at < seq:
                break
            touched.append((key, places))
            if len(touched) > RESUMED_ROWS:
                return None
        queues = self._encoded.queues(name for (table, name), _ in touched if table == "queues")
        for key, places in touched:
            if key[0] == "queues":
                self._give(view, delta, key, queues[key[1]])
            elif key[0] == "agents":
                self._give(view, delta, key, self._board_row(view.board, key))
            else:
                row = self._item_for(view, key)
                if row is not None or view.scope.sees_all or not view.places.isdisjoint(places):
                    self._give(view, delta, key, row)
        return delta


def _ended(commit: Commit, interaction_id: str) -> Interaction | None:
    """Return the interaction if this commit ended it."""
    for record in commit.records:
        if isinstance(record, Interaction) and record.id == interaction_id:
            return record
    return None
