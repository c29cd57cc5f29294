"""What IMAP commands look like (RFC 3501, 9): words, quoted strings, literals, lists, and sets of numbers."""

import base64
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

_ATOM_END: Final = re.compile(rb"[\s()\"]")
_LITERAL: Final = re.compile(rb"\{(\d{1,12})\+?\}\r\n")
_DEEPEST: Final = 20
_SHIFTED: Final = re.compile(r"&([^-]*)-")
_FOREIGN: Final = re.compile(r"[^\x20-\x7e]+|&")


class Malformed(ValueError):
    """The command cannot be read."""


Word = bytes | list[Any]


def words(command: bytes) -> list[Word]:
    """Return a command's words; a list in parentheses is a list. Literals stand in it behind their `{n}` CRLF.

    Raises:
        Malformed: a quotation, a list or a literal has no end.
    """
    stack: list[list[Word]] = [[]]
    at = 0
    while at < len(command):
        character = command[at : at + 1]
        if character.isspace():
            at += 1
        elif character == b"(":
            if len(stack) > _DEEPEST:
                raise Malformed("Too deep.")
            stack.append([])
            at += 1
        elif character == b")":
            if len(stack) < 2:
                raise Malformed("A parenthesis too many.")
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        else:
            word, at = _word(command, at)
            stack[-1].append(word)
    if len(stack) != 1:
        raise Malformed("A parenthesis is missing.")
    return stack[0]


def _word(command: bytes, at: int) -> tuple[bytes, int]:
    if command[at : at + 1] == b'"':
        return _quoted(command, at + 1)
    if found := _LITERAL.match(command, at):
        end = found.end() + int(found[1])
        if end > len(command):
            raise Malformed("A literal is cut off.")
        return command[found.end() : end], end
    end = at
    while end < len(command):
        character = command[end : end + 1]
        if character == b"[":
            # BODY[HEADER.FIELDS (FROM TO)] is one word, spaces and all.
            closing = command.find(b"]", end)
            if closing < 0:
                raise Malformed("A bracket is missing.")
            end = closing + 1
        elif _ATOM_END.match(character):
            break
        else:
            end += 1
    if end == at:
        raise Malformed("That cannot be read.")
    return command[at:end], end


def _quoted(command: bytes, at: int) -> tuple[bytes, int]:
    found = bytearray()
    while at < len(command):
        character = command[at : at + 1]
        if character == b'"':
            return bytes(found), at + 1
        if character == b"\\":
            at += 1
            character = command[at : at + 1]
        found += character
        at += 1
    raise Malformed("A quotation is cut off.")


def literal_length(line: bytes) -> tuple[int, bool] | None:
    """Return how long the literal is that a line ends in, and whether the client waits to be asked for it."""
    found = re.search(rb"\{(\d{1,12})(\+?)\}\r\n$", line)
    return (int(found[1]), not found[2]) if found else None


def chosen(numbers: bytes, known: Collection[int]) -> set[int]:
    """Return which of the known numbers are in a set such as 1:3,7,9:*.

    Raises:
        Malformed: it is no such set.
    """
    highest = max(known, default=0)
    found: set[int] = set()
    for part in numbers.split(b","):
        first, colon, last = part.partition(b":")
        low = _number(first, highest)
        high = _number(last, highest) if colon else low
        low, high = min(low, high), max(low, high)
        found.update(number for number in known if low <= number <= high)
    return found


def _number(text: bytes, highest: int) -> int:
    if text == b"*":
        return highest
    if not text.isdigit() or len(text) > 10 or int(text) == 0:
        raise Malformed("That is no set of numbers.")
    return int(text)


def quoted(text: bytes | None) -> bytes:
    """Return a string as the protocol carries it; None is NIL."""
    if text is None:
        return b"NIL"
    if len(text) < 500 and re.fullmatch(rb"[\x20-\x7e]*", text):
        return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return literal(text)


def literal(text: bytes) -> bytes:
    """Return a string as a literal."""
    return b"{%d}\r\n%s" % (len(text), text)


def folder_name(word: Word) -> str:
    """Return a folder's name, out of modified UTF-7 (RFC 3501, 5.1.3).

    Raises:
        Malformed: it is none.
    """
    if not isinstance(word, bytes):
        raise Malformed("A folder's name was expected.")
    try:
        return _SHIFTED.sub(_unshifted, word.decode("utf-8"))
    except (UnicodeDecodeError, ValueError):
        raise Malformed("That is no folder's name.") from None


def shown_name(name: str) -> bytes:
    """Return a folder's name as the protocol carries it."""
    return quoted(_FOREIGN.sub(_shifted, name).encode("ascii"))


def _unshifted(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    text = found[1].replace(",", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-16-be")


def _shifted(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    coded = base64.b64encode(found[0].encode("utf-16-be")).decode("ascii")
    return f"&{coded.rstrip('=').replace('/', ',')}-"


def uppercase(parts: list[Word]) -> Iterator[Word]:
    """Yield words in capitals; lists stay."""
    for part in parts:
        yield part.upper() if isinstance(part, bytes) else part
