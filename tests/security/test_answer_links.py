"""Links in a flow's letters: ours alone, for one question, for a while, once; following one changes nothing."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from hub.domain.interaction import State
from hub.domain.messages import Author
from hub.flows.model import Medium
from hub.flows.run import SILENCE_S
from hub.services.flows.answer_links import AnswerLinks
from hub.storage.journal import Journal
from tests.builders import Desk
from tests.integration.flow_post import (
    HUB,
    closed,
    house,
    interactions,
    letters,
    mail,
    only,
    replies,
    session_of,
    settled,
    writes,
)
from tests.peers import Peer

_LINK = re.compile(r"(\d)\. ([^:\n]+): (https://\S+)")
_OWN = {"Host": urlsplit(HUB).netloc}


@dataclass
class Mailroom:
    """The hub, and a browser."""

    desk: Desk
    client: TestClient  # type: ignore[type-arg]

    async def asks(self, method: str, link: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Return status, body and headers of what the hub says to this."""
        assert link.startswith(f"{HUB}/")
        url = URL(link.removeprefix(HUB), encoded=True)
        async with self.client.request(method, url, headers={**_OWN, **headers}) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def world(self) -> tuple[int, int, int]:
        """Return what would tell a change: the journal's end, messages and letters."""
        (interaction, *_) = await interactions(self.desk)
        head = await Journal(self.desk.hub.services.store).head()
        return head, len(await self.desk.messages(interaction)), len(Peer.wire.carried)


async def opened(folder: Path, url: str) -> AsyncIterator[Mailroom]:
    desk = await house(folder, url)
    client = TestClient(TestServer(desk.hub.app))
    try:
        await client.start_server()
        yield Mailroom(desk, client)
    finally:
        await client.close()
        await closed(desk)


@pytest.fixture
async def room(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Mailroom]:
    shutil.copy(migrated_file, tmp_path / "hub.db")
    async for one in opened(tmp_path, f"sqlite:///{tmp_path}/hub.db"):
        yield one


@pytest.fixture
async def either(database_url: str, tmp_path: Path) -> AsyncIterator[Mailroom]:
    """On SQLite, then on PostgreSQL."""
    async for one in opened(tmp_path, database_url):
        yield one


def links(n: int = -1) -> dict[str, str]:
    """Return the links of a letter, by what they answer."""
    return {label: link for _, label, link in _LINK.findall(letters()[n].body_text)}


def changed(link: str, **query: str) -> str:
    parts = urlsplit(link)
    return parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **query})).geturl()


async def test_a_link_is_looked_at_and_then_answers_once(either: Mailroom) -> None:
    room = either
    await writes(room.desk, mail())
    link = links()["Order status"]
    status, page, headers = await room.asks("GET", link)
    assert (status, "Order status" in page, '<form method="post">' in page) == (200, True, True)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<script" not in page
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")

    status, page, _ = await room.asks("POST", link)
    assert (status, "We have your answer" in page) == (200, True)
    await settled(room.desk)
    interaction = await only(room.desk)
    (_, answer) = [m for m in await room.desk.messages(interaction) if m.author is Author.CUSTOMER]
    assert (answer.text, answer.choice) == ("Order status", "order")
    assert (await session_of(room.desk, interaction)).answers == {"topic": "order"}
    assert "order number" in letters()[-1].body_text

    before = await room.world()
    for method in ("POST", "GET"):
        status, page, _ = await room.asks(method, link)
        assert (status, "was answered before" in page, "<form" in page) == (410, True, False)
    assert await room.world() == before


async def test_following_a_link_changes_nothing_whoever_does(room: Mailroom) -> None:
    await writes(room.desk, mail())
    before = await room.world()
    for link in links().values():
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch"}), ("OPTIONS", {})):
            await room.asks(method, link, **headers)
    await room.desk.wait(2)
    assert await room.world() == before
    assert (await room.asks("POST", links()["Order status"]))[0] == 200


async def test_a_link_that_was_changed_is_not_ours(room: Mailroom) -> None:
    await writes(room.desk, mail())
    link = links()["Order status"]
    session, _, timer = urlsplit(link).path.rpartition("/")[2].rpartition(".")
    other_key = AnswerLinks(b"another key", HUB)
    forged = [
        changed(link, choice="hours"),
        changed(link, choice=""),
        changed(link, until="99999999999999"),
        changed(link, until="x" * 5_000),
        changed(link, sig=""),
        changed(link, sig="A" * 43),
        changed(link, sig="\u00e9\ud7ff" * 20),
        link.replace(f"{session}.{timer}", f"{session}.{int(timer) + 1}"),
        link.replace(f"{session}.{timer}", f"{session}.x"),
        link.replace(f"{session}.{timer}", "...."),
        link.replace(session, session[::-1]),
        other_key.url(f"{session}.{timer}", "order", 99_999_999_999_999),
        f"{HUB}/answers/{session}.{timer}",
    ]
    before = await room.world()
    for one in forged:
        for method in ("GET", "POST"):
            status, page, _ = await room.asks(method, one)
            assert (status, "This link does not work" in page, "Order status" in page) == (404, True, False), one
    assert await room.world() == before


async def test_a_link_is_for_its_own_session_alone(room: Mailroom) -> None:
    await writes(room.desk, mail(number=1))
    await writes(room.desk, mail(number=2))
    first, second = links(0)["Order status"], links(1)["Order status"]
    crossed = first.replace(urlsplit(first).path, urlsplit(second).path)
    assert (await room.asks("POST", crossed))[0] == 404
    assert (await room.asks("POST", second))[0] == 200
    await settled(room.desk)
    (one, other) = await interactions(room.desk)
    assert (await session_of(room.desk, one)).answers == {}
    assert (await session_of(room.desk, other)).answers == {"topic": "order"}


async def test_a_link_of_an_earlier_question_is_over(room: Mailroom) -> None:
    await writes(room.desk, mail())
    early = links()["Order status"]
    await replies(room.desk, "purple monkey", 2)
    assert (await room.asks("POST", early))[0] == 410, "the question was put again, with links of its own"
    assert (await room.asks("POST", links()["Order status"]))[0] == 200


async def test_a_link_is_over_when_its_time_is_and_when_a_person_has_taken_over(room: Mailroom) -> None:
    await writes(room.desk, mail(number=1))
    link = links()["Order status"]
    room.desk.clock._now += round(SILENCE_S[Medium.EMAIL] * 1000) - 10_000
    assert (await room.asks("GET", link))[0] == 200
    room.desk.clock._now += 10_000
    for method in ("GET", "POST"):
        assert (await room.asks(method, link))[0] == 410
    await settled(room.desk)
    await writes(room.desk, mail(number=2))
    link = links()["Order status"]
    await replies(room.desk, "agent", 3)
    before = await room.world()
    assert (await room.asks("POST", link))[0] == 410
    assert await room.world() == before
    assert [one.state for one in await interactions(room.desk)] == [State.QUEUED, State.QUEUED]


async def test_of_two_clicks_and_a_letter_at_once_one_is_the_answer(either: Mailroom) -> None:
    room = either
    await writes(room.desk, mail())
    link, other = links()["Order status"], links()["Opening hours"]
    answers = await asyncio.gather(*(room.asks("POST", one) for one in (link, other, link, other)))
    assert sorted(status for status, _, _ in answers) == [200, 410, 410, 410]
    await settled(room.desk)
    interaction = await only(room.desk)
    assert len([m for m in await room.desk.messages(interaction) if m.choice]) == 1


async def test_the_page_speaks_the_customers_language(room: Mailroom) -> None:
    await writes(room.desk, mail("您好", subject="您好"))
    link = next(iter(links().values()))
    _, page, _ = await room.asks("GET", link)
    assert ('lang="zh"' in page, "确认发送" in page) == (True, True)
    _, page, _ = await room.asks("GET", changed(link, sig="x"), **{"Accept-Language": "zh-CN"})
    assert "链接无效" in page
