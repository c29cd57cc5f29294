"""The interpreter: one function from a session and an input to the session after it, and what is to be done.

Deterministic and total: any input at any time leads to a legal state within a bounded number of steps, an input that
was heard before changes nothing, and one that comes late or after the end is told apart (`is_heard`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.flows import phrases
from hub.flows.asking import hear, silent
from hub.flows.expressions import MAX_TEXT, Scope
from hub.flows.matching import Similar
from hub.flows.model import BACK, END, PERSON, Ask, Book, Flow, LeaveMessage, LookUp, Medium, Send, SubFlow
from hub.flows.model import End as EndStep
from hub.flows.run import Run
from hub.flows.session import (
    Begin,
    Frame,
    HungUp,
    Input,
    LookedUp,
    Outcome,
    Posted,
    Said,
    Session,
    State,
    Stepped,
    TimeUp,
    Wait,
)
from hub.flows.steps import HANDLERS, looked_up, message_left, posted

MAX_MOVES: Final = 60
"""Steps that one input may lead through; more is a circle, and a person sees to it."""
MAX_STEPS: Final = 1_000
"""Steps of a whole session."""
MAX_SEEN: Final = 100
"""Ids of inputs that are remembered."""
_ASKED_FOR: Final = frozenset({Medium.PHONE, Medium.EMAIL})
"""Where what is said stands until it is passed on: see `Session.standing`."""


def new_session(
    session_id: str,
    book: Book,
    flow: str,
    *,
    medium: Medium,
    language: str,
    now: int,
    by_agent: bool = False,
    told: Mapping[str, Any] | None = None,
) -> Session:
    """Return a session that has not begun, pinned to the versions of every flow it may enter.

    `told` is what the customer answered in a session before: what flows ask only once is not asked again.
    """
    spoken = _nearest_language(book[flow], language)
    reached = within_reach(book, flow)
    asked = [one for name in reached for one in book[name].steps.values() if isinstance(one, Ask)]
    once = {one.name for one in asked} - {one.name for one in asked if not one.once}
    return Session(
        id=session_id,
        flow=flow,
        pins={name: book[name].version for name in reached},
        answers={name: value for name, value in (told or {}).items() if name in once},
        medium=medium,
        language=spoken,
        started_at=now,
        by_agent=by_agent,
        frames=[Frame(flow)],
    )


def within_reach(book: Book, flow: str) -> list[str]:
    """Return the names of a flow and of all that it may enter, where they are known."""
    found: dict[str, None] = {}
    rest = [flow]
    while rest:
        name = rest.pop()
        if name in found or name not in book:
            continue
        found[name] = None
        steps = book[name].steps.values()
        rest += [step.flow for step in steps if isinstance(step, SubFlow)]
        rest += [step.survey for step in steps if isinstance(step, EndStep) and step.survey]
    return list(found)


def step(
    book: Book,
    session: Session,
    given: Input,
    now: int,
    *,
    known: Scope | None = None,
    similar: Similar | None = None,
) -> Stepped:
    """Return what an input leads to; the session that was handed in stays as it is.

    `book` holds every flow in the version the session is pinned to. `known` is what is known beside the session:
    `customer`, `queues`, `now` (see `expressions.SCOPE`).
    """
    if session.is_over or given.id in session.seen:
        return Stepped(session=session, is_heard=False)
    if isinstance(given, TimeUp) and given.timer != session.timer:
        return Stepped(session=session, is_heard=False)
    if isinstance(given, LookedUp) and given.fetch != session.pending:
        return Stepped(session=session, is_heard=False)
    if isinstance(given, Posted) and given.send != session.pending:
        return Stepped(session=session, is_heard=False)
    if isinstance(given, Begin) and session.state is not State.NEW:
        return Stepped(session=session, is_heard=False)
    run = Run(book, session, known if known is not None else {}, now, similar)
    run.session.seen = [*run.session.seen[1 - MAX_SEEN :], given.id]
    is_busy = session.state in {State.LOOKING_UP, State.SENDING}
    _go(run, _HEARD[type(given)](run, given))
    if session.medium in _ASKED_FOR:
        run.session.standing = [*(session.standing if is_busy else ()), *run.outputs]
    return Stepped(session=run.session, outputs=tuple(run.outputs), wishes=tuple(run.wishes), marks=tuple(run.marks))


def _go(run: Run, target: str) -> None:
    """Walk from step to step until the flow waits or is over."""
    for _ in range(MAX_MOVES):
        if not target or run.session.is_over:
            break
        if run.session.steps >= MAX_STEPS:
            run.hand_over("too_many_steps")
            break
        if target == PERSON:
            run.hand_over("flow")
        elif target == END:
            target = run.finish()
            continue
        elif target == BACK:
            target = run.back() or _nothing_follows(run)
            continue
        else:
            target = _enter(run, target)
            continue
        break
    else:
        run.hand_over("circle")
    if not run.session.is_over and run.session.state is State.NEW:
        run.hand_over("nothing_to_do")


def _enter(run: Run, target: str) -> str:
    step = run.flow.steps.get(target)
    if step is None:
        run.hand_over("no_step")
        return ""
    run.enter(step)
    after = HANDLERS[type(step)](run, step)
    return after or _nothing_follows(run)


def _nothing_follows(run: Run) -> str:
    """A flow that neither waits nor is over and has no next step ends at a person, never in silence."""
    session = run.session
    waits = any(isinstance(wish, Wait) and wish.timer == session.timer for wish in run.wishes)
    if not session.is_over and not waits:
        run.hand_over("dead_end")
    return ""


def _begin(run: Run, given: Begin) -> str:
    text = given.text[:MAX_TEXT].strip()
    run.session.opening = text
    run.mark("flow_started", channel_kind=str(run.session.medium), language=run.session.language)
    if text and phrases.wants_person(text):
        run.hand_over("asked")
        return ""
    named = phrases.language_named(text, run.flow.languages, run.session.language) if text else ""
    if named:
        run.session.language = named
    return run.flow.start


def _said(run: Run, given: Said) -> str:
    step, session = run.step, run.session
    if session.state is State.NEW:
        return _begin(run, Begin(given.id, given.text))
    if isinstance(step, Ask) and session.state is State.ASKING:
        return hear(run, step, given)
    text = (given.digits or given.text)[: 5 * MAX_TEXT].strip()
    if phrases.wants_person(text):
        run.hand_over("asked")
        return ""
    if isinstance(step, LeaveMessage) and session.state is State.TAKING_MESSAGE:
        return message_left(run, step, text[:MAX_TEXT], given.recording) if text or given.recording else ""
    if session.state is State.LOOKING_UP and session.helped == 0:
        session.helped = 1
        run.tell(phrases.said("wait", session.language))
    return ""


def _time_up(run: Run, given: TimeUp) -> str:
    step, session = run.step, run.session
    if session.state is State.LOOKING_UP and isinstance(step, LookUp):
        return looked_up(run, step, LookedUp(id=given.id, fetch=session.pending, outcome="failed"))
    if session.state is State.SENDING and isinstance(step, Send):
        return posted(run, step, Posted(id=given.id, send=session.pending, outcome="failed"))
    if isinstance(step, Ask) and session.state is State.ASKING:
        silent(run, step)
    else:
        run.hand_over("silent")
    return ""


def _looked_up(run: Run, given: LookedUp) -> str:
    step = run.step
    if isinstance(step, LookUp):
        return looked_up(run, step, given)
    run.hand_over("no_step")
    return ""


def _posted(run: Run, given: Posted) -> str:
    step = run.step
    if isinstance(step, Send):
        return posted(run, step, given)
    run.hand_over("no_step")
    return ""


def _hung_up(run: Run, _given: HungUp) -> str:
    run.outcome_here("left")
    run.end(run.session.settled or Outcome.ABANDONED, "customer_left")
    return ""


_HEARD: Final[Mapping[type, Callable[[Run, Any], str]]] = {
    Begin: _begin,
    Said: _said,
    TimeUp: _time_up,
    LookedUp: _looked_up,
    Posted: _posted,
    HungUp: _hung_up,
}


def _nearest_language(flow: Flow, language: str) -> str:
    for candidate in (language, phrases.base(language)):
        if candidate in flow.languages:
            return candidate
    same = [one for one in flow.languages if phrases.base(one) == phrases.base(language)]
    return same[0] if same else flow.languages[0]
