"""A believable past: customers with conversations that are over, written as the hub itself would have written them.

Each customer's history is one unit of work whose clock is put back, so that all of it takes a second or two.
"""

import base64
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from channels.simulator.people import Person, new_person
from channels.simulator.scripts import Library, Script
from hub.domain.customers import Address, AddressKind, Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.domain.messages import Author, Message, Note
from hub.domain.offer import Offer, OfferState
from hub.domain.segments import Segment, SegmentKind
from hub.domain.visitors import Visitor
from hub.services.wording import worded
from hub.settings import AgentSettings, Settings
from hub.storage.tables import ADDRESSES, CUSTOMERS, INTERACTIONS, MESSAGES, NOTES, OFFERS, SEGMENTS, VISITORS
from hub.storage.unit_of_work import Store, UnitOfWork

CUSTOMERS_MADE: Final = 32
LANGUAGES: Final = ("en", "zh", "en")
"""Languages of the customers who come back, in turn."""
_DAYS: Final = 28
_VISITS: Final = (1, 1, 2, 1, 3, 1, 2, 4)
_TAGS: Final = ("winter camping", "guide", "school", "club", "canoe", "repairs himself", "wholesale", "family")
_COMPANIES: Final = ("Hillcrest Guiding Ltd", "Scouts 4th Kendal", "Lakeside School", "山行俱乐部")


def visitor_token(secret: bytes) -> str:
    """Return a visitor's token made of 32 bytes, as a browser would have kept it."""
    return "v1_" + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


@dataclass(slots=True, kw_only=True)
class _Life:
    """One customer to be written, with everything about them."""

    person: Person
    token: str
    tier: str
    visits: list[tuple[int, Script]]
    chance: random.Random
    customer: str = field(default_factory=lambda: new_id("c"))
    visitor: str = field(default_factory=lambda: new_id("v"))


async def seed(store: Store, settings: Settings, library: Library, tokens: Sequence[str]) -> int:
    """Write the past unless there are customers already; returns how many were made.

    `tokens` are kept by browsers of the first customers, who are known again when they come back.
    """

    async def count(tx: UnitOfWork) -> int:
        row = await tx.fetch_one("SELECT count(*) FROM customers")
        return int(row[0]) if row else 0

    if await store.read(count) or not settings.channels:
        return 0
    for life in _lives(settings, library, tokens, await store.read(_now)):
        notes = library.language(life.person.language).colleague["profile_note"]
        await store.write(_Writer(settings, life, notes).write)
    return CUSTOMERS_MADE


async def _now(tx: UnitOfWork) -> int:
    return tx.now


def _lives(settings: Settings, library: Library, tokens: Sequence[str], now: int) -> list[_Life]:
    chance = random.Random(7)  # noqa: S311 - a simulation, not a secret
    tiers = ["", *settings.tiers]
    lives = []
    for number in range(CUSTOMERS_MADE):
        language = LANGUAGES[number % len(LANGUAGES)]
        person = new_person(9_000 + number, library, [language], chance)
        visits = sorted(_moment(settings, now, number, chance) for _ in range(_VISITS[number % len(_VISITS)]))
        lives.append(
            _Life(
                person=person,
                token=tokens[number] if number < len(tokens) else visitor_token(chance.randbytes(32)),
                tier=chance.choices(tiers, [3.0, *(2.0 / rank for rank in range(1, len(tiers)))])[0],
                visits=[(at, library.pick(language, chance)) for at in visits],
                chance=random.Random(chance.random()),  # noqa: S311
            )
        )
    return lives


def _moment(settings: Settings, now: int, number: int, chance: random.Random) -> int:
    """Return an instant in shop hours of the last weeks; every sixth customer wrote within the last hours."""
    if number % 6 == 0:
        return now - chance.randrange(20 * 60_000, 4 * 3_600_000)
    zone = ZoneInfo(settings.company.zone)
    day = datetime.fromtimestamp(now / 1000, zone) - timedelta(days=chance.randrange(1, _DAYS))
    local = day.replace(hour=chance.randrange(8, 19), minute=chance.randrange(60), second=chance.randrange(60))
    return round(local.timestamp() * 1000)


class _Writer:
    """Writes one customer's history; a unit may be run twice, so every run begins with the same dice."""

    def __init__(self, settings: Settings, life: _Life, notes: Sequence[str]) -> None:
        self._settings = settings
        self._notes = notes
        self._life = life
        self._state = life.chance.getstate()
        self._facts_state = life.person.chance.getstate()
        self._channel = next(iter(settings.channels.values()))

    async def write(self, tx: UnitOfWork) -> None:
        """Write everything, with the clock put back."""
        life = self._life
        life.chance.setstate(self._state)
        life.person.chance.setstate(self._facts_state)
        now = tx.now
        tx.now = life.visits[0][0]
        await self._customer(tx)
        before: Interaction | None = None
        for at, script in life.visits:
            before = await self._conversation(tx, at, script, before)
        if life.chance.random() < 0.4:
            await self._note(tx)
        tx.now = now

    async def _customer(self, tx: UnitOfWork) -> None:
        life, person = self._life, self._life.person
        customer = Customer(
            id=life.customer,
            created_at=tx.now,
            name=person.name,
            language=person.language,
            tier=life.tier,
            company=life.chance.choice(_COMPANIES) if life.chance.random() < 0.15 else "",
            tags=tuple(life.chance.sample(_TAGS, life.chance.choice((0, 0, 1, 2)))),
            fields={"email": person.email, "order": person.facts["order"]},
        )
        await tx.insert(CUSTOMERS, customer)
        tx.record(EventKind.CUSTOMER_CREATED, customer=customer.id, actor="customer", address_kind="chat")
        addresses = [Address(kind=AddressKind.CHAT, value=life.visitor, customer=customer.id)]
        if life.chance.random() < 0.6:
            addresses.append(
                Address(kind=AddressKind.EMAIL, value=person.email, customer=customer.id, is_verified=True)
            )
        for address in addresses:
            await tx.execute(f"{ADDRESSES.insert} ON CONFLICT (kind, value) DO NOTHING", *ADDRESSES.values(address))
        visitor = Visitor(
            id=life.visitor,
            token_hash=hashlib.sha256(life.token.encode()).hexdigest(),
            channel=self._channel.id,
            customer=customer.id,
            created_at=tx.now,
            seen_at=life.visits[-1][0],
            language=person.language,
        )
        await tx.insert(VISITORS, visitor)
        tx.record(EventKind.VISITOR_CREATED, actor="customer", customer=customer.id)

    async def _conversation(self, tx: UnitOfWork, at: int, script: Script, before: Interaction | None) -> Interaction:
        life = self._life
        queue = script.topic if script.topic in self._settings.queues else next(iter(self._settings.queues))
        story = _Story(tx, life, script, queue, self._agent(queue), at)
        story.begin(self._channel.id, before)
        if life.chance.random() < 0.08:
            story.give_up()
        else:
            story.answer(self._settings.queues[queue].target_s)
            story.talk()
            story.close(self._outcome(queue))
        return await story.write()

    def _agent(self, queue: str) -> AgentSettings:
        speaks = self._life.person.language
        serving = [
            agent
            for agent in self._settings.agents.values()
            if agent.role != "admin" and (agent.queues is None or queue in agent.queues)
        ]
        fluent = [agent for agent in serving if speaks in agent.languages]
        return self._life.chance.choice(fluent or serving or list(self._settings.agents.values()))

    def _outcome(self, queue: str) -> str | None:
        fitting = [
            name
            for name, disposition in self._settings.dispositions.items()
            if (not disposition.queues or queue in disposition.queues) and name not in {"spam", "no_answer"}
        ]
        return self._life.chance.choice(fitting) if fitting else None

    async def _note(self, tx: UnitOfWork) -> None:
        life = self._life
        agent = self._agent(next(iter(self._settings.queues)))
        note = Note(
            id=new_id("n"),
            customer=life.customer,
            interaction=None,
            author=agent.id,
            name=agent.name,
            text=life.chance.choice(self._notes),
            at=tx.now,
        )
        tx.record(EventKind.NOTE_ADDED, actor=f"agent:{agent.id}", customer=life.customer, note=note.id)
        await tx.insert(NOTES, note)


class _Story:
    """One conversation as it was, told to the journal step by step."""

    def __init__(self, tx: UnitOfWork, life: _Life, script: Script, queue: str, agent: AgentSettings, at: int) -> None:
        self._tx = tx
        self._life = life
        self._script = script
        self._queue = queue
        self._agent = agent
        self._messages: list[Message] = []
        self._segments: list[Segment] = []
        self._offer: Offer | None = None
        self._ended: dict[str, object] = {}
        self._id = new_id("i")
        self._facts = {"interaction": self._id, "customer": life.customer, "queue": queue}
        self._started_at = tx.now = at
        self._base: Interaction

    def begin(self, channel: str, before: Interaction | None) -> None:
        """The customer writes and waits."""
        self._base = Interaction(
            id=self._id,
            channel=channel,
            kind="chat",
            customer=self._life.customer,
            queue=self._queue,
            state=State.QUEUED,
            created_at=self._started_at,
            address=self._life.visitor,
            provider_id=new_id("x"),
            language=self._life.person.language,
            tier=self._life.tier,
            queued_at=self._started_at,
            root=before.root if before else self._id,
            previous=before.id if before else None,
        )
        self._tx.record(
            EventKind.INTERACTION_CREATED, actor="customer", channel=channel, channel_kind="chat", **self._facts
        )
        opening = self._life.chance.choice(self._script.openings)
        self._say(Author.CUSTOMER, self._life.person.fill(opening), client_id=self._base.provider_id)
        self._system("waiting")
        self._tx.record(
            EventKind.INTERACTION_QUEUED, entry="arrival", channel_kind="chat", head_start_ms=0, **self._facts
        )

    def give_up(self) -> None:
        """Nobody answered in time."""
        self._pass(40, 150)
        self._segment(SegmentKind.QUEUED, "customer_left")
        self._ended = {
            "state": State.ABANDONED,
            "closing_reason": ClosingReason.CUSTOMER_LEFT,
            "ended_at": self._tx.now,
        }
        self._tx.record(
            EventKind.INTERACTION_ENDED,
            actor="customer",
            outcome="abandoned",
            reason="customer_left",
            wait_ms=self._tx.now - self._started_at,
            **self._facts,
        )

    def answer(self, target_s: float) -> None:
        """A colleague accepts."""
        self._pass(4, target_s * 1.15)
        self._segment(SegmentKind.QUEUED, "offered")
        made_at = self._tx.now
        offer_id = new_id("o")
        who = {**self._facts, "agent": self._agent.id}
        self._tx.record(EventKind.OFFER_MADE, offer=offer_id, deadline_at=made_at + 30_000, units=25, **_less(who))
        self._pass(1, 6)
        self._segment(SegmentKind.OFFERED, "accepted", agent=self._agent.id)
        rang_ms = self._tx.now - made_at
        actor = f"agent:{self._agent.id}"
        self._tx.record(
            EventKind.OFFER_ENDED,
            actor=actor,
            offer=offer_id,
            outcome="accepted",
            reason="",
            rang_ms=rang_ms,
            **_less(who),
        )
        waited = self._tx.now - self._started_at
        self._tx.record(
            EventKind.INTERACTION_ANSWERED,
            actor=actor,
            wait_ms=waited,
            in_target=waited <= target_s * 1000,
            offer_to_answer_ms=rang_ms,
            **who,
        )
        self._offer = Offer(
            id=offer_id,
            interaction=self._id,
            agent=self._agent.id,
            queue=self._queue,
            state=OfferState.ACCEPTED,
            made_at=made_at,
            deadline_at=made_at + 30_000,
            units=25,
            ended_at=self._tx.now,
        )
        self._system("joined", name=self._agent.name)
        self._ended = {"answered_at": self._tx.now, "agent": self._agent.id, "last_agent": self._agent.id}

    def talk(self) -> None:
        """Question and answer, as the script has it."""
        for theirs, mine in self._script.turns:
            self._pass(12, 50)
            self._say(Author.AGENT, theirs)
            if mine:
                self._pass(10, 45)
                self._say(Author.CUSTOMER, self._life.person.fill(mine))
        self._pass(5, 30)

    def close(self, disposition: str | None) -> None:
        """Wrap up."""
        self._system("closed")
        self._segment(SegmentKind.HANDLED, "handled", agent=self._agent.id)
        actor = f"agent:{self._agent.id}"
        who = {**self._facts, "agent": self._agent.id}
        handled_ms = self._tx.now - int(str(self._ended["answered_at"]))
        self._tx.record(EventKind.INTERACTION_WRAPPING, actor=actor, outcome="handled", handled_ms=handled_ms, **who)
        self._pass(8, 40)
        self._segment(SegmentKind.WRAP_UP, "handled", agent=self._agent.id)
        self._tx.record(
            EventKind.INTERACTION_ENDED,
            actor=actor,
            outcome="handled",
            reason="handled",
            disposition=disposition,
            **who,
        )
        self._ended |= {
            "state": State.CLOSED,
            "closing_reason": ClosingReason.HANDLED,
            "disposition": disposition,
            "ended_at": self._tx.now,
        }

    async def write(self) -> Interaction:
        """Store what was told."""
        spoken = [message for message in self._messages if message.author is not Author.SYSTEM]
        last = self._messages[-1].n
        done = msgspec.structs.replace(
            self._base,
            last_n=last,
            last_at=spoken[-1].at,
            last_from=str(spoken[-1].author),
            reached_n=last,
            read_n=last if self._offer else 0,
            **self._ended,
        )
        await self._tx.insert(INTERACTIONS, done)
        await self._tx.insert_many(MESSAGES, self._messages)
        await self._tx.insert_many(SEGMENTS, self._segments)
        if self._offer is not None:
            await self._tx.execute(OFFERS.insert, *OFFERS.values(self._offer))
        return done

    # -- details

    def _pass(self, least_s: float, most_s: float) -> None:
        self._tx.now += round(self._life.chance.uniform(least_s, most_s) * 1000)

    def _segment(self, kind: SegmentKind, outcome: str, *, agent: str | None = None) -> None:
        started_at = (self._segments[-1].ended_at or 0) if self._segments else self._started_at
        self._segments.append(
            Segment(
                id=new_id("s"),
                interaction=self._id,
                kind=kind,
                started_at=started_at,
                queue=self._queue,
                agent=agent,
                ended_at=self._tx.now,
                outcome=outcome,
            )
        )

    def _say(self, author: Author, text: str, *, client_id: str = "") -> None:
        is_agent = author is Author.AGENT
        message = Message(
            interaction=self._id,
            n=len(self._messages) + 1,
            at=self._tx.now,
            author=author,
            agent=self._agent.id if is_agent else None,
            name=self._agent.name if is_agent else "",
            text=text,
            client_id=client_id or new_id("x"),
        )
        self._messages.append(message)
        self._tx.record(
            EventKind.MESSAGE_STORED,
            actor=f"agent:{self._agent.id}" if is_agent else "customer",
            agent=message.agent,
            n=message.n,
            author=str(author),
            **self._facts,
        )

    def _system(self, code: str, name: str = "") -> None:
        text = worded(code, self._life.person.language, name=name)
        message = Message(
            interaction=self._id,
            n=len(self._messages) + 1,
            at=self._tx.now,
            author=Author.SYSTEM,
            name=name,
            code=code,
            text=text,
        )
        self._messages.append(message)
        self._tx.record(EventKind.MESSAGE_STORED, n=message.n, author="system", code=code, **self._facts)


def _less(who: dict[str, str]) -> dict[str, str]:
    """Return the facts of an offer's events, which name no customer."""
    return {name: value for name, value in who.items() if name != "customer"}
