"""The one place that knows the insides of python-engineio, python-socketio and aiohttp.

Stock, every socket has a queue, a writer task, a ping task with its timer and two more tasks for each frame it reads.
Here a socket is one object: the frames of one commit leave in one system call, one sweep pings everybody, and frames
are read by the request's own task.

What is assumed of the libraries is tested in tests/unit/sockets/test_assumptions.py, which fails when a new version
breaks it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

import engineio
import msgspec
import socketio
from aiohttp import WSCloseCode, WSMsgType, web

from hub.sockets import packets
from hub.sockets.limits import FrameBudget, SocketLimits

log = logging.getLogger(__name__)
library_log = logging.getLogger(f"{__name__}.library")
# The libraries write whole packets, tokens included, at INFO.
library_log.setLevel(logging.WARNING)

PING_GROUPS = 20
GATHERED_BYTES = 65_536
"""What is gathered for one socket before it is sent without waiting for more."""
_GATHER_TURNS = 2
_PING = packets.text_frame(packets.PING.encode())


CLIENTS_REASONS = frozenset({"client disconnect", "transport close"})
"""Ends of sockets that are not the hub's doing."""


class Listener(Protocol):
    """Who is told what the sockets of one engine say."""

    def on_event(self, socket: "EngineSocket", packet: str) -> "asyncio.Future[None] | None":
        """Start handling an EVENT packet of our namespace; read on when the future, if any, is done."""

    async def on_other(self, socket: "EngineSocket", packet: str) -> None:
        """Handle a CONNECT or DISCONNECT packet. ValueError or RecursionError: it could not be read."""

    def on_opened(self) -> None:
        """Be told of a socket."""

    def on_closed(self, socket: "EngineSocket") -> None:
        """Be told of its end, for its `reason`."""

    def on_stalled(self, socket: "EngineSocket") -> bool:
        """Tell whether the socket may stay, with its frames thrown away, until it reads again."""

    def on_drained(self, socket: "EngineSocket") -> None:
        """Be told that a stalled socket has read everything again."""


class EngineSocket:
    """One websocket. Stands in for `engineio.AsyncSocket` towards both libraries; all writing is synchronous."""

    __slots__ = (
        "_quiet_below",
        "_transport",
        "_unsent",
        "_unsent_bytes",
        "budget",
        "closed",
        "connected",
        "connection",
        "engine",
        "group",
        "pinged_at",
        "reading_paused",
        "reason",
        "session",
        "sid",
        "stalled_at",
        "upgraded",
    )

    def __init__(self, engine: "Engine", sid: str, transport: asyncio.Transport) -> None:
        self.engine = engine
        self.sid = sid
        self.budget = FrameBudget(engine.limits)
        self.closed = False
        self.connected = self.upgraded = True
        self.connection: Any = None
        self.group = 0
        self.pinged_at = 0.0
        self.reading_paused = False
        self.reason = "transport close"
        self.session: dict[str, Any] = {}
        self.stalled_at = 0.0
        self._transport = transport
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._quiet_below = engine.limits.queued_bytes

    @property
    def closing(self) -> bool:
        """Whether the socket is on its way out (the libraries ask)."""
        return self.closed

    def write(self, frame: bytes) -> None:
        """Send a whole websocket frame within this turn of the loop or the next ones, unless closed or stalled."""
        if self.closed or self.stalled_at:
            return
        if self._transport.get_write_buffer_size() <= self._quiet_below or self.engine.may_queue(self):
            if not self._unsent:
                self.engine.flush_soon(self)
            self._unsent.append(frame)
            self._unsent_bytes += len(frame)
            if self._unsent_bytes > GATHERED_BYTES:
                self.flush()

    def flush(self) -> None:
        """Hand the gathered frames to the kernel."""
        if self._unsent and not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent) if len(self._unsent) > 1 else self._unsent[0])
        self._unsent = []
        self._unsent_bytes = 0

    def queued_bytes(self) -> int:
        """Return how much the client has not read yet (beyond what the kernel holds)."""
        return self._transport.get_write_buffer_size() + self._unsent_bytes

    def cut(self, code: int, reason: str) -> None:
        """End the connection now; its request's task tells everybody else."""
        transport = self._transport
        if self.closed or transport.is_closing():
            return
        self.flush()
        self.closed = True
        self.reason = reason
        transport.write(packets.close_frame(code, reason))
        transport.close()
        if transport.get_write_buffer_size():
            self.engine.abort_later(self)

    def abort(self) -> None:
        """Drop the connection with everything still queued."""
        self.closed = True
        self._transport.abort()

    async def send(self, packet: Any) -> None:  # noqa: ANN401 - an engineio.packet.Packet, which has no types
        """Send a packet of the library (CONNECT, CONNECT_ERROR, DISCONNECT)."""
        self.write(packets.text_frame(packet.encode().encode()))

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the connection because the library asks for it."""
        del wait, abort
        self.cut(WSCloseCode.OK, reason or "server disconnect")


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """An Engine.IO server for websockets only, with one task for all sockets' timers."""

    limits: SocketLimits
    listener: Listener

    def prepare(self, limits: SocketLimits, listener: Listener, namespace: str) -> None:
        """Finish what the library's constructor has begun."""
        self.limits = limits
        self.listener = listener
        self._event_prefix = f"42{namespace},"
        self._groups: list[set[EngineSocket]] = [set() for _ in range(PING_GROUPS)]
        self._next_group = self._due_group = 0
        self._unconnected: deque[tuple[float, EngineSocket]] = deque()
        self._aborts: deque[tuple[float, EngineSocket]] = deque()
        self._unsent: list[EngineSocket] = []
        self._crowded: set[EngineSocket] = set()
        self._stalled: set[EngineSocket] = set()
        self._tick_s = min(limits.ping_interval_s / PING_GROUPS, limits.connect_within_s / 4)
        self._sweeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop
        self.is_empty = asyncio.Event()

    def start(self) -> None:
        """Start the sweep; the loop that runs now is the loop of all sockets."""
        if self._sweeper is None:
            self._loop = asyncio.get_running_loop()
            self._sweeper = self._loop.create_task(self._sweep(), name="sockets sweep")

    async def stop(self) -> None:
        """End the sweep."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Speak with one websocket until it ends. The caller has judged origin, address and query."""
        limits = self.limits
        response = web.WebSocketResponse(
            # Stock compresses whenever a browser offers it: four times the memory, a quarter of the throughput.
            compress=False,
            autoping=False,
            max_msg_size=limits.max_message_bytes,
            timeout=limits.connect_within_s,
        )
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        socket = self._open(transport)
        try:
            await self.handlers["connect"](socket.sid, {"aiohttp.request": request, "hub.socket": socket})
            await self._read(socket, response)
        finally:
            await self._forget(socket)
        return response

    def _open(self, transport: asyncio.Transport) -> EngineSocket:
        """Register a socket whose websocket handshake is done, and greet it."""
        self.start()
        socket = EngineSocket(self, self.generate_id(), transport)
        self.sockets[socket.sid] = socket
        self.is_empty.clear()
        socket.group = self._next_group = (self._next_group + 1) % PING_GROUPS
        self._groups[socket.group].add(socket)
        self.await_connect(socket)
        greeting = {
            "sid": socket.sid,
            "upgrades": [],
            "pingInterval": int(self.limits.ping_interval_s * 1000),
            "pingTimeout": int(self.limits.ping_timeout_s * 1000),
            "maxPayload": self.limits.max_message_bytes,
        }
        socket.write(packets.text_frame(packets.OPEN.encode() + msgspec.json.encode(greeting)))
        self.listener.on_opened()
        return socket

    async def _forget(self, socket: EngineSocket) -> None:
        """Tell everybody that a socket is gone, once."""
        socket.closed = True
        self._groups[socket.group].discard(socket)
        self._crowded.discard(socket)
        self._stalled.discard(socket)
        self.listener.on_closed(socket)
        try:
            await self.handlers["disconnect"](socket.sid, socket.reason)
        finally:
            self.sockets.pop(socket.sid, None)
            if not self.sockets:
                self.is_empty.set()

    async def _read(self, socket: EngineSocket, response: web.WebSocketResponse) -> None:
        """Take frames until the connection ends or the client does what no client of ours would."""
        receive, now, spend = response.receive, self._loop.time, socket.budget.spend
        prefix, on_event = self._event_prefix, self.listener.on_event
        while not socket.closed:
            message = await receive()
            if not spend(now()):
                return socket.cut(WSCloseCode.POLICY_VIOLATION, "too many frames")
            packet = message.data
            if message.type is not WSMsgType.TEXT:
                if not self._read_control(socket, message.type, packet):
                    return None
            elif packet.startswith(prefix):
                room = on_event(socket, packet)
                if room is not None:
                    socket.reading_paused = True
                    await room
                    socket.reading_paused = False
            elif not await self._read_rare(socket, packet):
                return None
        return None

    def _read_control(self, socket: EngineSocket, kind: WSMsgType, payload: Any) -> bool:  # noqa: ANN401
        """Handle what is no text frame; False ends the connection."""
        if kind is WSMsgType.PING:
            socket.write(packets.pong_frame(payload))
            return True
        if kind is WSMsgType.PONG:
            return True
        if kind is WSMsgType.BINARY:
            socket.cut(WSCloseCode.UNSUPPORTED_DATA, "binary")
        elif kind is WSMsgType.CLOSE:
            socket.reason = "client disconnect"
        return False

    async def _read_rare(self, socket: EngineSocket, packet: str) -> bool:
        """Handle a text frame that is not an event of our namespace; False ends the connection."""
        if packet == packets.PONG:
            socket.pinged_at = 0.0
            return True
        if packet == packets.CLOSE:
            socket.reason = "client disconnect"
            return False
        kind = packet[:2]
        if kind in ("40", "41"):
            try:
                await self.listener.on_other(socket, packet[1:])
            except (ValueError, RecursionError):
                socket.cut(WSCloseCode.POLICY_VIOLATION, "malformed")
            return not socket.closed
        if kind in ("42", "43"):
            # An event of a namespace that is not open, or an answer we did not ask for: late, not hostile.
            return True
        socket.cut(WSCloseCode.POLICY_VIOLATION, "malformed")
        return False

    def await_connect(self, socket: EngineSocket) -> None:
        """Close the socket unless it opens its namespace in time."""
        self._unconnected.append((self._loop.time() + self.limits.connect_within_s, socket))

    def abort_later(self, socket: EngineSocket) -> None:
        """Give a closing socket a moment to read what is queued."""
        self._aborts.append((self._loop.time() + self.limits.connect_within_s, socket))

    def flush_soon(self, socket: EngineSocket) -> None:
        """Send what is gathered for this socket a few turns of the loop later: a commit's acknowledgements come two
        turns after its messages, and a system call for each frame is what a busy hub pays most for."""
        if not self._unsent:
            self._loop.call_soon(self._flush, _GATHER_TURNS)
        self._unsent.append(socket)

    def _flush(self, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._flush, turns - 1)
            return
        unsent, self._unsent = self._unsent, []
        for socket in unsent:
            socket.flush()

    def may_queue(self, socket: EngineSocket) -> bool:
        """Tell whether a socket with much waiting may be sent more; watch it, for a burst alone is no slow reader."""
        if socket.queued_bytes() > self.limits.max_queued_bytes:
            self.stall(socket)
            return False
        self._crowded.add(socket)
        return True

    def stall(self, socket: EngineSocket) -> None:
        """Stop writing to a socket whose client does not read fast enough."""
        if self.listener.on_stalled(socket):
            socket.stalled_at = self._loop.time()
            self._stalled.add(socket)
        else:
            socket.reason = "too slow"
            socket.abort()

    async def _sweep(self) -> None:
        """Run all timers of all sockets."""
        due = self._loop.time()
        while True:
            due += self._tick_s
            await asyncio.sleep(due - self._loop.time())
            now = self._loop.time()
            was_held_up = now - due > 4 * self._tick_s + 0.5
            if was_held_up:
                due = now
            self._ping(now, may_cut=not was_held_up)
            self._end_late(self._unconnected, now)
            self._end_late(self._aborts, now)
            for socket in tuple(self._stalled):
                self._look_after(socket, now)
            self._find_slow()

    def _ping(self, now: float, *, may_cut: bool) -> None:
        """Ping the next group, and cut those of it who did not answer the ping before.

        When this process was held up, their answers may be waiting unread: nobody is cut then.
        """
        self._due_group = (self._due_group + 1) % PING_GROUPS
        for socket in tuple(self._groups[self._due_group]):
            if not socket.pinged_at:
                socket.pinged_at = now
                socket.write(_PING)
            elif may_cut and not socket.reading_paused and now - socket.pinged_at > self.limits.ping_timeout_s * 0.9:
                socket.reason = "ping timeout"
                socket.abort()

    def _end_late(self, waiting: deque[tuple[float, EngineSocket]], now: float) -> None:
        """End the sockets whose time is up."""
        while waiting and waiting[0][0] <= now:
            socket = waiting.popleft()[1]
            if socket.closed:
                socket.abort()
            elif socket.connection is None:
                socket.cut(WSCloseCode.POLICY_VIOLATION, "no connect")

    def _find_slow(self) -> None:
        """Stall the sockets that had much waiting at the last sweep, and still have."""
        crowded, self._crowded = self._crowded, set()
        for socket in crowded:
            if not socket.closed and not socket.stalled_at and socket.queued_bytes() > self.limits.queued_bytes:
                self.stall(socket)

    def _look_after(self, socket: EngineSocket, now: float) -> None:
        """Let a stalled socket go on once it has read everything, or cut it."""
        if socket.closed:
            self._stalled.discard(socket)
        elif socket.queued_bytes() == 0:
            self._stalled.discard(socket)
            socket.stalled_at = 0.0
            self.listener.on_drained(socket)
        elif now - socket.stalled_at > self.limits.stalled_for_s:
            socket.reason = "too slow"
            socket.abort()


class SlimManager(socketio.AsyncManager):  # type: ignore[misc]
    """python-socketio's list of clients, without a room for every single one.

    The stock manager keeps a two-way dictionary per client and walks over all of them whenever one leaves.
    """

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Enter a room; a client's own room is understood."""
        if room != sid:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        """Return the members of a room, or the client of that name."""
        everyone = self.rooms.get(namespace, {}).get(None, {})
        if isinstance(room, str) and room in everyone:
            yield room, everyone[room]
        else:
            yield from super().get_participants(namespace, room)


class Library(socketio.AsyncServer):  # type: ignore[misc]
    """python-socketio's server on our engine."""

    def __init__(self, namespace: str, limits: SocketLimits, listener: Listener) -> None:
        super().__init__(
            client_manager=SlimManager(),
            async_mode="aiohttp",
            async_handlers=False,
            namespaces=[namespace],
            transports=["websocket"],
            allow_upgrades=False,
            monitor_clients=False,
            cors_allowed_origins=[],
            max_http_buffer_size=limits.max_message_bytes,
            ping_interval=limits.ping_interval_s,
            ping_timeout=limits.ping_timeout_s,
            logger=library_log,
            engineio_logger=library_log,
        )
        self.eio.prepare(limits, listener, namespace)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine
