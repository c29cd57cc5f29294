"""What visitors fill in before a chat: checked, kept as claims in the profile, noted where it says something else."""

from collections.abc import Mapping

import msgspec

from hub.domain.correspondence import one_line
from hub.domain.customers import AddressKind, Customer, clean_name, normalized
from hub.domain.errors import BadRequest
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Note
from hub.domain.redaction import without_cards
from hub.services import people
from hub.storage.tables import CUSTOMERS, NOTES
from hub.storage.unit_of_work import UnitOfWork

_LIMITS = {"name": 120, "email": 254, "phone": 40}
_OPENINGS = ("message", "question")
_SUBJECTS = ("subject", "topic")


def checked(form: Mapping[str, str], region: str) -> dict[str, str]:
    """Return a form as it may be stored: cleaned, addresses normalized, empty fields left out.

    Raises:
        BadRequest: a field is too long, there are too many, or an address is none.
    """
    if len(form) > 20:
        raise BadRequest("The form has too many fields.")
    cleaned: dict[str, str] = {}
    for name, value in form.items():
        name = without_cards(clean_name(name))
        value = without_cards(clean_name(value[:2_000]) if name in _LIMITS else value.replace("\x00", "").strip())
        if len(value) > _LIMITS.get(name, 2_000) or len(name) > 40:
            raise BadRequest(f"The field {name[:40]!r} is too long.")
        if value:
            cleaned[name] = value
    for name, kind in (("email", AddressKind.EMAIL), ("phone", AddressKind.PHONE)):
        if name in cleaned:
            cleaned[name] = normalized(kind, cleaned[name], region=region)
    return cleaned


def opening(form: Mapping[str, str], text: str) -> str:
    """Return the first words of a conversation: what was written with it, or the form's field for that."""
    return text or next((form[name] for name in _OPENINGS if form.get(name)), "")


def subject(form: Mapping[str, str]) -> str:
    """Return what a conversation is about, in one line."""
    return without_cards(one_line(next((form[name] for name in _SUBJECTS if form.get(name)), "")))[:200]


async def keep(tx: UnitOfWork, customer: Customer, form: Mapping[str, str], text: str) -> Customer:
    """Keep what was typed as claims in the profile: shown to the agent; they merge, reveal and replace nothing.

    What is said anyhow, the first words and the subject, is no part of a profile.
    """
    customer = await people.named(tx, customer, form.get("name", ""))
    known = {*customer.fields, *_OPENINGS, "name"}
    claims = [(name, value[:500]) for name, value in _told(form, text).items() if name not in known]
    fields = dict([*customer.fields.items(), *claims][: max(people.MAX_FIELDS, len(customer.fields))])
    if fields == customer.fields:
        return customer
    return await tx.save(CUSTOMERS, msgspec.structs.replace(customer, fields=fields))


async def note(
    tx: UnitOfWork, interaction: Interaction, customer: Customer, form: Mapping[str, str], text: str
) -> None:
    """Write down for colleagues what this form says and the profile does not: another order, another name."""
    profile = {**customer.fields, "name": customer.name}
    other = {name: value for name, value in _told(form, text).items() if value != profile.get(name)}
    if not other:
        return
    written = Note(
        id=new_id("n"),
        customer=customer.id,
        interaction=interaction.id,
        author="",
        name="Form",
        text="\n".join(f"{name}: {value}" for name, value in other.items())[:2_000],
        at=tx.now,
    )
    await tx.insert(NOTES, written)
    tx.record(EventKind.NOTE_ADDED, actor="customer", customer=customer.id, interaction=interaction.id, note=written.id)


def _told(form: Mapping[str, str], text: str) -> dict[str, str]:
    """Return what a form tells of the customer, and not in the conversation itself."""
    said = {text, opening(form, text)}
    return {name: value for name, value in form.items() if name not in _SUBJECTS and value not in said}
