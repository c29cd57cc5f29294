"""The REST API under schemathesis, from its own document: no 500, no answer that the document does not describe."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from hub.domain.correspondence import Party
from hub.storage.migrations import migrate
from tests import letterbox
from tests.letterbox import Mailed
from tests.security.conftest import GENEROUS
from tests.security.yard import Yard, open_yard

CHECKS = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
]
PARTS = 4
"""The operations are dealt out, so that no part takes long."""
# Signing out ends the attack.
SKIPPED = {("DELETE", "/api/v1/session")}


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    async with open_yard(tmp_path, url, limits=GENEROUS) as opened:
        yield opened


@pytest.mark.parametrize("part", range(PARTS))
async def test_whatever_is_sent_is_answered_as_described(yard: Yard, part: int) -> None:
    chat = await yard.desk.chat()
    await letterbox.of(yard.desk.hub).post(Mailed(name="<1@x>", sender=Party("li@example.com"), html="<p>Hi</p>"))
    await letterbox.all_read(yard.desk)
    (letter,) = [one for one in yard.desk.hub.services.floor.interactions.values() if one.id != chat.id]
    sue = await yard.staff("sue")
    _, document = await sue.http("GET", "/openapi.json")
    headers = {"Cookie": f"hub={sue.token}", "Origin": yard.url}
    ids = {"customers": chat.customer, "interactions": letter.id if part % 2 else chat.id}
    # The attacker is signed in: what is under test is the rest.
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    load_all_checks()

    await asyncio.to_thread(attack, document, part, yard.url, headers, ids)

    assert yard.errors_logged() == []


def attack(document: dict[str, Any], part: int, url: str, headers: dict[str, str], ids: dict[str, str]) -> None:
    """Send well-formed and malformed requests to a part of all operations; half of them about what is there."""
    schema = schemathesis.openapi.from_dict(document)
    for found in islice(schema.get_all_operations(), part, None, PARTS):
        operation: Any = found.ok()  # type: ignore[union-attr]
        if (operation.method.upper(), operation.path) in SKIPPED:
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            # What takes no parameters cannot be asked wrongly.
            with contextlib.suppress(Unsatisfiable):
                send(operation.as_strategy(generation_mode=mode), url, headers, ids)


def send(strategy: st.SearchStrategy[Any], url: str, headers: dict[str, str], ids: dict[str, str]) -> None:
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, is_real=st.booleans())
    def one(case: Any, is_real: bool) -> None:
        real = next((ids[word] for word in ids if f"/{word}/" in case.operation.path), None)
        if is_real and real and case.path_parameters:
            case.path_parameters["id"] = real
        sent = dict(headers)
        if case.method.upper() not in {"GET", "HEAD"} and not case.media_type:
            sent["Content-Type"] = "application/json"
        response = case.call(base_url=url, headers=sent)
        checks = CHECKS
        if response.status_code == 413:
            # It was refused before anybody looked at what is wrong in it.
            checks = [check for check in CHECKS if check is not openapi.negative_data_rejection]
        case.validate_response(response, checks=checks)

    one()
