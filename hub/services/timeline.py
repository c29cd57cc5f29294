"""The timeline: everything of one customer on every channel, newest first, in windows with a cursor that stays true.

It is read from the records themselves, never from the search index: what was committed is there at once.
"""

import heapq
from collections.abc import Sequence
from typing import Final

import msgspec

from hub.domain.agent import Agent
from hub.domain.errors import BadRequest
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, Message, Note
from hub.domain.promises import Promise
from hub.domain.segments import Segment
from hub.domain.visitors import Merge
from hub.domain.words import Query, finds, query
from hub.services.access import Scope
from hub.services.people import seen_customer
from hub.storage.tables import AGENTS, CUSTOMERS, INTERACTIONS, MERGES, MESSAGES, NOTES, PROMISES, SEGMENTS
from hub.storage.unit_of_work import Store, UnitOfWork

KINDS: Final = ("interaction", "message", "note", "promise", "merge")
"""The kinds of item, in the order they take within one millisecond."""
USUAL_KINDS: Final = ("interaction", "note", "promise", "merge")
"""What is shown when no kinds are asked for: an interaction stands for its messages."""
MAX_PAGE = 100
# Behind every id, in whatever order the database sorts letters.
_END = "zzzzzzzz"
_PREVIEW = 200
_READ_AT_ONCE = 200
_READ_AT_MOST = 4_000
"""Records that one filtered page reads before it hands back a cursor to go on from."""
_OPEN_AT_ONCE = 40


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One segment of an interaction as the timeline shows it."""

    kind: str
    started_at: int
    ended_at: int | None = None
    queue: str = ""
    agent: str | None = None
    outcome: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item. What does not belong to its kind is left out on the wire."""

    kind: str
    id: str
    at: int
    title: str
    text: str
    channel_kind: str | None = None
    interaction: str | None = None
    state: str | None = None
    agent_name: str | None = None
    queue: str | None = None
    n: int | None = None
    author: str | None = None
    ended_at: int | None = None
    due_at: int | None = None
    last_n: int | None = None
    disposition: str | None = None
    closing_reason: str | None = None
    segments: tuple[Span, ...] | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One window. `before` asks for the next, older one; None is the end."""

    items: list[Item]
    before: str | None = None


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """A place between two items. Items sort by instant, then kind, then id (and number), all falling but the kind."""

    at: int = 2**53
    kind: str = KINDS[0]
    id: str = _END
    n: int = 2**31

    def __str__(self) -> str:
        return f"{self.at}.{self.kind}.{self.n}.{self.id}"

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """Return the cursor that `str` spelled.

        Raises:
            BadRequest: it is none.
        """
        if not text:
            return cls()
        at, _, rest = text[:200].partition(".")
        kind, _, rest = rest.partition(".")
        n, _, item = rest.partition(".")
        is_number = at.isascii() and at.isdigit() and len(at) <= 16 and n.isascii() and n.isdigit() and len(n) <= 10
        if not (is_number and kind in KINDS and item) or "\x00" in item:
            raise BadRequest("This is no place in a timeline.")
        return cls(at=int(at), kind=kind, id=item, n=int(n))

    def bounds(self, kind: str) -> tuple[int, str, int]:
        """Return (at, id, n) so that items of `kind` below it are exactly those behind this place."""
        here, there = KINDS.index(self.kind), KINDS.index(kind)
        if there == here:
            return self.at, self.id, self.n
        return (self.at, _END, 2**31) if there > here else (self.at, "", 0)


class _Window(msgspec.Struct, frozen=True):
    """What one reading is bounded by."""

    customer: str
    scope: Scope
    cursor: Cursor
    limit: int


class Timeline:
    """Reads customers' timelines."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self,
        customer_id: str,
        scope: Scope,
        *,
        before: str | None = None,
        kinds: Sequence[str] | None = None,
        q: str | None = None,
        limit: int = 30,
    ) -> Page:
        """Return the newest items, or those behind `before`; of these kinds only; holding all words of `q` only.

        With `q` a page may be short and still have a `before`: so far nothing more was found.

        Raises:
            NotFound: no such customer for this person. BadRequest: a kind or a cursor that is none.
        """

        async def unit(tx: UnitOfWork) -> Page:
            return await read_page(tx, customer_id, scope, before=before, kinds=kinds, q=q, limit=limit)

        return await self._store.read(unit)


async def read_page(
    tx: UnitOfWork,
    customer_id: str,
    scope: Scope,
    *,
    before: str | None = None,
    kinds: Sequence[str] | None = None,
    q: str | None = None,
    limit: int = 30,
) -> Page:
    """Return a page, as `Timeline.page` does, inside the caller's unit."""
    if kinds and not set(kinds) <= set(KINDS):
        raise BadRequest(f"A timeline has the kinds {', '.join(KINDS)}.")
    wanted = query(q) if q and q.strip() else None
    chosen = tuple(kinds or (KINDS if wanted is not None else USUAL_KINDS))
    cursor = Cursor.parse(before)
    limit = max(1, min(limit, MAX_PAGE))
    customer = await seen_customer(tx, customer_id, scope)
    if wanted is not None:
        return await _filtered(tx, _Window(customer.id, scope, cursor, limit), chosen, wanted)
    return await _page(tx, _Window(customer.id, scope, cursor, limit), chosen)


async def _filtered(tx: UnitOfWork, window: _Window, kinds: Sequence[str], wanted: Query) -> Page:
    """Read on in larger windows and keep what holds the words, until the page is full or much was read."""
    found: list[Item] = []
    cursor, read = window.cursor, 0
    while wanted and read < _READ_AT_MOST:
        page = await _page(tx, _Window(window.customer, window.scope, cursor, _READ_AT_ONCE), kinds)
        read += _READ_AT_ONCE
        for item in page.items:
            if finds(wanted, f"{item.title}\n{item.text}"):
                found.append(item)
                if len(found) == window.limit:
                    return Page(items=found, before=str(_place(item)))
        if page.before is None:
            return Page(items=found)
        cursor = Cursor.parse(page.before)
    return Page(items=found, before=str(cursor) if wanted else None)


async def _page(tx: UnitOfWork, window: _Window, kinds: Sequence[str]) -> Page:
    more = msgspec.structs.replace(window, limit=window.limit + 1)
    lists = [await _READERS[kind](tx, more) for kind in KINDS if kind in kinds]
    items = list(heapq.merge(*lists, key=lambda item: (-item.at, KINDS.index(item.kind))))
    shown = items[: window.limit]
    if "interaction" in kinds:
        shown = await _with_segments(tx, shown)
    return Page(items=shown, before=str(_place(shown[-1])) if len(items) > window.limit else None)


def _place(item: Item) -> Cursor:
    if item.kind == "message":
        return Cursor(at=item.at, kind=item.kind, id=item.interaction or "", n=item.n or 0)
    return Cursor(at=item.at, kind=item.kind, id=item.id)


async def _interactions(tx: UnitOfWork, window: _Window) -> list[Item]:
    at, item, _ = window.cursor.bounds("interaction")
    where, args = window.scope.interactions(5)
    found = await tx.select(
        INTERACTIONS,
        f"WHERE customer = $1 AND created_at <= $2 AND (created_at < $2 OR id < $3) AND {where} "
        "ORDER BY created_at DESC, id DESC LIMIT $4",
        window.customer,
        at,
        item,
        window.limit,
        *args,
    )
    names = await _names(tx, [one.agent or one.last_agent for one in found])
    previews = await _previews(tx, found)
    return [
        Item(
            kind="interaction",
            id=one.id,
            at=one.created_at,
            title=one.subject,
            text=previews.get(one.id, ""),
            channel_kind=one.kind,
            interaction=one.id,
            state=str(one.state),
            agent_name=names.get(one.agent or one.last_agent or ""),
            queue=one.queue,
            ended_at=one.ended_at,
            last_n=one.last_n,
            disposition=one.disposition,
            closing_reason=str(one.closing_reason) if one.closing_reason else None,
        )
        for one in found
    ]


async def _previews(tx: UnitOfWork, interactions: Sequence[Interaction]) -> dict[str, str]:
    """Return the first words of each interaction that has any: what it was about."""
    rows = await tx.fetch(
        "SELECT interaction, substr(text, 1, $2) FROM messages WHERE interaction ANY_OF($1) AND n = 1",
        [one.id for one in interactions if one.last_n],
        _PREVIEW,
    )
    return {str(row[0]): str(row[1]) for row in rows}


async def _with_segments(tx: UnitOfWork, items: list[Item]) -> list[Item]:
    ids = [item.id for item in items if item.kind == "interaction"]
    if not ids:
        return items
    spans: dict[str, list[Span]] = {}
    for one in await tx.select(SEGMENTS, "WHERE interaction ANY_OF($1) ORDER BY interaction, started_at", ids):
        spans.setdefault(one.interaction, []).append(_span(one))
    return [
        msgspec.structs.replace(item, segments=tuple(spans.get(item.id, ()))) if item.kind == "interaction" else item
        for item in items
    ]


def _span(one: Segment) -> Span:
    return Span(
        kind=str(one.kind),
        started_at=one.started_at,
        ended_at=one.ended_at,
        queue=one.queue,
        agent=one.agent,
        outcome=one.outcome,
    )


async def _messages(tx: UnitOfWork, window: _Window) -> list[Item]:
    """Return messages across interactions, newest first.

    Messages know their interaction, not the customer: interactions are opened in the order of their last words, until
    none that is left can hold anything as new as what was found.
    """
    at, item, n = window.cursor.bounds("message")
    where, args = window.scope.interactions(3)
    rows = await tx.fetch(
        "SELECT id, coalesce(last_at, created_at), kind, queue FROM interactions "  # noqa: S608
        f"WHERE customer = $1 AND created_at <= $2 AND last_n > 0 AND {where} ORDER BY 2 DESC, 1 DESC",
        window.customer,
        at,
        *args,
    )
    about = {str(row[0]): (str(row[2]), str(row[3])) for row in rows}
    found: list[Message] = []
    for start in range(0, len(rows), _OPEN_AT_ONCE):
        if len(found) >= window.limit and found[window.limit - 1].at > rows[start][1]:
            break
        found += await tx.select(
            MESSAGES,
            "WHERE interaction ANY_OF($1) AND author <> 'system' AND at <= $2 "
            "AND (at < $2 OR interaction < $3 OR (interaction = $3 AND n < $4)) "
            "ORDER BY at DESC, interaction DESC, n DESC LIMIT $5",
            [str(row[0]) for row in rows[start : start + _OPEN_AT_ONCE]],
            at,
            item,
            n,
            window.limit,
        )
        found.sort(key=lambda message: (message.at, message.interaction, message.n), reverse=True)
        del found[window.limit :]
    return [_message_item(message, *about[message.interaction]) for message in found]


def _message_item(message: Message, channel_kind: str, queue: str) -> Item:
    files = ", ".join(file.name for file in message.files)
    return Item(
        kind="message",
        id=f"{message.interaction}:{message.n}",
        at=message.at,
        title="",
        text=message.text or files,
        channel_kind=channel_kind,
        interaction=message.interaction,
        agent_name=message.name if message.author is Author.AGENT else None,
        queue=queue,
        n=message.n,
        author=str(message.author),
    )


async def _notes(tx: UnitOfWork, window: _Window) -> list[Item]:
    at, item, _ = window.cursor.bounds("note")
    where, args = window.scope.interactions(5, "i.")
    found: list[Note] = await tx.select(
        NOTES,
        "WHERE customer = $1 AND at <= $2 AND (at < $2 OR id < $3) AND (interaction IS NULL OR EXISTS "  # noqa: S608
        f"(SELECT 1 FROM interactions i WHERE i.id = notes.interaction AND {where})) "
        "ORDER BY at DESC, id DESC LIMIT $4",
        window.customer,
        at,
        item,
        window.limit,
        *args,
    )
    return [
        Item(
            kind="note",
            id=note.id,
            at=note.at,
            title="",
            text=note.text,
            interaction=note.interaction,
            agent_name=note.name,
            author=note.author,
        )
        for note in found
    ]


async def _promises(tx: UnitOfWork, window: _Window) -> list[Item]:
    at, item, _ = window.cursor.bounds("promise")
    where, args = window.scope.interactions(5, "i.")
    found: list[Promise] = await tx.select(
        PROMISES,
        "WHERE customer = $1 AND made_at <= $2 AND (made_at < $2 OR id < $3) "  # noqa: S608
        "AND (interaction IS NULL OR EXISTS "
        f"(SELECT 1 FROM interactions i WHERE i.id = promises.interaction AND {where})) "
        "ORDER BY made_at DESC, id DESC LIMIT $4",
        window.customer,
        at,
        item,
        window.limit,
        *args,
    )
    names = await _names(tx, [one.made_by.removeprefix("agent:") for one in found])
    return [
        Item(
            kind="promise",
            id=one.id,
            at=one.made_at,
            title="",
            text=one.text,
            interaction=one.interaction,
            state=str(one.state),
            agent_name=names.get(one.made_by.removeprefix("agent:")),
            due_at=one.due_at,
            ended_at=one.ended_at,
        )
        for one in found
    ]


async def _merges(tx: UnitOfWork, window: _Window) -> list[Item]:
    at, item, _ = window.cursor.bounds("merge")
    found: list[Merge] = await tx.select(
        MERGES,
        "WHERE (target = $1 OR source = $1) AND at <= $2 AND (at < $2 OR id < $3) ORDER BY at DESC, id DESC LIMIT $4",
        window.customer,
        at,
        item,
        window.limit,
    )
    others = [merge.source if merge.target == window.customer else merge.target for merge in found]
    known = await tx.select(CUSTOMERS, "WHERE id ANY_OF($1)", others) if others else []
    names = {customer.id: customer.name for customer in known}
    actors = await _names(tx, [merge.actor.removeprefix("agent:") for merge in found])
    return [
        Item(
            kind="merge",
            id=merge.id,
            at=merge.at,
            title=names.get(other, ""),
            text="",
            state="undone" if merge.undone_at else "merged",
            agent_name=actors.get(merge.actor.removeprefix("agent:")),
        )
        for merge, other in zip(found, others, strict=True)
    ]


async def _names(tx: UnitOfWork, ids: Sequence[str | None]) -> dict[str, str]:
    listed = sorted({one for one in ids if one})
    if not listed:
        return {}
    agents: list[Agent] = await tx.select(AGENTS, "WHERE id ANY_OF($1)", listed)
    return {agent.id: agent.name for agent in agents}


_READERS = {"interaction": _interactions, "message": _messages, "note": _notes, "promise": _promises, "merge": _merges}
