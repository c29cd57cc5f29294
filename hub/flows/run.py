"""One input's work on a session: the working copy, what comes out of it, and the ways out that every flow has."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from hub.flows import phrases
from hub.flows.answers import Way
from hub.flows.expressions import ExpressionError, Scope, bounded, is_true
from hub.flows.matching import Similar
from hub.flows.model import AnyStep, Book, Flow, Medium, Person, Wording
from hub.flows.session import (
    EnterQueue,
    Finished,
    Frame,
    GoBack,
    Mark,
    Outcome,
    Output,
    Session,
    State,
    Told,
    Visit,
    Wait,
    Wish,
)
from hub.flows.templates import filled, inert

MAX_PATH: Final = 300
MAX_FRAMES: Final = 5
SILENCE_S: Final = {Medium.PHONE: 6.0, Medium.CHAT: 180.0, Medium.SMS: 86_400.0, Medium.EMAIL: 259_200.0}
"""How long a customer may be silent before the flow stirs, by how they answer."""


class Run:
    """The work of one input. Changes only its own copy of the session."""

    def __init__(self, book: Book, session: Session, known: Scope, now: int, similar: Similar | None = None) -> None:
        self.book = book
        self.session = session.copy()
        self.known = known
        self.now = now
        self.similar = similar
        self.outputs: list[Output] = []
        self.wishes: list[Wish] = []
        self.marks: list[Mark] = []

    @property
    def flow(self) -> Flow:
        """The innermost flow."""
        return self.book[self.session.frames[-1].flow]

    @property
    def step(self) -> AnyStep | None:
        """The step the session stands at."""
        return self.flow.steps.get(self.session.frames[-1].step)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages to look for a text in, the spoken one first."""
        spoken = self.session.language
        return (spoken, phrases.base(spoken), *self.flow.languages)

    def scope(self) -> dict[str, object]:
        """Return all that is known, by the names of `expressions.SCOPE`; what was not answered yet is null."""
        session = self.session
        root = self.book[session.flow]
        names = dict.fromkeys([*root.answers(), *self.flow.answers()])
        found = dict.fromkeys([*root.results(), *self.flow.results()])
        return {
            "customer": self.known.get("customer") or {},
            "queues": self.known.get("queues") or {},
            "now": self.known.get("now") or now_of(self.now),
            "channel": str(session.medium),
            "language": session.language,
            "answers": {**names, **session.answers},
            "results": {**{name: {"found": False} for name in found}, **session.results},
        }

    def way(self) -> Way:
        """Return how answers are to be read."""
        now = self.known.get("now")
        day = now.get("date") if isinstance(now, Mapping) else None
        today = date.fromisoformat(day) if isinstance(day, str) else datetime.fromtimestamp(self.now / 1000, UTC).date()
        return Way(today, self.session.language, self.flow.dates, self.flow.region)

    def fill(self, template: str) -> str:
        """Return a template with its variables."""
        if "{{" not in template:
            return template
        return filled(template, self.scope(), language=self.session.language, currency=self.flow.currency)

    def written(self, wording: Wording, medium: Medium) -> str:
        """Return a text for a message on another channel; what the customer wrote stands in it without any power."""
        scope = self.scope()
        scope |= {name: inert(scope[name]) for name in ("customer", "answers")}
        template = wording.of(self.languages, medium)
        return filled(template, scope, language=self.session.language, currency=self.flow.currency).strip()

    def words(self, wording: Wording) -> str:
        """Return a text in the session's language, worded for its channel, with its variables."""
        return self.fill(wording.of(self.languages, self.session.medium)).strip()

    def is_true(self, expression: str) -> bool:
        """Return whether an expression is true; one that cannot be evaluated is not, and is told."""
        try:
            return is_true(expression, self.scope())
        except ExpressionError:
            self.mark("flow_expression_failed")
            return False

    def tell(self, text: str) -> None:
        """Say something, unless it is nothing."""
        if text:
            self.outputs.append(Told(text, self.session.frames[-1].step))

    def mark(self, kind: str, **facts: str | float | bool) -> None:
        """Note a fact for the journal."""
        frame = self.session.frames[-1]
        self.marks.append(Mark(kind=kind, flow=frame.flow, step=frame.step, facts=facts))

    def enter(self, step: AnyStep) -> None:
        """Stand at a step."""
        session = self.session
        session.frames[-1].step = step.id
        session.steps += 1
        session.misses = session.silences = session.helped = 0
        session.confirm = {}
        kind = kind_of(step)
        if len(session.path) < MAX_PATH:
            session.path.append(Visit(self.now, session.frames[-1].flow, step.id, kind))
        self.mark("flow_step_entered", step_kind=kind)

    def outcome_here(self, outcome: str, value: object = None) -> None:
        """Write on the path how the last step ended."""
        if self.session.path:
            visit = self.session.path[-1]
            visit.outcome, visit.value = outcome, bounded(value)
            visit.tries = self.session.misses

    def wait(self, seconds: float) -> int:
        """Ask to be woken; returns the number of this wait."""
        self.session.timer += 1
        self.wishes.append(Wait(self.session.timer, self.now + round(seconds * 1000)))
        return self.session.timer

    def silence_s(self, own: float) -> float:
        """Return how long the customer may be silent; what a step says counts where somebody waits at the other end."""
        usual = SILENCE_S[self.session.medium]
        return own if own and self.session.medium in {Medium.PHONE, Medium.CHAT} else usual

    # -- the ways out

    def hand_over(self, reason: str) -> None:
        """Lead the customer to a person: to the flow's queue, or back to the agent who sent them."""
        self.outcome_here(reason)
        person = self._person()
        own = self.words(person.text) if person else ""
        self.tell(own or phrases.said("person", self.session.language))
        if self.session.by_agent:
            self.wishes.append(GoBack(outcome="person", reason=reason))
            self.end(Outcome.HANDED_BACK, reason)
            return
        self.wishes.append(
            EnterQueue(
                queue=person.queue if person else "",
                reason=reason,
                skills=person.skills if person else {},
                head_start_s=person.head_start_s if person else 0.0,
                note=self.fill(person.note) if person else "",
            )
        )
        self.end(Outcome.QUEUED, reason)

    def _person(self) -> Person | None:
        """Return the nearest way to a person: the innermost flow's, else that of those around it."""
        for frame in reversed(self.session.frames):
            person = self.book[frame.flow].person
            if person is not None:
                return person
        return self.book[self.session.flow].person

    def finish(self, survey: str = "") -> str:
        """End what was to be done; returns the first step of the survey, "" when nothing comes any more."""
        session = self.session
        if survey in self.book and session.settled is None and len(session.frames) < MAX_FRAMES:
            session.settled = Outcome.RESOLVED
            session.frames = [Frame(survey)]
            self.mark("flow_entered", sub_flow=survey)
            return self.flow.start
        if session.by_agent:
            self.wishes.append(GoBack(outcome="done"))
            self.end(Outcome.HANDED_BACK, "done")
        else:
            self.end(session.settled or Outcome.RESOLVED, "done")
        return ""

    def back(self) -> str:
        """Leave the innermost flow; returns the step that comes after it, "" when there is none around it."""
        session = self.session
        if len(session.frames) == 1:
            return self.finish()
        session.frames.pop()
        step = self.step
        return step.then if step is not None else ""

    def end(self, outcome: Outcome, reason: str) -> None:
        """End the session."""
        session = self.session
        session.state, session.outcome, session.reason = State.ENDED, outcome, reason
        session.ended_at = self.now
        session.pending, session.confirm = "", {}
        session.timer += 1
        self.mark(
            "flow_ended",
            outcome=str(outcome),
            reason=reason,
            took_ms=self.now - session.started_at,
            steps=session.steps,
        )
        self.outputs.append(Finished(outcome))


def kind_of(step: AnyStep) -> str:
    """Return the word that names a step's kind in a flow's file."""
    return _KINDS[type(step).__name__]


_KINDS: Final = {
    "Say": "say", "Ask": "ask", "Branch": "branch", "LookUp": "look_up", "SetFields": "set", "Knowledge": "knowledge",
    "Queue": "queue", "Callback": "callback", "LeaveMessage": "leave_message", "Promise": "promise", "Send": "send",
    "Language": "language", "SubFlow": "flow", "HandBack": "hand_back", "End": "end",
}  # fmt: skip


@lru_cache(maxsize=64)
def now_of(at: int) -> dict[str, object]:
    """Return what expressions know as `now`, in UTC."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return {
        "date": moment.date().isoformat(),
        "time": f"{moment:%H:%M}",
        "hour": moment.hour,
        "weekday": moment.isoweekday(),
    }
