"""What the blocks of all lines have in common, and what makes no sense in them."""

from collections.abc import Mapping
from typing import Any, Final

import phonenumbers

from hub.settings import Problem

_SIDS: Final = (("account_sid", "AC"), ("api_key_sid", "SK"), ("application_sid", "AP"))


def of_number(where: str, number: str) -> list[Problem]:
    """Return what is wrong with a line's own number, which is written in E.164."""
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


def of_account(where: str, options: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the credentials and the address of a line's account."""
    found = []
    for key, prefix in _SIDS:
        sid = str(options.get(key, ""))
        if sid and not (sid.startswith(prefix) and len(sid) == 34):
            text = f"{sid!r} is none: it is {prefix} and 32 digits and letters."
            found.append(Problem(where=f"{where}.{key}", text=text, hint="Copy it from the provider's console."))
    if not str(options["api_url"]).startswith(("http://", "https://")):
        text = f"{options['api_url']!r} is no address of the form https://HOST."
        found.append(Problem(where=f"{where}.api_url", text=text))
    return found


def unreachable(where: str, public_url: str) -> list[Problem]:
    """Return a warning where the provider cannot reach this hub."""
    if public_url.startswith("https://"):
        return []
    text = f"The provider calls {public_url}, which it cannot reach."
    hint = "A real line needs server.public_url with https; a carrier on this machine does not."
    return [Problem(where=where, text=text, hint=hint, severity="warning")]
