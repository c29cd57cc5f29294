"""Snapshot + frames = fresh snapshot for every service call: none can be added that no watched test makes.

Hubs of integration and console tests are watched (`tests.unit.console.browsers.watched`): in the end every browser
shows what is stored. Here is made sure that these tests make every call that writes.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Final, get_args, get_type_hints

from hub.app import Services
from tests.meta.source import files, tree_of

WRITES: Final = frozenset({"write", "write_aside", "submit"})
WATCHED: Final = ("tests/integration", "tests/unit/console")
REACHED: Final[dict[str, str]] = {
    "arrivals.refuse": "webhooks that cannot be proved",
    "callbacks.due": "a timer",
    "calls.call_again": "a timer",
    "calls.compared": "the line to the carrier",
    "calls.happened": "the line to the carrier",
    "calls.message_taken": "the line to the carrier",
    "calls.message_was_silent": "the line to the carrier",
    "calls.recording_kept": "the line to the carrier",
    "calls.recording_removed": "the line to the carrier",
    "chats.after_restart": "the start of the hub",
    "chats.identify": "visitors whose site vouches for them",
    "handling.wrap_up_ended": "a timer",
    "offers.expire": "a timer",
    "presence.after_restart": "the start of the hub",
    "presence.lost": "a timer",
    "presence.retire": "the housekeeper",
    "self_service.time_up": "a timer",
}
"""Calls that no test makes by name, and what makes them in watched tests."""


def services() -> Iterator[tuple[str, type]]:
    """Yield every service by the name it has in `Services`."""
    for name, hint in get_type_hints(Services).items():
        kinds = [kind for kind in get_args(hint) or (hint,) if inspect.isclass(kind)]
        yield from ((name, kind) for kind in kinds if kind.__module__.startswith("hub.services"))


def writing(service: type) -> set[str]:
    """Return the public methods of a service that write, by themselves or by another of its methods."""
    own: dict[str, set[str]] = {}
    writes: set[str] = set()
    for each in service.__mro__[:-1]:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        for node in ast.iter_child_nodes(body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in own:
                own[node.name] = {one.attr for one in attributes(node) if ast.unparse(one.value) == "self"}
                writes |= {node.name for one in attributes(node) if one.attr in WRITES}
    while more := {name for name, calls in own.items() if calls & writes} - writes:
        writes |= more
    return {name for name in writes if not name.startswith("_")}


def attributes(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield everything of the form `something.name`: what is called, or handed on to be called."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def test_every_call_that_writes_is_made_in_a_watched_test() -> None:
    made = {one.attr for path in files(".py", under=WATCHED) for one in attributes(tree_of(path))}
    calls = {f"{name}.{call}": call for name, service in services() for call in writing(service)}
    assert {name for name, call in calls.items() if call not in made} - set(REACHED) == set()
    assert set(REACHED) - set(calls) == set(), "these are no more"


def test_calls_that_write_are_recognised() -> None:
    by_name = dict(services())
    assert len(by_name) >= 30
    assert {"accept", "make", "reject", "expire"} == writing(by_name["offers"]) - {"fence"}
    assert writing(by_name["search"]) == writing(by_name["timeline"]) == set()
