"""Sound files of a wanted length that hold a tone where somebody was heard and silence elsewhere."""

import math
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

RATE: Final = 8000
"""Samples a second, as on the telephone."""
_LOUDNESS: Final = 6000
_TONES_HZ: Final = (400, 500)
_FRAME_S: Final = 1152 / 44_100


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody was heard from `start_ms` to `end_ms`, counted in the file, on a channel from 0."""

    start_ms: int
    end_ms: int
    channel: int = 0


def wav(duration_ms: int, channels: int, spans: Sequence[Span]) -> Iterator[bytes]:
    """Yield a WAV file (16 bit PCM) second by second, so that an hour needs no memory."""
    frames = duration_ms * RATE // 1000
    size = frames * channels * 2
    yield struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        RATE,
        *_rates(channels),
        b"data",
        size,
    )
    periods = [_period(tone) for tone in _TONES_HZ]
    for first in range(0, frames, RATE):
        last = min(first + RATE, frames)
        samples = array("h", bytes((last - first) * channels * 2))
        for span in spans:
            channel = span.channel if channels > 1 else 0
            start = max(span.start_ms * RATE // 1000, first)
            end = min(span.end_ms * RATE // 1000, last)
            period = periods[channel]
            for frame in range(start, end):
                samples[(frame - first) * channels + channel] = period[frame % len(period)]
        yield samples.tobytes()


def _rates(channels: int) -> tuple[int, int, int]:
    return RATE * channels * 2, channels * 2, 16


def _period(hertz: int) -> "array[int]":
    length = RATE // math.gcd(RATE, hertz)
    return array("h", (round(_LOUDNESS * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(length)))


def mp3(duration_ms: int) -> bytes:
    """Return an MP3 file of silence: MPEG-1 layer III, 32 kbit/s, 44.1 kHz, mono; every frame's main part is empty."""
    frame = bytes((0xFF, 0xFB, 0x10, 0xC4)) + bytes(100)
    return frame * max(round(duration_ms / 1000 / _FRAME_S), 1)


def length_s(body: bytes, content_type: str) -> float:
    """Return how long a sound file plays: exactly for WAV, at 128 kbit/s for all else."""
    if body[:4] == b"RIFF" and body[8:12] == b"WAVE" and len(body) >= 44:
        rate = int(struct.unpack_from("<I", body, 28)[0])
        at = body.find(b"data", 12)
        if at >= 0 and rate > 0 and len(body) >= at + 8:
            size = int(struct.unpack_from("<I", body, at + 4)[0])
            return float(min(size, len(body) - at - 8) / rate)
    return len(body) / (4000 if "amr" in content_type else 16_000)
