"""How long does a caller in a flow wait for the next words? 500 of them at once, beside what the interpreter takes.

    python -m tests.bench.flows.phone

Every caller is in the shipped menu and presses a key every few seconds, as people do who listen first. A step is one
signed webhook from its first byte to the whole document: the signature, the session with what was pressed, the journal
and the timers committed durably, and the next words as TwiML. Calls that come in are not counted.
"""

import argparse
import asyncio
import html
import random
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import uvloop

from channels.simulator.carrier.signing import signature
from hub.flows.model import Medium
from hub.services.flows.files import read_folder
from hub.tools.flow import shipped_folder
from tests.bench.flows.interpreter import by_keys, measure
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, database, staffed, start
from tests.bench.load.process import Meter, ServerProcess

TOKEN, SID, LINE = "the-token-of-a-benchmark", "AC" + "0" * 32, "+15005550006"
PATH: Final = "/webhooks/hotline/call"
GOAL_MS: Final = 50.0
MORE: Final = f"""
[channels.hotline]
kind = "voice"
number = "{LINE}"
queue = "support"
flow = "main-menu"
account_sid = "{SID}"
auth_token = "file:token"
api_url = "http://127.0.0.1:9"
"""
KEYS: Final = ("2", "1")
"""Opening hours, and yes, there is something else: over and over."""
_ACTION: Final = re.compile(r'<Gather[^>]* action="([^"]+)"')


@dataclass
class Caller:
    """One call, over a connection of its own."""

    number: int
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    action: str = ""
    took_ms: list[float] = field(default_factory=list)

    async def rings(self) -> None:
        """Call, and hear the menu."""
        await self._asks(PATH, {"CallStatus": "ringing"})

    async def presses(self, keys: str) -> None:
        """Press keys, and hear what comes next."""
        began = time.perf_counter()
        await self._asks(self.action, {"CallStatus": "in-progress", "Digits": keys})
        self.took_ms.append((time.perf_counter() - began) * 1000)

    async def _asks(self, path: str, more: Mapping[str, str]) -> None:
        fields = {
            "CallSid": f"CA{self.number:032x}", "AccountSid": SID, "From": f"+1415{2_000_000 + self.number}",
            "To": LINE, "ApiVersion": "2010-04-01", "Direction": "inbound", **more,
        }  # fmt: skip
        body = urlencode(fields).encode()
        signed = signature(TOKEN, f"http://127.0.0.1:{self.port}{path}", list(fields.items()))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {signed}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        document = (await self.reader.readexactly(length)).decode()
        found = _ACTION.search(document)
        if b" 200 " not in answer[:16] or found is None:
            raise AssertionError(f"the flow does not go on: {answer!r} {document}")
        url = urlsplit(html.unescape(found[1]))
        self.action = f"{url.path}?{url.query}"


async def lives(caller: Caller, steps: int, pause_s: float, chance: random.Random) -> None:
    """Press a key every few seconds."""
    await asyncio.sleep(chance.uniform(0, pause_s))
    for number in range(steps):
        await caller.presses(KEYS[number % len(KEYS)])
        await asyncio.sleep(chance.uniform(0.5, 1.5) * pause_s)


async def run(server: ServerProcess, sessions: int, steps: int, pause_s: float) -> tuple[list[float], float]:
    """Let so many callers live through so many steps.

    Returns what each step took, sorted, and what it cost the server in CPU time, both in ms.
    """
    callers: list[Caller] = []
    try:
        for number in range(sessions):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            callers.append(Caller(number, server.port, reader, writer))
            await callers[-1].rings()
        meter = Meter(server)
        await asyncio.gather(*(lives(caller, steps, pause_s, random.Random(caller.number)) for caller in callers))
        _, cpu_s, _ = meter.read()
    finally:
        for caller in callers:
            caller.writer.close()
    took_ms = sorted(took for caller in callers for took in caller.took_ms)
    return took_ms, cpu_s * 1000 / len(took_ms)


async def main(kinds: Sequence[str], sessions: int, steps: int, pause_s: float) -> None:
    """Print the figures."""
    book, _ = read_folder(shipped_folder())
    print(f"interpreter, by keys: {measure(book, by_keys, Medium.PHONE):,.0f} steps/s of CPU time", flush=True)
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            async with database(kind, Path(folder)) as (url, postgres):
                (Path(folder) / "token").write_text(TOKEN)
                place = await staffed(Path(folder), url, agents=1, more=MORE)
                place.database_pid = postgres.pid if postgres else None
                hub = await start(place)
                try:
                    took_ms, cost_ms = await run(hub.server, sessions, steps, pause_s)
                finally:
                    await hub.terminate()
                    if hub.process.stdout is not None:
                        hub.process.stdout.close()
        p50, p99 = took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 99 // 100]
        print(f"{kind}: {sessions} callers, {len(took_ms)} steps, {cost_ms:.1f} ms of CPU each", flush=True)
        print(verdict(f"{kind}: a step p50 {p50:.1f} ms, p99 {p99:.1f} ms (goal {GOAL_MS:.0f})", p99 < GOAL_MS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--pause-s", type=float, default=6.0, help="seconds a caller listens before a key, on average")
    chosen = parser.parse_args()
    uvloop.run(main(chosen.databases, chosen.sessions, chosen.steps, chosen.pause_s))
