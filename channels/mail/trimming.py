"""The new words of a mail apart from quotations, header blocks, signatures and disclaimers.

Nothing is deleted: the text is divided into parts that a page can fold. When folding would
leave no word, nothing is folded.
"""

# ruff: noqa: RUF001

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from channels.mail import signatures
from channels.mail.attributions import (
    Opening,
    Strength,
    find_attribution,
    find_divider,
    find_header_block,
    is_rule,
    role_of,
)
from channels.mail.rendering import Line, Mark, marked

MAX_LINES = 10_000
"""Lines that are looked at; a longer mail is quoted history or a log, and its rest counts as its last line."""


class Kind(Enum):
    """What a part of the text is."""

    NEW = "new"
    CONTEXT = "context"
    """Quoted words that the writer answers right below them."""
    QUOTE = "quote"
    ATTRIBUTION = "attribution"
    HEADERS = "headers"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"
    BANNER = "banner"


SHOWN = (Kind.NEW, Kind.CONTEXT)  # tuples of members: asked for every line, and compared by identity


@dataclass(frozen=True, slots=True)
class TextPart:
    """`text[start:end]` is of one kind."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A text and what its parts are; the parts cover it without gap or overlap."""

    text: str
    parts: tuple[TextPart, ...]
    reply_text: str
    is_whole: bool = False
    """Folding would have left nothing, so all of it counts as new."""

    @property
    def has_quote(self) -> bool:
        """Whether anything but signatures was folded."""
        return any(part.kind in (Kind.QUOTE, Kind.HEADERS, Kind.ATTRIBUTION, Kind.CONTEXT) for part in self.parts)


def parse_lines(raw: Sequence[str]) -> list[Line]:
    """The lines of plain text with their ">" marks counted."""
    lines: list[Line] = []
    for line in raw:
        if line[:4].lstrip(" \t").startswith(">") and not (lines and _is_address_broken(lines[-1].text)):
            lines.append(_quoted_line(line))
        else:
            lines.append(Line(line))
    return lines


def _is_address_broken(text: str) -> bool:
    """Whether a line ends inside "<ann@example.org", so that the next begins with its ">"."""
    return text.rfind("<") > text.rfind(">") and "@" in text[text.rfind("<") :]


_MARKS = re.compile(r"[ \t]*(?:>[ \t]?){1,60}[ \t]?")


def _quoted_line(line: str) -> Line:
    match = _MARKS.match(line)
    marks = match.group() if match else ""
    return Line(line[len(marks) :], marks.count(">"))


def trim(text: str, *, sender: str = "", address: str = "") -> Trimmed:
    """The parts of a plain text; `sender` and `address` are those of the From header, which signatures repeat."""
    raw = text.split("\n", MAX_LINES)
    lines = parse_lines(raw)
    return _assemble(text, lines, raw, _sort(lines[:MAX_LINES], sender, address))


def trim_lines(lines: Sequence[Line], *, sender: str = "", address: str = "") -> Trimmed:
    """The parts of rendered HTML, whose structure helps."""
    return sort_lines(lines, sender=sender, address=address)[0]


def sort_lines(lines: Sequence[Line], *, sender: str = "", address: str = "") -> tuple[Trimmed, list[Kind]]:
    """The parts of rendered HTML and the kind of each of its lines; all are new when folding would leave nothing."""
    raw = [marked(line) for line in lines]
    trimmed = _assemble("\n".join(raw), lines, raw, kinds := _sort(lines[:MAX_LINES], sender, address))
    if trimmed.is_whole or not kinds:
        return trimmed, [Kind.NEW] * len(lines)
    return trimmed, kinds + [kinds[-1]] * (len(lines) - len(kinds))


def _sort(lines: Sequence[Line], sender: str, address: str) -> list[Kind]:
    """The kind of every line."""
    kinds = _marked(lines)
    top = signatures.banner_end([line.text if line.depth == 0 else "" for line in lines[:12]])
    kinds[:top] = [Kind.BANNER] * top
    _fold_originals(lines, kinds, top)
    _fold_wrapped(lines, kinds)
    quoted_only = list(kinds)
    _fold_tails(lines, kinds, sender, address)
    if not _has_words(lines, kinds):
        kinds = quoted_only
    _keep_context(lines, kinds)
    return kinds


def _marked(lines: Sequence[Line]) -> list[Kind]:
    """Kinds as quote marks and the HTML tell them."""
    decorated = not any(0 < line.depth < 3 for line in lines)  # ">>> like this <<<" quotes nobody
    by_mark = {Mark.ATTRIBUTION: Kind.ATTRIBUTION, Mark.SIGNATURE: Kind.SIGNATURE}
    kinds = [Kind.QUOTE if line.depth and not decorated else by_mark.get(line.mark, Kind.NEW) for line in lines]
    _mark_containers(lines, kinds)
    return kinds


def _mark_containers(lines: Sequence[Line], kinds: list[Kind]) -> None:
    """A client's quote container: answers may stand between its quotations, never above the first one.

    Without any quotation inside, the container itself is the quotation.
    """
    number = 0
    while number < len(lines):
        if lines[number].mark not in (Mark.QUOTE, Mark.ATTRIBUTION):
            number += 1
            continue
        stop = _container_end(lines, number)
        first = next((place for place in range(number, stop) if lines[place].depth), stop)
        is_forward = any(find_divider(lines, place) for place in range(number, min(first, number + 3, stop)))
        for place in range(number, stop if is_forward else first):
            kinds[place] = Kind.QUOTE if first == stop or is_forward else Kind.ATTRIBUTION
        number = stop


def _container_end(lines: Sequence[Line], start: int) -> int:
    stop = start
    for number in range(start, len(lines)):
        if lines[number].mark in (Mark.QUOTE, Mark.ATTRIBUTION) or lines[number].depth:
            stop = number + 1
        elif lines[number].text.strip():
            break
    return stop


def _fold_originals(lines: Sequence[Line], kinds: list[Kind], top: int) -> None:
    """Fold attributions, and everything below the first header block, divider or unmarked quotation."""
    number = top
    free = top
    while number < len(lines):
        line = lines[number]
        if kinds[number] is not Kind.NEW or not line.text.strip():
            free = number + 1 if kinds[number] is not Kind.NEW else free
            number += 1
            continue
        opening = find_divider(lines, number) or find_header_block(lines, number)
        opening = opening or _attribution(lines, kinds, number, free)
        if opening is None:
            number += 1
            continue
        if _opens_rest(lines, opening):
            _fold_rest(lines, kinds, opening)
            return
        kinds[opening.start : opening.stop] = [Kind.ATTRIBUTION] * (opening.stop - opening.start)
        number = free = opening.stop


def _attribution(lines: Sequence[Line], kinds: list[Kind], number: int, free: int) -> Opening | None:
    opening = find_attribution(lines, number, free)
    if opening is None:
        return None
    following = _next_words(lines, opening.stop)
    if following < len(lines) and (lines[following].depth or kinds[following] is Kind.QUOTE):
        return Opening(opening.start, opening.stop, Strength.NEEDS_QUOTE)
    if opening.strength is Strength.NEEDS_QUOTE:
        return None
    return opening


def _next_words(lines: Sequence[Line], start: int) -> int:
    while start < len(lines) and not lines[start].text.strip() and not lines[start].depth:
        start += 1
    return start


def _opens_rest(lines: Sequence[Line], opening: Opening) -> bool:
    """Whether all below is the original (unless it is marked, and words follow the marks)."""
    if opening.strength is Strength.NEEDS_QUOTE:
        return False
    if not opening.is_header:
        return True
    following = _next_words(lines, opening.stop)
    return not (following < len(lines) and lines[following].depth)


def _fold_rest(lines: Sequence[Line], kinds: list[Kind], opening: Opening) -> None:
    start = opening.start
    while start and kinds[start - 1] is Kind.NEW and _belongs_above(lines[start - 1].text, opening):
        start -= 1
    label = Kind.HEADERS if opening.is_header else Kind.ATTRIBUTION
    kinds[start : opening.stop] = [label] * (opening.stop - start)
    kinds[opening.stop :] = [Kind.QUOTE] * (len(kinds) - opening.stop)


def _belongs_above(text: str, opening: Opening) -> bool:
    """Empty and drawn lines over an original are its own, and so are header lines over an attribution (Yandex)."""
    return not text.strip() or is_rule(text) or (not opening.is_header and role_of(text)[0] in {"to", "subject", "cc"})


def _fold_wrapped(lines: Sequence[Line], kinds: list[Kind]) -> None:
    """Quoted lines that a mailer broke: their second half lost its mark."""
    for number in range(1, len(lines) - 1):
        line, before, after = lines[number], lines[number - 1], lines[number + 1]
        if (
            kinds[number] is Kind.NEW
            and line.text.strip()
            and before.depth
            and after.depth
            and len(before.text) >= 60 > len(line.text)
            and before.text.rstrip()[-1:] not in ".!?:。？！"
        ):
            kinds[number] = Kind.QUOTE


def _fold_tails(lines: Sequence[Line], kinds: list[Kind], sender: str, address: str) -> None:
    """Signatures and disclaimers at the end of the writing that stands before the end or before the last quotation."""
    for start, stop in _tail_runs(lines, kinds):
        texts = [line.text for line in lines[start:stop]]
        signature, disclaimer = signatures.tail_start(texts, sender, address)
        if signature < len(texts):
            kinds[start + signature : start + disclaimer] = [Kind.SIGNATURE] * (disclaimer - signature)
        if disclaimer < len(texts):
            kinds[start + disclaimer : stop] = [Kind.DISCLAIMER] * (len(texts) - disclaimer)


def _tail_runs(lines: Sequence[Line], kinds: list[Kind]) -> list[tuple[int, int]]:
    """The last run of new lines, and the one above if the last is only a signature below a quotation."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for number in range(len(kinds) + 1):
        is_new = number < len(kinds) and kinds[number] is Kind.NEW
        if is_new and start is None:
            start = number
        elif not is_new and start is not None:
            if any(line.text.strip() for line in lines[start:number]):
                runs.append((start, number))
            start = None
    return [run for place, run in enumerate(runs) if place in {len(runs) - 1, 0} or place == len(runs) - 2]


def _has_words(lines: Sequence[Line], kinds: Sequence[Kind]) -> bool:
    return any(
        kind is Kind.NEW and signatures.has_ink(line.text) and not is_rule(line.text)
        for line, kind in zip(lines, kinds, strict=True)
    )


def _keep_context(lines: Sequence[Line], kinds: list[Kind]) -> None:
    """Where answers stand between quotations, what they answer stays in sight."""
    answered: list[tuple[int, int]] = []
    start: int | None = None
    for number, kind in enumerate(kinds):
        if kind is Kind.QUOTE:
            start = number if start is None else start
        elif kind is Kind.NEW and lines[number].text.strip() and start is not None:
            answered.append((start, number))
            start = None
        elif kind in (Kind.ATTRIBUTION, Kind.HEADERS, Kind.SIGNATURE, Kind.DISCLAIMER):
            start = None
    if len(answered) < 2:
        return
    for first, stop in answered:
        _show_context(lines[:stop], kinds, first)


def _show_context(lines: Sequence[Line], kinds: list[Kind], first: int) -> None:
    """The quotation from `first` on is context, but for the lines that announce it."""
    for number in range(first, len(lines)):
        opening = find_attribution(lines, number, first) or find_divider(lines, number)
        opening = opening or find_header_block(lines, number)
        if opening is not None and kinds[number] is not Kind.ATTRIBUTION:
            is_just_below = opening.is_header and opening.start - first < 3  # a line over the block is part of it
            start = first if is_just_below else opening.start
            kinds[start : opening.stop] = [Kind.ATTRIBUTION] * (opening.stop - start)
        elif kinds[number] is Kind.QUOTE:
            kinds[number] = Kind.CONTEXT


def _assemble(text: str, lines: Sequence[Line], raw: Sequence[str], kinds: list[Kind]) -> Trimmed:
    kinds = kinds + [kinds[-1] if kinds else Kind.NEW] * (len(raw) - len(kinds))
    if not _has_words(lines, kinds):
        return Trimmed(text, (TextPart(Kind.NEW, 0, len(text)),), text.strip("\n").rstrip(), is_whole=True)
    return Trimmed(text, _parts(raw, kinds), _shown(lines, raw, kinds))


def _parts(raw: Sequence[str], kinds: Sequence[Kind]) -> tuple[TextPart, ...]:
    parts: list[TextPart] = []
    position = 0
    for number, line in enumerate(raw):
        end = position + len(line) + (number < len(raw) - 1)
        if parts and parts[-1].kind is kinds[number]:
            parts[-1] = TextPart(parts[-1].kind, parts[-1].start, end)
        else:
            parts.append(TextPart(kinds[number], position, end))
        position = end
    return tuple(parts)


def _shown(lines: Sequence[Line], raw: Sequence[str], kinds: Sequence[Kind]) -> str:
    out: list[str] = []
    for line, original, kind in zip(lines, raw, kinds, strict=True):
        if kind not in SHOWN:
            if out and out[-1]:
                out.append("")
            continue
        shown = original.rstrip() if kind is Kind.NEW else f"> {line.text}".rstrip()
        if shown or (out and out[-1]):
            out.append(shown)
    while out and (not signatures.has_ink(out[-1]) or is_rule(out[-1])):
        out.pop()
    return "\n".join(out)
