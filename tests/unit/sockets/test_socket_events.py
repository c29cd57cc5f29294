import asyncio
import logging
from typing import Any

import msgspec
import pytest

from hub.sockets import Connection, Event, EventRefused
from hub.sockets.events import Handler
from tests.unit.sockets.house import House


class Say(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class OfferGone(Exception):
    code = "offer_gone"


def fails(connection: Connection[str]) -> None:
    raise OfferGone("which nobody needs to know")


async def breaks(connection: Connection[str]) -> None:
    raise ZeroDivisionError("secret")


def refuses(connection: Connection[str]) -> None:
    raise EventRefused("too_late")


def say(connection: Connection[str], said: Say) -> dict[str, Any]:
    return {"ok": True, "text": said.text, "by": connection.identity}


def unspeakable(connection: Connection[str]) -> object:
    return object()


EVENTS: dict[str, Handler | Event] = {
    "say": Event(say, Say),
    "fails": fails,
    "breaks": breaks,
    "refuses": refuses,
    "unspeakable": unspeakable,
    "wraps": lambda connection: asyncio.sleep(0, "awaited"),
}


async def test_official_client_gets_its_answers(house: House) -> None:
    await house.open(EVENTS)
    client = await house.official()
    await house.connect(client)

    assert await client.call("say", {"text": "退款 ☂"}, namespace="/chat") == {
        "ok": True,
        "text": "退款 ☂",
        "by": "ann",
    }
    assert await client.call("echo", (1, None, "x"), namespace="/chat") == [1, None, "x"]
    assert await client.call("wraps", namespace="/chat") == "awaited"


async def test_official_client_hears_events_and_the_reason_of_its_end(house: House) -> None:
    house.welcome = {"queue": 3}
    server = await house.open()
    client = await house.official()
    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    client.on("*", lambda event, payload: heard.put_nowait((event, payload)), namespace="/chat")
    client.on("disconnect", lambda reason: heard.put_nowait(("disconnect", reason)), namespace="/chat")
    await house.connect(client)
    assert await heard.get() == ("welcome", {"queue": 3})

    await server.disconnect(house.present["ann"], "revoked")

    assert [await heard.get(), await heard.get()] == [
        ("goodbye", {"reason": "revoked", "again": False}),
        ("disconnect", client.reason.SERVER_DISCONNECT),
    ]
    assert await house.left.get() == ("ann", "revoked")


@pytest.mark.parametrize(
    ("event", "argument", "code"),
    [
        ("nothing", None, "unknown_event"),
        ("__class__", None, "unknown_event"),
        ("connect", None, "unknown_event"),
        ("disconnect", None, "unknown_event"),
        ("say", {"txet": "x"}, "invalid"),
        ("say", {"text": "x", "role": "admin"}, "invalid"),
        ("say", {"text": {"$ne": ""}}, "invalid"),
        ("refuses", None, "invalid"),
        ("breaks", {"too": "many"}, "invalid"),
    ],
)
async def test_error_is_a_code_and_nothing_else(house: House, event: str, argument: object, code: str) -> None:
    await house.open(EVENTS)
    client = await house.enter()

    assert await client.call(event, argument) == {"ok": False, "error": code}


@pytest.mark.parametrize(("event", "code"), [("fails", "offer_gone"), ("refuses", "too_late")])
async def test_public_error_is_answered_with_its_code_and_not_logged(
    house: House, caplog: pytest.LogCaptureFixture, event: str, code: str
) -> None:
    await house.open(EVENTS, public_errors=(OfferGone,))
    client = await house.official()
    await house.connect(client)

    assert await client.call(event, namespace="/chat") == {"ok": False, "error": code}
    assert caplog.records == []


@pytest.mark.parametrize("event", ["breaks", "fails", "unspeakable"])
async def test_other_errors_are_logged_once_with_their_trace_and_hidden(
    house: House, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    await house.open(EVENTS)
    client = await house.official()
    await house.connect(client)

    assert await client.call(event, namespace="/chat") == {"ok": False, "error": "internal"}
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [(logging.ERROR, True)]


async def test_handlers_start_in_order_and_answer_when_ready(house: House) -> None:
    started: list[int] = []
    gates: dict[int, asyncio.Future[int]] = {}
    all_started = asyncio.Event()

    def begin(number: int) -> "asyncio.Future[int]":
        started.append(number)
        gates[number] = asyncio.get_running_loop().create_future()
        if len(started) == 6:
            all_started.set()
        return gates[number]

    async def slow(connection: Connection[str], number: int) -> int:
        return await begin(number)

    def quick(connection: Connection[str], number: int) -> "asyncio.Future[int]":
        return begin(number)

    await house.open({"slow": slow, "quick": quick})
    client = await house.enter()
    calls = [asyncio.create_task(client.call("quick" if n % 3 else "slow", n)) for n in range(6)]
    await all_started.wait()
    assert started == [0, 1, 2, 3, 4, 5]

    for number in (5, 0, 3, 1, 4, 2):
        gates[number].set_result(number * 10)
        assert await calls[number] == number * 10


async def test_client_that_asks_too_much_at_once_waits_and_others_do_not(house: House) -> None:
    gates: asyncio.Queue[asyncio.Future[bool]] = asyncio.Queue()

    def wait(connection: Connection[str], number: int) -> "asyncio.Future[bool]":
        gate = asyncio.get_running_loop().create_future()
        gates.put_nowait(gate)
        return gate

    await house.open({"wait": wait}, max_in_flight=2)
    busy, other = await house.enter("ann"), await house.enter("bob")
    calls = [asyncio.create_task(busy.call("wait", n)) for n in range(5)]
    first, second = await gates.get(), await gates.get()
    for n in range(5):
        assert await other.call("echo", n) == [n]
    assert gates.empty()

    first.set_result(True)
    second.set_result(True)
    for _ in range(3):
        (await gates.get()).set_result(True)
    assert await asyncio.gather(*calls) == [True] * 5


async def test_event_in_flight_ends_quietly_when_its_client_is_gone(house: House) -> None:
    gate: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    await house.open({"wait": lambda connection, _: gate})
    client = await house.enter()
    client.socket.emit("wait", b"1", lambda packet: None)
    await client.call("echo")
    client.socket.abort()
    assert (await house.left.get())[0] == "ann"

    gate.set_result(True)
