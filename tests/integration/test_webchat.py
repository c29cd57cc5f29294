"""Web chat over the real protocol, with the official client."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hub.domain.interaction import State
from tests.integration.conftest import SITE_SECRET, Refused, Site

DAY_MS = 86_400_000


def signed(site: Site, **changes: Any) -> str:
    now = site.desk.clock.now() // 1000
    claims = {"iss": "site", "aud": site.url, "sub": "customer-7", "jti": f"j{time.monotonic_ns()}", "exp": now + 300}
    return jwt.encode({"alg": "HS256"}, {**claims, **changes}, OctKey.import_key(SITE_SECRET))


async def test_conversation_begins_and_both_sides_hear_each_other(site: Site) -> None:
    tab, started = await site.chatting(name="Li Wei")
    interaction = started["thread"]["interaction"]
    assert started["thread"]["state"] == "waiting"
    assert [m["text"] for m in started["messages"]][:1] == ["Hello"]

    await site.desk.available("ann")
    chat = await site.desk.accept("ann")
    await site.desk.agent_says("ann", chat, "Good morning")
    answer = await tab.ask("message", client_id="m-1", interaction=interaction, text="Where is it?")
    await site.desk.settle()

    assert (answer["ok"], answer["n"]) == (True, 5)
    assert [m["n"] for m in tab.of("message")] == [3, 4, 5]
    assert tab.of("thread")[-1]["agent"] == {"name": "Ann"}


async def test_repeated_message_is_answered_again_and_stored_once(site: Site) -> None:
    tab, started = await site.chatting()
    interaction = started["thread"]["interaction"]
    answers = [await tab.ask("message", client_id="m-1", interaction=interaction, text="Once") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    chat = await site.desk.interaction(interaction)
    assert [m.text for m in await site.desk.messages(chat)].count("Once") == 1


async def test_repeated_start_begins_nothing_new(site: Site) -> None:
    tab, started = await site.chatting()
    again = await tab.ask("start", client_id="start-0001", form={"name": "Li"}, text="Hello")

    assert again["thread"]["interaction"] == started["thread"]["interaction"]
    assert len(again["messages"]) == len(started["messages"])


async def test_beginning_whose_answer_was_lost_gets_the_same_token(site: Site) -> None:
    _, started = await site.chatting()
    fresh = await site.visitor()
    again = await fresh.ask("start", client_id="start-0001", form={"name": "Li"}, text="Hello")

    assert (again["token"], again["thread"]) == (started["token"], started["thread"])


async def test_beginning_of_somebody_else_is_refused_without_a_defect(site: Site) -> None:
    _, started = await site.chatting()
    other = await site.visitor()
    mine = await other.ask("start", client_id="start-0002", form={}, text="Hello")
    await other.ask("end", interaction=mine["thread"]["interaction"])

    taken = await other.ask("start", client_id="start-0001", form={}, text="Hello")
    back = await other.ask("resume", interaction=started["thread"]["interaction"])

    assert taken == {"ok": False, "error": "conflict"}
    assert back["thread"]["interaction"] == mine["thread"]["interaction"]


async def test_token_lives_as_long_as_it_is_used(site: Site) -> None:
    _, started = await site.chatting()
    for _ in range(4):
        site.desk.clock._now += 20 * DAY_MS  # nobody wants to wait for the sweeps of twenty days
        back = await (await site.visitor(token=started["token"])).ask("resume")
        assert back["thread"]["interaction"] == started["thread"]["interaction"]

    site.desk.clock._now += 31 * DAY_MS
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(token=started["token"])


async def test_second_beginning_with_words_is_sent_to_the_open_conversation(site: Site) -> None:
    tab, _ = await site.chatting()
    second = await tab.ask("start", client_id="start-0002", form={}, text="Nobody must lose this")

    assert second["error"] == "conflict"


async def test_resume_by_number_brings_exactly_what_was_missed(site: Site) -> None:
    tab, started = await site.chatting()
    interaction = started["thread"]["interaction"]
    for number in range(5):
        await tab.ask("message", client_id=f"m-{number}", interaction=interaction, text=f"Line {number}")

    second = await site.visitor(token=started["token"])
    back = await second.ask("resume", interaction=interaction, after=4)

    assert [m["n"] for m in back["messages"]] == [5, 6, 7]
    assert back["visitor"] == {"known": True, "name": "Li"}
    fresh = await second.ask("resume")
    assert [m["n"] for m in fresh["messages"]] == [1, 2, 3, 4, 5, 6, 7]


async def test_unknown_token_is_refused_so_that_the_widget_forgets_it(site: Site) -> None:
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(token="v1_" + "x" * 43)


async def test_strangers_conversation_does_not_exist(site: Site) -> None:
    _, started = await site.chatting()
    stranger = await site.visitor()
    mine = await stranger.ask("start", client_id="start-0002", form={}, text="I am somebody else")
    assert mine["ok"]
    interaction = started["thread"]["interaction"]

    answers = [
        await stranger.ask("message", client_id="m-1", interaction=interaction, text="Let me in"),
        await stranger.ask("earlier", interaction=interaction, before=9),
        await stranger.ask("seen", interaction=interaction, n=1),
        await stranger.ask("end", interaction=interaction),
        await stranger.ask("typing", interaction=interaction, typing=True),
    ]
    resumed = await stranger.ask("resume", interaction=interaction)

    assert [answer["error"] for answer in answers] == ["not_found"] * 5
    assert resumed["thread"]["interaction"] == mine["thread"]["interaction"]


async def test_claimed_address_neither_merges_nor_reveals(site: Site) -> None:
    await site.chatting(name="Maria", email="maria@example.test")
    tab = await site.visitor()
    second = await tab.ask("start", client_id="start-0003", form={"email": "maria@example.test"}, text="I am Maria")

    first, other = [await site.desk.interaction(i) for i in (await _all(site))]
    assert first.customer != other.customer
    assert second["messages"][0]["text"] == "I am Maria"
    duplicates = await site.desk.hub.services.people.duplicates(other.customer, await site.desk.scope("sue"))
    assert [(d.id, d.evidence) for d in duplicates] == [(first.customer, ["email|maria@example.test"])]


async def test_signed_identity_is_known_again_on_another_device(site: Site) -> None:
    first = await site.visitor(identity=signed(site, name="Maria", email="m@example.test", email_verified=True))
    one = await first.ask("start", client_id="start-0001", form={}, text="Hello")
    second = await site.visitor(identity=signed(site))
    two = await second.ask("start", client_id="start-0002", form={}, text="From my phone")

    customers = {(await site.desk.interaction(a["thread"]["interaction"])).customer for a in (one, two)}
    assert len(customers) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"aud": "https://elsewhere.example"},
        {"exp": 1},
        {"exp": 9_999_999_999},
        {"sub": ""},
        {"jti": None},
    ],
)
async def test_wrong_identity_is_refused(site: Site, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(identity=signed(site, **changes))


async def test_identified_visitor_gets_a_new_token_and_the_old_one_opens_nothing(site: Site) -> None:
    tab, started = await site.chatting()
    thief = await site.visitor(token=started["token"])
    identity = signed(site)
    maria = await site.visitor(token=started["token"], identity=identity)
    told = await maria.ask("resume")
    back = await site.visitor(token=told["token"])

    assert told["token"] != started["token"]
    assert (await back.ask("resume"))["thread"]["interaction"] == started["thread"]["interaction"]
    assert [line.of("goodbye")[-1]["reason"] for line in (tab, thief)] == ["renewed", "renewed"]
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(token=started["token"])


async def test_new_token_whose_answer_was_lost_is_told_again(site: Site) -> None:
    _, started = await site.chatting()
    identity = signed(site)
    told = [
        (await (await site.visitor(token=started["token"], identity=identity)).ask("resume"))["token"] for _ in range(2)
    ]

    assert told[0] == told[1] != started["token"]
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(token=told[0], identity=identity)


async def test_identity_counts_once(site: Site) -> None:
    token = signed(site)
    await site.visitor(identity=token)
    with pytest.raises(Refused, match="unauthorized"):
        await site.visitor(identity=token)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_foreign_origin_opens_no_socket(site: Site, origin: str) -> None:
    with pytest.raises(Refused):
        await site.visitor(origin=origin)


async def test_left_message_is_an_interaction_nobody_waits_for(site: Site) -> None:
    tab = await site.visitor()
    left = await tab.ask("leave_message", client_id="left-0001", form={"name": "Ola"}, text="Call me tomorrow")
    await tab.client.disconnect()
    await site.desk.wait(seconds=600)

    chat = await site.desk.interaction(left["thread"]["interaction"])
    assert (chat.state, chat.is_message) == (State.QUEUED, True)
    assert left["thread"]["message_left"] is True


async def test_visitor_who_ends_and_writes_again_gets_a_new_conversation(site: Site) -> None:
    tab, started = await site.chatting()
    first = started["thread"]["interaction"]
    ended = await tab.ask("end", interaction=first)
    refused = await tab.ask("message", client_id="m-1", interaction=first, text="Too late")
    again = await tab.ask("start", client_id="start-0002", form={}, text="One more thing")

    assert ended["thread"]["state"] == "ended"
    assert refused["error"] == "closed"
    second = await site.desk.interaction(again["thread"]["interaction"])
    assert (second.previous, second.root) == (first, first)


async def test_card_numbers_are_not_stored(site: Site) -> None:
    tab, started = await site.chatting()
    interaction = started["thread"]["interaction"]
    await tab.ask("message", client_id="m-1", interaction=interaction, text="My card is 4111 1111 1111 1111, thanks")

    chat = await site.desk.interaction(interaction)
    assert (await site.desk.messages(chat))[-1].text == "My card is [card ...1111], thanks"


async def test_file_policy_download_and_transcript(site: Site) -> None:
    tab, started = await site.chatting()
    interaction = started["thread"]["interaction"]
    headers = {"Authorization": f"Bearer {started['token']}", "X-Hub": "1", "Content-Type": "application/octet-stream"}
    where = f"{site.url}/chat/api/files?interaction={interaction}"

    async def upload(name: str, body: bytes) -> tuple[int, dict[str, Any]]:
        async with site.session.post(f"{where}&name={name}", data=body, headers=headers) as response:
            return response.status, await response.json()

    png = b"\x89PNG\r\n\x1a\n" + b"0" * 100
    status, kept = await upload("photo.png", png)
    refused = [
        await upload("page.html", b"<html>"),
        await upload("photo.png", b"<svg onload=alert(1)>"),
        await upload("a.txt", b""),
    ]
    said = await tab.ask("message", client_id="m-1", interaction=interaction, files=[kept["file"]["id"]])
    async with site.session.get(site.url + kept["file"]["url"]) as got:
        body, disposition = await got.read(), got.headers["Content-Disposition"]
    async with site.session.get(site.url + kept["file"]["url"].replace("sig=", "sig=x")) as forged:
        forged_status = forged.status
    async with site.session.get(f"{site.url}/chat/api/transcript?interaction={interaction}", headers=headers) as text:
        transcript = await text.text()

    assert (status, said["ok"], body) == (200, True, png)
    assert disposition.startswith("attachment")
    assert forged_status == 404
    assert [(code, answer["error"]) for code, answer in refused] == [
        (415, "type_refused"),
        (415, "type_refused"),
        (400, "bad_request"),
    ]
    assert "You: Hello" in transcript
    assert "[photo.png]" in transcript


async def test_hub_that_stops_says_when_to_come_back(site: Site) -> None:
    tab, _ = await site.chatting()
    for channel in site.desk.hub.channels:
        await channel.close("restart")

    assert [said["reason"] for said in tab.of("restart")] == ["restart"]


async def _all(site: Site) -> list[str]:
    async def unit(tx: Any) -> list[str]:
        return [row[0] for row in await tx.fetch("SELECT id FROM interactions ORDER BY created_at, id")]

    return await site.desk.hub.services.store.read(unit)


async def test_flood_within_one_conversation_is_stopped_for_the_day(site: Site) -> None:
    tab, started = await site.chatting()
    interaction = started["thread"]["interaction"]

    async def change(sql: str) -> None:
        async def unit(tx: Any) -> None:
            await tx.execute(sql, interaction)

        await site.desk.hub.services.store.write(unit)

    await change("UPDATE interactions SET last_n = 700, version = version + 1 WHERE id = $1")
    refused = await tab.ask("message", client_id="m-1", interaction=interaction, text="More")
    await change("UPDATE interactions SET created_at = created_at - 86500000, version = version + 1 WHERE id = $1")
    next_day = await tab.ask("message", client_id="m-2", interaction=interaction, text="Next day")

    assert (refused["error"], next_day["ok"]) == ("rate_limited", True)
