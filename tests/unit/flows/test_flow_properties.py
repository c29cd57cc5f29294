"""Whatever happens in whatever order, a session stands in a legal state, within bounds, and ends at somebody."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.flows.machine import MAX_MOVES, MAX_SEEN, new_session, step
from hub.flows.model import Medium
from hub.flows.reading import read_flow
from hub.flows.run import MAX_PATH
from hub.flows.session import (
    Asked,
    Begin,
    BookCallback,
    EnterQueue,
    Fetch,
    Finished,
    HungUp,
    Input,
    LookedUp,
    Outcome,
    Posted,
    Recording,
    Said,
    Session,
    State,
    TakeMessage,
    TimeUp,
    Wait,
)
from tests.unit.flows.talk import MENU

SURVEY = """
flow: survey
title: Survey
person: {queue: support}
steps:
  stars: {ask: stars, type: number, least: 1, most: 5, text: "Stars, 1 to 5?"}
  why: {ask: why, type: text, text: "Why?"}
  text: {send: sms, consent: "true", text: "Thanks for {{ answers.why }}"}
  again: {ask: again, type: yes_no, text: "Once more?"}
  more: {branch: [{when: "answers.again", then: stars}], otherwise: done}
  done: {end: Thanks.}
"""
BOOK = {flow.name: flow for flow in (read_flow(MENU, "menu"), read_flow(SURVEY, "survey"))}

words = st.one_of(
    st.sampled_from(["order", "bill", "FW-12345", "agent", "0", "yes", "no", "help", "中文", "status", "", "5", "*"]),
    st.text(max_size=40),
)
KEYS = st.sampled_from(["status", "shipping", "eta"])
ids = st.sampled_from([f"i{n}" for n in range(12)])
inputs: st.SearchStrategy[Input] = st.one_of(
    st.builds(Begin, ids, words),
    st.builds(
        Said, id=ids, text=words, choice=st.sampled_from(["", "order", "yes", "nope"]), confidence=st.floats(0, 1)
    ),
    st.builds(Said, id=ids, digits=st.text("0123456789*#", max_size=6), recording=st.sampled_from(["", "RE1"])),
    st.builds(TimeUp, ids, st.integers(0, 12)),
    st.builds(
        LookedUp,
        id=ids,
        fetch=st.sampled_from(["s:1", "s:2", ""]),
        outcome=st.sampled_from(["found", "not_found", "failed", "?"]),
        values=st.recursive(
            st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=10)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
            max_leaves=6,
        ),
    ),
    st.builds(
        Posted,
        id=ids,
        send=st.sampled_from(["s:s3", "s:s4", "s:s6", ""]),
        outcome=st.sampled_from(["sent", "too_many"]),
    ),
    st.builds(HungUp, ids),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["shop", "survey"]), st.sampled_from(list(Medium)), st.lists(inputs, max_size=25))
def test_any_sequence_leads_to_a_legal_state_within_bounds(flow: str, medium: Medium, told: list[Input]) -> None:
    session = new_session("s", BOOK, flow, medium=medium, language="zh-CN", now=0)
    heard: set[str] = set()
    for n, one in enumerate(told):
        before = msgspec.json.encode(session)
        stepped = step(BOOK, session, one, n * 1_000)
        assert msgspec.json.encode(session) == before
        if not stepped.is_heard:
            assert (stepped.session, stepped.outputs, stepped.wishes) == (session, (), ())
            continue
        assert one.id not in heard
        heard.add(one.id)
        after = stepped.session
        assert after.steps - session.steps <= MAX_MOVES
        assert len(after.path) <= MAX_PATH
        assert len(after.seen) <= MAX_SEEN
        check(after, stepped.wishes, stepped.outputs)
        session = msgspec.json.decode(msgspec.json.encode(after), type=Session)
        assert session == after


def check(session: Session, wishes: tuple[object, ...], outputs: tuple[object, ...]) -> None:
    """One owner at any time: waiting has its alarm, a look-up is on its way, an end has somebody to go to."""
    if session.state is not State.ENDED:
        assert session.timer > 0
    alarms = [wish.timer for wish in wishes if isinstance(wish, Wait)]
    if any(isinstance(output, Asked | Recording) for output in outputs) or any(isinstance(w, Fetch) for w in wishes):
        assert alarms[-1] == session.timer
    ends = [output for output in outputs if isinstance(output, Finished)]
    if session.state is State.ENDED:
        assert len(ends) == 1
        leads_on = [wish for wish in wishes if isinstance(wish, EnterQueue | BookCallback | TakeMessage)]
        wanted = session.outcome in {Outcome.QUEUED, Outcome.CALLBACK_BOOKED, Outcome.MESSAGE_TAKEN}
        assert len(leads_on) == wanted
    else:
        assert ends == []


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["shop", "survey"]), st.lists(words, max_size=12))
def test_who_keeps_asking_for_a_person_is_never_kept(flow: str, before: list[str]) -> None:
    session = step(BOOK, new_session("s", BOOK, flow, medium=Medium.CHAT, language="en", now=0), Begin("b"), 0).session
    for n, text in enumerate(before):
        session = step(BOOK, session, Said(id=f"m{n}", text=text), n).session
    session = step(BOOK, session, Said(id="last", text="agent"), 99).session
    assert session.is_over
