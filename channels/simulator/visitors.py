"""A stream of simulated visitors who chat with whoever answers, at a rate that can be changed while it runs."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from channels.simulator.client import ANSWER_WITHIN_S, Gateway, Line, LineDown, Refused
from channels.simulator.coming import Coming
from channels.simulator.people import Person, new_person
from channels.simulator.picture import snapshot
from channels.simulator.scripts import Library
from channels.simulator.talk import Reaction, Talk
from channels.simulator.tempo import Tempo

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 40
"""Visitors present at once, whatever the rate: beyond it the demo shows only a flood, and costs more than it shows."""
RETURNING_SHARE: Final = 0.3
KNOWN_AT_MOST: Final = 60
MOST_PATIENT_LOOKS: Final = 12
"""How often a visitor looks whether the agent who is typing has sent it, before answering what is there."""
SILENCE_S: Final = 75.0
"""How long a visitor waits for an answer in mid conversation before asking whether anybody is there."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """How it went so far."""

    arrived: int = 0
    present: int = 0
    thanked: int = 0
    gave_up: int = 0
    returned: int = 0


class Visitors(Coming):
    """Lets people come, at random, `rate` a minute on average."""

    most = MOST_AT_ONCE

    def __init__(
        self, gateway: Gateway, site: str, library: Library, tempo: Tempo, *, rate: float = 6.0, seed: int = 1
    ) -> None:
        super().__init__(tempo, rate=rate, seed=seed)
        self._gateway = gateway
        self._site = site
        self._library = library
        self._known: list[Person] = []
        self._arrived = 0
        self.counts = Counts()

    def expect(self, tokens: Mapping[str, str]) -> None:
        """Let people return who were here before this run: their browser's token, and the language they speak."""
        for token, language in tokens.items():
            person = self._new_person([language])
            person.token, person.visits = token, 1
            self._known.append(person)

    def let_one_come(self) -> None:
        """Let somebody come to the site now."""
        person = self._somebody()
        visit = Visit(person, self._gateway, self._site, self._library, self._tempo)
        self._enter(self._watch(visit), "simulated visitor")
        self.counts.arrived += 1
        self.counts.present = len(self._here)

    async def _watch(self, visit: "Visit") -> None:
        """Go through a visit, and remember the person when it is over."""
        try:
            await visit.run()
        except (LineDown, Refused) as error:
            log.debug("a simulated visitor was cut off", extra={"reason": str(error)})
        finally:
            self.counts.present = len(self._here) - 1
            self.counts.thanked += visit.is_content
            self.counts.gave_up += visit.gave_up
        if visit.person.token and len(self._known) < KNOWN_AT_MOST:
            self._known.append(visit.person)

    def _somebody(self) -> Person:
        if self._known and self._chance.random() < RETURNING_SHARE:
            self.counts.returned += 1
            return self._known.pop(self._chance.randrange(len(self._known)))
        return self._new_person(self._library.languages)

    def _new_person(self, languages: list[str]) -> Person:
        self._arrived += 1
        return new_person(self._arrived, self._library, languages, self._chance)


@dataclass(slots=True)
class _Thread:
    """What the visitor's window shows."""

    interaction: str = ""
    state: str = ""
    agent: str = ""
    last_n: int = 0
    agent_types: bool = False
    unanswered: list[str] = field(default_factory=list)
    choices: list[Mapping[str, str]] = field(default_factory=list)


class Visit:
    """One visit: from opening the chat to closing it, through lost lines and reloads."""

    def __init__(self, person: Person, gateway: Gateway, site: str, library: Library, tempo: Tempo) -> None:
        self.person = person
        self.gave_up = False
        self.is_content = False
        self._gateway = gateway
        self._site = site
        self._tempo = tempo
        self._chance = person.chance
        self._talk = Talk(
            library.pick(person.language, person.chance), person, library.language(person.language).customer
        )
        self._thread = _Thread()
        self._news = asyncio.Event()
        self._retry_s = 1.0
        self._line: Line | None = None
        self._is_over = False
        self._reloads = self._chance.random() < 0.06

    async def run(self) -> None:
        """Come, talk, go.

        Raises:
            Refused: the hub wants none of it. LineDown: it stays away.
        """
        self.person.visits += 1
        for _ in range(8):
            try:
                await self._connect()
                await self._converse()
            except LineDown:
                log.debug("a simulated visitor's line is down")
            finally:
                await self._hang_up()
            if self._is_over:
                return
            await self._tempo.pause(self._chance, self._retry_s, self._retry_s * 2)
            self._retry_s = min(self._retry_s * 2, 20.0)
        raise LineDown("the hub stays away")

    # -- the line

    async def _connect(self) -> None:
        auth = {"site": self._site, "lang": self.person.language}
        if self.person.token:
            auth["token"] = self.person.token
        headers = {"X-Forwarded-For": self.person.ip}
        try:
            self._line = await Line.open(self._gateway, "/chat", self._on_event, auth=auth, headers=headers)
        except Refused as error:
            if error.code != "unauthorized" or not self.person.token:
                raise
            self.person.token = ""
            raise LineDown("forgotten") from error
        resumed = await self._line.ask("resume", self._held())
        self._retry_s = 1.0
        self._see_thread(resumed.get("thread"))
        for message in resumed.get("messages", ()):
            self._see_message(message, is_history=not self._thread.last_n or message["n"] <= self._thread.last_n)
        if self._thread.state not in {"waiting", "active"}:
            await self._begin(resumed["site"])

    def _held(self) -> dict[str, Any]:
        thread = self._thread
        return {"interaction": thread.interaction, "after": thread.last_n} if thread.interaction else {}

    async def _hang_up(self) -> None:
        if self._line is not None:
            await self._line.close()
            self._line = None

    async def _ask(self, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        if self._line is None:
            raise LineDown("closed")
        return await self._line.ask(event, payload)

    # -- what the hub says

    def _on_event(self, event: str, payload: Any) -> None:  # noqa: ANN401 - whatever came over the wire
        match event:
            case "message" if payload["interaction"] == self._thread.interaction:
                self._see_message(payload)
            case "thread" if payload["interaction"] == self._thread.interaction:
                self._see_thread(payload)
            case "typing" if payload["interaction"] == self._thread.interaction:
                self._thread.agent_types = payload["typing"]
            case "restart":
                self._retry_s = payload["retry_in_ms"] / 1000
        self._news.set()

    def _see_thread(self, thread: Mapping[str, Any] | None) -> None:
        if thread is not None:
            if thread["interaction"] != self._thread.interaction:
                self._thread = _Thread()
            self._thread.interaction = thread["interaction"]
            self._thread.state = thread["state"]
            self._thread.agent = (thread["agent"] or {}).get("name", self._thread.agent)

    def _see_message(self, message: Mapping[str, Any], *, is_history: bool = False) -> None:
        if message["n"] <= self._thread.last_n:
            return
        self._thread.last_n = message["n"]
        if is_history or message["from"] == "system":
            return
        if message["from"] == "agent":
            self._thread.agent_types = False
            self._thread.unanswered.append(message["text"])
            self._thread.choices = message["choices"]

    # -- what the visitor does

    async def _begin(self, site: Mapping[str, Any]) -> None:
        """Fill in the form and ask, as the widget would."""
        await self._tempo.pause(self._chance, 1.0, 6.0)
        form = {
            field["id"]: self._entry(field)
            for field in site["form"]
            if field["required"] or self._chance.random() < 0.7
        }
        text = self._talk.opening()
        start: dict[str, Any] = {"client_id": self._new_id(), "form": form, "text": text}
        if not site["open"]:
            answer = await self._ask("leave_message", start)
            self._is_over = True
        else:
            wanted = {self._talk.script.topic, self._talk.script.id}
            choice = next((reply["id"] for reply in site["quick_replies"] if reply["id"] in wanted), None)
            answer = await self._ask("start", {**start, **({"choice": choice} if choice else {})})
        self.person.token = answer["token"] or self.person.token
        self._see_thread(answer["thread"])
        for message in answer.get("messages", ()):
            self._see_message(message, is_history=True)

    def _entry(self, field: Mapping[str, Any]) -> str:
        if field["kind"] == "choice" and field.get("options"):
            options = [option["id"] if isinstance(option, Mapping) else str(option) for option in field["options"]]
            return self._talk.script.topic if self._talk.script.topic in options else str(self._chance.choice(options))
        known = self.person.facts.get(field["id"], "")
        return known or (self.person.email if field["kind"] == "email" else self._talk.script.short)

    def _new_id(self) -> str:
        return f"sim-{self._chance.getrandbits(80):020x}"

    async def _converse(self) -> None:
        """Wait, read, answer, until one of the two has enough."""
        while not self._is_over:
            if self._line is None or not self._line.is_open:
                raise LineDown("closed")
            if self._thread.state == "ended":
                await self._after_the_end()
            elif self._thread.unanswered:
                await self._answer()
            elif self._thread.state == "waiting":
                await self._wait_in_line()
            else:
                await self._wait_for_answer()

    async def _after_the_end(self) -> None:
        await self._tempo.pause(self._chance, 2.0, 8.0)
        self._is_over = True

    async def _next_news(self, within_s: float) -> bool:
        """Wait for anything to happen; False when nothing did."""
        self._news.clear()
        if self._line is None or not self._line.is_open:
            raise LineDown("closed")
        return await self._tempo.until(self._news, within_s)

    async def _wait_in_line(self) -> None:
        deadline = self._tempo.clock.now() + round(self.person.patience_s * self._tempo.pace * 1000)
        while self._thread.state == "waiting" and not self._thread.unanswered:
            left_s = (deadline - self._tempo.clock.now()) / 1000 / max(self._tempo.pace, 1e-6)
            if left_s <= 0:
                await self._give_up()
                return
            await self._next_news(min(left_s, 20.0))
            if self._line is None or not self._line.is_open:
                raise LineDown("closed")

    async def _give_up(self) -> None:
        """Leave: most end the chat, some close the window, which the hub notices by the lost line."""
        self.gave_up = self._is_over = True
        if self._chance.random() < 0.7:
            await self._ask("end", {"interaction": self._thread.interaction})

    async def _wait_for_answer(self) -> None:
        waited = 0
        while self._thread.state == "active" and not self._thread.unanswered:
            if await self._next_news(SILENCE_S if waited == 0 else SILENCE_S * 1.5):
                continue
            waited += 1
            if waited > 2:
                await self._say(self._talk.words("annoyed"))
                await self._give_up()
                return
            await self._say(self._talk.words("waiting"))

    async def _answer(self) -> None:
        """Read what the agent wrote, let them finish, and answer."""
        before, waits = -1, 0
        while before != len(self._thread.unanswered) or (self._thread.agent_types and waits < MOST_PATIENT_LOOKS):
            before, waits = len(self._thread.unanswered), waits + 1
            await self._tempo.pause(self._chance, 1.2, 2.6)
        said, self._thread.unanswered = self._thread.unanswered, []
        await self._ask("seen", {"interaction": self._thread.interaction, "n": self._thread.last_n})
        if self._thread.state != "active":
            return
        if self._reloads:
            self._reloads = False
            self._thread.unanswered = said
            raise LineDown("the page was reloaded")
        await self._do(self._talk.react(said, self._thread.agent, self._thread.choices))

    async def _do(self, reaction: Reaction) -> None:
        if reaction.sends_photo:
            await self._send_photo()
        for text in reaction.texts:
            await self._say(text, choice=reaction.choice)
        if not reaction.leaves:
            return
        await self._tempo.pause(self._chance, 2.0, 7.0)
        if self._thread.unanswered:
            return
        self.is_content = self._is_over = True
        if self._thread.state == "active" and self._chance.random() < 0.75:
            await self._ask("end", {"interaction": self._thread.interaction})

    async def _say(self, text: str, *, choice: str = "") -> None:
        """Think, type, send; a message whose answer is lost is sent again under its own id, so it is stored once."""
        interaction = self._thread.interaction
        await self._tempo.pause(self._chance, 0.8, 3.0)
        if self._thread.state != "active" or self._line is None:
            return
        message = {"client_id": self._new_id(), "interaction": interaction, "text": text}
        if choice:
            message["choice"] = choice
        else:
            await self._line.tell("typing", {"interaction": interaction, "typing": True})
            await self._tempo.type(self._chance, text, self.person.quickness)
        if self._thread.state != "active":
            return
        try:
            await self._ask("message", message)
        except LineDown:
            await self._hang_up()
            await self._connect()
            await self._ask("message", message)
        except Refused as error:
            if error.code != "closed":
                raise

    async def _send_photo(self) -> None:
        """Take a picture, upload it, send it."""
        url = f"{self._gateway.base_url}/chat/api/files"
        headers = self._gateway.headers(
            **{"Authorization": f"Bearer {self.person.token}", "X-Hub": "1", "X-Forwarded-For": self.person.ip},
            **{"Content-Type": "application/octet-stream"},
        )
        query = {"interaction": self._thread.interaction, "name": f"IMG_{self._chance.randrange(1000, 9999)}.png"}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                async with self._gateway.session.post(
                    url, params=query, headers=headers, data=snapshot(self._chance)
                ) as response:
                    answer = await response.json()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LineDown(str(error)) from error
        if answer.get("ok"):
            message = {"client_id": self._new_id(), "interaction": self._thread.interaction, "text": ""}
            await self._ask("message", {**message, "files": [answer["file"]["id"]]})
