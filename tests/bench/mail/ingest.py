"""How fast does a mailbox empty into the hub, and in how much memory? `python -m tests.bench.mail.ingest [COUNT]`.

A real Dovecot, `hub serve` as a process of its own on SQLite with `synchronous=FULL`: fetched by IMAP, raw mail synced,
parsed, placed, committed. With `--waiting N` so many small mails wait, and the memory is what is looked at.
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


def mixed(count: int) -> Iterator[bytes]:
    """Yield mails of the mixed corpus, each once and from somebody else."""
    corpus = make(400)
    for number in range(count):
        raw = corpus[number % len(corpus)]
        raw = raw.replace(b"<1@example.org>", b"<%d@example.org>" % number)
        yield raw.replace(b"ann@example.org", b"ann%d@example.org" % number)


def small(count: int) -> Iterator[bytes]:
    """Yield short letters from 500 people a thread each."""
    for number in range(count):
        yield mail(
            f"Hello, this is letter {number}.\n" * 8,
            From=f"Ann <ann{number % 500}@example.org>",
            Message_ID=f"<{number}@example.org>",
        )


async def ingest(server: Dovecot, folder: Path, count: int) -> None:
    """Run a hub until it has read everything, and print what it took."""
    async with running.database("sqlite", folder) as (url, _):
        more = server.block(USER)
        place = await running.staffed(folder, url, agents=1, more=more)
        hub = await running.start(place, errors=sys.stderr)
        began = time.perf_counter()
        process = psutil.Process(hub.process.pid)
        cpu_before = sum(process.cpu_times()[:2])
        peak, kept_s, told = 0, 0.0, 0
        while (read := counted(folder, "state IN ('taken', 'ignored')")) < count:
            rss = process.memory_info().rss
            peak = max(peak, rss)
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
        print(f"peak RSS {peak / 1e6:.0f} MB")
        await hub.terminate()


def counted(folder: Path, where: str) -> int:
    """Return how many arrivals there are."""
    with sqlite3.connect(f"file:{folder}/hub.db?mode=ro", uri=True) as db:
        count: int = db.execute(f"SELECT count(*) FROM arrivals WHERE {where}").fetchone()[0]
    return count


def main() -> None:
    """Fill a mailbox and let a hub empty it."""
    is_many = "--waiting" in sys.argv
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    count = numbers[0] if numbers else (100_000 if is_many else 2_000)
    server = Dovecot()
    try:
        server.drop(USER, small(count) if is_many else mixed(count))
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(ingest(server, Path(folder), count))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
