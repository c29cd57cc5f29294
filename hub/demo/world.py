"""Who comes and who works in the demo, while the hub runs: started and stopped with it."""

import hashlib
import hmac
import logging
from pathlib import Path
from typing import Final, Protocol

import aiohttp
from aiohttp import web

from channels.simulator import Gateway, House, Library, Member, Staff, Visitors
from channels.simulator.post import Correspondents, Post, PostSettings
from channels.simulator.tempo import Tempo
from hub.auth import Auth
from hub.clock import Clock, SystemClock
from hub.demo import past
from hub.demo.config import loopback_url
from hub.demo.letters import LetterPages
from hub.demo.pages import Pages
from hub.demo.phone import Exchange
from hub.demo.phone_pages import PhonePages
from hub.demo.text_pages import TextPages
from hub.services.accounts import Accounts, Device
from hub.services.dispatching.floor import Floor
from hub.settings import AgentSettings, Settings
from hub.storage.unit_of_work import Store

log = logging.getLogger(__name__)

COLLEAGUES: Final = 4
"""Simulated colleagues at work: enough to live, few enough that somebody usually waits for a person at a console."""
FIRST_LETTERS: Final = 2
FIRST_VISITORS: Final = 7
"""Visitors who are there when the doors open, so that the first page shown is not an empty one."""
_STRANGERS: Final = 12
"""Customers of the past who come back during the demo: their browsers still know them."""


class Demo:
    """The demo's world. Simulated colleagues are given sessions; everything else they do over the network."""

    def __init__(self, settings: Settings, accounts: Accounts, auth: Auth, floor: Floor, *, key: bytes) -> None:
        self._settings = settings
        self._accounts = accounts
        self._auth = auth
        self._floor = floor
        self._key = key
        self._library = Library.load()
        self._rate = settings.demo.visitors_per_minute
        self._session: aiohttp.ClientSession | None = None
        self._visitors: Visitors | None = None
        self._staff: Staff | None = None
        self.exchange = Exchange(settings, lambda queue: floor.queue_view(queue).is_open)
        box = PostSettings.of(settings)
        self.post = Post(box) if box else None
        self.letters: Correspondents | None = None

    # -- what the pages show

    @property
    def rate(self) -> float:
        """Visitors a minute, on average."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = rate
        if self._visitors is not None:
            self._visitors.rate = rate

    def counts(self) -> dict[str, int]:
        """Return what the way in shows of the floor."""
        waiting = sum(self._floor.count_waiting(queue) for queue in self._settings.queues)
        working = [agent for agent in self._floor.agents.values() if agent.can_be_offered or agent.held]
        answered = sum(figures.answered for figures in self._floor.figures.values())
        with_agent = sum(interaction.agent is not None for interaction in self._floor.interactions.values())
        return {"waiting": waiting, "talking": with_agent, "agents": len(working), "answered": answered}

    # -- the world

    async def seed(self, store: Store) -> int:
        """Give the company a past, if it has none; returns the number of customers made."""
        tokens = [self._token(number) for number in range(_STRANGERS)]
        return await past.seed(store, self._settings, self._library, tokens)

    async def open(self) -> None:
        """Open what channels want to reach: the mail server. Without its ports the demo goes on, without letters."""
        if self.post is None:
            return
        try:
            await self.post.open()
        except OSError as error:
            await self.post.close()
            log.warning("the demo has no mail server", extra={"reason": str(error)})

    async def close(self) -> None:
        """Close it again; the channels are closed."""
        if self.post is not None:
            await self.post.close()

    async def start(self, base_url: str, *, clock: Clock | None = None, pace: float = 1.0, seed: int = 20) -> None:
        """Open the shop. `base_url` is where this hub listens; `pace` below 1 makes everybody quicker."""
        if self._session is not None:
            return
        tempo = Tempo(clock or SystemClock(), pace)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "simulated"},
        )
        gateway = Gateway(session=self._session, base_url=base_url, public_url=self._settings.server.public_url)
        team = [*colleagues(self._settings), *telephonists(self._settings)]
        members = [Member(agent_id=agent.id, name=agent.name) for agent in team]
        house = House(gateway, self._sign_in, self._library, self._settings, tempo, self.exchange.receivers)
        self._staff = Staff(house, members, seed=seed)
        site = next(iter(self._settings.channels), "")
        self._visitors = Visitors(gateway, site, self._library, tempo, rate=self._rate, seed=seed)
        self._visitors.expect({self._token(n): past.LANGUAGES[n % len(past.LANGUAGES)] for n in range(_STRANGERS)})
        self.exchange.start(base_url, [agent.id for agent in team], self._library, tempo, seed=seed)
        await self._staff.start()
        await self._visitors.start(at_once=FIRST_VISITORS if self._rate > 0 else 0)
        await self._start_letters(tempo, seed)
        log.info("the demo is open", extra={"colleagues": len(members), "visitors_per_minute": self._rate})

    async def _start_letters(self, tempo: Tempo, seed: int) -> None:
        if self.post is None or not self.post.is_open:
            return
        rate = self._settings.demo.letters_per_minute
        self.letters = Correspondents(self.post, self._library, tempo, rate=rate, seed=seed)
        await self.letters.start(at_once=FIRST_LETTERS if rate > 0 else 0)

    async def stop(self) -> None:
        """Close the shop; stopping twice is fine."""
        if self.letters is not None:
            await self.letters.stop()
            self.letters = None
        visitors, staff, session = self._visitors, self._staff, self._session
        self._visitors = self._staff = self._session = None
        await self.exchange.stop()
        if visitors is not None:
            await visitors.stop()
        if staff is not None:
            await staff.stop()
        if session is not None:
            await session.close()

    async def _sign_in(self, agent_id: str) -> str:
        signed = await self._accounts.sign_in_as(agent_id, Device(ip="127.0.0.1", browser="simulated"))
        return f"{self._auth.cookie}={signed.token}"

    def _token(self, number: int) -> str:
        """Return what the browser of one of the past's customers keeps: the same at every start, and nobody's guess."""
        return past.visitor_token(hmac.digest(self._key, f"demo visitor {number}".encode(), hashlib.sha256))


def colleagues(settings: Settings, count: int = COLLEAGUES) -> list[AgentSettings]:
    """Return configured agents whom nobody signs in as: those who together serve most queues in most languages."""
    free = [agent for agent in _nobody(settings) if not _only_calls(agent)]
    chosen: list[AgentSettings] = []
    while free and len(chosen) < count:
        covered = set().union(*(_serves(settings, agent) for agent in chosen))
        best = max(free, key=lambda agent: (len(_serves(settings, agent) - covered), len(_serves(settings, agent))))
        chosen.append(best)
        free.remove(best)
    return chosen


def telephonists(settings: Settings) -> list[AgentSettings]:
    """Return those whom nobody signs in as and who only take calls: with chats in hand nobody can answer a phone."""
    return [agent for agent in _nobody(settings) if _only_calls(agent)]


def _nobody(settings: Settings) -> list[AgentSettings]:
    people = {getattr(settings.demo, role) for role in ("agent", "agent2", "supervisor", "admin")}
    return [agent for agent in settings.agents.values() if agent.id not in people and agent.role == "agent"]


def _only_calls(agent: AgentSettings) -> bool:
    return agent.kinds == ("voice",)


def _serves(settings: Settings, agent: AgentSettings) -> set[tuple[str, str]]:
    queues = settings.queues if agent.queues is None else agent.queues
    languages = agent.languages or (settings.company.default_language,)
    return {(queue, language) for queue in queues for language in languages}


def setup(
    app: web.Application,
    *,
    settings: Settings,
    accounts: Accounts,
    auth: Auth,
    floor: Floor,
    templates: Path,
    key: bytes,
) -> Demo:
    """Add the demo's routes to the application and return its world, not begun yet."""
    demo = Demo(settings, accounts, auth, floor, key=key)
    Pages(settings, auth, templates, lambda: demo, demo.counts, demo.exchange).attach(app)
    PhonePages(settings, auth, templates, demo.exchange).attach(app)
    TextPages(settings, auth, templates, demo.exchange).attach(app)
    LetterPages(settings, auth, templates, demo.post).attach(app)

    async def stop(_app: web.Application) -> None:
        await demo.stop()

    app.on_shutdown.append(stop)
    return demo


class DemoServices(Protocol):
    """Of all use cases, what opening the demo needs."""

    @property
    def store(self) -> Store:
        """The database."""


class DemoHub(Protocol):
    """A hub built for the demo."""

    @property
    def demo(self) -> Demo | None:
        """Its world."""

    @property
    def services(self) -> DemoServices:
        """Its use cases."""

    @property
    def settings(self) -> Settings:
        """Its settings."""


async def start_demo(hub: DemoHub) -> None:
    """Give the company a past at the first start, and let people in. The hub listens already."""
    if hub.demo is None:
        return
    await hub.demo.seed(hub.services.store)
    await hub.demo.start(loopback_url(hub.settings.server))
