"""Anything may be said on a visitor's line: the answer is a code, nothing of ours breaks, nobody else notices."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.bench.load.raw import Refused
from tests.security.conftest import Elsewhere
from tests.security.hostile import CHAT_EVENTS, attacks, odd_texts, spelled, values
from tests.security.yard import CHAT, Line, Yard

ANSWER_WITHIN_S = 5.0
CODES = frozenset(
    [
        *("bad_request", "unauthorized", "forbidden", "not_found", "conflict", "offer_gone", "stale", "too_large"),
        *("type_refused", "rate_limited", "closed", "full", "unavailable", "invalid", "unknown_event"),
    ]
)
LOOSE = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)


async def send(line: Line, name: str, argument: str) -> Any:
    """Send one event; return its answer, or None if the hub has cut the line."""
    packets: asyncio.Queue[bytes] = asyncio.Queue()
    line.emit(name, argument.encode(), packets.put_nowait)
    answered, ended = asyncio.ensure_future(packets.get()), asyncio.ensure_future(line.ended.wait())
    both: set[asyncio.Future[Any]] = {answered, ended}
    await asyncio.wait(both, timeout=ANSWER_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    for waiting in both:
        waiting.cancel()
    if not packets.empty():
        packet = packets.get_nowait()
    elif answered.done() and not answered.cancelled():
        packet = answered.result()
    else:
        assert line.is_closed, f"no answer to {name} {argument[:200]}"
        return None
    return json.loads(packet[packet.index(b"[") :])[0]


def check(name: str, argument: str, answer: Any) -> None:
    """An answer is ok, or a code that anybody may know."""
    assert isinstance(answer, dict), (name, argument, answer)
    assert answer["ok"] is True or answer["error"] in CODES, (name, argument[:300], answer)


async def attack(yard: Yard, events: list[tuple[str, str]], innocent: Line) -> None:
    line, started = await yard.chatting(client_id="attacker-0001")
    yard.desk.clock.settle = None
    own = started["thread"]["interaction"]
    for name, argument in events:
        answer = await send(line, name, argument.replace('"ID"', f'"{own}"'))
        if answer is None:
            break
        check(name, argument, answer)
    line.abort()
    resumed = await innocent.ask("resume")
    assert resumed["ok"]
    assert resumed["visitor"]["known"]


def test_any_events_are_answered_with_a_code(elsewhere: Elsewhere) -> None:
    yard = elsewhere.yard
    innocent, _ = elsewhere.run(yard.chatting(client_id="innocent-0001"))

    @settings(LOOSE, max_examples=elsewhere.examples)
    @given(attacks(CHAT_EVENTS))
    @example([("message", spelled({"client_id": "a\x00b", "interaction": "ID", "text": "Hi"}))])
    @example([("message", spelled({"client_id": "m", "interaction": "\x00", "text": "Hi"}))])
    @example([("message", spelled({"client_id": "m", "interaction": "ID", "text": "Hi", "choice": "\x00"}))])
    @example([("start", spelled({"client_id": "nul-\x00-0001", "form": {"\x00": "\x00"}, "choice": "\x00"}))])
    @example([("resume", spelled({"interaction": "\x00"}))])
    def run(events: list[tuple[str, str]]) -> None:
        elsewhere.run(attack(yard, events, innocent))

    run()
    assert yard.errors_logged() == []


async def connect(yard: Yard, auth: object) -> str:
    try:
        line = await asyncio.wait_for(yard.line(CHAT, auth), ANSWER_WITHIN_S)
    except Refused as refused:
        return str(refused)
    answer = await line.ask("start", client_id="connect-0001", form={}, text="Hi")
    check("start", str(auth), answer)
    line.abort()
    return ""


def test_any_auth_is_refused_with_a_code_or_harmless(elsewhere: Elsewhere) -> None:
    yard = elsewhere.yard

    @settings(LOOSE, max_examples=elsewhere.examples)
    @given(
        values
        | st.fixed_dictionaries(
            {"site": st.just("site")},
            optional={
                "token": odd_texts | st.builds(lambda t: "v1_" + (t * 43)[:43], st.text(min_size=1, max_size=5)),
                "identity": odd_texts | values,
                "lang": odd_texts,
            },
        )
    )
    @example({"site": "site", "token": "v1_" + "\ud800" * 43})
    @example({"site": "site", "lang": "\ud800"})
    @example({"site": "site", "lang": "a\x00"})
    @example({"site": "site", "identity": "\ud800"})
    @example({"site": "site", "identity": "a.b.c"})
    def run(auth: object) -> None:
        said = elsewhere.run(connect(yard, auth))
        assert "internal" not in said, auth

    run()
    assert yard.errors_logged() == []
