"""A company whose mailbox begins in the main menu, and Li, who writes to it: real mails over a wire."""

from pathlib import Path
from typing import Any

import msgspec

from channels.mail.parsed import ParsedMail, parse
from hub.clock import FakeClock
from hub.domain.interaction import Interaction
from hub.flows.dialogues import START, answer_from
from hub.flows.session import Fetch, LookedUp, Session
from hub.storage.tables import FLOW_SESSIONS, INTERACTIONS, OUTGOING
from tests.builders import Desk, open_desk
from tests.peers import Peer, Wire, peer_block

LI = "li@customer.test"
HUB = "https://hub.fernway.test"
DAY_S = 86_400


class Erp:
    """The company's system: one order."""

    async def fetch(self, wish: Fetch) -> LookedUp:
        known = {"/orders/FW-10001": {"status": "shipped", "carrier": "Parcel Express", "eta": "2026-11-20"}}
        found = answer_from(wish, known)(f"l{wish.id}")
        assert isinstance(found, LookedUp)
        return found


async def house(folder: Path, url: str, *, public_url: str = HUB, **changes: Any) -> Desk:
    """A company whose mailbox begins in the main menu."""
    Peer.wire = Wire()
    block = peer_block("help@one.test", flow="main-menu", trusted_servers=("mx.one.test",))
    settings = {"channels": {"help": block}, "public_url": public_url, **changes}
    desk = await open_desk(folder, url, settings, clock=FakeClock(START))
    desk.hub.services.self_service.fetcher = Erp()
    return desk


async def closed(desk: Desk) -> None:
    desk.clock.settle = None
    await desk.hub.stop()


def mail(
    text: str = "Hello", *, subject: str = "Hello there", sender: str = LI, number: int = 1, more: str = ""
) -> bytes:
    return (
        f"From: Li Wei <{sender}>\r\nTo: help@one.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@customer.test>\r\nDate: Wed, 18 Nov 2026 09:00:00 +0000\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n{more}\r\n{text}\r\n"
    ).encode()


async def settled(desk: Desk) -> None:
    """Let everything be read, looked up and sent."""
    await desk.hub.services.arrivals.caught_up()
    await desk.wait(2)
    for _ in range(100):
        is_looking = await desk._rows(FLOW_SESSIONS, "WHERE looking_up <> ''")
        is_sending = await desk._rows(OUTGOING, "WHERE state IN ('waiting', 'sending')")
        if not is_looking and not is_sending:
            return
        await desk.wait(1)
    raise AssertionError("it never settles")


async def writes(desk: Desk, raw: bytes) -> list[ParsedMail]:
    """This mail arrives; returns what the hub has sent by then."""
    await Peer.wire.carry("help@one.test", raw)
    Peer.wire.carried.pop()
    await settled(desk)
    return letters()


async def replies(desk: Desk, text: str, number: int, **more: Any) -> list[ParsedMail]:
    """Li answers the last letter."""
    last = letters()[-1]
    extra = f"In-Reply-To: {last.message_id}\r\n" + more.pop("more", "")
    return await writes(desk, mail(text, subject=f"Re: {last.subject}", number=number, more=extra, **more))


def letters() -> list[ParsedMail]:
    return [parse(raw) for recipient, raw in Peer.wire.carried if recipient == LI]


async def interactions(desk: Desk) -> list[Interaction]:
    return list(await desk._rows(INTERACTIONS, "ORDER BY created_at, id"))


async def only(desk: Desk) -> Interaction:
    (found,) = await interactions(desk)
    return found


async def session_of(desk: Desk, interaction: Interaction) -> Session:
    (stored,) = await desk._rows(FLOW_SESSIONS, "WHERE interaction = $1", interaction.id)
    return msgspec.json.decode(stored.body, type=Session)
