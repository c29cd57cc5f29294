"""What a message's hints point to: the interactions it may belong to, with everybody who takes part in them."""

from collections.abc import Iterable, Mapping

from hub.contract import Candidate, Hint, InboundMessage
from hub.domain.correspondence import Arrival, Authenticity, Envelope, Party
from hub.domain.customers import AddressKind, normalized
from hub.domain.errors import BadRequest
from hub.domain.interaction import Interaction
from hub.storage.tables import ENVELOPES, INTERACTIONS, REARRANGEMENTS
from hub.storage.unit_of_work import UnitOfWork

_MAX_HINTS = 60
_OPEN_OF_SENDER = 20
_HOUR_MS = 3_600_000
_LATELY_MS = 3 * 86_400_000
"""What a sender writes later than this after the end is taken for a new matter."""


async def candidates(tx: UnitOfWork, channel: str, inbound: InboundMessage) -> Mapping[int, Candidate]:
    """Return, by the hints' keys, the interactions that they point to."""
    found: dict[int, Candidate] = {}
    known: dict[str, Candidate] = {}
    talks = _Talks(tx, channel, inbound)
    for hint in inbound.hints[:_MAX_HINTS]:
        interaction = await _pointed_to(tx, channel, inbound, hint, talks)
        if interaction is None:
            continue
        if interaction.id not in known:
            known[interaction.id] = await _candidate(tx, interaction)
        found[hint.key] = known[interaction.id]
    return found


async def _pointed_to(
    tx: UnitOfWork, channel: str, inbound: InboundMessage, hint: Hint, talks: "_Talks"
) -> Interaction | None:
    value = hint.value.replace("\x00", "")
    if hint.kind == "interaction":
        return await _joined_since(tx, value.lower())
    if hint.kind == "message":
        rows = await tx.fetch(
            "SELECT interaction FROM envelopes WHERE provider_id = $1 AND provider_id <> '' "
            "ORDER BY interaction DESC LIMIT 1",
            value,
        )
        # Of a letter that never came to us, the other answers did.
        return await _joined_since(tx, str(rows[0][0])) if rows else await talks.referring_to(value)
    if hint.kind == "subject":
        open_ones = await _open_of_sender(tx, channel, inbound.sender)
        return next((one for one in open_ones if value.lower() in one.subject.lower()), None)
    if hint.kind == "sender":
        return await _latest_here(tx, channel, inbound.sender)
    if hint.kind == "answered":
        return await talks.referring_to(value)
    return None


async def _joined_since(tx: UnitOfWork, interaction_id: str) -> Interaction | None:
    """Return an interaction, or where its talk went on: joined into another by a person, or reopened."""
    for _ in range(20):
        found = await tx.get(INTERACTIONS, interaction_id)
        if found is None or found.accepts_customer_messages:
            return found
        joined = await tx.select(
            REARRANGEMENTS,
            "WHERE source = $1 AND kind = 'joined' AND undone_at IS NULL ORDER BY at DESC LIMIT 1",
            interaction_id,
        )
        if not joined:
            following = await tx.select(
                INTERACTIONS,
                "WHERE customer = $1 AND root = $2 AND ended_at IS NULL AND created_at >= $3 "
                "ORDER BY created_at DESC LIMIT 5",
                found.customer,
                found.root,
                found.created_at,
            )
            return next((one for one in following if one.accepts_customer_messages), found)
        interaction_id = joined[0].target
    return None


class _Talks:
    """The open interactions of those on a letter, and what the letters in them refer to; looked for once, if at all."""

    def __init__(self, tx: UnitOfWork, channel: str, inbound: InboundMessage) -> None:
        self._tx = tx
        self._channel = channel
        self._people = [inbound.sender, *inbound.to[:10], *inbound.cc[:10]]
        self._found: list[tuple[str, str]] | None = None

    async def referring_to(self, provider_id: str) -> Interaction | None:
        """Return the interaction of them in which a letter refers to this one, of which we need not have heard."""
        if not provider_id:
            return None
        if self._found is None:
            self._found = await self._look()
        # JSON, as the column has it: the id with its quotation marks.
        named = f'"{provider_id}"'
        for interaction_id, refers_to in self._found:
            if named in refers_to:
                return await self._tx.get(INTERACTIONS, interaction_id)
        return None

    async def _look(self) -> list[tuple[str, str]]:
        addresses = sorted({key for one in self._people if one is not None and (key := compared(one.address))})
        rows = await self._tx.fetch(
            "SELECT e.interaction, e.refers_to FROM envelopes e JOIN interactions i ON i.id = e.interaction "
            "WHERE i.channel = $1 AND i.address ANY_OF($2) AND i.ended_at IS NULL ORDER BY i.created_at DESC LIMIT 50",
            self._channel,
            addresses,
        )
        return [(str(interaction_id), str(refers_to)) for interaction_id, refers_to in rows]


async def _open_of_sender(tx: UnitOfWork, channel: str, sender: Party | None) -> list[Interaction]:
    address = compared(sender.address) if sender else ""
    if not address:
        return []
    return await tx.select(
        INTERACTIONS,
        "WHERE channel = $1 AND address = $2 AND ended_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $3",
        channel,
        address,
        _OPEN_OF_SENDER,
    )


async def _latest_here(tx: UnitOfWork, channel: str, sender: Party | None) -> Interaction | None:
    """Return a sender's latest interaction in this channel that takes messages, else the latest that ended lately."""
    found = await tx.select(
        INTERACTIONS,
        "WHERE channel = $1 AND address = $2 AND (ended_at IS NULL OR ended_at > $3) "
        "ORDER BY created_at DESC, id DESC LIMIT $4",
        channel,
        compared(sender.address) if sender else "",
        tx.now - _LATELY_MS,
        _OPEN_OF_SENDER,
    )
    return next((one for one in found if one.accepts_customer_messages), found[0] if found else None)


async def _candidate(tx: UnitOfWork, interaction: Interaction) -> Candidate:
    envelopes = await tx.select(ENVELOPES, "WHERE interaction = $1 ORDER BY n", interaction.id)
    rows = await tx.fetch(
        "SELECT value FROM addresses WHERE customer = $1 AND kind = $2", interaction.customer, str(AddressKind.EMAIL)
    )
    parties = {compared(party.address) for envelope in envelopes for party in _on(envelope)}
    parties |= {str(row[0]) for row in rows}
    if not envelopes or envelopes[0].authenticity is not Authenticity.DISPROVED:
        parties.add(interaction.address)
    return Candidate(
        interaction=interaction.id,
        participants=frozenset(parties - {""}),
        subject=interaction.subject,
        is_open=interaction.is_open,
    )


def _on(envelope: Envelope) -> Iterable[Party]:
    """Everybody on an envelope; of one whose sender is disproved nobody: they could name themselves in it."""
    if envelope.authenticity is Authenticity.DISPROVED:
        return ()
    sender = (envelope.sender,) if envelope.sender is not None else ()
    return (*sender, *envelope.recipients, *envelope.cc, *envelope.bcc)


def compared(address: str) -> str:
    """Return an address as addresses are compared; one that is none in lower case."""
    try:
        return normalized(AddressKind.EMAIL, address)
    except BadRequest:
        return address.strip().lower()


async def flooded(tx: UnitOfWork, arrival: Arrival, sender: Party, limit: int) -> bool:
    """Whether this sender has opened more interactions in this channel within an hour than people do."""
    row = await tx.fetch_one(
        "SELECT count(*) FROM interactions WHERE channel = $1 AND address = $2 AND created_at > $3",
        arrival.channel,
        compared(sender.address),
        tx.now - _HOUR_MS,
    )
    return row is not None and int(row[0]) >= limit


async def latest_of_sender(tx: UnitOfWork, channel: str, inbound: InboundMessage) -> str | None:
    """Return the sender's latest open interaction: of disproved senders one that a disproved one began, else not."""
    is_disproved = inbound.authenticity is Authenticity.DISPROVED
    for interaction in await _open_of_sender(tx, channel, inbound.sender):
        first = await tx.get(ENVELOPES, interaction.id, 1)
        began_disproved = first is not None and first.authenticity is Authenticity.DISPROVED
        if interaction.accepts_customer_messages and began_disproved == is_disproved:
            return interaction.id
    return None
