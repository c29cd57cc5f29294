"""How soon `hub serve` answers its first page, on an empty database and on the same again.

Run: python -m tests.bench.hub.startup
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.hub.report import verdict
from tests.bench.hub.running import ROOT, SITE, environment, written

WANTED_S = 2.0


async def first_page(config: Path, port: int) -> float:
    """Return the seconds from the start of the process to its first page."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: ASYNC220 - it begins at once
        [sys.executable, "-m", "hub", "serve", "--config", str(config)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        while not await _answers(port):
            assert process.poll() is None, "the hub ended"
            await asyncio.sleep(0.005)
        return time.perf_counter() - began
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    page = f"GET /chat/frame?site={SITE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    writer.write(page.encode())
    head = await reader.readline()
    writer.close()
    return b" 200 " in head


async def main(rounds: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name)
        config, port = written(folder, f"sqlite:///{folder}/hub.db", agents=10)
        fresh, *again = [await first_page(config, port) for _ in range(rounds + 1)]
    usual = statistics.median(again)
    print(f"first start (migrates, compiles): {fresh:.2f} s; then {', '.join(f'{each:.2f}' for each in again)} s")
    print(verdict(f"first page after {usual:.2f} s < {WANTED_S:g} s", usual < WANTED_S))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(main(parser.parse_args().rounds))
