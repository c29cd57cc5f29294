"""The command line, as an operator uses it."""

import asyncio
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from hub.__main__ import main
from hub.domain.agent import Presence
from hub.storage.migrations import HEAD
from tests.builders import Desk
from tests.payloads.mail.builders import mail


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small settings file with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hub.toml"
    path.write_text(
        '[server]\ndata_dir = "data"\n[queues.support]\nname = "Support"\n'
        '[agents.ann]\nname = "Ann"\nemail = "ann@example.test"\n'
        '[channels.site]\nkind = "webchat"\nqueue = "support"\n'
    )
    return path


def run(*argv: str) -> int:
    """Run a command; argparse ends misuse with SystemExit."""
    try:
        return main(argv)
    except SystemExit as ending:
        return int(ending.code or 0)


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "demo",
        "migrate",
        "check-config",
        "backup",
        "user add",
        "user list",
        "user change",
        "user password",
        "user sign-out",
        "mail parse",
        "routing explain",
        "routing replay",
        "routing simulate",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command.split(), "--help") == 0
    assert "usage: hub" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["", "nonsense", "serve --nonsense", "user", "backup", "routing explain"])
def test_misuse_ends_with_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words.split()) == 2
    assert capsys.readouterr()


def test_sound_settings_are_called_sound(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check-config", "--config", str(config)) == 0
    assert "The settings are sound: 1 queues, 1 agents, 1 channels." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[queues.support]\ntarget = 3\n", "target_s"),
        ('[channels.site]\nkind = "webchat"\nqueue = "support"\ncolour = "red"\n', "colour"),
        ('[channels.site]\nkind = "webchta"\nqueue = "support"\n', "webchat"),
        ('[channels.site]\nkind = "webchat"\nqueue = "support"\naccent = "red"\n', "#rrggbb"),
        (
            '[queues.support]\nskills = { invoices = 3 }\n[agents.ann]\nname = "Ann"\nemail = "a@example.test"\n',
            "0 of 1",
        ),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(
    config: Path, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(line)
    code = run("check-config", "--config", str(config))
    assert code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_what_routing_refuses_is_said_before_the_hub_starts(
    config: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = '[[queues.support.groups]]\nid = "{}"\ndelay_s = {}\n'
    config.write_text(
        config.read_text().replace("[agents.ann]", ring.format("near", 0) + ring.format("far", 60) + "[agents.ann]")
        .replace('name = "Support"', 'name = "Support"\nmax_wait_s = 30\nwhen_waited = { kind = "form" }')
        .replace('name = "Ann"', 'name = "Ann"\ngroups = ["near", "far"]')
        + '[kinds.voice]\nmay_be_interrupted_by = ["voice"]\n'
    )  # fmt: skip

    assert run(command, "--config", str(config)) == 2

    said = capsys.readouterr().err
    assert "error: routing: channel voice may be interrupted by itself" in said
    assert "warning: queues.support: queue support: the ring far after 60000 ms comes after the longest wait" in said


def test_generated_day_has_several_channels_and_is_played_under_several_policies(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = ("routing", "simulate", "--config", str(config), "--hours", "4")

    assert run(*day) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert all(re.search(rf"\b{kind} [1-9]", head) for kind in ("voice", "chat", "email"))
    assert columns.split()[:3] == ["policy", "offered", "in"]
    assert [row[:11].strip() for row in rows] == ["this policy", "first come", "strict prio", "c-mu"]

    said = ("--kinds", "chat=3,voice=1", "--handling", "chat=600,voice=200", "--patience", "never", "--rates", "1,3")
    assert run(*day, *said, "--queue", "support", "--against", str(config)) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert "email" not in head
    assert [row.split()[0] + row.split()[1] for row in rows] == ["thispolicy", "theother"]
    assert "0.00%" in rows[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("simulate --hours -1", 2, "'-1' is no figure above 0"),
        ("simulate --load 0", 2, "'0' is no figure above 0"),
        ("simulate --handling voice=0", 2, "'0' is no figure above 0"),
        ("simulate --rates 1,x", 2, "'x' is no figure above 0"),
        ("simulate --kinds 3", 1, "Name the channel kinds"),
        ("simulate --patience fax=9", 1, "There is no channel kind 'fax': voice, chat, email."),
        ("simulate --queue law", 1, "There is no queue 'law': support."),
        ("simulate --against other.toml", 1, "other.toml has no queue support"),
        ("replay --day tomorrow", 2, "'tomorrow' is no day"),
        ("replay --against other.toml", 1, "other.toml has no queue support"),
        ("replay --queue law", 1, "There is no queue 'law': support."),
    ],
)
def test_day_that_cannot_be_played_is_explained(
    config: Path, words: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "other.toml").write_text('[queues.law]\nname = "Law"\n')
    assert run("routing", *words.split(), "--config", str(config)) == code
    assert said in capsys.readouterr().err


async def test_recorded_day_is_played_again_beside_what_really_was(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = await desk.handled("ann")
    await desk.wait(seconds=300)
    await desk.hub.services.handling.complete(chat.id, await desk.scope("ann"), "solved")
    await desk.chat()
    await desk.wait(seconds=60)
    await desk.hub.services.presence.choose("ann", Presence.OFFLINE, "")
    path = tmp_path / "again.toml"
    url = desk.hub.settings.server.database_url.reveal()
    queues = "".join(f'[queues.{name}]\nname = "{name}"\n' for name in desk.hub.settings.queues)
    path.write_text(f'[server]\ndatabase_url = "{url}"\n{queues}')

    day = ("routing", "replay", "--day", "2026-01-01", "--config", str(path))
    assert await asyncio.to_thread(run, *day) == 0

    head, _, real, again = capsys.readouterr().out.splitlines()
    assert head == "2026-01-01: 2 entries into queues, 1 shifts"
    assert (real.split()[:4], again.split()[:3]) == (["as", "it", "was", "2"], ["this", "policy", "2"])
    busy = float(real.split()[-3].rstrip("%"))
    assert 82 < busy < 84, "Ann was there for six minutes and talked for five"
    assert await asyncio.to_thread(run, *day[:-4], "--day", "2020-02-02", "--config", str(path)) == 1


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert re.fullmatch(r"Switchboard \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_first_admin_is_made_and_weak_passwords_are_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    add = ["user", "add", "--config", str(config), "--role", "admin", "--name", "Root", "--email", "root@example.test"]
    secret.write_text("short\n")
    assert run(*add, "--password-file", str(secret)) == 1
    secret.write_text("violet tram over seven roofs\n")
    assert run(*add, "--password-file", str(secret)) == 0
    assert run(*add, "--password-file", str(secret)) == 1
    printed = capsys.readouterr()
    assert "Root can sign in as admin" in printed.out
    assert "violet" not in printed.out + printed.err


def test_who_works_here_is_managed_at_the_command_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def user(tool: str, *words: str) -> tuple[int, str, str]:
        code = run("user", tool, "--config", str(config), *words)
        said = capsys.readouterr()
        return code, said.out, said.err

    secret = tmp_path / "password"
    secret.write_text("violet tram over seven roofs\n")
    given = ["--password-file", str(secret)]
    assert user("list")[1].split() == ["ann@example.test", "Ann", "agent", "no", "password", "agents.ann"]
    assert user("add", "--role", "admin", "--name", "Root", "--email", "root@example.test", *given)[0] == 0

    assert user("password", "ANN@example.test", *given)[0] == 0, "who is kept as configuration gets a first password"
    assert user("add", "--name", "Ann", "--email", "ann@example.test", *given)[0] == 1
    assert user("password", "ada@example.test", *given) == (
        1,
        "",
        "hub: There is no account with the address ada@example.test: hub user list shows all.\n",
    )
    assert [line.split() for line in user("list")[1].splitlines()] == [
        ["ann@example.test", "Ann", "agent", "agents.ann"],
        ["root@example.test", "Root", "admin"],
    ]

    assert user("change", "ann@example.test", "--role", "admin")[0] == 1, "the configuration would change it back"
    assert user("change", "ann@example.test")[0] == 2
    assert user("change", "ann@example.test", "--disable")[1] == "Ann cannot sign in any more.\n"
    assert "disabled" in user("list")[1]
    assert "disabled" in user("password", "ann@example.test", *given)[1]
    assert user("change", "root@example.test", "--name", "Ada", "--role", "agent") == (
        0,
        "Ada can sign in as agent.\n",
        "There is no admin who can sign in: hub user add --role admin makes one.\n",
    )
    assert user("sign-out", "root@example.test")[1] == "Ada is signed out everywhere.\n"


def refused(config: Path) -> str:
    """Start a hub that cannot start, in a process of its own, and return what it says."""
    command = [sys.executable, "-m", "hub", "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("place", ["data_dir", "database_url"])
def test_a_place_where_nothing_can_be_kept_is_named(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (config.parent / "file").write_text("")
    below = config.parent / "file" / "below"
    monkeypatch.setenv(f"HUB_{place.upper()}", str(below) if place == "data_dir" else f"sqlite:///{below}/hub.db")
    assert run("check-config", "--config", str(config)) == 2
    said = capsys.readouterr().err
    assert f"server.{place}" in said
    assert f"{config.parent / 'file'} is no folder." in said
    assert f"hub: cannot use {below}" in refused(config)


def test_a_missing_password_file_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--name", "Ada", "--email", "ada@example.test", "--password-file", "nowhere.txt"]
    assert run("user", "add", "--config", str(config), *words) == 1
    assert capsys.readouterr().err == "hub: cannot use nowhere.txt: No such file or directory.\n"


def test_a_port_that_is_taken_is_named_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("HUB_PORT", str(port))
        said = refused(config)
    assert f"hub: cannot listen on 127.0.0.1:{port}: Address already in use.\nIs another hub running?" in said


def test_a_database_of_a_newer_program_is_left_alone(config: Path) -> None:
    assert run("migrate", "--config", str(config)) == 0
    with sqlite3.connect(config.parent / "data" / "hub.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    assert "made by a newer Switchboard" in refused(config)


def test_migrating_twice_changes_nothing_the_second_time(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("migrate", "--config", str(config)) == 0
    assert run("migrate", "--config", str(config)) == 0
    assert capsys.readouterr().out.split("\n")[:2] == [
        f"The database is now at revision {HEAD}.",
        f"The database is at revision {HEAD}.",
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_running_hub_is_copied_whole_and_nothing_is_overwritten(desk: Desk, tmp_path: Path) -> None:
    from hub.storage.backup import backup

    await desk.chat(text="Keep me")
    url = desk.hub.settings.server.database_url.reveal()
    target = tmp_path / "copy.db"

    size = backup(url, target)

    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT text FROM messages WHERE author = 'customer'").fetchall() == [("Keep me",)]
    copy.close()
    assert size == target.stat().st_size
    with pytest.raises(Exception, match="never writes over"):
        backup(url, target)


def test_tools_say_so_when_there_is_no_database(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("routing", "explain", "i1", "--config", str(config)) == 1
    assert "There is no database" in capsys.readouterr().err


LINE = """
[channels.hotline]
kind = "voice"
queue = "support"
number = "{number}"
account_sid = "AC00000000000000000000000000000001"
auth_token = "{token}"
welcome = {{ {language} = "Welcome." }}
"""


def test_addresses_for_the_provider_are_printed(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINE_TOKEN", "very secret")
    monkeypatch.setenv("HUB_PUBLIC_URL", "https://support.example.com/")
    line = LINE.format(number="+12025550142", token="env:LINE_TOKEN", language="en")
    config.write_text(config.read_text() + line)
    assert run("check-config", "--config", str(config)) == 0
    printed = capsys.readouterr()
    base = "https://support.example.com/webhooks/hotline"
    for name, url in (("Voice URL", "call"), ("Fallback URL", "fallback"), ("Status callback URL", "status")):
        assert any(one.strip().startswith(name) and one.endswith(f"{base}/{url}") for one in printed.out.splitlines())
    assert "no browser can be an agent's phone" in printed.err
    assert "very secret" not in printed.out + printed.err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": "0202 555"}, "no telephone number in E.164"),
        ({"number": "+1 202 555 0142"}, "Write +12025550142"),
        ({"token": "plain"}, "A secret stands in the file itself"),
        ({"language": "fr"}, "which the line does not speak"),
    ],
)
def test_wrong_line_is_explained(
    config: Path,
    changes: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LINE_TOKEN", "very secret")
    values = {"number": "+12025550142", "token": "env:LINE_TOKEN", "language": "en"} | changes
    config.write_text(config.read_text() + LINE.format(**values))
    assert run("check-config", "--config", str(config)) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_mail_is_printed_as_json_whatever_the_terminal_is(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(mail("Größe 灯"))
    command = [sys.executable, "-m", "hub", "mail", "parse", str(path)]

    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=True)

    assert json.loads(done.stdout)["body_text"] == "Größe 灯"


def test_who_reads_no_further_ends_the_stream_of_mails_without_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(mail("Hello."))
    command = [sys.executable, "-m", "hub", "mail", "parse", "--stream"]

    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(f"{path}\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["body_text"] == "Hello."
        process.stdout.close()
        process.stdin.write(f"{path}\n".encode())
        process.stdin.close()
        assert process.stderr.read() == b""
