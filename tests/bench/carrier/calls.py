"""What the carrier itself costs: 500 calls at once, each greeted, queued, joined by an agent's leg and ended.

Everything runs in one process on the machine's clock, over sockets, against a customer that only answers: whoever
measures a hub with the carrier must know what the carrier takes.

Run: python -m tests.bench.carrier.calls
"""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiohttp import web

from channels.simulator.carrier import (
    Account,
    AccountLimits,
    Carrier,
    HangUp,
    Hook,
    Manners,
    Meet,
    Number,
    Phone,
    Press,
    Say,
    Server,
    Wait,
    WaitFor,
)
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.phones import Step
from channels.simulator.carrier.rest.api import Asked, basic
from hub.clock import SystemClock
from tests.bench.hub.report import verdict
from tests.bench.load.drive import allow_many_files

SID, TOKEN, LINE = "AC" + "0" * 32, "bench", "+15550100"
WANTED_P99_MS = 250.0
TALK_S = 20.0
LATE_MS = 1500
"""How much later than planned a leg may end and still count as right."""
SCRIPT: list[Step] = [
    *(WaitFor("press 1"), Press("1"), Meet()),
    *(Say("Good morning, I have a question."), Wait(TALK_S), HangUp()),
]


@dataclass
class Customer:
    """Answers at once: a menu, a queue, and a conference for each call once its agent has joined."""

    url: str = ""
    carrier: Carrier | None = None
    came: Counter[str] = field(default_factory=Counter)
    joined: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a webhook."""
        posted = await request.post()
        path, call = request.path, str(posted.get("CallSid"))
        self.came[path] += 1
        if path == "/voice":
            return markup('<Gather numDigits="1" action="/menu"><Say>Welcome. Press 1 to talk to us.</Say></Gather>')
        if path == "/menu":
            self.add_agent(call)
            return markup('<Enqueue waitUrl="/wait">support</Enqueue>')
        if path == "/wait":
            return markup("<Say>You will be connected in a moment.</Say>", '<Pause length="10"/>')
        if path == "/room" and posted.get("StatusCallbackEvent") == "participant-join":
            self.move(str(posted["FriendlyName"]))
        if path == "/join":
            name = request.query["room"]
            return markup(f'<Dial><Conference beep="false" endConferenceOnExit="true">{name}</Conference></Dial>')
        return web.Response(status=204)

    def add_agent(self, call: str) -> None:
        """Ring an agent into the call's room."""
        self.ask(
            f"Conferences/{call}/Participants.json",
            f"To=client:agent&From=%2B15550100&Label=agent&ConferenceStatusCallback={self.url}/room"
            f"&ConferenceStatusCallbackEvent=join&StatusCallback={self.url}/agent",
        )

    def move(self, call: str) -> None:
        """Move the caller into the room, once."""
        if call not in self.joined:
            self.joined.add(call)
            self.ask(f"Calls/{call}.json", f"Url={self.url}/join?room={call}")

    def ask(self, path: str, body: str) -> None:
        """Use the REST interface without its sockets: they are the customer's cost."""
        assert self.carrier is not None
        answer = self.carrier.api.answer(
            Asked(
                method="POST",
                path=f"/2010-04-01/Accounts/{SID}/{path}",
                authorization=basic(SID, TOKEN),
                content_type="application/x-www-form-urlencoded",
                body=body.encode(),
            )
        )
        assert answer.status < 300, answer.payload


def markup(*verbs: str) -> web.Response:
    """Return a document."""
    return web.Response(text=f"<Response>{''.join(verbs)}</Response>", content_type="text/xml")


class Watched(Carrier):
    """A carrier that notes how long its documents take to come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.took_ms: list[float] = []
        fetch = self.switch.webhooks.fetch

        async def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await fetch(*args, **kwargs)
            finally:
                self.took_ms.append((time.perf_counter() - begun) * 1000)

        self.switch.webhooks.fetch = timed  # type: ignore[method-assign]


async def main(count: int, spread_s: float) -> None:
    """Print the figures."""
    allow_many_files()
    customer = Customer()
    runner = await serve(customer)
    account = Account(
        sid=SID,
        auth_token=TOKEN,
        numbers={LINE: Number(phone_number=LINE, voice=Hook(f"{customer.url}/voice"))},
        limits=AccountLimits(calls_per_s=10_000, requests_per_s=100_000, request_burst=100_000),
    )
    carrier = customer.carrier = Watched(account, SystemClock())
    carrier.world.install("client:agent", Phone(Manners(after_s=2)))
    server = Server(carrier)
    await server.start()
    cpu_s, begun = time.process_time(), time.perf_counter()
    callers: list[Leg] = []
    most = 0
    for n in range(count):
        callers.append(carrier.person_calls(f"+1415555{n:04d}", LINE, SCRIPT))
        await asyncio.sleep(max(begun + (n + 1) * spread_s / count - time.perf_counter(), 0))
    while live := carrier.live_calls():
        most = max(most, sum(1 for leg in live if leg.route.direction == "inbound"))
        await asyncio.sleep(0.1)
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_s
    for _ in range(50):
        if any(carrier.pending.values()):
            await asyncio.sleep(0.1)
    report(carrier, customer, callers, most=most, seconds=seconds, cpu_s=cpu_s)
    await server.stop()
    await runner.cleanup()


async def serve(customer: Customer) -> web.AppRunner:
    """Let the customer listen."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", customer.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    host, port = runner.addresses[0][:2]
    customer.url = f"http://{host}:{port}"
    return runner


def report(
    carrier: Watched, customer: Customer, callers: list[Leg], *, most: int, seconds: float, cpu_s: float
) -> None:
    """Print what came of it."""
    took = sorted(carrier.took_ms)
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    talked = sum(any(sound.kind == "mix" for sound in leg.hearing.sounds) for leg in callers)
    right = sum(is_right(leg) for leg in callers)
    sent = carrier.switch.webhooks.sent
    print(f"{len(callers)} calls, at most {most} at once, {len(carrier.plant.legs)} legs")
    print(f"{sent} webhooks {dict(customer.came)}")
    print(f"{seconds:.1f} s, {cpu_s:.1f} s CPU for both sides: {cpu_s / sent * 1000:.2f} ms a webhook")
    print(f"documents: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {took[-1]:.1f} ms")
    print(verdict(f"every caller talked to an agent ({talked})", talked == len(callers)))
    print(verdict(f"every call ended once, at its time ({right})", right == len(callers)))
    print(verdict(f"documents within {WANTED_P99_MS:.0f} ms (p99)", p99 < WANTED_P99_MS))
    print(verdict(f"nothing is left {carrier.pending}", not any(carrier.pending.values())))


def is_right(leg: Leg) -> bool:
    """Whether a caller's leg has ended when its script says: so many seconds after the last word."""
    planned = leg.spoken[-1][1] + round(TALK_S * 1000) if leg.spoken else 0
    return leg.status == "completed" and leg.ended_at is not None and 0 <= leg.ended_at - planned <= LATE_MS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--spread", type=float, default=5.0, help="seconds over which they come in")
    chosen = parser.parse_args()
    uvloop.run(main(chosen.calls, chosen.spread))
