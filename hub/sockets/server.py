"""Who may connect, which events there are, rooms, emitting, closing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from aiohttp import WSCloseCode, web
from socketio.exceptions import ConnectionRefusedError as LibraryRefusal

from hub.domain.networks import address_block
from hub.meters import SocketMeter, Unmetered
from hub.sockets import packets
from hub.sockets.engine import CLIENTS_REASONS, EngineSocket, Library
from hub.sockets.events import Event, EventRefused, Handler, event_table
from hub.sockets.limits import SocketLimits

log = logging.getLogger(__name__)

IdentityT = TypeVar("IdentityT", bound=Hashable)

GOODBYE = "goodbye"
"""The last event a client gets: `{"reason": code, "again": whether it should come back}`."""


class Connection(Generic[IdentityT]):
    """One client in the namespace, from its CONNECT to its end."""

    __slots__ = ("_room_to_read", "data", "identity", "in_flight", "ip", "key", "rooms", "sid", "socket", "starting")

    def __init__(self, sid: str, identity: IdentityT, key: Hashable, ip: str, socket: EngineSocket) -> None:
        self.sid = sid
        self.identity = identity
        self.key = key
        self.ip = ip
        self.data: Any = None
        """For the application; nothing here looks at it."""
        self.rooms: set[str] | None = None
        self.socket = socket
        self.in_flight = 0
        self.starting = 0
        self._room_to_read: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether frames can still reach the client."""
        return not self.socket.closed

    def begin(self, limit: int) -> "asyncio.Future[None] | None":
        """Count an event being handled; return a future to wait for when `limit` is reached."""
        self.in_flight += 1
        if self.in_flight < limit:
            return None
        self._room_to_read = asyncio.get_running_loop().create_future()
        return self._room_to_read

    def end(self) -> None:
        """Count an event as handled."""
        self.in_flight -= 1
        waiting, self._room_to_read = self._room_to_read, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


@dataclass(frozen=True, kw_only=True)
class Audience(Generic[IdentityT]):
    """Who may connect, and who is told of it."""

    allow_origin: Callable[[str | None, web.Request], bool]
    """Judges the Origin header of the websocket's GET; None means it was missing, which is refused by itself."""
    authenticate: Callable[[web.Request, object], Awaitable[IdentityT | None]]
    """Says who it is, from the request and the client's `auth`; None refuses, EventRefused refuses with a code."""
    client_ip: Callable[[web.Request], str]
    """The client's address, proxies considered."""
    identity_key: Callable[[IdentityT], Hashable] = field(default=lambda identity: identity)
    """What counts as the same identity for limits and `connections_of`."""
    on_connect: Callable[[Connection[IdentityT]], Awaitable[None]] | None = None
    """Runs after the client knows it is connected, and before its first event is read."""
    on_disconnect: Callable[[Connection[IdentityT], str], Awaitable[None]] | None = None
    """Runs once for each connection whose `on_connect` ran; events of it may still be in flight."""
    on_resync: Callable[[Connection[IdentityT]], None] | None = None
    """Runs when a slow client, whose frames were thrown away, has read everything else. None: it is cut instead."""


class SocketServer(Generic[IdentityT]):
    """One audience's Socket.IO server: one namespace on one engine path."""

    def __init__(
        self,
        *,
        namespace: str,
        path: str,
        audience: Audience[IdentityT],
        events: Mapping[str, Handler | Event],
        limits: SocketLimits | None = None,
        public_errors: tuple[type[Exception], ...] = (),
        meter: SocketMeter | None = None,
    ) -> None:
        """Build a server; nothing runs before the first client.

        Args:
            namespace: with its slash, such as `/chat`.
            path: of the engine, such as `/chat/socket.io`.
            audience: who may connect, and who is told of it.
            events: the closed table of events a client may send.
            limits: how much a client may do.
            public_errors: errors with a `code` that a client may see; every other error is `internal`.
            meter: is told of every socket and every answer.
        """
        self._namespace = namespace
        self._path = "/" + path.strip("/")
        self._audience = audience
        self._limits = limits or SocketLimits()
        self._events = event_table(events)
        self._public_errors: tuple[type[Exception], ...] = (EventRefused, *public_errors)
        self._meter = meter or Unmetered()
        self._event_start = len(f"42{namespace},")
        self._library = Library(namespace, self._limits, self)
        self._library.on("connect", self._connect, namespace=namespace)
        self._library.on("disconnect", self._disconnect, namespace=namespace)
        self._engine = self._library.eio
        self._connections: dict[str, Connection[IdentityT]] = {}
        self._rooms: dict[str, set[Connection[IdentityT]]] = {}
        self._by_key: dict[Hashable, set[Connection[IdentityT]]] = {}
        self._sockets_by_ip: dict[str, int] = {}
        self._running: set[asyncio.Future[Any]] = set()
        self._is_closing = False

    # -- the application's side

    def attach(self, app: web.Application) -> None:
        """Serve the engine's path; the application's shutdown closes the server if nobody has."""
        app.router.add_get(self._path + "/", self._handle_get, allow_head=False)
        app.on_shutdown.append(self._on_shutdown)

    def emit(
        self, event: str, payload: object, *, to: str | Iterable[str] | None, skip: Connection[IdentityT] | None = None
    ) -> None:
        """Send an event, encoded once, to connections or rooms by name; None is everybody. Nobody gets it twice."""
        targets = self._connections.values() if to is None else self._targets(to)
        frame = b""
        for connection in targets:
            if connection is not skip:
                frame = frame or packets.event_frame(self._namespace, event, payload)
                connection.socket.write(frame)

    def join(self, connection: Connection[IdentityT], room: str) -> None:
        """Let the connection receive what is emitted to `room`."""
        if connection.sid not in self._connections:
            return
        if connection.rooms is None:
            connection.rooms = set()
        connection.rooms.add(room)
        self._rooms.setdefault(room, set()).add(connection)

    def leave(self, connection: Connection[IdentityT], room: str) -> None:
        """Undo `join`."""
        if connection.rooms is not None:
            connection.rooms.discard(room)
        _discard(self._rooms, room, connection)

    def connections(self) -> list[Connection[IdentityT]]:
        """Return everybody who is connected."""
        return list(self._connections.values())

    def connections_of(self, key: Hashable) -> list[Connection[IdentityT]]:
        """Return the connections of the identity with this key (see `Audience.identity_key`)."""
        return list(self._by_key.get(key, ()))

    def known_as(self, connection: Connection[IdentityT], key: Hashable) -> None:
        """Count the connection as this identity's from now on: who it is became known after it was opened."""
        if connection.sid not in self._connections or connection.key == key:
            return
        _discard(self._by_key, connection.key, connection)
        connection.key = key
        self._by_key.setdefault(key, set()).add(connection)

    def members(self, room: str) -> list[Connection[IdentityT]]:
        """Return the connections in a room."""
        return list(self._rooms.get(room, ()))

    async def disconnect(self, connection: Connection[IdentityT], reason: str, *, again: bool = False) -> None:
        """Say goodbye and end the connection; official clients come back by themselves only if told `again`."""
        connection.socket.write(self._goodbye(reason, again=again))
        if not again:
            connection.socket.write(packets.text_frame(f"41{self._namespace},".encode()))
        connection.socket.cut(WSCloseCode.OK, reason)

    async def close(self, reason: str, *, within_s: float = 5.0) -> None:
        """Take no new clients, let running events finish, tell every client why, end all connections."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
        await _cancelled([running for running in self._running if isinstance(running, asyncio.Task)])
        goodbye = self._goodbye(reason, again=True)
        for socket in list(self._engine.sockets.values()):
            socket.write(goodbye)
            socket.cut(WSCloseCode.GOING_AWAY, reason)
        await self._wait_until_empty(within_s)
        await self._engine.stop()

    # -- opening

    async def _handle_get(self, request: web.Request) -> web.StreamResponse:
        """Judge a websocket's GET before it is upgraded, and serve it."""
        refusal = self._judge(request)
        if refusal is not None:
            return refusal
        block = address_block(self._audience.client_ip(request))
        sockets = self._sockets_by_ip.get(block, 0)
        if self._limits.per_ip is not None and sockets >= self._limits.per_ip:
            return _refuse(429, "too_many_connections")
        self._sockets_by_ip[block] = sockets + 1
        try:
            response: web.StreamResponse = await self._engine.handle_request(request)
        finally:
            left = self._sockets_by_ip[block] - 1
            if left:
                self._sockets_by_ip[block] = left
            else:
                del self._sockets_by_ip[block]
        return response

    def _judge(self, request: web.Request) -> web.Response | None:
        """Return why this GET opens no websocket, if so."""
        origin = request.headers.get("Origin")
        if origin is None or not self._audience.allow_origin(origin, request):
            return _refuse(403, "origin")
        if self._is_closing:
            return _refuse(503, "closing")
        query = request.query
        if query.get("EIO") != "4" or query.get("transport") != "websocket" or "sid" in query:
            return _refuse(400, "websocket_only")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return _refuse(400, "websocket_only")
        return None

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: object = None) -> None:
        """Judge a CONNECT packet; python-socketio answers it."""
        request: web.Request = environ["aiohttp.request"]
        socket: EngineSocket = environ["hub.socket"]
        identity = await self._identify(request, auth)
        key = self._audience.identity_key(identity)
        connection = Connection(sid, identity, key, self._audience.client_ip(request), socket)
        others = self._by_key.get(key, ())
        if self._limits.per_identity is not None and len(others) >= self._limits.per_identity:
            raise LibraryRefusal("too_many_connections")
        self._by_key.setdefault(key, set()).add(connection)
        socket.connection = connection

    async def _identify(self, request: web.Request, auth: object) -> IdentityT:
        """Ask the application who it is.

        Raises:
            LibraryRefusal: becomes a CONNECT_ERROR whose message is a code.
        """
        try:
            identity = await self._audience.authenticate(request, auth)
        except self._public_errors as error:
            raise LibraryRefusal(_code(error)) from error
        except Exception as error:
            # Whatever went wrong, this client hears a code, and the others hear nothing.
            log.exception("socket authentication failed")
            raise LibraryRefusal("internal") from error
        if identity is None:
            raise LibraryRefusal("unauthorized")
        return identity

    async def on_other(self, socket: EngineSocket, packet: str) -> None:
        """Hand CONNECT and DISCONNECT to python-socketio; welcome who is connected after it."""
        await self._engine.handlers["message"](socket.sid, packet)
        connection: Connection[IdentityT] | None = socket.connection
        if connection is None or connection.sid in self._connections:
            return
        if socket.closed:
            await self._library.manager.disconnect(connection.sid, self._namespace, ignore_queue=True)
            self._drop(connection)
            return
        self._connections[connection.sid] = connection
        if self._audience.on_connect is not None:
            await self._call(self._audience.on_connect(connection))

    async def _disconnect(self, sid: str, reason: str) -> None:
        """Forget a connection whose namespace or socket is closed."""
        connection = self._connections.get(sid)
        if connection is None:
            return
        self._drop(connection)
        if not connection.socket.closed:
            self._engine.await_connect(connection.socket)
        if self._audience.on_disconnect is not None:
            await self._call(self._audience.on_disconnect(connection, reason))

    def _drop(self, connection: Connection[IdentityT]) -> None:
        """Remove the connection from every list."""
        connection.socket.connection = None
        self._connections.pop(connection.sid, None)
        _discard(self._by_key, connection.key, connection)
        for room in connection.rooms or ():
            _discard(self._rooms, room, connection)
        connection.rooms = None

    # -- events

    def on_event(self, socket: EngineSocket, packet: str) -> "asyncio.Future[None] | None":
        """Start an event's handler; the future, if any, says when to read on."""
        connection: Connection[IdentityT] | None = socket.connection
        if connection is None:
            return None
        incoming = packets.take_apart(packet, self._event_start)
        if incoming is None:
            socket.cut(WSCloseCode.POLICY_VIOLATION, "malformed")
            return None
        event = self._events.get(incoming.name)
        if event is None or self._is_closing:
            self._reply(connection, incoming.ack_id, _error("unknown_event" if event is None else "unavailable"))
            return None
        return self._start(connection, event, incoming)

    def _start(
        self, connection: Connection[IdentityT], event: Event, incoming: packets.IncomingEvent
    ) -> "asyncio.Future[None] | None":
        """Run a plain handler now, a coroutine as a task; acknowledge what is ready, follow what is not."""
        began = time.perf_counter()
        try:
            arguments = event.arguments(incoming.arguments)
            if event.is_coroutine or connection.starting:
                result: object = asyncio.ensure_future(self._run(connection, event, arguments))
                connection.starting += 1
            else:
                result = event.handler(connection, *arguments)
                result = asyncio.ensure_future(result) if asyncio.iscoroutine(result) else result
        except Exception as error:  # noqa: BLE001 - a handler may raise anything; _failure logs what is not public
            self._acknowledge(connection, incoming, self._failure(error), began)
            return None
        if not asyncio.isfuture(result):
            self._acknowledge(connection, incoming, result, began)
            return None
        self._running.add(result)
        result.add_done_callback(partial(self._finish, connection, incoming, began))
        return connection.begin(self._limits.max_in_flight)

    async def _run(self, connection: Connection[IdentityT], event: Event, arguments: list[Any]) -> object:
        """Run a handler in its own task, started in the order of the connection's events."""
        connection.starting -= 1
        result = event.handler(connection, *arguments)
        return await result if isinstance(result, Awaitable) else result

    def _finish(
        self,
        connection: Connection[IdentityT],
        incoming: packets.IncomingEvent,
        began: float,
        done: "asyncio.Future[Any]",
    ) -> None:
        """Acknowledge an event whose handler is through."""
        self._running.discard(done)
        connection.end()
        if done.cancelled():
            return
        error = done.exception()
        self._acknowledge(connection, incoming, done.result() if error is None else self._failure(error), began)

    def _acknowledge(
        self, connection: Connection[IdentityT], incoming: packets.IncomingEvent, answer: object, began: float
    ) -> None:
        """Answer an event and say how long that took."""
        self._reply(connection, incoming.ack_id, answer)
        error = answer.get("error") if isinstance(answer, dict) else None
        self._meter.answered(incoming.name, time.perf_counter() - began, str(error or ""))

    def _reply(self, connection: Connection[IdentityT], ack_id: str, answer: object) -> None:
        """Send an answer, if the client wants one; what cannot be encoded is our mistake."""
        if not ack_id:
            return
        try:
            frame = packets.ack_frame(self._namespace, ack_id, answer)
        except (TypeError, ValueError) as error:
            frame = packets.ack_frame(self._namespace, ack_id, self._failure(error))
        connection.socket.write(frame)

    def _failure(self, error: BaseException) -> dict[str, object]:
        """Return what a client is told of an error; log it if it is ours."""
        if isinstance(error, self._public_errors):
            return _error(_code(error))
        log.error("socket event failed", exc_info=error)
        return _error("internal")

    # -- sockets, with a namespace or without

    def on_opened(self) -> None:
        """Count a socket."""
        self._meter.opened()

    def on_closed(self, socket: EngineSocket) -> None:
        """Count its end."""
        self._meter.closed(socket.reason, by_hub=socket.reason not in CLIENTS_REASONS)

    # -- slow readers

    def on_stalled(self, socket: EngineSocket) -> bool:
        """Tell whether the socket may stay until it reads again."""
        return self._audience.on_resync is not None and socket.connection is not None

    def on_drained(self, socket: EngineSocket) -> None:
        """Ask the application to bring a client up to date whose frames were thrown away."""
        if self._audience.on_resync is not None and socket.connection is not None:
            self._audience.on_resync(socket.connection)

    # -- details

    def _targets(self, to: str | Iterable[str]) -> Iterable[Connection[IdentityT]]:
        """Return the connections behind names of connections and rooms."""
        if isinstance(to, str):
            connection = self._connections.get(to)
            return self._rooms.get(to, ()) if connection is None else (connection,)
        found: set[Connection[IdentityT]] = set()
        for name in to:
            found.update(self._targets(name))
        return found

    def _goodbye(self, reason: str, *, again: bool) -> bytes:
        return packets.event_frame(self._namespace, GOODBYE, {"reason": reason, "again": again})

    async def _call(self, hook: Awaitable[None]) -> None:
        """Await a hook of the application; its error is logged and ends there."""
        try:
            await hook
        except Exception:
            log.exception("socket hook failed")

    async def _wait_until_empty(self, within_s: float) -> None:
        """Wait until every socket's task is through; drop those that take too long."""
        if not self._engine.sockets:
            return
        try:
            await asyncio.wait_for(self._engine.is_empty.wait(), within_s)
        except TimeoutError:
            for socket in list(self._engine.sockets.values()):
                socket.abort()

    async def _on_shutdown(self, app: web.Application) -> None:
        del app
        await self.close("restart")


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _refuse(status: int, code: str) -> web.Response:
    return web.json_response({"error": code}, status=status)


def _error(code: str) -> dict[str, object]:
    return {"ok": False, "error": code}


def _code(error: BaseException) -> str:
    return str(getattr(error, "code", "refused"))


def _discard(index: dict[Any, set[Any]], key: Hashable, member: object) -> None:
    """Remove a member from one of the index's sets, and the set with its last member."""
    members = index.get(key)
    if members is not None:
        members.discard(member)
        if not members:
            del index[key]
