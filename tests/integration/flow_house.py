"""One hub with every way in, each beginning in one flow: a phone line, a chat site, a line for texts and a mailbox per
language.

Whoever plays a table's dialogue here is a customer: keys and speech over the carrier's own protocol, a browser's
socket, a handset, a mail program. Only the company's own systems are made of the table, and time goes by as it is told.
"""

import asyncio
import html
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
import socketio
from aiohttp import web

from channels.mail.parsed import ParsedMail, parse
from channels.simulator.carrier import Account, AccountLimits, Carrier, Hook, Number
from channels.simulator.carrier.legs import Leg as Line
from channels.simulator.carrier.server import Server
from channels.simulator.carrier.twiml import validate
from channels.sms import Sms
from channels.voice import Voice
from hub.clock import FakeClock
from hub.domain.agent import Presence
from hub.domain.interaction import Interaction, State
from hub.flows.asking import choices_of
from hub.flows.dialogues import START, Dialogue, Turn, answer_from
from hub.flows.model import Ask, Flow, Medium
from hub.flows.run import Run
from hub.flows.session import Fetch, LookedUp, Offered, Session
from hub.flows.session import State as FlowState
from hub.settings import ChannelSettings, Hours, Secret
from hub.settings.sections import Limits
from hub.storage.tables import FLOW_SESSIONS, INTERACTIONS, OUTGOING
from tests.builders import Desk, open_desk, small_company
from tests.integration.phones import KEY, KEY_SECRET, SID, TOKEN, AgentPhone, Wire, options
from tests.peers import KIND as PEER
from tests.peers import Peer, peer_block
from tests.peers import Wire as Post
from tests.ports import free_port
from tests.unit.console.browsers import watched

LINES = {"en": "+15005550006", "zh": "+15005550007"}
MAILBOXES = {"en": "help@fernway.test", "zh": "bangzhu@fernway.test"}
UNDER_WAY = ["waiting", "sending"]
LANGUAGES = {"en": ("en", "zh"), "zh": ("zh", "en")}
HELLO = {"en": "Hello", "zh": "你好"}
"""What somebody who has nothing to say yet writes to begin with."""
WAIT_S = {Medium.CHAT: 181, Medium.SMS: 86_401, Medium.EMAIL: 259_201}


_SAY = re.compile(r"<Say[^>]*>([^<]*)</Say>")
_GOES_ON = re.compile(r"<(?:Gather|Record|Enqueue|Dial|Hangup)\b")
"""Where a document does not come back by itself: it listens, or leads elsewhere."""


class Systems:
    """The company's systems, as the dialogue that is being played has them."""

    def __init__(self) -> None:
        self.look_ups: Mapping[str, Any] = {}

    async def fetch(self, wish: Fetch) -> LookedUp:
        """Look something up."""
        answered = answer_from(wish, self.look_ups)(f"l{wish.id}")
        assert isinstance(answered, LookedUp)
        return answered


@dataclass(kw_only=True)
class FlowHouse:
    """The hub, the carrier, and what the customers need of them."""

    desk: Desk
    carrier: Carrier
    wire: Wire
    clock: FakeClock
    systems: Systems
    url: str
    people: int = 0
    tabs: list[socketio.AsyncClient] = field(default_factory=list)

    @property
    def channel(self) -> Voice:
        """A phone line: agents' softphones are let in by any."""
        return next(one for one in self.desk.hub.channels if isinstance(one, Voice))

    def number(self) -> str:
        """Return the telephone number of somebody who never called before."""
        self.people += 1
        return f"+141555501{self.people:02}"

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing, what is looked up too."""
        async with asyncio.timeout(60):
            await self.clock.settled()
            while await self.desk._rows(FLOW_SESSIONS, "WHERE looking_up <> ''"):
                await self.clock.settled()

    async def pass_by(self, seconds: float) -> None:
        """Let a long time pass at once, as it does for a hub that was asleep: what fell due meanwhile happens now."""
        self.clock._now += round(seconds * 1000)
        await self.clock.advance(ms=1)
        await self.settle()

    async def newest(self) -> Interaction | None:
        """Return the interaction that began last."""
        found = await self.desk._rows(INTERACTIONS, "ORDER BY created_at DESC, id DESC LIMIT 1")
        return found[0] if found else None

    async def session(self, interaction: Interaction) -> Session | None:
        """Return the newest session of an interaction."""
        rows = await self.desk._rows(FLOW_SESSIONS, "WHERE interaction = $1 ORDER BY started_at, id", interaction.id)
        return msgspec.json.decode(rows[-1].body, type=Session) if rows else None

    def offered(self, session: Session) -> dict[str, Offered]:
        """Return the choices of the question that a session stands at, by id."""
        book = self.desk.hub.services.self_service.library.book(session.pins)
        frame = session.frames[-1]
        step = book[frame.flow].steps.get(frame.step)
        if not isinstance(step, Ask) or session.state is not FlowState.ASKING:
            return {}
        return {one.id: one for one in choices_of(Run(book, session, {}, 0), step)}

    def bad_documents(self) -> list[str]:
        """Return what the carrier would object to in what the hub has answered."""
        return [f"{url}: {problem}" for url, body in self.wire.documents for problem in validate(body.decode())]


class Customer(Protocol):
    """Somebody in one dialogue on one channel."""

    interaction: Interaction

    async def begin(self, opening: str) -> str:
        """Come in with these first words; returns what the hub says."""

    async def does(self, turn: Turn, offered: Mapping[str, Offered]) -> str:
        """Do what a turn says; returns what the hub says then."""

    async def goes(self) -> None:
        """Be gone, whatever is left open."""


def said_by(turn: Turn) -> str:
    """Return the words of a turn."""
    return str(turn.press if turn.press != "" else turn.say if turn.say is not None else "")


class Caller:
    """On the phone: keys where a choice or keys are meant, else speech, once the line listens."""

    def __init__(self, house: FlowHouse, language: str) -> None:
        self.house, self.language = house, language
        self.interaction: Interaction
        self._line: Line
        self._heard = 0

    async def begin(self, opening: str) -> str:
        """Call, and say the first words when the first question is put."""
        self._heard = len(self.house.wire.documents)
        self._line = self.house.carrier.person_calls(self.house.number(), LINES[self.language])
        await self.house.clock.advance(ms=200)
        found = await self.house.newest()
        assert found is not None
        self.interaction = found
        said = await self._listens()
        return said + " " + await self._says(opening) if opening else said

    async def does(self, turn: Turn, offered: Mapping[str, Offered]) -> str:
        """Press, speak, keep silent or put the receiver down."""
        if turn.hang_up:
            self._line.hang_up()
            return await self._listens()
        if turn.silence:
            session = await self.house.session(self.interaction)
            while (after := await self.house.session(self.interaction)) and session and after.seen == session.seen:
                await self.house.clock.advance(seconds=1)
            return await self._listens()
        if turn.choose or turn.press != "":
            await self._presses(offered[turn.choose].digit if turn.choose else str(turn.press))
            return await self._listens()
        return await self._says(said_by(turn))

    async def goes(self) -> None:
        """Put the receiver down."""
        self._line.hang_up()
        await self.house.settle()

    async def _says(self, text: str) -> str:
        until = self._line.speak(text)
        await self.house.clock.advance(ms=until - self.house.clock.now() + 1_000)
        return await self._listens()

    async def _presses(self, keys: str) -> None:
        """Press keys; whoever does not know how many are wanted ends with the hash key."""
        document = self.house.wire.documents[-1][1].decode()
        self._line.press(keys if f'numDigits="{len(keys)}"' in document else f"{keys}#")

    async def _listens(self) -> str:
        """Listen until the line wants an answer, or no flow has anything to say any more; returns what was said.

        Whoever knows the menu does not hear it to its end: they answer as soon as the line listens.
        """
        documents = self.house.wire.documents
        for _ in range(400):
            await self.house.clock.advance(ms=200)
            if self._line.is_over or (len(documents) > self._heard and _GOES_ON.search(documents[-1][1].decode())):
                break
        else:
            raise AssertionError("the line never listens")
        new = [body.decode() for _, body in documents[self._heard :]]
        self._heard = len(documents)
        self.interaction = await self.house.desk.interaction(self.interaction.id)
        return " ".join(html.unescape(text) for document in new for text in _SAY.findall(document))


class Visitor:
    """In the chat, by the official client: a tap where a choice is meant, else words."""

    def __init__(self, house: FlowHouse, language: str) -> None:
        self.house, self.language = house, language
        self.interaction: Interaction
        self._tab = socketio.AsyncClient(reconnection=False)
        self._read = 0
        self._n = 0

    async def begin(self, opening: str) -> str:
        """Open the chat and begin."""
        self.house.tabs.append(self._tab)
        await self._tab.connect(
            self.house.url,
            namespaces=["/chat"],
            socketio_path="/chat/socket.io",
            transports=["websocket"],
            auth={"site": f"site-{self.language}", "lang": self.language},
            headers={"Origin": self.house.url},
        )
        begun = await self._asks("start", form={"name": "Li"}, text=opening)
        self.interaction = await self.house.desk.interaction(begun["thread"]["interaction"])
        return await self._reads()

    async def does(self, turn: Turn, offered: Mapping[str, Offered]) -> str:
        """Write, tap, keep silent or end the conversation."""
        if turn.hang_up:
            await self._asks("end", interaction=self.interaction.id)
        elif turn.silence:
            await self.house.pass_by(WAIT_S[Medium.CHAT])
        elif turn.choose:
            label = offered[turn.choose].label
            await self._asks("message", interaction=self.interaction.id, text=label, choice=turn.choose)
        else:
            await self._asks("message", interaction=self.interaction.id, text=said_by(turn))
        return await self._reads()

    async def goes(self) -> None:
        """End the conversation and close the browser."""
        await self._asks("end", interaction=self.interaction.id)
        await self._tab.disconnect()

    async def _asks(self, event: str, **said: Any) -> dict[str, Any]:
        self._n += 1
        key = {} if event in {"end", "resume"} else {"client_id": f"said-{self.house.people}-{self._n}"}
        answer: dict[str, Any] = await self._tab.call(event, {**key, **said}, namespace="/chat", timeout=60)
        assert answer["ok"], answer
        return answer

    async def _reads(self) -> str:
        """Return what the hub has said since, choices too."""
        await self.house.settle()
        found = await self._asks("resume", interaction=self.interaction.id, after=self._read)
        self.interaction = await self.house.desk.interaction(self.interaction.id)
        messages = found["messages"]
        self._read = max([self._read, *(one["n"] for one in messages)])
        ours = [one for one in messages if one["from"] == "agent"]
        return " ".join([one["text"] + "".join(f" {c['label']}" for c in one.get("choices", ())) for one in ours])


class Writer(ABC):
    """Somebody who writes and is answered in writing, without a line that stays open."""

    def __init__(self, house: FlowHouse, language: str) -> None:
        self.house, self.language = house, language
        self.interaction: Interaction
        self._read = 0

    async def begin(self, opening: str) -> str:
        """Write for the first time."""
        said = await self._writes(opening or HELLO[self.language])
        found = await self.house.newest()
        assert found is not None
        self.interaction = found
        return said

    @abstractmethod
    async def _writes(self, text: str) -> str:
        """Write, and return what comes back."""


class Texter(Writer):
    """By text message: a number where a choice is meant, else words; STOP to be gone."""

    def __init__(self, house: FlowHouse, language: str) -> None:
        super().__init__(house, language)
        self._number = house.number()

    async def does(self, turn: Turn, offered: Mapping[str, Offered]) -> str:
        """Write, keep silent or want nothing more."""
        if turn.silence:
            await self.house.pass_by(WAIT_S[Medium.SMS])
            return await self._reads()
        if turn.hang_up:
            return await self._writes("STOP")
        return await self._writes(offered[turn.choose].digit if turn.choose else said_by(turn))

    async def goes(self) -> None:
        """Write no more."""

    async def _writes(self, text: str) -> str:
        await self.house.carrier.person_writes(self._number, LINES[self.language], text)
        return await self._reads()

    async def _reads(self) -> str:
        await self.house.settle()
        handset = self.house.carrier.post.handset(self._number)
        for _ in range(200):
            bodies = [message.body for message in handset.messages]
            if not Counter(await self._ours()) - Counter(bodies):
                break
            await self.house.clock.advance(ms=500)
        else:
            raise AssertionError("a text never arrives")
        new, self._read = bodies[self._read :], len(bodies)
        return " ".join(new).replace("\n", " ")

    async def _ours(self) -> list[str]:
        """Return what the hub has written to this number; the carrier writes by itself, too."""
        desk = self.house.desk
        talks = await desk._rows(INTERACTIONS, "WHERE address = $1 AND kind <> 'voice'", self._number)
        posted = {(one.interaction, one.n) for one in await desk._rows(OUTGOING, "ORDER BY id")}
        return [m.text for talk in talks for m in await desk.messages(talk) if (m.interaction, m.n) in posted]


class Correspondent(Writer):
    """By mail: the words of a choice or its number in turn, in answers to the last letter; who is gone is silent."""

    def __init__(self, house: FlowHouse, language: str) -> None:
        super().__init__(house, language)
        house.people += 1
        self._address = f"customer-{house.people}@people.test"
        self._n = 0

    async def does(self, turn: Turn, offered: Mapping[str, Offered]) -> str:
        """Write, or keep silent."""
        if turn.silence:
            await self.house.pass_by(WAIT_S[Medium.EMAIL])
            return await self._reads()
        one = offered.get(turn.choose)
        return await self._writes((one.digit if self._n % 2 else one.label) if one else said_by(turn))

    async def goes(self) -> None:
        """Write no more."""

    def _letters(self) -> list[ParsedMail]:
        return [parse(raw) for recipient, raw in Peer.wire.carried if recipient == self._address]

    async def _writes(self, text: str) -> str:
        self._n += 1
        last = self._letters()[-1:]
        answers = "".join(f"In-Reply-To: {one.message_id}\r\n" for one in last)
        mail = (
            f"From: <{self._address}>\r\nTo: {MAILBOXES[self.language]}\r\nContent-Language: {self.language}\r\n"
            f"Message-ID: <{self._n}.{self._address}>\r\nSubject: {'Re: ' if last else ''}{HELLO[self.language]}\r\n"
            f"{answers}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        )
        await Peer.wire.carry(MAILBOXES[self.language], mail.encode())
        return await self._reads()

    async def _reads(self) -> str:
        """Return what has come since. However many steps the flow took, it is one letter."""
        await self.house.settle()
        for _ in range(200):
            if not await self.house.desk._rows(OUTGOING, "WHERE mode = 'flow' AND state ANY_OF($1)", UNDER_WAY):
                break
            await self.house.clock.advance(ms=500)
        else:
            raise AssertionError("a letter never goes")
        letters = self._letters()
        new, self._read = letters[self._read :], len(letters)
        assert len(new) <= 1, "more than one letter for one of theirs"
        return " ".join(" ".join(letter.body_text.split()) for letter in new)


CUSTOMERS: Mapping[Medium, type[Caller] | type[Visitor] | type[Texter] | type[Correspondent]] = {
    Medium.PHONE: Caller,
    Medium.CHAT: Visitor,
    Medium.SMS: Texter,
    Medium.EMAIL: Correspondent,
}


async def sent_by_agent(house: FlowHouse, medium: Medium, language: str, flow: str) -> Customer:
    """Return somebody who asked for a person, was answered by one, and is sent into a flow."""
    desk, agent = house.desk, "ann" if medium is Medium.PHONE else "bob"
    await desk.available(agent)
    if medium is Medium.PHONE:
        AgentPhone(house, agent)
    customer = CUSTOMERS[medium](house, language)
    await customer.begin("")
    await customer.does(Turn(say="agent"), {})
    await house.clock.advance(seconds=2)
    await desk.accept(agent)
    await house.clock.advance(seconds=2)
    # Nobody else is offered to them: whoever comes after waits in the queue.
    await desk.hub.services.presence.choose(agent, Presence.AWAY, "lunch")
    await desk.hub.services.agent_flows.send(customer.interaction.id, flow, await desk.scope(agent))
    return customer


def when_quiet(house: FlowHouse, stored: Callable[[], Awaitable[object]] | None) -> Callable[[], Awaitable[object]]:
    """Return what waits until nothing is under way between the hub, its database and the carrier."""
    assert stored is not None
    services = house.desk.hub.services
    lines = [channel.account.rest for channel in house.desk.hub.channels if isinstance(channel, Voice | Sms)]

    async def quiet() -> None:
        calm = 0
        while calm < 2:
            for _ in range(5):
                await asyncio.sleep(0)
            reads = services.arrivals._wake.is_set() or not services.arrivals._caught_up.is_set()
            if house.wire.under_way or any(rest.under_way for rest in lines) or reads:
                calm = 0
                await asyncio.sleep(0.001)
            else:
                calm += 1
                await stored()

    return quiet


def blocks(flow: Flow, api_url: str) -> dict[str, ChannelSettings]:
    """Return the ways in, each beginning in this flow."""
    found: dict[str, ChannelSettings] = {}
    for language, number in LINES.items():
        common = {"flow": flow.name, "languages": LANGUAGES[language]}
        voice = {**options(api_url), **common, "number": number, "welcome": {}}
        texts = {
            "number": number,
            "queue": "support",
            "account_sid": SID,
            "auth_token": Secret(TOKEN),
            "api_url": api_url,
            "name": "Fernway",
        }
        for name, kind, block in (
            (f"line-{language}", "voice", voice),
            (f"texts-{language}", "sms", {**texts, **common}),
            (f"site-{language}", "webchat", {"queue": "support", **common}),
            (f"mail-{language}", PEER, peer_block(MAILBOXES[language], flow=flow.name).options),
        ):
            found[name] = ChannelSettings(id=name, kind=kind, options=block)
    return found


@asynccontextmanager
async def flow_house(folder: Path, flow: Flow, *, is_open: bool = True) -> AsyncIterator[FlowHouse]:
    """Open a hub all of whose ways in begin in this flow; closed, nobody is at work in any of its queues."""
    clock, port, wire = FakeClock(START), free_port(), Wire()
    Peer.wire = Post()
    url = f"http://127.0.0.1:{port}"
    numbers = {
        number: Number(
            phone_number=number,
            voice=Hook(f"{url}/webhooks/line-{language}/call"),
            voice_fallback=Hook(f"{url}/webhooks/line-{language}/fallback"),
            status_callback=Hook(f"{url}/webhooks/line-{language}/status"),
            sms=Hook(f"{url}/webhooks/texts-{language}/message"),
            sms_fallback=Hook(f"{url}/webhooks/texts-{language}/fallback"),
        )
        for language, number in LINES.items()
    }
    limits = AccountLimits(calls_per_s=100.0, requests_per_s=1_000.0, request_burst=1_000)
    account = Account(sid=SID, auth_token=TOKEN, api_keys={KEY: KEY_SECRET}, numbers=numbers, limits=limits)
    carrier = Carrier(account, clock, transport=wire)
    server = Server(carrier)
    changes: dict[str, Any] = {
        "public_url": url,
        "channels": blocks(flow, await server.start()),
        # These customers' minutes pass in a moment.
        "limits": Limits(visitor_events_per_s=10_000.0, visitor_events_burst=10_000, chats_per_address_per_hour=1_000),
    }
    if not is_open:
        queues = small_company(folder, "").queues
        changes["hours"] = {"never": Hours(id="never", week={"sunday": ("03:00-03:01",)})}
        changes["queues"] = {name: msgspec.structs.replace(queue, hours="never") for name, queue in queues.items()}
    try:
        desk = await open_desk(folder, f"sqlite:///{folder}/hub.db", changes, clock=clock)
    except BaseException:
        await server.stop()
        raise
    systems = Systems()
    desk.hub.services.self_service.fetcher = systems
    runner = web.AppRunner(desk.hub.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    house = FlowHouse(desk=desk, carrier=carrier, wire=wire, clock=clock, systems=systems, url=url)
    clock.settle = when_quiet(house, clock.settle)
    await clock.advance(seconds=1)
    try:
        async with watched(house.desk):
            yield house
    finally:
        clock.settle = None
        for tab in house.tabs:
            await tab.disconnect()
        await carrier.close()
        await desk.hub.stop()
        await runner.cleanup()
        await server.stop()


async def play(house: FlowHouse, dialogue: Dialogue, flow: str, medium: Medium) -> list[str]:
    """Play one dialogue as a customer; returns where it went another way than its table says."""
    house.systems.look_ups = dialogue.look_ups
    failures: list[str] = []

    def heard(place: int, said: str, hears: str | Sequence[str]) -> None:
        failures.extend(
            f"turn {place}: {wanted!r} was not said, but {said!r}"
            for wanted in ([hears] if isinstance(hears, str) else hears)
            if wanted.casefold() not in said.casefold()
        )

    if dialogue.by_agent:
        customer, said = await sent_by_agent(house, medium, dialogue.language, flow), ""
    else:
        customer = CUSTOMERS[medium](house, dialogue.language)
        said = await customer.begin(dialogue.opening)
    heard(0, said, dialogue.opens)
    for place, turn in enumerate(dialogue.turns, 1):
        session = await house.session(customer.interaction)
        assert session is not None
        if session.is_over:
            failures.append(f"turn {place}: it was over before: {session.outcome} ({session.reason})")
            break
        heard(place, await customer.does(turn, house.offered(session)), turn.hears)
        session = await house.session(customer.interaction)
        assert session is not None
        if turn.at and session.frames[-1].step != turn.at:
            failures.append(f"turn {place}: it stands at {session.frames[-1].step!r}, not at {turn.at!r}")
    failures += await _ending(house, dialogue, customer)
    await customer.goes()
    return [f"{dialogue.name} [{medium}] {failure}" for failure in failures]


STATES = {
    "resolved": State.RESOLVED,
    "queued": State.QUEUED,
    "abandoned": State.ABANDONED,
    "handed_back": State.ACTIVE,
}


async def _ending(house: FlowHouse, dialogue: Dialogue, customer: Customer) -> list[str]:
    interaction = await house.desk.interaction(customer.interaction.id)
    session = await house.session(interaction)
    assert session is not None
    wanted: list[tuple[str, object, object]] = [
        ("the outcome", dialogue.outcome, str(session.outcome or "open")),
        ("the reason", dialogue.reason or session.reason, session.reason),
        ("the queue", dialogue.queue or interaction.queue, interaction.queue),
        ("the state", STATES[dialogue.outcome], interaction.state),
    ]
    wanted += [(f"answers.{name}", value, session.answers.get(name)) for name, value in dialogue.answers.items()]
    return [f"at the end: {name} is {found!r}, not {want!r}" for name, want, found in wanted if want != found]
