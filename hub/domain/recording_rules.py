"""Whether a call may be recorded, and what its caller is told or asked first, by where both ends are.

Laws differ: in some places one party's consent is enough, in others all must agree, or a notice will do. The hub knows
no law: whoever runs it says what holds where. The stricter of both ends counts, and who may be anywhere is taken to be
where the rules are strictest.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import phonenumbers

EVERYWHERE: Final = "*"
RULES: Final = ("welcome", "announce", "ask", "never")
"""From the most lenient: the line's own welcome says it; the hub says it; the caller must agree; no recording."""
PLACE: Final = re.compile(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""Everywhere, a country, or a state of one: `*`, `DE`, `US-CA` (ISO 3166)."""


def rule_of(rules: Mapping[str, str], places: Sequence[str]) -> str:
    """Return the rule for a call between these places; an empty one is not known."""
    return _strictest(_rule_at(rules, place) for place in places)


def place_of(number: str) -> str:
    """Return the country of a number in E.164, empty when it tells none; of several that share a code, the main one."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    code = parsed.country_code or 0
    found = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)
    return str(found) if PLACE.fullmatch(found) else ""


def _rule_at(rules: Mapping[str, str], place: str) -> str:
    elsewhere = rules.get(EVERYWHERE, "announce")
    if not place:
        return _strictest((*rules.values(), elsewhere))
    country, _, state = place.partition("-")
    whole = rules.get(country, elsewhere)
    if state:
        return rules.get(place, whole)
    return _strictest((whole, *(rule for key, rule in rules.items() if key.startswith(f"{country}-"))))


def _strictest(rules: Iterable[str]) -> str:
    return max(rules, key=RULES.index)
