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


async def run(name: str, server: ServerProcess, count: int, at_once: int) -> tuple[float, float]:
    """Send webhooks as fast as they are answered; return how many a second, and a CPU-second of the server."""
    warm = requests(server.port, 0, 200)
    await asyncio.gather(*(send(server.port, warm, []) for _ in range(at_once)))
    waiting, took_ms = requests(server.port, 200, count), list[float]()
    meter = Meter(server)
    await asyncio.gather(*(send(server.port, waiting, took_ms) for _ in range(at_once)))
    seconds, cpu_s, _ = meter.read()
    took_ms.sort()
    p50, p99 = took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 99 // 100]
    rates = f"{count / seconds:7.0f}/s {count / cpu_s:7.0f}/CPU-s"
    print(f"{name:<18} {rates}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms", flush=True)
    return count / seconds, count / cpu_s


async def compare(kind: str, count: int, at_once: int) -> tuple[float, float]:
    """Return how fast the hub is beside the bare handler, by the clock and by CPU time."""
    folder = tempfile.TemporaryDirectory
    with folder(prefix="hub-bench-") as one, folder(prefix="hub-bench-") as two:
        async with (
            database(kind, Path(one)) as (url, postgres),
            server_process("tests.bench.voice.relay_bare", url, TOKEN) as server,
        ):
            server.count_also(postgres.pid if postgres else None)
            bare = await run(f"bare {kind}", server, count, at_once)
        async with database(kind, Path(two)) as (url, postgres):
            (Path(two) / "token").write_text(TOKEN)
            place = await staffed(Path(two), url, agents=1, more=MORE)
            place.database_pid = postgres.pid if postgres else None
            hub = await start(place)
            try:
                ours = await run(f"hub {kind}", hub.server, count, at_once)
            finally:
                await hub.terminate()
                if hub.process.stdout is not None:
                    hub.process.stdout.close()
    return ours[0] / bare[0], ours[1] / bare[1]


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
