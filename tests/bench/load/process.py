"""A server in a process of its own, and what it uses."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence

import psutil

START_S = 120
"""A server on a new database takes seconds to start, and a busy machine many times that."""


class ServerProcess:
    """A running server: where it listens, and which processes belong to it (a database, for instance)."""

    def __init__(self, port: int, pids: Sequence[int]) -> None:
        self.port = port
        self._processes = [psutil.Process(pid) for pid in pids]

    def count_also(self, pid: int | None) -> None:
        """Count another process's work as this server's, such as its database's."""
        if pid is not None:
            self._processes.append(psutil.Process(pid))

    def cpu_s(self) -> float:
        """Return the CPU-seconds used so far, children included."""
        processes = {process.pid: process for process in self._processes}
        for process in self._processes:
            processes.update((child.pid, child) for child in process.children(recursive=True))
        total = 0.0
        for process in processes.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def rss_bytes(self) -> int:
        """Return the resident memory of the first process."""
        return int(self._processes[0].memory_info().rss)


class Meter:
    """Wall clock and CPU from its making until it is read."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._start = (time.perf_counter(), server.cpu_s(), time.process_time())

    def read(self) -> tuple[float, float, float]:
        """Return seconds passed, CPU-seconds of the server, CPU-seconds of this process."""
        wall, server, client = self._start
        return time.perf_counter() - wall, self._server.cpu_s() - server, time.process_time() - client


@contextlib.asynccontextmanager
async def server_process(module: str, *arguments: str) -> AsyncIterator[ServerProcess]:
    """Run `python -m module`, which prints its port in its first line; end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        yield ServerProcess(int(line), [process.pid])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
