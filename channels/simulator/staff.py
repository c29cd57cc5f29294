"""Simulated colleagues: they sign in, accept offers, write, wrap up, take breaks, and leave work to real people."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from channels.simulator.board import Board, Row
from channels.simulator.clerk import Clerk
from channels.simulator.client import Gateway, Line, LineDown, Refused
from channels.simulator.desk import Answer, Case, Desk
from channels.simulator.scripts import Library
from channels.simulator.tempo import Tempo
from hub.settings import Settings

if TYPE_CHECKING:
    from channels.simulator.receiver import Receiver

log = logging.getLogger(__name__)

SignIn = Callable[[str], Awaitable[str]]
"""Signs an agent in by id and returns the Cookie header their browser would send."""

LONG_QUEUE: Final = 3
"""With as many waiting, nobody holds back or takes a break."""
MOST_PATIENT_LOOKS: Final = 12
"""How often a colleague looks whether the customer who is typing has sent it, before answering what is there."""
MISS_SHARE: Final = 0.03
DECLINE_SHARE: Final = 0.03
HOLD_SHARE: Final = 0.12
"""How often a colleague on the phone lets the caller hold before an answer."""
_PHONE_MISSES: Final = 2
_CANNOT_ANSWER: Final = frozenset({"opted_out", "window_over"})
"""Why nothing can be written to a customer any more: what is left is to put the conversation away."""
_ENDED: Final = frozenset({"wrapping", "closed", "abandoned", "cancelled", "flowed_out", "resolved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A colleague who is made of nothing: whose account they use."""

    agent_id: str
    name: str


@dataclass(frozen=True, slots=True)
class House:
    """What all colleagues share."""

    gateway: Gateway
    sign_in: SignIn
    library: Library
    settings: Settings
    tempo: Tempo
    receivers: Mapping[str, "Receiver"] = field(default_factory=dict)
    """The telephones of those who have one, by agent."""


class Staff:
    """The simulated part of the team."""

    def __init__(self, house: House, members: Sequence[Member], *, seed: int = 1) -> None:
        team = frozenset(member.agent_id for member in members)
        chance = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._colleagues = [
            Colleague(member, house, team, random.Random(chance.random()))  # noqa: S311
            for member in members
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let them come to work."""
        self._tasks = [asyncio.create_task(one.run(), name="simulated colleague") for one in self._colleagues]

    async def stop(self) -> None:
        """Send them home at once."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Colleague:
    """One of them, from the morning to the evening."""

    def __init__(self, member: Member, house: House, team: frozenset[str], chance: random.Random) -> None:
        self.member = member
        self._house = house
        self._tempo = house.tempo
        self._team = team
        self._chance = chance
        self._board = Board()
        self._line: Line | None = None
        self.cookie = ""
        self._news = asyncio.Event()
        self._is_behind = False
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._away_until = 0
        self._typing: dict[str, bool] = {}
        self._considered: set[str] = set()

    async def run(self) -> None:
        """Come back as often as the line is lost."""
        retry_s = 1.0
        while True:
            try:
                await self._tempo.pause(self._chance, 0.2, 4.0)
                await self._connect()
                retry_s = 1.0
                await self._work()
            except (LineDown, Refused) as error:
                log.debug(
                    "a simulated colleague is cut off", extra={"agent_id": self.member.agent_id, "reason": str(error)}
                )
            finally:
                await self._drop_everything()
            await self._tempo.pause(self._chance, retry_s, retry_s * 2)
            retry_s = min(retry_s * 2, 30.0)

    # -- the line

    async def _connect(self) -> None:
        self.cookie = await self._house.sign_in(self.member.agent_id)
        self._line = await Line.open(self._house.gateway, "/console", self._on_event, headers={"Cookie": self.cookie})
        self._board = Board()
        self._board.replace(await self._line.ask("sync", {}))
        await self._be("available")

    async def ask(self, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the hub something."""
        if self._line is None:
            raise LineDown("closed")
        return await self._line.ask(event, payload)

    async def tell(self, event: str, payload: Mapping[str, Any]) -> None:
        """Tell the hub something that needs no answer."""
        if self._line is None:
            raise LineDown("closed")
        await self._line.tell(event, payload)

    def _on_event(self, event: str, payload: Any) -> None:  # noqa: ANN401 - whatever came over the wire
        if event == "frame":
            self._is_behind |= not self._board.take(payload)
        elif event == "typing" and payload["who"] == "customer":
            self._typing[payload["interaction"]] = payload["typing"]
        elif event == "resync":
            self._is_behind = True
        self._news.set()

    async def _drop_everything(self) -> None:
        jobs = list(self._jobs.values())
        self._jobs = {}
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        if self._line is not None:
            await self._line.close()
            self._line = None

    # -- the day

    async def _work(self) -> None:
        """Look at the board whenever it changes, and begin what is to be done."""
        look_up_at = 0
        while self._line is not None and self._line.is_open:
            self._news.clear()
            if self._is_behind:
                self._is_behind = False
                self._board.replace(await self.ask("sync", {"seq": self._board.seq}))
            self._begin_what_came()
            if self._now() >= look_up_at:
                await self._look_around()
                look_up_at = self._later(3.0, 6.0)
            await self._tempo.until(self._news, 2.0)
            await self._tempo.pause(self._chance, 0.1, 0.2)
        raise LineDown("closed")

    def _begin_what_came(self) -> None:
        me = self.member.agent_id
        offers = {
            row["id"]: row for row in self._board.rows("offers") if row["agent"] == me and row["state"] == "pending"
        }
        self._considered &= offers.keys()
        for name in offers.keys() - self._considered:
            self._considered.add(name)
            self._begin(name, self._consider(offers[name]))
        for row in self._board.rows("interactions"):
            if row["agent"] == me and row["state"] in {"active", "wrapping"}:
                self._begin(row["id"], Conversation(self, row["id"], self._chance).run())

    def _begin(self, key: str, job: Coroutine[Any, Any, None]) -> None:
        """Start a job unless it runs; one that failed is started again when the board still asks for it."""
        running = self._jobs.get(key)
        if running is not None and not running.done():
            job.close()
            return
        for done in [name for name, task in self._jobs.items() if task.done()]:
            del self._jobs[done]
        self._jobs[key] = asyncio.create_task(self._guarded(job), name="simulated work")

    async def _guarded(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except (LineDown, Refused) as error:
            log.debug("simulated work ended early", extra={"agent_id": self.member.agent_id, "reason": str(error)})
            await self._tempo.pause(self._chance, 1.0, 2.0)

    async def _consider(self, offer: Row) -> None:
        """Accept, mostly; now and then look away, or decline."""
        fate = self._chance.random()
        if fate < MISS_SHARE:
            await self._tempo.pause(self._chance, 60.0, 60.0)
            return
        await self._tempo.pause(self._chance, 1.0, 6.0)
        if fate < MISS_SHARE + DECLINE_SHARE:
            await self.ask("reject", {"offer": offer["id"], "reason": "busy"})
        else:
            await self.ask("accept", {"offer": offer["id"]})

    async def _look_around(self) -> None:
        """Choose the presence that suits the floor: hold back for people who are there, take breaks in quiet times."""
        me = next(iter(self._board.rows("me")), None)
        if me is None:
            return
        if me["status"] == "not_responding":
            await self.ask("resume_work", {})
        is_held_back = me["presence"] != "available" or me["next_presence"] is not None
        reason = self._why_away(me)
        if reason and not is_held_back:
            await self._be("away", reason)
        elif not reason and is_held_back:
            await self._be("available")

    def _why_away(self, me: Row) -> str:
        """Return the away reason that fits now, empty for none."""
        reasons = list(self._house.settings.away_reasons)
        if not reasons or self._board.waiting >= LONG_QUEUE:
            return ""
        if self._board.is_hungry(self._team):
            return "back_office" if "back_office" in reasons else reasons[0]
        if self._now() < self._away_until:
            return str(me["reason"] or reasons[0])
        is_quiet = self._board.waiting == 0 and self._board.on_duty(self._team) > max(len(self._team) // 2, 1)
        if is_quiet and me["held"] == 0 and self._chance.random() < 0.25:
            self._away_until = self._later(45.0, 140.0)
            return self._chance.choice(reasons)
        return ""

    async def _be(self, presence: str, reason: str = "") -> None:
        await self.ask("presence", {"presence": presence, **({"reason": reason} if reason else {})})

    def _now(self) -> int:
        return self._tempo.clock.now()

    def _later(self, least_s: float, most_s: float) -> int:
        return self._now() + round(self._chance.uniform(least_s, most_s) * self._tempo.pace * 1000)

    # -- for conversations

    async def post(self, path: str) -> bool:
        """Do what the console's buttons do that are no events; False when the hub does not let this one do it."""
        gateway = self._house.gateway
        headers = gateway.headers(Cookie=self.cookie, **{"Content-Type": "application/json"})
        async with gateway.session.post(f"{gateway.base_url}{path}", data="{}", headers=headers) as response:
            return response.status == 200

    @property
    def receiver(self) -> "Receiver | None":
        """This colleague's telephone."""
        return self._house.receivers.get(self.member.agent_id)

    @property
    def house(self) -> House:
        """What all colleagues share."""
        return self._house

    @property
    def board(self) -> Board:
        """What this colleague sees."""
        return self._board

    @property
    def news(self) -> asyncio.Event:
        """Set whenever the board changes."""
        return self._news

    def is_typing(self, interaction: str) -> bool:
        """Whether the customer was last seen typing."""
        return self._typing.get(interaction, False)

    def forget(self, interaction: str) -> None:
        """The conversation is over."""
        self._typing.pop(interaction, None)

    def slowness(self) -> float:
        """How much time this colleague takes: more when nobody waits, so that the floor is never empty nor drowned."""
        waiting = self._board.waiting
        return 2.0 if waiting <= 1 else 1.3 if waiting < LONG_QUEUE else 0.8


class Conversation:
    """A colleague's work with one interaction, from the first look to the outcome."""

    def __init__(self, colleague: Colleague, interaction: str, chance: random.Random) -> None:
        self._me = colleague
        self._id = interaction
        self._chance = chance
        self._tempo = colleague.house.tempo
        self._said: dict[int, Row] = {}
        self._answered_n = 0
        self._number = chance.getrandbits(64)

    async def run(self) -> None:
        """Serve the customer and close the interaction.

        Raises:
            Refused: it is no longer this colleague's. LineDown: the line is lost.
        """
        opened = await self._me.ask("open", {"interaction": self._id})
        self._note(opened["messages"])
        desk = self._desk(opened)
        try:
            is_parked = await self._serve(desk, str(opened["interaction"]["channel_kind"]))
        except Refused as error:
            if error.code not in _CANNOT_ANSWER:
                raise
            is_parked = False
        if not is_parked:
            await self._finish(desk)
        self._me.forget(self._id)
        await self._me.tell("leave_view", {"interaction": self._id})

    async def _serve(self, desk: Desk, kind: str) -> bool:
        """Do what the channel's kind asks for; True when it is parked."""
        if kind == "email":
            return self._state == "active" and await self._write(desk)
        await (self._speak if kind == "voice" else self._converse)(desk)
        return False

    async def _write(self, desk: Desk) -> bool:
        """Read the customer's letter and answer it; True when it is parked. A machine's letter is only put away."""
        said = self._unanswered()
        await self._tempo.pause(self._chance, 6.0, 20.0)
        last_n = max(self._said, default=0)
        await self._me.tell("seen", {"interaction": self._id, "n": last_n})
        if not said or self._state != "active":
            return False
        answer = desk.write(said)
        await self._tempo.type(self._chance, " ".join(answer.texts))
        if self._state != "active":
            return False
        clerk = Clerk(self._me.house.gateway, self._me.cookie, self._id, self._chance)
        return await clerk.answer(answer, last_n)

    async def _converse(self, desk: Desk) -> None:
        """Answer in a chat until it has come to its end."""
        misses = 0
        while self._state == "active":
            said = self._unanswered()
            if said:
                misses = 0
                if await self._reply(desk, said):
                    break
            elif not await self._wait_for_customer():
                misses += 1
                if misses > 2:
                    break
                await self._send(desk.words("there"))

    async def _speak(self, desk: Desk) -> None:
        """Talk on the phone; a message that was left is listened to instead."""
        receiver = self._me.receiver
        if receiver is None or not receiver.is_up:
            await self._tempo.pause(self._chance, 4.0, 15.0)
            return
        hello = desk.words("hello_phone")
        desk.take_over([hello], is_mine=True)
        await receiver.say(hello)
        misses = 0
        while self._state == "active" and receiver.is_up:
            said = await receiver.listen(25.0 * self._tempo.pace)
            misses = 0 if said else misses + 1
            if misses > _PHONE_MISSES:
                break
            if not said:
                await receiver.say(desk.words("there"))
                continue
            if self._chance.random() < HOLD_SHARE:
                await self._look_it_up(desk, receiver)
            answer = desk.answer([said])
            for text in answer.texts:
                await receiver.say(text)
            if answer.is_done:
                break

    async def _look_it_up(self, desk: Desk, receiver: "Receiver") -> None:
        """Ask the caller to hold, look something up, come back."""
        await receiver.say(desk.words("look"))
        path = f"/api/v1/interactions/{self._id}/call/"
        if await self._me.post(f"{path}hold"):
            await self._tempo.pause(self._chance, 6.0, 15.0)
            await self._me.post(f"{path}resume")
            await self._tempo.pause(self._chance, 0.5, 1.0)

    def _desk(self, opened: Row) -> Desk:
        settings = self._me.house.settings
        row = opened["interaction"]
        language = str(row["language"] or "en")
        case = Case(
            language=language,
            queue=row["queue"],
            customer=str(row["customer_name"] or "").split(" ")[0],
            agent=self._me.member.name.split(" ")[0],
        )
        ready = {
            reply.shortcut: settings.text(reply.text, language)
            .replace("{{customer}}", case.customer)
            .replace("{{agent}}", case.agent)
            for reply in settings.canned_replies.values()
            if not reply.queues or row["queue"] in reply.queues
        }
        desk = Desk(case, self._me.house.library, ready, self._chance)
        theirs = [message for message in opened["messages"] if message["from"] == "agent"]
        mine = [message["n"] for message in theirs if message["author"] == self._me.member.agent_id]
        if theirs:
            spoken = [line for message in theirs for line in message["text"].splitlines()]
            desk.take_over(spoken, is_mine=bool(mine))
        self._answered_n = max(mine, default=0)
        return desk

    # -- what is known

    @property
    def _row(self) -> Row:
        return self._me.board.tables.get("interactions", {}).get(self._id, {})

    @property
    def _state(self) -> str:
        row = self._row
        is_mine = row.get("agent") == self._me.member.agent_id
        return str(row.get("state", "closed")) if is_mine else "closed"

    def _note(self, messages: Sequence[Row]) -> None:
        for message in messages:
            self._said[message["n"]] = message

    def _unanswered(self) -> list[str]:
        self._note([row for row in self._me.board.rows("messages") if row["interaction"] == self._id])
        return [
            self._said[n]["text"] or "(picture)"
            for n in sorted(self._said)
            if n > self._answered_n and self._said[n]["from"] == "customer"
        ]

    async def _wait_for_customer(self) -> bool:
        """Wait for the customer's next words; False when none came for a good while."""
        deadline = self._tempo.clock.now() + round(80_000 * self._tempo.pace)
        while self._state == "active" and not self._unanswered():
            left_s = (deadline - self._tempo.clock.now()) / 1000
            if left_s <= 0:
                return False
            await self._tempo.clock.sleep(min(left_s, max(1.0 * self._tempo.pace, 0.02)))
        return True

    # -- what is done

    async def _reply(self, desk: Desk, said: list[str]) -> bool:
        """Read, think, write; True when the conversation has come to its end."""
        slow = self._me.slowness()
        await self._tempo.pause(self._chance, 1.0 * slow, 4.0 * slow)
        for _ in range(MOST_PATIENT_LOOKS):
            if not self._me.is_typing(self._id):
                break
            await self._tempo.pause(self._chance, 1.0, 2.0)
        said = self._unanswered() or said
        last_n = max(self._said, default=0)
        await self._me.tell("seen", {"interaction": self._id, "n": last_n})
        answer = desk.answer(said, self._other_queues(desk.case.queue))
        self._answered_n = last_n
        for number, text in enumerate(answer.texts, 1):
            is_last = number == len(answer.texts)
            await self._send(text, answer.choices if is_last else (), slow=slow)
        if answer.pass_to and self._state == "active":
            await self._pass_on(answer)
        if answer.is_done:
            await self._tempo.pause(self._chance, 2.0, 5.0)
        return answer.is_done

    def _other_queues(self, own: str) -> list[str]:
        """Queues with somebody in them who could take it over."""
        return [queue["id"] for queue in self._me.board.rows("queues") if queue["id"] != own and queue["available"] > 0]

    async def _pass_on(self, answer: Answer) -> None:
        note = f"Belongs to {answer.pass_to}; the customer knows."
        await self._me.ask("transfer", {"interaction": self._id, "queue": answer.pass_to, "note": note})
        while self._state == "active":
            await self._tempo.clock.sleep(0.05)

    async def _send(self, text: str, choices: Sequence[Mapping[str, str]] = (), *, slow: float = 1.0) -> None:
        await self._me.tell("typing", {"interaction": self._id, "typing": True})
        await self._tempo.type(self._chance, text, 1.0 / slow)
        if self._state != "active":
            return
        self._number += 1
        message: dict[str, Any] = {
            "interaction": self._id,
            "client_id": f"sim-{self._number:x}",
            "text": text,
            "seen_n": max(self._said, default=0),
            "anyway": True,
        }
        await self._me.ask("send", {**message, "choices": list(choices)} if choices else message)

    async def _finish(self, desk: Desk) -> None:
        """Wrap up, write what colleagues should know, choose the outcome."""
        if self._state == "active":
            await self._me.ask("wrap_up", {"interaction": self._id})
        elif self._state != "wrapping":
            return
        await self._tempo.pause(self._chance, 3.0, 10.0)
        if self._chance.random() < 0.3:
            note = {"interaction": self._id, "client_id": f"note-{self._number:x}", "text": desk.words("note")}
            await self._me.ask("note", note)
            await self._tempo.pause(self._chance, 1.0, 4.0)
        outcomes = list(self._outcomes(desk.case.queue))
        if outcomes:
            await self._me.ask("complete", {"interaction": self._id, "disposition": self._chance.choice(outcomes)})

    def _outcomes(self, queue: str) -> Iterator[str]:
        dispositions = self._me.house.settings.dispositions
        for name, disposition in dispositions.items():
            if (not disposition.queues or queue in disposition.queues) and name not in {"spam", "no_answer"}:
                yield name
