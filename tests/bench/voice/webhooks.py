"""Calls that come in, a second: the hub beside a bare aiohttp handler with an HMAC and the same rows in one commit.

Each is one webhook of a number that was never seen, from reading it to the document: signature, customer,
interaction, call, leg, segment and journal, committed durably. The hub does more meanwhile: the queue's order, the
board, a search index. Run: python -m tests.bench.voice.webhooks
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import uvloop

from channels.simulator.carrier.signing import signature
from tests.bench.hub.report import verdict
from tests.bench.hub.running import DATABASES, database, staffed, start
from tests.bench.load.process import Meter, ServerProcess, server_process

TOKEN, SID, LINE = "the-token-of-a-benchmark", "AC" + "0" * 32, "+15005550006"
PATH = "/webhooks/hotline/call"
WANTED = 0.6
TURNS = 8
MORE = f"""
[channels.hotline]
kind = "voice"
number = "{LINE}"
queue = "support"
account_sid = "{SID}"
auth_token = "file:token"
api_url = "http://127.0.0.1:9"
welcome = {{ en = "Welcome." }}
"""


def requests(port: int, first: int, count: int) -> list[bytes]:
    """Return signed webhooks as bytes, each of another call and number."""
    made = []
    for number in range(first, first + count):
        fields = {
            "CallSid": f"CA{number:032x}", "AccountSid": SID, "From": f"+1415{2_000_000 + number}", "To": LINE,
            "CallStatus": "ringing", "ApiVersion": "2010-04-01", "Direction": "inbound", "FromCountry": "US",
        }  # fmt: skip
        body = urlencode(fields).encode()
        signed = signature(TOKEN, f"http://127.0.0.1:{port}{PATH}", fields.items())
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {signed}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def send(port: int, waiting: list[bytes], took_ms: list[float]) -> None:
    """Send what waits over one connection, one after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        began = time.perf_counter()
        writer.write(waiting.pop())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        took_ms.append((time.perf_counter() - began) * 1000)
        assert b" 200 " in head[:16], head
        assert b"<Enqueue" in body, body
    writer.close()
    await writer.wait_closed()


class Side:
    """One of the two that are measured: what it took so far, by the clock and of CPU time."""

    def __init__(self, name: str, server: ServerProcess) -> None:
        self.name = name
        self._server = server
        self._sent = 0
        self._seconds = self._cpu_s = 0.0
        self._took_ms: list[float] = []

    async def answer(self, count: int, at_once: int, *, is_warm: bool = True) -> None:
        """Send so many webhooks as fast as they are answered."""
        waiting, took_ms = requests(self._server.port, self._sent, count), list[float]()
        self._sent += count
        meter = Meter(self._server)
        await asyncio.gather(*(send(self._server.port, waiting, took_ms) for _ in range(at_once)))
        if is_warm:
            seconds, cpu_s, _ = meter.read()
            self._seconds += seconds
            self._cpu_s += cpu_s
            self._took_ms += took_ms

    def figures(self) -> tuple[float, float]:
        """Print and return how many a second were answered, and how many in a CPU-second of the server."""
        took, count = sorted(self._took_ms), len(self._took_ms)
        by_clock, by_cpu = count / self._seconds, count / self._cpu_s
        p50, p99 = took[count // 2], took[count * 99 // 100]
        rates = f"{by_clock:7.0f}/s {by_cpu:7.0f}/CPU-s"
        print(f"{self.name:<18} {rates}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms", flush=True)
        return by_clock, by_cpu


async def compare(kind: str, count: int, at_once: int) -> tuple[float, float]:
    """Return how fast the hub is beside the bare handler, by the clock and by CPU time.

    They take turns: what else the machine does slows both.
    """
    folder = tempfile.TemporaryDirectory
    with folder(prefix="hub-bench-") as one, folder(prefix="hub-bench-") as two:
        async with (
            database(kind, Path(one)) as (url, postgres),
            database(kind, Path(two)) as (hub_url, hub_postgres),
            server_process("tests.bench.voice.relay_bare", url, TOKEN) as server,
        ):
            server.count_also(postgres.pid if postgres else None)
            (Path(two) / "token").write_text(TOKEN)
            place = await staffed(Path(two), hub_url, agents=1, more=MORE)
            place.database_pid = hub_postgres.pid if hub_postgres else None
            hub = await start(place)
            try:
                bare, ours = await in_turns(kind, server, hub.server, count, at_once)
            finally:
                await hub.terminate()
                if hub.process.stdout is not None:
                    hub.process.stdout.close()
    return ours[0] / bare[0], ours[1] / bare[1]


async def in_turns(
    kind: str, bare: ServerProcess, hub: ServerProcess, count: int, at_once: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Let both answer in turns; return the figures of the bare handler, then the hub's."""
    sides = Side(f"bare {kind}", bare), Side(f"hub {kind}", hub)
    for turn in range(TURNS + 1):
        for side in sides if turn % 2 else sides[::-1]:
            await side.answer(count // TURNS, at_once, is_warm=turn > 0)
    return sides[0].figures(), sides[1].figures()


async def main(kinds: Sequence[str], count: int, at_once: int) -> None:
    """Print the figures."""
    for kind in kinds:
        by_clock, by_cpu = await compare(kind, count, at_once)
        text = f"{kind}: {by_clock:.2f} x the bare handler ({by_cpu:.2f} x per CPU-second)"
        print(verdict(text, by_clock >= WANTED), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--calls", type=int, default=3_000)
    parser.add_argument("--at-once", type=int, default=64)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.databases, chosen.calls, chosen.at_once))
