"""Scripted dialogues beside a flow: what the customer does, what has to be said, how it has to end, on every channel.

    dialogues:
      - name: an order that is on its way
        language: en
        look_ups: {/orders/FW-10001: {status: shipped}}
        turns:
          - {choose: order}
          - {say: FW-10001, hears: "on its way", at: more}
        outcome: resolved
    intents:
      - {step: menu, language: zh, text: 我的快递到哪了, choice: order, sure: true}

One table gives the same outcome on each of the flow's channels: `choose` is a tap in chat, a key on the phone, a number
in a text message and a word in a mail.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.flows.asking import choices_of, known_choices
from hub.flows.machine import new_session, step
from hub.flows.matching import Similar, match
from hub.flows.model import Ask, Book, Finding, Medium
from hub.flows.run import Run
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
    Output,
    Posted,
    Said,
    Session,
    State,
    Stepped,
    TakeMessage,
    TimeUp,
    Wish,
)
from hub.flows.sources import Node, SourceError, read

START: Final = 1_795_000_000_000
"""When scripted dialogues take place: 18 November 2026, a Wednesday, 11:06 UTC."""


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer does: exactly one of `say`, `choose`, `press`, `silence`, `hang_up`; and what follows.

    Nobody hangs up on a mail: such a dialogue names the channels it is for.
    """

    say: str | int | float | None = None
    choose: str = ""
    press: str | int = ""
    silence: bool = False
    hang_up: bool = False
    hears: str | list[str] = []
    at: str = ""


class Dialogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One conversation and how it has to go. `sending` is what becomes of messages on another channel."""

    name: str
    turns: list[Turn] = []
    language: str = "en"
    channels: list[Medium] = []
    opening: str = ""
    opens: str | list[str] = []
    known: dict[str, Any] = {}
    look_ups: dict[str, Any] = {}
    sending: str = "sent"
    by_agent: bool = False
    outcome: str = ""
    reason: str = ""
    queue: str = ""
    answers: dict[str, Any] = {}


class Intent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text and the choice that it means at a question; `choice` "" is not understood."""

    step: str
    text: str
    choice: str = ""
    sure: bool = True
    language: str = "en"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is scripted for one flow."""

    flow: str
    dialogues: list[Dialogue] = []
    intents: list[Intent] = []


class Failure(msgspec.Struct, frozen=True):
    """Where a dialogue went another way: on which channel, at which turn, and how."""

    dialogue: str
    medium: str
    turn: int
    text: str

    def __str__(self) -> str:
        return f"{self.dialogue} [{self.medium}] turn {self.turn}: {self.text}"


class Talk:
    """One session driven by hand: for tables, for the terminal, for the try-it panel."""

    def __init__(
        self, book: Book, flow: str, medium: Medium, language: str, *, now: int = START, by_agent: bool = False
    ) -> None:
        self.book = book
        self.session: Session = new_session(
            "talk", book, flow, medium=medium, language=language, now=now, by_agent=by_agent
        )
        self.known: Mapping[str, Any] = {}
        self.now = now
        self.n = 0
        self.sending = "sent"
        self.similar: Similar | None = None

    @property
    def question(self) -> Ask | None:
        """The question that the session stands at."""
        frame = self.session.frames[-1]
        found = self.book[frame.flow].steps.get(frame.step)
        return found if isinstance(found, Ask) and self.session.state is State.ASKING else None

    def put(self, make: Callable[[str], Input]) -> Stepped:
        """Give the session an input made with an id of its own."""
        self.n += 1
        stepped = step(self.book, self.session, make(f"t{self.n}"), self.now, known=self.known, similar=self.similar)
        while (wish := stepped.sending) is not None:
            given = Posted(id=f"p{wish.id}", send=wish.id, outcome=self.sending, to=wish.to)
            stepped = stepped.followed_by(step(self.book, stepped.session, given, self.now, known=self.known))
        self.session = stepped.session
        self.now += 1_000
        return stepped

    def chosen(self, choice: str) -> Callable[[str], Input]:
        """Return how a choice is taken on this session's channel."""
        medium, question = self.session.medium, self.question
        offered = choices_of(Run(self.book, self.session, self.known, self.now), question) if question else ()
        one = next((one for one in offered if one.id == choice), None)
        if one is None or medium is Medium.CHAT:
            return lambda key: Said(id=key, choice=choice, text=one.label if one else choice)
        if medium is Medium.PHONE and one.digit:
            return lambda key: Said(id=key, digits=one.digit)
        return lambda key: Said(id=key, text=one.digit or one.label if medium is Medium.SMS else one.label)


def read_table(text: str, file: str) -> Table:
    """Return the dialogues of a YAML text.

    Raises:
        ValueError: it is no such table; the text says where.
    """
    try:
        node: Node = read(text)
    except SourceError as error:
        raise ValueError(str(Finding(file=file, line=error.line, text=str(error), hint=error.hint))) from error
    try:
        return msgspec.convert(node.plain(), Table)
    except msgspec.ValidationError as error:
        raise ValueError(f"error: {file}: {error}") from error


def play_table(table: Table, book: Book) -> list[Failure]:
    """Play every dialogue on every channel; returns where one went another way than the table says."""
    failures: list[Failure] = []
    for dialogue in table.dialogues:
        media = dialogue.channels or list(book[table.flow].media)
        for medium in media:
            failures += play(dialogue, book, table.flow, medium)
    return failures + _intents(table, book)


def play(dialogue: Dialogue, book: Book, flow: str, medium: Medium) -> list[Failure]:
    """Play one dialogue on one channel."""
    if medium is Medium.EMAIL and any(turn.hang_up for turn in dialogue.turns):
        return [Failure(dialogue.name, medium, 0, "Nobody hangs up on a mail: say which `channels` this is for.")]
    talk = Talk(book, flow, medium, dialogue.language, by_agent=dialogue.by_agent)
    talk.known, talk.sending = dialogue.known, dialogue.sending
    wishes: list[Wish] = []
    failures: list[Failure] = []

    def heard(place: int, stepped: Stepped, hears: str | list[str], at: str) -> None:
        said = _settled(talk, stepped, dialogue.look_ups, wishes)
        failures.extend(
            Failure(dialogue.name, medium, place, f"{wanted!r} was not said, but {said!r}.")
            for wanted in ([hears] if isinstance(hears, str) else hears)
            if wanted.casefold() not in said.casefold()
        )
        stands = talk.session.frames[-1].step
        if at and stands != at:
            failures.append(Failure(dialogue.name, medium, place, f"It stands at {stands!r}, not at {at!r}."))

    heard(0, talk.put(lambda key: Begin(key, dialogue.opening)), dialogue.opens, "")
    for place, turn in enumerate(dialogue.turns, 1):
        if talk.session.is_over:
            failures.append(Failure(dialogue.name, medium, place, f"It was over before: {talk.session.outcome}."))
            break
        heard(place, talk.put(_input(talk, turn)), turn.hears, turn.at)
    return failures + _ending(dialogue, talk, wishes)


def _settled(talk: Talk, stepped: Stepped, look_ups: Mapping[str, Any], wishes: list[Wish]) -> str:
    """Answer what is looked up until nothing is any more; return all that was said."""
    said: list[str] = []
    while True:
        said += [text_of(output) for output in stepped.outputs]
        wishes += stepped.wishes
        fetch = next((wish for wish in stepped.wishes if isinstance(wish, Fetch)), None)
        if fetch is None:
            return " ".join(filter(None, said))
        stepped = talk.put(answer_from(fetch, look_ups))


def answer_from(fetch: Fetch, look_ups: Mapping[str, Any]) -> Callable[[str], Input]:
    """Return the answer of a scripted system: a table by path; `failed` is a system that is out of order."""
    found = look_ups.get(fetch.path)
    outcome = "not_found" if found is None else "failed" if found == "failed" else "found"
    return lambda key: LookedUp(id=key, fetch=fetch.id, outcome=outcome, values=found)


def text_of(output: Output) -> str:
    """Return all the words of an output, its choices too."""
    if isinstance(output, Finished):
        return ""
    if isinstance(output, Asked):
        return " ".join(filter(None, [output.lead, output.text, *(one.label for one in output.choices)]))
    return output.text


def _input(talk: Talk, turn: Turn) -> Callable[[str], Input]:
    if turn.hang_up:
        return HungUp
    if turn.silence:
        return lambda key: TimeUp(key, talk.session.timer)
    if turn.choose:
        return talk.chosen(turn.choose)
    if turn.press != "" and talk.session.medium is Medium.PHONE:
        return lambda key: Said(id=key, digits=str(turn.press))
    return lambda key: Said(
        id=key, text=str(turn.press if turn.press != "" else turn.say if turn.say is not None else "")
    )


def _ending(dialogue: Dialogue, talk: Talk, wishes: Sequence[Wish]) -> list[Failure]:
    session = talk.session
    last = len(dialogue.turns)
    leads = next((w for w in wishes if isinstance(w, EnterQueue | BookCallback | TakeMessage)), None)
    wanted = (
        (dialogue.outcome, str(session.outcome or "open"), "The outcome"),
        (dialogue.reason, session.reason, "The reason"),
        (dialogue.queue, leads.queue if leads else "", "The queue"),
    )
    failures = [
        Failure(dialogue.name, session.medium, last, f"{name} is {found!r}, not {want!r}.")
        for want, found, name in wanted
        if want and want != found
    ]
    for name, value in dialogue.answers.items():
        if session.answers.get(name) != value:
            text = f"answers.{name} is {session.answers.get(name)!r}, not {value!r}."
            failures.append(Failure(dialogue.name, session.medium, last, text))
    return failures


def _intents(table: Table, book: Book) -> list[Failure]:
    failures: list[Failure] = []
    for place, intent in enumerate(table.intents, 1):
        question = book[table.flow].steps.get(intent.step)
        if not isinstance(question, Ask):
            failures.append(Failure(intent.text, "intent", place, f"{intent.step!r} is no question."))
            continue
        found = match(intent.text, known_choices(question), language=intent.language)
        if found.id != intent.choice or (found.id and found.is_sure != intent.sure):
            text = f"understood as {found.id!r} ({found.confidence:.2f}, {'sure' if found.is_sure else 'unsure'})"
            failures.append(Failure(intent.text, "intent", place, f"{text}, not as {intent.choice!r}."))
    return failures
