"""Conversations in writing with visitors: begin, resume, read, end; queue entry and leaving a message."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec

from hub.contract import ChatStart, QueueView, SignedIdentity, Started, VisitorId, Waiting
from hub.domain.customers import Address, AddressKind, Customer, normalized
from hub.domain.errors import BadRequest, Conflict, NotFound, RateLimited, TooLarge, Unauthorized
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message
from hub.domain.redaction import without_cards
from hub.domain.visitors import Visitor
from hub.events import Signals
from hub.flows.session import HungUp
from hub.services import forms, merging, moves, people
from hub.services.flows.self_service import SelfService
from hub.services.handling import Handling
from hub.services.last_word import LastWord
from hub.services.messages import Messages, Words, clean_choice
from hub.settings import Settings
from hub.storage.tables import CUSTOMERS, INTERACTIONS, MESSAGES, VISITORS
from hub.storage.unit_of_work import Store, UnitOfWork

GONE_AFTER_S = 120
_DAY_MS = 86_400_000
_SEEN_EVERY_MS = _DAY_MS // 2
"""How often a visitor who comes back is written down: a page opened is no write, the thread of a regular is kept."""
_REPEATED_MS = _DAY_MS
"""How long a beginning can be repeated because its answer was lost. Its id, which is stored, gives the visitor's token
out again meanwhile; a copy of the database must not do so for ever."""


class Floor(Protocol):
    """What conversations need to know of the floor this moment."""

    def waiting(self, interaction: str) -> Waiting:
        """Return an interaction's place in its queue."""

    def queue_view(self, queue: str) -> QueueView:
        """Return what customers may know of a queue."""

    def agent_name(self, agent: str | None) -> str:
        """Return an agent's shown name."""


class Chats:
    """The hub's side of `hub.contract.Conversations`."""

    def __init__(self, store: Store, settings: Settings, handling: Handling, floor: Floor, signals: Signals) -> None:
        self._store = store
        self._settings = settings
        self._handling = handling
        self._floor = floor
        self._signals = signals
        self._messages = Messages(store, settings)
        self.messages = self._messages
        self.self_service: SelfService | None = None
        self._given_up: LastWord[int | None] = LastWord(self._give_up_after)

    async def visitor(self, channel: str, token_hash: str) -> VisitorId | None:
        """Return who holds this token on this channel, or None."""

        async def unit(tx: UnitOfWork) -> tuple[VisitorId, bool] | None:
            found = await tx.select(VISITORS, "WHERE token_hash = $1 AND channel = $2", token_hash, channel)
            idle_ms = self._settings.limits.visitor_idle_days * _DAY_MS
            if not found or found[0].seen_at + idle_ms < tx.now:
                return None
            return await _visitor_id(tx, found[0]), found[0].seen_at + _SEEN_EVERY_MS <= tx.now

        known = await self._store.read(unit)
        if known is None:
            return None
        visitor, is_due = known
        if is_due:
            await self._use(visitor.id)
        return visitor

    async def _use(self, visitor: str) -> None:
        """Note that the token was used: from now on it is unused for so long."""

        async def unit(tx: UnitOfWork) -> None:
            await tx.execute("UPDATE visitors SET seen_at = $1 WHERE id = $2 AND seen_at < $1", tx.now, visitor)

        await self._store.write(unit)

    async def identify(
        self, channel: str, visitor: VisitorId | None, identity: SignedIdentity, *, token_hash: str
    ) -> VisitorId | None:
        """Bind what the site vouches for to the visitor. A signed identity may join profiles, a typed one never.

        From then on only the new token opens what the visitor sees: whoever knew the one before is out.

        Raises:
            Unauthorized: the signed identity was used before by somebody else.
        """

        async def unit(tx: UnitOfWork) -> VisitorId | None:
            await self._use_once(tx, identity)
            if visitor is None:
                return None
            stored = await tx.get(VISITORS, visitor.id, lock=True)
            if stored is None or stored.subject not in {"", identity.subject}:
                # One browser, another person: they are not shown what the one before them said.
                return None
            customer, _ = await people.resolve(
                tx, _signed_addresses(channel, identity, self._settings), name=identity.name, language=stored.language
            )
            await _join_anonymous(tx, customer, stored)
            bound = msgspec.structs.replace(
                stored, customer=customer.id, subject=identity.subject, token_hash=token_hash, seen_at=tx.now
            )
            await tx.execute(VISITORS.update, *VISITORS.update_values(bound))
            return await _visitor_id(tx, bound)

        return await self._store.write(unit)

    async def _use_once(self, tx: UnitOfWork, identity: SignedIdentity) -> None:
        """Refuse a signed identity that was used before.

        Raises:
            Unauthorized: it was.
        """
        if not identity.once:
            raise Unauthorized("The identity token has no jti.")
        key = f"jwt_used:{identity.once}"
        if await tx.fetch_one("SELECT 1 FROM jobs WHERE id = $1", key):
            raise Unauthorized("This identity token was used before.")
        await moves.schedule(tx, "jwt_used", identity.once, identity.expires_at)

    async def start(self, start: ChatStart) -> Started:
        """Begin a conversation, or return the one that is open; a repeated `client_id` begins nothing.

        Raises:
            BadRequest: something in the form is off. NotFound: no such queue. RateLimited: too many today.
            Conflict: a conversation is open, and what was said with this beginning belongs there.
        """
        if start.queue not in self._settings.queues:
            raise NotFound(f"There is no queue {start.queue!r}.")
        if not 8 <= len(start.client_id) <= 64:
            raise BadRequest("A conversation needs a client_id of 8 to 64 characters.")
        form = forms.checked(start.form, self._settings.company.country)
        text = without_cards(start.text.replace("\x00", "")).strip()
        if len(text) > self._settings.limits.message_chars:
            raise TooLarge(f"A message holds at most {self._settings.limits.message_chars:,} characters.")

        async def unit(tx: UnitOfWork) -> Started:
            visitor = await self._visitor_of(tx, start, form)
            known = await self._known(tx, start, visitor)
            if known is not None:
                return Started(interaction=known, visitor=visitor, is_new=False)
            return await self._begin(tx, start, visitor, form, text)

        return await self._store.write(unit)

    async def _visitor_of(self, tx: UnitOfWork, start: ChatStart, form: dict[str, str]) -> VisitorId:
        """Return the visitor, made now if they are nobody yet."""
        if start.visitor is not None:
            return start.visitor
        known = await tx.select(VISITORS, "WHERE channel = $1 AND token_hash = $2", start.channel, start.token_hash)
        if known and known[0].created_at + _REPEATED_MS < tx.now:
            raise Conflict("This conversation was begun long ago.")
        if known:
            return await _visitor_id(tx, known[0])
        visitor_id = new_id("v")
        addresses = [Address(kind=AddressKind.CHAT, value=visitor_id)]
        if start.identity is not None:
            addresses = [*_signed_addresses(start.channel, start.identity, self._settings), *addresses]
        customer, _ = await people.resolve(
            tx,
            addresses,
            name=(start.identity.name if start.identity else "") or form.get("name", ""),
            language=start.language,
        )
        visitor = Visitor(
            id=visitor_id,
            token_hash=start.token_hash,
            channel=start.channel,
            customer=customer.id,
            created_at=tx.now,
            seen_at=tx.now,
            subject=start.identity.subject if start.identity else "",
            language=start.language,
        )
        await tx.insert(VISITORS, visitor)
        tx.record(EventKind.VISITOR_CREATED, actor="customer", customer=customer.id)
        return await _visitor_id(tx, visitor)

    async def _known(self, tx: UnitOfWork, start: ChatStart, visitor: VisitorId) -> Interaction | None:
        found = await tx.select(
            INTERACTIONS,
            "WHERE channel = $1 AND address = $2 AND (provider_id = $3 OR ended_at IS NULL) "
            "ORDER BY created_at DESC LIMIT 5",
            start.channel,
            visitor.id,
            start.client_id,
        )
        for interaction in found:
            if interaction.provider_id == start.client_id:
                return interaction
        is_open = [interaction for interaction in found if interaction.accepts_customer_messages]
        if is_open and (start.text or start.form.get("message")):
            raise Conflict("A conversation is open. Say it there.")
        if is_open:
            return is_open[0]
        begun = "SELECT 1 FROM interactions WHERE channel = $1 AND provider_id = $2 AND provider_id <> ''"
        if await tx.fetch_one(begun, start.channel, start.client_id):
            raise Conflict("Somebody else has begun a conversation with this client_id.")
        return None

    async def _begin(
        self, tx: UnitOfWork, start: ChatStart, visitor: VisitorId, form: dict[str, str], text: str
    ) -> Started:
        customer = await people.survivor(tx, visitor.customer)
        await self._check_rate(tx, start, visitor)
        customer = await forms.keep(tx, customer, form, text)
        previous = await tx.select(
            INTERACTIONS,
            "WHERE channel = $1 AND address = $2 ORDER BY created_at DESC LIMIT 1",
            start.channel,
            visitor.id,
        )
        before = previous[0] if previous else None
        interaction_id = new_id("i")
        interaction = Interaction(
            id=interaction_id,
            channel=start.channel,
            kind="chat",
            customer=customer.id,
            queue=start.queue,
            state=State.CREATED,
            created_at=tx.now,
            address=visitor.id,
            provider_id=start.client_id,
            subject=forms.subject(form),
            language=start.language,
            tier=customer.tier,
            needs=moves.needs_of(self._settings, start.channel),
            queued_at=tx.now,
            root=before.root if before else interaction_id,
            previous=before.id if before else None,
            last_agent=before.last_agent if before else None,
            is_message=start.is_message,
        )
        tx.record(
            EventKind.INTERACTION_CREATED,
            actor="customer",
            interaction=interaction.id,
            customer=customer.id,
            queue=start.queue,
            channel=start.channel,
            channel_kind=interaction.kind,
        )
        tx.touch(customer)
        await forms.note(tx, interaction, customer, form, text)
        interaction = await _with_opening(tx, interaction, start, form, text)
        if self.self_service is not None and self._has_flow(start):
            interaction = await self.self_service.begin(tx, interaction, start.flow, forms.opening(form, text))
            return Started(interaction=interaction, visitor=visitor, is_new=True)
        interaction = await moves.say_system(tx, interaction, "message_left" if start.is_message else "waiting")
        interaction = await moves.enter_queue(tx, interaction, "message" if start.is_message else "arrival")
        await tx.insert(INTERACTIONS, interaction)
        return Started(interaction=interaction, visitor=visitor, is_new=True)

    def _has_flow(self, start: ChatStart) -> bool:
        """Whether a conversation begins in self-service: its site says so, and somebody waits for an answer now."""
        flows = self.self_service
        return flows is not None and bool(start.flow) and not start.is_message and flows.library.has(start.flow)

    async def _check_rate(self, tx: UnitOfWork, start: ChatStart, visitor: VisitorId) -> None:
        row = await tx.fetch_one(
            "SELECT coalesce(sum(last_n), 0), count(*) FROM interactions "
            "WHERE channel = $1 AND address = $2 AND created_at > $3",
            start.channel,
            visitor.id,
            tx.now - _DAY_MS,
        )
        if row is not None and (row[0] >= self._settings.limits.visitor_messages_per_day or row[1] >= 50):
            raise RateLimited(3_600)

    def say(
        self,
        interaction: str,
        visitor: VisitorId,
        client_id: str,
        text: str,
        *,
        choice: str = "",
        files: Sequence[FileRef] = (),
    ) -> "asyncio.Future[Message]":
        """Store what the visitor says; resolves after the commit (see `Messages.say`)."""
        return self._messages.say(
            Words(
                interaction=interaction,
                author=Author.CUSTOMER,
                client_id=client_id,
                text=text,
                address=visitor.id,
                choice=clean_choice(choice),
                files=tuple(files),
            )
        )

    async def current(self, channel: str, visitor: VisitorId) -> Interaction | None:
        """Return the visitor's latest conversation, open or ended."""

        async def unit(tx: UnitOfWork) -> Interaction | None:
            found = await tx.select(
                INTERACTIONS,
                "WHERE channel = $1 AND address = $2 ORDER BY created_at DESC LIMIT 1",
                channel,
                visitor.id,
            )
            return found[0] if found else None

        return await self._store.read(unit)

    async def of_visitor(self, interaction: str, visitor: VisitorId) -> Interaction:
        """Return a conversation of this visitor.

        Raises:
            NotFound: there is none, or it is somebody else's: both look the same.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            found = await tx.get(INTERACTIONS, interaction)
            if found is None or found.address != visitor.id:
                raise NotFound("There is no such conversation.")
            return found

        return await self._store.read(unit)

    async def history(
        self, interaction: str, *, after: int = 0, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return messages in order: those after a number, or the last ones before one."""

        async def unit(tx: UnitOfWork) -> list[Message]:
            return await history(tx, interaction, after=after, before=before, limit=limit)

        return await self._store.read(unit)

    async def seen(self, interaction: str, visitor: VisitorId, n: int) -> None:
        """Note that the visitor has read up to message `n`."""

        async def unit(tx: UnitOfWork) -> None:
            found = await tx.get(INTERACTIONS, interaction, lock=True)
            if found is None or found.address != visitor.id:
                raise NotFound("There is no such conversation.")
            reached = min(n, found.last_n)
            if reached > found.reached_n:
                tx.record(
                    EventKind.MESSAGES_SEEN,
                    actor="customer",
                    interaction=found.id,
                    customer=found.customer,
                    n=reached,
                    by="customer",
                )
                await tx.save(INTERACTIONS, msgspec.structs.replace(found, reached_n=reached))

        await self._store.write(unit)

    async def end(self, interaction: str, visitor: VisitorId) -> Interaction:
        """The visitor ends the conversation; ending it again changes nothing.

        Raises:
            NotFound: it is not this visitor's.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            found = await moves.interaction_for_change(tx, interaction)
            if found.address != visitor.id:
                raise NotFound("There is no such conversation.")
            await moves.cancel_job(tx, "visitor_gone", interaction)
            if found.state is State.SELF_SERVICE and self.self_service is not None:
                return await self.self_service.left(tx, found)
            if found.state is State.HELD and self.self_service is not None:
                found = await self.self_service.put(tx, found, HungUp("hung up"))
            return await self._handling.customer_left(tx, found)

        return await self._store.write(unit)

    async def visitor_gone(self, interaction: str) -> None:
        """The visitor's last line is cut: a waiting conversation is given up after a time of grace, kept durably."""
        await self._given_up.say(interaction, GONE_AFTER_S * 1000)

    async def visitor_back(self, interaction: str) -> None:
        """The visitor's line is up again: nothing is given up."""
        await self._given_up.say(interaction, None)

    async def catch_up(self) -> None:
        """Write who came and went while the database was away."""
        await self._given_up.catch_up()

    async def _give_up_after(self, interaction: str, after_ms: int | None) -> None:
        async def unit(tx: UnitOfWork) -> None:
            if after_ms is None:
                await moves.cancel_job(tx, "visitor_gone", interaction)
            else:
                await moves.schedule(tx, "visitor_gone", interaction, tx.now + after_ms)

        await self._store.write(unit)

    async def after_restart(self) -> None:
        """Give every visitor who waits the time of grace to come back after the hub was away."""

        async def unit(tx: UnitOfWork) -> None:
            waiting = await tx.select(
                INTERACTIONS,
                "WHERE ended_at IS NULL AND kind = 'chat' AND state IN ('self_service', 'queued', 'offered')",
            )
            for interaction in waiting:
                if not interaction.is_message:
                    await moves.schedule(tx, "visitor_gone", interaction.id, tx.now + GONE_AFTER_S * 1000)

        await self._store.write(unit)

    async def give_up(self, interaction: str) -> None:
        """End a conversation whose visitor left while waiting; one that was answered meanwhile goes on."""

        async def unit(tx: UnitOfWork) -> None:
            found = await moves.interaction_for_change(tx, interaction)
            if found.state in {State.QUEUED, State.OFFERED} and not found.is_message:
                await self._handling.customer_left(tx, found, actor="timer:visitor_gone")
            elif found.state is State.SELF_SERVICE and self.self_service is not None:
                await self.self_service.left(tx, found, actor="timer:visitor_gone")

        await self._store.write(unit)

    def typing(self, interaction: str, *, typing: bool, text: str = "") -> None:
        """The visitor types, or stops."""
        self._signals.publish(
            "typing", interaction=interaction, who="customer", name="", typing=typing, text=text[:500]
        )

    def waiting(self, interaction: str) -> Waiting:
        """Return position and estimated wait of a waiting conversation."""
        return self._floor.waiting(interaction)

    def queue(self, queue: str) -> QueueView:
        """Return what customers may know of a queue."""
        return self._floor.queue_view(queue)

    def agent_name(self, agent: str | None) -> str:
        """Return the name customers see."""
        return self._floor.agent_name(agent)


async def history(
    tx: UnitOfWork, interaction: str, *, after: int = 0, before: int | None = None, limit: int = 50
) -> list[Message]:
    """Return messages of one interaction in order: those after a number, or the last `limit` before one."""
    if after:
        return await tx.select(
            MESSAGES, "WHERE interaction = $1 AND n > $2 ORDER BY n LIMIT $3", interaction, after, limit
        )
    found = await tx.select(
        MESSAGES, "WHERE interaction = $1 AND n < $2 ORDER BY n DESC LIMIT $3", interaction, before or 2**31, limit
    )
    return found[::-1]


async def _visitor_id(tx: UnitOfWork, visitor: Visitor) -> VisitorId:
    customer = await tx.get(CUSTOMERS, visitor.customer)
    return VisitorId(
        id=visitor.id,
        customer=visitor.customer,
        name=customer.name if customer else "",
        language=visitor.language,
        is_signed=bool(visitor.subject),
    )


async def _join_anonymous(tx: UnitOfWork, customer: Customer, visitor: Visitor) -> None:
    """What the visitor said before signing in is the signed customer's too; the merge can be undone like any other."""
    anonymous = await people.survivor(tx, visitor.customer)
    if anonymous.id == customer.id or visitor.subject:
        return
    kinds = await tx.fetch("SELECT DISTINCT kind FROM addresses WHERE customer = $1", anonymous.id)
    if [row[0] for row in kinds] == [AddressKind.CHAT]:
        await merging.join(tx, customer, anonymous, "customer")


def _signed_addresses(channel: str, identity: SignedIdentity, settings: Settings) -> list[Address]:
    """Return the addresses the site vouches for: its own id for the customer first, which decides."""
    found = [Address(kind=AddressKind.SITE, value=f"{channel}:{identity.subject}"[:254], is_verified=True)]
    if identity.email:
        found.append(
            Address(kind=AddressKind.EMAIL, value=normalized(AddressKind.EMAIL, identity.email), is_verified=True)
        )
    if identity.phone:
        value = normalized(AddressKind.PHONE, identity.phone, region=settings.company.country)
        found.append(Address(kind=AddressKind.PHONE, value=value, is_verified=True))
    return found


async def _with_opening(
    tx: UnitOfWork, interaction: Interaction, start: ChatStart, form: dict[str, str], text: str
) -> Interaction:
    """Store the visitor's first words."""
    opening = forms.opening(form, text)
    if opening:
        message = Message(
            interaction=interaction.id,
            n=1,
            at=tx.now,
            author=Author.CUSTOMER,
            text=opening,
            client_id=start.client_id,
            choice=clean_choice(start.choice),
        )
        await tx.insert(MESSAGES, message)
        moves.message_stored(tx, interaction, message)
        interaction = msgspec.structs.replace(
            interaction, last_n=1, last_at=tx.now, last_from="customer", waits_since=tx.now
        )
    if start.is_message:
        tx.record(
            EventKind.MESSAGE_LEFT,
            actor="customer",
            interaction=interaction.id,
            customer=interaction.customer,
            queue=interaction.queue,
        )
    return interaction
