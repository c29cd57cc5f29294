"""Flows as they are written: what is wrong is told with its line and the nearest right word."""

import pytest

from hub.flows.model import Ask, Branch, FlowError, LookUp, Say
from hub.flows.reading import KINDS, read_flow
from hub.flows.sources import MAX_BYTES, SourceError, read
from tests.unit.flows.talk import HEAD, MENU


def wrong(steps: str, head: str = HEAD) -> list[tuple[int, str, str]]:
    with pytest.raises(FlowError) as caught:
        read_flow(head + steps, "shop.yaml")
    lines = len(head.splitlines())
    return [(finding.line - lines, finding.text, finding.hint) for finding in caught.value.findings]


def test_a_flow_is_read_with_its_steps_in_order() -> None:
    flow = read_flow(MENU, "shop.yaml")
    assert (flow.name, flow.languages, flow.start) == ("shop", ("en", "zh"), "menu")
    assert list(flow.steps) == ["menu", "number", "find", "told", "shipped", "bill"]
    assert [type(flow.steps[name]) for name in ("menu", "find", "told")] == [Ask, LookUp, Branch]
    assert (flow.steps["number"].then, flow.steps["find"].then) == ("find", "told")
    assert flow.steps["number"].line == MENU.splitlines().index("  number:") + 1
    assert (flow.answers(), flow.results()) == (["topic", "order"], ["order"])


def test_the_version_follows_the_text() -> None:
    assert read_flow(MENU, "a").version == read_flow(MENU, "b").version
    assert read_flow(MENU, "a").version != read_flow(MENU + "\n# changed\n", "a").version


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    found = wrong(
        """  a: {say: Hello, thn: b}
  b: {sey: Hello}
  c: {ask: Order, type: chioce, text: "?"}
  d: {look_up: order, service: erp}
  person: {say: Hello}
""".replace('"?"', "x")
    )
    assert found == [
        (1, "There is no key 'thn' here.", "Did you mean 'then'?"),
        (2, "The step 'b' is of no known kind.", "Did you mean 'set'?"),
        (3, "'Order' is not a name (small letters, digits, _).", ""),
        (
            3,
            "'chioce' is not one of choice, text, number, date, amount, phone, email, pattern, yes_no.",
            "Did you mean 'choice'?",
        ),
        (4, "The key 'path' is missing here.", ""),
        (5, "'person' cannot be a step's name.", "Small letters, digits and _; not person, end, back."),
    ]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ("  a: {say: {fr: Bonjour}}\n", "The flow is not written in 'fr'."),
        ("  a: {say: {en: {fax: Hello}}}\n", "There is no channel 'fax'."),
        ("  a: {ask: x, type: choice, text: Which}\n", "Choices stand with the type `choice`, and only there."),
        ("  a: {ask: x, type: pattern, text: Which}\n", "A pattern stands with the type `pattern`, and only there."),
        ("  a: {ask: x, type: number, text: Which, tries: 99}\n", "A number from 1 to 9 is wanted here."),
        ("  a: {branch: []}\n", "A list of cases is wanted here."),
        ("  a: {hand_back: yes}\n", "true or false is wanted here."),
        ("  a: [1, 2]\n", "A table (key: value) is wanted here."),
    ],
)
def test_what_does_not_fit_is_told(steps: str, text: str) -> None:
    assert wrong(steps)[0][:2] == (1, text)


@pytest.mark.parametrize(
    "path", ["http://evil.example/", "/../admin", "//evil.example", "/a b", "/a?b={{ answers.x }}", "/a\\b"]
)
def test_a_look_up_goes_where_the_settings_say(path: str) -> None:
    found = wrong(f"  a: {{look_up: x, service: erp, path: '{path}'}}\n")
    assert found == [(1, f"{path!r} is not a path (/orders/{{{{ answers.order }}}}).", "")]


def test_a_word_is_a_word_and_not_its_meaning_in_yaml() -> None:
    step = read_flow(HEAD + "  a: {say: no}\n", "a").steps["a"]
    assert isinstance(step, Say)
    assert step.text.texts == {"en": {"": "no"}}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: &x {b: *x}", 1, "Anchors and aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [echo]", 2, "Tags (!)"),
        ("a: 1\na: 2", 2, "The key 'a' stands twice."),
        ("a: {b: 1", 1, "This is not YAML"),
        ("\n".join(" " * n + "a:" for n in range(40)), 21, "nested deeper"),
        ("[" * 100_000, 1, "nested deeper"),
        ("a" * (MAX_BYTES + 1), 1, "larger than"),
        ("", 1, "The file is empty."),
        ("? [a]\n: 1", 1, "A key is a plain word."),
    ],
)
def test_traps_of_yaml_are_refused(text: str, line: int, said: str) -> None:
    with pytest.raises(SourceError, match=said.replace("(", r"\(").replace(")", r"\)")) as caught:
        read(text)
    assert caught.value.line == line


def test_every_kind_is_named_by_its_first_key() -> None:
    assert {kind: next(iter(fields)) for kind, (_, fields) in KINDS.items()} == {kind: kind for kind in KINDS}
