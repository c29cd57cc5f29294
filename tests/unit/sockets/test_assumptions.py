"""What hub/sockets/engine.py takes for granted of python-engineio, python-socketio and aiohttp.

Each test that fails after an update names a thing to look at in that file.
"""

import asyncio
import inspect
import json
import re

import engineio
import pytest
import socketio
from aiohttp import web

from hub.sockets.engine import Engine, EngineSocket, Library, SlimManager
from hub.sockets.limits import SocketLimits
from tests.unit.sockets.house import PATH, SITE, House, Probe


class Nobody:
    def on_event(self, socket: EngineSocket, packet: str) -> None: ...
    async def on_other(self, socket: EngineSocket, packet: str) -> None: ...
    def on_opened(self) -> None: ...
    def on_closed(self, socket: EngineSocket) -> None: ...
    def on_stalled(self, socket: EngineSocket) -> bool:
        return False

    def on_drained(self, socket: EngineSocket) -> None: ...


def test_socketio_builds_our_engine_and_hands_it_three_coroutines() -> None:
    library = Library("/chat", SocketLimits(), Nobody())

    assert type(library.eio) is Engine
    assert set(library.eio.handlers) == {"connect", "message", "disconnect"}
    assert all(inspect.iscoroutinefunction(handler) for handler in library.eio.handlers.values())
    assert library.eio.transports == ["websocket"]
    assert library.eio.start_service_task is False
    assert library.eio.sockets == {}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (engineio.AsyncServer.send_packet, ["self", "sid", "pkt"]),
        (engineio.AsyncServer._get_socket, ["self", "sid"]),
        (engineio.AsyncServer.generate_id, ["self"]),
        (socketio.AsyncServer._handle_eio_connect, ["self", "eio_sid", "environ"]),
        (socketio.AsyncServer._handle_eio_message, ["self", "eio_sid", "data"]),
        (socketio.AsyncServer._handle_eio_disconnect, ["self", "eio_sid", "reason"]),
        (socketio.AsyncManager.disconnect, ["self", "sid", "namespace", "kwargs"]),
        (socketio.AsyncManager.basic_enter_room, ["self", "sid", "namespace", "room", "eio_sid"]),
        (socketio.AsyncManager.get_participants, ["self", "namespace", "room"]),
    ],
)
def test_methods_we_call_or_replace_take_what_they_took(method: object, parameters: list[str]) -> None:
    assert callable(method)
    assert list(inspect.signature(method).parameters) == parameters


async def test_what_the_library_asks_of_a_socket_is_there(house: House) -> None:
    stock = engineio.async_socket.AsyncSocket(engineio.AsyncServer(async_mode="aiohttp"), "sid")
    asked = {name for name in vars(stock) if not name.startswith("_")} - {"queue", "server", "last_ping", "upgrading"}

    assert {name for name in asked if not hasattr(EngineSocket, name)} == set()
    assert (
        inspect.signature(EngineSocket.close).parameters.keys()
        == inspect.signature(type(stock).close).parameters.keys()
    )


async def test_slim_manager_keeps_one_entry_per_client(house: House) -> None:
    server = await house.open()
    await house.enter("ann")
    await house.enter("bob")
    manager = server._library.manager
    assert isinstance(manager, SlimManager)

    rooms = manager.rooms["/chat"]
    assert set(rooms) == {None}
    assert set(rooms[None]) == {connection.sid for connection in server.connections()}

    for connection in server.connections():
        await server.disconnect(connection, "test")
        await house.left.get()
    await server.close("test")
    assert (manager.rooms, manager.pending_disconnect, server._library.environ) == ({}, {}, {})


async def test_library_can_still_emit_by_itself(house: House) -> None:
    server = await house.open()
    ann, bob = await house.enter("ann"), await house.enter("bob")

    await server._library.emit("one", 1, to=house.present["ann"].sid, namespace="/chat")
    await server._library.emit("all", 2, namespace="/chat")
    await ann.call("echo")
    await bob.call("echo")

    assert (ann.seen(), bob.seen()) == ([["one", 1], ["all", 2]], [["all", 2]])


async def converse(port: int, path: str) -> list[str]:
    """Return every text frame a server sends in a short conversation, with what is random blotted out."""
    socket = await Probe.connect(port, path=path, namespace="", headers={"Origin": SITE})
    for packet in (
        b"40/other,",
        b'40/chat,{"token":"expired"}',
        b'40/chat,{"token":"ann"}',
        b'42/chat,7["echo",{"text":"caf\xc3\xa9 \xe2\x98\x82"},2,null]',
        b'42/chat,["echo",1]',
        b'42/chat,0["echo"]',
        b'40/chat,{"token":"ann"}',
        b"41/chat,",
        b'42/chat,9["echo"]',
        b'40/chat,{"token":"ann"}',
        b'42/chat,123["echo",[1.5,true]]',
    ):
        socket.send(packet)
    frames = await socket.until(lambda packets: packets[-1].startswith("43/chat,123"))
    socket.abort()
    await socket.closed()
    return [re.sub(r'"sid":"[^"]+"', '"sid":"*"', frame) for frame in frames]


async def test_frames_are_those_of_the_stock_server(house: House) -> None:
    limits = SocketLimits()
    stock = socketio.AsyncServer(
        async_mode="aiohttp",
        async_handlers=False,
        transports=["websocket"],
        allow_upgrades=False,
        monitor_clients=False,
        cors_allowed_origins="*",
        ping_interval=limits.ping_interval_s,
        ping_timeout=limits.ping_timeout_s,
        max_http_buffer_size=limits.max_message_bytes,
    )

    async def connect(sid: str, environ: object, auth: dict[str, str]) -> None:
        if auth["token"] == "expired":
            raise socketio.exceptions.ConnectionRefusedError("expired")

    stock.on("connect", connect, namespace="/chat")
    stock.on("echo", lambda sid, *arguments: list(arguments), namespace="/chat")
    app = web.Application()
    stock.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await house.open()

    ours = await converse(house.port, PATH)
    before = asyncio.all_tasks()
    theirs = await converse(runner.addresses[0][1], "/socket.io")
    await runner.cleanup()
    for left_by_stock in asyncio.all_tasks() - before:
        left_by_stock.cancel()

    assert [normal(frame) for frame in ours] == [normal(frame) for frame in theirs]


def normal(frame: str) -> tuple[str, object]:
    """Split a packet into its head and its JSON, whose spelling may differ."""
    at = re.search(r'[\[{"]', frame)
    return (frame[: at.start()], json.loads(frame[at.start() :])) if at else (frame, None)
