"""Customers who write letters: they ask, answer with quotations, attach pictures, are on holiday, or have moved."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Final

import aiosmtplib

from channels.simulator.coming import Coming
from channels.simulator.people import Person, new_person
from channels.simulator.picture import snapshot
from channels.simulator.post.office import Folder
from channels.simulator.post.server import Post
from channels.simulator.post.words import File, Letter, Received, answer_to, received
from channels.simulator.scripts import Library
from channels.simulator.talk import Talk
from channels.simulator.tempo import Tempo

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 30
"""Customers who wait for an answer; beyond it nobody new writes."""
HOLIDAY_SHARE: Final = 0.1
GONE_SHARE: Final = 0.08
PICTURE_SHARE: Final = 0.3
MOST_ROUNDS: Final = 4
PATIENCE_S: Final = 1800.0
"""How long somebody looks into their mailbox for an answer."""
_OPENINGS: Final = {"en": ("Hello,", "Hi there,", "Good morning,"), "zh": ("您好：", "你好：")}
_ENDINGS: Final = {"en": ("Kind regards,", "Thanks,", "Best,"), "zh": ("谢谢！", "祝好！")}
_AWAY: Final = {
    "en": (
        "Automatic reply",
        "I am walking the coast path until the 14th and read no mail. I will answer then.",
    ),
    "zh": ("自动回复", "我正在休假，14日之前不看邮件，回来后会尽快回复。"),
}


@dataclass(slots=True, kw_only=True)
class Tally:
    """How it went so far."""

    written: int = 0
    answers: int = 0
    auto_replies: int = 0
    refused: int = 0


class Correspondents(Coming):
    """Lets letters come, at random, `rate` a minute from new customers on average."""

    most = MOST_AT_ONCE

    def __init__(self, post: Post, library: Library, tempo: Tempo, *, rate: float, seed: int = 1) -> None:
        super().__init__(tempo, rate=rate, seed=seed)
        self._post = post
        self._library = library
        self._number = 0
        self.tally = Tally()

    def let_one_come(self) -> None:
        """Have somebody write now."""
        self.write()

    def write(self, habit: str = "") -> None:
        """Have somebody write now; `habit` is "", "holiday" or "gone", drawn where it is not given."""
        self._number += 1
        person = new_person(self._number, self._library, self._library.languages, self._chance)
        local, _, domain = person.email.rpartition("@")
        fate = self._chance.random()
        if not habit:
            habit = "gone" if fate < GONE_SHARE else "holiday" if fate < GONE_SHARE + HOLIDAY_SHARE else "usual"
        # Each has an address of their own: two people of one name must not read each other's letters.
        person.email = f"{local}.{self._number}@{'gone.example' if habit == 'gone' else domain}"
        person.facts["email"] = person.email
        writer = Writer(person, habit, self._post, self._library, self._tempo, self.tally)
        self._enter(self._guarded(writer), "simulated correspondent")

    async def _guarded(self, writer: "Writer") -> None:
        try:
            await writer.run()
        except (aiosmtplib.SMTPException, OSError) as error:
            self.tally.refused += 1
            log.debug("a simulated letter was not taken", extra={"reason": str(error)})


class Writer:
    """One customer with one matter."""

    def __init__(self, person: Person, habit: str, post: Post, library: Library, tempo: Tempo, tally: Tally) -> None:
        self._person = person
        self._habit = habit
        self._post = post
        self._tempo = tempo
        self._tally = tally
        self._chance = person.chance
        script = library.pick(person.language, person.chance)
        self._talk = Talk(script, person, library.language(person.language).customer)

    async def run(self) -> None:
        """Write, and answer what comes back.

        Raises:
            aiosmtplib.SMTPException, OSError: the post takes nothing.
        """
        person = self._person
        subject = person.fill(self._talk.script.short).rstrip(".。 ")
        files = (self._picture(),) if self._chance.random() < PICTURE_SHARE else ()
        await self._send(subject, self._framed(self._talk.opening()), files=files)
        self._tally.written += 1
        box = self._post.office.box(person.email)
        if self._habit == "gone" or box is None:
            return
        seen = 0
        for round_ in range(MOST_ROUNDS):
            mail, seen = await self._next(box.inbox, seen)
            if mail is None:
                return
            if self._habit == "holiday":
                await self._auto_reply(mail)
                return
            if not await self._answer(mail, is_last=round_ == MOST_ROUNDS - 1):
                return

    async def _next(self, inbox: Folder, seen: int) -> tuple[Received | None, int]:
        """Wait for the next letter that a person wrote; None when none came."""
        came = asyncio.Event()
        inbox.watch(came.set)
        try:
            while True:
                came.clear()
                for one in [mail for mail in inbox.mails if mail.uid > seen]:
                    seen = one.uid
                    one.flags.add("\\Seen")
                    mail = received(one.raw)
                    if not mail.is_automatic:
                        return mail, seen
                if not await self._tempo.until(came, PATIENCE_S):
                    return None, seen
        finally:
            inbox.unwatch(came.set)

    async def _answer(self, mail: Received, *, is_last: bool) -> bool:
        """Answer a letter; False when there is nothing more to say."""
        await self._tempo.pause(self._chance, 15.0, 60.0)
        reaction = self._talk.react(mail.lines, mail.name.split(" ")[0])
        words = self._talk.words("thanks") if is_last or not reaction.texts else "\n".join(reaction.texts)
        subject, text = answer_to(mail, self._framed(words), self._person.language)
        files = (self._picture(),) if reaction.sends_photo else ()
        references = (*mail.references,)
        await self._send(subject, text, to=mail.reply_to, answers=mail.message_id, references=references, files=files)
        self._tally.answers += 1
        return bool(reaction.texts) and not reaction.leaves and not is_last

    async def _auto_reply(self, mail: Received) -> None:
        subject, text = _AWAY[self._person.language if self._person.language in _AWAY else "en"]
        letter = self._letter(f"{subject}: {mail.subject}", text, to=mail.reply_to)
        letter = replace(letter, answers=mail.message_id, references=mail.references, is_automatic=True)
        await self._post.hand_in(letter)
        self._tally.auto_replies += 1

    async def _send(
        self,
        subject: str,
        text: str,
        *,
        to: str = "",
        answers: str = "",
        references: tuple[str, ...] = (),
        files: tuple[File, ...] = (),
    ) -> None:
        letter = self._letter(subject, text, to=to)
        await self._post.hand_in(replace(letter, answers=answers, references=references, files=files))

    def _letter(self, subject: str, text: str, *, to: str) -> Letter:
        return Letter(
            sender=self._person.email,
            name=self._person.name,
            to=(to or self._post.settings.address,),
            subject=" ".join(subject.split()),
            text=text,
        )

    def _framed(self, words: str) -> str:
        language = self._person.language if self._person.language in _OPENINGS else "en"
        opening, ending = self._chance.choice(_OPENINGS[language]), self._chance.choice(_ENDINGS[language])
        return f"{opening}\n\n{words}\n\n{ending}\n{self._person.name}"

    def _picture(self) -> File:
        return File(
            name=f"IMG_{self._chance.randrange(10_000):04d}.png", type="image/png", content=snapshot(self._chance)
        )
