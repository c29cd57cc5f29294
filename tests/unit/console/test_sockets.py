"""The staff's socket: who may connect, the closed table of events, heartbeats, ends of sessions, every event once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_console import permissions
from agent_console.actions import Actions
from agent_console.sockets import _EVENTS
from hub.domain.agent import Connectivity
from hub.storage.migrations import migrate
from tests.bench.load.raw import RawSocket, Refused
from tests.security.yard import CONSOLE, Line, Staff, Yard, open_yard


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url) as opened:
        yield opened


@pytest.fixture
async def ann(yard: Yard) -> Staff:
    return await yard.staff("ann")


async def at_work(yard: Yard, ann: Staff) -> tuple[Line, str, Any]:
    """Ann's console, with a chat she has accepted; and the visitor."""
    console = await ann.console()
    await console.ask("sync")
    await console.ask("presence", presence="available")
    visitor, _ = await yard.chatting()
    await yard.desk.settle()
    (offer,) = await yard.desk.live_offers(agent="ann")
    accepted = await console.ask("accept", offer=offer.id)
    assert accepted["ok"], accepted
    return console, accepted["interaction"], visitor


def test_events_actions_and_permissions_are_one_table() -> None:
    assert set(_EVENTS) == set(permissions.EVENTS)
    assert all(callable(getattr(Actions, name)) for name in _EVENTS)
    offered = {name for name in vars(Actions) if not name.startswith("_")}
    assert offered == set(_EVENTS)


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_websocket_of_another_origin_is_refused(yard: Yard, ann: Staff, origin: str | None) -> None:
    headers: dict[str, str | None] = {"Cookie": f"hub={ann.token}", "Origin": origin}
    with pytest.raises(Refused, match="403"):
        await yard.line(CONSOLE, None, headers)


@pytest.mark.parametrize("cookie", ["", "hub=", "hub=nonsense", f"hub={'A' * 43}"])
async def test_without_a_session_nobody_connects(yard: Yard, cookie: str) -> None:
    with pytest.raises(Refused, match="unauthorized"):
        await yard.line(CONSOLE, None, {"Cookie": cookie, "Origin": yard.url})


async def test_revoked_session_closes_its_console(yard: Yard, ann: Staff) -> None:
    other = await yard.staff("ann")
    console, second = await ann.console(), await other.console()

    status, answer = await ann.http("DELETE", f"/sessions/{other.signed.session.id}", {})

    assert (status, answer) == (200, {"ok": True})
    await asyncio.wait_for(second.ended.wait(), 1)
    assert ("goodbye", {"reason": "signed_out", "again": False}) in second.heard
    assert (await console.ask("sync"))["ok"]
    assert (await other.http("GET", "/sessions"))[0] == 401


async def test_session_ended_elsewhere_is_noticed_within_a_minute(yard: Yard, ann: Staff) -> None:
    console = await ann.console()

    async def unit(tx: Any) -> None:
        await tx.execute("DELETE FROM sessions")

    await yard.desk.hub.services.store.write(unit)
    await yard.desk.wait(seconds=61)

    await asyncio.wait_for(console.ended.wait(), 1)


async def test_open_console_counts_as_use_of_its_session(yard: Yard, ann: Staff) -> None:
    await ann.console()
    await yard.desk.wait(seconds=61)
    (session,) = await yard.desk.hub.services.accounts.sessions("ann")
    assert session.seen_at > ann.signed.session.seen_at


async def test_first_console_connects_an_agent_and_the_last_one_begins_grace(yard: Yard, ann: Staff) -> None:
    async def connectivity() -> Connectivity:
        await asyncio.sleep(0.05)
        await yard.desk.settle()
        return (await yard.desk.agent("ann")).connectivity

    first, second = await ann.console(), await ann.console()
    assert await connectivity() == Connectivity.CONNECTED
    first.abort()
    assert await connectivity() == Connectivity.CONNECTED
    second.abort()
    assert await connectivity() == Connectivity.GRACE
    await ann.console()
    assert await connectivity() == Connectivity.CONNECTED


async def test_unknown_event_and_odd_arguments_get_a_code_only(yard: Yard, ann: Staff) -> None:
    console = await ann.console()
    assert await console.ask("__class__") == {"ok": False, "error": "unknown_event"}
    for event, said in (
        ("accept", {}),
        ("accept", {"offer": 7}),
        ("accept", {"offer": "o1", "extra": 1}),
        ("send", {"interaction": "x" * 65, "client_id": "1", "text": "", "seen_n": 0}),
        ("open", {"interaction": "i1", "after_n": -1}),
        ("presence", {"presence": "asleep"}),
    ):
        answer = await console.ask(event, **said)
        assert (answer["ok"], answer["error"]) == (False, "bad_request"), event


@pytest.mark.parametrize("event", sorted(set(permissions.EVENTS) - {"sync", "presence", "resume_work"}))
async def test_what_is_not_there_and_what_is_foreign_look_the_same(yard: Yard, event: str) -> None:
    """Ann serves support only: an interaction of billing does not exist for her, whatever she tries."""
    ann = await yard.staff("ann")
    chat = await yard.desk.chat("Mei", queue="billing")
    await yard.desk.available("bob")
    (offer,) = await yard.desk.live_offers(agent="bob")
    console = await ann.console()

    async def answers(interaction: str, offer_id: str) -> dict[str, Any]:
        known: dict[str, dict[str, Any]] = {
            "accept": {"offer": offer_id},
            "reject": {"offer": offer_id, "reason": "busy"},
            "send": {"interaction": interaction, "client_id": "c", "text": "x", "seen_n": 0},
            "note": {"interaction": interaction, "client_id": "c", "text": "x"},
            "draft": {"interaction": interaction, "mode": "reply", "text": "x"},
            "typing": {"interaction": interaction, "typing": True},
            "seen": {"interaction": interaction, "n": 1},
            "earlier": {"interaction": interaction, "before_n": 5},
            "transfer": {"interaction": interaction, "queue": "support", "note": ""},
            "complete": {"interaction": interaction, "disposition": "solved"},
            "assign": {"interaction": interaction, "agent": "ann"},
            "force_presence": {"agent": "bob", "presence": "available"},
            "force_close": {"interaction": interaction, "reason": "x"},
        }
        return await console.ask(event, **known.get(event, {"interaction": interaction}))

    foreign = await answers(chat.id, offer.id)
    missing = await answers("i" + "0" * 21, "o" + "0" * 21)

    assert foreign == missing
    if event == "leave_view":
        return
    assert foreign["error"] in {"not_found", "offer_gone", "forbidden"}
    assert (foreign["error"] == "forbidden") == (permissions.EVENTS[event] == permissions.SUPERVISORS)


async def test_conversation_from_accepting_to_closing(yard: Yard, ann: Staff) -> None:
    console, name, visitor = await at_work(yard, ann)
    opened = await console.ask("open", interaction=name)
    assert [message["from"] for message in opened["messages"]] == ["customer", "system", "system"]
    assert opened["earlier"] is False
    assert opened["customer"]["open"] == [name]
    assert opened["history"]["items"][0]["interaction"] == name

    sent = await console.ask("send", interaction=name, client_id="c1", text="Hello", seen_n=3)
    again = await console.ask("send", interaction=name, client_id="c1", text="Hello", seen_n=3)
    assert sent == again == {"ok": True, "n": 4, "at": sent["at"]}
    await visitor.ask("message", client_id="m-000001", interaction=name, text="Thanks")
    pushed = [message for frame in console.of("frame") for message in frame["put"].get("messages", {}).values()]
    assert [(message["n"], message["from"]) for message in pushed][-2:] == [(4, "agent"), (5, "customer")]

    assert (await console.ask("seen", interaction=name, n=5))["ok"]
    note = {"interaction": name, "client_id": "n1", "text": "Nice person"}
    assert await console.ask("note", **note) == await console.ask("note", **note)
    assert (await console.ask("draft", interaction=name, mode="reply", text="See"))["ok"]
    opened = await console.ask("open", interaction=name, after_n=4)
    assert [message["n"] for message in opened["messages"]] == [5]
    assert opened["draft"] == {"reply": "See", "note": ""}
    assert [note["text"] for note in opened["notes"]] == ["Nice person"]
    assert (await console.ask("leave_view", interaction=name))["ok"]
    assert (await console.ask("earlier", interaction=name, before_n=3))["messages"][0]["n"] == 1

    assert (await console.ask("park", interaction=name))["ok"]
    assert (await console.ask("unpark", interaction=name))["ok"]
    wrapped = await console.ask("wrap_up", interaction=name)
    extended = await console.ask("extend_wrap_up", interaction=name)
    assert extended["wrap_up_ends_at"] == wrapped["wrap_up_ends_at"] + 60_000
    assert (await console.ask("complete", interaction=name, disposition="solved", note="Done well"))["ok"]
    closed = await console.ask("send", interaction=name, client_id="c2", text="Too late", seen_n=9)
    assert closed["error"] == "closed"
    notes = (await console.ask("open", interaction=name))["notes"]
    assert sorted(note["text"] for note in notes) == ["Done well", "Nice person"]


async def test_answer_after_a_colleagues_newer_one_is_refused_with_what_is_new(yard: Yard, ann: Staff) -> None:
    console, name, _ = await at_work(yard, ann)
    interaction = await yard.desk.interaction(name)
    await console.ask("send", interaction=name, client_id="c1", text="First", seen_n=3)
    services = yard.desk.hub.services
    await services.supervision.assign(name, await yard.desk.scope("sue"), agent="sue")
    await yard.desk.available("sue")
    await yard.desk.accept("sue")
    await yard.desk.agent_says("sue", interaction, "From Sue")
    await services.supervision.assign(name, await yard.desk.scope("sue"), agent="ann")
    await yard.desk.settle()
    (offer,) = await yard.desk.live_offers(agent="ann")
    await console.ask("accept", offer=offer.id)

    stale = await console.ask("send", interaction=name, client_id="c2", text="Second", seen_n=4)
    anyway = await console.ask("send", interaction=name, client_id="c2", text="Second", seen_n=4, anyway=True)

    assert stale["error"] == "stale"
    assert "From Sue" in [row["text"] for row in stale["newer"]]
    assert anyway["ok"]


async def test_transfer_takes_its_note_along(yard: Yard, ann: Staff) -> None:
    console, name, _ = await at_work(yard, ann)
    answer = await console.ask("transfer", interaction=name, queue="billing", note="Charged twice")
    assert answer["ok"], answer
    interaction = await yard.desk.interaction(name)
    assert (interaction.queue, interaction.agent) == ("billing", None)
    sue = await (await yard.staff("sue")).console()
    assert [note["text"] for note in (await sue.ask("open", interaction=name))["notes"]] == ["Charged twice"]


async def test_typing_reaches_the_visitor_only_from_who_handles_it(yard: Yard, ann: Staff) -> None:
    console, name, visitor = await at_work(yard, ann)
    sue = await (await yard.staff("sue")).console()
    await sue.ask("sync")
    await sue.ask("open", interaction=name)

    await sue.ask("typing", interaction=name, typing=True)
    assert visitor.of("typing") == []
    await console.ask("typing", interaction=name, typing=True)
    await visitor.ask("typing", interaction=name, typing=True)
    await visitor.ask("seen", interaction=name, n=1)

    assert [heard["typing"] for heard in visitor.of("typing")] == [True]
    assert [heard["who"] for heard in console.of("typing")] == ["agent", "customer"]
    assert [(heard["who"], heard["name"]) for heard in sue.of("typing")] == [("agent", "Ann"), ("customer", "Li")]


async def test_supervisor_steers(yard: Yard, ann: Staff) -> None:
    console, name, _ = await at_work(yard, ann)
    sue = await (await yard.staff("sue")).console()
    assert (await sue.ask("force_presence", agent="ann", presence="away", reason=""))["next_presence"] == {
        "presence": "away",
        "reason": None,
    }
    assert (await sue.ask("assign", interaction=name, queue="billing"))["ok"]
    assert (await sue.ask("force_close", interaction=name, reason="spam"))["ok"]
    assert (await console.ask("resume_work"))["ok"]


async def test_agent_picks_from_the_list_only_where_the_queue_allows_it(yard: Yard, ann: Staff) -> None:
    console = await ann.console()
    chat = await yard.desk.chat()
    assert (await console.ask("pull", interaction=chat.id))["error"] == "forbidden"


async def test_seventh_tab_is_refused(yard: Yard, ann: Staff) -> None:
    lines: list[RawSocket] = [await ann.console() for _ in range(6)]
    with pytest.raises(Refused, match="too_many_connections"):
        await ann.console()
    assert len(lines) == 6


async def test_other_persons_rows_never_reach_the_wire(yard: Yard, ann: Staff) -> None:
    console = await ann.console()
    await console.ask("sync")
    chat = await yard.desk.chat("Secret Name", queue="billing", text="secret words")
    await yard.desk.available("bob")
    await yard.desk.accept("bob")
    await yard.desk.visitor_says(chat, "more secret words")
    await yard.desk.wait(seconds=6)
    snapshot = await console.ask("sync")
    heard = repr((console.heard, snapshot))
    assert chat.id not in heard
    assert "ecret" not in heard
