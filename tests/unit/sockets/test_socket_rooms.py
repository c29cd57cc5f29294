from tests.unit.sockets.house import House


async def test_room_hears_what_is_said_in_it_once(house: House) -> None:
    server = await house.open()
    ann, bob, eve = await house.enter("ann"), await house.enter("bob"), await house.enter("eve")
    server.join(house.present["ann"], "one")
    server.join(house.present["ann"], "two")
    server.join(house.present["bob"], "two")

    server.emit("news", 1, to="one")
    server.emit("news", 2, to=["one", "two", house.present["bob"].sid])
    server.emit("news", 3, to="two", skip=house.present["ann"])
    server.emit("news", 4, to=house.present["eve"].sid)
    server.emit("news", 5, to="nowhere")
    server.emit("news", 6, to=None)
    for client in (ann, bob, eve):
        await client.call("echo")

    assert [ann.seen(), bob.seen(), eve.seen()] == [
        [["news", 1], ["news", 2], ["news", 6]],
        [["news", 2], ["news", 3], ["news", 6]],
        [["news", 4], ["news", 6]],
    ]


async def test_who_left_the_room_hears_nothing(house: House) -> None:
    server = await house.open()
    ann = await house.enter("ann")
    server.join(house.present["ann"], "one")
    server.leave(house.present["ann"], "one")
    server.leave(house.present["ann"], "never entered")

    server.emit("news", 1, to="one")
    await ann.call("echo")

    assert ann.seen() == []
    assert server.members("one") == []


async def test_nothing_is_kept_of_who_is_gone(house: House) -> None:
    server = await house.open()
    ann = await house.enter("ann")
    gone = house.present["ann"]
    server.join(gone, "one")
    ann.socket.abort()
    await house.left.get()

    server.join(gone, "one")

    assert (server.connections(), server.connections_of("ann"), server.members("one")) == ([], [], [])
    assert gone.is_open is False


async def test_identity_finds_its_connections(house: House) -> None:
    server = await house.open()
    await house.enter("ann@phone")
    await house.enter("ann@desk")
    await house.enter("bob")

    assert {connection.identity for connection in server.connections_of("ann")} == {"ann@phone", "ann@desk"}
    assert len(server.connections()) == 3


async def test_namespace_left_and_entered_again_is_a_new_connection(house: House) -> None:
    server = await house.open()
    client = await house.enter("ann")
    first = house.present["ann"]
    client.socket.send(b"41/chat,")
    assert await house.left.get() == ("ann", "client disconnect")
    assert server.connections() == []

    client.socket.send(b'40/chat,{"token":"ann"}')
    await client.call("echo")

    assert house.present["ann"].sid != first.sid
