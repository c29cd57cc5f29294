"""How fast does a mailbox empty into the hub, and in how much memory? `python -m tests.bench.mail.ingest [COUNT]`.

A real Dovecot, `hub serve` as a process of its own on SQLite with `synchronous=FULL`: fetched by IMAP, raw mail synced,
parsed, placed, committed. With `--waiting` 100,000 small letters wait in the mailbox, and what is looked at is memory:

`--waiting answers` one in ten opens an interaction, the others are later words of those: what is left is intake alone.
`--waiting each`    each opens an interaction of its own, which nobody takes: the hub knows everybody who waits.

Memory is constant when one more letter of the second half takes none: the first half fills the caches. Either way the
hub is started afresh in the end: what it takes then is what it has to know, the rest was left by intake.
"""

import argparse
import asyncio
import itertools
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.hub import running
from tests.bench.mail.corpus import make
from tests.mailserver import Dovecot
from tests.payloads.mail.builders import mail

USER = "support@example.com"
_STEP_S = 0.5
_SETTLED_S = 5
_WARM = 0.5
"""The share of the mails after which the caches of a hub are as full as they get: SQLite's, the engine's, Python's."""
_MOST_EACH = {"answers": 150, "each": 2_500}
"""Bytes for one more letter: noise, and less than one entry in a dict; or what the engine and the floor know of it."""
_MOST_LEFT_MB = 110
"""What a hub that has read all may take beyond one started afresh: caches, buffers, fragments."""
_TALK = 10


def mixed(count: int) -> Iterator[bytes]:
    """Yield mails of the mixed corpus, each once and from somebody else."""
    corpus = make(400)
    for number in range(count):
        raw = corpus[number % len(corpus)]
        raw = raw.replace(b"<1@example.org>", b"<%d@example.org>" % number)
        yield raw.replace(b"ann@example.org", b"ann%d@example.org" % number)


def each(count: int) -> Iterator[bytes]:
    """Yield short letters, each from somebody else: each becomes an interaction that waits."""
    return (_letter(number, f"ann{number}@example.org") for number in range(count))


def answers(count: int) -> Iterator[bytes]:
    """Yield short letters of one in ten people, who go on writing to the letter they began with."""
    people = max(count // _TALK, 1)
    for number in range(count):
        first = number % people
        yield _letter(number, f"ann{first}@example.org", first if number >= people else None)


def _letter(number: int, sender: str, first: int | None = None) -> bytes:
    named = {"From": f"Ann <{sender}>", "Message-ID": f"<{number}@example.org>"}
    if first is not None:
        named |= {"References": f"<{first}@example.org>", "In-Reply-To": f"<{first}@example.org>"}
    return mail(f"Hello, this is letter {number}.\n" * 8, named)


@dataclass
class Watch:
    """What is seen of the hub's process while it reads."""

    process: psutil.Process
    count: int
    peak: int = 0
    warm: tuple[int, int] = (0, 0)
    kept_s: float = 0.0
    _told: int = 0
    _began: float = field(default_factory=time.perf_counter)

    @property
    def took_s(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self._began

    def look(self, kept: int, read: int) -> None:
        """Note, and say now and then, how far it is and what it takes."""
        rss = self.rss()
        if not self.warm[0] and read >= self.count * _WARM:
            self.warm = read, rss
        if not self.kept_s and kept >= self.count:
            self.kept_s = self.took_s
        if read * 10 // self.count > self._told:
            self._told = read * 10 // self.count
            print(f"{kept:7} kept, {read:7} read after {self.took_s:4.0f} s, {rss / 1e6:4.0f} MB", flush=True)

    def rss(self) -> int:
        """Return the memory it has now, in bytes."""
        rss: int = self.process.memory_info().rss
        self.peak = max(self.peak, rss)
        return rss

    def cpu_s(self) -> float:
        """Return the CPU time of it and of the process in which it reads mails, ended ones too."""
        return float(sum(sum(one.cpu_times()[:4]) for one in self._processes()))

    def reader_rss(self) -> int:
        """Return the memory of the process in which it reads mails now, in bytes."""
        return sum(one.memory_info().rss for one in self._processes()[1:])

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@dataclass(frozen=True)
class Found:
    """What it came to, in bytes: for one more letter, and beyond a hub started afresh."""

    each: float
    left: int


async def ingest(server: Dovecot, folder: Path, count: int, *, again: bool) -> Found:
    """Run a hub until it has read everything, and print what it took; if `again`, run another one beside it."""
    async with running.database("sqlite", folder) as (url, _):
        place = await running.staffed(folder, url, agents=1, more=server.block(USER))
        hub = await running.start(place, errors=sys.stderr)
        watch = Watch(psutil.Process(hub.process.pid), count)
        cpu_before = watch.cpu_s()
        while (read := counted(folder, "state IN ('taken', 'ignored')")) < count:
            watch.look(counted(folder, "1 = 1"), read)
            await asyncio.sleep(_STEP_S)
        took_s, cpu_s = watch.took_s, watch.cpu_s() - cpu_before
        kept_s = watch.kept_s or took_s
        print(
            f"{count} mails: all kept after {kept_s:.1f} s, all read after {took_s:.1f} s: {count / took_s:.0f} mails/s"
        )
        print(f"CPU {cpu_s:.1f} s, {count / cpu_s:.0f} mails a second of one core; hub and reader, without Dovecot")
        await asyncio.sleep(_SETTLED_S)
        rss = watch.rss()
        one_more = float(rss - watch.warm[1]) / max(count - watch.warm[0], 1)
        print(
            f"RSS after {watch.warm[0]} mails {watch.warm[1] / 1e6:.0f} MB, after {count} {rss / 1e6:.0f} MB: ", end=""
        )
        print(f"{one_more:.0f} bytes for one more; peak {watch.peak / 1e6:.0f} MB")
        print(f"RSS of the process that read them {watch.reader_rss() / 1e6:.0f} MB", flush=True)
        await hub.terminate()
        return Found(one_more, rss - await _afresh(place) if again else 0)


async def _afresh(place: running.Place) -> int:
    """Start a hub that finds it all in the database, and print and return what it takes, in bytes."""
    hub = await running.start(place, errors=sys.stderr)
    await asyncio.sleep(_SETTLED_S)
    rss: int = psutil.Process(hub.process.pid).memory_info().rss
    print(f"RSS of a hub started afresh {rss / 1e6:.0f} MB", flush=True)
    await hub.terminate()
    return rss


def counted(folder: Path, where: str) -> int:
    """Return how many arrivals there are."""
    with sqlite3.connect(f"file:{folder}/hub.db?mode=ro", uri=True) as db:
        count: int = db.execute(f"SELECT count(*) FROM arrivals WHERE {where}").fetchone()[0]
    return count


def main() -> int:
    """Fill a mailbox and let a hub empty it; 1: it takes more memory than it may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?")
    parser.add_argument("--waiting", choices=("answers", "each"))
    given = parser.parse_args()
    count = given.count or (100_000 if given.waiting else 2_000)
    makers: dict[str | None, Callable[[int], Iterator[bytes]]] = {"answers": answers, "each": each}
    server = Dovecot()
    try:
        mails = makers.get(given.waiting, mixed)(count)
        # The first tenth is numbered before the rest is there: else what answers it may come before it.
        server.drop(USER, itertools.islice(mails, max(count // _TALK, 1)))
        with server.client(USER) as client:
            client.select_folder("INBOX", readonly=True)
        server.drop(USER, mails)
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(ingest(server, Path(folder), count, again=given.waiting is not None))
    finally:
        server.stop()
    if given.waiting is None:
        return 0
    most_each, is_kept = _MOST_EACH[given.waiting], True
    for name, value, most in (
        ("bytes for one more", found.each, most_each),
        ("MB left", found.left / 1e6, _MOST_LEFT_MB),
    ):
        is_kept &= value <= most
        print(f"{value:.0f} {name}, limit {most}: {'kept' if value <= most else 'BROKEN'}")
    return int(not is_kept)


if __name__ == "__main__":
    sys.exit(main())
