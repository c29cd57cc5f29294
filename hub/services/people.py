"""Customers: who an arrival is from, and their profile."""

from collections.abc import Mapping, Sequence

import msgspec

from hub.domain.customers import Address, AddressKind, Customer, clean_name, normalized
from hub.domain.errors import AddressTaken, BadRequest, Conflict, HubError, NoAddress, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.messages import Note
from hub.domain.promises import Promise
from hub.domain.redaction import without_cards
from hub.domain.texting import OptOut
from hub.domain.visitors import Merge
from hub.services import merging
from hub.services.access import Scope
from hub.services.merging import MAX_TAGS
from hub.services.texting import opt_outs_of
from hub.settings import Settings
from hub.storage.tables import ADDRESSES, CUSTOMERS, MERGES, NOTES, PROMISES
from hub.storage.unit_of_work import Store, UnitOfWork

_MOST_PROMISES = 50
_LATELY_MS = 14 * 86_400_000
"""How long a promise that ended is shown with the customer; the timeline has it for ever."""
_TYPED = frozenset({AddressKind.EMAIL, AddressKind.PHONE})
MAX_FIELDS, _MAX_TEXT = 60, 10_000


class Profile(msgspec.Struct, kw_only=True):
    """A customer with everything beside the timeline."""

    customer: Customer
    addresses: list[Address]
    notes: list[Note]
    merged: list[tuple[Merge, str]]
    promises: list[Promise]
    opt_outs: list[OptOut]
    open: list[str]
    interactions: int
    messages: int
    first_at: int | None
    last_at: int | None


class TypedAddress(msgspec.Struct, frozen=True):
    """An address as somebody typed it."""

    kind: AddressKind
    value: str


class Edit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may be changed in a profile; what is not given stays.

    Addresses are taken in and out one by one, so that two people who edit at once undo nothing of each other's; `site`
    and `chat` come from signed identities and from browsers only.
    """

    name: str | None = None
    language: str | None = None
    company: str | None = None
    tier: str | None = None
    tags: list[str] | None = None
    fields: dict[str, str] | None = None
    addresses_in: list[TypedAddress] = []
    addresses_out: list[TypedAddress] = []


class Duplicate(msgspec.Struct, kw_only=True):
    """Another customer who may be the same person; evidence is `code|value`: the same `name`, `email` or `phone`."""

    id: str
    name: str
    evidence: list[str]
    score: int


async def resolve(
    tx: UnitOfWork, addresses: Sequence[Address], *, name: str = "", language: str = ""
) -> tuple[Customer, bool]:
    """Return the customer these addresses belong to, and whether they are new.

    The first address decides, unless nobody has it and a verified one belongs to somebody: then it is theirs. Addresses
    are added only where nobody has them: a claim never merges, moves or reveals anything. Safe when the same address
    arrives twice in one instant.
    """
    first = await _with_proven_owner(tx, addresses)
    customer_id, is_taken = await _claim(tx, first)
    is_new = is_taken and not first.customer
    if is_new:
        customer = await _newcomer(tx, customer_id, addresses[0], name, language)
    else:
        customer = await survivor(tx, customer_id)
    for address in addresses[1:]:
        await _claim(tx, msgspec.structs.replace(address, customer=customer.id))
    return await named(tx, customer, name), is_new


async def resolve_each(tx: UnitOfWork, arrivals: Sequence[tuple[Address, str]]) -> list[tuple[Customer, bool]]:
    """Return what `resolve` would for each of many who come by one address and a name, in a few statements.

    An address that nobody has is inserted as it is: whoever takes it at the same moment makes that fail, and the second
    attempt claims one after another.
    """
    if tx.is_sure:
        return [await resolve(tx, (address,), name=name) for address, name in arrivals]
    keys = list(dict.fromkeys((str(address.kind), address.value) for address, _ in arrivals))
    owned = await tx.select_many(ADDRESSES, ("kind", "value"), keys) if keys else []
    owners = {(str(address.kind), address.value): address.customer for address in owned}
    known = await tx.recall(CUSTOMERS, owners.values(), fits=lambda found: found.merged_into is None, lock=False)
    found: list[tuple[Customer, bool]] = []
    for address, name in arrivals:
        key = (str(address.kind), address.value)
        owner = owners.get(key)
        if owner is None:
            customer = await _newcomer(tx, new_id("c"), address, name, "")
            await tx.insert_many(ADDRESSES, (msgspec.structs.replace(address, customer=customer.id),))
            owners[key] = customer.id
        else:
            before = known.get(owner)
            if before is None or before.merged_into is not None:
                before = await survivor(tx, owner)
            customer = await named(tx, before, name)
        known[owners[key]] = customer
        found.append((customer, owner is None))
    return found


async def _newcomer(tx: UnitOfWork, customer_id: str, address: Address, name: str, language: str) -> Customer:
    customer = Customer(id=customer_id, created_at=tx.now, name=clean_name(name), language=language)
    tx.record(EventKind.CUSTOMER_CREATED, customer=customer.id, actor="customer", address_kind=str(address.kind))
    return await tx.insert(CUSTOMERS, customer)


async def named(tx: UnitOfWork, customer: Customer, name: str) -> Customer:
    """Return the customer with a name, if they had none."""
    if customer.name or not clean_name(name):
        return customer
    tx.record(EventKind.CUSTOMER_CHANGED, actor="customer", customer=customer.id, changed="name")
    return await tx.save(CUSTOMERS, msgspec.structs.replace(customer, name=clean_name(name)))


async def stranger(tx: UnitOfWork, *, name: str, language: str, claims: Mapping[str, str]) -> Customer:
    """Return a new customer whom no address leads to; what they claim of themselves is only shown."""
    fields = {key: value for key, value in claims.items() if value}
    customer = Customer(id=new_id("c"), created_at=tx.now, name=clean_name(name), language=language, fields=fields)
    tx.record(EventKind.CUSTOMER_CREATED, customer=customer.id, actor="customer", address_kind="none")
    return await tx.insert(CUSTOMERS, customer)


async def verified(tx: UnitOfWork, kind: AddressKind, value: str) -> None:
    """Note that whoever holds this address has proved it."""
    await tx.execute(
        "UPDATE addresses SET is_verified = $1 WHERE kind = $2 AND value = $3 AND is_verified <> $1",
        True,
        str(kind),
        value,
    )


async def _with_proven_owner(tx: UnitOfWork, addresses: Sequence[Address]) -> Address:
    """Return the first address, for whoever owns one of the verified ones."""
    for address in addresses:
        if address.is_verified:
            known = await tx.get(ADDRESSES, address.kind, address.value)
            if known is not None:
                return msgspec.structs.replace(addresses[0], customer=known.customer)
    return addresses[0]


async def _claim(tx: UnitOfWork, address: Address, actor: str = "system") -> tuple[str, bool]:
    """Take the address for a customer unless somebody has it; return whose it is and whether it was taken now."""
    owner = address.customer or new_id("c")
    taken = await tx.execute(
        f"{ADDRESSES.insert} ON CONFLICT (kind, value) DO NOTHING",
        *ADDRESSES.values(msgspec.structs.replace(address, customer=owner)),
    )
    if taken:
        if address.customer:
            tx.record(
                EventKind.ADDRESS_ADDED,
                actor=actor,
                customer=owner,
                address_kind=str(address.kind),
                is_verified=address.is_verified,
            )
        return owner, True
    existing = await tx.get(ADDRESSES, address.kind, address.value)
    if existing is None:
        raise Conflict("The address was removed at the same moment.")
    return existing.customer, False


async def _take_out(tx: UnitOfWork, address: Address, owner: str, actor: str) -> None:
    """Take an address from a customer; one that is not theirs (any more) is fine."""
    key = (address.kind, address.value, owner)
    if await tx.execute("DELETE FROM addresses WHERE kind = $1 AND value = $2 AND customer = $3", *key):
        tx.record(EventKind.ADDRESS_REMOVED, actor=actor, customer=owner, address_kind=str(address.kind))


async def survivor(tx: UnitOfWork, customer_id: str) -> Customer:
    """Return the customer, or the one they were merged into.

    Raises:
        NotFound: there is none.
    """
    for _ in range(20):
        found = await tx.recall(CUSTOMERS, (customer_id,), fits=lambda known: known.merged_into is None, lock=False)
        customer = found.get(customer_id)
        if customer is None:
            break
        if customer.merged_into is None:
            return customer
        customer_id = customer.merged_into
    raise NotFound("There is no such customer.")


class People:
    """The use cases of customer profiles."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def profile(self, customer_id: str, scope: Scope) -> Profile:
        """Return a customer's profile as far as `scope` sees it.

        Raises:
            NotFound: there is none, or not for this person.
        """

        async def unit(tx: UnitOfWork) -> Profile:
            customer = await seen_customer(tx, customer_id, scope)
            where, args = scope.interactions(2)
            counted = await tx.fetch_one(
                "SELECT count(*), coalesce(sum(last_n), 0), min(created_at), max(coalesce(last_at, created_at)) "  # noqa: S608
                f"FROM interactions WHERE customer = $1 AND {where}",
                customer.id,
                *args,
            )
            is_open = await tx.fetch(
                f"SELECT id FROM interactions WHERE customer = $1 AND ended_at IS NULL AND {where} ORDER BY created_at",  # noqa: S608
                customer.id,
                *args,
            )
            merges = await tx.select(MERGES, "WHERE target = $1 AND undone_at IS NULL ORDER BY at DESC", customer.id)
            names = {merge.source: await tx.get(CUSTOMERS, merge.source) for merge in merges}
            interactions, messages, first_at, last_at = counted or (0, 0, None, None)
            return Profile(
                customer=customer,
                addresses=await tx.select(ADDRESSES, "WHERE customer = $1 ORDER BY kind, value", customer.id),
                notes=await tx.select(
                    NOTES, "WHERE customer = $1 AND interaction IS NULL ORDER BY at DESC LIMIT 50", customer.id
                ),
                promises=await _promises(tx, customer.id, scope),
                merged=[(merge, (names[merge.source] or customer).name) for merge in merges],
                opt_outs=await opt_outs_of(tx, customer.id),
                open=[row[0] for row in is_open],
                interactions=int(interactions),
                messages=int(messages),
                first_at=first_at,
                last_at=last_at,
            )

        return await self._store.read(unit)

    async def edit(self, customer_id: str, edit: Edit, scope: Scope) -> Customer:
        """Change a profile.

        Raises:
            NotFound: no such customer for this person. BadRequest: a value is off. NoAddress: an address is none.
            AddressTaken: another customer has it.
        """
        changes = self._checked(edit)
        come, gone = self._addresses(edit.addresses_in), self._addresses(edit.addresses_out)
        if not changes and not come and not gone:
            raise BadRequest("There is nothing to change.")

        async def unit(tx: UnitOfWork) -> Customer:
            customer = await seen_customer(tx, customer_id, scope, lock=True)
            for address in gone:
                await _take_out(tx, address, customer.id, scope.actor)
            for address in come:
                claimed = msgspec.structs.replace(address, customer=customer.id)
                owner, _ = await _claim(tx, claimed, scope.actor)
                if owner != customer.id:
                    raise AddressTaken("Another customer has this address. Merge the two instead.")
            if not changes:
                return customer
            changed = msgspec.structs.replace(customer, **changes)
            tx.record(
                EventKind.CUSTOMER_CHANGED, actor=scope.actor, customer=customer.id, changed=",".join(sorted(changes))
            )
            return await tx.save(CUSTOMERS, changed)

        return await self._store.write(unit)

    def _checked(self, edit: Edit) -> dict[str, object]:
        changes: dict[str, object] = {}
        for name in ("name", "language", "company"):
            value = getattr(edit, name)
            if value is not None:
                changes[name] = clean_name(without_cards(value))
        if edit.tier is not None:
            if edit.tier and edit.tier not in self._settings.tiers:
                raise BadRequest(f"There is no tier {edit.tier!r}.")
            changes["tier"] = edit.tier
        if edit.tags is not None:
            cleaned = (clean_name(without_cards(tag))[:40] for tag in edit.tags)
            changes["tags"] = tuple(dict.fromkeys(tag for tag in cleaned if tag))[:MAX_TAGS]
        if edit.fields is not None:
            if len(edit.fields) > MAX_FIELDS:
                raise BadRequest(f"A profile holds at most {MAX_FIELDS} fields.")
            changes["fields"] = {
                clean_name(without_cards(k))[:60]: without_cards(v)[:500]
                for k, v in edit.fields.items()
                if clean_name(k)
            }
        return changes

    def _addresses(self, given: Sequence[TypedAddress]) -> list[Address]:
        region = self._settings.company.country
        found = []
        for typed in given:
            if typed.kind not in _TYPED:
                raise NoAddress("Only e-mail addresses and phone numbers can be typed.")
            try:
                found.append(Address(kind=typed.kind, value=normalized(typed.kind, typed.value, region=region)))
            except BadRequest as error:
                raise NoAddress(str(error)) from None
        return found

    async def add_note(
        self,
        customer_id: str,
        text: str,
        scope: Scope,
        *,
        interaction: str | None = None,
        name: str = "",
        note_id: str = "",
    ) -> Note:
        """Add what colleagues should know; the same `note_id` again adds nothing.

        Raises:
            NotFound: no such customer for this person. BadRequest: empty or too long.
        """
        text = without_cards(text.replace("\x00", "")).strip()
        if not text or len(text) > _MAX_TEXT:
            raise BadRequest(f"A note has 1 to {_MAX_TEXT:,} characters.")

        async def unit(tx: UnitOfWork) -> Note:
            known = await tx.get(NOTES, note_id) if note_id else None
            if known is not None and known.author == scope.agent:
                return known
            customer = await seen_customer(tx, customer_id, scope)
            note = Note(
                id=note_id or new_id("n"),
                customer=customer.id,
                interaction=interaction,
                author=scope.agent,
                name=name,
                text=text,
                at=tx.now,
            )
            tx.record(
                EventKind.NOTE_ADDED, actor=scope.actor, customer=customer.id, interaction=interaction, note=note.id
            )
            return await tx.insert(NOTES, note)

        return await self._store.write(unit)

    async def merge(self, target_id: str, source_id: str, scope: Scope) -> Merge:
        """Make two customers one: all of the source becomes the target's, remembered so that it can be undone.

        Raises:
            NotFound: one of them does not exist for this person. Conflict: they are one already.
        """

        async def unit(tx: UnitOfWork) -> Merge:
            if source_id == target_id:
                raise Conflict("A customer cannot be merged with themselves.")
            await tx.fetch(
                "SELECT id FROM customers WHERE id ANY_OF($1) ORDER BY id FOR UPDATE", [source_id, target_id]
            )
            target = await seen_customer(tx, target_id, scope)
            source = await seen_customer(tx, source_id, scope)
            if target.id == source.id:
                raise Conflict("They are one customer already.")
            return await merging.join(tx, target, source, scope.actor)

        return await self._store.write(unit)

    async def undo_merge(self, merge_id: str, scope: Scope) -> Merge:
        """Make them two again: what came with the source, and since then by its addresses, goes back; the rest stays.

        Raises:
            NotFound: no such merge for this person. Conflict: it was undone already.
        """

        async def unit(tx: UnitOfWork) -> Merge:
            merge = await tx.get(MERGES, merge_id, lock=True)
            if merge is None:
                raise NotFound("There is no such merge.")
            holder = await seen_customer(tx, merge.target, scope)
            if merge.undone_at is not None:
                raise Conflict("This merge was undone already.")
            return await merging.part(tx, merge, holder.id, scope.actor)

        return await self._store.write(unit)

    async def duplicates(self, customer_id: str, scope: Scope) -> list[Duplicate]:
        """Suggest customers who may be the same person, best first, each with its evidence."""

        async def unit(tx: UnitOfWork) -> list[Duplicate]:
            customer = await seen_customer(tx, customer_id, scope)
            candidates: dict[str, Duplicate] = {}
            if customer.name:
                same_name = await tx.select(
                    CUSTOMERS,
                    "WHERE lower(name) = lower($1) AND id <> $2 AND merged_into IS NULL LIMIT 20",
                    customer.name,
                    customer.id,
                )
                for other in same_name:
                    _suggest(candidates, other, f"name|{other.name}", 40)
            for text, score, label in _claims(customer):
                claiming = await tx.select(
                    CUSTOMERS,
                    "WHERE fields LIKE $1 AND id <> $2 AND merged_into IS NULL LIMIT 20",
                    f"%{text}%",
                    customer.id,
                )
                holding = await tx.select(
                    CUSTOMERS,
                    "WHERE id IN (SELECT customer FROM addresses WHERE value = $1) "
                    "AND id <> $2 AND merged_into IS NULL",
                    text,
                    customer.id,
                )
                for other in [*claiming, *holding]:
                    _suggest(candidates, other, f"{label}|{text}", score)
            seen = [found for found in candidates.values() if await _is_seen(tx, found.id, scope)]
            return sorted(seen, key=lambda found: (-found.score, found.id))[:10]

        return await self._store.read(unit)


def _claims(customer: Customer) -> list[tuple[str, int, str]]:
    """Return the addresses the customer typed without proof."""
    return [
        (value, 60, name)
        for name, value in customer.fields.items()
        if name in {"email", "phone"} and len(value) > 5 and "%" not in value
    ]


def _suggest(candidates: dict[str, Duplicate], other: Customer, evidence: str, score: int) -> None:
    found = candidates.setdefault(other.id, Duplicate(id=other.id, name=other.name, evidence=[], score=0))
    if evidence not in found.evidence:
        found.evidence.append(evidence)
        found.score += score


async def _promises(tx: UnitOfWork, customer_id: str, scope: Scope) -> list[Promise]:
    """Return what is promised to a customer, and what became of it lately, as far as this person may see it."""
    where, args = scope.interactions(3, "i.")
    return await tx.select(
        PROMISES,
        "WHERE customer = $1 AND (state = 'open' OR ended_at > $2) AND (interaction IS NULL OR EXISTS "  # noqa: S608
        f"(SELECT 1 FROM interactions i WHERE i.id = promises.interaction AND {where})) "
        f"ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, due_at, id LIMIT {_MOST_PROMISES}",
        customer_id,
        tx.now - _LATELY_MS,
        *args,
    )


async def _is_seen(tx: UnitOfWork, customer_id: str, scope: Scope) -> bool:
    try:
        await seen_customer(tx, customer_id, scope)
    except HubError:
        return False
    return True


async def seen_customer(tx: UnitOfWork, customer_id: str, scope: Scope, *, lock: bool = False) -> Customer:
    """Return a customer (or whom they were merged into) whom this person may see.

    An agent sees customers who have an interaction in a queue of theirs, or none at all yet.

    Raises:
        NotFound: there is none, or not for this person: both look the same.
    """
    customer = await survivor(tx, customer_id)
    if lock:
        customer = await tx.get(CUSTOMERS, customer.id, lock=True) or customer
    if scope.sees_all:
        return customer
    where, args = scope.interactions(2)
    row = await tx.fetch_one(
        f"SELECT count(*), sum(CASE WHEN {where} THEN 1 ELSE 0 END) FROM interactions WHERE customer = $1",  # noqa: S608
        customer.id,
        *args,
    )
    if row is not None and row[0] and not row[1]:
        raise NotFound("There is no such customer.")
    return customer
