"""The console's colours keep the contrast that their table promises, on every ground, light and dark."""

import re
from pathlib import Path

import pytest

import agent_console

CSS = (Path(agent_console.__file__).parent / "static" / "console.css").read_text(encoding="utf-8")
GROUNDS = ("canvas", "surface", "sunken", "hover", "selected")
ON_GROUNDS = {"text": 10.9, "text2": 6.6, "text3": 5.0, "accent": 5.4, "ok": 5.4, "warn": 5.5, "bad": 5.6, "busy": 5.8}
PAIRS = {
    ("on-accent", "accent"): 6.6,
    ("on-bad", "bad"): 6.8,
    ("accent", "accent-soft"): 5.5,
    ("text3", "note"): 5.5,
    **{(name, f"{name}-soft"): 5.5 for name in ("ok", "warn", "bad", "busy")},
    **{("text", soft): 11.5 for soft in ("ok-soft", "warn-soft", "bad-soft", "busy-soft", "accent-soft", "note")},
}
THEMES = ("light", "dark")


def colours(theme: str) -> dict[str, tuple[float, float, float]]:
    """Return the tokens of a theme as linear RGB."""
    found = re.findall(r"--([\w-]+): light-dark\(#([0-9A-F]{6}), #([0-9A-F]{6})\)", CSS)
    return {name: _linear(light if theme == "light" else dark) for name, light, dark in found}


def _linear(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the ratio of WCAG 2."""
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_keep_their_contrast(theme: str) -> None:
    token = colours(theme)
    weak = {}
    for name, least in ON_GROUNDS.items():
        worst = min(contrast(token[name], token[ground]) for ground in GROUNDS)
        if round(worst, 1) < least:
            weak[name] = worst
    for (name, ground), least in PAIRS.items():
        if round(contrast(token[name], token[ground]), 1) < least:
            weak[f"{name} on {ground}"] = contrast(token[name], token[ground])
    if min(contrast(token["edge"], token[ground]) for ground in GROUNDS) < 3.0:
        weak["edge"] = 0
    assert weak == {}
