"""The demo as a newcomer finds it, but quiet: nobody comes by themselves, nobody works, no telephone rings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from channels.simulator.post import elsewhere
from channels.simulator.scripts import Library
from channels.simulator.tempo import Tempo
from hub.app import build
from hub.demo.config import company_file, demo_settings
from tests.browser.house import House, listen
from tests.ports import free_port


@asynccontextmanager
async def open_demo(folder: Path, *, phones: bool = False) -> AsyncIterator[House]:
    """Start the demo company's hub on a free port, its data in this folder; `phones` leaves it its English line."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {"HUB_PORT": str(port), "HUB_PUBLIC_URL": url, "HUB_DATA_DIR": str(folder)}
    settings = elsewhere(demo_settings(company_file(), environ, visitors=0.0), always=True)
    lines = ("phone",) if phones else ()
    sites = {
        name: block for name, block in settings.channels.items() if block.kind in {"webchat", "mail"} or name in lines
    }
    quiet = msgspec.structs.replace(settings.demo, letters_per_minute=0.0, callers_per_minute=0.0, phone_lines=lines)
    # Who works alone would be kept free for members for ten seconds.
    queues = {name: msgspec.structs.replace(queue, reservation=None) for name, queue in settings.queues.items()}
    changed = msgspec.structs.replace(settings, demo=quiet, channels=sites, queues=queues)
    hub = build(changed, strict=True, demo=True)
    await hub.start()
    runner = await listen(hub.app, port)
    try:
        if phones:
            assert hub.demo is not None
            hub.demo.exchange.start(url, [], Library.load(), Tempo(hub.clock))
            assert await hub.demo.exchange.is_open()
        yield House(hub=hub, url=url, shop=url, abroad=url, stranger=url)
    finally:
        await hub.stop()
        await runner.cleanup()
