"""What simulated people talk about: scripts in several languages, read from the TOML files beside this module."""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

_FACT: Final = re.compile(r"\{[a-z]+\}")
FOLDER: Final = Path(__file__).parent / "scripts"


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subject. `turns` pairs what a colleague says with what the customer says next (empty: gives thanks)."""

    id: str
    topic: str
    keywords: tuple[str, ...]
    openings: tuple[str, ...]
    short: str
    turns: tuple[tuple[str, str], ...]
    language: str = "en"

    def opens_with(self, text: str) -> bool:
        """Whether a text holds one of the openings, whatever facts stand in it."""
        return any(
            all(part in text for part in _FACT.split(opening)) and opening[:1] in text for opening in self.openings
        )

    def is_about(self, text: str) -> int:
        """Return how many of the subject's words a text has."""
        lower = text.lower()
        return sum(word in lower for word in self.keywords)


Phrases = dict[str, tuple[str, ...]]
"""Ways to say what every conversation needs, by what is meant."""


class People(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people who speak a language are called, and where they live."""

    names: tuple[str, ...]
    places: tuple[str, ...]


class Language(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All there is in one language."""

    script: tuple[Script, ...]
    people: People
    customer: Phrases
    colleague: Phrases


class Library:
    """All scripts."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self._languages = dict(languages)
        self._scripts = [
            msgspec.structs.replace(script, language=code) for code, one in languages.items() for script in one.script
        ]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Library":
        """Read the folder's files: `en.toml` holds the scripts in English, and so on."""
        paths = sorted(folder.glob("*.toml"))
        return cls({path.stem: msgspec.toml.decode(path.read_bytes(), type=Language) for path in paths})

    @property
    def scripts(self) -> Sequence[Script]:
        """All of them."""
        return self._scripts

    @property
    def languages(self) -> list[str]:
        """The languages there are scripts in."""
        return sorted(self._languages)

    def language(self, code: str) -> Language:
        """Return all there is in this language, or in English if there is nothing."""
        return self._languages.get(code) or self._languages["en"]

    def pick(self, language: str, chance: random.Random) -> Script:
        """Return one in this language, or in English if there is none."""
        spoken = language if language in self._languages else "en"
        return chance.choice([script for script in self._scripts if script.language == spoken])

    def recognise(self, text: str, language: str) -> Script | None:
        """Return the script that a customer's words belong to, as a colleague would tell who has heard it before."""
        said = next((script for script in self._scripts if script.opens_with(text)), None)
        if said is not None:
            return said
        ranked = [(script.is_about(text), script.language == language, script) for script in self._scripts]
        best = max(ranked, key=lambda one: one[:2], default=None)
        return best[2] if best and best[0] > 0 else None
