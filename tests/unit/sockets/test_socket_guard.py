"""Security tests 12 to 18 of the reference, and what surrounds them."""

import asyncio
import logging
import time

import pytest
from aiohttp import ClientSession, WSMsgType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bench.load.raw import Refused
from tests.pace import within
from tests.unit.sockets.house import PATH, SITE, House

CONNECTED = b'40/chat,{"token":"ann"}'


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://shop.example.evil.example", SITE + "/"]
)
async def test_foreign_origin_opens_no_websocket(house: House, origin: str | None) -> None:
    await house.open()

    with pytest.raises(Refused, match="403"):
        await house.raw(origin=origin)
    assert house.authentications == {}


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("GET", "EIO=4&transport=polling", 400),
        ("GET", "EIO=3&transport=websocket", 400),
        ("GET", "EIO=4&transport=websocket", 400),
        ("GET", "EIO=4&transport=websocket&sid=stolen", 400),
        ("GET", "", 400),
        ("POST", "EIO=4&transport=polling", 405),
        ("OPTIONS", "EIO=4&transport=polling", 405),
    ],
)
async def test_only_a_websocket_is_served(house: House, method: str, query: str, status: int) -> None:
    await house.open()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{house.port}{PATH}/?{query}"
        async with session.request(method, url, headers={"Origin": SITE}) as response:
            assert response.status == status
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_no_compression_even_if_offered(house: House) -> None:
    await house.open()
    async with ClientSession() as session:
        url = f"ws://127.0.0.1:{house.port}{PATH}/?EIO=4&transport=websocket"
        async with session.ws_connect(url, headers={"Origin": SITE}, compress=15) as websocket:
            assert websocket.compress == 0
            assert (await websocket.receive()).type is WSMsgType.TEXT


@pytest.mark.parametrize(
    ("token", "message"),
    [("expired", "expired"), ("bug", "internal"), (None, "unauthorized")],
)
async def test_refused_client_hears_a_code(house: House, token: str | None, message: str) -> None:
    server = await house.open()

    with pytest.raises(Refused) as refused:
        await house.raw(token)

    assert str(refused.value) == f'44/chat,{{"message":"{message}"}}'
    assert server.connections() == []


async def test_other_namespaces_do_not_exist(house: House) -> None:
    await house.open()

    with pytest.raises(Refused, match="Unable to connect"):
        await house.raw(namespace="/console")


async def test_revoked_client_is_gone_at_once(house: House) -> None:
    server = await house.open()
    clients = [await house.enter(f"ann@{n}") for n in range(3)]

    with within(5, time.monotonic):
        for connection in server.connections_of("ann"):
            await server.disconnect(connection, "revoked")
        await asyncio.gather(*(client.socket.closed() for client in clients))

    assert [client.seen() for client in clients] == [[["goodbye", {"reason": "revoked", "again": False}]]] * 3


@pytest.mark.parametrize(
    "packet",
    [
        b'451-/chat,["x",{"_placeholder":true,"num":0}]',
        b'45999999999-/chat,["x"]',
        b"461-/chat,1[]",
        b"44/chat,{}",
        b"49",
        b"4",
        b"",
        b"bQUJD",
        b"0{}",
        b"2probe",
        b"5",
        b"9",
        b"x",
        b"42/chat,{",
        b"42/chat,x[]",
        b"40/chat,{",
        b"40/chat," + b"[" * 20_000,
        b"40123456789012-/chat,",
    ],
)
async def test_what_no_client_sends_ends_the_connection(
    house: House, caplog: pytest.LogCaptureFixture, packet: bytes
) -> None:
    await house.open()
    client = await house.enter()

    client.socket.send(packet)
    await client.socket.closed()

    assert (await house.left.get())[0] == "ann"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_binary_frame_ends_the_connection(house: House) -> None:
    await house.open()
    client = await house.enter()

    client.socket.send(b"4" * 100, opcode=2)
    await client.socket.closed()

    assert await house.left.get() == ("ann", "binary")


async def test_message_too_large_ends_the_connection(house: House) -> None:
    await house.open(max_message_bytes=1000)
    client = await house.enter()

    client.socket.send(b'42/chat,["echo","%b"]' % (b"x" * 1000))
    await client.socket.closed()


@pytest.mark.parametrize("packet", [b'42/chat,1["echo"]', b"43/chat,1[]", b'42/other,["x"]', b"3"])
async def test_flood_is_cut_and_others_do_not_notice(
    house: House, caplog: pytest.LogCaptureFixture, packet: bytes
) -> None:
    await house.open(rate_per_s=20, burst=40)
    flood, other = await house.enter("eve"), await house.enter("bob")

    with within(5, time.monotonic):
        for _ in range(2000):
            flood.socket.send(packet)
        await other.call("echo")

    assert await house.left.get() == ("eve", "too many frames")
    assert caplog.records == []


async def test_websocket_pings_are_answered_and_counted(house: House) -> None:
    await house.open(burst=10, rate_per_s=0.1)
    client = await house.enter()
    client.socket.send(b"hello", opcode=9)
    await client.call("echo")
    assert client.socket.pongs == [b"hello"]

    for _ in range(10):
        client.socket.send(b"", opcode=9)
    await client.socket.closed()


async def test_silent_client_is_cut_in_time(house: House) -> None:
    await house.open(connect_within_s=0.2)
    quick = await house.enter("bob")
    start = time.monotonic()
    silent = await house.raw(namespace="")

    await silent.closed()

    assert 0.15 < time.monotonic() - start < 5
    assert await quick.call("echo") == [None]


async def test_client_that_left_its_namespace_is_cut_in_time(house: House) -> None:
    await house.open(connect_within_s=0.2)
    client = await house.enter()

    client.socket.send(b"41/chat,")

    await client.socket.closed()


async def test_client_cannot_enter_rooms_by_itself(house: House) -> None:
    server = await house.open()
    ann, eve = await house.enter("ann"), await house.enter("eve")
    server.join(house.present["ann"], "private")
    for event in ("join", "enter_room", "subscribe"):
        assert await eve.call(event, "private") == {"ok": False, "error": "unknown_event"}

    server.emit("secret", 1, to="private")
    await ann.call("echo")
    await eve.call("echo")

    assert (ann.seen(), eve.seen()) == ([["secret", 1]], [])


async def test_identity_has_so_many_connections_and_no_more(house: House) -> None:
    await house.open(per_identity=2)
    first = await house.enter("ann@1")
    await house.enter("ann@2")
    with pytest.raises(Refused, match="too_many_connections"):
        await house.enter("ann@3")
    await house.enter("bob")

    first.socket.abort()
    await house.left.get()
    await house.enter("ann@3")


async def test_address_has_so_many_sockets_and_no_more(house: House) -> None:
    await house.open(per_ip=2, per_identity=None)
    first = await house.enter(ip="2001:db8::1")
    await house.enter(ip="2001:db8::2")
    with pytest.raises(Refused, match="429"):
        await house.enter(ip="2001:db8::3")
    await house.enter(ip="2001:db8:0:1::1")

    first.socket.abort()
    await house.left.get()
    await house.enter(ip="2001:db8::3")


async def test_second_connect_on_one_socket_is_refused(house: House) -> None:
    server = await house.open()
    client = await house.enter()

    client.socket.send(CONNECTED)

    assert await client.call("echo") == [None]
    assert len(server.connections()) == 1
    assert house.authentications["ann"] == 1


async def test_anything_may_be_sent_and_the_server_lives(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.open(per_ip=None, per_identity=None)
    other = await house.enter("bob")
    sender = asyncio.Queue[tuple[bytes, int]]()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from([b"", b"4", b"40", b"42/chat,", b"42/chat,1", b'42/chat,1["echo",', b"43", b"41/chat,"]),
        st.binary(max_size=40) | st.text(max_size=20).map(str.encode),
        st.sampled_from([1, 1, 1, 2, 0, 9]),
    )
    def collect(start: bytes, rest: bytes, opcode: int) -> None:
        sender.put_nowait((start + rest, opcode))

    collect()
    while not sender.empty():
        client = await house.enter("eve")
        packet, opcode = sender.get_nowait()
        client.socket.send(packet, opcode=opcode)
        client.socket.abort()

    assert await other.call("echo") == [None]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
