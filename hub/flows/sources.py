"""YAML with the line of everything, and without its traps: no aliases, no tags, `no` is a word, not False."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
import yaml

MAX_BYTES: Final = 262_144
MAX_DEPTH: Final = 20

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}

Plain = str | int | float | bool | None


class SourceError(ValueError):
    """The text is not what is understood here; `line` says where."""

    def __init__(self, line: int, text: str, hint: str = "") -> None:
        self.line = line
        self.hint = hint
        super().__init__(text)


class Node(msgspec.Struct, frozen=True):
    """One value with its line: a plain one, a list of nodes, or a table from key to node.

    `is_word` marks a plain value that was written without quotes.
    """

    line: int
    value: "Plain | list[Node] | dict[str, Node]"
    is_word: bool = False

    def plain(self) -> object:
        """Return the value without the lines."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value


def read(text: str) -> Node:
    """Return a document as nodes.

    Only what JSON knows: tables, lists, texts, numbers, true, false, null. A key stands once.

    Raises:
        SourceError: it is no such document, or larger or deeper than a flow ever is.
    """
    if len(text.encode()) > MAX_BYTES:
        raise SourceError(1, f"The file is larger than {MAX_BYTES:,} bytes.")
    try:
        events = list(_events(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        text = f"This is not YAML: {error.problem or error.context}."
        raise SourceError(line, text, "Texts with marks in them (: , ? #) stand in quotes.") from error
    except yaml.YAMLError as error:
        raise SourceError(1, f"This is not YAML: {error}.") from error
    if not events:
        raise SourceError(1, "The file is empty.")
    return _Builder(events).node()


def _events(text: str) -> Iterator[yaml.Event]:
    """Yield what the parser finds, and stop it before it goes deep: it slows down with every level."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SourceError(event.start_mark.line + 1, f"This is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


class _Builder:
    """Makes nodes of the parser's events."""

    def __init__(self, events: list[yaml.Event]) -> None:
        self._events = iter(events)

    def node(self) -> Node:
        return self._made(next(self._events))

    def _made(self, event: yaml.Event) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise SourceError(line, "Anchors and aliases (& and *) are not understood here.")
        if getattr(event, "tag", None):
            raise SourceError(line, "Tags (!) are not understood here.")
        if isinstance(event, yaml.ScalarEvent):
            return Node(line, _scalar(event), event.style is None)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(line, self._list())
        return Node(line, self._table())

    def _list(self) -> list[Node]:
        made = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            made.append(self._made(event))
        return made

    def _table(self) -> dict[str, Node]:
        made: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                raise SourceError(line, "A key is a plain word.")
            if event.value in made:
                raise SourceError(line, f"The key {event.value!r} stands twice.")
            value = self.node()
            made[event.value] = Node(line, value.value, value.is_word)
        return made


def _scalar(event: yaml.ScalarEvent) -> Plain:
    text: str = event.value
    if event.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
