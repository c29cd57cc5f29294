"""Documents that break the build: every setting, error code and event stands where people look for it."""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from channels.mail.channel import Mail
from hub.domain import errors
from hub.domain.errors import HubError
from hub.settings import ChannelSettings, Settings, floor, load, sections, validate
from tests.meta.source import ROOT, files, name_of, tree_of

EXAMPLE = ROOT / "config" / "hub.example.toml"
PROTOCOLS = (ROOT / "docs" / "reference" / "protocols.md").read_text(encoding="utf-8")
KEYED = "*"

SPOKEN = {
    "agent_console": PROTOCOLS.partition("## 2.")[2].partition("## 3.")[0],
    "channels": PROTOCOLS.partition("## 1.")[2].partition("## 2.")[0],
}


def struct_in(wanted: object) -> tuple[type[msgspec.Struct] | None, bool]:
    """Return the struct in a field's type, and whether it is one of several kept by id."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return wanted, False
    for part in get_args(wanted):
        found, _ = struct_in(part)
        if found is not None:
            return found, get_args(wanted)[:1] == (str,)
    return None, False


def keys_of(cls: type[msgspec.Struct], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every key a configuration file may hold, ids written as *."""
    for field in msgspec.structs.fields(cls):
        if field.name == "id" and not field.required:
            continue
        inner, is_keyed = struct_in(field.type)
        here = (*place, field.name)
        if inner is ChannelSettings:
            yield (*here, KEYED, "kind")
        elif inner is not None:
            yield from keys_of(inner, (*here, KEYED) if is_keyed else here)
        else:
            yield here


def keys_in(table: Any, cls: type[msgspec.Struct], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every key that a file holds, in the same spelling."""
    known = {field.name: field for field in msgspec.structs.fields(cls)}
    for name, value in table.items():
        inner, is_keyed = struct_in(known[name].type) if name in known else (None, False)
        here = (*place, name)
        if inner is ChannelSettings:
            yield (*here, KEYED, "kind")
        elif inner is None:
            yield here
        else:
            for item in value.values() if is_keyed else value if isinstance(value, list) else [value]:
                yield from keys_in(item, inner, (*here, KEYED) if is_keyed else here)


def uncommented(text: str) -> str:
    """Return the example with its commented settings switched on."""
    return re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text)


def test_example_holds_every_setting_and_no_other() -> None:
    table = tomllib.loads(uncommented(EXAMPLE.read_text(encoding="utf-8")))
    wanted = set(keys_of(Settings))
    held = set(keys_in(table, Settings))
    assert {".".join(key) for key in wanted - held} == set(), "missing in config/hub.example.toml"
    assert {".".join(key) for key in held - wanted} == set(), "not known to hub/settings"


def test_example_shows_the_defaults() -> None:
    example, default = load(EXAMPLE, {}), Settings()
    for name in (
        "server",
        "company",
        "offers",
        "handling",
        "presence",
        "capacity",
        "kinds",
        "sign_in",
        "limits",
        "demo",
    ):
        assert getattr(example, name) == getattr(default, name), name
    assert [problem for problem in validate(example) if problem.severity == "error"] == []


def test_example_says_what_each_setting_does() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    technical = lines[: lines.index("[hours.office]")]
    silent = [
        line
        for before, line in pairwise(technical)
        if re.match(r"(# )?[a-z_]+ = ", line) and not before.startswith("#") and not is_repeated(technical, line)
    ]
    assert silent == []


def test_example_shows_every_key_of_a_mailbox_with_its_default() -> None:
    table = tomllib.loads(uncommented(EXAMPLE.read_text(encoding="utf-8")))
    (block,) = [one for one in table["channels"].values() if one["kind"] == Mail.kind]
    parameters = {
        name: one.default for name, one in inspect.signature(Mail).parameters.items() if name not in {"id", "kind"}
    }
    assert set(block) - {"kind"} == set(parameters)
    shown = {name for name, default in parameters.items() if default not in (inspect.Parameter.empty, None)}
    for name in shown:
        default = list(parameters[name]) if isinstance(parameters[name], tuple) else parameters[name]
        assert block[name] == default, name


def is_repeated(lines: list[str], line: str) -> bool:
    """Whether the key was explained further up, as for the second channel kind."""
    key = line.removeprefix("# ").partition(" ")[0]
    return sum(other.removeprefix("# ").startswith(f"{key} = ") for other in lines) > 1


def test_demo_company_is_sound() -> None:
    settings = load(ROOT / "config" / "demo" / "hub.toml", {})
    assert validate(settings) == []
    assert set(settings.company.languages) == {"en", "zh"}


@pytest.mark.parametrize("module", [sections, floor])
def test_settings_say_what_they_do(module: Any) -> None:
    tree = tree_of(Path(module.__file__))
    silent = []
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        assert ast.get_docstring(cls), cls.name
        for here, after in zip(cls.body, [*cls.body[1:], None], strict=True):
            is_told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if module is sections and isinstance(here, ast.AnnAssign) and not is_told:
                silent.append(f"{cls.name}.{ast.unparse(here.target)}")
    assert silent == []


def test_every_error_code_is_documented() -> None:
    codes = {cls.code for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, HubError)}
    listed = PROTOCOLS.partition("Error codes:")[2].partition("\n\n")[0]
    assert codes - set(re.findall(r"`(\w+)`", listed)) == set()


@pytest.mark.parametrize("package", sorted(SPOKEN))
def test_every_event_on_the_wire_is_documented(package: str) -> None:
    known = set(re.findall(r"`([a-z_]+)`", SPOKEN[package]))
    said = {name: where for path in files(".py", under=(package,)) for name, where in events_of(path)}
    assert {name: where for name, where in said.items() if name not in known} == {}


def events_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the event names in a file: keys of the table given to a namespace, and what is emitted."""
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in {"emit", "send_event"} and node.args:
            names = [node.args[0]]
        elif called == "event_table" and node.args and isinstance(node.args[0], ast.Dict):
            names = [key for key in node.args[0].keys if key is not None]
        else:
            continue
        for name in names:
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, f"{name_of(path)}:{name.lineno}"
