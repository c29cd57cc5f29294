"""The two structures against plain sorted lists."""

from hypothesis import given
from hypothesis import strategies as st

from routing.cells import Cell, Entry, Frontier, bits

steps = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.booleans()), max_size=120)


@given(steps)
def test_cell_is_a_sorted_set(steps: list[tuple[int, int, bool]]) -> None:
    cell = Cell()
    plain: list[Entry] = []
    for number, (key, _, removes) in enumerate(steps):
        if removes and plain:
            entry = plain.pop(key % len(plain))
            assert cell.remove(entry) == (min([entry, *plain]) == entry)
        else:
            entry = (key, f"e{number}")
            plain.append(entry)
            assert cell.add(entry) == (min(plain) == entry)
        plain.sort()
        assert cell.first == (plain[0] if plain else None)
        assert cell.ids() == [entry[-1] for entry in plain]
        assert cell.count_before((key,)) == sum(entry < (key,) for entry in plain)
        assert cell.last_before((key,)) == max((entry for entry in plain if entry < (key,)), default=None)
        assert len(cell) == len(plain)


def test_entry_comes_back_to_its_place() -> None:
    cell = Cell()
    for number in range(500):
        cell.add((number, f"e{number:03}"))
    for number in range(300):
        cell.remove((number, f"e{number:03}"))
    cell.add((7, "e007"))

    assert cell.first == (7, "e007")
    assert cell.ids()[:2] == ["e007", "e300"]


def test_entry_taken_out_of_the_middle_comes_back() -> None:
    cell = Cell()
    for number in range(200):
        cell.add((number, f"e{number:03}"))
    for number in range(50, 90):
        cell.remove((number, f"e{number:03}"))
    assert not cell.add((60, "e060"))
    assert cell.count_before((70,)) == 51
    for number in range(50):
        cell.remove((number, f"e{number:03}"))

    assert cell.first == (60, "e060")
    assert len(cell) == 111


@given(steps, st.integers(0, 63))
def test_frontier_finds_the_first_of_any_cells(steps: list[tuple[int, int, bool]], mask: int) -> None:
    frontier = Frontier()
    plain: dict[int, list[Entry]] = {}
    for number, (key, cell, removes) in enumerate(steps):
        if removes and plain.get(cell):
            entry = plain[cell].pop(key % len(plain[cell]))
            frontier.remove(cell, entry)
        else:
            entry = (key, f"e{number}")
            plain.setdefault(cell, []).append(entry)
            frontier.add(cell, entry)
        among = [entry for cell, entries in plain.items() for entry in entries if mask >> cell & 1]
        assert frontier.first(mask) == min(among, default=None)
        assert frontier.count(mask, 3) == min(3, len(among))
        assert list(bits(frontier.mask)) == sorted(cell for cell, entries in plain.items() if entries)


def test_frontier_of_many_cells_scans_or_picks_alike() -> None:
    frontier = Frontier()
    for number in range(300):
        frontier.add(number, ((number * 7919) % 1000, f"e{number}"))
    for mask in (1 << 299, (1 << 300) - 1, sum(1 << n for n in range(0, 300, 3)), sum(1 << n for n in range(5))):
        expected = min(((number * 7919) % 1000, f"e{number}") for number in bits(mask))
        found = frontier.first(mask)
        assert found is not None
        assert found == expected
