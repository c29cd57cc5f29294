"""Texts: what may be sent to whom now, the ledger of those who want none, and how far each message has come.

Checked and posted inside the unit that stores the message: a customer who opts out in the same instant is written to
either before or not at all, and a message that is stored is on its way.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, runtime_checkable

import msgspec

from hub.contract import Channel, InboundMessage, InboundReceipt, Sends, SendsTexts
from hub.domain.correspondence import Arrival, Envelope, Outgoing, OutgoingState, Party
from hub.domain.errors import BadRequest, NotFound, OptedOut, TooLarge, WindowOver
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message
from hub.domain.redaction import without_cards
from hub.domain.texting import Consent, OptOut, Standing, TemplateUse, TextRules
from hub.services import moves
from hub.services.access import Scope
from hub.services.letters import outbox
from hub.storage.tables import ENVELOPES, INTERACTIONS, MESSAGES, OPT_OUTS, OUTGOING
from hub.storage.unit_of_work import Store, UnitOfWork

RANKS: Final[Mapping[str, int]] = {"": 0, "queued": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}
"""How far a message has come; the provider's word only counts when it leads further. What arrived never fails."""
MODE: Final = "text"
CONFIRMED: Final = "confirmed"
_GAP: Final = re.compile(r"\{\{(\d{1,2})\}\}")
_WORD: Final = 40
_LONGEST_VALUE: Final = 500
_NOTICED: Final = frozenset(
    {State.ACTIVE, State.HELD, State.CONSULTING, State.QUEUED, State.OFFERED, State.TRANSFERRING}
)

Reopen = Callable[[UnitOfWork, Arrival, Interaction, InboundMessage | None], Awaitable[Interaction]]
Unreached = Callable[[UnitOfWork, Interaction], Awaitable[Interaction]]


@runtime_checkable
class Texts(Channel, Sends, SendsTexts, Protocol):
    """A channel of texts."""


class Texting:
    """The use cases of texts, in other services' units and for the console."""

    def __init__(self, store: Store, channels: Mapping[str, Channel]) -> None:
        self._store = store
        self._channels = channels
        self._known: dict[Channel, Texts | None] = {}

    def _texts(self, channel_id: str) -> Texts | None:
        """Return the channel if it is one of texts; asked of every message, and slow to find out."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return None
        if channel not in self._known:
            self._known[channel] = channel if isinstance(channel, Texts) else None
        return self._known[channel]

    def rules(self, channel_id: str) -> TextRules | None:
        """Return what a text of this channel may be; None where no texts are sent."""
        texts = self._texts(channel_id)
        return texts.rules if texts is not None else None

    def worded(self, channel_id: str, use: TemplateUse) -> str:
        """Return the words of an agreed wording with its gaps filled in.

        Raises:
            NotFound: the channel has no such wording. BadRequest: a gap is not filled, or one too many is.
        """
        rules = self.rules(channel_id)
        found = next((one for one in rules.templates if one.id == use.id), None) if rules else None
        if found is None:
            raise NotFound(f"There is no wording {use.id!r} here.")
        gaps = {int(number) for number in _GAP.findall(found.text)}
        values = dict(enumerate(use.values, 1))
        if set(values) != gaps or any(not 1 <= len(value.strip()) <= _LONGEST_VALUE for value in values.values()):
            raise BadRequest(f"This wording has {len(gaps)} gaps to fill in.")
        return _GAP.sub(lambda match: values[int(match[1])].strip(), found.text)

    # -- in other services' units

    async def check(
        self, tx: UnitOfWork, interaction: Interaction, text: str, files: tuple[FileRef, ...], use: TemplateUse | None
    ) -> None:
        """Return if this may be sent now; anything may where no texts are sent.

        Raises:
            OptedOut: the customer wants none. WindowOver: only agreed wordings now. TooLarge: more than a text holds.
        """
        rules = self.rules(interaction.channel)
        if rules is None:
            if use is not None:
                raise BadRequest("There are no agreed wordings here.")
            return
        if len(text) > rules.max_chars:
            raise TooLarge(f"A message holds at most {rules.max_chars:,} characters here.")
        if len(files) > rules.max_files:
            raise TooLarge(f"A message carries at most {rules.max_files} files here.")
        if any(file.size > rules.max_file_bytes for file in files):
            raise TooLarge(f"A file holds at most {rules.max_file_bytes // 1_000_000} MB here.")
        standing = await self._standing(tx, interaction, rules)
        if standing.opted_out_at is not None:
            raise OptedOut(
                "This customer has opted out of messages. They can be written to again once they send START."
            )
        if standing.has_window and use is None and (standing.until or 0) <= tx.now:
            raise WindowOver(
                "The customer wrote too long ago: only agreed wordings can be sent until they write again."
            )

    async def post(
        self,
        tx: UnitOfWork,
        interaction: Interaction,
        message: Message,
        *,
        use: TemplateUse | None = None,
        is_automatic: bool = False,
    ) -> None:
        """Put a stored message in the outbox, to go at once; nothing happens where no texts are sent."""
        channel = self._texts(interaction.channel)
        if channel is None:
            return
        outgoing = Outgoing(
            id=new_id("o"),
            interaction=interaction.id,
            n=message.n,
            channel=interaction.channel,
            created_at=tx.now,
            due_at=tx.now,
            mode=MODE,
            is_automatic=is_automatic,
            template=use,
        )
        envelope = Envelope(
            interaction=interaction.id,
            n=message.n,
            channel=interaction.channel,
            recipients=(Party(interaction.address),),
            is_automatic=is_automatic,
        )
        await outbox.post(tx, channel, outgoing, envelope)
        outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, "system", mode=MODE)

    async def heed(self, tx: UnitOfWork, arrival: Arrival, inbound: InboundMessage, address: str) -> bool:
        """Write in the ledger what a customer says of being written to; returns whether it changed anything."""
        if inbound.consent not in {Consent.STOP, Consent.START} or not address:
            return False
        return await _keep(
            tx, arrival.channel, address, is_out=inbound.consent is Consent.STOP, at=arrival.at, word=inbound.text
        )

    async def confirm(self, tx: UnitOfWork, interaction: Interaction, text: str) -> Interaction:
        """Say to the customer that their word was heard, even if it was that they want no more."""
        message = Message(
            interaction=interaction.id,
            n=interaction.last_n + 1,
            at=tx.now,
            author=Author.SYSTEM,
            code=CONFIRMED,
            text=text,
        )
        await tx.insert(MESSAGES, message)
        await self.post(tx, interaction, message, is_automatic=True)
        return msgspec.structs.replace(interaction, last_n=message.n)

    # -- what staff ask

    async def standing(self, interaction_id: str, scope: Scope) -> Standing | None:
        """Return whether the customer of an interaction can be written to; None where no texts are sent.

        Raises:
            NotFound: no such interaction for this person.
        """

        async def unit(tx: UnitOfWork) -> Standing | None:
            interaction = await tx.get(INTERACTIONS, interaction_id)
            if interaction is None or not scope.sees(interaction):
                raise NotFound("There is no such interaction.")
            rules = self.rules(interaction.channel)
            return await self._standing(tx, interaction, rules) if rules else None

        return await self._store.read(unit)

    async def _standing(self, tx: UnitOfWork, interaction: Interaction, rules: TextRules) -> Standing:
        known = await tx.get(OPT_OUTS, interaction.channel, interaction.address)
        is_out = known is not None and known.is_out
        until = None
        if rules.window_s is not None:
            row = await tx.fetch_one(
                "SELECT max(m.at) FROM messages AS m JOIN interactions AS i ON i.id = m.interaction "
                "WHERE i.channel = $1 AND i.address = $2 AND m.author = 'customer'",
                interaction.channel,
                interaction.address,
            )
            until = int(row[0]) + rules.window_s * 1000 if row is not None and row[0] is not None else None
        return Standing(
            opted_out_at=known.at if known is not None and is_out else None,
            opted_out_word=known.word if known is not None and is_out else "",
            until=until,
            has_window=rules.window_s is not None,
        )


async def opt_outs_of(tx: UnitOfWork, customer_id: str) -> list[OptOut]:
    """Return which channels a customer does not want texts of, at any of their numbers."""
    return await tx.select(
        OPT_OUTS,
        "WHERE is_out AND address IN (SELECT value FROM addresses WHERE customer = $1 AND kind = 'phone') "
        "ORDER BY channel, address",
        customer_id,
    )


async def refused(tx: UnitOfWork, letter: Outgoing, word: str) -> None:
    """Write in the ledger that the provider says a recipient has opted out: it knows what we may never have heard."""
    envelope = await tx.get(ENVELOPES, letter.interaction, letter.n)
    for party in envelope.recipients if envelope else ():
        await _keep(tx, letter.channel, party.address, is_out=True, at=tx.now, word=word)


async def _keep(tx: UnitOfWork, channel: str, address: str, *, is_out: bool, at: int, word: str) -> bool:
    known = await tx.get(OPT_OUTS, channel, address, lock=True)
    was_out = known is not None and known.is_out
    if known is not None and known.at > at:
        return False
    line = OptOut(
        channel=channel, address=address, is_out=is_out, at=at, word=without_cards(" ".join(word.split()))[:_WORD]
    )
    await tx.execute(
        f"{OPT_OUTS.insert} ON CONFLICT (channel, address) DO UPDATE SET is_out = excluded.is_out, "
        "at = excluded.at, word = excluded.word",
        *OPT_OUTS.values(line),
    )
    return was_out is not is_out


async def receipt(
    tx: UnitOfWork, arrival: Arrival, told: InboundReceipt, reopen: Reopen, unreached: Unreached
) -> tuple[str, int] | None:
    """Note how far a message has come; None when no message of ours is meant. Nothing ever moves backwards.

    A flow whose words did not arrive gives the customer to a person (`unreached`).
    """
    found = await tx.select(
        OUTGOING, "WHERE id = $1 AND channel = $2 FOR UPDATE", told.provider_id.replace("\x00", ""), arrival.channel
    )
    envelope = await tx.get(ENVELOPES, found[0].interaction, found[0].n, lock=True) if found else None
    if not found or envelope is None:
        return None
    letter = found[0]
    if RANKS[told.progress] <= RANKS.get(envelope.status, 0):
        return letter.interaction, letter.n
    is_failed = told.progress == "failed"
    words = f"{told.text} ({told.code})" if told.code else told.text
    changed = msgspec.structs.replace(envelope, status=told.progress, problem=words[:500] if is_failed else "")
    await tx.execute(ENVELOPES.update, *ENVELOPES.update_values(changed))
    tx.touch(changed)
    await _settled(tx, letter)
    interaction = await moves.interaction_for_change(tx, letter.interaction)
    outbox.record(tx, EventKind.LETTER_BOUNCED, interaction, letter, "system", outcome=told.progress, status=told.code)
    if is_failed and not letter.is_automatic:
        await _tell(tx, arrival, interaction, reopen)
    elif is_failed:
        await unreached(tx, interaction)
    return letter.interaction, letter.n


async def _settled(tx: UnitOfWork, letter: Outgoing) -> None:
    """What the provider reports on it has: no doubt is left, and nothing is sent again."""
    is_in_doubt = letter.state is OutgoingState.UNCERTAIN
    is_put_off = letter.state is OutgoingState.WAITING and letter.attempts > 0 and letter.lease_until <= tx.now
    if is_in_doubt or is_put_off:
        done = msgspec.structs.replace(letter, state=OutgoingState.SENT, sent_at=tx.now, problem="", status="")
        await tx.save(OUTGOING, done)


async def is_reported(tx: UnitOfWork, letter: Outgoing) -> bool:
    """Whether the provider has reported on a message already: then it has it, whatever became of its answer."""
    envelope = await tx.get(ENVELOPES, letter.interaction, letter.n)
    return letter.mode == MODE and envelope is not None and RANKS.get(envelope.status, 0) > 0


async def _tell(tx: UnitOfWork, arrival: Arrival, interaction: Interaction, reopen: Reopen) -> None:
    """Bring what did not arrive to somebody's attention, wherever the conversation stands."""
    if interaction.state is State.PARKED:
        await moves.wake_parked(tx, await moves.say_system(tx, interaction, "undelivered"))
    elif interaction.state in _NOTICED or interaction.state is State.SELF_SERVICE:
        await tx.save(INTERACTIONS, await moves.say_system(tx, interaction, "undelivered"))
    else:
        begun = await moves.say_system(tx, await reopen(tx, arrival, interaction, None), "undelivered")
        await tx.insert(INTERACTIONS, await moves.enter_queue(tx, begun, "arrival"))
