"""The hub's own two doors under attack (tests 12 to 18); the server beneath is attacked in tests/unit/sockets."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from hub.services.accounts import Signed
from hub.settings import Limits
from hub.storage.migrations import migrate
from tests.bench.load.raw import Refused
from tests.security.yard import CHAT, CONSOLE, Line, Yard, open_yard, rss

MIB = 1024 * 1024


async def door(yard: Yard, namespace: str, origin: str | None) -> Line:
    token = (await yard.staff("ann")).token
    auth = {"site": "site"} if namespace == CHAT else None
    return await yard.line(namespace, auth, {"Cookie": f"hub={token}", "Origin": origin})


@pytest.mark.parametrize("namespace", [CHAT, CONSOLE])
async def test_foreign_origin_opens_no_socket(yard: Yard, namespace: str) -> None:
    origins = [None, "null", "", "https://shop.example", "http://127.0.0.1:1", "http://127.0.0.1.evil.test"]
    for origin in (*origins, f"{yard.url}/", f"{yard.url}@evil", f"{yard.url}.evil.example"):
        with pytest.raises(Refused, match="403"):
            await door(yard, namespace, origin)
    headers: dict[str, str | None] = {
        "Origin": "https://evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example;proto=https",
    }
    with pytest.raises(Refused, match="403"):
        await yard.line(namespace, {"site": "site"}, headers)


@pytest.mark.parametrize("namespace", [CHAT, CONSOLE])
async def test_unknown_event_is_answered_with_a_code_and_no_more(yard: Yard, namespace: str) -> None:
    line = await door(yard, namespace, yard.url)
    for event in ("nothing", "connect", "disconnect", "__class__", "_resume", "emit", "join", ""):
        assert await line.ask(event, room="agent:ann") == {"ok": False, "error": "unknown_event"}


async def test_revoked_session_is_cut_within_a_second_and_opens_nothing_more(yard: Yard) -> None:
    ann = await yard.staff("ann")
    other = await yard.staff("ann")
    lines = [await ann.console(), await ann.console()]
    kept = await other.console()
    began = time.monotonic()

    status, _ = await other.http("DELETE", f"/sessions/{ann.signed.session.id}")
    await asyncio.gather(*(line.ended.wait() for line in lines))

    assert (status, time.monotonic() - began < 1) == (200, True)
    assert [line.of("goodbye") for line in lines] == [[{"reason": "signed_out", "again": False}]] * 2
    assert (await kept.ask("sync"))["ok"]
    assert (await ann.http("GET", "/customers"))[0] == 401
    with pytest.raises(Refused, match="unauthorized"):
        await ann.console()


async def test_session_that_is_revoked_while_its_console_connects_is_cut(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let in by a session that stood when it was read: the connection is nobody's to cut yet when the session ends."""
    accounts = yard.desk.hub.services.accounts
    ann, signed = await yard.staff("ann"), accounts.signed
    was_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(token: str) -> Signed | None:
        found = await signed(token)
        was_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(accounts, "signed", slowly)
    connecting = asyncio.create_task(ann.console())
    await was_read.wait()
    await accounts.revoke("ann", ann.signed.session.id)
    may_go_on.set()
    line = await connecting

    await asyncio.wait_for(line.ended.wait(), 1)
    assert line.of("goodbye") == [{"reason": "signed_out", "again": False}]


async def test_account_that_is_closed_loses_every_console_and_route_at_once(yard: Yard) -> None:
    ann = await yard.staff("ann")
    line = await ann.console()
    assert (await ann.http("GET", "/customers"))[0] == 200

    await yard.desk.hub.services.accounts.update("ann", is_active=False)
    await asyncio.wait_for(line.ended.wait(), 1)

    assert (await ann.http("GET", "/customers"))[0] == 401


async def test_own_sessions_only(yard: Yard) -> None:
    ann, bob = await yard.staff("ann"), await yard.staff("bob")
    status, answer = await bob.http("DELETE", f"/sessions/{ann.signed.session.id}")

    assert (status, answer["error"]) == (404, "not_found")
    assert (await ann.http("GET", "/session"))[0] == 200


@pytest.mark.parametrize("namespace", [CHAT, CONSOLE])
async def test_announced_attachments_are_cut_and_hold_no_memory(yard: Yard, namespace: str) -> None:
    innocent, _ = await yard.chatting()
    before = rss()
    for count in (b"1", b"99999", b"6000000000"):
        line = await door(yard, namespace, yard.url)
        line.send(b'45%b-%b,["message",{"_placeholder":true,"num":0}]' % (count, namespace.encode()))
        await asyncio.wait_for(line.ended.wait(), 1)
        raw = await door(yard, namespace, yard.url)
        raw.send(b"x" * 10_000, opcode=2)
        await asyncio.wait_for(raw.ended.wait(), 1)

    assert rss() - before < 20 * MIB
    assert (await innocent.ask("resume"))["ok"]


@pytest.mark.parametrize("payload", [b'42/chat,["resume",{}]', b"garbage", b"40/chat,{", b"3"])
async def test_flood_is_cut_while_others_are_served(yard: Yard, payload: bytes) -> None:
    innocent, started = await yard.chatting()
    attackers = [await yard.line(CHAT, {"site": "site"}, local_ip=f"127.0.0.{n}") for n in range(2, 8)]
    for line in attackers:
        for _ in range(500):
            line.send(payload)
    took_s = []
    for n in range(5):
        began = time.monotonic()
        said = {"client_id": f"m{n}", "interaction": started["thread"]["interaction"], "text": "Hi"}
        assert (await innocent.ask("message", **said))["ok"]
        took_s.append(time.monotonic() - began)
    await asyncio.wait_for(asyncio.gather(*(line.ended.wait() for line in attackers)), 2)

    assert sorted(took_s)[2] < 0.25, took_s
    assert yard.errors_logged() == []


async def test_who_does_not_say_connect_is_cut_in_time(tmp_path: Path) -> None:
    assert Limits().connect_s == 5
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url, limits={"connect_s": 0.5}) as yard:
        silent = [await Line.connect(yard.port, path=f"{name}/socket.io", namespace="") for name in (CHAT, CONSOLE)]
        began = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*(line.ended.wait() for line in silent)), 5)
        assert 0.3 < time.monotonic() - began < 5


async def test_signed_in_agent_or_visitor_enters_no_room_by_name(yard: Yard) -> None:
    _, started = await yard.chatting("victim-0001")
    interaction = started["thread"]["interaction"]
    stranger = await yard.visitor()
    for event in ("join", "enter_room", "subscribe"):
        await stranger.ask(event, room=interaction)
    stranger.send(b'40/chat/%b,{"site":"site"}' % interaction.encode())
    await stranger.ask("resume", interaction=interaction)
    answers = [
        await stranger.ask("typing", interaction=interaction, typing=True),
        await stranger.ask("seen", interaction=interaction, n=1),
    ]
    await yard.desk.available("ann")
    chat = await yard.desk.accept("ann")
    await yard.desk.agent_says("ann", chat, "Only for the victim")
    await stranger.ask("resume")

    assert [answer["error"] for answer in answers] == ["not_found", "unauthorized"]
    assert stranger.heard == []


async def test_one_namespace_opens_no_other(yard: Yard) -> None:
    token = (await yard.staff("sue")).token
    headers: dict[str, str | None] = {"Cookie": f"hub={token}", "Origin": yard.url}
    for path, namespace in ((CHAT, CONSOLE), (CONSOLE, CHAT), (CHAT, "/"), (CONSOLE, "/admin")):
        with pytest.raises(Refused, match=r"44|closed|malformed"):
            await Line.connect(
                yard.port, path=f"{path}/socket.io", namespace=namespace, auth={"site": "site"}, headers=headers
            )


async def test_answer_to_an_error_names_nothing_of_ours(yard: Yard) -> None:
    line = await door(yard, CONSOLE, yard.url)
    answers = [
        await line.ask("open", interaction="x"),
        await line.ask("send", interaction={"$ne": None}),
        await line.ask("accept", offer="x" * 65),
    ]
    spelled = json.dumps(answers)
    assert not any(word in spelled for word in ("Traceback", "hub.", "SELECT", ".py", "session", "token"))
