"""A hub with lines for texts, and the carrier that it believes to be at: both listen, both speak over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientSession, web

from channels.simulator.carrier import Account, AccountLimits, Carrier, Hook, Number
from channels.simulator.carrier.messaging import Message as CarriersMessage
from channels.simulator.carrier.server import Server
from channels.simulator.carrier.signing import signature
from channels.sms import Sms
from hub.clock import FakeClock
from hub.domain.correspondence import Arrival, Envelope, Outgoing
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, FileRef, Message
from hub.domain.texting import OptOut, TemplateUse
from hub.services.arrivals import Arrivals
from hub.services.messages import Words
from hub.settings import ChannelSettings, Secret
from hub.storage.tables import ARRIVALS, ENVELOPES, INTERACTIONS, OPT_OUTS, OUTGOING
from hub.storage.unit_of_work import Store, UnitOfWork
from tests.builders import Desk, open_desk
from tests.integration.phones import Wire
from tests.ports import free_port
from tests.unit.console.browsers import watched

SID = "AC" + "0" * 31 + "2"
TOKEN = "the-token-of-the-text-account"
LINE = "+15005550006"
CHAT_LINE = f"whatsapp:{LINE}"
ANN = "+14155550123"
BEN = "+14155550124"
TEMPLATE = {
    "id": "on_its_way",
    "sid": "HX" + "a" * 32,
    "name": "On its way",
    "text": "Dear {{1}}, your order {{2}} is on its way.",
}


@dataclass
class TextHouse:
    """The hub, the carrier, and short words for what happens between them."""

    desk: Desk
    carrier: Carrier
    wire: Wire
    channel: Sms
    clock: FakeClock

    async def writes(
        self, text: str, *, number: str = ANN, to: str = LINE, media: Sequence[tuple[str, bytes]] = ()
    ) -> CarriersMessage:
        """Somebody texts our line, and the hub reads it."""
        prefix = "whatsapp:" if to.startswith("whatsapp:") else ""
        sent = await self.carrier.person_writes(f"{prefix}{number}", to, text, media=media, profile="Ann Lee")
        await self.settle()
        return sent

    async def says(
        self,
        interaction: Interaction,
        text: str,
        *,
        agent: str = "ann",
        key: str = "",
        files: tuple[FileRef, ...] = (),
        template: TemplateUse | None = None,
    ) -> Message:
        """An agent answers."""
        return await self.desk.hub.services.chats.messages.say(
            Words(
                interaction=interaction.id,
                author=Author.AGENT,
                agent=agent,
                client_id=key or f"c-{text[:20]}-{self.clock.now()}",
                text=text,
                files=files,
                template=template,
            )
        )

    async def posts(self, path: str, params: Mapping[str, str], *, token: str = TOKEN) -> int:
        """Send a webhook ourselves, signed with this token (empty: not at all); returns the status."""
        url = f"{self.desk.hub.settings.server.public_url}/webhooks/texts/{path}"
        headers = {"X-Twilio-Signature": signature(token, url, list(params.items()))} if token else {}
        async with ClientSession() as session, session.post(url, data=dict(params), headers=headers) as answer:
            status = answer.status
        await self.settle()
        return status

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        await self.clock.settled()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds=seconds)

    async def was_long_ago(self, *, hours: int) -> None:
        """Let everything said so far have been said earlier, in the hub's eyes and in the carrier's."""
        await set_back(self.desk.hub.services.store, self.carrier, hours=hours)

    async def interactions(self) -> list[Interaction]:
        """Return every interaction, in the order they began."""
        return await self.desk._rows(INTERACTIONS, "ORDER BY created_at, id")

    async def outgoing(self) -> list[Outgoing]:
        """Return what was to be sent, in order."""
        return await self.desk._rows(OUTGOING, "ORDER BY id")

    async def receipts(self, interaction: Interaction) -> list[tuple[int, str, str]]:
        """Return number, status and problem of each message of ours."""
        found: list[Envelope] = await self.desk._rows(ENVELOPES, "WHERE interaction = $1 ORDER BY n", interaction.id)
        return [(one.n, one.status, one.problem) for one in found if not one.arrival]

    async def ledger(self) -> list[OptOut]:
        """Return the opt-outs and what became of them."""
        return await self.desk._rows(OPT_OUTS, "ORDER BY address")

    async def arrivals(self) -> list[Arrival]:
        """Return what the carrier told us."""
        return await self.desk._rows(ARRIVALS, "ORDER BY at, id")

    def on_phone(self, number: str = ANN) -> list[str]:
        """Return what reached somebody's telephone."""
        return [message.body for message in self.carrier.post.handset(number).messages]

    async def talking(self, text: str = "Hello", *, to: str = LINE, number: str = ANN) -> Interaction:
        """A texter and an agent who has taken their message."""
        await self.desk.available("ann")
        await self.writes(text, to=to, number=number)
        await self.wait(1)
        accepted = await self.desk.accept("ann")
        return await self.desk.interaction(accepted.id)

    def when_quiet(self, stored: Callable[[], Awaitable[object]] | None) -> Callable[[], Awaitable[object]]:
        """Return what waits until nothing is under way between the hub, its database and the carrier."""
        assert stored is not None
        services = self.desk.hub.services

        async def quiet() -> None:
            calm = 0
            while calm < 5:
                for _ in range(20):
                    await asyncio.sleep(0)
                await stored()
                is_busy = self.wire.under_way or self.channel.account.rest.under_way or _reads(services.arrivals)
                calm = 0 if is_busy else calm + 1
                if is_busy:
                    await asyncio.sleep(0.002)

        return quiet


async def set_back(store: Store, carrier: Carrier, *, hours: int) -> None:
    """Let everything said so far have been said earlier, in the hub's eyes and in the carrier's."""
    back_ms = hours * 3_600_000

    async def unit(tx: UnitOfWork) -> None:
        await tx.execute("UPDATE messages SET at = at - $1", back_ms)

    await store.write(unit)
    for pair in carrier.post._written_at:
        carrier.post._written_at[pair] -= back_ms


def _reads(arrivals: Arrivals) -> bool:
    """Whether something that was kept is not read yet."""
    return arrivals._wake.is_set() or not arrivals._caught_up.is_set()


@asynccontextmanager
async def text_house(
    folder: Path, database_url: str, *, settings: Mapping[str, Any] | None = None, **block: Any
) -> AsyncIterator[TextHouse]:
    """Open a hub with a line at a carrier of its own; `number` decides whether it is one for chats."""
    clock, port, wire = FakeClock(), free_port(), Wire()
    url = f"http://127.0.0.1:{port}"
    carrier = Carrier(account(f"{url}/webhooks/texts"), clock, transport=wire)
    server = Server(carrier)
    channels = {"texts": line(await server.start(), **block)}
    try:
        changes = {"public_url": url, "channels": channels, **(settings or {})}
        desk = await open_desk(folder, database_url, changes, clock=clock)
    except BaseException:
        await server.stop()
        raise
    runner = web.AppRunner(desk.hub.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    house = TextHouse(desk, carrier, wire, cast("Sms", desk.hub.channels[0]), clock)
    await house.channel.account.rest.warm_up()
    clock.settle = house.when_quiet(clock.settle)
    try:
        async with watched(house.desk):
            yield house
    finally:
        clock.settle = None
        await carrier.close()
        await desk.hub.stop()
        await runner.cleanup()
        await server.stop()


def line(api_url: str, **block: Any) -> ChannelSettings:
    """Return the settings of the line `texts`; `number` decides whether it is one for chats."""
    options = {
        "number": LINE,
        "queue": "support",
        "account_sid": SID,
        "auth_token": Secret(TOKEN),
        "api_url": api_url,
        "languages": ("en", "zh"),
        "name": "Fernway",
        **block,
    }
    return ChannelSettings(id="texts", kind="sms", options=options)


def account(hooks: str) -> Account:
    """Return an account with one number that tells the hub of messages."""
    number = Number(phone_number=LINE, sms=Hook(f"{hooks}/message"), sms_fallback=Hook(f"{hooks}/fallback"))
    limits = AccountLimits(requests_per_s=1_000.0, request_burst=1_000)
    return Account(sid=SID, auth_token=TOKEN, numbers={LINE: number}, limits=limits)
