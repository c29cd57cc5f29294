"""How fast does a mailbox empty into the hub, and in how much memory? `python -m tests.bench.mail.ingest [COUNT]`.

A real Dovecot, `hub serve` as a process of its own on SQLite with `synchronous=FULL`: fetched by IMAP, raw mail synced,
parsed, placed, committed. With `--waiting [N]` so many small mails (100,000) wait in the end, each an interaction
of its own, and what is looked at is how much more memory the hub takes than when the first tenth waited.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.hub import running
from tests.bench.mail.corpus import make
from tests.mailserver import Dovecot
from tests.payloads.mail.builders import mail

USER = "support@example.com"
_STEP_S = 0.25
_SETTLED_S = 5
_MOST_BYTES_EACH = 3_000
"""Memory for one more that waits: what the engine, the floor and the allocator need for it."""


def mixed(count: int) -> Iterator[bytes]:
    """Yield mails of the mixed corpus, each once and from somebody else."""
    corpus = make(400)
    for number in range(count):
        raw = corpus[number % len(corpus)]
        raw = raw.replace(b"<1@example.org>", b"<%d@example.org>" % number)
        yield raw.replace(b"ann@example.org", b"ann%d@example.org" % number)


def small(count: int) -> Iterator[bytes]:
    """Yield short letters, each from somebody else: each becomes an interaction that waits."""
    for number in range(count):
        yield mail(
            f"Hello, this is letter {number}.\n" * 8,
            From=f"Ann <ann{number}@example.org>",
            Message_ID=f"<{number}@example.org>",
        )


async def ingest(server: Dovecot, folder: Path, count: int) -> float:
    """Run a hub until it has read everything, and print what it took; returns bytes for one more that waits."""
    async with running.database("sqlite", folder) as (url, _):
        more = server.block(USER)
        place = await running.staffed(folder, url, agents=1, more=more)
        hub = await running.start(place, errors=sys.stderr)
        began = time.perf_counter()
        process = psutil.Process(hub.process.pid)
        cpu_before = sum(process.cpu_times()[:2])
        peak, kept_s, told, at_first = 0, 0.0, 0, (0, 0)
        while (read := counted(folder, "state IN ('taken', 'ignored')")) < count:
            rss = process.memory_info().rss
            peak = max(peak, rss)
            if not at_first[0] and read >= count / 10:
                at_first = read, rss
            kept = counted(folder, "1 = 1")
            if kept * 10 // count > told:
                told = kept * 10 // count
                print(f"{kept:7} kept, {read:7} read, {rss / 1e6:4.0f} MB", flush=True)
            if not kept_s and kept >= count:
                kept_s = time.perf_counter() - began
            await asyncio.sleep(_STEP_S)
        took_s = time.perf_counter() - began
        cpu_s = sum(process.cpu_times()[:2]) - cpu_before
        kept_s = kept_s or took_s
        rate = count / took_s
        print(f"{count} mails: all kept after {kept_s:.1f} s, all read after {took_s:.1f} s: {rate:.0f} mails/s")
        print(f"CPU {cpu_s:.1f} s, {count / cpu_s:.0f} mails a second of one core; hub alone, without Dovecot")
        await asyncio.sleep(_SETTLED_S)
        rss = process.memory_info().rss
        each = float(rss - at_first[1]) / (count - at_first[0])
        print(f"RSS with {at_first[0]} waiting {at_first[1] / 1e6:.0f} MB, with {count} {rss / 1e6:.0f} MB: ", end="")
        print(f"{each:.0f} bytes for one more; peak {peak / 1e6:.0f} MB")
        await hub.terminate()
    return each


def counted(folder: Path, where: str) -> int:
    """Return how many arrivals there are."""
    with sqlite3.connect(f"file:{folder}/hub.db?mode=ro", uri=True) as db:
        count: int = db.execute(f"SELECT count(*) FROM arrivals WHERE {where}").fetchone()[0]
    return count


def main() -> int:
    """Fill a mailbox and let a hub empty it; 1: one more that waits takes more memory than it may."""
    is_many = "--waiting" in sys.argv
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    count = numbers[0] if numbers else (100_000 if is_many else 2_000)
    server = Dovecot()
    try:
        server.drop(USER, small(count) if is_many else mixed(count))
        with tempfile.TemporaryDirectory() as folder:
            each = asyncio.run(ingest(server, Path(folder), count))
    finally:
        server.stop()
    if not is_many:
        return 0
    print(f"limit {_MOST_BYTES_EACH} bytes: {'kept' if each <= _MOST_BYTES_EACH else 'BROKEN'}")
    return int(each > _MOST_BYTES_EACH)


if __name__ == "__main__":
    sys.exit(main())
