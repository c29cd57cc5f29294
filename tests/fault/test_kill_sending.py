"""`kill -9` in the middle of sending, again and again: each letter goes once, or is marked uncertain; none is lost."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from channels.mail.channel import Mail
from channels.mail.keys import signing_keys
from channels.mail.references import first_message_id
from hub.app import build
from hub.domain.correspondence import Outgoing, OutgoingState, Party
from hub.services.access import Scope
from hub.services.letters.writing import NewLetter
from hub.settings import load
from hub.storage.tables import AGENTS, OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.bench.hub.running import DATABASES, HubProcess, Place, agent_id, database, staffed, start
from tests.servers import why_not
from tests.smtp_server import PASSWORD, Script, smtp_server

KILLS, LETTERS, AT_ONCE = 22, 500, 3
SETTLE_S = 60
OPEN = frozenset({OutgoingState.WAITING, OutgoingState.SENDING})
MORE = """
[letters]
undo_s = 0
retry_first_s = 0.2
lease_s = 2
[channels.help]
kind = "mail"
address = "help@example.test"
queue = "support"
imap_host = "127.0.0.1"
imap_port = 9
imap_security = "plain"
imap_password = "file:password"
smtp_port = {port}
smtp_security = "plain"
smtp_at_once = {at_once}
"""
pytestmark = pytest.mark.timeout(600)


def backends() -> list[object]:
    missing = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
    return [pytest.param(kind, marks=[missing] if kind == "postgresql" else []) for kind in DATABASES]


async def write_letters(place: Place, count: int) -> None:
    """Put letters in the outbox of a hub that does not run."""
    hub = build(load(place.config, {}))
    (channel,) = [one for one in hub.channels if isinstance(one, Mail)]
    channel.open_way_out(signing_keys(hub.side.visitor_key)[0], hub.side.templates)
    services = hub.services
    await services.store.open()

    async def unit(tx: UnitOfWork) -> Scope:
        return Scope.of((await tx.select(AGENTS, "WHERE id = $1", agent_id(0)))[0])

    scope = await services.store.read(unit)
    for number in range(count):
        letter = NewLetter(
            client_id=f"x{number}",
            text=f"Letter {number}",
            subject=f"Subject {number}",
            to=(Party(f"c{number}@customer.test"),),
            mode="new",
            then="park",
        )
        await services.letters.begin(scope, "help", "support", letter)
    services.accounts.close()
    await services.store.close()


async def outbox(place: Place) -> list[Outgoing]:
    from hub.clock import SystemClock
    from hub.events import Bus
    from hub.storage.opening import store_of

    store = store_of(place.settings.server.database_url.reveal(), SystemClock(), Bus())
    await store.open()

    async def unit(tx: UnitOfWork) -> list[Outgoing]:
        return await tx.select(OUTGOING, "ORDER BY id")

    found = await store.read(unit)
    await store.close()
    return found


@contextlib.asynccontextmanager
async def serving(place: Place, errors: BinaryIO) -> AsyncIterator[HubProcess]:
    """A hub that does not outlive its test."""
    hub = await start(place, errors=errors)
    try:
        yield hub
    finally:
        if hub.process.poll() is None:
            await hub.kill()
        if hub.process.stdout is not None:
            hub.process.stdout.close()


def taken_ids(server: Script) -> Counter[str]:
    heads = [taken.content.partition(b"\r\n\r\n")[0].decode() for taken in server.taken]
    return Counter(first_message_id(head.split("Message-ID:")[1]) for head in heads)


@pytest.mark.parametrize("kind", backends())
async def test_killed_in_the_middle_of_sending(kind: str, tmp_path: Path) -> None:
    moments = random.Random(20261126)

    async def slow() -> None:
        # A server far away: there is no event to wait for, the time it takes is what is tried.
        await asyncio.sleep(moments.random() * 0.05)

    async with smtp_server(Script(slowness=slow), auth=True) as server, database(kind, tmp_path) as (url, _):
        more = MORE.format(port=server.port, at_once=AT_ONCE)
        (tmp_path / "password").write_text(PASSWORD)
        place = await staffed(tmp_path, url, agents=1, more=more)
        await write_letters(place, LETTERS)
        in_the_middle = 0
        with (tmp_path / "errors.log").open("wb") as errors:
            for _ in range(KILLS):
                server.began.clear()
                async with serving(place, errors) as hub:
                    await asyncio.wait_for(server.began.wait(), SETTLE_S)
                    await asyncio.sleep(moments.random() * 0.2)
                    in_the_middle += server.at_once > 0
                    await hub.kill()
            async with serving(place, errors) as hub, asyncio.timeout(SETTLE_S):
                while any(one.state in OPEN for one in await outbox(place)):  # noqa: ASYNC110
                    await asyncio.sleep(0.3)  # another process's work: only its database tells
                assert await hub.terminate() == 0

        letters, taken = await outbox(place), taken_ids(server)
        states = Counter(letter.state for letter in letters)
        assert sum(states.values()) == LETTERS
        assert set(states) <= {OutgoingState.SENT, OutgoingState.UNCERTAIN}, states
        assert max(taken.values()) == 1, taken.most_common(3)
        for letter in letters:
            if letter.state is OutgoingState.SENT:
                assert taken[letter.provider_id] == 1, letter
        assert states[OutgoingState.UNCERTAIN] <= KILLS * AT_ONCE
        assert in_the_middle >= KILLS // 2
        print(f"{kind}: {msgspec.json.encode(dict(states)).decode()}, {in_the_middle} of {KILLS} kills in the middle")
