"""`hub user add | list | change | password | sign-out`: who works here, at a terminal, whether a hub runs or not.

A running hub notices within a minute: it asks the database whether the sessions it serves still stand.
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hub.clock import SystemClock, iso
from hub.domain.accounts import MAX_PASSWORD, MIN_PASSWORD
from hub.domain.agent import Agent, Role
from hub.domain.errors import BadRequest, NotFound
from hub.services.accounts import Accounts
from hub.settings import Settings, load
from hub.storage.migrations import migrate
from hub.storage.opening import opened

T = TypeVar("T")
Work = Callable[[Accounts], Awaitable[T]]
_ROLES = [str(role) for role in Role]


def main(argv: Sequence[str]) -> int:
    """Run one of the tools for staff; returns the exit code, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="hub user", description="Manage staff.")
    tools = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def tool(
        name: str, work: Callable[[Settings, argparse.Namespace], int], text: str, *, of_one: bool = True
    ) -> argparse.ArgumentParser:
        sub = tools.add_parser(name, help=text, description=text)
        sub.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML); also HUB_CONFIG")
        if of_one:
            sub.add_argument("email", metavar="EMAIL", help="whose account")
        sub.set_defaults(work=work)
        return sub

    new = tool("add", _add, "Add a member of staff.", of_one=False)
    new.add_argument("--name", required=True)
    new.add_argument("--email", required=True)
    new.add_argument("--role", choices=_ROLES, default="agent")
    tool("list", _list, "Who works here, and who can sign in.", of_one=False)
    change = tool("change", _change, "Change a name or a role (which signs them out), or let them in no more.")
    change.add_argument("--name")
    change.add_argument("--role", choices=_ROLES)
    active = change.add_mutually_exclusive_group()
    active.add_argument(
        "--disable", dest="is_active", action="store_false", default=None, help="no sign-in any more; their past stays"
    )
    active.add_argument("--enable", dest="is_active", action="store_true", default=None, help="let them in again")
    password = tool("password", _password, "Set somebody's password, also the first of who is kept as configuration.")
    for sub in (new, password):
        sub.add_argument(
            "--password-file", type=Path, metavar="FILE", help="read the password from a file; else it is asked for"
        )
    tool("sign-out", _sign_out, "End all sessions of somebody.")
    arguments = parser.parse_args(argv)
    work: Callable[[Settings, argparse.Namespace], int] = arguments.work
    return work(load(arguments.config, os.environ), arguments)


def _add(settings: Settings, arguments: argparse.Namespace) -> int:
    password = _asked(arguments.password_file)
    if password is None:
        return 2

    async def add(accounts: Accounts) -> None:
        await accounts.create(name=arguments.name, email=arguments.email, role=Role(arguments.role), password=password)

    _run(settings, add)
    print(f"{arguments.name} can sign in as {arguments.role} at {settings.server.public_url}.")
    return 0


def _list(settings: Settings, _: argparse.Namespace) -> int:
    everybody = _run(settings, Accounts.everybody)
    held = {one.agent.id for one in everybody}
    rows = [
        (
            one.agent.email,
            one.agent.name,
            str(one.agent.role),
            "disabled" if not one.agent.is_active else "" if one.has_password else "no password",
            f"last seen {iso(one.seen_at)[:10]}" if one.seen_at else "",
            f"agents.{one.agent.id}" if one.agent.id in settings.agents else "",
        )
        for one in everybody
    ]
    rows += [
        (one.email, one.name, one.role, "no password", "", f"agents.{agent_id}")
        for agent_id, one in settings.agents.items()
        if agent_id not in held
    ]
    if not rows:
        print("Nobody works here yet.")
        return 0
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in sorted(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _change(settings: Settings, arguments: argparse.Namespace) -> int:
    wanted = {
        "name": arguments.name,
        "role": Role(arguments.role) if arguments.role else None,
        "is_active": arguments.is_active,
    }
    if all(value is None for value in wanted.values()):
        print("hub user change: say what to change: --name, --role, --disable or --enable.", file=sys.stderr)
        return 2

    async def change(accounts: Accounts) -> tuple[Agent, bool]:
        agent = await _named(accounts, settings, arguments.email)
        if agent.id in settings.agents and (arguments.name or arguments.role):
            raise BadRequest(f"Name and role of {agent.email} are kept as configuration: agents.{agent.id}.")
        return await accounts.update(agent.id, **wanted), await accounts.has_admin()

    agent, has_admin = _run(settings, change)
    can = f"can sign in as {agent.role}" if agent.is_active else "cannot sign in any more"
    print(f"{agent.name} {can}.")
    if not has_admin:
        print("There is no admin who can sign in: hub user add --role admin makes one.", file=sys.stderr)
    return 0


def _password(settings: Settings, arguments: argparse.Namespace) -> int:
    async def find(accounts: Accounts) -> Agent:
        return await _named(accounts, settings, arguments.email)

    # Nobody should type a password twice for an address that has no account.
    agent = _run(settings, find)
    password = _asked(arguments.password_file)
    if password is None:
        return 2

    async def set_it(accounts: Accounts) -> None:
        await accounts.set_password(agent.id, password)

    _run(settings, set_it)
    print(f"{agent.name} has a new password, and is signed out everywhere.")
    if not agent.is_active:
        print("The account is disabled: hub user change --enable lets them in again.")
    return 0


def _sign_out(settings: Settings, arguments: argparse.Namespace) -> int:
    async def end(accounts: Accounts) -> Agent:
        agent = await _named(accounts, settings, arguments.email)
        await accounts.revoke_all(agent.id)
        return agent

    print(f"{_run(settings, end).name} is signed out everywhere.")
    return 0


def _asked(file: Path | None) -> str | None:
    """Return the password of the file, or what is typed twice; None when it was not the same."""
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\n")
    password = getpass.getpass(f"Password ({MIN_PASSWORD} to {MAX_PASSWORD} characters): ")
    if getpass.getpass("Again: ") == password:
        return password
    print("hub: the two passwords differ.", file=sys.stderr)
    return None


async def _named(accounts: Accounts, settings: Settings, email: str) -> Agent:
    """Return the account with this address; one of the configuration is made now, should no hub have begun with it."""
    found = await accounts.find(email)
    if found is None:
        wanted = {name: one for name, one in settings.agents.items() if one.email.lower() == email.lower()}
        await accounts.sync_configured(wanted)
        found = await accounts.find(email) if wanted else None
    if found is None:
        raise NotFound(f"There is no account with the address {email}: hub user list shows all.")
    return found


def _run(settings: Settings, work: Work[T]) -> T:
    async def run() -> T:
        url = settings.server.database_url.reveal()
        await migrate(url)
        clock = SystemClock()
        async with opened(url, clock) as store:
            accounts = Accounts(store, settings, clock)
            try:
                return await work(accounts)
            finally:
                accounts.close()

    return asyncio.run(run())
