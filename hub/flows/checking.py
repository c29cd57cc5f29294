"""What is wrong with a flow before anybody talks to it: names that lead nowhere, dead ends, circles, missing texts.

`check` looks at one flow beside the others it may enter. What only the hub knows (queues that agents can take,
services) comes in as plain names, so that the same check runs at a terminal, in the console and at start.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import msgspec

from hub.flows import model, phrases
from hub.flows.expressions import ExpressionError, analysed
from hub.flows.machine import within_reach
from hub.flows.model import (
    RESERVED,
    AnyStep,
    Ask,
    Book,
    Branch,
    Finding,
    Flow,
    Knowledge,
    Language,
    LookUp,
    Wording,
    nearest,
    targets,
)
from hub.flows.templates import TemplateError, holes

_WAITS: Final = (model.Ask, model.LeaveMessage)
_OWN_LANGUAGES: Final = phrases.LANGUAGES


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow lives among: queues by what is wrong with them ("" for nothing), skills, services, channels.

    `asked` tells why nobody can take what asks for skills in a queue, "" if somebody can. None: not known here.
    """

    queues: Mapping[str, str] | None = None
    skills: Collection[str] | None = None
    asked: Callable[[str, Mapping[str, int]], str] | None = None
    services: Collection[str] | None = None
    channels: Collection[str] | None = None


def check(flow: Flow, book: Book, around: Around | None = None) -> list[Finding]:
    """Return all that is wrong with a flow, in the order of its lines."""
    looked = _Look(flow, book, around or Around())
    found = [*looked.targets(), *looked.ways_out(), *looked.circles(), *looked.texts(), *looked.expressions()]
    found += looked.names_around()
    return sorted(found, key=lambda finding: (finding.line, finding.text))


class _Look:
    """One flow looked at from all sides."""

    def __init__(self, flow: Flow, book: Book, around: Around) -> None:
        self.flow = flow
        self.book = book
        self.around = around

    def wrong(self, line: int, text: str, hint: str = "", *, severity: str = "error") -> Finding:
        return Finding(file=self.flow.file, line=line, text=text, hint=hint, severity=severity)

    def next_of(self, step: AnyStep) -> list[str]:
        """Return the steps of this flow that a step may lead to."""
        return [name for name in targets(step) if name in self.flow.steps]

    def targets(self) -> Iterator[Finding]:
        """Unknown steps, and steps that nothing leads to."""
        known = {*self.flow.steps, *RESERVED}
        if self.flow.start not in self.flow.steps:
            yield self.wrong(
                1, f"The flow starts at {self.flow.start!r}, which is no step.", nearest(self.flow.start, known)
            )
        for step in self.flow.steps.values():
            for name in targets(step):
                if name not in known:
                    yield self.wrong(_line_of(step, name), f"There is no step {name!r}.", nearest(name, known))
        reached = _closure(self.flow.start, {step.id: self.next_of(step) for step in self.flow.steps.values()})
        for step in self.flow.steps.values():
            if step.id not in reached:
                yield self.wrong(
                    step.line,
                    f"Nothing leads to the step {step.id!r}.",
                    "Lead to it, or take it away.",
                    severity="warning",
                )

    def ways_out(self) -> Iterator[Finding]:
        """Dead ends, and a flow without a way to a person."""
        for step in self.flow.steps.values():
            if (not model.is_last(step) and not targets(step)) or (
                not model.is_last(step) and not step.then and not _all_lead(step)
            ):
                yield self.wrong(
                    step.line, f"The step {step.id!r} is a dead end.", "Say `then`, or put an `end` below it."
                )
        if self.flow.person is None:
            yield self.wrong(
                1,
                "The flow has no way to a person.",
                "person: {queue: ...}: where asking, silence and frustration lead.",
            )

    def circles(self) -> Iterator[Finding]:
        """Steps that may go round for ever without the customer being asked anything."""
        passing = {step.id: [] if isinstance(step, _WAITS) else self.next_of(step) for step in self.flow.steps.values()}
        for step in self.flow.steps.values():
            if any(step.id in _closure(after, passing) for after in passing[step.id]):
                yield self.wrong(
                    step.line,
                    f"The step {step.id!r} may go round for ever without asking.",
                    "Put a question in between.",
                )
        for name in self._flows_entered():
            if self.flow.name in within_reach(self.book, name) and self._enters_without_asking(self.flow.name, set()):
                yield self.wrong(1, f"The flow enters itself by {name!r} without asking.", "Put a question in between.")

    def _flows_entered(self) -> list[str]:
        return [step.flow for step in self.flow.steps.values() if isinstance(step, model.SubFlow)]

    def _enters_without_asking(self, name: str, seen: set[str]) -> bool:
        """Whether a flow may come to itself again before it waits for anybody."""
        flow = self.book.get(name)
        if flow is None or name in seen:
            return False
        passing = {
            step.id: [] if isinstance(step, _WAITS) else [n for n in targets(step) if n in flow.steps]
            for step in flow.steps.values()
        }
        entered = [
            step.flow
            for step in flow.steps.values()
            if isinstance(step, model.SubFlow) and step.id in _closure(flow.start, passing)
        ]
        return self.flow.name in entered or any(self._enters_without_asking(one, {*seen, name}) for one in entered)

    def texts(self) -> Iterator[Finding]:
        """Texts that are missing in a language, and languages whose own words nobody brings."""
        for language in self.flow.languages:
            if phrases.base(language) not in _OWN_LANGUAGES:
                yield self.wrong(
                    1,
                    f"{language!r} is spoken without words of its own for yes, no, help and a person.",
                    f"The words of {', '.join(_OWN_LANGUAGES)} are understood.",
                    severity="warning",
                )
        for wording in wordings(self.flow):
            if not wording or all(
                _is_only_holes(text) for by_medium in wording.texts.values() for text in by_medium.values()
            ):
                continue
            missing = [language for language in self.flow.languages if language not in wording.texts]
            if missing:
                said = next(iter(next(iter(wording.texts.values())).values()))
                yield self.wrong(
                    wording.line, f"Not translated to {', '.join(missing)}: {said[:40]!r}.", severity="warning"
                )
            for language, by_medium in wording.texts.items():
                lacking = [medium for medium in self.flow.media if "" not in by_medium and medium not in by_medium]
                if lacking:
                    yield self.wrong(wording.line, f"No {language} words for {', '.join(lacking)}.", "Add `default`.")

    def expressions(self) -> Iterator[Finding]:
        """Expressions and templates that cannot be used, or name what nobody asks or looks up."""
        for line, source in expressions(self.flow):
            try:
                paths = analysed(source).paths
            except ExpressionError as error:
                yield self.wrong(line, f"{source[:60]!r}: {error}", error.hint)
                continue
            yield from self._unknown(line, paths)
        for line, template in templates(self.flow):
            try:
                yield from self._unknown(line, holes(template))
            except TemplateError as error:
                yield self.wrong(line, f"{template[:60]!r}: {error}", error.hint)

    def _unknown(self, line: int, paths: Collection[tuple[str, ...]]) -> Iterator[Finding]:
        flows = [self.flow, *(self.book[name] for name in self._family())]
        answers = {name for flow in flows for name in flow.answers()}
        results = {
            step.name: ["found", *step.keep]
            for flow in flows
            for step in flow.steps.values()
            if isinstance(step, LookUp)
        }
        for path in paths:
            name = path[1] if len(path) > 1 else ""
            if path[0] == "answers" and name and name not in answers:
                yield self.wrong(line, f"Nobody asks for answers.{name}.", nearest(name, answers))
            elif path[0] == "results" and name and name not in results:
                yield self.wrong(line, f"Nobody looks up results.{name}.", nearest(name, results))
            elif path[0] == "results" and len(path) > 2 and path[2] not in results[name]:
                yield self.wrong(line, f"The look-up {name!r} keeps no {path[2]!r}.", nearest(path[2], results[name]))
            elif path[0] == "queues" and name and self.around.queues is not None and name not in self.around.queues:
                yield self.wrong(line, f"There is no queue {name!r}.", nearest(name, self.around.queues))

    def _family(self) -> set[str]:
        """Return the flows that this one enters, and those that enter it: they share answers."""
        reached = set(within_reach(self.book, self.flow.name))
        return reached | {name for name in self.book if self.flow.name in within_reach(self.book, name)}

    def names_around(self) -> Iterator[Finding]:
        """Queues, services and flows that are not there, and queues that nobody can take."""
        for line, name in queues(self.flow):
            known = self.around.queues
            if known is None:
                continue
            if name not in known:
                yield self.wrong(line, f"There is no queue {name!r}.", nearest(name, known))
            elif known[name]:
                yield self.wrong(line, f"Queue {name!r}: {known[name]}", severity="warning")
        yield from self._skills_around()
        for step in self.flow.steps.values():
            services = self.around.services
            if isinstance(step, LookUp) and services is not None and step.service not in services:
                yield self.wrong(
                    step.line, f"There is no service {step.service!r} in the settings.", nearest(step.service, services)
                )
            channels = self.around.channels
            if isinstance(step, model.Send) and step.by and channels is not None and step.by not in channels:
                yield self.wrong(step.line, f"There is no channel {step.by!r}.", nearest(step.by, channels))
            entered = (
                step.flow if isinstance(step, model.SubFlow) else step.survey if isinstance(step, model.End) else ""
            )
            if entered and entered not in self.book:
                yield self.wrong(step.line, f"There is no flow {entered!r}.", nearest(entered, self.book))
            if isinstance(step, Ask) and step.help_words and not step.help:
                yield self.wrong(step.line, "There are help words and no help.", "help: TEXT", severity="warning")

    def _skills_around(self) -> Iterator[Finding]:
        """Skills that are not there, and those that nobody has who could take it."""
        around = self.around
        for line, queue, skills in _asking(self.flow):
            unknown = [one for one in skills if around.skills is not None and one not in around.skills]
            for name in unknown:
                yield self.wrong(line, f"There is no skill {name!r}.", nearest(name, around.skills or ()))
            if unknown or around.asked is None or queue not in (around.queues or {}) or not skills:
                continue
            if why := around.asked(queue, skills):
                yield self.wrong(line, f"Queue {queue!r} with these skills: {why}.", severity="warning")


def _asking(flow: Flow) -> Iterator[tuple[int, str, Mapping[str, int]]]:
    """Yield every place that asks for skills in a queue, with its line."""
    if flow.person is not None:
        yield flow.person.line, flow.person.queue, flow.person.skills
    for step in flow.steps.values():
        if isinstance(step, model.Queue):
            yield step.line, step.queue, step.skills


def wordings(flow: Flow) -> Iterator[Wording]:
    """Yield every text of a flow that customers see."""
    yield flow.title
    if flow.person is not None:
        yield flow.person.text
    for step in flow.steps.values():
        for value in (getattr(step, name) for name in step.__struct_fields__):
            if isinstance(value, Wording):
                yield value
        if isinstance(step, Ask):
            yield from (option.label for option in step.choices)
        if isinstance(step, Knowledge):
            yield from (text for article in step.articles for text in (article.title, article.text))


def expressions(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield every expression of a flow with its line."""
    for step in flow.steps.values():
        if isinstance(step, Branch):
            yield from ((case.line, case.when) for case in step.cases)
        elif isinstance(step, model.Send):
            yield step.line, step.consent
        elif isinstance(step, Language) and step.language not in flow.languages:
            yield step.line, step.language


def templates(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield every template of a flow with its line."""
    for wording in wordings(flow):
        yield from ((wording.line, text) for by_medium in wording.texts.values() for text in by_medium.values())
    if flow.person is not None:
        yield flow.person.line, flow.person.note
    for step in flow.steps.values():
        yield from ((step.line, text) for text in _step_templates(step))


def _step_templates(step: AnyStep) -> list[str]:
    if isinstance(step, LookUp):
        return [step.path, *step.query.values(), *step.body.values()]
    if isinstance(step, model.SetFields):
        return list(step.fields.values())
    if isinstance(step, Knowledge):
        return [step.question]
    if isinstance(step, model.Queue):
        return [step.note]
    if isinstance(step, model.Callback):
        return [step.phone, step.note]
    if isinstance(step, model.Send):
        return [step.to]
    return [step.text] if isinstance(step, model.Promise) else []


def queues(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield every queue that a flow names, with its line."""
    if flow.person is not None:
        yield flow.person.line, flow.person.queue
    for step in flow.steps.values():
        if isinstance(step, model.Queue | model.Callback | model.LeaveMessage) or (
            isinstance(step, model.Promise) and step.queue
        ):
            yield step.line, step.queue


def _line_of(step: AnyStep, target: str) -> int:
    """Return the line that names a target: a choice's or a case's own, else the step's."""
    parts = step.choices if isinstance(step, Ask) else step.cases if isinstance(step, Branch) else ()
    return next((part.line for part in parts if part.then == target), step.line)


def _all_lead(step: AnyStep) -> bool:
    return isinstance(step, Ask) and bool(step.choices) and all(option.then for option in step.choices)


def _closure(start: str, arrows: Mapping[str, Collection[str]]) -> set[str]:
    """Return all that is reached from a start, the start included."""
    found: set[str] = set()
    rest = [start]
    while rest:
        name = rest.pop()
        if name not in found and name in arrows:
            found.add(name)
            rest += arrows[name]
    return found


def _is_only_holes(text: str) -> bool:
    bare = text
    while "{{" in bare and "}}" in bare.partition("{{")[2]:
        head, _, rest = bare.partition("{{")
        bare = head + rest.partition("}}")[2]
    return not any(c.isalpha() for c in bare)
