"""Who simulated visitors are: names, addresses, habits, all drawn from one seed."""

import random
from dataclasses import dataclass, field
from typing import Final

from channels.simulator.scripts import Library

_SIZES: Final = ("S", "M", "L")


@dataclass(slots=True, kw_only=True)
class Person:
    """One visitor: who they are, how they are, and what their browser keeps."""

    name: str
    language: str
    email: str
    facts: dict[str, str]
    quickness: float
    """1.0 reads and types like most people; more is quicker."""
    patience_s: float
    """How long this person waits for the first answer before they give up."""
    ip: str
    token: str = ""
    visits: int = 0
    chance: random.Random = field(repr=False)

    def fill(self, text: str) -> str:
        """Put the person's own facts where a script says {order}, {address} and so on."""
        for name, value in self.facts.items():
            text = text.replace(f"{{{name}}}", value)
        return text


def new_person(number: int, library: Library, languages: list[str], chance: random.Random) -> Person:
    """Return somebody; two in three speak English where there is a choice."""
    language = (
        "en" if "en" in languages and (len(languages) == 1 or chance.random() < 0.64) else chance.choice(languages)
    )
    home = library.language(language).people
    name = chance.choice(home.names)
    email = f"{_handle(name, chance)}@{chance.choice(('example.com', 'example.net', 'example.org'))}"
    facts = {
        "name": name,
        "email": email,
        "order": f"FW{chance.randrange(10_000, 99_999)}",
        "phone": f"+44 7700 900{chance.randrange(100, 999)}",
        "address": chance.choice(home.places),
        "size": chance.choice(_SIZES),
    }
    return Person(
        name=name,
        language=language,
        email=email,
        facts=facts,
        quickness=chance.uniform(0.7, 1.6),
        patience_s=chance.lognormvariate(4.7, 0.45),
        ip=address_of(number),
        chance=random.Random(chance.random()),  # noqa: S311 - a simulation, not a secret
    )


def address_of(number: int) -> str:
    """Return a network address of the documentation's own (RFC 3849), a different /64 for each person."""
    return f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1"


def _handle(name: str, chance: random.Random) -> str:
    plain = name.lower().replace(" ", ".")
    return (
        plain
        if plain.isascii()
        else f"{chance.choice(('shan', 'lu', 'yun', 'xing', 'qing'))}{chance.randrange(100, 999)}"
    )
