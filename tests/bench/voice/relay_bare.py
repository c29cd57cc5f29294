"""What the hub's webhooks are measured against: a bare aiohttp handler with an HMAC and the same rows in one commit.

It decides nothing, knows nobody, and announces nothing. Run by `tests.bench.voice.webhooks`.
"""

import asyncio
import base64
import hmac
import itertools
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import uvloop
from aiohttp import web

from hub.clock import SystemClock
from hub.domain.calls import Call, Direction, Leg, LegRole, LegState, Place
from hub.domain.customers import Address, AddressKind, Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.segments import Segment, SegmentKind
from hub.events import Bus
from hub.storage.migrations import migrate
from hub.storage.opening import store_of
from hub.storage.tables import ADDRESSES, CALLS, CUSTOMERS, INTERACTIONS, LEGS, SEGMENTS
from hub.storage.unit_of_work import Store, UnitOfWork

TWIML = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say voice="Polly.Joanna" language="en-US">Welcome.</Say>'
    '<Enqueue action="{base}/left" method="POST" waitUrl="{base}/wait" waitUrlMethod="POST">{name}</Enqueue></Response>'
)


class Bare:
    """The handler."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._key = token.encode()
        self.base = ""

    async def call(self, request: web.Request) -> web.Response:
        """Prove a request, store a call, answer with a document."""
        fields = parse_qsl((await request.read()).decode(), keep_blank_values=True)
        signed = self.base + request.raw_path + "".join(name + value for name, value in sorted(fields))
        given = request.headers.get("X-Twilio-Signature", "")
        if not hmac.compare_digest(base64.b64encode(hmac.digest(self._key, signed.encode(), "sha1")).decode(), given):
            return web.Response(status=403)
        params = dict(fields)
        interaction = new_id("i")
        await self._store.write(unit_of(interaction, params["From"], params["CallSid"]))
        return web.Response(text=TWIML.format(base=self.base, name=interaction), content_type="text/xml")


def unit_of(interaction: str, number: str, sid: str) -> Callable[[UnitOfWork], Awaitable[None]]:
    """Return the rows and events of one call that came in and waits."""

    async def unit(tx: UnitOfWork) -> None:
        customer, now = new_id("c"), tx.now
        await tx.insert(CUSTOMERS, Customer(id=customer, created_at=now))
        await tx.insert(ADDRESSES, Address(kind=AddressKind.PHONE, value=number, customer=customer))
        await tx.insert(
            INTERACTIONS,
            Interaction(
                id=interaction, channel="hotline", kind="voice", customer=customer, queue="support",
                state=State.QUEUED, created_at=now, queued_at=now, address=number, provider_id=sid, root=interaction,
            ),
        )  # fmt: skip
        await tx.insert(
            CALLS, Call(id=interaction, channel="hotline", direction=Direction.INBOUND, number=number, line="+1")
        )
        await tx.insert(
            LEGS,
            Leg(
                id=new_id("l"), interaction=interaction, role=LegRole.CUSTOMER, endpoint=number, wanted_at=now,
                provider_id=sid, state=LegState.UP, place=Place.SCRIPT, goes_to=Place.QUEUE, answered_at=now,
            ),
        )  # fmt: skip
        await tx.insert(
            SEGMENTS, Segment(id=new_id("s"), interaction=interaction, kind=SegmentKind.QUEUED, started_at=now)
        )
        for kind in (
            EventKind.CUSTOMER_CREATED,
            EventKind.CALL_ARRIVED,
            EventKind.INTERACTION_CREATED,
            EventKind.INTERACTION_QUEUED,
        ):
            tx.record(kind, interaction=interaction, customer=customer, queue="support")

    return unit


async def main(url: str, token: str) -> None:
    """Listen until ended; the port is the first line printed."""
    await migrate(url)
    store = store_of(url, SystemClock(), Bus())
    await store.open()
    bare = Bare(store, token)
    app = web.Application()
    app.router.add_post("/webhooks/hotline/call", bare.call)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    port = runner.addresses[0][1]
    bare.base = f"http://127.0.0.1:{port}"
    print(port, flush=True)
    for _ in itertools.count():
        await asyncio.sleep(3600)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
