"""The staff's socket server: who may connect, the closed table of events, heartbeats, and ends of sessions."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Coroutine
from typing import Any

from aiohttp import web

from agent_console import permissions, requests
from agent_console.actions import Actions, Answer
from agent_console.rows import Rows, named
from agent_console.services import Authority, ConsoleServices, House
from agent_console.sync import Sync
from agent_console.tabs import Tab
from hub.clock import Timer
from hub.domain.errors import HubError, RateLimited, Stale, Unauthorized
from hub.domain.messages import Message
from hub.services.accounts import Signed
from hub.sockets import Audience, Connection, Event, SocketLimits, SocketServer

log = logging.getLogger(__name__)

NAMESPACE, PATH = "/console", "/console/socket.io"
CHECKED_MS = 60_000
_ENDED_KEPT = 1_000

# An event's argument, and the method of `Actions` that does it (of the same name).
_EVENTS: dict[str, type[requests.Request]] = {
    "sync": requests.Sync,
    "open": requests.Open,
    "leave_view": requests.OfInteraction,
    "earlier": requests.Earlier,
    "presence": requests.ChoosePresence,
    "resume_work": requests.Request,
    "accept": requests.Accept,
    "reject": requests.Reject,
    "pull": requests.OfInteraction,
    "send": requests.Send,
    "note": requests.Note,
    "draft": requests.Draft,
    "typing": requests.Typing,
    "seen": requests.Seen,
    "transfer": requests.Transfer,
    "park": requests.OfInteraction,
    "unpark": requests.OfInteraction,
    "wrap_up": requests.OfInteraction,
    "extend_wrap_up": requests.OfInteraction,
    "complete": requests.Complete,
    "assign": requests.Assign,
    "force_presence": requests.ForcePresence,
    "force_close": requests.ForceClose,
}
_AT_ONCE = frozenset({"sync", "typing"})


class ConsoleSockets:
    """All consoles that are connected."""

    def __init__(self, services: ConsoleServices, auth: Authority, house: House, rows: Rows) -> None:
        self._hub = services
        self._auth = auth
        self._rows = rows
        self.server: SocketServer[Signed] = SocketServer(
            namespace=NAMESPACE,
            path=PATH,
            audience=self._audience(house),
            events={name: self._event(name) for name in _EVENTS},
            limits=self._limits(),
            meter=house.meter,
        )
        self.sync = Sync(services.floor, rows, services.clock, self.server)
        self._actions = Actions(services, rows, self.sync)
        self._tabs: dict[str, int] = {}
        self._by_session: dict[str, set[Connection[Signed]]] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        """Sessions that ended lately: a console that was let in by one may still be on its way here."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._checker: Timer | None = None
        services.accounts.on_revoked.append(self._on_revoked)
        services.signals.subscribe("typing", self._on_typing)

    def attach(self, app: web.Application) -> None:
        """Serve the engine's path."""
        self.server.attach(app)

    async def close(self, reason: str) -> None:
        """Tell every console why, end all connections, send nothing more."""
        if self._checker is not None:
            self._checker.cancel()
            self._checker = None
        await self.server.close(reason)
        self.sync.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- who may connect

    def _audience(self, house: House) -> Audience[Signed]:
        return Audience(
            allow_origin=lambda origin, _request: self._auth.is_own_origin(origin),
            authenticate=self._authenticate,
            client_ip=house.client_ip,
            identity_key=lambda signed: signed.agent.id,
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
            on_resync=self._on_resync,
        )

    def _limits(self) -> SocketLimits:
        limits, presence = self._hub.settings.limits, self._hub.settings.presence
        return SocketLimits(
            max_message_bytes=limits.staff_frame_bytes,
            rate_per_s=limits.staff_events_per_s,
            burst=limits.staff_events_burst,
            connect_within_s=limits.connect_s,
            ping_interval_s=presence.heartbeat_s,
            ping_timeout_s=presence.grace_s - presence.heartbeat_s,
            per_identity=limits.sockets_per_agent,
            # A call center shares one address; who shows no session is cut after `connect_within_s`.
            per_ip=10 * limits.connections_per_address,
        )

    async def _authenticate(self, request: web.Request, auth: object) -> Signed | None:
        del auth
        try:
            return await self._auth.bearer(request)
        except Unauthorized:
            return None

    async def _on_connect(self, connection: Connection[Signed]) -> None:
        signed = connection.identity
        agent_id = signed.agent.id
        connection.data = self.sync.join(connection, agent_id)
        self._by_session.setdefault(signed.session.id, set()).add(connection)
        if signed.session.id in self._ended:
            self._on_revoked(signed.session.id)
        self._tabs[agent_id] = self._tabs.get(agent_id, 0) + 1
        if self._checker is None:
            self._check_later()
        if self._tabs[agent_id] == 1:
            await self._hub.presence.connected(agent_id)

    async def _on_disconnect(self, connection: Connection[Signed], reason: str) -> None:
        del reason
        signed = connection.identity
        agent_id = signed.agent.id
        if connection.data is not None:
            self.sync.leave(connection.data)
            connection.data = None
        connections = self._by_session.get(signed.session.id, set())
        connections.discard(connection)
        if not connections:
            self._by_session.pop(signed.session.id, None)
        left = self._tabs.get(agent_id, 1) - 1
        if left > 0:
            self._tabs[agent_id] = left
            return
        self._tabs.pop(agent_id, None)
        await self._hub.presence.disconnected(agent_id)
        if agent_id in self._tabs:
            # They came back while it was being written.
            await self._hub.presence.connected(agent_id)

    def _on_resync(self, connection: Connection[Signed]) -> None:
        if connection.data is not None:
            self.sync.distrust(connection.data)

    # -- ends of sessions

    def _on_revoked(self, session_id: str) -> None:
        self._ended[session_id] = None
        if len(self._ended) > _ENDED_KEPT:
            self._ended.popitem(last=False)
        for connection in tuple(self._by_session.get(session_id, ())):
            self._spawn(self.server.disconnect(connection, "signed_out"))

    def _check_later(self) -> None:
        clock = self._hub.clock
        self._checker = clock.call_at(clock.now() + CHECKED_MS, lambda: self._spawn(self._check_sessions()))

    async def _check_sessions(self) -> None:
        """An open console counts as use of its session; one that is over ends, also when another process ended it."""
        self._check_later()
        asked = set(self._by_session)
        try:
            valid = await self._hub.accounts.seen(asked)
        except HubError as error:
            log.warning("sessions could not be checked", extra={"code": error.code})
            return
        for session_id in asked - valid:
            self._on_revoked(session_id)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- events

    def _event(self, name: str) -> Event:
        """Return the handler of an event: rights, argument, action; errors become answers."""
        allowed, shape = permissions.EVENTS[name], _EVENTS[name]

        def begin(connection: Connection[Signed], payload: object) -> Awaitable[Answer] | Answer:
            tab: Tab | None = connection.data
            if tab is None or tab.view.agent_id not in self._hub.floor.agents:
                raise Unauthorized("Sign in again.")
            permissions.require(allowed, tab.view.scope.role)
            action = getattr(self._actions, name)
            result: Awaitable[Answer] | Answer = action(tab, requests.read(payload, shape))
            return result

        def now(connection: Connection[Signed], payload: object = None) -> Answer:
            try:
                answer = begin(connection, payload)
            except HubError as error:
                return failure(error)
            assert isinstance(answer, dict), name
            return {"ok": True} | answer

        async def later(connection: Connection[Signed], payload: object = None) -> Answer:
            try:
                answer = begin(connection, payload)
                return {"ok": True} | (answer if isinstance(answer, dict) else await answer)
            except Stale as error:
                newer = [self._rows.message(message) for message in error.newer if isinstance(message, Message)]
                return failure(error) | {"newer": newer}
            except HubError as error:
                return failure(error)

        return Event(now if name in _AT_ONCE else later)

    def _on_typing(self, signal: dict[str, object]) -> None:
        """Somebody types: tell those who look at the conversation."""
        interaction = self._hub.floor.interactions.get(str(signal.get("interaction")))
        if interaction is None:
            return
        name = str(signal.get("name") or "")
        if signal.get("who") == "customer":
            brief = self._hub.floor.customers.get(interaction.customer)
            name = named(brief.name if brief else "", interaction.customer, interaction.address)
        by = signal.get("agent")
        heard = {
            "interaction": interaction.id,
            "who": signal.get("who"),
            "name": name,
            "typing": bool(signal.get("typing")),
        }
        self.sync.typing(interaction.id, heard, by=str(by) if by else None)


def failure(error: HubError) -> Answer:
    """Return an error as an answer."""
    answer: Answer = {"ok": False, "error": error.code, "message": str(error)}
    if isinstance(error, RateLimited):
        answer["retry_after_s"] = round(error.retry_after_s, 1)
    return answer
