"""A Socket.IO client on one websocket: as much of the protocol as people need who type into a conversation."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

ANSWER_WITHIN_S: Final = 15.0
"""How long an answer may take before the line counts as dead."""

OnEvent = Callable[[str, Any], None]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Any]).decode


class LineDown(Exception):
    """The line is cut, or was never there; what was asked may or may not have been heard."""


class Refused(Exception):
    """The hub has heard and said no; `code` is its public error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where the hub is reached, and which name it goes by.

    `base_url` is where packets go, such as http://127.0.0.1:8080; `public_url` is what a browser would have typed: the
    hub wants to see it in Host and Origin.
    """

    session: aiohttp.ClientSession
    base_url: str
    public_url: str

    def headers(self, **more: str) -> dict[str, str]:
        """Return what a browser on the hub's own pages sends along."""
        return {"Host": urlsplit(self.public_url).netloc, "Origin": self.public_url, **more}

    async def call(self, method: str, path: str, body: object = None, *, cookie: str) -> dict[str, Any]:
        """Ask the REST API.

        Raises:
            Refused: the answer was no. LineDown: there was none.
        """
        headers = self.headers(Cookie=cookie, **({"Content-Type": "application/json"} if body is not None else {}))
        data = None if body is None else _encode(body)
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN_S),
                self.session.request(method, f"{self.base_url}{path}", data=data, headers=headers) as response,
            ):
                answer = msgspec.json.decode(await response.read(), type=dict[str, Any])
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise LineDown(str(error)) from error
        if not answer.get("ok"):
            raise Refused(str(answer.get("error", "refused")))
        return answer


class Line:
    """One connection to one namespace. `ended` is set once it is over, whoever ended it."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, namespace: str, on_event: OnEvent) -> None:
        self._websocket = websocket
        self._namespace = namespace
        self._event_start = f"42{namespace},"
        self._answer_start = f"43{namespace},"
        self._on_event = on_event
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked = 0
        self.ended = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name=f"simulated line {namespace}")

    @classmethod
    async def open(
        cls,
        gateway: Gateway,
        namespace: str,
        on_event: OnEvent,
        *,
        auth: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Line":
        """Connect.

        Raises:
            Refused: the hub does not let us in. LineDown: it cannot be reached.
        """
        url = f"{gateway.base_url}{namespace}/socket.io/?EIO=4&transport=websocket"
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                websocket = await gateway.session.ws_connect(
                    url, headers=gateway.headers(**(headers or {})), max_msg_size=0
                )
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(str(error.status)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LineDown(str(error)) from error
        line = cls(websocket, namespace, on_event)
        try:
            await line._enter(auth)
        except BaseException:
            await line.close()
            raise
        return line

    @property
    def is_open(self) -> bool:
        """Whether anything can still be said."""
        return not self.ended.is_set()

    async def ask(self, event: str, payload: object) -> dict[str, Any]:
        """Send an event and return its answer.

        Raises:
            Refused: the answer was no. LineDown: there was none.
        """
        self._asked += 1
        number = self._asked
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answered
        try:
            await self._send(f"{self._event_start}{number}{_encode((event, payload)).decode()}")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await answered
        except TimeoutError as error:
            raise LineDown("no answer") from error
        finally:
            self._answers.pop(number, None)
        if not answer.get("ok"):
            raise Refused(str(answer.get("error", "refused")))
        return answer

    async def tell(self, event: str, payload: object) -> None:
        """Send an event that wants no answer.

        Raises:
            LineDown: it cannot be sent.
        """
        await self._send(f"{self._event_start}{_encode((event, payload)).decode()}")

    async def close(self) -> None:
        """Hang up, as a browser does whose window is closed."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._websocket.close()

    async def _enter(self, auth: Mapping[str, Any] | None) -> None:
        await self._send(f"40{self._namespace}," + (_encode(auth).decode() if auth is not None else ""))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._welcome
        except TimeoutError as error:
            raise LineDown("no welcome") from error

    async def _send(self, packet: str) -> None:
        if not self.is_open:
            raise LineDown("closed")
        try:
            await self._websocket.send_str(packet)
        except (aiohttp.ClientError, OSError) as error:
            raise LineDown(str(error)) from error

    async def _read(self) -> None:
        try:
            async for frame in self._websocket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                if frame.data == "2":
                    await self._websocket.send_str("3")
                else:
                    self._take(frame.data)
        except (aiohttp.ClientError, OSError):
            self.ended.set()
        finally:
            self.ended.set()
            self._give_up()

    def _take(self, packet: str) -> None:
        if packet.startswith(self._event_start):
            name, *arguments = _decode(packet[packet.index("[") :])
            self._on_event(name, arguments[0] if arguments else None)
        elif packet.startswith(self._answer_start):
            opening = packet.index("[", len(self._answer_start))
            waiting = self._answers.get(int(packet[len(self._answer_start) : opening]))
            if waiting is not None and not waiting.done():
                arguments = _decode(packet[opening:])
                waiting.set_result(arguments[0] if arguments and isinstance(arguments[0], dict) else {"ok": True})
        else:
            self._take_opening(packet)

    def _take_opening(self, packet: str) -> None:
        """Take the answer to CONNECT: welcome, or a CONNECT_ERROR whose message is a code."""
        if self._welcome.done():
            return
        if packet.startswith(f"40{self._namespace},"):
            self._welcome.set_result(None)
        elif packet.startswith(f"44{self._namespace},"):
            said = msgspec.json.decode(packet[packet.index(",") + 1 :])
            self._welcome.set_exception(Refused(str(said.get("message", "refused"))))

    def _give_up(self) -> None:
        """Let everybody know who still waits for an answer."""
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), self._welcome]
        for future in waiting:
            if not future.done():
                future.set_exception(LineDown("closed"))
                future.exception()  # seen, should nobody wait for it any more
