"""Keeps every browser's rows true: a snapshot, then frames of rows put and dropped (docs/reference/protocols.md, 2).

Two speeds. A message goes out in the loop turn of its commit, to those who handle or have opened its interaction: that
is the hot path of a chat turn. So does an offer, whose time runs. Everything else is noted as dirty and sent by a tick:
to those concerned at most every 100 ms, as the board at most every 500 ms, so that a board costs watchers times ticks
and never watchers times messages. A row is encoded once for all who get it, and not sent when it is what they have.

Every frame carries the journal's number at its sending; what was missed is found by `Touched`.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from agent_console.encoded import BRIEF, FULL, Encoded
from agent_console.rows import Rows
from agent_console.rows import letter as letter_row
from agent_console.rows import note as note_row
from agent_console.rows import outgoing as outgoing_row
from agent_console.shapes import LetterRow, MessageRow, NoteRow, OutgoingRow
from agent_console.tabs import (
    BOARD_OF_ALL,
    BOARD_OF_OWN,
    NOWHERE,
    Delta,
    Frame,
    Line,
    Mail,
    Places,
    Tab,
    View,
    Views,
    Wire,
    ended_by,
)
from agent_console.ticker import Ticker
from agent_console.touched import Touched
from hub.clock import Clock
from hub.domain.agent import Agent
from hub.domain.correspondence import Envelope, Outgoing
from hub.domain.errors import Unauthorized
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Message, Note
from hub.domain.offer import Offer, OfferState
from hub.events import Commit
from hub.services.access import Scope
from hub.services.dispatching.floor import Floor, Key

PLACES_MS, OPENED = 2_000, 50
SLICE = 32
"""Rows sent in one go: a few milliseconds, for which every chat waits."""
ITEMS = frozenset({"interactions", "offers"})
Said = Message | Note | Envelope | Outgoing
_WAITING = frozenset({State.CREATED, State.QUEUED, State.OFFERED})
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
        self._scopes: dict[str, tuple[Agent, Scope, int]] = {}
        self._full: dict[Key, set[View]] = {}
        self._log = Touched(0)
        self._is_begun = False
        self._ticker = Ticker(
            clock,
            dirty=lambda: (bool(self._dirty), bool(self._board)),
            flush=lambda with_board: self.flush(board=with_board, most=SLICE),
            refresh=self.refresh,
        )
        self._places_due: dict[str, int] = {}
        floor.watch(self._on_commit)

    def _begin(self) -> None:
        """Note where the floor stands when the first browser or commit comes: what was before is not in our log."""
        self._log, self._is_begun = Touched(self._floor.seq), True
        for key in self._all_items():
            if places := self._encoded.places(key):
                self._placed[key] = places
        for agent in self._floor.agents.values():
            self._scopes[agent.id] = agent, Scope.of(agent), 0

    def close(self) -> None:
        """Send nothing more."""
        self._ticker.close()

    # -- browsers come and go

    def join(self, line: Line, agent_id: str) -> Tab:
        """Begin to serve a browser; it hears nothing of use before its first `sync`.

        Raises:
            Unauthorized: the account is gone.
        """
        if not self._is_begun:
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
        self._ticker.watch()
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
        scoped_at = self._scopes[tab.view.agent_id][2]
        if seq is not None and not tab.needs_snapshot and scoped_at <= seq <= head and self._log.knows(seq):
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
        self._look_again(interaction)

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
            self._look_again(interaction)

    def _look_again(self, interaction: str) -> None:
        """Who has an interaction open gets its row in full; who has left it does not any more."""
        if interaction in self._floor.interactions:
            self._dirty["interactions", interaction] = None
            self._ticker.wake()

    def typing(self, interaction_id: str, payload: dict[str, object], *, by: str | None) -> None:
        """Tell who handles or has opened the interaction that somebody types; not the person themselves."""
        interaction = self._floor.interactions.get(interaction_id)
        if interaction is not None:
            for view in self._concerned(interaction):
                if view.agent_id != by:
                    self._wire.emit("typing", payload, to=view.room)

    # -- the hot path

    def _on_commit(self, commit: Commit, keys: set[Key]) -> None:
        if not self._is_begun:
            self._begin()
        for record in commit.records:
            if isinstance(record, Message | Note | Envelope | Outgoing) and record.interaction is not None:
                self._push(commit, record.interaction, record)
        for key in keys:
            self._touched(key)
        taken = [one for one in commit.records if isinstance(one, Offer) and one.state is OfferState.ACCEPTED]
        self._flush_offers([key for key in keys if key[0] == "offers"], taken)
        self._ticker.wake()

    def _flush_offers(self, keys: Iterable[Key], taken: Sequence[Offer]) -> None:
        """An offer's time runs: it goes out, or away, in the loop turn of its commit, with what it is about.

        So does to whoever took one what is theirs now: the next key they press is meant for it.
        """
        mail = Mail()
        for key in keys:
            self._dirty.pop(key, None)
            self._flush_row(key, mail)
        for views, delta in mail.sorted():
            for view in views:
                own = delta.copy()
                about = [self._floor.offers[offer_id].interaction for offer_id in delta.put.get("offers", ())]
                about += [offer.interaction for offer in taken if offer.agent == view.agent_id]
                for interaction in about:
                    row = self._item_for(view, ("interactions", interaction))
                    if row is not None:
                        own.add(("interactions", interaction), row)
                self._send((view,), own)

    def _push(self, commit: Commit, interaction_id: str, record: Said) -> None:
        """Send what is said, or became of a letter, at once to those who handle or have opened its interaction."""
        interaction = self._floor.interactions.get(interaction_id) or ended_by(commit, interaction_id)
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
            self._send((view,), delta)

    def _as_row(self, record: Said) -> tuple[str, MessageRow | NoteRow | LetterRow | OutgoingRow]:
        if isinstance(record, Message):
            return "messages", self._rows.message(record)
        if isinstance(record, Envelope):
            return "letters", letter_row(record)
        return ("outgoing", outgoing_row(record)) if isinstance(record, Outgoing) else ("notes", note_row(record))

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

    def _send(self, views: Sequence[View], delta: Delta) -> None:
        """Send rows to views that stand at the same `seq`."""
        frame = Frame(self._floor.seq, views[0].seq, delta.put, delta.drop)
        for view in views:
            view.seq = self._floor.seq
        self._wire.emit("frame", frame, to=[view.room for view in views])

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
        agent, known = self._floor.agents.get(agent_id), self._scopes.get(agent_id)
        if agent is None or (known is not None and known[0] is agent):
            return
        scope = Scope.of(agent)
        if known is not None and known[1] == scope:
            self._scopes[agent_id] = agent, scope, known[2]
            return
        self._scopes[agent_id] = agent, scope, self._floor.seq
        view = self._views.by_agent.get(agent_id)
        if view is None:
            return
        before = view.board
        self._views.remove(view)
        view.set_scope(scope)
        self._views.add(view)
        for tab in view.tabs.values():
            self._wire.leave(tab.line, before)
            self._wire.join(tab.line, view.board)
            tab.needs_snapshot = True
            self.distrust(tab)

    def flush(self, *, board: bool = True, most: int | None = None) -> None:
        """Send what is dirty now (`most`: so many rows of it): to those concerned, and with `board` to who watches."""
        if board:
            self._refresh_places(name for table, name in self._board if table == "queues")
        self._flush_fast(most)
        if board:
            self._flush_board()

    def refresh(self) -> bool:
        """Look again at what changes with time alone: opening hours, the day's figures, estimated waits.

        Returns whether anybody watches.
        """
        self._places_due.clear()
        for queue in self._floor.settings.queues:
            self._board["queues", queue] = None
        for agent_id in self._views.by_agent:
            self._dirty["agents", agent_id] = None
        return bool(self._views)

    def _refresh_places(self, queues: Iterable[str]) -> None:
        """Where a queue has moved, everybody waiting in it stands elsewhere; looked at every two seconds at most."""
        now_ms = self._clock.monotonic_ms()
        for queue in queues:
            if now_ms >= self._places_due.get(queue, 0):
                self._places_due[queue] = now_ms + PLACES_MS
                for interaction in self._floor.listed_in(queue):
                    self._dirty["interactions", interaction] = None

    # -- sending what is dirty

    def _flush_fast(self, most: int | None) -> None:
        dirty = list(islice(self._dirty, most))
        for key in dirty:
            del self._dirty[key]
        mail = Mail()
        for key in dirty:
            if key[0] == "agents":
                self._flush_me(key[1], mail)
            else:
                self._flush_row(key, mail)
        for views, delta in mail.sorted():
            self._send(views, delta)

    def _flush_me(self, agent_id: str, mail: Mail) -> None:
        view = self._views.by_agent.get(agent_id)
        row = self._encoded.me(agent_id)
        if view is not None and row is not None and self._encoded.is_news(FULL, ("me", agent_id), row):
            mail.put((view,), ("me", "me"), row)

    def _flush_row(self, key: Key, mail: Mail) -> None:
        """Collect a row for those concerned, who get it in full, and for the others who see it."""
        now = self._encoded.places(key)
        before = self._placed.pop(key, NOWHERE)
        if not (now or before) and key[1] in self._floor.interactions:
            return  # behind its queue's window, and shown to nobody
        if now:
            self._placed[key] = now
        self._board[key] = None
        self._log.note(key, self._floor.seq, before | now)
        full, others = self._audience(key, now, is_moved=before != now)
        had_it = self._full.pop(key, set())
        if full:
            self._full[key] = full
            row = self._encoded.item(key)
            is_news = self._encoded.is_news(FULL, key, row) or before != now
            mail.put(full if is_news else full - had_it, key, row)
        else:
            self._encoded.forget(FULL, key)
        left = self._views.at(before - now) if before - now else {}
        if key[0] == "interactions":
            others |= {view for view in had_it - full if view.tabs and view.is_shown_in_brief(now)}
        if others:
            mail.put(others, key, self._encoded.brief(key[1]))
        gone = [v for v in left if v not in full and v not in others and not (now and v.is_watcher)]
        mail.put(gone, key, None)

    def _audience(self, key: Key, now: Places, *, is_moved: bool) -> tuple[set[View], set[View]]:
        """Return who gets a row in full, and who else must hear of it (only when what a list needs has changed)."""
        interaction = self._floor.interactions.get(key[1]) if key[0] == "interactions" else None
        if interaction is None or interaction.state in _WAITING:
            self._encoded.forget(BRIEF, key)
            return set(self._views.at(now)), set()
        full = self._concerned_by(interaction)
        is_news = self._encoded.is_news(BRIEF, key, self._encoded.brief_mark(key[1]))
        if not (is_news or is_moved):
            return full, set()
        return full, {view for view in self._views.at(now) if view not in full and not view.is_watcher}

    def _concerned_by(self, interaction: Interaction) -> set[View]:
        """Return the views to whom an interaction belongs, or who have it open."""
        found = set(self._concerned(interaction))
        view = self._views.by_agent.get(interaction.direct_to) if interaction.direct_to else None
        return found if view is None else found | {view}

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
            self._log.note(key, self._floor.seq, self._placed.get(key, NOWHERE))

    def _send_board(self, room: str, watching: Iterable[View], delta: Delta) -> None:
        """Send a board, encoded once for all who watch it."""
        seq = self._floor.seq
        frame = Frame(seq, self._board_seqs[room], delta.put, delta.drop)
        self._board_seqs[room] = seq
        for view in watching:
            view.seq = seq
        self._wire.emit("frame", frame, to=room)

    # -- rows for one browser

    def _board_row(self, room: str, key: Key) -> msgspec.Raw | None:
        """Return a row as a board shows it, or None when it is gone."""
        if key[0] == "agents":
            return self._encoded.agent(key[1], with_work=room == BOARD_OF_ALL)
        return self._encoded.item_or_none(key)

    def _item_for(self, view: View, key: Key) -> msgspec.Raw | None:
        """Return an interaction or offer as this view sees it, encoded before if nothing has changed since."""
        now = self._encoded.places(key)
        if not now or not (view.is_watcher or not view.places.isdisjoint(now)):
            return None
        if key in self._dirty:
            # It goes out to everybody with the next tick; whoever holds it from here must hear if it goes away before.
            self._placed[key] = self._placed.get(key, NOWHERE) | now
        interaction = self._floor.interactions[key[1]] if key[0] == "interactions" else None
        if interaction is None or interaction.state in _WAITING or view.is_watcher:
            return self._full_item(key)
        if view in self._concerned_by(interaction):
            self._full.setdefault(key, set()).add(view)
            return self._full_item(key)
        self._encoded.given(BRIEF, key, self._encoded.brief_mark(key[1]))
        return self._encoded.brief(key[1])

    def _full_item(self, key: Key) -> msgspec.Raw:
        row = None if key in self._dirty else self._encoded.last(key)
        if row is None:
            row = self._encoded.item(key)
        self._encoded.given(FULL, key, row)
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
            self._encoded.given(FULL, ("me", view.agent_id), row)
            delta.add(("me", "me"), row)

    def _resumed(self, view: View, seq: int) -> Delta | None:
        """Return the rows sent since `seq`, as they are now; None when a snapshot is shorter."""
        delta = Delta()
        self._give_me(view, delta)
        touched = self._log.since(seq)
        if touched is None:
            return None
        queues = self._encoded.queues(name for (table, name), _ in touched if table == "queues")
        for key, places in touched:
            if key[0] == "queues":
                self._give(view, delta, key, queues[key[1]])
            elif key[0] == "agents":
                self._give(view, delta, key, self._board_row(view.board, key))
            else:
                row = self._item_for(view, key)
                if row is not None or view.is_watcher or not view.places.isdisjoint(places):
                    self._give(view, delta, key, row)
        return delta
