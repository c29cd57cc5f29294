"""What the services of letters share: a letter's rows, its journal, its draft. For use inside a unit of work."""

from typing import Protocol, runtime_checkable

import msgspec

from hub.contract import Channel, Sends
from hub.domain.correspondence import DraftedLetter, Envelope, Outgoing, one_line
from hub.domain.errors import NotFound
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, Message
from hub.domain.redaction import without_cards
from hub.domain.visitors import Draft
from hub.storage.tables import DRAFTS, ENVELOPES, MESSAGES, OUTGOING
from hub.storage.unit_of_work import UnitOfWork


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A letter beside its message: the envelope, and for our own how far it is on its way."""

    envelope: Envelope
    outgoing: Outgoing | None = None


@runtime_checkable
class Writes(Channel, Sends, Protocol):
    """A channel that sends letters."""


Answered = tuple[Message, Envelope, bool]
"""A message with its envelope, and whether it is one of ours."""


async def post(tx: UnitOfWork, channel: Sends, outgoing: Outgoing, envelope: Envelope) -> LetterView:
    """Put a letter whose message is stored in the outbox, in the caller's unit."""
    provider_id = channel.name_message(outgoing.id, outgoing.interaction)
    outgoing = msgspec.structs.replace(outgoing, provider_id=provider_id)
    envelope = msgspec.structs.replace(envelope, provider_id=provider_id)
    await tx.insert(ENVELOPES, envelope)
    await tx.insert(OUTGOING, outgoing)
    return LetterView(envelope=envelope, outgoing=outgoing)


async def letter(tx: UnitOfWork, interaction_id: str, n: int) -> Answered:
    """Return message `n` with its envelope.

    Raises:
        NotFound: there is none.
    """
    message = await tx.get(MESSAGES, interaction_id, n)
    envelope = await tx.get(ENVELOPES, interaction_id, n)
    if message is None or envelope is None:
        raise NotFound("There is no such message.")
    ours = await tx.select(OUTGOING, "WHERE interaction = $1 AND n = $2", interaction_id, n)
    return message, envelope, bool(ours)


async def answered_one(tx: UnitOfWork, interaction_id: str, n: int | None) -> Answered | None:
    """Return the message that is answered: the one asked for, else the customer's latest, else our latest."""
    if n is not None:
        return await letter(tx, interaction_id, n)
    rows = await tx.fetch(
        "SELECT e.n FROM envelopes AS e LEFT JOIN outgoing AS o ON o.interaction = e.interaction AND o.n = e.n "
        "WHERE e.interaction = $1 AND (o.state IS NULL OR (o.state <> 'cancelled' AND NOT o.is_automatic)) "
        "ORDER BY CASE WHEN o.n IS NULL THEN 0 ELSE 1 END, e.n DESC LIMIT 1",
        interaction_id,
    )
    return await letter(tx, interaction_id, int(rows[0][0])) if rows else None


async def waits_again(tx: UnitOfWork, interaction: Interaction, n: int) -> Interaction:
    """Return the interaction as if message `n` had not been written: the customer waits again, if nobody answered."""
    rows = await tx.fetch(
        "SELECT m.author, m.at FROM messages AS m "
        "LEFT JOIN outgoing AS o ON o.interaction = m.interaction AND o.n = m.n "
        "WHERE m.interaction = $1 AND m.n <> $2 AND m.author <> 'system' "
        "AND (o.state IS NULL OR o.state <> 'cancelled') "
        "ORDER BY m.n DESC LIMIT 50",
        interaction.id,
        n,
    )
    since = None
    for author, at in rows:
        if author != Author.CUSTOMER:
            break
        since = int(at)
    return msgspec.structs.replace(interaction, waits_since=since if interaction.is_open else None)


def draft_id_of(interaction_id: str, agent: str, mode: str) -> str:
    """Return the key of an agent's draft."""
    return f"{interaction_id}:{agent}:{mode}"


async def keep_draft(
    tx: UnitOfWork, interaction_id: str, agent: str, mode: str, text: str, letter: DraftedLetter | None
) -> None:
    """Keep what an agent is writing, in the caller's unit; without `letter` it is forgotten."""
    draft_id = draft_id_of(interaction_id, agent, mode)
    await tx.execute("DELETE FROM drafts WHERE id = $1", draft_id)
    if letter is not None:
        letter = msgspec.structs.replace(letter, subject=without_cards(one_line(letter.subject)))
        draft = Draft(
            id=draft_id,
            interaction=interaction_id,
            agent=agent,
            mode=mode,
            text=without_cards(text.replace("\x00", "")),
            at=tx.now,
            letter=letter,
        )
        await tx.execute(DRAFTS.insert, *DRAFTS.values(draft))


def record(
    tx: UnitOfWork, kind: EventKind, interaction: Interaction, outgoing: Outgoing, actor: str, **facts: str | int | bool
) -> None:
    """Write to the journal what became of a letter."""
    tx.record(
        kind,
        actor=actor,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=interaction.agent,
        queue=interaction.queue,
        outgoing=outgoing.id,
        n=outgoing.n,
        **facts,
    )


def references(parent: Envelope) -> tuple[str, ...]:
    """Return what an answer to this message refers to, oldest first (RFC 5322, 3.6.4)."""
    found = [one for one in dict.fromkeys(parent.refers_to) if one != parent.provider_id]
    return (*found, parent.provider_id) if parent.provider_id else tuple(found)
