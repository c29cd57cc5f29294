"""Intake: where what was read belongs. Customer, interaction, message and envelope come about in one transaction.

Who writes decides nothing but what they can prove: a disproved sender joins no known customer, a stranger who names
one of our messages joins no interaction of others. What belongs nowhere opens an interaction of its own.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hub.contract import Ignored, Inbound, InboundFile, InboundMessage, InboundReceipt, InboundReport, Placement
from hub.domain.correspondence import Arrival, ArrivalState, Authenticity, Envelope, Party, Rearrangement, one_line
from hub.domain.customers import Address, AddressKind, Customer, clean_name, normalized
from hub.domain.errors import BadRequest
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.messages import Author, FileRef, Message
from hub.domain.redaction import without_cards
from hub.domain.texting import Consent
from hub.domain.visitors import StoredFile
from hub.services import moves, people, rearranging, texting
from hub.services.access import Scope
from hub.services.flows.letters import FlowLetters, opening_of
from hub.services.flows.self_service import SelfService
from hub.services.handling import Handling
from hub.services.letters import reports
from hub.services.letters.acknowledging import Acknowledging
from hub.services.messages import FLOWS_HEAR, after_message
from hub.services.placing import candidates, flooded, latest_of_sender
from hub.services.texting import Texting
from hub.settings import Settings
from hub.storage.tables import ARRIVALS, ENVELOPES, FILES, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

MAX_TEXT = 100_000
"""Characters of a letter's words that are kept beside the raw one; more are pasted logs. The raw one has all."""
_MAX_QUOTED = 200_000
_MAX_PAGE = 4_000_000
_MAX_FILES = 200
_MAX_PARTIES = 200
_SMALL_IMAGE = 10_000
"""Bytes below which an image inside a page is taken for decoration (a logo, a tracker) and not listed as a file."""
_LONGEST_HEAD_START_MS = 14 * 86_400_000
_PAGE = "page.html"


class Intake:
    """Takes what was read into the hub, inside the caller's transaction; splits and joins what was put wrong."""

    def __init__(self, store: Store, settings: Settings, handling: Handling) -> None:
        self._store = store
        self._settings = settings
        self._handling = handling
        self.acknowledging: Acknowledging | None = None
        self.self_service: SelfService | None = None
        self.texting: Texting | None = None
        self.flow_letters: FlowLetters | None = None

    async def split(self, interaction: str, n: int, scope: Scope) -> Interaction:
        """Move message `n` into an interaction of its own; see `rearranging.split`."""
        return await self._store.write(lambda tx: rearranging.split(tx, interaction, n, scope))

    async def join(self, source: str, target: str, scope: Scope) -> Rearrangement:
        """Move all words of one interaction into another; see `rearranging.join`."""
        return await self._store.write(lambda tx: rearranging.join(tx, source, target, scope, self._handling))

    async def undo(self, rearrangement: str, scope: Scope) -> Rearrangement:
        """Undo a split or a join; see `rearranging.undo`."""
        return await self._store.write(lambda tx: rearranging.undo(tx, rearrangement, scope, self._handling))

    async def rearranged(self, interaction: str, scope: Scope) -> list[Rearrangement]:
        """Return what was split off from and joined into an interaction; see `rearranging.listed`."""
        return await self._store.read(lambda tx: rearranging.listed(tx, interaction, scope))

    def files_of(self, arrival: Arrival, message: InboundMessage) -> Iterator[tuple[str, str, bytes]]:
        """Yield what is to be stored as files: id, name, bytes. Reading it again yields the same ids.

        The page, when there is one, comes last. Card numbers are taken out of it as out of the words.
        """
        for number, file in enumerate(message.files[:_MAX_FILES]):
            yield _file_id(arrival, number), cleaned(file.name), file.content
        if message.html:
            page = without_cards(cleaned(message.html[:_MAX_PAGE]))
            yield _file_id(arrival, _MAX_FILES), _PAGE, page.encode()

    async def receive(
        self, tx: UnitOfWork, arrival: Arrival, inbound: Inbound, files: Sequence[StoredFile] = ()
    ) -> Arrival:
        """Take one thing in; returns the arrival as it is to be saved.

        The same thing that came before (by another folder, mailbox or delivery) is only noted.
        """
        if isinstance(inbound, Ignored):
            return msgspec.structs.replace(arrival, state=ArrivalState.IGNORED, problem=inbound.reason)
        if inbound.dedupe:
            same = await tx.select(
                ARRIVALS, "WHERE dedupe = $1 AND dedupe <> '' AND id <> $2", inbound.dedupe, arrival.id
            )
            if same:
                return msgspec.structs.replace(
                    arrival,
                    state=ArrivalState.IGNORED,
                    problem="It came before.",
                    interaction=same[0].interaction,
                    n=same[0].n,
                )
        taken = msgspec.structs.replace(arrival, state=ArrivalState.TAKEN, problem="", dedupe=inbound.dedupe)
        if isinstance(inbound, InboundReceipt | InboundReport):
            place = await self._reported(tx, arrival, inbound)
            if place is not None:
                return msgspec.structs.replace(taken, interaction=place[0], n=place[1])
            message = inbound.message if isinstance(inbound, InboundReport) else None
            if message is None:
                about = inbound.kind if isinstance(inbound, InboundReport) else inbound.progress
                return msgspec.structs.replace(
                    taken, state=ArrivalState.IGNORED, problem=f"A report ({about}) of no message of ours."
                )
            inbound = message
        if not isinstance(inbound, InboundMessage):
            return msgspec.structs.replace(taken, state=ArrivalState.IGNORED, problem="Nothing to do.")
        if self.texting is not None:
            await self.texting.heed(tx, arrival, inbound, address_of(inbound))
        interaction, n = await self._take(tx, arrival, inbound, files)
        return msgspec.structs.replace(taken, interaction=interaction, n=n)

    async def _reported(
        self, tx: UnitOfWork, arrival: Arrival, inbound: InboundReceipt | InboundReport
    ) -> tuple[str, int] | None:
        if isinstance(inbound, InboundReceipt):
            return await texting.receipt(tx, arrival, inbound, self._reopened, self._unreached)
        return await reports.apply(tx, arrival, inbound, self._reopened, self._unreached)

    async def _unreached(self, tx: UnitOfWork, interaction: Interaction) -> Interaction:
        return interaction if self.self_service is None else await self.self_service.unreached(tx, interaction)

    async def _take(
        self, tx: UnitOfWork, arrival: Arrival, inbound: InboundMessage, files: Sequence[StoredFile]
    ) -> tuple[str, int]:
        if any(hint.kind == "sender" for hint in inbound.hints):
            # Two nodes may read a stranger's first two texts at once: the second finds the thread of the first.
            await tx.be_alone(f"thread:{arrival.channel}:{address_of(inbound)}")
        placement = await self._placed(tx, arrival, inbound)
        before = await tx.get(INTERACTIONS, placement.join, lock=True) if placement.join else None
        if before is not None and not _takes(before, inbound):
            interaction = await self._opened(tx, arrival, inbound, before)
        elif before is not None:
            interaction = before
        else:
            interaction = await self._opened(tx, arrival, inbound, None)
        message, envelope = _written(tx, arrival, inbound, interaction, placement, files)
        await _insert(tx, interaction, message, envelope, files)
        after = after_message(interaction, message)
        if not interaction.is_open or (inbound.is_automatic and before is interaction):
            # A machine's word wakes nobody, and nobody owes it an answer.
            after = msgspec.structs.replace(after, waits_since=interaction.waits_since)
        if self.texting is not None and inbound.confirmation:
            after = await self.texting.confirm(tx, after, inbound.confirmation)
        if interaction.state is State.CREATED:
            await self._begin(tx, after, inbound, envelope)
        elif interaction.state is State.PARKED and not inbound.is_automatic:
            await moves.wake_parked(tx, after)
        elif interaction.state in FLOWS_HEAR and self.self_service is not None:
            await self._in_flow(tx, after, inbound, message, envelope)
        else:
            await tx.save(INTERACTIONS, after)
        return interaction.id, message.n

    async def _begin(self, tx: UnitOfWork, after: Interaction, inbound: InboundMessage, envelope: Envelope) -> None:
        """Lead a new interaction to where its work begins: to nobody, a flow, or its queue."""
        flows = self.self_service
        if inbound.consent is Consent.STOP:
            # Whoever wants nothing of us begins no work.
            ended = moved(
                after, State.REJECTED, closing_reason=ClosingReason.HANDLED, ended_at=tx.now, waits_since=None
            )
            tx.record(
                EventKind.INTERACTION_ENDED,
                actor="customer",
                interaction=after.id,
                customer=after.customer,
                outcome=str(State.REJECTED),
                reason=str(ClosingReason.HANDLED),
            )
            await tx.insert(INTERACTIONS, ended)
        elif flows is not None and await self._begins_in_flow(tx, after, inbound, envelope):
            await flows.begin(tx, after, inbound.flow, opening_of(inbound))
        else:
            after = await moves.enter_queue(tx, after, "arrival")
            if self.acknowledging is not None:
                after = await self.acknowledging.consider(tx, after, envelope)
            await tx.insert(INTERACTIONS, after)

    async def _begins_in_flow(
        self, tx: UnitOfWork, after: Interaction, inbound: InboundMessage, envelope: Envelope
    ) -> bool:
        """Whether its channel names a flow, there is one, and it may answer this."""
        flows, letters = self.self_service, self.flow_letters
        if flows is None or not inbound.flow or not flows.library.has(inbound.flow):
            return False
        return letters is None or await letters.may_begin(tx, after, envelope)

    async def _in_flow(
        self, tx: UnitOfWork, after: Interaction, inbound: InboundMessage, message: Message, envelope: Envelope
    ) -> None:
        """Let the flow hear what was said to it; whoever wants no more has left it.

        What it must not answer is a person's: a machine's own word aside, which changes nothing.
        """
        assert self.self_service is not None
        saved = await tx.save(INTERACTIONS, after)
        if inbound.consent is Consent.STOP and saved.state is State.SELF_SERVICE:
            await self.self_service.left(tx, saved)
        elif inbound.is_automatic:
            return
        elif self.flow_letters is None or await self.flow_letters.may_go_on(tx, saved, envelope):
            await self.self_service.heard(tx, saved, message)
        else:
            await self.self_service.taken_over(tx, saved, "not_answered")

    async def _placed(self, tx: UnitOfWork, arrival: Arrival, inbound: InboundMessage) -> Placement:
        """Ask the channel where it belongs, given what its hints point to."""
        found = await candidates(tx, arrival.channel, inbound)
        placement = inbound.place(found) if inbound.place is not None else Placement()
        if placement.join is not None and inbound.authenticity is Authenticity.DISPROVED:
            placement = Placement(linked=placement.join, reason=f"{placement.reason}; the sender is not proved")
        if placement.join is None and placement.linked is None:
            limit = self._settings.limits.letters_per_sender_per_hour
            if inbound.sender is not None and await flooded(tx, arrival, inbound.sender, limit):
                held = await latest_of_sender(tx, arrival.channel, inbound)
                if held is not None:
                    return Placement(join=held, reason="many letters of this sender in an hour: kept together")
        return placement

    async def _opened(
        self, tx: UnitOfWork, arrival: Arrival, inbound: InboundMessage, before: Interaction | None
    ) -> Interaction:
        """Begin an interaction, not yet stored; it follows `before` when it answers one that has ended."""
        customer = await sender_of(tx, inbound)
        if before is not None:
            customer = await people.survivor(tx, before.customer)
        queue = before.queue if before is not None and before.queue in self._settings.queues else inbound.queue
        return await self._begun(tx, arrival, customer, inbound, before, queue)

    async def _begun(
        self,
        tx: UnitOfWork,
        arrival: Arrival,
        customer: Customer,
        inbound: InboundMessage,
        before: Interaction | None,
        queue: str,
    ) -> Interaction:
        if queue not in self._settings.queues:
            queue = next(iter(self._settings.queues))
        kind = inbound.kind
        interaction_id = new_id("i")
        received_at = arrival.received_at if arrival.received_at is not None else tx.now
        interaction = Interaction(
            id=interaction_id,
            channel=arrival.channel,
            kind=kind,
            customer=customer.id,
            queue=queue,
            state=State.CREATED,
            created_at=tx.now,
            address=address_of(inbound),
            provider_id=arrival.id,
            subject=one_line(redacted(inbound.subject))[:200],
            language=inbound.language,
            tier=customer.tier,
            needs=moves.needs_of(self._settings, arrival.channel),
            queued_at=tx.now,
            head_start_ms=min(max(tx.now - received_at, 0), _LONGEST_HEAD_START_MS),
            root=before.root if before else interaction_id,
            previous=before.id if before else None,
            last_agent=(before.agent or before.last_agent) if before else None,
            is_message=True,
        )
        tx.record(
            EventKind.INTERACTION_CREATED,
            actor="customer",
            interaction=interaction.id,
            customer=customer.id,
            queue=queue,
            channel=arrival.channel,
            channel_kind=kind,
        )
        tx.touch(customer)
        return interaction

    async def _reopened(
        self, tx: UnitOfWork, arrival: Arrival, before: Interaction, inbound: InboundMessage | None
    ) -> Interaction:
        """Begin an interaction that follows one that has ended, for what became known afterwards; not yet stored."""
        customer = await people.survivor(tx, before.customer)
        kind = AddressKind.PHONE if before.address.startswith("+") else AddressKind.EMAIL
        about = InboundMessage(
            dedupe="", sender=Party(before.address), subject=before.subject, kind=before.kind, address_kind=kind
        )
        if inbound is not None:
            about = msgspec.structs.replace(about, language=inbound.language)
        return await self._begun(tx, arrival, customer, about, before, before.queue)


def _takes(interaction: Interaction, inbound: InboundMessage) -> bool:
    """Whether a message that belongs to an interaction is put into it, or opens the next one.

    What a machine wrote to one that has ended stays there: it is seen in the history and begins no work.
    """
    return interaction.accepts_customer_messages or inbound.is_automatic


async def sender_of(tx: UnitOfWork, inbound: InboundMessage) -> Customer:
    """Return the customer that a message is from.

    A proved sender's address counts as verified: whoever signs for the domain speaks for it. An unproved one belongs
    to whom the address belongs, unverified, as everybody reads e-mail. A disproved one, and one without an address, is
    a stranger of their own; the address they claim is kept in their profile as a claim, as what is typed in a form.
    """
    name = redacted(inbound.sender.name if inbound.sender else "")
    address = address_of(inbound)
    if not address or inbound.authenticity is Authenticity.DISPROVED:
        return await people.stranger(
            tx, name=name, language=inbound.language, claims={str(inbound.address_kind): address}
        )
    is_proved = inbound.authenticity is Authenticity.PROVED
    customer, _ = await people.resolve(
        tx,
        [Address(kind=inbound.address_kind, value=address, is_verified=is_proved)],
        name=name,
        language=inbound.language,
    )
    if is_proved:
        await people.verified(tx, inbound.address_kind, address)
    return customer


def address_of(inbound: InboundMessage) -> str:
    """Return the sender's address as addresses are compared; empty when it is none."""
    sender = inbound.sender
    try:
        return normalized(inbound.address_kind, cleaned(sender.address)) if sender and sender.address else ""
    except BadRequest:
        return ""


def cleaned(text: str) -> str:
    """Return a text that any database takes: without NUL and half surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def redacted(text: str) -> str:
    """Return a text fit to be stored: clean, and without card numbers."""
    return without_cards(cleaned(text))


def _file_id(arrival: Arrival, number: int) -> str:
    return f"f{arrival.id[1:]}{number:03}"


def _written(
    tx: UnitOfWork,
    arrival: Arrival,
    inbound: InboundMessage,
    interaction: Interaction,
    placement: Placement,
    files: Sequence[StoredFile],
) -> tuple[Message, Envelope]:
    """Return the message and its envelope as they are stored."""
    stored = {file.id: file for file in files}
    shown, inline = _arranged(arrival, inbound.files, stored)
    page = _file_id(arrival, _MAX_FILES)
    text = redacted(inbound.text[: MAX_TEXT + 1]).strip("\n")
    is_cut = len(text) > MAX_TEXT or len(inbound.files) > _MAX_FILES
    message = Message(
        interaction=interaction.id,
        n=interaction.last_n + 1,
        at=tx.now,
        author=Author.CUSTOMER,
        name=clean_name(redacted(inbound.sender.name if inbound.sender else "")),
        text=text[:MAX_TEXT],
        client_id=arrival.id,
        files=tuple(FileRef(file.id, file.name, file.type, file.size) for file in shown),
    )
    envelope = Envelope(
        interaction=interaction.id,
        n=message.n,
        channel=arrival.channel,
        subject=one_line(redacted(inbound.subject))[:1_000],
        sender=_party(inbound.sender),
        reply_to=_parties(inbound.reply_to),
        recipients=_parties(inbound.to),
        cc=_parties(inbound.cc),
        provider_id=cleaned(inbound.provider_id)[:1_000],
        refers_to=tuple(cleaned(one)[:1_000] for one in (*inbound.references[:1], *inbound.references[1:][-99:])),
        quoted=redacted(inbound.quoted[:_MAX_QUOTED]),
        html=page if page in stored else "",
        inline=inline,
        sent_at=inbound.sent_at,
        arrival=arrival.id,
        evidence=redacted(placement.reason)[:500],
        linked=placement.linked,
        authenticity=inbound.authenticity,
        remarks=tuple(redacted(one)[:300] for one in (*inbound.remarks[:30], *(["cut"] if is_cut else []))),
        is_automatic=inbound.is_automatic,
        must_not_answer=inbound.must_not_answer,
    )
    return message, envelope


def _arranged(
    arrival: Arrival, files: Sequence[InboundFile], stored: Mapping[str, StoredFile]
) -> tuple[list[StoredFile], dict[str, str]]:
    """Return the files to list, and by cid those that the page shows; small images of the page are not listed."""
    shown, inline = [], {}
    for number, file in enumerate(files[:_MAX_FILES]):
        kept = stored.get(_file_id(arrival, number))
        if kept is None:
            continue
        if file.cid:
            inline[cleaned(file.cid)[:250]] = kept.id
        if not (file.cid and kept.size < _SMALL_IMAGE):
            shown.append(kept)
    return shown, inline


def _party(party: Party | None) -> Party | None:
    return None if party is None else Party(cleaned(party.address)[:320], clean_name(redacted(party.name)))


def _parties(parties: Sequence[Party]) -> tuple[Party, ...]:
    return tuple(Party(cleaned(one.address)[:320], clean_name(redacted(one.name))) for one in parties[:_MAX_PARTIES])


async def _insert(
    tx: UnitOfWork, interaction: Interaction, message: Message, envelope: Envelope, files: Sequence[StoredFile]
) -> None:
    for file in files:
        owned = msgspec.structs.replace(file, interaction=interaction.id, customer=interaction.customer)
        await tx.insert_many(FILES, (owned,))
    await tx.insert(MESSAGES, message)
    await tx.insert(ENVELOPES, envelope)
    moves.message_stored(tx, interaction, message)
