"""Queries that an index of some rows only serves must say which rows: no planner knows what an argument will be."""

import ast
import re
from pathlib import Path

from tests.meta.source import files, name_of, tree_of

PARTLY_INDEXED = re.compile(r"\b(provider_id|dedupe) = \$")
OF_A_VISITOR = (
    "WHERE channel = $1 AND address = $2 AND (provider_id = $3 OR ended_at IS NULL) ORDER BY created_at DESC LIMIT 5"
)
ANOTHER_INDEX = {
    ("hub/services/phone/calls.py", "WHERE provider_id = $1"): "recordings are indexed whole",
    ("hub/services/chats.py", OF_A_VISITOR): "one visitor's conversations",
}
"""File and query -> which index serves it instead."""


def queries(path: Path) -> list[str]:
    whole = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.JoinedStr | ast.Constant)]
    parts = {id(value) for node in whole if isinstance(node, ast.JoinedStr) for value in node.values}
    found = []
    for node in whole:
        if id(node) in parts:
            continue
        values = node.values if isinstance(node, ast.JoinedStr) else [node]
        found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in values))
    return found


def test_queries_name_the_rows_that_are_indexed() -> None:
    scanned = {
        (name_of(path), query)
        for path in files(".py", under=("hub",))
        for query in queries(path)
        for column in PARTLY_INDEXED.findall(query)
        if f"{column} <> ''" not in query
    }
    assert scanned == set(ANOTHER_INDEX)
