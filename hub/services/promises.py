"""Promises to customers: made by flows and agents, kept or withdrawn by a person, or broken by the clock.

Every move locks the promise's row and sees how it stands: of two who end it in the same instant one does. An open one
has a durable timer at its due time; whatever ends it before takes the timer back. A broken one may still be kept, late,
or withdrawn; until then it needs somebody's attention.
"""

import hashlib

import msgspec

from hub.domain.customers import Customer
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Note
from hub.domain.promises import BY_PEOPLE, Promise, PromiseState
from hub.domain.redaction import without_cards
from hub.services import moves
from hub.services.access import Scope
from hub.services.people import seen_customer, survivor
from hub.services.wording import worded
from hub.settings import Settings
from hub.storage.tables import INTERACTIONS, NOTES, PROMISES
from hub.storage.unit_of_work import Store, UnitOfWork

TIMER = "promise_due"
MAX_TEXT = 500
LONGEST_MS = 366 * 86_400_000


class Promises:
    """The use cases of promises."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def make(
        self,
        customer_id: str,
        text: str,
        due_at: int,
        scope: Scope,
        *,
        interaction: str | None = None,
        queue: str = "",
        client_id: str = "",
    ) -> Promise:
        """Promise something until `due_at` (milliseconds since 1970 UTC); the queue has to keep it, else this agent.

        With the same `client_id` again nothing more is promised, and what is stored is returned.

        Raises:
            NotFound: no such customer, interaction or queue for this person. BadRequest: no words, or no such time.
        """
        text = _clean(text)
        if not text or len(text) > MAX_TEXT:
            raise BadRequest(f"A promise has 1 to {MAX_TEXT} characters.")
        if queue and queue not in self._settings.queues:
            raise NotFound(f"There is no queue {queue!r}.")

        named = _named(scope.actor, customer_id, client_id) if client_id else new_id("p")

        async def unit(tx: UnitOfWork) -> Promise:
            customer = await seen_customer(tx, customer_id, scope)
            await tx.be_alone(named)
            if (known := await tx.get(PROMISES, named)) is not None:
                return known
            if not tx.now < due_at <= tx.now + LONGEST_MS:
                raise BadRequest("A promise is due within the next year.")
            about = await tx.get(INTERACTIONS, interaction) if interaction else None
            if interaction and (about is None or about.customer != customer.id or not scope.sees(about)):
                raise NotFound("There is no such interaction.")
            return await _made(
                tx,
                Promise(
                    id=named,
                    customer=customer.id,
                    interaction=interaction,
                    text=text,
                    made_by=scope.actor,
                    made_at=tx.now,
                    due_at=due_at,
                    owner=f"queue:{queue}" if queue else scope.actor,
                ),
            )

        return await self._store.write(unit)

    async def end(self, promise_id: str, state: PromiseState, scope: Scope) -> Promise:
        """End a promise as kept (late, if it was broken) or withdrawn; repeated, what is stored is returned.

        Raises:
            NotFound: no such promise for this person. Conflict: a person ended it in another way. BadRequest: no such
                way.
        """
        if state not in BY_PEOPLE:
            raise BadRequest("A person keeps a promise or withdraws it.")

        async def unit(tx: UnitOfWork) -> Promise:
            promise = await tx.get(PROMISES, promise_id, lock=True)
            if promise is None or not await _is_seen(tx, promise, scope):
                raise NotFound("There is no such promise.")
            if promise.state is state:
                return promise
            if promise.state in BY_PEOPLE:
                raise Conflict(f"This promise is {promise.state} already.")
            return await _ended(tx, promise, state, scope.actor)

        return await self._store.write(unit)

    async def overdue(self, promise_id: str) -> None:
        """Its time is over: what is open still is broken, and colleagues read so beside what it was about."""

        async def unit(tx: UnitOfWork) -> None:
            promise = await tx.get(PROMISES, promise_id, lock=True)
            if promise is None or promise.state is not PromiseState.OPEN or promise.due_at > tx.now:
                return
            await _ended(tx, promise, PromiseState.BROKEN, "system")
            note = Note(
                id=new_id("n"),
                customer=promise.customer,
                interaction=promise.interaction,
                author="",
                name=self._owner(promise),
                text=worded("promise_broken", self._settings.company.default_language, text=promise.text),
                at=tx.now,
            )
            await tx.insert(NOTES, note)
            tx.record(
                EventKind.NOTE_ADDED, customer=note.customer, interaction=note.interaction, note=note.id, actor="system"
            )

        await self._store.write(unit)

    async def broken(self, scope: Scope, *, limit: int = 200) -> list[tuple[Promise, Customer]]:
        """Return what was not kept in time and nobody has kept or withdrawn since, the latest first, with whom.

        Raises:
            Forbidden: supervisors only.
        """
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> list[tuple[Promise, Customer]]:
            tail = "WHERE state = 'broken' ORDER BY due_at DESC, id LIMIT $1"
            found = [one for one in await tx.select(PROMISES, tail, limit) if await _is_seen(tx, one, scope)]
            return [(one, await survivor(tx, one.customer)) for one in found]

        return await self._store.read(unit)

    def _owner(self, promise: Promise) -> str:
        kind, _, name = promise.owner.partition(":")
        known = self._settings.agents.get(name) if kind == "agent" else self._settings.queues.get(name)
        return known.name if known is not None else name


async def promised(tx: UnitOfWork, interaction: Interaction, text: str, due_at: int, queue: str) -> None:
    """Store what a flow promises in an interaction; the queue has to keep it."""
    text = _clean(text)[:MAX_TEXT]
    if not text:
        return
    await _made(
        tx,
        Promise(
            id=new_id("p"),
            customer=interaction.customer,
            interaction=interaction.id,
            text=text,
            made_by="flow",
            made_at=tx.now,
            due_at=due_at,
            owner=f"queue:{queue}",
        ),
    )


async def _made(tx: UnitOfWork, promise: Promise) -> Promise:
    await tx.insert(PROMISES, promise)
    await moves.schedule(tx, TIMER, promise.id, promise.due_at)
    _record(tx, EventKind.PROMISE_MADE, promise, promise.made_by, due_at=promise.due_at)
    return promise


async def _ended(tx: UnitOfWork, promise: Promise, state: PromiseState, actor: str) -> Promise:
    ended = msgspec.structs.replace(promise, state=state, ended_at=tx.now, ended_by=actor)
    await moves.cancel_job(tx, TIMER, promise.id)
    _record(tx, EventKind.PROMISE_ENDED, promise, actor, outcome=str(state), late_ms=max(tx.now - promise.due_at, 0))
    return await tx.save(PROMISES, ended)


def _record(tx: UnitOfWork, kind: EventKind, promise: Promise, actor: str, **facts: str | int) -> None:
    tx.record(
        kind,
        actor=actor,
        customer=promise.customer,
        interaction=promise.interaction,
        agent=None,
        queue=None,
        promise=promise.id,
        **facts,
    )


async def _is_seen(tx: UnitOfWork, promise: Promise, scope: Scope) -> bool:
    """Whether this person may see the customer, and what it was promised in."""
    try:
        await seen_customer(tx, promise.customer, scope)
    except NotFound:
        return False
    about = await tx.get(INTERACTIONS, promise.interaction) if promise.interaction else None
    return about is None or scope.sees(about)


def _named(actor: str, customer: str, client_id: str) -> str:
    """Return the id of what somebody promised a customer under a client's id: the same each time it is said."""
    said = "\n".join((actor, customer, client_id))
    return f"p{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def _clean(text: str) -> str:
    return " ".join(without_cards(text.replace("\x00", "")).split())
