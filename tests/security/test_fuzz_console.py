"""Anything may be said on a console's line, by anybody signed in: the answer is a code and nothing of ours breaks."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.security.conftest import Elsewhere
from tests.security.hostile import CONSOLE_EVENTS, attacks, spelled
from tests.security.test_fuzz_chat import LOOSE, check, send
from tests.security.yard import Line, Yard, rss

MIB = 1024 * 1024


async def attack(yard: Yard, name: str, events: list[tuple[str, str]], interaction: str, innocent: Line) -> None:
    line = await (await yard.staff(name)).console()
    for event, argument in events:
        answer = await send(line, event, argument.replace('"ID"', f'"{interaction}"'))
        if answer is None:
            break
        check(event, argument, answer)
    line.abort()
    assert (await innocent.ask("resume"))["ok"]


async def world(yard: Yard) -> tuple[str, Line]:
    innocent, started = await yard.chatting(client_id="bystander-0001")
    yard.desk.clock.settle = None
    return started["thread"]["interaction"], innocent


def test_any_events_of_any_role_are_answered_with_a_code(elsewhere: Elsewhere) -> None:
    yard = elsewhere.yard
    interaction, innocent = elsewhere.run(world(yard))
    nul = {"interaction": "\x00", "client_id": "\x00", "text": "\x00a\x00", "seen_n": 2**53, "anyway": True}

    @settings(LOOSE, max_examples=elsewhere.examples)
    @given(st.sampled_from(["ann", "bob", "sue", "ada"]), attacks(CONSOLE_EVENTS))
    @example("sue", [("send", spelled(nul)), ("open", '{"interaction": "\\u0000"}')])
    @example(
        "ann", [("open", '{"interaction": "ID", "after_n": 9007199254740992}'), ("sync", '{"seq": 9007199254740992}')]
    )
    @example("ann", [("earlier", '{"interaction": "ID", "before_n": 9007199254740992}')])
    @example("ann", [("seen", '{"interaction": "ID", "n": 9007199254740992}')])
    @example("ann", [("note", '{"interaction": "ID", "client_id": "\\u0000", "text": "a\\u0000"}')])
    @example("ann", [("draft", '{"interaction": "ID", "mode": "reply", "text": "a\\u0000"}')])
    @example("ann", [("accept", '{"offer": "\\u0000"}'), ("reject", '{"offer": "x", "reason": "\\u0000"}')])
    @example("ann", [("presence", '{"presence": "away", "reason": "\\u0000"}')])
    @example("sue", [("force_presence", '{"agent": "\\u0000", "presence": "away", "reason": "\\u0000"}')])
    @example(
        "sue", [("assign", '{"interaction": "ID", "agent": "\\u0000"}'), ("force_close", '{"interaction":"\\u0000"}')]
    )
    @example("sue", [("assign", '{"interaction": "ID", "queue": "\\u0000"}')])
    @example("ann", [("complete", '{"interaction": "\\u0000", "disposition": "\\u0000", "note": "\\u0000"}')])
    @example("ann", [("transfer", '{"interaction": "ID", "agent": "\\u0000", "note": "\\u0000"}')])
    def run(name: str, events: list[tuple[str, str]]) -> None:
        elsewhere.run(attack(yard, name, events, interaction, innocent))

    run()
    assert yard.errors_logged() == []


@pytest.mark.parametrize("elsewhere", ["sqlite"], indirect=True)
def test_hostile_lines_leave_no_memory_behind(elsewhere: Elsewhere) -> None:
    yard = elsewhere.yard
    _, innocent = elsewhere.run(world(yard))

    async def wave() -> None:
        for n in range(60):
            line = await (await yard.staff("ann")).console() if n % 2 else await yard.visitor()
            name = "message" if n % 2 == 0 else "send"
            for argument in ("[" * 900, '"' + "x" * 10_000 + '"', '{"client_id":"' + "y" * 9_000 + '"}'):
                answer = await send(line, name, argument)
                check(name, argument, answer)
            line.send(b'45999-/chat,["x"]')
            await line.ended.wait()
        assert (await innocent.ask("resume"))["ok"]

    elsewhere.run(wave())
    before = rss()
    for _ in range(3):
        elsewhere.run(wave())
    assert rss() - before < 12 * MIB
