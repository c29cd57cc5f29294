"""Whether somebody spoke: measured in what a line records."""

import io
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.simulator.carrier.wav import Span, wav
from hub.services.phone.sound import is_silent


def sound(*spans: Span, length_ms: int = 5_000, channels: int = 1) -> bytes:
    return b"".join(wav(length_ms, channels, spans))


def noise(peak: int, *, width: int = 2) -> bytes:
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setparams((1, width, 8000, 0, "NONE", ""))
        file.writeframes(array("h", [peak, -peak] * 8000).tobytes())
    return body.getvalue()


def test_nothing_at_all_is_silent_and_so_is_a_lines_own_noise() -> None:
    assert is_silent(sound())
    assert is_silent(sound(length_ms=0))
    assert is_silent(noise(200))
    assert not is_silent(noise(2_000))


@given(start=st.integers(0, 4_000), length=st.integers(300, 900), channels=st.integers(1, 2))
def test_words_are_heard_wherever_they_are(start: int, length: int, channels: int) -> None:
    assert not is_silent(sound(Span(start, start + length, channels - 1), channels=channels))


def test_a_click_is_no_word() -> None:
    assert is_silent(sound(Span(1_000, 1_060)))


@pytest.mark.parametrize("body", [b"", b"RIFF", b"\xff\xfb\x10\xc4" * 50, noise(0, width=1)])
def test_what_cannot_be_measured_counts_as_said(body: bytes) -> None:
    assert not is_silent(body)
