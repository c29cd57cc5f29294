"""The hub's own music: a sound file that a telephone can play, as long as asked, and without a click at its end."""

import io
import wave
from array import array
from itertools import pairwise

import pytest

from channels.voice.documents import Places, hold_document
from channels.voice.music import BAR_S, LONGEST_S, RATE, bars, piece


def samples(count: int) -> "array[int]":
    with wave.open(io.BytesIO(piece(count))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        return array("h", sound.readframes(sound.getnframes()))


@pytest.mark.parametrize(("seconds", "count"), [(0, 2), (5, 2), (30, 12), (31, 12), (10_000, LONGEST_S / BAR_S)])
def test_piece_lasts_about_as_long_as_asked(seconds: float, count: int) -> None:
    assert bars(seconds) == count


def test_piece_is_heard_and_neither_distorts_nor_clicks() -> None:
    found = samples(9)
    assert len(found) == 9 * BAR_S * RATE
    assert 4_000 < max(map(abs, found)) < 20_000
    bar = round(BAR_S * RATE)
    assert all(abs(found[end - 1]) < 200 for end in range(bar, len(found) + 1, bar))
    loudest = max(abs(after - before) for before, after in pairwise(found))
    assert loudest < 4_000


def test_who_holds_hears_it_or_the_file_that_is_named() -> None:
    ours = hold_document((), Places(base="https://h.example/webhooks/line"))
    assert "<Play>https://h.example/webhooks/line/music/12.wav</Play>" in ours
    theirs = hold_document((), Places(base="https://h.example/webhooks/line", music="https://m.example/a.mp3"))
    assert "<Play>https://m.example/a.mp3</Play>" in theirs
