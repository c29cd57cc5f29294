"""Copies of what was sent, in the mailbox's own Sent folder: a real Dovecot, killed and started again."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.mail.account import Account
from channels.mail.sent import AUTOMATIC, SentFolder
from hub.settings import Secret
from tests.mailserver import PASSWORD, Dovecot
from tests.payloads.mail.builders import mail

USER = "support@example.com"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.stop()


@asynccontextmanager
async def sent(server: Dovecot, folder: str, **more: Any) -> AsyncIterator[SentFolder]:
    token = more.pop("token", None)
    usual: dict[str, Any] = {
        "host": "127.0.0.1", "port": server.port, "security": "plain", "user": USER, "password": Secret(PASSWORD),
    }  # fmt: skip
    made = SentFolder("post", Account(**(usual | more)), folder, token=token, again_s=0.05)
    try:
        yield made
    finally:
        await made.close()


def copies(server: Dovecot, folder: str) -> list[tuple[bytes, tuple[bytes, ...]]]:
    with server.client(USER) as client:
        client.select_folder(folder, readonly=True)
        found = client.fetch(client.search(), ["BODY.PEEK[]", "FLAGS"])
    return [(about[b"BODY[]"], about[b"FLAGS"]) for about in found.values()]


async def test_a_copy_is_laid_unchanged_and_read_into_a_folder_that_is_made(dovecot: Dovecot) -> None:
    raw = mail("你好\n.\n", Subject="A copy")
    async with sent(dovecot, "Ausgang über uns") as folder:
        await folder.keep(raw)
        await folder.keep(raw)
    found = copies(dovecot, "Ausgang über uns")
    assert [content for content, _ in found] == [raw, raw]
    assert all(b"\\Seen" in flags for _, flags in found)


async def test_the_folder_that_the_server_marks_is_found(dovecot: Dovecot) -> None:
    with dovecot.client(USER) as client:
        client.create_folder("Gesendet")
    async with sent(dovecot, AUTOMATIC) as folder:
        await folder.keep(mail("Marked."))
    assert len(copies(dovecot, "Gesendet")) == 1


async def test_a_server_that_went_away_gets_its_copy_when_it_is_back(dovecot: Dovecot) -> None:
    async with sent(dovecot, "Back") as folder:
        await folder.keep(mail("One."))
        dovecot.kill()
        try:
            with pytest.raises(OSError, match="refused"):
                await folder.keep(mail("Lost."))
        finally:
            dovecot.start()
        await folder.keep(mail("Two."))
    assert len(copies(dovecot, "Back")) == 2


async def test_a_copy_that_is_not_taken_is_told(dovecot: Dovecot) -> None:
    async with sent(dovecot, "x", password=Secret("wrong")) as folder:
        with pytest.raises(OSError, match=r"(?i)auth"):
            await folder.keep(mail("No."))


async def test_a_token_signs_in_and_a_refused_one_is_renewed(dovecot: Dovecot) -> None:
    asked: list[str] = []

    async def token(*, refused: str = "") -> str:
        asked.append(refused)
        return dovecot.token(USER) if refused else dovecot.token(USER, life_s=-5)

    more = {"mechanism": "xoauth2", "password": None, "token": token}
    async with sent(dovecot, "Tokens", **more) as folder:
        await folder.keep(mail("By token."))
    assert (len(copies(dovecot, "Tokens")), len(asked)) == (1, 2)
