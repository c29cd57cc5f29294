"""A leg obeying documents: fetching them, walking through their verbs, playing what is to be heard.

The verbs themselves live in modules of their own (`verbs`, `collecting`, `dialing`, `queueing`, `attending`); each is a
coroutine that returns where to go on: None for the next verb, a `Source` for another document, `OVER` for the end.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.hearing import Sound, speech_s
from channels.simulator.carrier.legs import HungUp, Leg, Redirected, Source
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.twiml import Document, Node, Problem, read
from channels.simulator.carrier.wav import length_s
from channels.simulator.carrier.webhooks import LARGEST_SOUND, Answer, flattened
from hub.clock import Instant

APPLICATION_ERROR: Final = "We are sorry, an application error has occurred. Goodbye."
MARKUP: Final = frozenset({"text/xml", "application/xml", "text/html"})
MOST_STEPS: Final = 1000
"""Documents one call may go through without a second passing: a redirect loop ends here, with an alert."""
BEEP_S: Final = 0.5
HALF_SECOND: Final = 0.5


class Over:
    """There is nothing more to obey."""


OVER: Final = Over()
Next = Source | Over | None
Verb = Callable[["Run", Node], Awaitable[Next]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A document to obey, or sound to play, and the address that relative addresses in it refer to."""

    document: Document | None = None
    base: str = ""
    sound_s: float = 0.0
    url: str = ""
    failure: int = 0


class Run:
    """One leg obeying documents. `place` limits what they may hold: see `twiml.PLACES`."""

    def __init__(self, plant: Plant, leg: Leg, verbs: Mapping[str, Verb], *, place: str = "") -> None:
        self.plant = plant
        self.leg = leg
        self.verbs = verbs
        self.place = place
        self.base = ""
        self.following: Node | None = None
        self._steps_at: Instant = 0
        self._steps = 0

    # -- a whole call

    async def call(self, source: Source | None) -> None:
        """Obey documents until there is nothing more to obey, or the leg is gone; then the leg has ended."""
        try:
            await self.obey(source)
            if self.leg.status == "ringing":
                self.leg.answer()
        except HungUp:
            return
        finally:
            self.leg.hang_up()

    async def obey(self, source: Next) -> None:
        """Go from document to document; a redirect from outside begins anew.

        Raises:
            HungUp: the leg has ended.
        """
        while isinstance(source, Source):
            try:
                source = await self.follow(source)
            except Redirected as redirected:
                source = redirected.source

    async def follow(self, source: Source) -> Next:
        """Fetch one document and obey it; returns where to go on."""
        self._count_step()
        loaded = await self.load(source)
        if loaded.failure:
            return await self._fail()
        self.base = loaded.base
        if loaded.document is None:
            await self.sound(Sound(at=self.now(), kind="play", url=loaded.url), loaded.sound_s)
            return OVER
        return await self.walk(loaded.document.verbs)

    async def walk(self, verbs: Sequence[Node]) -> Next:
        """Obey verbs one after another; what comes after the last is the end."""
        for index, verb in enumerate(verbs):
            if self.leg.is_over:
                raise HungUp
            self.following = verbs[index + 1] if index + 1 < len(verbs) else None
            handler = self.verbs.get(verb.name)
            if handler is None:
                self.leg.note(12200, f"<{verb.name}> is not simulated", is_error=False)
                continue
            onwards = await handler(self, verb)
            if onwards is not None:
                return onwards
        return OVER

    # -- fetching

    async def load(self, source: Source) -> Loaded:
        """Fetch a document, from the fallback address when the first one fails. Says what went wrong, if both did."""
        if source.twiml:
            return self._read(source.twiml, "", read(source.twiml, place=self.place))
        loaded = await self._load_from(source.hook, source, [])
        fallback = self.leg.fallback
        if loaded.failure and fallback and not self.place:
            more = [("ErrorCode", loaded.failure), ("ErrorUrl", urldefrag(source.hook.url)[0])]
            return await self._load_from(fallback, source, more)
        return loaded

    async def _load_from(self, hook: Hook, source: Source, more: Sequence[tuple[str, object]]) -> Loaded:
        if not is_callable(hook.url):
            self.leg.note(11100, "no address that can be called", url=hook.url)
            return Loaded(failure=11100)
        params = flattened([*self.leg.params(), *source.params, *more])
        answer = await self.leg.fetch(source.kind, hook, params, largest=LARGEST_SOUND)
        if answer.error:
            self.leg.switch.note_answer(answer, self.leg.sid)
            return Loaded(failure=answer.error)
        return self._take(answer)

    def _take(self, answer: Answer) -> Loaded:
        kind = answer.content_type.partition(";")[0].strip().lower()
        if kind.startswith("audio/"):
            return Loaded(sound_s=length_s(answer.body, kind), url=answer.url)
        if kind == "text/plain" and b"<Response" not in answer.body:
            text = answer.body.decode("utf-8", "replace")
            return Loaded(document=Document(verbs=[Node("Say", {}, 1, text=text)], problems=()), base=answer.url)
        if kind not in MARKUP | {"text/plain"}:
            self.leg.note(12300, f"content type {kind or 'missing'}", url=answer.url)
            return Loaded(failure=12300)
        return self._read(answer.body, answer.url, read(answer.body, place=self.place))

    def _read(self, _raw: str | bytes, url: str, document: Document) -> Loaded:
        self._note_problems(document.problems, url)
        if not document.is_usable:
            return Loaded(failure=next(problem.code for problem in document.problems if problem.is_error))
        return Loaded(document=document, base=url)

    def _note_problems(self, problems: Sequence[Problem], url: str) -> None:
        for problem in problems:
            self.leg.note(problem.code, f"line {problem.line}: {problem.text}", url=url, is_error=problem.is_error)

    async def _fail(self) -> Next:
        if self.leg.status == "ringing":
            self.leg.answer()
        await self.say(APPLICATION_ERROR, language="en-US", voice="man")
        if self.place:
            self.leg.hang_up()
            await self.leg.rest()
        return OVER

    def _count_step(self) -> None:
        second = self.now() // 1000
        self._steps = self._steps + 1 if second == self._steps_at else 0
        self._steps_at = second
        if self._steps > MOST_STEPS:
            self.leg.note(12400, "documents lead in a circle")
            self.leg.end("failed")

    def tell(self, source: Source) -> None:
        """Request a document that nobody will obey: the call has gone elsewhere. Only failures are noted."""
        leg = self.leg
        leg.switch.webhooks.notify(
            source.kind,
            source.hook,
            flattened([*leg.params(), *source.params]),
            on_failure=lambda answer: leg.switch.note_answer(answer, leg.sid),
        )

    # -- addresses

    def hook(self, node: Node, name: str, method: str = "method", *, default: str = "POST") -> Hook:
        """Return the address in an attribute, made absolute; an empty one when there is none."""
        url = node.get(name)
        return Hook(self.absolute(url) if url else "", node.get(method, default))

    def redirect_hook(self, node: Node) -> Hook:
        """Return where a Redirect leads; an empty one means this document again."""
        return Hook(self.absolute(node.text) if node.text else self.base, node.get("method", "POST"))

    def absolute(self, url: str) -> str:
        """Return an address as seen from the document it stands in."""
        return urljoin(self.base, url) if self.base else url

    def action(self, node: Node, params: Sequence[tuple[str, object]], *, own: bool = False) -> Source | None:
        """Return where a verb's `action` leads; `own`: without one, to the document it stands in."""
        hook = self.hook(node, "action")
        if not hook and own:
            hook = Hook(self.base, node.get("method", "POST"))
        return Source(hook=hook, params=tuple(params)) if hook else None

    # -- what is heard

    def now(self) -> Instant:
        """Return the present instant."""
        return self.leg.switch.now()

    async def sound(self, sound: Sound, seconds: float | None) -> None:
        """Let the leg hear something to its end, or for ever; cut it when something takes the leg away."""
        sound.at = self.now()
        sound.until = None if seconds is None else sound.at + round(seconds * 1000)
        self.leg.hearing.begin(sound)
        try:
            await self.leg.rest(sound.until)
        finally:
            self.leg.hearing.cut(sound)

    async def say(self, text: str, *, language: str = "", voice: str = "") -> None:
        """Speak a text."""
        await self.sound(Sound(at=0, kind="say", text=text, language=language, voice=voice), speech_s(text))

    async def fetch_sound(self, url: str) -> float | None:
        """Return how long the sound at an address plays, None when it cannot be had."""
        known = self.plant.sound_lengths.get(url)
        if known is not None:
            return known
        answer = await self.leg.fetch("wait", Hook(url, "GET"), [], largest=LARGEST_SOUND)
        kind = answer.content_type.partition(";")[0].strip().lower()
        if answer.error or not kind.startswith("audio/"):
            self.leg.note(answer.error or 12300, f"sound: {kind or 'nothing'}", url=url)
            return None
        seconds = length_s(answer.body, kind)
        self.plant.remember_sound(url, seconds)
        return seconds


def is_callable(url: str) -> bool:
    """Whether an address is one the carrier can call."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or "")
    except ValueError:
        return False
