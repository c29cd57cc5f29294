"""The arrows of the design, checked: who may import whom, no circles, no work at import, no channel known by name."""

import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.meta.source import PACKAGES, ROOT, files, module_of, name_of

GENERIC = {"voice", "mail", "sms", "chat", "simulator"}
"""Modules in channels/ whose names are words of the domain too: kinds of work that any channel may bring."""
PROVIDERS = {"webchat", "twilio", "imap", "smtp", "whatsapp", "telegram"}

IMPORTER = r"""
import importlib, os, sys, threading
root, modules = sys.argv[1], sys.argv[2:]
WATCHED = ("open", "os.mkdir", "os.listdir", "os.scandir", "sqlite3.connect", "subprocess.Popen", "os.system",
           "os.fork", "_thread.start_new_thread", "socket.__new__", "socket.bind", "socket.connect",
           "socket.getaddrinfo")

def watch(event, arguments):
    if event not in WATCHED:
        return
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return  # somebody else's module being loaded, or ours: that is what imports are for
        if name.startswith(root) and "/.venv/" not in name:
            print(f"{os.path.relpath(name, root)}:{frame.f_lineno} does {event} {arguments[:1]!r} at import")
            return
        frame = frame.f_back

start = threading.Thread.start
threading.Thread.start = lambda self: (watch("_thread.start_new_thread", ()), start(self))[1]
sys.addaudithook(watch)
for module in modules:
    importlib.import_module(module)
print("imported", len(modules))
"""


def our_modules() -> list[str]:
    """Return all but the commands, and Alembic's files, which only Alembic can load."""
    paths = [path for path in files(".py") if path.name != "__main__.py" and "migrations" not in path.parts]
    return [module_of(path) for path in paths]


def test_nothing_is_opened_connected_or_started_at_import() -> None:
    modules = our_modules()
    done = subprocess.run(
        [sys.executable, "-c", IMPORTER, f"{ROOT}/", *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == f"imported {len(modules)}\n"


@pytest.mark.parametrize(
    "work",
    [
        "open(__file__)",
        "import pathlib; pathlib.Path(__file__).read_text()",
        "import sqlite3; sqlite3.connect(':memory:')",
        "import threading; threading.Thread(target=int).start()",
        "import socket; socket.socket()",
    ],
)
def test_work_at_import_is_noticed(tmp_path: Path, work: str) -> None:
    (tmp_path / "fine.py").write_text("import asyncio, html.parser, sqlite3\n")
    (tmp_path / "busy.py").write_text(f"{work}\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTER, f"{tmp_path}/", "fine", "busy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.match(r"busy\.py:1 does \S+ .* at import\n", done.stdout), done.stdout


def test_no_import_cycles_type_only_imports_counted() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False)
    arrows = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert circles(arrows) == []


def test_no_import_cycles_in_the_browsers_code() -> None:
    arrows = {
        path.as_posix(): {
            (path.parent / target).resolve().as_posix()
            for target in re.findall(r'^(?:import|export)\s[^;]*?from\s+"(\.[^"]+)"', path.read_text(), re.MULTILINE)
        }
        for path in files(".js")
    }
    assert arrows
    assert circles({name: {target for target in targets if target in arrows} for name, targets in arrows.items()}) == []


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected parts with more than one module (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []
    for start in sorted(arrows):
        work = [(start, iter(sorted(arrows[start])))] if start not in order else []
        while work:
            node, rest = work[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
            child = next((c for c in rest if c not in order or c in stack), None)
            if child is not None and child not in order:
                work.append((child, iter(sorted(arrows[child]))))
            elif child is not None:
                low[node] = min(low[node], order[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    part = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    found += [part] if len(part) > 1 else []
    return found


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_channels_do_not_know_one_another() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False)
    crossed = []
    for name in graph.modules:
        own = name.split(".")[1:2]
        for other in graph.find_modules_directly_imported_by(name):
            theirs = other.split(".")[1:2]
            is_among_channels = name.startswith("channels.") and other.startswith("channels.")
            if is_among_channels and own != theirs and not theirs[0].startswith("_"):
                crossed.append(f"{name} imports {other}")
    assert crossed == []


def test_contracts_of_the_layers_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed: .ci/bootstrap check")
    done = subprocess.run([str(linter)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_channel_is_known_by_name_outside_its_house() -> None:
    here = {path.stem if path.is_file() else path.name for path in (ROOT / "channels").iterdir()}
    names = ({name for name in here if not name.startswith(("_", "."))} | PROVIDERS) - GENERIC
    wanted = re.compile(rf"(?<![A-Za-z])({'|'.join(sorted(names))})(?![a-z])", re.IGNORECASE)
    said = [
        f"{name_of(path)}:{number} says {found[0]}"
        for path in files(".py", ".js", ".css", ".html", ".ts", under=("hub", "agent_console", "routing"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := wanted.search(line))
    ]
    assert said == []
