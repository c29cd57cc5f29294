"""The hub's own music on hold: a quiet arpeggio made of sines, computed here, so that nobody's rights are touched.

Four chords of two bars each, over and over; each bar ends while its last notes fade, so that a piece may end after
any bar. Sound: 16 bit PCM, 8,000 samples a second, one channel, as on the telephone.
"""

import io
import math
import wave
from array import array
from functools import lru_cache
from typing import Final

RATE: Final = 8_000
BAR_S: Final = 2.5
LONGEST_S: Final = 120
_NOTES_A_BAR: Final = 8
_BARS_A_CHORD: Final = 2
_CHORDS: Final = ((48, 55, 64, 67), (45, 52, 60, 64), (41, 48, 57, 60), (43, 50, 59, 62))
"""C, A minor, F, G as MIDI numbers, from the bass upwards."""
_FIGURE: Final = (0, 1, 2, 3, 2, 3, 1, 2)
"""Which of the chord's notes sounds when."""
_LOUDNESS: Final = 4_200
_FADES_S: Final = 0.45
_PARTIALS: Final = ((1, 1.0), (2, 0.28), (3, 0.09))
_ATTACK: Final = RATE // 100


def bars(seconds: float) -> int:
    """Return how many bars come nearest to a time, at least two."""
    return max(2, round(min(seconds, LONGEST_S) / BAR_S))


@lru_cache(maxsize=4)
def piece(count: int) -> bytes:
    """Return a WAV file of so many bars. The first call computes for a third of a second: not in the loop, please."""
    loop = _loop()
    size = round(BAR_S * RATE)
    samples = array("h")
    for number in range(count):
        start = number % (len(_CHORDS) * _BARS_A_CHORD) * size
        samples.extend(loop[start : start + size])
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


@lru_cache(maxsize=1)
def _loop() -> "array[int]":
    """Return all chords once; what still sounds at a bar's end fades into silence there."""
    size = round(BAR_S * RATE)
    step = size // _NOTES_A_BAR
    loop = array("h")
    for chord in _CHORDS:
        sound = [0.0] * size
        for position, note in enumerate(_FIGURE):
            start = position * step
            for offset, value in enumerate(_note(chord[note])[: size - start]):
                sound[start + offset] += value
        tail = RATE // 20
        for offset in range(tail):
            sound[-1 - offset] *= offset / tail
        bar = array("h", (max(-32_000, min(32_000, round(value))) for value in sound))
        loop.extend(bar)
        loop.extend(bar)
    return loop


@lru_cache(maxsize=64)
def _note(number: int) -> list[float]:
    """Return one plucked note, dying away."""
    turn = 2 * math.pi * 440 * 2 ** ((number - 69) / 12) / RATE
    return [
        _LOUDNESS
        * min(at / _ATTACK, 1.0)
        * math.exp(-at / (_FADES_S * RATE))
        * sum(weight * math.sin(partial * turn * at) for partial, weight in _PARTIALS)
        for at in range(round(3 * _FADES_S * RATE))
    ]
