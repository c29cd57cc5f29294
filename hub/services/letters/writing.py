"""Letters: what agents write in channels with envelopes. Message, envelope and outbox row are one transaction.

A letter waits for its instant (the time to take it back, or a schedule), then `delivery` sends it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from hub.contract import Channel, Corresponds, Sends, Shows
from hub.domain.agent import Role
from hub.domain.correspondence import DraftedLetter, Envelope, Outgoing, OutgoingState, Party, one_line
from hub.domain.customers import Address, AddressKind, clean_name, normalized
from hub.domain.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message
from hub.domain.redaction import without_cards
from hub.domain.segments import SegmentKind
from hub.domain.visitors import Draft, StoredFile
from hub.services import moves, people
from hub.services.access import Scope
from hub.services.files import FileStore
from hub.services.handling import Handling
from hub.services.letters import outbox, recipients
from hub.services.letters.outbox import Answered, LetterView, Writes
from hub.services.messages import Messages, Words
from hub.services.wording import worded
from hub.settings import Settings
from hub.storage.tables import AGENTS, DRAFTS, ENVELOPES, FILES, INTERACTIONS, MESSAGES, OUTGOING
from hub.storage.unit_of_work import Store, UnitOfWork

Then = Literal["", "park", "wrap_up"]
MAX_SUBJECT = 500
MAX_FILES = 200
"""Files of one letter: as many as a letter that is forwarded may have brought; their size is limited together."""
_MAX_SIGNATURE = 2_000
_DAY_MS = 86_400_000
_CLOCKS_DIFFER_MS = 300_000
_CAN_END = frozenset({State.ACTIVE, State.HELD, State.CONSULTING, State.PARKED})


class NewLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as an agent wrote it. Repeated with the same `client_id` it is stored once.

    Without `to` an answer goes where `suggest` says. `files` are ids. `send_at` schedules it; `seen_n` and `anyway` are
    those of a message. `then` is what becomes of the interaction.
    """

    client_id: str
    text: str
    subject: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    files: tuple[str, ...] = ()
    mode: str = "reply"
    answers_n: int | None = None
    send_at: int | None = None
    seen_n: int | None = None
    anyway: bool = False
    then: Then = ""
    with_signature: bool = True


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer begins with. `quoted` is what stands below it; `passed_over` are Reply-To addresses not taken."""

    mode: str
    answers_n: int | None
    to: tuple[Party, ...]
    cc: tuple[Party, ...]
    subject: str
    signature: str
    quoted: str = ""
    files: tuple[FileRef, ...] = ()
    passed_over: tuple[Party, ...] = ()


class Letters:
    """The use cases of whoever writes letters, and of whoever reads them."""

    def __init__(
        self, store: Store, settings: Settings, handling: Handling, files: FileStore, channels: Mapping[str, Channel]
    ) -> None:
        self._store = store
        self._settings = settings
        self._handling = handling
        self._files = files
        self._channels = channels
        self._messages = Messages(store, settings)

    async def reply(self, interaction_id: str, scope: Scope, letter: NewLetter) -> LetterView:
        """Store an answer (or a forward) and put it in the outbox; repeated, what is stored is returned.

        Raises:
            NotFound: no such interaction, message or file for this agent. Closed: the agent does not handle it.
            Stale: a colleague answered meanwhile. BadRequest, TooLarge: it cannot be sent like this.
        """
        self._check_mode(letter, {"reply", "reply_all", "forward"})

        async def unit(tx: UnitOfWork) -> LetterView:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if not scope.sees(interaction):
                raise NotFound("There is no such interaction.")
            channel = self._sender(interaction.channel)
            answered = await outbox.answered_one(tx, interaction_id, letter.answers_n)
            ready = self._addressed(channel, letter, answered)
            return await self._write(tx, interaction, scope, ready, answered)

        return await self._store.write(unit)

    async def begin(
        self, scope: Scope, channel_id: str, queue: str, letter: NewLetter, customer: str | None = None
    ) -> tuple[Interaction, LetterView]:
        """Write first: an interaction with its first letter, handled by this agent. Repeated, it is begun once.

        Without `customer` it is the customer whose address the first recipient is, or a new one. With `then` = park it
        costs no capacity: it wakes when it is answered.

        Raises:
            NotFound: no such channel, queue, customer or file for this agent. Conflict: no capacity left.
            BadRequest, TooLarge: it cannot be sent like this.
        """
        self._check_mode(letter, {"new"})
        channel = self._sender(channel_id)
        if not channel.capabilities.can_begin:
            raise BadRequest("Nobody can be written to first here.")
        if queue not in self._settings.queues or (scope.queues is not None and queue not in scope.queues):
            raise NotFound(f"There is no queue {queue!r}.")
        ready = self._addressed(channel, letter, None)

        async def unit(tx: UnitOfWork) -> tuple[Interaction, LetterView]:
            provider_id = f"begun:{scope.agent}:{letter.client_id}"
            known = await tx.select(
                INTERACTIONS, "WHERE channel = $1 AND provider_id = $2 AND provider_id <> ''", channel_id, provider_id
            )
            interaction = known[0] if known else await self._begun(tx, channel, queue, ready, scope, customer)
            if not known:
                interaction = msgspec.structs.replace(interaction, provider_id=provider_id)
                await tx.insert(INTERACTIONS, interaction)
            view = await self._write(tx, interaction, scope, ready, None)
            found = await tx.get(INTERACTIONS, interaction.id)
            return found or interaction, view

        return await self._store.write(unit)

    async def suggest(self, interaction_id: str, scope: Scope, mode: str, n: int | None = None) -> Suggestion:
        """Return what an answer to message `n` (None: the latest) begins with.

        Raises:
            NotFound: no such interaction or message for this person. BadRequest: no such mode.
        """
        if mode not in recipients.MODES:
            raise BadRequest("An answer is a reply, a reply to all or a forward.")

        async def unit(tx: UnitOfWork) -> Suggestion:
            interaction = await self._seen(tx, interaction_id, scope)
            channel = self._sender(interaction.channel)
            answered = await outbox.answered_one(tx, interaction_id, n)
            signature = await self._signature(tx, channel, scope.agent, interaction.language)
            if answered is None:
                return Suggestion(
                    mode=mode,
                    answers_n=None,
                    to=(Party(interaction.address),) if mode != "forward" and interaction.address else (),
                    cc=(),
                    subject=_subject(channel, interaction.subject, mode),
                    signature=signature,
                )
            message, envelope, is_ours = answered
            to = recipients.answer(envelope, mode, is_ours=is_ours, owns=self._owns)
            return Suggestion(
                mode=mode,
                answers_n=envelope.n,
                to=to.to,
                cc=to.cc,
                subject=_subject(channel, envelope.subject or interaction.subject, mode),
                signature=signature,
                quoted=f"{message.text}\n\n{envelope.quoted}".strip() if mode == "forward" else message.text,
                files=message.files if mode == "forward" else (),
                passed_over=to.passed_over,
            )

        return await self._store.read(unit)

    async def transcript(self, interaction_id: str, scope: Scope, to: Party, channel_id: str = "") -> LetterView:
        """Send everything said in an interaction so far to somebody, from this mailbox (none: the first that sends).

        Asked for again before anything more is said, the one that is on its way, or has gone, is returned.

        Raises:
            NotFound: no such interaction for this person. BadRequest: no address, or no mailbox to send from.
        """
        sending = [key for key, channel in self._channels.items() if _has_letters(channel)]
        channel = self._sender(channel_id or next(iter(sending), ""))
        (clean,) = _clean(AddressKind(channel.capabilities.kind), [to], set())

        async def unit(tx: UnitOfWork) -> LetterView:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            if not scope.sees(interaction):
                raise NotFound("There is no such interaction.")
            known = await _same_transcript(tx, interaction_id, clean)
            if known is not None:
                return known
            said = await moves.say_system(tx, interaction, "transcript_sent")
            outgoing = Outgoing(
                id=new_id("o"),
                interaction=interaction_id,
                n=said.last_n,
                channel=channel.id,
                created_at=tx.now,
                due_at=tx.now + round(self._settings.letters.undo_s * 1000),
                is_automatic=True,
                mode="transcript",
                answers_n=interaction.last_n,
            )
            subject = interaction.subject or worded("transcript", interaction.language)
            envelope = Envelope(
                interaction=interaction_id,
                n=said.last_n,
                channel=channel.id,
                subject=subject,
                recipients=(clean,),
                is_automatic=True,
            )
            view = await outbox.post(tx, channel, outgoing, envelope)
            outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, scope.actor, mode="transcript")
            await tx.save(INTERACTIONS, said)
            return view

        return await self._store.write(unit)

    async def take_back(self, interaction_id: str, n: int, scope: Scope) -> DraftedLetter:
        """Call a letter off that has not gone yet; its words are this agent's draft again.

        Raises:
            NotFound, Forbidden: not this person's. Conflict: it is on its way or has gone.
        """

        async def unit(tx: UnitOfWork) -> DraftedLetter:
            interaction, outgoing = await self._for_change(tx, interaction_id, n, scope)
            if outgoing.state is not OutgoingState.WAITING or outgoing.lease_until > tx.now or outgoing.accepted:
                raise Conflict("It is on its way and cannot be taken back.")
            cancelled = msgspec.structs.replace(outgoing, state=OutgoingState.CANCELLED)
            await tx.save(OUTGOING, cancelled)
            outbox.record(tx, EventKind.LETTER_CANCELLED, interaction, outgoing, scope.actor)
            message, envelope, _ = await outbox.letter(tx, interaction_id, n)
            drafted = DraftedLetter(
                mode=outgoing.mode,
                answers_n=outgoing.answers_n,
                subject=envelope.subject,
                to=envelope.recipients,
                cc=envelope.cc,
                bcc=envelope.bcc,
                files=tuple(file.id for file in message.files),
            )
            if not outgoing.is_automatic:
                await outbox.keep_draft(tx, interaction_id, scope.agent, "reply", message.text, drafted)
            await tx.save(INTERACTIONS, await outbox.waits_again(tx, interaction, n))
            return drafted

        return await self._store.write(unit)

    async def try_again(self, interaction_id: str, n: int, scope: Scope) -> Outgoing:
        """Send a letter once more that failed, is uncertain, or was refused for some of its recipients.

        Recipients who have it are left out. An uncertain one may arrive twice: that is for a person to decide.

        Raises:
            NotFound, Forbidden: not this person's. Conflict: there is nothing to try again.
        """

        async def unit(tx: UnitOfWork) -> Outgoing:
            interaction, outgoing = await self._for_change(tx, interaction_id, n, scope)
            is_partly_refused = outgoing.state is OutgoingState.SENT and outgoing.refused
            if outgoing.state not in {OutgoingState.FAILED, OutgoingState.UNCERTAIN} and not is_partly_refused:
                raise Conflict("It is not a letter that failed.")
            again = msgspec.structs.replace(
                outgoing,
                state=OutgoingState.WAITING,
                due_at=tx.now,
                tried_since=None,
                refused=(),
                problem="",
                status="",
            )
            outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, scope.actor, again=True)
            return await tx.save(OUTGOING, again)

        return await self._store.write(unit)

    async def consider_sent(self, interaction_id: str, n: int, scope: Scope) -> Outgoing:
        """A person decides that an uncertain letter has arrived: it is not tried again.

        Raises:
            NotFound, Forbidden: not this person's. Conflict: it is not uncertain.
        """

        async def unit(tx: UnitOfWork) -> Outgoing:
            interaction, outgoing = await self._for_change(tx, interaction_id, n, scope)
            if outgoing.state is not OutgoingState.UNCERTAIN:
                raise Conflict("It is not uncertain.")
            outbox.record(tx, EventKind.LETTER_SENT, interaction, outgoing, scope.actor, decided=True)
            sent = msgspec.structs.replace(outgoing, state=OutgoingState.SENT, sent_at=tx.now, problem="", status="")
            return await tx.save(OUTGOING, sent)

        return await self._store.write(unit)

    async def of(self, interaction_id: str, scope: Scope) -> list[LetterView]:
        """Return the letters of an interaction in order.

        Raises:
            NotFound: no such interaction for this person.
        """

        async def unit(tx: UnitOfWork) -> list[LetterView]:
            await self._seen(tx, interaction_id, scope)
            envelopes = await tx.select(ENVELOPES, "WHERE interaction = $1 ORDER BY n", interaction_id)
            outgoing = {row.n: row for row in await tx.select(OUTGOING, "WHERE interaction = $1", interaction_id)}
            return [LetterView(envelope=envelope, outgoing=outgoing.get(envelope.n)) for envelope in envelopes]

        return await self._store.read(unit)

    async def page(self, interaction_id: str, n: int, scope: Scope, *, remote_images: bool = False) -> str:
        """Return the page of message `n` fit for a sandboxed frame; empty when it came without one.

        Images from elsewhere are fetched by the hub, when they are asked for: the sender learns no agent's address.

        Raises:
            NotFound: no such message for this person.
        """

        async def unit(tx: UnitOfWork) -> tuple[Interaction, Envelope, list[StoredFile]]:
            interaction = await self._seen(tx, interaction_id, scope)
            _, envelope, _ = await outbox.letter(tx, interaction_id, n)
            files = await tx.select(FILES, "WHERE id ANY_OF($1)", list(envelope.inline.values()))
            return interaction, envelope, files

        interaction, envelope, files = await self._store.read(unit)
        channel: object = self._channels.get(envelope.channel or interaction.channel)
        if not envelope.html or not isinstance(channel, Shows):
            return ""
        html = (await self._files.content(envelope.html)).decode("utf-8", "replace")
        links = {file.id: self._files.link(FileRef(file.id, file.name, file.type, file.size)) for file in files}
        images = {cid: links[file_id] for cid, file_id in envelope.inline.items() if file_id in links}
        return channel.safe_page(html, images, remote_image=self._files.picture_link if remote_images else None)

    async def save_draft(self, interaction_id: str, scope: Scope, text: str, letter: DraftedLetter) -> None:
        """Keep a letter that is being written; one without words, recipients and files is forgotten.

        Without an interaction it is the agent's new letter.

        Raises:
            NotFound: no such interaction for this person. BadRequest, TooLarge: it could never be sent.
        """
        self._check_size(text, letter.subject, (*letter.to, *letter.cc, *letter.bcc), letter.files)

        async def unit(tx: UnitOfWork) -> None:
            if interaction_id:
                await self._seen(tx, interaction_id, scope)
            is_kept = bool(text.strip() or letter.to or letter.cc or letter.bcc or letter.files or letter.subject)
            mode = "reply" if interaction_id else "new"
            await outbox.keep_draft(tx, interaction_id, scope.agent, mode, text, letter if is_kept else None)

        await self._store.write(unit)

    async def draft(self, interaction_id: str, scope: Scope) -> Draft | None:
        """Return the letter that this agent is writing here (without an interaction: their new one)."""

        async def unit(tx: UnitOfWork) -> Draft | None:
            return await tx.get(
                DRAFTS, outbox.draft_id_of(interaction_id, scope.agent, "reply" if interaction_id else "new")
            )

        return await self._store.read(unit)

    async def own_signature(self, scope: Scope) -> str:
        """Return what this agent wrote to stand below their letters; empty where it is their name alone."""

        async def unit(tx: UnitOfWork) -> str:
            agent = await tx.get(AGENTS, scope.agent)
            return agent.signature if agent else ""

        return await self._store.read(unit)

    async def set_signature(self, scope: Scope, text: str) -> None:
        """Set what stands below this agent's letters.

        Raises:
            TooLarge: longer than anybody reads.
        """
        if len(text) > _MAX_SIGNATURE:
            raise TooLarge(f"A signature holds at most {_MAX_SIGNATURE:,} characters.")

        async def unit(tx: UnitOfWork) -> None:
            agent = await moves.agent_for_change(tx, scope.agent)
            tx.record(EventKind.AGENT_CHANGED, actor=scope.actor, agent=agent.id, changed="signature")
            await tx.save(AGENTS, msgspec.structs.replace(agent, signature=without_cards(text.replace("\x00", ""))))

        await self._store.write(unit)

    # -- writing

    async def _write(
        self,
        tx: UnitOfWork,
        interaction: Interaction,
        scope: Scope,
        letter: NewLetter,
        answered: Answered | None,
    ) -> LetterView:
        agent = await moves.agent_for_change(tx, scope.agent)
        files = await self._attached(tx, interaction, scope, letter.files)
        words = self._messages.checked(
            Words(
                interaction=interaction.id,
                author=Author.AGENT,
                agent=scope.agent,
                name=agent.name,
                client_id=letter.client_id,
                text=letter.text,
                files=files,
                seen_n=letter.seen_n,
                anyway=letter.anyway,
                is_letter=True,
            )
        )
        due_at = self._due_at(letter, tx.now)
        message = await self._messages.say_in(tx, words)
        known = await tx.select(OUTGOING, "WHERE interaction = $1 AND n = $2", interaction.id, message.n)
        if known:
            return LetterView(envelope=(await outbox.letter(tx, interaction.id, message.n))[1], outgoing=known[0])
        channel = self._sender(interaction.channel)
        signature = await self._signature(tx, channel, scope.agent, interaction.language)
        outgoing = Outgoing(
            id=new_id("o"),
            interaction=interaction.id,
            n=message.n,
            channel=interaction.channel,
            created_at=tx.now,
            due_at=due_at,
            mode=letter.mode,
            answers_n=answered[1].n if answered else None,
            signature=signature if letter.with_signature else "",
        )
        view = await outbox.post(tx, channel, outgoing, _enveloped(channel, letter, interaction, message, answered))
        outbox.record(tx, EventKind.LETTER_DUE, interaction, outgoing, scope.actor, mode=letter.mode)
        await tx.execute("DELETE FROM drafts WHERE id = $1", outbox.draft_id_of(interaction.id, scope.agent, "reply"))
        if letter.mode == "new":
            await tx.execute("DELETE FROM drafts WHERE id = $1", outbox.draft_id_of("", scope.agent, "new"))
        await self._then(tx, interaction.id, scope, letter.then)
        return view

    def _due_at(self, letter: NewLetter, now: int) -> int:
        """Return when a letter goes: at its time, and never before it could be taken back."""
        settings = self._settings.letters
        soonest = now + round(settings.undo_s * 1000)
        if letter.send_at is None:
            return soonest
        if not now - _CLOCKS_DIFFER_MS <= letter.send_at <= now + settings.schedule_days * _DAY_MS:
            raise BadRequest(f"A letter is scheduled for the next {settings.schedule_days} days.")
        return max(letter.send_at, soonest)

    async def _then(self, tx: UnitOfWork, interaction_id: str, scope: Scope, then: Then) -> None:
        interaction = await moves.interaction_for_change(tx, interaction_id)
        if then == "park" and interaction.state is State.ACTIVE:
            await self._handling.set_aside(tx, interaction, scope)
        elif then == "wrap_up" and interaction.state in _CAN_END:
            await self._handling.begin_wrap_up(tx, interaction, "handled", actor=scope.actor)

    async def _begun(
        self,
        tx: UnitOfWork,
        channel: Writes,
        queue: str,
        letter: NewLetter,
        scope: Scope,
        customer_id: str | None,
    ) -> Interaction:
        kind = channel.capabilities.kind
        address = Address(kind=AddressKind(kind), value=normalized(AddressKind(kind), letter.to[0].address))
        if customer_id is not None:
            customer = await people.seen_customer(tx, customer_id, scope)
        else:
            customer, _ = await people.resolve(tx, [address], name=letter.to[0].name)
        is_parked = letter.then == "park"
        units = 0 if is_parked else await self._handling.hold(tx, scope.agent, kind)
        interaction_id = new_id("i")
        interaction = Interaction(
            id=interaction_id,
            channel=channel.id,
            kind=kind,
            customer=customer.id,
            queue=queue,
            state=State.PARKED if is_parked else State.ACTIVE,
            created_at=tx.now,
            answered_at=tx.now,
            address=address.value,
            agent=scope.agent,
            last_agent=scope.agent,
            subject=letter.subject,
            language=customer.language or self._settings.company.default_language,
            tier=customer.tier,
            units=units,
            root=interaction_id,
            is_message=True,
        )
        tx.record(
            EventKind.INTERACTION_CREATED,
            actor=scope.actor,
            interaction=interaction.id,
            customer=customer.id,
            agent=scope.agent,
            queue=queue,
            channel=channel.id,
            channel_kind=kind,
            direction="out",
        )
        tx.touch(customer)
        segment = SegmentKind.PARKED if is_parked else SegmentKind.HANDLED
        await moves.begin_segment(tx, interaction, segment, agent=scope.agent)
        return interaction

    async def _attached(
        self, tx: UnitOfWork, interaction: Interaction, scope: Scope, ids: Sequence[str]
    ) -> tuple[FileRef, ...]:
        """Return files of this interaction, or uploaded by this agent for a letter that was to begin one."""
        if not ids:
            return ()
        found = {file.id: file for file in await tx.select(FILES, "WHERE id ANY_OF($1)", list(ids))}
        if any(
            name not in found
            or found[name].interaction not in {interaction.id, ""}
            or (not found[name].interaction and found[name].uploaded_by != scope.actor)
            for name in ids
        ):
            raise NotFound("There is no such file.")
        if sum(found[name].size for name in ids) > self._settings.letters.files_bytes:
            limit = self._settings.letters.files_bytes // 1_048_576
            raise TooLarge(f"The files of one letter hold at most {limit} MB together.")
        for file in found.values():
            if not file.interaction:
                await tx.execute(
                    "UPDATE files SET interaction = $1, customer = $2 WHERE id = $3",
                    interaction.id,
                    interaction.customer,
                    file.id,
                )
        return tuple(FileRef(name, found[name].name, found[name].type, found[name].size) for name in ids)

    # -- checking

    def _sender(self, channel_id: str) -> Writes:
        channel = self._channels.get(channel_id)
        if channel is None or not isinstance(channel, Sends) or not channel.capabilities.has_envelopes:
            raise BadRequest("Letters cannot be written here.")
        return channel

    def _owns(self, address: str) -> bool:
        return any(channel.owns(address) for channel in self._channels.values() if isinstance(channel, Corresponds))

    def _check_mode(self, letter: NewLetter, modes: set[str]) -> None:
        if letter.mode not in modes:
            raise BadRequest(f"This letter is one of: {', '.join(sorted(modes))}.")
        if letter.then not in {"", "park", "wrap_up"}:
            raise BadRequest("Afterwards an interaction is parked, wrapped up or goes on.")
        self._check_size(letter.text, letter.subject, (*letter.to, *letter.cc, *letter.bcc), letter.files)

    def _check_size(self, text: str, subject: str, parties: Sequence[Party], files: Sequence[str]) -> None:
        settings = self._settings.letters
        if len(text) > settings.message_chars:
            raise TooLarge(f"A letter holds at most {settings.message_chars:,} characters.")
        if len(subject) > MAX_SUBJECT:
            raise TooLarge(f"A subject holds at most {MAX_SUBJECT} characters.")
        if len(parties) > settings.recipients:
            raise TooLarge(f"A letter goes to at most {settings.recipients} recipients.")
        if any(len(party.address) > 320 or len(party.name) > 200 for party in parties):
            raise TooLarge("An address or a name is too long.")
        if len(files) > MAX_FILES or len(set(files)) != len(files):
            raise BadRequest(f"At most {MAX_FILES} files a letter, each once.")

    def _addressed(self, channel: Writes, letter: NewLetter, answered: Answered | None) -> NewLetter:
        """Return the letter with clean recipients and subject.

        Raises:
            BadRequest: nobody to send it to, or an address that is none.
        """
        to, cc, subject = letter.to, letter.cc, letter.subject
        if answered is not None and not to and letter.mode != "forward":
            suggested = recipients.answer(answered[1], letter.mode, is_ours=answered[2], owns=self._owns)
            to, cc = suggested.to, cc or suggested.cc
        if answered is not None and not subject.strip():
            subject = _subject(channel, answered[1].subject, letter.mode)
        kind = AddressKind(channel.capabilities.kind)
        taken: set[str] = set()
        clean = [_clean(kind, parties, taken) for parties in (to, cc, letter.bcc)]
        if not clean[0]:
            raise BadRequest("A letter needs somebody to go to.")
        return msgspec.structs.replace(
            letter, to=clean[0], cc=clean[1], bcc=clean[2], subject=without_cards(one_line(subject))
        )

    async def _signature(self, tx: UnitOfWork, channel: Writes, agent_id: str, language: str) -> str:
        agent = await tx.get(AGENTS, agent_id)
        if agent is None or not isinstance(channel, Corresponds):
            return ""
        return channel.signature(agent.signature, agent.name, language)

    async def _seen(self, tx: UnitOfWork, interaction_id: str, scope: Scope) -> Interaction:
        found = await tx.get(INTERACTIONS, interaction_id)
        if found is None or not scope.sees(found):
            raise NotFound("There is no such interaction.")
        return found

    async def _for_change(
        self, tx: UnitOfWork, interaction_id: str, n: int, scope: Scope
    ) -> tuple[Interaction, Outgoing]:
        interaction = await moves.interaction_for_change(tx, interaction_id)
        found = await tx.select(OUTGOING, "WHERE interaction = $1 AND n = $2 FOR UPDATE", interaction_id, n)
        if not scope.sees(interaction) or not found:
            raise NotFound("There is no such letter.")
        message = await tx.get(MESSAGES, interaction_id, n)
        is_theirs = scope.agent in (interaction.agent, message.agent if message else None)
        if scope.role is Role.AGENT and not is_theirs:
            raise Forbidden("It is a colleague's letter.")
        return interaction, found[0]


def _enveloped(
    channel: Writes, letter: NewLetter, interaction: Interaction, message: Message, answered: Answered | None
) -> Envelope:
    is_answer = answered is not None and letter.mode in {"reply", "reply_all"}
    return Envelope(
        interaction=interaction.id,
        n=message.n,
        channel=channel.id,
        subject=letter.subject,
        recipients=letter.to,
        cc=letter.cc,
        bcc=letter.bcc,
        refers_to=outbox.references(answered[1]) if answered and is_answer else (),
    )


def _has_letters(channel: Channel) -> bool:
    return isinstance(channel, Writes) and channel.capabilities.has_envelopes


def _subject(channel: Writes, subject: str, mode: str) -> str:
    return channel.subject(subject, mode) if isinstance(channel, Corresponds) else subject


def _clean(kind: AddressKind, parties: Sequence[Party], taken: set[str]) -> tuple[Party, ...]:
    kept = []
    for party in parties:
        compared = normalized(kind, party.address)
        if compared not in taken:
            taken.add(compared)
            kept.append(Party(party.address.strip(), without_cards(clean_name(party.name))))
    return tuple(kept)


async def _same_transcript(tx: UnitOfWork, interaction_id: str, to: Party) -> LetterView | None:
    """Return the latest transcript to this address, unless it failed or was taken back, or more was said since."""
    found = await tx.select(
        OUTGOING,
        "WHERE interaction = $1 AND mode = 'transcript' AND state NOT IN ('failed', 'cancelled') "
        "AND n > (SELECT coalesce(max(n), 0) FROM messages WHERE interaction = $1 AND author <> 'system') "
        "ORDER BY n DESC",
        interaction_id,
    )
    for outgoing in found:
        envelope = await tx.get(ENVELOPES, interaction_id, outgoing.n)
        if envelope is not None and any(one.address == to.address for one in envelope.recipients):
            return LetterView(envelope=envelope, outgoing=outgoing)
    return None
