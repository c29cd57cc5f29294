"""The carrier on the network: its REST interface, its files, and the websocket of telephones in browsers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.carrier import Carrier
from channels.simulator.carrier.faults import Effect, Fault
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.api import Asked
from channels.simulator.carrier.rest.requests import Response

LARGEST_REQUEST: Final = 1_000_000
LARGEST_FRAME: Final = 65_536
WAITING_FRAMES: Final = 1000
CARRIER: Final = web.AppKey("carrier", Carrier)
GUESTS: Final = web.AppKey("guests", bool)


def application(carrier: Carrier, *, guests: bool = False) -> web.Application:
    """Return the carrier as an application, to be run alone or mounted under another.

    Args:
        carrier: what answers.
        guests: whether pages may be people with telephones without a token.
    """
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app[CARRIER] = carrier
    app[GUESTS] = guests
    app.router.add_route("*", f"/{API_VERSION}/{{rest:.*}}", rest)
    app.router.add_get("/media/{key}", media)
    app.router.add_get("/softphone", softphone)
    return app


class Server:
    """The carrier on a port of its own, on this machine only."""

    def __init__(self, carrier: Carrier, *, host: str = "127.0.0.1", port: int = 0, guests: bool = False) -> None:
        self._carrier = carrier
        self._host = host
        self._port = port
        self._runner = web.AppRunner(application(carrier, guests=guests), access_log=None, shutdown_timeout=1.0)

    async def start(self) -> str:
        """Listen; returns the address."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        url = f"http://{host}:{port}"
        self._carrier.reached_at(url)
        return url

    async def stop(self) -> None:
        """Listen no more and let go of everything."""
        await self._carrier.close()
        await self._runner.cleanup()


async def rest(request: web.Request) -> web.StreamResponse:
    """Answer a request to the REST interface; with faults on, badly."""
    carrier = request.app[CARRIER]
    raw = request.rel_url.raw_path
    path = raw[raw.index(f"/{API_VERSION}/") :]  # mounted under another application, its own part comes first
    parts = path.split("/")
    resource = parts[4].removesuffix(".json") if len(parts) > 4 else "Accounts"
    strikes = carrier.switch.faults.strike(f"rest:{resource}", request.method)
    if "slow" in strikes:
        await carrier.switch.timers.sleep(strikes["slow"].seconds)
    if "lost" in strikes:
        return await _no_answer(request)
    if "status" in strikes:
        return await _send(request, _failure(strikes["status"].code))
    asked = Asked(
        method=request.method,
        path=path,
        query=request.rel_url.raw_query_string,
        authorization=request.headers.get("Authorization", ""),
        content_type=request.headers.get("Content-Type", ""),
        body=await request.read(),
    )
    answer = carrier.api.answer(asked)
    if "late" in strikes:
        await carrier.switch.timers.sleep(strikes["late"].seconds)
    return await _answer_after(request, answer, strikes)


async def _answer_after(request: web.Request, answer: Response, strikes: Mapping[Effect, Fault]) -> web.StreamResponse:
    """Answer what was done, or hide it: the fault `after` loses the answer of something that has happened."""
    if "after" not in strikes:
        return await _send(request, answer)
    code = strikes["after"].code
    return await _no_answer(request) if code == 0 else await _send(request, _failure(code))


def _failure(status: int) -> Response:
    error = RestError({429: 20429, 503: 20503}.get(status, 20500), status=status or 500)
    headers = {"Retry-After": "1"} if status in {429, 503} else {}
    return Response(status=error.status, payload=error.body(), headers=headers)


async def _no_answer(request: web.Request) -> web.StreamResponse:
    """Cut the line instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


async def _send(request: web.Request, answer: Response) -> web.StreamResponse:
    headers = {"Twilio-Request-Id": request.app[CARRIER].switch.sids.new("RQ"), **answer.headers}
    if answer.body is None:
        body = msgspec.json.encode(answer.payload) if answer.payload is not None else b""
        kind = {"Content-Type": f"{answer.content_type}; charset=utf-8"} if body else {}
        return web.Response(status=answer.status, body=body, headers={**headers, **kind})
    response = web.StreamResponse(status=answer.status, headers={**headers, "Content-Type": answer.content_type})
    await response.prepare(request)
    for chunk in answer.body:
        await response.write(chunk)
    await response.write_eof()
    return response


async def media(request: web.Request) -> web.Response:
    """Hand out a message's file to whoever knows its address."""
    found = request.app[CARRIER].post.media(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found.body, headers={"Content-Type": found.content_type})


@dataclass(slots=True)
class _Line:
    """What waits to be told to a page; one that does not read is cut off."""

    socket: web.WebSocketResponse
    frames: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING_FRAMES))

    def send(self, said: Mapping[str, Any]) -> None:
        """Tell the page something."""
        if self.frames.full():
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(None)
            return
        self.frames.put_nowait(msgspec.json.encode(said))

    async def pump(self) -> None:
        """Write until the line is to be cut."""
        while (frame := await self.frames.get()) is not None:
            await self.socket.send_str(frame.decode())
        await self.socket.close()


async def softphone(request: web.Request) -> web.WebSocketResponse:
    """Be a page's telephone for as long as it is connected."""
    return await be_softphone(request, request.app[CARRIER], may_be_guest=request.app[GUESTS])


async def be_softphone(request: web.Request, carrier: Carrier, *, may_be_guest: bool) -> web.WebSocketResponse:
    """Be a page's telephone, under whatever address the page has found it."""
    socket = web.WebSocketResponse(heartbeat=15.0, max_msg_size=LARGEST_FRAME, compress=False)
    await socket.prepare(request)
    line = _Line(socket)
    phone = carrier.softphone(line.send, may_be_guest=may_be_guest)
    pump = asyncio.create_task(line.pump(), name="softphone")
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                _take(line, phone.take, frame.data)
    finally:
        phone.close()
        pump.cancel()
    return socket


def _take(line: _Line, take: Callable[[Mapping[str, Any]], None], text: str) -> None:
    try:
        said = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        line.send({"type": "error", "code": 31000, "message": "not JSON"})
        return
    take(said)
