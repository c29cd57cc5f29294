"""Messages that flows send on another channel: to whom, by which channel, how often. Each is a conversation of its own.

It goes to an address that is the customer's beyond doubt, or that they gave in this very flow and confirmed; never to
one that wants none. Written inside the unit that takes the flow's step, and named after it: it is sent once or not at
all, whatever is repeated.
"""

import logging
from collections.abc import Mapping
from typing import Final

from hub.contract import Channel, Corresponds
from hub.domain.correspondence import Authenticity, Envelope, Outgoing, Party, one_line
from hub.domain.customers import AddressKind, Customer, normalized
from hub.domain.errors import BadRequest
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.messages import Author, Message
from hub.domain.redaction import without_cards
from hub.domain.segments import SegmentKind
from hub.flows.model import Medium
from hub.flows.session import Posted, SendMessage, Session
from hub.flows.steps import SENT
from hub.services import moves
from hub.services.letters import outbox
from hub.services.letters.outbox import Writes
from hub.services.texting import MODE, Texts
from hub.settings import Settings
from hub.storage.tables import ENVELOPES, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

CODE: Final = "flow"
NAMED: Final = "flow:"
"""How the name of what began such a conversation begins; the session and the visit of its step follow."""
_KINDS: Final = {Medium.SMS: AddressKind.PHONE, Medium.EMAIL: AddressKind.EMAIL}
_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
MAX_SUBJECT: Final = 200


class FlowSending:
    """Sends what flows want sent, in the caller's unit."""

    def __init__(self, settings: Settings, channels: Mapping[str, Channel]) -> None:
        self._settings = settings
        self._channels = channels

    async def send(
        self, tx: UnitOfWork, interaction: Interaction, customer: Customer, session: Session, wish: SendMessage
    ) -> Posted:
        """Put a message in the outbox if it may be sent; the answer says where it went, or why it did not.

        Reasons: `no_line` (no channel sends such), `no_address`, `not_theirs` (neither known, verified nor confirmed),
        `opted_out`, `too_long`, `too_many` (for the customer or the address today, or the channel this hour).
        """
        channel = self._channel(interaction, wish)
        if channel is None:
            return _refused(wish, "no_line")
        address, reason = await self._address(tx, interaction, customer, wish)
        if address and await _is_out(tx, address):
            reason = "opted_out"
        text = without_cards(wish.text.replace("\x00", "")).strip()
        if not reason and (not text or len(text) > self._longest(channel)):
            reason = "too_long" if text else "no_text"
        if reason:
            return _refused(wish, reason)
        key = f"{NAMED}{wish.id}"
        known = await tx.select(
            INTERACTIONS, "WHERE channel = $1 AND provider_id = $2 AND provider_id <> ''", channel.id, key
        )
        if known:
            return Posted(id=f"p{wish.id}", send=wish.id, outcome=SENT, to=address, interaction=known[0].id)
        # What two nodes send in one instant is counted one after the other: the limits are exact.
        await tx.be_alone(NAMED)
        if await self._is_busy(tx, channel) or await self._had_enough(tx, customer, channel, address):
            log.warning("a flow's message was held back", extra={"channel": channel.id, "interaction": interaction.id})
            return _refused(wish, "too_many")
        begun = _begun(tx, channel, interaction, customer, session, address, key, wish)
        await self._write(tx, channel, begun, text)
        return Posted(id=f"p{wish.id}", send=wish.id, outcome=SENT, to=address, interaction=begun.id)

    def _channel(self, interaction: Interaction, wish: SendMessage) -> Writes | None:
        """Return what sends such messages: the one that is named, else that the customer came by, else the first."""
        ordered = sorted(self._channels.values(), key=lambda one: one.id != interaction.channel)
        for channel in ordered:
            if not isinstance(channel, Writes) or wish.by not in {"", channel.id}:
                continue
            has_letters = channel.capabilities.has_envelopes
            if wish.medium is Medium.EMAIL and has_letters:
                return channel
            if wish.medium is Medium.SMS and isinstance(channel, Texts) and channel.rules.window_s is None:
                return channel
        return None

    def _longest(self, channel: Writes) -> int:
        return channel.rules.max_chars if isinstance(channel, Texts) else self._settings.letters.message_chars

    async def _address(
        self, tx: UnitOfWork, interaction: Interaction, customer: Customer, wish: SendMessage
    ) -> tuple[str, str]:
        """Return the address it goes to, or why there is none."""
        kind = _KINDS[wish.medium]
        own = [*await _came_from(tx, interaction, kind), *await _proved(tx, customer, kind)]
        if not wish.to:
            return (own[0], "") if own else ("", "no_address")
        try:
            wanted = normalized(kind, wish.to)
        except BadRequest:
            return "", "no_address"
        is_ours = any(one.owns(wanted) for one in self._channels.values() if isinstance(one, Corresponds))
        if is_ours or (wanted not in own and not wish.is_confirmed):
            return "", "not_theirs"
        return wanted, ""

    async def _is_busy(self, tx: UnitOfWork, channel: Writes) -> bool:
        """Whether flows have sent enough by this channel in the hour, at whatever node; they end as they begin."""
        found = await tx.fetch_one(
            "SELECT count(*) FROM interactions WHERE ended_at > $1 AND channel = $2 AND provider_id LIKE $3",
            tx.now - _HOUR_MS,
            channel.id,
            f"{NAMED}%",
        )
        return found is None or int(found[0]) >= self._settings.flows.sends_per_hour

    async def _had_enough(self, tx: UnitOfWork, customer: Customer, channel: Writes, address: str) -> bool:
        """Whether this customer, or whoever is at this address, was sent enough today."""
        found = await tx.fetch_one(
            "SELECT count(*) FROM (SELECT id FROM interactions WHERE customer = $1 AND created_at > $2 "
            "AND provider_id LIKE $5 UNION SELECT id FROM interactions WHERE channel = $3 AND address = $4 "
            "AND created_at > $2 AND provider_id LIKE $5) AS sent",
            customer.id,
            tx.now - _DAY_MS,
            channel.id,
            address,
            f"{NAMED}%",
        )
        return found is None or int(found[0]) >= self._settings.flows.sends_per_day

    async def _write(self, tx: UnitOfWork, channel: Writes, begun: Interaction, text: str) -> None:
        message = Message(
            interaction=begun.id,
            n=begun.last_n,
            at=tx.now,
            author=Author.SYSTEM,
            name=self._settings.company.name,
            text=text,
            code=CODE,
        )
        tx.record(
            EventKind.INTERACTION_CREATED,
            actor="flow",
            interaction=begun.id,
            customer=begun.customer,
            queue=begun.queue,
            channel=begun.channel,
            channel_kind=begun.kind,
            direction="out",
        )
        await moves.begin_segment(tx, begun, SegmentKind.SELF_SERVICE, ended=str(begun.closing_reason))
        await tx.insert(INTERACTIONS, begun)
        await tx.insert(MESSAGES, message)
        moves.message_stored(tx, begun, message, actor="flow")
        mode = MODE if isinstance(channel, Texts) else "new"
        outgoing = Outgoing(
            id=new_id("o"),
            interaction=begun.id,
            n=message.n,
            channel=channel.id,
            created_at=tx.now,
            due_at=tx.now,
            is_automatic=True,
            mode=mode,
        )
        envelope = Envelope(
            interaction=begun.id,
            n=message.n,
            channel=channel.id,
            subject=begun.subject,
            recipients=(Party(begun.address),),
            is_automatic=True,
        )
        await outbox.post(tx, channel, outgoing, envelope)
        outbox.record(tx, EventKind.LETTER_DUE, begun, outgoing, "flow", mode=mode)
        tx.record(
            EventKind.INTERACTION_ENDED,
            actor="flow",
            interaction=begun.id,
            customer=begun.customer,
            outcome=str(begun.state),
            reason=str(begun.closing_reason),
        )


def _refused(wish: SendMessage, reason: str) -> Posted:
    return Posted(id=f"p{wish.id}", send=wish.id, outcome=reason)


def _begun(
    tx: UnitOfWork,
    channel: Writes,
    interaction: Interaction,
    customer: Customer,
    session: Session,
    address: str,
    key: str,
    wish: SendMessage,
) -> Interaction:
    """Return the conversation that the message is: begun and ended now; an answer opens one of its own."""
    interaction_id = new_id("i")
    created = Interaction(
        id=interaction_id,
        channel=channel.id,
        kind=channel.capabilities.kind,
        customer=customer.id,
        queue=interaction.queue,
        state=State.SELF_SERVICE,
        created_at=tx.now,
        address=address,
        provider_id=key,
        subject=without_cards(one_line(wish.subject))[:MAX_SUBJECT] if wish.medium is Medium.EMAIL else "",
        language=session.language,
        tier=customer.tier,
        root=interaction_id,
        is_message=True,
        last_n=1,
        last_at=tx.now,
        last_from=str(Author.SYSTEM),
    )
    return moved(created, State.RESOLVED, closing_reason=ClosingReason.SELF_SERVED, ended_at=tx.now)


async def _came_from(tx: UnitOfWork, interaction: Interaction, kind: AddressKind) -> list[str]:
    """Return the address the customer calls or writes from, if it is of this kind and not made up."""
    if kind is AddressKind.PHONE:
        return [interaction.address] if interaction.address.startswith("+") else []
    envelopes = await tx.select(ENVELOPES, "WHERE interaction = $1 ORDER BY n", interaction.id)
    written = [one for one in envelopes if one.sender is not None and one.sender.address]
    is_sound = written and not any(
        one.authenticity is Authenticity.DISPROVED or one.must_not_answer or one.is_automatic for one in written
    )
    return [interaction.address] if is_sound and "@" in interaction.address else []


async def _proved(tx: UnitOfWork, customer: Customer, kind: AddressKind) -> list[str]:
    """Return the customer's addresses of a kind that were proved to be theirs."""
    rows = await tx.fetch(
        "SELECT value FROM addresses WHERE customer = $1 AND kind = $2 AND is_verified ORDER BY value",
        customer.id,
        str(kind),
    )
    return [str(row[0]) for row in rows]


async def _is_out(tx: UnitOfWork, address: str) -> bool:
    """Whether whoever has this address said on any channel that they want no messages."""
    return await tx.fetch_one("SELECT 1 FROM opt_outs WHERE address = $1 AND is_out", address) is not None
