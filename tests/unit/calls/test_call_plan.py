"""What a call needs: asked of any state of its legs, the answer settles, and never does what must not be done."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.call_plan import News, Plan, Surroundings, plan
from hub.domain.calls import Call, Direction, EndCause, Leg, LegRole, LegState, Listening, OrderKind, Place
from hub.domain.interaction import TERMINAL, Interaction, State

NOW = 1_767_225_600_000
STATES = [
    State.QUEUED,
    State.OFFERED,
    State.CONNECTING,
    State.ACTIVE,
    State.HELD,
    State.CONSULTING,
    State.WRAPPING,
    State.CLOSED,
]


def an_interaction(state: State, agent: str | None = "ann") -> Interaction:
    has_agent = state not in {State.QUEUED, State.OFFERED}
    return Interaction(
        id="i1", channel="line", kind="voice", customer="c1", queue="q", state=state, created_at=NOW,
        agent=agent if has_agent else None, answered_at=NOW if has_agent else None,
    )  # fmt: skip


def a_call(**changes: object) -> Call:
    call = Call(id="i1", channel="line", direction=Direction.INBOUND, number="+14155550123", line="+15005550006")
    return msgspec.structs.replace(call, **changes)


def a_leg(role: LegRole, leg_id: str, **changes: object) -> Leg:
    agent = {LegRole.AGENT: "ann", LegRole.SUPERVISOR: "sue"}.get(role)
    leg = Leg(id=leg_id, interaction="i1", role=role, endpoint="x", agent=agent, wanted_at=NOW, provider_id=leg_id)
    return msgspec.structs.replace(leg, **changes)


def in_room(role: LegRole, leg_id: str, **changes: object) -> Leg:
    return a_leg(
        role, leg_id, **{"state": LegState.UP, "place": Place.ROOM, "goes_to": Place.ROOM, "joined_at": NOW, **changes}
    )


def waiting() -> Leg:
    return a_leg(LegRole.CUSTOMER, "l0", state=LegState.UP, place=Place.QUEUE, goes_to=Place.QUEUE)


def ask(state: State, *legs: Leg, call: Call | None = None, **around: object) -> Plan:
    return plan(an_interaction(state), call or a_call(), legs, Surroundings(now=NOW, **around))  # type: ignore[arg-type]


def wishes(answer: Plan) -> list[tuple[OrderKind, str]]:
    return [
        (wish.kind, answer.legs[wish.leg].role if wish.leg not in {"l0", "l1", "l2"} else wish.leg)
        for wish in answer.wishes
    ]


def test_accepted_call_rings_the_agent_first() -> None:
    assert wishes(ask(State.CONNECTING, waiting())) == [(OrderKind.DIAL, LegRole.AGENT)]


def test_caller_is_led_into_the_room_once_the_agent_is_there() -> None:
    assert wishes(ask(State.CONNECTING, waiting(), in_room(LegRole.AGENT, "l1"))) == [(OrderKind.JOIN, "l0")]


def test_both_in_the_room_are_connected() -> None:
    answer = ask(State.CONNECTING, in_room(LegRole.CUSTOMER, "l0"), in_room(LegRole.AGENT, "l1"))
    assert (answer.news, answer.wishes) == (News.CONNECTED, [])


def test_agents_phone_that_was_not_answered_is_news() -> None:
    missed = a_leg(LegRole.AGENT, "l1", state=LegState.ENDED, cause=EndCause.NO_ANSWER)
    answer = ask(State.CONNECTING, waiting(), missed)
    assert (answer.news, answer.cause) == (News.CONNECT_FAILED, EndCause.NO_ANSWER)


def test_caller_back_in_the_queue_leaves_the_room_and_the_agent_is_hung_up() -> None:
    answer = ask(State.QUEUED, in_room(LegRole.CUSTOMER, "l0", wants_hold=True), in_room(LegRole.AGENT, "l1"))
    assert wishes(answer) == [(OrderKind.HANG_UP, "l1"), (OrderKind.PARK, "l0")]
    assert not answer.legs["l0"].wants_hold


def test_line_that_is_over_is_sent_nowhere() -> None:
    """Whom we dialled and did not reach, in a call that went back to the queue."""
    gone = a_leg(LegRole.CUSTOMER, "l0", state=LegState.ENDED, cause=EndCause.NO_ANSWER, goes_to=Place.ROOM)
    assert wishes(ask(State.QUEUED, gone, call=a_call(direction=Direction.OUTBOUND))) == []


def test_telephone_put_down_ends_the_call_and_a_browser_gone_does_not() -> None:
    gone = in_room(LegRole.AGENT, "l1", state=LegState.ENDED, cause=EndCause.HUNG_UP)
    caller = in_room(LegRole.CUSTOMER, "l0")
    assert ask(State.ACTIVE, caller, gone, is_browser=False).news is News.AGENT_HUNG_UP
    assert ask(State.ACTIVE, caller, gone).news is News.LINE_LOST


legs_of_any_kind = st.builds(
    lambda role, number, state, place, goes_to, hold, held, expected, joined, age: a_leg(
        role,
        f"l{number}",
        state=state,
        place=place if state is LegState.UP else Place.NOWHERE,
        goes_to=goes_to,
        wants_hold=hold,
        is_held=held,
        expected_end=expected,
        joined_at=NOW if joined else None,
        wanted_at=NOW + age,
        ended_at=NOW if state is LegState.ENDED else None,
        cause=EndCause.HUNG_UP if state is LegState.ENDED else None,
        listening=Listening.MONITOR if role is LegRole.SUPERVISOR else Listening.NO,
    ),
    st.sampled_from(LegRole),
    st.integers(0, 5),
    st.sampled_from(LegState),
    st.sampled_from(Place),
    st.sampled_from(Place),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(-5, 5),
)
any_legs = st.lists(legs_of_any_kind, max_size=5, unique_by=lambda leg: leg.id)
any_call = st.builds(
    lambda direction, reattach, released, release_to: a_call(
        direction=direction, reattach_until=reattach, is_released=released, release_to=release_to
    ),
    st.sampled_from(Direction),
    st.sampled_from([None, NOW - 1, NOW + 5_000]),
    st.booleans(),
    st.sampled_from(["", "l1"]),
)


@given(state=st.sampled_from(STATES), legs=any_legs, call=any_call, is_there=st.booleans())
@settings(max_examples=600)
def test_plan_settles_and_keeps_its_rules(state: State, legs: list[Leg], call: Call, is_there: bool) -> None:
    """Asked again with its answer applied it wants nothing more; nobody is dialled twice, nor ordered when gone."""
    interaction, around = an_interaction(state), Surroundings(now=NOW, agent_is_there=is_there)
    answer = plan(interaction, call, legs, around)
    known = {leg.id: leg for leg in legs}
    for wish in answer.wishes:
        if wish.kind is OrderKind.DIAL:
            assert wish.leg not in known
            assert state not in TERMINAL
            assert state is not State.WRAPPING
        else:
            assert known[wish.leg].is_live
    dialled = [answer.legs[wish.leg].role for wish in answer.wishes if wish.kind is OrderKind.DIAL]
    assert len(dialled) <= 1

    after = {**known, **answer.legs}
    again = plan(interaction, call, list(after.values()), around)
    assert (again.wishes, again.legs) == ([], {})
    assert again.news is answer.news


@given(legs=any_legs, state=st.sampled_from([State.WRAPPING, State.CLOSED]))
def test_nobody_stays_on_the_line_of_a_call_that_is_over(legs: list[Leg], state: State) -> None:
    answer = plan(an_interaction(state), a_call(), legs, Surroundings(now=NOW))
    after = {**{leg.id: leg for leg in legs}, **answer.legs}
    assert all(leg.expected_end for leg in after.values() if leg.is_live and leg.goes_to is not Place.MESSAGE)
