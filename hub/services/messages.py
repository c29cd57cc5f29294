"""Messages: the hot path. Many senders' messages are stored by one unit with a handful of statements.

What is sent twice (same sender's id) is answered again and stored once; numbers run without a gap in the order stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from hub.domain.customers import clean_name
from hub.domain.errors import BadRequest, Closed, HubError, NotFound, RateLimited, Stale, TooLarge
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, Choice, FileRef, Message
from hub.domain.redaction import without_cards
from hub.domain.texting import TemplateUse
from hub.recent import Recent
from hub.services.moves import message_stored, wake_parked
from hub.services.texting import Texting
from hub.settings import Settings
from hub.storage.batches import Batch
from hub.storage.tables import INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

Heard = Callable[[UnitOfWork, Interaction, Message], Awaitable[Interaction]]
_CHANGED = ("id", "last_n", "last_at", "last_from", "read_n", "waits_since", "version")
_DAY_MS = 86_400_000
_SAID = 20_000
FLOWS_HEAR = frozenset({State.SELF_SERVICE, State.HELD})
"""States in which a flow may listen: held by an agent, the customer may have been sent into one."""
_OPEN_FOR_AGENT = frozenset({State.ACTIVE, State.HELD, State.CONSULTING, State.PARKED})
_OPEN_FOR_LETTERS = _OPEN_FOR_AGENT | {State.WRAPPING}


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says in an interaction. `address` is the customer's, `agent` the agent's; one of them is set.

    `seen_n` is the last message the agent had seen; with `anyway` a colleague's newer one does not matter. A letter
    (`is_letter`) may be longer, and may still be written in wrap-up. `template` is the agreed wording that it uses.
    """

    interaction: str
    author: Author
    client_id: str
    text: str = ""
    address: str = ""
    agent: str | None = None
    name: str = ""
    choice: str = ""
    files: tuple[FileRef, ...] = ()
    choices: tuple[Choice, ...] = ()
    seen_n: int | None = None
    anyway: bool = False
    is_letter: bool = False
    template: TemplateUse | None = None


class Messages:
    """Stores what customers and agents say."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._limit = settings.limits.message_chars
        self._letter_limit = settings.letters.message_chars
        self._per_day = settings.limits.visitor_messages_per_day
        self._batch: Batch[Words, Message] = Batch(store, self._say_many, guarded=True)
        self._said: Recent[tuple[str, str], None] = Recent(_SAID)
        self.texting: Texting | None = None
        """Who sends what agents say where messages are texts."""
        self.heard: Heard | None = None
        """Who answers what customers say in self-service."""

    def say(self, words: Words) -> "asyncio.Future[Message]":
        """Store a message; the future resolves once it is committed.

        Raises (through the future):
            NotFound: there is no such interaction for this sender.
            Closed: it takes no more messages.
            Stale: a colleague's newer message came after `seen_n`.
        Raises (at once):
            BadRequest: nothing to say. TooLarge: too long.
        """
        return self._batch.submit(self.checked(words))

    async def say_in(self, tx: UnitOfWork, words: Words) -> Message:
        """Store one message in the caller's unit; the words were `checked`. Repeated ones are returned as stored.

        Raises: what `say` raises through its future, before anything is written.
        """
        (result,) = await self._say_many(tx, [words])
        if isinstance(result, Exception):
            raise result
        return result

    def checked(self, words: Words) -> Words:
        """Return the words fit to be stored: bounded, without card numbers and NUL characters.

        Raises:
            BadRequest: nothing to say, or no id. TooLarge: too long.
        """
        if not 1 <= len(words.client_id) <= 64:
            raise BadRequest("A message needs a client_id of 1 to 64 characters.")
        limit = self._letter_limit if words.is_letter else self._limit
        if len(words.text) > limit:
            raise TooLarge(f"A message holds at most {limit:,} characters.")
        text = without_cards(words.text.replace("\x00", "")).strip("\n")
        if not text.strip() and not words.files:
            raise BadRequest("There is nothing to send.")
        if words.choices:
            choices = tuple(Choice(without_cards(one.id), without_cards(one.label)) for one in words.choices)
            words = msgspec.structs.replace(words, choices=choices)
        if text != words.text:
            return msgspec.structs.replace(words, text=text)
        return words

    async def _say_many(self, tx: UnitOfWork, items: Sequence[Words]) -> list[Message | Exception]:
        said_in: dict[str, list[Words]] = {}
        for words in items:
            said_in.setdefault(words.interaction, []).append(words)
        conversation = await tx.recall(
            INTERACTIONS,
            said_in,
            fits=lambda found: all(self._refusal(words, found, tx.now) is None for words in said_in[found.id]),
        )
        known = await self._repeated(tx, items, conversation)
        results: list[Message | Exception] = []
        fresh: list[Message] = []
        wordings: dict[tuple[str, int], TemplateUse] = {}
        for words in items:
            before = conversation.get(words.interaction)
            repeated = known.get((words.interaction, words.client_id))
            try:
                if before is None or not _may_speak(words, before):
                    raise NotFound("There is no such conversation.")
                if repeated is not None:
                    results.append(_same_sender(words, repeated))
                    continue
                if (refusal := self._refusal(words, before, tx.now)) is not None:
                    raise refusal
                await self._check_seen(tx, words, before, fresh)
                if self.texting is not None and words.author is Author.AGENT:
                    await self.texting.check(tx, before, words.text, words.files, words.template)
            except HubError as error:
                results.append(error)
                continue
            message = _message(words, before.last_n + 1, tx.now)
            fresh.append(message)
            if words.template is not None:
                wordings[words.interaction, message.n] = words.template
            known[words.interaction, words.client_id] = message
            conversation[before.id] = after_message(before, message)
            results.append(message)
        await self._store(tx, fresh, conversation)
        await self._post(tx, fresh, conversation, wordings)
        return results

    async def _post(
        self,
        tx: UnitOfWork,
        fresh: Sequence[Message],
        conversation: dict[str, Interaction],
        wordings: dict[tuple[str, int], TemplateUse],
    ) -> None:
        """Send what agents said, where messages are texts."""
        if self.texting is None:
            return
        for message in fresh:
            if message.author is Author.AGENT:
                key = (message.interaction, message.n)
                await self.texting.post(tx, conversation[message.interaction], message, use=wordings.get(key))

    async def _repeated(
        self, tx: UnitOfWork, items: Sequence[Words], conversation: dict[str, Interaction]
    ) -> dict[tuple[str, str], Message]:
        """Return the messages among these that are stored already, by interaction and client's id.

        At first nothing is looked for that was not said here lately: what was said before all the same fails on its
        unique index, and is said once more.
        """
        keys = {(words.interaction, words.client_id) for words in items if words.interaction in conversation}
        is_new = not (tx.is_sure or any(key in self._said for key in keys))
        for key in keys:
            self._said.note(key, None)
        if is_new:
            return {}
        found = await tx.select_many(MESSAGES, ("interaction", "client_id"), list(keys), "AND client_id <> ''")
        return {(message.interaction, message.client_id): message for message in found}

    def _refusal(self, words: Words, interaction: Interaction, now: int) -> HubError | None:
        """Return why this cannot be said there, as the interaction is, or None."""
        if not _may_speak(words, interaction):
            return NotFound("There is no such conversation.")
        if words.author is not Author.CUSTOMER:
            is_open = interaction.state in (_OPEN_FOR_LETTERS if words.is_letter else _OPEN_FOR_AGENT)
            if not is_open or interaction.agent != words.agent:
                return Closed("You are not handling this conversation.")
            return None
        if not interaction.accepts_customer_messages:
            return Closed("This conversation has ended.")
        # Numbers count both sides: nobody who is being answered comes near twice the limit in a day.
        if interaction.last_n >= 2 * self._per_day and interaction.created_at > now - _DAY_MS:
            return RateLimited(3_600)
        return None

    async def _check_seen(
        self, tx: UnitOfWork, words: Words, interaction: Interaction, fresh: Sequence[Message]
    ) -> None:
        if words.seen_n is None or words.anyway or words.seen_n >= interaction.last_n:
            return
        newer = await tx.select(
            MESSAGES, "WHERE interaction = $1 AND n > $2 ORDER BY n LIMIT 50", interaction.id, words.seen_n
        )
        newer += [message for message in fresh if message.interaction == interaction.id and message.n > words.seen_n]
        if any(message.author is Author.AGENT and message.agent != words.agent for message in newer):
            raise Stale(list(newer))

    async def _store(self, tx: UnitOfWork, fresh: Sequence[Message], conversation: dict[str, Interaction]) -> None:
        if not fresh:
            return
        await tx.insert_many(MESSAGES, fresh)
        changed = [
            msgspec.structs.replace(conversation[interaction], version=conversation[interaction].version + 1)
            for interaction in dict.fromkeys(message.interaction for message in fresh)
        ]
        await tx.update_many(
            INTERACTIONS, _CHANGED, [tuple(getattr(interaction, name) for name in _CHANGED) for interaction in changed]
        )
        for interaction in changed:
            tx.touch(interaction)
            if interaction.state is State.PARKED and interaction.last_from == Author.CUSTOMER:
                await wake_parked(tx, interaction)
        for message in fresh:
            tx.touch(message)
            message_stored(tx, conversation[message.interaction], message)
        served = {each.id for each in changed if each.state in FLOWS_HEAR}
        await self._answer(
            tx, [each for each in fresh if each.interaction in served and each.author is Author.CUSTOMER]
        )

    async def _answer(self, tx: UnitOfWork, said: Sequence[Message]) -> None:
        """Let a flow hear what was said to it, in the order in which it was stored.

        Each is looked at anew: the flow may have let go of the customer at the message before.
        """
        if self.heard is None:
            return
        for message in said:
            interaction = await tx.get(INTERACTIONS, message.interaction)
            if interaction is not None and interaction.state in FLOWS_HEAR:
                await self.heard(tx, interaction, message)


def clean_choice(choice: str) -> str:
    """Return a choice fit to be stored, whatever a client calls one."""
    return without_cards(clean_name(choice))[:80] if choice else ""


def _may_speak(words: Words, interaction: Interaction) -> bool:
    if words.author is Author.CUSTOMER:
        return words.address == interaction.address
    return words.agent is not None


def _same_sender(words: Words, stored: Message) -> Message:
    if words.author is not stored.author or words.agent != stored.agent:
        raise BadRequest("This client_id belongs to somebody else's message.")
    return stored


def _message(words: Words, n: int, at: int) -> Message:
    return Message(
        interaction=words.interaction,
        n=n,
        at=at,
        author=words.author,
        agent=words.agent,
        name=words.name,
        text=words.text,
        client_id=words.client_id,
        choice=words.choice,
        files=words.files,
        choices=words.choices,
    )


def after_message(interaction: Interaction, message: Message) -> Interaction:
    """Return the interaction as the message leaves it; `waits_since` is when the customer began to wait for us."""
    is_customer = message.author is Author.CUSTOMER
    return msgspec.structs.replace(
        interaction,
        last_n=message.n,
        last_at=message.at,
        last_from=str(message.author),
        read_n=interaction.read_n if is_customer else message.n,
        waits_since=(interaction.waits_since or message.at) if is_customer else None,
    )
