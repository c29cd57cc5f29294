"""The command line: `hub serve`, `hub demo` and the tools that people need at a terminal."""

import argparse
import asyncio
import contextlib
import gc
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hub import version
from hub.domain.errors import HubError
from hub.settings import Problem, Settings, SettingsError

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.logs import Log

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 for a failure that was explained, 2 for misuse."""
    argv = sys.argv[1:] if argv is None else argv
    tool = TOOLS.get((argv[0], argv[1])) if len(argv) > 1 else None
    try:
        if tool is not None:
            return tool(argv[2:])
        parser = _parser()
        arguments = parser.parse_args(argv)
        if arguments.version:
            print(f"Switchboard {version()}")
            return 0
        command: Command | None = getattr(arguments, "command", None)
        if command is None:
            parser.print_help()
            return 2
        return command(arguments)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except HubError as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"hub: cannot use {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hub", description="Switchboard: a self-hosted contact center.")
    parser.add_argument("--version", action="store_true", help="say which Switchboard this is")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML); also HUB_CONFIG")
        sub.set_defaults(command=command)
        return sub

    add("serve", _serve, "Run the hub.")
    demo = add("demo", _demo, "Run a living demo: a company, simulated visitors, one-click sign-in.")
    demo.add_argument("--visitors", type=float, metavar="N", help="simulated visitors a minute")
    demo.add_argument("--fresh", action="store_true", help="forget what the demo has kept")
    add("migrate", _migrate, "Bring the database up to date and stop.")
    add("check-config", _check_config, "Check the settings and say what is wrong with them.")
    backup = add("backup", _backup, "Copy the database of a running hub (SQLite) to a new file.")
    backup.add_argument("target", type=Path, metavar="FILE")
    mail = commands.add_parser("mail", help="Tools for e-mail.", description="Tools for e-mail.")
    mails = mail.add_subparsers(title="commands", metavar="COMMAND", required=True)
    mails.add_parser("parse", help="Say what the hub reads in a mail, as JSON.", add_help=False)
    routing = commands.add_parser("routing", help="Ask the routing engine.", description="Ask the routing engine.")
    tools = routing.add_subparsers(title="commands", metavar="COMMAND", required=True)
    tools.add_parser("explain", help="Why did it go to whom it went to?", add_help=False)
    tools.add_parser("replay", help="Play a recorded day again, under another policy.", add_help=False)
    tools.add_parser("simulate", help="Play a generated day under several policies.", add_help=False)
    flow = commands.add_parser("flow", help="Write, check and try flows.", description="Write, check and try flows.")
    flows = flow.add_subparsers(title="commands", metavar="COMMAND", required=True)
    flows.add_parser("check", help="What is wrong with the flows, with file, line and hint.", add_help=False)
    flows.add_parser("draw", help="A picture of a flow: SVG, or Mermaid text.", add_help=False)
    flows.add_parser("play", help="Talk to a flow, as on a channel.", add_help=False)
    flows.add_parser("test", help="Play the scripted dialogues that stand beside the flows.", add_help=False)
    user = commands.add_parser("user", help="Manage staff.", description="Manage staff.")
    users = user.add_subparsers(title="commands", metavar="COMMAND", required=True)
    users.add_parser("add", help="Add a member of staff.", add_help=False)
    users.add_parser("list", help="Who works here, and who can sign in.", add_help=False)
    users.add_parser("change", help="Change a name or a role, or let somebody in no more.", add_help=False)
    users.add_parser("password", help="Set somebody's password.", add_help=False)
    users.add_parser("sign-out", help="End all sessions of somebody.", add_help=False)
    return parser


def _settings(path: Path | None) -> Settings:
    from hub.settings import load

    return load(path, os.environ)


def _configure_log(settings: Settings) -> "Log":
    from hub import logs

    return logs.configure(form=settings.server.log_format, level=settings.server.log_level, stream=sys.stderr)


def _serve(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments.config)
    _refuse_errors(settings)
    log = _configure_log(settings)
    from hub.app import build

    hub = build(settings)
    hub.log = log
    return _run(hub, partial(_hint_first_admin, config=arguments.config))


def _demo(arguments: argparse.Namespace) -> int:
    from hub.demo import demo_settings, start_demo

    settings = demo_settings(arguments.config, os.environ, visitors=arguments.visitors, fresh=arguments.fresh)
    _refuse_errors(settings, is_demo=True)
    log = _configure_log(settings)
    from hub.app import build

    hub = build(settings, demo=True)
    hub.log = log
    return _run(hub, start_demo)


def spare_the_collector() -> None:
    """Tell Python's collector that what lives now lives long: by default it doubles the cost of a message."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)


def _run(hub: "Hub", then: "Callable[[Hub], object]") -> int:
    # A thread that commits must not wait 5 ms for the interpreter's lock each time it comes back from the disk.
    sys.setswitchinterval(0.0005)
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    return asyncio.run(_run_until_stopped(hub, then))


async def _run_until_stopped(hub: "Hub", then: "Callable[[Hub], object]") -> int:
    from aiohttp import web

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    server = hub.settings.server
    await hub.start()
    runner = web.AppRunner(
        hub.app,
        access_log=None,
        # The only deadline that aiohttp has for headers.
        keepalive_timeout=65,
        max_headers=64,
        lingering_time=5,
        shutdown_timeout=server.shutdown_s,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, server.host, server.port)
        try:
            await site.start()
        except OSError as error:
            # What asyncio says of it names the address again.
            why = os.strerror(error.errno) if error.errno else str(error)
            print(f"hub: cannot listen on {server.host}:{server.port}: {why}.", file=sys.stderr)
            print("Is another hub running? HUB_PORT or server.port chooses another port.", file=sys.stderr)
            return 1
        result = then(hub)
        if asyncio.iscoroutine(result):
            await result
        print(f"Switchboard is ready at {server.public_url}", flush=True)
        spare_the_collector()
        await stopped.wait()
        print("Switchboard is stopping.", flush=True)
        await site.stop()
    finally:
        await hub.stop()
        await runner.cleanup()
    return 0


async def _hint_first_admin(hub: "Hub", *, config: Path | None) -> None:
    if not await hub.services.accounts.has_admin():
        own = f" --config {shlex.quote(str(config))}" if config else ""
        add = f'hub user add{own} --role admin --name "Your Name" --email you@example.com'
        print(f"No admin yet. Make one: {add}", flush=True)


def _with_policy(settings: Settings, problems: list[Problem]) -> list[Problem]:
    """Return the problems and, unless they are errors, what else routing finds wrong with the policy they make."""
    from hub.tools.routing import policy_problems

    if any(problem.severity == "error" for problem in problems):
        return problems
    known = {problem.where for problem in problems}
    return [*problems, *(problem for problem in policy_problems(settings) if problem.where not in known)]


def _refuse_errors(settings: Settings, *, is_demo: bool = False) -> None:
    from hub.settings import validate

    problems = _with_policy(settings, validate(settings, is_demo=is_demo))
    for problem in problems:
        if problem.severity == "warning":
            print(problem, file=sys.stderr)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise SettingsError(errors)


def _migrate(arguments: argparse.Namespace) -> int:
    from hub.storage.migrations import HEAD, migrate

    settings = _settings(arguments.config)
    changed = asyncio.run(migrate(settings.server.database_url.reveal()))
    print(f"The database is {'now ' if changed else ''}at revision {HEAD}.")
    return 0


def _check_config(arguments: argparse.Namespace) -> int:
    from hub.app import check_channels, data_folder_problems
    from hub.settings import validate
    from hub.tools.flow import flow_problems

    settings = _settings(arguments.config)
    channels = check_channels(settings)
    problems = _with_policy(settings, [*validate(settings), *channels.problems])
    if not any(problem.severity == "error" for problem in problems):
        problems += flow_problems(settings)
        problems += asyncio.run(data_folder_problems(settings))
    for problem in problems:
        print(problem, file=sys.stderr)
    if any(problem.severity == "error" for problem in problems):
        return 2
    found = f"{len(settings.queues)} queues, {len(settings.agents)} agents, {len(settings.channels)} channels"
    print(f"The settings are sound: {found}.")
    for channel, addresses in channels.addresses.items():
        print(f"\nEnter at the provider of {channel} (POST):")
        for name, url in addresses.items():
            print(f"  {name}: {url}")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from hub.storage.backup import backup

    settings = _settings(arguments.config)
    size = backup(settings.server.database_url.reveal(), arguments.target)
    print(f"Copied {size:,} bytes to {arguments.target}.")
    return 0


def _mail_parse(rest: Sequence[str]) -> int:
    from channels.mail.tool import main as parse_mail

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is UTF-8, whatever the terminal is
    try:
        return parse_mail(rest, sys.stdin.buffer, sys.stdout)
    except BrokenPipeError:
        # Whoever read has seen enough; what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def _routing(tool: str) -> Callable[[Sequence[str]], int]:
    def run(rest: Sequence[str]) -> int:
        from hub.tools.routing import main as ask_routing

        return ask_routing([tool, *rest])

    return run


def _flow(name: str) -> Callable[[Sequence[str]], int]:
    def run(rest: Sequence[str]) -> int:
        from hub.tools.flow import main as run_tool

        return run_tool([name, *rest])

    return run


def _user(name: str) -> Callable[[Sequence[str]], int]:
    def run(rest: Sequence[str]) -> int:
        from hub.tools.user import main as run_tool

        return run_tool([name, *rest])

    return run


TOOLS: Mapping[tuple[str, str], Callable[[Sequence[str]], int]] = {
    ("mail", "parse"): _mail_parse,
    ("routing", "explain"): _routing("explain"),
    ("routing", "replay"): _routing("replay"),
    ("routing", "simulate"): _routing("simulate"),
    ("flow", "check"): _flow("check"),
    ("flow", "draw"): _flow("draw"),
    ("flow", "play"): _flow("play"),
    ("flow", "test"): _flow("test"),
    ("user", "add"): _user("add"),
    ("user", "list"): _user("list"),
    ("user", "change"): _user("change"),
    ("user", "password"): _user("password"),
    ("user", "sign-out"): _user("sign-out"),
}
"""Tools that read their own arguments."""


if __name__ == "__main__":
    sys.exit(main())
