"""Search: customers and what was said, in any language, newest first, and only what the asking person may see."""

import re
from collections.abc import Sequence

import msgspec

from hub.domain.customers import Address, AddressKind, Customer, normalized
from hub.domain.errors import BadRequest
from hub.domain.ids import CustomerId, InteractionId, QueueId
from hub.domain.words import MAX_QUERY, Query, Snippet, finds, query, snippet, spans
from hub.services.access import Scope
from hub.services.indexer import spellings
from hub.settings import Settings
from hub.storage.changes import Row
from hub.storage.rows import Rows
from hub.storage.tables import ADDRESSES, CUSTOMERS
from hub.storage.unit_of_work import Store, UnitOfWork
from hub.storage.words import WordTable

MAX_RESULTS = 100
_LOOKS = (60, 500, 4_500, 15_000)
"""How many of the newest hits are looked at, step by step, for those that a person of few queues may see."""
_CUSTOMER_HITS = 150
_PHONE = re.compile(r"[+(]?[\d\s().\-/]{4,}")


class CustomerHit(msgspec.Struct, frozen=True, kw_only=True):
    """A customer found. `matched` says by what: `name`, `company`, `email: ...`, `tag: ...`, or a field."""

    id: CustomerId
    name: str
    company: str
    tier: str
    matched: str


class MessageHit(msgspec.Struct, frozen=True, kw_only=True):
    """A message found; `snippet` is the text around the hit, `marks` the hits in it in UTF-16 units."""

    interaction: InteractionId
    n: int
    customer: CustomerId
    customer_name: str
    at: int
    snippet: str
    marks: tuple[tuple[int, int], ...]
    queue: QueueId
    channel_kind: str


class NoteHit(msgspec.Struct, frozen=True, kw_only=True):
    """A note found."""

    note: str
    interaction: InteractionId | None
    customer: CustomerId
    customer_name: str
    at: int
    snippet: str
    marks: tuple[tuple[int, int], ...]
    author: str
    author_name: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found, each list newest first."""

    customers: list[CustomerHit] = msgspec.field(default_factory=list)
    messages: list[MessageHit] = msgspec.field(default_factory=list)
    notes: list[NoteHit] = msgspec.field(default_factory=list)


class Search:
    """Answers queries from the index that `Indexer` keeps; customers' addresses are looked up as they are now."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._region = settings.company.country
        self._words = WordTable("words", is_postgresql=store.is_postgresql)
        self._names = WordTable("names", is_postgresql=store.is_postgresql)

    async def find(self, q: str, scope: Scope, *, limit: int = 20) -> Found:
        """Return customers, messages and notes that hold every word of `q`, at most `limit` of each."""
        limit = _bounded(limit)
        wanted = query(q)

        async def unit(tx: UnitOfWork) -> Found:
            customers = await self._customers(tx, q, wanted, scope, limit)
            messages, notes = await self._said(tx, wanted, scope, limit)
            return Found(customers=customers, messages=messages, notes=notes)

        return await self._store.read(unit)

    async def customers(self, q: str, scope: Scope, *, limit: int = 20) -> list[CustomerHit]:
        """Return the customers whom `q` names by address (in any spelling), name, company, tag or field."""
        limit = _bounded(limit)

        async def unit(tx: UnitOfWork) -> list[CustomerHit]:
            return await self._customers(tx, q, query(q), scope, limit)

        return await self._store.read(unit)

    async def _customers(self, tx: UnitOfWork, q: str, wanted: Query, scope: Scope, limit: int) -> list[CustomerHit]:
        exact = self._addresses(q)
        looked_for = [wanted, *_digits(q)]
        where, args = _sees_customer(scope, 2, "customers")
        seen, _ = _sees_customer(scope, 2, "c")
        found: list[Customer] = []
        if exact:
            owned = "id IN (SELECT a.customer FROM addresses a WHERE a.value ANY_OF($1)) AND merged_into IS NULL"
            found = await tx.select(CUSTOMERS, f"WHERE {owned} AND {where} LIMIT 10", exact, *args)
        docs = await self._names.newest(tx, looked_for, limit=_CUSTOMER_HITS)
        if docs:
            rows = await tx.fetch(
                f"SELECT d.doc, {_listed('c', CUSTOMERS)} FROM indexed d JOIN customers c ON c.id = d.customer "  # noqa: S608
                f"WHERE d.doc {self._words.any_doc(1)} AND c.merged_into IS NULL AND {seen} "
                "ORDER BY d.doc DESC",
                docs,
                *args,
            )
            found += [CUSTOMERS.record(row[1:]) for row in rows]
        return await _described(tx, found, looked_for, exact, limit)

    def _addresses(self, q: str) -> list[str]:
        """Return the addresses that `q` may spell, as they are stored."""
        found = []
        text = q[:MAX_QUERY].strip()
        for kind in (AddressKind.PHONE, AddressKind.EMAIL):
            if kind is AddressKind.EMAIL or _PHONE.fullmatch(text):
                try:
                    found.append(normalized(kind, text, region=self._region))
                except BadRequest:
                    continue
        return found

    async def _said(
        self, tx: UnitOfWork, wanted: Query, scope: Scope, limit: int
    ) -> tuple[list[MessageHit], list[NoteHit]]:
        """Look at the newest hits in growing steps, until enough of them may be seen or too many were not."""
        messages: list[MessageHit] = []
        notes: list[NoteHit] = []
        below = 2**62
        for step in _LOOKS:
            docs = await self._words.newest(tx, [wanted], below=below, limit=step)
            if not docs:
                break
            messages += await self._messages(tx, wanted, docs, scope, limit - len(messages))
            notes += await self._notes(tx, wanted, docs, scope, limit - len(notes))
            if len(messages) >= limit or len(docs) < step:
                break
            below = docs[-1]
        return messages, notes

    async def _messages(
        self, tx: UnitOfWork, wanted: Query, docs: list[int], scope: Scope, limit: int
    ) -> list[MessageHit]:
        where, args = scope.interactions(3, "i.")
        rows = await tx.fetch(
            "SELECT i.id, m.n, i.customer, c.name, m.at, i.queue, i.kind, m.text FROM indexed d "  # noqa: S608
            "JOIN interactions i ON i.id = d.interaction JOIN customers c ON c.id = i.customer "
            f"JOIN messages m ON m.interaction = i.id AND m.n = {self._words.number('d.ref')} "
            f"WHERE d.doc {self._words.any_doc(1)} AND d.kind = 'message' AND {where} ORDER BY d.doc DESC LIMIT $2",
            docs,
            limit,
            *args,
        )
        return [_message_hit(row, snippet(wanted, row[7])) for row in rows]

    async def _notes(self, tx: UnitOfWork, wanted: Query, docs: list[int], scope: Scope, limit: int) -> list[NoteHit]:
        sees, args = scope.interactions(3, "i.")
        whole, _ = _sees_customer(scope, 3, "c")
        rows = await tx.fetch(
            "SELECT n.id, n.interaction, n.customer, c.name, n.at, n.author, n.name, n.text FROM indexed d "  # noqa: S608
            "JOIN notes n ON n.id = d.ref JOIN customers c ON c.id = n.customer "
            f"WHERE d.doc {self._words.any_doc(1)} AND d.kind = 'note' AND "
            f"(EXISTS (SELECT 1 FROM interactions i WHERE i.id = n.interaction AND {sees}) "
            f"OR (n.interaction IS NULL AND {whole})) ORDER BY d.doc DESC LIMIT $2",
            docs,
            limit,
            *args,
        )
        return [_note_hit(row, snippet(wanted, row[7])) for row in rows]


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_RESULTS))


def _listed(alias: str, rows: Rows[Customer]) -> str:
    return ", ".join(f"{alias}.{name}" for name in rows.columns)


def _sees_customer(scope: Scope, first: int, table: str) -> tuple[str, list[object]]:
    """Return the condition that a customer may be seen: with work in scope, or with none at all yet."""
    where, args = scope.interactions(first, "w.")
    if scope.sees_all:
        return where, args
    theirs = f"SELECT 1 FROM interactions w WHERE w.customer = {table}.id"  # noqa: S608
    return f"(NOT EXISTS ({theirs}) OR EXISTS ({theirs} AND {where}))", args


def _digits(q: str) -> list[Query]:
    """Return the query for a phone number, or part of one, however it is grouped."""
    text = q[:MAX_QUERY].strip()
    if not _PHONE.fullmatch(text):
        return []
    digits = re.sub(r"\D", "", text)
    return [Query((), one) for one in dict.fromkeys((digits.removeprefix("00"), digits)) if 4 <= len(one) <= 20]


async def _described(
    tx: UnitOfWork, found: Sequence[Customer], wanted: Sequence[Query], exact: Sequence[str], limit: int
) -> list[CustomerHit]:
    """Return the customers, each once, those found by an address or a name first, with what they were found by."""
    customers = {customer.id: customer for customer in reversed(found)}
    addresses: dict[str, list[Address]] = {}
    for address in await tx.select(ADDRESSES, "WHERE customer ANY_OF($1) ORDER BY kind, value", list(customers)):
        addresses.setdefault(address.customer, []).append(address)
    hits = []
    for order, customer in enumerate(dict.fromkeys(one.id for one in found)):
        rank, matched = _matched(customers[customer], addresses.get(customer, []), wanted, exact)
        hits.append((rank, order, customers[customer], matched))
    hits.sort(key=lambda hit: hit[:2])
    return [
        CustomerHit(id=one.id, name=one.name, company=one.company, tier=one.tier, matched=matched)
        for _, _, one, matched in hits[:limit]
    ]


def _matched(
    customer: Customer, addresses: Sequence[Address], wanted: Sequence[Query], exact: Sequence[str]
) -> tuple[int, str]:
    """Return how well, and by what, a customer was found: 0 an address as typed, 1 the name, 2 anything else."""
    reached = [address for address in addresses if address.kind is not AddressKind.CHAT]
    for address in reached:
        if address.value in exact:
            return 0, f"{address.kind}: {address.value}"
    if any(finds(one, customer.name) for one in wanted):
        return 1, "name"
    for address in reached:
        if address.kind is AddressKind.PHONE and _begins(wanted, spellings(address.value)):
            return 2, f"{address.kind}: {address.value}"
    texts = [("company", customer.company), *(("tag", tag) for tag in customer.tags), *customer.fields.items()]
    texts += [(str(address.kind), address.value) for address in reached]
    for label, text in texts:
        if any(spans(one, text) for one in wanted):
            return 2, label if label == "company" else f"{label}: {text[:80]}"
    return (2, "name") if any(spans(one, customer.name) for one in wanted) else (3, "")


def _begins(wanted: Sequence[Query], words: Sequence[str]) -> bool:
    return any(one.prefix and word.startswith(one.prefix) for one in wanted for word in words)


def _message_hit(row: Row, shown: Snippet) -> MessageHit:
    interaction, n, customer, name, at, queue, kind = row[:7]
    return MessageHit(
        interaction=interaction,
        n=n,
        customer=customer,
        customer_name=name,
        at=at,
        snippet=shown.text,
        marks=shown.marks,
        queue=queue,
        channel_kind=kind,
    )


def _note_hit(row: Row, shown: Snippet) -> NoteHit:
    note, interaction, customer, name, at, author, author_name = row[:7]
    return NoteHit(
        note=note,
        interaction=interaction,
        customer=customer,
        customer_name=name,
        at=at,
        snippet=shown.text,
        marks=shown.marks,
        author=author,
        author_name=author_name,
    )
