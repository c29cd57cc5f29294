"""What a flow is made of: steps, texts in several languages, the ways out. Read from YAML by `reading`."""

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

MAX_STEPS: Final = 200
"""Steps that one flow may have."""

PERSON: Final = "person"
"""Reserved target: hand the customer to a person."""
END: Final = "end"
"""Reserved target: the flow has done what it could."""
BACK: Final = "back"
"""Reserved target: go back to the flow, or to the agent, that this one was entered from."""
RESERVED: Final = (PERSON, END, BACK)


class Medium(StrEnum):
    """How a customer reads and answers: what a flow's texts may be worded for."""

    PHONE = "phone"
    CHAT = "chat"
    SMS = "sms"
    EMAIL = "email"

    @property
    def is_live(self) -> bool:
        """Whether somebody is there to answer at once."""
        return self in {Medium.PHONE, Medium.CHAT}


class AnswerType(StrEnum):
    """What a question wants to hear."""

    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    AMOUNT = "amount"
    PHONE = "phone"
    EMAIL = "email"
    PATTERN = "pattern"
    YES_NO = "yes_no"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a flow's file: where, what, and what to do about it.

    An `error` keeps the flow from being taken; a `warning` is told and lived with.
    """

    file: str
    line: int
    text: str
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        said = f"{self.severity}: {self.file}:{self.line}: {self.text}"
        return f"{said}\n    {self.hint}" if self.hint else said


class FlowError(ValueError):
    """A flow cannot be taken; `findings` holds everything found, not only the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class Wording(msgspec.Struct, frozen=True):
    """One text: language -> medium -> words; the medium "" stands for all that are not named."""

    texts: Mapping[str, Mapping[str, str]] = {}
    line: int = 0

    def __bool__(self) -> bool:
        return bool(self.texts)

    def of(self, languages: Iterable[str], medium: str) -> str:
        """Return the words in the first of these languages that there is, for this medium."""
        for language in languages:
            found = self.texts.get(language)
            if found is not None:
                return found.get(medium, found.get("", ""))
        return ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What every step has: its name, its line in the file, and the step that comes after it ("": none)."""

    id: str
    line: int = 0
    then: str = ""


class Say(Step, frozen=True, kw_only=True):
    """Tells something."""

    text: Wording


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One choice: its words besides the label, the key that takes it, and where it leads."""

    id: str
    label: Wording
    words: Mapping[str, tuple[str, ...]] = {}
    digit: str = ""
    then: str = ""
    line: int = 0


class Ask(Step, frozen=True, kw_only=True):
    """Asks, and waits until it is answered; the answer is known as `answers.NAME` afterwards.

    `tries` misunderstandings in a row lead to `otherwise` (a person unless told so). With `once`, nothing is asked
    when the answer is known. `least` and `most` bound numbers and amounts, characters of a text, and days from today
    for a date.
    """

    name: str
    type: AnswerType
    text: Wording
    choices: tuple[Option, ...] = ()
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    retry: Wording = Wording()
    help: Wording = Wording()
    help_words: tuple[str, ...] = ()
    tries: int = 3
    silence_s: float = 0.0
    once: bool = False
    otherwise: str = PERSON

    def option(self, option_id: str) -> Option | None:
        """Return the choice of this name."""
        return next((option for option in self.choices if option.id == option_id), None)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One way of a branch, taken when its expression is true."""

    when: str
    then: str
    line: int = 0


class Branch(Step, frozen=True, kw_only=True):
    """Goes the first way whose expression is true, else `then`."""

    cases: tuple[Case, ...]


class LookUp(Step, frozen=True, kw_only=True):
    """Asks one of the company's systems; what is kept of the answer is known as `results.NAME`.

    `service` names a block of the settings, which holds the address and the secret. `path`, `query` and `body` are
    templates. `keep` maps names to paths in the answer (`items.0.eta`).
    """

    name: str
    service: str
    path: str
    method: str = "GET"
    query: Mapping[str, str] = {}
    body: Mapping[str, str] = {}
    keep: Mapping[str, str] = {}
    timeout_s: float = 3.0
    tries: int = 2
    text: Wording = Wording()
    not_found: str = PERSON
    failed: str = PERSON


class SetFields(Step, frozen=True, kw_only=True):
    """Writes fields of the customer's profile; the values are templates."""

    fields: Mapping[str, str]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of knowledge, and the words by which it is found."""

    id: str
    title: Wording
    text: Wording
    words: Mapping[str, tuple[str, ...]] = {}


class Knowledge(Step, frozen=True, kw_only=True):
    """Tells what the flow knows about a question (a template); `not_found` when that is nothing."""

    question: str
    articles: tuple[Article, ...]
    not_found: str = PERSON


class Queue(Step, frozen=True, kw_only=True):
    """Puts the customer in a queue, with what the agent should know. Ends the session."""

    queue: str
    skills: Mapping[str, int] = {}
    head_start_s: float = 0.0
    note: str = ""
    text: Wording = Wording()


class Callback(Step, frozen=True, kw_only=True):
    """Books a call to a phone number (a template), keeping the place in the queue. Ends the session."""

    queue: str
    phone: str
    note: str = ""
    text: Wording = Wording()


class LeaveMessage(Step, frozen=True, kw_only=True):
    """Takes a message, spoken or written, and puts it in a queue to be answered later. Ends the session."""

    queue: str
    text: Wording
    thanks: Wording = Wording()
    most_s: float = 120.0


class Promise(Step, frozen=True, kw_only=True):
    """Notes what was promised, and until when."""

    text: str
    due_s: float
    queue: str = ""


class Send(Step, frozen=True, kw_only=True):
    """Sends a message on another channel, if the customer has agreed (an expression).

    Without `to` (a template) it goes to the customer's own address. `by` names the channel that sends it; without it,
    one is found. What is not sent leads to `refused`; where there is none the customer is told, unless it is they who
    did not agree.
    """

    medium: Medium
    consent: str
    text: Wording
    to: str = ""
    by: str = ""
    subject: Wording = Wording()
    refused: str = ""


class Language(Step, frozen=True, kw_only=True):
    """Speaks another language from here on: one of the flow's, or what an expression says."""

    language: str


class SubFlow(Step, frozen=True, kw_only=True):
    """Enters another flow and comes back."""

    flow: str


class HandBack(Step, frozen=True, kw_only=True):
    """Goes back to the flow, or to the agent, that this one was entered from."""


class End(Step, frozen=True, kw_only=True):
    """The customer has what they wanted; another flow may ask how it was."""

    text: Wording = Wording()
    survey: str = ""


AnyStep = (
    Say
    | Ask
    | Branch
    | LookUp
    | SetFields
    | Knowledge
    | Queue
    | Callback
    | LeaveMessage
    | Promise
    | Send
    | Language
    | SubFlow
    | HandBack
    | End
)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Where "agent", "0", silence and frustration lead."""

    queue: str
    skills: Mapping[str, int] = {}
    head_start_s: float = 0.0
    note: str = ""
    text: Wording = Wording()
    line: int = 0


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation. `version` is computed from its text: equal texts are equal versions.

    `dates` says how 3/4 is read: `dmy` or `mdy`. `region` is the country of phone numbers without a prefix.
    """

    name: str
    file: str
    version: str
    title: Wording
    languages: tuple[str, ...]
    media: tuple[Medium, ...]
    start: str
    steps: Mapping[str, AnyStep]
    person: Person | None
    dates: str = "dmy"
    region: str = "US"
    currency: str = "USD"

    def answers(self) -> list[str]:
        """Return the names of all that this flow asks for."""
        return list(dict.fromkeys(step.name for step in self.steps.values() if isinstance(step, Ask)))

    def results(self) -> list[str]:
        """Return the names of all that this flow looks up."""
        return list(dict.fromkeys(step.name for step in self.steps.values() if isinstance(step, LookUp)))


Book = Mapping[str, Flow]
"""Every flow that a session may enter, by name, each in the one version that the session is pinned to."""


def targets(step: AnyStep) -> list[str]:
    """Return where a step may lead, in the order of the file; reserved names included."""
    found = [case.then for case in step.cases] if isinstance(step, Branch) else []
    if isinstance(step, Ask):
        found += [option.then for option in step.choices if option.then]
        found.append(step.otherwise)
    if isinstance(step, LookUp):
        found += [step.not_found, step.failed]
    if isinstance(step, Knowledge):
        found.append(step.not_found)
    if isinstance(step, Send) and step.refused:
        found.append(step.refused)
    if step.then and not (isinstance(step, Ask) and step.choices and all(option.then for option in step.choices)):
        found.append(step.then)
    return list(dict.fromkeys(found))


def is_last(step: AnyStep) -> bool:
    """Whether nothing comes after such a step."""
    return isinstance(step, Queue | Callback | LeaveMessage | HandBack | End)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known name, or all of them when none is near."""
    names = sorted(map(str, known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else ""
