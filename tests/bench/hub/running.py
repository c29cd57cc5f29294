"""`hub serve` as a process of its own, on a free port of the loopback, on either database."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.clock import SystemClock
from hub.events import Bus
from hub.services.accounts import Accounts, Device
from hub.settings import Settings, load
from hub.storage.migrations import migrate
from hub.storage.opening import store_of
from tests.bench.load.process import ServerProcess
from tests.ports import free_port
from tests.servers import Postgres, postgres

ROOT = Path(__file__).parents[3]
SITE, QUEUE = "site", "support"
DATABASES = ("sqlite", "postgresql")
_MANY = 1_000_000_000
_READY = b"Switchboard is ready"


@dataclass
class Place:
    """A hub's configuration, its people's session tokens, and its database."""

    config: Path
    settings: Settings
    port: int
    database_pid: int | None = None
    tokens: list[str] = field(default_factory=list)


def agent_id(number: int) -> str:
    """Return the id of agent `number`."""
    return f"a{number:04}"


def written(folder: Path, database_url: str, *, agents: int, more: str = "") -> tuple[Path, int]:
    """Write a configuration in which no limit stands in the way of a benchmark; return its path and the port."""
    port = free_port()
    limits = {
        "visitor_messages_per_day": _MANY,
        "visitor_events_per_s": _MANY,
        "visitor_events_burst": _MANY,
        "staff_events_per_s": _MANY,
        "staff_events_burst": _MANY,
        "chats_per_address_per_hour": _MANY,
        "sockets_per_address": _MANY,
        "connections_per_address": _MANY,
    }
    lines = [
        "[server]",
        f"port = {port}",
        f'data_dir = "{folder}"',
        f'database_url = "{database_url}"',
        'log_level = "warning"',
        "[limits]",
        *(f"{name} = {value}" for name, value in limits.items()),
        f"[queues.{QUEUE}]",
        f"[channels.{SITE}]",
        'kind = "webchat"',
        f'queue = "{QUEUE}"',
        "[dispositions.solved]",
        'label = { en = "Solved" }',
        "[demo]",
        *(f'{role} = "{agent_id(0)}"' for role in ("agent", "agent2", "supervisor", "admin")),
    ]
    for name in map(agent_id, range(agents)):
        lines += [f"[agents.{name}]", f'name = "{name.title()} Bench"', f'email = "{name}@example.test"']
    path = folder / "hub.toml"
    path.write_text("\n".join([*lines, more]) + "\n")
    return path, port


async def staffed(folder: Path, database_url: str, *, agents: int, more: str = "") -> Place:
    """Migrate a database, write a configuration for it and sign every agent in."""
    await migrate(database_url)
    config, port = written(folder, database_url, agents=agents, more=more)
    settings = load(config, {})
    clock = SystemClock()
    store = store_of(database_url, clock, Bus())
    await store.open()
    accounts = Accounts(store, settings, clock)
    try:
        await accounts.sync_configured(settings.agents)
        device = Device(ip="127.0.0.1", browser="bench")
        signed = await asyncio.gather(*(accounts.sign_in_as(agent_id(number), device) for number in range(agents)))
    finally:
        accounts.close()
        await store.close()
    return Place(config, settings, port, tokens=[each.token for each in signed])


@contextlib.asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[tuple[str, Postgres | None]]:
    """Lend an empty database: a file with `synchronous=FULL`, or one of a PostgreSQL that really syncs, aged."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/hub.db", None
        return
    server = postgres(fsync=True)
    await server.age()
    async with server.database() as url:
        yield url, server


@dataclass
class HubProcess:
    """A running `hub serve`."""

    place: Place
    process: "subprocess.Popen[bytes]"
    ready_s: float

    @property
    def server(self) -> ServerProcess:
        """The hub and its database, as benchmarks measure them."""
        pids = [self.process.pid]
        if self.place.database_pid is not None:
            pids.append(self.place.database_pid)
        return ServerProcess(self.place.port, pids)

    async def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        await self.ended()

    async def terminate(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self, within_s: float = 30) -> int:
        """Wait for its end and return its exit code."""
        return await asyncio.to_thread(self.process.wait, within_s)


async def start(place: Place, *, wrapper: tuple[str, ...] = (), errors: Any = None) -> HubProcess:
    """Start `hub serve` and return when it is ready."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: ASYNC220 - it begins at once
        [*wrapper, sys.executable, "-m", "hub", "serve", "--config", str(place.config)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(),
    )
    hub = HubProcess(place, process, 0.0)
    try:
        await asyncio.wait_for(asyncio.to_thread(_await_ready, process), 60)
    except BaseException:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        raise
    hub.ready_s = time.perf_counter() - began
    return hub


def environment() -> dict[str, str]:
    """Return a plain environment in which compiled modules are kept, as an installed hub has them."""
    left_out = ("HUB_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / f"hub-bytecode-{os.geteuid()}")}


def _await_ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(_READY):
            return
    raise RuntimeError(f"the hub ended with {process.wait()} before it was ready")


@contextlib.asynccontextmanager
async def running(kind: str, folder: Path, *, agents: int, more: str = "") -> AsyncIterator[HubProcess]:
    """Run a hub on an empty database of this kind, and end it afterwards."""
    async with database(kind, folder) as (url, server):
        place = await staffed(folder, url, agents=agents, more=more)
        place.database_pid = server.pid if server else None
        hub = await start(place)
        try:
            yield hub
        finally:
            if hub.process.poll() is None:
                await hub.terminate()
            if hub.process.stdout is not None:
                hub.process.stdout.close()
