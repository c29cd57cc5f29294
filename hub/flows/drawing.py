"""A flow as a picture: Mermaid text, and SVG drawn without a library. Numbers may be put on the steps."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from html import escape
from itertools import accumulate
from typing import Final
from unicodedata import east_asian_width

import msgspec

from hub.flows.model import PERSON, RESERVED, AnyStep, Ask, Branch, Flow, LookUp, Wording, is_last, targets
from hub.flows.phrases import base
from hub.flows.run import kind_of

WIDTH: Final = 168
HEIGHT: Final = 48
GAP_X: Final = 132
"""Room for what stands on the ways."""
GAP_Y: Final = 36
MARGIN: Final = 24
_SWEEPS: Final = 4
_LABEL: Final = 24
_ROOTS: Final = re.compile(r"\b(?:answers|customer|queues|results\.\w+)\.")
"""What expressions begin with and nobody needs to read in a picture."""
_HOLE: Final = re.compile(r"\{\{[^{}]*\}\}")
_WORDS: Final = {
    "zh": {
        "ask": "提问", "back": "返回", "branch": "分支", "callback": "回电", "else": "其他情况", "end": "结束",
        "failed": "失败", "found": "已找到", "hand_back": "返回", "language": "语言", "leave_message": "留言",
        "look_up": "查询", "not found": "未找到", "person": "人工", "set": "写入资料",
    }
}  # fmt: skip
"""What a picture says of itself, in other languages than English."""


class Numbers(msgspec.Struct, frozen=True):
    """What stands on a step: how many are there now, passed it, and gave up there."""

    now: int = 0
    passed: int = 0
    left: int = 0


class Place(msgspec.Struct, frozen=True):
    """Where a step stands, and its column."""

    x: int
    y: int
    layer: int


def arrows(flow: Flow, language: str = "") -> list[tuple[str, str, str]]:
    """Return from, to and label of every way in a flow; the ways to a person that every question has are not drawn."""
    found: list[tuple[str, str, str]] = []
    for step in flow.steps.values():
        labels = _labels(step, flow, language)
        for target in targets(step):
            if target == PERSON and target not in labels and isinstance(step, Ask | LookUp):
                continue
            found.append((step.id, target, labels.get(target, "")))
    return found


def _word(word: str, language: str) -> str:
    return _WORDS.get(base(language), {}).get(word, word.replace("_", " "))


def _said(wording: Wording, flow: Flow, language: str) -> str:
    """Return a text of the flow in this language, where it has it."""
    return wording.of((language, base(language), *flow.languages), "")


def _labels(step: AnyStep, flow: Flow, language: str) -> dict[str, str]:
    """Return what stands on a step's ways."""
    labels: dict[str, list[str]] = {}
    if isinstance(step, Ask):
        for option in step.choices:
            labels.setdefault(option.then or step.then, []).append(_said(option.label, flow, language))
    if isinstance(step, Branch):
        for case in step.cases:
            labels.setdefault(case.then, []).append(_ROOTS.sub("", case.when))
        labels.setdefault(step.then, []).append(_word("else", language))
    if isinstance(step, LookUp):
        labels.setdefault(step.then, []).append(_word("found", language))
        if step.not_found != PERSON:
            labels.setdefault(step.not_found, []).append(_word("not found", language))
        if step.failed != PERSON:
            labels.setdefault(step.failed, []).append(_word("failed", language))
    return {target: _short(" / ".join(texts), 28) for target, texts in labels.items() if target}


def mermaid(flow: Flow) -> str:
    """Return the flow as a Mermaid chart."""
    lines = ["flowchart LR"]
    for step in flow.steps.values():
        opening, closing = {"ask": ("([", "])"), "branch": ("{", "}")}.get(kind_of(step), ("[", "]"))
        lines.append(f'  {step.id}{opening}"{_quoted(step.id)}<br/>{_quoted(caption(step, flow))}"{closing}')
    ends = {target for _, target, _ in arrows(flow) if target in RESERVED}
    lines += [f'  {name}_(("{name}"))' for name in sorted(ends)]
    for start, target, label in arrows(flow):
        end = f"{target}_" if target in RESERVED else target
        lines.append(f'  {start} -->|"{_quoted(label)}"| {end}' if label else f"  {start} --> {end}")
    return "\n".join(lines) + "\n"


def layout(flow: Flow) -> dict[str, Place]:
    """Return where every step stands: columns by distance from the start, rows so that few ways cross."""
    ways = arrows(flow)
    columns: dict[str, int] = {}
    rest = [(flow.start, 0)]
    while rest:
        name, column = rest.pop(0)
        if name in columns:
            continue
        columns[name] = column
        rest += [(target, column + 1) for start, target, _ in ways if start == name and target not in columns]
    for name in [*flow.steps, *(target for _, target, _ in ways)]:
        columns.setdefault(name, 0)
    # Where it is over stands behind all that leads there.
    for end in (name for name in RESERVED if name in columns):
        columns[end] = 1 + max((columns[start] for start, target, _ in ways if target == end), default=0)
    rows: list[list[str]] = [[] for _ in range(max(columns.values(), default=0) + 1)]
    for name, column in columns.items():
        rows[column].append(name)
    _untangle(rows, ways)
    return {
        name: Place(MARGIN + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y), column)
        for column, names in enumerate(rows)
        for row, name in enumerate(names)
    }


def _untangle(rows: list[list[str]], ways: list[tuple[str, str, str]]) -> None:
    """Order each column by the middle of its neighbours, a few times there and back."""
    for sweep in range(_SWEEPS):
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for column in order:
            beside = rows[column - 1 if sweep % 2 == 0 else column + 1]
            at = {name: place for place, name in enumerate(beside)}
            middles = {}
            for place, name in enumerate(rows[column]):
                linked = [at[a] for a, b, _ in ways if b == name and a in at] + [
                    at[b] for a, b, _ in ways if a == name and b in at
                ]
                middles[name] = (sum(linked) / len(linked) if linked else float(place), place)
            rows[column].sort(key=lambda name: middles[name])


def svg(
    flow: Flow,
    numbers: Mapping[str, Numbers] | None = None,
    *,
    follows_theme: bool = False,
    language: str = "",
) -> str:
    """Return the flow as SVG, on paper; or light or dark as the page that it stands in is. Texts in one language."""
    places, ways = layout(flow), arrows(flow, language)
    right = max((places[start].x + WIDTH + GAP_X for start, _, label in ways if label), default=0)
    width = max(*(place.x + WIDTH + MARGIN for place in places.values()), right)
    height = max(place.y for place in places.values()) + HEIGHT + MARGIN
    written: Counter[tuple[int, int]] = Counter()
    body = [_way(places[start], places[target], label, written) for start, target, label in ways]
    for name, place in places.items():
        step = flow.steps.get(name)
        about = caption(step, flow, language) if step is not None else _word(name, language)
        body.append(_box(name, place, step, about, (numbers or {}).get(name)))
    title = escape(_said(flow.title, flow, language))
    style = _STYLE + _DARK if follows_theme else _STYLE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}" class="flow">\n<title>{title}</title>\n<style>{style}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>\n' + "\n".join(body) + "\n</svg>\n"
    )


_STYLE: Final = (
    ".flow{font:12px sans-serif}.flow rect{fill:#fff;stroke:#768093;rx:8}.flow .ask rect{stroke:#1757c2;stroke-width:2}"
    ".flow .last rect{fill:#e9edf2}.flow path{fill:none;stroke:#586274}.flow marker path{fill:#586274}"
    ".flow text{fill:#171c26}.flow .kind,.flow .way{fill:#586274;font-size:10px}.flow .now{font-weight:bold}"
    ".flow .way{stroke:#fff;stroke-width:3;paint-order:stroke}"
    ".flow .left{fill:#b0211c}"
)
_DARK: Final = (
    "@media (prefers-color-scheme:dark){.flow rect{fill:#202733;stroke:#5b6678}.flow .ask rect{stroke:#7fb0ff}"
    ".flow .last rect{fill:#11151c}.flow path{stroke:#8b96a8}.flow marker path{fill:#8b96a8}.flow text{fill:#e6eaf0}"
    ".flow .kind,.flow .way{fill:#a9b4c4}.flow .way{stroke:#181d26}.flow .left{fill:#ff8a84}}"
)


def _box(name: str, place: Place, step: AnyStep | None, words: str, numbers: Numbers | None) -> str:
    css = "ask" if isinstance(step, Ask) else "last" if step is None or is_last(step) else "step"
    head, words = (name, words) if step is not None else (words, "")
    told = f"{head}: {words}" if words else head
    x, y, right = place.x, place.y, place.x + WIDTH - 8
    lines = [
        f'<g class="{css}" data-step="{escape(name)}"><title>{escape(told)}</title>',
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'<text x="{x + 10}" y="{y + (19 if words else 28)}">{escape(_short(head, _LABEL))}</text>',
    ]
    if words:
        lines.append(f'<text class="kind" x="{x + 10}" y="{y + 36}">{escape(_short(words, 27))}</text>')
    if numbers is not None and numbers.now:
        lines.append(f'<text class="now" x="{right}" y="{y + 19}" text-anchor="end">{numbers.now}</text>')
    if numbers is not None and numbers.left:
        lines.append(f'<text class="left" x="{right}" y="{y + 38}" text-anchor="end">-{numbers.left}</text>')
    return "".join(lines) + "</g>"


def _way(start: Place, end: Place, label: str, written: Counter[tuple[int, int]]) -> str:
    """Draw a way. Its label stands before the box it leads to, or behind the one it comes back from, below others."""
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    is_onward = end.layer > start.layer
    if is_onward:
        bend = max((x2 - x1) // 2, 20)
        path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    else:  # back, or within the column: down, along below its row, and up or down before the column it leads to
        middle, low, turn = start.x + WIDTH // 2, start.y + HEIGHT + GAP_Y // 2, x2 - MARGIN // 2
        on, off = (8, -8) if y2 < low else (8, 8)
        path = (
            f"M{middle},{start.y + HEIGHT} V{low - on} Q{middle},{low} {middle - on},{low} "
            f"H{turn + on} Q{turn},{low} {turn},{low + off} V{y2 - off} Q{turn},{y2} {turn + on},{y2} H{x2}"
        )
    made = f'<path d="{path}" marker-end="url(#tip)"/>'
    if label:
        x, y, anchor = (x2 - 10, y2 - 5, "end") if is_onward else (x1 + 8, y1 + 14, "start")
        below = 18 * written[x, y]
        written[x, y] += 1
        made += f'<text class="way" x="{x}" y="{y + below}" text-anchor="{anchor}">{escape(_short(label, 22))}</text>'
    return made


def caption(step: AnyStep, flow: Flow, language: str = "") -> str:
    """Return what a step is about, in a few words, and in this language where the flow speaks it."""
    text = getattr(step, "text", None)
    words = _said(text, flow, language) if isinstance(text, Wording) else ""
    if isinstance(step, LookUp):
        words = f"{step.service}{step.path}"
    name = getattr(step, "queue", "") or getattr(step, "flow", "")
    return _short(_HOLE.sub("…", words) or name or _word(kind_of(step), language), 60)


def _short(text: str, most: int) -> str:
    """Return a text on one line of so many letters; an ideograph is as wide as two."""
    line = " ".join(text.split())
    ends = list(accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in line))
    if not ends or ends[-1] <= most:
        return line
    return line[: bisect_right(ends, most - 1)] + "…"


def _quoted(text: str) -> str:
    return escape(text, quote=True).replace("&#x27;", "'")
