"""Reads the provider's markup strictly, and says everything the provider would object to.

`validate` is for tests and tools: every document the hub gives must come back with no problem at all. `read` is what
the exchange itself uses: errors make a document unusable, warnings are noted and what they concern is ignored, as the
provider does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit
from xml.parsers import expat

from channels.simulator.carrier.grammar import (
    ALONE,
    MESSAGING,
    NOUNS,
    SAY_ENCODED_LIMIT,
    SAY_LIMIT,
    SAY_LIMITS,
    SSML,
    UNREACHABLE_AFTER,
    VOICE,
    Choice,
    Element,
    Keys,
    Number,
    Text,
    Value,
    Words,
)

LARGEST: Final = 65_536
"""Bytes a fetched document may have."""
LARGEST_INLINE: Final = 4000
"""Characters of a document handed over in a REST request."""
MOST_CALLEES: Final = 10

PLACES: Final[Mapping[str, frozenset[str]]] = {
    "conference wait": frozenset({"Say", "Play", "Pause", "Redirect"}),
    "queue wait": frozenset({"Say", "Play", "Pause", "Redirect", "Hangup", "Leave", "Gather"}),
    "queue member": frozenset({"Say", "Play", "Pause", "Redirect"}),
    "callee": frozenset({"Say", "Play", "Pause", "Gather", "Hangup", "Redirect"}),
}
"""Verbs that documents fetched for a certain purpose may hold; a call's own documents hold any."""
PLACE_CODES: Final = {"conference wait": 13238, "queue wait": 13239, "queue member": 13221, "callee": 13228}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the provider would object to. `code` is its number; an error stops the document, a warning what it names."""

    code: int
    text: str
    line: int = 0
    is_error: bool = True


@dataclass(slots=True)
class Node:
    """An element of a document. `text` is its words, blanks at the ends taken away."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def number(self, name: str, default: int) -> int:
        """Return an attribute that is a whole number; what is none counts as not given."""
        value = self.attributes.get(name, "")
        return int(value) if re.fullmatch(r"\d{1,9}", value) else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return an attribute that is true or false."""
        return {"true": True, "false": False}.get(self.attributes.get(name, "").lower(), default)

    def words(self, name: str, default: str = "") -> frozenset[str]:
        """Return an attribute that is a list of words."""
        return frozenset(self.attributes.get(name, default).split())

    def of(self, *names: str) -> list["Node"]:
        """Return the children of these names."""
        return [child for child in self.children if child.name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that was read: its verbs in order, and what there was to object to."""

    verbs: Sequence[Node]
    problems: Sequence[Problem]

    @property
    def is_usable(self) -> bool:
        """Whether it can be obeyed."""
        return not any(problem.is_error for problem in self.problems)


class _Unparsable(Exception):
    """It is no XML, or none the provider reads."""


def validate(
    document: str | bytes, *, place: str = "", is_inline: bool = False, is_messaging: bool = False
) -> list[Problem]:
    """Return all that the provider would object to; an empty list for a document without fault.

    Args:
        document: as it goes over the wire.
        place: what it is fetched for, one of `PLACES`; empty for a call's own document.
        is_inline: it is handed over in a REST request: shorter, and no address in it may be relative.
        is_messaging: it answers a message, not a call.
    """
    found = list(read(document, place=place, is_messaging=is_messaging).problems)
    if is_inline:
        text = document.decode("utf-8", "replace") if isinstance(document, bytes) else document
        if len(text) > LARGEST_INLINE:
            found.append(Problem(code=32018, text=f"inline document has {len(text)} characters, {LARGEST_INLINE} fit"))
        found.extend(_relative_addresses(document))
    return found


def read(document: str | bytes, *, place: str = "", is_messaging: bool = False) -> Document:
    """Read a document; never raises, whatever it is given."""
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if len(raw) > LARGEST:
        return Document(verbs=(), problems=(Problem(code=11750, text=f"{len(raw)} bytes, at most {LARGEST} fit"),))
    try:
        root = _parse(raw)
    except _Unparsable as error:
        return Document(verbs=(), problems=(Problem(code=12100, text=str(error)),))
    if root.name != "Response":
        return Document(
            verbs=(), problems=(Problem(code=12100, text=f"the root is <{root.name}>, not <Response>", line=root.line),)
        )
    grammar = MESSAGING if is_messaging else VOICE
    problems = list(_check(root, grammar))
    if not is_messaging:
        problems.extend(_check_order(root.children))
        if place:
            problems.extend(_check_place(root.children, place))
    return Document(verbs=root.children, problems=problems)


# -- parsing


class _Builder:
    """Collects what the parser reports into nodes."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._open: list[Node] = []
        self.root: Node | None = None
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        if len(self._open) > 20:
            raise _Unparsable("nested too deeply")

    def _end(self, _name: str) -> None:
        node = self._open.pop()
        node.text = " ".join(node.text.split())

    def _text(self, text: str) -> None:
        self._open[-1].text += text
        for node in self._open[:-1]:
            if node.name == "Say":
                node.text += text

    def _refuse(self, *_: object) -> None:
        raise _Unparsable("document types are not read")


def _parse(raw: bytes) -> Node:
    if not raw.strip():
        raise _Unparsable("the document is empty")
    parser = expat.ParserCreate()
    builder = _Builder(parser)
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _Unparsable(str(error)) from error
    if builder.root is None:
        raise _Unparsable("the document is empty")
    return builder.root


# -- checks


def _check(node: Node, grammar: Mapping[str, Element]) -> Iterator[Problem]:
    element = grammar.get(node.name)
    if element is None:
        yield Problem(code=12200, text=f"<{node.name}> is no element", line=node.line)
        return
    for name, value in node.attributes.items():
        kind = element.attributes.get(name)
        if kind is None:
            yield Problem(code=12200, text=f"<{node.name}> has no attribute {name}", line=node.line, is_error=False)
        elif not _fits(value, kind):
            yield Problem(code=12200, text=f"{node.name} {name}={value[:60]!r}", line=node.line, is_error=False)
    for name in element.required - node.attributes.keys():
        yield Problem(code=12200, text=f"<{node.name}> needs {name}", line=node.line)
    yield from _check_text(node, element)
    for child in node.children:
        if child.name not in element.children:
            where = "is no verb" if node.name == "Response" else f"may not stand in <{node.name}>"
            yield Problem(code=12200, text=f"<{child.name}> {where}", line=child.line)
        elif child.name not in SSML:
            yield from _check(child, grammar)
    if grammar is VOICE:
        yield from _CHECKS.get(node.name, _nothing)(node)


def _check_text(node: Node, element: Element) -> Iterator[Problem]:
    if element.text == "no" and node.text and node.name != "Response":
        yield Problem(code=12200, text=f"<{node.name}> holds no text", line=node.line, is_error=False)
    if element.text == "must" and not node.text:
        yield Problem(code=_EMPTY.get(node.name, 12200), text=f"<{node.name}> is empty", line=node.line)


_EMPTY: Final = {"Say": 13520, "Number": 13223, "Sip": 13224, "Conference": 13230, "Message": 14101, "Media": 14102}


def _fits(value: str, kind: Value) -> bool:
    match kind:
        case Choice():
            return value in kind.words
        case Words():
            return set(value.split()) <= kind.words
        case Number():
            is_number = re.fullmatch(r"\d{1,9}", value) is not None
            return value == kind.word != "" or (is_number and kind.least <= int(value) <= kind.most)
        case Text():
            return len(value) <= kind.most
        case Keys():
            return re.fullmatch(kind.pattern, value) is not None
        case _:
            return _is_address(value)


def _is_address(value: str) -> bool:
    """Whether it can be called: http(s), or relative; hosts with an underscore are refused by the provider."""
    if any(character.isspace() for character in value):
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"", "http", "https", "wss"} and "_" not in host


def _nothing(_node: Node) -> Iterator[Problem]:
    return iter(())


def _check_say(node: Node) -> Iterator[Problem]:
    voice = node.get("voice")
    most = next((most for start, most in SAY_LIMITS.items() if voice.startswith(start)), SAY_LIMIT)
    if len(node.text) > most:
        yield Problem(code=13520, text=f"Say has {len(node.text)} characters, {most} fit", line=node.line)
    elif len(quote(node.text)) > SAY_ENCODED_LIMIT:
        yield Problem(code=13520, text="Say is too long once encoded", line=node.line)
    language = node.get("language")
    spoken = re.match(r"Google\.([a-z]{2,3}-[A-Z]{2})", voice)
    if spoken and language and spoken[1] != language:
        yield Problem(code=13512, text=f"voice {voice} does not speak {language}", line=node.line, is_error=False)


def _check_play(node: Node) -> Iterator[Problem]:
    if not node.text and "digits" not in node.attributes:
        yield Problem(code=13410, text="<Play> has neither address nor digits", line=node.line)
    elif node.text and not _is_address(node.text):
        yield Problem(code=11100, text=f"{node.text[:80]!r} is no address", line=node.line)


def _check_dial(node: Node) -> Iterator[Problem]:
    several = node.of(*NOUNS)
    alone = node.of(*ALONE)
    if len(several) > MOST_CALLEES:
        yield Problem(code=13245, text=f"<Dial> calls {len(several)} at once, at most {MOST_CALLEES}", line=node.line)
    if (alone and (several or len(alone) > 1)) or (node.children and node.text):
        yield Problem(code=12200, text="<Dial> mixes what must stand alone", line=node.line)
    if not node.children and not node.text:
        yield Problem(code=13201, text="<Dial> calls nobody", line=node.line)


def _check_client(node: Node) -> Iterator[Problem]:
    identity = node.of("Identity")
    name = identity[0].text if identity else node.text
    if not name or len(name) > 256:
        yield Problem(code=13221, text="<Client> has no usable identity", line=node.line)


def _check_gather(node: Node) -> Iterator[Problem]:
    hints = [hint.strip() for hint in node.get("hints").split(",")] if node.get("hints") else []
    if len(hints) > 500 or any(len(hint) > 100 for hint in hints):
        yield Problem(code=13331, text="hints: at most 500 of 100 characters", line=node.line, is_error=False)
    if node.get("speechModel") and not node.get("speechTimeout").isdigit() and "speech" in node.get("input"):
        yield Problem(code=13335, text="speechModel needs speechTimeout in seconds", line=node.line, is_error=False)


def _check_enqueue(node: Node) -> Iterator[Problem]:
    if len(node.text) > 64:
        yield Problem(code=13330, text="a queue's name has at most 64 characters", line=node.line)
    if not node.text and not node.get("workflowSid"):
        yield Problem(code=13330, text="<Enqueue> names no queue", line=node.line)


def _check_record(node: Node) -> Iterator[Problem]:
    if node.flag("transcribe") and node.number("maxLength", 120) > 120:
        yield Problem(code=13613, text="with transcribe at most 120 s", line=node.line, is_error=False)


_CHECKS: Final = {
    "Say": _check_say,
    "Play": _check_play,
    "Dial": _check_dial,
    "Client": _check_client,
    "Gather": _check_gather,
    "Enqueue": _check_enqueue,
    "Record": _check_record,
}


def _check_order(verbs: Sequence[Node]) -> Iterator[Problem]:
    """Say what can never run: after a verb that hands over for good, or a Reject that does not stand first."""
    for index, verb in enumerate(verbs):
        hands_over = verb.name in UNREACHABLE_AFTER or (verb.name == "Dial" and "action" in verb.attributes)
        if hands_over and index + 1 < len(verbs):
            after = verbs[index + 1]
            yield Problem(
                code=12200, text=f"<{after.name}> after <{verb.name}> never runs", line=after.line, is_error=False
            )
        if verb.name == "Reject" and index:
            yield Problem(code=12200, text="<Reject> only works as the first verb", line=verb.line, is_error=False)


def _check_place(verbs: Sequence[Node], place: str) -> Iterator[Problem]:
    allowed = PLACES[place]
    for verb in verbs:
        if verb.name not in allowed:
            yield Problem(
                code=PLACE_CODES[place], text=f"<{verb.name}> may not stand in a {place} document", line=verb.line
            )


ADDRESSES: Final = frozenset(
    {
        *("action", "url", "waitUrl", "statusCallback", "recordingStatusCallback", "partialResultCallback"),
        *("amdStatusCallback", "transcribeCallback", "referUrl", "statusCallbackUrl"),
    }
)


def _relative_addresses(document: str | bytes) -> Iterator[Problem]:
    def walk(nodes: Sequence[Node]) -> Iterator[Problem]:
        for node in nodes:
            held = [value for name, value in node.attributes.items() if name in ADDRESSES and value]
            if node.name in {"Redirect", "Play"} and node.text:
                held.append(node.text)
            for value in held:
                if not urlsplit(value).scheme:
                    yield Problem(code=11100, text=f"{value[:80]!r} is relative to nothing", line=node.line)
            yield from walk(node.children)

    yield from walk(read(document).verbs)
