"""A flow played by whoever answers for it, as a customer would meet it: nothing is stored and nothing is sent.

The whole conversation is told each time and played anew, so that nothing is kept between two steps. Look-ups that only
read are really asked; whatever would change something in the company's systems counts as failed, and is said.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub.domain.errors import BadRequest, NotFound
from hub.flows import writing
from hub.flows.checking import Around, check
from hub.flows.dialogues import Talk
from hub.flows.model import Flow, FlowError, Medium
from hub.flows.reading import read_flow
from hub.flows.session import Begin, Fetch, HungUp, Input, LookedUp, Offered, Said, SendMessage, Stepped, TimeUp
from hub.flows.voice import Gather, Record, Say, spoken
from hub.services.flows.self_service import SelfService

MOST_INPUTS: Final = 60
MOST_LOOK_UPS: Final = 12
"""Look-ups of one trial that are really asked."""


class Tried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done: say or press something, take a choice, keep silent, hang up."""

    do: Literal["say", "choose", "press", "silence", "hang_up"]
    text: Annotated[str, Meta(max_length=2_000)] = ""


class Line(msgspec.Struct, frozen=True):
    """One thing said, by the customer, by the flow, or about what happened (`note`)."""

    by: Literal["customer", "flow", "note"]
    text: str
    choices: list[Offered] = []


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The conversation so far, where it stands, and how it ended (empty: it goes on)."""

    lines: list[Line]
    flow: str
    step: str
    outcome: str
    reason: str
    findings: list[str]


class FlowTrying:
    """Plays flows for the console. The caller has checked who may."""

    def __init__(self, flows: SelfService, around: Callable[[], Around]) -> None:
        self._flows = flows
        self._around = around

    async def play(
        self, name: str, medium: Medium, language: str, inputs: Sequence[Tried], *, text: str = "", now: int
    ) -> Trial:
        """Play a flow, published or as in `text`.

        Raises:
            NotFound: there is no such flow. BadRequest: the text is none; it says where and why.
        """
        book = self._flows.library.published
        findings: list[str] = []
        if text:
            flow = _read(text)
            name, book = flow.name, {**book, flow.name: flow}
            findings = [str(one) for one in check(flow, book, self._around())]
        if name not in book:
            raise NotFound("There is no such flow.")
        trial = _Trial(Talk(book, name, medium, language, now=now), self._flows)
        await trial.put(Begin)
        for one in inputs[:MOST_INPUTS]:
            if trial.talk.session.is_over:
                break
            await trial.take(one)
        session = trial.talk.session
        return Trial(
            lines=trial.lines,
            flow=session.frames[-1].flow,
            step=session.frames[-1].step,
            outcome=str(session.outcome or ""),
            reason=session.reason,
            findings=findings,
        )


def _read(text: str) -> Flow:
    try:
        return read_flow(text, "text")
    except FlowError as error:
        raise BadRequest(str(error)) from error


class _Trial:
    """One trial under way."""

    def __init__(self, talk: Talk, flows: SelfService) -> None:
        self.talk = talk
        self.lines: list[Line] = []
        self._flows = flows
        self._asked: int = 0
        talk.known, talk.similar = {"queues": flows.queues}, flows.similar(talk.session.language)

    async def take(self, one: Tried) -> None:
        """Do what the customer does."""
        talk = self.talk
        if one.do == "silence":
            self.lines.append(Line("customer", "…"))
            await self.put(lambda key: TimeUp(key, talk.session.timer))
        elif one.do == "hang_up":
            await self.put(HungUp)
        elif one.do == "choose":
            made = talk.chosen(one.text)
            told = made("")
            self.lines.append(Line("customer", told.text or told.digits if isinstance(told, Said) else one.text))
            await self.put(made)
        else:
            is_key = one.do == "press" and talk.session.medium is Medium.PHONE
            self.lines.append(Line("customer", one.text))
            await self.put(lambda key: Said(id=key, digits=one.text if is_key else "", text="" if is_key else one.text))

    async def put(self, make: Callable[[str], Input]) -> None:
        """Give the session an input, and answer what it looks up."""
        stepped = self.talk.put(make)
        self._tell(stepped)
        while (fetch := next((wish for wish in stepped.wishes if isinstance(wish, Fetch)), None)) is not None:
            answer = await self._look_up(fetch)
            self.lines.append(Line("note", f"{fetch.method} {fetch.path}: {answer.outcome}"))
            stepped = self.talk.put(
                lambda key, answer=answer: msgspec.structs.replace(answer, id=key)  # type: ignore[misc]
            )
            self._tell(stepped)

    async def _look_up(self, fetch: Fetch) -> LookedUp:
        fetcher = self._flows.fetcher
        self._asked += 1
        if fetcher is None or fetch.method != "GET" or self._asked > MOST_LOOK_UPS:
            return LookedUp(id="", fetch=fetch.id, outcome="failed")
        return await fetcher.fetch(fetch)

    def _tell(self, stepped: Stepped) -> None:
        session = self.talk.session
        for sent in (wish for wish in stepped.wishes if isinstance(wish, SendMessage)):
            self.lines.append(Line("note", f"{sent.medium} → {sent.to or '…'}: {sent.text}"))
        if session.medium is Medium.CHAT:
            self.lines += [Line("flow", one.text, list(one.choices)) for one in writing.chat(stepped.outputs)]
        elif session.medium is Medium.SMS:
            self.lines += [Line("flow", one.text) for one in writing.sms(stepped.outputs, session.language)]
        elif session.medium is Medium.EMAIL:
            text = writing.mail(stepped.outputs, session.language).listed
            self.lines += [Line("flow", text)] if text else []
        else:
            for one in spoken(stepped.outputs, session.language):
                said = one.prompts if isinstance(one, Gather | Record) else (one,) if isinstance(one, Say) else ()
                self.lines += [Line("flow", words.text) for words in said]
