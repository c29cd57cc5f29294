"""A filter for style attributes: what changes how words look, and nothing that loads, covers or runs."""

# ruff: noqa: SIM905

import re
from functools import lru_cache

_PROPERTIES = frozenset(
    """background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width border-collapse
    border-color border-left border-left-color border-left-style border-left-width border-radius border-right
    border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color
    border-top-style border-top-width border-width clear color direction display float font font-family font-size
    font-style font-variant font-weight height letter-spacing line-height list-style list-style-type margin
    margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width overflow-wrap padding
    padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration text-indent
    text-transform unicode-bidi vertical-align white-space width word-break word-spacing word-wrap background""".split()
)
_VALUE = re.compile(r"[\w\s#%.,'\"!+\-()/\u0080-\U0010ffff]{1,200}\Z")
_FUNCTION = re.compile(r"([a-z-]*)\s*\(", re.IGNORECASE)
_FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla"})
_DISPLAY = frozenset(
    "block inline inline-block none table table-row table-cell table-row-group list-item inline-table flex".split()
)
_HUGE = re.compile(r"-\s*\d|\d{5,}")
_MAX_STYLE = 4_000


@lru_cache(maxsize=4096)
def filter_style(style: str) -> str:
    """The harmless declarations of a style attribute, "" when none is left.

    Negative and five-digit lengths go too: they move text over the frame's edges or out of sight.
    """
    if len(style) > _MAX_STYLE or "\\" in style or "/*" in style or "<" in style:
        return ""
    kept = []
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in _PROPERTIES and _is_harmless(name, value):
            kept.append(f"{name}:{value}")
    return ";".join(kept)


def _is_harmless(name: str, value: str) -> bool:
    if not _VALUE.match(value) or any(found.lower() not in _FUNCTIONS for found in _FUNCTION.findall(value)):
        return False
    if name == "display":
        return value.lower().removesuffix("!important").strip() in _DISPLAY
    return not (_HUGE.search(value) and not name.startswith(("font-family", "color", "background")))
