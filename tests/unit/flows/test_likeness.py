"""What customers say, compared by meaning: beside the words, never against them, in the languages a model knows."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.flows.asking import phrases_of
from hub.flows.matching import Known, match
from hub.flows.reading import read_flow
from hub.likeness import Likeness, load
from hub.settings import SettingsError
from tests.unit.flows.talk import MENU

MENU_CHOICES = [
    Known("order", ("Order status", "parcel", "包裹")),
    Known("address", ("Change of address", "moving house")),
    Known("hours", ("Opening hours",)),
]
AXES = ("parcel", "relocated", "open")
LIKE = {"order status": 0, "moving house": 1, "change of address": 1, "opening hours": 2}


class Meaning:
    """A model that knows three meanings; `asked` is all that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [self._vector(text.casefold()) for text in texts]

    def _vector(self, text: str) -> list[float]:
        at = LIKE.get(text, next((n for n, word in enumerate(AXES) if word in text), 3))
        return [1.0 if n == at else 0.0 for n in range(4)]


def test_what_no_word_tells_is_understood_by_meaning() -> None:
    meaning = Meaning()
    assert match("We relocated to Boston", MENU_CHOICES).id == ""
    found = match("We relocated to Boston", MENU_CHOICES, similar=Likeness(meaning))
    assert (found.id, found.is_sure) == ("address", True)


def test_what_the_words_say_for_sure_asks_no_model() -> None:
    meaning = Meaning()
    assert match("moving house", MENU_CHOICES, similar=Likeness(meaning)).id == "address"
    assert meaning.asked == []


def test_a_likeness_in_between_is_asked_back_about() -> None:
    found = match("hm", MENU_CHOICES, similar=lambda _text, phrases: [0.5 * (p == "Opening hours") for p in phrases])
    assert (found.id, found.is_sure) == ("hours", False)


def test_phrases_are_computed_once_and_other_scripts_are_left_alone() -> None:
    meaning = Meaning()
    likeness = Likeness(meaning)
    likeness.learn(["Order status", "Order status"])
    for text in ("it is open when?", "I relocated"):
        match(text, MENU_CHOICES, similar=likeness)
    assert sorted(meaning.asked) == sorted({*meaning.asked}), "nothing twice"
    assert "包裹" not in meaning.asked
    assert {"Order status", "订单状态", "包裹"} <= set(phrases_of(read_flow(MENU, "menu")))


def test_what_cannot_be_loaded_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.where == "flows.embeddings"
    assert "embeddings" in problem.hint or "model.onnx" in problem.hint


# -- a model of four words, as any exporter writes it


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer: a number, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def value_info(name: str, kind: int, dims: Sequence[str]) -> bytes:
    shape = b"".join(field(1, field(2, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def tiny_model(vectors: Sequence[Sequence[float]]) -> bytes:
    """An encoder that gives each token its row: a Gather, as ONNX."""
    flat = [number for vector in vectors for number in vector]
    table = (
        field(1, len(vectors)) + field(1, len(vectors[0])) + field(2, 1) + field(8, "table")
        + field(9, struct.pack(f"<{len(flat)}f", *flat))
    )  # fmt: skip
    node = field(1, "table") + field(1, "input_ids") + field(2, "last_hidden_state") + field(4, "Gather")
    graph = (
        field(1, node) + field(2, "tiny") + field(5, table) + field(11, value_info("input_ids", 7, ("b", "n")))
        + field(12, value_info("last_hidden_state", 1, ("b", "n", "d")))
    )  # fmt: skip
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


def test_a_model_in_a_folder_is_run(tmp_path: Path) -> None:
    """Where the extra is installed: it is optional, and so is this."""
    pytest.importorskip("onnxruntime")
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "parcel": 1, "box": 2, "open": 3}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "model.onnx").write_bytes(tiny_model([(0, 0, 1), (1, 0, 0), (0.9, 0.1, 0), (0, 1, 0)]))
    found = load(tmp_path)("parcel", ["box", "open", "something else"])
    assert found[0] > 0.95
    assert found[1:] == [0.0, 0.0]
