"""The automatic acknowledgement of what opens an interaction, and the brakes that keep machines from talking.

A letter is acknowledged at most so often to one address in a day and in one exchange, whatever it looks like; never
one that a machine wrote or forbids to answer, that comes from ourselves, from nobody, or from somebody who is not who
they say: the answer would reach whoever's name was used (RFC 3834, 2 and 4).
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from hub.contract import Acknowledges, AutomaticText, Channel, Circumstances, Corresponds, Sends
from hub.domain.correspondence import Authenticity, Envelope, Outgoing, one_line
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, Message
from hub.domain.redaction import without_cards
from hub.services import moves
from hub.services.letters import outbox
from hub.settings import Settings, routing_policy
from hub.storage.tables import MESSAGES
from hub.storage.unit_of_work import UnitOfWork
from routing import hours
from routing.policy import Policy

FRESH_MS = 6 * 3_600_000
"""What reached the provider longer ago is not acknowledged: a mailbox that is read for the first time is full of it."""
_DAY_MS = 86_400_000


class Acknowledging:
    """Writes acknowledgements in the transaction that takes a letter in."""

    def __init__(self, settings: Settings, channels: Mapping[str, Channel]) -> None:
        self._settings = settings
        self._channels = channels
        self._policy = msgspec.convert(routing_policy(settings), Policy)
        self._known: dict[str, Acknowledges | None] = {}

    def _able(self, name: str) -> Acknowledges | None:
        if name not in self._known:
            channel: object = self._channels.get(name)
            self._known[name] = channel if isinstance(channel, Acknowledges) and isinstance(channel, Sends) else None
        return self._known[name]

    async def consider(self, tx: UnitOfWork, interaction: Interaction, envelope: Envelope) -> Interaction:
        """Acknowledge the letter that opened this interaction, if that is wanted and safe; the caller saves it."""
        channel = self._able(interaction.channel)
        if channel is None:
            return interaction
        if not may_be_answered(envelope, self._channels) or interaction.head_start_ms > FRESH_MS:
            return interaction
        said = channel.acknowledgement(self._circumstances(tx, interaction, envelope))
        if said is None or await self._is_braked(tx, interaction):
            return interaction
        return await self._write(tx, interaction, envelope, said)

    async def _is_braked(self, tx: UnitOfWork, interaction: Interaction) -> bool:
        limits = self._settings.letters
        rows = await tx.fetch(
            "SELECT i.root, o.created_at FROM interactions AS i JOIN outgoing AS o ON o.interaction = i.id "
            "WHERE i.channel ANY_OF($1) AND i.address = $2 AND o.is_automatic ORDER BY o.created_at DESC LIMIT 200",
            list(self._channels),
            interaction.address,
        )
        in_a_day = sum(int(at) > tx.now - _DAY_MS for _, at in rows)
        in_thread = sum(root == interaction.root for root, _ in rows)
        return in_a_day >= limits.acknowledgements_per_day or in_thread >= limits.acknowledgements_per_thread

    def _circumstances(self, tx: UnitOfWork, interaction: Interaction, envelope: Envelope) -> Circumstances:
        queue = self._settings.queues.get(interaction.queue)
        policy = self._policy.queues.get(interaction.queue)
        is_open, opens_at, zone = True, None, self._settings.company.zone
        if policy is not None and policy.hours_id is not None:
            times = self._policy.hours[policy.hours_id]
            is_open, opens_at, zone = hours.is_open(times, tx.now), hours.next_open_ms(times, tx.now), times.zone
        company = self._settings.company
        return Circumstances(
            interaction=interaction.id,
            language=interaction.language or (queue.language if queue else "") or company.default_language,
            name=envelope.sender.name if envelope.sender else "",
            subject=envelope.subject,
            company=company.name,
            is_open=is_open,
            opens_at=None if is_open else opens_at,
            zone=zone,
            answer_s=round(queue.target_s) if queue and is_open else None,
        )

    async def _write(
        self, tx: UnitOfWork, interaction: Interaction, answered: Envelope, said: AutomaticText
    ) -> Interaction:
        channel = self._channels[interaction.channel]
        assert isinstance(channel, Sends)
        n = interaction.last_n + 1
        message = Message(
            interaction=interaction.id,
            n=n,
            at=tx.now,
            author=Author.SYSTEM,
            code="acknowledged",
            text=without_cards(said.text),
        )
        await tx.insert(MESSAGES, message)
        moves.message_stored(tx, interaction, message)
        outgoing = Outgoing(
            id=new_id("o"),
            interaction=interaction.id,
            n=n,
            channel=interaction.channel,
            created_at=tx.now,
            due_at=tx.now,
            is_automatic=True,
            mode="acknowledgement",
            answers_n=answered.n,
        )
        envelope = Envelope(
            interaction=interaction.id,
            n=n,
            channel=interaction.channel,
            subject=without_cards(one_line(said.subject)),
            recipients=(answered.sender,) if answered.sender else (),
            refers_to=outbox.references(answered),
            is_automatic=True,
        )
        await outbox.post(tx, channel, outgoing, envelope)
        outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, "system", mode="acknowledgement")
        return msgspec.structs.replace(interaction, last_n=n)


def may_be_answered(envelope: Envelope, channels: Mapping[str, Channel]) -> bool:
    """Whether a machine may answer a letter at all, by who has written it and how."""
    sender = envelope.sender.address if envelope.sender else ""
    return (
        bool(sender)
        and not envelope.is_automatic
        and not envelope.must_not_answer
        and envelope.authenticity is not Authenticity.DISPROVED
        and not any(channel.owns(sender) for channel in _corresponding(tuple(channels.values())))
    )


# To ask whether something speaks a protocol takes as long as a query, and every letter would ask.
@lru_cache(maxsize=64)
def _corresponding(channels: tuple[Channel, ...]) -> tuple[Corresponds, ...]:
    return tuple(channel for channel in channels if isinstance(channel, Corresponds))
