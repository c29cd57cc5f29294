"""Serve an application on a free port, which is printed in the first line, until the process is ended."""

import asyncio
import signal

import uvloop
from aiohttp import web

from tests.bench.load.drive import allow_many_files


def serve(app: web.Application) -> None:
    """Run `app` on uvloop."""
    allow_many_files()
    uvloop.run(_serve(app))


async def _serve(app: web.Application) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await ended.wait()
    await runner.cleanup()
