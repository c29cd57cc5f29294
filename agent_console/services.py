"""What the console is given: the hub's use cases, built elsewhere, and who tells requests apart."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web

from hub.clock import Clock
from hub.contract import Channel
from hub.events import Signals
from hub.meters import SocketMeter, Unmetered
from hub.services.accounts import Accounts, Signed
from hub.services.arrivals import Arrivals
from hub.services.dispatching.dispatch import Dispatcher
from hub.services.dispatching.explaining import Explaining
from hub.services.dispatching.floor import Floor
from hub.services.files import FileStore
from hub.services.flows.agents import AgentFlows
from hub.services.flows.figures import FlowOverview
from hub.services.flows.paths import Paths
from hub.services.flows.trying import FlowTrying
from hub.services.handling import Handling
from hub.services.intake import Intake
from hub.services.letters.writing import Letters
from hub.services.messages import Messages
from hub.services.offers import Offers
from hub.services.people import People
from hub.services.phone.callbacks import Callbacks
from hub.services.phone.desk import CallDesk
from hub.services.presence import PresenceService
from hub.services.promises import Promises
from hub.services.reading import Reading
from hub.services.search import Search
from hub.services.supervision import Supervision
from hub.services.texting import Texting
from hub.services.timeline import Timeline
from hub.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """The hub as the console uses it."""

    settings: Settings
    clock: Clock
    signals: Signals
    floor: Floor
    accounts: Accounts
    dispatcher: Dispatcher
    files: FileStore
    handling: Handling
    messages: Messages
    offers: Offers
    people: People
    presence: PresenceService
    promises: Promises
    reading: Reading
    search: Search
    supervision: Supervision
    texting: Texting
    timeline: Timeline
    explaining: Explaining
    letters: Letters
    arrivals: Arrivals
    callbacks: Callbacks
    call_desk: CallDesk
    intake: Intake
    channels: Mapping[str, Channel]
    paths: Paths
    agent_flows: AgentFlows
    flow_trying: FlowTrying
    flows: FlowOverview


Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Authority(Protocol):
    """Tells who sends a request (`hub.auth.Auth`)."""

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST /session."""
        ...

    async def session(self, request: web.Request) -> web.Response:
        """GET /session."""
        ...

    async def sign_out(self, request: web.Request) -> web.Response:
        """DELETE /session."""
        ...

    async def sessions(self, request: web.Request) -> web.Response:
        """GET /sessions."""
        ...

    async def revoke(self, request: web.Request) -> web.Response:
        """DELETE /sessions/{id}."""
        ...

    async def change_password(self, request: web.Request) -> web.Response:
        """POST /password."""
        ...

    async def demo_session(self, request: web.Request) -> web.Response:
        """POST /demo/session."""
        ...

    @property
    def cookie(self) -> str:
        """What the session's cookie is called."""
        ...

    @property
    def is_demo(self) -> bool:
        """Whether this hub is a demo."""
        ...

    async def current(self, request: web.Request) -> Signed:
        """Return who is signed in; an unsafe method must come from our own pages."""
        ...

    async def bearer(self, request: web.Request) -> Signed:
        """Return whose session the request's cookie is."""
        ...

    def is_own_origin(self, origin: str | None) -> bool:
        """Whether a page of ours says so."""
        ...


@dataclass(frozen=True, kw_only=True)
class House:
    """Where the console lives: what is neither a use case nor a setting."""

    client_ip: Callable[[web.Request], str]
    templates: Path
    meter: SocketMeter = field(default_factory=Unmetered)
