"""What each kind of step does: a function of the run that returns the next step, "" when the flow waits or is over."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.flows import phrases
from hub.flows.asking import ask
from hub.flows.expressions import ExpressionError, Value, bounded, evaluate
from hub.flows.matching import UNSURE, Known, match
from hub.flows.model import (
    AnswerType,
    Ask,
    Branch,
    Callback,
    End,
    HandBack,
    Knowledge,
    Language,
    LeaveMessage,
    LookUp,
    Promise,
    Queue,
    Say,
    Send,
    SetFields,
    SubFlow,
)
from hub.flows.run import MAX_FRAMES, Run
from hub.flows.session import (
    BookCallback,
    EnterQueue,
    Fetch,
    Frame,
    GoBack,
    LookedUp,
    MakePromise,
    Outcome,
    Posted,
    Recording,
    SendMessage,
    State,
    TakeMessage,
    WriteFields,
)
from hub.flows.templates import filled_path, reached

FETCH_GRACE_S: Final = 5.0
"""How much longer than its own time limits a look-up is waited for, before it counts as failed."""
SEND_GRACE_S: Final = 30.0
"""How long a message is waited for that nobody takes, before it counts as not sent."""
SENT: Final = "sent"
MAX_FIELD: Final = 500


def _say(run: Run, step: Say) -> str:
    run.tell(run.words(step.text))
    return step.then


def _branch(run: Run, step: Branch) -> str:
    for place, case in enumerate(step.cases):
        if run.is_true(case.when):
            run.outcome_here(f"case {place + 1}")
            return case.then
    run.outcome_here("otherwise")
    return step.then


def _look_up(run: Run, step: LookUp) -> str:
    session = run.session
    scope = run.scope()
    path = filled_path(step.path, scope)
    if path is None:
        return _without_answer(run, step, "not_found")
    run.tell(run.words(step.text))
    session.fetches += 1
    session.state, session.pending = State.LOOKING_UP, f"{session.id}:{session.fetches}"
    run.wishes.append(
        Fetch(
            id=session.pending,
            service=step.service,
            method=step.method,
            path=path,
            query={name: run.fill(template) for name, template in step.query.items()},
            body={name: run.fill(template) for name, template in step.body.items()},
            timeout_s=step.timeout_s,
            tries=step.tries,
        )
    )
    run.wait(step.timeout_s * step.tries + FETCH_GRACE_S)
    return ""


def looked_up(run: Run, step: LookUp, given: LookedUp) -> str:
    """Take the answer of a look-up: keep what the flow names of it, bounded; returns the next step."""
    run.session.pending = ""
    run.mark("flow_looked_up", outcome=given.outcome, took_ms=given.took_ms)
    if given.outcome != "found":
        return _without_answer(run, step, given.outcome)
    kept = {name: bounded(reached(given.values, path.split("."))) for name, path in step.keep.items()}
    run.session.results[step.name] = {"found": True, **kept}
    run.outcome_here("found")
    return step.then


def _without_answer(run: Run, step: LookUp, outcome: str) -> str:
    run.session.results[step.name] = {"found": False}
    is_known = outcome == "not_found"
    run.outcome_here("not_found" if is_known else "failed")
    return step.not_found if is_known else step.failed


def _set(run: Run, step: SetFields) -> str:
    run.wishes.append(WriteFields({name: run.fill(value)[:MAX_FIELD] for name, value in step.fields.items()}))
    return step.then


def _knowledge(run: Run, step: Knowledge) -> str:
    session = run.session
    known = [
        Known(
            article.id,
            (
                *(text for by_medium in article.title.texts.values() for text in by_medium.values()),
                *(word for words in article.words.values() for word in words),
            ),
        )
        for article in step.articles
    ]
    found = match(run.fill(step.question), known, language=session.language, similar=run.similar)
    article = next((one for one in step.articles if one.id == found.id and found.confidence >= UNSURE), None)
    run.mark("flow_knowledge", article=found.id, confidence=round(found.confidence, 2))
    run.outcome_here(found.id or "not_found")
    if article is None:
        return step.not_found
    run.tell(run.words(article.text))
    return step.then


def _queue(run: Run, step: Queue) -> str:
    run.tell(run.words(step.text))
    wish = EnterQueue(
        queue=step.queue,
        reason="flow",
        skills=step.skills,
        head_start_s=step.head_start_s,
        note=run.fill(step.note),
    )
    return _left(run, wish, Outcome.QUEUED)


def _callback(run: Run, step: Callback) -> str:
    phone = run.fill(step.phone).strip()
    run.tell(run.words(step.text) or phrases.said("booked", run.session.language, phone=phone))
    return _left(run, BookCallback(queue=step.queue, phone=phone, note=run.fill(step.note)), Outcome.CALLBACK_BOOKED)


def _left(run: Run, wish: EnterQueue | BookCallback | TakeMessage, outcome: Outcome) -> str:
    """End the session with what is to be done next; an agent who sent the customer here gets them back instead."""
    run.outcome_here(str(outcome))
    if run.session.by_agent:
        run.wishes.append(GoBack(outcome=str(outcome)))
        run.end(Outcome.HANDED_BACK, str(outcome))
    else:
        run.wishes.append(wish)
        run.end(outcome, "flow")
    return ""


def _leave_message(run: Run, step: LeaveMessage) -> str:
    run.session.state = State.TAKING_MESSAGE
    run.outputs.append(Recording(text=run.words(step.text), step=step.id, most_s=step.most_s))
    run.wait(run.silence_s(0) + step.most_s)
    return ""


def message_left(run: Run, step: LeaveMessage, text: str, recording: str) -> str:
    """Keep the message that was asked for."""
    run.tell(run.words(step.thanks) or phrases.said("taken", run.session.language))
    return _left(run, TakeMessage(queue=step.queue, text=text, recording=recording), Outcome.MESSAGE_TAKEN)


def _promise(run: Run, step: Promise) -> str:
    due_at = run.now + round(step.due_s * 1000)
    run.wishes.append(MakePromise(text=run.fill(step.text), due_at=due_at, queue=step.queue))
    return step.then


def _send(run: Run, step: Send) -> str:
    to = run.fill(step.to).strip()
    if not run.is_true(step.consent):
        return _not_sent(run, step, "no_consent")
    if step.to and not to:
        return _not_sent(run, step, "no_address")
    session = run.session
    session.state, session.pending = State.SENDING, f"{session.id}:s{session.steps}"
    run.wishes.append(
        SendMessage(
            id=session.pending,
            medium=step.medium,
            to=to,
            by=step.by,
            text=run.written(step.text, step.medium),
            subject=run.written(step.subject or run.flow.title, step.medium),
            is_confirmed=_is_confirmed(run, to),
        )
    )
    run.wait(SEND_GRACE_S)
    return ""


def posted(run: Run, step: Send, given: Posted) -> str:
    """Take what became of a message; returns the next step."""
    run.session.pending = ""
    if given.outcome != SENT:
        return _not_sent(run, step, given.outcome)
    run.outcome_here(SENT, given.to)
    facts = {"sent": given.interaction} if given.interaction else {}
    run.mark("flow_sent", medium=str(step.medium), **facts)
    return step.then


def _not_sent(run: Run, step: Send, reason: str) -> str:
    run.outcome_here(reason)
    run.mark("flow_not_sent", reason=reason)
    if not step.refused and reason != "no_consent":
        run.tell(phrases.said("not_sent", run.session.language))
    return step.refused or step.then


def _is_confirmed(run: Run, to: str) -> bool:
    """Whether the customer gave this address in this session, and said yes to what they were asked after that."""
    is_confirmed = is_given = False
    for visit in run.session.path:
        flow = run.book.get(visit.flow)
        asked = flow.steps.get(visit.step) if flow is not None else None
        if not isinstance(asked, Ask):
            continue
        if asked.type in {AnswerType.PHONE, AnswerType.EMAIL}:
            is_given, is_confirmed = bool(to) and visit.value == to, False
        elif asked.type is AnswerType.YES_NO and is_given:
            is_confirmed = visit.value is True
    return is_confirmed


def _language(run: Run, step: Language) -> str:
    wanted: Value = step.language
    if wanted not in run.flow.languages:
        try:
            wanted = evaluate(step.language, run.scope())
        except ExpressionError:
            run.mark("flow_expression_failed")
            return step.then
    if isinstance(wanted, str) and wanted in run.flow.languages:
        run.session.language = wanted
        run.mark("flow_language", language=wanted)
    return step.then


def _sub_flow(run: Run, step: SubFlow) -> str:
    session = run.session
    if step.flow not in run.book or len(session.frames) >= MAX_FRAMES:
        run.hand_over("too_deep" if step.flow in run.book else "no_flow")
        return ""
    session.frames.append(Frame(step.flow))
    run.mark("flow_entered", sub_flow=step.flow)
    return run.flow.start


def _hand_back(run: Run, _step: HandBack) -> str:
    return run.back()


def _end(run: Run, step: End) -> str:
    run.tell(run.words(step.text))
    run.outcome_here("resolved")
    return run.finish(step.survey)


Handler = Callable[[Run, Any], str]

HANDLERS: Final[Mapping[type, Handler]] = {
    Say: _say,
    Ask: ask,
    Branch: _branch,
    LookUp: _look_up,
    SetFields: _set,
    Knowledge: _knowledge,
    Queue: _queue,
    Callback: _callback,
    LeaveMessage: _leave_message,
    Promise: _promise,
    Send: _send,
    Language: _language,
    SubFlow: _sub_flow,
    HandBack: _hand_back,
    End: _end,
}
