"""What a simulated colleague says to a customer: by the script where it is known, else with ready-made replies."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from channels.simulator.scripts import Library, Script

_DONE: Final = re.compile(
    r"\b(that'?s all|that was (it|all)|thank|thanks|cheers|bye|perfect|great)\b|谢谢|感谢|再见|没有了|拜拜|太好了",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(r"[?\uff1f]")

MOST_EVASIONS: Final = 2
"""How often a colleague who knows nothing pretends to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the colleague does next."""

    texts: tuple[str, ...] = ()
    choices: tuple[dict[str, str], ...] = ()
    """Quick replies under the last text."""
    is_done: bool = False
    pass_to: str = ""
    """The queue this belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One conversation as the colleague finds it."""

    language: str
    queue: str
    customer: str
    agent: str


class Desk:
    """A colleague's side of one conversation. `ready` are the company's canned replies: shortcut -> text."""

    def __init__(self, case: Case, library: Library, ready: Mapping[str, str], chance: random.Random) -> None:
        self.case = case
        self._library = library
        self._ready = ready
        self._chance = chance
        self._script: Script | None = None
        self._spoken: set[str] = set()
        self._evasions = 0
        self._has_greeted = False
        self._has_asked_for_more = False

    def words(self, kind: str) -> str:
        """Return one of the ways to say something, in the customer's language."""
        chosen = self._chance.choice(self._all(kind))
        return chosen.replace("{customer}", self.case.customer).replace("{agent}", self.case.agent)

    def take_over(self, spoken: Sequence[str], *, is_mine: bool) -> None:
        """The conversation is under way: colleagues said this; `is_mine` if it was this colleague."""
        self._has_greeted = is_mine
        self._spoken = {line.strip() for line in spoken}

    def answer(self, said: Sequence[str], queues: Sequence[str] = ()) -> Answer:
        """Return what follows from the customer's messages; `queues` are places it could be passed to."""
        text = "\n".join(said)
        if self._script is None:
            self._script = self._library.recognise(text, self.case.language)
            if self._script and self._script.topic in queues and self._chance.random() < 0.5:
                return Answer((self.words("pass"),), pass_to=self._script.topic)
        greeting = () if self._has_greeted else (self._greeting(),)
        self._has_greeted = True
        is_thanks = bool(_DONE.search(text)) and not _QUESTION.search(text)
        if self._has_asked_for_more and is_thanks:
            return Answer((self.words("bye"),), is_done=True)
        line = self._next_line(text)
        if line:
            return Answer((*greeting, line))
        self._has_asked_for_more = True
        if self._chance.random() < 0.3:
            labels = self._all("choices")
            choices = tuple({"id": name, "label": label} for name, label in zip(("done", "more"), labels, strict=True))
            return Answer((*greeting, self.words("more")), choices=choices)
        return Answer((*greeting, self.words("more")))

    def write(self, said: Sequence[str]) -> Answer:
        """Return the answer to a letter: all of it at once, for nobody waits for the next line."""
        text = "\n".join(said)
        self._script = self._library.recognise(text, self.case.language)
        if _DONE.search(text) and not _QUESTION.search(text) and self._has_greeted:
            return Answer((self.words("bye"),), is_done=True)
        line = self._next_line(text)
        return Answer((self._greeting(), line or self.words("vague")), is_done=not line)

    def _greeting(self) -> str:
        return self.words("hello").replace("  ", " ").replace(" ,", ",")

    def _next_line(self, text: str) -> str:
        """The script's next line; without one, a ready-made reply that shares a word with what was said."""
        if self._script is not None and self._script.language == self.case.language:
            left = next((line for line, _ in self._script.turns if line not in self._spoken), "")
            if left:
                return self._once(left)
        fitting = [reply for shortcut, reply in self._ready.items() if len(shortcut) > 3 and shortcut in text.lower()]
        fresh = next((reply for reply in fitting if reply not in self._spoken), "")
        if fresh and self._script is None:
            return self._once(fresh)
        if not self._spoken:
            return self._once(self.words("look"))
        if _QUESTION.search(text) and self._evasions < MOST_EVASIONS:
            self._evasions += 1
            return self.words("vague")
        return ""

    def _once(self, line: str) -> str:
        self._spoken.add(line)
        return line

    def _all(self, kind: str) -> tuple[str, ...]:
        return self._library.language(self.case.language).colleague[kind]
