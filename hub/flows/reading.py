"""From a YAML text to a flow: every mistake told at once, with its line and the nearest right word.

What a step may hold stands in `KINDS`; the reference (docs/reference/flows.md) is compared with it by a test.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from hub.flows import model
from hub.flows.model import AnswerType, AnyStep, Finding, Flow, FlowError, Medium, Wording, nearest
from hub.flows.sources import Node, SourceError
from hub.flows.sources import read as read_source

T = TypeVar("T")

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?")
_PATTERN: Final = re.compile(r"[#@*A-Za-z0-9 ./_-]{1,40}")
_PATH: Final = re.compile(r"/[A-Za-z0-9/._~-]{0,300}")
_HOLE: Final = re.compile(r"\{\{[^{}]*\}\}")
_DIGIT: Final = re.compile(r"[0-9]|")
MAX_WORDS: Final = 4_000
MAX_CHOICES: Final = 9


class _Wrong(Exception):
    """A value is not what stands there; it was noted."""


class Field(NamedTuple):
    """One key of a table: the attribute it becomes, how it is read, whether it has to be there."""

    attribute: str
    read: "Callable[[Reader, Node], Any]"
    is_needed: bool = False


class Kind(NamedTuple):
    """One kind of step: its type, and its keys; the first one names the kind."""

    step: type[model.Step]
    fields: Mapping[str, Field]


def read_flow(text: str, file: str) -> Flow:
    """Return the flow of a YAML text.

    Raises:
        FlowError: with everything that is wrong in its form. What its steps lead to is checked by `checking`.
    """
    reader = Reader(file)
    try:
        flow = reader.flow(read_source(text), hashlib.sha256(text.encode()).hexdigest()[:12])
    except SourceError as error:
        raise FlowError([Finding(file=file, line=error.line, text=str(error), hint=error.hint)]) from error
    except _Wrong:
        flow = None
    if reader.findings or flow is None:
        raise FlowError(sorted(reader.findings, key=lambda finding: finding.line))
    return flow


class Reader:
    """Reads nodes as what should stand there, collecting what does not fit."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.languages: tuple[str, ...] = ("en",)

    def wrong(self, line: int, text: str, hint: str = "") -> _Wrong:
        """Note a mistake; the caller raises what is returned."""
        self.findings.append(Finding(file=self.file, line=line, text=text, hint=hint))
        return _Wrong(text)

    def flow(self, node: Node, version: str) -> Flow:
        """Return the whole flow."""
        table = self.table(node)
        if "languages" in table:
            self.languages = self.tried(lambda: _languages(self, table["languages"]), ("en",))
        values = self.fields(node, _FLOW)
        steps: dict[str, AnyStep] = values.pop("steps", {})
        start = values.pop("start", next(iter(steps), ""))
        if self.findings:
            raise _Wrong
        if len(steps) > model.MAX_STEPS:
            raise self.wrong(node.line, f"The flow has more than {model.MAX_STEPS} steps.", "Move some to a sub-flow.")
        values.setdefault("person", None)
        values.setdefault("languages", self.languages)
        values.setdefault("media", (Medium.PHONE, Medium.CHAT, Medium.SMS))
        return Flow(file=self.file, version=version, steps=steps, start=start, **values)

    def table(self, node: Node) -> dict[str, Node]:
        """Return a node that has to be a table."""
        if not isinstance(node.value, dict):
            raise self.wrong(node.line, "A table (key: value) is wanted here.")
        return node.value

    def fields(self, node: Node, wanted: Mapping[str, Field]) -> dict[str, Any]:
        """Return a table's values by attribute; noted are unknown keys, missing keys, and what cannot be read."""
        table = self.table(node)
        values: dict[str, Any] = {}
        for key, inner in table.items():
            field = wanted.get(key)
            if field is None:
                self.wrong(inner.line, f"There is no key {key!r} here.", nearest(key, wanted))
                continue
            try:
                values[field.attribute] = field.read(self, inner)
            except _Wrong:
                continue
        for key, field in wanted.items():
            if field.is_needed and key not in table:
                self.wrong(node.line, f"The key {key!r} is missing here.")
        return values

    def tried(self, read: Callable[[], T], instead: T) -> T:
        """Return what is read, or something to go on with after a mistake was noted."""
        try:
            return read()
        except _Wrong:
            return instead


def _string(reader: Reader, node: Node) -> str:
    if isinstance(node.value, bool) or not isinstance(node.value, str | int | float):
        raise reader.wrong(node.line, "A text is wanted here.")
    if len(str(node.value)) > MAX_WORDS:
        raise reader.wrong(node.line, f"A text holds at most {MAX_WORDS:,} characters.")
    return str(node.value)


def _flag(reader: Reader, node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise reader.wrong(node.line, "true or false is wanted here.")
    return node.value


def _number(least: float, most: float) -> Callable[[Reader, Node], float]:
    def read(reader: Reader, node: Node) -> float:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise reader.wrong(node.line, "A number is wanted here.")
        if not least <= node.value <= most:
            raise reader.wrong(node.line, f"A number from {least:g} to {most:g} is wanted here.")
        return node.value

    return read


def _whole(least: int, most: int) -> Callable[[Reader, Node], int]:
    def read(reader: Reader, node: Node) -> int:
        value = _number(least, most)(reader, node)
        if value != int(value):
            raise reader.wrong(node.line, "A whole number is wanted here.")
        return int(value)

    return read


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[Reader, Node], str]:
    def read(reader: Reader, node: Node) -> str:
        text = _string(reader, node)
        if not pattern.fullmatch(text):
            raise reader.wrong(node.line, f"{text[:60]!r} is not {wanted}.")
        return text

    return read


def _one_of(known: tuple[str, ...]) -> Callable[[Reader, Node], str]:
    def read(reader: Reader, node: Node) -> str:
        text = _string(reader, node)
        if text not in known:
            raise reader.wrong(node.line, f"{text[:60]!r} is not one of {', '.join(known)}.", nearest(text, known))
        return text

    return read


def _list_of(read_one: Callable[[Reader, Node], T], most: int = 50) -> Callable[[Reader, Node], tuple[T, ...]]:
    def read(reader: Reader, node: Node) -> tuple[T, ...]:
        items = node.value if isinstance(node.value, list) else [node]
        if len(items) > most:
            raise reader.wrong(node.line, f"At most {most} are taken here.")
        return tuple(read_one(reader, item) for item in items)

    return read


def _table_of(read_one: Callable[[Reader, Node], T], most: int = 50) -> Callable[[Reader, Node], dict[str, T]]:
    def read(reader: Reader, node: Node) -> dict[str, T]:
        table = reader.table(node)
        if len(table) > most:
            raise reader.wrong(node.line, f"At most {most} are taken here.")
        return {key: read_one(reader, inner) for key, inner in table.items()}

    return read


def _languages(reader: Reader, node: Node) -> tuple[str, ...]:
    return _list_of(_matching(_LANGUAGE, "a language (en, zh)"), 10)(reader, node)


def _media(reader: Reader, node: Node) -> tuple[Medium, ...]:
    return tuple(map(Medium, _list_of(_one_of(tuple(Medium)))(reader, node)))


def _wording(reader: Reader, node: Node) -> Wording:
    """Read a text: one for all, or by language, or by language and medium."""
    if not isinstance(node.value, dict):
        return Wording({reader.languages[0]: {"": _string(reader, node)}}, node.line)
    texts: dict[str, dict[str, str]] = {}
    for language, inner in node.value.items():
        if language not in reader.languages:
            raise reader.wrong(
                inner.line, f"The flow is not written in {language!r}.", nearest(language, reader.languages)
            )
        texts[language] = _by_medium(reader, inner)
    return Wording(texts, node.line)


def _by_medium(reader: Reader, node: Node) -> dict[str, str]:
    if not isinstance(node.value, dict):
        return {"": _string(reader, node)}
    known = ("default", *Medium)
    found: dict[str, str] = {}
    for medium, inner in node.value.items():
        if medium not in known:
            raise reader.wrong(inner.line, f"There is no channel {medium!r}.", nearest(medium, known))
        found["" if medium == "default" else medium] = _string(reader, inner)
    return found


def _words(reader: Reader, node: Node) -> dict[str, tuple[str, ...]]:
    """Read words by language; a plain list is in the flow's first language."""
    if not isinstance(node.value, dict):
        return {reader.languages[0]: _list_of(_string)(reader, node)}
    for language, inner in node.value.items():
        if language not in reader.languages:
            raise reader.wrong(
                inner.line, f"The flow is not written in {language!r}.", nearest(language, reader.languages)
            )
    return _table_of(_list_of(_string))(reader, node)


def _choices(reader: Reader, node: Node) -> tuple[model.Option, ...]:
    table = reader.table(node)
    if not 1 <= len(table) <= MAX_CHOICES:
        raise reader.wrong(node.line, f"A question has 1 to {MAX_CHOICES} choices.", "Ask in two steps.")
    made = []
    for place, (name, inner) in enumerate(table.items(), 1):
        if not _ID.fullmatch(name):
            raise reader.wrong(inner.line, f"{name[:60]!r} is not a name (small letters, digits, _).")
        values = {"digit": str(place), **reader.fields(inner, _OPTION)}
        if "label" not in values:
            raise _Wrong
        made.append(model.Option(id=name, line=inner.line, **values))
    keys = [option.digit for option in made if option.digit]
    if len(keys) != len(set(keys)):
        raise reader.wrong(node.line, "Two choices have the same key.")
    return tuple(made)


def _cases(reader: Reader, node: Node) -> tuple[model.Case, ...]:
    if not isinstance(node.value, list) or not node.value:
        raise reader.wrong(node.line, "A list of cases is wanted here.", '- {when: "EXPRESSION", then: STEP}')
    made = []
    for inner in node.value[:50]:
        values = reader.fields(inner, _CASE)
        if len(values) == len(_CASE):
            made.append(model.Case(line=inner.line, **values))
    return tuple(made)


def _articles(reader: Reader, node: Node) -> tuple[model.Article, ...]:
    made = []
    for name, inner in reader.table(node).items():
        values = reader.fields(inner, _ARTICLE)
        if "title" in values and "text" in values:
            made.append(model.Article(id=name, **values))
    return tuple(made)


def _person(reader: Reader, node: Node) -> model.Person:
    values = reader.fields(node, _PERSON)
    if "queue" not in values:
        raise _Wrong
    return model.Person(line=node.line, **values)


def _steps(reader: Reader, node: Node) -> dict[str, AnyStep]:
    table = reader.table(node)
    made: dict[str, AnyStep] = {}
    for name, inner in table.items():
        try:
            made[name] = _step(reader, name, inner)
        except _Wrong:
            continue
    return _in_sequence(made)


def _in_sequence(steps: dict[str, AnyStep]) -> dict[str, AnyStep]:
    """A step that does not say what comes after it is followed by the one below."""
    names = [*steps, ""]
    return {
        name: step if step.then or model.is_last(step) else msgspec.structs.replace(step, then=names[place + 1])
        for place, (name, step) in enumerate(steps.items())
    }


def _step(reader: Reader, name: str, node: Node) -> AnyStep:
    if not _ID.fullmatch(name) or name in model.RESERVED:
        raise reader.wrong(
            node.line, f"{name[:60]!r} cannot be a step's name.", "Small letters, digits and _; not person, end, back."
        )
    table = reader.table(node)
    kind = next((key for key in table if key in KINDS), "")  # a promise may hold a queue: the first key counts
    if not kind:
        hint = nearest(next(iter(table), ""), KINDS)
        raise reader.wrong(node.line, f"The step {name!r} is of no known kind.", hint)
    step, fields = KINDS[kind]
    noted = len(reader.findings)
    values = reader.fields(node, fields)
    values.pop("", None)
    if len(reader.findings) > noted:
        raise _Wrong
    made: AnyStep = step(id=name, line=node.line, **values)  # type: ignore[assignment]
    _check_question(reader, made)
    return made


def _check_question(reader: Reader, step: AnyStep) -> None:
    if not isinstance(step, model.Ask):
        return
    if (step.type is AnswerType.CHOICE) != bool(step.choices):
        raise reader.wrong(step.line, "Choices stand with the type `choice`, and only there.")
    if (step.type is AnswerType.PATTERN) != bool(step.pattern):
        raise reader.wrong(step.line, "A pattern stands with the type `pattern`, and only there.")


def _path(reader: Reader, node: Node) -> str:
    """Read a URL's path: it begins with /, and nothing but its variables is not written out."""
    text = _string(reader, node)
    if not _PATH.fullmatch(_HOLE.sub("", text)) or ".." in text or "//" in text:
        raise reader.wrong(node.line, f"{text[:60]!r} is not a path (/orders/{{{{ answers.order }}}}).")
    return text


def _answer_type(reader: Reader, node: Node) -> AnswerType:
    return AnswerType(_one_of(tuple(AnswerType))(reader, node))


def _carried(reader: Reader, node: Node) -> Medium:
    return Medium(_one_of((Medium.SMS, Medium.EMAIL))(reader, node))


def _ending(reader: Reader, node: Node) -> Wording:
    return Wording() if node.value is True or node.value is None else _wording(reader, node)


_target: Final = _matching(_ID, "a step's name")
_id: Final = _matching(_ID, "a name (small letters, digits, _)")
_name: Final = _matching(_NAME, "a name (small letters, digits, -, _)")
_skills: Final = _table_of(_whole(1, 5))
_templates: Final = _table_of(_string, 30)

_COMMON: Final = {"then": Field("then", _target)}
_FLOW: Final = {
    "flow": Field("name", _name, is_needed=True),
    "title": Field("title", _wording, is_needed=True),
    "languages": Field("languages", _languages),
    "channels": Field("media", _media),
    "person": Field("person", _person),
    "dates": Field("dates", _one_of(("dmy", "mdy"))),
    "region": Field("region", _matching(re.compile("[A-Z]{2}"), "a country (US)")),
    "currency": Field("currency", _matching(re.compile("[A-Z]{3}"), "a currency (USD)")),
    "start": Field("start", _target),
    "steps": Field("steps", _steps, is_needed=True),
}
_OPTION: Final = {
    "label": Field("label", _wording, is_needed=True),
    "words": Field("words", _words),
    "digit": Field("digit", _matching(_DIGIT, "one digit")),
    "then": Field("then", _target),
}
_CASE: Final = {"when": Field("when", _string, is_needed=True), "then": Field("then", _target, is_needed=True)}
_ARTICLE: Final = {
    "title": Field("title", _wording, is_needed=True),
    "text": Field("text", _wording, is_needed=True),
    "words": Field("words", _words),
}
_PERSON: Final = {
    "queue": Field("queue", _name, is_needed=True),
    "skills": Field("skills", _skills),
    "head_start_s": Field("head_start_s", _number(0, 3_600)),
    "note": Field("note", _string),
    "text": Field("text", _wording),
}

KINDS: Final[dict[str, Kind]] = {
    "say": Kind(model.Say, {"say": Field("text", _wording, is_needed=True), **_COMMON}),
    "ask": Kind(
        model.Ask,
        {
            "ask": Field("name", _id, is_needed=True),
            "type": Field("type", _answer_type, is_needed=True),
            "text": Field("text", _wording, is_needed=True),
            "choices": Field("choices", _choices),
            "pattern": Field("pattern", _matching(_PATTERN, "a pattern (# digit, @ letter, * either)")),
            "least": Field("least", _number(-(10**12), 10**12)),
            "most": Field("most", _number(-(10**12), 10**12)),
            "retry": Field("retry", _wording),
            "help": Field("help", _wording),
            "help_words": Field("help_words", _list_of(_string)),
            "tries": Field("tries", _whole(1, 9)),
            "silence_s": Field("silence_s", _number(1, 604_800)),
            "once": Field("once", _flag),
            "otherwise": Field("otherwise", _target),
            **_COMMON,
        },
    ),
    "branch": Kind(
        model.Branch, {"branch": Field("cases", _cases, is_needed=True), "otherwise": Field("then", _target)}
    ),
    "look_up": Kind(
        model.LookUp,
        {
            "look_up": Field("name", _id, is_needed=True),
            "service": Field("service", _name, is_needed=True),
            "path": Field("path", _path, is_needed=True),
            "method": Field("method", _one_of(("GET", "POST", "PUT", "PATCH"))),
            "query": Field("query", _templates),
            "body": Field("body", _templates),
            "keep": Field("keep", _templates),
            "timeout_s": Field("timeout_s", _number(0.1, 10)),
            "tries": Field("tries", _whole(1, 4)),
            "text": Field("text", _wording),
            "not_found": Field("not_found", _target),
            "failed": Field("failed", _target),
            **_COMMON,
        },
    ),
    "set": Kind(model.SetFields, {"set": Field("fields", _templates, is_needed=True), **_COMMON}),
    "knowledge": Kind(
        model.Knowledge,
        {
            "knowledge": Field("question", _string, is_needed=True),
            "articles": Field("articles", _articles, is_needed=True),
            "not_found": Field("not_found", _target),
            **_COMMON,
        },
    ),
    "callback": Kind(
        model.Callback,
        {
            "callback": Field("queue", _name, is_needed=True),
            "phone": Field("phone", _string, is_needed=True),
            "note": Field("note", _string),
            "text": Field("text", _wording),
        },
    ),
    "leave_message": Kind(
        model.LeaveMessage,
        {
            "leave_message": Field("queue", _name, is_needed=True),
            "text": Field("text", _wording, is_needed=True),
            "thanks": Field("thanks", _wording),
            "most_s": Field("most_s", _number(5, 600)),
        },
    ),
    "promise": Kind(
        model.Promise,
        {
            "promise": Field("text", _string, is_needed=True),
            "due_s": Field("due_s", _number(60, 31_536_000), is_needed=True),
            "queue": Field("queue", _name),
            **_COMMON,
        },
    ),
    "send": Kind(
        model.Send,
        {
            "send": Field("medium", _carried, is_needed=True),
            "to": Field("to", _string),
            "by": Field("by", _name),
            "consent": Field("consent", _string, is_needed=True),
            "text": Field("text", _wording, is_needed=True),
            "subject": Field("subject", _wording),
            "refused": Field("refused", _target),
            **_COMMON,
        },
    ),
    "language": Kind(model.Language, {"language": Field("language", _string, is_needed=True), **_COMMON}),
    "flow": Kind(model.SubFlow, {"flow": Field("flow", _name, is_needed=True), **_COMMON}),
    "hand_back": Kind(model.HandBack, {"hand_back": Field("", _flag, is_needed=True)}),
    "end": Kind(model.End, {"end": Field("text", _ending, is_needed=True), "survey": Field("survey", _name)}),
    "queue": Kind(
        model.Queue,
        {
            "queue": Field("queue", _name, is_needed=True),
            "skills": Field("skills", _skills),
            "head_start_s": Field("head_start_s", _number(0, 3_600)),
            "note": Field("note", _string),
            "text": Field("text", _wording),
        },
    ),
}
"""Every kind of step and its keys."""

TABLES: Final[dict[str, Mapping[str, Field]]] = {
    "flow": _FLOW,
    "person": _PERSON,
    "choice": _OPTION,
    "case": _CASE,
    "article": _ARTICLE,
}
"""The other tables of a flow's file and their keys."""
