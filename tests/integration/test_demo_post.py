"""The demo's mail world: an ordinary mail client writes, the console answers, the answer arrives in its thread."""

import asyncio
import imaplib
import io
import re
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import aiohttp
import pytest

from channels.simulator.board import Board
from channels.simulator.post import Post
from hub.demo.erp import Erp
from hub.domain.customers import AddressKind
from hub.domain.interaction import State
from hub.flows.session import Fetch, LookedUp
from hub.storage.tables import ADDRESSES
from tests.integration.test_simulator import PACE, World, on_one_database, until, world

__all__ = ["world"]

US = "help@fernway.example"
ROBIN = "robin@customer.example"


def post_of(world: World) -> Post:
    assert world.demo.post is not None
    return world.demo.post


def letter(subject: str, text: str, sender: str = ROBIN, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = f"Robin Ash <{sender}>"
    made["To"] = headers.pop("to", US)
    made["Subject"] = subject
    made["Message-ID"] = make_msgid(domain="customer.example")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


async def hand_in(world: World, made: EmailMessage) -> None:
    """Send a letter as any program would."""

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", post_of(world).settings.smtp_port, timeout=20) as line:
            line.send_message(made)

    await asyncio.to_thread(send)


def found_by_imap(port: int, user: str) -> list[EmailMessage]:
    """Read a mailbox as any program would."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=20) as line:
        line.login(user, "demo")
        line.select("INBOX")
        _, (numbers, *_) = line.uid("SEARCH", "ALL")
        found = []
        for uid in numbers.split():
            _, answer = line.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
            assert isinstance(answer[0], tuple)
            message = message_from_bytes(answer[0][1], policy=policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
    return found


async def inbox(world: World, user: str, fits: Callable[[EmailMessage], bool]) -> EmailMessage:
    """Wait for a letter in somebody's mailbox."""
    async with asyncio.timeout(30):
        while True:
            found = await asyncio.to_thread(found_by_imap, post_of(world).settings.imap_port, user)
            fitting = [one for one in found if fits(one)]
            if fitting:
                return fitting[-1]
            await asyncio.sleep(0.05)


def is_personal(mail: EmailMessage) -> bool:
    return str(mail.get("Auto-Submitted", "no")) == "no"


class Desk:
    """A person at the console who answers letters by the REST API."""

    def __init__(self, world: World, cookie: str, board: Board) -> None:
        self.world = world
        self.cookie = cookie
        self.board = board

    async def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return await self.world.gateway.call(method, f"/api/v1{path}", body, cookie=self.cookie)

    async def answer(self, interaction: str, text: str, *, then: str) -> dict[str, Any]:
        begun = (await self.call("GET", f"/interactions/{interaction}/letters/suggestion?mode=reply"))["suggestion"]
        body = {key: begun[key] for key in ("subject", "to", "cc", "answers_n")}
        return await self.call(
            "POST",
            f"/interactions/{interaction}/letters",
            {**body, "client_id": f"letter-{len(text)}", "text": text, "then": then, "anyway": True},
        )


async def at_work(world: World, role: str = "agent") -> tuple[Desk, Any]:
    """Sign in, be available; returns the desk and its line."""
    board = Board()
    _, _, cookie = await world.post("/demo/session", {"role": role})

    def hear(event: str, payload: Any) -> None:
        if event == "frame":
            board.take(payload)

    line = await world.console(role, hear)
    board.replace(await line.ask("sync", {}))
    await line.ask("presence", {"presence": "available"})
    return Desk(world, cookie, board), line


@on_one_database
async def test_letter_is_answered_in_its_thread_and_the_answer_to_it_wakes_the_parked_matter(world: World) -> None:
    desk, line = await at_work(world)
    first = letter("A leaking tent", "My Tarn 2 leaks at the seam.")
    await hand_in(world, first)

    await until(lambda: bool(desk.board.rows("offers")))
    interaction = (await line.ask("accept", {"offer": desk.board.rows("offers")[0]["id"]}))["interaction"]
    opened = await line.ask("open", {"interaction": interaction})
    assert (opened["interaction"]["channel_kind"], opened["interaction"]["queue"]) == ("email", "support")
    assert opened["interaction"]["subject"] == "A leaking tent"
    assert "My Tarn 2 leaks" in opened["messages"][0]["text"]
    await desk.answer(interaction, "Please send it in, we mend it for free.", then="park")

    answer = await inbox(world, ROBIN, is_personal)
    assert answer["In-Reply-To"] == first["Message-ID"]
    assert str(first["Message-ID"]) in str(answer["References"]).split()
    assert "we mend it for free" in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    await until(lambda: world.hub.services.floor.interactions[interaction].state is State.PARKED)

    thread = {"In_Reply_To": str(answer["Message-ID"]), "References": f"{answer['References']} {answer['Message-ID']}"}
    to = str(answer["Reply-To"] or answer["From"])
    quoted = "\n".join(f"> {row}" for row in answer.get_body(("plain",)).get_content().splitlines())  # type: ignore[union-attr]
    words = f"Wonderful, it is on its way.\n\nOn Friday, {answer['From']} wrote:\n{quoted}\n"
    await hand_in(world, letter("Re: A leaking tent", words, to=to, **thread))

    await until(lambda: world.hub.services.floor.interactions[interaction].state is not State.PARKED)
    assert [one.id for one in await world.interactions()] == [interaction]
    said = [one for one in await world.messages(interaction) if str(one.author) == "customer"]
    assert [one.text.strip() for one in said][1] == "Wonderful, it is on its way."


@on_one_database
async def test_letter_of_a_customer_who_chatted_stands_beside_the_chats_in_their_history(world: World) -> None:
    await world.demo.seed(world.hub.services.store)
    desk, line = await at_work(world)
    address = await address_of_somebody_who_chatted(world)
    await hand_in(world, letter("A broken pole", "One of the poles has snapped.", sender=address))

    await until(lambda: bool(desk.board.rows("offers")))
    interaction = (await line.ask("accept", {"offer": desk.board.rows("offers")[0]["id"]}))["interaction"]
    opened = await line.ask("open", {"interaction": interaction})

    shown = opened["history"]["items"]
    assert shown[0]["interaction"] == interaction
    assert {one["channel_kind"] for one in shown} == {"chat", "email"}
    (mail,) = [one for one in shown if one["channel_kind"] == "email"]
    assert mail["title"] == "A broken pole"


async def address_of_somebody_who_chatted(world: World) -> str:
    """Return the e-mail address of a customer of the demo's past, known to be theirs."""
    known = [one for one in await world._rows(ADDRESSES, "ORDER BY value") if one.kind is AddressKind.EMAIL]
    chatted = {one.customer for one in await world.interactions() if one.kind == "chat" and one.queue == "support"}
    return str(next(one.value for one in known if one.customer in chatted))


@on_one_database
async def test_letter_is_acknowledged_once_by_a_machine_that_says_so(world: World) -> None:
    first = letter("Opening hours", "When are you open?")
    await hand_in(world, first)
    told = await inbox(world, ROBIN, lambda mail: not is_personal(mail))
    assert told["In-Reply-To"] == first["Message-ID"]
    assert str(told["Auto-Submitted"]) == "auto-replied"


@on_one_database
async def test_answer_to_an_address_that_is_gone_comes_back_and_is_shown_on_the_letter(world: World) -> None:
    desk, line = await at_work(world)
    await hand_in(world, letter("Moving house", "Where is my parcel?", sender="old@gone.example"))
    await until(lambda: bool(desk.board.rows("offers")))
    interaction = (await line.ask("accept", {"offer": desk.board.rows("offers")[0]["id"]}))["interaction"]
    sent = await desk.answer(interaction, "It is on its way.", then="park")

    async def shown() -> str:
        answer = await desk.call("GET", f"/interactions/{interaction}/letters")
        return str(next(one["status"] for one in answer["letters"] if one["n"] == sent["n"]) or "")

    async with asyncio.timeout(30):
        while not await shown():  # noqa: ASYNC110 - it becomes true on the other side of a socket
            await asyncio.sleep(0.1)
    assert await shown() == "5.1.1"


@on_one_database
async def test_simulated_customers_and_colleagues_write_to_each_other(world: World) -> None:
    await world.demo.start(world.url, pace=PACE)
    letters = world.demo.letters
    assert letters is not None
    for habit in ("usual", "usual", "holiday", "gone"):
        letters.write(habit)
    tally = letters.tally
    await until(lambda: tally.written == 4 and tally.answers >= 2 and tally.auto_replies == 1, within_s=60)
    assert tally.refused == 0
    found = {one.channel for one in await world.interactions()}
    assert found == {"letters"}


# -- the page


async def send(world: World, body: object) -> tuple[int, dict[str, Any]]:
    status, answer, _ = await world.post("/demo/mail/letters", body)
    return status, answer


async def box(world: World, address: str = ROBIN) -> list[dict[str, Any]]:
    async with world.session.get(f"{world.url}/demo/mail/box", params={"address": address}) as response:
        assert response.status == 200
        found: list[dict[str, Any]] = (await response.json())["letters"]
    return found


@on_one_database
async def test_page_writes_shows_answers_and_answers_them_in_the_same_thread(world: World) -> None:
    desk, line = await at_work(world)
    file = {"name": "t\u00e9nt.txt", "type": "text/plain", "content": "aGVsbG8="}
    status, _ = await send(
        world, {"address": ROBIN, "name": "李小溪", "subject": "帐篷", "text": "漏水了", "file": file}
    )
    assert status == 200
    await until(lambda: bool(desk.board.rows("offers")))
    interaction = (await line.ask("accept", {"offer": desk.board.rows("offers")[0]["id"]}))["interaction"]
    opened = await line.ask("open", {"interaction": interaction})
    assert [one["name"] for one in opened["messages"][0]["files"]] == ["t\u00e9nt.txt"]
    await desk.answer(interaction, "请寄回 免费维修", then="park")

    await inbox(world, ROBIN, is_personal)
    shown = await box(world)
    mine, theirs = shown[0], next(one for one in shown if not one["mine"] and not one["is_automatic"])
    assert (mine["mine"], mine["text"], mine["files"]) == (True, "漏水了", [{"name": "t\u00e9nt.txt", "size": 5}])
    assert theirs["thread"] == mine["thread"]
    assert theirs["text"].startswith("请寄回")
    where = {"address": ROBIN, "id": mine["id"], "n": "0"}
    async with world.session.get(f"{world.url}/demo/mail/file", params=where) as response:
        assert await response.read() == b"hello"
        assert response.headers["Content-Disposition"].startswith("attachment;")

    number = int(theirs["id"].partition(".")[2])
    assert (await send(world, {"address": ROBIN, "text": "好的", "answers": number}))[0] == 200
    await until(lambda: world.hub.services.floor.interactions[interaction].state is not State.PARKED)
    assert {one["thread"] for one in await box(world)} == {mine["thread"]}


SERVICE = "service@fernway.example"


class Company:
    """The demo company's own system."""

    async def fetch(self, wish: Fetch) -> LookedUp:
        """Look something up."""
        found = Erp().answer(wish.method, wish.path, datetime.now(UTC))
        return LookedUp(id=f"l{wish.id}", fetch=wish.id, outcome="found" if found else "not_found", values=found)


def answers_to(message_id: str) -> Callable[[EmailMessage], bool]:
    """Tell the answer to a letter."""
    return lambda mail: mail["In-Reply-To"] == message_id


@on_one_database
async def test_every_flow_is_played_by_mail_over_the_wire(world: World) -> None:
    """One conversation through all that the menu offers: a mail program writes, the company's mailbox answers."""
    world.hub.services.self_service.fetcher = Company()
    monday = datetime.now(UTC).date() + timedelta(days=8 - datetime.now(UTC).isoweekday())
    script = (
        ("Where is my order FW-10000?", "on its way"),
        ("yes please", "What is it about?"),
        ("2", "from 9:00 to 18:00"),
        ("yes", "What is it about?"),
        ("I am moving house", "street and number"),
        ("Agent Street 5", "postcode and town"),
        ("94110 San Francisco", "Is that right?"),
        ("yes", "have changed it"),
        ("yes", "What is it about?"),
        ("Workshop appointment", "What needs mending?"),
        ("boots", "On which day?"),
        (monday.isoformat(), "Shall I book it?"),
        ("1", "Your number is W-"),
        ("no", "anything else"),
        ("yes", "What is it about?"),
        ("Explain my bill", "Does that explain it?"),
        ("yes", "anything else"),
        ("no", "how satisfied are you"),
        ("5", "add something"),
        ("no", "Thank you."),
    )
    last = None
    for n, (text, wanted) in enumerate(script):
        made = letter("A matter" if n else text, text, to=SERVICE)
        if last is not None:
            made["In-Reply-To"] = last["Message-ID"]
        await hand_in(world, made)
        last = await inbox(world, ROBIN, answers_to(str(made["Message-ID"])))
        body = last.get_body(("plain",))
        assert body is not None
        assert wanted in body.get_content(), text
        assert last["Auto-Submitted"] == "auto-replied"
    (interaction,) = await world.interactions()
    assert (interaction.state, interaction.channel) == (State.RESOLVED, "self_service")


@on_one_database
async def test_page_is_not_for_the_company_nor_for_other_sites(world: World) -> None:
    for address in (US, "help+anything@fernway.example", "nobody", "a@b.example\r\nBcc: c@d.example", ""):
        async with world.session.get(f"{world.url}/demo/mail/box", params={"address": address}) as response:
            assert response.status == 400
    assert (await send(world, {"address": US, "text": "I am the company"}))[0] == 400
    letter = {"address": ROBIN, "text": "hello", "subject": "one\r\nBcc: victim@customer.example", "name": "a\nb"}
    assert (await send(world, letter))[0] == 200
    assert (await box(world))[0]["subject"] == "one Bcc: victim@customer.example"
    assert await box(world, "victim@customer.example") == []
    status, _, _ = await world.post("/demo/mail/letters", letter, origin="https://evil.example")
    assert status == 403
    wrongs: list[object] = [{"address": ROBIN}, {"address": ROBIN, "text": "x", "answers": 99}, [], "x"]
    for wrong in wrongs:
        assert (await send(world, wrong))[0] in {400, 404}


@on_one_database
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_page_and_welcome_say_where_the_post_is(world: World, lang: str) -> None:
    settings = post_of(world).settings
    for path in ("/demo", "/demo/mail"):
        status, text, policy = await world.page(f"{path}?lang={lang}")
        assert status == 200
        assert US in text
        assert str(settings.imap_port) in text
        assert str(settings.smtp_port) in text
        assert "'unsafe" not in policy
        assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", text)


@on_one_database
async def test_page_takes_no_large_bodies(world: World) -> None:
    body = b'{"address":"a@customer.example","text":"' + b"x" * 9_000_000
    headers = {"Origin": world.url, "Content-Type": "application/json"}
    try:
        async with world.session.post(
            f"{world.url}/demo/mail/letters", data=io.BytesIO(body), headers=headers
        ) as response:
            assert response.status == 400
    except aiohttp.ClientOSError:
        pass  # the hub hung up while we were still talking
    assert await box(world) == []
