"""What a flow leaves behind beside messages, and what it may know: the customer's fields, notes for colleagues."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.domain.customers import Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Note
from hub.flows.session import BookCallback, EnterQueue, Stepped, WriteFields
from hub.services import people
from hub.storage.tables import CUSTOMERS, NOTES
from hub.storage.unit_of_work import UnitOfWork


def known_of(customer: Customer) -> dict[str, Any]:
    """Return what expressions and templates may know of a customer: never an address, never a note."""
    return {
        "name": customer.name,
        "language": customer.language,
        "tier": customer.tier,
        "company": customer.company,
        "tags": list(customer.tags),
        "fields": dict(customer.fields),
        "is_known": bool(customer.name),
    }


async def write_fields(tx: UnitOfWork, customer: Customer, stepped: Stepped) -> Customer:
    """Write the fields that a flow sets, unless there are too many; returns the customer as they are then."""
    written = {
        name: text for wish in stepped.wishes if isinstance(wish, WriteFields) for name, text in wish.fields.items()
    }
    if not written or len({**customer.fields, **written}) > people.MAX_FIELDS:
        return customer
    tx.record(EventKind.CUSTOMER_CHANGED, actor="flow", customer=customer.id, changed="fields")
    return await tx.save(CUSTOMERS, msgspec.structs.replace(customer, fields={**customer.fields, **written}))


async def note(tx: UnitOfWork, interaction: Interaction, stepped: Stepped, unsent: Sequence[str]) -> None:
    """Write down for colleagues what the flow wants them to know: its note, whom to call back, what was not sent."""
    texts: list[str] = [*unsent]
    for wish in stepped.wishes:
        if isinstance(wish, EnterQueue) and wish.note:
            texts.append(wish.note)
        elif isinstance(wish, BookCallback):
            texts.append(f"Call back: {wish.phone}. {wish.note}".strip())
    for text in texts:
        note = Note(
            id=new_id("n"),
            customer=interaction.customer,
            interaction=interaction.id,
            author="",
            name="Flow",
            text=text[:2_000],
            at=tx.now,
        )
        await tx.insert(NOTES, note)
        tx.record(
            EventKind.NOTE_ADDED,
            actor="flow",
            customer=interaction.customer,
            interaction=interaction.id,
            note=note.id,
        )
