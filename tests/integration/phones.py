"""A hub with a phone line, and the carrier that it believes to be at: both listen, both speak over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from aiohttp import web

from channels.simulator.carrier import Account, AccountLimits, Carrier, Hook, Number
from channels.simulator.carrier.legs import Leg as Line
from channels.simulator.carrier.phones import Step
from channels.simulator.carrier.server import Server
from channels.simulator.carrier.twiml import validate
from channels.simulator.carrier.webhooks import Answer, NetworkTransport, Outgoing, Unreachable
from channels.voice import Voice
from hub.clock import FakeClock
from hub.domain.calls import Call, Leg, Order
from hub.domain.interaction import Interaction
from hub.settings import ChannelSettings, Secret
from hub.settings.sections import CallSettings
from hub.storage.tables import CALL_ORDERS, CALLS, INTERACTIONS, LEGS
from tests.builders import Desk, open_desk
from tests.ports import free_port
from tests.unit.console.browsers import watched

SID = "AC" + "0" * 31 + "1"
TOKEN = "the-token-of-the-account"
KEY = "SK" + "1" * 32
KEY_SECRET = "the-secret-of-the-key-32-letters"
LINE = "+15005550006"
ANN = "+14155550123"
BEN = "+14155550124"
MARKUP = (11100, 11750, *range(12_000, 14_000))
"""What the carrier's debugger says of documents: no address, too long, no grammar, or not in this place."""


@dataclass
class Wire:
    """The network between carrier and hub: counts what is under way, keeps every document, and may mistreat."""

    network: NetworkTransport = field(default_factory=NetworkTransport)
    under_way: int = 0
    documents: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: list[tuple[str, int]] = field(default_factory=list)
    is_cut: bool = False
    """Whether the carrier cannot reach the hub."""

    async def send(self, request: Outgoing) -> Answer:
        """Carry a webhook over loopback."""
        if self.is_cut:
            raise Unreachable("the line is cut")
        self.under_way += 1
        try:
            answer = await self.network.send(request)
        finally:
            self.under_way -= 1
        self.statuses.append((request.url, answer.status))
        if answer.content_type.startswith("text/xml"):
            self.documents.append((request.url, answer.body))
        return answer

    async def close(self) -> None:
        """Let go of connections."""
        await self.network.close()


class Exchange(Protocol):
    """A house with a line."""

    carrier: Carrier

    @property
    def channel(self) -> Voice:
        """The line."""


@dataclass
class AgentPhone:
    """A browser's softphone of one agent: registered by the hub's own pass, answers what comes."""

    house: Exchange
    name: str
    answers: bool = True
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._phone = self.house.carrier.softphone(self._hear)
        token, _ = self.house.channel.pass_for(self.name)
        self._phone.take({"type": "register", "token": token})

    def _hear(self, said: Mapping[str, Any]) -> None:
        self.told.append(dict(said))
        if said["type"] == "incoming" and self.answers:
            self._phone.take({"type": "accept", "call": said["call"]})

    def says(self, text: str) -> None:
        """Speak in the call that is open."""
        self._phone.take({"type": "say", "call": self.call, "text": text})

    def picks_up(self) -> None:
        """Answer what rings."""
        self._phone.take({"type": "accept", "call": self.call})

    def hangs_up(self) -> None:
        """Put the receiver down."""
        self._phone.take({"type": "hangup", "call": self.call})

    def dies(self) -> None:
        """The browser is gone."""
        self._phone.close()

    @property
    def call(self) -> str:
        """The newest call that came."""
        return str(next(one["call"] for one in reversed(self.told) if one["type"] == "incoming"))

    @property
    def heard(self) -> list[str]:
        """What was said to this phone."""
        return [one["sound"]["text"] for one in self.told if one["type"] == "heard" and one["sound"].get("text")]


@dataclass
class PhoneHouse:
    """The hub, the carrier, and short words for what happens between them."""

    desk: Desk
    carrier: Carrier
    wire: Wire
    channel: Voice
    clock: FakeClock
    listens: Callable[["PhoneHouse"], Awaitable[None]]
    """Opens the hub again, as it was configured."""
    runner: web.AppRunner

    async def restart(self) -> None:
        """Stop the hub and start it again: nobody's line is touched, and no time passes."""
        self.clock.settle = None
        await self.desk.hub.stop()
        await self.runner.cleanup()
        await self.listens(self)

    def calls(self, number: str = ANN, script: tuple[Step, ...] = ()) -> Line:
        """Somebody rings our line."""
        return self.carrier.person_calls(number, LINE, script)

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        await self.clock.settled()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds=seconds)

    async def interactions(self) -> list[Interaction]:
        """Return every interaction, in the order they began."""
        return await self.desk._rows(INTERACTIONS, "ORDER BY created_at, id")

    async def legs(self, interaction: Interaction) -> list[Leg]:
        """Return the legs of a call."""
        return await self.desk._rows(LEGS, "WHERE interaction = $1 ORDER BY wanted_at, id", interaction.id)

    async def call(self, interaction: Interaction) -> Call:
        """Return what a call has beside its interaction."""
        return (await self.desk._rows(CALLS, "WHERE id = $1", interaction.id))[0]

    async def orders(self) -> list[Order]:
        """Return everything ordered, in order."""
        return await self.desk._rows(CALL_ORDERS, "ORDER BY at, id")

    async def talking(
        self, *, agent: str = "ann", script: tuple[Step, ...] = ()
    ) -> tuple[Interaction, Line, AgentPhone]:
        """A caller and an agent who are connected."""
        await self.desk.available(agent)
        phone = AgentPhone(self, agent)
        line = self.calls(script=script)
        await self.wait(3)
        accepted = await self.desk.accept(agent)
        await self.wait(2)
        return await self.desk.interaction(accepted.id), line, phone

    def when_quiet(self, stored: Callable[[], Awaitable[object]] | None) -> Callable[[], Awaitable[object]]:
        """Return what waits until nothing is under way between the hub, its database and the carrier."""
        assert stored is not None

        async def quiet() -> None:
            calm = 0
            while calm < 5:
                for _ in range(20):
                    await asyncio.sleep(0)
                await stored()
                calm = 0 if self.wire.under_way or self.channel.account.rest.under_way else calm + 1

        return quiet

    def bad_documents(self) -> list[str]:
        """Return what the carrier would object to in what the hub has answered, and did where it was asked for."""
        found = [f"{url}: {problem}" for url, body in self.wire.documents for problem in validate(body.decode())]
        return found + [f"{one.url}: {one.text}" for one in self.carrier.switch.debugger.alerts if one.code in MARKUP]


@asynccontextmanager
async def phone_house(
    folder: Path,
    database_url: str,
    *,
    limits: AccountLimits | None = None,
    settings: Mapping[str, Any] | None = None,
    **block: Any,
) -> AsyncIterator[PhoneHouse]:
    """Open a hub with a line at a carrier of its own."""
    clock, port, wire = FakeClock(), free_port(), Wire()
    url = f"http://127.0.0.1:{port}"
    carrier = Carrier(account(f"{url}/webhooks/hotline", limits), clock, transport=wire)
    server = Server(carrier)
    taken = options(await server.start()) | block
    channels = {"hotline": ChannelSettings(id="hotline", kind="voice", options=taken)}
    changes = {
        "public_url": url,
        "channels": channels,
        "calls": CallSettings(callback_again_s=60.0),
        **(settings or {}),
    }

    async def listens(house: PhoneHouse) -> None:
        house.desk, house.runner = await listening(folder, database_url, changes, clock, port)
        house.channel = cast("Voice", house.desk.hub.channels[0])
        clock.settle = house.when_quiet(clock.settle)

    try:
        desk, runner = await listening(folder, database_url, changes, clock, port)
    except BaseException:
        await server.stop()
        raise
    house = PhoneHouse(desk, carrier, wire, cast("Voice", desk.hub.channels[0]), clock, listens, runner)
    clock.settle = house.when_quiet(clock.settle)
    try:
        async with watched(house.desk):
            yield house
    finally:
        clock.settle = None
        await carrier.close()
        await house.desk.hub.stop()
        await house.runner.cleanup()
        await server.stop()


async def listening(
    folder: Path, database_url: str, changes: Mapping[str, Any], clock: FakeClock, port: int
) -> tuple[Desk, web.AppRunner]:
    """Open a hub that listens at this port of the loopback."""
    desk = await open_desk(folder, database_url, changes, clock=clock)
    runner = web.AppRunner(desk.hub.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return desk, runner


def account(hooks: str, limits: AccountLimits | None) -> Account:
    """Return an account with one number that calls the hub."""
    number = Number(
        phone_number=LINE,
        voice=Hook(f"{hooks}/call"),
        voice_fallback=Hook(f"{hooks}/fallback"),
        status_callback=Hook(f"{hooks}/status"),
    )
    return Account(
        sid=SID,
        auth_token=TOKEN,
        api_keys={KEY: KEY_SECRET},
        numbers={LINE: number},
        limits=limits or AccountLimits(calls_per_s=100.0, requests_per_s=1_000.0, request_burst=1_000),
    )


def options(api_url: str) -> dict[str, Any]:
    """Return the line's block in the configuration."""
    return {
        "number": LINE,
        "queue": "support",
        "account_sid": SID,
        "auth_token": Secret(TOKEN),
        "api_key_sid": KEY,
        "api_key_secret": Secret(KEY_SECRET),
        "api_url": api_url,
        "welcome": {"en": "Welcome to Fernway."},
    }
