"""The carrier of `tests.bench.voice.calls`, in a process of its own as a real one is: it calls, and keeps the record.

It says a line each: the port of its REST interface; once told to call, how many were on the line at once; when all have
hung up, its record.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import uvloop

from channels.simulator.carrier import AccountLimits, Carrier, HangUp, Manners, Meet, Phone, Server, Wait
from channels.simulator.carrier.phones import Step
from hub.clock import SystemClock
from tests.bench.load.drive import allow_many_files
from tests.integration.phones import LINE, account

TALK_S = 15.0
SCRIPT: Sequence[Step] = (Meet("", 900), Wait(TALK_S), HangUp())


class Record(msgspec.Struct, kw_only=True):
    """What the carrier says of it all: when each call ended, and how long the hub's documents took to come."""

    ended_at: dict[str, int | None]
    took_ms: list[float]
    failed: int
    lines: int
    cpu_s: float


class Watched(Carrier):
    """A carrier that notes how long the hub's documents take to come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.took_ms: list[float] = []
        self.failed = 0
        fetch = self.switch.webhooks.fetch

        async def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                answer = await fetch(*args, **kwargs)
            finally:
                self.took_ms.append((time.perf_counter() - begun) * 1000)
            self.failed += answer.status >= 400
            return answer

        self.switch.webhooks.fetch = timed  # type: ignore[method-assign]


async def main(hub_url: str, calls: int, agents: int, spread_s: float) -> None:
    """Call when told to, and say what came of it."""
    allow_many_files()
    many = AccountLimits(calls_per_s=10_000, requests_per_s=100_000, request_burst=100_000)
    carrier = Watched(account(f"{hub_url}/webhooks/hotline", many), SystemClock())
    server = Server(carrier)
    print((await server.start()).rpartition(":")[2], flush=True)
    for n in range(agents):
        carrier.world.install(f"client:a{n:03}", Phone(Manners(after_s=1.0)))
    await asyncio.to_thread(sys.stdin.readline)
    begun, cpu_s = time.perf_counter(), time.process_time()
    lines = []
    for n in range(calls):
        lines.append(carrier.person_calls(f"+1415{2_000_000 + n}", LINE, SCRIPT))
        await asyncio.sleep(max(begun + (n + 1) * spread_s / calls - time.perf_counter(), 0))
    print(sum(not line.is_over for line in lines), flush=True)
    while not all(line.is_over for line in lines):  # noqa: ASYNC110 - it is the clock's work
        await asyncio.sleep(0.2)
    record = Record(
        ended_at={line.sid: line.ended_at for line in lines},
        took_ms=carrier.took_ms,
        failed=carrier.failed,
        lines=len(carrier.plant.legs),
        cpu_s=time.process_time() - cpu_s,
    )
    print(msgspec.json.encode(record).decode(), flush=True)
    # What is on its way is still told.
    await asyncio.to_thread(sys.stdin.readline)
    await carrier.close()
    await server.stop()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
