"""Whoever asks, by whatever way, gets what they may see and no more (security reference, tests 1 to 5)."""

from typing import Any

import pytest

from agent_console import permissions
from agent_console.sockets import _EVENTS
from hub.domain.agent import Role
from tests.security.yard import CONSOLE, Line, Staff, Yard

JSON = {"Content-Type": "application/json"}
BODIES: dict[str, Any] = {
    "POST /session": {"email": "ann@example.test", "password": "x"},
    "POST /password": {"old": "x", "new": "correct horse battery"},
    "PATCH /customers/{id}": {"company": "Evil Inc"},
    "POST /flows/{id}/try": {"inputs": [{"do": "say", "text": "agent"}]},
    "POST /interactions/{id}/self-service": {"flow": "survey"},
    "POST /customers/{id}/notes": {"text": "I was here"},
    "POST /customers/{id}/promises": {"text": "I was here", "due_at": 1},
    "POST /promises/{id}": {"state": "kept"},
    "POST /customers/{id}/merge": {"source": "OTHER"},
    "POST /merges/{id}/undo": {},
    "POST /interactions/{id}/letters": {"client_id": "c1", "text": "I was here", "to": [{"address": "a@b.example"}]},
    "POST /interactions/{id}/letters/take-back": {"n": 1},
    "POST /interactions/{id}/letters/try-again": {"n": 1},
    "POST /interactions/{id}/letters/arrived": {"n": 1},
    "POST /interactions/{id}/letters/draft": {"text": "I was here"},
    "POST /interactions/{id}/split": {"n": 1},
    "POST /interactions/{id}/join": {"target": "OTHER"},
    "POST /joins/{id}/undo": {},
    "POST /interactions/{id}/letters/transcript": {"to": {"address": "a@b.example"}},
    "POST /letters/signature": {"text": "I was here"},
    "POST /letters": {
        "client_id": "c1",
        "text": "I was here",
        "to": [{"address": "a@b.example"}],
        "channel": "post",
        "queue": "support",
    },
    "POST /letters/draft": {"text": "I was here", "mode": "new"},
    "POST /arrivals/{id}/read-again": {},
    "POST /arrivals/{id}/dismiss": {},
    "POST /demo/session": {"role": "admin"},
    **{f"POST /interactions/{{id}}/call/{deed}": {} for deed in ("hold", "resume", "end-consult", "put-through")},
    "POST /interactions/{id}/call/mute": {"muted": True},
    "POST /interactions/{id}/call/recording": {"paused": True},
    "POST /interactions/{id}/call/consult": {"number": "+14155550199"},
    "POST /interactions/{id}/call/listen": {"how": "monitor"},
    "POST /interactions/{id}/call/take-over": {},
    "POST /interactions/{id}/call/begin": {},
    "POST /interactions/{id}/call/swap": {},
    "POST /interactions/{id}/call/give-up": {},
    "POST /callbacks": {"channel": "line", "number": "+14155550199", "due_at": 4_000_000_000_000},
    "POST /calls": {"channel": "line", "number": "+14155550199", "client_id": "c1"},
}
QUERIES = {
    "GET /search": "?q=wombat",
    "GET /customers": "?q=wombat",
    "POST /interactions/{id}/files": "?name=a.txt",
    "POST /letters/files": "?name=a.txt",
    "GET /interactions/{id}/letters/page": "?n=1",
}
OF_INTERACTION = sorted(set(_EVENTS) - {"sync", "presence", "resume_work", "accept", "reject", "force_presence"})
MORE: dict[str, dict[str, Any]] = {
    "earlier": {"before_n": 9},
    "send": {"client_id": "c1", "text": "wombat", "seen_n": 0},
    "note": {"client_id": "c1", "text": "wombat"},
    "draft": {"mode": "reply", "text": "wombat"},
    "typing": {"typing": True},
    "seen": {"n": 1},
    "transfer": {"queue": "support"},
    "complete": {"disposition": "solved"},
    "assign": {"queue": "billing"},
    "force_close": {"reason": "x"},
}


async def foreign_world(yard: Yard) -> dict[str, str]:
    """Ann's customer with a conversation, a note, a file and a merge: nothing of it is Bob's."""
    desk = yard.desk
    await desk.available("ann")
    await desk.chat(name="Wanda Wombat", text="My wombat is ill")
    chat = await desk.accept("ann")
    await desk.agent_says("ann", chat, "The wombat doctor comes")
    other = await desk.chat(name="Wanda Wombat", text="Second wombat")
    people, scope = desk.hub.services.people, await desk.scope("ann")
    note = await people.add_note(chat.customer, "Has a wombat", scope, interaction=chat.id)
    twin = await desk.chat(name="Wombat Twin", text="wombat")
    merge = await people.merge(other.customer, twin.customer, scope)
    due_at = desk.clock.now() + 3_600_000
    promise = await desk.hub.services.promises.make(chat.customer, "Cure it", due_at, scope, interaction=chat.id)
    await yard.indexed()
    return {
        "interaction": chat.id,
        "customer": chat.customer,
        "other": other.customer,
        "merge": merge.id,
        "note": note.id,
        "promise": promise.id,
    }


def about(route: str, world: dict[str, str]) -> str:
    keys = {
        "/customers/": "customer",
        "/merges/": "merge",
        "/interactions/": "interaction",
        "/promises/": "promise",
    }
    for word, key in keys.items():
        if word in route:
            return world[key]
    return world["note"]


async def call(who: Staff, route: str, world: dict[str, str]) -> tuple[int, Any]:
    method, path = route.split(" ")
    body = BODIES.get(route)
    if body and "source" in body:
        body = {"source": world["other"]}
    headers = {}
    if path.endswith("/files"):
        body, headers = b"hello", {"Content-Type": "application/octet-stream", "X-Hub": "1"}
    return await who.http(method, path.replace("{id}", about(route, world)) + QUERIES.get(route, ""), body, **headers)


def test_every_route_stands_in_the_table_of_roles_and_the_other_way_round(yard: Yard) -> None:
    served = set()
    for route in yard.desk.hub.app.router.routes():
        info = route.get_info()
        path = info.get("formatter") or info.get("path") or ""
        if path.startswith("/api/v1/") and route.method != "HEAD":
            served.add(f"{route.method} {path.removeprefix('/api/v1')}")

    assert served == set(permissions.ROUTES) - {"POST /demo/session"}
    assert set(_EVENTS) == set(permissions.EVENTS)


async def test_stranger_opens_no_route_with_any_id(yard: Yard) -> None:
    world = await foreign_world(yard)
    stranger = Staff(yard, "nobody", None, "x" * 43)  # type: ignore[arg-type]
    answers = {
        route: (await call(stranger, route, world))[0]
        for route in permissions.ROUTES
        if route not in {"POST /session", "POST /demo/session"}
    }

    assert set(answers.values()) == {401}, answers
    assert (await call(stranger, "POST /demo/session", world))[0] in {404, 405}


async def test_colleague_of_another_queue_finds_nothing_at_any_route(yard: Yard) -> None:
    world = await foreign_world(yard)
    bob = await yard.staff("bob")
    with_id = [
        route
        for route, roles in permissions.ROUTES.items()
        if "{id}" in route and "sessions" not in route and (roles is None or Role.AGENT in roles)
    ]
    answers = {route: await call(bob, route, world) for route in with_id}

    assert {route: status for route, (status, _) in answers.items() if status != 404} == {}
    assert {body["error"] for _, body in answers.values()} == {"not_found"}
    untouched = await yard.desk.hub.services.people.profile(world["customer"], await yard.desk.scope("ann"))
    assert (untouched.customer.company, len(untouched.notes)) == ("", 0)
    assert [str(promise.state) for promise in untouched.promises] == ["open"]


async def test_foreign_and_missing_look_the_same(yard: Yard) -> None:
    world = await foreign_world(yard)
    bob = await yard.staff("bob")
    for path in ("/interactions/{}", "/customers/{}", "/customers/{}/timeline", "/interactions/{}/messages"):
        key = "interaction" if "interactions" in path else "customer"
        foreign = await bob.http("GET", path.format(world[key]))
        missing = await bob.http("GET", path.format(world[key][:-3] + "000"))
        assert foreign == missing


async def test_lists_search_and_counts_obey_the_scope(both: Yard) -> None:
    await foreign_world(both)
    ann, bob, sue = [await both.staff(name) for name in ("ann", "bob", "sue")]

    found = {who.name: (await who.http("GET", "/search?q=wombat"))[1] for who in (ann, bob, sue)}
    listed = {who.name: (await who.http("GET", "/customers"))[1]["customers"] for who in (ann, bob, sue)}
    by_name = {who.name: (await who.http("GET", "/customers?q=wombat"))[1]["customers"] for who in (ann, bob)}

    assert found["bob"]["customers"] == found["bob"]["messages"] == found["bob"]["notes"] == []
    assert listed["bob"] == by_name["bob"] == []
    assert len(found["ann"]["messages"]) == len(found["sue"]["messages"]) >= 3
    assert len(found["ann"]["notes"]) == 1
    assert len(listed["ann"]) == len(listed["sue"]) == len(by_name["ann"]) == 2


async def test_profile_counts_only_what_its_reader_sees(both: Yard) -> None:
    desk = both.desk
    first = await desk.chat(name="Ola", text="Support matter")
    second = await desk.chat(name="Ola", queue="billing", text="Billing matter")
    await desk.hub.services.people.merge(first.customer, second.customer, await desk.scope("sue"))
    ann, bob, sue = [await both.staff(name) for name in ("ann", "bob", "sue")]

    seen = {}
    for who in (ann, bob, sue):
        _, profile = await who.http("GET", f"/customers/{first.customer}")
        _, page = await who.http("GET", f"/customers/{first.customer}/timeline?kinds=interaction,message")
        texts = {item["text"] for item in page["items"]}
        seen[who.name] = (profile["customer"]["totals"]["interactions"], profile["customer"]["open"], texts)

    assert seen["ann"] == (1, [first.id], {"Support matter"})
    assert seen["bob"] == (1, [second.id], {"Billing matter"})
    assert seen["sue"][0] == 2


async def test_merge_needs_both_customers_in_scope(yard: Yard) -> None:
    desk = yard.desk
    mine = await desk.chat(name="Mine", queue="billing")
    foreign = await desk.chat(name="Foreign")
    bob = await yard.staff("bob")

    answers = [
        await bob.http("POST", f"/customers/{mine.customer}/merge", {"source": foreign.customer}),
        await bob.http("POST", f"/customers/{foreign.customer}/merge", {"source": mine.customer}),
    ]

    assert [status for status, _ in answers] == [404, 404]
    assert (await desk.interaction(foreign.id)).customer == foreign.customer


async def test_child_is_not_reached_through_another_parent(yard: Yard) -> None:
    desk = yard.desk
    await desk.available("bob")
    theirs = await desk.chat(name="Theirs", queue="support")
    mine = await desk.chat(name="Mine", queue="billing")
    await desk.accept("bob")
    files = desk.hub.services.files

    async def body() -> Any:
        yield b"hello"

    foreign_file = await files.store(theirs.id, "a.txt", body(), by="agent:bob", limit=100)
    line = await (await yard.staff("bob")).console()
    said = {"interaction": mine.id, "client_id": "c1", "text": "x", "seen_n": 9}

    assert (await line.ask("send", **said, files=[foreign_file.id]))["error"] == "not_found"
    assert (await line.ask("send", **said, files=["../../etc/passwd"]))["error"] == "not_found"


async def test_socket_event_about_a_foreign_interaction_finds_nothing(yard: Yard) -> None:
    world = await foreign_world(yard)
    line = await (await yard.staff("bob")).console()
    before = await yard.desk.interaction(world["interaction"])
    steering = {event for event, roles in permissions.EVENTS.items() if roles == permissions.SUPERVISORS}

    answers = {
        event: await line.ask(event, interaction=world["interaction"], **MORE.get(event, {}))
        for event in OF_INTERACTION
    }

    assert answers.pop("leave_view") == {"ok": True}
    codes = {event: answer.get("error") for event, answer in answers.items()}
    assert codes == {event: "forbidden" if event in steering else "not_found" for event in answers}
    assert "wombat" not in str(answers).lower()
    assert await yard.desk.interaction(world["interaction"]) == before


async def test_console_is_pushed_nothing_of_other_queues(yard: Yard) -> None:
    bob = await (await yard.staff("bob")).console()
    snapshot = await bob.ask("sync")
    world = await foreign_world(yard)
    await bob.ask("open", interaction=world["interaction"])
    chat = await yard.desk.interaction(world["interaction"])
    await yard.desk.agent_says("ann", chat, "Another wombat")
    await yard.desk.wait(seconds=3)
    again = await bob.ask("sync")

    assert set(snapshot["put"].get("interactions", {})) == set(again["put"].get("interactions", {})) == set()
    assert not any("ombat" in str(payload) or world["interaction"] in str(payload) for _, payload in bob.heard)
    assert world["interaction"] not in str(again)


async def test_only_supervisors_steer_others(yard: Yard) -> None:
    chat = await yard.desk.chat()
    ann, sue = await (await yard.staff("ann")).console(), await (await yard.staff("sue")).console()
    steering = [event for event, roles in permissions.EVENTS.items() if roles == permissions.SUPERVISORS]
    for event in steering:
        said = {"interaction": chat.id, **MORE.get(event, {})}
        if event == "force_presence":
            said = {"agent": "bob", "presence": "away", "reason": "lunch"}
        assert (await ann.ask(event, **said))["error"] == "forbidden"
        assert (await sue.ask(event, **said))["ok"]
    assert set(steering) == {"assign", "force_presence", "force_close"}


@pytest.mark.parametrize("path", ["/events", "/attention"])
async def test_what_concerns_the_whole_floor_is_for_supervisors(yard: Yard, path: str) -> None:
    statuses = [(await (await yard.staff(name)).http("GET", path))[0] for name in ("ann", "sue", "ada")]
    assert statuses == [403, 200, 200]


async def test_arrivals_are_for_supervisors(yard: Yard) -> None:
    for route, roles in permissions.ROUTES.items():
        if "/arrivals/" in route:
            method, path = route.replace("{id}", "a1").split(" ")
            answers = [
                (await (await yard.staff(name)).http(method, path, BODIES.get(route)))[0] for name in ("ann", "sue")
            ]
            assert (roles, answers) == (permissions.SUPERVISORS, [403, 404]), route


async def test_unknown_field_is_refused_everywhere(yard: Yard) -> None:
    chat = await yard.desk.chat()
    sue = await yard.staff("sue")
    world = {
        "customer": chat.customer,
        "interaction": chat.id,
        "merge": "m1",
        "other": "c1",
        "note": "n1",
        "promise": "p1",
    }
    for route, usual in BODIES.items():
        method, path = route.split(" ")
        if route == "POST /demo/session":
            continue
        status, body = await sue.http(
            method, path.replace("{id}", about(route, world)), {**usual, "role": "admin", "queues": None}
        )
        assert (status, body["error"]) == (400, "bad_request"), route
    for route in permissions.ROUTES:
        if route.startswith("GET ") and "session" not in route and "openapi" not in route:
            path = route[4:].replace("{id}", about(route, world))
            status, _ = await sue.http("GET", f"{path}?q=x&scope=all")
            assert status == 400, route
    line = await sue.console()
    for event in permissions.EVENTS:
        said = {"interaction": chat.id, **MORE.get(event, {}), "agent_id": "bob"}
        assert (await line.ask(event, **said))["error"] == "bad_request", event


async def test_visitor_reaches_no_other_site_or_conversation_by_http(yard: Yard) -> None:
    _, mine = await yard.chatting("mine-0001")
    _, theirs = await yard.chatting("theirs-0001", name="Theirs")
    foreign = theirs["thread"]["interaction"]
    headers = yard.upload_headers(mine["token"])

    transcript = await yard.http("GET", f"/chat/api/transcript?interaction={foreign}", **headers)
    upload = await yard.http("POST", f"/chat/api/files?interaction={foreign}&name=a.txt", b"hi", **headers)
    staff = await yard.http("GET", f"/api/v1/interactions/{mine['thread']['interaction']}", **headers)

    assert (transcript[0], upload[0], staff[0]) == (404, 404, 401)
    with_other_site: Line = await yard.line("/chat", {"site": "bills"})
    assert (await with_other_site.ask("resume"))["thread"] is None


async def test_visitors_token_opens_no_console(yard: Yard) -> None:
    _, started = await yard.chatting()
    headers: dict[str, str | None] = {"Cookie": f"hub={started['token']}", "Origin": yard.url}
    with pytest.raises(Exception, match="unauthorized"):
        await yard.line(CONSOLE, {"token": started["token"]}, headers)
