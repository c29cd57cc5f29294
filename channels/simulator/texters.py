"""A stream of simulated texters: they write to one of the company's numbers, read what comes back, and answer."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from channels.simulator.carrier import Carrier
from channels.simulator.carrier.messaging import Message
from channels.simulator.carrier.pockets import Pocket
from channels.simulator.coming import Coming
from channels.simulator.people import Person, new_person
from channels.simulator.picture import snapshot
from channels.simulator.scripts import Library
from channels.simulator.senders import by_way_of
from channels.simulator.talk import Reaction, Talk
from channels.simulator.tempo import Tempo

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 20
"""Texters who wait for an answer; beyond it nobody new writes."""
PICTURE_SHARE: Final = 0.2
OPTS_OUT_SHARE: Final = 0.08
"""Of those who were answered, how many want no more messages in the end."""
MOST_ROUNDS: Final = 8
PATIENCE_S: Final = 900.0
"""How long somebody looks at their telephone for an answer."""
READS_AFTER_S: Final = 3.0
_AREAS: Final = ("212", "312", "404", "512", "613", "702")
"""Area codes that no simulated caller has; the numbers in them are 555-0100 to 555-0199, which nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A sender of the company, as its messages name it, and what is spoken there."""

    sender: str
    languages: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """How it went so far."""

    written: int = 0
    answered: int = 0
    opted_out: int = 0


class Texters(Coming):
    """Lets people write, at random, `rate` a minute on average."""

    most = MOST_AT_ONCE

    def __init__(
        self,
        carrier: Carrier,
        lines: Sequence[TextLine],
        library: Library,
        tempo: Tempo,
        *,
        rate: float = 1.0,
        seed: int = 1,
    ) -> None:
        super().__init__(tempo, rate=rate, seed=seed)
        self._carrier = carrier
        self._lines = tuple(lines)
        self._library = library
        self._number = 0
        self.tally = Tally()

    def let_one_come(self) -> None:
        """Let somebody write now, where there is anybody to write to."""
        if self._lines:
            self.write()

    def write(self, *, opts_out: bool | None = None) -> None:
        """Let somebody write now; whether they want no more in the end is drawn where it is not given."""
        line = self._chance.choice(self._lines)
        spoken = [one for one in line.languages if one in self._library.languages] or ["en"]
        person = new_person(60_000 + self._number, self._library, spoken, self._chance)
        number = f"+1{self._chance.choice(_AREAS)}55501{self._chance.randrange(100):02d}"
        if opts_out is None:
            opts_out = self._chance.random() < OPTS_OUT_SHARE
        address = by_way_of(line.sender, number)
        if isinstance(self._carrier.post.handsets.get(address), Pocket):
            return  # somebody with this number writes at this very moment
        self._number += 1
        pocket = Pocket(reads_after_s=READS_AFTER_S * self._tempo.pace)
        self._carrier.post.handsets[address] = pocket
        texter = Texter(person, address, line.sender, pocket, opts_out=opts_out)
        self._enter(self._live(texter), "simulated texter")

    async def _live(self, texter: "Texter") -> None:
        script = self._library.pick(texter.person.language, texter.person.chance)
        talk = Talk(script, texter.person, self._library.language(texter.person.language).customer)
        try:
            await texter.run(self._carrier, talk, self._tempo, self.tally)
        finally:
            self._carrier.post.handsets.pop(texter.address, None)


class Texter:
    """Somebody with a telephone and one matter."""

    def __init__(self, person: Person, address: str, to: str, pocket: Pocket, *, opts_out: bool) -> None:
        self.person = person
        self.address = address
        self._to = to
        self._pocket = pocket
        self._opts_out = opts_out

    async def run(self, carrier: Carrier, talk: Talk, tempo: Tempo, tally: Tally) -> None:
        """Write, and answer what comes back, until there is nothing more to say or nothing more comes."""
        chance = self.person.chance
        await self._send(carrier, talk.opening(), has_picture=chance.random() < PICTURE_SHARE)
        tally.written += 1
        for _ in range(MOST_ROUNDS):
            said = await self._answers(tempo, PATIENCE_S)
            if not said:
                return
            tally.answered += 1
            await tempo.pause(chance, 2.0, 8.0)
            reaction = talk.react([message.body for message in said], "")
            await self._react(carrier, tempo, reaction)
            if reaction.leaves:
                break
        if self._opts_out:
            await tempo.pause(chance, 3.0, 10.0)
            await self._send(carrier, "退订" if self.person.language == "zh" else "STOP")
            tally.opted_out += 1

    async def _react(self, carrier: Carrier, tempo: Tempo, reaction: Reaction) -> None:
        for number, text in enumerate(reaction.texts):
            await tempo.type(self.person.chance, text, self.person.quickness)
            await self._send(carrier, text, has_picture=reaction.sends_photo and number == 0)

    async def _answers(self, tempo: Tempo, patience_s: float) -> list[Message]:
        """Return what has come since one last looked, waiting for it; nothing when none came."""
        while True:
            self._pocket.news.clear()
            if found := self._pocket.unread():
                return found
            if not await tempo.until(self._pocket.news, patience_s):
                return []

    async def _send(self, carrier: Carrier, text: str, *, has_picture: bool = False) -> None:
        media = [("image/png", snapshot(self.person.chance))] if has_picture else []
        sent = await carrier.person_writes(self.address, self._to, text, media=media, profile=self.person.name)
        self._pocket.keep(sent)
