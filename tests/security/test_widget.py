"""Who a visitor is, and where the widget may stand (tests 19 to 22)."""

import re
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from channels.webchat.pages import STATIC
from hub.storage.unit_of_work import UnitOfWork
from tests.bench.load.raw import Refused
from tests.security.yard import SITE_SECRET, Line, Yard


def signed(yard: Yard, *, secret: str = SITE_SECRET, header: dict[str, str] | None = None, **changes: Any) -> str:
    now = yard.desk.clock.now() // 1000
    claims = {"iss": "site", "aud": yard.url, "sub": "customer-7", "jti": f"j{time.monotonic_ns()}", "exp": now + 300}
    return jwt.encode(header or {"alg": "HS256"}, {**claims, **changes}, OctKey.import_key(secret))


async def begin(line: Line, client_id: str, **form: str) -> dict[str, Any]:
    answer = await line.ask("start", client_id=client_id, form=form, text="Hello")
    assert answer["ok"], answer
    return answer


async def test_claims_in_the_form_join_no_profiles_and_verify_nothing(yard: Yard) -> None:
    owner = await yard.visitor(identity=signed(yard, email="maria@example.test", email_verified=True))
    first = await begin(owner, "owner-0001")
    thief = await yard.visitor()
    second = await begin(thief, "thief-0001", email="maria@example.test", phone="+4930123456", name="Maria")

    desk = yard.desk
    real, claimed = [await desk.interaction(a["thread"]["interaction"]) for a in (first, second)]
    assert real.customer != claimed.customer
    profile = await desk.hub.services.people.profile(claimed.customer, await desk.scope("sue"))
    assert [address.kind for address in profile.addresses] == ["chat"]
    assert [m["text"] for m in second["messages"] if m["from"] == "visitor"] == ["Hello"]


async def test_claims_in_the_form_replace_nothing_that_colleagues_wrote(generous: Yard) -> None:
    yard = generous
    line, began = await yard.chatting("claims-0001", order="1")
    chat = await yard.desk.interaction(began["thread"]["interaction"])
    ann = await yard.staff("ann")
    await ann.http("PATCH", f"/customers/{chat.customer}", {"fields": {"account": "checked 123"}})
    for n in range(2, 8):
        await line.ask("end", interaction=began["thread"]["interaction"])
        form = {f"claim-{n}-{m}": "x" for m in range(19)}
        began = await begin(line, f"claims-000{n}", account="999", **form)

    _, profile = await ann.http("GET", f"/customers/{chat.customer}")
    fields = profile["customer"]["fields"]
    assert (fields["account"], len(fields)) == ("checked 123", 60)


async def test_unverified_mail_in_a_signed_identity_joins_nothing(yard: Yard) -> None:
    one = await begin(
        await yard.visitor(identity=signed(yard, sub="a", email="m@example.test", email_verified=True)), "aaaa-0001"
    )
    two = await begin(
        await yard.visitor(identity=signed(yard, sub="b", email="m@example.test", email_verified="true")), "bbbb-0001"
    )
    customers = {(await yard.desk.interaction(a["thread"]["interaction"])).customer for a in (one, two)}
    assert len(customers) == 2


@pytest.mark.parametrize(
    "token",
    [
        "",
        "e30.e30.",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzaXRlIiwic3ViIjoiYSJ9.",
        "a.b.c.d.e",
        "x" * 5_000,
    ],
)
async def test_identity_that_is_not_signed_opens_nothing(yard: Yard, token: str) -> None:
    if not token:
        line = await yard.visitor(identity=token)
        assert (await line.ask("resume"))["visitor"]["known"] is False
        return
    with pytest.raises(Refused, match="unauthorized"):
        await yard.visitor(identity=token)


async def test_identity_of_another_site_key_time_or_use_opens_nothing(yard: Yard) -> None:
    now = yard.desk.clock.now() // 1000
    used = signed(yard)
    await yard.visitor(identity=used)
    wrong = [
        used,
        signed(yard, secret="t" * 40),
        signed(yard, iss="bills"),
        signed(yard, aud="https://elsewhere.example"),
        signed(yard, aud=[yard.url, "https://elsewhere.example"]),
        signed(yard, exp=now - 1),
        signed(yard, exp=now + 3_600),
        signed(yard, exp=None),
        signed(yard, sub=None),
        signed(yard, jti=""),
        signed(yard, nbf="x", exp="9999999999"),
    ]
    for token in wrong:
        with pytest.raises(Refused, match="unauthorized"):
            await yard.visitor(identity=token)
    with pytest.raises(Refused, match="unauthorized"):
        await yard.line("/chat", {"site": "bills", "identity": signed(yard, iss="bills")})
    assert yard.errors_logged() == []


async def test_next_person_at_the_browser_sees_nothing_of_the_one_before(yard: Yard) -> None:
    maria = await yard.visitor(identity=signed(yard, sub="maria"))
    first = await begin(maria, "maria-0001", name="Maria")
    peter = await yard.visitor(token=first["token"], identity=signed(yard, sub="peter"))

    resumed = await peter.ask("resume", interaction=first["thread"]["interaction"])
    second = await begin(peter, "peter-0001", name="Peter")

    assert (resumed["thread"], resumed["messages"], resumed["visitor"]["known"]) == (None, [], False)
    assert second["token"] != first["token"]
    customers = {(await yard.desk.interaction(a["thread"]["interaction"])).customer for a in (first, second)}
    assert len(customers) == 2


async def test_staff_are_not_told_the_ids_that_visitors_prove_themselves_with(yard: Yard) -> None:
    secret = "0b5cbd1e-4a2f-4d61-9f3e-6a9f0c1d2e3f"
    await yard.chatting(secret)
    await yard.desk.available("ann")
    chat = await yard.desk.accept("ann")
    ann, sue = await yard.staff("ann"), await yard.staff("sue")
    line = await ann.console()
    seen = [
        await line.ask("sync"),
        await line.ask("open", interaction=chat.id),
        (await ann.http("GET", f"/interactions/{chat.id}"))[1],
        (await ann.http("GET", f"/interactions/{chat.id}/messages"))[1],
        (await sue.http("GET", "/events"))[1],
        line.heard,
    ]
    assert secret not in str(seen)


async def test_what_is_stored_of_a_beginning_opens_it_for_a_day_only(yard: Yard) -> None:
    """A beginning is repeated by its id, which a copy of the database shows; tokens are kept as hashes there."""
    line = await yard.visitor()
    first = await begin(line, "0b5cbd1e-4a2f-4d61", name="Li")
    thief = await yard.visitor()
    soon = await begin(thief, "0b5cbd1e-4a2f-4d61")

    async def a_day_passes(tx: UnitOfWork) -> None:
        await tx.execute("UPDATE visitors SET created_at = created_at - $1", 86_400_001)

    await yard.desk.hub.services.store.write(a_day_passes)
    late = await (await yard.visitor()).ask("start", client_id="0b5cbd1e-4a2f-4d61", form={}, text="Hello")
    resumed = await (await yard.visitor(token=first["token"])).ask("resume")

    assert soon["token"] == first["token"]
    assert (late["error"], "token" in late, "thread" in late) == ("conflict", False, False)
    assert resumed["thread"]["interaction"] == first["thread"]["interaction"]


@pytest.mark.parametrize(
    ("referrer", "status"),
    [
        ("https://shop.example/page", 200),
        ("OWN/demo", 200),
        ("OWN", 200),
        ("https://evil.example/", 404),
        ("https://shop.example.evil.example/", 404),
        ("https://shop.example@evil.example/", 404),
        ("http://shop.example/", 404),
        ("OWN.evil.example/", 404),
        ("OWN@evil.example/", 404),
        ("", 404),
    ],
)
async def test_only_the_sites_own_pages_frame_the_widget(yard: Yard, referrer: str, status: int) -> None:
    headers = {"Referer": referrer.replace("OWN", yard.url), "Sec-Fetch-Dest": "iframe"}
    async with yard.session.get(f"{yard.url}/chat/frame?site=site", headers=headers) as got:
        assert got.status == status
        ancestors = re.findall(r"frame-ancestors ([^;]*)", got.headers["Content-Security-Policy"])
    assert ancestors == ["'self' https://shop.example" if status == 200 else "'none'"]


async def test_visitors_token_stands_in_no_page_link_or_log(yard: Yard) -> None:
    line, started = await yard.chatting()
    token = started["token"]
    headers = yard.upload_headers(token)
    interaction = started["thread"]["interaction"]
    _, kept = await yard.http("POST", f"/chat/api/files?interaction={interaction}&name=a.txt", b"hello", **headers)
    resumed = await line.ask("resume")
    _, page = await yard.http("GET", "/chat/frame?site=site")
    _, transcript = await yard.http("GET", f"/chat/api/transcript?interaction={interaction}", **headers)

    assert token not in str(resumed) + str(kept) + str(page) + str(transcript) + yard.log.getvalue()
    assert (await yard.http("GET", f"/chat/api/transcript?interaction={interaction}&token={token}"))[0] == 401


def test_widget_posts_messages_to_exact_origins_only() -> None:
    posts = [
        (path.name, call)
        for path in STATIC.glob("*.js")
        for call in re.findall(r"\.postMessage\(.*", path.read_text(encoding="utf-8"))
    ]
    assert posts
    assert [post for post in posts if re.search(r"""["']\*["']""", post[1])] == []
