"""Small rooms: limits on functions, files, browser modules and constructors, with exceptions that may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.meta.source import PACKAGES, files, name_of, tree_of

SHARE = 0.95
FUNCTION = (45, 80)
FILE = (500, 800)
BROWSER_MODULE = 250
COLLABORATORS = 5

PLAIN = {"str", "int", "float", "bool", "bytes", "None", "Path", "Secret", "Instant", "datetime", "timedelta", "Any"}
"""Types of values, which are not collaborators."""

LARGE_CONSTRUCTORS: dict[str, int] = {}
"""`file:Class` -> collaborators. Only ever take lines away or make numbers smaller."""
LARGE_BROWSER_MODULES: dict[str, int] = {}
"""file -> lines. Only ever take lines away or make numbers smaller."""

EVERYWHERE = (*PACKAGES, "tests")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            yield f"{name_of(path)}:{node.lineno} {node.name}", node.end_lineno - first + 1


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def check(sizes: dict[str, int], usual: int, most: int) -> None:
    assert {name: size for name, size in sizes.items() if size > most} == {}
    over = {name: size for name, size in sizes.items() if size > usual}
    assert len(over) <= (1 - SHARE) * len(sizes), over


def test_functions_are_short() -> None:
    check(dict(found for path in files(".py", under=EVERYWHERE) for found in functions(path)), *FUNCTION)


def test_files_are_short() -> None:
    check({name_of(path): lines_of(path) for path in files(".py", under=EVERYWHERE)}, *FILE)


def test_browser_modules_are_short() -> None:
    sizes = {name_of(path): lines_of(path) for path in files(".js", ".mjs")}
    assert {name: size for name, size in sizes.items() if size > BROWSER_MODULE} == LARGE_BROWSER_MODULES


def test_constructors_take_few_collaborators() -> None:
    sizes = {
        f"{name_of(path)}:{cls.name}": count
        for path in files(".py")
        for cls in ast.walk(tree_of(path))
        if isinstance(cls, ast.ClassDef) and (count := collaborators(cls)) > COLLABORATORS
    }
    assert sizes == LARGE_CONSTRUCTORS


def collaborators(cls: ast.ClassDef) -> int:
    """Count the constructor's parameters that are objects with behaviour, by their annotations."""
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            parameters = [*node.args.args[1:], *node.args.kwonlyargs]
            return sum(not is_plain(parameter.annotation) for parameter in parameters)
    return 0


def is_plain(annotation: ast.expr | None) -> bool:
    """Whether a type is made of values only: `str`, `int | None`, `tuple[str, ...]`, `Mapping[str, float]`."""
    if annotation is None:
        return False
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    return names <= PLAIN | {"tuple", "list", "dict", "set", "frozenset", "Mapping", "Sequence", "Literal"}


def test_collaborators_are_told_from_values() -> None:
    cls = ast.parse(
        "class A:\n def __init__(self, s: Store, n: str, *, i: int | None, c: Clock, t: tuple[str]): ..."
    ).body[0]
    assert isinstance(cls, ast.ClassDef)
    assert collaborators(cls) == 2
