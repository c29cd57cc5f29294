"""What arrives is kept first and read afterwards, whatever it holds; on both databases."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest

from hub.contract import Inbound, RawArrival
from hub.domain.correspondence import ArrivalState, Party
from hub.domain.errors import ChannelUnavailable, Conflict, Forbidden, NotFound, PayloadUnreadable, Unavailable
from hub.storage.tables import ARRIVALS
from hub.storage.unit_of_work import Unit, UnitOfWork
from tests.arriving import Letterbox, Post, message
from tests.builders import Desk, open_desk


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


def raw(name: str, **more: object) -> RawArrival:
    return RawArrival(provider_id=name, raw=name.encode(), **more)  # type: ignore[arg-type]


def raw_files(desk: Desk) -> list[Path]:
    folder = desk.hub.settings.server.data_dir / "raw"
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_kept_twice_is_kept_once(post: Post) -> None:
    arrivals = post.desk.hub.services.arrivals
    post.box.said = {b"1": message(), b"2": message()}

    assert await arrivals.keep(post.box.id, [raw("1"), raw("1")], {"INBOX": "7:1"}) == 1
    assert await arrivals.keep(post.box.id, [raw("1"), raw("2")], {"INBOX": "7:2"}) == 1
    await post.read()

    assert await arrivals.mark(post.box.id, "INBOX") == "7:2"
    assert await arrivals.mark(post.box.id, "Archive") == ""
    assert [one.state for one in await post.rows(ARRIVALS)] == [ArrivalState.TAKEN] * 2
    assert len(raw_files(post.desk)) == 2


async def test_two_who_keep_the_same_at_once_keep_one(post: Post) -> None:
    arrivals = post.desk.hub.services.arrivals
    post.box.said = {str(number).encode(): message() for number in range(20)}
    same = [raw(str(number)) for number in range(20)]

    counts = await asyncio.gather(*(arrivals.keep(post.box.id, same, {"INBOX": "x"}) for _ in range(3)))
    await post.read()

    assert sum(counts) == 20
    assert len(await post.interactions()) == 20


async def test_bytes_are_on_disk_before_the_row(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails leaves no row and no mark; the next try finds its own file and goes on."""
    arrivals, store = post.desk.hub.services.arrivals, post.desk.hub.services.store
    post.box.said = {b"1": message()}
    write = store.write

    async def broken(unit: Unit[object]) -> object:
        if not unit.__qualname__.startswith("Arrivals.keep."):  # the hub keeps house beside it
            return await write(unit)
        assert len(raw_files(post.desk)) == 1
        raise ConnectionError

    monkeypatch.setattr(store, "write", broken)
    with pytest.raises(ConnectionError):
        await arrivals.keep(post.box.id, [raw("1")], {"INBOX": "7:1"})
    monkeypatch.setattr(store, "write", write)
    assert await arrivals.mark(post.box.id, "INBOX") == ""

    assert await arrivals.keep(post.box.id, [raw("1")], {"INBOX": "7:1"}) == 1
    await post.read()
    assert len(raw_files(post.desk)) == 1


async def test_what_cannot_be_read_holds_nothing_up_and_can_be_read_again(post: Post) -> None:
    poison = [
        PayloadUnreadable("It is no letter."),
        RecursionError("too deep"),
        MemoryError(),
        KeyError("x"),
        TimeoutError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad\udcff\x00byte"),
        OSError(5, "broken"),
    ]
    arrivals, sue = post.desk.hub.services.arrivals, await post.desk.scope("sue")

    found = await post.deliver(*poison, message("The good one."))

    assert [one.state for one in found] == [ArrivalState.FAILED] * len(poison) + [ArrivalState.TAKEN]
    assert found[0].problem == "It is no letter."
    assert [one.id for one in await arrivals.attention(sue)] == [one.id for one in reversed(found[:-1])]
    assert await arrivals.raw(found[0].id, sue) == found[0].provider_id.encode()

    post.box.said[found[0].provider_id.encode()] = message("Now it can be read.")
    await arrivals.read_again(found[0].id, sue)
    await post.read()
    (again,) = await post.rows(ARRIVALS, "WHERE id = $1", found[0].id)
    assert again.state is ArrivalState.TAKEN
    with pytest.raises(Conflict):
        await arrivals.read_again(found[0].id, sue)

    await arrivals.dismiss(found[1].id, sue)
    assert found[1].id not in {one.id for one in await arrivals.attention(sue)}
    with pytest.raises(Conflict):
        await arrivals.dismiss(found[1].id, sue)


class Slow(Letterbox):
    """The machine sleeps so long, while the first letters are read, that their time is over when it wakes up."""

    def __init__(self, slow: int) -> None:
        super().__init__("slow_mail")
        self._slow = slow

    async def read(self, raw: bytes) -> Inbound:
        self._slow -= 1
        if self._slow >= 0:
            await asyncio.Event().wait()
        return await super().read(raw)


@pytest.mark.parametrize(("slow", "state"), [(1, ArrivalState.TAKEN), (2, ArrivalState.FAILED)])
async def test_what_took_too_long_is_read_once_more(
    post: Post, monkeypatch: pytest.MonkeyPatch, slow: int, state: ArrivalState
) -> None:
    monkeypatch.setattr("hub.services.arrivals._READ_S", 0.01)
    box = Slow(slow)
    post.desk.hub.services.arrivals.serve(box)

    (found,) = await post.deliver(message("Hello"), box=box)

    assert found.state is state


async def test_what_the_database_refuses_fails_alone(post: Post) -> None:
    good = message("Fine.")
    impossible = message("x", sent_at=2**80)

    found = await post.deliver(impossible, good)

    assert [one.state for one in found] == [ArrivalState.FAILED, ArrivalState.TAKEN]
    assert len(await post.interactions()) == 1


async def test_what_the_channel_could_not_get_needs_attention(post: Post) -> None:
    arrivals, sue = post.desk.hub.services.arrivals, await post.desk.scope("sue")

    await arrivals.keep(post.box.id, [raw("big", problem="64 MB: over the limit.", size=64_000_000)], {"INBOX": "7:9"})
    await post.read()

    (found,) = await arrivals.attention(sue)
    assert (found.state, found.problem, found.size) == (ArrivalState.FAILED, "64 MB: over the limit.", 64_000_000)
    assert post.box.read_count == 0


async def test_only_supervisors_see_what_belongs_to_nobody(post: Post) -> None:
    arrivals = post.desk.hub.services.arrivals
    ann, sue = await post.desk.scope("ann"), await post.desk.scope("sue")
    failed, taken, hidden = await post.deliver(KeyError("x"), message(), message(queue="billing"))
    ann = type(ann)(ann.agent, ann.role, ("support",))

    for work in (arrivals.attention(ann), arrivals.read_again(failed.id, ann), arrivals.dismiss(failed.id, ann)):
        with pytest.raises(Forbidden):
            await work
    for stranger in (failed, hidden):
        with pytest.raises(NotFound):
            await arrivals.raw(stranger.id, ann)
    assert await arrivals.raw(taken.id, ann) == taken.provider_id.encode()
    with pytest.raises(NotFound):
        await arrivals.raw("a1", sue)


async def test_a_channel_that_closes_makes_nothing_unreadable(post: Post) -> None:
    arrivals = post.desk.hub.services.arrivals
    post.box.said = {b"1": ChannelUnavailable("The mailbox is closed.")}
    await arrivals.keep(post.box.id, [raw("1")], {})
    for _ in range(20):
        await post.desk.wait(1)
        (found,) = await post.rows(ARRIVALS)
        assert found.state is ArrivalState.KEPT
    post.box.said = {b"1": message()}
    while (await post.rows(ARRIVALS))[0].state is ArrivalState.KEPT:
        await post.desk.wait(1)

    await arrivals.stop()
    with pytest.raises(Unavailable):
        await arrivals.keep(post.box.id, [raw("2")], {"INBOX": "7:2"})
    assert await arrivals.mark(post.box.id, "INBOX") == ""


async def test_a_lost_file_is_told(post: Post) -> None:
    failed, *_ = await post.deliver(KeyError("x"))
    arrivals, sue = post.desk.hub.services.arrivals, await post.desk.scope("sue")
    for path in raw_files(post.desk):
        path.unlink()

    await arrivals.read_again(failed.id, sue)
    await post.read()

    (found,) = await arrivals.attention(sue)
    assert "bytes" in found.problem
    with pytest.raises(NotFound):
        await arrivals.raw(failed.id, sue)


async def test_old_bytes_go_and_what_needs_attention_keeps_its_own(post: Post) -> None:
    arrivals = post.desk.hub.services.arrivals
    _, failed = await post.deliver(message("Read."), KeyError("x"))
    assert {path.stat().st_mode & 0o777 for path in raw_files(post.desk)} == {0o600}
    assert await arrivals.forget_old(1) == 0

    post.desk.clock._now += 3 * 86_400_000  # as after a weekend in which the hub stood still
    (fresh,) = await post.deliver(message("Fresh."))

    assert await arrivals.forget_old(1) == 1
    assert await arrivals.forget_old(1) == 0
    sue = await post.desk.scope("sue")
    assert [await arrivals.raw(one.id, sue) for one in (failed, fresh)] == [b"INBOX;7;2", b"INBOX;7;3"]
    await arrivals.dismiss(failed.id, sue)
    assert await arrivals.forget_old(1) == 1
    assert len(raw_files(post.desk)) == 1


async def test_many_are_read_ahead_and_taken_once_in_order(post: Post) -> None:
    await post.desk.clock.advance(seconds=1)
    letters: list[Inbound | Exception] = [
        message(f"Letter {n}", subject=f"{n}", sender=Party(f"p{n}@example.org")) for n in range(300)
    ]
    letters[70] = KeyError("x")
    letters[150] = letters[10]

    arrivals = await post.deliver(*letters)

    states = [one.state for one in arrivals]
    assert (states[70], states[150]) == (ArrivalState.FAILED, ArrivalState.IGNORED)
    assert states.count(ArrivalState.TAKEN) == 298
    opened = sorted(await post.interactions(), key=lambda one: int(one.subject))
    assert [int(one.subject) for one in opened] == [n for n in range(300) if n not in {70, 150}]
    assert [one.created_at for one in opened] == sorted(one.created_at for one in opened)
    assert post.box.read_count == 300


class Deadly(Letterbox):
    """Reading some letters ends the hub, as a crash in a library would: nothing of that moment is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.died = asyncio.Event()

    async def read(self, raw: bytes) -> Inbound:
        if raw == b"deadly":
            self.died.set()
            await asyncio.Event().wait()
        return await super().read(raw)


class DeadlyHere(Deadly):
    """Can read apart; there the deadly letter waits for the hub's end, ends only its reader, or is as any other."""

    def __init__(self, apart: Literal["waits", "ends", "reads"]) -> None:
        super().__init__()
        self._apart = apart

    async def read_apart(self, raw: bytes) -> Inbound:
        if raw == b"deadly" and self._apart == "ends":
            raise PayloadUnreadable("Reading it ended the process that read it.")
        return await (self.read(raw) if self._apart == "waits" else Letterbox.read(self, raw))


async def lives(database_url: str, tmp_path: Path, boxes: Iterable[Deadly]) -> list[dict[str, ArrivalState]]:
    """Let one hub after another read three letters, each until all are read or it dies; return what became of them."""
    names, found = ["1", "deadly", "2"], list[dict[str, ArrivalState]]()
    for box in boxes:
        desk = await open_desk(tmp_path, database_url)
        box.said = {name.encode(): message(dedupe=name) for name in names}
        post = Post(desk, box)
        arrivals = desk.hub.services.arrivals
        if not found:
            await arrivals.keep(box.id, [raw(name) for name in names], {})
        arrivals._wake.set()
        dies = asyncio.create_task(box.died.wait())
        reads = asyncio.create_task(arrivals.caught_up())
        await asyncio.wait([dies, reads], return_when=asyncio.FIRST_COMPLETED)
        found.append({one.provider_id: one.state for one in await post.rows(ARRIVALS)})
        dies.cancel()
        reads.cancel()
        desk.clock.settle = None
        await desk.hub.stop()
    return found


SET_ASIDE = {"1": ArrivalState.TAKEN, "deadly": ArrivalState.FAILED, "2": ArrivalState.TAKEN}


async def test_a_letter_that_kills_the_hub_is_set_aside(database_url: str, tmp_path: Path) -> None:
    *before, last = await lives(database_url, tmp_path, [Deadly() for _ in range(7)])

    assert [states["deadly"] for states in before[:5]] == [ArrivalState.KEPT] * 5
    assert last == SET_ASIDE


async def test_a_letter_that_kills_the_hub_is_read_apart_by_the_next(database_url: str, tmp_path: Path) -> None:
    first, second = await lives(database_url, tmp_path, [DeadlyHere("waits"), DeadlyHere("ends")])

    assert first["deadly"] is ArrivalState.KEPT
    assert second == SET_ASIDE


async def test_hubs_that_end_again_and_again_for_reasons_of_their_own_fail_no_letter(
    database_url: str, tmp_path: Path
) -> None:
    *before, last = await lives(
        database_url, tmp_path, [*(DeadlyHere("waits") for _ in range(11)), DeadlyHere("reads")]
    )

    assert {states["deadly"] for states in before} == {ArrivalState.KEPT}
    assert last == dict.fromkeys(SET_ASIDE, ArrivalState.TAKEN)


async def test_what_was_kept_is_read_by_the_next_hub(database_url: str, tmp_path: Path) -> None:
    desk = await open_desk(tmp_path, database_url)
    await desk.hub.services.arrivals.keep("support_mail", [raw("1"), raw("2")], {})
    desk.clock.settle = None
    await desk.hub.stop()

    desk = await open_desk(tmp_path, database_url)
    post = Post(desk)
    post.box.said = {b"1": message("one"), b"2": message("two")}
    desk.hub.services.arrivals._wake.set()
    await post.read()

    assert [(await desk.messages(one))[0].text for one in await post.interactions()] == ["one", "two"]
    desk.clock.settle = None
    await desk.hub.stop()


async def test_a_letter_that_waited_elsewhere_has_waited(post: Post) -> None:
    now = post.desk.clock.now()
    post.box.said = {b"1": message()}
    await post.desk.hub.services.arrivals.keep(post.box.id, [raw("1", received_at=now - 3_600_000)], {})
    await post.read()

    (interaction,) = await post.interactions()
    assert interaction.head_start_ms == 3_600_000


async def test_more_than_is_read_at_once_keeps_its_order(post: Post) -> None:
    names = [f"{number:03}" for number in range(150)]
    post.box.said = {name.encode(): message(name, sender=None) for name in names}
    arrivals = post.desk.hub.services.arrivals
    for start in range(0, 150, 50):
        await arrivals.keep(post.box.id, [raw(name) for name in names[start : start + 50]], {})
    await post.read()

    async def unit(tx: UnitOfWork) -> list[str]:
        rows = await tx.fetch(
            "SELECT m.text FROM messages m JOIN arrivals a ON a.interaction = m.interaction WHERE m.n = 1 ORDER BY a.id"
        )
        return [str(row[0]) for row in rows]

    assert await post.desk.hub.services.store.read(unit) == names
