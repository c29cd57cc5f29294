"""Staff accounts: passwords, signing in and its brake, sessions and their ends."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hub.clock import FakeClock
from hub.domain.agent import Presence, Role
from hub.domain.errors import (
    BadRequest,
    Conflict,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    WeakPassword,
    WrongPassword,
)
from hub.domain.events import EventKind
from hub.services.accounts import Device, Login, PasswordChange, hash_of
from hub.services.brakes import Brake
from hub.services.passwords import Passwords, check_password
from hub.storage.migrations import migrate
from tests.builders import Desk, open_desk

PASSWORD = "tall otter under quay"
HOME = Device(ip="192.0.2.1", browser="Firefox on Linux")


@pytest.fixture
async def sqlite_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    url = f"sqlite:///{tmp_path}/hub.db"
    await migrate(url)
    desk = await open_desk(tmp_path, url)
    yield desk
    desk.clock.settle = None
    await desk.hub.stop()


async def kinds(desk: Desk) -> list[tuple[str, str | None, dict[str, object]]]:
    """Return the journal's events about accounts: kind, agent, facts."""
    wanted = {EventKind.SIGNED_IN, EventKind.SIGNED_OUT, EventKind.SIGN_IN_REFUSED}
    return [(e.kind, e.agent, dict(e.facts)) for e in await desk.hub.services.journal.read(0) if e.kind in wanted]


async def test_account_signs_in_and_its_token_opens_its_session(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    made = await accounts.create("Mia  Novak", "Mia@Example.test", Role.AGENT, PASSWORD)

    signed = await accounts.sign_in(Login(email=" mia@example.TEST ", password=PASSWORD), HOME)

    assert (signed.agent.id, signed.agent.name, signed.agent.email) == (made.id, "Mia Novak", "mia@example.test")
    again = await accounts.signed(signed.token)
    assert again is not None
    assert (again.agent.id, again.session.id) == (made.id, signed.session.id)
    assert (await kinds(desk))[-1] == ("signed_in", made.id, {"session": signed.session.id})
    assert made.id in desk.hub.services.floor.agents


async def test_only_the_tokens_hash_is_stored(sqlite_desk: Desk) -> None:
    accounts = sqlite_desk.hub.services.accounts
    signed = await accounts.sign_in_as("ann", HOME)
    path = sqlite_desk.hub.settings.server.database_url.reveal().removeprefix("sqlite:///")

    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT * FROM sessions").fetchall()
    db.close()

    assert len(signed.token) == 43
    assert signed.token not in repr(rows)
    assert hash_of(signed.token) in repr(rows)


@pytest.mark.parametrize(
    ("email", "password"),
    [("mia@example.test", "not the password"), ("nobody@example.test", PASSWORD), ("", ""), ("ann@example.test", "")],
)
async def test_wrong_sign_ins_look_the_same_and_are_journaled_without_personal_text(
    desk: Desk, email: str, password: str
) -> None:
    accounts = desk.hub.services.accounts
    await accounts.create("Mia Novak", "mia@example.test", Role.AGENT, PASSWORD)

    with pytest.raises(Unauthorized) as refused:
        await accounts.sign_in(Login(email=email, password=password), HOME)

    assert str(refused.value) == "E-mail address or password is not right."
    ((kind, _, facts),) = await kinds(desk)
    assert kind == "sign_in_refused"
    assert set(facts) == {"known"}


async def test_unknown_account_costs_as_much_as_a_known_one() -> None:
    passwords = Passwords()
    calls = []

    class Counted:
        def __init__(self) -> None:
            self.inner = passwords._hasher

        def verify(self, stored: str, password: str) -> bool:
            calls.append(stored.split("$")[3])
            return bool(self.inner.verify(stored, password))

    known = await passwords.hash(PASSWORD)
    passwords._hasher = Counted()  # type: ignore[assignment]
    assert await passwords.matches(known, PASSWORD)
    assert not await passwords.matches(None, PASSWORD)
    assert not await passwords.matches("", PASSWORD)
    passwords.close()
    assert calls == ["m=19456,t=2,p=1"] * 3


async def test_more_than_twenty_waiting_are_turned_away() -> None:
    passwords = Passwords()
    results = await asyncio.gather(*(passwords.hash("x" * 20) for _ in range(30)), return_exceptions=True)
    passwords.close()
    assert sum(isinstance(result, Unavailable) for result in results) == 8


@pytest.mark.parametrize(
    "password",
    [
        *("short", "x" * 129, "aaaaaaaaaaaaa", "abcabcabcabc", "Password1234", "P@ssw0rd1234", "qwertyuiopas"),
        *("123456789012", "iloveyou12345", "Welcome2024!!", "mianovak1234", "changeme-2026"),
        "correcthorsebatterystaple",
    ],
)
def test_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadRequest):
        check_password(password, about=("Mia Novak", "mia@example.test"))


@pytest.mark.parametrize(
    "password", ["tall otter under quay", "  spaces count  ", "水獭在码头下面等着吃饭呢呀", "Zx9!mmQ2rtyP"]
)
def test_password_is_taken_as_typed(password: str) -> None:
    check_password(password, about=("Mia Novak",))


async def test_second_account_with_an_address_is_refused(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    with pytest.raises(Conflict):
        await accounts.create("Other Ann", "ANN@example.test", Role.AGENT, None)


async def test_guessing_is_slowed_down_and_the_owner_is_never_locked_out(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    await accounts.create("Mia Novak", "mia@example.test", Role.AGENT, PASSWORD)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await accounts.sign_in(Login(email="mia@example.test", password="guess"), HOME)

    with pytest.raises(RateLimited) as slowed:
        await accounts.sign_in(Login(email="mia@example.test", password="guess"), Device(ip="198.51.100.7"))
    await desk.wait(seconds=slowed.value.retry_after_s)

    signed = await accounts.sign_in(Login(email="mia@example.test", password=PASSWORD), HOME)
    assert 0 < slowed.value.retry_after_s <= 60
    assert signed.agent.name == "Mia Novak"


async def test_one_address_guessing_many_accounts_is_slowed_down(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    for number in range(20):
        with pytest.raises(Unauthorized):
            await accounts.sign_in(Login(email=f"n{number}@example.test", password="x"), HOME)

    with pytest.raises(RateLimited):
        await accounts.sign_in(Login(email="another@example.test", password="x"), HOME)
    with pytest.raises(Unauthorized):
        await accounts.sign_in(Login(email="another@example.test", password="x"), Device(ip="198.51.100.7"))


async def test_brake_waits_twice_as_long_each_time_up_to_a_minute_and_forgets() -> None:
    clock = FakeClock()
    brake = Brake(clock, free=2, window_s=900)
    waits = []
    for _ in range(10):
        waits.append(brake.wait_s("key"))
        await clock.advance(seconds=brake.wait_s("key"))
        brake.count("key")
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    await clock.advance(seconds=901)
    assert brake.wait_s("key") == 0


async def test_brakes_memory_is_bounded() -> None:
    brake = Brake(FakeClock(), free=5, window_s=900)
    for number in range(25_000):
        brake.count(f"key {number}")
    for _ in range(100):
        brake.count("busy")
    assert len(brake._tries) == 20_000
    assert max(map(len, brake._tries.values())) < 20


def leap(desk: Desk, seconds: float) -> None:
    """Let time pass without firing what is due on the way: hours of it would take a minute."""
    desk.clock._now += round(seconds * 1000)


async def test_session_ends_when_idle_or_after_its_longest_life(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    idle, used = await accounts.sign_in_as("ann", HOME), await accounts.sign_in_as("ann", HOME)
    for _ in range(23):
        leap(desk, 1_800)
        assert await accounts.signed(used.token) is not None
    assert await accounts.signed(idle.token) is None

    leap(desk, 1_700)
    assert await accounts.signed(used.token) is not None
    leap(desk, 200)
    assert await accounts.signed(used.token) is None


async def test_use_is_noted_at_most_once_a_minute(sqlite_desk: Desk) -> None:
    accounts = sqlite_desk.hub.services.accounts
    signed = await accounts.sign_in_as("ann", HOME)
    await sqlite_desk.wait(seconds=30)
    await accounts.signed(signed.token)
    assert (await accounts.sessions("ann"))[0].seen_at == signed.session.seen_at
    await sqlite_desk.wait(seconds=31)
    await accounts.signed(signed.token)
    assert (await accounts.sessions("ann"))[0].seen_at == sqlite_desk.clock.now()


async def test_revoking_ends_a_session_and_tells(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    told: list[str] = []
    accounts.on_revoked.append(told.append)
    one, other = await accounts.sign_in_as("ann", HOME), await accounts.sign_in_as("ann", HOME)
    theirs = await accounts.sign_in_as("bob", HOME)

    await accounts.revoke("ann", one.session.id)

    assert told == [one.session.id]
    assert await accounts.signed(one.token) is None
    assert await accounts.signed(other.token) is not None
    assert (await kinds(desk))[-1] == ("signed_out", "ann", {"session": one.session.id})
    with pytest.raises(NotFound):
        await accounts.revoke("ann", theirs.session.id)
    await accounts.revoke_all("ann", but=other.session.id)
    assert [session.id for session in await accounts.sessions("ann")] == [other.session.id]


async def test_password_change_ends_the_other_sessions(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    await accounts.create("Mia Novak", "mia@example.test", Role.AGENT, PASSWORD)
    here = await accounts.sign_in(Login(email="mia@example.test", password=PASSWORD), HOME)
    there = await accounts.sign_in(Login(email="mia@example.test", password=PASSWORD), HOME)

    with pytest.raises(WrongPassword):
        await accounts.change_password(here, PasswordChange(old="wrong", new="quay over small otter"))
    with pytest.raises(WeakPassword):
        await accounts.change_password(here, PasswordChange(old=PASSWORD, new="short"))
    await accounts.change_password(here, PasswordChange(old=PASSWORD, new="quay over small otter"))

    assert await accounts.signed(here.token) is not None
    assert await accounts.signed(there.token) is None
    with pytest.raises(Unauthorized):
        await accounts.sign_in(Login(email="mia@example.test", password=PASSWORD), HOME)
    await accounts.sign_in(Login(email="mia@example.test", password="quay over small otter"), HOME)


@pytest.mark.parametrize("change", [{"role": Role.SUPERVISOR}, {"is_active": False}])
async def test_role_change_or_closing_ends_all_sessions(desk: Desk, change: dict[str, object]) -> None:
    accounts = desk.hub.services.accounts
    signed = await accounts.sign_in_as("ann", HOME)
    await accounts.update("ann", **change)  # type: ignore[arg-type]
    assert await accounts.signed(signed.token) is None


async def test_configuration_changes_accounts_and_leaves_presence_and_password_alone(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    await accounts.set_password("ann", PASSWORD)
    await desk.available("ann")
    wanted = msgspec.structs.replace(desk.hub.settings.agents["ann"], name="Ann Other", queues=("billing",))

    assert await accounts.sync_configured({"ann": wanted}) == ["ann"]
    assert await accounts.sync_configured({"ann": wanted}) == []

    ann = await desk.agent("ann")
    assert (ann.name, ann.queues, ann.presence) == ("Ann Other", ("billing",), Presence.AVAILABLE)
    await accounts.sign_in(Login(email="ann@example.test", password=PASSWORD), HOME)


async def test_who_is_disabled_stays_so_whatever_is_configured(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    await accounts.update("ann", is_active=False)
    assert await accounts.sync_configured({"ann": desk.hub.settings.agents["ann"]}) == []
    assert not (await desk.agent("ann")).is_active


async def test_configured_account_without_password_cannot_sign_in(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    for password in ("", "x" * 12):
        with pytest.raises(Unauthorized):
            await accounts.sign_in(Login(email="ann@example.test", password=password), HOME)
    assert not await accounts.has_admin()
    await accounts.set_password("ada", PASSWORD)
    assert await accounts.has_admin()


async def test_sessions_of_one_account_are_bounded(desk: Desk) -> None:
    accounts = desk.hub.services.accounts
    for _ in range(54):
        await accounts.sign_in_as("ann", HOME)
    last = await accounts.sign_in_as("ann", HOME)
    sessions = await accounts.sessions("ann")
    assert len(sessions) == 50
    assert last.session.id in {session.id for session in sessions}
