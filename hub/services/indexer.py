"""The search index, kept behind the journal: a follower with a durable cursor, in small batches, giving way to chats.

What is indexed: what customers and agents say, notes, and customers (re-indexed when they change). The cursor moves in
the transaction that writes the index, so after `kill -9` nothing is missing and nothing is there twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import phonenumbers

from hub.clock import Clock
from hub.domain.customers import Address, AddressKind, Customer
from hub.domain.errors import Conflict, Unavailable
from hub.domain.events import Event, EventKind
from hub.domain.messages import Note
from hub.domain.words import document
from hub.events import Bus, Commit
from hub.storage.changes import Row
from hub.storage.journal import Journal
from hub.storage.tables import ADDRESSES, CUSTOMERS, INDEXED, NOTES, Indexed
from hub.storage.unit_of_work import Store, UnitOfWork
from hub.storage.words import WordTable

log = logging.getLogger(__name__)
T = TypeVar("T")

BATCH = 250
"""Events a batch on SQLite. One transaction writes them in some 5 ms; larger ones would make chats wait for it."""
BATCH_POSTGRESQL = 50
"""The same on PostgreSQL, whose inverted index costs 0.1 to 0.3 ms a text: beside the chats, but on their machine."""
SETTLE_S = 0.2
"""How long news is let gather before it is indexed. Shorter means more transactions for the same words."""
POLL_S = 5.0
"""How often to look without being told: another node's commits ring no bell here."""
RETRY_S = 2.0
_BUSY_EVENTS = 50
_REST = 9.0
_KEEP_CURSOR = 2_000

_OF_CUSTOMER = frozenset(
    {
        EventKind.CUSTOMER_CREATED,
        EventKind.CUSTOMER_CHANGED,
        EventKind.ADDRESS_ADDED,
        EventKind.ADDRESS_REMOVED,
        EventKind.CUSTOMERS_MERGED,
        EventKind.MERGE_UNDONE,
        EventKind.INTERACTION_CREATED,
    }
)
_OF_MERGE = frozenset({EventKind.CUSTOMERS_MERGED, EventKind.MERGE_UNDONE})


class _Wanted(msgspec.Struct):
    """What a batch of events asks to be indexed."""

    messages: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    customers: list[str] = msgspec.field(default_factory=list)
    merged: list[str] = msgspec.field(default_factory=list)


class _Sources(msgspec.Struct):
    """The texts as read: messages are rows (interaction, n, text, at, customer, queue); notes come with their queue.

    All in the order of the journal, whatever order the database found them in: later documents are newer.
    """

    messages: list[Row]
    notes: list[tuple[Note, str]]
    customers: list[tuple[Customer, str, list[Address]]]
    indexed: dict[str, Indexed]


class _Plan(msgspec.Struct):
    """What to write: fresh documents with their tokens (numbers come later), changed ones, tokens to forget."""

    fresh: list[tuple[Indexed, str]]
    changed: list[Indexed]
    forgotten: list[tuple[int, str]]
    merged: list[str]


class Indexer:
    """Follows the journal and writes the index. One at a time across nodes: the cursor decides who was first."""

    def __init__(self, store: Store, bus: Bus, clock: Clock, *, name: str = "search", batch: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._batch = batch or (BATCH_POSTGRESQL if store.is_postgresql else BATCH)
        self._journal = Journal(store)
        self._words = WordTable("words", is_postgresql=store.is_postgresql)
        self._names = WordTable("names", is_postgresql=store.is_postgresql)
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._stored: int | None = None
        self._seq = 0
        self._told = 0
        self.documents = 0
        """Documents written since the start."""
        self._unsubscribe = bus.subscribe(self._on_commit)

    def start(self) -> None:
        """Begin to follow in the background, first of all what was written while nobody did."""
        self._task = asyncio.create_task(self._follow(), name="indexer")
        self._wake.set()

    async def stop(self) -> None:
        """Follow no more; a batch that is being written is finished."""
        self._unsubscribe()
        if self._task is not None:
            async with self._turn:
                self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def caught_up(self) -> None:
        """Index everything the journal holds now, and return when it can be found."""
        head = await self._journal.head()
        while await self.step() or self._seq < head:
            pass

    async def step(self) -> int:
        """Index one batch and return how many events it held; 0 when there is nothing new."""
        async with self._turn:
            if self._stored is None:
                self._seq = self._stored = await self._store.read(self._read_cursor)
            events = await self._journal.read(self._seq, self._batch)
            if not events:
                return 0
            wanted = _wanted(events)
            try:
                await self._index(wanted, events[-1].seq)
            except Conflict:
                self._stored = None
            return len(events)

    @property
    def position(self) -> int:
        """The last event that is indexed."""
        return self._seq

    def _on_commit(self, commit: Commit) -> None:
        self._told += len(commit.events)
        if commit.events:
            self._wake.set()

    async def _follow(self) -> None:
        while True:
            try:
                full = await self._measured_step() >= self._batch
            except Unavailable as error:
                log.warning("indexing waits for the database", extra={"error": str(error)})
                await self._clock.sleep(RETRY_S)
                continue
            except Exception:
                log.exception("indexing failed", extra={"after": self._seq})
                await self._clock.sleep(RETRY_S)
                continue
            if not full:
                await self._clock.wait_until(self._wake, self._clock.now() + round(POLL_S * 1000))
                await self._clock.sleep(SETTLE_S)
                self._wake.clear()

    async def _measured_step(self) -> int:
        """Index a batch, then rest nine times as long if much was written meanwhile: they come first."""
        self._told = 0
        began = self._clock.monotonic_ms()
        count = await self.step()
        if self._told > _BUSY_EVENTS:
            await self._clock.sleep(_REST * (self._clock.monotonic_ms() - began) / 1000)
        return count

    async def _read_cursor(self, tx: UnitOfWork) -> int:
        row = await tx.fetch_one("SELECT seq FROM cursors WHERE name = $1", self._name)
        return int(row[0]) if row else 0

    async def _index(self, wanted: _Wanted, upto: int) -> None:
        if wanted.messages or wanted.notes or wanted.customers:

            async def read(tx: UnitOfWork) -> _Sources:
                return await _sources(tx, wanted, self._words)

            sources = await self._store.read(read)
            plan = await asyncio.to_thread(_planned, sources, wanted.merged)
            is_empty = not (plan.fresh or plan.changed or plan.merged)
        else:
            plan, is_empty = _Plan([], [], [], []), True
        if is_empty and upto - (self._stored or 0) < _KEEP_CURSOR:
            self._seq = upto
            return
        await self._write(plan, upto)
        self._seq = self._stored = upto
        self.documents += len(plan.fresh) + len(plan.changed)

    async def _write(self, plan: _Plan, upto: int) -> None:
        before = self._stored or 0

        async def unit(tx: UnitOfWork) -> None:
            await self._move_cursor(tx, before, upto)
            await self._names.delete(tx, plan.forgotten)
            row = await tx.fetch_one("SELECT coalesce(max(doc), 0) FROM indexed")
            first = int(row[0]) + 1 if row else 1
            fresh = [msgspec.structs.replace(record, doc=first + n) for n, (record, _) in enumerate(plan.fresh)]
            if fresh:
                await tx.insert_many(INDEXED, fresh)
            if plan.changed:
                values = [(record.doc, record.customer, record.tokens) for record in plan.changed]
                await tx.update_many(INDEXED, ("doc", "customer", "tokens"), values)
            said = [(one.doc, tokens) for one, (_, tokens) in zip(fresh, plan.fresh, strict=True) if not one.tokens]
            names = [(one.doc, one.tokens) for one in [*fresh, *plan.changed] if one.tokens]
            await self._words.insert(tx, said)
            await self._names.insert(tx, names)
            if plan.merged:
                await _follow_interactions(tx, plan.merged)

        await self._store.write_aside(unit)
        if plan.fresh or plan.changed:
            await self._store.write_aside(self._tidy)

    async def _tidy(self, tx: UnitOfWork) -> None:
        await self._words.tidy(tx)
        await self._names.tidy(tx)

    async def _move_cursor(self, tx: UnitOfWork, before: int, upto: int) -> None:
        """Advance the durable cursor.

        Raises:
            Conflict: another node was there first.
        """
        if not before:
            await tx.execute("INSERT INTO cursors (name, seq) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING", self._name)
        moved = await tx.execute("UPDATE cursors SET seq = $1 WHERE name = $2 AND seq = $3", upto, self._name, before)
        if not moved:
            raise Conflict("Another node has indexed this already.")


def _wanted(events: Sequence[Event]) -> _Wanted:
    """Return what events ask for, each thing once."""
    messages, notes, customers, merged = [], [], [], []
    for event in events:
        if event.kind is EventKind.MESSAGE_STORED:
            if event.facts.get("author") != "system":
                messages.append(f"{event.interaction}:{event.facts['n']}")
        elif event.kind is EventKind.NOTE_ADDED:
            notes.append(str(event.facts["note"]))
        elif event.kind in _OF_CUSTOMER and event.customer:
            customers.append(event.customer)
            if event.kind in _OF_MERGE:
                merged += [event.customer, str(event.facts["source"]), str(event.facts.get("holder", event.customer))]
    customers += merged
    return _Wanted(*(list(dict.fromkeys(each)) for each in (messages, notes, customers, merged)))


async def _sources(tx: UnitOfWork, wanted: _Wanted, words: WordTable) -> _Sources:
    messages = (
        await tx.fetch(
            f"SELECT m.interaction, m.n, m.text, m.at, i.customer, i.queue FROM ({words.pairs(1)}) AS p "  # noqa: S608
            "JOIN messages m ON m.interaction = p.interaction AND m.n = p.n "
            "JOIN interactions i ON i.id = m.interaction WHERE m.author <> 'system'",
            wanted.messages,
        )
        if wanted.messages
        else []
    )
    notes = await tx.select(NOTES, "WHERE id ANY_OF($1)", wanted.notes) if wanted.notes else []
    customers = await tx.select(CUSTOMERS, "WHERE id ANY_OF($1)", wanted.customers) if wanted.customers else []
    survivors = {customer.id: await _survivor(tx, customer) for customer in customers}
    addresses = (
        await tx.select(ADDRESSES, "WHERE customer ANY_OF($1) ORDER BY kind, value", wanted.customers)
        if customers
        else []
    )
    queues = await _queues(tx, notes)
    known = await tx.select(INDEXED, "WHERE ref ANY_OF($1)", wanted.messages + wanted.notes + wanted.customers)
    return _Sources(
        messages=_in_order(messages, wanted.messages, lambda row: f"{row[0]}:{row[1]}"),
        notes=[
            (note, queues.get(note.interaction or "", ""))
            for note in _in_order(notes, wanted.notes, lambda note: note.id)
        ],
        customers=[
            (customer, survivors[customer.id], [one for one in addresses if one.customer == customer.id])
            for customer in _in_order(customers, wanted.customers, lambda customer: customer.id)
        ],
        indexed={record.ref: record for record in known},
    )


def _in_order(found: Sequence[T], refs: Sequence[str], ref: Callable[[T], str]) -> list[T]:
    places = {name: place for place, name in enumerate(refs)}
    return sorted(found, key=lambda one: places[ref(one)])


async def _survivor(tx: UnitOfWork, customer: Customer) -> str:
    for _ in range(20):
        if customer.merged_into is None:
            break
        customer = await tx.get(CUSTOMERS, customer.merged_into) or customer
    return customer.id


async def _queues(tx: UnitOfWork, notes: Sequence[Note]) -> dict[str, str]:
    ids = [note.interaction for note in notes if note.interaction]
    rows = await tx.fetch("SELECT id, queue FROM interactions WHERE id ANY_OF($1)", ids) if ids else []
    return {str(row[0]): str(row[1]) for row in rows}


def _planned(sources: _Sources, merged: list[str]) -> _Plan:
    """Cut all texts into tokens; runs in a thread of its own."""
    plan = _Plan([], [], [], merged)
    for interaction, n, text, at, customer, queue in sources.messages:
        record = Indexed(
            doc=0,
            kind="message",
            ref=f"{interaction}:{n}",
            customer=customer,
            interaction=interaction,
            queue=queue,
            at=at,
        )
        if record.ref not in sources.indexed and (tokens := document(text)):
            plan.fresh.append((record, tokens))
    for note, queue in sources.notes:
        record = Indexed(
            doc=0,
            kind="note",
            ref=note.id,
            customer=note.customer,
            interaction=note.interaction,
            queue=queue,
            at=note.at,
        )
        if record.ref not in sources.indexed and (tokens := document(note.text)):
            plan.fresh.append((record, tokens))
    for customer, survivor, addresses in sources.customers:
        _plan_customer(plan, customer, survivor, addresses, sources.indexed.get(customer.id))
    return plan


def _plan_customer(
    plan: _Plan, customer: Customer, survivor: str, addresses: Sequence[Address], before: Indexed | None
) -> None:
    tokens = document(" ".join(searchable(customer, addresses)))
    if before is None and tokens:
        record = Indexed(
            doc=0,
            kind="customer",
            ref=customer.id,
            customer=survivor,
            interaction=None,
            queue="",
            at=customer.created_at,
            tokens=tokens,
        )
        plan.fresh.append((record, tokens))
    elif before is not None and (before.tokens, before.customer) != (tokens, survivor):
        plan.forgotten.append((before.doc, before.tokens))
        plan.changed.append(msgspec.structs.replace(before, customer=survivor, tokens=tokens))


def searchable(customer: Customer, addresses: Iterable[Address]) -> list[str]:
    """Return the texts under which a customer is found."""
    texts = [customer.name, customer.company, *customer.tags, *customer.fields.values()]
    for address in addresses:
        if address.kind is AddressKind.PHONE:
            texts += spellings(address.value)
        elif address.kind is not AddressKind.CHAT:
            texts.append(address.value)
    for name, value in customer.fields.items():
        if name == "phone":
            texts += spellings(value)
    return texts


def spellings(phone: str) -> list[str]:
    """Return the digits by which people look for a phone number in E.164: with and without country, and its end."""
    digits = "".join(character for character in phone if character in "0123456789")
    if len(digits) < 5:
        return []
    try:
        national = str(phonenumbers.parse(f"+{digits}", None).national_number)
    except phonenumbers.NumberParseException:
        national = digits
    return list(dict.fromkeys((digits, national, f"0{national}", digits[-7:], digits[-4:])))


async def _follow_interactions(tx: UnitOfWork, customers: list[str]) -> None:
    """Let what was indexed belong to whoever its interaction or note belongs to after a merge or its undoing."""
    await tx.execute(
        "UPDATE indexed SET customer = (SELECT i.customer FROM interactions i WHERE i.id = indexed.interaction) "
        "WHERE kind = 'message' AND customer ANY_OF($1) "
        "AND EXISTS (SELECT 1 FROM interactions i WHERE i.id = indexed.interaction AND i.customer <> indexed.customer)",
        customers,
    )
    await tx.execute(
        "UPDATE indexed SET customer = (SELECT n.customer FROM notes n WHERE n.id = indexed.ref) "
        "WHERE kind = 'note' AND customer ANY_OF($1) "
        "AND EXISTS (SELECT 1 FROM notes n WHERE n.id = indexed.ref AND n.customer <> indexed.customer)",
        customers,
    )
