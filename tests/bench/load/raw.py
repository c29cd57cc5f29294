"""A Socket.IO client that costs next to nothing: one asyncio protocol per socket, no task, no JSON unless asked for."""

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Self, cast

_MASK = b"\0\0\0\0"
"""A mask of zeros is a mask like any other, and spares the client the masking."""

Receive = Callable[[bytes], object]


class Refused(Exception):
    """The server did not open the websocket or the namespace; the text says how it said so."""


class RawSocket(asyncio.Protocol):
    """One websocket in one namespace. Frames are exact bytes; acknowledgements and events come to callbacks."""

    __slots__ = (
        "_acks",
        "_auth",
        "_buffer",
        "_calls",
        "_closed",
        "_namespace",
        "_next_id",
        "_opened",
        "_transport",
        "_upgraded",
        "frames",
        "is_closed",
        "on_event",
    )

    def __init__(self, namespace: str, auth: object, on_event: Receive | None) -> None:
        loop = asyncio.get_running_loop()
        self._namespace = namespace.encode()
        self._auth = auth
        self.on_event = on_event
        self._acks: dict[int, Receive] = {}
        self._buffer = b""
        self._calls: set[asyncio.Future[bytes]] = set()
        self._next_id = 0
        self._opened: asyncio.Future[None] | None = loop.create_future()
        self._closed: asyncio.Future[None] | None = None
        self._upgraded = False
        self._transport: asyncio.Transport
        self.frames = 0
        self.is_closed = False

    @classmethod
    async def connect(
        cls,
        port: int,
        *,
        path: str,
        namespace: str,
        auth: object = None,
        headers: dict[str, str | None] | None = None,
        local_ip: str = "127.0.0.1",
        on_event: Receive | None = None,
    ) -> Self:
        """Open a websocket and its namespace, or with an empty namespace the websocket alone.

        Each 127.x.y.z may be a `local_ip`, so that limits by address can hold.

        Raises:
            Refused: by HTTP status, CONNECT_ERROR or a closed connection.
        """
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(namespace, auth, on_event), "127.0.0.1", port, local_addr=(local_ip, 0)
        )
        lines: dict[str, str | None] = {
            "Host": f"127.0.0.1:{port}",
            "Origin": f"http://127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
        }
        lines.update(headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
        get = f"GET {path}/?EIO=4&transport=websocket HTTP/1.1\r\n{head}\r\n"
        socket._transport.write(get.encode())
        opened = socket._opened
        assert opened is not None
        try:
            await opened
        except Refused:
            socket.abort()
            raise
        socket._opened = None
        return socket

    # -- sending

    def send(self, payload: bytes, *, opcode: int = 1) -> None:
        """Send one frame, of text unless told otherwise."""
        length, first = len(payload), 0x80 | opcode
        head = struct.pack("!BB", first, 0x80 | length) if length < 126 else struct.pack("!BBH", first, 0xFE, length)
        self._transport.write(head + _MASK + payload)

    def emit(self, event: str, body: bytes, on_ack: Receive | None = None) -> None:
        """Send an event with one argument, already JSON; `on_ack` gets the packet that acknowledges it."""
        ack_id = b""
        if on_ack is not None:
            self._next_id += 1
            self._acks[self._next_id] = on_ack
            ack_id = b"%d" % self._next_id
        self.send(b'42%b,%b["%b",%b]' % (self._namespace, ack_id, event.encode(), body))

    async def call(self, event: str, argument: object = None) -> object:
        """Send an event and return the first argument of its acknowledgement.

        Raises:
            ConnectionResetError: the connection ended before the answer.
        """
        if self.is_closed:
            raise ConnectionResetError("closed before the question")
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._calls.add(answered)
        answered.add_done_callback(self._calls.discard)
        self.emit(event, json.dumps(argument).encode(), answered.set_result)
        packet = await answered
        arguments = json.loads(packet[packet.index(b"[") :])
        return arguments[0] if arguments else None

    def pause_reading(self) -> None:
        """Leave what arrives in the kernel's buffers, as a slow client does."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Undo `pause_reading`."""
        self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    async def closed(self) -> None:
        """Wait until the connection has ended."""
        if not self.is_closed:
            self._closed = self._closed or asyncio.get_running_loop().create_future()
            await self._closed

    # -- receiving

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self._fail("closed")
        for call in tuple(self._calls):
            if not call.done():
                call.set_exception(ConnectionResetError("closed before the answer"))
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        start = 0 if self._upgraded else self._read_head(data)
        end = len(data)
        while end - start >= 2:
            opcode, length, body = data[start] & 15, data[start + 1], start + 2
            if length == 126:
                body += 2
                length = int.from_bytes(data[start + 2 : body], "big")
            elif length == 127:
                body += 8
                length = int.from_bytes(data[start + 2 : body], "big")
            if body + length > end:
                break
            start = body + length
            self.frames += 1
            if opcode == 1:
                self._packet(data[body:start])
            elif opcode == 8:
                self._fail(data[body + 2 : start].decode())
                self._transport.close()
            else:
                self._control(opcode, data[body:start])
        if start < end:
            self._buffer = data[start:]

    def _read_head(self, data: bytes) -> int:
        """Return where the frames begin; nothing is a frame before the HTTP answer is complete."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        status = data.split(b" ", 2)[1]
        if status != b"101":
            self._fail(status.decode())
            return len(data)
        self._upgraded = True
        return end + 4

    def _control(self, opcode: int, payload: bytes) -> None:
        """Take a websocket ping or pong, which our servers do not send by themselves."""

    def _packet(self, packet: bytes) -> None:
        kind = packet[:2]
        if kind == b"42":
            if self.on_event is not None:
                self.on_event(packet)
        elif kind == b"43":
            start = packet.index(b",") + 1
            on_ack = self._acks.pop(int(packet[start : packet.index(b"[", start)]), None)
            if on_ack is not None:
                on_ack(packet)
        elif packet == b"2":
            self.send(b"3")
        else:
            self._opening(packet)

    def _opening(self, packet: bytes) -> None:
        """Go through the engine's greeting and the namespace's."""
        kind = packet[:2]
        if packet[:1] == b"0":
            if self._namespace:
                self.send(
                    b"40%b,%b" % (self._namespace, b"" if self._auth is None else json.dumps(self._auth).encode())
                )
            elif self._opened is not None:
                self._opened.set_result(None)
        elif kind == b"40" and self._opened is not None:
            self._opened.set_result(None)
        elif kind == b"44":
            self._fail(packet.decode())

    def _fail(self, reason: str) -> None:
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(Refused(reason))
