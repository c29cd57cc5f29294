"""The floor this moment, in memory: open interactions, agents, live offers, the day's figures.

Loaded from the database once, then kept by what each commit announces: no query on the hot path. A floor kept this way
equals a floor loaded afresh at any time (invariant 7); a test proves it for every service call.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from sys import intern
from zoneinfo import ZoneInfo

import msgspec

from hub.contract import QueueView, Waiting
from hub.domain.agent import Agent, RoutingStatus, routing_status
from hub.domain.calls import Call, Direction, Leg
from hub.domain.customers import Customer
from hub.domain.events import Event, EventKind
from hub.domain.interaction import WAITING, Interaction, Needs, State
from hub.domain.messages import MOVED, Author, Message
from hub.domain.offer import Offer, OfferState
from hub.events import Commit
from hub.services.dispatching.figures import COUNTED, QueueFigures
from hub.services.dispatching.lines import Line
from hub.settings import Settings
from hub.storage import journal
from hub.storage.tables import AGENTS, CALLS, CUSTOMERS, INTERACTIONS, LEGS, MESSAGES, OFFERS
from hub.storage.unit_of_work import Store, UnitOfWork

PREVIEW = 140
WINDOW = 500
"""So many of those who wait in a queue, the earliest, are in lists: what nobody could look through need not be sent."""
_MOST_NEEDS = 1_000
Key = tuple[str, str]
Watcher = Callable[[Commit, set[Key]], None]


class Brief(msgspec.Struct, frozen=True):
    """What a list shows of a customer."""

    name: str
    tier: str
    language: str


class Floor:
    """The read model of now. Instants are milliseconds since 1970 UTC."""

    window = WINDOW

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.interactions: dict[str, Interaction] = {}
        self.agents: dict[str, Agent] = {}
        self.offers: dict[str, Offer] = {}
        self.customers: dict[str, Brief] = {}
        self.previews: dict[str, str] = {}
        self.unread: dict[str, tuple[int, ...]] = {}
        self.calls: dict[str, Call] = {}
        self._legs: dict[str, dict[str, Leg]] = {}
        self._previewed: dict[str, int] = {}
        self.figures: dict[str, QueueFigures] = {queue: QueueFigures() for queue in settings.queues}
        self.handled: dict[str, int] = {}
        self.history: dict[str, list[int]] = {queue: [] for queue in settings.queues}
        self.seq = 0
        self.violations = 0
        self.place: Callable[[str], Waiting] = lambda _interaction: Waiting()
        self.hours: Callable[[str], tuple[bool, int | None]] = lambda _queue: (True, None)
        self._work: dict[str, dict[str, None]] = {}
        self._agent_offers: dict[str, dict[str, None]] = {}
        self._of_customer: dict[str, tuple[str, ...]] = {}
        self._waiting = {queue: Line(self.window) for queue in settings.queues}
        self._shifted: list[str] = []
        """Who came into a window, or left it, for somebody else's sake."""
        self._needs: dict[bytes, Needs] = {}
        self._watchers: list[Watcher] = []
        self._zone = ZoneInfo(settings.company.zone)
        self.day_began_at = self._day_ends_at = 0

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with every commit and the rows (table, id) it changed, after they changed here."""
        self._watchers.append(watcher)

    async def load(self, store: Store) -> None:
        """Read everything afresh."""

        async def unit(tx: UnitOfWork) -> None:
            row = await tx.fetch_one("SELECT coalesce(max(seq), 0) FROM journal")
            self.seq = int(row[0]) if row else 0
            for agent in await tx.select(AGENTS, "WHERE is_active = $1", True):
                self.agents[agent.id] = agent
            for offer in await tx.select(OFFERS, "WHERE state = 'pending'"):
                self._put_offer(offer)
            is_open = await tx.select(INTERACTIONS, "WHERE ended_at IS NULL ORDER BY created_at, id")
            for interaction in is_open:
                self._put_interaction(interaction)
            await self._load_texts(tx, [interaction.id for interaction in is_open])
            await self._load_calls(tx, [interaction.id for interaction in is_open])
            wanted = sorted({interaction.customer for interaction in is_open})
            for customer in await tx.select(CUSTOMERS, "WHERE id ANY_OF($1)", wanted):
                self.customers[customer.id] = _brief(customer)
            self.begin_day(tx.now)
            for event in await journal.since(tx, self.day_began_at, [str(kind) for kind in COUNTED]):
                self._count(event)

        await store.read(unit)

    async def _load_texts(self, tx: UnitOfWork, ids: list[str]) -> None:
        """Load what the list shows of conversations: the last words, and which are unread."""
        last = await tx.select(
            MESSAGES,
            "WHERE interaction ANY_OF($1) AND author <> 'system' AND n = (SELECT max(n) FROM messages AS m "
            "WHERE m.interaction = messages.interaction AND m.author <> 'system')",
            ids,
        )
        for message in last:
            self.previews[message.interaction] = _preview(message)
            self._previewed[message.interaction] = message.n
        unread = await tx.fetch(
            "SELECT m.interaction, m.n FROM messages AS m JOIN interactions AS i ON i.id = m.interaction "
            "WHERE m.interaction ANY_OF($1) AND m.author = 'customer' AND m.n > i.read_n ORDER BY m.interaction, m.n",
            ids,
        )
        for interaction, n in unread:
            self.unread[interaction] = _plus(self.unread.get(interaction, ()), int(n))

    async def _load_calls(self, tx: UnitOfWork, ids: list[str]) -> None:
        for call in await tx.select(CALLS, "WHERE id ANY_OF($1)", ids):
            self.calls[call.id] = call
        for leg in await tx.select(LEGS, "WHERE interaction ANY_OF($1)", ids):
            self._legs.setdefault(leg.interaction, {})[leg.id] = leg

    def begin_day(self, now: int) -> bool:
        """Start the day's figures afresh when the company's day has changed; return whether it had."""
        local = datetime.fromtimestamp(now / 1000, self._zone)
        began_at = round(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        if began_at == self.day_began_at:
            return False
        self.day_began_at = began_at
        tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), self._zone)
        self._day_ends_at = round(tomorrow.timestamp() * 1000)
        self.figures = {queue: QueueFigures() for queue in self.settings.queues}
        self.handled = {}
        return True

    def apply(self, commit: Commit) -> None:
        """Take in what a commit changed, then tell the watchers."""
        keys: set[Key] = set()
        parts = []
        for record in commit.records:
            if isinstance(record, Message | Call | Leg):
                parts.append(record)
            else:
                self._put(record, keys)
        for part in parts:
            # Behind their interaction, which the same commit may have begun.
            self._put(part, keys)
        for event in commit.events:
            self.seq = max(self.seq, event.seq)
            if event.kind in COUNTED:
                self._count_today(event, keys)
            elif event.kind in (EventKind.CUSTOMERS_MERGED, EventKind.MERGE_UNDONE) and event.customer:
                keys.add(("customers", event.customer))
        for watcher in self._watchers:
            watcher(commit, keys)

    def _count_today(self, event: Event, keys: set[Key]) -> None:
        if event.at >= self._day_ends_at:
            # What happens before the housekeeper has noticed midnight is the new day's.
            self.begin_day(event.at)
        if event.at < self.day_began_at:
            return
        self._count(event)
        if event.queue:
            keys.add(("queues", event.queue))
        if event.agent:
            keys.add(("agents", event.agent))

    def _put(self, record: object, keys: set[Key]) -> None:
        match record:
            case Interaction():
                before = self.interactions.get(record.id)
                self._put_interaction(record)
                keys.add(("interactions", record.id))
                while self._shifted:
                    keys.add(("interactions", self._shifted.pop()))
                if before is None or _work(before) != _work(record):
                    agents = {record.agent, before.agent if before else None} - {None}
                    keys.update(("agents", str(agent)) for agent in agents)
                if before is None or before.state is not record.state or before.queue != record.queue:
                    keys.update(("queues", queue) for queue in {record.queue, before.queue if before else record.queue})
            case Message():
                self._put_message(record)
                keys.add(("interactions", record.interaction))
            case Call() | Leg():
                self._put_call(record, keys)
            case Offer():
                self._put_offer(record)
                keys.update((("offers", record.id), ("agents", record.agent), ("interactions", record.interaction)))
            case Agent():
                self._put_agent(record, keys)
            case Customer():
                self.customers[record.id] = _brief(record)
                keys.update(("interactions", interaction) for interaction in self._of_customer.get(record.id, ()))
                keys.add(("customers", record.id))

    def _put_agent(self, agent: Agent, keys: set[Key]) -> None:
        before = self.agents.get(agent.id)
        if agent.is_active:
            self.agents[agent.id] = agent
        else:
            self.agents.pop(agent.id, None)
        keys.add(("agents", agent.id))
        if before is None or _counted(before) != _counted(agent):
            served = [one for one in (before, agent) if one is not None]
            keys.update(("queues", q) for q in self.settings.queues if any(one.serves(q) for one in served))

    def _put_interaction(self, interaction: Interaction) -> None:
        before = self.interactions.get(interaction.id)
        if before is not None:
            self._unlist(before, interaction)
        if not interaction.is_open:
            self._line_up(interaction, _waits(before), None)
            self.interactions.pop(interaction.id, None)
            self.previews.pop(interaction.id, None)
            self._previewed.pop(interaction.id, None)
            self.unread.pop(interaction.id, None)
            self.calls.pop(interaction.id, None)
            self._legs.pop(interaction.id, None)
            self._forget_customers()
            return
        if before is None or interaction.state in WAITING:
            interaction = self._shared(interaction, before or interaction)
        if before is None or before.customer != interaction.customer:
            self._of_customer[interaction.customer] = (*self._of_customer.get(interaction.customer, ()), interaction.id)
        self.interactions[interaction.id] = interaction
        if interaction.agent is not None:
            self._work.setdefault(interaction.agent, {})[interaction.id] = None
        self._line_up(interaction, _waits(before), _waits(interaction))
        unread = self.unread.get(interaction.id)
        if unread and (before is None or before.read_n != interaction.read_n):
            self.unread[interaction.id] = tuple(n for n in unread if n > interaction.read_n)

    def _shared(self, interaction: Interaction, known: Interaction) -> Interaction:
        """Return it with the values that many have in common, so that those who wait in great numbers take less.

        Its ids are those by which it is `known` here already.
        """
        text = msgspec.json.encode(interaction.needs)
        if len(self._needs) > _MOST_NEEDS:
            self._needs.clear()
        return msgspec.structs.replace(
            interaction,
            id=known.id,
            customer=known.customer if known.customer == interaction.customer else interaction.customer,
            channel=intern(interaction.channel),
            kind=intern(interaction.kind),
            queue=intern(interaction.queue),
            language=intern(interaction.language),
            tier=intern(interaction.tier),
            last_from=intern(interaction.last_from),
            root=known.id if interaction.root == known.id else interaction.root,
            needs=self._needs.setdefault(text, interaction.needs),
        )

    def _line_up(self, interaction: Interaction, before: tuple[str, int] | None, now: tuple[str, int] | None) -> None:
        """Let it stand where it waits now, and not where it did."""
        if before == now:
            return
        shifted = []
        if before is not None:
            shifted.append(self._waiting[before[0]].remove(before[1], interaction.id))
        if now is not None:
            line = self._waiting.setdefault(now[0], Line(self.window))
            shifted.append(line.add(now[1], interaction.id))
        self._shifted += [one for one in shifted if one is not None]

    def _unlist(self, interaction: Interaction, after: Interaction) -> None:
        if interaction.agent is not None:
            self._work.get(interaction.agent, {}).pop(interaction.id, None)
        if after.is_open and after.customer == interaction.customer:
            return
        mine = tuple(one for one in self._of_customer.get(interaction.customer, ()) if one != interaction.id)
        if mine:
            self._of_customer[interaction.customer] = mine
        else:
            self._of_customer.pop(interaction.customer, None)

    def _forget_customers(self) -> None:
        if len(self.customers) > 2 * len(self.interactions) + 1_000:
            needed = {interaction.customer for interaction in self.interactions.values()}
            self.customers = {key: brief for key, brief in self.customers.items() if key in needed}

    def _put_message(self, message: Message) -> None:
        interaction = self.interactions.get(message.interaction)
        if interaction is None:
            return
        if message.author is Author.SYSTEM:
            if message.code == MOVED:
                self._forget_message(message)
            return
        if message.n >= self._previewed.get(message.interaction, 0):
            self._previewed[message.interaction] = message.n
            self.previews[message.interaction] = _preview(message)
        if message.author is Author.CUSTOMER and message.n > interaction.read_n:
            unread = self.unread.get(message.interaction, ())
            if message.n not in unread:
                self.unread[message.interaction] = _plus(unread, message.n)

    def _forget_message(self, mark: Message) -> None:
        """A message is elsewhere now; the one that is last instead is announced in the same commit."""
        unread = self.unread.get(mark.interaction, ())
        if mark.n in unread:
            self.unread[mark.interaction] = tuple(n for n in unread if n != mark.n)
        if self._previewed.get(mark.interaction) == mark.n:
            self.previews.pop(mark.interaction, None)
            del self._previewed[mark.interaction]

    def _put_call(self, record: Call | Leg, keys: set[Key]) -> None:
        interaction = record.id if isinstance(record, Call) else record.interaction
        if interaction not in self.interactions:
            return
        if isinstance(record, Call):
            self.calls[interaction] = record
        else:
            self._legs.setdefault(interaction, {})[record.id] = record
        keys.add(("interactions", interaction))
        keys.update(("offers", offer.id) for offer in self.offers.values() if offer.interaction == interaction)

    def _put_offer(self, offer: Offer) -> None:
        if offer.state is OfferState.PENDING:
            self.offers[offer.id] = offer
            self._agent_offers.setdefault(offer.agent, {})[offer.id] = None
        else:
            self.offers.pop(offer.id, None)
            self._agent_offers.get(offer.agent, {}).pop(offer.id, None)

    def _count(self, event: Event) -> None:
        figures = self.figures.get(event.queue or "")
        if figures is not None:
            figures.fold(event)
        if event.kind is EventKind.INTERACTION_ANSWERED and event.agent:
            self.handled[event.agent] = self.handled.get(event.agent, 0) + 1

    # -- questions

    def work_of(self, agent: str) -> list[Interaction]:
        """Return what an agent holds, oldest first."""
        return [self.interactions[key] for key in self._work.get(agent, ())]

    def legs_of(self, interaction: str) -> list[Leg]:
        """Return the legs of an open call, ended ones too, in the order they were wanted."""
        return sorted(self._legs.get(interaction, {}).values(), key=lambda leg: (leg.wanted_at, leg.id))

    def legs(self) -> Iterator[Leg]:
        """Yield the legs of all open calls, ended ones too, in no order."""
        return (leg for legs in self._legs.values() for leg in legs.values())

    def is_owed(self, interaction: str) -> bool:
        """Whether it is a call that we owe somebody: nobody waits on a line, and no way out of a queue is one."""
        call = self.calls.get(interaction)
        return call is not None and call.direction is Direction.CALLBACK

    def offers_of(self, agent: str) -> list[Offer]:
        """Return an agent's live offers."""
        return [self.offers[key] for key in self._agent_offers.get(agent, ())]

    def oldest_at(self, queue: str) -> int | None:
        """Return since when the first of them has waited."""
        line = self._waiting.get(queue)
        return line.oldest_at if line else None

    def count_waiting(self, queue: str) -> int:
        """Return how many wait in a queue."""
        return len(self._waiting.get(queue, ()))

    def count_unlisted(self, queue: str) -> int:
        """Return how many of them wait behind the window, in no list unless somebody is concerned."""
        return max(self.count_waiting(queue) - self.window, 0)

    def last_in(self, queue: str) -> str | None:
        """Return who came last of those who wait in a queue."""
        line = self._waiting.get(queue)
        return line.last if line else None

    def listed_in(self, queue: str) -> list[str]:
        """Return those of them who are in lists: the first `window`."""
        line = self._waiting.get(queue)
        return line.listed() if line else []

    def is_listed(self, interaction: Interaction) -> bool:
        """Whether lists show it: not while it waits behind its queue's window and concerns nobody in particular."""
        if interaction.state is not State.QUEUED or interaction.direct_to is not None:
            return True
        line, place = self._waiting.get(interaction.queue), _waits(interaction)
        return line is None or place is None or not line.is_behind(place[1], interaction.id)

    def status_of(self, agent: Agent) -> RoutingStatus:
        """Return an agent's derived routing status."""
        is_wrapping = any(interaction.state is State.WRAPPING for interaction in self.work_of(agent.id))
        return routing_status(agent, is_offered=bool(self._agent_offers.get(agent.id)), is_wrapping=is_wrapping)

    def sample(self) -> None:
        """Note how many wait in each queue, for the last hour's line on the board. Called once a minute."""
        for queue, waiting in self._waiting.items():
            line = self.history.setdefault(queue, [])
            line.append(len(waiting))
            del line[:-60]

    def waiting(self, interaction: str) -> Waiting:
        """Return position and estimated wait of a waiting interaction."""
        return self.place(interaction)

    def queue_view(self, queue: str) -> QueueView:
        """Return what customers may know of a queue."""
        is_open, opens_at = self.hours(queue)
        known = self.settings.queues.get(queue)
        return QueueView(id=queue, name=known.name if known else queue, is_open=is_open, opens_at=opens_at)

    def agent_name(self, agent: str | None) -> str:
        """Return the name customers see: the first name."""
        found = self.agents.get(agent or "")
        return found.name.split()[0] if found and found.name else ""


def _counted(agent: Agent) -> tuple[object, ...]:
    """Return what a queue's row counts of an agent."""
    return agent.is_free, agent.presence, agent.queues, agent.is_active


def _work(interaction: Interaction) -> tuple[object, ...]:
    """Return what an agent's row shows of an interaction: no word said in it changes that."""
    return interaction.agent, interaction.state, interaction.units, interaction.answered_at


def _brief(customer: Customer) -> Brief:
    return Brief(customer.name, customer.tier, customer.language)


def _preview(message: Message) -> str:
    text = " ".join(message.text[: PREVIEW * 2].split())
    if not text and message.files:
        text = message.files[0].name
    return text[:PREVIEW]


def _waits(interaction: Interaction | None) -> tuple[str, int] | None:
    """Return in which queue an interaction waits, and since when."""
    if interaction is None or interaction.state not in WAITING:
        return None
    return interaction.queue, interaction.created_at if interaction.queued_at is None else interaction.queued_at


_ALONE = [(n,) for n in range(64)]


def _plus(unread: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Return these numbers and one more. Most have one alone, a small one: those are shared."""
    return (*unread, n) if unread or n >= len(_ALONE) else _ALONE[n]
