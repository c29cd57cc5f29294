"""The demo's texting lines: a newcomer at the page writes, and the company answers, over the carrier inside."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from channels.simulator import Library
from channels.simulator.carrier.pockets import Pocket
from channels.simulator.tempo import Tempo
from hub.app import Hub
from hub.domain.agent import Presence, Role
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction
from hub.domain.messages import Author
from hub.domain.texting import TemplateUse
from hub.services.access import Scope
from hub.services.messages import Words
from tests.integration.test_demo_phone import WITHIN_S, demo, until

NUMBER = "+13035550142"
SMS = "+12025550142"
CHAT_APP = "whatsapp:+12025550188"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def write(session: aiohttp.ClientSession, url: str, origin: str = "", **written: Any) -> tuple[int, Any]:
    body = {"number": NUMBER, **written}
    headers = {"Origin": origin or url}
    async with session.post(f"{url}/demo/text/messages", json=body, headers=headers) as response:
        return response.status, await response.json()


async def thread(session: aiohttp.ClientSession, url: str, line: str, *, seen: bool = False) -> list[dict[str, Any]]:
    params = {"number": NUMBER, "line": line, **({"seen": "1"} if seen else {})}
    async with session.get(f"{url}/demo/text/thread", params=params) as response:
        answer = await response.json()
        assert answer["ok"], answer
        found: list[dict[str, Any]] = answer["messages"]
        return found


@asynccontextmanager
async def at_the_page(folder: Path) -> AsyncIterator[tuple[Hub, str, aiohttp.ClientSession]]:
    """A demo whose carrier is open, with nobody at work but whom a test lets in."""
    async with demo(folder) as (hub, url, session):
        assert hub.demo is not None
        hub.demo.exchange.start(url, [], Library.load(), Tempo(hub.clock))
        assert await hub.demo.exchange.is_open()
        yield hub, url, session


async def taken(hub: Hub) -> Interaction:
    """Ann or Bob accepts: two are there, for the last one who is free is kept for members at first."""
    services = hub.services
    for name in ("ann", "bob"):
        await services.presence.connected(name)
        await services.presence.choose(name, Presence.AVAILABLE, "")
    await until(lambda: bool(services.floor.offers))
    (offer,) = services.floor.offers.values()
    return await services.offers.accept(offer.id, offer.agent)


def words(interaction: Interaction, text: str, use: TemplateUse | None = None) -> Words:
    return Words(
        interaction=interaction.id,
        author=Author.AGENT,
        agent=interaction.agent,
        client_id=new_id("x"),
        text=text,
        template=use,
    )


async def receipts(hub: Hub, interaction: Interaction) -> list[str]:
    found = await hub.services.letters.of(interaction.id, Scope("sue", Role.SUPERVISOR))
    return [one.envelope.status for one in found if not one.envelope.arrival]


async def until_receipt(hub: Hub, interaction: Interaction, status: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        while (await receipts(hub, interaction))[-1:] != [status]:  # noqa: ASYNC110 - as above, on the other side
            await asyncio.sleep(0.05)


async def test_newcomer_texts_with_a_picture_and_reads_the_answer(tmp_path: Path) -> None:
    async with at_the_page(tmp_path) as (hub, url, session):
        assert await thread(session, url, SMS) == []
        picture = {"type": "image/png", "content": PIXEL}
        assert await write(session, url, line=SMS, text="Where is my tent?", picture=picture) == (200, {"ok": True})
        interaction = await taken(hub)
        await hub.services.chats.messages.say(words(interaction, "On its way."))
        await until_receipt(hub, interaction, "delivered")
        shown = await thread(session, url, SMS)
        (key,) = shown[0]["pictures"]
        async with session.get(f"{url}/demo/text/picture", params={"key": key}) as response:
            file = (response.status, response.content_type, await response.read())
            assert "sandbox" in response.headers["Content-Security-Policy"]
    assert (interaction.kind, interaction.address) == ("sms", NUMBER)
    assert [(one["mine"], one["text"]) for one in shown] == [(True, "Where is my tent?"), (False, "On its way.")]
    assert file == (200, "image/png", base64.b64decode(PIXEL))


async def test_company_sees_that_a_chat_apps_message_was_read_and_sends_agreed_wordings(tmp_path: Path) -> None:
    async with at_the_page(tmp_path) as (hub, url, session):
        await write(session, url, line=CHAT_APP, text="Is my order on its way?")
        interaction = await taken(hub)
        use = TemplateUse("on_its_way", ("Robin", "FW10442"))
        text = hub.services.texting.worded(interaction.channel, use)
        await hub.services.chats.messages.say(words(interaction, text, use))
        await until_receipt(hub, interaction, "delivered")
        shown = await thread(session, url, CHAT_APP, seen=True)
        await until_receipt(hub, interaction, "read")
        assert await thread(session, url, SMS) == []
        customer = hub.services.floor.customers[interaction.customer]
    assert (interaction.kind, customer.name) == ("whatsapp", "Robin Newcomer")
    assert [one["text"] for one in shown] == [
        "Is my order on its way?",
        "Hello Robin, your Fernway order FW10442 is on its way.",
    ]


async def test_page_refuses_what_is_none_of_its_business(tmp_path: Path) -> None:
    async with at_the_page(tmp_path) as (hub, url, session):
        assert hub.demo is not None
        cases: list[tuple[int, dict[str, Any]]] = [
            (403, {"line": SMS, "text": "Hello", "origin": "https://elsewhere.example"}),
            (400, {"line": SMS, "text": "  "}),
            (400, {"line": SMS, "text": "Hello", "number": "+1"}),
            (400, {"line": SMS, "text": "x" * 1601}),
            (400, {"line": SMS, "picture": {"type": "text/html", "content": PIXEL}}),
            (404, {"line": "+12025550100", "text": "Hello"}),
        ]
        for status, written in cases:
            assert (await write(session, url, **written))[0] == status, written
        hub.demo.exchange.carrier.post.handsets[NUMBER] = Pocket()
        assert (await write(session, url, line=SMS, text="Hello"))[0] == 400
        async with session.get(f"{url}/demo/text/picture", params={"key": "none"}) as response:
            assert response.status == 404


async def test_page_waits_for_the_telephones(tmp_path: Path) -> None:
    async with demo(tmp_path) as (_, url, session):
        assert (await write(session, url, line=SMS, text="Hello"))[0] == 503


async def test_page_is_served_strictly_and_linked(tmp_path: Path) -> None:
    async with demo(tmp_path) as (_, url, session):
        for path, title in (("/demo/text?lang=en", "Text Fernway"), ("/demo/text?lang=zh", "发短信给")):
            async with session.get(f"{url}{path}") as response:
                text = await response.text()
                assert (response.status, title in text) == (200, True)
                assert "unsafe" not in response.headers["Content-Security-Policy"]
                assert "<script>" not in text
                assert "style=" not in text
        for name in ("text.js", "text.css"):
            async with session.get(f"{url}/demo/{name}") as response:
                assert response.status == 200
        async with session.get(f"{url}/demo") as response:
            assert "/demo/text" in await response.text()
