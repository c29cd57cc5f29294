"""What may lie in the repository: no machine's paths, no secrets, no hosts in pins, nothing nobody asked for."""

import json
import re
import tomllib

from tests.meta.source import ROOT, files, name_of, tracked
from tests.meta.vendored import mismatches

TOP = {
    *("hub", "channels", "agent_console", "routing", "templates", "tests", "config", "docs", ".ci"),
    *("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "LICENSE", "constraints.txt", ".gitignore"),
    *(".gitattributes", ".editorconfig", ".dockerignore", "Dockerfile"),
}
TEXT = {
    ".py",
    ".js",
    ".mjs",
    ".ts",
    ".css",
    ".html",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".yaml",
    ".yml",
    ".svg",
    ".sh",
    "",
}
MACHINE = re.compile(r"(?<![\w.])/(?:root|home/[a-z]\w*|Users/[A-Za-z]\w*|work/(?:main|shared|\.library))/")
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    "a cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a forge token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "a chat token": re.compile(r"\bxox[abprs]-[0-9]{10,}-[A-Za-z0-9-]{10,}"),
    "a telephony key": re.compile(r"\bSK(?!(?P<same>[0-9a-f])(?P=same){31})[0-9a-f]{32}\b"),
}
LARGEST = 1_500_000


def texts() -> list[tuple[str, str]]:
    return [
        (name_of(path), path.read_text(encoding="utf-8", errors="replace"))
        for path in tracked()
        if path.suffix in TEXT and "vendor/" not in name_of(path)
    ]


def test_top_level_holds_what_the_design_says() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} - TOP == set()


def test_pins_are_versions_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[\w.+!]+( ; .+)?", line)] == []
    assert not (ROOT / "uv.lock").exists()
    lock = json.loads((ROOT / "tests" / "browser" / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[\[<>=~!; ]", one)[0].lower() for one in asked}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert names - set(re.findall(r"(?m)^([a-z0-9.-]+)==", pins)) == set()


def test_no_machine_paths_and_no_secrets() -> None:
    found = []
    for name, text in texts():
        found += [f"{name}: {hit[0]}" for hit in MACHINE.finditer(text)]
        found += [f"{name}: {what}" for what, pattern in SECRETS.items() if pattern.search(text)]
    assert found == []


def test_no_large_files() -> None:
    assert {name_of(path): size for path in tracked() if (size := path.stat().st_size) > LARGEST} == {}


def test_browser_libraries_are_the_listed_ones() -> None:
    assert mismatches() == []


def test_nothing_is_left_to_do_later() -> None:
    marks = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    left = [
        f"{name_of(path)}:{number}"
        for path in files(
            ".py", ".js", ".css", ".html", under=("hub", "channels", "agent_console", "routing", "templates")
        )
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert left == []
