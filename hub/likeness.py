"""Likeness of sentences by a model that runs here: what customers say is compared by meaning, beside its words.

Optional, and offline: the extra `embeddings` brings what runs a model, the operator brings the model's folder. Any
sentence encoder exported to ONNX will do; its `tokenizer.json` stands beside `model.onnx`.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from hub.settings import Problem, SettingsError

MODEL: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"
EXTRA: Final = "embeddings"
MAX_TOKENS: Final = 64
MAX_KNOWN: Final = 20_000
"""Phrases whose vectors are kept; flows together have some thousands."""
_UNLIKE: Final = 0.1
_ALIKE: Final = 0.85
_BATCH: Final = 32

Vector = Sequence[float]
Encode = Callable[[Sequence[str]], Sequence[Vector]]
"""Vectors of length 1, one for each text."""


class Likeness:
    """Compares a text with phrases; a phrase's vector is computed once. May be called from any thread."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: dict[str, Vector] = {}
        self._lock = threading.Lock()

    def __call__(self, text: str, phrases: Sequence[str]) -> list[float]:
        """Return how alike a text and each phrase are, from 0 to 1, on the scale of `matching.match`.

        Sentences about different things have a cosine near 0.1; one said in other words has about 0.5, which is worth
        asking back about.
        """
        self.learn(phrases)
        (said,) = self._encode([text])
        return [_scaled(sum(a * b for a, b in zip(said, self._known[phrase], strict=True))) for phrase in phrases]

    def learn(self, phrases: Iterable[str]) -> None:
        """Compute what is not known of these phrases."""
        with self._lock:
            new = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._known]
            if len(self._known) + len(new) > MAX_KNOWN:
                self._known.clear()
                new = list(dict.fromkeys(phrases))
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                self._known.update(zip(batch, self._encode(batch), strict=True))


def _scaled(cosine: float) -> float:
    return min(max((cosine - _UNLIKE) / (_ALIKE - _UNLIKE), 0.0), 1.0)


def load(folder: Path) -> Likeness:
    """Return the likeness by the model in a folder.

    Raises:
        SettingsError: the extra is not installed, or there is no model that can be used.
    """
    try:
        return Likeness(_encoder(folder))
    except ImportError as error:
        hint = f"Install the extra: pip install 'switchboard[{EXTRA}]'."
        raise SettingsError([_problem(f"{error.name} is not installed.", hint)]) from error
    except Exception as error:
        hint = f"A folder with {MODEL} (a sentence encoder as ONNX) and {TOKENIZER}."
        raise SettingsError([_problem(f"{folder} holds no model that can be used: {error}", hint)]) from error


def _problem(text: str, hint: str) -> Problem:
    return Problem(where="flows.embeddings", text=text, hint=hint)


def _encoder(folder: Path) -> Encode:
    """Open the model: one thread, so that a flow's question never takes the whole machine."""
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
    wanted = {one.name for one in session.get_inputs()}

    def encode(texts: Sequence[str]) -> list[Vector]:
        read = tokenizer.encode_batch(list(texts))
        mask = numpy.array([one.attention_mask for one in read], dtype=numpy.int64)
        given: dict[str, Any] = {
            "input_ids": numpy.array([one.ids for one in read], dtype=numpy.int64),
            "attention_mask": mask,
            "token_type_ids": numpy.zeros_like(mask),
        }
        found = session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        if found.ndim == 3:  # a vector for each token: their mean is the sentence's
            weights = mask[:, :, None].astype(found.dtype)
            found = (found * weights).sum(axis=1) / numpy.maximum(weights.sum(axis=1), 1)
        vectors: list[Vector] = (found / numpy.maximum(numpy.linalg.norm(found, axis=1, keepdims=True), 1e-9)).tolist()
        return vectors

    encode(["hello"])
    return encode
