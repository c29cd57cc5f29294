"""What a simulated customer says to what a colleague says: by the script where it fits, plausibly where it does not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from channels.simulator.people import Person
from channels.simulator.scripts import Phrases, Script

_ASKS: Final = {
    "order": r"order (number|no\b|id)|which order|number of (the|your) order|订单号|单号|哪个订单|哪一笔订单",
    "email": r"e-?mail|邮箱|邮件地址",
    "phone": r"\bphone|telephone|mobile|call you|电话|手机号",
    "address": r"\baddress|postcode|deliver(ed)? to|where to\b|地址|寄到哪",
    "size": r"(what|which|your) size|尺码是|多大码|几码",
    "name": r"your (full )?name|what name|who am i|怎么称呼|贵姓|您的姓名",
}
_PHOTO: Final = re.compile(r"\b(photo|picture|image|screenshot)|照片|图片|截图|拍一张", re.IGNORECASE)
_QUESTION: Final = re.compile(
    r"[?\uff1f]|^\s*(what|which|when|where|who|how|do|does|is|are|can|could|would|请问)\b", re.IGNORECASE
)
_MOMENT: Final = re.compile(
    r"(one|a) (moment|second|minute)|let me (check|look|see|find)|bear with|hold on|looking into|"
    r"稍等|稍候|请等|我(马上)?(查|看)一下|帮您(查|看)",
    re.IGNORECASE,
)
_THERE: Final = re.compile(r"still there|are you there|还在吗|在吗", re.IGNORECASE)
_MORE: Final = re.compile(
    r"(anything|something) else|else i can|还有(什么|其他|别的)|其他问题|可以帮您的吗", re.IGNORECASE
)
_BYE: Final = re.compile(
    r"\b(good ?bye|bye|take care|have a (nice|good|great|lovely))|enjoy the|再见|祝您|拜拜", re.IGNORECASE
)
_HELLO: Final = re.compile(
    r"^\W*(hi|hello|hey|good (morning|afternoon|evening)|welcome|thanks? you for (writing|contacting))|您好|你好",
    re.IGNORECASE,
)
_HELP: Final = re.compile(r"how (can|may) i help|what can i do|有什么(可以|能)帮", re.IGNORECASE)
_RUDE: Final = re.compile(r"\b(shut up|idiot|stupid|go away|damn)\b|笨蛋|滚", re.IGNORECASE)
_ENOUGH: Final = re.compile(r"\b(no|all|done)\b|没有|不用", re.IGNORECASE)
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")

_CALM = 2
"""How many answers that have nothing to do with the question a customer puts up with."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the customer does next: says some things (none: waits), sends a picture, leaves."""

    texts: tuple[str, ...] = ()
    choice: str = ""
    """The id of a quick reply that the (one) text is the label of."""
    sends_photo: bool = False
    leaves: bool = False


class Talk:
    """One customer's side of one conversation."""

    def __init__(self, script: Script, person: Person, phrases: Phrases) -> None:
        self.script = script
        self._phrases = phrases
        self._person = person
        self._turn = 0
        self._odd = 0
        self._said_foreign = False
        self._has_greeted = False
        self._asked: set[str] = set()

    def opening(self) -> str:
        """Return the first words."""
        return self._person.fill(self._person.chance.choice(self.script.openings))

    def words(self, kind: str) -> str:
        """Return one of the ways to say something, in the person's language."""
        return self._person.chance.choice(self._phrases[kind])

    def react(self, said: Sequence[str], agent: str, choices: Sequence[Mapping[str, str]] = ()) -> Reaction:
        """Return what follows from a colleague's messages; `choices` are quick replies to take one of."""
        text = "\n".join(said)
        if choices:
            return self._chosen(choices)
        scripted = self._scripted(said)
        if scripted is not None:
            return scripted
        for answer in (self._foreign, self._courtesy, self._facts, self._farewell):
            reaction = answer(text, agent)
            if reaction is not None:
                return reaction
        return self._substance(text)

    def _chosen(self, choices: Sequence[Mapping[str, str]]) -> Reaction:
        taken = self._person.chance.choice(choices)
        is_enough = self._turn >= len(self.script.turns) and bool(_ENOUGH.search(taken["label"]))
        return Reaction((taken["label"],), choice=taken["id"], leaves=is_enough)

    def _scripted(self, said: Sequence[str]) -> Reaction | None:
        """The colleague says what this subject's script has them say: the answer is known, word for word."""
        spoken = {line.strip() for line in said}
        for number, (theirs, mine) in enumerate(self.script.turns):
            if self._person.fill(theirs) in spoken or theirs in spoken:
                self._turn = max(self._turn, number + 1)
                return Reaction((self._person.fill(mine) if mine else self.words("content"),))
        return None

    def _foreign(self, text: str, _agent: str) -> Reaction | None:
        is_chinese = bool(_CHINESE.search(text))
        is_english = (
            bool(re.search(r"[a-z]{3}.*[a-z]{3}.*[a-z]{3}", text, re.IGNORECASE | re.DOTALL)) and not is_chinese
        )
        is_foreign = is_english if self._person.language == "zh" else is_chinese
        if not is_foreign or self._said_foreign:
            return None
        self._said_foreign = True
        return Reaction((self.words("foreign"),))

    def _courtesy(self, text: str, agent: str) -> Reaction | None:
        chance = self._person.chance
        if _RUDE.search(text):
            self._odd += 2
            return self._lost("rude")
        if _THERE.search(text):
            return Reaction((self.words("here"),))
        if _MOMENT.search(text) and not _QUESTION.search(text):
            return Reaction((self.words("ok"),)) if chance.random() < 0.5 else Reaction()
        if _HELLO.search(text) and (_HELP.search(text) or len(text) < 48):
            return self._greeted(agent, is_asked=bool(_HELP.search(text)))
        return None

    def _greeted(self, agent: str, *, is_asked: bool) -> Reaction:
        """A greeting is answered once; who is asked how to help says again what it is about."""
        if self._has_greeted and not is_asked:
            return Reaction()
        greeting = self.words("hi").format(agent=agent)
        is_chatty = not self._has_greeted and self._person.chance.random() < 0.4
        self._has_greeted = True
        if is_asked:
            return Reaction((f"{greeting} {self._person.fill(self.script.short)}",))
        return Reaction((greeting,)) if is_chatty else Reaction()

    def _facts(self, text: str, _agent: str) -> Reaction | None:
        if not _QUESTION.search(text):
            return None
        if _PHOTO.search(text):
            return Reaction((self.words("photo"),), sends_photo=True)
        wanted = [name for name, pattern in _ASKS.items() if re.search(pattern, text, re.IGNORECASE)]
        fresh = [name for name in wanted if name not in self._asked]
        if not fresh:
            return None
        self._asked.update(fresh)
        return Reaction((", ".join(self._person.facts[name] for name in fresh),))

    def _farewell(self, text: str, _agent: str) -> Reaction | None:
        if _MORE.search(text) or _BYE.search(text):
            if self._turn < len(self.script.turns) - 1 and self._person.chance.random() < 0.5:
                return self._next()
            return Reaction((self.words("bye" if _BYE.search(text) else "thanks"),), leaves=True)
        return None

    def _substance(self, text: str) -> Reaction:
        is_fitting = self.script.is_about(text) > 0 or len(text) > (25 if self._person.language == "en" else 10)
        if is_fitting:
            return self._next()
        if _QUESTION.search(text):
            return Reaction((self.words("yes"),))
        self._odd += 1
        return self._lost("lost")

    def _next(self) -> Reaction:
        """Go on with the subject, or be content."""
        while self._turn < len(self.script.turns):
            mine = self.script.turns[self._turn][1]
            self._turn += 1
            if mine:
                return Reaction((self._person.fill(mine),))
        return Reaction((self.words("thanks"),), leaves=True)

    def _lost(self, kind: str) -> Reaction:
        if self._odd > _CALM:
            return Reaction((self.words("leaving"),), leaves=True)
        return Reaction((self.words(kind), f"{self.words('again')}{self._person.fill(self.script.short)}"))
