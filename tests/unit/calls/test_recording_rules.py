"""Which rule of recording holds between two places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice import checking
from hub.domain.recording_rules import RULES, place_of, rule_of

LAWS = {"*": "announce", "DE": "ask", "US-CA": "ask", "FR": "never", "US": "welcome"}


@pytest.mark.parametrize(
    ("places", "rule"),
    [
        (("GB", "GB"), "announce"),
        (("GB", "DE"), "ask"),
        (("US-NY", "US-NY"), "welcome"),
        (("US-NY", "US-CA"), "ask"),
        (("US", "US-NY"), "ask"),  # a state that nobody names may be the strictest
        (("FR", "US-NY"), "never"),
        (("", "US-NY"), "never"),
    ],
)
def test_the_stricter_of_both_ends_holds(places: tuple[str, str], rule: str) -> None:
    assert rule_of(LAWS, places) == rule


def test_without_rules_it_is_announced() -> None:
    assert rule_of({}, ("GB", "")) == rule_of({"DE": "welcome"}, ("GB", "GB")) == "announce"


PLACES = st.sampled_from(["", "DE", "FR", "US", "US-CA", "US-NY", "GB"])


@given(st.dictionaries(st.sampled_from(["*", "DE", "US", "US-CA"]), st.sampled_from(RULES)), PLACES, PLACES)
def test_knowing_nothing_is_never_more_lenient(rules: dict[str, str], one: str, two: str) -> None:
    known = RULES.index(rule_of(rules, (one, two)))
    assert known == RULES.index(rule_of(rules, (two, one)))
    assert RULES.index(rule_of(rules, ("", two))) >= known


def test_numbers_tell_their_country() -> None:
    assert [place_of(number) for number in ("+493012345678", "+14155550123", "+15005550006", "+80012345678", "")] == [
        "DE",
        "US",
        "US",
        "",
        "",
    ]


def test_what_is_no_place_or_no_rule_is_said() -> None:
    rules = {"*": "ask", "Germany": "announce", "US-CA": "maybe"}
    assert [(one.where, one.text) for one in checking._of_consent("c", rules)] == [
        ("c", "'Germany' is no place."),
        ("c.US-CA", "'maybe' is no rule."),
    ]
