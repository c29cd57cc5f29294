"""What makes no sense in a line's block, said before anybody calls; and the addresses to enter at the provider."""

from collections.abc import Mapping, Sequence
from typing import Any

import phonenumbers

from hub.settings import Problem

UNPROVED = "No token of ours has signed it: compare auth_token and public_url with the provider's."
WEBHOOKS: Mapping[str, str] = {
    "Voice URL (a call comes in)": "call",
    "Fallback URL (primary handler fails)": "fallback",
    "Status callback URL (call status changes)": "status",
}
"""What the provider's page of a number asks for -> which of our documents."""


def problems(where: str, number: str, options: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a line's own values; `options` are the others of its block."""
    found = [*_of_number(f"{where}.number", number)]
    for key, prefix in (("account_sid", "AC"), ("api_key_sid", "SK"), ("application_sid", "AP")):
        sid = str(options[key])
        if sid and not (sid.startswith(prefix) and len(sid) == 34):
            text = f"{sid!r} is none: it is {prefix} and 32 digits and letters."
            found.append(Problem(where=f"{where}.{key}", text=text, hint="Copy it from the provider's console."))
    if bool(options["api_key_sid"]) != bool(options["api_key_secret"]):
        text = "api_key_sid and api_key_secret belong together: agents' phones in browsers sign in with both."
        found.append(Problem(where=f"{where}.api_key_sid", text=text))
    if not str(options["api_url"]).startswith(("http://", "https://")):
        text = f"{options['api_url']!r} is no address of the form https://HOST."
        found.append(Problem(where=f"{where}.api_url", text=text))
    return found + _of_words(where, options["languages"], options["welcome"])


def _of_number(where: str, number: str) -> list[Problem]:
    hint = "As in +12025550142: a plus, the country, the number, no blanks."
    try:
        read = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return [Problem(where=where, text=f"{number!r} is no telephone number in E.164.", hint=hint)]
    plain = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
    if plain != number:
        return [Problem(where=where, text=f"{number!r} is not written as the provider does.", hint=f"Write {plain}.")]
    if not phonenumbers.is_possible_number(read):
        return [Problem(where=where, text=f"{number} has too few or too many digits.", hint=hint)]
    return []


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
    found = []
    if not public_url.startswith("https://"):
        text = f"The provider calls {public_url}, which it cannot reach."
        hint = "A real line needs server.public_url with https; a carrier on this machine does not."
        found.append(Problem(where=where, text=text, hint=hint, severity="warning"))
    if not has_key:
        text = "Without api_key_sid and api_key_secret no browser can be an agent's phone."
        hint = "Make a key in the provider's console, or give every agent a number of their own."
        found.append(Problem(where=where, text=text, hint=hint, severity="warning"))
    return found
