"""A stream of simulated callers, at a rate that can be changed: most talk, some give up, some book a callback."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from channels.simulator import menus
from channels.simulator.carrier import Carrier
from channels.simulator.coming import Coming
from channels.simulator.people import Person, new_person
from channels.simulator.receiver import Receiver
from channels.simulator.scripts import Library
from channels.simulator.talk import Talk
from channels.simulator.tempo import Tempo

log = logging.getLogger(__name__)

Plan = Literal["talks", "gives_up", "books", "leaves_message", "serves_self"]

MOST_AT_ONCE: Final = 12
"""Callers on the line at once, whatever the rate."""
KNOWN_AT_MOST: Final = 40
RETURNING_SHARE: Final = 0.35
GIVES_UP_SHARE: Final = 0.15
BOOKS_SHARE: Final = 0.12
SELF_SHARE: Final = 0.4
"""Of those who meet a menu, how many go through it instead of asking for a person."""
_AREAS: Final = ("202", "303", "415", "503", "604", "617")
"""Area codes; the numbers in them are 555-0100 to 555-0199, which nobody has."""
_MISSES: Final = 2
"""How often a caller asks into silence before they hang up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A number to call, the language spoken there, whether it is only called for messages, and whether a menu answers.

    Whoever leaves a message calls while nobody is there: `is_open` says when that is not so.
    """

    number: str
    language: str
    takes_messages_only: bool = False
    has_menu: bool = False
    is_open: Callable[[], bool] = lambda: False


@dataclass(slots=True, kw_only=True)
class Counts:
    """How it went so far."""

    called: int = 0
    talked: int = 0
    gave_up: int = 0
    booked: int = 0
    messages: int = 0
    called_back: int = 0
    served_self: int = 0


@dataclass(slots=True)
class _Subscriber:
    """Somebody with a number: their telephone is in the carrier's world as long as they are remembered."""

    person: Person
    number: str
    receiver: Receiver


class Callers(Coming):
    """Lets people call, at random, `rate` a minute on average."""

    most = MOST_AT_ONCE

    def __init__(
        self,
        carrier: Carrier,
        destinations: Sequence[Destination],
        library: Library,
        tempo: Tempo,
        *,
        rate: float = 1.0,
        seed: int = 1,
    ) -> None:
        super().__init__(tempo, rate=rate, seed=seed)
        self._carrier = carrier
        self._destinations = tuple(destinations)
        self._library = library
        self._known: list[_Subscriber] = []
        self._made = 0
        self.counts = Counts()

    async def stop(self) -> None:
        """Nobody calls any more; what is up is put down."""
        await super().stop()
        for one in self._known:
            one.receiver.hang_up()

    def let_one_come(self) -> None:
        """Let somebody call now, where there is anything to call."""
        if self._destinations:
            self.ring()

    def ring(self, plan: Plan | None = None) -> None:
        """Let somebody call now."""
        fitting = [one for one in self._destinations if not (one.takes_messages_only and one.is_open())]
        if plan is not None:
            fitting = [one for one in fitting if one.takes_messages_only == (plan == "leaves_message")]
        to = self._chance.choice(fitting)
        self._enter(self._call(self._somebody(to.language), to, plan or self._plan(to)), "simulated caller")
        self.counts.called += 1

    def _plan(self, to: Destination) -> Plan:
        if to.takes_messages_only:
            return "leaves_message"
        if to.has_menu and self._chance.random() < SELF_SHARE:
            return "serves_self"
        fate = self._chance.random()
        if fate < GIVES_UP_SHARE:
            return "gives_up"
        return "books" if fate < GIVES_UP_SHARE + BOOKS_SHARE else "talks"

    def _somebody(self, language: str) -> _Subscriber:
        free = [one for one in self._known if one.receiver.is_free and one.person.language == language]
        if free and self._chance.random() < RETURNING_SHARE:
            return self._chance.choice(free)
        self._made += 1
        person = new_person(50_000 + self._made, self._library, [language], self._chance)
        number = f"+1{self._chance.choice(_AREAS)}55501{self._chance.randrange(100):02d}"
        again = next((one for one in self._known if one.number == number), None)
        if again is not None:
            return again if again.receiver.is_free else self._somebody(language)
        return self._remember(person, number)

    def _remember(self, person: Person, number: str) -> _Subscriber:
        """Put somebody's telephone into the world, so that they can be called back; the oldest are forgotten."""
        chance = random.Random(self._chance.random())  # noqa: S311
        found = _Subscriber(person, number, Receiver(self._tempo, chance))
        found.receiver.on_call = lambda: self._go(self._called_back(found), "simulated callback")
        self._known.append(found)
        self._carrier.world.install(number, found.receiver)
        idle = [one for one in self._known[:-1] if one.receiver.is_free]
        if len(self._known) > KNOWN_AT_MOST and idle:
            self._known.remove(idle[0])
            self._carrier.world.remove(idle[0].number)
        return found

    # -- one call

    async def _call(self, caller: _Subscriber, to: Destination, plan: Plan) -> None:
        receiver, chance = caller.receiver, caller.person.chance
        receiver.takes(self._carrier.call_number(caller.number, to.number, receiver))
        try:
            if not await receiver.is_answered(30.0):
                return
            if to.has_menu and plan != "gives_up" and not await self._through_menu(caller, plan):
                self.counts.served_self += 1
                return
            if plan in {"talks", "serves_self"}:
                await self._wait_and_talk(caller)
            elif plan == "gives_up":
                await self._tempo.pause(chance, 4.0, 40.0)
                self.counts.gave_up += 1
            elif plan == "books":
                await self._book(caller)
            else:
                await self._leave_message(caller)
        finally:
            receiver.hang_up()

    async def _through_menu(self, caller: _Subscriber, plan: Plan) -> bool:
        """Answer the machine until it puts one through to a person; False when it has done what was wanted."""
        receiver, person = caller.receiver, caller.person
        wants_person = plan != "serves_self"
        while said := await receiver.listen(30.0 * self._tempo.pace, kind="say"):
            kind = menus.question_in(said, person.language)
            if menus.is_put_through(said, person.language):
                return True
            if not kind:
                continue
            await self._tempo.pause(person.chance, 0.4, 2.0)
            if wants_person or kind == "word":
                await receiver.say(person.chance.choice(menus.ASK_FOR_PERSON[person.language]))
            else:
                receiver.press(menus.keys_for(kind, person.chance))
        return receiver.is_up

    async def _wait_and_talk(self, caller: _Subscriber) -> None:
        """Wait for a person as long as one's patience lasts: twice as long as in front of a window."""
        words = await caller.receiver.listen(caller.person.patience_s * 2 * self._tempo.pace)
        if not words:
            self.counts.gave_up += 1
            return
        self.counts.talked += 1
        await self._talk(caller, words)

    async def _talk(self, caller: _Subscriber, words: str) -> None:
        """Answer what is said until the subject is through."""
        person, receiver = caller.person, caller.receiver
        script = self._library.pick(person.language, person.chance)
        talk = Talk(script, person, self._library.language(person.language).customer)
        misses, has_opened = 0, False
        texts: tuple[str, ...]
        while receiver.is_up:
            if not has_opened:
                has_opened, texts, leaves = True, (talk.opening(),), False
            elif words:
                misses = 0
                reaction = talk.react([words], "")
                texts, leaves = reaction.texts, reaction.leaves
            else:
                misses += 1
                texts, leaves = (talk.words("waiting"),), misses > _MISSES
            await self._tempo.pause(person.chance, 0.4, 1.4)
            for text in texts:
                await receiver.say(text)
            if leaves:
                return
            words = await receiver.listen(40.0 * self._tempo.pace)

    async def _book(self, caller: _Subscriber) -> None:
        """Listen to the choice, then press 1; whoever is answered before that talks."""
        receiver = caller.receiver
        for _ in range(6):
            said = await receiver.listen(20.0 * self._tempo.pace, kind="say")
            if any(words in said for words in ("press one", "请按一")):
                receiver.press("1")
                self.counts.booked += 1
                await receiver.listen(15.0, kind="say")
                return
            if not said:
                break
        await self._wait_and_talk(caller)

    async def _leave_message(self, caller: _Subscriber) -> None:
        """Say it after the tone, and hang up."""
        person, receiver = caller.person, caller.receiver
        while await receiver.listen(4.0, kind="say"):
            continue
        if receiver.is_up:
            await receiver.say(person.fill(self._library.pick(person.language, person.chance).short))
            await self._tempo.pause(person.chance, 0.5, 1.5)
            self.counts.messages += 1

    async def _called_back(self, caller: _Subscriber) -> None:
        """Our number rang and was picked up: say hello, and talk."""
        self.counts.called_back += 1
        hello = self._library.language(caller.person.language).customer["hi"]
        try:
            await caller.receiver.say(caller.person.chance.choice(hello).replace("{agent}", "").strip(" ,"))
            await self._wait_and_talk(caller)
        finally:
            caller.receiver.hang_up()
