import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sockets import packets

START = len("42/chat,")


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        ('42/chat,7["say",{"a":1}]', ("7", "say", '["say",{"a":1}]')),
        ('42/chat,["say"]', ("", "say", '["say"]')),
        ("42/chat,12[]", ("12", "", "[]")),
        ('42/chat,1[ "say"]', ("1", "", '[ "say"]')),
        ("42/chat,", None),
        ("42/chat,{}", None),
        ("42/chat,1.5[]", None),
        ("42/chat,²[]", None),
        ("42/chat," + "1" * 40 + "[]", None),
    ],
)
def test_event_is_taken_apart(packet: str, expected: tuple[str, str, str] | None) -> None:
    assert packets.take_apart(packet, START) == expected


@given(st.text())
def test_any_text_can_be_taken_apart(text: str) -> None:
    found = packets.take_apart("42/chat," + text, START)
    assert found is None or found.arguments.startswith("[")


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_frame_says_its_length(length: int) -> None:
    frame = packets.text_frame(b"x" * length)

    assert frame[0] == 0x81
    if length < 126:
        head, said = 2, frame[1]
    elif length < 65_536:
        head, said = 4, struct.unpack("!H", frame[2:4])[0]
    else:
        head, said = 10, struct.unpack("!Q", frame[2:10])[0]
    assert (said, len(frame)) == (length, head + length)


def test_acknowledgement_without_an_answer_has_no_arguments() -> None:
    assert packets.ack_frame("/chat", "3", None) == packets.text_frame(b"43/chat,3[]")


def test_event_carries_any_language() -> None:
    assert packets.event_frame("/chat", "say", {"text": "退款"}) == packets.text_frame(
        '42/chat,["say",{"text":"退款"}]'.encode()
    )


def test_close_reason_fits_a_control_frame() -> None:
    assert packets.close_frame(1008, "x" * 500)[1] <= 125
