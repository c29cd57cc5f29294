"""The two structures against plain sorted lists."""

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.cells import Cell, Frontier, bits

steps = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.booleans()), max_size=120)


@given(steps)
def test_cell_is_a_sorted_set(steps: list[tuple[int, int, bool]]) -> None:
    cell: Cell[str] = Cell()
    plain: list[tuple[int, str]] = []
    for number, (key, _, removes) in enumerate(steps):
        if removes and plain:
            entry = plain.pop(key % len(plain))
            assert cell.remove(*entry) == (min([entry, *plain]) == entry)
        else:
            # Half of them go before those of the same key that are there already.
            entry = (key, f"e{number if number % 2 else 999 - number:03}")
            plain.append(entry)
            assert cell.add(*entry) == (min(plain) == entry)
        plain.sort()
        assert cell.first == (plain[0][1] if plain else None)
        assert cell.all() == [member for _, member in plain]
        assert cell.count_before(key) == sum(each[0] < key for each in plain)
        assert cell.count_before(*entry) == sum(each < entry for each in plain)
        assert cell.last_before(key) == max((each[0] for each in plain if each[0] < key), default=None)
        assert len(cell) == len(plain)


def test_member_comes_back_to_its_place() -> None:
    cell: Cell[str] = Cell()
    names = [f"e{number:03}" for number in range(500)]
    for number, name in enumerate(names):
        cell.add(number, name)
    for number, name in enumerate(names[:300]):
        cell.remove(number, name)
    cell.add(7, "e007")

    assert cell.first == "e007"
    assert cell.all()[:2] == ["e007", "e300"]


def test_member_taken_out_of_the_middle_comes_back() -> None:
    cell: Cell[str] = Cell()
    names = [f"e{number:03}" for number in range(200)]
    for number, name in enumerate(names):
        cell.add(number, name)
    for number in range(50, 90):
        cell.remove(number, names[number])
    assert not cell.add(60, names[60])
    assert cell.count_before(70) == 51
    for number in range(50):
        cell.remove(number, names[number])

    assert cell.first == "e060"
    assert len(cell) == 111


def test_cell_forgets_the_places_of_those_who_left() -> None:
    cell: Cell[str] = Cell()
    names = [f"e{number:04}" for number in range(1_000)]
    for number, name in enumerate(names):
        cell.add(number, name)
    for number in range(1, 1_000):
        if number % 10:
            cell.remove(number, names[number])

    assert cell.all() == names[::10]
    assert len(cell.members) < 300


@given(steps, st.integers(0, 63), st.booleans())
def test_frontier_finds_the_first_of_any_cells(steps: list[tuple[int, int, bool]], mask: int, has_words: bool) -> None:
    heads: list[int] = []
    frontier: Frontier[str] = Frontier(has_words=has_words, heads=heads)
    plain: dict[int, list[tuple[int, str]]] = {}
    for number, (key, cell, removes) in enumerate(steps):
        there = plain.setdefault(cell, [])
        if removes and there:
            entry = there.pop(key % len(there))
            assert frontier.take(frontier.open(cell), *entry) == (entry == min([entry, *there]))
        else:
            entry = (key, f"e{number}")
            there.append(entry)
            assert frontier.put(frontier.open(cell), *entry) == (entry == min(there))
        among = [entry for cell, entries in plain.items() for entry in entries if mask >> cell & 1]
        assert frontier.first(mask) == min(among, default=(0, None))[1]
        assert frontier.count(mask, 3) == min(3, len(among))
        assert list(bits(frontier.mask)) == sorted(cell for cell, entries in plain.items() if entries)
        assert heads == sorted(min(entries)[0] for entries in plain.values() if entries)


def test_frontier_of_many_cells_scans_or_picks_alike() -> None:
    frontier: Frontier[str] = Frontier()
    for number in range(300):
        frontier.put(frontier.open(number), (number * 7919) % 1000, f"e{number}")
    for mask in (1 << 299, (1 << 300) - 1, sum(1 << n for n in range(0, 300, 3)), sum(1 << n for n in range(5))):
        expected = min(((number * 7919) % 1000, f"e{number}") for number in bits(mask))
        assert frontier.first(mask) == expected[1]


def test_cell_is_found_under_its_new_number() -> None:
    frontier: Frontier[str] = Frontier()
    for number in range(4):
        frontier.put(frontier.open(number), 5, f"e{number}")
    frontier.renumber(frontier.open(1), 9)

    assert frontier.first(1 << 1) is None
    assert frontier.first(1 << 9) == "e1"
    assert frontier.first(1 << 9 | 1 << 2) == "e1"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 79), st.integers(0, 9), st.booleans()), min_size=20, max_size=120))
def test_frontier_stays_in_order_once_many_cells_were_asked_for(steps: list[tuple[int, int, bool]]) -> None:
    heads: list[int] = []
    frontier: Frontier[str] = Frontier(heads=heads)
    plain: dict[int, list[tuple[int, str]]] = {number: [(number % 7, f"f{number:02}")] for number in range(80)}
    for number, entries in plain.items():
        frontier.put(frontier.open(number), *entries[0])
    wide = (1 << 80) - 2
    for count, (number, key, removes) in enumerate(steps):
        there = plain[number]
        if removes and there:
            frontier.take(frontier.open(number), *there.pop(key % len(there)))
        else:
            there.append((key, f"e{count:03}"))
            frontier.put(frontier.open(number), *there[-1])
        first = min((entry for cell, entries in plain.items() if cell for entry in entries), default=(0, None))
        assert frontier.first(wide) == first[1]
        assert heads == sorted(min(entries)[0] for entries in plain.values() if entries)
