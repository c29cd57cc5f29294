"""Expressions and templates: only known names, bounded cost, and no way out for what a customer or a system wrote."""

import time

import pytest

from hub.flows.expressions import MAX_INT, ExpressionError, analysed, bounded, evaluate, is_true
from hub.flows.templates import TemplateError, filled, filled_path, holes

SCOPE = {
    "customer": {"name": "Li", "tier": "gold", "tags": ["vip"], "fields": {}},
    "queues": {"billing": {"open": True, "waiting": 3, "wait_s": 90}},
    "answers": {"order": "FW-1", "stars": 4, "none": None},
    "results": {"order": {"found": True, "total": 12.5, "items": [{"sku": "a"}, {"sku": "b"}]}},
}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("customer.tier == 'gold' && queues.billing.waiting < 5", True),
        ("answers.stars >= 4 || answers.order == 'x'", True),
        ("'vip' in customer.tags", True),
        ("answers.none == null", True),
        ("results.order.items.exists(i, i.sku == 'b')", True),
        ("size(results.order.items) == 3", False),
        ("results.order.total > 10.0 ? true : false", True),
        ("!has(customer.fields.street)", True),
        ("answers.order.startsWith('FW')", True),
    ],
)
def test_expressions_see_what_is_known(source: str, wanted: bool) -> None:
    assert is_true(source, SCOPE) is wanted


@pytest.mark.parametrize(
    ("source", "text", "hint"),
    [
        ("custmer.tier == 'gold'", "There is no name 'custmer'.", "Did you mean 'customer'?"),
        ("sizee(customer.tags)", "There is no function 'sizee'.", "Did you mean 'size'?"),
        ("__import__('os')", "There is no function '__import__'.", ""),
        ("customer.name.matches('(a+)+$')", "There is no function 'matches'.", ""),
        ("customer.tier = 'gold'", "'=' has no meaning in an expression.", ""),
        ("customer.tier == ", "This is no expression", ""),
        ("", "The expression is empty.", ""),
        ("1 + " * 200 + "1", "longer than 400", ""),
        ("(" * 30 + "1" + ")" * 30, "nested deeper than 12", ""),
        ("!" * 300 + "true", "nested deeper than 12", ""),
        ("answers.a.map(x, answers.b.map(y, x + y))", "more than one loop", ""),
        ("`ls`", "'`' has no meaning", ""),
        ("'a' + \"b", "has no meaning", ""),
    ],
)
def test_what_an_expression_may_not_hold_is_told(source: str, text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        analysed(source)
    assert text in str(caught.value)
    assert hint in caught.value.hint


def test_an_expression_tells_what_it_uses() -> None:
    reading = analysed("answers.order == 'x' && customer.tags.exists(t, t == language)")
    assert reading.paths == (("answers", "order"), ("customer", "tags"), ("language",))


@pytest.mark.parametrize("source", ["answers.missing == 1", "answers.order > 3", "1 / 0 == 1", "answers.stars"])
def test_an_expression_without_an_answer_is_an_error(source: str) -> None:
    with pytest.raises(ExpressionError):
        is_true(source, SCOPE)


def test_values_are_cut_to_size() -> None:
    deep: object = "x"
    for _ in range(50):
        deep = {"a": deep}
    assert bounded(deep) == {"a": {"a": {"a": {"a": None}}}}
    assert bounded("x" * 10_000_000) == "x" * 2_000
    assert bounded([1] * 100_000) == [1] * 50
    assert bounded(float("nan")) is None
    assert bounded(MAX_INT + 1) == str(MAX_INT + 1)
    assert bounded(10**5000) is None
    assert bounded(object()) is None
    assert bounded({1: b"x"}) == {"1": None} or bounded({1: b"x"}) == {"1": [120]}


def test_the_worst_expression_costs_little() -> None:
    scope = {"results": bounded({"list": ["x" * 2_000] * 50}), "answers": {"text": "y" * 2_000}}
    source = "results.list.map(x, x + " + " + ".join(["answers.text"] * 20) + ")"
    assert len(source) < 400
    started = time.process_time()
    evaluate(source, scope)
    assert time.process_time() - started < 0.2


def test_a_template_is_filled_once_and_never_read_again() -> None:
    scope = {"customer": {"name": "{{ answers.secret }}"}, "answers": {"secret": "s3cret"}}
    assert filled("Hi {{ customer.name }}", scope) == "Hi {{ answers.secret }}"
    assert filled("Hi {{customer.missing.deep}}!", scope) == "Hi !"


def test_filters_shape_values() -> None:
    scope = {"results": {"x": {"total": 1234.5, "eta": "2026-12-01", "code": "FW-12", "big": "x" * 9_999}}}
    assert filled("{{ results.x.total | money }}", scope, currency="EUR") == "€1,234.50"
    assert filled("{{ results.x.eta | date }}", scope, language="zh") == "2026年12月1日"
    assert filled("{{ results.x.code | spell }}", scope) == "F W 1 2"
    assert filled("{{ results.x.code | last4 }}", scope) == "W-12"
    assert filled("{{ results.x.none | said }}, {{ results.x.code | last4 }}", scope) == "not said, W-12"
    assert filled("{{ results.x.none | said }}", scope, language="zh") == "未提供"
    assert len(filled("{{ results.x.big }}", scope)) == 500


def test_control_and_direction_characters_do_not_reach_the_customer() -> None:
    assert filled("{{ customer.name }}", {"customer": {"name": "a\u202eb\x00c\u200bd"}}) == "abcd"


@pytest.mark.parametrize(
    "template",
    [
        "{{ answers.__class__() }}", "{{ 7*7 }}", "{{ answers['x'] }}", "{{ os.system }}", "{{ answers.x | eval }}",
        "{{ answers.x", "{% for x in y %}{{ x }}{% endfor %}", "{{ }}",
    ],
)  # fmt: skip
def test_a_template_holds_names_and_nothing_else(template: str) -> None:
    with pytest.raises(TemplateError):
        holes(template)


def test_python_is_out_of_reach() -> None:
    scope = {"answers": {"x": "text"}}
    assert filled("{{ answers.x.__class__ }}{{ answers.__class__.__mro__ }}", scope) == ""


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("FW-1", "/orders/FW-1"), ("../admin", "/orders/..%2Fadmin"), ("a/b?c#d", "/orders/a%2Fb%3Fc%23d"),
        ("..", None),
        (".", None), ("", None), (None, None), ("a@evil.example:80", "/orders/a%40evil.example%3A80"),
        ("订", "/orders/%E8%AE%A2"),
        ("a\r\nHost: x", "/orders/a%0AHost%3A%20x"),
    ],
)  # fmt: skip
def test_a_path_cannot_be_climbed(value: str | None, path: str | None) -> None:
    assert filled_path("/orders/{{ answers.order }}", {"answers": {"order": value}}) == path
