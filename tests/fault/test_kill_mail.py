"""`kill -9` of the hub while it empties a mailbox, again and again: every mail is there exactly once."""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hub.domain.correspondence import Arrival, ArrivalState
from hub.storage.tables import ARRIVALS
from hub.storage.unit_of_work import UnitOfWork
from tests.bench.hub import running
from tests.fault.test_kill import backends
from tests.fault.truth import Truth, reading
from tests.mailserver import Dovecot
from tests.payloads.mail.builders import file_part, mail, multipart_mail, part

KILLS = 20
EACH = 40
USER = "support@example.com"
pytestmark = pytest.mark.timeout(600)


def letters(first: int) -> list[bytes]:
    """Letters from many people, every fifth with a file, every seventh in the mailbox twice."""
    made = []
    for number in range(first, first + EACH):
        about: dict[str, Any] = {
            "From": f"Ann <ann{number}@example.org>",
            "Subject": f"Letter {number}",
            "Message_ID": f"<{number}@example.org>",
        }
        raw = mail(f"Letter {number}.\n", **about)
        if number % 5 == 0:
            raw = multipart_mail(
                part(f"Letter {number}.\n"), file_part(b"%PDF-" + b"x" * 9_000, "application/pdf", "a.pdf"), **about
            )
        made += [raw, raw] if number % 7 == 0 else [raw]
    return made


async def arrivals(place: running.Place) -> list[Arrival]:
    async def unit(tx: UnitOfWork) -> list[Arrival]:
        return await tx.select(ARRIVALS, "")

    return await reading(place.settings, unit)


@pytest.mark.parametrize("kind", backends())
async def test_a_hub_killed_while_it_empties_a_mailbox(kind: str, tmp_path: Path) -> None:
    moments = random.Random(20261126)
    server = Dovecot()
    try:
        async with running.database(kind, tmp_path) as (url, _):
            block = server.block(USER, after_reading="move", done_folder="Done")
            place = await running.staffed(tmp_path, url, agents=1, more=block)
            sent = 0
            for life in range(KILLS):
                sent += await asyncio.to_thread(server.drop, USER, letters(life * EACH))
                hub = await running.start(place, errors=sys.stderr)
                # The moment is what is tried: there is no event to wait for.
                await asyncio.sleep(moments.random() * 0.8)
                await hub.kill()
                hub.process.stdout.close()  # type: ignore[union-attr]
            hub = await running.start(place, errors=sys.stderr)
            async with asyncio.timeout(240):
                while not _is_done(found := await arrivals(place), sent):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.3)
            assert await hub.terminate() == 0
            hub.process.stdout.close()  # type: ignore[union-attr]
            truth = await Truth.read(place.settings)
    finally:
        server.stop()

    assert [one.problem for one in found if one.state is ArrivalState.FAILED] == []
    truth.check()
    said = Counter(message.text for of in truth.messages.values() for message in of)
    assert said == Counter({f"Letter {number}.": 1 for number in range(KILLS * EACH)})
    states = Counter(one.state for one in found)
    assert states == {ArrivalState.TAKEN: KILLS * EACH, ArrivalState.IGNORED: sent - KILLS * EACH}
    assert len({one.provider_id for one in found}) == sent
    files = [path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.suffix != ".new"]
    assert len(files) >= KILLS * EACH // 5


def _is_done(found: list[Arrival], sent: int) -> bool:
    return len(found) >= sent and all(one.state is not ArrivalState.KEPT for one in found)
