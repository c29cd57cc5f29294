import asyncio
from typing import Any

import pytest

from hub.sockets import Connection
from tests.bench.load.raw import Refused
from tests.unit.sockets.house import House

LARGE = "x" * 200_000


async def fill(house: House, identity: str, at_most: int = 500) -> int:
    """Emit to a client until the server stops writing to it, or the client is gone; return how many frames it took."""
    for sent in range(at_most):
        connection = house.present.get(identity)
        if connection is None or connection.socket.stalled_at:
            return sent
        house.server.emit("news", LARGE, to=connection.sid)
        await asyncio.sleep(0)
    assert at_most < 500, "the queue grew without end"
    return at_most


async def test_who_does_not_answer_pings_is_gone(house: House) -> None:
    await house.open(ping_interval_s=0.2, ping_timeout_s=0.2)
    deaf, other = await house.enter("ann"), await house.enter("bob")
    deaf.socket.pause_reading()

    assert await house.left.get() == ("ann", "ping timeout")
    assert await other.call("echo") == [None]


async def test_pings_keep_a_quiet_client(house: House) -> None:
    await house.open(ping_interval_s=0.1, ping_timeout_s=0.1)
    quiet, deaf = await house.enter("ann"), await house.enter("bob")
    deaf.socket.pause_reading()

    assert await house.left.get() == ("bob", "ping timeout")
    assert quiet.socket.packets.count("2") >= 2
    assert await quiet.call("echo") == [None]


async def test_slow_reader_is_cut(house: House) -> None:
    await house.open(queued_bytes=10_000, max_queued_bytes=50_000)
    slow, other = await house.enter("ann"), await house.enter("bob")
    slow.socket.pause_reading()

    await fill(house, "ann")

    assert await house.left.get() == ("ann", "too slow")
    assert await other.call("echo") == [None]


async def test_burst_is_no_sign_of_a_slow_reader(house: House) -> None:
    await house.open(queued_bytes=10_000)
    quick = await house.enter("ann")

    for number in range(90):
        house.server.emit("news", f"{number}" + "x" * 10_000, to=house.present["ann"].sid)
    await quick.call("echo")

    assert len(quick.seen()) == 90


async def test_little_waiting_for_long_is_a_sign_of_a_slow_reader(house: House) -> None:
    await house.open(queued_bytes=10_000, max_queued_bytes=2**40, connect_within_s=0.1)
    slow = await house.enter("ann")
    slow.socket.pause_reading()

    await fill(house, "ann", at_most=100)

    assert await house.left.get() == ("ann", "too slow")


async def test_slow_reader_is_brought_up_to_date_when_it_reads_again(house: House) -> None:
    def resync(connection: Connection[str]) -> None:
        house.server.emit("snapshot", "all of it", to=connection.sid)

    await house.open(queued_bytes=10_000, max_queued_bytes=50_000, on_resync=resync, connect_within_s=0.1)
    slow = await house.enter("ann")
    slow.socket.pause_reading()
    sent = await fill(house, "ann")
    for _ in range(20):
        house.server.emit("news", "lost", to=house.present["ann"].sid)

    slow.socket.resume_reading()
    received: list[Any] = []
    while "all of it" not in received:
        received.append((await slow.received.get())[1])

    assert len(received) <= sent
    assert "lost" not in received
    assert await slow.call("echo") == [None]


async def test_slow_reader_that_never_reads_again_is_cut(house: House) -> None:
    await house.open(
        queued_bytes=10_000,
        max_queued_bytes=50_000,
        on_resync=lambda connection: None,
        stalled_for_s=0.1,
        connect_within_s=0.1,
    )
    slow = await house.enter("ann")
    slow.socket.pause_reading()

    await fill(house, "ann")

    assert await house.left.get() == ("ann", "too slow")


async def test_closing_tells_every_client_and_takes_no_new_one(house: House) -> None:
    server = await house.open()
    clients = [await house.enter(name) for name in ("ann", "bob")]

    await server.close("restart")
    await asyncio.gather(*(client.socket.closed() for client in clients))

    assert [client.seen() for client in clients] == [[["goodbye", {"reason": "restart", "again": True}]]] * 2
    assert sorted([await house.left.get(), await house.left.get()]) == [("ann", "restart"), ("bob", "restart")]
    with pytest.raises(Refused, match="503"):
        await house.enter("eve")


async def test_closing_waits_for_events_in_flight(house: House) -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = await house.open({"wait": lambda connection, _: gate})
    client = await house.enter()
    call = asyncio.create_task(client.call("wait"))
    await client.call("echo")

    closing = asyncio.create_task(server.close("restart"))
    await asyncio.sleep(0)
    assert await client.call("echo") == {"ok": False, "error": "unavailable"}
    gate.set_result("stored")

    assert await call == "stored"
    await closing


async def test_closing_gives_up_on_events_that_never_end(house: House) -> None:
    async def forever(connection: Connection[str], _: object) -> None:
        await asyncio.Event().wait()

    server = await house.open({"forever": forever})
    client = await house.enter()
    client.socket.emit("forever", b"1", lambda packet: None)
    await client.call("echo")

    await server.close("restart", within_s=0.05)

    await client.socket.closed()


async def test_closing_does_not_wait_for_a_client_that_does_not_read(house: House) -> None:
    server = await house.open(queued_bytes=10_000, max_queued_bytes=50_000, on_resync=lambda connection: None)
    slow = await house.enter("ann")
    slow.socket.pause_reading()
    await fill(house, "ann")

    await server.close("restart", within_s=0.1)

    assert (await house.left.get())[0] == "ann"


async def test_official_client_comes_back_after_a_restart_and_not_after_a_revocation(house: House) -> None:
    server = await house.open()
    client = await house.official(reconnection=True)
    await house.connect(client)
    first = house.present["ann"]

    await server.disconnect(first, "moved", again=True)
    await house.left.get()
    assert [await house.arrived.get(), await house.arrived.get()] == ["ann", "ann"]
    assert house.present["ann"].sid != first.sid

    await server.disconnect(house.present["ann"], "revoked")
    await client.wait()
    assert house.present == {}
