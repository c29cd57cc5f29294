"""What makes no sense in a line's block, said before anybody calls; and the addresses to enter at the provider."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels._lines import of_account, of_number, unreachable
from hub.domain.recording_rules import PLACE, RULES
from hub.settings import Problem

WEBHOOKS: Mapping[str, str] = {
    "Voice URL (a call comes in)": "call",
    "Fallback URL (primary handler fails)": "fallback",
    "Status callback URL (call status changes)": "status",
}
"""What the provider's page of a number asks for -> which of our documents."""


def problems(where: str, number: str, options: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a line's own values; `options` are the others of its block."""
    found = [*of_number(f"{where}.number", number), *of_account(where, options)]
    found += [problem for one in options["caller_ids"] for problem in of_number(f"{where}.caller_ids", one)]
    if bool(options["api_key_sid"]) != bool(options["api_key_secret"]):
        text = "api_key_sid and api_key_secret belong together: agents' phones in browsers sign in with both."
        found.append(Problem(where=f"{where}.api_key_sid", text=text))
    found += _of_consent(f"{where}.recording_consent", options["recording_consent"])
    return found + _of_words(where, options["languages"], options["welcome"])


def _of_consent(where: str, rules: Mapping[str, str]) -> list[Problem]:
    found = []
    for place, rule in rules.items():
        if not PLACE.fullmatch(place):
            text = f"{place!r} is no place."
            found.append(Problem(where=where, text=text, hint='A country, a state, or the rest: "DE", "US-CA", "*".'))
        if rule not in RULES:
            hint = f"One of {', '.join(RULES)}."
            found.append(Problem(where=f"{where}.{place}", text=f"{rule!r} is no rule.", hint=hint))
    return found


def _of_words(where: str, languages: Sequence[str], welcome: Mapping[str, str]) -> list[Problem]:
    if not languages:
        return [Problem(where=f"{where}.languages", text="A line speaks at least one language.")]
    return [
        Problem(
            where=f"{where}.welcome",
            text=f"There is a welcome in {language!r}, which the line does not speak.",
            hint="Name the language in `languages`.",
        )
        for language in welcome
        if language not in languages
    ]


def addresses(channel: str, public_url: str) -> dict[str, str]:
    """Return what to enter at the provider for one line: the name it has there -> the address."""
    base = f"{public_url.rstrip('/')}/webhooks/{channel}"
    return {name: f"{base}/{document}" for name, document in WEBHOOKS.items()}


def advice(where: str, public_url: str, *, has_key: bool) -> list[Problem]:
    """Return what works, but not for everybody: nothing that keeps a hub from starting."""
    found = unreachable(where, public_url)
    if not has_key:
        text = "Without api_key_sid and api_key_secret no browser can be an agent's phone."
        hint = "Make a key in the provider's console, or give every agent a number of their own."
        found.append(Problem(where=where, text=text, hint=hint, severity="warning"))
    return found
