"""The REST API against its own description, as each role, and texts no database likes in every place."""

import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from agent_console import permissions
from tests.security.conftest import Elsewhere
from tests.security.hostile import ODD_TEXTS
from tests.security.yard import Yard

EXAMPLES = 10
BROKEN_BY_DESIGN = {"POST /api/v1/session", "DELETE /api/v1/session", "POST /api/v1/password"}
"""They sign in and out; tests/security/test_accounts.py looks after them."""


async def prepared(yard: Yard) -> dict[str, str]:
    chat = await yard.desk.chat(name="Li Wei")
    yard.desk.clock.settle = None
    return {"customers": chat.customer, "interactions": chat.id}


def call(elsewhere: Elsewhere, case: Any, token: str, ids: dict[str, str]) -> tuple[int, Any, str]:
    """Send what schemathesis has made; every other time about something that exists."""
    yard = elsewhere.yard
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        known = next((real for word, real in ids.items() if f"/{word}/" in path), None)
        use = known if known and hash(str(value)) % 2 else quote(str(value), safe="")
        path = path.replace(f"{{{name}}}", use)
    query = "&".join(f"{quote(str(k))}={quote(str(v), safe='')}" for k, v in (case.query or {}).items())
    headers = {"Cookie": f"hub={token}", "Origin": yard.url, "Content-Type": case.media_type or "application/json"}
    headers |= {"X-Hub": "1"}
    body = case.body
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if _is_given(body) else None

    async def ask() -> tuple[int, Any, str]:
        async with yard.session.request(
            case.method, f"{yard.url}{path}?{query}", data=data, headers=headers, allow_redirects=False
        ) as got:
            text = await got.text()
            return got.status, json.loads(text) if got.content_type == "application/json" else None, text

    return elsewhere.run(ask())


def _is_given(body: object) -> bool:
    return type(body).__name__ != "NotSet"


@pytest.mark.parametrize(
    ("elsewhere", "role"),
    [("sqlite", "ann"), ("sqlite", "sue"), ("sqlite", "ada"), ("postgresql", "sue")],
    indirect=["elsewhere"],
)
def test_api_answers_as_it_is_described(elsewhere: Elsewhere, role: str) -> None:
    yard = elsewhere.yard
    ids = elsewhere.run(prepared(yard))
    who = elsewhere.run(yard.staff(role))
    _, document = elsewhere.run(who.http("GET", "/openapi.json"))
    schema = schemathesis.openapi.from_dict(document)
    seen = set()
    for found in schema.get_all_operations():
        operation: Any = cast("Any", found).ok()
        name = f"{operation.method.upper()} {operation.path}"
        if name in BROKEN_BY_DESIGN:
            continue
        seen.add(name)
        attempts(elsewhere, document, operation, who.token, ids)()
    described_routes = {route.replace(" ", " /api/v1") for route in permissions.ROUTES}
    assert seen <= described_routes
    assert len(seen) >= 15
    assert yard.errors_logged() == []


def attempts(
    elsewhere: Elsewhere, document: dict[str, Any], operation: Any, token: str, ids: dict[str, str]
) -> Callable[[], None]:
    """Return what calls an operation often, with arguments as described, and holds the answers to the description."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def attempt(case: Any) -> None:
        status, answer, text = call(elsewhere, case, token, ids)
        assert status < 500, (operation.path, status, text[:300], case)
        assert isinstance(answer, dict)
        validate(document, operation, status, answer)

    run: Callable[[], None] = attempt
    return run


def validate(document: dict[str, Any], operation: Any, status: int, answer: object) -> None:
    """Hold an answer to the document's schema for it."""
    import jsonschema  # type: ignore[import-untyped]

    responses = document["paths"][operation.path][operation.method.lower()]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(answer)


def test_odd_texts_in_every_query_and_path_are_no_error_of_ours(elsewhere: Elsewhere) -> None:
    yard = elsewhere.yard
    ids = elsewhere.run(prepared(yard))
    sue = elsewhere.run(yard.staff("sue"))
    begun = elsewhere.run(yard.chatting(client_id="odd-texts-0001"))[1]
    places = [
        "/search?q={}",
        "/customers?q={}",
        f"/customers/{ids['customers']}/timeline?q={{}}",
        f"/customers/{ids['customers']}/timeline?before={{}}",
        f"/customers/{ids['customers']}/timeline?kinds={{}}",
        f"/interactions/{ids['interactions']}/messages?before_n={{}}",
        "/interactions/{}",
        "/customers/{}/timeline",
        "/events?after={}",
    ]
    chat = ["/chat/frame?site={}", "/chat/frame?site=site&lang={}", "/chat/api/transcript?interaction={}"]
    chat += ["/files/f1/{}?exp={}&sig={}", "/chat/static/{}", "/console/static/{}"]

    async def run() -> list[tuple[str, str, int]]:
        failed = []
        for text in [*ODD_TEXTS, "a*", '"', "NEAR(a b)", "a & !b", "col:x", "-", "^x", "(", "a' || 'b", ":*"]:
            word = quote(text.encode("utf-8", "surrogatepass"), safe="")
            for place in places:
                status, _ = await sue.http("GET", place.replace("{}", word))
                failed += [(place, text, status)] if status >= 500 else []
            for place in chat:
                headers = yard.upload_headers(begun["token"])
                status, _ = await yard.http("GET", place.replace("{}", word), **headers)
                failed += [(place, text, status)] if status >= 500 else []
            for where in (
                f"interaction={word}&name=a.txt",
                f"interaction={begun['thread']['interaction']}&name={word}",
            ):
                headers = yard.upload_headers(begun["token"])
                status, _ = await yard.http("POST", f"/chat/api/files?{where}", b"hi", **headers)
                failed += [(where, text, status)] if status >= 500 else []
            for body in ({"company": text}, {"tags": [text]}, {"fields": {text: text}}, {"language": text}):
                path = f"/customers/{ids['customers']}"
                status, _ = await sue.http("PATCH", path, body)
                failed += [(str(body), text, status)] if status >= 500 else []
            status, _ = await sue.http("POST", f"/customers/{ids['customers']}/notes", {"text": text})
            failed += [("note", text, status)] if status >= 500 else []
            status, _ = await sue.http("POST", "/session", {"email": text, "password": text})
            failed += [("sign in", text, status)] if status >= 500 else []
        return failed

    assert elsewhere.run(run(), within_s=60) == []
    assert yard.errors_logged() == []
