"""From an empty database to the newest schema, once, whoever races for it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from hub.clock import FakeClock
from hub.domain.errors import Unavailable
from hub.events import Bus
from hub.storage import migrations
from hub.storage.migrations import HEAD, migrate, sqlite_path
from hub.storage.postgresql import PostgresStore
from hub.storage.schema import metadata
from tests.conftest import BACKENDS
from tests.ports import free_port
from tests.servers import postgres

VERSIONS = Path(migrations.__file__).parent / "versions"
RACERS = 2


@pytest.fixture(params=BACKENDS)
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/deep/down/hub.db"
        return
    async with postgres().database() as url:
        yield url


def _differences(connection: sa.Connection) -> list[object]:
    def ours(_thing: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
        return not (kind == "table" and (name or "").startswith(("words", "names")))

    options = {"compare_type": True, "compare_server_default": False, "include_object": ours}
    context = MigrationContext.configure(connection, opts=options)
    return [change for change in compare_metadata(context, metadata) if not re.search("words|names", repr(change))]


async def differences(url: str) -> list[object]:
    """Return what Alembic would still change."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(f"sqlite:///{sqlite_path(url)}", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            return _differences(connection)
    asynchronous = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"), poolclass=sa.pool.NullPool
    )
    async with asynchronous.connect() as opened:
        found: list[object] = await opened.run_sync(_differences)
    await asynchronous.dispose()
    return found


async def test_empty_database_becomes_what_the_structs_say(empty_url: str) -> None:
    assert await migrate(empty_url) is True
    assert await migrate(empty_url) is False
    assert await differences(empty_url) == []


async def test_several_processes_racing_leave_one_schema(empty_url: str) -> None:
    code = "import asyncio, sys; from hub.storage.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"
    racers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", code, empty_url, stderr=asyncio.subprocess.PIPE)
        for _ in range(RACERS)
    ]
    await migrate(empty_url)
    ended = [await racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * RACERS, ended
    assert await migrate(empty_url) is False
    assert await differences(empty_url) == []


def test_head_is_the_newest_file() -> None:
    revisions = {}
    for file in VERSIONS.glob("v*.py"):
        text = file.read_text()
        own = re.search(r'^revision = "(\w+)"', text, re.MULTILINE)
        before = re.search(r'^down_revision = (?:"(\w+)"|None)', text, re.MULTILINE)
        assert own is not None
        assert before is not None
        revisions[own[1]] = before[1]
    heads = set(revisions) - {before for before in revisions.values() if before}
    assert heads == {HEAD}
    assert sorted(revisions.values(), key=str).count(None) == 1


async def test_database_of_a_newer_hub_is_refused(empty_url: str) -> None:
    await migrate(empty_url)
    if empty_url.startswith("sqlite"):
        engine = sa.create_engine(f"sqlite:///{sqlite_path(empty_url)}", poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    else:
        import asyncpg

        raw = await asyncpg.connect(empty_url)
        await raw.execute("UPDATE alembic_version SET version_num = '9999'")
        await raw.close()
    with pytest.raises(Unavailable):
        await migrate(empty_url)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("bob:s3/cr@et@127.0.0.1:PORT/hub", "database_url cannot be read: write postgresql://"),
        (
            "bob:s3cret@127.0.0.1:PORT/hub",
            "The database server 127.0.0.1:PORT/hub cannot be reached: Connection refused.",
        ),
        (
            "/hub?host=FOLDER&password=s3cret",
            "The database server on this machine (hub) cannot be reached: No such file",
        ),
    ],
)
async def test_server_that_is_sought_is_named_and_never_its_password(place: str, said: str, tmp_path: Path) -> None:
    port = str(free_port())
    url = f"postgresql://{place}".replace("PORT", port).replace("FOLDER", str(tmp_path))
    for reach in (migrate(url), PostgresStore(url, clock=FakeClock(), bus=Bus()).open()):
        with pytest.raises(Unavailable) as caught:
            await reach
        assert str(caught.value).startswith(said.replace("PORT", port))
        assert "s3" not in str(caught.value)


async def test_database_out_of_reach_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await migrate(f"postgresql://hub@/hub?host={tmp_path}")
    (tmp_path / "hub.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Unavailable):
        await migrate(f"sqlite:///{tmp_path}/hub.db")
