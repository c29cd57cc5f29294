"""The project's own files, as the meta tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("hub", "channels", "agent_console", "routing")
DATA: Final = ("hub/_data", "node_modules", "vendor", "/payloads/")
"""Parts of paths that hold nothing we wrote as code."""


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file that git keeps or would keep; all files when this is no git clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        paths = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    else:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return tuple(sorted(path for path in paths if path.is_file()))


def files(*suffixes: str, under: tuple[str, ...] = PACKAGES) -> Iterator[Path]:
    """Yield our files with these endings in these top-level folders."""
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        is_wanted = path.suffix in suffixes and name.startswith(tuple(f"{folder}/" for folder in under))
        if is_wanted and not any(part in f"/{name}" for part in DATA):
            yield path


def name_of(path: Path) -> str:
    """Return a path as it is written in lists of exceptions: from the top, with slashes."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """Return the dotted name of a Python file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))
