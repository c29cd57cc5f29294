"""The reference says what the code takes: every kind of step, every key, every name, function and filter."""

import json
import re
from pathlib import Path

import pytest

from hub.flows.dialogues import Dialogue, Intent, Turn
from hub.flows.expressions import FUNCTIONS, SCOPE
from hub.flows.model import RESERVED, AnswerType, Medium
from hub.flows.reading import KINDS, TABLES, read_flow
from hub.flows.session import Outcome
from hub.flows.templates import FILTERS

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "flows.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### (\w+)\n(.*?)(?=^##|\Z)", REFERENCE))


def named(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)(?::[^`]*)?`", text))


def test_every_kind_of_step_has_its_page_and_no_other() -> None:
    assert set(SECTIONS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_step_is_explained(kind: str) -> None:
    assert set(KINDS[kind].fields) - named(SECTIONS[kind]) == set()


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_key_of_the_other_tables_is_explained(table: str) -> None:
    assert set(TABLES[table]) - named(REFERENCE) == set()


def test_names_functions_filters_and_types_are_explained() -> None:
    known = named(REFERENCE)
    words = {*SCOPE, *FUNCTIONS, *FILTERS, *AnswerType, *Medium, *RESERVED}
    assert {str(word) for word in words} - known == set()
    assert set(Dialogue.__struct_fields__) - known - {"name", "language", "by_agent", "turns"} == set()
    assert {*Turn.__struct_fields__, *Intent.__struct_fields__} - known - {"step", "text", "language"} == set()


def test_every_reason_to_lead_to_a_person_is_worded_for_agents() -> None:
    root = Path(__file__).parents[3]
    sources = "".join(path.read_text(encoding="utf-8") for path in (root / "hub" / "flows").glob("*.py"))
    reasons = {word for found in re.findall(r"hand_over\((.*)\)", sources) for word in re.findall(r'"(\w+)"', found)}
    assert {"asked", "no_flow", "too_many_steps"} <= reasons
    for language in ("en", "zh"):
        words = json.loads((root / f"agent_console/static/i18n/{language}.json").read_text(encoding="utf-8"))
        assert {f"path.{word}" for word in [*reasons, *Outcome]} - words.keys() == set()


def test_the_example_is_a_flow() -> None:
    example = re.findall(r"(?s)```yaml\n(flow: opening.*?)```", REFERENCE)[0]
    assert read_flow(example, "reference").steps.keys() == {"now", "open", "closed"}
