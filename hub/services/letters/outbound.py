"""What a letter is made of when it goes: its words, its envelope, its files, what it answers."""

from collections.abc import Mapping

from hub.contract import Channel, OutboundFile, OutboundMessage, Pace, Paced, Sends
from hub.domain.correspondence import LinkedChoice, Outgoing, Party, Quoted, Spoken
from hub.domain.errors import ChannelUnavailable, NotFound
from hub.domain.messages import Author, Message
from hub.services.files import FileStore
from hub.services.flows import letters as flow_letters
from hub.services.flows.answer_links import AnswerLinks
from hub.services.letters import outbox
from hub.storage.tables import INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

_MAX_TRANSCRIPT = 2_000


class Loader:
    """Brings together what a letter is made of: its words, its envelope, its files, what it answers."""

    def __init__(self, store: Store, files: FileStore, channels: Mapping[str, Channel], links: AnswerLinks) -> None:
        self._store = store
        self._files = files
        self._channels = channels
        self._links = links

    def channel(self, channel_id: str) -> Sends:
        """Return the channel that sends.

        Raises:
            ChannelUnavailable: it is not configured any more; perhaps it will be again.
        """
        channel: object = self._channels.get(channel_id)
        if not isinstance(channel, Sends):
            raise ChannelUnavailable(f"The channel {channel_id!r} is not configured for sending.")
        return channel

    def pace(self, channel_id: str) -> Pace:
        """Return how fast a channel may send."""
        channel: object = self._channels.get(channel_id)
        return channel.pace if isinstance(channel, Paced) else Pace()

    async def load(self, letter: Outgoing) -> OutboundMessage:
        """Return the letter as its channel sends it.

        Raises:
            NotFound: its words or its files are gone.
        """

        async def unit(tx: UnitOfWork) -> tuple[outbox.Answered, str, outbox.Answered | None, list[Message]]:
            interaction = await tx.get(INTERACTIONS, letter.interaction)
            is_quoted = letter.answers_n is not None and letter.mode in {"reply", "reply_all", "forward"}
            answered = await _answered(tx, letter.interaction, letter.answers_n or 0) if is_quoted else None
            said: list[Message] = []
            if letter.mode == "transcript":
                said = await tx.select(
                    MESSAGES,
                    "WHERE interaction = $1 AND n <= $2 ORDER BY n LIMIT $3",
                    letter.interaction,
                    letter.answers_n or 0,
                    _MAX_TRANSCRIPT,
                )
            language = interaction.language if interaction else ""
            return await outbox.letter(tx, letter.interaction, letter.n), language, answered, said

        (message, envelope, _), language, answered, said = await self._store.read(unit)
        taken = {*letter.accepted, *(refusal.address for refusal in letter.refused if refusal.is_final)}
        parties = (*envelope.recipients, *envelope.cc, *envelope.bcc)
        pending = tuple(party.address for party in parties if party.address not in taken)
        return OutboundMessage(
            id=letter.id,
            interaction=letter.interaction,
            n=letter.n,
            provider_id=letter.provider_id,
            attempt=letter.attempts,
            # When it was first sent: one that was scheduled is not a week old when it comes.
            at=letter.tried_since or letter.created_at,
            to=envelope.recipients,
            cc=envelope.cc,
            bcc=envelope.bcc,
            sender=message.name if letter.mode != flow_letters.MODE else "",
            subject=envelope.subject,
            text=message.text if letter.mode != "transcript" else "",
            files=self._attached(message),
            in_reply_to=envelope.refers_to[-1] if envelope.refers_to else "",
            references=envelope.refers_to,
            language=language,
            is_automatic=letter.is_automatic,
            mode=letter.mode,
            signature=letter.signature,
            quoted=await self._quoted(answered),
            transcript=tuple(_spoken(one) for one in said),
            pending=pending if taken else (),
            template=letter.template,
            choices=self._choices(letter, message),
        )

    def _choices(self, letter: Outgoing, message: Message) -> tuple[LinkedChoice, ...]:
        """Return what a flow's letter offers; its links are made here alone, for they are not for the staff's eyes."""
        if letter.mode != flow_letters.MODE:
            return ()
        until = letter.created_at + flow_letters.PATIENCE_MS
        return tuple(
            LinkedChoice(one.digit, one.label, self._links.url(message.client_id, one.id, until))
            for one in message.choices
        )

    def _attached(self, message: Message) -> tuple[OutboundFile, ...]:
        found = []
        for file in message.files:
            path = self._files.path(file.id)
            if not path.is_file():
                raise NotFound(f"The file {file.name!r} is gone.")
            found.append(
                OutboundFile(name=file.name, type=file.type, size=file.size, path=path, link=self._files.link(file))
            )
        return tuple(found)

    async def _page(self, file_id: str) -> str:
        """Return the answered message's page; one that is gone does not keep an answer from being sent."""
        if not file_id:
            return ""
        try:
            return (await self._files.content(file_id)).decode("utf-8", "replace")
        except NotFound:
            return ""

    async def _quoted(self, answered: outbox.Answered | None) -> Quoted | None:
        if answered is None:
            return None
        message, envelope, is_ours = answered
        return Quoted(
            sender=envelope.sender or (Party("", message.name) if is_ours else None),
            at=envelope.sent_at or message.at,
            subject=envelope.subject,
            to=envelope.recipients,
            cc=envelope.cc,
            text=f"{message.text}\n\n{envelope.quoted}".strip(),
            html=await self._page(envelope.html),
        )


async def _answered(tx: UnitOfWork, interaction: str, n: int) -> outbox.Answered | None:
    """Return the message that is quoted; None when it was moved elsewhere meanwhile."""
    try:
        return await outbox.letter(tx, interaction, n)
    except NotFound:
        return None


def _spoken(message: Message) -> Spoken:
    return Spoken(
        at=message.at,
        author=str(message.author),
        name=message.name if message.author is not Author.SYSTEM else "",
        text=message.text,
        files=tuple(file.name for file in message.files),
    )
