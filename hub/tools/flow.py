"""`hub flow check | draw | play | test`: is it sound, how does it look, what is it like, does it keep its word?"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.demo.config import company_file
from hub.demo.erp import Erp
from hub.flows.checking import Around, check
from hub.flows.dialogues import Talk, play_table
from hub.flows.drawing import mermaid, svg
from hub.flows.model import Finding, Flow, Medium, nearest
from hub.flows.session import (
    Begin,
    Fetch,
    HungUp,
    Input,
    LookedUp,
    Output,
    Said,
    Stepped,
    TimeUp,
    Wait,
    Wish,
)
from hub.flows.voice import Gather, HangUp, Record, Say, Stay, spoken
from hub.flows.writing import chat, mail, sms
from hub.likeness import load as load_likeness
from hub.outbound import problem_of
from hub.services.flows.files import read_folder, read_tables
from hub.services.flows.surroundings import surroundings
from hub.settings import Problem, Settings, SettingsError, load
from hub.tools.routing import policy_of, staff_of

BOLD, DIM, RED, GREEN, BLUE, PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[36m", "\033[0m"
_HELP: Final = "Type what the customer says; /silence, /hang up, /key 1, /path, /quit."


def main(argv: Sequence[str]) -> int:
    """Run one of the flow tools; returns the exit code, 1 when something is wrong with a flow, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="hub flow", description="Write, check and try self-service flows.")
    tools = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    checked = tools.add_parser("check", help="What is wrong with the flows, with file, line and hint.")
    checked.add_argument(
        "--config", type=Path, metavar="FILE", help="settings that know the queues (default: the demo's)"
    )
    checked.set_defaults(run=_check)
    drawn = tools.add_parser("draw", help="A picture of a flow: SVG, or Mermaid text.")
    drawn.add_argument("name", help="the flow's name")
    drawn.add_argument("--format", choices=["svg", "mermaid"], default="svg")
    drawn.add_argument("--output", type=Path, metavar="FILE", help="write it here (default: the terminal)")
    drawn.set_defaults(run=_draw)
    played = tools.add_parser(
        "play", help="Talk to a flow, as on a channel. Look-ups are answered by the demo's company."
    )
    played.add_argument("name", help="the flow's name")
    played.add_argument("--channel", choices=[str(medium) for medium in Medium], default="chat")
    played.add_argument("--language", default="en")
    played.set_defaults(run=_play)
    tested = tools.add_parser("test", help="Play the scripted dialogues that stand beside the flows.")
    tested.add_argument("names", nargs="*", metavar="NAME", help="flows (default: all)")
    tested.set_defaults(run=_test)
    for tool in (checked, drawn, played, tested):
        tool.add_argument("--flows", type=Path, metavar="FOLDER", help="the flows' folder (default: those shipped)")
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def shipped_folder() -> Path:
    """Return the folder of the flows that come with the hub."""
    return company_file().parent.parent / "flows"


def _folder(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.flows or shipped_folder()
    return folder


def around(settings: Settings) -> Around:
    """Return what flows live among by the settings: their queues and services, and the agents they name."""
    return surroundings(settings, policy_of(settings), staff_of(settings))


def findings_in(folder: Path, beside: Around) -> tuple[dict[str, Flow], list[Finding]]:
    """Return the flows of a folder and all that is wrong with them."""
    flows, findings = read_folder(folder)
    for flow in flows.values():
        findings += check(flow, flows, beside)
    return flows, findings


def flow_problems(settings: Settings) -> list[Problem]:
    """Return what is wrong with the settings' services and flows, and with sites that begin in a flow."""
    found = [
        Problem(where=f"services.{service.id}.url", text=text)
        for service in settings.services.values()
        if (text := problem_of(service))
    ]
    if settings.flows.embeddings is not None:
        try:
            load_likeness(settings.flows.embeddings)
        except SettingsError as error:
            found += error.problems
    named = _named(settings)
    if settings.flows.folder is None and not named:
        return found
    flows, findings = findings_in(settings.flows.folder or shipped_folder(), around(settings))
    found += [
        Problem(where=f"{one.file}:{one.line}", text=one.text, hint=one.hint, severity="warning") for one in findings
    ]
    found += [
        Problem(where=where, text=f"There is no flow {name!r}.", hint=nearest(name, flows))
        for where, name in named.items()
        if name not in flows
    ]
    return found


def _named(settings: Settings) -> dict[str, str]:
    """Return the flows that channels name, by where they do."""
    named: dict[str, str] = {}
    for channel in settings.channels.values():
        named[f"channels.{channel.id}.flow"] = str(channel.options.get("flow") or "")
        replies = channel.options.get("quick_replies")
        for reply in replies if isinstance(replies, list) else []:
            if isinstance(reply, dict):
                named[f"channels.{channel.id}.quick_replies.{reply.get('id')}.flow"] = str(reply.get("flow") or "")
    return {where: name for where, name in named.items() if name}


def _check(arguments: argparse.Namespace) -> int:
    settings = load(arguments.config or (None if os.environ.get("HUB_CONFIG") else company_file()), os.environ)
    flows, findings = findings_in(_folder(arguments), around(settings))
    for finding in findings:
        print(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    if not flows and not findings:
        print(f"There are no flows in {_folder(arguments)}.")
        return 1
    steps = sum(len(flow.steps) for flow in flows.values())
    print(f"{len(flows)} flows, {steps} steps: {errors} errors, {len(findings) - errors} warnings.")
    return 1 if errors else 0


def _flow(arguments: argparse.Namespace) -> tuple[dict[str, Flow], Flow | None]:
    flows, findings = read_folder(_folder(arguments))
    flow = flows.get(arguments.name)
    if flow is None:
        _no_flow(arguments.name, flows, findings)
    return flows, flow


def _no_flow(name: str, flows: dict[str, Flow], findings: Sequence[Finding]) -> int:
    for finding in findings:
        print(finding, file=sys.stderr)
    known = ", ".join(flows) or "none"
    print(f"hub: there is no flow {name!r}. There are: {known}.".replace(" ''", ""), file=sys.stderr)
    return 2


def _draw(arguments: argparse.Namespace) -> int:
    _, flow = _flow(arguments)
    if flow is None:
        return 2
    picture = svg(flow) if arguments.format == "svg" else mermaid(flow)
    if arguments.output is None:
        print(picture, end="")
        return 0
    try:
        arguments.output.write_text(picture, encoding="utf-8")
    except OSError as error:
        print(f"hub: {arguments.output} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"Drew {len(flow.steps)} steps to {arguments.output}.")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    flows, findings = read_folder(folder)
    unknown = [name for name in arguments.names or [""] if name not in flows and (name or not flows)]
    if unknown:
        return _no_flow(unknown[0], flows, findings)
    try:
        tables = read_tables(folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    failed = count = 0
    for path, table in tables:
        if arguments.names and table.flow not in arguments.names:
            continue
        if table.flow not in flows:
            print(f"{path}: there is no flow {table.flow!r}.", file=sys.stderr)
            return 1
        failures = play_table(table, flows)
        count += sum(len(d.channels or flows[table.flow].media) for d in table.dialogues) + len(table.intents)
        failed += len(failures)
        for failure in failures:
            print(f"{path.name}: {failure}")
    print(f"{count} dialogues and intents played, {failed} went another way.")
    return 1 if failed or not count else 0


def _play(arguments: argparse.Namespace) -> int:
    flows, flow = _flow(arguments)
    if flow is None:
        return 2
    if arguments.language not in flow.languages:
        known = ", ".join(flow.languages)
        print(f"hub: {flow.name} does not speak {arguments.language!r}. It speaks: {known}.", file=sys.stderr)
        return 2
    screen = Screen(colours=sys.stdout.isatty(), show=print)
    player = Player(flows, flow, Medium(arguments.channel), arguments.language, screen)
    screen.line(DIM, _HELP)
    player.begin()
    while not player.talk.session.is_over:
        try:
            typed = input("> ")
        except (EOFError, KeyboardInterrupt):
            typed = "/hang up"
        if typed.strip() == "/quit":
            return 0
        player.typed(typed.strip())
    return 0


class Screen:
    """Where a played flow is shown: in colours on a terminal, plain elsewhere."""

    def __init__(self, *, colours: bool, show: Callable[[str], None]) -> None:
        self._colours = colours
        self._show = show

    def line(self, colour: str, text: str) -> None:
        """Show one text."""
        self._show(f"{colour}{text}{PLAIN}" if self._colours else text)


class Player:
    """Plays a flow as it is on a channel, with what it costs in time beside it."""

    def __init__(self, flows: dict[str, Flow], flow: Flow, medium: Medium, language: str, screen: Screen) -> None:
        self.talk = Talk(flows, flow.name, medium, language, now=time.time_ns() // 1_000_000)
        self.talk.known = {"customer": {"name": "Alex", "is_known": True}}
        self.screen = screen
        self.erp = Erp()

    def begin(self) -> None:
        """Let the customer come."""
        self._put(Begin)

    def typed(self, text: str) -> None:
        """Do what was typed: a command, a key on the phone, or words."""
        if text == "/path":
            for visit in self.talk.session.path:
                self.screen.line(
                    DIM, f"  {visit.flow}/{visit.step} {visit.kind}: {visit.outcome} {visit.value or ''}".rstrip()
                )
        elif text == "/silence":
            self._put(lambda key: TimeUp(key, self.talk.session.timer))
        elif text == "/hang up":
            self._put(HungUp)
        elif text.startswith("/key "):
            self._put(lambda key: Said(id=key, digits=text.removeprefix("/key ").strip()))
        elif self.talk.session.medium is Medium.PHONE and text.strip("0123456789*#") == "" and text:
            self._put(lambda key: Said(id=key, digits=text.rstrip("#")))
        else:
            self._put(lambda key: Said(id=key, text=text))

    def _put(self, make: Callable[[str], Input]) -> None:
        started = time.perf_counter()
        stepped = self.talk.put(make)
        took_us = (time.perf_counter() - started) * 1e6
        self._show(stepped, took_us)
        fetch = next((wish for wish in stepped.wishes if isinstance(wish, Fetch)), None)
        if fetch is not None:
            found = self.erp.answer(fetch.method, fetch.path, datetime.fromtimestamp(self.talk.now / 1000, UTC))
            outcome = "not_found" if found is None else "found"
            self.screen.line(DIM, f"  {fetch.method} {fetch.service}{fetch.path}: {outcome}")
            self._put(lambda key: LookedUp(id=key, fetch=fetch.id, outcome=outcome, values=found))

    def _show(self, stepped: Stepped, took_us: float) -> None:
        for text in shown(stepped.outputs, self.talk.session.medium, self.talk.session.language):
            self.screen.line(BLUE, text)
        for mark in stepped.marks:
            facts = " ".join(f"{name}={value}" for name, value in mark.facts.items())
            self.screen.line(DIM, f"  {mark.kind} {mark.flow}/{mark.step} {facts}")
        for wish in stepped.wishes:
            if not isinstance(wish, Wait | Fetch):
                self.screen.line(GREEN, f"  -> {_wished(wish)}")
        self.screen.line(DIM, f"  {took_us:.0f} us")


def shown(outputs: Sequence[Output], medium: Medium, language: str) -> list[str]:
    """Return what a customer gets of outputs on a channel, one text each."""
    if medium is Medium.PHONE:
        return [line for verb in spoken(outputs, language) for line in _heard(verb)]
    if medium is Medium.SMS:
        return [f"{one.text}\n({one.segments} x {one.encoding})" for one in sms(outputs, language)]
    if medium is Medium.EMAIL:
        text = mail(outputs, language).listed
        return [text] if text else []
    lines = []
    for bubble in chat(outputs):
        lines.append(bubble.text)
        if bubble.choices:
            lines.append("  ".join(f"[{one.label}]" for one in bubble.choices))
    return lines


def _heard(verb: Say | Gather | Record | HangUp | Stay) -> list[str]:
    if isinstance(verb, Say):
        return [f"({verb.locale}) {verb.text}"]
    if isinstance(verb, Gather):
        wanted = f"{verb.digits} keys" if verb.digits else f"keys until {verb.end_key}" if verb.end_key else "no keys"
        return [*(f"({say.locale}) {say.text}" for say in verb.prompts), f"[listens {verb.timeout_s:g} s, {wanted}]"]
    if isinstance(verb, Record):
        return [*(say.text for say in verb.prompts), f"[records up to {verb.most_s:g} s]"]
    return ["[hangs up]" if isinstance(verb, HangUp) else "[stays on the line]"]


def _wished(wish: Wish) -> str:
    fields = {name: getattr(wish, name) for name in wish.__struct_fields__}
    return f"{type(wish).__name__} " + " ".join(f"{name}={value!r}" for name, value in fields.items() if value)
