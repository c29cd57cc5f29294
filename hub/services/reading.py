"""What staff read: a conversation with what surrounds it, latest customers, the journal. Every query has a scope."""

from collections.abc import Sequence

import msgspec

from hub.domain.correspondence import Outgoing
from hub.domain.customers import Address, Customer
from hub.domain.errors import NotFound
from hub.domain.events import Event
from hub.domain.interaction import Interaction
from hub.domain.messages import FileRef, Message, Note
from hub.domain.segments import Segment
from hub.services.access import Scope
from hub.services.chats import history
from hub.storage.journal import Journal
from hub.storage.tables import (
    ADDRESSES,
    CUSTOMERS,
    DRAFTS,
    ENVELOPES,
    FILES,
    INTERACTIONS,
    NOTES,
    OUTGOING,
    SEGMENTS,
)
from hub.storage.unit_of_work import Store, UnitOfWork

FIRST_PAGE = 50
MISSED = 200
_NOTES = 200
_RECENT = 1_000
_UNFINISHED = 20
_TROUBLED = 100
_GIVEN_UP_MS = 14 * 86_400_000
"""After two weeks nobody remembers what came of it."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction with its latest messages; `is_earlier` says that older ones are left."""

    interaction: Interaction
    customer: Customer
    messages: list[Message]
    is_earlier: bool
    notes: list[Note]
    segments: list[Segment]
    drafts: dict[str, str]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as a list shows them."""

    customer: Customer
    addresses: list[Address]


class Troubled(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours that did not go out, or may not have arrived."""

    outgoing: Outgoing
    interaction: Interaction
    customer: Customer
    subject: str


class Reading:
    """The questions that change nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._journal = Journal(store)

    async def interaction(self, interaction_id: str, scope: Scope) -> tuple[Interaction, Customer]:
        """Return an interaction, open or ended, and whose it is.

        Raises:
            NotFound: there is none, or not for this person.
        """

        async def unit(tx: UnitOfWork) -> tuple[Interaction, Customer]:
            found = await _seen(tx, interaction_id, scope)
            return found, await _customer(tx, found.customer)

        return await self._store.read(unit)

    async def conversation(self, interaction_id: str, scope: Scope, *, after: int = 0) -> Conversation:
        """Return a conversation: its last page, or what came after message `after`.

        Who has missed more than 200 messages gets the last page.

        Raises:
            NotFound: there is none, or not for this person.
        """

        async def unit(tx: UnitOfWork) -> Conversation:
            found = await _seen(tx, interaction_id, scope)
            is_news = 0 < after <= found.last_n and found.last_n - after <= MISSED
            if is_news:
                messages = await history(tx, found.id, after=after, limit=MISSED)
            else:
                messages = await history(tx, found.id, limit=FIRST_PAGE)
            drafts = await tx.select(DRAFTS, "WHERE interaction = $1 AND agent = $2", found.id, scope.agent)
            notes = await tx.select(
                NOTES, "WHERE interaction = $1 ORDER BY at DESC, id DESC LIMIT $2", found.id, _NOTES
            )
            return Conversation(
                interaction=found,
                customer=await _customer(tx, found.customer),
                messages=messages,
                is_earlier=not is_news and _has_earlier(messages),
                notes=notes[::-1],
                segments=await tx.select(SEGMENTS, "WHERE interaction = $1 ORDER BY started_at, id", found.id),
                drafts={draft.mode: draft.text for draft in drafts},
            )

        return await self._store.read(unit)

    async def page(
        self, interaction_id: str, scope: Scope, *, before: int | None, limit: int = 30
    ) -> tuple[Interaction, list[Message], bool]:
        """Return the last `limit` messages before number `before`, and whether there are older ones still.

        Raises:
            NotFound: there is no such interaction for this person.
        """

        async def unit(tx: UnitOfWork) -> tuple[Interaction, list[Message], bool]:
            found = await _seen(tx, interaction_id, scope)
            messages = await history(tx, found.id, before=before, limit=limit) if before != 0 else []
            return found, messages, _has_earlier(messages)

        return await self._store.read(unit)

    async def without_outcome(self, scope: Scope) -> list[tuple[Interaction, Customer]]:
        """Return this agent's interactions that the clock closed and that have no outcome yet, latest first."""

        async def unit(tx: UnitOfWork) -> list[tuple[Interaction, Customer]]:
            found = await tx.select(
                INTERACTIONS,
                "WHERE agent = $1 AND closing_reason = 'wrap_up_timed_out' AND disposition IS NULL "
                "AND ended_at > $2 ORDER BY ended_at DESC LIMIT $3",
                scope.agent,
                tx.now - _GIVEN_UP_MS,
                _UNFINISHED,
            )
            ids = list({interaction.customer for interaction in found})
            customers = {one.customer.id: one.customer for one in await _known(tx, ids)}
            return [(one, customers[one.customer]) for one in found]

        return await self._store.read(unit)

    async def troubled_letters(self, scope: Scope) -> list[Troubled]:
        """Return our letters that failed or of which nobody knows, in the last weeks, latest first."""

        async def unit(tx: UnitOfWork) -> list[Troubled]:
            where, args = scope.interactions(3, "i.")
            found = await tx.select(
                OUTGOING,
                "WHERE state IN ('failed', 'uncertain') AND due_at > $1 AND interaction IN "  # noqa: S608
                f"(SELECT i.id FROM interactions AS i WHERE i.id = outgoing.interaction AND {where}) "
                "ORDER BY due_at DESC LIMIT $2",
                tx.now - _GIVEN_UP_MS,
                _TROUBLED,
                *args,
            )
            return [one for outgoing in found if (one := await _troubled(tx, outgoing)) is not None]

        return await self._store.read(unit)

    async def files(self, interaction_id: str, ids: Sequence[str], scope: Scope) -> list[FileRef]:
        """Return what is still there of these files of an interaction, or (without one) of this person's own uploads.

        Raises:
            NotFound: there is no such interaction for this person.
        """
        if not ids:
            return []

        async def unit(tx: UnitOfWork) -> list[FileRef]:
            if interaction_id:
                await _seen(tx, interaction_id, scope)
            found = await tx.select(
                FILES,
                "WHERE id ANY_OF($1) AND (interaction = $2 OR interaction = '') "
                "AND (interaction <> '' OR uploaded_by = $3)",
                list(ids),
                interaction_id,
                scope.actor,
            )
            named = {file.id: FileRef(file.id, file.name, file.type, file.size) for file in found}
            return [named[key] for key in ids if key in named]

        return await self._store.read(unit)

    async def latest_customers(self, scope: Scope, limit: int) -> list[Known]:
        """Return the customers who reached us last, latest first."""

        async def unit(tx: UnitOfWork) -> list[Known]:
            where, args = scope.interactions(2)
            rows = await tx.fetch(
                f"SELECT customer FROM interactions WHERE {where} ORDER BY id DESC LIMIT $1",  # noqa: S608
                _RECENT,
                *args,
            )
            ids = list(dict.fromkeys(str(row[0]) for row in rows))[:limit]
            return await _known(tx, ids)

        return await self._store.read(unit)

    async def known(self, ids: Sequence[str]) -> list[Known]:
        """Return customers whom the caller has found in scope, in the order asked for."""

        async def unit(tx: UnitOfWork) -> list[Known]:
            return await _known(tx, list(ids))

        return await self._store.read(unit)

    async def events(self, scope: Scope, *, after: int, limit: int) -> tuple[list[Event], int]:
        """Return the journal after a number, and the highest number there is.

        Raises:
            Forbidden: supervisors only.
        """
        scope.require_supervisor()
        events = await self._journal.read(after, limit)
        return events, await self._journal.head()


def _has_earlier(messages: Sequence[Message]) -> bool:
    return bool(messages) and messages[0].n > 1


async def _seen(tx: UnitOfWork, interaction_id: str, scope: Scope) -> Interaction:
    where, args = scope.interactions(2)
    found = await tx.select(INTERACTIONS, f"WHERE id = $1 AND {where}", interaction_id, *args)
    if not found:
        raise NotFound("There is no such interaction.")
    return found[0]


async def _troubled(tx: UnitOfWork, outgoing: Outgoing) -> Troubled | None:
    interaction = await tx.get(INTERACTIONS, outgoing.interaction)
    customer = await tx.get(CUSTOMERS, interaction.customer) if interaction else None
    envelope = await tx.get(ENVELOPES, outgoing.interaction, outgoing.n)
    if interaction is None or customer is None:
        return None
    subject = envelope.subject if envelope else interaction.subject
    return Troubled(outgoing=outgoing, interaction=interaction, customer=customer, subject=subject)


async def _customer(tx: UnitOfWork, customer_id: str) -> Customer:
    found = await tx.get(CUSTOMERS, customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


async def _known(tx: UnitOfWork, ids: list[str]) -> list[Known]:
    customers = {customer.id: customer for customer in await tx.select(CUSTOMERS, "WHERE id ANY_OF($1)", ids)}
    addresses: dict[str, list[Address]] = {}
    for address in await tx.select(ADDRESSES, "WHERE customer ANY_OF($1) ORDER BY kind, value", ids):
        addresses.setdefault(address.customer, []).append(address)
    return [Known(customer=customers[key], addresses=addresses.get(key, [])) for key in ids if key in customers]
