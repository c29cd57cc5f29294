"""Verdicts beside figures."""


def verdict(text: str, holds: bool) -> str:
    """Return a line that says whether an acceptance criterion holds."""
    return f"{'PASS' if holds else 'FAIL'}  {text}"
