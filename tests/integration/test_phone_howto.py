"""A line is connected as docs/how-to/phone.md says, word for word; only the carrier is at another address."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.simulator.carrier import Account, Carrier, Hook, Number, Server
from channels.simulator.carrier.phones import HangUp, Wait
from hub.clock import SystemClock
from tests.integration.phones import ANN, KEY, KEY_SECRET, SID, TOKEN
from tests.ports import free_port

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "phone.md"
NUMBER = "+12025550142"
COMPANY = """
[server]
port = {port}
data_dir = "{folder}/data"
public_url = "http://127.0.0.1:{port}"
[queues.support]
name = "Support"
[agents.ann]
name = "Ann"
email = "ann@example.test"
queues = ["support"]
"""
pytestmark = pytest.mark.timeout(240)


def configured(folder: Path, port: int, api_url: str) -> Path:
    """Write the configuration of a newcomer, who has copied the guide's block and filled in what is theirs."""
    found = re.search(r"```toml\n(\[channels\.hotline\]\n.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    block = found[1].replace('"AC..."', f'"{SID}"').replace('"SK..."', f'"{KEY}"')
    assert NUMBER in block
    path = folder / "hub.toml"
    path.write_text(COMPANY.format(port=port, folder=folder) + block + f'api_url = "{api_url}"\n', encoding="utf-8")
    return path


async def printed(config: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what `hub check-config` says is to be entered at the provider."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "check-config", "--config", str(config)), env=environ, stdout=PIPE, stderr=STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return dict(re.findall(r"^\s*(\w[\w ]*URL) \([^)]*\):?\s+(http\S+)$", out.decode(), re.MULTILINE))


@asynccontextmanager
async def serving(config: Path, environ: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `hub serve`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "serve", "--config", str(config)), env=environ, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for another process to have done something."""
    async with asyncio.timeout(90):
        while not is_so():  # noqa: ASYNC110 - what it becomes true by is in another process
            await asyncio.sleep(0.1)


async def test_line_of_the_guide_answers_at_the_addresses_that_were_printed(tmp_path: Path) -> None:
    number = Number(phone_number=NUMBER)
    account = Account(sid=SID, auth_token=TOKEN, api_keys={KEY: KEY_SECRET}, numbers={NUMBER: number})
    carrier = Carrier(account, SystemClock())
    server = Server(carrier)
    environ = {**os.environ, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_API_KEY_SECRET": KEY_SECRET}
    port = free_port()
    config = configured(tmp_path, port, await server.start())
    try:
        addresses = await printed(config, environ)
        number.voice = Hook(addresses["Voice URL"])
        number.voice_fallback = Hook(addresses["Fallback URL"])
        number.status_callback = Hook(addresses["Status callback URL"])
        async with serving(config, environ) as hub:
            assert hub.stdout is not None
            async with asyncio.timeout(90):
                while b"http://" not in await hub.stdout.readline():
                    assert hub.returncode is None
            line = carrier.person_calls(ANN, NUMBER, (Wait(600), HangUp()))
            await until(lambda: "Welcome to Example." in [sound.text for sound in line.hearing.sounds])
            await until(lambda: any("music" in sound.url for sound in line.hearing.sounds) or line.is_over)
            assert not line.is_over
            assert [alert for alert in carrier.switch.debugger.alerts if alert.is_error] == []
    finally:
        await carrier.close()
        await server.stop()
