"""Sessions and sign-in: nothing is planted, guessed, borrowed or read back (tests 38 and 41 to 44)."""

import time
from typing import Any

from hub.domain.errors import HubError
from hub.services.accounts import Device, Login
from tests.security.yard import Yard

PASSWORD = "seven wombats hum quietly"
LOGIN = {"email": "ann@example.test", "password": PASSWORD}


async def sign_in(yard: Yard, body: object, **headers: str) -> tuple[int, Any, str]:
    """Return the status, the answer and the session cookie."""
    sent = {"Origin": yard.url, "Content-Type": "application/json", **headers}
    async with yard.session.post(f"{yard.url}/api/v1/session", json=body, headers=sent) as got:
        cookie = got.cookies.get("hub")
        return got.status, await got.json(), cookie.OutputString() if cookie else ""


async def test_planted_cookie_is_never_taken_over(yard: Yard) -> None:
    await yard.desk.hub.services.accounts.set_password("ann", PASSWORD)
    planted = "A" * 43
    status, _, cookie = await sign_in(yard, LOGIN, Cookie=f"hub={planted}")
    again = (await sign_in(yard, LOGIN, Cookie=cookie.partition(";")[0]))[2]

    assert status == 200
    tokens = {planted, *(one.partition(";")[0].partition("=")[2] for one in (cookie, again))}
    assert len(tokens) == 3
    assert {part.strip().lower() for part in cookie.split(";")} >= {"httponly", "path=/", "samesite=lax"}
    assert (await yard.http("GET", "/api/v1/customers", Cookie=f"hub={planted}"))[0] == 401


async def test_unknown_account_and_wrong_password_answer_alike(yard: Yard) -> None:
    accounts = yard.desk.hub.services.accounts
    await accounts.set_password("ann", PASSWORD)
    wrong = [
        {"email": "ann@example.test", "password": "wrong wrong wrong"},
        {"email": "nobody@example.test", "password": "wrong wrong wrong"},
        {"email": "bob@example.test", "password": ""},
        {"email": "bob@example.test", "password": "wrong wrong wrong"},
        {"email": "not an address", "password": "wrong wrong wrong"},
    ]
    answers, took = [], []
    for body in wrong:
        began = time.perf_counter()
        answers.append((await sign_in(yard, body))[:2])
        took.append(time.perf_counter() - began)

    assert {str(answer) for answer in answers} == {str(answers[0])}
    assert answers[0][0] == 401
    assert max(took) < 6 * min(took) + 0.1, took


async def test_object_instead_of_a_string_signs_nobody_in(yard: Yard) -> None:
    await yard.desk.hub.services.accounts.set_password("ann", PASSWORD)
    bodies: list[object] = [
        {"email": "ann@example.test", "password": {"$ne": None}},
        {"email": ["ann@example.test"], "password": PASSWORD},
        {"email": "ann@example.test", "password": None},
        {"email": "ann@example.test"},
        {"email": "ann@example.test", "password": PASSWORD, "role": "admin"},
        {"email": "ann@example.test", "password": "x" * 1_025},
        {"email": "x" * 255, "password": PASSWORD},
        *([], "ann", None, 7),
    ]
    for body in bodies:
        status, answer, cookie = await sign_in(yard, body)
        assert (status, answer["error"], cookie) == (400, "bad_request", ""), body


async def test_password_that_looks_equal_is_not(yard: Yard) -> None:
    await yard.desk.hub.services.accounts.set_password("ann", PASSWORD)
    near = [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD}\x00", PASSWORD[:-1]]
    statuses = [(await sign_in(yard, {"email": "ann@example.test", "password": one}))[0] for one in near]
    assert statuses == [401] * 4
    assert (await sign_in(yard, {"email": " ANN@Example.TEST ", "password": PASSWORD}))[0] == 200


async def test_empty_or_odd_token_opens_nothing(yard: Yard) -> None:
    values = ["hub=", "hub=null", "hub=undefined", "hub=%00", "hub=" + "A" * 43, 'hub=""', "hub=é" * 20, "__Host-hub=x"]
    values += [f"hub={'A' * 43}; hub={'B' * 43}", "hub=' OR '1'='1", f"hub={'x' * 4_000}", "=", ";;;", "hub"]
    statuses = {value: (await yard.http("GET", "/api/v1/customers", Cookie=value))[0] for value in values}
    assert statuses == dict.fromkeys(values, 401)
    assert yard.errors_logged() == []


async def test_identity_headers_are_ignored(yard: Yard) -> None:
    names = ["X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Auth-Request-Email", "X-User", "X-Agent-Id"]
    for name in (*names, "From", "X-Hub", "X-Original-URL", "X-HTTP-Method-Override"):
        assert (await yard.http("GET", "/api/v1/customers", **{name: "ada@example.test"}))[0] == 401
    basic = {"Authorization": "Basic YWRhOmFkYQ=="}
    assert (await yard.http("GET", "/api/v1/customers", **basic))[0] == 401


async def test_session_is_used_from_our_own_pages_only(yard: Yard) -> None:
    ann = await yard.staff("ann")
    chat = await yard.desk.chat()
    path, body = f"/customers/{chat.customer}", {"company": "Evil"}
    foreign = ["https://evil.example", "null", "", "http://127.0.0.1", f"{yard.url}.evil.example", f"{yard.url}/"]
    statuses = [(await ann.http("PATCH", path, body, Origin=origin))[0] for origin in foreign]
    no_origin = await yard.http(
        "PATCH", f"/api/v1{path}", body, **{"Cookie": f"hub={ann.token}", "Content-Type": "application/json"}
    )
    forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json-patch+json"]
    types = [(await ann.http("PATCH", path, body, **{"Content-Type": kind}))[0] for kind in forms]

    assert statuses == [403] * len(foreign)
    assert no_origin[0] == 403
    assert types == [415] * len(forms)
    assert (await ann.http("PATCH", path, body, **{"Content-Type": "application/octet-stream"}))[0] == 403
    assert (await ann.http("GET", path))[1]["customer"]["company"] is None


async def test_guessing_is_slowed_down_and_the_owner_is_not_locked_out(yard: Yard) -> None:
    accounts = yard.desk.hub.services.accounts
    await accounts.set_password("ann", PASSWORD)
    wrong = {"email": "ann@example.test", "password": "wrong wrong wrong"}
    statuses = [(await sign_in(yard, wrong))[0] for _ in range(8)]

    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    yard.desk.clock.settle = None
    await yard.desk.clock.advance(seconds=61)
    assert (await sign_in(yard, LOGIN))[0] == 200


async def test_a_line_of_many_addresses_guesses_no_more_than_one(yard: Yard) -> None:
    """An IPv6 customer has 2^64 addresses; one password tried on every account is counted by the line."""
    accounts = yard.desk.hub.services.accounts

    async def tries(addresses: list[str]) -> list[str]:
        found = []
        for number, ip in enumerate(addresses):
            try:
                await accounts.sign_in(Login(email=f"n{number}@example.test", password=PASSWORD), Device(ip=ip))
            except HubError as error:
                found.append(error.code)
        return found

    free = yard.desk.hub.settings.sign_in.tries_per_address
    of_one_line = await tries([f"2001:db8::{number:x}" for number in range(free + 2)])
    of_another = await tries(["2001:db8:0:1::1"])

    assert of_one_line == ["unauthorized"] * free + ["rate_limited"] * 2
    assert of_another == ["unauthorized"]


async def test_secrets_are_told_by_no_route_log_or_repr(yard: Yard) -> None:
    accounts = yard.desk.hub.services.accounts
    await accounts.set_password("ann", PASSWORD)
    await sign_in(yard, LOGIN)
    ada = await yard.staff("ada")
    paths = ["/settings", "/session", "/sessions", "/events?limit=1000", "/openapi.json", "/customers"]
    told = [str((await ada.http("GET", path))[1]) for path in paths]
    told += [str(yard.desk.hub.settings), repr(yard.desk.hub.settings.server), yard.log.getvalue()]
    secrets = ["k" * 40, "s" * 40, PASSWORD, ada.token, "argon2", "sqlite:///"]

    assert [(secret, text[:80]) for secret in secrets for text in told if secret in text] == []
    stored = await accounts._stored_hash("ann")
    assert stored
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_demo_sign_in_does_not_exist_outside_the_demo(yard: Yard) -> None:
    headers = {"Origin": yard.url, "Content-Type": "application/json"}
    for path in ("/api/v1/demo/session", "/demo/session", "/demo/visitors", "/demo"):
        status, _ = await yard.http("POST", path, {"role": "admin"}, **headers)
        assert status in {404, 405}
        assert (await yard.http("GET", path))[0] == 404
