"""Opening times: zones, clock changes, holidays, midnight."""

from datetime import UTC, datetime

from routing.hours import WEEKDAYS, BusinessHours, is_open, next_edge_ms, next_open_ms, problems

BERLIN = BusinessHours(
    zone="Europe/Berlin",
    week=dict.fromkeys(WEEKDAYS[:5], ("09:00-12:30", "13:30-18:00")),
    days={"2026-12-25": (), "2026-12-26": ("10:00-11:00",)},
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def test_opening_belongs_to_the_day_and_closing_does_not() -> None:
    assert is_open(BERLIN, at("2026-11-20T08:00"))
    assert not is_open(BERLIN, at("2026-11-20T07:59:59"))
    assert not is_open(BERLIN, at("2026-11-20T11:30"))
    assert is_open(BERLIN, at("2026-11-20T12:30"))
    assert not is_open(BERLIN, at("2026-11-21T09:00"))


def test_summer_time_moves_the_opening() -> None:
    assert not is_open(BERLIN, at("2026-03-27T07:30"))
    assert is_open(BERLIN, at("2026-03-30T07:30"))


def test_holidays_replace_the_weekday() -> None:
    assert not is_open(BERLIN, at("2026-12-25T09:00"))
    assert is_open(BERLIN, at("2026-12-26T09:30"))


def test_next_edge_crosses_the_weekend() -> None:
    friday = at("2026-11-20T16:00")

    assert next_edge_ms(BERLIN, friday) == at("2026-11-20T17:00")
    assert next_edge_ms(BERLIN, at("2026-11-20T17:00")) == at("2026-11-23T08:00")
    assert next_open_ms(BERLIN, friday) == friday


def test_spans_that_touch_or_cross_midnight_are_one() -> None:
    night = BusinessHours(week={"monday": ("22:00-02:00",), "tuesday": ("02:00-06:00",)})

    assert is_open(night, at("2026-11-24T01:00"))
    assert next_edge_ms(night, at("2026-11-23T23:00")) == at("2026-11-24T06:00")


def test_always_and_never_have_no_edge() -> None:
    always = BusinessHours(week=dict.fromkeys(WEEKDAYS, ("00:00-24:00",)))

    assert is_open(always, at("2026-11-22T23:59"))
    assert next_edge_ms(always, at("2026-11-22T12:00")) is None
    assert next_open_ms(BusinessHours(), at("2026-11-22T12:00")) is None


def test_problems_are_named() -> None:
    bad = BusinessHours(zone="Mars/Base", week={"moonday": ("9-5",)}, days={"tomorrow": ("24:00-24:00", "10:75-11:00")})

    found = " ".join(problems(bad))
    for word in ("Mars/Base", "moonday", "tomorrow", "'9-5'", "10:75", "24:00-24:00"):
        assert word in found
    assert problems(BERLIN) == []
