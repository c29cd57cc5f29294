"""What makes no sense in a line's block, said before anybody writes; and the addresses to enter at the provider."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import phonenumbers

from channels._lines import of_account, of_number, unreachable
from channels.sms.reading import PREFIX
from hub.domain.texting import Template
from hub.settings import Problem

WEBHOOKS: Final[Mapping[str, str]] = {
    "Messaging URL (a message comes in)": "message",
    "Fallback URL (primary handler fails)": "fallback",
}
"""What the provider's page of a number asks for -> which of our addresses."""
_CONTENT_SID: Final = re.compile(r"HX[0-9a-f]{32}")
_KEYS: Final = frozenset({"id", "sid", "name", "text", "language"})


def problems(where: str, number: str, options: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a line's own values; `options` are the others of its block."""
    found = [*of_number(f"{where}.number", number.removeprefix(PREFIX)), *of_account(where, options)]
    if bool(options["api_key_sid"]) != bool(options["api_key_secret"]):
        text = "api_key_sid and api_key_secret belong together."
        found.append(Problem(where=f"{where}.api_key_sid", text=text))
    if not options["languages"]:
        found.append(Problem(where=f"{where}.languages", text="A line speaks at least one language."))
    if options["per_minute"] < 1:
        text = "A line that may send nothing is none."
        found.append(Problem(where=f"{where}.per_minute", text=text))
    found += _of_templates(f"{where}.templates", number, options["templates"])
    return found


def _of_templates(where: str, number: str, templates: Sequence[Mapping[str, str]]) -> list[Problem]:
    if templates and not number.startswith(PREFIX):
        return [Problem(where=where, text=f"Templates are for numbers that begin with {PREFIX}")]
    found, ids = [], set[str]()
    for index, one in enumerate(templates):
        here = f"{where}[{index}]"
        found += [
            Problem(where=here, text=f"A template needs {key!r}.")
            for key in sorted({"id", "sid", "name", "text"} - one.keys())
        ]
        found += [
            Problem(where=here, text=f"There is no key {key!r} in a template.") for key in sorted(one.keys() - _KEYS)
        ]
        if one.get("sid") and not _CONTENT_SID.fullmatch(one["sid"]):
            found.append(
                Problem(where=f"{here}.sid", text=f"{one['sid']!r} is none: it is HX and 32 hexadecimal digits.")
            )
        if one.get("id") in ids:
            found.append(Problem(where=f"{here}.id", text=f"There are two templates {one['id']!r}."))
        ids.add(str(one.get("id")))
    return found


def templates(listed: Sequence[Mapping[str, str]]) -> tuple[Template, ...]:
    """Return the templates of a block that was checked."""
    return tuple(
        Template(id=one["id"], name=one["name"], text=one["text"], language=one.get("language", "")) for one in listed
    )


def region_of(number: str) -> str:
    """Return the country of a line's own number, for senders whose number names none."""
    return str(phonenumbers.region_code_for_number(phonenumbers.parse(number.removeprefix(PREFIX))) or "US")


def addresses(channel: str, public_url: str) -> dict[str, str]:
    """Return what to enter at the provider for one line: the name it has there -> the address."""
    base = f"{public_url.rstrip('/')}/webhooks/{channel}"
    return {name: f"{base}/{path}" for name, path in WEBHOOKS.items()}


def advice(where: str, public_url: str) -> list[Problem]:
    """Return what works, but not for everybody: nothing that keeps a hub from starting."""
    return unreachable(where, public_url)
