"""Flows by letter: who is answered by one, and the letters they write.

A flow answers nobody whom an acknowledgement would not answer, and nothing but what somebody wrote of their own accord;
what it must not answer waits for a person. Its letters go to the address that wrote first and to no other, at most so
many in a day.
"""

from collections.abc import Mapping
from typing import Final

from hub.contract import Channel, Corresponds, InboundMessage
from hub.domain.correspondence import Envelope, Outgoing, Party, one_line
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Message
from hub.domain.redaction import without_cards
from hub.flows import phrases
from hub.flows.model import Medium
from hub.flows.run import SILENCE_S
from hub.services.letters import outbox
from hub.services.letters.acknowledging import FRESH_MS, may_be_answered
from hub.services.placing import compared
from hub.settings import Settings
from hub.storage.unit_of_work import UnitOfWork

MODE: Final = "flow"
PATIENCE_MS: Final = round(SILENCE_S[Medium.EMAIL] * 1000)
"""How long a question that was put by letter waits for its answer."""
_DAY_MS: Final = 86_400_000


class FlowLetters:
    """The rules and the post of flows that talk by letter; channels without envelopes are not its business."""

    def __init__(self, settings: Settings, channels: Mapping[str, Channel]) -> None:
        self._settings = settings
        self._channels = channels

    def _channel(self, interaction: Interaction) -> outbox.Writes | None:
        channel = self._channels.get(interaction.channel)
        if channel is None or not channel.capabilities.has_envelopes:
            return None
        return channel if isinstance(channel, outbox.Writes) else None

    async def may_begin(self, tx: UnitOfWork, interaction: Interaction, envelope: Envelope) -> bool:
        """Whether what opened this interaction may be answered by a flow.

        Not what follows an interaction that has ended, or points to another by doubtful evidence: who writes there
        expects a person.
        """
        capabilities = self._channels[interaction.channel].capabilities
        if not capabilities.has_envelopes:
            return True
        is_fresh = interaction.head_start_ms <= FRESH_MS
        is_first = interaction.previous is None and envelope.linked is None
        return is_fresh and is_first and await self._may_answer(tx, interaction, envelope)

    async def may_go_on(self, tx: UnitOfWork, interaction: Interaction, envelope: Envelope) -> bool:
        """Whether a flow may answer one more letter, by whoever it is."""
        if self._channel(interaction) is None:
            return True
        sender = compared(envelope.sender.address) if envelope.sender else ""
        return sender == interaction.address and await self._may_answer(tx, interaction, envelope)

    async def _may_answer(self, tx: UnitOfWork, interaction: Interaction, envelope: Envelope) -> bool:
        is_able = self._channel(interaction) is not None and bool(interaction.address)
        return (
            is_able
            and may_be_answered(envelope, self._channels)
            and await self._lately(tx, interaction) < self._settings.letters.flow_letters_per_day
        )

    async def _lately(self, tx: UnitOfWork, interaction: Interaction) -> int:
        """Return how many letters flows have written to this address in a day, by whatever mailbox."""
        row = await tx.fetch_one(
            "SELECT count(*) FROM outgoing AS o JOIN interactions AS i ON i.id = o.interaction "
            "WHERE i.channel ANY_OF($1) AND i.address = $2 AND o.mode = $3 AND o.created_at > $4",
            list(self._channels),
            interaction.address,
            MODE,
            tx.now - _DAY_MS,
        )
        return int(row[0]) if row else 0

    async def post(self, tx: UnitOfWork, interaction: Interaction, message: Message) -> None:
        """Put a flow's stored message in the outbox, as an answer to the customer's latest letter.

        Nothing happens where no letters are written.
        """
        channel = self._channel(interaction)
        answered = await outbox.answered_one(tx, interaction.id, None) if channel is not None else None
        if channel is None or answered is None:
            return
        to_answer = answered[1]
        sender = to_answer.sender
        is_theirs = sender is not None and compared(sender.address) == interaction.address
        outgoing = Outgoing(
            id=new_id("o"),
            interaction=interaction.id,
            n=message.n,
            channel=interaction.channel,
            created_at=tx.now,
            due_at=tx.now,
            is_automatic=True,
            mode=MODE,
            answers_n=to_answer.n,
        )
        envelope = Envelope(
            interaction=interaction.id,
            n=message.n,
            channel=interaction.channel,
            subject=_subject(channel, to_answer.subject),
            recipients=(sender if is_theirs and sender is not None else Party(interaction.address),),
            refers_to=outbox.references(to_answer),
            is_automatic=True,
        )
        await outbox.post(tx, channel, outgoing, envelope)
        outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, "flow", mode=MODE)


def _subject(channel: Channel, subject: str) -> str:
    answer = channel.subject(subject, "reply") if isinstance(channel, Corresponds) else subject
    return without_cards(one_line(answer))


def opening_of(inbound: InboundMessage) -> str:
    """Return what somebody said before anything was asked: a letter's subject is as much of it as its words.

    A subject that stands over any letter ("Question", "Re: Hello") says nothing.
    """
    subject = inbound.subject.strip()
    if phrases.is_vague(subject) or phrases.wants_person(inbound.text):
        return inbound.text
    return f"{subject}\n{inbound.text}"
