"""A hub on the loopback, and a customer's site on another origin that carries its widget."""

# ruff: noqa: RUF001 - full-width marks are how Chinese is written

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSCloseCode, web

from channels.simulator.carrier import Carrier
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.phones import Step
from channels.simulator.carrier.server import Server
from channels.simulator.carrier.webhooks import NetworkTransport
from hub.app import Hub, build
from hub.clock import SystemClock
from hub.contract import ChatStart, VisitorId
from hub.domain.agent import Presence, Role
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, Choice
from hub.services.access import Scope
from hub.services.accounts import Device
from hub.services.messages import Words
from hub.settings import ChannelSettings, Disposition, QueueSettings, Settings
from hub.settings.floor import AwayReason, CannedReply, Hours
from hub.settings.sections import default_kinds
from hub.storage.tables import ARRIVALS, INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork
from tests import letterbox
from tests.builders import PEOPLE, small_company
from tests.integration import texts
from tests.integration.phones import LINE, account, options
from tests.letterbox import Mailed
from tests.ports import free_port

PASSWORD = "correct horse battery 17"
LANGUAGES = ("en", "zh")
UNDO_S = 5.0


@dataclass(kw_only=True)
class House:
    """The running hub, the shop that carries its widget, and a stranger's page that tries to."""

    hub: Hub
    url: str
    shop: str
    """Another origin of the same site, as shop.example.com and chat.example.com are."""
    abroad: str
    """Another site altogether; the window blocks what embedded pages of other sites store."""
    stranger: str
    """A site that may not carry the widget."""
    visitors: dict[str, VisitorId] = field(default_factory=dict)
    carrier: Carrier | None = None
    """What our line for calls or for texts is at, where there is one."""

    async def key(self, name: str) -> dict[str, str]:
        """Return the cookie of somebody who is signed in."""
        signed = await self.hub.services.accounts.sign_in_as(name, Device(ip="127.0.0.1", browser="a test"))
        return {"name": "hub", "value": signed.token, "url": self.url}

    async def chat(
        self, name: str, text: str, *, language: str = "en", again: bool = False, **form: str
    ) -> Interaction:
        """A visitor, not at a browser, begins a conversation; `again` is somebody who was here before."""
        start = ChatStart(
            channel="site",
            client_id=new_id("x"),
            queue="support",
            token_hash=new_id("t"),
            form={"name": name, **form},
            text=text,
            language=language,
            visitor=self.visitors[name] if again else None,
        )
        started = await self.hub.services.chats.start(start)
        self.visitors[name] = started.visitor
        return started.interaction

    async def colleague_answers(self, chat: str, text: str, *, back_to: str) -> None:
        """A supervisor gives the chat to Bob, who answers; then it is given back, and taken at another browser."""
        services, scope = self.hub.services, Scope("sue", Role.SUPERVISOR)
        await self.available("bob")
        await services.supervision.assign(chat, scope, agent="bob")
        await self.accepted(chat, "bob")
        await self.says("bob", chat, text)
        await services.presence.connected(back_to)
        await services.supervision.assign(chat, scope, agent=back_to)
        await self.accepted(chat, back_to)

    def rings(self, number: str, *script: Step) -> Leg:
        """Somebody with a telephone calls our line, and does what the script says."""
        assert self.carrier is not None
        return self.carrier.person_calls(number, LINE, script)

    async def available(self, agent: str) -> None:
        """Somebody sits at a browser that no test sees, and is available."""
        await self.hub.services.presence.connected(agent)
        await self.hub.services.presence.choose(agent, Presence.AVAILABLE, "")

    async def says(self, agent: str, chat: str, text: str, choices: Sequence[str] = ()) -> None:
        """The agent writes."""
        words = Words(
            interaction=chat,
            author=Author.AGENT,
            agent=agent,
            name=agent.title(),
            client_id=new_id("x"),
            text=text,
            choices=tuple(Choice(id=str(n), label=label) for n, label in enumerate(choices, 1)),
        )
        await self.hub.services.chats.messages.say(words)

    async def finished(self, chat: str, agent: str, outcome: str) -> None:
        """The agent ends the chat with an outcome."""
        handling, scope = self.hub.services.handling, Scope(agent, Role.AGENT)
        await handling.wrap_up(chat, scope)
        await handling.complete(chat, scope, outcome)

    async def mailed(self, *letters: Mailed) -> Interaction:
        """Letters arrive; returns the interaction that the last one is in, once it is read."""
        await letterbox.of(self.hub).post(*letters)

        async def taken(tx: UnitOfWork) -> Interaction | None:
            found = await tx.select(ARRIVALS, "WHERE provider_id = $1", letters[-1].name)
            return await tx.get(INTERACTIONS, found[0].interaction) if found and found[0].interaction else None

        async with asyncio.timeout(20):
            while True:
                interaction = await self.hub.services.store.read(taken)
                if interaction is not None:
                    return interaction
                await asyncio.sleep(0.02)

    async def accepted(self, chat: str, agent: str) -> None:
        """The agent is offered the chat and takes it."""
        async with asyncio.timeout(20):
            while True:
                for offer in list(self.hub.services.floor.offers.values()):
                    if (offer.interaction, offer.agent) == (chat, agent):
                        await self.hub.services.offers.accept(offer.id, agent)
                        return
                await asyncio.sleep(0.05)

    def cut_agent(self, name: str) -> int:
        """Cut the lines of one agent's consoles, as a dead network would; returns how many there were."""
        assert self.hub.console is not None
        return _cut(self.hub.console.server.connections_of(name))

    def cut_visitors(self) -> int:
        """Cut the lines of every visitor; returns how many there were."""
        channel: Any = self.hub.channels[0]
        return _cut(channel._gate.server.connections())


def _cut(connections: list[Any]) -> int:
    for connection in connections:
        connection.socket.cut(WSCloseCode.GOING_AWAY, "test")
    return len(connections)


def company(
    folder: Path,
    url: str,
    shops: Sequence[str],
    *,
    offer_timeout_s: float,
    wrap_up_s: float,
    lines: dict[str, ChannelSettings],
) -> Settings:
    """Return a company of two agents, a supervisor and an admin; one chat site is open, one closed."""
    base = small_company(folder, f"sqlite:///{folder}/hub.db", public_url=url)
    queues = {
        "support": QueueSettings(id="support", name="Support", target_s=60.0, color="#3367b0"),
        "billing": QueueSettings(id="billing", name="Billing", target_s=90.0, color="#b4532a"),
        "night": QueueSettings(id="night", name="Night desk", target_s=60.0, hours="far"),
    }
    chat = msgspec.structs.replace(default_kinds()["chat"], offer_timeout_s=offer_timeout_s)
    return msgspec.structs.replace(
        base,
        company=msgspec.structs.replace(base.company, name="Fernway Outdoor", languages=LANGUAGES),
        queues=queues,
        skills=("invoices", "tents"),
        agents={name: msgspec.structs.replace(agent, languages=LANGUAGES) for name, agent in base.agents.items()},
        kinds={**default_kinds(), "chat": chat},
        hours={"far": _far_hours()},
        channels={
            "site": _site("site", "support", shops),
            "late": _site("late", "night", shops),
            "post": letterbox.block(),
            **lines,
        },
        letters=msgspec.structs.replace(base.letters, undo_s=UNDO_S),
        handling=msgspec.structs.replace(base.handling, wrap_up_s=wrap_up_s),
        offers=msgspec.structs.replace(
            base.offers,
            misses_until_not_responding=6,
            agent_back_off_s={"timed_out": 6.0},
            same_agent_again_s={"timed_out": 3.0},
        ),
        limits=msgspec.structs.replace(
            base.limits, chats_per_address_per_hour=1_000, sockets_per_address=500, visitor_events_burst=100
        ),
        **_words(),
    )


def _far_hours() -> Hours:
    """Open on one morning of the week, and that is not today."""
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%A").lower()
    return Hours(id="far", week={day: ("09:00-12:00",)})


def _site(site: str, queue: str, shops: Sequence[str]) -> ChannelSettings:
    options: dict[str, Any] = {
        "queue": queue,
        "origins": list(shops),
        "name": {"en": "Fernway Outdoor", "zh": "蕨野户外"},
        "greeting": {"en": "Hello from Fernway! How can we help?", "zh": "欢迎来到蕨野户外！有什么可以帮您？"},
        "form": [
            {"id": "name", "label": {"en": "Your name", "zh": "您的姓名"}, "kind": "text", "required": True},
            {"id": "email", "label": {"en": "E-mail", "zh": "电子邮箱"}, "kind": "email"},
        ],
        "quick_replies": [
            {"id": "order", "label": {"en": "My order", "zh": "我的订单"}},
            {"id": "invoice", "label": {"en": "Invoice or refund", "zh": "发票或退款"}, "queue": "billing"},
        ],
    }
    return ChannelSettings(id=site, kind="webchat", options=options)


def _words() -> dict[str, Any]:
    """Return what agents choose from."""
    outcomes = {"solved": ("Solved", "已解决"), "refunded": ("Refunded", "已退款"), "later": ("Follow up", "需要跟进")}
    reasons = {"lunch": ("Lunch", "午餐"), "training": ("Training", "培训")}
    replies = {
        "delivery": ("Delivery times", "配送时间", "It takes 2 to 4 days, {{customer}}.", "通常2到4个工作日送达。"),
        "bye": ("Goodbye", "再见", "Enjoy the outdoors!", "祝您户外愉快！"),
    }
    return {
        "dispositions": {k: Disposition(id=k, label={"en": en, "zh": zh}) for k, (en, zh) in outcomes.items()},
        "away_reasons": {k: AwayReason(id=k, label={"en": en, "zh": zh}) for k, (en, zh) in reasons.items()},
        "canned_replies": {
            k: CannedReply(id=k, shortcut=k, title={"en": a, "zh": b}, text={"en": c, "zh": d})
            for k, (a, b, c, d) in replies.items()
        },
    }


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    offer_timeout_s: float = 60.0,
    wrap_up_s: float = 60.0,
    passwords: bool = False,
    phones: bool | dict[str, Any] = False,
    whatsapp: bool = False,
) -> AsyncIterator[House]:
    """Start hub and shop in this very loop.

    `passwords` lets people sign in by the form too. `phones` gives the company a line at a carrier of its own,
    with these words in its block, `whatsapp` one for texts.
    """
    hub_port, shop_port = free_port(), free_port()
    url, shop, abroad, stranger = (
        f"http://127.0.0.1:{hub_port}",
        *(f"http://{host}:{shop_port}" for host in ("127.0.0.1", "localhost", "stranger.localhost")),
    )
    carrier, exchange, lines = None, None, {}
    if phones:
        carrier = Carrier(account(f"{url}/webhooks/hotline", None), SystemClock(), transport=NetworkTransport())
        exchange = Server(carrier)
        block = options(await exchange.start()) | {"softphone": "websocket", "records": True}
        block |= phones if isinstance(phones, dict) else {}
        lines = {"hotline": ChannelSettings(id="hotline", kind="voice", options=block)}
    if whatsapp:
        carrier = Carrier(texts.account(f"{url}/webhooks/texts"), SystemClock(), transport=NetworkTransport())
        exchange = Server(carrier)
        lines = {"texts": texts.line(await exchange.start(), number=texts.CHAT_LINE, templates=(texts.TEMPLATE,))}
    with letterbox.known():
        hub = build(
            company(folder, url, (shop, abroad), offer_timeout_s=offer_timeout_s, wrap_up_s=wrap_up_s, lines=lines),
            strict=True,
            demo=True,
        )
    house = House(hub=hub, url=url, shop=shop, abroad=abroad, stranger=stranger, carrier=carrier)
    await hub.start()
    runners = [await listen(hub.app, hub_port), await listen(_shop(house), shop_port)]
    try:
        if passwords:
            await asyncio.gather(*(hub.services.accounts.set_password(name, PASSWORD) for name, _ in PEOPLE))
        yield house
    finally:
        if carrier is not None:
            await carrier.close()
        await hub.stop()
        for runner in runners:
            await runner.cleanup()
        if exchange is not None:
            await exchange.stop()


async def listen(app: web.Application, port: int) -> web.AppRunner:
    """Serve an application on this machine."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def _shop(house: House) -> web.Application:
    """Return the customer's own site: plain, from right to left, and with a strict policy."""
    hub = house.url
    strict = (
        f"default-src 'none'; script-src {hub}; frame-src {hub}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )

    async def page(request: web.Request) -> web.Response:
        query = request.query
        attributes = {"data-site": query.get("site", "site"), "data-lang": query.get("lang", "en")}
        attributes |= {f"data-{name}": query[name] for name in ("theme", "accent", "position") if name in query}
        tag = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        headers = {"Content-Security-Policy": strict} if request.path == "/strict" else {}
        text = _PAGE.format(dir=query.get("dir", "ltr"), lang=query.get("lang", "en"), hub=hub, tag=tag)
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def nothing(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/strict", page)
    app.router.add_get("/favicon.ico", nothing)
    return app


_PAGE = """<!doctype html>
<html lang="{lang}" dir="{dir}"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Tents</h1><p>Two people, three seasons.</p><p><a href="#cart">To the cart</a></p></main>
<script src="{hub}/widget.js" {tag} defer></script></body></html>"""
