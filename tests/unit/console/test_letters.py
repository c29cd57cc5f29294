"""Letters over the REST API and the socket: read, written, taken back, split, joined, and what a supervisor sees."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.contract import ChannelStatus
from hub.domain.correspondence import Authenticity, Party, Refusal
from hub.domain.errors import DeliveryUncertain, MessageRejected
from hub.storage.migrations import migrate
from tests import letterbox
from tests.letterbox import MAILBOX, Letterbox, Mailed
from tests.security.yard import Staff, Yard, open_yard

LI = Party("li@example.com", "Li Wei")
HTML = '<p>Both <b>payments</b></p><img src="cid:shot"><img src="https://evil.example/p.gif"><script>x()</script>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40_000


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url) as opened:
        yield opened


@pytest.fixture
async def ann(yard: Yard) -> Staff:
    return await yard.staff("ann")


@pytest.fixture
def post(yard: Yard) -> Letterbox:
    return letterbox.of(yard.desk.hub)


async def arrived(yard: Yard, *letters: Mailed) -> None:
    """These letters arrive and are read."""
    await letterbox.of(yard.desk.hub).post(*letters)
    await letterbox.all_read(yard.desk)


async def with_ann(yard: Yard, **more: Any) -> str:
    """A letter of Li's that Ann handles; returns its interaction."""
    await yard.desk.available("ann")
    words: dict[str, Any] = {"subject": "Charged twice", "text": "See FW10482."}
    await arrived(yard, Mailed(name="<1@example.com>", sender=LI, **(words | more)))
    return (await yard.desk.accept("ann")).id


def written(**more: Any) -> dict[str, Any]:
    return {"client_id": "c1", "text": "The second payment is on its way back.", "seen_n": 9, **more}


async def test_letter_opens_with_its_envelope_and_its_page(yard: Yard, ann: Staff) -> None:
    shot = ("shot.png", "image/png", PNG, "shot")
    one = await with_ann(
        yard,
        html=HTML,
        quoted="> earlier",
        cc=(Party("ola@example.com"),),
        files=(shot,),
        authenticity=Authenticity.PROVED,
        remarks=("several authors",),
    )
    console = await ann.console()
    opened = await console.ask("open", interaction=one)
    (letter,) = opened["letters"]
    shown = {key: letter[key] for key in ("subject", "quoted", "has_page", "authenticity", "remarks", "evidence")}
    assert shown == {
        "subject": "Charged twice",
        "quoted": "> earlier",
        "has_page": True,
        "authenticity": "proved",
        "remarks": ["several authors"],
        "evidence": "nothing points to an earlier interaction",
    }
    assert (letter["sender"], letter["cc"]) == (
        {"address": "li@example.com", "name": "Li Wei"},
        [{"address": "ola@example.com", "name": ""}],
    )
    assert (await ann.http("GET", f"/interactions/{one}/letters"))[1]["letters"] == [letter]


@pytest.mark.parametrize("asked", ["", "&pictures=true"])
async def test_page_is_safe_and_loads_nothing_from_elsewhere(yard: Yard, ann: Staff, asked: str) -> None:
    one = await with_ann(yard, html=HTML, files=(("shot.png", "image/png", PNG, "shot"),))
    path = f"{yard.url}/api/v1/interactions/{one}/letters/page?n=1{asked}"
    async with yard.session.get(path, headers={"Cookie": f"hub={ann.token}"}) as answer:
        page, headers = await answer.text(), answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'; "
        "img-src 'self' data:; sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    assert "<b>payments</b>" in page
    assert "<script" not in page
    assert ' src="https:' not in page
    assert ('<img src="/pictures?url=https%3A%2F%2Fevil.example' in page) == bool(asked)
    picture = page.partition('src="')[2].partition('"')[0].replace("&amp;", "&")
    async with yard.session.get(yard.url + picture) as answer:
        assert (answer.status, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")


async def test_page_that_is_none_or_not_for_this_person_is_not_found(yard: Yard, ann: Staff) -> None:
    one = await with_ann(yard)
    bob = await yard.staff("bob")
    for who, n in ((ann, 1), (ann, 9), (bob, 1)):
        status, answer = await who.http("GET", f"/interactions/{one}/letters/page?n={n}")
        assert (status, answer["error"]) == (404, "not_found")


async def test_answer_is_suggested_sent_once_and_pushed_as_it_goes(yard: Yard, ann: Staff, post: Letterbox) -> None:
    one = await with_ann(yard)
    console = await ann.console()
    await console.ask("sync")
    await console.ask("open", interaction=one)
    suggested = (await ann.http("GET", f"/interactions/{one}/letters/suggestion?mode=reply"))[1]["suggestion"]
    assert suggested["to"] == [{"address": "li@example.com", "name": "Li Wei"}]
    assert suggested["subject"] == "Re: Charged twice"
    assert (suggested["quoted"], suggested["signature"].splitlines()[0]) == ("See FW10482.", "Ann Example")

    body = written(to=suggested["to"], subject=suggested["subject"], then="park")
    first = await ann.http("POST", f"/interactions/{one}/letters", body)
    again = await ann.http("POST", f"/interactions/{one}/letters", body)
    assert (first[0], first[1]["n"]) == (200, again[1]["n"]), first
    await yard.desk.wait(seconds=11)
    assert [(letter.text, letter.to[0].address) for letter in post.sent] == [(body["text"], "li@example.com")]
    assert yard.desk.hub.services.floor.interactions[one].state == "parked"
    pushed = [row["state"] for frame in console.of("frame") for row in frame["put"].get("outgoing", {}).values()]
    assert list(dict.fromkeys(pushed)) == ["waiting", "sending", "sent"]
    assert [row["subject"] for frame in console.of("frame") for row in frame["put"].get("letters", {}).values()] == [
        "Re: Charged twice"
    ]


async def test_long_letter_in_any_script_is_taken(yard: Yard, ann: Staff) -> None:
    one = await with_ann(yard)
    longest = "帐" * yard.desk.hub.settings.letters.message_chars
    assert (await ann.http("POST", f"/interactions/{one}/letters", written(text=longest)))[0] == 200
    too_long = await ann.http("POST", f"/interactions/{one}/letters", written(client_id="c2", text=f"{longest}篷"))
    assert (too_long[0], too_long[1]["error"]) == (413, "too_large")
    assert (await ann.http("POST", "/customers/x/notes", {"text": "x" * 70_000}))[0] == 413


async def test_letter_taken_back_is_a_draft_with_its_envelope_again(yard: Yard, ann: Staff, post: Letterbox) -> None:
    one = await with_ann(yard)
    body = written(to=[{"address": "li@example.com"}], bcc=[{"address": "boss@example.com"}], subject="Re: money")
    n = (await ann.http("POST", f"/interactions/{one}/letters", body))[1]["n"]
    status, answer = await ann.http("POST", f"/interactions/{one}/letters/take-back", {"n": n})
    assert status == 200, answer
    assert (answer["draft"]["text"], answer["draft"]["bcc"][0]["address"]) == (body["text"], "boss@example.com")
    console = await ann.console()
    assert (await console.ask("open", interaction=one))["letter_draft"] == answer["draft"]
    await yard.desk.wait(seconds=60)
    assert post.sent == []
    assert (await ann.http("POST", f"/interactions/{one}/letters/take-back", {"n": n}))[0] == 409


async def test_draft_is_kept_with_files_and_forgotten_when_empty(yard: Yard, ann: Staff) -> None:
    one = await with_ann(yard)
    upload = {"Content-Type": "application/octet-stream", "X-Hub": "1"}
    file = (await ann.http("POST", f"/interactions/{one}/files?name=a.txt", b"hello", **upload))[1]["file"]
    body = {
        "text": "So",
        "mode": "reply_all",
        "answers_n": 1,
        "to": [{"address": "a@b.example"}],
        "files": [file["id"]],
    }
    assert (await ann.http("POST", f"/interactions/{one}/letters/draft", body))[0] == 200
    kept = (await ann.http("GET", f"/interactions/{one}/letters/draft"))[1]["draft"]
    assert (kept["text"], kept["mode"], kept["files"][0]["name"]) == ("So", "reply_all", "a.txt")
    await ann.http("POST", f"/interactions/{one}/letters/draft", {})
    assert (await ann.http("GET", f"/interactions/{one}/letters/draft"))[1]["draft"] is None
    bob = await yard.staff("bob")
    assert (await bob.http("POST", f"/interactions/{one}/letters/draft", body))[0] == 404


async def test_new_letter_begins_an_interaction_with_what_was_attached(yard: Yard, ann: Staff, post: Letterbox) -> None:
    await yard.desk.available("ann")
    upload = {"Content-Type": "application/octet-stream", "X-Hub": "1"}
    file = (await ann.http("POST", "/letters/files?name=offer.txt", b"hello", **upload))[1]["file"]
    body = {
        "client_id": "c7",
        "text": "Your tent is here.",
        "subject": "Your tent",
        "to": [{"address": "new@example.com", "name": "Ola"}],
        "files": [file["id"]],
        "channel": "post",
        "queue": "support",
    }
    assert (await ann.http("POST", "/letters/draft", {"text": "Your", "mode": "new"}))[0] == 200
    status, answer = await ann.http("POST", "/letters", body)
    assert status == 200, answer
    assert (await ann.http("POST", "/letters", body))[1]["interaction"] == answer["interaction"]
    assert (await ann.http("GET", "/letters/draft"))[1]["draft"] is None
    await yard.desk.wait(seconds=11)
    assert [([file.name for file in letter.files], letter.subject) for letter in post.sent] == [
        (["offer.txt"], "Your tent")
    ]
    foreign = await ann.http("POST", "/letters", body | {"client_id": "c8", "queue": "billing", "files": []})
    assert foreign[0] == 404


async def test_supervisor_sees_failed_and_uncertain_letters_and_the_agent_decides(
    yard: Yard, ann: Staff, post: Letterbox
) -> None:
    one = await with_ann(yard)
    sue = await yard.staff("sue")
    letters = f"/interactions/{one}/letters"
    numbers: list[int] = []
    for fault in (MessageRejected("550 5.1.1 No such mailbox"), DeliveryUncertain("The line broke.")):
        post.faults.append(fault)
        body = written(client_id=f"c{len(numbers)}", to=[{"address": "li@example.com"}])
        numbers.append((await ann.http("POST", letters, body))[1]["n"])
        await yard.desk.wait(seconds=11)
    found = (await sue.http("GET", "/attention"))[1]["letters"]
    assert [(row["n"], row["state"], row["subject"], row["agent"]) for row in found] == [
        (numbers[1], "uncertain", "Re: Charged twice", "ann"),
        (numbers[0], "failed", "Re: Charged twice", "ann"),
    ]
    assert "No such mailbox" in found[1]["problem"]
    assert (await ann.http("GET", "/attention"))[0] == 403
    assert (await ann.http("POST", f"{letters}/arrived", {"n": numbers[1]}))[1]["outgoing"]["state"] == "sent"
    post.receipt = {"refused": (Refusal("ola@example.com", "550", "Unknown"),)}
    assert (await ann.http("POST", f"{letters}/try-again", {"n": numbers[0]}))[1]["outgoing"]["state"] == "waiting"
    await yard.desk.wait(seconds=5)
    (row,) = [row for row in (await ann.http("GET", letters))[1]["outgoing"] if row["n"] == numbers[0]]
    assert (row["state"], row["refused"]) == (
        "sent",
        [{"address": "ola@example.com", "status": "550", "text": "Unknown"}],
    )
    assert (await sue.http("GET", "/attention"))[1]["letters"] == []


async def test_letter_is_split_off_and_joined_again(yard: Yard, ann: Staff) -> None:
    one = await with_ann(yard)
    await arrived(
        yard, Mailed(name="<2@example.com>", sender=LI, answers=("<1@example.com>",), subject="Tents", text="And?")
    )
    split = (await ann.http("POST", f"/interactions/{one}/split", {"n": 3}))[1]
    assert split["ok"], split
    assert split["interaction"] != one
    status, undone = await ann.http("POST", f"/joins/{split['join']}/undo", {})
    assert (status, undone["interaction"]) == (200, one)
    again = (await ann.http("POST", f"/interactions/{one}/split", {"n": 3}))[1]
    joined = (await ann.http("POST", f"/interactions/{again['interaction']}/join", {"target": one}))[1]
    assert joined["interaction"] == one
    texts = (await ann.http("GET", f"/interactions/{one}/messages"))[1]["messages"]
    assert [row["text"] for row in texts if row["from"] == "customer"] == ["See FW10482.", "And?"]


async def test_arrival_that_cannot_be_read_is_shown_saved_read_again_or_dismissed(yard: Yard, post: Letterbox) -> None:
    sue = await yard.staff("sue")
    post.is_legible = False
    await arrived(yard, Mailed(name="<1@x>", sender=LI, text="One"), Mailed(name="<2@x>", sender=LI, text="Two"))
    found = (await sue.http("GET", "/attention"))[1]["arrivals"]
    assert [row["problem"] for row in found] == ["Part 3 ends before its boundary."] * 2
    headers = {"Cookie": f"hub={sue.token}"}
    async with yard.session.get(f"{yard.url}/api/v1/arrivals/{found[0]['id']}/raw", headers=headers) as answer:
        raw = await answer.read()
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{found[0]["id"]}.txt"'
    assert b"li@example.com" in raw
    assert (await sue.http("POST", f"/arrivals/{found[0]['id']}/dismiss", {}))[0] == 200
    post.is_legible = True
    assert (await sue.http("POST", f"/arrivals/{found[1]['id']}/read-again", {}))[0] == 200
    await letterbox.all_read(yard.desk)
    assert (await sue.http("GET", "/attention"))[1]["arrivals"] == []
    assert len(yard.desk.hub.services.floor.interactions) == 1


async def test_channels_line_is_shown_with_its_reason(yard: Yard, post: Letterbox) -> None:
    sue = await yard.staff("sue")
    post.line = ChannelStatus(is_up=False, since=5, reason="The server does not answer.")
    assert (await sue.http("GET", "/attention"))[1]["channels"] == [
        {
            "id": "post",
            "channel_kind": "email",
            "is_up": False,
            "since": 5,
            "problem": "The server does not answer.",
        }
    ]


async def test_settings_tell_what_each_channel_can_do(yard: Yard, ann: Staff) -> None:
    answer = (await ann.http("GET", "/settings"))[1]
    assert answer["channels"][-1] == {
        "id": "post",
        "kind": "email",
        "address": MAILBOX,
        "numbers": [],
    }
    kind = answer["kinds"]["email"]
    assert (kind["icon"], kind["has_envelopes"], kind["can_begin"], kind["has_choices"]) == ("mail", True, True, False)


async def test_outcome_that_the_clock_cut_off_is_still_given(yard: Yard, ann: Staff) -> None:
    chat = await yard.desk.handled("ann")
    await yard.desk.hub.services.handling.wrap_up(chat.id, await yard.desk.scope("ann"))
    assert (await ann.http("GET", "/outcomes/missing"))[1]["interactions"] == []
    await yard.desk.wait(seconds=70)
    (row,) = (await ann.http("GET", "/outcomes/missing"))[1]["interactions"]
    assert (row["id"], row["state"], row["customer_name"]) == (chat.id, "closed", "Li Wei")
    sue = await yard.staff("sue")
    assert (await sue.http("GET", "/outcomes/missing"))[1]["interactions"] == []
    console = await ann.console()
    assert (await console.ask("complete", interaction=chat.id, disposition="solved"))["ok"]
    assert (await ann.http("GET", "/outcomes/missing"))[1]["interactions"] == []
