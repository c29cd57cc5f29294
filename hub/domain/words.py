"""Words: how a text is cut for searching in any language, and where a query's words stand in a text.

Scripts written without spaces (Chinese, Japanese, Korean, Thai and neighbours) are cut in pairs of characters,
documents also in single ones; everything else in words. Both sides are normalized (NFKC), lowered, and freed of
accents. The index holds exactly the tokens made here: neither database cuts, stems or folds anything by itself.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import msgspec

MAX_TEXT = 50_000
"""Characters of one document that are indexed. PostgreSQL takes 1 MB of words in a document; this stays below it."""
MAX_QUERY = 200
"""Characters of a query that are looked at; the rest is ignored."""
MAX_WORDS = 12
"""Words of a query that are looked for. More narrow nothing down and cost one list each."""
MAX_WORD = 40
"""Characters of a word that count: long blobs (keys, links) are found by their beginning."""
MIN_PREFIX = 2
"""Letters from which the last word of a query also finds longer words."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Vowel signs are part of an Indic word, though Python's \w leaves them out.
_SIGNS = "\u0900-\u0963\u0971-\u0dff"
_ACCENTS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
_INVISIBLE = "\u00ad\u200b-\u200f\u2060\ufeff"
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(f"(?:[^\\W_]|[{_SIGNS}])+")
_SHOWN_WORD = re.compile(f"(?:[^\\W_]|[{_SIGNS}{_ACCENTS}{_INVISIBLE}])+")
_RUN = re.compile(f"([{_UNSPACED}]+)")
_DROPPED = re.compile(f"[{_ACCENTS}{_INVISIBLE}]")
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "\u0131": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)


class Query(msgspec.Struct, frozen=True):
    """What is looked for: every one of `words`, and a word that begins with `prefix` unless that is empty."""

    words: tuple[str, ...] = ()
    prefix: str = ""

    def __bool__(self) -> bool:
        return bool(self.words or self.prefix)


class Snippet(msgspec.Struct, frozen=True):
    """A piece of a text around its first hit. `marks` are the hits' [start, end) in UTF-16 units, as browsers count."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


def folded(text: str) -> str:
    """Return the text as it is compared: compatible forms made one, lower case, no accents."""
    if text.isascii():
        return text.lower()
    plain = _DROPPED.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", plain).translate(_STROKES)


def document(text: str) -> str:
    """Return the tokens under which a text is found, each once, joined by spaces."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return " ".join(dict.fromkeys(word[:MAX_WORD] for word in _ASCII_WORD.findall(text.lower())))
    tokens: dict[str, None] = {}
    for piece, is_unspaced in _pieces(folded(text)):
        if is_unspaced:
            tokens.update(dict.fromkeys(piece))
            tokens.update(dict.fromkeys(map("".join, pairwise(piece))))
        else:
            tokens[piece[:MAX_WORD]] = None
    return " ".join(tokens)


def query(text: str) -> Query:
    """Return what somebody looks for. Whatever was typed, only letters and digits are left of it."""
    words: dict[str, None] = {}
    last = ""
    for piece, is_unspaced in _pieces(folded(text[:MAX_QUERY])):
        last = "" if is_unspaced else piece[:MAX_WORD]
        if is_unspaced and len(piece) > 1:
            words.update(dict.fromkeys(map("".join, pairwise(piece))))
        else:
            words[piece[:MAX_WORD]] = None
    listed = list(words)[:MAX_WORDS]
    if len(last) >= MIN_PREFIX and last in listed:
        listed.remove(last)
        return Query(tuple(listed), last)
    return Query(tuple(listed))


def finds(wanted: Query, text: str) -> bool:
    """Whether a text holds all that is looked for: the same answer the index gives, without the index."""
    if not wanted:
        return False
    plain = folded(text[:MAX_TEXT])
    if any(word not in plain for word in wanted.words) or wanted.prefix not in plain:
        return False
    tokens = document(text).split(" ")
    present = set(tokens)
    if any(word not in present for word in wanted.words):
        return False
    return not wanted.prefix or any(token.startswith(wanted.prefix) for token in tokens)


def spans(wanted: Query, text: str) -> list[tuple[int, int]]:
    """Return where the words that are looked for stand in the text, in order, as [start, end)."""
    found: list[tuple[int, int]] = []
    for match in _SHOWN_WORD.finditer(text):
        start = match.start()
        for piece in filter(None, _RUN.split(match.group())):
            for first, end in _in_piece(wanted, piece):
                if found and found[-1][1] >= start + first and _RUN.fullmatch(piece):
                    found[-1] = (found[-1][0], start + end)
                else:
                    found.append((start + first, start + end))
            start += len(piece)
    return found


def snippet(wanted: Query, text: str, *, width: int = 160) -> Snippet:
    """Return about `width` characters of the text around its first hit, in one line."""
    line = " ".join(text[:MAX_TEXT].split())
    hits = spans(wanted, line)
    start = max(hits[0][0] - width // 3, 0) if hits else 0
    if start and " " in line[start : start + 20]:
        start = line.index(" ", start) + 1
    end = min(start + width, len(line))
    head, tail = "… " if start else "", " …" if end < len(line) else ""
    shift = _units(head) - _units(line[:start])
    marks = tuple((_units(line[:a]) + shift, _units(line[: min(b, end)]) + shift) for a, b in hits if start <= a < end)
    return Snippet(f"{head}{line[start:end]}{tail}", marks)


def _pieces(plain: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a folded text and its unspaced runs, told apart."""
    for run in _WORD.findall(plain):
        for index, piece in enumerate(_RUN.split(run)):
            if piece:
                yield piece, index % 2 == 1


def _in_piece(wanted: Query, piece: str) -> list[tuple[int, int]]:
    plain = folded(piece)
    if not _RUN.fullmatch(plain):
        word = plain[:MAX_WORD]
        is_hit = word in wanted.words or (wanted.prefix and word.startswith(wanted.prefix))
        return [(0, len(piece))] if is_hit else []
    hits = [(n, n + 2) for n in range(len(plain) - 1) if plain[n : n + 2] in wanted.words]
    hits = hits or [(n, n + 1) for n, character in enumerate(plain) if character in wanted.words]
    return hits if len(plain) == len(piece) or not hits else [(0, len(piece))]


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
