"""The new words of an HTML mail as HTML: what trimming folds away is left out, the looks of the rest stay.

For showing first; the whole mail is one click away.
"""

# ruff: noqa: SIM905

import re
from collections.abc import Sequence
from dataclasses import dataclass

from channels.mail.rendering import MAX_WHOLE, Line, Place, render_placed
from channels.mail.trimming import SHOWN, Kind, Trimmed, sort_lines

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^<>\"]|\"[^\"]*\")*)>|[^<]+|<")
_KEPT_EMPTY = frozenset("td th col colgroup".split())
"""Elements that hold a place in a table; they go with their row."""
_VOID = frozenset("br hr img col wbr".split())
_EDGE = re.compile(r"(?:\s|<br>|<hr>)+\Z")


@dataclass(frozen=True, slots=True)
class FoldedPage:
    """An HTML mail's words, and the HTML of those that are not folded."""

    lines: list[Line]
    trimmed: Trimmed
    new_html: str | None
    """Still as unsafe as it came; None when nothing is folded."""


def fold(html: str, *, sender: str = "", address: str = "") -> FoldedPage:
    """Divide an HTML mail.

    Args:
        html: as the mail brought it.
        sender: the name in its From header, which signatures repeat.
        address: the address there.
    """
    lines, places = render_placed(html)
    trimmed, kinds = sort_lines(lines, sender=sender, address=address)
    if all(kind in SHOWN for kind in kinds):
        return FoldedPage(lines, trimmed, None)
    return FoldedPage(lines, trimmed, _without_folded(html, places, kinds))


def _without_folded(html: str, places: Sequence[Place], kinds: Sequence[Kind]) -> str:
    out: list[str] = []
    position = 0
    for place in places:
        if place.is_pre:
            kept = _kept_lines(html[place.start : place.end], place, kinds)
        elif kinds[place.line] in SHOWN:
            continue
        else:
            kept = ""
        out.extend((html[position : place.start], kept))
        position = place.end
    # The reading of a very long page ends before the page does.
    out.append(html[position : len(html) if len(html) < MAX_WHOLE else max(position, places[-1].end)])
    return "".join(out)


def _kept_lines(run: str, place: Place, kinds: Sequence[Kind]) -> str:
    """The shown lines of a run of preformatted words."""
    kept = [
        line for number, line in enumerate(run.split("\n"), place.line) if kinds[min(number, len(kinds) - 1)] in SHOWN
    ]
    return "\n".join(kept)


def prune(safe_html: str) -> str:
    """Sanitised HTML without the elements that nothing is left in. One pass, linear."""
    out: list[str] = []
    open_at: list[tuple[str, int, bool]] = []
    for match in _TAG.finditer(safe_html):
        closing, name = match[1], match[2]
        if name is None:
            if match.group().strip(" \t\r\n\u00a0").replace("&nbsp;", ""):
                _fill(open_at)
            out.append(match.group())
        elif name in _VOID:
            if name == "img":
                _fill(open_at)
            out.append(match.group())
        elif not closing:
            open_at.append((name, len(out), False))
            out.append(match.group())
        else:
            _close(out, open_at, match.group())
    return _EDGE.sub("", "".join(out))


def _fill(open_at: list[tuple[str, int, bool]]) -> None:
    if open_at:
        name, start, _ = open_at[-1]
        open_at[-1] = (name, start, True)


def _close(out: list[str], open_at: list[tuple[str, int, bool]], tag: str) -> None:
    if not open_at:
        out.append(tag)
        return
    name, start, is_filled = open_at.pop()
    if is_filled:
        _fill(open_at)
        out.append(tag)
    elif name in _KEPT_EMPTY:
        out.append(tag)
    else:
        gone = "".join(out[start:])
        del out[start:]
        if "<br>" in gone:  # an empty line between two
            out.append("<br>")
