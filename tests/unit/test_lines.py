"""Who waits in a queue: always in order, and whoever crosses the edge of what is listed is told."""

from hypothesis import given
from hypothesis import strategies as st

from hub.services.dispatching.lines import Line

WHO = st.tuples(st.integers(0, 5), st.sampled_from("abcdefgh"))


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), WHO), max_size=40))
def test_listed_are_the_first_and_changes_are_told(window: int, steps: list[tuple[bool, tuple[int, str]]]) -> None:
    line, there = Line(window), dict[str, int]()
    for comes, (at, key) in steps:
        listed = set(line.listed())
        if comes and key not in there:
            there[key] = at
            shifted = line.add(at, key)
        elif not comes:
            shifted = line.remove(there.pop(key, at), key)
        else:
            continue
        in_order = [key for _, key in sorted((at, key) for key, at in there.items())]
        assert (line.all(), line.listed(), len(line)) == (in_order, in_order[:window], len(there))
        assert [one for one in in_order if line.is_behind(there[one], one)] == in_order[window:]
        assert (listed ^ set(line.listed())) - {key} == ({shifted} if shifted else set())
        assert line.last == (in_order[-1] if in_order else None)
        assert line.oldest_at == min(there.values(), default=None)
