"""Flows at work: an interaction enters one, what the customer says goes to it, and it ends at a queue or solved.

The interpreter runs inside the unit of work that stores the message: message, answer, session and journal are committed
together or not at all. The session's row is locked for that long and no longer, so no message can be locked out, and a
message that is sent again is no message. Waiting and look-ups are durable timers: a restart goes on with them.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.customers import Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.messages import Author, Message
from hub.domain.segments import SegmentKind
from hub.domain.self_service import FlowSession
from hub.flows import phrases
from hub.flows.machine import new_session, step
from hub.flows.matching import Similar
from hub.flows.model import Medium
from hub.flows.phrases import base
from hub.flows.session import (
    Begin,
    BookCallback,
    EnterQueue,
    Fetch,
    HungUp,
    Input,
    LookedUp,
    MakePromise,
    Outcome,
    Posted,
    Said,
    SendMessage,
    Session,
    Stepped,
    TakeMessage,
    TimeUp,
    Wait,
)
from hub.flows.session import State as FlowState
from hub.flows.steps import SENT
from hub.flows.writing import Bubble
from hub.services import moves, people, promises
from hub.services.dispatching.floor import Floor
from hub.services.flows.letters import FlowLetters
from hub.services.flows.library import FlowLibrary
from hub.services.flows.sessions import cut_short, latest_session, open_session
from hub.services.flows.speech import PHONE_KIND, bubbles_of, medium_of, question_of
from hub.services.flows.traces import known_of, note, write_fields
from hub.services.texting import Texting
from hub.settings import Settings
from hub.storage.tables import FLOW_SESSIONS, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)

CODE: Final = "flow"
"""The code of messages that a flow says: a client shows them as what they are, the company speaking."""
LINE_GRACE_MS: Final = 180_000
"""How long after a caller's time is over a line that tells nothing is taken for silence: longer than any words."""


class Fetcher(Protocol):
    """Whoever asks the company's systems."""

    async def fetch(self, wish: Fetch) -> LookedUp:
        """Return what a look-up found; a system that does not answer is an answer too."""


class Callbacks(Protocol):
    """Whoever can call customers back."""

    async def book_callback(self, tx: UnitOfWork, interaction: Interaction, queue: str, phone: str) -> bool:
        """Queue a call to somebody who came by this interaction; False when there is no line or no such number."""


class Sending(Protocol):
    """Whoever can send a customer something on another channel."""

    async def send(
        self, tx: UnitOfWork, interaction: Interaction, customer: Customer, session: Session, wish: SendMessage
    ) -> Posted:
        """Send it if it may be sent, and tell what became of it."""


class SelfService:
    """Runs flows in interactions that are in self-service."""

    def __init__(self, store: Store, settings: Settings, floor: Floor, library: FlowLibrary) -> None:
        self._store = store
        self._settings = settings
        self._floor = floor
        self.library = library
        self.queues: Mapping[str, object] = {}
        self.fetcher: Fetcher | None = None
        self.callbacks: Callbacks | None = None
        self.texting: Texting | None = None
        self.sending: Sending | None = None
        self.letters: FlowLetters | None = None
        self.likeness: Similar | None = None

    def look(self) -> None:
        """Note how the queues stand, for the expressions of flows: units run where the floor cannot be asked."""
        found = {}
        for queue in self._settings.queues:
            last = self._floor.last_in(queue)
            found[queue] = {
                "open": self._floor.queue_view(queue).is_open,
                "waiting": self._floor.count_waiting(queue),
                "wait_s": self._floor.waiting(last).wait_s if last else None,
            }
        self.queues = found

    def similar(self, language: str) -> Similar | None:
        """Return what compares sentences of a language by meaning, where there is a model that knows it."""
        known = self._settings.flows.embeddings_languages
        return self.likeness if not known or base(language) in map(base, known) else None

    # -- in other services' units

    async def begin(self, tx: UnitOfWork, interaction: Interaction, flow: str, text: str) -> Interaction:
        """Let an interaction that was just created enter a flow; returns it as it stands then."""
        entered = moved(interaction, State.SELF_SERVICE, queued_at=None)
        await moves.begin_segment(tx, entered, SegmentKind.SELF_SERVICE)
        await tx.insert(INTERACTIONS, entered)
        return await self.enter(tx, entered, flow, text)

    async def enter(
        self, tx: UnitOfWork, interaction: Interaction, flow: str, text: str = "", *, by_agent: bool = False
    ) -> Interaction:
        """Begin a session for a stored interaction; sent by an agent the customer comes back to them."""
        book = self.library.published
        before = await latest_session(tx, interaction.id) if by_agent else None
        session = new_session(
            new_id("f"),
            book,
            flow,
            medium=medium_of(interaction),
            language=interaction.language or self._settings.company.default_language,
            now=tx.now,
            by_agent=by_agent,
            told=before[1].answers if before else None,
        )
        stored = _stored(session, interaction, book[flow].version)
        await tx.insert(FLOW_SESSIONS, stored)
        return await self._step(tx, interaction, stored, session, Begin("begin", text))

    async def give_back(self, tx: UnitOfWork, interaction: Interaction, reason: str) -> Interaction:
        """End the session an agent sent the customer into; they talk on where they still do."""
        found = await open_session(tx, interaction.id)
        if found is not None:
            await cut_short(tx, interaction, *found, reason, outcome=Outcome.HANDED_BACK)
        return await self._back(tx, interaction, reason)

    async def _back(self, tx: UnitOfWork, interaction: Interaction, outcome: str) -> Interaction:
        """Let agent and customer talk on; where neither is on hold any more there is nothing to do."""
        if interaction.state is not State.HELD:
            return await tx.save(INTERACTIONS, interaction)
        active = moved(interaction, State.ACTIVE)
        await moves.begin_segment(tx, active, SegmentKind.HANDLED, agent=active.agent, outcome=outcome)
        return await tx.save(INTERACTIONS, active)

    async def heard(self, tx: UnitOfWork, interaction: Interaction, message: Message) -> Interaction:
        """Hand a customer's message to the flow of its interaction; returns the interaction as it stands then."""
        found = await open_session(tx, interaction.id)
        if found is None and interaction.state is not State.SELF_SERVICE:
            return interaction
        if found is None:
            log.error("self-service without a session", extra={"interaction": interaction.id})
            return await self._to_queue(tx, interaction, "no_session")
        stored, session = found
        given = Said(id=f"m{message.n}", text=message.text, choice=message.choice)
        return await self._step(tx, interaction, stored, session, given)

    async def put(self, tx: UnitOfWork, interaction: Interaction, given: Input) -> Interaction:
        """Hand an input to the session of an interaction; returns the interaction as it stands then."""
        found = await open_session(tx, interaction.id)
        return await self._step(tx, interaction, *found, given) if found is not None else interaction

    async def take(
        self, tx: UnitOfWork, interaction: Interaction, found: tuple[FlowSession, Session], given: Input
    ) -> Interaction:
        """Hand an input to a session that was just read, unless it is over."""
        return interaction if found[1].is_over else await self._step(tx, interaction, *found, given)

    async def left(self, tx: UnitOfWork, interaction: Interaction, *, actor: str = "customer") -> Interaction:
        """The customer is gone: the session ends, and the interaction with it."""
        found = await open_session(tx, interaction.id)
        if found is None:
            return await self._ended(tx, interaction, State.ABANDONED, ClosingReason.CUSTOMER_LEFT, actor)
        stored, session = found
        return await self._step(tx, interaction, stored, session, HungUp("hung up"))

    async def taken_over(self, tx: UnitOfWork, interaction: Interaction, reason: str) -> Interaction:
        """A person steps in: an open session ends where it stands.

        What was in self-service waits in its queue then; a customer whom an agent had sent into a flow talks on.
        """
        found = await open_session(tx, interaction.id)
        if interaction.state is not State.SELF_SERVICE:
            return await self.give_back(tx, interaction, reason) if found is not None else interaction
        if found is not None:
            await cut_short(tx, interaction, *found, reason)
        return await self._to_queue(tx, interaction, reason)

    async def unreached(self, tx: UnitOfWork, interaction: Interaction) -> Interaction:
        """What a flow has said did not reach the customer, who waits for it: a person sees to it."""
        if interaction.state is not State.SELF_SERVICE:
            return interaction
        return await self.taken_over(tx, interaction, "unreached")

    # -- durable timers

    async def time_up(self, session_id: str) -> None:
        """The time a session gave its customer is over."""

        async def unit(tx: UnitOfWork) -> None:
            found = await self._found(tx, session_id)
            if found is None:
                return
            interaction, stored, session = found
            due = await tx.fetch_one("SELECT due_at FROM jobs WHERE id = $1", f"flow_wait:{session_id}")
            if due is None or int(due[0]) > tx.now:
                return  # it has moved on, and waits for something later
            if session.by_agent and interaction.state is not State.HELD:
                await cut_short(tx, interaction, stored, session, "customer_left", outcome=Outcome.ABANDONED)
                return
            given = TimeUp(f"t{session.timer}", session.timer)
            await self._step(tx, interaction, stored, session, given)

        await self._store.write(unit)

    async def fetch(self, session_id: str) -> None:
        """Ask what a session wants to look up, and tell it. Asked again after a restart; the session listens once."""

        async def wanted(tx: UnitOfWork) -> Fetch | None:
            stored = await tx.get(FLOW_SESSIONS, session_id)
            return msgspec.json.decode(stored.looking_up, type=Fetch) if stored and stored.looking_up else None

        wish = await self._store.read(wanted)
        if wish is None:
            return
        answer = (
            await self.fetcher.fetch(wish)
            if self.fetcher is not None
            else LookedUp(id=f"l{wish.id}", fetch=wish.id, outcome="failed")
        )

        async def unit(tx: UnitOfWork) -> None:
            found = await self._found(tx, session_id)
            if found is not None:
                interaction, stored, session = found
                await self._step(tx, interaction, stored, session, answer)

        await self._store.write(unit)

    # -- one step

    async def _found(self, tx: UnitOfWork, session_id: str) -> tuple[Interaction, FlowSession, Session] | None:
        stored = await tx.get(FLOW_SESSIONS, session_id)
        if stored is None or stored.ended_at is not None:
            return None
        interaction = await moves.interaction_for_change(tx, stored.interaction)
        found = await open_session(tx, interaction.id)
        return (interaction, *found) if found else None

    async def _step(
        self, tx: UnitOfWork, interaction: Interaction, stored: FlowSession, session: Session, given: Input
    ) -> Interaction:
        """Let the session take one input; store what comes of it, in the caller's unit."""
        customer = await people.survivor(tx, interaction.customer)
        known = {"customer": known_of(customer), "queues": self.queues, "now": self._now(tx.now)}
        unsent: list[str] = []
        try:
            await self.library.learn(tx, session.pins)
            book = self.library.book(session.pins)
            stepped = step(book, session, given, tx.now, known=known, similar=self.similar(session.language))
            while (wish := stepped.sending) is not None:
                posted = await self._send(tx, interaction, customer, stepped.session, wish)
                if posted.outcome != SENT:
                    unsent.append(f"Not sent by {wish.medium} ({posted.outcome}): {wish.text}")
                stepped = stepped.followed_by(step(book, stepped.session, posted, tx.now, known=known))
        except Exception:
            log.exception("a flow broke", extra={"interaction": interaction.id, "flow": stored.flow})
            return await self._broken(tx, interaction, stored, session, is_gone=isinstance(given, HungUp))
        if not stepped.is_heard:
            return interaction
        self._record(tx, interaction, stepped)
        interaction = await self._say(tx, interaction, stepped.session, bubbles_of(stepped))
        await self._save(tx, stored, stepped)
        customer = await write_fields(tx, customer, stepped)
        await note(tx, interaction, stepped, unsent)
        for promise in (wish for wish in stepped.wishes if isinstance(wish, MakePromise)):
            queue = promise.queue if promise.queue in self._settings.queues else interaction.queue
            await promises.promised(tx, interaction, promise.text, promise.due_at, queue)
        if stepped.session.is_over:
            return await self._leave(tx, interaction, stepped)
        if stepped.session.language != interaction.language:
            interaction = msgspec.structs.replace(interaction, language=stepped.session.language)
        return await tx.save(INTERACTIONS, interaction)

    async def _send(
        self, tx: UnitOfWork, interaction: Interaction, customer: Customer, session: Session, wish: SendMessage
    ) -> Posted:
        if self.sending is None:
            return Posted(id=f"p{wish.id}", send=wish.id, outcome="no_line")
        return await self.sending.send(tx, interaction, customer, session, wish)

    def _now(self, at: int) -> dict[str, object]:
        local = datetime.fromtimestamp(at / 1000, ZoneInfo(self._settings.company.zone))
        return {
            "date": local.date().isoformat(),
            "time": f"{local:%H:%M}",
            "hour": local.hour,
            "weekday": local.isoweekday(),
        }

    def _record(self, tx: UnitOfWork, interaction: Interaction, stepped: Stepped) -> None:
        for mark in stepped.marks:
            facts: dict[str, Any] = {"flow_version": stepped.session.pins[mark.flow], **mark.facts}
            tx.record(
                EventKind(mark.kind),
                actor="flow",
                interaction=interaction.id,
                customer=interaction.customer,
                queue=interaction.queue,
                flow=mark.flow,
                step=mark.step,
                **facts,
            )

    async def _say(
        self, tx: UnitOfWork, interaction: Interaction, session: Session, bubbles: Sequence[Bubble]
    ) -> Interaction:
        """Store what the flow says as messages; returns the interaction with its new count."""
        for bubble in bubbles:
            message = Message(
                interaction=interaction.id,
                n=interaction.last_n + 1,
                at=tx.now,
                author=Author.SYSTEM,
                name=self._settings.company.name,
                text=bubble.text,
                code=CODE,
                **question_of(session, bubble),
            )
            await tx.insert(MESSAGES, message)
            if self.texting is not None:
                await self.texting.post(tx, interaction, message, is_automatic=True)
            if self.letters is not None:
                await self.letters.post(tx, interaction, message)
            moves.message_stored(tx, interaction, message, actor="flow")
            interaction = msgspec.structs.replace(
                interaction, last_n=message.n, last_at=tx.now, last_from="system", waits_since=None
            )
        return interaction

    async def _save(self, tx: UnitOfWork, stored: FlowSession, stepped: Stepped) -> None:
        """Store the session and set its timers."""
        session = stepped.session
        fetch = next((wish for wish in stepped.wishes if isinstance(wish, Fetch)), None)
        wait = next((wish for wish in reversed(stepped.wishes) if isinstance(wish, Wait)), None)
        is_looking = bool(session.pending)
        after = msgspec.structs.replace(
            stored,
            step=session.frames[-1].step,
            state=str(session.state),
            stepped_at=tx.now,
            body=msgspec.json.encode(session).decode(),
            looking_up=msgspec.json.encode(fetch).decode() if fetch else stored.looking_up if is_looking else "",
            ended_at=session.ended_at,
            outcome=str(session.outcome or ""),
            reason=session.reason,
        )
        await tx.save(FLOW_SESSIONS, after)
        if session.is_over:
            await moves.cancel_job(tx, "flow_wait", stored.id)
            await moves.cancel_job(tx, "flow_fetch", stored.id)
            return
        if wait is not None:
            # On the phone the line itself tells of silence, once all was said: this is for lines that tell nothing.
            is_told = session.medium is Medium.PHONE and session.state is not FlowState.LOOKING_UP
            await moves.schedule(tx, "flow_wait", stored.id, wait.until + (LINE_GRACE_MS if is_told else 0))
        if fetch is not None:
            await moves.schedule(tx, "flow_fetch", stored.id, tx.now)

    # -- the ends

    async def _broken(
        self, tx: UnitOfWork, interaction: Interaction, stored: FlowSession, session: Session, *, is_gone: bool
    ) -> Interaction:
        """End a session that cannot go on: no message is ever locked out by a flow that broke.

        Whoever wrote a mail is told in one that a person sees to it; other channels say so where one waits.
        """
        await cut_short(tx, interaction, stored, session, "broken")
        if session.medium is Medium.EMAIL:
            told = [Bubble(phrases.said("person", session.language))]
            interaction = await self._say(tx, interaction, session, told)
        if session.by_agent:
            return await self._back(tx, interaction, "broken")
        if is_gone:
            return await self._ended(tx, interaction, State.ABANDONED, ClosingReason.CUSTOMER_LEFT, "customer")
        return await self._to_queue(tx, interaction, "broken")

    async def _leave(self, tx: UnitOfWork, interaction: Interaction, stepped: Stepped) -> Interaction:
        """Lead the interaction to where the session ended."""
        if stepped.session.by_agent:
            return await self._back(tx, interaction, f"flow_{stepped.session.reason}")
        wish = next(
            (wish for wish in stepped.wishes if isinstance(wish, EnterQueue | BookCallback | TakeMessage)), None
        )
        if stepped.session.outcome is Outcome.RESOLVED:
            return await self._ended(tx, interaction, State.RESOLVED, ClosingReason.SELF_SERVED, "flow")
        if wish is None:
            return await self._ended(tx, interaction, State.ABANDONED, ClosingReason.CUSTOMER_LEFT, "customer")
        queue = wish.queue if wish.queue in self._settings.queues else interaction.queue
        if isinstance(wish, BookCallback) and await self._called_back(tx, interaction, queue, wish.phone):
            return await self._ended(tx, interaction, State.CALLBACK_BOOKED, ClosingReason.CALLBACK_BOOKED, "flow")
        if isinstance(wish, TakeMessage) and wish.recording:
            # The recording becomes work of its own in that queue, once the carrier has it.
            interaction = msgspec.structs.replace(interaction, queue=queue)
            return await self._ended(tx, interaction, State.RESOLVED, ClosingReason.MESSAGE_LEFT, "flow")
        is_message = not isinstance(wish, EnterQueue) and interaction.kind != PHONE_KIND
        head_start_ms = round(wish.head_start_s * 1000) if isinstance(wish, EnterQueue) else 0
        reason = wish.reason if isinstance(wish, EnterQueue) else str(stepped.session.outcome)
        if is_message:
            tx.record(
                EventKind.MESSAGE_LEFT,
                actor="customer",
                interaction=interaction.id,
                customer=interaction.customer,
                queue=queue,
            )
        needs = interaction.needs.plus(wish.skills) if isinstance(wish, EnterQueue) else interaction.needs
        return await self._to_queue(
            tx,
            interaction,
            reason,
            queue=queue,
            head_start_ms=head_start_ms,
            is_message=is_message or medium_of(interaction) is Medium.EMAIL,
            needs=needs,
        )

    async def _called_back(self, tx: UnitOfWork, interaction: Interaction, queue: str, phone: str) -> bool:
        return self.callbacks is not None and await self.callbacks.book_callback(tx, interaction, queue, phone)

    async def _to_queue(self, tx: UnitOfWork, interaction: Interaction, reason: str, **changes: object) -> Interaction:
        """Put the interaction in its queue, where a person takes it from here."""
        moved(interaction, State.QUEUED)
        after = await moves.enter_queue(
            tx, interaction, "self_service", outcome=reason, queued_at=tx.now, waits_since=tx.now, **changes
        )
        if medium_of(interaction) is not Medium.EMAIL:  # nobody would get it: a letter says it, or nothing does
            after = await moves.say_system(tx, after, "message_left" if after.is_message else "waiting")
        return await tx.save(INTERACTIONS, after)

    async def _ended(
        self, tx: UnitOfWork, interaction: Interaction, state: State, reason: ClosingReason, actor: str
    ) -> Interaction:
        ended = moved(interaction, state, closing_reason=reason, ended_at=tx.now, waits_since=None)
        await moves.end_segments(tx, interaction.id, str(reason))
        tx.record(
            EventKind.INTERACTION_ENDED,
            actor=actor,
            interaction=interaction.id,
            customer=interaction.customer,
            outcome=str(state),
            reason=str(reason),
        )
        return await tx.save(INTERACTIONS, ended)


def _stored(session: Session, interaction: Interaction, version: str) -> FlowSession:
    return FlowSession(
        id=session.id,
        interaction=interaction.id,
        customer=interaction.customer,
        flow=session.flow,
        flow_version=version,
        step="",
        state=str(session.state),
        started_at=session.started_at,
        stepped_at=session.started_at,
        body=msgspec.json.encode(session).decode(),
    )
