"""Whether anybody said anything in a recording. Pure: WAV bytes in, a judgement out."""

import io
import wave
from array import array
from typing import Final

_LOUD: Final = 500
"""Of 32,767: a line's own noise stays below, quiet speech does not."""
_FRAME_S: Final = 0.02
_LEAST_S: Final = 0.2
"""A syllable; what is loud for less is a click, or the tone's end."""


def is_silent(sound: bytes) -> bool:
    """Whether nothing as loud and long as a syllable is in it; what cannot be measured counts as said."""
    try:
        with wave.open(io.BytesIO(sound)) as file:
            if file.getsampwidth() != 2:
                return False
            frame = max(round(file.getframerate() * _FRAME_S), 1) * file.getnchannels()
            samples = array("h", file.readframes(file.getnframes()))
    except (wave.Error, EOFError, ValueError):
        return False
    loud = 0
    for start in range(0, len(samples), frame):
        piece = samples[start : start + frame]
        loud += max(piece) >= _LOUD or min(piece) <= -_LOUD
        if loud * _FRAME_S >= _LEAST_S:
            return False
    return True
