"""Reports of providers, tied to the message they are about: it bounced, it is late, it was complained of."""

from collections.abc import Awaitable, Callable

import msgspec

from hub.contract import InboundMessage, InboundReport
from hub.domain.correspondence import Arrival, Authenticity, Envelope
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author
from hub.domain.redaction import without_cards
from hub.services import moves
from hub.services.placing import compared
from hub.storage.tables import CUSTOMERS, ENVELOPES, INTERACTIONS, MESSAGES, OUTGOING
from hub.storage.unit_of_work import UnitOfWork

DO_NOT_CONTACT = "do-not-contact"
"""The tag of a customer who told their provider that they do not want our letters."""
DELAYED, COMPLAINT = "delayed", "complaint"
"""Kinds of reports, with which the status of their letter begins: it is still tried; its recipient calls it abuse."""
_MAX_PROBLEM = 4_000
_LATELY_MS = 7 * 86_400_000
_TELLING = frozenset({State.ACTIVE, State.HELD, State.CONSULTING, State.QUEUED, State.OFFERED, State.TRANSFERRING})

Reopen = Callable[[UnitOfWork, Arrival, Interaction, InboundMessage | None], Awaitable[Interaction]]
Unreached = Callable[[UnitOfWork, Interaction], Awaitable[Interaction]]


async def apply(
    tx: UnitOfWork, arrival: Arrival, report: InboundReport, reopen: Reopen, unreached: Unreached
) -> tuple[str, int] | None:
    """Note a report on the message it is about, and tell whoever has to act; None when no message of ours is meant.

    A flow whose words did not arrive gives the customer to a person (`unreached`).
    """
    named = await _named(tx, report)
    about = named if named is not None else await _latest_to(tx, report)
    if about is None:
        return None
    interaction = await tx.get(INTERACTIONS, about.interaction, lock=True)
    if interaction is None:
        return None
    await _note(tx, report, about, interaction)
    if report.kind == COMPLAINT and named is not None:
        # Who only knows an address, and not the letter, does not speak for whoever got it.
        await _tag(tx, interaction.customer)
    if report.kind in {COMPLAINT, "failed"}:
        # Given up is given up, also for a reason that might have passed (RFC 3464, 2.3.3: failed, with a 4.x.x).
        await _tell(tx, arrival, report, await unreached(tx, interaction), reopen)
    return about.interaction, about.n


async def _named(tx: UnitOfWork, report: InboundReport) -> Envelope | None:
    """Return the envelope of our own message that is named, by its id or by that of its way out (RFC 3461, ENVID)."""
    for provider_id in (one.replace("\x00", "") for one in report.provider_ids[:20]):
        found = await tx.select(
            ENVELOPES, "WHERE provider_id = $1 AND provider_id <> '' ORDER BY interaction DESC LIMIT 5", provider_id
        )
        outgoing = await tx.get(OUTGOING, provider_id) if not found else None
        sent = await tx.get(ENVELOPES, outgoing.interaction, outgoing.n) if outgoing is not None else None
        for envelope in found or ([sent] if sent is not None else []):
            if await _is_ours(tx, envelope):
                return envelope
    return None


async def _is_ours(tx: UnitOfWork, envelope: Envelope) -> bool:
    message = await tx.get(MESSAGES, envelope.interaction, envelope.n)
    return message is not None and message.author is not Author.CUSTOMER


async def _latest_to(tx: UnitOfWork, report: InboundReport) -> Envelope | None:
    """Return the envelope of our latest message to the recipient, where that is all a report tells.

    Anybody knows an address: a report whose sender is disproved has to name the message.
    """
    recipient = compared(report.recipient) if report.recipient else ""
    if not recipient or (report.message is not None and report.message.authenticity is Authenticity.DISPROVED):
        return None
    rows = await tx.fetch(
        "SELECT m.interaction, m.n FROM outgoing o JOIN messages m ON m.interaction = o.interaction AND m.n = o.n "
        "JOIN interactions i ON i.id = o.interaction "
        "WHERE i.address = $1 AND o.created_at > $2 ORDER BY o.created_at DESC LIMIT 20",
        recipient,
        tx.now - _LATELY_MS,
    )
    for interaction, n in rows:
        envelope = await tx.get(ENVELOPES, str(interaction), int(n))
        if envelope is not None and recipient in {compared(one.address) for one in envelope.recipients}:
            return envelope
    return None


async def _note(tx: UnitOfWork, report: InboundReport, about: Envelope, interaction: Interaction) -> None:
    """Write on the envelope what became of it; what is worse than the news stays."""
    words = without_cards(report.text.replace("\x00", "").encode("utf-8", "replace").decode()).strip()[:1_000]
    came_back = bool(about.problem) and not about.status.startswith(DELAYED)
    recipient = compared(report.recipient) if report.recipient else ""
    if report.kind == "delivered":
        told = about.status if came_back else report.status or "delivered", about.problem if came_back else ""
    elif report.kind == DELAYED:
        told = f"{DELAYED} {report.status}".strip(), words or recipient or DELAYED
        if came_back:
            told = about.status, about.problem
    else:
        problem = ": ".join(part for part in (recipient, words or report.kind) if part)
        if came_back and recipient and recipient not in about.problem:
            # Each of several recipients has a report of their own.
            problem = f"{about.problem}; {problem}"[:_MAX_PROBLEM]
        told = report.kind if report.kind == COMPLAINT else report.status or report.kind, problem
    changed = msgspec.structs.replace(about, status=told[0], problem=told[1])
    await tx.execute(ENVELOPES.update, *ENVELOPES.update_values(changed))
    tx.touch(changed)
    tx.record(
        EventKind.LETTER_BOUNCED,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=interaction.agent,
        queue=interaction.queue,
        n=about.n,
        outcome=report.kind,
        status=report.status[:20],
    )


async def _tag(tx: UnitOfWork, customer_id: str) -> None:
    customer = await tx.get(CUSTOMERS, customer_id, lock=True)
    if customer is None or DO_NOT_CONTACT in customer.tags:
        return
    tx.record(EventKind.CUSTOMER_CHANGED, customer=customer.id, changed="tags")
    await tx.save(CUSTOMERS, msgspec.structs.replace(customer, tags=(*customer.tags, DO_NOT_CONTACT)))


async def _tell(
    tx: UnitOfWork, arrival: Arrival, report: InboundReport, interaction: Interaction, reopen: Reopen
) -> None:
    """Bring it to an agent's attention: said in the conversation, woken if parked, begun anew if it has ended."""
    code = "complained" if report.kind == COMPLAINT else "bounced"
    if interaction.state is State.PARKED:
        await moves.wake_parked(tx, await moves.say_system(tx, interaction, code))
    elif interaction.state in _TELLING:
        await tx.save(INTERACTIONS, await moves.say_system(tx, interaction, code))
    else:
        begun = await reopen(tx, arrival, interaction, report.message)
        begun = await moves.say_system(tx, begun, code)
        await tx.insert(INTERACTIONS, await moves.enter_queue(tx, begun, "arrival"))
