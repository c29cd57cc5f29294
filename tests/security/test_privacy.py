"""What must not be kept is nowhere: card numbers, and addresses in the log (tests 57 and 59)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.storage.unit_of_work import UnitOfWork
from tests.security.yard import Yard

FULL_WIDTH = "4111111111111111".translate({ord(str(n)): 0xFF10 + n for n in range(10)})
CARDS = ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", FULL_WIDTH)
BARE = ("4111111111111111", "5555555555554444", "378282246310005")


async def everything(yard: Yard) -> str:
    """Return every text in every table, and of every file of the database."""

    async def unit(tx: UnitOfWork) -> str:
        tables = await tx.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            if yard.desk.hub.services.store.is_postgresql
            else "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        rows = []
        for (name,) in tables:
            if name in {"words", "names"} and not yard.desk.hub.services.store.is_postgresql:
                # It holds no content, and what it is made of are tables beside it.
                continue
            rows += [str(tuple(row)) for row in await tx.fetch(f'SELECT * FROM "{name}"')]
        return "\n".join(rows)

    found = await yard.desk.hub.services.store.read(unit)
    return found + await asyncio.to_thread(_bytes_of, yard.desk.hub.settings.server.data_dir)


def _bytes_of(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file() and "files" not in path.parts]
    return b"".join(path.read_bytes() for path in files).decode("utf-8", "replace")


def plain(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "")


async def test_card_number_is_in_no_table_index_journal_file_or_log(both: Yard) -> None:
    yard = both
    for number, card in enumerate(CARDS):
        said = f"card {card} thanks"
        line = await yard.visitor(lang="en")
        form = {"name": said, "subject": said, "order": said, card: "as a field's name"}
        began = await line.ask("start", client_id=f"cards-000{number}", form=form, text=said, choice=said)
        assert began["ok"], began
        interaction = began["thread"]["interaction"]
        assert (await line.ask("message", client_id="m1", interaction=interaction, text=said, choice=said))["ok"]
        headers = yard.upload_headers(began["token"])
        where = f"/chat/api/files?interaction={interaction}&name={card}.txt"
        _, kept = await yard.http("POST", where, b"hello", **headers)
        await line.ask("message", client_id="m2", interaction=interaction, files=[kept["file"]["id"]])
        await line.ask("typing", interaction=interaction, typing=True)
    await say_as_staff(yard)
    await yard.indexed()

    kept_texts = plain(await everything(yard) + yard.log.getvalue())
    found_at = {card: kept_texts[at - 150 : at + 40] for card in BARE if (at := kept_texts.find(card)) >= 0}
    assert found_at == {}
    assert "[card...1111]" in kept_texts
    sue = await yard.staff("sue")
    for card in BARE:
        _, found = await sue.http("GET", f"/search?q={card}")
        assert (found["messages"], found["notes"]) == ([], [])


async def say_as_staff(yard: Yard) -> None:
    desk = yard.desk
    await desk.available("ann")
    offer = (await desk.live_offers(agent="ann"))[0]
    chat = await desk.hub.services.offers.accept(offer.id, "ann")
    ann = await yard.staff("ann")
    line = await ann.console()
    said = f"I read {CARDS[0]} back"
    answers: list[Any] = [
        await line.ask("note", interaction=chat.id, client_id="n1", text=said),
        await line.ask("draft", interaction=chat.id, mode="reply", text=said),
        await line.ask(
            "send",
            interaction=chat.id,
            client_id="c1",
            text=said,
            seen_n=99,
            choices=[{"id": "1", "label": CARDS[0]}],
        ),
    ]
    assert [answer["ok"] for answer in answers] == [True] * 3, answers
    name = f"Ms {CARDS[1]}"
    fields = {"note": said, CARDS[2]: "x"}
    edit = {"name": name, "company": name, "tags": [CARDS[2]], "fields": fields}
    assert (await ann.http("PATCH", f"/customers/{chat.customer}", edit))[0] == 200
    assert (await ann.http("POST", f"/customers/{chat.customer}/notes", {"text": said}))[0] == 200


async def test_no_address_of_anybody_is_in_the_log_at_info(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    line, started = await yard.chatting(name="Li", email="li.wei@private.example", phone="+4930901820")
    await line.ask("message", client_id="m1", interaction=started["thread"]["interaction"], text="call +49 30 901820")
    ann, sue = await yard.staff("ann"), await yard.staff("sue")
    headers = {"Origin": yard.url, "Content-Type": "application/json"}
    login = {"email": "ann@example.test", "password": "not the right one"}
    for _ in range(8):
        await yard.http("POST", "/api/v1/session", login, **headers)
    await ann.http("GET", "/customers?q=li.wei@private.example")
    monkeypatch.setattr(type(yard.desk.hub.services.people), "profile", _broken)
    status, answer = await sue.http("GET", "/customers/c1")
    assert (status, answer["error"]) == (500, "internal")
    console = await sue.console()
    assert (await console.ask("open", interaction=started["thread"]["interaction"]))["error"] == "internal"

    log = yard.log.getvalue()
    assert "a request failed" in log
    assert [
        word
        for word in ("li.wei", "private.example", "901820", "ann@example", "203.0.113.9", "8a2e:370")
        if word in log
    ] == []
    assert "li.wei" not in str(answer)


async def _broken(*_arguments: object) -> None:
    raise RuntimeError(
        "no profile for li.wei@private.example at 203.0.113.9 or [2001:db8:85a3::8a2e:370:7334]:80, +4930901820"
    )
