"""Handing mail in: what each answer of the server means, and what a broken line means where it breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from channels.mail.compose import Letterhead
from channels.mail.smtp import Sender, Submission, is_loopback
from channels.mail.templates import Templates
from hub.contract import OutboundMessage
from hub.domain.correspondence import Party, Refusal
from hub.domain.errors import ChannelUnavailable, Conflict, DeliveryUncertain, MessageRejected
from tests.meta.source import ROOT
from tests.smtp_server import DROP, PASSWORD, USER, Script, certificate, smtp_server

BOX = Letterhead(address="help@example.test", key=b"k" * 32, name="Support")
TEMPLATES = Templates(ROOT / "templates")
LI, BOSS = Party("li@customer.test", "Li"), Party("boss@customer.test")


class Handover:
    """Counts how often the point of no return was passed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self.error = error

    async def __call__(self) -> None:
        self.count += 1
        if self.error is not None:
            raise self.error


def letter(**more: Any) -> OutboundMessage:
    fields: dict[str, Any] = {
        "id": "o1", "interaction": "i1", "n": 2, "provider_id": BOX.message_id("o1"), "attempt": 1,
        "at": 1_767_225_600_000, "to": (LI,), "subject": "Tent", "text": "It comes.\n.\n..dots", "sender": "Ann",
    }  # fmt: skip
    return OutboundMessage(**(fields | more))


@asynccontextmanager
async def sender(script: Script, **more: Any) -> AsyncIterator[Sender]:
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": script.port,
        "security": "plain",
        "command_s": 5,
        "data_s": 5,
    }
    keep_sent = more.pop("keep_sent", None)
    made = Sender(Submission(**(fields | more)), BOX, TEMPLATES, keep_sent=keep_sent)
    try:
        yield made
    finally:
        await made.close()


async def test_a_letter_is_handed_in_once_with_its_words_intact() -> None:
    async with smtp_server() as server, sender(server) as out:
        passed = Handover()
        receipt = await out.send(letter(cc=(BOSS,), bcc=(Party("audit@example.com"),), before_handover=passed))
        (taken,) = server.taken
        assert (taken.sender, taken.recipients) == (
            "help@example.test", ["li@customer.test", "boss@customer.test", "audit@example.com"],
        )  # fmt: skip
        assert b"\r\n.\r\n..dots\r\n" in taken.content
        assert b"audit" not in taken.content
        assert (receipt.refused, receipt.status, passed.count) == ((), "250 2.0.0 queued", 1)
        assert taken.mail_options[0].startswith("SIZE=")


async def test_one_connection_serves_many_letters() -> None:
    async with smtp_server() as server, sender(server) as out:
        for number in range(5):
            await out.send(letter(id=f"o{number}"))
        assert (len(server.taken), server.connections) == (5, 1)


async def test_two_at_once_have_two_connections() -> None:
    async with smtp_server(Script(hold=asyncio.Event())) as server, sender(server) as out:
        assert server.hold is not None
        both = asyncio.gather(out.send(letter(id="o1")), out.send(letter(id="o2")))
        await server.two.wait()
        server.hold.set()
        await both
        assert (server.most_at_once, server.connections, out.pace.at_once) == (2, 2, 2)


@pytest.mark.parametrize(
    ("where", "said", "error", "status", "has_passed"),
    [
        ("on_mail", "421 closing", ChannelUnavailable, "421", False),
        ("on_mail", "451 4.7.1 greylisted", ChannelUnavailable, "451 4.7.1", False),
        ("on_mail", "550 5.7.1 not you", MessageRejected, "550 5.7.1", False),
        ("rcpt", "450 4.2.1 busy", ChannelUnavailable, "450 4.2.1", False),
        ("rcpt", "452 4.2.2 full", ChannelUnavailable, "452 4.2.2", False),
        ("rcpt", "550 5.1.1 No such user here", MessageRejected, "550 5.1.1", False),
        ("rcpt", "421 shutting down", ChannelUnavailable, "421", False),
        ("on_data", "421 4.3.2 down", ChannelUnavailable, "421 4.3.2", True),
        ("on_data", "452 4.3.1 no space", ChannelUnavailable, "452 4.3.1", True),
        ("on_data", "552 5.3.4 too big", MessageRejected, "552 5.3.4", True),
        ("on_data", "554 5.6.0 spam", MessageRejected, "554 5.6.0", True),
    ],
)
async def test_the_servers_answer_decides(
    where: str, said: str, error: type[Exception], status: str, has_passed: bool
) -> None:
    script = Script(on_rcpt={LI.address: said}) if where == "rcpt" else Script()
    if where != "rcpt":
        setattr(script, where, [said])
    async with smtp_server(script) as server, sender(server) as out:
        passed = Handover()
        with pytest.raises(error) as caught:
            await out.send(letter(before_handover=passed))
        assert caught.value.reply_status == status  # type: ignore[attr-defined]
        assert said.partition(" ")[2].split()[-1] in str(caught.value)
        assert (bool(passed.count), server.taken) == (has_passed, [])
        server.on_rcpt.clear()
        await out.send(letter())
        assert len(server.taken) == 1


async def test_recipients_are_refused_one_by_one() -> None:
    said = {BOSS.address: "450 4.2.1 busy", "gone@customer.test": "550 5.1.1 unknown"}
    async with smtp_server(Script(on_rcpt=said)) as server, sender(server) as out:
        receipt = await out.send(letter(cc=(BOSS, Party("gone@customer.test"))))
        assert receipt.refused == (
            Refusal(BOSS.address, "450 4.2.1", "450 4.2.1 busy", is_final=False),
            Refusal("gone@customer.test", "550 5.1.1", "550 5.1.1 unknown"),
        )
        assert server.taken[0].recipients == [LI.address]
        with pytest.raises(MessageRejected) as caught:
            await out.send(letter(to=(Party("gone@customer.test"),)))
        assert [one.address for one in caught.value.refused] == ["gone@customer.test"]
        with pytest.raises(ChannelUnavailable):
            await out.send(letter(to=(Party("gone@customer.test"), BOSS)))


@pytest.mark.parametrize("where", ["on_mail", "rcpt"])
async def test_a_line_cut_before_the_words_means_later(where: str) -> None:
    script = Script(on_rcpt={LI.address: DROP}) if where == "rcpt" else Script(on_mail=[DROP])
    async with smtp_server(script) as server, sender(server) as out:
        passed = Handover()
        with pytest.raises(ChannelUnavailable):
            await out.send(letter(before_handover=passed))
        assert (passed.count, server.taken) == (0, [])


@pytest.mark.parametrize(("script", "taken"), [(Script(on_data=[DROP]), 0), (Script(after_data=[DROP]), 1)])
async def test_a_line_cut_after_the_last_dot_is_uncertain(script: Script, taken: int) -> None:
    async with smtp_server(script) as server, sender(server) as out:
        with pytest.raises(DeliveryUncertain):
            await out.send(letter())
        assert len(server.taken) == taken
        await out.send(letter())
        assert server.connections == 2


async def test_a_server_that_says_nothing_after_the_words_is_uncertain() -> None:
    async with smtp_server(Script(hold=asyncio.Event())) as server, sender(server, data_s=0.2) as out:
        with pytest.raises(DeliveryUncertain):
            await out.send(letter())
        assert server.hold is not None
        server.hold.set()


async def test_what_forbids_the_handover_sends_nothing() -> None:
    async with smtp_server() as server, sender(server) as out:
        with pytest.raises(Conflict):
            await out.send(letter(before_handover=Handover(Conflict("not yours"))))
        assert server.taken == []
        await out.send(letter())
        assert (len(server.taken), server.connections) == (1, 1)


async def test_a_server_that_is_not_there_means_later() -> None:
    async with smtp_server() as server:
        port = server.port
    made = Sender(Submission(host="127.0.0.1", port=port, security="plain"), BOX, TEMPLATES)
    with pytest.raises(ChannelUnavailable):
        await made.send(letter())
    with pytest.raises(ChannelUnavailable):
        await made.check()


async def test_a_connection_the_server_closed_meanwhile_is_replaced() -> None:
    async with smtp_server() as server, sender(server) as out:
        await out.send(letter(id="o1"))
        _, smtp = out._idle[0]
        assert smtp.transport is not None
        smtp.transport.close()
        await out.send(letter(id="o2"))
        assert (len(server.taken), server.connections) == (2, 2)


async def test_size_is_looked_at_first() -> None:
    async with smtp_server(size=1_000) as server, sender(server) as out:
        passed = Handover()
        with pytest.raises(MessageRejected) as caught:
            await out.send(letter(before_handover=passed))
        assert (caught.value.reply_status, passed.count, server.taken) == ("552", 0, [])


async def test_addresses_beyond_ascii_need_smtputf8() -> None:
    li = Party("李@客户.test", "李")
    async with smtp_server() as server, sender(server) as out:
        await out.send(letter(to=(li,)))
        assert server.taken[0].recipients == ["李@xn--ubt06m.test"]
        assert "SMTPUTF8" in server.taken[0].mail_options
    async with smtp_server(smtputf8=False) as server, sender(server) as out:
        with pytest.raises(MessageRejected):
            await out.send(letter(to=(li,)))
        await out.send(letter(to=(Party("li@客户.test"),)))
        assert server.taken[0].recipients == ["li@xn--ubt06m.test"]


# -- who may be talked to, and how


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_is_verified(security: str, tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    other, _ = certificate(tmp_path, "elsewhere.test")
    kept = {"tls": context} if security == "tls" else {"starttls": context}
    async with smtp_server(auth=True, **kept) as server:  # type: ignore[arg-type]
        how = {"host": "localhost", "security": security, "user": "help", "password": PASSWORD}
        async with sender(server, **how, ca_file=str(trusted)) as out:
            await out.send(letter())
            assert len(server.taken) == 1
        for wrong in ({"ca_file": str(other)}, {}, {"ca_file": str(trusted), "host": "127.0.0.1"}):
            async with sender(server, **(how | wrong)) as out:
                with pytest.raises(ChannelUnavailable):
                    await out.send(letter())
        assert len(server.taken) == 1


async def test_a_server_without_tls_gets_nothing(tmp_path: Path) -> None:
    trusted, _ = certificate(tmp_path)
    async with smtp_server(auth=True) as server:
        how = {"host": "localhost", "security": "starttls", "user": "help", "password": PASSWORD}
        async with sender(server, **how, ca_file=str(trusted)) as out:
            with pytest.raises(ChannelUnavailable):
                await out.send(letter())
        assert server.taken == []


async def test_plain_is_for_this_machine_only() -> None:
    assert Submission(host="mx.example.test", security="plain").problem()
    assert Submission(host="localhost", security="plain", token=Token()).problem()
    assert Submission(host="::1", security="plain").problem() == ""
    assert [is_loopback(host) for host in ("127.0.0.5", "localhost", "10.0.0.1", "localhost.evil.test")] == [
        True, True, False, False,
    ]  # fmt: skip
    made = Sender(Submission(host="mx.example.test", security="plain"), BOX, TEMPLATES)
    with pytest.raises(ChannelUnavailable):
        await made.send(letter())


class Token:
    async def __call__(self) -> str:
        return "token"


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
async def test_signing_in(password: str) -> None:
    async with smtp_server(auth=True) as server, sender(server, user="help", password=password) as out:
        if password == PASSWORD:
            await out.check()
            await out.send(letter())
            assert (len(server.taken), server.connections) == (1, 1)
        else:
            with pytest.raises(ChannelUnavailable) as caught:
                await out.send(letter())
            assert caught.value.reply_status == "535"


# -- tokens


class Tokens:
    """Gives the first of its tokens that was not refused."""

    def __init__(self, *tokens: str) -> None:
        self.left = list(tokens)

    async def __call__(self, *, refused: str = "") -> str:
        if self.left[0] == refused and len(self.left) > 1:
            del self.left[0]
        return self.left[0]


async def test_a_token_signs_in_under_tls_and_a_refused_one_is_renewed_once(tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    script = Script(tokens={"fresh"})
    how = {"host": "localhost", "security": "starttls", "user": USER, "ca_file": str(trusted)}
    async with (
        smtp_server(script, starttls=context) as server,
        sender(server, **how, token=Tokens("old", "fresh")) as out,
    ):
        await out.send(letter())
        assert (len(server.taken), server.refused_tokens) == (1, ["old"])


async def test_a_token_that_is_not_taken_means_later_and_is_told(tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    script = Script(tokens={"fresh"})
    how = {"host": "localhost", "security": "starttls", "user": USER, "ca_file": str(trusted)}
    async with smtp_server(script, starttls=context) as server, sender(server, **how, token=Tokens("old")) as out:
        with pytest.raises(ChannelUnavailable, match="The token is over") as raised:
            await out.send(letter())
        assert (raised.value.reply_status, server.taken, server.refused_tokens) == ("535", [], ["old"])


# -- copies


async def test_a_copy_goes_to_the_sent_folder_and_its_failure_changes_nothing() -> None:
    copies: list[bytes] = []

    async def keep(content: bytes) -> None:
        copies.append(content)
        if len(copies) == 2:
            raise OSError("folder gone")

    async with smtp_server() as server, sender(server, keep_sent=keep) as out:
        await out.send(letter(id="o1"))
        await out.send(letter(id="o2"))
        await out.close()
        assert [copy.rstrip() for copy in copies] == [taken.content.rstrip() for taken in server.taken]


async def test_a_second_try_for_the_recipients_that_are_left_makes_no_second_copy() -> None:
    copies: list[bytes] = []

    async def keep(content: bytes) -> None:
        copies.append(content)

    async with smtp_server(Script(on_rcpt={BOSS.address: "450 4.2.1 busy"})) as server:
        async with sender(server, keep_sent=keep) as out:
            await out.send(letter(cc=(BOSS,)))
            server.on_rcpt.clear()
            await out.send(letter(cc=(BOSS,), attempt=2, pending=(BOSS.address,)))
        assert [taken.recipients for taken in server.taken] == [[LI.address], [BOSS.address]]
        assert len(copies) == 1


async def test_a_large_letter_is_written_as_the_server_reads(tmp_path: Path) -> None:
    from hub.contract import OutboundFile

    path = tmp_path / "f1"
    path.write_bytes(bytes(range(256)) * 20_000)
    files = (OutboundFile(name="a.bin", type="application/octet-stream", size=5_120_000, path=path),)
    async with smtp_server() as server, sender(server) as out:
        await out.send(letter(files=files))
        assert len(server.taken[0].content) > 6_800_000
